/* SPDX-License-Identifier: ISC */
/*
 * The verbs that see and steer a running tree.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/control/client.h"
#include "tree.h"

#define LIVES(id) "  - {id: " id ", command: [sleep, '1000']}\n"

static void
expect_state(const char *key, const char *state)
{
	char *is = tree_state(key);

	ck_assert_str_eq(is, state);
	free(is);
}

START_TEST(a_stopped_child_stays_stopped_until_it_is_started)
{
	struct tree tree;
	pid_t pid;

	tree_start(&tree, "children:\n" LIVES("a") LIVES("b"));
	tree_await_ready("b");
	pid = tree_pid("a");
	tree_expect(0, ARGV("stop", "a"));
	expect_state("a", "idle");
	ck_assert_int_eq(kill(pid, 0), -1);
	tree_expect(0, ARGV("stop", "a"));
	tree_expect(0, ARGV("start", "a"));
	expect_state("a", "running");
	tree_expect(1, ARGV("start", "a"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(restart_makes_new_processes)
{
	struct tree tree;
	pid_t pid;

	tree_start(&tree, "children:\n" LIVES("a"));
	tree_await_ready("a");
	pid = tree_pid("a");
	tree_expect(0, ARGV("restart", "a"));
	ck_assert_int_ne(tree_pid("a"), pid);
	expect_state("a", "running");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(scale_starts_and_stops_instances)
{
	struct tree tree;
	pid_t first;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: w, command: [sleep, '1000'], instances: 2}\n");
	tree_await_ready("w");
	first = tree_pid("w:1");
	tree_expect(0, ARGV("scale", "4", "w"));
	ck_assert_int_ne(tree_pid("w:4"), 0);
	tree_expect(0, ARGV("scale", "1", "w"));
	ck_assert_int_eq(tree_pid("w:1"), first);
	tree_expect(1, ARGV("status", "w:2"));
	tree_expect(2, ARGV("scale", "many", "w"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(delete_forgets_only_what_does_not_run)
{
	struct tree tree;

	tree_start(&tree, "children:\n" LIVES("a") LIVES("b"));
	tree_await_ready("b");
	tree_expect(1, ARGV("delete", "a"));
	tree_expect(0, ARGV("stop", "a"));
	tree_expect(0, ARGV("delete", "a"));
	tree_expect(1, ARGV("start", "a"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_signal_reaches_the_main_process)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, ready: fd:3, shell: \"trap 'echo usr >@/out' USR1; "
	    "echo >&3; exec 3>&-; while :; do sleep 1000 & wait; done\"}\n");
	tree_await_ready("a");
	tree_expect(0, ARGV("signal", "USR1", "a"));
	support_await_file(support_path("out"), "usr\n");
	tree_expect(2, ARGV("signal", "SIGNONE", "a"));
	tree_expect(1, ARGV("signal", "USR1", "none"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_signal_to_a_supervisor_reaches_all_below)
{
	struct tree tree;

	tree_start(&tree,
	    "x-c: &c\n  ready: fd:3\n"
	    "  shell: \"trap 'echo usr >@/$GROUPER_KEY' USR1; "
	    "echo >&3; exec 3>&-; while :; do sleep 1000 & wait; done\"\n"
	    "children:\n"
	    "  - {<<: *c, id: a}\n"
	    "  - id: in\n    supervisor:\n      children:\n"
	    "        - {<<: *c, id: b}\n"
	    "        - {id: c, autostart: false, command: ['true']}\n"
	    "  - {id: none, supervisor: {children: []}}\n");
	tree_await_ready("");
	ck_assert_int_eq(mkdir(support_path("in"), 0755), 0);
	tree_expect(0, ARGV("signal", "USR1", "in"));
	support_await_file(support_path("in/b"), "usr\n");
	ck_assert_int_eq(access(support_path("a"), F_OK), -1);
	tree_expect(0, ARGV("signal", "USR1", ""));
	support_await_file(support_path("a"), "usr\n");
	tree_expect(122, ARGV("signal", "USR1", "none"));
	tree_expect(122, ARGV("signal", "USR1", "in/c"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_start_of_a_temporary_child_that_fails_says_why)
{
	struct support_command command = { .argv = NULL };
	struct support_run r;
	struct tree tree;

	tree_start(&tree,
	    "children:\n" LIVES(
		"a") "  - {id: t, restart: temporary, autostart: false, "
		     "command: [/nonexistent/program]}\n");
	tree_await_ready("a");
	command.argv = ARGV(support_grouper(), "start", "t");
	ck_assert_int_eq(support_call(&r, &command), 1);
	ck_assert_msg(strstr(r.stderr_text.data,
			  "cannot execute /nonexistent/program") != NULL,
	    "%s", r.stderr_text.data);
	support_finish(&r);
	tree_stop(&tree, 0);
}
END_TEST

/* Even the first start of all fails by it as any other. */
START_TEST(a_leader_that_dies_below_in_the_first_start_is_120)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" LIVES(
		"a") "  - id: in\n    supervisor:\n      children:\n"
		     "        - id: deep\n          supervisor:\n"
		     "            children:\n"
		     "              - {id: b, ready: 'fd:3', shell: "
		     "'kill -9 $PPID; exec sleep 1000'}\n");
	tree_end(&tree, 120);
}
END_TEST

START_TEST(unknown_keys_are_told)
{
	static const char *const verbs[] = { "start", "stop", "restart",
		"reset", "delete" };
	struct tree tree;
	size_t i;

	tree_start(&tree, "children:\n" LIVES("a"));
	tree_await_ready("a");
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		tree_expect(1, ARGV(verbs[i], "none"));
		tree_expect(2, ARGV(verbs[i]));
		tree_expect(2, ARGV(verbs[i], "--nonsense", "a"));
	}
	tree_expect(1, ARGV("status", "none"));
	tree_expect(1, ARGV("ps", "none"));
	tree_expect(1, ARGV("logs", "none"));
	tree_expect(1, ARGV("wait", "none"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(wait_ends_with_the_first_bad_status)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" LIVES(
		"a") "  - {id: b, shell: 'while [ ! -e @/go ]; do sleep 0.01; done; "
		     "exit 9', restart: transient, success: [9]}\n");
	tree_await_ready("a");
	tree_expect(124, ARGV("wait", "--timeout", "100ms", "b"));
	support_file("go", 0644, "");
	tree_expect(9, ARGV("wait", "a", "b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(logs_keep_the_last_lines_of_the_dead)
{
	struct tree tree;
	char *out;

	tree_start(&tree,
	    "children:\n" LIVES(
		"a") "  - {id: b, shell: 'seq 1 100; printf last; exit 0', "
		     "restart: transient}\n");
	tree_await_event("b", "ended", 1);
	ck_assert_int_eq(tree_ask(&out, ARGV("logs", "-n", "3", "b")), 0);
	ck_assert_str_eq(out, "b | 99\nb | 100\nb | last\n");
	free(out);
	tree_refuses(1, "logs: none: not found", ARGV("logs", "none"));
	tree_refuses(1, "logs: none: not found",
	    ARGV("logs", "a", "b", "none", "a", "nor"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(logs_follow_what_is_written)
{
	struct support_command command = { .argv = NULL };
	struct support_run r;
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, shell: 'echo one; while [ ! -e @/go ]; do sleep 0.01; "
	    "done; echo two; exec sleep 1000'}\n");
	tree_await_ready("a");
	command.argv = ARGV(support_grouper(), "logs", "-f", "a");
	support_start(&r, &command);
	support_await_stdout(&r, "a | one\n");
	support_file("go", 0644, "");
	support_await_stdout(&r, "a | two\n");
	support_signal(&r, SIGTERM);
	support_wait(&r);
	support_finish(&r);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(events_are_streamed_and_replayed)
{
	struct support_command command = { .argv = NULL };
	struct support_run r;
	struct tree tree;
	char *out;

	tree_start(&tree, "children:\n" LIVES("a"));
	tree_await_ready("a");
	command.argv = ARGV(support_grouper(), "events", "--since", "1");
	support_start(&r, &command);
	support_await_stdout(&r, " 1 a: started, pid ");
	tree_expect(0, ARGV("stop", "a"));
	support_await_stdout(&r, " a: stopping");
	support_signal(&tree.host, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 1);
	support_finish(&r);
	tree_end(&tree, 0);
	ck_assert_int_ne(tree_ask(&out, ARGV("events")), 0);
	free(out);
}
END_TEST

START_TEST(status_and_ps_show_the_tree)
{
	struct tree tree;
	char *out;

	tree_start(&tree,
	    "name: shop\nchildren:\n"
	    "  - id: in\n    supervisor:\n      children:\n"
	    "        - {id: x, shell: 'sleep 1000 & wait'}\n");
	tree_await_ready("in/x");
	ck_assert_int_eq(tree_ask(&out, ARGV("status")), 0);
	ck_assert_ptr_nonnull(strstr(out, "shop"));
	ck_assert_ptr_nonnull(strstr(out, "└─ in"));
	ck_assert_ptr_nonnull(strstr(out, "   └─ x"));
	free(out);
	ck_assert_int_eq(tree_ask(&out, ARGV("ps", "in")), 0);
	ck_assert_ptr_nonnull(strstr(out, "sleep 1000"));
	free(out);
	ck_assert_int_eq(tree_ask(&out, ARGV("hosts")), 0);
	ck_assert_ptr_nonnull(strstr(out, "shop"));
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

static json_int_t
number_of(const char *key, const char *name)
{
	json_t *child = tree_child(key);
	json_int_t number = json_integer_value(json_object_get(child, name));

	json_decref(child);
	return number;
}

START_TEST(status_sums_up_what_each_group_uses)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" LIVES(
		"a") "  - {id: b, ready: fd:3, shell: \"sleep 1000 & "
		     "sh -c 'sleep 1000 & echo >&3; exec 3>&-; wait' & "
		     "exec 3>&-; wait\"}\n");
	tree_await_ready("b");
	ck_assert_int_eq(number_of("a", "processes"), 1);
	ck_assert_int_eq(number_of("b", "processes"), 4);
	ck_assert_int_gt(number_of("a", "memory"), 0);
	ck_assert_int_gt(number_of("b", "memory"), number_of("a", "memory"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(status_can_do_without_what_groups_use)
{
	struct client *client;
	json_t *result, *child;
	struct tree tree;
	char *path;

	tree_start(&tree,
	    "children:\n  - {id: a, shell: "
	    "'echo $GROUPER_SOCKET >@/socket; exec sleep 1000'}\n");
	tree_await_ready("a");
	support_await_file(support_path("socket"), "\n");
	path = support_slurp(support_path("socket"));
	path[strcspn(path, "\n")] = '\0';
	client = client_connect(path, CLIENT_TRUSTS_OWN, CLIENT_CONNECT_MS);
	ck_assert_ptr_nonnull(client);
	ck_assert_int_eq(client_call(client, "status",
			     json_pack("{s:s, s:b}", "key", "a", "usage", 0),
			     -1, &result),
	    GROUPER_OK);
	child = json_array_get(json_object_get(result, "tree"), 0);
	ck_assert_ptr_nonnull(json_object_get(child, "pid"));
	ck_assert_ptr_null(json_object_get(child, "memory"));
	json_decref(result);
	client_free(client);
	free(path);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(reload_changes_what_differs)
{
	struct tree tree;
	pid_t a, b;

	tree_start(&tree, "children:\n" LIVES("a") LIVES("b") LIVES("c"));
	tree_await_ready("c");
	a = tree_pid("a");
	b = tree_pid("b");
	tree_write("children:\n" LIVES(
	    "a") "  - {id: b, command: [sleep, '2000']}\n" LIVES("d"));
	tree_expect(0, ARGV("reload"));
	tree_await_ready("d");
	tree_await_ready("b");
	ck_assert_int_eq(tree_pid("a"), a);
	ck_assert_int_ne(tree_pid("b"), b);
	tree_await_event("c", "removed", 1);
	tree_expect(1, ARGV("status", "c"));
	tree_stop(&tree, 0);
}
END_TEST

/* Its processes stay; how they are stopped and reloaded is new. */
START_TEST(a_reload_reaches_what_runs)
{
	static const char *const shell =
	    "shell: \"trap '' TERM; trap 'echo usr >@/out; exit' USR1; "
	    "echo >&3; exec 3>&-; while :; do sleep 1000 & wait; done\"";
	char text[1024];
	struct tree tree;
	pid_t pid;

	snprintf(text, sizeof(text),
	    "children:\n  - {id: a, ready: fd:3, shutdown: infinity, %s}\n",
	    shell);
	tree_start(&tree, text);
	tree_await_ready("a");
	pid = tree_pid("a");
	/* A sleep that is not executed yet loses the shell's USR1. */
	snprintf(text, sizeof(text),
	    "children:\n  - {id: a, ready: fd:3, shutdown: [USR1 5s, KILL], "
	    "stop_pre: [touch, '@/pre'], reload_command: [touch, '@/re'], "
	    "%s}\n",
	    shell);
	tree_write(text);
	tree_expect(0, ARGV("reload"));
	support_await_file(support_path("re"), NULL);
	ck_assert_int_eq(tree_pid("a"), pid);
	tree_expect(0, ARGV("stop", "a"));
	support_await_file(support_path("pre"), NULL);
	support_await_file(support_path("out"), "usr\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_bad_reload_changes_nothing)
{
	struct tree tree;
	pid_t a;

	tree_start(&tree, "children:\n" LIVES("a"));
	tree_await_ready("a");
	a = tree_pid("a");
	tree_write("children:\n  - {id: a, comand: [true]}\n");
	tree_expect(1, ARGV("reload"));
	support_signal(&tree.host, SIGHUP);
	support_await_stderr(&tree.host, "nothing was changed");
	ck_assert_int_eq(tree_pid("a"), a);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(hangup_reloads)
{
	struct tree tree;

	tree_start(&tree, "children:\n" LIVES("a"));
	tree_await_ready("a");
	tree_write("children:\n" LIVES("a") LIVES("b"));
	support_signal(&tree.host, SIGHUP);
	tree_await_event("b", "ready", 1);
	tree_stop(&tree, 0);
}
END_TEST

static bool
all_is_logged(void *arg)
{
	char *out;
	bool is;

	(void)arg;
	is = tree_ask(&out, ARGV("logs", "-n", "1", "a")) == 0 &&
	    strcmp(out, "a | 1000\n") == 0;
	free(out);
	return is;
}

START_TEST(files_are_rotated_and_opened_anew)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, log: {file: '@/a.log', max_size: 1K, keep: 2}, "
	    "shell: 'seq 1 1000; while [ ! -e @/go ]; do sleep 0.01; done; "
	    "echo more; exec sleep 1000'}\n");
	tree_await_ready("a");
	ck_assert(support_until(all_is_logged, NULL, 10000));
	ck_assert_int_eq(access(support_path("a.log.1"), F_OK), 0);
	ck_assert_int_eq(access(support_path("a.log.2"), F_OK), 0);
	ck_assert_int_eq(access(support_path("a.log.3"), F_OK), -1);
	ck_assert_int_eq(rename(support_path("a.log"), support_path("old")), 0);
	tree_expect(0, ARGV("reopen"));
	support_file("go", 0644, "");
	support_await_file(support_path("a.log"), "more\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(without_a_host_verbs_say_so)
{
	char *out;

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	tree_expect(1, ARGV("status"));
	tree_expect(1, ARGV("status", "--host", "none"));
	tree_expect(1, ARGV("stop", "-s", "/nonexistent", "a"));
	ck_assert_int_eq(tree_ask(&out, ARGV("hosts", "--json")), 0);
	ck_assert_str_eq(out, "");
	free(out);
}
END_TEST

START_TEST(refusals_say_what_was_expected)
{
	struct tree tree;

	tree_refuses(2, "expected SIGNAL KEY...", ARGV("signal"));
	tree_refuses(2, "expected N KEY...", ARGV("scale"));
	tree_refuses(2, "from 0 to 100000", ARGV("scale", "1000000", "a"));
	tree_start(&tree,
	    "children:\n" LIVES(
		"a") "  - id: in\n    supervisor: {children: []}\n");
	tree_await_ready("in");
	tree_refuses(1, "in: it cannot have so many instances",
	    ARGV("scale", "2", "in"));
	tree_refuses(1, "wait: none: not found", ARGV("wait", "none"));
	tree_refuses(1, "wait: none: not found", ARGV("wait", "a", "none"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(of_several_hosts_one_has_to_be_named)
{
	struct tree one, two;

	tree_start(&one, "name: one\nchildren:\n" LIVES("a"));
	tree_await_ready("a");
	tree_start(&two, "name: two\nchildren:\n" LIVES("b"));
	tree_await_ready_at("two", "b");
	tree_expect(2, ARGV("status"));
	tree_expect(0, ARGV("status", "--host", "one", "a"));
	tree_expect(0, ARGV("status", "--host", "two", "b"));
	support_signal(&two.host, SIGTERM);
	ck_assert_int_eq(support_wait(&two.host), 0);
	support_finish(&two.host);
	tree_stop(&one, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control");
	TCase *tc;

	tc = support_case(suite, "act");
	tcase_add_test(tc, a_stopped_child_stays_stopped_until_it_is_started);
	tcase_add_test(tc, restart_makes_new_processes);
	tcase_add_test(tc, scale_starts_and_stops_instances);
	tcase_add_test(tc, delete_forgets_only_what_does_not_run);
	tcase_add_test(tc, a_signal_reaches_the_main_process);
	tcase_add_test(tc, a_signal_to_a_supervisor_reaches_all_below);
	tcase_add_test(tc, a_start_of_a_temporary_child_that_fails_says_why);
	tcase_add_test(tc, a_leader_that_dies_below_in_the_first_start_is_120);
	tcase_add_test(tc, unknown_keys_are_told);
	tcase_add_test(tc, refusals_say_what_was_expected);
	tc = support_case(suite, "see");
	tcase_add_test(tc, wait_ends_with_the_first_bad_status);
	tcase_add_test(tc, logs_keep_the_last_lines_of_the_dead);
	tcase_add_test(tc, logs_follow_what_is_written);
	tcase_add_test(tc, events_are_streamed_and_replayed);
	tcase_add_test(tc, status_and_ps_show_the_tree);
	tcase_add_test(tc, status_sums_up_what_each_group_uses);
	tcase_add_test(tc, status_can_do_without_what_groups_use);
	tc = support_case(suite, "reload");
	tcase_add_test(tc, reload_changes_what_differs);
	tcase_add_test(tc, a_reload_reaches_what_runs);
	tcase_add_test(tc, a_bad_reload_changes_nothing);
	tcase_add_test(tc, hangup_reloads);
	tcase_add_test(tc, files_are_rotated_and_opened_anew);
	tc = support_case(suite, "hosts");
	tcase_add_test(tc, without_a_host_verbs_say_so);
	tcase_add_test(tc, of_several_hosts_one_has_to_be_named);
	return support_main(suite, NULL);
}
