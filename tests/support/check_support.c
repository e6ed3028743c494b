/* SPDX-License-Identifier: ISC */
/*
 * The fixture tested on itself: that it sees what a test leaves behind, by
 * running deliberately bad tests in a runner of their own, and that commands,
 * terminals and survivors are as the header says.  Needs no grouper.
 */

#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bad.h"

#define STRING(number) #number
#define NUMBER(macro) STRING(macro)

/* Runs one bad case in a runner of its own; returns its exit status. */
static int
run_bad(struct support_run *r, const char *name)
{
	struct support_command c = {
		.argv = NULL,
	};
	char self[4096], selected[128];
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	snprintf(selected, sizeof(selected), "CK_RUN_CASE=%s", name);
	c.argv = ARGV(self);
	c.env = ARGV("SUPPORT_BAD=1", "CK_RUN_SUITE", selected);
	return support_call(r, &c);
}

static const struct expected_failure {
	const char *name;
	const char *message;
} expected_failures[] = {
	{ "descriptor", "descriptors open," },
	{ "child", "1 processes left behind" },
	{ "orphan", "1 processes left behind" },
	{ "quiet child", "1 processes left behind" },
	{ "zombie", "1 processes left behind" },
	{ "stopped", "1 processes left behind" },
	{ "in vain", "did not end in time" },
	{ "left comets", "Failures: " NUMBER(COMET_ROUNDS) ", Errors: 0" },
	{ "comets", "Failures: " NUMBER(COMET_ROUNDS) ", Errors: 0" },
};

START_TEST(fixture_fails_a_bad_test)
{
	const struct expected_failure *e = &expected_failures[_i];
	struct support_run r;

	ck_assert_msg(run_bad(&r, e->name) == 1, "%s passed", e->name);
	ck_assert_msg(strstr(r.stdout_text.data, e->message) != NULL,
	    "%s: %.2000s", e->name, r.stdout_text.data);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(strays_of_failed_tests_do_not_reach_the_next)
{
	struct support_run r;

	ck_assert_int_eq(run_bad(&r, "strays"), 1);
	ck_assert_msg(strstr(r.stdout_text.data, "Failures: 1, Errors: 1") !=
		NULL,
	    "%s", r.stdout_text.data);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(skipped_tests_are_shown_and_exit_77)
{
	struct support_run r;

	ck_assert_int_eq(run_bad(&r, "skipped"), 77);
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "SKIP is_skipped: on purpose\n"));
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "1 of 1 tests skipped\n"));
	support_finish(&r);
}
END_TEST

/*
 * Commands
 */

START_TEST(status_is_the_shell_s)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "sh", "-c", "exit 7", NULL), 7);
	ck_assert_int_eq(r.signal, 0);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "sh", "-c", "kill -9 $$", NULL),
	    137);
	ck_assert_int_eq(r.signal, SIGKILL);
	support_finish(&r);
}
END_TEST

START_TEST(output_and_input_are_carried)
{
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c", "cat; echo wrong >&2; pwd"),
		.input = "hello\n",
		.directory = "/",
	};

	support_call(&r, &c);
	ck_assert_str_eq(r.stdout_text.data, "hello\n/\n");
	ck_assert_str_eq(r.stderr_text.data, "wrong\n");
	support_finish(&r);
}
END_TEST

START_TEST(open_input_is_fed_in_turns)
{
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("cat"),
		.input_open = true,
	};

	support_start(&r, &c);
	support_feed(&r, "one\n");
	support_await_stdout(&r, "one\n");
	support_feed(&r, "two\n");
	support_await_stdout(&r, "two\n");
	support_feed_end(&r);
	ck_assert_int_eq(support_wait(&r), 0);
	support_finish(&r);
}
END_TEST

START_TEST(waiting_does_not_wait_for_end_of_file)
{
	struct support_run r;

	support_execute(&r, "sh", "-c", "sleep 1000 & echo $!", NULL);
	ck_assert_int_lt(r.elapsed, 20000);
	ck_assert_int_eq(kill(atoi(r.stdout_text.data), SIGKILL), 0);
	ck_assert(support_sweep(NULL));
	support_finish(&r);
}
END_TEST

START_TEST(environment_is_changed_as_asked)
{
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c", "echo $A/${B-gone}/$SUPPORT_TOKEN"),
		.env = ARGV("A=b=c", "B"),
	};
	char wanted[64];

	setenv("B", "there", 1);
	support_call(&r, &c);
	snprintf(wanted, sizeof(wanted), "b=c/gone/%s\n", support_token());
	ck_assert_str_eq(r.stdout_text.data, wanted);
	support_finish(&r);
}
END_TEST

START_TEST(user_limits_and_groups_are_set)
{
	const struct support_limit limits[] = {
		{ RLIMIT_NOFILE, 64 },
		{ -1, 0 },
	};
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c", "id -u; id -G; ulimit -n"),
		.limits = limits,
	};
	char wanted[64];

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can start programs as another user");
	c.uid = support_user();
	support_call(&r, &c);
	snprintf(wanted, sizeof(wanted), "%u\n%u\n64\n", (unsigned int)c.uid,
	    (unsigned int)c.uid);
	ck_assert_str_eq(r.stdout_text.data, wanted);
	support_finish(&r);
}
END_TEST

START_TEST(group_and_session_are_set)
{
	static const enum support_group groups[] = { SUPPORT_SAME_GROUP,
		SUPPORT_OWN_GROUP, SUPPORT_OWN_SESSION };
	struct support_process p;
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("cat"),
		.input_open = true,
		.group = groups[_i],
	};

	support_start(&r, &c);
	ck_assert(support_process(r.pid, &p));
	ck_assert_int_eq(p.ppid, getpid());
	ck_assert_int_eq(p.pgid == r.pid, c.group != SUPPORT_SAME_GROUP);
	ck_assert_int_eq(p.sid == r.pid, c.group == SUPPORT_OWN_SESSION);
	support_finish(&r);
}
END_TEST

/*
 * Terminals
 */

START_TEST(terminal_controls_its_command)
{
	struct support_pty pty;
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c", "echo up; cat"),
		.pty = &pty,
	};

	support_pty_open(&pty);
	support_start(&r, &c);
	support_pty_expect(&pty, "up\r\n");
	ck_assert_int_eq(support_pty_foreground(&pty), r.pid);
	ck_assert(!support_pty_comes(&pty, "up", 20));
	support_pty_send(&pty, "\003");
	support_wait(&r);
	ck_assert_int_eq(r.signal, SIGINT);
	support_finish(&r);
	support_pty_close(&pty);
}
END_TEST

START_TEST(shell_on_a_terminal_has_job_control)
{
	static const char *const shells[] = { "bash", "dash" };
	struct support_pty pty;
	struct support_run r;

	support_pty_open(&pty);
	support_pty_shell(&pty, &r, shells[_i]);
	support_pty_send(&pty, "sh -c 'echo up; exec sleep 1000'\n");
	support_pty_expect(&pty, "up\r\n");
	support_pty_send(&pty, "\032");
	support_pty_expect(&pty, "ready> ");
	ck_assert_int_eq(support_pty_foreground(&pty), r.pid);
	support_pty_send(&pty, "fg\n");
	support_pty_await_job(&pty, &r);
	support_pty_send(&pty, "\003");
	support_pty_expect(&pty, "ready> ");
	support_pty_send(&pty, "exit 3\n");
	ck_assert_int_eq(support_wait(&r), 3);
	support_finish(&r);
	support_pty_close(&pty);
}
END_TEST

/*
 * Processes
 */

START_TEST(survivors_are_found_by_token_wherever_they_are)
{
	struct support_process list[4];
	struct support_run r;

	support_execute(&r, "sh", "-c",
	    "setsid sh -c 'sleep 1000 & echo up' > /dev/null; sleep 1000 &",
	    NULL);
	ck_assert_uint_eq(support_survivors(support_token(), list, 4), 2);
	ck_assert_ptr_nonnull(strstr(list[0].command, "sleep 1000"));
	ck_assert_uint_eq(support_descendants(getpid(), NULL, 0), 2);
	ck_assert(support_sweep(NULL));
	ck_assert_uint_eq(support_survivors(support_token(), NULL, 0), 0);
	support_finish(&r);
}
END_TEST

START_TEST(zombies_do_not_survive_but_their_threads_do)
{
	struct support_process p;
	siginfo_t si;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	ck_assert(support_process(pid, &p));
	ck_assert(!support_alive(&p));
	pid = start_zombie_with_thread();
	ck_assert(support_process(pid, &p));
	ck_assert(support_alive(&p));
	ck_assert(support_sweep(NULL));
	ck_assert(!support_process(pid, &p));
}
END_TEST

START_TEST(sweep_ends_a_forking_comet)
{
	const struct support_limit limits[] = {
		{ RLIMIT_NPROC, 100 },
		{ -1, 0 },
	};
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c", "f() { f & }; echo up; f"),
		.limits = limits,
	};
	size_t killed;

	if (geteuid() != 0)
		SUPPORT_SKIP("a limit of processes would be ours too");
	c.uid = support_user();
	support_call(&r, &c);
	ck_assert(support_sweep(&killed));
	ck_assert_uint_eq(support_survivors(support_token(), NULL, 0), 0);
	support_finish(&r);
}
END_TEST

START_TEST(living_comet_is_never_emptiness)
{
	size_t killed;

	for (int i = 0; i < COMET_ROUNDS; i++) {
		start_comet(comet_turns[_i]);
		usleep(comet_turns[_i] * (unsigned int)i / COMET_ROUNDS);
		ck_assert(!support_reap());
		ck_assert(!support_is_empty(NULL));
		ck_assert(support_sweep(&killed));
		ck_assert_uint_ge(killed, 1);
		ck_assert(support_is_empty(NULL));
	}
}
END_TEST

/*
 * Waiting
 */

START_TEST(file_is_awaited_with_its_text)
{
	const char *path = support_path("log");
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c",
		    "echo one > \"$0\"; read x; "
		    "echo two >> \"$0\"",
		    path),
		.input_open = true,
	};

	support_start(&r, &c);
	support_await_file(path, "one");
	support_feed(&r, "\n");
	support_await_file(path, "two");
	ck_assert_int_eq(support_wait(&r), 0);
	support_finish(&r);
}
END_TEST

START_TEST(end_of_any_process_is_awaited)
{
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(0);
	support_await_gone(pid);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	support_await_gone(pid);
}
END_TEST

static Suite *
support_suite(void)
{
	Suite *s = suite_create("support");
	TCase *tc;

	tc = support_case(s, "fixture");
	tcase_add_loop_test(tc, fixture_fails_a_bad_test, 0,
	    sizeof(expected_failures) / sizeof(expected_failures[0]));
	tcase_add_test(tc, strays_of_failed_tests_do_not_reach_the_next);
	tcase_add_test(tc, skipped_tests_are_shown_and_exit_77);

	tc = support_case(s, "command");
	tcase_add_test(tc, status_is_the_shell_s);
	tcase_add_test(tc, output_and_input_are_carried);
	tcase_add_test(tc, open_input_is_fed_in_turns);
	tcase_add_test(tc, waiting_does_not_wait_for_end_of_file);
	tcase_add_test(tc, environment_is_changed_as_asked);
	tcase_add_test(tc, user_limits_and_groups_are_set);
	tcase_add_loop_test(tc, group_and_session_are_set, 0, 3);

	tc = support_case(s, "terminal");
	tcase_add_test(tc, terminal_controls_its_command);
	tcase_add_loop_test(tc, shell_on_a_terminal_has_job_control, 0, 2);

	tc = support_case(s, "processes");
	tcase_add_test(tc, survivors_are_found_by_token_wherever_they_are);
	tcase_add_test(tc, zombies_do_not_survive_but_their_threads_do);
	tcase_add_test(tc, sweep_ends_a_forking_comet);
	tcase_add_loop_test(tc, living_comet_is_never_emptiness, 0, N_COMETS);

	tc = support_case(s, "waiting");
	tcase_add_test(tc, file_is_awaited_with_its_text);
	tcase_add_test(tc, end_of_any_process_is_awaited);
	return s;
}

int
main(void)
{
	if (getenv("SUPPORT_BAD") != NULL)
		return bad_main();
	return support_main(support_suite(), NULL);
}
