/* SPDX-License-Identifier: ISC */
/*
 * `grouper run` on a terminal acts as a plain command does: keys, job
 * control, pipelines, the background, and what is left of the terminal.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define INTERRUPT "\003"
#define END_OF_FILE "\004"
#define SUSPEND "\032"
#define QUIT "\034"

static const char *const shells[] = { "bash", "dash" };
#define NSHELLS ((int)(sizeof(shells) / sizeof(shells[0])))

/*
 * A shell on a terminal, in which $G is the binary under test and $F a FIFO
 * that a command may wait for by itself.
 */
struct session {
	struct support_pty pty;
	struct support_run shell;
};

static void
type(struct session *s, const char *line)
{
	support_pty_send(&s->pty, line);
	support_pty_send(&s->pty, "\n");
}

static void
expect(struct session *s, const char *text)
{
	support_pty_expect(&s->pty, text);
}

static void
open_session(struct session *s, const char *shell)
{
	char line[1200];

	ck_assert_int_eq(mkfifo(support_path("fifo"), 0600), 0);
	support_pty_open(&s->pty);
	support_pty_shell(&s->pty, &s->shell, shell);
	snprintf(line, sizeof(line), "G='%s'; export F='%s'", support_grouper(),
	    support_path("fifo"));
	type(s, line);
	expect(s, "ready> ");
}

/* The job that was just typed says "up" and has the terminal. */
static void
expect_job(struct session *s)
{
	expect(s, "up");
	support_pty_await_job(&s->pty, &s->shell);
}

/*
 * The job is cat: once it has repeated a line it does nothing but wait for
 * the next.  (A shell between two commands may miss a key, also a plain one.)
 */
static void
expect_cat(struct session *s)
{
	support_pty_await_job(&s->pty, &s->shell);
	type(s, "up");
	expect(s, "up");
}

static void
press(struct session *s, const char *key)
{
	support_pty_send(&s->pty, key);
}

/* The status of the last command, and that the terminal is as it was. */
static void
expect_status(struct session *s, int status)
{
	char wanted[64];

	type(s, "echo \"status=$?;\"");
	snprintf(wanted, sizeof(wanted), "status=%d;", status);
	expect(s, wanted);
	expect(s, "ready> ");
}

static void
close_session(struct session *s)
{
	type(s, "exit");
	support_wait(&s->shell);
	support_assert_no_survivors();
	support_finish(&s->shell);
	support_pty_close(&s->pty);
}

/* The host, child of the shell. */
static pid_t
host_of(const struct session *s)
{
	pid_t pid;

	ck_assert_uint_eq(support_children(s->shell.pid, &pid, 1), 1);
	return pid;
}

START_TEST(interrupt_ends_the_command)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- cat");
	expect_cat(&s);
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	expect_status(&s, 130);
	close_session(&s);
}
END_TEST

START_TEST(quit_ends_the_command)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "ulimit -c 0; $G run -- cat");
	expect_cat(&s);
	press(&s, QUIT);
	expect(&s, "ready> ");
	expect_status(&s, 131);
	close_session(&s);
}
END_TEST

START_TEST(interrupt_ends_a_loop)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "for i in 1 2 3; do $G run -- cat; echo after-$i; done");
	expect_cat(&s);
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	ck_assert_ptr_null(strstr(s.pty.seen.data, "after-"));
	close_session(&s);
}
END_TEST

START_TEST(interrupt_that_is_handled_lets_a_loop_go_on)
{
	struct session s;

	open_session(&s, "bash");
	type(&s,
	    "for i in 1 2; do $G run -- sh -c 'trap \"exit 0\" INT; "
	    "echo up; while :; do sleep 0.01; done'; echo after-$i; done");
	expect_job(&s);
	press(&s, INTERRUPT);
	expect(&s, "after-1");
	expect_job(&s);
	press(&s, INTERRUPT);
	expect(&s, "after-2");
	expect(&s, "ready> ");
	close_session(&s);
}
END_TEST

START_TEST(interrupt_ends_a_script)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "G=$G sh -c '$G run -- cat; echo after'");
	expect_cat(&s);
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	ck_assert_ptr_null(strstr(s.pty.seen.data, "after"));
	expect_status(&s, 130);
	close_session(&s);
}
END_TEST

START_TEST(interrupt_is_left_to_a_command_that_reads_it)
{
	struct session s;

	open_session(&s, "bash");
	type(&s,
	    "$G run --shutdown 'KILL' -- sh -c 'trap \"echo noted\" INT; "
	    "echo up; while :; do sleep 0.01; done'");
	expect_job(&s);
	press(&s, INTERRUPT);
	expect(&s, "noted");
	press(&s, INTERRUPT);
	expect(&s, "noted");
	kill(host_of(&s), SIGTERM);
	expect(&s, "ready> ");
	expect_status(&s, 137);
	close_session(&s);
}
END_TEST

START_TEST(suspended_job_goes_on_in_the_foreground)
{
	struct support_process list[8];
	struct session s;
	pid_t host;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- sh -c 'echo up; read x; echo got-$x; exit 3'");
	expect_job(&s);
	host = host_of(&s);
	press(&s, SUSPEND);
	expect(&s, "ready> ");
	support_await_state(host, "T");
	ck_assert_uint_eq(support_descendants(host, list, 8), 2);
	support_await_state(list[0].ppid == host ? list[1].pid : list[0].pid,
	    "T");
	type(&s, "fg");
	support_pty_await_job(&s.pty, &s.shell);
	type(&s, "line");
	expect(&s, "got-line");
	expect(&s, "ready> ");
	expect_status(&s, 3);
	close_session(&s);
}
END_TEST

START_TEST(suspended_job_goes_on_in_the_background)
{
	struct session s;

	open_session(&s, "bash");
	type(&s, "$G run -- sh -c 'echo up; read x <$F; echo seen'");
	expect_job(&s);
	press(&s, SUSPEND);
	expect(&s, "ready> ");
	type(&s, "bg");
	expect(&s, "ready> ");
	type(&s, "echo >$F; wait; echo over");
	expect(&s, "seen");
	expect(&s, "over");
	close_session(&s);
}
END_TEST

static bool
passed(void *arg)
{
	return support_now() >= *(long long *)arg;
}

START_TEST(time_limit_waits_while_suspended)
{
	long long then;
	struct session s;

	open_session(&s, "bash");
	type(&s, "$G run --timeout 1 -- sh -c 'echo up; read x; exit 4'");
	expect_job(&s);
	press(&s, SUSPEND);
	expect(&s, "ready> ");
	then = support_now() + 1500;
	support_until(passed, &then, 10000);
	type(&s, "fg");
	support_pty_await_job(&s.pty, &s.shell);
	type(&s, "");
	expect(&s, "ready> ");
	expect_status(&s, 4);
	close_session(&s);
}
END_TEST

START_TEST(pipeline_with_a_pager_has_the_keyboard)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "TERM=xterm LESS= $G run -- yes line | TERM=xterm less");
	expect(&s, "line");
	expect(&s, ":");
	press(&s, "q");
	expect(&s, "ready> ");
	close_session(&s);
}
END_TEST

START_TEST(interrupt_ends_a_pipeline)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- cat | cat");
	expect_cat(&s);
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	expect_status(&s, 130);
	close_session(&s);
}
END_TEST

START_TEST(suspended_pipeline_goes_on)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s,
	    "$G run -- sh -c 'echo up; read x </dev/tty; echo got-$x' "
	    "| cat");
	expect_job(&s);
	press(&s, SUSPEND);
	expect(&s, "ready> ");
	type(&s, "fg");
	support_pty_await_job(&s.pty, &s.shell);
	type(&s, "line");
	expect(&s, "got-line");
	expect(&s, "ready> ");
	close_session(&s);
}
END_TEST

START_TEST(started_in_the_background_it_runs)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- sh -c 'echo up; exec sleep 60' &");
	expect(&s, "ready> ");
	if (strstr(s.pty.seen.data, "up") == NULL)
		expect(&s, "up");
	type(&s, "kill %1; wait %1; echo \"status=$?;\"");
	expect(&s, "status=143;");
	close_session(&s);
}
END_TEST

START_TEST(reading_in_the_background_stops_the_job)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- sh -c 'read x; echo got-$x; exit 5' &");
	expect(&s, "ready> ");
	support_await_state(host_of(&s), "T");
	type(&s, "fg");
	support_pty_await_job(&s.pty, &s.shell);
	type(&s, "line");
	expect(&s, "got-line");
	expect(&s, "ready> ");
	expect_status(&s, 5);
	close_session(&s);
}
END_TEST

START_TEST(foreground_belongs_to_the_shell_s_job)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- sh -c 'echo up; read x; exit 0'");
	expect_job(&s);
	ck_assert_int_eq(support_pty_foreground(&s.pty), host_of(&s));
	type(&s, "");
	expect(&s, "ready> ");
	ck_assert_int_eq(support_pty_foreground(&s.pty), s.shell.pid);
	close_session(&s);
}
END_TEST

START_TEST(shell_inside_has_its_own_jobs)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- bash --norc --noprofile --noediting -i");
	expect(&s, "ready> ");
	type(&s, "cat");
	type(&s, "up");
	expect(&s, "up");
	press(&s, SUSPEND);
	expect(&s, "Stopped");
	expect(&s, "ready> ");
	type(&s, "fg");
	type(&s, "again");
	expect(&s, "again");
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	type(&s, "exit 6");
	expect(&s, "ready> ");
	expect_status(&s, 6);
	ck_assert_int_eq(support_pty_foreground(&s.pty), s.shell.pid);
	close_session(&s);
}
END_TEST

START_TEST(host_may_lead_the_session)
{
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"echo up; exec sleep 60", NULL };
	struct support_pty pty;
	struct support_command c = { .argv = argv, .pty = &pty };
	struct support_run r;

	support_pty_open(&pty);
	support_start(&r, &c);
	support_pty_expect(&pty, "up");
	support_pty_send(&pty, INTERRUPT);
	ck_assert_int_eq(support_wait(&r), 130);
	ck_assert_int_eq(r.signal, SIGINT);
	support_finish(&r);
	support_pty_close(&pty);
}
END_TEST

START_TEST(hangup_reaches_the_command)
{
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"trap 'exit 6' HUP; echo up; while :; do sleep 0.01; done",
		NULL };
	struct support_pty pty;
	struct support_command c = { .argv = argv, .pty = &pty };
	struct support_run r;

	support_pty_open(&pty);
	support_start(&r, &c);
	support_pty_expect(&pty, "up");
	support_pty_close(&pty);
	ck_assert_int_eq(support_wait(&r), 6);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(death_of_the_leader_gives_the_terminal_back)
{
	struct session s;
	pid_t leader;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- sh -c 'echo up; cat'");
	expect_job(&s);
	ck_assert_uint_eq(support_children(host_of(&s), &leader, 1), 1);
	kill(leader, SIGKILL);
	expect(&s, "ready> ");
	expect_status(&s, 120);
	close_session(&s);
}
END_TEST

static bool
only_shell_is_left(void *arg)
{
	(void)arg;
	return support_survivors(support_token(), NULL, 0) == 1;
}

START_TEST(death_of_the_host_gives_the_terminal_back)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run -- sh -c 'echo up; cat'");
	expect_job(&s);
	kill(host_of(&s), SIGKILL);
	expect(&s, "ready> ");
	ck_assert(support_until(only_shell_is_left, NULL, 10000));
	expect_status(&s, 137);
	close_session(&s);
}
END_TEST

START_TEST(new_session_is_interrupted_by_stop_steps)
{
	struct session s;

	open_session(&s, shells[_i]);
	type(&s, "$G run --session new -- sh -c 'echo up; read x <$F'");
	expect_job(&s);
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	expect_status(&s, 130);
	close_session(&s);
}
END_TEST

START_TEST(new_session_is_suspended_and_goes_on)
{
	struct session s;
	pid_t host;

	open_session(&s, shells[_i]);
	type(&s, "$G run --session new -- sh -c 'echo up; read x <$F; exit 7'");
	expect_job(&s);
	host = host_of(&s);
	press(&s, SUSPEND);
	expect(&s, "ready> ");
	support_await_state(host, "T");
	/* Unless it is stopped, it reads this and ends. */
	type(&s, "(sleep 0.1; echo >$F) & fg %1");
	expect(&s, "ready> ");
	expect_status(&s, 7);
	close_session(&s);
}
END_TEST

START_TEST(interrupt_while_leaks_end_insists)
{
	struct session s;
	long long then;

	open_session(&s, "bash");
	type(&s,
	    "$G run --shutdown 'TERM 1h' -- sh -c 'sh -c \"trap \\\"\\\" TERM "
	    "INT; echo up; while :; do sleep 1; done\" & read x; exit 8'");
	expect_job(&s);
	type(&s, "");
	expect(&s, "grouper: waiting for pid ");
	then = support_now() + 200;
	support_until(passed, &then, 10000);
	press(&s, INTERRUPT);
	expect(&s, "ready> ");
	expect_status(&s, 8);
	close_session(&s);
}
END_TEST

static void
add_key_tests(Suite *suite)
{
	TCase *tc;

	tc = support_case(suite, "keys");
	tcase_add_loop_test(tc, interrupt_ends_the_command, 0, NSHELLS);
	tcase_add_loop_test(tc, quit_ends_the_command, 0, NSHELLS);
	tcase_add_loop_test(tc, interrupt_ends_a_loop, 0, NSHELLS);
	tcase_add_test(tc, interrupt_that_is_handled_lets_a_loop_go_on);
	tcase_add_loop_test(tc, interrupt_ends_a_script, 0, NSHELLS);
	tcase_add_test(tc, interrupt_is_left_to_a_command_that_reads_it);
	tcase_add_test(tc, interrupt_while_leaks_end_insists);
	tcase_add_loop_test(tc, new_session_is_interrupted_by_stop_steps, 0,
	    NSHELLS);
}

int
main(void)
{
	Suite *suite = suite_create("terminal");
	TCase *tc;

	add_key_tests(suite);
	tc = support_case(suite, "jobs");
	tcase_add_loop_test(tc, suspended_job_goes_on_in_the_foreground, 0,
	    NSHELLS);
	tcase_add_test(tc, suspended_job_goes_on_in_the_background);
	tcase_add_test(tc, time_limit_waits_while_suspended);
	tcase_add_loop_test(tc, new_session_is_suspended_and_goes_on, 0,
	    NSHELLS);
	tcase_add_loop_test(tc, started_in_the_background_it_runs, 0, NSHELLS);
	tcase_add_loop_test(tc, reading_in_the_background_stops_the_job, 0,
	    NSHELLS);
	tcase_add_loop_test(tc, foreground_belongs_to_the_shell_s_job, 0,
	    NSHELLS);
	tcase_add_loop_test(tc, shell_inside_has_its_own_jobs, 0, NSHELLS);
	tc = support_case(suite, "pipelines");
	tcase_add_loop_test(tc, pipeline_with_a_pager_has_the_keyboard, 0,
	    NSHELLS);
	tcase_add_loop_test(tc, interrupt_ends_a_pipeline, 0, NSHELLS);
	tcase_add_loop_test(tc, suspended_pipeline_goes_on, 0, NSHELLS);
	tc = support_case(suite, "ends");
	tcase_add_test(tc, host_may_lead_the_session);
	tcase_add_test(tc, hangup_reaches_the_command);
	tcase_add_loop_test(tc, death_of_the_leader_gives_the_terminal_back, 0,
	    NSHELLS);
	tcase_add_loop_test(tc, death_of_the_host_gives_the_terminal_back, 0,
	    NSHELLS);
	return support_main(suite, NULL);
}
