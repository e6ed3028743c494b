/* SPDX-License-Identifier: ISC */
/*
 * What `grouper run` tells while it stops a group: the steps as they are
 * sent, what lived at the time limit, and what becomes of orphans.
 */
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static bool
passed(void *arg)
{
	return support_now() >= *(long long *)arg;
}

/* That each follows the one before it. */
static void
assert_in_order(const char *text, const char *const *parts)
{
	const char *at = text;

	for (; *parts != NULL; parts++) {
		at = strstr(at, *parts);
		ck_assert_msg(at != NULL, "no '%s' in its place: %s", *parts,
		    text);
		at += strlen(*parts);
	}
}

START_TEST(verbose_tells_each_stop_step)
{
	static const char *const parts[] = { "started", "time limit of 300ms",
		"default: TERM to the process group, 100 ms\n",
		"default: INT to every process, 1 s\n",
		"default: KILL to every process\n", "default: empty\n", NULL };
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "-v",
			     "--timeout", "300ms", "--shutdown",
			     "TERM 100ms, INT 1s, KILL", "sh", "-c",
			     "trap '' TERM INT; while :; do sleep 60; done",
			     NULL),
	    124);
	assert_in_order(r.stderr_text.data, parts);
	support_finish(&r);
}
END_TEST

START_TEST(verbose_tells_what_a_step_left_out)
{
	static const char *const parts[] = { "TERM to the command, 3600 s\n",
		"TERM to the rest, ", "default: empty\n", NULL };
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "-v",
			     "--timeout", "0.1", "--stop-target", "command",
			     "--shutdown", "TERM 1h, KILL", "sh", "-c",
			     "setsid sleep 60 & exec sleep 60", NULL),
	    124);
	assert_in_order(r.stderr_text.data, parts);
	support_finish(&r);
}
END_TEST

START_TEST(verbose_tells_the_steps_of_orphans)
{
	static const char *const parts[] = { "died: ending what it led\n",
		"default: TERM to every process, 50 ms\n",
		"default: KILL to every process\n", "default: empty\n", NULL };
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "-v", "--shutdown", "TERM 50ms, KILL",
					 "sh", "-c",
					 "trap '' TERM; echo up; "
					 "while :; do sleep 60; done") };
	struct support_run r;
	pid_t leader;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 120);
	assert_in_order(r.stderr_text.data, parts);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

/* Orphans get no signal of their own from a keyboard: TERM insists. */
START_TEST(orphans_that_are_waited_for_are_killed_on_request)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--shutdown", "infinity", "sh", "-c",
					 "trap '' TERM; echo up; "
					 "while :; do sleep 60; done") };
	struct support_run r;
	long long then;
	pid_t leader;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	support_await_stderr(&r, "died");
	then = support_now() + 1100;
	support_until(passed, &then, 10000);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 120);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

/* Each leaves the process group that it was put in, and executes $0. */
static const char *const leavers[] = {
	"exec setsid \"$0\"",
	"exec timeout 60 \"$0\"",
	"exec python3 -c 'import os, signal, sys\n"
	"child = os.fork() or signal.pause()\n"
	"os.setpgid(child, child)\n"
	"os.setpgid(0, child)\n"
	"os.execv(sys.argv[1], sys.argv[1:])' \"$0\"",
};
#define NLEAVERS ((int)(sizeof(leavers) / sizeof(leavers[0])))

static bool
has_python(void)
{
	struct support_run r;
	int status;

	status = support_execute(&r, "sh", "-c", "command -v python3", NULL);
	support_finish(&r);
	return status == 0;
}

static void
start_leaver(struct support_run *r, const char *leaver)
{
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--session", "keep", "--shutdown",
					 "TERM 1h, KILL", "--", "sh", "-c",
					 leaver, support_path("command")) };

	support_file("command", 0755,
	    "#!/bin/sh\n"
	    "trap 'echo asked >\"$0.asked\"; exit' TERM\n"
	    "echo up\n"
	    "while :; do sleep 0.01; done\n");
	support_start(r, &c);
	support_await_stdout(r, "up");
}

START_TEST(command_is_asked_in_the_group_it_went_to)
{
	struct support_run r;

	if (strstr(leavers[_i], "python3") != NULL && !has_python())
		SUPPORT_SKIP("no python3");
	start_leaver(&r, leavers[_i]);
	support_signal(&r, SIGTERM);
	support_wait(&r); /* timeout(1) that has just forked ends with 143 */
	support_await_file(support_path("command.asked"), "asked");
	support_finish(&r);
}
END_TEST

START_TEST(without_a_host_it_is_asked_there_as_well)
{
	struct support_run r;

	if (strstr(leavers[_i], "python3") != NULL && !has_python())
		SUPPORT_SKIP("no python3");
	start_leaver(&r, leavers[_i]);
	support_signal(&r, SIGKILL);
	support_wait(&r);
	support_await_file(support_path("command.asked"), "asked");
	support_await_no_survivors(5000);
	support_finish(&r);
}
END_TEST

START_TEST(time_limit_names_what_is_alive)
{
	struct support_run r;
	char wanted[128];
	long pid;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "2", "sh", "-c", "sleep 60 & echo child=$!; wait",
			     NULL),
	    124);
	pid = support_number(r.stdout_text.data, "child=");
	ck_assert_ptr_eq(strstr(r.stderr_text.data,
			     "grouper run: time limit of 2s: stopping "),
	    r.stderr_text.data);
	snprintf(wanted, sizeof(wanted), "%ld (sleep)", pid);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, wanted));
	ck_assert_str_eq(strchr(r.stderr_text.data, '\n'), "\n");
	support_finish(&r);
}
END_TEST

START_TEST(time_limit_names_so_many)
{
	struct support_run r;
	const char *end;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "1500ms", "sh", "-c",
			     "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; "
			     "wait",
			     NULL),
	    124);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "time limit of 1500ms: stopping 10 processes: "));
	end = strstr(r.stderr_text.data, "(sleep), ...\n");
	ck_assert_ptr_nonnull(end);
	support_finish(&r);
}
END_TEST

START_TEST(time_limit_is_in_the_report_alone_if_quiet)
{
	struct support_run r;
	json_t *report, *list;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "-q",
			     "--timeout", "500ms", "--report=json", "sh", "-c",
			     "sleep 60 & wait", NULL),
	    124);
	report = json_loads(r.stderr_text.data, 0, NULL);
	ck_assert_msg(report != NULL, "%s", r.stderr_text.data);
	list = json_object_get(report, "alive_at_timeout");
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list,
							       1),
			     "command")),
	    "sleep 60");
	json_decref(report);
	support_finish(&r);
}
END_TEST

/*
 * The group that outlives its time limit, TERM being ignored from its first
 * instruction, loses its leader as well.
 */
START_TEST(dead_leader_outranks_the_time_limit)
{
	struct support_command c = {
		.argv = ARGV("sh", "-c",
		    "trap '' TERM; exec \"$0\" run --timeout 1s "
		    "--shutdown infinity --report=json sh -c 'read x'",
		    support_grouper()),
		.input_open = true,
	};
	struct support_run r;
	pid_t leader;

	support_start(&r, &c);
	support_await_stderr(&r, "time limit of 1s");
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	support_await_stderr(&r, "died");
	support_feed_end(&r);
	ck_assert_int_eq(support_wait(&r), 120);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "\"leader_died\""));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "\"timeout\""));
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

/* Held for a report, or stopped by the leader itself. */
START_TEST(limit_holds_while_leftovers_are_stopped)
{
	static const char script[] =
	    "mkfifo \"$0\"; exec 3<>\"$0\"; "
	    "(trap '' TERM; echo >&3; exec sleep 600) & read x <&3";
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--timeout",
			     "2", "--shutdown", "infinity",
			     _i == 0 ? "--leaks=kill" : "--leaks=warn", "--",
			     "sh", "-c", script, support_path("fifo"), NULL),
	    124);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "time limit of 2s: stopping 1 process"));
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stopping");
	TCase *tc;

	tc = support_case(suite, "steps");
	tcase_add_test(tc, verbose_tells_each_stop_step);
	tcase_add_test(tc, verbose_tells_what_a_step_left_out);
	tcase_add_test(tc, verbose_tells_the_steps_of_orphans);
	tcase_add_test(tc, orphans_that_are_waited_for_are_killed_on_request);
	tc = support_case(suite, "process groups");
	tcase_add_loop_test(tc, command_is_asked_in_the_group_it_went_to, 0,
	    NLEAVERS);
	tcase_add_loop_test(tc, without_a_host_it_is_asked_there_as_well, 0,
	    NLEAVERS);
	tc = support_case(suite, "time limit");
	tcase_add_test(tc, time_limit_names_what_is_alive);
	tcase_add_test(tc, time_limit_names_so_many);
	tcase_add_test(tc, time_limit_is_in_the_report_alone_if_quiet);
	tcase_add_test(tc, dead_leader_outranks_the_time_limit);
	tcase_add_loop_test(tc, limit_holds_while_leftovers_are_stopped, 0, 2);
	return support_main(suite, NULL);
}
