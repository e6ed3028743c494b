/* SPDX-License-Identifier: ISC */
/*
 * What `grouper run` ends with, and what bad input gets: one line that says
 * what was expected, the right status, nothing started, nothing left.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_WORDS 12

static void
assert_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	ck_assert_msg(end != NULL && end[1] == '\0',
	    "expected one line, got: %s", text);
}

/* Runs words, which end with NULL, behind the binary under test. */
static int
call(struct support_run *r, const char *const *words)
{
	const char *argv[MAX_WORDS + 2] = { support_grouper() };
	struct support_command c = { .argv = argv };
	size_t i;

	for (i = 0; i < MAX_WORDS && words[i] != NULL; i++)
		argv[i + 1] = words[i];
	return support_call(r, &c);
}

/* 125 or 2, one line on stderr that holds each of two texts. */
static void
assert_refused(const char *const *words, int status, const char *says)
{
	struct support_run r;

	ck_assert_msg(call(&r, words) == status, "%s %s: %d, stderr: %s",
	    words[0], words[1] != NULL ? words[1] : "", r.status,
	    r.stderr_text.data);
	assert_one_line(r.stderr_text.data);
	ck_assert_msg(strstr(r.stderr_text.data, says) != NULL,
	    "expected '%s' in: %s", says, r.stderr_text.data);
	ck_assert_str_eq(r.stdout_text.data, "");
	support_assert_no_survivors();
	support_finish(&r);
}

START_TEST(status_is_the_command_s_own)
{
	static const char *const statuses[] = { "0", "1", "7", "120", "125",
		"126", "127", "255" };
	struct support_run r;
	char text[32];
	size_t i;

	for (i = 0; i < NELEMS(statuses); i++) {
		snprintf(text, sizeof(text), "exit %s", statuses[i]);
		ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--",
				     "sh", "-c", text, NULL),
		    atoi(statuses[i]));
		ck_assert_int_eq(r.signal, 0);
		ck_assert_str_eq(r.stderr_text.data, "");
		support_finish(&r);
	}
}
END_TEST

START_TEST(status_of_a_signal_is_128_and_its_number)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--", "sh",
			     "-c", "kill -TERM $$", NULL),
	    128 + SIGTERM);
	ck_assert_int_eq(r.signal, 0);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--", "sh",
			     "-c", "kill -KILL $$", NULL),
	    128 + SIGKILL);
	ck_assert_int_eq(r.signal, 0);
	support_finish(&r);
}
END_TEST

START_TEST(command_that_died_of_int_or_quit_takes_us_along)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--", "sh",
			     "-c", "kill -INT $$", NULL),
	    128 + SIGINT);
	ck_assert_int_eq(r.signal, SIGINT);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--", "sh",
			     "-c", "ulimit -c 0; kill -QUIT $$", NULL),
	    128 + SIGQUIT);
	ck_assert_int_eq(r.signal, SIGQUIT);
	ck_assert(!r.core_dumped);
	support_finish(&r);
}
END_TEST

START_TEST(command_not_found_is_127)
{
	static const char *const by_path[] = { "run", "no-such-command", NULL };
	static const char *const by_name[] = { "run", "/no/such/command",
		NULL };
	static const char *const empty[] = { "run", "", NULL };

	assert_refused(by_path, 127, "no-such-command");
	assert_refused(by_name, 127, "/no/such/command");
	assert_refused(empty, 127, "name or path");
}
END_TEST

START_TEST(command_that_cannot_be_executed_is_126)
{
	const char *file = support_file("plain", 0644, "#!/bin/sh\n");
	const char *script = support_file("script", 0755, "#!/no/shell\n");
	const char *plain[] = { "run", file, NULL };
	const char *directory[] = { "run", support_directory(), NULL };
	const char *interpreter[] = { "run", script, NULL };

	assert_refused(plain, 126, "ermission denied");
	assert_refused(directory, 126, "is a directory");
	assert_refused(interpreter, 126, "interpreter");
}
END_TEST

START_TEST(time_limit_is_124)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "0.2", "sleep", "60", NULL),
	    124);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(time_limit_that_is_not_reached_changes_nothing)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "1h", "sh", "-c", "exit 3", NULL),
	    3);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "0", "sh", "-c", "exit 4", NULL),
	    4);
	support_finish(&r);
}
END_TEST

START_TEST(time_limit_ends_what_ignores_term)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "0.2", "--shutdown", "TERM 100ms, KILL", "sh",
			     "-c", "trap '' TERM; while :; do sleep 60; done",
			     NULL),
	    124);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(leaks_are_123_only_if_they_shall_fail)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--leaks=fail",
			     "--", "sh", "-c", "sleep 60 & exit 0", NULL),
	    123);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "leak: pid "));
	support_assert_no_survivors();
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--leaks=fail",
			     "--", "sh", "-c", "exit 0", NULL),
	    0);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
	/* The command's own failure is more than that it leaked. */
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--leaks=fail",
			     "--", "sh", "-c", "sleep 60 & exit 9", NULL),
	    9);
	support_finish(&r);
}
END_TEST

START_TEST(leader_that_dies_is_120)
{
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"trap '' TERM; sleep 60 & echo up; wait", NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;
	pid_t leader;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 120);
	assert_one_line(r.stderr_text.data);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(term_gives_the_command_s_status)
{
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done",
		NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 5);
	support_finish(&r);
}
END_TEST

START_TEST(int_to_run_stops_by_int_first)
{
	const char *argv[] = { support_grouper(), "run", "--shutdown",
		"TERM 1h", "--", "sh", "-c",
		"trap 'exit 6' INT; trap '' TERM; echo up;"
		"while :; do sleep 0.01; done",
		NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGINT);
	ck_assert_int_eq(support_wait(&r), 6);
	support_finish(&r);
}
END_TEST

static bool
second_passed(void *arg)
{
	return support_now() >= *(long long *)arg;
}

START_TEST(second_term_after_a_second_is_kill)
{
	const char *argv[] = { support_grouper(), "run", "--shutdown",
		"infinity", "--", "sh", "-c",
		"trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done",
		NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;
	long long then;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGTERM);
	support_await_stdout(&r, "asked");
	/* The same wish, said twice: too early to mean more. */
	support_signal(&r, SIGTERM);
	then = support_now() + 1100;
	support_until(second_passed, &then, 5000);
	ck_assert(!r.ended);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(other_signals_go_to_the_command)
{
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"for s in HUP QUIT USR1 USR2 WINCH ALRM; do "
		"trap \"echo got-$s\" $s; done; trap 'exit 8' URG; echo up;"
		"while :; do sleep 0.01; done",
		NULL };
	static const struct {
		int signum;
		const char *says;
	} sent[] = {
		{ SIGHUP, "got-HUP" },
		{ SIGQUIT, "got-QUIT" },
		{ SIGUSR1, "got-USR1" },
		{ SIGUSR2, "got-USR2" },
		{ SIGWINCH, "got-WINCH" },
		{ SIGALRM, "got-ALRM" },
	};
	struct support_command c = { .argv = argv };
	struct support_run r;
	size_t i;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	for (i = 0; i < NELEMS(sent); i++) {
		support_signal(&r, sent[i].signum);
		support_await_stdout(&r, sent[i].says);
	}
	support_signal(&r, SIGURG);
	ck_assert_int_eq(support_wait(&r), 8);
	support_finish(&r);
}
END_TEST

static void
ignore_int(void *arg)
{
	(void)arg;
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

START_TEST(int_stops_even_if_it_was_ignored)
{
	const char *argv[] = { support_grouper(), "run", "--shutdown",
		"TERM 100ms, KILL", "--", "sh", "-c",
		"echo up; while :; do sleep 60; done", NULL };
	struct support_command c = { .argv = argv, .prepare = ignore_int };
	struct support_run r;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGHUP); /* as under nohup */
	support_signal(&r, SIGINT);
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(map_status_changes_the_command_s)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--map-status",
			     "7=0,8=9", "--map-status", "143=3", "sh", "-c",
			     "exit 7", NULL),
	    0);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--map-status",
			     "7=0,8=9", "--map-status", "143=3", "sh", "-c",
			     "kill -TERM $$", NULL),
	    3);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--map-status",
			     "130=0", "sh", "-c", "kill -INT $$", NULL),
	    0);
	ck_assert_int_eq(r.signal, 0);
	support_finish(&r);
	/* What grouper itself has to say is not mapped. */
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--map-status",
			     "124=0", "--timeout", "0.1", "sleep", "60", NULL),
	    124);
	support_finish(&r);
}
END_TEST

START_TEST(output_held_by_a_leak_does_not_delay_the_end)
{
	struct support_run r;

	ck_assert_int_eq(
	    support_execute(&r, "sh", "-c",
		"out=$(\"$0\" run -- sh -c 'sleep 60 & echo hi') && "
		"test \"$out\" = hi",
		support_grouper(), NULL),
	    0);
	ck_assert_int_lt(r.elapsed, 5000LL * support_scale());
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

struct refusal {
	const char *words[MAX_WORDS];
	int status;
	const char *says;
};

#define SIXTY_FIVE \
	"12345678901234567890123456789012345678901234567890123456789012345"

static const struct refusal refusals[] = {
	{ { "bogus" }, 2, "'grouper help' lists them" },
	{ { "--bogus" }, 2, "unknown option '--bogus'" },
	{ { "help", "bogus" }, 2, "unknown verb 'bogus'" },
	{ { "doctor", "x" }, 2, "expected no more arguments, got 'x'" },
	{ { "doctor", "--bogus" }, 2, "unknown option '--bogus'" },
	{ { "ident", "x" }, 2, "expected a PID" },
	{ { "ident", "0" }, 2, "expected a PID" },
	{ { "ident", "1", "2" }, 2, "expected one PID" },
	{ { "ident", "-z" }, 2, "unknown option '-z'" },
	{ { "run" }, 125, "expected a command" },
	{ { "run", "--" }, 125, "expected a command" },
	{ { "run", "-v" }, 125, "expected a command" },
	{ { "run", "--bogus", "true" }, 125, "unknown option '--bogus'" },
	{ { "run", "-z", "true" }, 125, "unknown option '-z'" },
	{ { "run", "-vz", "true" }, 125, "unknown option '-z'" },
	{ { "run", "--time", "2", "true" }, 125,
	    "unknown option '--time', did you mean --timeout?" },
	{ { "run", "--time=2", "true" }, 125,
	    "unknown option '--time', did you mean --timeout?" },
	{ { "run", "-v", "--sh", "true" }, 125,
	    "did you mean --shell or --shutdown?" },
	{ { "run", "--timeout" }, 125, "'--timeout' expects a value" },
	{ { "run", "--force=1", "true" }, 125, "takes no value" },
	{ { "run", "--timeout", "5x", "true" }, 125, "expected a time" },
	{ { "run", "--timeout", "", "true" }, 125, "expected a time" },
	{ { "run", "--timeout", "-1", "true" }, 125, "expected a time" },
	{ { "run", "--shutdown", "FOO 5s", "true" }, 125,
	    "expected steps such as" },
	{ { "run", "--shutdown", "TERM 5x", "true" }, 125,
	    "expected steps such as" },
	{ { "run", "--shutdown", "TERM, KILL", "true" }, 125,
	    "expected a time in every step" },
	{ { "run", "--contain", "jail", "true" }, 125,
	    "expected auto, reaper, cgroup or pidns, got 'jail'" },
	{ { "run", "--session", "x", "true" }, 125,
	    "expected auto, new or keep" },
	{ { "run", "--stop-target", "x", "true" }, 125,
	    "expected group, command or tree" },
	{ { "run", "--leaks", "x", "true" }, 125,
	    "expected kill, wait, warn or fail" },
	{ { "run", "--report=xml", "true" }, 125, "expected text or json" },
	{ { "run", "--report-file", "", "true" }, 125, "a file" },
	{ { "run", "--report-file", "/no/such/file", "true" }, 125,
	    "/no/such/file: No such file" },
	{ { "run", "--limits", "nofile", "true" }, 125, "expected NAME=VALUE" },
	{ { "run", "--limits", "nofile=x", "true" }, 125,
	    "expected NAME=VALUE" },
	{ { "run", "--limits", "as=1X", "true" }, 125, "expected NAME=VALUE" },
	{ { "run", "--limits", "nofile=9:8", "true" }, 125,
	    "expected NAME=VALUE" },
	{ { "run", "--limits", "files=1", "true" }, 125, "nofile" },
	{ { "run", "--map-status", "143", "true" }, 125, "expected FROM=TO" },
	{ { "run", "--map-status", "256=0", "true" }, 125, "expected FROM=TO" },
	{ { "run", "--map-status", "1=0,", "true" }, 125, "expected FROM=TO" },
	{ { "run", "--env", "NAME", "true" }, 125, "expected NAME=VALUE" },
	{ { "run", "--env", "=x", "true" }, 125, "expected NAME=VALUE" },
	{ { "run", "--env-file", "/no/such/file", "true" }, 125,
	    "/no/such/file: No such file" },
	{ { "run", "--cwd", "/no/such/dir", "true" }, 125,
	    "directory '/no/such/dir': No such file" },
	{ { "run", "--cwd", "/dev/null", "true" }, 125, "Not a directory" },
	{ { "run", "--cwd", "", "true" }, 125, "expected a directory" },
	{ { "run", "--stdin", "/no/such/file", "true" }, 125,
	    "/no/such/file for --stdin: No such file" },
	{ { "run", "--umask", "8", "true" }, 125, "expected an octal" },
	{ { "run", "--umask", "1000", "true" }, 125, "expected an octal" },
	{ { "run", "--nice", "x", "true" }, 125, "expected a number" },
	{ { "run", "--uid", "no such user", "true" }, 125,
	    "expected the name or number of a user, got 'no such user'" },
	{ { "run", "--gid", "no such group", "true" }, 125,
	    "expected the name or number of a group" },
	{ { "run", "--uid", "-1", "true" }, 125, "--uid" },
	{ { "topics", "list", "--host", "x", "-s", "/none" }, 2,
	    "--host and --socket exclude each other" },
	{ { "status", "-s", "/none", "--host", "x" }, 2,
	    "--host and --socket exclude each other" },
	{ { "run", "--key", "a/b", "true" }, 125, "--key: expected 1 to 255" },
	{ { "run", "--key", "", "true" }, 125, "--key: expected 1 to 255" },
	{ { "spawn", "--key", "", "true" }, 2,
	    "--key: expected 1 to 64 bytes" },
	{ { "spawn", "--key", SIXTY_FIVE, "true" }, 2,
	    "--key: expected 1 to 64 bytes" },
	{ { "run", "--name", "a:b", "true" }, 125, "expected 1 to 32 bytes" },
	{ { "run", "--name", "123456789012345678901234567890123", "true" }, 125,
	    "expected 1 to 32 bytes" },
	{ { "supervise", "--name", "a/b" }, 2, "expected 1 to 32 bytes" },
	{ { "host", "--name", "" }, 2, "expected 1 to 32 bytes" },
	{ { "run", "--shell", "" }, 125, "expected a command" },
	{ { "run", "--shell", "true", "x" }, 125, "got 'x' as well" },
	{ { "run", "--pty", "--session", "keep", "true" }, 125, "--pty" },
};

START_TEST(bad_input_is_refused_with_one_line)
{
	const struct refusal *refusal = &refusals[_i];

	assert_refused(refusal->words, refusal->status, refusal->says);
}
END_TEST

START_TEST(nothing_is_started_or_left_by_bad_input)
{
	const char *mark = support_path("mark");
	const char *where = support_path("tmp");
	char variable[600];
	const char *const env[] = { variable, NULL };
	const char *argv[] = { support_grouper(), "run", "--tmpdir", "--cwd",
		"/no/such/dir", "--", "touch", mark, NULL };
	struct support_command c = { .argv = argv, .env = env };
	struct support_run r;

	ck_assert_int_eq(mkdir(where, 0700), 0);
	snprintf(variable, sizeof(variable), "TMPDIR=%s", where);
	ck_assert_int_eq(support_call(&r, &c), 125);
	ck_assert_int_ne(access(mark, F_OK), 0);
	ck_assert_int_eq(rmdir(where), 0); /* empty */
	support_finish(&r);
}
END_TEST

/* Only words that are options are judged. */
START_TEST(values_and_arguments_may_look_like_options)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--env",
			     "--time=2", "--report-file", "/dev/null", "echo",
			     "--time", NULL),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "--time\n");
	support_finish(&r);
}
END_TEST

START_TEST(help_is_not_bad_input)
{
	static const char *const calls[][3] = { { "-h" }, { "--help" },
		{ "help" }, { "run", "-h" }, { "run", "--help" },
		{ "help", "run" }, { "doctor", "-h" }, { "ident", "--help" } };
	struct support_run r;
	size_t i;

	for (i = 0; i < NELEMS(calls); i++) {
		ck_assert_int_eq(call(&r, calls[i]), 0);
		ck_assert_ptr_nonnull(strstr(r.stdout_text.data, "Usage:"));
		ck_assert_str_eq(r.stderr_text.data, "");
		support_finish(&r);
	}
	ck_assert_int_eq(support_execute(&r, "@grouper", "-V", NULL), 0);
	ck_assert_ptr_eq(strstr(r.stdout_text.data, "grouper "),
	    r.stdout_text.data);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", NULL), 2);
	ck_assert_str_eq(r.stdout_text.data, "");
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("status");
	TCase *tc;

	tc = support_case(suite, "command");
	tcase_add_test(tc, status_is_the_command_s_own);
	tcase_add_test(tc, status_of_a_signal_is_128_and_its_number);
	tcase_add_test(tc, command_that_died_of_int_or_quit_takes_us_along);
	tcase_add_test(tc, command_not_found_is_127);
	tcase_add_test(tc, command_that_cannot_be_executed_is_126);
	tcase_add_test(tc, map_status_changes_the_command_s);
	tcase_add_test(tc, output_held_by_a_leak_does_not_delay_the_end);
	tc = support_case(suite, "grouper");
	tcase_add_test(tc, time_limit_is_124);
	tcase_add_test(tc, time_limit_that_is_not_reached_changes_nothing);
	tcase_add_test(tc, time_limit_ends_what_ignores_term);
	tcase_add_test(tc, leaks_are_123_only_if_they_shall_fail);
	tcase_add_test(tc, leader_that_dies_is_120);
	tc = support_case(suite, "signals");
	tcase_add_test(tc, term_gives_the_command_s_status);
	tcase_add_test(tc, int_to_run_stops_by_int_first);
	tcase_add_test(tc, second_term_after_a_second_is_kill);
	tcase_add_test(tc, other_signals_go_to_the_command);
	tcase_add_test(tc, int_stops_even_if_it_was_ignored);
	tc = support_case(suite, "bad input");
	tcase_add_loop_test(tc, bad_input_is_refused_with_one_line, 0,
	    NELEMS(refusals));
	tcase_add_test(tc, nothing_is_started_or_left_by_bad_input);
	tcase_add_test(tc, values_and_arguments_may_look_like_options);
	tcase_add_test(tc, help_is_not_bad_input);
	return support_main(suite, NULL);
}
