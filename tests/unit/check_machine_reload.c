/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: reloads.
 */
#include "puppet.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

#define ASK(p, verb, key) puppet_ask(p, machine_##verb, key)

/* code_change: the same again */
START_TEST(reload_of_the_same_changes_nothing)
{
	struct puppet *p = puppet_boot("a w*2 in{ x y:x } z<a");

	puppet_expect(p, "+a +z +w" MARK "1 +w" MARK "2 +in/x +in/y");
	ck_assert_int_eq(puppet_reload(p, "a w*2 in{ x y:x } z<a"), GROUPER_OK);
	puppet_expect(p, "");
	puppet_shutdown(p);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* code_change; there new ones are not started, removed ones not stopped. */
START_TEST(reload_starts_new_and_stops_removed)
{
	struct puppet *p = puppet_boot("a b in{ x y }");

	puppet_expect(p, "+a +b +in/x +in/y");
	ck_assert_int_eq(puppet_reload(p, "n a in{ m x } s{ k }"), GROUPER_OK);
	puppet_expect(p, "-in/y -b +n +in/m +s/k");
	puppet_expect_state(p, "b", NULL);
	puppet_expect_state(p, "in/y", NULL);
	puppet_shutdown(p);
	puppet_expect(p, "-s/k -in/x -in/m -a -n");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* Else whoever keeps something for a key keeps it for ever. */
START_TEST(what_goes_with_its_supervisor_is_told)
{
	struct puppet *p = puppet_boot("a in{ x*2 y{ z } }");

	ck_assert_int_eq(puppet_reload(p, "a"), GROUPER_OK);
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_REMOVED], 5);
	ck_assert_int_eq(puppet_spawn(p, "", "n{ x y }"), GROUPER_OK);
	ASK(p, stop, "n");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_REMOVED], 5);
	ck_assert_int_eq(ASK(p, delete, "n"), GROUPER_OK);
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_REMOVED], 8);
	puppet_free(p);
}
END_TEST

START_TEST(what_starts_with_its_supervisor_is_not_told_removed)
{
	struct puppet *p = puppet_boot("a in{ 0/5000 x y }");

	puppet_end(p, "in/x", KILLED);
	puppet_expect(p, "+a +in/x +in/y -in/y +in/x +in/y");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_REMOVED], 0);
	puppet_free(p);
}
END_TEST

/* code_change, code_change_map: flags and specifications */
START_TEST(reload_changes_policy_in_place)
{
	struct puppet *p = puppet_boot("one 1/5000 a b");

	ck_assert_int_eq(puppet_reload(p, "all 5/5000 a:x b"), GROUPER_OK);
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b -a +b");
	puppet_expect_state(p, "a", NULL);
	puppet_free(p);
}
END_TEST

START_TEST(reload_restarts_what_has_another_command)
{
	struct puppet *p = puppet_boot("a b");

	/* Another way to tell readiness is another command. */
	puppet_hold_stop(p, "a");
	ck_assert_int_eq(puppet_reload(p, "a? b"), GROUPER_OK);
	puppet_expect(p, "+a +b -a");
	puppet_end(p, "a", 15);
	puppet_expect(p, "+a");
	puppet_expect_state(p, "a", "waiting");
	puppet_ready(p, "a");
	puppet_expect_state(p, "a", "running");
	puppet_free(p);
}
END_TEST

START_TEST(reload_whose_restart_fails_tries_again)
{
	static const char *const trees[][2] = { { "a b", "a? b" },
		{ "a:t b", "a:t? b" }, { "all a b", "all a? b" } };
	struct puppet *p;
	size_t i;

	for (i = 0; i < 3; i++) {
		p = puppet_boot(trees[i][0]);
		puppet_fail(p, "a", 1);
		ck_assert_int_eq(puppet_reload(p, trees[i][1]), GROUPER_OK);
		puppet_expect(p,
		    i == 2 ? "+a +b -a +a -b +a" : "+a +b -a +a +a");
		puppet_ready(p, "a");
		puppet_expect_state(p, "a", "running");
		puppet_expect_state(p, "b", "running");
		ck_assert_uint_eq(p->counts[MACHINE_NOTE_RESTART], 1);
		puppet_free(p);
	}
}
END_TEST

START_TEST(reload_counts_as_restart_only_what_fails)
{
	struct puppet *p = puppet_boot("1/5000 a b");

	ck_assert_int_eq(puppet_reload(p, "1/5000 a? b"), GROUPER_OK);
	puppet_ready(p, "a");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_RESTART], 0);
	puppet_fail(p, "a", 2);
	ck_assert_int_eq(puppet_reload(p, "1/5000 a b"), GROUPER_OK);
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_RESTART], 1);
	puppet_expect(p, "+a +b -a +a -a +a +a -b");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* As without the reload: the supervisor could not be started. */
START_TEST(reload_before_it_was_ready_leaves_it_the_first_start)
{
	struct puppet *p = puppet_boot("b a?");

	puppet_fail(p, "a", 1);
	ck_assert_int_eq(puppet_reload(p, "b a"), GROUPER_OK);
	puppet_expect(p, "+b +a -a +a -b");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

START_TEST(restart_by_request_that_fails_is_not_tried_again)
{
	struct puppet *p = puppet_boot("a b");

	puppet_hold_stop(p, "a");
	ck_assert_int_eq(puppet_reload(p, "a? b"), GROUPER_OK);
	ck_assert_int_eq(ASK(p, restart, "a"), GROUPER_OK);
	puppet_fail(p, "a", 1);
	puppet_end(p, "a", 15);
	puppet_expect(p, "+a +b -a +a");
	puppet_expect_state(p, "a", "idle");
	puppet_free(p);
}
END_TEST

/* code_change: a faulty one */
START_TEST(reload_rejects_as_a_whole)
{
	struct puppet *p = puppet_boot("a b in{ x }");

	puppet_spawn(p, "", "n");
	puppet_expect(p, "+a +b +in/x +n");
	ck_assert_int_eq(puppet_reload(p, "c c"), GROUPER_INVALID);
	ck_assert_int_eq(puppet_reload(p, "z a:p! b"), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_reload(p, "z b a{ x }"),
	    GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_reload(p, "z in"), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_reload(p, "z n"), GROUPER_ALREADY_PRESENT);
	puppet_expect(p, "");
	puppet_expect_state(p, "b", "running");
	puppet_expect_state(p, "z", NULL);
	puppet_free(p);
}
END_TEST

START_TEST(reload_sets_instances)
{
	struct puppet *p = puppet_boot("w*2");

	ck_assert_int_eq(puppet_reload(p, "w*4"), GROUPER_OK);
	puppet_expect(p, "+w" MARK "1 +w" MARK "2 +w" MARK "3 +w" MARK "4");
	puppet_scale(p, "w", 3);
	puppet_expect(p, "-w" MARK "4");
	/* What was scaled stays unless the tree says something new. */
	ck_assert_int_eq(puppet_reload(p, "w*4"), GROUPER_OK);
	puppet_expect(p, "");
	ck_assert_int_eq(puppet_reload(p, "w*2"), GROUPER_OK);
	puppet_expect(p, "-w" MARK "3");
	puppet_free(p);
}
END_TEST

START_TEST(reload_revives_what_was_about_to_go)
{
	struct puppet *p = puppet_boot("a b");

	puppet_hold_stop(p, "b");
	ck_assert_int_eq(puppet_reload(p, "a"), GROUPER_OK);
	puppet_expect(p, "+a +b -b");
	ck_assert_int_eq(puppet_reload(p, "a b"), GROUPER_OK);
	puppet_expect(p, "");
	puppet_fail(p, "b", 1);
	puppet_end(p, "b", 15);
	puppet_expect(p, "+b +b");
	puppet_expect_state(p, "b", "running");
	puppet_free(p);
}
END_TEST

START_TEST(reload_revives_all_instances)
{
	struct puppet *p = puppet_boot("w*3");

	ASK(p, stop, "w" MARK "2");
	puppet_hold_stop(p, "w" MARK "1");
	puppet_hold_stop(p, "w" MARK "3");
	/* Nothing keeps the second from going at once. */
	ck_assert_int_eq(puppet_reload(p, "a"), GROUPER_OK);
	puppet_expect_state(p, "w" MARK "2", NULL);
	ck_assert_int_eq(puppet_reload(p, "a w*3"), GROUPER_OK);
	puppet_end(p, "w" MARK "1", 15);
	puppet_end(p, "w" MARK "3", 15);
	puppet_expect_state(p, "w" MARK "1", "running");
	puppet_expect_state(p, "w" MARK "2", "running");
	puppet_expect_state(p, "w" MARK "3", "running");
	puppet_free(p);
}
END_TEST

/* As one that is new, not as scaled before. */
START_TEST(reload_revives_as_many_as_the_tree_has)
{
	struct puppet *p = puppet_boot("w*2");

	puppet_scale(p, "w", 3);
	puppet_hold_stop(p, "w" MARK "1");
	puppet_hold_stop(p, "w" MARK "2");
	puppet_hold_stop(p, "w" MARK "3");
	ck_assert_int_eq(puppet_reload(p, "a"), GROUPER_OK);
	ck_assert_int_eq(puppet_reload(p, "a w*2"), GROUPER_OK);
	puppet_end(p, "w" MARK "1", 15);
	puppet_end(p, "w" MARK "2", 15);
	puppet_end(p, "w" MARK "3", 15);
	puppet_expect_state(p, "w" MARK "1", "running");
	puppet_expect_state(p, "w" MARK "2", "running");
	puppet_expect_state(p, "w" MARK "3", NULL);
	puppet_free(p);
}
END_TEST

START_TEST(reload_leaves_temporary_children_that_ended)
{
	struct puppet *p = puppet_boot("a t:x");

	puppet_end(p, "t", EXITED(0));
	ck_assert_int_eq(puppet_reload(p, "a t:x"), GROUPER_OK);
	puppet_expect(p, "+a +t");
	ck_assert_int_eq(puppet_reload(p, "a t:x?"), GROUPER_OK);
	puppet_expect(p, "+t");
	puppet_free(p);
}
END_TEST

START_TEST(reload_brings_back_a_deleted_child)
{
	struct puppet *p = puppet_boot("a b");

	ASK(p, stop, "b");
	ASK(p, delete, "b");
	ck_assert_int_eq(puppet_reload(p, "a b"), GROUPER_OK);
	puppet_expect(p, "+a +b -b +b");
	puppet_free(p);
}
END_TEST

START_TEST(reload_starts_what_another_command_may_help)
{
	struct puppet *p = puppet_boot("a");

	puppet_fail(p, "b", 2);
	ck_assert_int_eq(puppet_reload(p, "a b"), GROUPER_OK);
	puppet_expect(p, "+a +b");
	puppet_expect_state(p, "b", "idle");
	ck_assert_int_eq(puppet_reload(p, "a b"), GROUPER_OK);
	puppet_expect(p, "");
	ck_assert_int_eq(puppet_reload(p, "a b?"), GROUPER_OK);
	puppet_expect(p, "+b");
	puppet_expect_state(p, "b", "idle");
	ck_assert_int_eq(puppet_reload(p, "a b"), GROUPER_OK);
	puppet_expect(p, "+b");
	puppet_expect_state(p, "b", "running");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_CHANGED], 2);
	puppet_free(p);
}
END_TEST

/* As new children do, and unlike instances that machine_scale() adds. */
START_TEST(reload_keeps_a_new_instance_that_cannot_start)
{
	struct puppet *p = puppet_boot("w*2");

	puppet_fail(p, "w" MARK "3", 1);
	ck_assert_int_eq(puppet_reload(p, "w*3"), GROUPER_OK);
	puppet_expect_state(p, "w" MARK "3", "idle");
	ck_assert_int_eq(puppet_reload(p, "w?*3"), GROUPER_OK);
	puppet_expect_state(p, "w" MARK "3", "waiting");
	puppet_free(p);
}
END_TEST

START_TEST(reload_leaves_idle_what_nobody_wants_to_run)
{
	struct puppet *p = puppet_boot("a n-");

	puppet_fail(p, "b", 1);
	puppet_fail(p, "n", 1);
	puppet_reload(p, "a n- b in{ x }");
	ASK(p, stop, "b");
	ASK(p, stop, "in");
	ASK(p, start, "n");
	puppet_expect(p, "+a +b +in/x -in/x +n");
	ck_assert_int_eq(puppet_reload(p, "a n-? b? in{ x? }"), GROUPER_OK);
	puppet_expect(p, "");
	puppet_free(p);
}
END_TEST

START_TEST(reload_ends_the_back_off_of_another_command)
{
	struct puppet *p = puppet_boot("9/5000 a=20000 b");

	puppet_end(p, "a", EXITED(1));
	puppet_expect_state(p, "a", "restarting");
	ck_assert_int_eq(puppet_reload(p, "9/5000 a=20000 b?"), GROUPER_OK);
	puppet_expect(p, "+a +b -b +b");
	ck_assert_int_eq(puppet_reload(p, "9/5000 a?=20000 b?"), GROUPER_OK);
	puppet_expect(p, "+a");
	/* Nor does the next one last longer for it. */
	puppet_ready(p, "a");
	puppet_end(p, "a", EXITED(1));
	puppet_pass(p, 22000);
	puppet_expect(p, "+a");
	puppet_free(p);
}
END_TEST

START_TEST(reload_ends_the_back_off_of_a_restart_in_common)
{
	struct puppet *p = puppet_boot("all 9/5000 a=20000 b");

	puppet_hold_stop(p, "b");
	puppet_end(p, "a", EXITED(1));
	ck_assert_int_eq(puppet_reload(p, "all 9/5000 a?=20000 b"), GROUPER_OK);
	puppet_expect(p, "+a +b -b");
	puppet_end(p, "b", 15);
	puppet_expect(p, "+a");
	puppet_ready(p, "a");
	puppet_expect(p, "+b");
	puppet_free(p);
	/* But a pause is its supervisor's. */
	p = puppet_boot("0/5000 cool=9000 a b");
	puppet_end(p, "a", EXITED(1));
	ck_assert_int_eq(puppet_reload(p, "0/5000 cool=9000 a? b"), GROUPER_OK);
	puppet_expect(p, "+a +b -b");
	puppet_pass(p, 9000);
	puppet_expect(p, "+a");
	puppet_free(p);
}
END_TEST

START_TEST(reload_starts_a_supervisor_that_a_change_below_may_help)
{
	static const char *const helped[] = { "a in{ y on{ x? } }",
		"a in{ y on{ w } }", "a in{ y on{ w x } }",
		"a in{ y on{ x*2 } }" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < sizeof(helped) / sizeof(helped[0]); i++) {
		p = puppet_boot("a");
		puppet_fail(p, "in/on/x", 1);
		puppet_reload(p, "a in{ y on{ x } }");
		puppet_expect(p, "+a +in/y +in/on/x -in/y");
		puppet_expect_state(p, "in", "idle");
		puppet_reload(p, "9/5000 a in{ 9/5000 y on{ x } }");
		puppet_expect(p, "");
		ck_assert_int_eq(puppet_reload(p, helped[i]), GROUPER_OK);
		puppet_expect_state(p, "in/y", "running");
		puppet_free(p);
	}
	/* Of one that runs, only what changed starts again. */
	p = puppet_boot("a in{ x y }");
	puppet_reload(p, "a in{ x? y }");
	puppet_expect(p, "+a +in/x +in/y -in/x +in/x");
	puppet_free(p);
}
END_TEST

/* What now stops before those that a restart in common is to stop. */
START_TEST(reload_extends_a_restart_in_common)
{
	static const char *const trees[][2] = {
		{ "rest 9/5000 a b c d", "rest 9/5000 b c d a" },
		{ "rest 9/5000 a< b c d", "rest 9/5000 b c d a<c" },
	};
	struct puppet *p;
	size_t i;

	for (i = 0; i < 2; i++) {
		p = puppet_boot(trees[i][0]);
		puppet_hold_stop(p, "d");
		puppet_end(p, "b", EXITED(1));
		puppet_expect(p, "+a +b +c +d -d");
		ck_assert_int_eq(puppet_reload(p, trees[i][1]), GROUPER_OK);
		puppet_end(p, "d", 15);
		puppet_expect_state(p, "a", "running");
		puppet_expect_state(p, "b", "running");
		puppet_expect_state(p, "c", "running");
		puppet_expect_state(p, "d", "running");
		puppet_expect(p,
		    i == 0 ? "-a -c +b +c +d +a" : "-a -c +b +c +a +d");
		puppet_free(p);
	}
}
END_TEST

/* One that failed stays with its other instances, unless it now waits. */
START_TEST(reload_puts_a_failed_one_behind_those_restarted_with_it)
{
	struct puppet *p = puppet_boot("rest 9/5000 b*2 c d");

	puppet_hold_stop(p, "d");
	puppet_end(p, "b" MARK "2", EXITED(1));
	ck_assert_int_eq(puppet_reload(p, "rest 9/5000 c d b*2"), GROUPER_OK);
	puppet_expect(p, "+b" MARK "1 +b" MARK "2 +c +d -d -b" MARK "1");
	puppet_end(p, "d", 15);
	puppet_expect(p, "-c +c +d +b" MARK "1 +b" MARK "2");
	puppet_free(p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_reload");
	TCase *tc;

	tc = support_case(suite, "reload");
	tcase_add_test(tc, reload_of_the_same_changes_nothing);
	tcase_add_test(tc, reload_starts_new_and_stops_removed);
	tcase_add_test(tc, what_goes_with_its_supervisor_is_told);
	tcase_add_test(tc, what_starts_with_its_supervisor_is_not_told_removed);
	tcase_add_test(tc, reload_changes_policy_in_place);
	tcase_add_test(tc, reload_restarts_what_has_another_command);
	tcase_add_test(tc, reload_whose_restart_fails_tries_again);
	tcase_add_test(tc, reload_counts_as_restart_only_what_fails);
	tcase_add_test(tc,
	    reload_before_it_was_ready_leaves_it_the_first_start);
	tcase_add_test(tc, restart_by_request_that_fails_is_not_tried_again);
	tcase_add_test(tc, reload_rejects_as_a_whole);
	tcase_add_test(tc, reload_sets_instances);
	tcase_add_test(tc, reload_revives_what_was_about_to_go);
	tcase_add_test(tc, reload_revives_all_instances);
	tcase_add_test(tc, reload_revives_as_many_as_the_tree_has);
	tcase_add_test(tc, reload_leaves_temporary_children_that_ended);
	tcase_add_test(tc, reload_brings_back_a_deleted_child);
	tcase_add_test(tc, reload_starts_what_another_command_may_help);
	tcase_add_test(tc, reload_keeps_a_new_instance_that_cannot_start);
	tcase_add_test(tc, reload_leaves_idle_what_nobody_wants_to_run);
	tcase_add_test(tc, reload_ends_the_back_off_of_another_command);
	tcase_add_test(tc, reload_ends_the_back_off_of_a_restart_in_common);
	tcase_add_test(tc,
	    reload_starts_a_supervisor_that_a_change_below_may_help);
	tcase_add_test(tc, reload_extends_a_restart_in_common);
	tcase_add_test(tc,
	    reload_puts_a_failed_one_behind_those_restarted_with_it);
	return support_main(suite, NULL);
}
