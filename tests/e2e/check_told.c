/* SPDX-License-Identifier: ISC */
/*
 * What a running tree tells of itself: states, restarts, decisions and errors.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

static json_int_t
number_of(const char *key, const char *name)
{
	json_t *child = tree_child(key), *value = json_object_get(child, name);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) :
						     -1;

	json_decref(child);
	return number;
}

/* The texts of events about a child, of those that hold a word. */
static void
expect_events(const char *key, const char *word, const char *texts)
{
	char script[256];

	snprintf(script, sizeof(script),
	    "$G events --since 1 --no-follow | grep -o ' %s: .*%s.*'", key,
	    word);
	tree_script_prints(0, texts, script);
}

START_TEST(a_stop_has_a_cause)
{
	struct tree tree;

	tree_start(&tree,
	    "strategy: rest_for_one\nchildren:\n" TREE_LIVES("a")
		TREE_LIVES("b") TREE_LIVES("c"));
	tree_await_ready("");
	tree_expect(0, ARGV("restart", "c"));
	tree_expect(0, ARGV("stop", "c"));
	expect_events("c", "stopping",
	    " c: stopping: to restart, by request\n"
	    " c: stopping: by request\n");
	tree_expect(0, ARGV("signal", "KILL", "a"));
	tree_await_event("b", "started", 2);
	expect_events("b", "stopping",
	    " b: stopping: restarting with a (rest_for_one)\n");
	tree_write("children:\n" TREE_LIVES("a"));
	tree_expect(0, ARGV("reload"));
	tree_await_event("b", "removed", 1);
	expect_events("b", "stopping: rem",
	    " b: stopping: removed by a reload\n");
	support_signal(&tree.host, SIGTERM);
	tree_end(&tree, 0);
}
END_TEST

START_TEST(the_end_of_the_tree_is_a_cause)
{
	struct support_run r;
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: n, supervisor: {children: [{id: c, "
	    "command: [sleep, '1000']}]}}\n");
	tree_await_ready("");
	support_start(&r,
	    &(struct support_command) {
		.argv = ARGV(support_grouper(), "events", "--since", "1"),
		.directory = support_directory() });
	support_await_stdout(&r, " n/c: ready");
	support_signal(&tree.host, SIGTERM);
	support_await_stdout(&r, " n/c: stopping: the tree ends\n");
	support_wait(&r);
	support_finish(&r);
	tree_end(&tree, 0);
}
END_TEST

START_TEST(a_failed_supervisor_is_a_cause)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - id: n\n"
	    "    supervisor:\n"
	    "      intensity: 0\n"
	    "      children:\n"
	    "        - {id: a, command: [sleep, '1000']}\n"
	    "        - {id: b, command: [sleep, '1000']}\n");
	tree_await_ready("");
	tree_expect(0, ARGV("signal", "KILL", "n/b"));
	tree_await_event("n/a", "started", 2);
	expect_events("n/a", "stopping",
	    " n/a: stopping: intensity exceeded by n/b: restart 1 within 5s, "
	    "0 allowed: ended by SIGKILL\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(why_one_that_ended_is_not_restarted_is_told)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: t, restart: transient, command: ['true']}\n");
	tree_await_event("t", "done", 1);
	expect_events("t", "not",
	    " t: not restarted: it is transient and ended normally\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_a_reload_restarts_for_is_told)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a"));
	tree_await_ready("");
	tree_write("children:\n"
		   "  - {id: a, log: discard, command: [sleep, '1000']}\n");
	tree_expect(0, ARGV("reload"));
	tree_await_event("a", "started", 2);
	expect_events("a", "another",
	    " a: another log\n a: stopping: another log\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Its end is the moment when the pause begins. */
#define PAUSES(pause) \
	"children:\n" \
	"  - id: n\n" \
	"    supervisor:\n" \
	"      intensity: 0\n" \
	"      on_limit: cooldown " pause "\n" \
	"      children:\n" \
	"        - {id: c, command: [sleep, '1000']}\n"

START_TEST(a_supervisor_that_pauses_is_restarting)
{
	struct tree tree;
	char *out;

	tree_start(&tree, PAUSES("1h"));
	tree_await_ready("");
	tree_expect_state("n", "running");
	tree_expect(0, ARGV("signal", "KILL", "n/c"));
	tree_await_event("n", "cooldown", 1);
	tree_expect_state("n", "restarting");
	ck_assert_int_gt(number_of("n", "retry_ms"), 0);
	ck_assert_int_eq(tree_ask(&out, ARGV("status", "n")), 0);
	ck_assert_msg(strstr(out, "pausing") != NULL ||
		strstr(out, "intensity exceeded by n/c") != NULL,
	    "%s", out);
	ck_assert_msg(strstr(out, ", again in ") != NULL, "%s", out);
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_supervisor_that_pauses_is_not_ready)
{
	static const char *const keys[] = { "n", "" };
	struct tree tree;

	tree_start(&tree, PAUSES("1h"));
	tree_await_ready("");
	tree_expect(0, ARGV("signal", "KILL", "n/c"));
	tree_await_event("n", "cooldown", 1);
	tree_expect(124,
	    ARGV("wait", "--ready", "--timeout", "50ms", keys[_i]));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_supervisor_is_ready_again_after_its_pause)
{
	struct tree tree;

	tree_start(&tree, PAUSES("100ms"));
	tree_await_ready("");
	tree_expect(0, ARGV("signal", "KILL", "n/c"));
	tree_await_event("n", "cooldown", 1);
	tree_expect(0, ARGV("wait", "--ready", "n", ""));
	tree_expect_state("n/c", "running");
	tree_expect_state("n", "running");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(status_tells_how_much_of_the_intensity_is_used_up)
{
	struct tree tree;
	char *out;

	tree_start(&tree,
	    "intensity: 7\nperiod: 1h\nchildren:\n" TREE_LIVES("a")
		TREE_LIVES("b"));
	tree_await_ready("");
	ck_assert_int_eq(number_of("", "restarts_in_period"), 0);
	tree_expect(0, ARGV("signal", "KILL", "a", "b"));
	tree_await_event("a", "started", 2);
	tree_await_event("b", "started", 2);
	ck_assert_int_eq(number_of("", "restarts_in_period"), 2);
	ck_assert_int_eq(number_of("", "intensity"), 7);
	ck_assert_int_eq(number_of("", "period_ms"), 3600000);
	ck_assert_int_eq(number_of("a", "restarts"), 1);
	ck_assert_int_eq(number_of("a", "restarts_in_period"), -1);
	ck_assert_int_eq(tree_ask(&out, ARGV("status")), 0);
	ck_assert_msg(strstr(out, "  0 (2/7 in 1 h 0 m)") != NULL, "%s", out);
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

/* Lines */

#define LONG_LINE \
	"{id: b, restart: transient, " \
	"shell: 'printf \"a\\tb\\033[1m%05000d\\n\" 7'}\n"

START_TEST(a_line_of_a_child_is_printed_whole)
{
	char expected[5100];
	struct tree tree;

	tree_start(&tree,
	    "name: shop\nchildren:\n" TREE_LIVES("a") "  - " LONG_LINE);
	tree_await_event("b", "ended", 1);
	snprintf(expected, sizeof(expected), "b | a\tb\033[1m%05000d\n", 7);
	tree_prints(expected, ARGV("logs", "b"));
	snprintf(expected, sizeof(expected), "b | a\tb^[[1m%05000d\r\n", 7);
	tree_prints(expected,
	    ARGV("run", "--pty", "--stdin", "null", support_grouper(), "logs",
		"--host", "shop", "b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_signal_s_reload_shows_what_is_wrong_with_the_file)
{
	struct support_run checked;
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	tree_write("children: []\nchildern: []\n");
	ck_assert_int_eq(tree_script(&checked, "$G check tree.yaml"), 1);
	ck_assert(strstr(checked.stderr_text.data, "\nchildern: []\n^") !=
	    NULL);
	support_signal(&tree.host, SIGHUP);
	support_await_stderr(&tree.host, checked.stderr_text.data);
	support_await_stderr(&tree.host,
	    "grouper supervise: nothing was changed: ");
	support_finish(&checked);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_bad_env_file_is_shown_and_is_a_reason_of_one_line)
{
	struct tree tree;

	support_file("bad.env", 0644, "A=1\nB=\"x\n");
	tree_start(&tree,
	    "children:\n" TREE_LIVES("a") "  - {id: b, autostart: false, "
					  "env_file: '@/bad.env', "
					  "command: ['true']}\n");
	tree_await_ready("a");
	tree_refuses(1, "bad.env:2:3: error: ", ARGV("start", "b"));
	support_await_stderr(&tree.host, "\nB=\"x\n  ^\n");
	ck_assert(strchr(tree.host.stderr_text.data, '?') == NULL);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(options_that_exclude_each_other_are_refused)
{
	tree_refuses(2, "wait: --ready and --empty exclude each other",
	    ARGV("wait", "--empty", "--ready", "a"));
	tree_refuses(2, "wait: --ready and --empty exclude each other",
	    ARGV("wait", "--ready", "--empty", "a"));
	tree_refuses(2, "status: --json and --keys exclude each other",
	    ARGV("status", "--keys", "--json"));
}
END_TEST

/* What is printed, not what is told, of several keys of which one is none. */
static void
expect_json(int status, const char *text, const char *const *argv)
{
	char *out;

	ck_assert_int_eq(tree_ask(&out, argv), status);
	ck_assert_str_eq(out, text);
	free(out);
}

START_TEST(each_key_has_a_json_object_of_its_own)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("");
	expect_json(1,
	    "{\"key\":\"no\",\"error\":\"not found\"}\n"
	    "{\"key\":\"a\",\"status\":0}\n",
	    ARGV("stop", "--json", "no", "a"));
	expect_json(1,
	    "{\"key\":\"b\"}\n{\"key\":\"no\",\"error\":\"not found\"}\n",
	    ARGV("signal", "--json", "CONT", "b", "no"));
	expect_json(1,
	    "{\"key\":\"no\",\"error\":\"not found\"}\n"
	    "{\"key\":\"a\",\"groups\":[]}\n",
	    ARGV("ps", "--json", "no", "a"));
	expect_json(1, "{\"key\":\"no\",\"error\":\"not found\"}\n",
	    ARGV("status", "--json", "no"));
	expect_json(1, "{\"key\":\"no\",\"error\":\"not found\"}\n",
	    ARGV("wait", "--json", "no"));
	expect_json(0, "{\"key\":\"b\",\"status\":0}\n",
	    ARGV("wait", "--json", "--ready", "b"));
	expect_json(124, "{\"key\":\"b\",\"error\":\"not done in time\"}\n",
	    ARGV("wait", "--json", "--timeout", "10ms", "b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_spawn_that_fails_answers_as_json)
{
	static const char why[] = "\"error\":\"cannot execute nonexist: "
				  "No such file or directory\"}\n";
	struct tree tree;
	char text[128];

	tree_start(&tree, "children:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	snprintf(text, sizeof(text), "{\"key\":\"x\",%s", why);
	expect_json(1, text,
	    ARGV("spawn", "--json", "--key", "x", "--log", "prefix",
		"nonexist"));
	snprintf(text, sizeof(text), "{%s", why);
	expect_json(1, text,
	    ARGV("spawn", "--json", "--log", "prefix", "nonexist"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(an_empty_host_announces_itself_as_json)
{
	struct tree tree;
	const char *out;
	json_t *object;

	tree_start_by(&tree, "", ARGV("host", "--json", "--name", "h"));
	support_await_stdout(&tree.host, "}\n");
	out = tree.host.stdout_text.data;
	object = json_loads(out, 0, NULL);
	ck_assert_msg(object != NULL, "%s", out);
	ck_assert_str_eq(json_string_value(json_object_get(object, "host")),
	    "h");
	ck_assert_int_eq(json_integer_value(json_object_get(object, "pid")),
	    tree.host.pid);
	tree_expect(0,
	    ARGV("status", "-s",
		json_string_value(json_object_get(object, "socket"))));
	json_decref(object);
	tree_stop(&tree, 0);
}
END_TEST

/* Nothing else follows from it. */
START_TEST(a_command_beside_that_fails_is_told)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n  - {id: a, command: [sleep, '1000'], "
	    "reload_command: [sh, -c, 'exit 7'], stop_pre: [/nonexistent]}\n");
	tree_await_ready("a");
	tree_expect(0, ARGV("reload"));
	support_await_stderr(&tree.host, "a: reload_command exited with 7\n");
	tree_expect(0, ARGV("stop", "a"));
	support_await_stderr(&tree.host, "a: stop_pre did not run\n");
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("told");
	TCase *tc;

	tc = support_case(suite, "status");
	tcase_add_test(tc, a_supervisor_that_pauses_is_restarting);
	tcase_add_loop_test(tc, a_supervisor_that_pauses_is_not_ready, 0, 2);
	tcase_add_test(tc, a_supervisor_is_ready_again_after_its_pause);
	tcase_add_test(tc, status_tells_how_much_of_the_intensity_is_used_up);
	tc = support_case(suite, "events");
	tcase_add_test(tc, a_stop_has_a_cause);
	tcase_add_test(tc, the_end_of_the_tree_is_a_cause);
	tcase_add_test(tc, a_failed_supervisor_is_a_cause);
	tcase_add_test(tc, why_one_that_ended_is_not_restarted_is_told);
	tcase_add_test(tc, what_a_reload_restarts_for_is_told);
	tc = support_case(suite, "lines");
	tcase_add_test(tc, a_line_of_a_child_is_printed_whole);
	tc = support_case(suite, "errors");
	tcase_add_test(tc, a_signal_s_reload_shows_what_is_wrong_with_the_file);
	tcase_add_test(tc, a_bad_env_file_is_shown_and_is_a_reason_of_one_line);
	tcase_add_test(tc, a_command_beside_that_fails_is_told);
	tcase_add_test(tc, options_that_exclude_each_other_are_refused);
	tc = support_case(suite, "json");
	tcase_add_test(tc, each_key_has_a_json_object_of_its_own);
	tcase_add_test(tc, a_spawn_that_fails_answers_as_json);
	tcase_add_test(tc, an_empty_host_announces_itself_as_json);
	return support_main(suite, NULL);
}
