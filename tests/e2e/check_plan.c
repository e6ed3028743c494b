/* SPDX-License-Identifier: ISC */
/*
 * `grouper plan`: what a reload would do, and that it does nothing.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define CHILD(id, seconds) "  - {id: " id ", command: [sleep, '" seconds "']}\n"

/* What a tree file says of messages. */
#define MESSAGES(value, topics) \
	"config: {v: " value "}\ntopic_groups: {g: [" topics "]}\n"

/* Calls grouper with these arguments; to be finished. */
static int
call(struct support_run *r, const char *const *argv)
{
	const char *words[16] = { support_grouper() };
	struct support_command command = { .argv = words,
		.directory = support_directory() };
	size_t i;

	for (i = 0; argv[i] != NULL; i++) {
		ck_assert_uint_lt(i, 14);
		words[i + 1] = argv[i];
	}
	return support_call(r, &command);
}

/* Calls it and expects a status, and a text in what it prints or tells. */
static void
expect(int status, const char *text, const char *const *argv)
{
	struct support_run r;
	int result = call(&r, argv);

	ck_assert_msg(result == status &&
		(strstr(r.stdout_text.data, text) != NULL ||
		    strstr(r.stderr_text.data, text) != NULL),
	    "status %d: %s%s", result, r.stdout_text.data, r.stderr_text.data);
	support_finish(&r);
}

/* Plans the host's own file, exactly so. */
static void
prints_plan(int status, const char *steps, const char *ignored)
{
	struct support_run r;

	ck_assert_int_eq(call(&r, ARGV("plan", "tree.yaml")), status);
	ck_assert_str_eq(r.stdout_text.data, steps);
	ck_assert_str_eq(r.stderr_text.data, ignored);
	support_finish(&r);
}

static void
expect_script(int status, const char *text, const char *script)
{
	struct support_command command = { .argv = ARGV("sh", "-c", script),
		.directory = support_directory() };
	struct support_run r;
	int result = support_call(&r, &command);

	ck_assert_msg(result == status &&
		(strstr(r.stdout_text.data, text) != NULL ||
		    strstr(r.stderr_text.data, text) != NULL),
	    "status %d: %s%s", result, r.stdout_text.data, r.stderr_text.data);
	support_finish(&r);
}

START_TEST(two_files_are_compared)
{
	struct support_run r;

	support_file("old.yaml", 0644,
	    "children:\n" CHILD("a", "1") CHILD("b", "1") CHILD("c", "1")
		CHILD("d", "1"));
	support_file("new.yaml", 0644,
	    "intensity: 7\n"
	    "children:\n" CHILD("a", "1") CHILD("b",
		"2") "  - {id: c, command: [sleep, '1'], instances: 3}\n"
		     "  - {id: e, command: [sleep, '1']}\n");
	ck_assert_int_eq(call(&r, ARGV("plan", "old.yaml", "new.yaml")), 3);
	ck_assert_str_eq(r.stdout_text.data,
	    "update the tree\nstop d\nrestart b\nscale c 1 -> 3\nstart e\n");
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

/* What a program made: through a pipe. */
START_TEST(a_tree_file_may_come_from_standard_input)
{
	struct support_run r;

	support_file("old.yaml", 0644, "children:\n" CHILD("a", "1"));
	setenv("G", support_grouper(), 1);
	expect_script(0, "", "echo 'children: []' | $G check -");
	expect_script(1, "<stdin>:1:1: error: unknown key 'childern'",
	    "echo 'childern: []' | $G check -");
	expect_script(3, "stop a", "echo 'children: []' | $G plan old.yaml -");
	expect_script(3, "start a", "echo 'children: []' | $G plan - old.yaml");
	ck_assert_int_eq(call(&r, ARGV("plan", "-")), 2);
	support_finish(&r);
}
END_TEST

START_TEST(a_tree_of_standard_input_runs_and_is_not_reloaded)
{
	setenv("G", support_grouper(), 1);
	expect_script(0, "grouper reload: there is no tree file",
	    "echo 'children: [{id: a, command: [sleep, \"1000\"]}]' | "
	    "$G supervise - & h=$!; trap 'kill $h' 0; "
	    "until $G wait --host grouper --ready a 2>/dev/null; do "
	    "kill -0 $h || exit 9; sleep 0.05; done; "
	    "$G reload; kill $h; trap - 0; wait $h");
}
END_TEST

START_TEST(equal_files_change_nothing)
{
	struct support_run r;

	support_file("old.yaml", 0644, "children:\n" CHILD("a", "1"));
	support_file("new.yaml", 0644,
	    "# a comment\nchildren:\n" CHILD("a", "1"));
	ck_assert_int_eq(call(&r, ARGV("plan", "old.yaml", "new.yaml")), 0);
	ck_assert_str_eq(r.stdout_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(steps_are_printed_as_json)
{
	struct support_run r;

	support_file("old.yaml", 0644, "children:\n" CHILD("a", "1"));
	support_file("new.yaml", 0644,
	    "children:\n  - {id: a, command: [sleep, '1'], instances: 2}\n");
	ck_assert_int_eq(call(&r,
			     ARGV("plan", "--json", "old.yaml", "new.yaml")),
	    3);
	ck_assert_str_eq(r.stdout_text.data,
	    "{\"steps\":[{\"change\":\"scale\",\"key\":\"a\",\"from\":1,"
	    "\"to\":2}],\"ignored\":[]}\n");
	support_finish(&r);
}
END_TEST

START_TEST(a_bad_file_is_a_failure)
{
	support_file("old.yaml", 0644, "children:\n" CHILD("a", "1"));
	support_file("bad.yaml", 0644,
	    "children:\n  - {id: a, comand: [sleep, '1']}\n");
	expect(1, "bad.yaml:2:", ARGV("plan", "old.yaml", "bad.yaml"));
	expect(1, "bad.yaml:2:", ARGV("plan", "bad.yaml", "old.yaml"));
	expect(1, "none.yaml", ARGV("plan", "old.yaml", "none.yaml"));
}
END_TEST

START_TEST(what_a_reload_refuses_is_a_failure)
{
	support_file("old.yaml", 0644, "children:\n" CHILD("a", "1"));
	support_file("new.yaml", 0644,
	    "children:\n  - {id: a, supervisor: {children: []}}\n");
	expect(1, "grouper plan: 'a' cannot turn",
	    ARGV("plan", "old.yaml", "new.yaml"));
}
END_TEST

START_TEST(misuse_is_told)
{
	support_file("old.yaml", 0644, "children:\n" CHILD("a", "1"));
	expect(2, "expected a FILE", ARGV("plan"));
	expect(2, "expected a FILE", ARGV("plan", "a", "b", "c"));
	expect(2, "unknown option", ARGV("plan", "--nonsense", "a"));
	expect(2, "--formation", ARGV("plan", "-m", "a=2", "old.yaml"));
	expect(2, "without a host",
	    ARGV("plan", "--host", "x", "old.yaml", "old.yaml"));
	expect(0, "Usage: grouper plan", ARGV("plan", "--help"));
}
END_TEST

START_TEST(a_host_tells_what_its_reload_would_do)
{
	struct tree tree;
	pid_t a;

	tree_start(&tree, "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	a = tree_pid("a");
	support_file("next.yaml", 0644,
	    "children:\n" CHILD("a", "2000") CHILD("b", "1000"));
	expect(3, "restart a\nstart b\n", ARGV("plan", "next.yaml"));
	expect(3, "start b", ARGV("plan", support_path("next.yaml")));
	expect(0, "", ARGV("plan", "tree.yaml"));
	ck_assert_int_eq(tree_pid("a"), a);
	tree_expect(1, ARGV("status", "b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(after_a_reload_the_new_tree_counts)
{
	struct tree tree;

	tree_start(&tree, "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_write("children:\n" CHILD("a", "1000") CHILD("b", "1000"));
	expect(3, "start b", ARGV("plan", "tree.yaml"));
	tree_expect(0, ARGV("reload"));
	expect(0, "", ARGV("plan", "tree.yaml"));
	tree_write("children: [\n");
	tree_expect(1, ARGV("reload"));
	tree_write("children:\n" CHILD("a", "1000"));
	expect(3, "stop b", ARGV("plan", "tree.yaml"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_host_tells_the_problems_of_a_file)
{
	struct tree tree;

	tree_start(&tree, "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	support_file("bad.yaml", 0644,
	    "children:\n  - {id: a, comand: [sleep, '1']}\n");
	expect(1, "bad.yaml:2:", ARGV("plan", "bad.yaml"));
	expect(1, "did you mean", ARGV("plan", "bad.yaml"));
	expect(1, "grouper plan: ", ARGV("plan", "bad.yaml"));
	expect(1, "none.yaml", ARGV("plan", "none.yaml"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_reload_tells_what_it_ignores)
{
	struct support_run r;
	struct tree tree;

	tree_start(&tree, "name: old\nchildren:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_write("name: new\nconfig: {x: 1}\nchildren:\n" CHILD("a", "1000"));
	expect(3, "add config x\n", ARGV("plan", "tree.yaml"));
	expect(3, "grouper plan: ignored: name: a running host keeps its name",
	    ARGV("plan", "tree.yaml"));
	ck_assert_int_eq(call(&r, ARGV("reload")), 0);
	ck_assert_msg(strstr(r.stderr_text.data,
			  "grouper reload: ignored: name: ") != NULL,
	    "%s", r.stderr_text.data);
	support_finish(&r);
	tree_prints("1\n", ARGV("config", "get", "x"));
	tree_write("name: newer\nconfig: {x: 1}\nchildren:\n" CHILD("a",
	    "1000"));
	support_signal(&tree.host, SIGHUP);
	support_await_stderr(&tree.host,
	    "grouper supervise: ignored: name: a running host keeps its name, "
	    "'newer' is for the next\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Whatever the file said in between. */
START_TEST(what_a_reload_did_not_remove_is_not_added)
{
	struct tree tree;

	tree_start(&tree, MESSAGES("1", "t") "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_write("children:\n" CHILD("a", "1000"));
	expect(0, "ignored: topic_groups g: a reload removes no topics\n",
	    ARGV("plan", "tree.yaml"));
	expect(0, "ignored: config v: a reload removes no settings\n",
	    ARGV("reload"));
	tree_write(MESSAGES("1", "t") "children:\n" CHILD("a", "1000"));
	prints_plan(0, "", "");
	tree_write(MESSAGES("2", "t") "children:\n" CHILD("a", "1000"));
	prints_plan(0, "",
	    "grouper plan: ignored: config v: a reload changes no settings\n");
	expect(0,
	    "grouper reload: ignored: config v: a reload changes no settings\n",
	    ARGV("reload"));
	tree_prints("1\n", ARGV("config", "get", "v"));
	prints_plan(0, "", "");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(settings_that_others_made_are_not_changed)
{
	struct tree tree;

	tree_start_by(&tree, "children:\n" CHILD("a", "1000"),
	    ARGV("supervise", "--config", "v=9", "tree.yaml"));
	tree_await_ready("a");
	tree_expect(0, ARGV("config", "put", "w", "{\"a\": 1, \"b\": 2}"));
	tree_write("config: {v: 9, w: {b: 2, a: 1}}\nchildren:\n" CHILD("a",
	    "1000"));
	prints_plan(0, "", "");
	tree_write("config: {v: 9, w: 3}\nchildren:\n" CHILD("a", "1000"));
	prints_plan(0, "",
	    "grouper plan: ignored: config w: a reload changes no settings\n");
	tree_write("config: {v: 1}\nchildren:\n" CHILD("a", "1000"));
	expect(0,
	    "grouper reload: ignored: config v: a reload changes no settings\n",
	    ARGV("reload"));
	tree_prints("9\n", ARGV("config", "get", "v"));
	tree_stop(&tree, 0);
}
END_TEST

/* A file that stays the same has no say in them. */
START_TEST(settings_that_were_changed_since_are_not_told)
{
	struct tree tree;

	tree_start(&tree, MESSAGES("1", "t") "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_expect(0, ARGV("config", "put", "v", "2"));
	tree_expect(0, ARGV("topics", "add", "g", "u"));
	prints_plan(0, "", "");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_verbs_removed_is_added_again)
{
	struct tree tree;

	tree_start(&tree, MESSAGES("1", "t") "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_expect(0, ARGV("config", "delete", "v"));
	tree_expect(0, ARGV("topics", "remove", "g", "t"));
	prints_plan(3, "add topic_groups g\nadd config v\n", "");
	tree_expect(0, ARGV("topics", "delete", "g"));
	prints_plan(3, "add topic_groups g\nadd config v\n", "");
	tree_expect(0, ARGV("reload"));
	prints_plan(0, "", "");
	tree_prints("1\n", ARGV("config", "get", "v"));
	tree_prints("t\n", ARGV("topics", "show", "g"));
	tree_stop(&tree, 0);
}
END_TEST

/* The file and the host agree. */
START_TEST(what_verbs_removed_may_leave_the_file)
{
	struct tree tree;

	tree_start(&tree,
	    MESSAGES("1", "t, u") "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_expect(0, ARGV("config", "delete", "v"));
	tree_expect(0, ARGV("topics", "remove", "g", "u"));
	tree_write("topic_groups: {g: [t]}\nchildren:\n" CHILD("a", "1000"));
	prints_plan(0, "", "");
	tree_expect(0, ARGV("topics", "delete", "g"));
	tree_write("children:\n" CHILD("a", "1000"));
	prints_plan(0, "", "");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_host_without_config_plans_without_it)
{
	struct tree tree;

	tree_start_by(&tree, "config: {v: 1}\nchildren:\n" CHILD("a", "1000"),
	    ARGV("supervise", "--no-config", "tree.yaml"));
	tree_await_ready("a");
	expect(0, "", ARGV("plan", "tree.yaml"));
	tree_expect(0, ARGV("reload"));
	expect(0, "", ARGV("plan", "tree.yaml"));
	tree_stop(&tree, 0);
}
END_TEST

/* Those of the client are of no account: a reload does not see them. */
START_TEST(variables_are_the_host_s)
{
	struct tree tree;

	setenv("PLANNED", "1000", 1);
	tree_start(&tree, "children:\n" CHILD("a", "${PLANNED}"));
	tree_await_ready("a");
	unsetenv("PLANNED");
	expect(0, "", ARGV("plan", "tree.yaml"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_key_of_a_spawned_child_is_a_problem)
{
	struct tree tree;

	tree_start(&tree, "children:\n" CHILD("a", "1000"));
	tree_await_ready("a");
	tree_expect(0, ARGV("spawn", "--key", "b", "--", "sleep", "1000"));
	tree_write("children:\n" CHILD("a", "1000") CHILD("b", "1000"));
	expect(1, "'b'", ARGV("plan", "tree.yaml"));
	tree_expect(1, ARGV("reload"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_procfile_is_planned_as_it_was_named)
{
	struct support_command command = { .argv = NULL };
	struct tree tree;

	support_file("Procfile", 0644, "a: exec sleep 1000\n");
	support_file("Procfile.next", 0644,
	    "a: exec sleep 1000\nb: exec sleep 1000\n");
	command.argv = ARGV(support_grouper(), "supervise", "Procfile");
	command.directory = support_directory();
	support_start(&tree.host, &command);
	tree_await_ready("a");
	expect(0, "", ARGV("plan", support_path("Procfile")));
	expect(3, "start b\n", ARGV("plan", "Procfile.next"));
	tree_stop(&tree, 0);
}
END_TEST

/* They would all have the same PORT. */
START_TEST(a_command_of_a_procfile_is_not_scaled_up)
{
	static const char *const keys[] = { "web.1", "db" };
	struct tree tree;

	support_file("Procfile", 0644,
	    "web: exec sleep 1000\ndb: exec sleep 1000\n");
	tree_start_by(&tree, "", ARGV("up", "-m", "web=2", "Procfile"));
	tree_await_ready("");
	tree_refuses(1, "a command of a Procfile has a port of its own",
	    ARGV("scale", "3", keys[_i]));
	tree_expect(0, ARGV("scale", "0", keys[_i]));
	tree_expect(0, ARGV("scale", "1", keys[_i]));
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tc;

	tc = support_case(suite, "files");
	tcase_add_test(tc, two_files_are_compared);
	tcase_add_test(tc, equal_files_change_nothing);
	tcase_add_test(tc, a_tree_file_may_come_from_standard_input);
	tcase_add_test(tc, a_tree_of_standard_input_runs_and_is_not_reloaded);
	tcase_add_test(tc, steps_are_printed_as_json);
	tcase_add_test(tc, a_bad_file_is_a_failure);
	tcase_add_test(tc, what_a_reload_refuses_is_a_failure);
	tcase_add_test(tc, misuse_is_told);
	tc = support_case(suite, "host");
	tcase_add_test(tc, a_host_tells_what_its_reload_would_do);
	tcase_add_test(tc, after_a_reload_the_new_tree_counts);
	tcase_add_test(tc, a_host_tells_the_problems_of_a_file);
	tcase_add_test(tc, a_reload_tells_what_it_ignores);
	tcase_add_test(tc, what_a_reload_did_not_remove_is_not_added);
	tcase_add_test(tc, settings_that_others_made_are_not_changed);
	tcase_add_test(tc, settings_that_were_changed_since_are_not_told);
	tcase_add_test(tc, what_verbs_removed_is_added_again);
	tcase_add_test(tc, what_verbs_removed_may_leave_the_file);
	tcase_add_test(tc, a_host_without_config_plans_without_it);
	tcase_add_test(tc, variables_are_the_host_s);
	tcase_add_test(tc, the_key_of_a_spawned_child_is_a_problem);
	tcase_add_test(tc, a_procfile_is_planned_as_it_was_named);
	tcase_add_loop_test(tc, a_command_of_a_procfile_is_not_scaled_up, 0, 2);
	return support_main(suite, NULL);
}
