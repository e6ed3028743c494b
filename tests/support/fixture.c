/* SPDX-License-Identifier: ISC */
/*
 * What stands around every test: it is a subreaper, and afterwards it must
 * have as many descriptors as before and no living descendant.
 */

#include "support.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support_internal.h"

#define MAX_DESCRIPTORS 65536
#define STRAY_ROUNDS 2000
#define FIRST_USER 200000

static unsigned char open_before[MAX_DESCRIPTORS / 8];
static size_t count_before;
static char base_directory[128];
static char directory[256];
static char token[33];

/* Marks the open descriptors in a bitmap; returns their number. */
static size_t
list_descriptors(unsigned char *map)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;
	int fd;

	memset(map, 0, MAX_DESCRIPTORS / 8);
	if ((dir = opendir("/proc/self/fd")) == NULL)
		ck_abort_msg("/proc/self/fd: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		fd = atoi(entry->d_name);
		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		if (fd < MAX_DESCRIPTORS)
			map[fd / 8] |= (unsigned char)(1 << fd % 8);
		count++;
	}
	closedir(dir);
	return count;
}

static void
print_new_descriptors(const unsigned char *now)
{
	char path[64], target[256];
	ssize_t n;

	for (int fd = 0; fd < MAX_DESCRIPTORS; fd++) {
		if ((now[fd / 8] & ~open_before[fd / 8] & 1 << fd % 8) == 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		fprintf(stderr, "descriptor left open: %d %s\n", fd, target);
	}
}

/*
 * A test that failed ended without its teardown, and what it left fell to the
 * keeper: those must not disturb this test.
 */
static void
end_strays(void)
{
	struct support_process list[256];
	size_t n, strays;

	if (support_keeper() == 0)
		return;
	for (int round = 0; round < STRAY_ROUNDS; round++) {
		strays = 0;
		n = support_descendants(support_keeper(), list, 256);
		for (size_t i = 0; i < n && i < 256; i++) {
			if (list[i].pid == getpid() || list[i].pid == getppid())
				continue;
			if (round == 0)
				support_print_processes("left by a failed test",
				    &list[i], 1);
			/* Stopped first, as in support_sweep(). */
			kill(list[i].pid, round % 8 < 6 ? SIGSTOP : SIGKILL);
			strays++;
		}
		if (strays == 0)
			return;
		usleep(1000);
	}
}

static void
make_token(void)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		ck_abort_msg("getrandom: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

void
support_setup(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		ck_abort_msg("PR_SET_CHILD_SUBREAPER: %s", strerror(errno));
	end_strays();
	make_token();
	directory[0] = '\0';
	count_before = list_descriptors(open_before);
}

const char *
support_base_directory(void)
{
	const char *base;

	if (base_directory[0] != '\0')
		return base_directory;
	base = getenv("TMPDIR");
	return base != NULL ? base : "/tmp";
}

int
support_make_base_directory(void)
{
	char path[sizeof(base_directory)];
	int n;

	n = snprintf(path, sizeof(path), "%s/grouper-XXXXXX",
	    support_base_directory());
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdtemp(path) == NULL || chmod(path, 0755) == -1)
		return -1;
	memcpy(base_directory, path, sizeof(path));
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

void
support_remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Only what the test itself left: -1 when it stays, else the number killed. */
static ssize_t
end_descendants(char *first, size_t size)
{
	struct support_process list[64];
	size_t found, killed;

	snprintf(first, size, "in no list");
	found = support_descendants(getpid(), list, 64);
	if (found > 0) {
		support_print_processes("left behind", list,
		    found < 64 ? found : 64);
		snprintf(first, size, "pid %d state %c: %s", (int)list[0].pid,
		    list[0].state, list[0].command);
	}
	if (!support_sweep(&killed))
		return -1;
	return (ssize_t)(found > killed ? found : killed);
}

void
support_teardown(void)
{
	static unsigned char open_now[MAX_DESCRIPTORS / 8];
	char first[256] = "";
	ssize_t strays;
	size_t count;

	strays = end_descendants(first, sizeof(first));
	if (directory[0] != '\0')
		support_remove_tree(directory);
	count = list_descriptors(open_now);
	if (count != count_before)
		print_new_descriptors(open_now);
	if (strays == -1)
		ck_abort_msg("a descendant cannot be ended");
	if (strays > 0)
		ck_abort_msg("%zd processes left behind, the first: %s", strays,
		    first);
	ck_assert_msg(count == count_before,
	    "%zu descriptors open, %zu before the test", count, count_before);
}

const char *
support_token(void)
{
	return token;
}

const char *
support_directory(void)
{
	const char *base;

	if (directory[0] != '\0')
		return directory;
	base = support_base_directory();
	snprintf(directory, sizeof(directory), "%s/test-XXXXXX", base);
	if (mkdtemp(directory) == NULL || chmod(directory, 0755) == -1)
		ck_abort_msg("%s: %s", directory, strerror(errno));
	return directory;
}

const char *
support_path(const char *name)
{
	static char paths[16][512];
	static unsigned int next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", support_directory(), name);
	return path;
}

const char *
support_file(const char *name, mode_t mode, const char *text)
{
	const char *path = support_path(name);
	size_t length = strlen(text);
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd == -1 || write(fd, text, length) != (ssize_t)length ||
	    fchmod(fd, mode) == -1 || close(fd) == -1)
		ck_abort_msg("%s: %s", path, strerror(errno));
	return path;
}

const char *
support_runtime_directory(uid_t uid)
{
	static char path[300];

	/* As in struct support_command: 0 is whoever runs the test. */
	snprintf(path, sizeof(path), "%s/run-%u", support_directory(),
	    (unsigned int)(uid != 0 ? uid : geteuid()));
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		ck_abort_msg("%s: %s", path, strerror(errno));
	if (uid != 0 && geteuid() == 0 && chown(path, uid, (gid_t)uid) == -1)
		ck_abort_msg("%s: %s", path, strerror(errno));
	return path;
}

uid_t
support_user(void)
{
	/* A test is a process: its pid tells it from all others. */
	return FIRST_USER + (uid_t)getpid();
}

bool
support_can_mount(const char **why)
{
	siginfo_t si;
	pid_t pid;

	if (geteuid() != 0) {
		*why = "only root can mount";
		return false;
	}
	if ((pid = fork()) == 0)
		_exit(unshare(CLONE_NEWNS) == 0 &&
			    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ==
				0 ?
			0 :
			1);
	if (pid == -1 || waitid(P_PID, (id_t)pid, &si, WEXITED) == -1)
		ck_abort_msg("fork: %s", strerror(errno));
	*why = "mounts cannot be private here, as in a chroot";
	return si.si_status == 0;
}

bool
support_can_switch_user(const char **why)
{
	const char *grouper = getenv("GROUPER");
	uid_t uid = support_user();
	siginfo_t si;
	pid_t pid;

	if (geteuid() != 0) {
		*why = "only root can start programs as another user";
		return false;
	}
	if ((pid = fork()) == 0) {
		if (setgroups(0, NULL) == -1 ||
		    setresgid(uid, uid, uid) == -1 ||
		    setresuid(uid, uid, uid) == -1)
			_exit(1);
		_exit(grouper == NULL || access(grouper, X_OK) == 0 ? 0 : 2);
	}
	if (pid == -1 || waitid(P_PID, (id_t)pid, &si, WEXITED) == -1)
		ck_abort_msg("fork: %s", strerror(errno));
	*why = si.si_status == 2 ?
	    "an ordinary user cannot reach the grouper under test" :
	    "cannot become another user here";
	return si.si_status == 0;
}

const char *
support_grouper(void)
{
	const char *path = getenv("GROUPER");

	if (path == NULL || access(path, X_OK) == -1)
		ck_abort_msg("GROUPER must name the binary to be tested");
	return path;
}
