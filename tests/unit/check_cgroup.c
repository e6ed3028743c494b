/* SPDX-License-Identifier: ISC */
/*
 * Leaves of the cgroup v2 tree, in a cgroup that each test makes for itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "runtime/group/cgroup.h"
#include "runtime/os/os.h"
#include "trial.h"

static int parent = -1; /* the test's cgroup */
static int above = -1;	/* where it came from */
static char parent_name[64];
static const char *missing;

static int
move_to(int dir, pid_t pid)
{
	char text[16];
	ssize_t written;
	int fd, n;

	fd = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = snprintf(text, sizeof(text), "%d", (int)pid);
	written = write(fd, text, (size_t)n);
	close(fd);
	return written == n ? 0 : -1;
}

static void
setup(void)
{
	signal(SIGTERM, SIG_DFL);
	missing = NULL;
	above = cgroup_open_own();
	snprintf(parent_name, sizeof(parent_name), "grouper-test-%d",
	    (int)getpid());
	if (above == -1)
		missing = "no cgroup v2 is mounted";
	else if (mkdirat(above, parent_name, 0755) == -1)
		missing = "this process may not make cgroups";
	if (missing != NULL)
		return;
	parent = openat(above, parent_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(parent, -1);
	if (faccessat(parent, "cgroup.kill", F_OK, 0) == -1)
		missing = "the kernel has no cgroup.kill";
	else
		ck_assert_int_eq(move_to(parent, getpid()), 0);
}

static bool
is_removed(void *arg)
{
	(void)arg;
	return unlinkat(above, parent_name, AT_REMOVEDIR) == 0;
}

static void
teardown(void)
{
	support_sweep(NULL);
	if (parent != -1) {
		move_to(above, getpid());
		close(parent);
		ck_assert(support_until(is_removed, NULL, SUPPORT_PATIENCE));
	}
	if (above != -1)
		close(above);
	parent = above = -1;
}

#define NEED_CGROUP() \
	do { \
		if (missing != NULL) \
			SUPPORT_SKIP("%s", missing); \
	} while (0)

/* A child in a cgroup; with `forking`, one that forks without end. */
static pid_t
child_in(int dir, bool forking)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = os_clone(0, NULL, dir);
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		signal(SIGCHLD, SIG_IGN);
		if (write(ready[1], "r", 1) != 1)
			_exit(99);
		for (;;)
			if (!forking)
				pause();
			else if (fork() == 0)
				_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
await_killed(pid_t pid)
{
	int status;

	support_await_gone(pid);
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}

static bool
is_empty(void *leaf)
{
	return !cgroup_leaf_populated(leaf);
}

START_TEST(the_own_cgroup_is_opened)
{
	char text[64], *procs, path[64];
	int own;

	NEED_CGROUP();
	own = cgroup_open_own();
	ck_assert_int_ne(own, -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/cgroup.procs", own);
	procs = support_slurp(path);
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	ck_assert_str_eq(procs, text);
	free(procs);
	close(own);
}
END_TEST

START_TEST(a_leaf_is_made_filled_killed_and_removed)
{
	struct cgroup_leaf leaf;
	pid_t pid;

	NEED_CGROUP();
	ck_assert_int_eq(cgroup_leaf_make(&leaf, parent, "leaf"), 0);
	ck_assert_str_eq(leaf.name, "leaf");
	ck_assert_int_eq(faccessat(parent, "leaf", F_OK, 0), 0);
	ck_assert(!cgroup_leaf_populated(&leaf));
	pid = child_in(leaf.dir, false);
	ck_assert(cgroup_leaf_populated(&leaf));
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(cgroup_leaf_kill(&leaf), 0);
	await_killed(pid);
	ck_assert(support_until(is_empty, &leaf, SUPPORT_PATIENCE));
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), 0);
	ck_assert_int_eq(faccessat(parent, "leaf", F_OK, 0), -1);
	/* What is gone is not populated, and may be removed again. */
	ck_assert(!cgroup_leaf_populated(&leaf));
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), 0);
	cgroup_leaf_close(&leaf);
	ck_assert_int_eq(leaf.parent, -1);
	ck_assert_int_eq(leaf.dir, -1);
	ck_assert_int_eq(leaf.kill, -1);
	ck_assert_int_eq(leaf.events, -1);
	cgroup_leaf_close(&leaf);
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), 0);
}
END_TEST

START_TEST(a_kill_reaches_what_forks_meanwhile_and_lies_deeper)
{
	struct cgroup_leaf leaf, below;
	pid_t forking, deep;

	NEED_CGROUP();
	ck_assert_int_eq(cgroup_leaf_make(&leaf, parent, "leaf"), 0);
	ck_assert_int_eq(cgroup_leaf_make(&below, leaf.dir, "below"), 0);
	forking = child_in(leaf.dir, true);
	deep = child_in(below.dir, false);
	ck_assert_int_eq(cgroup_leaf_kill(&leaf), 0);
	await_killed(forking);
	await_killed(deep);
	ck_assert(support_until(is_empty, &leaf, SUPPORT_PATIENCE));
	/* Empty cgroups that members made go with it. */
	ck_assert_int_eq(mkdirat(below.dir, "deeper", 0755), 0);
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), 0);
	ck_assert_int_eq(faccessat(parent, "leaf", F_OK, 0), -1);
	cgroup_leaf_close(&leaf);
	cgroup_leaf_close(&below);
}
END_TEST

/* What a kernel cannot kill at once: see clear_leaf() of contain.c. */
START_TEST(who_is_listed_is_killed_one_by_one)
{
	struct cgroup_leaf leaf, below;
	pid_t pid, deep, stranger;

	NEED_CGROUP();
	ck_assert_int_eq(cgroup_leaf_make(&leaf, parent, "leaf"), 0);
	ck_assert_int_eq(cgroup_leaf_make(&below, leaf.dir, "below"), 0);
	pid = child_in(leaf.dir, false);
	deep = child_in(below.dir, false);
	stranger = child_in(parent, false);
	cgroup_leaf_kill_listed(&leaf);
	await_killed(pid);
	await_killed(deep);
	ck_assert_int_eq(kill(stranger, 0), 0);
	ck_assert_int_eq(waitpid(stranger, NULL, WNOHANG | __WALL), 0);
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), 0);
	kill(stranger, SIGKILL);
	await_killed(stranger);
	cgroup_leaf_close(&leaf);
	cgroup_leaf_close(&below);
}
END_TEST

START_TEST(a_leaf_that_is_there_is_opened_not_made)
{
	struct cgroup_leaf leaf, again;

	NEED_CGROUP();
	ck_assert_int_eq(cgroup_leaf_open(&leaf, parent, "leaf"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(cgroup_leaf_make(&leaf, parent, "leaf"), 0);
	ck_assert_int_eq(cgroup_leaf_make(&again, parent, "leaf"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(cgroup_leaf_open(&again, parent, "leaf"), 0);
	cgroup_leaf_close(&again);
	ck_assert_int_eq(cgroup_leaf_remove(&leaf), 0);
	cgroup_leaf_close(&leaf);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
	struct cgroup_leaf leaf;
	char name[CGROUP_NAME_MAX + 2];

	NEED_CGROUP();
	memset(name, 'n', sizeof(name));
	name[CGROUP_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(cgroup_leaf_make(&leaf, parent, name), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(cgroup_leaf_open(&leaf, parent, name), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

static void
make_as_user(void *arg)
{
	struct cgroup_leaf leaf;
	uid_t uid = *(uid_t *)arg;

	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	ck_assert_int_eq(cgroup_leaf_make(&leaf, parent, "leaf"), -1);
	ck_assert_int_eq(errno, EACCES);
}

START_TEST(who_may_not_write_makes_no_leaf)
{
	uid_t uid = support_user();

	NEED_CGROUP();
	if (geteuid() != 0)
		SUPPORT_SKIP("only root can become another user");
	trial_join(trial_fork(make_as_user, &uid));
}
END_TEST

/* As systemd marks it. */
static int
delegate(const char *attribute, const char *value)
{
	return fsetxattr(parent, attribute, value, strlen(value), 0);
}

START_TEST(delegation_is_seen_by_its_attribute)
{
	static const char *const attributes[] = { "user.delegate",
		"trusted.delegate" };
	size_t i;

	NEED_CGROUP();
	ck_assert(!cgroup_is_delegated());
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (delegate(attributes[i], "1") == -1)
			SUPPORT_SKIP("%s: %s", attributes[i], strerror(errno));
		ck_assert(cgroup_is_delegated());
		ck_assert_int_eq(delegate(attributes[i], "0"), 0);
		ck_assert(!cgroup_is_delegated());
		ck_assert_int_eq(delegate(attributes[i], "11"), 0);
		ck_assert(!cgroup_is_delegated());
		ck_assert_int_eq(fremovexattr(parent, attributes[i]), 0);
	}
}
END_TEST

static void
run_auto(enum grouper_containment expected)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	trial_run(&trial, &options);
	ck_assert_int_eq(grouper_contained(trial.host, NULL), expected);
	trial_close(&trial);
}

START_TEST(auto_is_cgroup_where_delegated_else_reaper)
{
	NEED_CGROUP();
	run_auto(GROUPER_CONTAIN_REAPER);
	if (delegate("user.delegate", "1") == -1)
		SUPPORT_SKIP("user.delegate: %s", strerror(errno));
	run_auto(GROUPER_CONTAIN_CGROUP);
}
END_TEST

/* The number of leaves below the test's cgroup. */
static size_t
count_leaves(void)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	dir = fdopendir(openat(parent, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, "grouper:", 8) == 0;
	closedir(dir);
	return count;
}

/* The cgroup of a process, below the test's. */
static void
cgroup_of(pid_t pid, char *name, size_t size)
{
	char path[64], *text, *at;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	text = support_slurp(path);
	at = strstr(text, parent_name);
	ck_assert_ptr_nonnull(at);
	at += strlen(parent_name);
	at[strcspn(at, "\n")] = '\0';
	snprintf(name, size, "%s", at[0] == '/' ? at + 1 : at);
	free(text);
}

START_TEST(a_group_lives_in_its_leaf_and_its_leader_does_not)
{
	struct grouper_options options;
	struct trial trial;
	char name[300];

	NEED_CGROUP();
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "echo ready; read x; exit 3");
	options.key = "a/b:1";
	options.contain = GROUPER_CONTAIN_CGROUP;
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	ck_assert_int_eq(grouper_contained(trial.host, "a/b:1"),
	    GROUPER_CONTAIN_CGROUP);
	cgroup_of(trial_await(&trial, GROUPER_EVENT_STARTED)->pid, name,
	    sizeof(name));
	ck_assert_int_eq(strncmp(name, "grouper:", 8), 0);
	ck_assert_uint_eq(count_leaves(), 1);
	cgroup_of(trial_leader(), name, sizeof(name));
	ck_assert_str_eq(name, "");
	trial_say(&trial);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    3);
	trial_close(&trial);
	ck_assert_uint_eq(count_leaves(), 0);
}
END_TEST

/* Out of the leaf, but still a descendant: each proof covers the other. */
START_TEST(a_member_that_leaves_the_leaf_is_ended_too)
{
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	NEED_CGROUP();
	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "setsid sleep 1000 & echo $!; read x; exit 0");
	options.contain = GROUPER_CONTAIN_CGROUP;
	trial_start(&trial, &options);
	pid = (pid_t)trial_number(&trial);
	ck_assert_int_eq(move_to(parent, pid), 0);
	trial_say(&trial);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(kill(pid, 0), -1);
	trial_close(&trial);
}
END_TEST

/* Moved into the leaf by somebody: not empty before that has gone. */
START_TEST(a_stranger_in_the_leaf_is_ended_too)
{
	struct grouper_options options;
	struct trial trial;
	pid_t stranger;
	char name[300];
	int dir;

	NEED_CGROUP();
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "echo ready; read x; exit 0");
	options.contain = GROUPER_CONTAIN_CGROUP;
	options.shutdown = "TERM 50ms, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	cgroup_of(trial_await(&trial, GROUPER_EVENT_STARTED)->pid, name,
	    sizeof(name));
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stranger = child_in(dir, false);
	close(dir);
	trial_say(&trial);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	await_killed(stranger);
	trial_close(&trial);
}
END_TEST

/* A host of a name, and a group in its leaf that stays. */
static void
doomed_host(void *arg)
{
	struct grouper_options options;
	struct trial trial, *outer = arg;

	trial_open(&trial, "web");
	options = trial_shell(&trial, "echo $$; exec sleep 1000");
	options.fds = outer->fds;
	options.contain = GROUPER_CONTAIN_CGROUP;
	trial_start(&trial, &options);
	trial_wait(&trial, NULL);
}

/* Another one, which may clear what the first left. */
static void
next_host(void *arg)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, arg);
	options = trial_shell(&trial, "exit 0");
	options.contain = GROUPER_CONTAIN_CGROUP;
	trial_run(&trial, &options);
	trial_close(&trial);
}

START_TEST(leaves_of_a_host_and_leader_killed_together_are_cleared)
{
	struct trial outer;
	pid_t host, leader, member;

	NEED_CGROUP();
	/* Only for its pipes. */
	memset(&outer, 0, sizeof(outer));
	ck_assert_int_eq(pipe2(outer.out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(outer.in, O_CLOEXEC), 0);
	trial_shell(&outer, "");
	trial_runtime_directory();
	host = trial_fork(doomed_host, &outer);
	member = (pid_t)trial_number(&outer);
	ck_assert_uint_eq(support_children(host, &leader, 1), 1);
	kill(host, SIGSTOP);
	support_await_state(host, "T");
	kill(leader, SIGKILL);
	kill(host, SIGKILL);
	support_await_gone(leader);
	support_await_gone(host);
	/* The documented hole of the level below: it survives. */
	ck_assert_int_eq(kill(member, 0), 0);
	ck_assert_uint_eq(count_leaves(), 1);
	trial_join(trial_fork(next_host, (char[]) { "web" }));
	await_killed(member);
	ck_assert_uint_eq(count_leaves(), 0);
	close(outer.out[0]);
	close(outer.out[1]);
	close(outer.in[0]);
	close(outer.in[1]);
}
END_TEST

/* Of the same name, with a lock of its own. */
static void
host_elsewhere(void *arg)
{
	struct grouper_host_options named = GROUPER_HOST_OPTIONS_INIT;
	struct grouper_options options;
	struct trial trial;

	(void)arg;
	trial_open(&trial, NULL);
	grouper_host_free(trial.host);
	ck_assert_int_eq(mkdir(support_path("other"), 0700), 0);
	setenv("GROUPER_RUNTIME_DIR", support_path("other"), 1);
	named.name = "a.b";
	ck_assert_int_eq(grouper_host_new(trial.base, &named, &trial.host),
	    GROUPER_OK);
	options = trial_shell(&trial, "exit 0");
	options.contain = GROUPER_CONTAIN_CGROUP;
	trial_run(&trial, &options);
	trial_close(&trial);
}

/* Names that begin like ours, and ours in another runtime directory. */
START_TEST(leaves_of_living_hosts_are_spared)
{
	static const char *const others[] = { "a", "a.b.c", "a.", "b" };
	struct grouper_options options;
	char name[16];
	struct trial trial;
	size_t i;

	NEED_CGROUP();
	trial_open(&trial, "a.b");
	options = trial_shell(&trial, "echo ready; exec sleep 1000");
	options.contain = GROUPER_CONTAIN_CGROUP;
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(name, sizeof(name), "%s", others[i]);
		trial_join(trial_fork(next_host, name));
	}
	trial_join(trial_fork(host_elsewhere, NULL));
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 100),
	    GROUPER_TIMED_OUT);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cgroup");
	TCase *tc = support_case(s, "leaf");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_own_cgroup_is_opened);
	tcase_add_test(tc, a_leaf_is_made_filled_killed_and_removed);
	tcase_add_test(tc, a_kill_reaches_what_forks_meanwhile_and_lies_deeper);
	tcase_add_test(tc, who_is_listed_is_killed_one_by_one);
	tcase_add_test(tc, a_leaf_that_is_there_is_opened_not_made);
	tcase_add_test(tc, a_name_that_is_too_long_is_refused);
	tcase_add_test(tc, who_may_not_write_makes_no_leaf);
	tcase_add_test(tc, delegation_is_seen_by_its_attribute);

	tc = support_case(s, "group");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, auto_is_cgroup_where_delegated_else_reaper);
	tcase_add_test(tc, a_group_lives_in_its_leaf_and_its_leader_does_not);
	tcase_add_test(tc, a_member_that_leaves_the_leaf_is_ended_too);
	tcase_add_test(tc, a_stranger_in_the_leaf_is_ended_too);
	tcase_add_test(tc,
	    leaves_of_a_host_and_leader_killed_together_are_cleared);
	tcase_add_test(tc, leaves_of_living_hosts_are_spared);
	return support_main(s, NULL);
}
