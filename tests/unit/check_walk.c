/* SPDX-License-Identifier: ISC */
/*
 * Walks over descendants, and the ways around a /proc that lacks something,
 * hides something or is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/walk.h"
#include "runtime/os/os.h"
#include "trial.h"

static int ready[2];

static void
say_ready(void)
{
	if (write(ready[1], "r", 1) != 1)
		_exit(99);
}

static void
await_ready(void)
{
	char byte;

	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}

static void
setup(void)
{
	signal(SIGTERM, SIG_DFL);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
}

static void
teardown(void)
{
	support_sweep(NULL);
	close(ready[0]);
	close(ready[1]);
}

static void
count_found(const struct walk_found *found, void *arg)
{
	(void)found;
	++*(size_t *)arg;
}

static void
count_and_stop(const struct walk_found *found, void *arg)
{
	count_found(found, arg);
	ck_assert_int_ne(found->pidfd, -1);
	ck_assert_int_eq(walk_signal(found, SIGSTOP), 0);
}

/* As a kernel without the children files. */
static void
walk_without_list(struct walk *walk)
{
	memset(walk, 0, sizeof(*walk));
	ck_assert_int_eq(walk_init(walk), 0);
	ck_assert_int_ne(walk->proc.self, -1);
	close(walk->proc.self);
	walk->proc.self = -1;
}

START_TEST(without_children_files_parents_are_compared)
{
	struct walk walk;
	size_t found = 0;
	pid_t pid;

	pid = trial_chain(5);
	trial_chain(4);
	walk_without_list(&walk);
	ck_assert_int_eq(walk_run(&walk, 0, count_and_stop, &found), 0);
	ck_assert_uint_eq(found, 9);
	support_await_state(pid, "T");
	found = 0;
	ck_assert_int_eq(walk_run(&walk, pid, count_found, &found), 0);
	ck_assert_uint_eq(found, 4);
	ck_assert_int_eq(walk_children(&walk), 2);
	walk_fini(&walk);
}
END_TEST

static bool
skip_one(pid_t pid, void *arg)
{
	return pid == *(pid_t *)arg;
}

START_TEST(a_child_can_be_left_out_with_all_below)
{
	struct walk walk;
	size_t found = 0;
	pid_t skipped;

	skipped = trial_chain(3);
	trial_chain(2);
	if (_i == 1) {
		walk_without_list(&walk);
	} else {
		memset(&walk, 0, sizeof(walk));
		ck_assert_int_eq(walk_init(&walk), 0);
	}
	walk.skip = skip_one;
	walk.skip_arg = &skipped;
	ck_assert_int_eq(walk_run(&walk, 0, count_found, &found), 0);
	ck_assert_uint_eq(found, 2);
	ck_assert_int_eq(walk_children(&walk), 1);
	walk_fini(&walk);
}
END_TEST

/* A /proc in which the list of our children is there, and cannot be read. */
static int
make_unreadable_proc(void)
{
	static const char *const paths[] = { "%1$d", "%1$d/task",
		"%1$d/task/%1$d", "%1$d/task/%1$d/children" };
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(name, sizeof(name), paths[i], (int)getpid());
		ck_assert_int_eq(mkdir(support_path(name), 0700), 0);
	}
	return open(support_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

START_TEST(children_that_cannot_be_read_are_not_none)
{
	struct walk walk = { .capacity = 0 };

	ck_assert_int_eq(walk_init(&walk), 0);
	ck_assert_int_eq(walk_children(&walk), 0);
	os_proc_close(&walk.proc);
	walk.proc.dir = make_unreadable_proc();
	walk.proc.self = dup(walk.proc.dir);
	ck_assert_int_eq(walk_children(&walk), -1);
	ck_assert_int_eq(errno, EISDIR);
	walk_fini(&walk);
}
END_TEST

static void
stop_found(const struct walk_found *found, void *arg)
{
	count_found(found, arg);
	ck_assert_int_eq(walk_signal(found, SIGSTOP), 0);
}

/* No descriptor is to be had: at least one's own children are found. */
START_TEST(without_descriptors_children_are_found_and_the_rest_is_missed)
{
	struct rlimit limit, few;
	struct walk walk;
	size_t found = 0;
	int next, result;
	pid_t pid;

	trial_chain(3);
	pid = trial_chain(1);
	memset(&walk, 0, sizeof(walk));
	ck_assert_int_eq(walk_init(&walk), 0);
	next = dup(STDIN_FILENO);
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit) { (rlim_t)next, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	result = walk_run(&walk, 0, stop_found, &found);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(result, 1);
	ck_assert_uint_eq(found, 2);
	support_await_state(pid, "T");
	walk_fini(&walk);
}
END_TEST

/* Even the room is not to be had. */
START_TEST(without_memory_a_walk_has_a_small_room)
{
	struct rlimit limit, none;
	struct walk walk;
	size_t found = 0;
	int result;

	trial_chain(5);
	getrlimit(RLIMIT_AS, &limit);
	none = (struct rlimit) { 0, limit.rlim_max };
	memset(&walk, 0, sizeof(walk));
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	result = walk_init(&walk);
	setrlimit(RLIMIT_AS, &limit);
	ck_assert_int_eq(result, 0);
	ck_assert(!walk.mapped);
	ck_assert_uint_gt(walk.capacity, 1000);
	ck_assert_int_eq(walk_run(&walk, 0, count_found, &found), 0);
	ck_assert_uint_eq(found, 5);
	walk_fini(&walk);
}
END_TEST

static bool
leave_namespace(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void
without_proc(void *arg)
{
	struct grouper_processes processes;
	enum grouper_error error;
	struct walk walk;
	size_t found = 0;
	pid_t pid;

	(void)arg;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ck_assert(leave_namespace());
	ck_assert_int_eq(umount2("/proc", MNT_DETACH), 0);
	pid = trial_chain(3);
	trial_chain(1);
	memset(&walk, 0, sizeof(walk));
	if (walk_init(&walk) == -1) {
		/* Before Linux 6.13 nothing tells a parent. */
		ck_assert_int_eq(errno, ENOSYS);
		error = grouper_descendants(0, &processes);
		ck_assert_int_eq(error, GROUPER_SYSTEM);
		kill(pid, SIGKILL);
		_exit(0);
	}
	ck_assert_int_eq(walk_run(&walk, 0, count_found, &found), 0);
	ck_assert_uint_eq(found, 4);
	walk_fini(&walk);
	ck_assert_int_eq(grouper_descendants(0, &processes), GROUPER_OK);
	ck_assert_int_eq(processes.items[0].pgid, getpgrp());
	ck_assert_int_eq(processes.items[0].sid, getsid(0));
	ck_assert_int_eq(processes.items[0].age_ms, -1);
	ck_assert_str_eq(processes.items[0].command, "[?]");
	grouper_processes_free(&processes);
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

/* Each walk asks for every pid there could be, which takes its time. */
START_TEST(without_proc_handles_tell_the_parent)
{
	const char *why;
	int status;
	pid_t pid;

	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	pid = trial_fork(without_proc, NULL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void
below_foreign_proc(void *arg)
{
	struct os_proc proc;

	(void)arg;
	/* Init of the namespace: /proc is still the outer one's. */
	if (os_proc_open(&proc) == -1) {
		ck_assert_int_eq(errno, ENOSYS);
		return;
	}
	ck_assert_int_eq(proc.dir, -1);
	ck_assert_int_eq(proc.self, -1);
	os_proc_close(&proc);
}

static void
in_pid_namespace(void *arg)
{
	ck_assert_int_eq(unshare(CLONE_NEWPID), 0);
	trial_join(trial_fork(below_foreign_proc, arg));
}

START_TEST(another_namespace_s_proc_is_not_used)
{
	const char *why;

	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	trial_join(trial_fork(in_pid_namespace, NULL));
}
END_TEST

static void
hidden(void *arg)
{
	uid_t uid = *(uid_t *)arg;
	struct grouper_processes processes;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ck_assert(leave_namespace());
	if (mount("proc", "/proc", "proc", 0, "hidepid=2") == -1)
		_exit(0);
	/* A descendant of another user's, unseen by us. */
	if (fork() == 0) {
		ck_assert_int_eq(setresuid(uid + 1, uid + 1, uid + 1), 0);
		say_ready();
		for (;;)
			pause();
	}
	await_ready();
	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	ck_assert_int_eq(grouper_descendants(0, &processes), GROUPER_OK);
	ck_assert_uint_eq(processes.count, 1);
	grouper_processes_free(&processes);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
}

START_TEST(a_hidden_child_is_listed)
{
	const char *why;
	uid_t uid = support_user();

	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	trial_join(trial_fork(hidden, &uid));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("walk");
	TCase *tc;

	tc = support_case(s, "ways around");
	tcase_set_timeout(tc, 180.0 * support_scale());
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_children_files_parents_are_compared);
	tcase_add_loop_test(tc, a_child_can_be_left_out_with_all_below, 0, 2);
	tcase_add_test(tc,
	    without_descriptors_children_are_found_and_the_rest_is_missed);
	tcase_add_test(tc, without_memory_a_walk_has_a_small_room);
	tcase_add_test(tc, without_proc_handles_tell_the_parent);
	tcase_add_test(tc, another_namespace_s_proc_is_not_used);
	tcase_add_test(tc, a_hidden_child_is_listed);
	tcase_add_test(tc, children_that_cannot_be_read_are_not_none);
	return support_main(s, NULL);
}
