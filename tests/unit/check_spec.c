/* SPDX-License-Identifier: ISC */
/*
 * Specifications of supervisor trees: runtime/supervise/spec, and the window
 * of restarts.
 */
#include "runtime/supervise/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "puppet.h"
#include "runtime/supervise/window.h"
#include "runtime/util/parse.h"
#include "support.h"

static void
assert_tree(struct spec_tree *tree, enum grouper_error wanted, const char *part)
{
	const struct spec_child *at;
	enum grouper_error error;
	char *why;

	error = spec_check(tree, &why, &at);
	ck_assert_msg(error == wanted, "%s: %s", grouper_strerror(error),
	    why != NULL ? why : "");
	if (wanted == GROUPER_OK)
		ck_assert_ptr_null(why);
	else
		ck_assert_msg(strstr(why, part) != NULL, "%s", why);
	free(why);
	spec_free(tree);
}

static void
assert_check(const char *text, enum grouper_error wanted, const char *part)
{
	assert_tree(puppet_tree(text), wanted, part);
}

START_TEST(defaults_are_those_of_otp)
{
	struct spec_supervisor supervisor;
	struct spec_command command;
	struct spec_child child;

	spec_supervisor_init(&supervisor);
	ck_assert_int_eq(supervisor.strategy, SPEC_ONE_FOR_ONE);
	ck_assert_uint_eq(supervisor.intensity, 1);
	ck_assert_int_eq(supervisor.period_ms, 5000);
	ck_assert_int_eq(supervisor.auto_shutdown, SPEC_NEVER);
	ck_assert_int_eq(supervisor.cooldown_ms, -1);
	spec_child_init(&child);
	ck_assert(child.autostart && !child.significant);
	ck_assert_int_eq(child.restart, SPEC_PERMANENT);
	ck_assert_int_eq(steps_total(&child.shutdown), 5000);
	ck_assert(spec_success_has(&child.success, 0));
	ck_assert(!spec_success_has(&child.success, 1));
	spec_command_init(&command);
	ck_assert(command.worker && !command.force);
	ck_assert_uint_eq(command.instances, 1);
	ck_assert_int_eq(command.ready_timeout_ms, -1);
	ck_assert_int_eq(command.umask, -1);
}
END_TEST

START_TEST(success_is_a_set_of_statuses)
{
	struct spec_success success = { .bits = { 0 } };
	unsigned int i;

	spec_success_add(&success, 143);
	spec_success_add(&success, 255);
	spec_success_add(&success, 256);
	for (i = 0; i < 600; i++)
		ck_assert(spec_success_has(&success, i) ==
		    (i == 143 || i == 255));
}
END_TEST

START_TEST(names_are_those_of_the_tree_file)
{
	ck_assert_str_eq(spec_strategy_name(SPEC_REST_FOR_ONE), "rest_for_one");
	ck_assert_str_eq(spec_restart_name(SPEC_TRANSIENT), "transient");
	ck_assert_str_eq(spec_auto_shutdown_name(SPEC_ALL_SIGNIFICANT),
	    "all_significant");
	ck_assert_str_eq(spec_strategy_name((enum spec_strategy)9), "unknown");
	ck_assert_str_eq(spec_restart_name((enum spec_restart)9), "unknown");
	ck_assert_str_eq(spec_auto_shutdown_name((enum spec_auto_shutdown)9),
	    "unknown");
}
END_TEST

START_TEST(good_trees_are_accepted)
{
	assert_check("", GROUPER_OK, NULL);
	assert_check("all 0/1 a b*0 c*3 in{ rest a }", GROUPER_OK, NULL);
	assert_check("any a:x! b:t!", GROUPER_OK, NULL);
	assert_check("a<b b<c,d c<d d<", GROUPER_OK, NULL);
	assert_check("a b<a c d<b,c e", GROUPER_OK, NULL);
}
END_TEST

START_TEST(ids_are_checked)
{
	struct spec_tree *tree;

	assert_check("a b a", GROUPER_INVALID, "'a' is there twice");
	assert_check("a in{ a }", GROUPER_OK, NULL);
	tree = puppet_tree("a");
	tree->root.children[0].id[0] = '/';
	assert_tree(tree, GROUPER_INVALID, "id:");
	tree = puppet_tree("aa1"); /* it could be the key of an instance */
	tree->root.children[0].id[1] = SPEC_INSTANCE_MARK[0];
	assert_tree(tree, GROUPER_INVALID, "id:");
	tree = puppet_tree("a");
	free(tree->root.children[0].id);
	tree->root.children[0].id = calloc(1, SPEC_ID_MAX + 2);
	memset(tree->root.children[0].id, 'a', SPEC_ID_MAX + 1);
	assert_tree(tree, GROUPER_INVALID, "id:");
	tree = puppet_tree("aa1");
	tree->root.children[0].id[1] = '/';
	tree->root.children[0].numbered = true;
	assert_tree(tree, GROUPER_INVALID, "id:");
	tree = puppet_tree("aa1");
	tree->root.children[0].id[1] = ':';
	tree->root.children[0].numbered = true;
	assert_tree(tree, GROUPER_OK, NULL);
	tree = puppet_tree("a");
	tree->name = strdup("no name");
	assert_tree(tree, GROUPER_INVALID, "name");
}
END_TEST

START_TEST(significance_is_checked)
{
	assert_check("a:t!", GROUPER_BAD_COMBINATION, "auto_shutdown");
	assert_check("any a:p!", GROUPER_BAD_COMBINATION, "transient");
	assert_check("any a:t!*2", GROUPER_BAD_COMBINATION, "instances");
	assert_check("any in:t{ a:t! }", GROUPER_BAD_COMBINATION,
	    "auto_shutdown");
}
END_TEST

START_TEST(edges_are_checked)
{
	struct spec_tree *tree;

	assert_check("a<zz", GROUPER_INVALID, "no child 'zz'");
	assert_check("a<a", GROUPER_INVALID, "itself");
	assert_check("a<b b<a", GROUPER_INVALID, "waits");
	assert_check("a<b b<c c<d d<b", GROUPER_INVALID, "waits");
	assert_check("a<b b", GROUPER_INVALID, "comes later");
	/* By way of the list: b waits for a, a for c, c for b. */
	assert_check("a<c b c<b", GROUPER_INVALID, "waits");
	tree = puppet_tree("a b<a");
	tree->root.children[1].parallel = false;
	assert_tree(tree, GROUPER_INVALID, "parallel");
}
END_TEST

/* Times are added to the clock, and told in microseconds. */
START_TEST(times_that_would_overflow_are_refused)
{
	struct spec_tree *tree = puppet_tree("a");
	struct spec_child *child = &tree->root.children[0];
	struct spec_command *command = child->command;
	int64_t *const times[] = { &command->ready_timeout_ms,
		&command->min_uptime_ms, &command->watchdog_ms,
		&command->ready_interval_ms, &child->backoff.max_ms,
		&child->backoff.reset_ms, &tree->root.period_ms,
		&tree->root.cooldown_ms };
	const struct spec_child *at;
	int64_t before;
	size_t i;
	char *why;

	command->ready = SPEC_READY_EXEC;
	command->ready_argv = calloc(2, sizeof(char *));
	command->ready_argv[0] = strdup("true");
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		before = *times[i];
		*times[i] = PARSE_TIME_MAX;
		ck_assert_int_eq(spec_check(tree, &why, &at), GROUPER_OK);
		*times[i] = PARSE_TIME_MAX + 1;
		ck_assert_int_eq(spec_check(tree, &why, &at), GROUPER_INVALID);
		ck_assert_ptr_nonnull(strstr(why, "longer than 292 years"));
		free(why);
		*times[i] = before;
	}
	spec_free(tree);
}
END_TEST

START_TEST(numbers_are_checked)
{
	struct spec_tree *tree;

	assert_check("1/0 a", GROUPER_INVALID, "period");
	assert_check("a*60000 b*60000", GROUPER_INVALID, "more than");
	assert_check("a*100001", GROUPER_INVALID, "instances");
	tree = puppet_tree("a");
	tree->root.cooldown_ms = -2;
	assert_tree(tree, GROUPER_INVALID, "on_limit");
	tree = puppet_tree("a");
	tree->root.children[0].backoff.max_ms = -1;
	assert_tree(tree, GROUPER_INVALID, "backoff");
	tree = puppet_tree("a");
	tree->root.children[0].shutdown.count = 0;
	assert_tree(tree, GROUPER_INVALID, "shutdown");
	tree = puppet_tree("a");
	tree->root.children[0].command->watchdog_ms = -1;
	assert_tree(tree, GROUPER_INVALID, "negative");
	tree = puppet_tree("a");
	tree->root.strategy = (enum spec_strategy)7;
	assert_tree(tree, GROUPER_INVALID, "strategy");
	tree = puppet_tree("a");
	tree->root.auto_shutdown = (enum spec_auto_shutdown)7;
	assert_tree(tree, GROUPER_INVALID, "auto_shutdown");
	tree = puppet_tree("a");
	tree->root.children[0].restart = (enum spec_restart)7;
	assert_tree(tree, GROUPER_INVALID, "restart");
}
END_TEST

static void
assert_ready(enum spec_ready ready, int fd, const char *part)
{
	struct spec_tree *tree = puppet_tree("a");

	tree->root.children[0].command->ready = ready;
	tree->root.children[0].command->ready_fd = fd;
	assert_tree(tree, part == NULL ? GROUPER_OK : GROUPER_INVALID, part);
}

START_TEST(readiness_is_checked)
{
	assert_ready(SPEC_READY_FD, 3, NULL);
	assert_ready(SPEC_READY_FD, 2, "above 2");
	assert_ready(SPEC_READY_FD, 8, "messages");
	assert_ready(SPEC_READY_FD, 9, "messages");
	assert_ready(SPEC_READY_EXEC, -1, "no command");
	assert_ready(SPEC_READY_LOG, -1, "pattern");
	assert_ready(SPEC_READY_NOTIFY, -1, NULL);
}
END_TEST

START_TEST(readiness_by_lines_needs_a_log)
{
	struct spec_tree *tree = puppet_tree("a");

	tree->root.children[0].command->ready = SPEC_READY_LOG;
	tree->root.children[0].command->ready_regex = strdup("up");
	tree->root.children[0].command->log = SPEC_LOG_INHERIT;
	assert_tree(tree, GROUPER_BAD_COMBINATION, "log: inherit");
}
END_TEST

START_TEST(command_or_supervisor)
{
	struct spec_tree *tree = puppet_tree("a");

	free(tree->root.children[0].command->argv[0]);
	tree->root.children[0].command->argv[0] = NULL;
	assert_tree(tree, GROUPER_INVALID, "no command");
	tree = puppet_tree("a");
	tree->root.children[0].supervisor = calloc(1,
	    sizeof(struct spec_supervisor));
	assert_tree(tree, GROUPER_INVALID, "either");
}
END_TEST

START_TEST(depth_has_a_limit)
{
	char text[512] = "";
	int i;

	for (i = 0; i < SPEC_DEPTH_MAX - 1; i++)
		strcat(text, "s{ ");
	for (i = 0; i < SPEC_DEPTH_MAX - 1; i++)
		strcat(text, " }");
	assert_check(text, GROUPER_OK, NULL);
	memmove(text + 3, text, strlen(text) + 1);
	memcpy(text, "s{ ", 3);
	strcat(text, " }");
	assert_check(text, GROUPER_INVALID, "deep");
}
END_TEST

/* A command with something of everything. */
static void
fill(struct spec_command *command)
{
	command->env = calloc(3, sizeof(char *));
	command->env[0] = strdup("A=1");
	command->env[1] = strdup("B=2");
	command->limits = calloc(1, sizeof(*command->limits));
	command->limits[0].soft = 7;
	command->nlimits = 1;
	command->on_event = calloc(1, sizeof(*command->on_event));
	command->on_event[0].event = strdup("reload");
	command->on_event[0].signum = 1;
	command->non_event = 1;
	command->directory = strdup("/tmp");
	command->log_file = strdup("log");
	command->topics = calloc(2, sizeof(char *));
	command->topics[0] = strdup("room:*");
}

START_TEST(copy_is_deep_and_equal)
{
	struct spec_tree *tree = puppet_tree("a in{ b<c c< } d"), *copy;
	const struct spec_child *child;

	fill(tree->root.children[0].command);
	tree->name = strdup("name");
	tree->ntopic_groups = tree->nconfig = 1;
	tree->topic_groups = calloc(1, sizeof(*tree->topic_groups));
	tree->topic_groups[0].name = strdup("team");
	tree->topic_groups[0].topics = calloc(2, sizeof(char *));
	tree->topic_groups[0].topics[0] = strdup("room");
	tree->config = calloc(1, sizeof(*tree->config));
	tree->config[0].name = strdup("k");
	tree->config[0].value = strdup("1");
	copy = spec_copy(tree);
	ck_assert_ptr_nonnull(copy);
	ck_assert(spec_command_equal(tree->root.children[0].command,
	    copy->root.children[0].command));
	spec_free(tree);
	ck_assert_str_eq(copy->name, "name");
	ck_assert_str_eq(copy->topic_groups[0].topics[0], "room");
	ck_assert_str_eq(copy->config[0].value, "1");
	ck_assert_uint_eq(copy->root.nchildren, 3);
	child = &copy->root.children[1].supervisor->children[0];
	ck_assert_str_eq(child->depends_on[0], "c");
	ck_assert_str_eq(copy->root.children[0].command->on_event[0].event,
	    "reload");
	spec_free(copy);
	spec_free(NULL);
}
END_TEST

START_TEST(equality_sees_every_difference)
{
	struct spec_tree *one = puppet_tree("a"), *other;
	struct spec_command *a, *b;

	fill(one->root.children[0].command);
	other = spec_copy(one);
	a = one->root.children[0].command;
	b = other->root.children[0].command;
	ck_assert(spec_command_equal(a, b));
	b->env[1][0] = 'C';
	ck_assert(!spec_command_equal(a, b));
	b->env[1][0] = 'B';
	b->limits[0].soft = 8;
	ck_assert(!spec_command_equal(a, b));
	b->limits[0].soft = 7;
	b->on_event[0].signum = 2;
	ck_assert(!spec_command_equal(a, b));
	b->on_event[0].signum = 1;
	free(b->directory);
	b->directory = NULL;
	ck_assert(!spec_command_equal(a, b));
	b->directory = strdup("/tmp");
	b->nice = 1;
	ck_assert(!spec_command_equal(a, b));
	b->nice = 0;
	b->instances = 2;
	ck_assert(!spec_command_equal(a, b));
	ck_assert(spec_command_same_run(a, b));
	spec_free(one);
	spec_free(other);
}
END_TEST

START_TEST(child_alone_is_checked_against_its_supervisor)
{
	struct spec_tree *tree = puppet_tree("a:t!");
	struct spec_supervisor parent;
	char *why;

	spec_supervisor_init(&parent);
	ck_assert_int_eq(spec_check_child(&parent, tree->root.children, &why),
	    GROUPER_BAD_COMBINATION);
	ck_assert_ptr_nonnull(why);
	free(why);
	parent.auto_shutdown = SPEC_ANY_SIGNIFICANT;
	ck_assert_int_eq(spec_check_child(&parent, tree->root.children, &why),
	    GROUPER_OK);
	ck_assert_ptr_null(why);
	spec_free(tree);
}
END_TEST

START_TEST(window_slides)
{
	struct window window = { .times = NULL };
	int64_t i;

	ck_assert_uint_eq(window_add(&window, 0, 100), 1);
	ck_assert_uint_eq(window_add(&window, 100, 100), 2);
	ck_assert_uint_eq(window_add(&window, 101, 100), 2);
	window_clear(&window);
	for (i = 1; i <= 1000; i++)
		ck_assert_uint_eq(window_add(&window, i, 10000), (size_t)i);
	for (i = 20000; i < 21000; i++)
		ck_assert_uint_le(window_add(&window, i, 9), 10);
	window_fini(&window);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spec");
	TCase *tc;

	tc = support_case(suite, "values");
	tcase_add_test(tc, defaults_are_those_of_otp);
	tcase_add_test(tc, success_is_a_set_of_statuses);
	tcase_add_test(tc, names_are_those_of_the_tree_file);
	tcase_add_test(tc, copy_is_deep_and_equal);
	tcase_add_test(tc, equality_sees_every_difference);
	tcase_add_test(tc, window_slides);
	tc = support_case(suite, "check");
	tcase_add_test(tc, good_trees_are_accepted);
	tcase_add_test(tc, ids_are_checked);
	tcase_add_test(tc, significance_is_checked);
	tcase_add_test(tc, edges_are_checked);
	tcase_add_test(tc, numbers_are_checked);
	tcase_add_test(tc, times_that_would_overflow_are_refused);
	tcase_add_test(tc, readiness_is_checked);
	tcase_add_test(tc, readiness_by_lines_needs_a_log);
	tcase_add_test(tc, command_or_supervisor);
	tcase_add_test(tc, depth_has_a_limit);
	tcase_add_test(tc, child_alone_is_checked_against_its_supervisor);
	return support_main(suite, NULL);
}
