/* SPDX-License-Identifier: ISC */
/*
 * Lists of descendants as the public interface gives them: who is on them,
 * in which order, and names that look like something else.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/walk.h"
#include "runtime/os/os.h"
#include "trial.h"

#define MANY 100
#define LONG 10

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

	pid = trial_chain(1);
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
	ck_assert_int_lt(p->age_ms,
	    (int64_t)SUPPORT_PATIENCE * support_scale());
	ck_assert_str_eq(p->name, "check_list");
	ck_assert_ptr_nonnull(strstr(p->command, "check_list"));
	grouper_processes_free(&processes);
}
END_TEST

START_TEST(parents_come_before_their_children)
{
	struct grouper_processes processes;
	size_t i, k;

	trial_chain(4);
	trial_chain(3);
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

	pid = trial_chain(3);
	other = trial_chain(1);
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
	ck_assert_int_eq(grouper_descendants(-1, &processes), GROUPER_INVALID);
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
	ck_assert_str_eq(processes.items[0].command, "[check_list]");
	grouper_processes_free(&processes);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* What a process may call itself, and what must be read nevertheless. */
static const char *const odd_names[] = {
	") R 1 2 3",
	"(",
	")",
	"a b",
	"a\nb",
	"\t",
	"",
	"))) Z 0 0",
	"\303\244",
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
	await_ready();
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
	trial_chain(1);
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
	await_ready();
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
	trial_chain(1);
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
	await_ready();
	support_await_state(pid, "Z");
	ck_assert_int_eq(os_proc_open(&proc), 0);
	ck_assert_int_eq(os_proc_stat(&proc, pid, -1, &stat), 0);
	ck_assert_int_eq(stat.state, 'Z');
	ck_assert(!os_stat_dead(&stat) && !stat.dying);
	ck_assert_ptr_nonnull(strchr("RS", os_proc_liveliest(&proc, &stat)));
	os_proc_close(&proc);
	/* And its children are seen. */
	list(0, &processes);
	ck_assert_uint_eq(processes.count, 2);
	grouper_processes_free(&processes);
}
END_TEST

/* What the kernel shows of a process that has not acted on its KILL yet. */
START_TEST(a_process_that_is_about_to_end_is_told_apart)
{
	static const struct {
		const char *flags, *threads, *signals;
		bool dying;
	} shown[] = {
		{ "4194304", "1", "0", false },
		{ "4194304", "1", "256", true }, /* KILL is pending */
		{ "4194304", "4", "16640", true },
		{ "4194304", "1", "16384", false }, /* TERM, with a handler */
		{ "4194308", "1", "0", true },	    /* it exits */
		{ "4194308", "2", "0", false },	    /* its first thread did */
	};
	struct os_proc proc = { -1, -1, 0, 0, 0 };
	struct os_stat stat;
	char text[200];
	size_t i;

	ck_assert_int_eq(mkdir(support_path("77"), 0700), 0);
	proc.dir = open(support_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		snprintf(text, sizeof(text),
		    "77 (sleep) S 1 77 77 0 -1 %s 9 0 0 0 1 2 0 0 20 0 %s 0 "
		    "555 9 7 18446744073709551615 1 1 0 0 0 %s 0 0 0\n",
		    shown[i].flags, shown[i].threads, shown[i].signals);
		support_file("77/stat", 0600, text);
		ck_assert_int_eq(os_proc_stat(&proc, 77, -1, &stat), 0);
		ck_assert_msg(stat.dying == shown[i].dying, "row %zu", i);
		ck_assert_uint_eq(stat.start_ticks, 555);
	}
	os_proc_close(&proc);
}
END_TEST

START_TEST(a_long_list_of_children_is_read_whole)
{
	struct grouper_processes processes;
	int i;

	for (i = 0; i < MANY; i++)
		trial_chain(LONG);
	list(0, &processes);
	ck_assert_uint_eq(processes.count, (size_t)MANY * LONG);
	grouper_processes_free(&processes);
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
	Suite *s = suite_create("list");
	TCase *tc;

	tc = support_case(s, "list");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_descendants_no_list);
	tcase_add_test(tc, a_descendant_is_described);
	tcase_add_test(tc, parents_come_before_their_children);
	tcase_add_test(tc, any_process_can_be_the_root);
	tcase_add_test(tc, a_root_that_is_not_there_is_told);
	tcase_add_test(tc, zombies_are_listed);
	tcase_add_loop_test(tc, a_name_is_never_taken_for_fields, 0, ODD_NAMES);
	tcase_add_test(tc, a_command_line_is_printable);
	tcase_add_test(tc, children_of_every_thread_are_found);
	tcase_add_test(tc, a_process_without_its_first_thread_is_alive);
	tcase_add_test(tc, a_process_that_is_about_to_end_is_told_apart);
	tcase_add_test(tc, a_long_list_of_children_is_read_whole);
	tcase_add_test(tc, a_reaped_process_has_no_stat);
	return support_main(s, NULL);
}
