/* SPDX-License-Identifier: ISC */
/*
 * `grouper run --pty`: a terminal for the command, whatever is outside.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "support.h"

#define INTERRUPT "\003"
#define SUSPEND "\032"

/* A shell on an outer terminal, in which $G is the binary under test. */
struct session {
	struct support_pty pty;
	struct support_run shell;
	struct termios before;
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
open_session(struct session *s)
{
	char line[600];

	support_pty_open(&s->pty);
	support_pty_shell(&s->pty, &s->shell, "bash");
	snprintf(line, sizeof(line), "G='%s'", support_grouper());
	type(s, line);
	expect(s, "ready> ");
	ck_assert_int_eq(tcgetattr(s->pty.slave, &s->before), 0);
}

static bool
is_raw(const struct session *s)
{
	struct termios now;

	ck_assert_int_eq(tcgetattr(s->pty.slave, &now), 0);
	return (now.c_lflag & (ICANON | ISIG)) == 0;
}

static bool
became_raw(void *arg)
{
	return is_raw(arg);
}

/* The command says "up", and keys go to it. */
static void
expect_up(struct session *s)
{
	expect(s, "up");
	ck_assert(support_until(became_raw, s, SUPPORT_PATIENCE));
}

static void
assert_restored(struct session *s)
{
	struct termios now;

	ck_assert_int_eq(tcgetattr(s->pty.slave, &now), 0);
	ck_assert_msg(now.c_iflag == s->before.c_iflag,
	    "not restored after: %s", s->pty.seen.data);
	ck_assert_uint_eq(now.c_oflag, s->before.c_oflag);
	ck_assert_uint_eq(now.c_lflag, s->before.c_lflag);
	ck_assert_int_eq(now.c_cc[VMIN], s->before.c_cc[VMIN]);
}

static void
expect_status(struct session *s, int status)
{
	char wanted[64];

	expect(s, "ready> ");
	assert_restored(s);
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

static pid_t
host_of(const struct session *s)
{
	pid_t pid;

	ck_assert_uint_eq(support_children(s->shell.pid, &pid, 1), 1);
	return pid;
}

START_TEST(command_has_a_terminal_of_its_own)
{
	struct session s;

	open_session(&s);
	type(&s,
	    "tty; $G run --pty -- sh -c 'tty; test -t 0 && test -t 1 && "
	    "test -t 2 && exit 9'");
	expect(&s, s.pty.name);
	expect(&s, "/dev/pts/");
	expect_status(&s, 9);
	close_session(&s);
}
END_TEST

START_TEST(keys_go_to_the_command)
{
	struct session s;

	open_session(&s);
	type(&s, "$G run --pty -- sh -c 'echo up; read x; echo got-$x'");
	expect_up(&s);
	type(&s, "line");
	expect(&s, "got-line");
	expect_status(&s, 0);
	type(&s, "$G run --pty -- cat");
	ck_assert(support_until(became_raw, &s, SUPPORT_PATIENCE));
	type(&s, "up");
	expect(&s, "up");
	support_pty_send(&s.pty, INTERRUPT);
	expect_status(&s, 130);
	close_session(&s);
}
END_TEST

START_TEST(suspend_gives_the_terminal_back_for_a_while)
{
	struct session s;

	open_session(&s);
	type(&s,
	    "$G run --pty -- sh -c 'echo up; read x; echo got-$x; "
	    "exit 4'");
	expect_up(&s);
	support_pty_send(&s.pty, SUSPEND);
	expect(&s, "ready> ");
	assert_restored(&s);
	type(&s, "fg");
	ck_assert(support_until(became_raw, &s, SUPPORT_PATIENCE));
	type(&s, "line");
	expect(&s, "got-line");
	expect_status(&s, 4);
	close_session(&s);
}
END_TEST

START_TEST(background_leaves_the_terminal_alone)
{
	struct session s;

	open_session(&s);
	type(&s,
	    "$G run --pty -- sh -c 'echo up; read x; echo got-$x; "
	    "exit 5' &");
	expect(&s, "up");
	ck_assert(!is_raw(&s));
	type(&s, "echo mine");
	expect(&s, "mine");
	type(&s, "fg");
	support_pty_await_job(&s.pty, &s.shell);
	type(&s, "line");
	expect(&s, "got-line");
	expect_status(&s, 5);
	close_session(&s);
}
END_TEST

static bool
edits_a_line(void *arg)
{
	const struct session *s = arg;
	struct termios now;

	ck_assert_int_eq(tcgetattr(s->pty.slave, &now), 0);
	return (now.c_lflag & ICANON) == 0;
}

/* A shell that edits its lines has the outer one in a mode of its own. */
START_TEST(in_the_background_the_settings_are_not_the_shell_s)
{
	const char *file = support_path("settings");
	struct session s;
	char line[1600];
	FILE *fifo;

	open_session(&s);
	type(&s, "exec bash --norc --noprofile -i");
	expect(&s, "ready> ");
	ck_assert_int_eq(mkfifo(support_path("fifo"), 0600), 0);
	snprintf(line, sizeof(line), "G='%s' F='%s'", support_grouper(), file);
	type(&s, line);
	expect(&s, "ready> ");
	snprintf(line, sizeof(line),
	    "(read x <'%s'; exec $G run --pty stty -a >$F) &",
	    support_path("fifo"));
	type(&s, line);
	expect(&s, "ready> ");
	ck_assert(support_until(edits_a_line, &s, SUPPORT_PATIENCE));
	fifo = fopen(support_path("fifo"), "w");
	ck_assert_ptr_nonnull(fifo);
	fputs("go\n", fifo);
	fclose(fifo);
	support_await_file(file, " icanon");
	support_await_file(file, " echo ");
	type(&s, "wait; echo over-$((1 + 1))");
	expect(&s, "over-2");
	close_session(&s);
}
END_TEST

START_TEST(size_is_that_of_the_outer_terminal)
{
	struct winsize size = { .ws_row = 33, .ws_col = 101 };
	struct session s;

	open_session(&s);
	type(&s,
	    "$G run --pty -- sh -c 'stty size; trap \"stty size\" WINCH; "
	    "trap \"exit 3\" INT; echo up; while :; do sleep 0.01; done'");
	expect(&s, "24 80");
	expect_up(&s);
	ck_assert_int_eq(ioctl(s.pty.master, TIOCSWINSZ, &size), 0);
	expect(&s, "33 101");
	support_pty_send(&s.pty, INTERRUPT);
	expect_status(&s, 3);
	close_session(&s);
}
END_TEST

START_TEST(terminal_is_restored_however_it_ends)
{
	struct session s;
	pid_t leader;

	open_session(&s);
	type(&s, "$G run --pty -- sh -c 'echo up; cat'");
	expect_up(&s);
	kill(host_of(&s), SIGTERM);
	expect_status(&s, 143);
	type(&s, "$G run --pty -- sh -c 'echo up; cat'");
	expect_up(&s);
	ck_assert_uint_eq(support_children(host_of(&s), &leader, 1), 1);
	kill(leader, SIGKILL);
	expect_status(&s, 120);
	type(&s, "$G run --pty --timeout 0.3 -- sh -c 'echo up; cat'");
	expect_status(&s, 124);
	type(&s, "$G run --pty -- /no/such/command");
	expect_status(&s, 127);
	close_session(&s);
}
END_TEST

START_TEST(what_is_waited_for_is_told_in_whole_lines)
{
	struct session s;

	open_session(&s);
	type(&s,
	    "$G run --pty --shutdown 'TERM 1500ms, KILL' -- sh -c "
	    "'trap \"\" TERM; echo up; while :; do sleep 1; done'");
	expect_up(&s);
	kill(host_of(&s), SIGTERM);
	expect(&s, "grouper: waiting for pid ");
	expect(&s, " s\r\n");
	expect_status(&s, 137);
	close_session(&s);
}
END_TEST

START_TEST(job_control_works_inside)
{
	struct session s;

	open_session(&s);
	type(&s, "$G run --pty -- bash --norc --noprofile --noediting -i");
	ck_assert(support_until(became_raw, &s, SUPPORT_PATIENCE));
	expect(&s, "ready> ");
	type(&s, "cat");
	type(&s, "up");
	expect(&s, "up");
	support_pty_send(&s.pty, SUSPEND);
	expect(&s, "Stopped");
	expect(&s, "ready> ");
	type(&s, "fg");
	type(&s, "again");
	expect(&s, "again");
	support_pty_send(&s.pty, INTERRUPT);
	expect(&s, "ready> ");
	type(&s, "exit 6");
	expect_status(&s, 6);
	close_session(&s);
}
END_TEST

/*
 * Without a terminal outside
 */

START_TEST(end_of_input_becomes_end_of_file)
{
	static const char *const inputs[] = { "a\nb\n", "a\nb", "" };
	static const char *const outputs[] = { "a\r\nb\r\n", "a\r\nb", "" };
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--pty", "cat") };
	struct support_run r;

	c.input = inputs[_i];
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, outputs[_i]);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(input_may_be_a_file)
{
	const char *file = support_file("in", 0644, "one\ntwo\n");
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--pty", "--stdin", file, "cat") };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, "one\r\ntwo\r\n");
	support_finish(&r);
}
END_TEST

START_TEST(terminal_is_the_user_s)
{
	struct support_command c = { 0 };
	struct support_run r;
	const char *why;
	char uid[16], wanted[32];

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	snprintf(uid, sizeof(uid), "%u", (unsigned int)support_user());
	snprintf(wanted, sizeof(wanted), "%s\r\nopened\r\n", uid);
	c.argv = ARGV(support_grouper(), "run", "--pty", "--uid", uid, "--gid",
	    uid, "--", "sh", "-c",
	    "stat -c %u \"$(tty)\"; echo opened >\"$(tty)\"");
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, wanted);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(much_input_and_output_passes)
{
	struct support_command c = { .argv = ARGV("sh", "-c",
					 "seq 1 50000 | \"$0\" run --pty -- "
					 "sh -c 'stty -onlcr; cat' >\"$1\"; "
					 "seq 1 50000 | cmp - \"$1\"",
					 support_grouper(),
					 support_path("out")) };
	struct support_run r;

	ck_assert_msg(support_call(&r, &c) == 0, "%s%s", r.stdout_text.data,
	    r.stderr_text.data);
	support_finish(&r);
}
END_TEST

START_TEST(last_output_is_not_lost)
{
	struct support_run r;

	ck_assert_int_eq(
	    support_execute(&r, "sh", "-c",
		"\"$0\" run --pty -- seq 1 30000 | (sleep 0.3; tail -n 1)",
		support_grouper(), NULL),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "30000\r\n");
	support_finish(&r);
}
END_TEST

START_TEST(leak_that_holds_the_terminal_delays_nothing)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--pty", "--",
			     "sh", "-c", "trap '' HUP; sleep 60 & echo hi",
			     NULL),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "hi\r\n");
	ck_assert_int_lt(r.elapsed, 5000LL * support_scale());
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(reader_that_goes_away_hangs_up)
{
	struct support_run r;

	ck_assert_int_eq(
	    support_execute(&r, "bash", "-c",
		"\"$0\" run --pty -- yes | head -n 1; echo ${PIPESTATUS[0]}",
		support_grouper(), NULL),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "y\r\n129\n");
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(output_may_be_a_file)
{
	const char *file = support_file("out", 0644, "kept\n");
	struct support_run r;
	char *text;

	ck_assert_int_eq(support_execute(&r, "sh", "-c",
			     "\"$0\" run --pty -- echo more >>\"$1\"",
			     support_grouper(), file, NULL),
	    0);
	ck_assert_str_eq(r.stderr_text.data, "");
	text = support_slurp(file);
	ck_assert_str_eq(text, "kept\nmore\r\n");
	free(text);
	support_finish(&r);
}
END_TEST

/* While the command runs, and when all that it printed is left to write. */
START_TEST(output_that_cannot_be_written_is_a_failure)
{
	static const char *const commands[] = { "echo hi; sleep 1000",
		"echo hi" };
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "sh", "-c",
			     "\"$0\" run --pty --shell \"$1\" >/dev/full",
			     support_grouper(), commands[_i], NULL),
	    125);
	ck_assert_str_eq(r.stderr_text.data,
	    "grouper run: standard output: No space left on device\r\n");
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pty");
	TCase *tc;

	tc = support_case(suite, "on a terminal");
	tcase_add_test(tc, command_has_a_terminal_of_its_own);
	tcase_add_test(tc, keys_go_to_the_command);
	tcase_add_test(tc, suspend_gives_the_terminal_back_for_a_while);
	tcase_add_test(tc, background_leaves_the_terminal_alone);
	tcase_add_test(tc, in_the_background_the_settings_are_not_the_shell_s);
	tcase_add_test(tc, size_is_that_of_the_outer_terminal);
	tcase_add_test(tc, terminal_is_restored_however_it_ends);
	tcase_add_test(tc, what_is_waited_for_is_told_in_whole_lines);
	tcase_add_test(tc, job_control_works_inside);
	tc = support_case(suite, "without a terminal");
	tcase_add_loop_test(tc, end_of_input_becomes_end_of_file, 0, 3);
	tcase_add_test(tc, input_may_be_a_file);
	tcase_add_test(tc, terminal_is_the_user_s);
	tcase_add_test(tc, much_input_and_output_passes);
	tcase_add_test(tc, last_output_is_not_lost);
	tcase_add_test(tc, leak_that_holds_the_terminal_delays_nothing);
	tcase_add_test(tc, reader_that_goes_away_hangs_up);
	tcase_add_test(tc, output_may_be_a_file);
	tcase_add_loop_test(tc, output_that_cannot_be_written_is_a_failure, 0,
	    2);
	return support_main(suite, NULL);
}
