/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: intensity, back-off, how a failure goes up.
 */
#include "puppet.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

/* multiple_restarts */
START_TEST(restarts_spread_out_never_exceed)
{
	struct puppet *p = puppet_boot("one 1/1000 a");
	int i;

	for (i = 0; i < 10; i++) {
		puppet_end(p, "a", KILLED);
		puppet_pass(p, 1001);
	}
	puppet_expect_state(p, "a", "running");
	puppet_end(p, "a", KILLED);
	puppet_pass(p, 1000);
	puppet_end(p, "a", KILLED);
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* one_for_one, intensity 0 */
START_TEST(intensity_0_allows_no_restart)
{
	struct puppet *p = puppet_boot("one 0/1000 a b");

	puppet_end(p, "a", EXITED(0));
	puppet_expect(p, "+a +b -b");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* tree */
START_TEST(tree_escalates_from_inner_to_outer)
{
	struct puppet *p = puppet_boot("all a in{ 1/5000 x y }");

	ck_assert_int_eq(puppet_spawn(p, "in", "dyn:x"), GROUPER_OK);
	puppet_expect(p, "+a +in/x +in/y +in/dyn");
	puppet_end(p, "in/x", KILLED);
	puppet_expect(p, "+in/x");
	puppet_end(p, "in/x", KILLED);
	puppet_expect(p, "-in/dyn -in/y -a +a +in/x +in/y");
	puppet_expect_state(p, "in/dyn", NULL);
	/* Its window began anew. */
	puppet_end(p, "in/y", KILLED);
	puppet_expect(p, "+in/y");
	puppet_end(p, "in/y", KILLED);
	puppet_expect(p, "-in/x -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

START_TEST(failed_restart_of_a_supervisor_is_tried_again)
{
	struct puppet *p = puppet_boot("one 3/5000 in{ 0/1000 x y }");

	puppet_fail(p, "in/y", 2);
	puppet_end(p, "in/x", KILLED);
	puppet_expect(p,
	    "+in/x +in/y -in/y +in/x +in/y -in/x +in/x +in/y -in/x "
	    "+in/x +in/y");
	puppet_expect_state(p, "in", "running");
	puppet_free(p);
}
END_TEST

START_TEST(backoff_doubles_to_max_and_resets)
{
	struct spec_tree *tree = puppet_tree("one 100/1000 a=100");
	struct spec_backoff *backoff = &tree->root.children[0].backoff;
	int64_t wanted[] = { 100, 200, 400, 500, 500 }, delay;
	struct puppet *p;
	size_t i;

	backoff->max_ms = 500;
	backoff->reset_ms = 10000;
	p = puppet_new(tree);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	for (i = 0; i < 5; i++) {
		puppet_end(p, "a", KILLED);
		puppet_expect_state(p, "a", "restarting");
		delay = machine_deadline(p->machine) - p->now;
		ck_assert_int_ge(delay, wanted[i] * 9 / 10);
		ck_assert_int_ge(delay, 100);
		ck_assert_int_le(delay, wanted[i] * 11 / 10);
		ck_assert_int_le(delay, 500);
		puppet_pass(p, delay);
		puppet_expect_state(p, "a", "running");
	}
	puppet_pass(p, 10000);
	puppet_end(p, "a", KILLED);
	ck_assert_int_le(machine_deadline(p->machine) - p->now, 110);
	puppet_free(p);
}
END_TEST

START_TEST(backoff_delays_the_whole_group)
{
	struct puppet *p = puppet_boot("all a b=1000");

	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b -a");
	puppet_expect_state(p, "b", "restarting");
	puppet_expect_state(p, "a", "pending");
	puppet_pass(p, 1100);
	puppet_expect(p, "+a +b");
	puppet_free(p);
}
END_TEST

START_TEST(dependent_restart_waits_for_what_it_needs)
{
	struct puppet *p = puppet_boot("one 5/5000 a=1000< b<a");

	puppet_end(p, "a", KILLED);
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b");
	puppet_pass(p, 1100);
	puppet_expect(p, "+a +b");
	puppet_free(p);
}
END_TEST

START_TEST(cooldown_pauses_and_starts_anew)
{
	struct puppet *p = puppet_boot("one 1/5000 cool=3000 a b t:x");

	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +t +a");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-t -b");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_COOLDOWN], 1);
	puppet_pass(p, 2999);
	puppet_expect(p, "");
	puppet_pass(p, 1);
	puppet_expect(p, "+a +b");
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+b");
	puppet_free(p);
}
END_TEST

static int64_t
due_of(const struct puppet *p, const char *key)
{
	struct machine_view view;

	machine_view(machine_find(p->machine, key), &view);
	return view.due;
}

START_TEST(what_pauses_is_not_ready_until_its_children_are)
{
	struct puppet *p = puppet_boot("one 9/5000 n{one 0/5000 cool=3000 "
				       "a? b}");

	puppet_ready(p, "n/a");
	puppet_expect_state(p, "n", "running");
	ck_assert_int_eq(due_of(p, "n"), -1);
	puppet_hold_stop(p, "n/b");
	puppet_end(p, "n/a", KILLED);
	puppet_expect_state(p, "n", "restarting");
	ck_assert_int_eq(due_of(p, "n"), -1);
	puppet_empty(p, "n/b");
	ck_assert_int_eq(due_of(p, "n"), p->now + 3000);
	puppet_expect_state(p, "", "running");
	puppet_pass(p, 3000);
	puppet_expect_state(p, "n", "starting");
	ck_assert_int_eq(due_of(p, "n"), -1);
	puppet_ready(p, "n/a");
	puppet_expect_state(p, "n", "running");
	puppet_free(p);
}
END_TEST

START_TEST(restarts_count_against_the_intensity_for_the_period)
{
	struct puppet *p = puppet_boot("one 3/5000 a n{one 3/9000 b}");
	const struct machine_node *root = machine_root(p->machine);
	const struct machine_node *inner = machine_find(p->machine, "n");

	puppet_end(p, "a", KILLED);
	puppet_pass(p, 1000);
	puppet_end(p, "a", KILLED);
	puppet_end(p, "n/b", KILLED);
	ck_assert_uint_eq(machine_restarts(root, p->now), 2);
	ck_assert_uint_eq(machine_restarts(inner, p->now), 1);
	ck_assert_uint_eq(machine_restarts(machine_find(p->machine, "a"),
			      p->now),
	    0);
	ck_assert_uint_eq(machine_restarts(root, p->now + 4001), 1);
	ck_assert_uint_eq(machine_restarts(root, p->now + 5001), 0);
	puppet_free(p);
}
END_TEST

START_TEST(cooldown_can_be_stopped)
{
	struct puppet *p = puppet_boot("one 0/5000 cool=3000 a b");

	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b -b");
	puppet_shutdown(p);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(leader_death_fails_the_supervisor_whatever_the_policy)
{
	static const char *const trees[] = { "a b:x c", "a b c", "a b:t c",
		"one 100/1000 cool=10 a b=100 c" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < 4; i++) {
		p = puppet_boot(trees[i]);
		puppet_hold_stop(p, "c");
		puppet_leader_died(p, "b");
		puppet_empty(p, "b");
		puppet_expect(p, "+a +b +c -c");
		puppet_expect_state(p, "b", "leader_died");
		ck_assert_int_eq(puppet_ask(p, machine_start, "b"),
		    GROUPER_LEADER_DIED);
		puppet_end(p, "c", 15);
		puppet_expect(p, "-a");
		puppet_expect_end(p, 120);
		puppet_free(p);
	}
}
END_TEST

START_TEST(nested_supervisor_restarts_with_clear_latches)
{
	struct puppet *p = puppet_boot("a in{ x y }");

	puppet_leader_died(p, "in/x");
	puppet_empty(p, "in/x");
	puppet_expect(p, "+a +in/x +in/y -in/y ~in/x +in/x +in/y");
	puppet_expect_state(p, "in/x", "running");
	puppet_free(p);
}
END_TEST

START_TEST(leader_death_below_is_told_all_the_way_up)
{
	static const char *const trees[] = { "0/5000 a in{ x y }",
		"0/5000 a in{ 0/5000 in{ x y } }",
		"any a in:t!{ any 9/5000 in:t!{ 0/5000 x y } }" };
	static const char *const keys[] = { "in/x", "in/in/x", "in/in/x" };
	static const int ends[] = { 120, 120, -1 };
	struct puppet *p;
	size_t i;

	for (i = 0; i < 3; i++) {
		p = puppet_boot(trees[i]);
		puppet_leader_died(p, keys[i]);
		puppet_empty(p, keys[i]);
		ck_assert_int_eq(p->end, ends[i]);
		/* The last one was able to restart it. */
		if (ends[i] == -1)
			puppet_expect_state(p, keys[i], "running");
		puppet_free(p);
	}
	/* In a first start, too. */
	p = puppet_boot("a in{ x y? } z");
	puppet_leader_died(p, "in/x");
	puppet_empty(p, "in/x");
	puppet_expect(p, "+a +in/x +in/y -in/y -a");
	puppet_expect_end(p, 120);
	ck_assert_str_eq(p->end_text,
	    "start of in failed: in/x lost its leader");
	puppet_free(p);
}
END_TEST

START_TEST(leader_death_during_a_stop_is_cleared_by_it)
{
	struct puppet *p = puppet_boot("a b");

	puppet_hold_stop(p, "a");
	puppet_ask(p, machine_stop, "a");
	puppet_leader_died(p, "a");
	puppet_empty(p, "a");
	puppet_expect(p, "+a +b -a ~a");
	puppet_expect_state(p, "a", "idle");
	puppet_expect_state(p, "", "running");
	puppet_free(p);
}
END_TEST

START_TEST(unkillable_child_fails_its_supervisor)
{
	struct puppet *p = puppet_boot("a b");
	uint64_t run = puppet_run(p, "b");

	machine_ended(p->machine, p->now, run, EXITED(1));
	p->nruns--;
	ck_assert(machine_unkillable(p->machine, p->now, run));
	puppet_act(p);
	puppet_expect(p, "+a +b -a");
	puppet_expect_end(p, 123);
	puppet_free(p);
}
END_TEST

static void
give_up(struct puppet *p, const char *key)
{
	uint64_t run = puppet_run(p, key);
	size_t i;

	machine_ended(p->machine, p->now, run, EXITED(1));
	for (i = 0; p->runs[i].run != run; i++)
		continue;
	p->runs[i] = p->runs[--p->nruns];
	ck_assert(machine_unkillable(p->machine, p->now, run));
	puppet_act(p);
}

START_TEST(what_withstood_sigkill_is_told_until_it_has_ended)
{
	struct puppet *p = puppet_boot("a in{ x y }");
	uint64_t run = puppet_run(p, "in/x");

	/* Its supervisor starts again, with children of their own. */
	give_up(p, "in/x");
	puppet_expect(p, "+a +in/x +in/y -in/y +in/x +in/y");
	puppet_shutdown(p);
	puppet_expect_end(p, 123);
	puppet_free(p);

	p = puppet_boot("a in{ x y }");
	give_up(p, "in/x");
	ck_assert(machine_empty(p->machine, p->now, run));
	ck_assert(!machine_empty(p->machine, p->now, run));
	puppet_act(p);
	puppet_expect_state(p, "in/x", "running");
	puppet_shutdown(p);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

START_TEST(what_was_to_go_goes_when_it_can)
{
	struct puppet *p = puppet_boot("a b t:x");
	uint64_t b = puppet_run(p, "b"), t = puppet_run(p, "t");

	puppet_hold_stop(p, "b");
	puppet_hold_stop(p, "t");
	ck_assert_int_eq(puppet_reload(p, "a t:x"), GROUPER_OK);
	ck_assert_int_eq(puppet_ask(p, machine_stop, "t"), GROUPER_OK);
	puppet_expect(p, "+a +b +t -b -t");
	give_up(p, "b");
	give_up(p, "t");
	puppet_expect_state(p, "b", "unkillable");
	puppet_expect_state(p, "t", "unkillable");
	ck_assert_int_eq(puppet_ask(p, machine_delete, "b"),
	    GROUPER_UNKILLABLE);
	ck_assert(machine_empty(p->machine, p->now, b));
	ck_assert(machine_empty(p->machine, p->now, t));
	puppet_act(p);
	puppet_expect_state(p, "b", NULL);
	puppet_expect_state(p, "t", NULL);
	puppet_expect_state(p, "", "running");
	puppet_shutdown(p);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_limits");
	TCase *tc;

	tc = support_case(suite, "limits");
	tcase_add_test(tc, restarts_spread_out_never_exceed);
	tcase_add_test(tc, intensity_0_allows_no_restart);
	tcase_add_test(tc, tree_escalates_from_inner_to_outer);
	tcase_add_test(tc, failed_restart_of_a_supervisor_is_tried_again);
	tcase_add_test(tc, backoff_doubles_to_max_and_resets);
	tcase_add_test(tc, backoff_delays_the_whole_group);
	tcase_add_test(tc, dependent_restart_waits_for_what_it_needs);
	tcase_add_test(tc, cooldown_pauses_and_starts_anew);
	tcase_add_test(tc, what_pauses_is_not_ready_until_its_children_are);
	tcase_add_test(tc, restarts_count_against_the_intensity_for_the_period);
	tcase_add_test(tc, cooldown_can_be_stopped);
	tc = support_case(suite, "leader");
	tcase_add_test(tc,
	    leader_death_fails_the_supervisor_whatever_the_policy);
	tcase_add_test(tc, nested_supervisor_restarts_with_clear_latches);
	tcase_add_test(tc, leader_death_below_is_told_all_the_way_up);
	tcase_add_test(tc, leader_death_during_a_stop_is_cleared_by_it);
	tcase_add_test(tc, unkillable_child_fails_its_supervisor);
	tcase_add_test(tc, what_withstood_sigkill_is_told_until_it_has_ended);
	tcase_add_test(tc, what_was_to_go_goes_when_it_can);
	return support_main(suite, NULL);
}
