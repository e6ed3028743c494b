/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: starts, readiness, stops, and their order.
 */
#include "puppet.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

/* order_of_children, sup_start_normal */
START_TEST(children_start_in_order_and_stop_in_reverse)
{
	struct puppet *p = puppet_boot("a b c");

	puppet_expect(p, "+a +b +c");
	puppet_shutdown(p);
	puppet_expect(p, "-c -b -a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(child_starts_when_the_one_before_is_ready)
{
	struct puppet *p = puppet_boot("a? b");

	puppet_expect(p, "+a");
	puppet_expect_state(p, "a", "waiting");
	puppet_expect_state(p, "b", "pending");
	puppet_ready(p, "a");
	puppet_expect(p, "+b");
	puppet_expect_state(p, "", "running");
	puppet_free(p);
}
END_TEST

START_TEST(child_stops_when_the_one_after_is_empty)
{
	struct puppet *p = puppet_boot("a b");

	puppet_expect(p, "+a +b");
	puppet_hold_stop(p, "b");
	puppet_shutdown(p);
	puppet_expect(p, "-b");
	puppet_ended(p, "b", 15);
	puppet_expect(p, "");
	puppet_empty(p, "b");
	puppet_expect(p, "-a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* sup_start_normal, sup_stop_manual */
START_TEST(empty_tree_starts_and_ends_cleanly)
{
	struct puppet *p = puppet_boot("");

	puppet_expect_state(p, "", "running");
	puppet_shutdown(p);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(shutdown_before_boot_ends_at_once)
{
	struct puppet *p = puppet_new(puppet_tree("a"));

	puppet_shutdown(p);
	puppet_expect(p, "");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(instances_start_and_stop_in_parallel)
{
	struct puppet *p;

	p = puppet_boot("a w?*3 z");
	puppet_expect(p, "+a +w" MARK "1 +w" MARK "2 +w" MARK "3");
	puppet_ready(p, "w" MARK "1");
	puppet_ready(p, "w" MARK "3");
	puppet_expect(p, "");
	puppet_ready(p, "w" MARK "2");
	puppet_expect(p, "+z");
	puppet_hold_stop(p, "w" MARK "1");
	puppet_shutdown(p);
	puppet_expect(p, "-z -w" MARK "1 -w" MARK "2 -w" MARK "3");
	puppet_end(p, "w" MARK "1", 0);
	puppet_expect(p, "-a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(nested_supervisor_is_ready_when_its_children_are)
{
	struct puppet *p = puppet_boot("a in{ x? y } z");

	puppet_expect(p, "+a +in/x");
	puppet_expect_state(p, "in", "starting");
	puppet_ready(p, "in/x");
	puppet_expect(p, "+in/y +z");
	puppet_expect_state(p, "in", "running");
	puppet_shutdown(p);
	puppet_expect(p, "-z -in/y -in/x -a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(depends_on_starts_as_soon_as_those_are_ready)
{
	struct puppet *p = puppet_boot("a? b?< c<b d<a,b");

	puppet_expect(p, "+b +a");
	puppet_ready(p, "b");
	puppet_expect(p, "+c");
	puppet_ready(p, "a");
	puppet_expect(p, "+d");
	puppet_hold_stop(p, "d");
	puppet_hold_stop(p, "c");
	puppet_shutdown(p);
	puppet_expect(p, "-d -c");
	puppet_end(p, "d", 0);
	puppet_expect(p, "-a");
	puppet_end(p, "c", 0);
	puppet_expect(p, "-b");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(listed_child_waits_for_all_before_it)
{
	struct puppet *p = puppet_boot("a?< b?< c");

	puppet_expect(p, "+a +b");
	puppet_ready(p, "b");
	puppet_expect(p, "");
	puppet_ready(p, "a");
	puppet_expect(p, "+c");
	puppet_free(p);
}
END_TEST

/* sup_start_error_return, sup_start_fail */
START_TEST(failed_first_start_ends_what_was_started)
{
	struct puppet *p = puppet_new(puppet_tree("a b c"));

	puppet_fail(p, "c", 1);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_expect(p, "+a +b +c -b -a");
	puppet_expect_end(p, 1);
	ck_assert_ptr_nonnull(strstr(p->end_text, "c"));
	ck_assert_ptr_nonnull(strstr(p->end_text, "no such command"));
	puppet_free(p);
}
END_TEST

/* faulty_application_shutdown */
START_TEST(failed_first_start_below_goes_up_with_its_reason)
{
	struct puppet *p = puppet_new(puppet_tree("a in{ x y } z"));

	puppet_fail(p, "in/y", 1);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_expect(p, "+a +in/x +in/y -in/x -a");
	puppet_expect_end(p, 1);
	ck_assert_ptr_nonnull(strstr(p->end_text, "in/y"));
	ck_assert_ptr_nonnull(strstr(p->end_text, "no such command"));
	puppet_free(p);
}
END_TEST

START_TEST(end_before_ready_is_a_failed_start)
{
	struct puppet *p = puppet_boot("a b?");

	puppet_end(p, "b", EXITED(0));
	puppet_expect(p, "+a +b -a");
	puppet_expect_end(p, 1);
	ck_assert_ptr_nonnull(strstr(p->end_text, "before it was ready"));
	puppet_free(p);
}
END_TEST

START_TEST(not_ready_in_time_is_a_failed_start)
{
	struct spec_tree *tree = puppet_tree("a?");
	struct puppet *p;

	tree->root.children[0].command->ready_timeout_ms = 500;
	p = puppet_new(tree);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	ck_assert_int_eq(machine_deadline(p->machine), p->now + 500);
	puppet_pass(p, 499);
	puppet_expect(p, "+a");
	puppet_pass(p, 1);
	puppet_expect(p, "-a");
	puppet_expect_end(p, 1);
	ck_assert_ptr_nonnull(strstr(p->end_text, "not ready within 500ms"));
	puppet_free(p);
}
END_TEST

/* Its child `a` is before its command, and has 500 ms to become ready. */
static struct puppet *
boot_with_precommand(void)
{
	struct spec_tree *tree = puppet_tree("a?");
	struct spec_command *command = tree->root.children[0].command;
	struct puppet *p;

	command->ready_timeout_ms = 500;
	command->start_pre = calloc(2, sizeof(char *));
	command->start_pre[0] = strdup("prepare");
	p = puppet_new(tree);
	puppet_hold_start(p, "a");
	machine_boot(p->machine, p->now);
	puppet_act(p);
	return p;
}

START_TEST(precommand_takes_of_the_time_to_become_ready)
{
	struct puppet *p = boot_with_precommand();

	puppet_pass(p, 400);
	puppet_started(p, "a");
	puppet_expect_state(p, "a", "waiting");
	puppet_pass(p, 99);
	puppet_expect(p, "+a");
	puppet_pass(p, 1);
	puppet_expect(p, "-a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

START_TEST(hanging_precommand_is_a_failed_start)
{
	struct puppet *p = boot_with_precommand();

	puppet_pass(p, 500);
	puppet_expect(p, "+a -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

START_TEST(started_means_alive_after_min_uptime)
{
	struct spec_tree *tree = puppet_tree("a b");
	struct puppet *p;

	tree->root.children[0].command->min_uptime_ms = 200;
	p = puppet_new(tree);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_pass(p, 199);
	puppet_expect(p, "+a");
	puppet_expect_state(p, "a", "waiting");
	puppet_pass(p, 1);
	puppet_expect(p, "+b");
	puppet_free(p);
}
END_TEST

/* sup_start_ignore_child */
START_TEST(child_not_autostarted_is_listed)
{
	struct puppet *p = puppet_boot("a- b");

	puppet_expect(p, "+b");
	puppet_expect_state(p, "a", "idle");
	ck_assert_int_eq(puppet_ask(p, machine_start, "a"), GROUPER_OK);
	puppet_expect(p, "+a");
	puppet_shutdown(p);
	puppet_expect(p, "-b -a");
	puppet_free(p);
}
END_TEST

START_TEST(shutdown_works_during_the_start)
{
	struct puppet *p = puppet_boot("a b? c");

	puppet_expect(p, "+a +b");
	puppet_shutdown(p);
	puppet_expect(p, "-b -a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* sup_stop_race */
START_TEST(children_that_end_during_the_stop_are_left_ended)
{
	struct puppet *p = puppet_boot("a b:t c:x d");

	puppet_hold_stop(p, "d");
	puppet_shutdown(p);
	puppet_end(p, "a", EXITED(1));
	puppet_end(p, "b", EXITED(0));
	puppet_end(p, "c", KILLED);
	puppet_expect(p, "+a +b +c +d -d");
	puppet_end(p, "d", EXITED(3));
	puppet_expect(p, "");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* child_unlink: what it left behind does not hang the stop. */
START_TEST(leftovers_are_told_to_stop_in_their_turn)
{
	struct puppet *p = puppet_boot("a b");

	puppet_ended(p, "a", EXITED(0));
	puppet_shutdown(p);
	puppet_expect(p, "+a +b -b -a");
	puppet_empty(p, "a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* sup_stop_timeout */
START_TEST(nested_stop_is_cut_short_by_its_steps)
{
	struct spec_tree *tree = puppet_tree("a in{ x y }");
	struct spec_child *in = &tree->root.children[1];
	struct puppet *p;
	const char *error;

	ck_assert_int_eq(steps_parse("2s", &in->shutdown, &error), 0);
	p = puppet_new(tree);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_hold_stop(p, "in/y");
	puppet_hold_stop(p, "in/x");
	puppet_expect(p, "+a +in/x +in/y");
	puppet_shutdown(p);
	puppet_pass(p, 1999);
	puppet_expect(p, "-in/y");
	puppet_pass(p, 1);
	puppet_expect(p, "!in/y !in/x");
	puppet_end(p, "in/x", KILLED);
	puppet_end(p, "in/y", KILLED);
	puppet_expect(p, "-a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(shutdown_by_kill_is_without_order)
{
	struct puppet *p = puppet_boot("a in{ x }");

	puppet_hold_stop(p, "a");
	puppet_hold_stop(p, "in/x");
	puppet_shutdown(p);
	puppet_expect(p, "+a +in/x -in/x");
	machine_shutdown(p->machine, p->now, true);
	puppet_act(p);
	puppet_expect(p, "!in/x !a");
	puppet_end(p, "a", KILLED);
	puppet_end(p, "in/x", KILLED);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(unkillable_child_does_not_hold_up_the_stop)
{
	struct puppet *p = puppet_boot("a b");
	uint64_t run = puppet_run(p, "b");

	puppet_hold_stop(p, "b");
	puppet_shutdown(p);
	p->nruns--; /* b was the last: the runtime gives it up */
	ck_assert(machine_unkillable(p->machine, p->now, run));
	puppet_act(p);
	puppet_expect(p, "+a +b -b -a");
	puppet_expect_end(p, 123);
	puppet_free(p);
}
END_TEST

START_TEST(events_of_a_run_that_is_over_are_ignored)
{
	struct puppet *p = puppet_boot("a");
	uint64_t run = puppet_run(p, "a");

	ck_assert(!machine_started(p->machine, p->now, run));
	ck_assert(!machine_ready(p->machine, p->now, run));
	puppet_end(p, "a", EXITED(0));
	ck_assert(!machine_empty(p->machine, p->now, run));
	ck_assert(!machine_ended(p->machine, p->now, run, 0));
	ck_assert(!machine_leader_died(p->machine, p->now, run));
	ck_assert(!machine_watchdog(p->machine, p->now, run));
	ck_assert(!machine_unkillable(p->machine, p->now, run));
	ck_assert(!machine_start_failed(p->machine, p->now, run, "x"));
	ck_assert(!machine_empty(p->machine, p->now, 12345));
	puppet_free(p);
}
END_TEST

/* child_specs */
START_TEST(bad_tree_is_refused)
{
	struct spec_tree *tree = puppet_tree("a a");

	ck_assert_ptr_null(machine_new(tree, 1));
	spec_free(tree);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_order");
	TCase *tc;

	tc = support_case(suite, "start");
	tcase_add_test(tc, children_start_in_order_and_stop_in_reverse);
	tcase_add_test(tc, child_starts_when_the_one_before_is_ready);
	tcase_add_test(tc, empty_tree_starts_and_ends_cleanly);
	tcase_add_test(tc, instances_start_and_stop_in_parallel);
	tcase_add_test(tc, nested_supervisor_is_ready_when_its_children_are);
	tcase_add_test(tc, depends_on_starts_as_soon_as_those_are_ready);
	tcase_add_test(tc, listed_child_waits_for_all_before_it);
	tcase_add_test(tc, failed_first_start_ends_what_was_started);
	tcase_add_test(tc, failed_first_start_below_goes_up_with_its_reason);
	tcase_add_test(tc, end_before_ready_is_a_failed_start);
	tcase_add_test(tc, not_ready_in_time_is_a_failed_start);
	tcase_add_test(tc, hanging_precommand_is_a_failed_start);
	tcase_add_test(tc, precommand_takes_of_the_time_to_become_ready);
	tcase_add_test(tc, started_means_alive_after_min_uptime);
	tcase_add_test(tc, child_not_autostarted_is_listed);
	tcase_add_test(tc, bad_tree_is_refused);
	tc = support_case(suite, "stop");
	tcase_add_test(tc, child_stops_when_the_one_after_is_empty);
	tcase_add_test(tc, shutdown_before_boot_ends_at_once);
	tcase_add_test(tc, shutdown_works_during_the_start);
	tcase_add_test(tc, children_that_end_during_the_stop_are_left_ended);
	tcase_add_test(tc, leftovers_are_told_to_stop_in_their_turn);
	tcase_add_test(tc, nested_stop_is_cut_short_by_its_steps);
	tcase_add_test(tc, shutdown_by_kill_is_without_order);
	tcase_add_test(tc, unkillable_child_does_not_hold_up_the_stop);
	tcase_add_test(tc, events_of_a_run_that_is_over_are_ignored);
	return support_main(suite, NULL);
}
