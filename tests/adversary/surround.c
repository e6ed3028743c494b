/* SPDX-License-Identifier: ISC */
/*
 * Runs a command in odd surroundings:
 *
 *	surround no-proc UID -- CMD...		nothing is mounted on /proc
 *	surround hidden-proc UID -- CMD...	/proc with hidepid=2
 *	surround no-clone3 UID -- CMD...	clone3(2) is refused, as by the
 *						filters of many containers
 *	surround few-pids N -- CMD...		below
 *
 * UID is who the command runs as.  few-pids makes a PID namespace with so few
 * pids that they come round many times a second, with bystanders in it that
 * must not be hit: N that sleep, and one that always has a new pid.  When the
 * command has ended it prints
 *
 *	status=S bystanders=B comet=C others=O
 *
 * how the command ended, how many bystanders still sleep, whether the moving
 * one still moves, and how many strangers are left: those that a list shows,
 * or 1 if something lives when the bystanders were ended.
 *
 * Status 97: the machine does not let us make such surroundings; 98: an error.
 */

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOT_HERE 97
#define FAILED 98
#define FEW_PIDS "450"
#define BYSTANDER "bystander"

#define PATIENCE 10000 /* milliseconds until the bystanders have ended */

struct shared {
	atomic_uint turns;
	atomic_bool landed; /* the moving bystander is to end */
};

static struct shared *shared;

_Noreturn static void
fail(int status, const char *what)
{
	fprintf(stderr, "surround: %s: %s\n", what, strerror(errno));
	_exit(status);
}

static void
become(uid_t uid)
{
	if (uid == 0)
		return;
	if (setgroups(0, NULL) == -1 || setresgid(uid, uid, uid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		fail(FAILED, "setresuid");
}

/* A mount namespace whose changes nobody else sees. */
static void
own_mounts(int more)
{
	if (unshare(CLONE_NEWNS | more) == -1)
		fail(NOT_HERE, "unshare");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		fail(NOT_HERE, "private mounts");
}

static int
without_proc(uid_t uid, char **command)
{
	own_mounts(0);
	/* What is mounted below it goes with it. */
	if (umount2("/proc", MNT_DETACH) == -1)
		fail(NOT_HERE, "/proc");
	become(uid);
	execvp(command[0], command);
	fail(FAILED, command[0]);
}

static int
with_hidden_proc(uid_t uid, char **command)
{
	own_mounts(0);
	if (mount("proc", "/proc", "proc", 0, "hidepid=2") == -1)
		fail(NOT_HERE, "hidepid");
	become(uid);
	execvp(command[0], command);
	fail(FAILED, command[0]);
}

static int
without_clone3(uid_t uid, char **command)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	become(uid);
	/* Without it only root may have filters. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		fail(NOT_HERE, "seccomp");
	execvp(command[0], command);
	fail(FAILED, command[0]);
}

static bool
write_file(const char *path, const char *text)
{
	bool done;
	int fd;

	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* Each PID namespace has its pid_max since 6.14; before, all have one. */
static bool
pid_max_is_ours(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	if (uname(&u) == -1 || sscanf(u.release, "%d.%d", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 14);
}

/* The next pids are given from 300 on, again and again. */
static void
turn_back_pids(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	for (;;) {
		if (!write_file("/proc/sys/kernel/ns_last_pid", "300"))
			_exit(FAILED);
		nanosleep(&ms, NULL);
	}
}

static pid_t
start(void (*fn)(void))
{
	pid_t pid;

	if ((pid = fork()) == -1)
		fail(FAILED, "fork");
	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid;
}

static void
sleep_on(void)
{
	for (;;)
		pause();
}

static void
move_on(void)
{
	const struct timespec pause_time = { .tv_nsec = 300000 };

	while (!atomic_load(&shared->landed)) {
		switch (fork()) {
		case -1:
			break;
		case 0:
			atomic_fetch_add(&shared->turns, 1);
			break;
		default:
			_exit(0);
		}
		nanosleep(&pause_time, NULL);
	}
}

static bool
is_zombie(const char *pid)
{
	char path[64], text[256] = "", *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	if ((f = fopen(path, "re")) == NULL)
		return true;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	end = strrchr(text, ')');
	return end == NULL || end[1] == '\0' || end[2] == 'Z' || end[2] == 'X';
}

/* Living processes but this one that are not bystanders. */
static int
count_others(void)
{
	struct dirent *entry;
	char path[64], name[64];
	int count = 0;
	DIR *dir;
	FILE *f;

	if ((dir = opendir("/proc")) == NULL)
		fail(FAILED, "/proc");
	while ((entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    atoi(entry->d_name) == 1)
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", entry->d_name);
		if ((f = fopen(path, "re")) == NULL)
			continue;
		if (fgets(name, sizeof(name), f) == NULL)
			name[0] = '\0';
		fclose(f);
		if (strcmp(name, BYSTANDER "\n") == 0 ||
		    is_zombie(entry->d_name))
			continue;
		fprintf(stderr, "surround: left: %s %s", entry->d_name, name);
		count++;
	}
	closedir(dir);
	return count;
}

/* Does the moving bystander take another turn? */
static bool
comet_moves(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int before = atomic_load(&shared->turns);

	for (int i = 0; i < 5000; i++) {
		if (atomic_load(&shared->turns) != before)
			return true;
		nanosleep(&ms, NULL);
	}
	return false;
}

/*
 * Does nothing live but this init?  Strangers that change their pid are in no
 * list, but they are children: waitid(2) tells, once the bystanders, which it
 * counts as well, have gone.
 */
static bool
is_alone(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	pid_t pid;

	for (int i = 0; i < PATIENCE; i++) {
		do {
			pid = waitpid(-1, NULL, WNOHANG | __WALL);
		} while (pid > 0);
		if (pid == -1)
			return errno == ECHILD;
		nanosleep(&ms, NULL);
	}
	return false;
}

static int
wait_for(pid_t command)
{
	pid_t pid;
	int status;

	/* The init of the namespace reaps what is left to it meanwhile. */
	while ((pid = waitpid(-1, &status, 0)) != command) {
		if (pid == -1 && errno != EINTR)
			fail(FAILED, "waitpid");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
end_bystanders(const pid_t *sleepers, int count, pid_t turner)
{
	for (int i = 0; i < count; i++)
		kill(sleepers[i], SIGKILL);
	if (turner != 0)
		kill(turner, SIGKILL);
	atomic_store(&shared->landed, true);
}

static int
be_init(int bystanders, char **command)
{
	pid_t *sleepers, pid, turner = 0;
	int alive = 0, others, status, moves;

	if (mount("proc", "/proc", "proc", 0, NULL) == -1)
		fail(NOT_HERE, "/proc");
	if ((sleepers = calloc((size_t)bystanders, sizeof(*sleepers))) == NULL)
		fail(FAILED, "calloc");
	/* Inherited, so that each has it from its first instruction. */
	prctl(PR_SET_NAME, BYSTANDER);
	if (pid_max_is_ours()) {
		if (!write_file("/proc/sys/kernel/pid_max", FEW_PIDS))
			fail(NOT_HERE, "pid_max");
	} else {
		if (!write_file("/proc/sys/kernel/ns_last_pid", "300"))
			fail(NOT_HERE, "ns_last_pid");
		turner = start(turn_back_pids);
	}
	for (int i = 0; i < bystanders; i++)
		sleepers[i] = start(sleep_on);
	start(move_on);

	if ((pid = fork()) == -1)
		fail(FAILED, "fork");
	if (pid == 0) {
		execvp(command[0], command);
		fail(FAILED, command[0]);
	}
	status = wait_for(pid);
	others = count_others();
	for (int i = 0; i < bystanders; i++)
		alive += waitpid(sleepers[i], NULL, WNOHANG) == 0 ? 1 : 0;
	moves = comet_moves() ? 1 : 0;
	end_bystanders(sleepers, bystanders, turner);
	if (!is_alone() && others == 0)
		others = 1;
	printf("status=%d bystanders=%d comet=%d others=%d\n", status, alive,
	    moves, others);
	free(sleepers);
	return 0;
}

static int
with_few_pids(int bystanders, char **command)
{
	siginfo_t si;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail(FAILED, "mmap");
	own_mounts(CLONE_NEWPID);
	if ((pid = fork()) == -1)
		fail(FAILED, "fork");
	if (pid == 0) {
		/* Whatever becomes of us, the namespace goes with us. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(be_init(bystanders, command));
	}
	if (waitid(P_PID, (id_t)pid, &si, WEXITED) == -1)
		fail(FAILED, "waitid");
	return si.si_code == CLD_EXITED ? si.si_status : FAILED;
}

int
main(int argc, char **argv)
{
	if (argc < 5 || strcmp(argv[3], "--") != 0) {
		fprintf(stderr, "surround: wrong arguments\n");
		return FAILED;
	}
	if (strcmp(argv[1], "no-proc") == 0)
		return without_proc((uid_t)atoi(argv[2]), argv + 4);
	if (strcmp(argv[1], "hidden-proc") == 0)
		return with_hidden_proc((uid_t)atoi(argv[2]), argv + 4);
	if (strcmp(argv[1], "no-clone3") == 0)
		return without_clone3((uid_t)atoi(argv[2]), argv + 4);
	if (strcmp(argv[1], "few-pids") == 0)
		return with_few_pids(atoi(argv[2]), argv + 4);
	fprintf(stderr, "surround: no such surroundings: %s\n", argv[1]);
	return FAILED;
}
