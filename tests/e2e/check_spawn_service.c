/* SPDX-License-Identifier: ISC */
/*
 * What a spawned group may have of a daemon's: readiness, watchdog, commands
 * around its life, environment files, what counts as success.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define ONE "children:\n  - {id: a, command: [sleep, '1000']}\n"

static struct tree tree;

static void
begin(void)
{
	tree_start(&tree, ONE);
	tree_await_ready("a");
}

static void
end(void)
{
	tree_stop(&tree, 0);
}

/* A script that must be refused with this line. */
static void
refuses(int status, const char *line, const char *text)
{
	struct support_run r;

	ck_assert_int_eq(tree_script(&r, text), status);
	ck_assert_str_eq(r.stdout_text.data, "");
	ck_assert_str_eq(r.stderr_text.data, line);
	support_finish(&r);
}

/* Readiness */

START_TEST(a_command_tells_that_it_is_ready)
{
	tree_script_prints(0, "x\nwaiting\n",
	    "$G spawn --key x --ready 'exec:test -e go' sleep 1000 && "
	    "$G status x | sed -n 's/.*x  *\\(waiting\\).*/\\1/p'");
	tree_script_prints(0, "", ">go; $G wait --ready x");
}
END_TEST

START_TEST(a_line_of_its_log_tells_that_it_is_ready)
{
	tree_script_prints(0, "",
	    "$G spawn -q --key x --log prefix --ready 'log:^up [0-9]+$' -- "
	    "sh -c 'echo up 12; exec sleep 1000' && $G wait --ready x");
}
END_TEST

START_TEST(a_line_that_the_host_does_not_read_is_refused)
{
	refuses(1,
	    "grouper spawn: x: ready: with log: inherit nobody reads its "
	    "lines: expected another log\n",
	    "$G spawn --key x --ready log:up sleep 1000");
	refuses(1,
	    "grouper spawn: x: ready: with log: inherit nobody reads its "
	    "lines: expected another log\n",
	    "$G spawn --key x --log inherit --ready log:up sleep 1000");
}
END_TEST

START_TEST(a_wrong_pattern_is_refused)
{
	refuses(1,
	    "grouper spawn: x: ready: expected a regular expression: "
	    "Unmatched ( or \\(\n",
	    "$G spawn --key x --log prefix --ready 'log:(' sleep 1000");
	refuses(1,
	    "grouper spawn: x: ready: expected a regular expression: "
	    "back-references are not supported\n",
	    "$G spawn --key x --log prefix --ready 'log:(a)\\1' sleep 1000");
	refuses(1,
	    "grouper spawn: x: ready: expected a regular expression: "
	    "it is too long\n",
	    "$G spawn --key x --log prefix --ready 'log:a{255}{255}' true");
}
END_TEST

START_TEST(an_unknown_readiness_is_refused)
{
	static const char *const values[] = { "soon", "fd:2", "fd:8", "fd:x",
		"exec:", "log:", "" };
	char script[128], line[200];
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(script, sizeof(script), "$G spawn --ready '%s' true",
		    values[i]);
		snprintf(line, sizeof(line),
		    "grouper spawn: --ready: expected started, notify, fd:N, "
		    "N from 3 to 1023 but not 8 and 9, exec:TEXT or "
		    "log:REGEX, got '%s'\n",
		    values[i]);
		refuses(2, line, script);
	}
}
END_TEST

START_TEST(one_that_is_silent_is_stopped)
{
	tree_script_prints(143, "",
	    "$G spawn -q --key x --watchdog 100ms sleep 1000; $G wait x");
}
END_TEST

/* Commands around it */

START_TEST(a_command_runs_before_it_starts)
{
	tree_script_prints(0, "before\nit\n",
	    "$G spawn -q --key x --start-pre 'echo before' echo it && "
	    "$G wait x");
}
END_TEST

START_TEST(what_fails_before_it_starts_is_told)
{
	refuses(1, "grouper spawn: x: start_pre failed\n",
	    "$G spawn --key x --start-pre 'exit 3' sleep 1000");
}
END_TEST

START_TEST(a_command_runs_before_it_stops)
{
	tree_script_prints(0, "bye\n",
	    "$G spawn -q --key x --stop-pre 'echo bye >stopped' "
	    "sleep 1000 && $G stop x && cat stopped");
}
END_TEST

START_TEST(of_one_that_keeps_its_output_commands_have_it_too)
{
	tree_script_prints(0, "bye\n",
	    "{ $G spawn -q --key x --restart permanent --stop-pre 'echo bye' "
	    "sleep 1000 && $G stop x && $G delete x; } | cat");
}
END_TEST

START_TEST(a_command_runs_at_a_reload)
{
	tree_script_prints(0, "",
	    "mkfifo p && $G spawn -q --key x --reload-command 'echo >p' "
	    "sleep 1000 && $G reload >/dev/null && read line <p");
}
END_TEST

START_TEST(an_empty_command_is_refused)
{
	refuses(2,
	    "grouper spawn: --start-pre: expected a command for /bin/sh\n",
	    "$G spawn --start-pre ' ' true");
	refuses(2,
	    "grouper spawn: --stop-pre: expected a command for /bin/sh\n",
	    "$G spawn --stop-pre '' true");
	refuses(2,
	    "grouper spawn: --reload-command: expected a command for "
	    "/bin/sh\n",
	    "$G spawn --reload-command '' true");
}
END_TEST

/* Environment and success */

START_TEST(variables_come_from_a_file_and_options_win)
{
	tree_script_prints(0, "1 two\n",
	    "printf 'A=1\\nB=2\\n' >env && $G spawn -q --key x --env B=two "
	    "--env-file env -- sh -c 'echo $A $B' && $G wait x");
}
END_TEST

START_TEST(a_wrong_file_of_variables_is_refused)
{
	refuses(1, "grouper spawn: env:2: expected NAME=VALUE\n",
	    "printf 'A=1\\nB C\\n' >env; $G spawn --env-file env true");
	refuses(1,
	    "grouper spawn: cannot read the environment file none: "
	    "No such file or directory\n",
	    "$G spawn --env-file none true");
}
END_TEST

START_TEST(a_status_that_is_a_success_is_not_restarted)
{
	tree_script_prints(3, "",
	    "$G spawn -q --key x --restart transient --success 0,3 -- "
	    "sh -c 'exit 3'; $G wait x");
	tree_expect_state("x", "done");
}
END_TEST

START_TEST(a_status_that_is_none_is_refused)
{
	refuses(2,
	    "grouper spawn: --success: expected exit statuses from 0 to 255, "
	    "such as 0,75, got '256'\n",
	    "$G spawn --success 0,256 true");
	refuses(2,
	    "grouper spawn: --success: expected exit statuses from 0 to 255, "
	    "such as 0,75, got ''\n",
	    "$G spawn --success '' true");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spawn service");
	TCase *tc = support_case(suite, "service");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_command_tells_that_it_is_ready);
	tcase_add_test(tc, a_line_of_its_log_tells_that_it_is_ready);
	tcase_add_test(tc, a_line_that_the_host_does_not_read_is_refused);
	tcase_add_test(tc, a_wrong_pattern_is_refused);
	tcase_add_test(tc, an_unknown_readiness_is_refused);
	tcase_add_test(tc, one_that_is_silent_is_stopped);
	tcase_add_test(tc, a_command_runs_before_it_starts);
	tcase_add_test(tc, what_fails_before_it_starts_is_told);
	tcase_add_test(tc, a_command_runs_before_it_stops);
	tcase_add_test(tc, of_one_that_keeps_its_output_commands_have_it_too);
	tcase_add_test(tc, a_command_runs_at_a_reload);
	tcase_add_test(tc, an_empty_command_is_refused);
	tcase_add_test(tc, variables_come_from_a_file_and_options_win);
	tcase_add_test(tc, a_wrong_file_of_variables_is_refused);
	tcase_add_test(tc, a_status_that_is_a_success_is_not_restarted);
	tcase_add_test(tc, a_status_that_is_none_is_refused);
	return support_main(suite, NULL);
}
