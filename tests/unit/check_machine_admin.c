/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: requests by key, and status.
 */
#include "puppet.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

#define ASK(p, verb, key) puppet_ask(p, machine_##verb, key)

/* child_adm */
START_TEST(child_adm)
{
	struct puppet *p = puppet_boot("a b");

	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(puppet_spawn(p, "", "a"), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(ASK(p, delete, "a"), GROUPER_RUNNING);
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	puppet_expect_state(p, "a", "idle");
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	ck_assert_int_eq(puppet_spawn(p, "", "a"), GROUPER_ALREADY_PRESENT);
	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_OK);
	puppet_expect(p, "+a +b -a +a");
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	ck_assert_int_eq(ASK(p, delete, "a"), GROUPER_OK);
	puppet_expect_state(p, "a", NULL);
	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, delete, "a"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(puppet_spawn(p, "", "a"), GROUPER_OK);
	puppet_free(p);
}
END_TEST

/* child_adm: not_found */
START_TEST(unknown_keys_are_not_found)
{
	struct puppet *p = puppet_boot("a in{ x }");

	ck_assert_int_eq(ASK(p, start, "zz"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, stop, "zz"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, restart, "x"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, delete, "in/"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, reset, ""), GROUPER_NOT_FOUND);
	ck_assert_int_eq(puppet_scale(p, "zz", 2), GROUPER_NOT_FOUND);
	ck_assert_int_eq(puppet_spawn(p, "zz", "n"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(puppet_spawn(p, "a", "n"), GROUPER_BAD_COMBINATION);
	puppet_free(p);
}
END_TEST

START_TEST(start_while_starting_or_stopping_is_already_started)
{
	struct puppet *p = puppet_boot("a b? c");

	ck_assert_int_eq(ASK(p, start, "b"), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(ASK(p, start, "c"), GROUPER_ALREADY_STARTED);
	puppet_hold_stop(p, "a");
	ASK(p, stop, "a");
	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_ALREADY_STARTED);
	puppet_free(p);
}
END_TEST

/* sup_stop_manual, transient_shutdown: our stop is no end of its own. */
START_TEST(stopped_child_is_not_restarted)
{
	struct puppet *p = puppet_boot("a b");

	puppet_hold_stop(p, "a");
	ASK(p, stop, "a");
	puppet_end(p, "a", EXITED(1));
	puppet_expect(p, "+a +b -a");
	puppet_expect_state(p, "a", "idle");
	puppet_free(p);
}
END_TEST

/* child_unlink: what its command left is stopped like itself. */
START_TEST(stop_of_what_ended_by_itself_prevents_the_restart)
{
	struct puppet *p = puppet_boot("a");

	puppet_ended(p, "a", EXITED(1));
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	puppet_empty(p, "a");
	puppet_expect(p, "+a -a");
	puppet_expect_state(p, "a", "idle");
	puppet_free(p);
}
END_TEST

/* temporary_shutdown */
START_TEST(stopped_temporary_child_goes)
{
	struct puppet *p = puppet_boot("a:x b");

	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	puppet_expect_state(p, "a", NULL);
	puppet_free(p);
}
END_TEST

/* sup_start_restart_child_returns_error */
START_TEST(requested_start_that_fails_leaves_the_child_idle)
{
	struct puppet *p = puppet_boot("a b");

	ASK(p, stop, "a");
	puppet_fail(p, "a", 1);
	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_OK);
	puppet_expect(p, "+a +b -a +a");
	puppet_expect_state(p, "a", "idle");
	puppet_expect_state(p, "", "running");
	ck_assert_str_eq(p->notes[MACHINE_NOTE_START_FAILED],
	    "no such command");
	puppet_free(p);
}
END_TEST

/* sup_start_child_returns_error */
START_TEST(spawned_child_whose_start_fails_goes)
{
	struct puppet *p = puppet_boot("a");

	puppet_fail(p, "n", 1);
	ck_assert_int_eq(puppet_spawn(p, "", "n"), GROUPER_OK);
	puppet_expect_state(p, "n", NULL);
	ck_assert_int_eq(puppet_spawn(p, "", "n"), GROUPER_OK);
	puppet_expect_state(p, "n", "running");
	puppet_end(p, "n", EXITED(1));
	puppet_expect(p, "+a +n +n +n");
	puppet_free(p);
}
END_TEST

/* child_specs */
START_TEST(spawn_checks_what_it_is_given)
{
	struct puppet *p = puppet_boot("a w*2");

	ck_assert_int_eq(puppet_spawn(p, "", "n:t!"), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_spawn(p, "", "n<zz"), GROUPER_INVALID);
	ck_assert_int_eq(puppet_spawn(p, "", "n<n"), GROUPER_INVALID);
	ck_assert_int_eq(puppet_spawn(p, "", "w" MARK "1"),
	    GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(puppet_spawn(p, "", "n<a"), GROUPER_OK);
	ck_assert_int_eq(puppet_spawn(p, "", "s{ x y }"), GROUPER_OK);
	puppet_expect_state(p, "s/y", "running");
	puppet_free(p);
}
END_TEST

/* tree: dynamic children go with their supervisor. */
START_TEST(spawned_child_dies_with_its_supervisor)
{
	struct puppet *p = puppet_boot("in{ x }");

	puppet_spawn(p, "in", "n");
	ASK(p, stop, "in");
	puppet_expect(p, "+in/x +in/n -in/n -in/x");
	puppet_expect_state(p, "in/n", NULL);
	ck_assert_int_eq(ASK(p, start, "in/x"), GROUPER_NO_GROUP);
	ck_assert_int_eq(puppet_spawn(p, "in", "n"), GROUPER_NO_GROUP);
	ck_assert_int_eq(puppet_scale(p, "in/x", 2), GROUPER_NO_GROUP);
	ck_assert_int_eq(ASK(p, start, "in"), GROUPER_OK);
	puppet_expect(p, "+in/x");
	ck_assert_int_eq(ASK(p, delete, "in"), GROUPER_RUNNING);
	ASK(p, stop, "in");
	ck_assert_int_eq(ASK(p, delete, "in"), GROUPER_OK);
	puppet_expect_state(p, "in/x", NULL);
	puppet_free(p);
}
END_TEST

START_TEST(restart_stops_and_starts_without_counting)
{
	struct puppet *p = puppet_boot("one 0/5000 a b");

	puppet_hold_stop(p, "a");
	ck_assert_int_eq(ASK(p, restart, "a"), GROUPER_OK);
	puppet_expect(p, "+a +b -a");
	puppet_end(p, "a", 15);
	puppet_expect(p, "+a");
	ASK(p, stop, "b");
	ck_assert_int_eq(ASK(p, restart, "b"), GROUPER_OK);
	puppet_expect(p, "-b +b");
	puppet_free(p);
}
END_TEST

/* hanging_restart_loop */
START_TEST(hanging_restart_loop)
{
	struct puppet *p = puppet_boot("one 5/5000 a=1000 b");

	puppet_end(p, "a", KILLED);
	puppet_expect_state(p, "a", "restarting");
	ck_assert_int_eq(puppet_spawn(p, "", "a"), GROUPER_ALREADY_PRESENT);
	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, delete, "a"), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	puppet_expect_state(p, "a", "idle");
	puppet_pass(p, 5000);
	puppet_expect(p, "+a +b");
	ck_assert_int_eq(ASK(p, delete, "a"), GROUPER_OK);
	puppet_free(p);
}
END_TEST

/* hanging_restart_loop: the supervisor's stop */
START_TEST(hanging_restart_loop_does_not_hang_the_stop)
{
	struct puppet *p = puppet_boot("a=1000");

	puppet_end(p, "a", KILLED);
	puppet_shutdown(p);
	puppet_expect(p, "+a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* hanging_restart_loop_rest_for_one; those after it start without it here. */
START_TEST(hanging_restart_loop_rest_for_one)
{
	struct puppet *p = puppet_boot("rest 5/5000 a b=1000 c");

	puppet_end(p, "b", KILLED);
	puppet_expect_state(p, "a", "running");
	puppet_expect_state(p, "b", "restarting");
	puppet_expect_state(p, "c", "pending");
	ck_assert_int_eq(ASK(p, start, "c"), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, restart, "b"), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, stop, "b"), GROUPER_OK);
	puppet_expect(p, "+a +b +c -c +c");
	puppet_free(p);
}
END_TEST

START_TEST(restart_of_a_child_in_backoff_is_at_once)
{
	struct puppet *p = puppet_boot("one 5/5000 a=1000");

	puppet_end(p, "a", KILLED);
	ck_assert_int_eq(ASK(p, restart, "a"), GROUPER_OK);
	puppet_expect(p, "+a +a");
	puppet_free(p);
}
END_TEST

START_TEST(stop_and_reset_clear_the_latch)
{
	struct puppet *p = puppet_boot("a b c");

	puppet_hold_stop(p, "c");
	puppet_leader_died(p, "a");
	puppet_leader_died(p, "b");
	puppet_empty(p, "a");
	puppet_empty(p, "b");
	ck_assert_int_eq(ASK(p, restart, "a"), GROUPER_LEADER_DIED);
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	puppet_expect_state(p, "a", "idle");
	ck_assert_int_eq(ASK(p, reset, "b"), GROUPER_OK);
	puppet_expect_state(p, "b", "idle");
	ck_assert_int_eq(ASK(p, reset, "c"), GROUPER_OK);
	puppet_expect(p, "+a +b +c -c ~a ~b");
	puppet_end(p, "c", 15);
	puppet_expect_end(p, 120);
	puppet_free(p);
}
END_TEST

START_TEST(scale_adds_and_removes_instances)
{
	struct puppet *p = puppet_boot("w*2 z");

	puppet_expect(p, "+w" MARK "1 +w" MARK "2 +z");
	ck_assert_int_eq(puppet_scale(p, "w", 4), GROUPER_OK);
	puppet_expect(p, "+w" MARK "3 +w" MARK "4");
	ck_assert_int_eq(puppet_scale(p, "w", 1), GROUPER_OK);
	puppet_expect(p, "-w" MARK "4 -w" MARK "3 -w" MARK "2");
	puppet_expect_state(p, "w" MARK "2", NULL);
	ck_assert_int_eq(puppet_scale(p, "w", 0), GROUPER_OK);
	ck_assert_int_eq(puppet_scale(p, "w", 1), GROUPER_OK);
	puppet_expect(p, "-w" MARK "1 +w");
	ck_assert_int_eq(puppet_scale(p, "w", 2), GROUPER_OK);
	puppet_expect(p, "+w" MARK "2");
	ck_assert_int_eq(ASK(p, stop, "w"), GROUPER_OK);
	puppet_expect(p, "-w -w" MARK "2");
	puppet_free(p);
}
END_TEST

/* But not one whose last instance ended, nor one that was spawned. */
START_TEST(scale_keeps_a_temporary_command_of_none)
{
	struct puppet *p = puppet_boot("w:x*2 v:x");

	puppet_hold_stop(p, "w" MARK "1");
	ck_assert_int_eq(puppet_scale(p, "w", 0), GROUPER_OK);
	puppet_end(p, "w" MARK "1", 15);
	ck_assert_int_eq(puppet_reload(p, "w:x*2 v:x"), GROUPER_OK);
	ck_assert_int_eq(puppet_scale(p, "w", 1), GROUPER_OK);
	puppet_expect(p,
	    "+w" MARK "1 +w" MARK "2 +v -w" MARK "2 -w" MARK "1 +w");
	puppet_end(p, "w", EXITED(0));
	ck_assert_int_eq(puppet_scale(p, "w", 1), GROUPER_NOT_FOUND);

	ck_assert_int_eq(puppet_scale(p, "v", 0), GROUPER_OK);
	ck_assert_int_eq(ASK(p, delete, "v"), GROUPER_OK);
	ck_assert_int_eq(puppet_scale(p, "v", 1), GROUPER_NOT_FOUND);

	ck_assert_int_eq(puppet_spawn(p, "", "n:x"), GROUPER_OK);
	ck_assert_int_eq(puppet_scale(p, "n", 0), GROUPER_OK);
	ck_assert_int_eq(puppet_spawn(p, "", "n:x"), GROUPER_OK);
	puppet_free(p);
}
END_TEST

/* significant_simple */
START_TEST(scale_refuses_what_cannot_be)
{
	struct puppet *p = puppet_boot("any w s:t! in{ x }");

	ck_assert_int_eq(puppet_scale(p, "s", 2), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_scale(p, "in", 2), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_scale(p, "w", 100001), GROUPER_INVALID);
	puppet_free(p);
}
END_TEST

/* sup_start_child_returns_error_simple */
START_TEST(instance_whose_first_start_fails_goes)
{
	struct puppet *p = puppet_boot("w*2");

	puppet_fail(p, "w" MARK "3", 1);
	ck_assert_int_eq(puppet_scale(p, "w", 3), GROUPER_OK);
	puppet_expect_state(p, "w" MARK "3", NULL);
	puppet_expect_state(p, "", "running");
	puppet_free(p);
}
END_TEST

START_TEST(requests_during_the_stop_are_refused)
{
	struct puppet *p = puppet_boot("a b");

	puppet_hold_stop(p, "a");
	puppet_shutdown(p);
	ck_assert_int_eq(ASK(p, start, "b"), GROUPER_NO_GROUP);
	ck_assert_int_eq(ASK(p, restart, "a"), GROUPER_NO_GROUP);
	ck_assert_int_eq(puppet_spawn(p, "", "n"), GROUPER_NO_GROUP);
	ck_assert_int_eq(puppet_reload(p, "a"), GROUPER_NO_GROUP);
	ck_assert_int_eq(ASK(p, stop, "a"), GROUPER_OK);
	puppet_end(p, "a", 15);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* which_children, which_child */
START_TEST(status_lists_in_the_order_of_the_start)
{
	struct puppet *p = puppet_boot("a in{ x- } w*2");
	static const char *const keys[] = { "", "a", "in", "in/x", "w" MARK "1",
		"w" MARK "2" };
	static const unsigned int depths[] = { 0, 1, 1, 2, 1, 1 };
	const struct machine_node *node = machine_root(p->machine);
	struct machine_view view;
	size_t i;

	for (i = 0; i < 6; i++) {
		ck_assert_ptr_nonnull(node);
		machine_view(node, &view);
		ck_assert_str_eq(view.key, keys[i]);
		ck_assert_uint_eq(view.depth, depths[i]);
		ck_assert_ptr_eq(machine_find(p->machine, keys[i]), node);
		node = machine_after(node);
	}
	ck_assert_ptr_null(node);
	puppet_end(p, "a", EXITED(3));
	machine_view(machine_find(p->machine, "a"), &view);
	ck_assert_uint_eq(view.restarts, 1);
	ck_assert_int_eq(view.status, EXITED(3));
	ck_assert_str_eq(view.reason, "exited with 3");
	puppet_free(p);
}
END_TEST

static struct machine_view
view_of(const struct puppet *p, const char *key)
{
	const struct machine_node *node = machine_find(p->machine, key);
	struct machine_view view;

	ck_assert_ptr_nonnull(node);
	machine_view(node, &view);
	return view;
}

START_TEST(normal_end_for_good_is_no_failure_s)
{
	struct puppet *p = puppet_boot("a b:t");

	puppet_end(p, "b", EXITED(3));
	ck_assert_str_eq(view_of(p, "b").reason, "exited with 3");
	puppet_end(p, "b", EXITED(0));
	puppet_expect_state(p, "b", "done");
	ck_assert_str_eq(view_of(p, "b").reason, "");
	puppet_free(p);
}
END_TEST

START_TEST(last_start_that_failed_is_shown)
{
	struct puppet *p = puppet_boot("a in{ x }");

	ck_assert(!view_of(p, "a").failed);
	ASK(p, stop, "a");
	ASK(p, stop, "in");
	ck_assert(!view_of(p, "a").failed && !view_of(p, "in").failed);
	puppet_fail(p, "a", 1);
	puppet_fail(p, "in/x", 1);
	ASK(p, start, "a");
	ASK(p, start, "in");
	ck_assert(view_of(p, "a").failed && view_of(p, "in").failed);
	ASK(p, start, "a");
	ASK(p, stop, "a");
	ck_assert(!view_of(p, "a").failed);
	puppet_free(p);
}
END_TEST

START_TEST(instances_that_come_and_go_are_shown)
{
	struct puppet *p = puppet_boot("w");

	puppet_hold_start(p, "w" MARK "2");
	puppet_hold_stop(p, "w" MARK "2");
	ck_assert_int_eq(puppet_scale(p, "w", 2), GROUPER_OK);
	ck_assert(!view_of(p, "w").passing);
	ck_assert(view_of(p, "w" MARK "2").passing);
	puppet_started(p, "w" MARK "2");
	ck_assert(!view_of(p, "w" MARK "2").passing);
	ck_assert_int_eq(puppet_scale(p, "w", 1), GROUPER_OK);
	ck_assert(view_of(p, "w" MARK "2").passing);
	puppet_free(p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_admin");
	TCase *tc;

	tc = support_case(suite, "requests");
	tcase_add_test(tc, child_adm);
	tcase_add_test(tc, unknown_keys_are_not_found);
	tcase_add_test(tc, start_while_starting_or_stopping_is_already_started);
	tcase_add_test(tc, stopped_child_is_not_restarted);
	tcase_add_test(tc, stop_of_what_ended_by_itself_prevents_the_restart);
	tcase_add_test(tc, stopped_temporary_child_goes);
	tcase_add_test(tc, requested_start_that_fails_leaves_the_child_idle);
	tcase_add_test(tc, spawned_child_whose_start_fails_goes);
	tcase_add_test(tc, spawn_checks_what_it_is_given);
	tcase_add_test(tc, spawned_child_dies_with_its_supervisor);
	tcase_add_test(tc, restart_stops_and_starts_without_counting);
	tcase_add_test(tc, hanging_restart_loop);
	tcase_add_test(tc, hanging_restart_loop_does_not_hang_the_stop);
	tcase_add_test(tc, hanging_restart_loop_rest_for_one);
	tcase_add_test(tc, restart_of_a_child_in_backoff_is_at_once);
	tcase_add_test(tc, stop_and_reset_clear_the_latch);
	tcase_add_test(tc, scale_adds_and_removes_instances);
	tcase_add_test(tc, scale_keeps_a_temporary_command_of_none);
	tcase_add_test(tc, scale_refuses_what_cannot_be);
	tcase_add_test(tc, instance_whose_first_start_fails_goes);
	tcase_add_test(tc, requests_during_the_stop_are_refused);
	tc = support_case(suite, "status");
	tcase_add_test(tc, status_lists_in_the_order_of_the_start);
	tcase_add_test(tc, normal_end_for_good_is_no_failure_s);
	tcase_add_test(tc, last_start_that_failed_is_shown);
	tcase_add_test(tc, instances_that_come_and_go_are_shown);
	return support_main(suite, NULL);
}
