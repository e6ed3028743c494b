/* SPDX-License-Identifier: ISC */
/*
 * What the keys of a tree file come to: runtime/tree/tree.
 */
#include "runtime/tree/tree.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "support.h"

static struct tree_problems problems;

static struct spec_tree *
load(const char *text)
{
	struct spec_tree *tree;

	tree_problems_init(&problems);
	tree = tree_load_text("grouper.yaml", text, strlen(text), &problems);
	if (tree == NULL)
		tree_problems_print(stderr, &problems, false);
	ck_assert_ptr_nonnull(tree);
	ck_assert(!tree_problems_any(&problems));
	tree_problems_fini(&problems);
	return tree;
}

/* One child with these keys in flow style. */
static struct spec_tree *
load_child(const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "children: [{id: a, %s}]", keys);
	return load(text);
}

static struct spec_command *
command_of(const struct spec_tree *tree)
{
	ck_assert_uint_eq(tree->root.nchildren, 1);
	ck_assert_ptr_nonnull(tree->root.children[0].command);
	return tree->root.children[0].command;
}

static void
assert_list(char **list, size_t count, ...)
{
	va_list ap;
	size_t i;

	ck_assert_ptr_nonnull(list);
	va_start(ap, count);
	for (i = 0; i < count; i++)
		ck_assert_str_eq(list[i], va_arg(ap, const char *));
	va_end(ap);
	ck_assert_ptr_null(list[count]);
}

START_TEST(least_tree_has_the_defaults_of_otp)
{
	struct spec_tree *tree = load("children:\n- {id: a, command: [b]}\n");
	const struct spec_child *child = &tree->root.children[0];

	ck_assert_ptr_null(tree->name);
	ck_assert_int_eq(tree->root.strategy, SPEC_ONE_FOR_ONE);
	ck_assert_uint_eq(tree->root.intensity, 1);
	ck_assert_int_eq(tree->root.period_ms, 5000);
	ck_assert_int_eq(tree->root.auto_shutdown, SPEC_NEVER);
	ck_assert_int_eq(tree->root.cooldown_ms, -1);
	ck_assert(child->autostart);
	ck_assert_int_eq(child->restart, SPEC_PERMANENT);
	ck_assert_uint_eq(child->shutdown.count, 2);
	ck_assert_int_eq(child->shutdown.step[0].ms, 5000);
	ck_assert(spec_success_has(&child->success, 0));
	ck_assert(!spec_success_has(&child->success, 1));
	ck_assert(child->command->worker);
	ck_assert_uint_eq(child->command->instances, 1);
	spec_free(tree);
}
END_TEST

START_TEST(root_has_name_settings_and_topic_groups)
{
	struct spec_tree *tree =
	    load("name: web\nstrategy: rest_for_one\nintensity: 3\nperiod: 2m\n"
		 "auto_shutdown: any_significant\non_limit: cooldown 30s\n"
		 "names: own\n"
		 "topic_groups: {'team:eng': ['room:a', 'room:b']}\n"
		 "config: {version: \"1.4.2\", n: 3, deep: {a: [1.5, true, ~, "
		 "x]}, quoted: '3'}\n"
		 "children: []\n");

	ck_assert_str_eq(tree->name, "web");
	ck_assert_int_eq(tree->root.strategy, SPEC_REST_FOR_ONE);
	ck_assert_uint_eq(tree->root.intensity, 3);
	ck_assert_int_eq(tree->root.period_ms, 120000);
	ck_assert_int_eq(tree->root.auto_shutdown, SPEC_ANY_SIGNIFICANT);
	ck_assert_int_eq(tree->root.cooldown_ms, 30000);
	ck_assert_uint_eq(tree->ntopic_groups, 1);
	ck_assert_str_eq(tree->topic_groups[0].name, "team:eng");
	assert_list(tree->topic_groups[0].topics, 2, "room:a", "room:b");
	ck_assert_uint_eq(tree->nconfig, 4);
	ck_assert_str_eq(tree->config[0].name, "version");
	ck_assert_str_eq(tree->config[0].value, "\"1.4.2\"");
	ck_assert_str_eq(tree->config[1].value, "3");
	ck_assert_str_eq(tree->config[2].value,
	    "{\"a\":[1.5,true,null,\"x\"]}");
	ck_assert_str_eq(tree->config[3].value, "\"3\"");
	spec_free(tree);
}
END_TEST

START_TEST(child_has_its_policies)
{
	struct spec_tree *tree = load(
	    "auto_shutdown: all_significant\n"
	    "children:\n"
	    "- {id: a, command: [b]}\n"
	    "- id: c\n  command: [d]\n  autostart: false\n"
	    "  restart: transient\n  significant: true\n  depends_on: [a]\n"
	    "  backoff: {min: 100ms, max: 30s, reset: 1m}\n"
	    "  shutdown: [INT 10s, KILL]\n  success: [0, 143]\n");
	const struct spec_child *child = &tree->root.children[1];

	ck_assert_str_eq(child->id, "c");
	ck_assert(!child->autostart);
	ck_assert_int_eq(child->restart, SPEC_TRANSIENT);
	ck_assert(child->significant);
	ck_assert(child->parallel);
	ck_assert(!tree->root.children[0].parallel);
	assert_list(child->depends_on, 1, "a");
	ck_assert_int_eq(child->backoff.min_ms, 100);
	ck_assert_int_eq(child->backoff.max_ms, 30000);
	ck_assert_int_eq(child->backoff.reset_ms, 60000);
	ck_assert_uint_eq(child->shutdown.count, 2);
	ck_assert_int_eq(child->shutdown.step[0].signum, SIGINT);
	ck_assert_int_eq(child->shutdown.step[0].ms, 10000);
	ck_assert(spec_success_has(&child->success, 143));
	ck_assert(spec_success_has(&child->success, 0));
	spec_free(tree);
}
END_TEST

START_TEST(success_replaces_the_default)
{
	struct spec_tree *tree = load_child("command: [b], success: 3");

	ck_assert(spec_success_has(&tree->root.children[0].success, 3));
	ck_assert(!spec_success_has(&tree->root.children[0].success, 0));
	spec_free(tree);
}
END_TEST

START_TEST(shutdown_may_be_text)
{
	struct spec_tree *tree =
	    load_child("command: [b], shutdown: 'TERM 5s, INT 2s, KILL'");

	ck_assert_uint_eq(tree->root.children[0].shutdown.count, 3);
	spec_free(tree);
	tree = load_child("command: [b], shutdown: brutal_kill");
	ck_assert_uint_eq(tree->root.children[0].shutdown.count, 1);
	spec_free(tree);
	tree = load_child("command: [b], shutdown: 9");
	ck_assert_int_eq(tree->root.children[0].shutdown.step[0].ms, 9000);
	spec_free(tree);
}
END_TEST

START_TEST(supervisors_nest_and_wait_without_end)
{
	struct spec_tree *tree =
	    load("children:\n"
		 "- id: outer\n  supervisor:\n    strategy: one_for_all\n"
		 "    children:\n    - id: inner\n      shutdown: 3s\n"
		 "      supervisor: {children: [{id: a, command: [b]}]}\n");
	const struct spec_child *outer = &tree->root.children[0], *inner;

	ck_assert_ptr_null(outer->command);
	ck_assert_int_eq(outer->supervisor->strategy, SPEC_ONE_FOR_ALL);
	ck_assert_uint_eq(outer->shutdown.count, 1);
	ck_assert_int_eq(outer->shutdown.step[0].ms, STEPS_FOREVER);
	inner = &outer->supervisor->children[0];
	ck_assert_int_eq(inner->shutdown.step[0].ms, 3000);
	ck_assert_str_eq(inner->supervisor->children[0].id, "a");
	spec_free(tree);
}
END_TEST

START_TEST(command_has_what_it_is_given)
{
	struct spec_tree *tree =
	    load("children:\n"
		 "- id: a\n  command: [sleep, 5, yes]\n  type: supervisor\n"
		 "  force: true\n  instances: 4\n  ready_timeout: 1.5s\n"
		 "  min_uptime: 200ms\n  watchdog: 10\n  stop_target: tree\n"
		 "  contain: cgroup\n  start_pre: [x, 1]\n  stop_pre: [y]\n"
		 "  reload_command: [z]\n  env_file: .env\n  cwd: /tmp\n"
		 "  uid: nobody\n  gid: 0\n  umask: 022\n  nice: -5\n"
		 "  stdin: /dev/zero\n  topics: ['room:*', b]\n"
		 "  messages: true\n  log: syslog\n");
	const struct spec_command *command = command_of(tree);

	assert_list(command->argv, 3, "sleep", "5", "yes");
	ck_assert(!command->worker);
	ck_assert(command->force);
	ck_assert_uint_eq(command->instances, 4);
	ck_assert_int_eq(command->ready_timeout_ms, 1500);
	ck_assert_int_eq(command->min_uptime_ms, 200);
	ck_assert_int_eq(command->watchdog_ms, 10000);
	ck_assert_int_eq(command->stop_target, GROUPER_STOP_TREE);
	ck_assert_int_eq(command->contain, GROUPER_CONTAIN_CGROUP);
	assert_list(command->start_pre, 2, "x", "1");
	assert_list(command->stop_pre, 1, "y");
	assert_list(command->reload_command, 1, "z");
	assert_list(command->env_files, 1, ".env");
	ck_assert_str_eq(command->directory, "/tmp");
	ck_assert_str_eq(command->user, "nobody");
	ck_assert_str_eq(command->group, "0");
	ck_assert_int_eq(command->umask, 022);
	ck_assert_int_eq(command->nice, -5);
	ck_assert_str_eq(command->input, "/dev/zero");
	assert_list(command->topics, 2, "room:*", "b");
	ck_assert(command->messages);
	ck_assert_int_eq(command->log, SPEC_LOG_SYSLOG);
	spec_free(tree);
}
END_TEST

START_TEST(shell_text_keeps_its_dollars)
{
	struct spec_tree *tree =
	    load_child("shell: 'echo $HOME ${NOT_SET_HERE} $$'");

	assert_list(command_of(tree)->argv, 3, "/bin/sh", "-c",
	    "echo $HOME ${NOT_SET_HERE} $$");
	spec_free(tree);
}
END_TEST

START_TEST(environment_is_a_mapping_or_a_list)
{
	struct spec_tree *tree =
	    load_child("command: [b], env: {A: 1, B: '', C: x=y}");

	assert_list(command_of(tree)->env, 3, "A=1", "B=", "C=x=y");
	spec_free(tree);
	tree = load_child("command: [b], env: [A=1, B=]");
	assert_list(command_of(tree)->env, 2, "A=1", "B=");
	spec_free(tree);
}
END_TEST

START_TEST(ready_has_five_kinds)
{
	struct spec_tree *tree = load_child("command: [b], ready: started");

	ck_assert_int_eq(command_of(tree)->ready, SPEC_READY_STARTED);
	spec_free(tree);
	tree = load_child("command: [b], ready: notify");
	ck_assert_int_eq(command_of(tree)->ready, SPEC_READY_NOTIFY);
	spec_free(tree);
	tree = load_child("command: [b], ready: 'fd:3'");
	ck_assert_int_eq(command_of(tree)->ready, SPEC_READY_FD);
	ck_assert_int_eq(command_of(tree)->ready_fd, 3);
	spec_free(tree);
	tree = load_child("command: [b], ready: {exec: [c, d], interval: 2}");
	ck_assert_int_eq(command_of(tree)->ready, SPEC_READY_EXEC);
	assert_list(command_of(tree)->ready_argv, 2, "c", "d");
	ck_assert_int_eq(command_of(tree)->ready_interval_ms, 2000);
	spec_free(tree);
	tree = load_child("command: [b], ready: {log: '^up(on|) .*$'}");
	ck_assert_int_eq(command_of(tree)->ready, SPEC_READY_LOG);
	ck_assert_str_eq(command_of(tree)->ready_regex, "^up(on|) .*$");
	spec_free(tree);
}
END_TEST

START_TEST(log_is_a_word_or_a_file)
{
	struct spec_tree *tree =
	    load_child("command: [b], log: {file: x.log, max_size: 10M, "
		       "keep: 3}");

	ck_assert_int_eq(command_of(tree)->log, SPEC_LOG_FILE);
	ck_assert_str_eq(command_of(tree)->log_file, "x.log");
	ck_assert_uint_eq(command_of(tree)->log_max_size, 10 << 20);
	ck_assert_uint_eq(command_of(tree)->log_keep, 3);
	spec_free(tree);
	tree = load_child("command: [b], log: discard");
	ck_assert_int_eq(command_of(tree)->log, SPEC_LOG_DISCARD);
	spec_free(tree);
}
END_TEST

START_TEST(limits_and_reactions_are_mappings)
{
	struct spec_tree *tree =
	    load_child("command: [b], limits: {nofile: '1K:4096', cpu: 1m, "
		       "core: unlimited}, on_event: {reload: HUP, "
		       "'room:a': sigusr1}");
	const struct spec_command *command = command_of(tree);

	ck_assert_uint_eq(command->nlimits, 3);
	ck_assert_int_eq(command->limits[0].resource, RLIMIT_NOFILE);
	ck_assert_uint_eq(command->limits[0].soft, 1024);
	ck_assert_uint_eq(command->limits[0].hard, 4096);
	ck_assert_uint_eq(command->limits[1].soft, 60);
	ck_assert(command->limits[2].hard == UINT64_MAX);
	ck_assert_uint_eq(command->non_event, 2);
	ck_assert_str_eq(command->on_event[0].event, "reload");
	ck_assert_int_eq(command->on_event[0].signum, SIGHUP);
	ck_assert_int_eq(command->on_event[1].signum, SIGUSR1);
	spec_free(tree);
}
END_TEST

START_TEST(standard_input_null_is_none)
{
	struct spec_tree *tree = load_child("command: [b], stdin: null");

	ck_assert_ptr_null(command_of(tree)->input);
	spec_free(tree);
	tree = load_child("command: [b], stdin: 'null'");
	ck_assert_ptr_null(command_of(tree)->input);
	spec_free(tree);
}
END_TEST

START_TEST(variables_are_replaced)
{
	struct spec_tree *tree;

	setenv("TREE_A", "alpha", 1);
	setenv("TREE_N", "3", 1);
	setenv("TREE_EMPTY", "", 1);
	unsetenv("TREE_NONE");
	tree = load_child("command: ['${TREE_A}-${TREE_A}', '$$${TREE_A}', "
			  "'$TREE_A', '${TREE_NONE:-x y}', "
			  "'${TREE_EMPTY:-z}', '${TREE_NONE:-}', "
			  "'${TREE_EMPTY}', a$], instances: '${TREE_N}'");
	assert_list(command_of(tree)->argv, 8, "alpha-alpha", "$alpha",
	    "$TREE_A", "x y", "z", "", "", "a$");
	ck_assert_uint_eq(command_of(tree)->instances, 3);
	spec_free(tree);
}
END_TEST

START_TEST(anchors_and_merge_keys_save_typing)
{
	struct spec_tree *tree =
	    load("x-one: &one {restart: transient, env: {A: '1'}}\n"
		 "x-two: &two {restart: temporary, nice: 5}\n"
		 "children:\n"
		 "- &web {id: web, command: [a], <<: *one}\n"
		 "- {<<: *web, id: again}\n"
		 "- {<<: [*two, *one], id: both, command: [c]}\n");
	const struct spec_child *child = tree->root.children;

	ck_assert_int_eq(child[0].restart, SPEC_TRANSIENT);
	assert_list(child[0].command->env, 1, "A=1");
	ck_assert_str_eq(child[1].id, "again");
	ck_assert_int_eq(child[1].restart, SPEC_TRANSIENT);
	assert_list(child[1].command->argv, 1, "a");
	ck_assert_int_eq(child[2].restart, SPEC_TEMPORARY);
	ck_assert_int_eq(child[2].command->nice, 5);
	assert_list(child[2].command->env, 1, "A=1");
	spec_free(tree);
}
END_TEST

START_TEST(an_anchor_may_be_set_again)
{
	struct spec_tree *tree =
	    load("x-one: &a {restart: transient}\n"
		 "x-two: &a {restart: temporary}\n"
		 "children: [{<<: *a, id: a, shell: b}]\n");

	ck_assert_int_eq(tree->root.children[0].restart, SPEC_TEMPORARY);
	spec_free(tree);
}
END_TEST

START_TEST(a_tag_makes_text_of_anything)
{
	struct spec_tree *tree =
	    load("config: {a: !!str 1, b: ! true, c: !!int 1}\nchildren: []\n");

	ck_assert_uint_eq(tree->nconfig, 3);
	ck_assert_str_eq(tree->config[0].value, "\"1\"");
	ck_assert_str_eq(tree->config[1].value, "\"true\"");
	ck_assert_str_eq(tree->config[2].value, "1");
	spec_free(tree);
}
END_TEST

START_TEST(file_is_read_with_mark_and_foreign_line_ends)
{
	const char *path = support_file("grouper.yaml", 0644,
	    "\xef\xbb\xbf# comment\r\nchildren:\r\n"
	    "- {id: \xc3\xa9t\xc3\xa9, command: [b]}\r\n");
	struct spec_tree *tree;

	tree_problems_init(&problems);
	tree = tree_load(path, &problems);
	ck_assert_ptr_nonnull(tree);
	ck_assert_str_eq(tree->root.children[0].id, "\xc3\xa9t\xc3\xa9");
	spec_free(tree);
	tree_problems_fini(&problems);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tc;

	tc = support_case(suite, "supervisors");
	tcase_add_test(tc, least_tree_has_the_defaults_of_otp);
	tcase_add_test(tc, root_has_name_settings_and_topic_groups);
	tcase_add_test(tc, child_has_its_policies);
	tcase_add_test(tc, success_replaces_the_default);
	tcase_add_test(tc, shutdown_may_be_text);
	tcase_add_test(tc, supervisors_nest_and_wait_without_end);
	tc = support_case(suite, "commands");
	tcase_add_test(tc, command_has_what_it_is_given);
	tcase_add_test(tc, shell_text_keeps_its_dollars);
	tcase_add_test(tc, environment_is_a_mapping_or_a_list);
	tcase_add_test(tc, ready_has_five_kinds);
	tcase_add_test(tc, log_is_a_word_or_a_file);
	tcase_add_test(tc, limits_and_reactions_are_mappings);
	tcase_add_test(tc, standard_input_null_is_none);
	tc = support_case(suite, "text");
	tcase_add_test(tc, variables_are_replaced);
	tcase_add_test(tc, anchors_and_merge_keys_save_typing);
	tcase_add_test(tc, an_anchor_may_be_set_again);
	tcase_add_test(tc, a_tag_makes_text_of_anything);
	tcase_add_test(tc, file_is_read_with_mark_and_foreign_line_ends);
	return support_main(suite, NULL);
}
