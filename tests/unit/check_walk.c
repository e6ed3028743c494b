/* SPDX-License-Identifier: ISC */
/*
 * The process table as the library reads it: lists of descendants, names
 * that look like fields, threads, and the ways around a missing /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/walk.h"
#include "runtime/os/os.h"
#include "trial.h"

#define MANY 100

static int ready[2];

static void
say_ready(void)
{
	if (write(ready[1], "r", 1) != 1)
		_exit(99);
}

static void
await_ready(int n)
{
	char byte;

	while (n-- > 0)
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

static pid_t
fork_sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	say_ready();
	for (;;)
		pause();
}

/* A chain: child, grandchild, ...; the last one's pid comes by the pipe. */
static pid_t
fork_chain(int length)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	if (length > 1)
		fork_chain(length - 1);
	say_ready();
	for (;;)
		pause();
}

static void
list(pid_t root, struct grouper_processes *processes)
{
	ck_assert_int_eq(grouper_descendants(root, processes), GROUPER_OK);
	ck_assert_int_eq(processes->complete, 1);
}

START_TEST(no_descendants_no_list)
{
	struct grouper_processes processes;

	list(0, &processes);
	ck_assert_uint_eq(processes.count, 0);
	grouper_processes_free(&processes);
	grouper_processes_free(&processes); /* an empty list is fine */
}
END_TEST

START_TEST(a_descendant_is_described)
{
	struct grouper_processes processes;
	struct grouper_process *p;
	struct support_process seen;
	pid_t pid;

	pid = fork_sleeper();
	await_ready(1);
	support_await_state(pid, "S");
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 1);
	p = &processes.items[0];
	ck_assert(support_process(pid, &seen));
	ck_assert_int_eq(p->pid, pid);
	ck_assert_int_eq(p->ppid, getpid());
	ck_assert_int_eq(p->pgid, seen.pgid);
	ck_assert_int_eq(p->sid, seen.sid);
	ck_assert_int_eq(p->state, 'S');
	ck_assert_uint_eq(p->start_ticks, seen.start);
	ck_assert_uint_eq(p->depth, 1);
	ck_assert_uint_eq(p->uid, geteuid());
	ck_assert_uint_gt(p->memory, 4096);
	ck_assert_int_ge(p->age_ms, 0);
	ck_assert_int_lt(p->age_ms, SUPPORT_PATIENCE * support_scale());
	ck_assert_str_eq(p->name, "check_walk");
	ck_assert_ptr_nonnull(strstr(p->command, "check_walk"));
	grouper_processes_free(&processes);
}
END_TEST

START_TEST(parents_come_before_their_children)
{
	struct grouper_processes processes;
	size_t i, k;

	fork_chain(4);
	fork_chain(3);
	await_ready(7);
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 7);
	for (i = 0; i < 7; i++) {
		if (processes.items[i].ppid == getpid()) {
			ck_assert_uint_eq(processes.items[i].depth, 1);
			continue;
		}
		for (k = 0; k < i; k++)
			if (processes.items[k].pid == processes.items[i].ppid)
				break;
		ck_assert_uint_lt(k, i);
		ck_assert_uint_eq(processes.items[i].depth,
		    processes.items[k].depth + 1);
	}
	grouper_processes_free(&processes);
}
END_TEST

START_TEST(any_process_can_be_the_root)
{
	struct grouper_processes processes;
	pid_t pid, other;

	pid = fork_chain(3);
	other = fork_sleeper();
	await_ready(4);
	list(pid, &processes);
	ck_assert_uint_eq(processes.count, 2);
	ck_assert_int_eq(processes.items[0].ppid, pid);
	grouper_processes_free(&processes);
	list(other, &processes);
	ck_assert_uint_eq(processes.count, 0);
	list(getpid(), &processes);
	ck_assert_uint_eq(processes.count, 4);
	grouper_processes_free(&processes);
	/* The runner's: us among others. */
	list(getppid(), &processes);
	ck_assert_uint_ge(processes.count, 5);
	grouper_processes_free(&processes);
}
END_TEST

START_TEST(a_root_that_is_not_there_is_told)
{
	struct grouper_processes processes;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(grouper_descendants(pid, &processes),
	    GROUPER_NOT_FOUND);
	ck_assert_uint_eq(processes.count, 0);
	ck_assert_ptr_null(processes.items);
	ck_assert_int_eq(grouper_descendants(-1, &processes),
	    GROUPER_INVALID);
}
END_TEST

START_TEST(zombies_are_listed)
{
	struct grouper_processes processes;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	support_await_gone(pid);
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 1);
	ck_assert_int_eq(processes.items[0].state, 'Z');
	ck_assert_str_eq(processes.items[0].command, "[check_walk]");
	grouper_processes_free(&processes);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* What a process may call itself, and what must be read nevertheless. */
static const char *const odd_names[] = {
	") R 1 2 3", "(", ")", "a b", "a\nb", "\t", "", "))) Z 0 0", "\303\244",
};
#define ODD_NAMES (int)(sizeof(odd_names) / sizeof(odd_names[0]))

START_TEST(a_name_is_never_taken_for_fields)
{
	struct grouper_processes processes;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NAME, odd_names[_i]);
		if (fork() != 0)
			for (;;)
				pause();
		prctl(PR_SET_NAME, odd_names[_i]);
		say_ready();
		for (;;)
			pause();
	}
	await_ready(1);
	support_await_state(pid, "S");
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 2);
	ck_assert_int_eq(processes.items[0].pid, pid);
	ck_assert_int_eq(processes.items[0].ppid, getpid());
	ck_assert_int_eq(processes.items[0].state, 'S');
	ck_assert_str_eq(processes.items[0].name, odd_names[_i]);
	ck_assert_int_eq(processes.items[1].ppid, pid);
	ck_assert_str_eq(processes.items[1].name, odd_names[_i]);
	grouper_processes_free(&processes);
}
END_TEST

/* Arguments as a report shows them: in one line, and without escapes. */
START_TEST(a_command_line_is_printable)
{
	struct grouper_processes processes;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "kill -STOP $$",
		    "a b\tc\nd\033[31me\\f\001", (char *)NULL);
		_exit(99);
	}
	support_await_state(pid, "T");
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 1);
	ck_assert_str_eq(processes.items[0].command,
	    "sh -c kill -STOP $$ a b\\tc\\nd\\^[[31me\\\\f\\^A");
	grouper_processes_free(&processes);
}
END_TEST

static void *
thread_with_child(void *arg)
{
	fork_sleeper();
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

/* Each thread has a list of children of its own. */
START_TEST(children_of_every_thread_are_found)
{
	struct grouper_processes processes;
	pthread_barrier_t barrier;
	pthread_t threads[3];
	pid_t pid;
	int i;

	/* A process with threads, as a child, since threads cannot be ended
	 * here; and its own view of itself. */
	pid = fork();
	if (pid == 0) {
		pthread_barrier_init(&barrier, NULL, 4);
		for (i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, thread_with_child,
			    &barrier);
		pthread_barrier_wait(&barrier);
		if (grouper_descendants(0, &processes) != GROUPER_OK ||
		    processes.count != 3)
			_exit(99);
		say_ready();
		for (;;)
			pause();
	}
	await_ready(4);
	list(pid, &processes);
	ck_assert_uint_eq(processes.count, 3);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(processes.items[i].ppid, pid);
	grouper_processes_free(&processes);
}
END_TEST

static void *
survive(void *arg)
{
	(void)arg;
	fork_sleeper();
	say_ready();
	for (;;)
		pause();
	return NULL;
}

/* Shows Z, and is alive all the same. */
START_TEST(a_process_without_its_first_thread_is_alive)
{
	struct grouper_processes processes;
	struct os_proc proc;
	struct os_stat stat;
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&thread, NULL, survive, NULL);
		syscall(SYS_exit, 0);
	}
	await_ready(2);
	support_await_state(pid, "Z");
	ck_assert_int_eq(os_proc_open(&proc), 0);
	ck_assert_int_eq(os_proc_stat(&proc, pid, -1, &stat), 0);
	ck_assert_int_eq(stat.state, 'Z');
	ck_assert(!os_stat_dead(&stat));
	ck_assert_int_eq(os_proc_liveliest(&proc, &stat), 'S');
	os_proc_close(&proc);
	/* And its children are seen. */
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 2);
	grouper_processes_free(&processes);
}
END_TEST

START_TEST(a_long_list_of_children_is_read_whole)
{
	struct grouper_processes processes;
	int i;

	for (i = 0; i < MANY; i++)
		fork_chain(10);
	await_ready(MANY * 10);
	list(0, &processes);
	ck_assert_uint_eq(processes.count, MANY * 10);
	grouper_processes_free(&processes);
}
END_TEST

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

	pid = fork_chain(5);
	fork_chain(4);
	await_ready(9);
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

	skipped = fork_chain(3);
	fork_chain(2);
	await_ready(5);
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

/* No descriptor is to be had: at least one's own children are found. */
START_TEST(without_descriptors_children_are_found_and_the_rest_is_missed)
{
	struct rlimit limit, few;
	struct walk walk;
	size_t found = 0;
	int next, result;

	fork_chain(3);
	fork_sleeper();
	await_ready(4);
	memset(&walk, 0, sizeof(walk));
	ck_assert_int_eq(walk_init(&walk), 0);
	next = dup(STDIN_FILENO);
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit) { (rlim_t)next, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	result = walk_run(&walk, 0, count_found, &found);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(result, 1);
	ck_assert_uint_eq(found, 2);
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
	pid = fork_chain(3);
	fork_sleeper();
	await_ready(4);
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
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 4);
	grouper_processes_free(&processes);
	ck_assert_int_eq(grouper_sweep("TERM 20s, KILL", NULL), GROUPER_OK);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

START_TEST(without_proc_handles_tell_the_parent)
{
	if (geteuid() != 0)
		SUPPORT_SKIP("only root can take /proc away");
	trial_join(trial_fork(without_proc, NULL));
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
	if (geteuid() != 0)
		SUPPORT_SKIP("only root can make a PID namespace");
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
	await_ready(1);
	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	ck_assert_int_eq(grouper_descendants(0, &processes), GROUPER_OK);
	ck_assert_uint_eq(processes.count, 1);
	grouper_processes_free(&processes);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
}

START_TEST(a_hidden_child_is_listed)
{
	uid_t uid = support_user();

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can hide processes");
	trial_join(trial_fork(hidden, &uid));
}
END_TEST

/* A vanished process must not be mistaken for one that took its pid. */
START_TEST(a_reaped_process_has_no_stat)
{
	struct os_proc proc;
	struct os_stat stat;
	pid_t pid = fork();
	int pidfd;

	if (pid == 0)
		_exit(0);
	pidfd = os_pidfd(pid);
	ck_assert_int_ne(pidfd, -1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(os_proc_open(&proc), 0);
	ck_assert_int_eq(os_proc_stat(&proc, pid, pidfd, &stat), -1);
	ck_assert(errno == ESRCH || errno == ENOENT);
	ck_assert_int_eq(os_pidfd_signal(pidfd, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	os_proc_close(&proc);
	close(pidfd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("walk");
	TCase *tc = support_case(s, "list");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_descendants_no_list);
	tcase_add_test(tc, a_descendant_is_described);
	tcase_add_test(tc, parents_come_before_their_children);
	tcase_add_test(tc, any_process_can_be_the_root);
	tcase_add_test(tc, a_root_that_is_not_there_is_told);
	tcase_add_test(tc, zombies_are_listed);
	tcase_add_loop_test(tc, a_name_is_never_taken_for_fields, 0,
	    ODD_NAMES);
	tcase_add_test(tc, a_command_line_is_printable);
	tcase_add_test(tc, children_of_every_thread_are_found);
	tcase_add_test(tc, a_process_without_its_first_thread_is_alive);
	tcase_add_test(tc, a_long_list_of_children_is_read_whole);
	tcase_add_test(tc, a_reaped_process_has_no_stat);

	tc = support_case(s, "ways around");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_children_files_parents_are_compared);
	tcase_add_loop_test(tc, a_child_can_be_left_out_with_all_below, 0, 2);
	tcase_add_test(tc,
	    without_descriptors_children_are_found_and_the_rest_is_missed);
	tcase_add_test(tc, without_proc_handles_tell_the_parent);
	tcase_add_test(tc, another_namespace_s_proc_is_not_used);
	tcase_add_test(tc, a_hidden_child_is_listed);
	return support_main(s, NULL);
}
