/* SPDX-License-Identifier: ISC */
/*
 * What `grouper run` tells: the report as text and as JSON, leaks and how
 * they got away, and what it waits for.
 */
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

/*
 * $0 -- FIFO STAY: each kind of leak once, told apart by its last argument,
 * and ends when each has said through the FIFO that it runs.
 */
static const char leaky[] =
    "mkfifo \"$1\"; exec 3<>\"$1\"; "
    "sh -c \"$2\" in-background & "
    "setsid sh -c \"$2\" in-session & "
    "sh -c 'setsid sh -c \"sh -c \\\"\\$0\\\" in-daemon &\" \"$0\"' "
    "\"$2\" & "
    "bash -c 'set -m; sh -c \"$0\" in-pgroup &' \"$2\"; "
    "for i in 1 2 3 4; do read x <&3; done";
static const char stay[] = "echo >&3; while :; do sleep 1; done";

static json_t *
parse(const char *text)
{
	json_error_t error;
	json_t *report;

	report = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(report != NULL, "%s in: %s", error.text, text);
	return report;
}

static json_t *
member(const json_t *report, const char *name)
{
	json_t *value = json_object_get(report, name);

	ck_assert_msg(value != NULL, "no %s in the report", name);
	return value;
}

static bool
has_cause(const json_t *report, const char *cause)
{
	json_t *value;
	size_t i;

	json_array_foreach(member(report, "causes"), i, value)
		if (strcmp(json_string_value(value), cause) == 0)
			return true;
	return false;
}

/* Of what the leader alone could have told. */
static void
assert_untold(const json_t *report)
{
	ck_assert(json_is_null(member(report, "user_seconds")));
	ck_assert(json_is_null(member(report, "system_seconds")));
	ck_assert(json_is_null(member(report, "peak_memory_bytes")));
	ck_assert(json_is_null(member(report, "processes")));
	ck_assert(json_real_value(member(report, "wall_seconds")) > 0);
}

/* The report of a run that is to end with this status. */
static json_t *
report_of(const struct support_command *c, int status)
{
	struct support_run r;
	json_t *report;

	ck_assert_msg(support_call(&r, c) == status, "%d: %s", r.status,
	    r.stderr_text.data);
	report = parse(r.stderr_text.data);
	support_assert_no_survivors();
	support_finish(&r);
	ck_assert_int_eq(json_integer_value(member(report, "exit_status")),
	    status);
	return report;
}

START_TEST(text_tells_what_became_of_the_command)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--report",
			     "--", "sh", "-c", "sleep 60 & exit 3", NULL),
	    3);
	ck_assert_ptr_eq(strstr(r.stderr_text.data,
			     "grouper: default: exit 3 after "),
	    r.stderr_text.data);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, " s, user "));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, ", peak memory "));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    ", 2 processes, 1 leak\n"));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "\ngrouper: leak: pid "));
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--report=text",
			     "--key", "k", "--", "sh", "-c", "kill -TERM $$",
			     NULL),
	    143);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "grouper: k: signal TERM after "));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    ", 1 process, 0 leaks\n"));
	support_finish(&r);
}
END_TEST

START_TEST(json_has_every_field)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--report=json", "--name", "h",
					 "--key", "k", "--contain", "reaper",
					 "--", "sh", "-c", "exit 3") };
	json_t *report = report_of(&c, 3);

	ck_assert_ptr_nonnull(json_string_value(member(report, "version")));
	ck_assert_str_eq(json_string_value(member(report, "host")), "h");
	ck_assert_str_eq(json_string_value(member(report, "key")), "k");
	ck_assert_uint_eq(json_array_size(member(report, "command")), 3);
	ck_assert_str_eq(json_string_value(json_array_get(member(report,
							      "command"),
			     2)),
	    "exit 3");
	ck_assert_str_eq(json_string_value(member(report, "contain")),
	    "reaper");
	ck_assert_int_eq(json_integer_value(member(member(report,
						       "command_status"),
			     "exited")),
	    3);
	ck_assert(has_cause(report, "command"));
	ck_assert_uint_eq(json_array_size(member(report, "causes")), 1);
	ck_assert(json_is_real(member(report, "wall_seconds")));
	ck_assert(json_is_real(member(report, "user_seconds")));
	ck_assert(json_is_real(member(report, "system_seconds")));
	ck_assert_int_gt(json_integer_value(member(report,
			     "peak_memory_bytes")),
	    4096);
	ck_assert_int_eq(json_integer_value(member(report, "processes")), 1);
	ck_assert_uint_eq(json_array_size(member(report, "leaks")), 0);
	ck_assert_uint_eq(json_array_size(member(report, "alive_at_timeout")),
	    0);
	ck_assert_uint_eq(json_array_size(member(report, "unkillable")), 0);
	json_decref(report);
}
END_TEST

START_TEST(json_tells_a_signal)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--report=json", "--", "sh", "-c",
					 "kill -USR1 $$") };
	json_t *report = report_of(&c, 128 + SIGUSR1), *status;

	status = member(report, "command_status");
	ck_assert_str_eq(json_string_value(member(status, "signal")), "USR1");
	ck_assert(json_is_false(member(status, "core_dumped")));
	json_decref(report);
}
END_TEST

START_TEST(json_tells_that_nothing_ran)
{
	const char *file = support_path("report");
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--report=json", "--report-file", file,
					 "/no/such/command") };
	struct support_run r;
	json_t *report;
	char *text;

	ck_assert_int_eq(support_call(&r, &c), 127);
	support_finish(&r);
	text = support_slurp(file);
	report = parse(text);
	free(text);
	ck_assert(json_is_null(member(report, "command_status")));
	ck_assert_int_eq(json_integer_value(member(report, "exit_status")),
	    127);
	ck_assert(has_cause(report, "command"));
	json_decref(report);
}
END_TEST

START_TEST(level_is_told_where_one_was_reached)
{
	struct support_command c = { 0 };
	struct support_run r;
	json_t *report;

	c.argv = ARGV(support_grouper(), "run", "--report=json", "--contain",
	    "reaper", "--cwd", "/no/such/directory", "true");
	ck_assert_int_eq(support_call(&r, &c), 125);
	report = parse(strchr(r.stderr_text.data, '{'));
	ck_assert_str_eq(json_string_value(member(report, "contain")),
	    "reaper");
	json_decref(report);
	support_finish(&r);
	c.argv = ARGV(support_grouper(), "run", "--report=json", "--stdin",
	    "/no/such/file", "true");
	ck_assert_int_eq(support_call(&r, &c), 125);
	report = parse(strchr(r.stderr_text.data, '{'));
	ck_assert(json_is_null(member(report, "contain")));
	json_decref(report);
	support_finish(&r);
}
END_TEST

START_TEST(every_cause_is_told)
{
	struct support_command c = { 0 };
	json_t *report;

	c.argv = ARGV(support_grouper(), "run", "-q", "--report=json",
	    "--timeout", "0.1", "sleep", "60");
	report = report_of(&c, 124);
	ck_assert(has_cause(report, "timeout"));
	ck_assert(has_cause(report, "command"));
	ck_assert(!has_cause(report, "leaks"));
	json_decref(report);
	c.argv = ARGV(support_grouper(), "run", "-q", "--report=json",
	    "--leaks=wait", "--timeout", "2", "--", "sh", "-c",
	    "sleep 60 & exit 2");
	report = report_of(&c, 124);
	ck_assert(has_cause(report, "timeout"));
	ck_assert(has_cause(report, "command"));
	ck_assert_uint_eq(json_array_size(member(report, "leaks")), 1);
	json_decref(report);
}
END_TEST

START_TEST(signal_and_death_of_the_leader_are_causes)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--report=json", "--", "sh", "-c",
					 "echo up; sleep 60") };
	struct support_run r;
	json_t *report;
	pid_t leader;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 143);
	report = parse(r.stderr_text.data);
	ck_assert(has_cause(report, "signal"));
	json_decref(report);
	support_finish(&r);

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 120);
	report = parse(strchr(r.stderr_text.data, '{'));
	ck_assert(has_cause(report, "leader_died"));
	assert_untold(report);
	json_decref(report);
	support_finish(&r);
}
END_TEST

START_TEST(text_says_what_is_unknown)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--report", "--", "sh", "-c",
					 "echo up; sleep 60") };
	struct support_run r;
	pid_t leader;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 120);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    " s, user unknown, system unknown, peak memory unknown, "
	    "unknown processes, 0 leaks"));
	support_finish(&r);
}
END_TEST

/* A copy of setpriv(1) that may become root; false if there is none. */
static bool
make_privileged(const char *path)
{
	struct support_run r;
	struct stat st;

	support_execute(&r, "sh", "-c",
	    "cp \"$(command -v setpriv)\" \"$0\" && chmod 4755 \"$0\" && "
	    "! findmnt -n -o OPTIONS -T \"$0\" | grep -q nosuid",
	    path, NULL);
	support_finish(&r);
	return r.status == 0 && stat(path, &st) == 0 &&
	    (st.st_mode & S_ISUID) != 0;
}

START_TEST(what_cannot_be_killed_is_listed)
{
	const char *program = support_path("privileged"), *why;
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--report=json",
		    "--shutdown", "brutal_kill", "--", "sh", "-c",
		    "\"$0\" --reuid=0 sh -c 'echo up; exec sleep 600' & "
		    "read x; until test \"$(cat /proc/$!/comm)\" = sleep; "
		    "do :; done",
		    program)
	};
	struct support_run r;
	json_t *report, *list;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	if (!make_privileged(program))
		SUPPORT_SKIP("no set-uid programs here");
	c.uid = support_user();
	c.input_open = true;
	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_feed(&r, "\n");
	ck_assert_int_eq(support_wait(&r), 123);
	report = parse(strchr(r.stderr_text.data, '{'));
	ck_assert(has_cause(report, "unkillable"));
	assert_untold(report);
	list = member(report, "unkillable");
	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert_ptr_nonnull(strstr(
	    json_string_value(member(json_array_get(list, 0), "command")),
	    "sleep 600"));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "grouper: unkillable: pid "));
	kill((pid_t)json_integer_value(member(json_array_get(list, 0), "pid")),
	    SIGKILL);
	json_decref(report);
	support_await_no_survivors(5000);
	support_finish(&r);
}
END_TEST

START_TEST(report_goes_to_a_file)
{
	const char *file = support_file("report", 0644, "what was there");
	struct support_run r;
	char *text;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--report-file",
			     file, "true", NULL),
	    0);
	ck_assert_str_eq(r.stderr_text.data, "");
	text = support_slurp(file);
	ck_assert_ptr_eq(strstr(text, "grouper: default: exit 0 "), text);
	ck_assert_ptr_null(strstr(text, "what was there"));
	free(text);
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--report-file",
			     "/dev/full", "true", NULL),
	    125);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "cannot write the report"));
	support_finish(&r);
}
END_TEST

START_TEST(bytes_that_are_no_text_do_no_harm)
{
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--report=json", "--",
		    "sh", "-c", "exit 0", "a\xff\xc3\xa4\xe2", "\033[31m\n")
	};
	json_t *report = report_of(&c, 0), *command;
	struct support_run r;

	command = member(report, "command");
	ck_assert_str_eq(json_string_value(json_array_get(command, 3)),
	    "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
	json_decref(report);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run",
			     "no\033[31m\nsuch", NULL),
	    127);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "no?[31m?such"));
	support_finish(&r);
}
END_TEST

static const char *
how(const json_t *report, const char *mark)
{
	json_t *leak;
	size_t i;

	json_array_foreach(member(report, "leaks"), i, leak)
		if (strstr(json_string_value(member(leak, "command")), mark) !=
		    NULL)
			return json_string_value(member(leak, "how"));
	return "not listed";
}

START_TEST(leaks_are_told_by_how_they_got_away)
{
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--report=json", "--",
		    "sh", "-c", leaky, "sh", support_path("fifo"), stay)
	};
	json_t *report = report_of(&c, 0), *leak;

	ck_assert_str_eq(how(report, "in-background"), "background job");
	ck_assert_str_eq(how(report, "in-session"), "new session");
	ck_assert_str_eq(how(report, "in-daemon"), "double fork");
	ck_assert_str_eq(how(report, "in-pgroup"), "own process group");
	leak = json_array_get(member(report, "leaks"), 0);
	ck_assert_int_gt(json_integer_value(member(leak, "pid")), 1);
	ck_assert_int_gt(json_integer_value(member(leak, "ppid")), 1);
	ck_assert_int_gt(json_integer_value(member(leak, "pgid")), 1);
	ck_assert_int_gt(json_integer_value(member(leak, "sid")), 1);
	ck_assert(json_is_real(member(leak, "age_seconds")));
	json_decref(report);
}
END_TEST

START_TEST(child_of_a_leak_got_away_with_it)
{
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--report=json", "--",
		    "sh", "-c",
		    "mkfifo \"$1\"; exec 3<>\"$1\"; "
		    "setsid sh -c 'sh -c \"$0\" a-child & wait' \"$2\" & "
		    "read x <&3",
		    "sh", support_path("fifo"), stay)
	};
	json_t *report = report_of(&c, 0);

	ck_assert_str_eq(how(report, "a-child"), "new session");
	json_decref(report);
}
END_TEST

START_TEST(leaks_warn_tells_and_changes_nothing)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--leaks=warn",
			     "--", "sh", "-c", "sleep 60 & exit 0", NULL),
	    0);
	ck_assert_ptr_eq(strstr(r.stderr_text.data, "grouper: leak: pid "),
	    r.stderr_text.data);
	support_assert_no_survivors();
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "-q",
			     "--leaks=warn", "--", "sh", "-c",
			     "sleep 60 & exit 0", NULL),
	    0);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(leaks_kill_tells_nothing)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--", "sh",
			     "-c", "sleep 60 & exit 0", NULL),
	    0);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(leaks_wait_lets_them_end)
{
	const char *mark = support_path("mark");
	char script[700];
	struct support_run r;

	snprintf(script, sizeof(script), "(sleep 0.3; echo done >%s) & exit 4",
	    mark);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--leaks=wait",
			     "--", "sh", "-c", script, NULL),
	    4);
	ck_assert_int_eq(access(mark, F_OK), 0);
	support_finish(&r);
}
END_TEST

START_TEST(leaks_wait_ends_on_term)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--leaks=wait", "-v", "--", "sh", "-c",
					 "sleep 60 & exit 4") };
	struct support_run r;

	support_start(&r, &c);
	support_await_stderr(&r, "waiting for 1 processes");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 4);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(what_is_waited_for_is_told_on_a_terminal)
{
	struct support_pty pty;
	struct support_command c = { .pty = &pty };
	struct support_run r;

	support_pty_open(&pty);
	c.argv = ARGV(support_grouper(), "run", "--shutdown", "TERM 1h, KILL",
	    "--", "sh", "-c",
	    "trap '' TERM; echo up; while :; do sleep 0.1; done");
	support_start(&r, &c);
	support_pty_expect(&pty, "up");
	support_signal(&r, SIGTERM);
	support_pty_expect(&pty, "grouper: waiting for pid ");
	support_pty_expect(&pty, "(sh)");
	support_pty_expect(&pty, " s\r\n");
	support_pty_expect(&pty, "grouper: waiting for pid ");
	support_signal(&r, SIGTERM); /* at least a second after the first */
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	support_finish(&r);
	support_pty_close(&pty);
}
END_TEST

START_TEST(nothing_is_told_without_a_terminal)
{
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--shutdown",
		    "TERM 1500ms, KILL", "--", "sh", "-c",
		    "trap '' TERM; echo up; while :; do sleep 0.1; done")
	};
	struct support_run r;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(verbose_tells_what_happens)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "-v", "true",
			     NULL),
	    0);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "started"));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "empty"));
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("report");
	TCase *tc;

	tc = support_case(suite, "report");
	tcase_add_test(tc, text_tells_what_became_of_the_command);
	tcase_add_test(tc, json_has_every_field);
	tcase_add_test(tc, json_tells_a_signal);
	tcase_add_test(tc, json_tells_that_nothing_ran);
	tcase_add_test(tc, level_is_told_where_one_was_reached);
	tcase_add_test(tc, every_cause_is_told);
	tcase_add_test(tc, signal_and_death_of_the_leader_are_causes);
	tcase_add_test(tc, text_says_what_is_unknown);
	tcase_add_test(tc, what_cannot_be_killed_is_listed);
	tcase_add_test(tc, report_goes_to_a_file);
	tcase_add_test(tc, bytes_that_are_no_text_do_no_harm);
	tc = support_case(suite, "leaks");
	tcase_add_test(tc, leaks_are_told_by_how_they_got_away);
	tcase_add_test(tc, child_of_a_leak_got_away_with_it);
	tcase_add_test(tc, leaks_warn_tells_and_changes_nothing);
	tcase_add_test(tc, leaks_kill_tells_nothing);
	tcase_add_test(tc, leaks_wait_lets_them_end);
	tcase_add_test(tc, leaks_wait_ends_on_term);
	tc = support_case(suite, "messages");
	tcase_add_test(tc, what_is_waited_for_is_told_on_a_terminal);
	tcase_add_test(tc, nothing_is_told_without_a_terminal);
	tcase_add_test(tc, verbose_tells_what_happens);
	return support_main(suite, NULL);
}
