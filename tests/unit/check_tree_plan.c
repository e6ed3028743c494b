/* SPDX-License-Identifier: ISC */
/*
 * What a reload would do: runtime/tree/plan.
 */
#include "runtime/tree/plan.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/tree/tree.h"
#include "support.h"

static struct spec_tree *
load(const char *text)
{
	struct tree_problems problems;
	struct spec_tree *tree;

	tree_problems_init(&problems);
	tree = tree_load_text("f", text, strlen(text), &problems);
	tree_problems_print(stderr, &problems, false);
	ck_assert_ptr_nonnull(tree);
	return tree;
}

/* The plan as "stop a, start b". */
static void
assert_plan(const char *from, const char *to, const char *wanted)
{
	struct spec_tree *old = load(from), *new = load(to);
	char text[512] = "";
	struct plan plan;
	size_t i;

	ck_assert_int_eq(plan_make(&plan, old, new, NULL), 0);
	for (i = 0; i < plan.count; i++) {
		if (i > 0)
			strlcat(text, ", ", sizeof(text));
		strlcat(text, plan_change_name(plan.steps[i].change),
		    sizeof(text));
		strlcat(text, " ", sizeof(text));
		strlcat(text, plan.steps[i].key, sizeof(text));
		if (plan.steps[i].change == PLAN_SCALE)
			snprintf(text + strlen(text),
			    sizeof(text) - strlen(text), " %u-%u",
			    plan.steps[i].from, plan.steps[i].to);
	}
	ck_assert_str_eq(text, wanted);
	plan_fini(&plan);
	spec_free(old);
	spec_free(new);
}

#define A "{id: a, command: [x]}"
#define B "{id: b, command: [x]}"
#define C "{id: c, command: [x]}"
#define TREE(list) "children: [" list "]"
#define UNDER(list) TREE("{id: s, supervisor: {children: [" list "]}}")

START_TEST(what_it_adds_to_messages_is_a_step)
{
	assert_plan("config: {a: 1}\n" TREE(A),
	    "config: {a: 1, b: 2}\n" TREE(A), "add b");
	assert_plan(TREE(A), "topic_groups: {g: [t]}\n" TREE(A), "add g");
	assert_plan("topic_groups: {g: [t]}\n" TREE(A),
	    "topic_groups: {g: [u, t]}\n" TREE(A), "add g");
	assert_plan("config: {a: 1}\ntopic_groups: {g: [t, u]}\n" TREE(A),
	    "config: {a: 2}\ntopic_groups: {g: [t]}\n" TREE(A), "");
}
END_TEST

START_TEST(names_of_its_own_are_an_update)
{
	assert_plan(UNDER(A),
	    TREE("{id: s, supervisor: {names: own, children: [" A "]}}"),
	    "update s");
	assert_plan(TREE(A), "names: own\n" TREE(A), "");
}
END_TEST

static void
on_ignored(const char *line, void *arg)
{
	strlcat(arg, line, 512);
	strlcat(arg, "\n", 512);
}

START_TEST(what_a_reload_takes_no_account_of_is_told)
{
	struct spec_tree *old =
	    load("name: a\nconfig: {x: 1, y: 1, z: 1}\n"
		 "topic_groups: {g: [t], h: [t]}\n" TREE(A));
	struct spec_tree *new = load("name: b\nconfig: {x: 2, z: 1}\n"
				     "topic_groups: {h: [t, u]}\n" TREE(A));
	char text[512] = "";

	old->named = new->named = true;
	plan_ignores(old, new, NULL, on_ignored, text);
	ck_assert_str_eq(text,
	    "name: a running host keeps its name, 'b' is for the next\n"
	    "topic_groups g: a reload removes no topics\n"
	    "config x: a reload changes no settings\n"
	    "config y: a reload removes no settings\n");
	text[0] = '\0';
	plan_ignores(old, old, NULL, on_ignored, text);
	old->named = new->named = false;
	plan_ignores(new, new, NULL, on_ignored, text);
	ck_assert_str_eq(text, "");
	spec_free(old);
	spec_free(new);
}
END_TEST

START_TEST(equal_trees_need_nothing)
{
	assert_plan(TREE(A ", " B), TREE(A ", " B), "");
	assert_plan(UNDER(A), UNDER(A), "");
	assert_plan(TREE(""), TREE(""), "");
}
END_TEST

START_TEST(removed_children_stop_in_reverse_before_new_ones_start)
{
	assert_plan(TREE(A ", " B ", " C), TREE("{id: d, command: [x]}, " B),
	    "stop c, stop a, start d");
}
END_TEST

START_TEST(what_runs_otherwise_is_restarted)
{
	assert_plan(TREE(A), TREE("{id: a, command: [y]}"), "restart a");
	assert_plan(TREE(A), TREE("{id: a, command: [x], env: {A: b}}"),
	    "restart a");
	assert_plan(TREE(A),
	    TREE("{id: a, command: [y], restart: temporary, "
		 "instances: 2}"),
	    "restart a");
}
END_TEST

START_TEST(policies_change_in_place)
{
	static const char *const changes[] = { "restart: transient",
		"autostart: false", "backoff: {min: 1s}", "shutdown: 9s",
		"success: [1]", "depends_on: []", "ready_timeout: 5s",
		"stop_pre: [y]" };
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		snprintf(text, sizeof(text),
		    "children: [{id: a, command: [x], %s}]", changes[i]);
		assert_plan(TREE(A), text, "update a");
		assert_plan(text, TREE(A), "update a");
	}
}
END_TEST

START_TEST(instances_are_scaled)
{
	assert_plan(TREE(A), TREE("{id: a, command: [x], instances: 4}"),
	    "scale a 1-4");
	assert_plan(TREE("{id: a, command: [x], instances: 4}"),
	    TREE("{id: a, command: [x], instances: 2, restart: temporary}"),
	    "update a, scale a 4-2");
}
END_TEST

START_TEST(children_of_supervisors_have_paths)
{
	assert_plan(UNDER(A), UNDER(B), "stop s/a, start s/b");
	assert_plan(UNDER(A), TREE(A), "stop s, start a");
	assert_plan(TREE("{id: s, command: [x]}"), UNDER(A), "restart s");
	assert_plan(UNDER(A),
	    TREE("{id: s, supervisor: {intensity: 9, children: [" A "]}}"),
	    "update s");
}
END_TEST

START_TEST(the_root_changes_in_place)
{
	assert_plan(TREE(A), "intensity: 3\n" TREE(A), "update ");
}
END_TEST

/* The order in which they stop, and who is restarted with whom. */
START_TEST(another_order_is_an_update_of_the_supervisor)
{
	assert_plan(TREE(A ", " B), TREE(B ", " A), "update ");
	assert_plan(UNDER(A ", " B ", " C), UNDER(A ", " C ", " B), "update s");
	assert_plan(TREE(A ", " B ", " C), TREE(C ", " A), "update , stop b");
	assert_plan("intensity: 2\n" TREE(A ", " B), TREE(B ", " A), "update ");
	/* Those that stay have the same. */
	assert_plan(TREE(B ", " C), TREE(A ", " B), "stop c, start a");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_plan");
	TCase *tc;

	tc = support_case(suite, "plan");
	tcase_add_test(tc, equal_trees_need_nothing);
	tcase_add_test(tc, what_it_adds_to_messages_is_a_step);
	tcase_add_test(tc, names_of_its_own_are_an_update);
	tcase_add_test(tc, what_a_reload_takes_no_account_of_is_told);
	tcase_add_test(tc,
	    removed_children_stop_in_reverse_before_new_ones_start);
	tcase_add_test(tc, what_runs_otherwise_is_restarted);
	tcase_add_test(tc, policies_change_in_place);
	tcase_add_test(tc, instances_are_scaled);
	tcase_add_test(tc, children_of_supervisors_have_paths);
	tcase_add_test(tc, the_root_changes_in_place);
	tcase_add_test(tc, another_order_is_an_update_of_the_supervisor);
	return support_main(suite, NULL);
}
