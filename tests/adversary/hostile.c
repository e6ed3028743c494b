/* SPDX-License-Identifier: ISC */
/*
 * The hostile program: one mode for each way in which processes escape, refuse
 * to end, or multiply.
 *
 *	hostile [-c SETUID_COPY] [-m MARK] MODE stay|leave [STATUS]
 *
 * It starts what the mode says, prints "ready" when that is in place, and then
 * stays, or leaves with STATUS (7) while the rest stays.  MARK does nothing: it
 * stands in the arguments, to be found there.  Without arguments it lists the
 * modes.
 */

#include "hostile.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEFT_STATUS 7
#define FIRST_STORM_USER 5000000

static const struct mode *const tables[] = { escape_modes, refuse_modes,
	storm_modes, mixed_modes };
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

static atomic_int *arrived;
static char path[4096];
static const char *copy;

void
die(const char *what)
{
	dprintf(2, "hostile: %s: %s\n", what, strerror(errno));
	_exit(HOSTILE_FAILED);
}

void
stay(void)
{
	for (;;)
		pause();
}

void
arrive(void)
{
	atomic_fetch_add(arrived, 1);
}

void
await_arrivals(int count)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	/* The test that waits for us has the deadline. */
	while (atomic_load(arrived) < count)
		nanosleep(&ms, NULL);
}

pid_t
spawn(void (*fn)(void))
{
	pid_t pid;

	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid;
}

void
spawn_orphan(void (*fn)(void))
{
	pid_t pid;
	int status;

	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		spawn(fn);
		_exit(0);
	}
	/* It said why already; who would wait for it must not. */
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		_exit(HOSTILE_FAILED);
}

pid_t
clone_process(unsigned long flags)
{
	pid_t pid;

	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == -1)
		die("clone");
	return pid;
}

/*
 * The kernel exempts its own root from the limit, also where a user namespace
 * gives it another number, and whoever has the capability.  Storms must not be
 * tried out without it.
 */
static void
prove_limit(struct rlimit limit)
{
	struct rlimit one = { 1, limit.rlim_max };
	pid_t pid;

	if (setrlimit(RLIMIT_NPROC, &one) == -1)
		die("RLIMIT_NPROC");
	if ((pid = fork()) == 0)
		_exit(0);
	if (pid != -1) {
		errno = EPERM;
		die("the limit of processes does not hold here");
	}
	if (setrlimit(RLIMIT_NPROC, &limit) == -1)
		die("RLIMIT_NPROC");
}

/* Threads of this user, which the limit counts: a developer may have many. */
static rlim_t
count_own_threads(void)
{
	char file[64], line[256];
	struct dirent *entry;
	struct stat st;
	rlim_t count = 0;
	FILE *f;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		snprintf(file, sizeof(file), "/proc/%.16s/status",
		    entry->d_name);
		if (atoi(entry->d_name) <= 0 || stat(file, &st) == -1 ||
		    st.st_uid != geteuid() || (f = fopen(file, "re")) == NULL)
			continue;
		while (fgets(line, sizeof(line), f) != NULL) {
			if (strncmp(line, "Threads:", 8) == 0)
				count += (rlim_t)atoi(line + 8);
		}
		fclose(f);
	}
	closedir(dir);
	return count;
}

void
limit_storm(int processes)
{
	struct rlimit limit;
	uint32_t number;
	uid_t uid;
	rlim_t wanted = (rlim_t)processes;

	if (getrlimit(RLIMIT_NPROC, &limit) == -1)
		die("RLIMIT_NPROC");
	if (geteuid() != 0)
		wanted += count_own_threads();
	if (limit.rlim_max > wanted)
		limit.rlim_max = wanted;
	limit.rlim_cur = limit.rlim_max;
	/* Not by our pid: in a PID namespace that is 2, also for others. */
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		die("getrandom");
	uid = FIRST_STORM_USER + (number & 0xffffff);
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) == -1 || setresgid(uid, uid, uid) == -1 ||
		setresuid(uid, uid, uid) == -1))
		die("setresuid");
	prove_limit(limit);
}

void
ignore_signals(void)
{
	/* SIGCHLD is left: ignoring it changes what wait(2) does. */
	for (int signo = 1; signo < NSIG; signo++) {
		if (signo != SIGCHLD)
			signal(signo, SIG_IGN);
	}
}

void
block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

const char *
own_path(void)
{
	return path;
}

const char *
setuid_copy(void)
{
	if (copy == NULL) {
		errno = EINVAL;
		die("-c is missing");
	}
	return copy;
}

static const struct mode *
find_mode(const char *name)
{
	for (size_t i = 0; i < N_TABLES; i++) {
		for (const struct mode *m = tables[i]; m->name != NULL; m++) {
			if (strcmp(m->name, name) == 0)
				return m;
		}
	}
	return NULL;
}

static int
list_modes(void)
{
	for (size_t i = 0; i < N_TABLES; i++) {
		for (const struct mode *m = tables[i]; m->name != NULL; m++)
			printf("%-14s %s\n", m->name, m->text);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const struct mode *mode;
	ssize_t n;
	int ch;

	while ((ch = getopt(argc, argv, "+c:m:")) != -1) {
		if (ch == 'c')
			copy = optarg;
		else if (ch != 'm')
			return HOSTILE_FAILED;
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return list_modes();
	mode = find_mode(argv[0]);
	if (mode == NULL || argc < 2) {
		fprintf(stderr, "hostile: no such mode: %s\n", argv[0]);
		return HOSTILE_FAILED;
	}
	if ((n = readlink("/proc/self/exe", path, sizeof(path) - 1)) > 0)
		path[n] = '\0';
	arrived = mmap(NULL, sizeof(*arrived), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (arrived == MAP_FAILED)
		die("mmap");
	mode->start();
	if (dprintf(1, "ready\n") < 0)
		die("stdout");
	if (strcmp(argv[1], "leave") == 0)
		_exit(argc > 2 ? atoi(argv[2]) : LEFT_STATUS);
	stay();
}
