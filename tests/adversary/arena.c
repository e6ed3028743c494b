/* SPDX-License-Identifier: ISC */
#include "arena.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARGUMENTS 64
#define PROGRAMS 16
#define PROBE_USER 4999999

const struct arena arenas[ARENAS] = {
	{ "reaper", "reaper", false },
	{ "reaper, ordinary user", "reaper", true },
	{ "cgroup", "cgroup", false },
	{ "cgroup, ordinary user", "cgroup", true },
	{ "pidns", "pidns", false },
	{ "pidns, ordinary user", "pidns", true },
};

/* The cgroup of this test, "" when it entered none, and where it came from. */
static char own_cgroup[512];
static char former_cgroup[512];

bool
arena_is_root(void)
{
	return geteuid() == 0;
}

void
arena_without_leak_check(void)
{
	const char *options = getenv("ASAN_OPTIONS");
	char text[512];

	snprintf(text, sizeof(text), "%s%sdetect_leaks=0",
	    options != NULL ? options : "", options != NULL ? ":" : "");
	setenv("ASAN_OPTIONS", text, 1);
}

/* Directory of the cgroup v2 that this process is in; false if none. */
static bool
find_cgroup(char *path, size_t size)
{
	char *mounts, *line, *save = NULL, point[256], fs[32];
	char *groups, *own;
	bool found = false;

	mounts = support_slurp("/proc/self/mounts");
	for (line = strtok_r(mounts, "\n", &save); line != NULL && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%*s %255s %31s", point, fs) == 2)
			found = strcmp(fs, "cgroup2") == 0;
	}
	free(mounts);
	if (!found)
		return false;
	groups = support_slurp("/proc/self/cgroup");
	own = strstr(groups, "0::/");
	found = own != NULL && (own == groups || own[-1] == '\n');
	if (found) {
		own += strlen("0::/");
		own[strcspn(own, "\n")] = '\0';
		snprintf(path, size, "%s/%s", point, own);
	}
	free(groups);
	return found;
}

static bool
cgroup_available(const char **why)
{
	char path[600], probe[700];

	if (!find_cgroup(path, sizeof(path))) {
		*why = "no cgroup v2 is mounted";
		return false;
	}
	snprintf(probe, sizeof(probe), "%s/grouper-probe-%d", path,
	    (int)getpid());
	if (mkdir(probe, 0755) == -1) {
		*why = "this user may not make cgroups here";
		return false;
	}
	rmdir(probe);
	return true;
}

/* As whoever will run it, and as grouper would: with a user namespace. */
bool
arena_has_namespaces(const struct arena *a, const char **why)
{
	siginfo_t si;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (a->as_user &&
		    (setgroups(0, NULL) == -1 ||
			setresgid(PROBE_USER, PROBE_USER, PROBE_USER) == -1 ||
			setresuid(PROBE_USER, PROBE_USER, PROBE_USER) == -1))
			_exit(1);
		if (unshare(CLONE_NEWPID) == 0)
			_exit(0);
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 ? 0 : 1);
	}
	if (pid == -1 || waitid(P_PID, (id_t)pid, &si, WEXITED) == -1 ||
	    si.si_status != 0) {
		*why = "this user may not make PID namespaces";
		return false;
	}
	return true;
}

bool
arena_available(const struct arena *a, const char **why)
{
	*why = "";
	if (a->as_user && !support_can_switch_user(why))
		return false;
	if (strcmp(a->contain, "cgroup") == 0)
		return cgroup_available(why);
	if (strcmp(a->contain, "pidns") == 0)
		return arena_has_namespaces(a, why);
	return true;
}

static void
write_pid(const char *cgroup)
{
	char path[600], text[16];
	int fd, n;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	n = snprintf(text, sizeof(text), "%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, text, (size_t)n) != n || close(fd) == -1)
		ck_abort_msg("%s: %s", path, strerror(errno));
}

/* What a service manager that delegates does: the files, and the mark. */
static void
delegate(const char *cgroup, uid_t uid)
{
	static const char *const files[] = { "", "/cgroup.procs",
		"/cgroup.threads", "/cgroup.subtree_control" };
	char path[700];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", cgroup, files[i]);
		if (chown(path, uid, (gid_t)uid) == -1)
			ck_abort_msg("%s: %s", path, strerror(errno));
	}
}

void
arena_enter(const struct arena *a)
{
	own_cgroup[0] = '\0';
	if (strcmp(a->contain, "cgroup") != 0)
		return;
	if (!find_cgroup(former_cgroup, sizeof(former_cgroup)))
		ck_abort_msg("no cgroup v2 is mounted");
	if (snprintf(own_cgroup, sizeof(own_cgroup), "%s/grouper-test-%s",
		former_cgroup, support_token()) >= (int)sizeof(own_cgroup))
		ck_abort_msg("the cgroup's path is too long");
	if (mkdir(own_cgroup, 0755) == -1)
		ck_abort_msg("%s: %s", own_cgroup, strerror(errno));
	/* As the file system allows: not everybody has these attributes. */
	setxattr(own_cgroup, "trusted.delegate", "1", 1, 0);
	setxattr(own_cgroup, "user.delegate", "1", 1, 0);
	if (a->as_user)
		delegate(own_cgroup, support_user());
	write_pid(own_cgroup);
}

static int
remove_leaves(void)
{
	struct dirent *entry;
	char path[800];
	int count = 0;
	DIR *dir;

	if ((dir = opendir(own_cgroup)) == NULL)
		ck_abort_msg("%s: %s", own_cgroup, strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", own_cgroup,
		    entry->d_name);
		if (rmdir(path) == -1)
			ck_abort_msg("%s: %s", path, strerror(errno));
		count++;
	}
	closedir(dir);
	return count;
}

int
arena_leave(const struct arena *a)
{
	int leaves;

	(void)a;
	if (own_cgroup[0] == '\0')
		return 0;
	leaves = remove_leaves();
	write_pid(former_cgroup);
	if (rmdir(own_cgroup) == -1)
		ck_abort_msg("%s: %s", own_cgroup, strerror(errno));
	own_cgroup[0] = '\0';
	return leaves;
}

void
arena_start(struct support_run *r, const struct arena *a,
    const char *const *options, const char *const *command)
{
	const char *argv[MAX_ARGUMENTS] = { support_grouper(), "run",
		"--contain", a->contain };
	struct support_command c = {
		.argv = argv,
		.group = SUPPORT_OWN_GROUP,
	};
	size_t n = 4;

	while (options != NULL && *options != NULL && n < MAX_ARGUMENTS - 2)
		argv[n++] = *options++;
	argv[n++] = "--";
	while (*command != NULL && n < MAX_ARGUMENTS - 1)
		argv[n++] = *command++;
	ck_assert_msg(*command == NULL, "too many arguments");
	if (a->as_user)
		c.uid = support_user();
	support_start(r, &c);
	support_await_stdout(r, "ready\n");
}

pid_t
arena_leader(const struct support_run *r)
{
	pid_t children[8];
	size_t n;

	n = support_children(r->pid, children, 8);
	ck_assert_msg(n == 1, "grouper has %zu children, not one leader", n);
	return children[0];
}

const char *
arena_program(const char *name)
{
	static char paths[PROGRAMS][512];
	static unsigned int next;
	char *path = paths[next++ % PROGRAMS];
	const char *dir = getenv("ADVERSARY_DIR");

	snprintf(path, sizeof(paths[0]), "%s/%s", dir != NULL ? dir : ".",
	    name);
	if (access(path, X_OK) == -1)
		ck_abort_msg("%s: %s; is ADVERSARY_DIR set?", path,
		    strerror(errno));
	return path;
}

static void
copy_file(const char *from, const char *to)
{
	char buf[65536];
	ssize_t n;
	int in, out;

	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (in == -1 || out == -1)
		ck_abort_msg("%s: %s", in == -1 ? from : to, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, (size_t)n) != n)
			ck_abort_msg("%s: %s", to, strerror(errno));
	}
	close(in);
	/* After the last write, which would take the set-uid bit away. */
	if (fchmod(out, 04755) == -1 || close(out) == -1)
		ck_abort_msg("%s: %s", to, strerror(errno));
}

const char *
arena_setuid_copy(const struct arena *a, const char **why)
{
	struct statvfs fs;
	const char *path;

	*why = "only an ordinary user's arena has a use for it";
	if (!a->as_user)
		return NULL;
	*why = "the mapping of a user namespace leaves root out";
	if (strcmp(a->contain, "pidns") == 0)
		return NULL;
	*why = "the file system of the tests is mounted nosuid";
	if (statvfs(support_directory(), &fs) == -1 ||
	    (fs.f_flag & ST_NOSUID) != 0)
		return NULL;
	path = support_path("hostile-root");
	copy_file(arena_program("hostile"), path);
	return path;
}
