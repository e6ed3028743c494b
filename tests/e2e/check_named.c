/* SPDX-License-Identifier: ISC */
/*
 * Names and settings of a host, by the verbs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define BARE "name: t\nchildren: []\n"

/* Registers a name for itself, and is ready then. */
#define NAMED(id, name, options) \
	"  - {id: " id ", ready: fd:3, " options \
	"shell: '@/grouper register " name " && echo >&3; exec 3>&-; " \
	"exec sleep 1000'}\n"

static void
open_tree(struct tree *tree, const char *text)
{
	ck_assert_int_eq(symlink(support_grouper(), support_path("grouper")),
	    0);
	tree_start(tree, text);
	tree_await_ready("");
}

static void
expect_pid(const char *name, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	tree_prints(text, ARGV("whereis", name));
}

/* Names */

START_TEST(a_name_is_held_by_one_living_process)
{
	struct tree tree;
	pid_t pid;

	open_tree(&tree, "children:\n" NAMED("a", "boss", ""));
	pid = tree_pid("a");
	expect_pid("boss", pid);
	tree_refuses(1, "boss: a process that lives has this name",
	    ARGV("register", "boss"));
	tree_refuses(1, "boss: a process that lives has this name",
	    ARGV("register", "boss", "1"));
	expect_pid("boss", pid);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(without_a_pid_the_caller_is_registered)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_prints("", ARGV("register", "test"));
	expect_pid("test", getpid());
	tree_prints("{\"registered\":true}\n",
	    ARGV("register", "--json", "also"));
	expect_pid("also", getpid());
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_process_is_registered_by_its_pid)
{
	struct tree tree;
	char pid[16];

	open_tree(&tree, "children:\n  - {id: a, command: [sleep, '1000']}\n");
	snprintf(pid, sizeof(pid), "%d", (int)tree_pid("a"));
	tree_expect(0, ARGV("register", "a", pid));
	expect_pid("a", tree_pid("a"));
	tree_expect(0, ARGV("stop", "a"));
	tree_refuses(1, "no such process", ARGV("register", "b", pid));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_name_is_free_when_its_process_has_died)
{
	struct tree tree;

	open_tree(&tree, "children:\n" NAMED("a", "boss", ""));
	tree_expect(0, ARGV("stop", "a"));
	tree_expect(1, ARGV("whereis", "boss"));
	tree_expect(0, ARGV("register", "boss"));
	expect_pid("boss", getpid());
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(unregister_frees_a_name_known_or_not)
{
	struct tree tree;

	open_tree(&tree, "children:\n" NAMED("a", "boss", ""));
	tree_prints("", ARGV("unregister", "boss"));
	tree_expect(1, ARGV("whereis", "boss"));
	tree_prints("", ARGV("unregister", "boss"));
	tree_prints("{}\n", ARGV("unregister", "--json", "none"));
	tree_expect(0, ARGV("register", "boss"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(whereis_prints_nothing_for_nobody)
{
	struct tree tree;
	char *out;

	open_tree(&tree, BARE);
	ck_assert_int_eq(tree_ask(&out, ARGV("whereis", "none")), 1);
	ck_assert_str_eq(out, "");
	free(out);
	ck_assert_int_eq(tree_ask(&out, ARGV("whereis", "--json", "none")), 1);
	ck_assert_str_eq(out, "{\"pid\":null}\n");
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(send_reaches_the_group_of_a_name_alone)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: a, messages: true, ready: fd:3, shell: '"
	    "@/grouper register :boss: && echo >&3; exec 3>&-; "
	    "exec @/grouper listen -n 2 >>@/a'}\n"
	    "  - {id: b, topics: ['*'], shell: 'exec cat <&8 >@/b'}\n");
	tree_expect(0, ARGV("send", ":boss:", "do", "this and that"));
	tree_prints("{}\n", ARGV("send", "--json", ":boss:", "go"));
	support_await_file(support_path("a"),
	    "1\t:boss:\tdo\t-\tthis and that\n2\t:boss:\tgo\t-\t\n");
	tree_expect(0, ARGV("publish", "end", "e"));
	support_await_file(support_path("b"), "E 3 end e - 0\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(send_becomes_a_signal_where_its_event_does)
{
	struct tree tree;
	char pid[16];

	open_tree(&tree,
	    "children:\n"
	    "  - id: a\n    ready: fd:3\n    on_event: {reload: HUP}\n"
	    "    shell: |\n"
	    "      trap 'echo hup >>@/a' HUP\n"
	    "      echo >&3; exec 3>&-\n"
	    "      while :; do sleep 0.05; done\n");
	snprintf(pid, sizeof(pid), "%d", (int)tree_pid("a"));
	tree_expect(0, ARGV("register", "daemon", pid));
	tree_refuses(1, "daemon: nobody", ARGV("send", "daemon", "other"));
	tree_prints("", ARGV("send", "daemon", "reload"));
	support_await_file(support_path("a"), "hup\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(send_fails_without_somebody_who_reads)
{
	struct tree tree;

	open_tree(&tree, "children:\n" NAMED("a", "boss", ""));
	tree_refuses(1, "none: nobody", ARGV("send", "none", "e"));
	tree_refuses(1, "boss: nobody", ARGV("send", "boss", "e"));
	tree_expect(0, ARGV("register", "me"));
	tree_refuses(1, "me: nobody", ARGV("send", "me", "e"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_subtree_may_have_names_of_its_own)
{
	char *found, expected[32];
	struct tree tree;
	pid_t inner;

	open_tree(&tree,
	    "children:\n"
	    "  - id: in\n    supervisor:\n      names: own\n      children:\n"
	    "        - {id: x, ready: fd:3, shell: '"
	    "@/grouper register boss && @/grouper whereis boss >@/x && "
	    "echo >&3; exec 3>&-; exec sleep 1000'}\n" NAMED("y", "boss",
		"") "  - {id: z, shell: '@/grouper whereis boss >@/z; "
		    "exec sleep 1000'}\n");
	inner = tree_pid("in/x");
	expect_pid("boss", tree_pid("y"));
	ck_assert_int_ne(tree_pid("y"), inner);
	found = support_slurp(support_path("x"));
	ck_assert_int_eq(atoi(found), inner);
	free(found);
	/* z is outside, and began when y was ready. */
	snprintf(expected, sizeof(expected), "%d\n", (int)tree_pid("y"));
	support_await_file(support_path("z"), expected);
	tree_stop(&tree, 0);
}
END_TEST

/* It registers itself when it gets USR1. */
#define SUBTREE(names) \
	"children:\n  - id: in\n    supervisor:\n" names \
	"      children:\n        - id: x\n          ready: fd:3\n" \
	"          shell: |\n" \
	"            trap '@/grouper register boss; echo $? >>@/said' USR1\n" \
	"            echo >&3; exec 3>&-\n" \
	"            while :; do sleep 0.05; done\n"
START_TEST(a_reload_takes_and_gives_a_subtree_names_of_its_own)
{
	struct tree tree;
	pid_t pid;

	open_tree(&tree, SUBTREE("      names: own\n"));
	pid = tree_pid("in/x");
	tree_expect(0, ARGV("signal", "USR1", "in/x"));
	support_await_file(support_path("said"), "0\n");
	tree_expect(1, ARGV("whereis", "boss"));
	tree_write(SUBTREE(""));
	tree_expect(0, ARGV("reload"));
	tree_expect(1, ARGV("whereis", "boss"));
	tree_expect(0, ARGV("signal", "USR1", "in/x"));
	support_await_file(support_path("said"), "0\n0\n");
	expect_pid("boss", pid);
	tree_write(SUBTREE("      names: own\n"));
	tree_expect(0, ARGV("reload"));
	tree_expect(0, ARGV("signal", "USR1", "in/x"));
	support_await_file(support_path("said"), "0\n0\n0\n");
	ck_assert_int_eq(tree_pid("in/x"), pid);
	tree_stop(&tree, 0);
}
END_TEST
#undef SUBTREE

/* Beside and within each other, whichever was there first. */
START_TEST(each_subtree_has_its_own_names)
{
#define OWN(indent, id) \
	indent "- id: " id "\n" indent "  supervisor:\n" indent \
	       "    names: own\n" indent "    children:\n"
#define BOSS(indent, path) \
	indent "- {id: x, ready: fd:3, shell: '@/grouper register boss && " \
	       "@/grouper whereis boss >@/" path " && echo >&3; exec 3>&-; " \
	       "exec sleep 1000'}\n"
	static const char *const keys[] = { "first/x", "b/x", "b/inner/x",
		"x" };
	static const char *const files[] = { "first", "b", "inner", "root" };
	struct tree tree;
	char *found;
	size_t i;

	open_tree(&tree,
	    "children:\n" OWN("  ", "first") BOSS("      ", "first")
		OWN("  ", "b") BOSS("      ", "b") OWN("      ", "inner")
		    BOSS("          ", "inner") BOSS("  ", "root"));
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		found = support_slurp(support_path(files[i]));
		ck_assert_int_eq(atoi(found), tree_pid(keys[i]));
		free(found);
	}
	expect_pid("boss", tree_pid("x"));
	tree_stop(&tree, 0);
#undef OWN
#undef BOSS
}
END_TEST

START_TEST(a_runtime_directory_that_is_none_is_told)
{
	static const char *const words[][4] = { { "status" },
		{ "status", "--host", "x" } };
	struct support_command command = { .argv = NULL };
	struct support_run r;
	const char *file = support_file("file", 0644, "");
	char variable[512], line[512];

	snprintf(variable, sizeof(variable), "GROUPER_RUNTIME_DIR=%s", file);
	snprintf(line, sizeof(line),
	    "grouper status: the runtime directory %s: Not a directory\n",
	    file);
	command.env = ARGV(variable);
	command.argv = ARGV(support_grouper(), words[_i][0], words[_i][1],
	    words[_i][2]);
	ck_assert_int_eq(support_call(&r, &command), 1);
	ck_assert_str_eq(r.stderr_text.data, line);
	support_finish(&r);
}
END_TEST

/* Settings */

START_TEST(a_setting_is_got_as_it_was_put)
{
	static const char *const values[][2] = {
		{ "1.50", "1.5" },
		{ "0.1", "0.1" },
		{ "[8.41, 0.30000000000000004]", "[8.41,0.30000000000000004]" },
		{ "-3", "-3" },
		{ "true", "true" },
		{ "null", "null" },
		{ "{ \"b\": [1, {}], \"a\": \"x\" }",
		    "{\"b\":[1,{}],\"a\":\"x\"}" },
		{ "\"quoted\"", "quoted" },
		{ "plain text", "plain text" },
		{ "1.4.2", "1.4.2" },
		{ "", "" },
		{ "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },
	};
	struct tree tree;
	char expected[64];
	size_t i;

	open_tree(&tree, BARE);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		tree_prints("", ARGV("config", "put", "k", "--", values[i][0]));
		snprintf(expected, sizeof(expected), "%s\n", values[i][1]);
		tree_prints(expected, ARGV("config", "get", "k"));
	}
	tree_expect(0, ARGV("config", "put", "k", "a \"b\""));
	tree_prints("\"a \\\"b\\\"\"\n", ARGV("config", "get", "--json", "k"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(put_and_delete_tell_the_old_value)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_prints("", ARGV("config", "put", "-v", "k", "1"));
	tree_prints("1\n", ARGV("config", "put", "-v", "k", "text"));
	tree_prints("{\"known\":true,\"old\":\"text\"}\n",
	    ARGV("config", "put", "--json", "k", "null"));
	tree_prints("{\"known\":true,\"old\":null}\n",
	    ARGV("config", "delete", "--json", "k"));
	tree_prints("{\"known\":false,\"old\":null}\n",
	    ARGV("config", "delete", "--json", "k"));
	tree_prints("", ARGV("config", "delete", "-v", "k"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(an_unknown_setting_is_told)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_refuses(1, "k: no such setting", ARGV("config", "get", "k"));
	tree_expect(0, ARGV("config", "put", "k", "1"));
	tree_expect(0, ARGV("config", "delete", "k"));
	tree_refuses(1, "k: no such setting", ARGV("config", "get", "k"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(settings_are_listed_in_byte_order)
{
	struct tree tree;

	open_tree(&tree, "config: {version: '1.4.2', B: {x: 1}, a: []}\n" BARE);
	tree_prints("B={\"x\":1}\na=[]\nversion=\"1.4.2\"\n",
	    ARGV("config", "list"));
	tree_expect(0, ARGV("config", "delete", "a"));
	tree_prints("{\"B\":{\"x\":1},\"version\":\"1.4.2\"}\n",
	    ARGV("config", "list", "--json"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_member_reads_and_changes_settings)
{
	struct tree tree;

	open_tree(&tree,
	    "config: {n: 3}\n"
	    "children:\n"
	    "  - {id: a, ready: fd:3, shell: '@/grouper config put n "
	    "$(($(@/grouper config get n) + 1)); echo >&3; exec 3>&-; "
	    "exec sleep 1000'}\n");
	tree_prints("4\n", ARGV("config", "get", "n"));
	tree_stop(&tree, 0);
}
END_TEST

#define SETTINGS "config: {a: 1, b: 2}\n" BARE

START_TEST(settings_of_the_command_line_come_first)
{
	struct tree tree;

	support_file("more", 0644, "{\"b\": [3], \"c\": 4}\n");
	tree_start_by(&tree, SETTINGS,
	    ARGV("supervise", "--config-file", "more", "--config", "c=text",
		"tree.yaml"));
	tree_await_ready("");
	tree_prints("a=1\nb=[3]\nc=\"text\"\n", ARGV("config", "list"));
	tree_expect(0, ARGV("reload"));
	tree_prints("[3]\n", ARGV("config", "get", "b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(settings_of_the_tree_may_be_left_out)
{
	struct tree tree;

	tree_start_by(&tree, SETTINGS,
	    ARGV("supervise", "--no-config", "--config", "c=4", "tree.yaml"));
	tree_await_ready("");
	tree_prints("c=4\n", ARGV("config", "list"));
	tree_expect(0, ARGV("reload"));
	tree_prints("c=4\n", ARGV("config", "list"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_host_without_a_tree_has_settings)
{
	struct tree tree;

	tree_start_by(&tree, "", ARGV("host", "--name=t", "--config=a=1"));
	tree_await_ready("");
	tree_prints("1\n", ARGV("config", "get", "a"));
	tree_stop(&tree, 0);
}
END_TEST

/* Before the name of the host is taken, or waited for. */
START_TEST(bad_settings_of_the_command_line_start_nothing)
{
	static const char *const given[][2] = {
		{ "--config=name", "--config: expected KEY=VALUE, got 'name'" },
		{ "--config=a b=1", "setting 'a b'" },
		{ "--config-file=", "--config-file: expected the name of" },
		{ "--config-file=/no/such/file", "No such file" },
		{ "--config-file=/dev/null", "/dev/null:1:0" },
	};
	struct tree tree;
	size_t i;

	tree_start(&tree, BARE);
	tree_await_ready("");
	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		tree_refuses(2, given[i][1],
		    ARGV("supervise", given[i][0], support_path("tree.yaml")));
	tree_stop(&tree, 0);
}
END_TEST

/* Hosts */

START_TEST(hosts_share_nothing)
{
	struct tree one, two;
	char socket[128];

	open_tree(&one,
	    "name: one\nconfig: {k: 1}\ntopic_groups: {g: [a]}\n"
	    "children:\n" NAMED("x", "boss", "topics: [a], "));
	tree_start(&two, "name: two\nchildren:\n" NAMED("x", "boss", ""));
	tree_await_ready_at("two", "x");
	tree_refuses(2, "several hosts", ARGV("topics", "list"));
	tree_prints("g\n", ARGV("topics", "list", "--host", "one"));
	tree_prints("", ARGV("topics", "list", "--host", "two"));
	tree_prints("k=1\n", ARGV("config", "list", "--host=one"));
	tree_prints("", ARGV("config", "list", "--host=two"));
	tree_expect(0, ARGV("unregister", "--host", "two", "boss"));
	tree_expect(0, ARGV("whereis", "--host", "one", "boss"));
	tree_expect(1, ARGV("whereis", "--host", "two", "boss"));
	tree_prints("0\n", ARGV("presence", "--host", "two", "a"));
	snprintf(socket, sizeof(socket), "%s/run-%u/one.sock",
	    support_directory(), (unsigned int)geteuid());
	tree_prints("1\nx\n", ARGV("presence", "-s", socket, "a"));
	tree_prints("reached 0 members\n",
	    ARGV("publish", "--host", "two", "-v", "a", "e"));
	support_signal(&two.host, SIGTERM);
	ck_assert_int_eq(support_wait(&two.host), 0);
	support_finish(&two.host);
	tree_stop(&one, 0);
}
END_TEST

START_TEST(a_file_whose_name_no_host_can_have_needs_another)
{
	static const char *const files[] = { "a b.yaml",
		"a2345678901234567890123456789012b.yaml", "Procfile b" };
	static const char *const texts[] = { "children: []\n", "children: []\n",
		"a: exec sleep 1000\n" };
	const char *path = support_file(files[_i], 0644, texts[_i]);
	struct tree tree;

	tree_refuses(2, "expected --name, or name: in a tree file",
	    ARGV("supervise", path));
	tree_start_by(&tree, "", ARGV("supervise", "--name", "x", path));
	tree_await_ready("");
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("named");
	TCase *tc;

	tc = support_case(suite, "names");
	tcase_add_test(tc, a_name_is_held_by_one_living_process);
	tcase_add_test(tc, without_a_pid_the_caller_is_registered);
	tcase_add_test(tc, a_process_is_registered_by_its_pid);
	tcase_add_test(tc, a_name_is_free_when_its_process_has_died);
	tcase_add_test(tc, unregister_frees_a_name_known_or_not);
	tcase_add_test(tc, whereis_prints_nothing_for_nobody);
	tcase_add_test(tc, send_reaches_the_group_of_a_name_alone);
	tcase_add_test(tc, send_becomes_a_signal_where_its_event_does);
	tcase_add_test(tc, send_fails_without_somebody_who_reads);
	tcase_add_test(tc, a_subtree_may_have_names_of_its_own);
	tcase_add_test(tc, a_reload_takes_and_gives_a_subtree_names_of_its_own);
	tcase_add_test(tc, each_subtree_has_its_own_names);
	tcase_add_loop_test(tc, a_runtime_directory_that_is_none_is_told, 0, 2);
	tc = support_case(suite, "settings");
	tcase_add_test(tc, a_setting_is_got_as_it_was_put);
	tcase_add_test(tc, put_and_delete_tell_the_old_value);
	tcase_add_test(tc, an_unknown_setting_is_told);
	tcase_add_test(tc, settings_are_listed_in_byte_order);
	tcase_add_test(tc, a_member_reads_and_changes_settings);
	tcase_add_test(tc, settings_of_the_command_line_come_first);
	tcase_add_test(tc, settings_of_the_tree_may_be_left_out);
	tcase_add_test(tc, a_host_without_a_tree_has_settings);
	tcase_add_test(tc, bad_settings_of_the_command_line_start_nothing);
	tc = support_case(suite, "hosts");
	tcase_add_test(tc, hosts_share_nothing);
	tcase_add_loop_test(tc,
	    a_file_whose_name_no_host_can_have_needs_another, 0, 3);
	return support_main(suite, NULL);
}
