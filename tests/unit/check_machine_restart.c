/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: restart policies and strategies.
 */
#include "puppet.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

/* With one child `a` of a policy: what follows an end. */
static void
assert_end(const char *child, int status, const char *trace, const char *state)
{
	char text[64];
	struct puppet *p;

	snprintf(text, sizeof(text), "%s z", child);
	p = puppet_boot(text);
	puppet_expect(p, "+a +z");
	puppet_end(p, "a", status);
	puppet_expect(p, trace);
	puppet_expect_state(p, "a", state);
	puppet_expect_state(p, "z", "running");
	puppet_free(p);
}

/* permanent_normal, permanent_abnormal */
START_TEST(permanent_is_always_restarted)
{
	assert_end("a", EXITED(0), "+a", "running");
	assert_end("a", EXITED(1), "+a", "running");
	assert_end("a", KILLED, "+a", "running");
}
END_TEST

/* transient_normal, transient_abnormal */
START_TEST(transient_is_restarted_when_abnormal)
{
	assert_end("a:t", EXITED(0), "", "done");
	assert_end("a:t", EXITED(1), "+a", "running");
	assert_end("a:t", KILLED, "+a", "running");
}
END_TEST

/* temporary_normal, temporary_abnormal */
START_TEST(temporary_is_never_restarted_and_goes)
{
	assert_end("a:x", EXITED(0), "", NULL);
	assert_end("a:x", EXITED(1), "", NULL);
	assert_end("a:x", KILLED, "", NULL);
}
END_TEST

/* permanent_shutdown, transient_shutdown, temporary_shutdown */
START_TEST(supervisor_that_shut_down_has_ended_normally)
{
	struct puppet *p;

	p = puppet_boot("in{ any x:x! y }");
	puppet_end(p, "in/x", EXITED(1));
	puppet_expect(p, "+in/x +in/y -in/y +in/x +in/y");
	puppet_free(p);

	p = puppet_boot("in:t{ any x:x! y }");
	puppet_end(p, "in/x", EXITED(1));
	puppet_expect(p, "+in/x +in/y -in/y");
	puppet_expect_state(p, "in", "done");
	ck_assert_int_eq(puppet_ask(p, machine_start, "in"), GROUPER_OK);
	puppet_expect(p, "+in/x +in/y");
	puppet_free(p);

	p = puppet_boot("in:x{ any x:x! y }");
	puppet_end(p, "in/x", EXITED(1));
	puppet_expect(p, "+in/x +in/y -in/y");
	puppet_expect_state(p, "in", NULL);
	puppet_free(p);
}
END_TEST

/* Where OTP has `shutdown` as the reason, and so no restart. */
START_TEST(transient_supervisor_that_failed_is_restarted)
{
	struct puppet *p = puppet_boot("in:t{ 0/5000 x y } z");

	puppet_end(p, "in/x", EXITED(0));
	puppet_expect(p, "+in/x +in/y +z -in/y +in/x +in/y");
	puppet_expect_state(p, "in", "running");
	puppet_free(p);

	p = puppet_boot("in:x{ 0/5000 x y } z");
	puppet_end(p, "in/x", EXITED(0));
	puppet_expect(p, "+in/x +in/y +z -in/y");
	puppet_expect_state(p, "in", NULL);
	puppet_expect_state(p, "z", "running");
	puppet_free(p);
}
END_TEST

/* transient_normal: the specification is kept, and restart_child works. */
START_TEST(transient_that_is_done_can_be_started_again)
{
	struct puppet *p = puppet_boot("a:t z");

	puppet_end(p, "a", EXITED(0));
	puppet_expect_state(p, "a", "done");
	ck_assert_int_eq(puppet_ask(p, machine_start, "a"), GROUPER_OK);
	puppet_expect(p, "+a +z +a");
	puppet_end(p, "a", EXITED(1));
	puppet_expect(p, "+a");
	puppet_free(p);
}
END_TEST

START_TEST(success_says_which_endings_are_normal)
{
	struct spec_tree *tree = puppet_tree("a:t b:t c:t z");
	struct puppet *p;
	size_t i;

	for (i = 0; i < 3; i++)
		spec_success_add(&tree->root.children[i].success, 143);
	p = puppet_new(tree);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_end(p, "a", EXITED(143));
	puppet_end(p, "b", 15);
	puppet_end(p, "c", 2);
	puppet_expect(p, "+a +b +c +z +c");
	puppet_free(p);
}
END_TEST

START_TEST(restart_waits_for_empty)
{
	struct puppet *p = puppet_boot("a");

	puppet_ended(p, "a", EXITED(1));
	puppet_expect(p, "+a");
	puppet_expect_state(p, "a", "stopping");
	puppet_empty(p, "a");
	puppet_expect(p, "+a");
	puppet_free(p);
}
END_TEST

START_TEST(watchdog_counts_as_abnormal)
{
	struct puppet *p = puppet_boot("a:t");

	ck_assert(machine_watchdog(p->machine, p->now, puppet_run(p, "a")));
	puppet_act(p);
	puppet_expect(p, "+a -a +a");
	puppet_free(p);
}
END_TEST

/* one_for_one */
START_TEST(one_for_one_restarts_the_ended_alone)
{
	struct puppet *p = puppet_boot("one 2/5000 a b");

	puppet_end(p, "a", KILLED);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +a +a");
	ck_assert_str_eq(p->notes[MACHINE_NOTE_RESTART],
	    "restart 2 of 2 within 5s");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-b");
	puppet_expect_end(p, 1);
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_LIMIT], 1);
	ck_assert_ptr_nonnull(strstr(p->end_text, "intensity exceeded by a"));
	puppet_free(p);
}
END_TEST

/* one_for_one_escalation */
START_TEST(one_for_one_escalation)
{
	struct puppet *p = puppet_boot("one 4/5000 a b");

	puppet_fail(p, "a", -1);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +a +a +a +a -b");
	puppet_expect_end(p, 1);
	ck_assert_ptr_nonnull(strstr(p->end_text, "no such command"));
	puppet_free(p);
}
END_TEST

/* one_for_all */
START_TEST(one_for_all_restarts_all_anew)
{
	struct puppet *p = puppet_boot("all 2/5000 a b c");

	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b +c -c -a +a +b +c");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-c -b +a +b +c");
	puppet_end(p, "c", KILLED);
	puppet_expect(p, "-b -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* one_for_all: none of the old is there when the first new one starts. */
START_TEST(one_for_all_starts_none_before_all_are_empty)
{
	struct puppet *p = puppet_boot("all a b");

	puppet_hold_stop(p, "a");
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b -a");
	puppet_ended(p, "a", 15);
	puppet_expect(p, "");
	puppet_empty(p, "a");
	puppet_expect(p, "+a +b");
	puppet_free(p);
}
END_TEST

/* one_for_all: those that end meanwhile are no failures of their own. */
START_TEST(common_restart_counts_once)
{
	struct puppet *p = puppet_boot("all 1/5000 a b c d");

	puppet_hold_stop(p, "d");
	puppet_end(p, "b", KILLED);
	puppet_end(p, "a", KILLED);
	puppet_end(p, "c", EXITED(1));
	puppet_expect(p, "+a +b +c +d -d");
	puppet_end(p, "d", KILLED);
	puppet_expect(p, "+a +b +c +d");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_RESTART], 1);
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "-d");
	puppet_end(p, "d", KILLED);
	puppet_expect(p, "-c -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* one_for_all_escalation */
START_TEST(one_for_all_escalation)
{
	struct puppet *p = puppet_boot("all 2/5000 a b");

	puppet_fail(p, "b", -1);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b -b +a +b -a +a +b -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* one_for_all_other_child_fails_restart */
START_TEST(one_for_all_other_child_fails_restart)
{
	struct puppet *p = puppet_boot("all 3/5000 a b");

	puppet_fail(p, "b", 1);
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b -a +a +b -a +a +b");
	puppet_expect_state(p, "", "running");
	puppet_free(p);
}
END_TEST

/* one_for_all_other_child_fails_restart: among three, and again */
START_TEST(one_for_all_ends_what_it_had_restarted)
{
	struct puppet *p = puppet_boot("all 3/5000 a b c");

	puppet_fail(p, "b", 2);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +c -c -b +a +b -a +a +b -a +a +b +c");
	puppet_expect_state(p, "", "running");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_RESTART], 3);
	puppet_free(p);
}
END_TEST

/* rest_for_one, order_of_children */
START_TEST(rest_for_one_restarts_the_later)
{
	struct puppet *p = puppet_boot("rest 2/5000 a b c d");

	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b +c +d -d -c +b +c +d");
	puppet_end(p, "d", KILLED);
	puppet_expect(p, "+d");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-d -c -b");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* rest_for_one_escalation */
START_TEST(rest_for_one_escalation)
{
	struct puppet *p = puppet_boot("rest 2/5000 a b c");

	puppet_fail(p, "c", -1);
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b +c -c +b +c +c -b -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* rest_for_one_other_child_fails_restart */
START_TEST(rest_for_one_other_child_fails_restart)
{
	struct puppet *p = puppet_boot("rest 3/5000 a b c");

	puppet_fail(p, "b", 1);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +c -c -b +a +b +b +c");
	puppet_free(p);
}
END_TEST

START_TEST(rest_for_one_follows_depends_on)
{
	struct puppet *p = puppet_boot("rest a< b<a c< d<b");

	puppet_expect(p, "+a +c +b +d");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-d -b +a +b +d");
	puppet_free(p);
}
END_TEST

START_TEST(rest_for_one_widens_when_an_earlier_one_ends)
{
	struct puppet *p = puppet_boot("rest 5/5000 a b c");

	puppet_hold_stop(p, "c");
	puppet_end(p, "b", KILLED);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +c -c");
	puppet_end(p, "c", 15);
	puppet_expect(p, "+a +b +c");
	puppet_free(p);
}
END_TEST

/* temporary_bystander */
START_TEST(temporary_bystander)
{
	static const char *const trees[] = { "all a t:x", "rest a t:x",
		"all t:x a", "all a t:x{ p }", "rest a t:x{ p }" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		p = puppet_boot(trees[i]);
		p->trace[0] = '\0';
		puppet_end(p, "a", KILLED);
		puppet_expect(p, i < 3 ? "-t +a" : "-t/p +a");
		puppet_expect_state(p, "t", NULL);
		puppet_expect_state(p, "", "running");
		/* Nor does it come back with the next one. */
		puppet_pass(p, 6000);
		puppet_end(p, "a", KILLED);
		puppet_expect(p, "+a");
		puppet_free(p);
	}
}
END_TEST

START_TEST(group_restart_starts_ended_transients_anew)
{
	struct puppet *p = puppet_boot("all a b:t");

	puppet_end(p, "b", EXITED(0));
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +a +b");
	puppet_free(p);
}
END_TEST

START_TEST(group_restart_leaves_what_was_stopped)
{
	struct puppet *p = puppet_boot("all a b");

	ck_assert_int_eq(puppet_ask(p, machine_stop, "b"), GROUPER_OK);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b -b +a");
	puppet_expect_state(p, "b", "idle");
	puppet_free(p);
}
END_TEST

/* simple_one_for_one */
START_TEST(instance_restarts_alone)
{
	struct puppet *p = puppet_boot("one w*3");

	puppet_end(p, "w" MARK "2", KILLED);
	puppet_expect(p, "+w" MARK "1 +w" MARK "2 +w" MARK "3 +w" MARK "2");
	puppet_free(p);
}
END_TEST

/* simple_one_for_one: the third within the period */
START_TEST(instances_share_the_limit)
{
	struct puppet *p = puppet_boot("one 2/5000 w*3 z");

	puppet_end(p, "w" MARK "2", KILLED);
	puppet_end(p, "w" MARK "3", EXITED(0));
	puppet_expect_state(p, "w" MARK "3", "running");
	p->trace[0] = '\0';
	puppet_end(p, "w" MARK "1", KILLED);
	puppet_expect(p, "-z -w" MARK "2 -w" MARK "3");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* simple_one_for_one_escalation */
START_TEST(instance_that_cannot_restart_uses_up_the_limit)
{
	struct puppet *p = puppet_boot("one 4/5000 w*2");
	int i;

	puppet_fail(p, "w" MARK "1", -1);
	puppet_expect(p, "+w" MARK "1 +w" MARK "2");
	puppet_end(p, "w" MARK "1", KILLED);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(strncmp(p->trace + i * 5, "+w" MARK "1 ", 5),
		    0);
	ck_assert_str_eq(p->trace + 20, "-w" MARK "2");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* simple_global_supervisor: what is killed comes back, wherever it is. */
START_TEST(only_what_was_killed_comes_back)
{
	struct puppet *p = puppet_boot("9/5000 in{ x y } in2{ all x y } z");
	uint64_t before = puppet_run(p, "in/y"), z = puppet_run(p, "z");

	puppet_end(p, "in/x", KILLED);
	puppet_end(p, "in2/x", KILLED);
	puppet_expect(p,
	    "+in/x +in/y +in2/x +in2/y +z +in/x "
	    "-in2/y +in2/x +in2/y");
	ck_assert_uint_eq(puppet_run(p, "in/y"), before);
	ck_assert_uint_eq(puppet_run(p, "z"), z);
	puppet_free(p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_restart");
	TCase *tc;

	tc = support_case(suite, "policy");
	tcase_add_test(tc, permanent_is_always_restarted);
	tcase_add_test(tc, transient_is_restarted_when_abnormal);
	tcase_add_test(tc, temporary_is_never_restarted_and_goes);
	tcase_add_test(tc, supervisor_that_shut_down_has_ended_normally);
	tcase_add_test(tc, transient_supervisor_that_failed_is_restarted);
	tcase_add_test(tc, transient_that_is_done_can_be_started_again);
	tcase_add_test(tc, success_says_which_endings_are_normal);
	tcase_add_test(tc, restart_waits_for_empty);
	tcase_add_test(tc, watchdog_counts_as_abnormal);
	tc = support_case(suite, "strategy");
	tcase_add_test(tc, one_for_one_restarts_the_ended_alone);
	tcase_add_test(tc, one_for_one_escalation);
	tcase_add_test(tc, one_for_all_restarts_all_anew);
	tcase_add_test(tc, one_for_all_starts_none_before_all_are_empty);
	tcase_add_test(tc, common_restart_counts_once);
	tcase_add_test(tc, one_for_all_escalation);
	tcase_add_test(tc, one_for_all_other_child_fails_restart);
	tcase_add_test(tc, one_for_all_ends_what_it_had_restarted);
	tcase_add_test(tc, rest_for_one_restarts_the_later);
	tcase_add_test(tc, rest_for_one_escalation);
	tcase_add_test(tc, rest_for_one_other_child_fails_restart);
	tcase_add_test(tc, rest_for_one_follows_depends_on);
	tcase_add_test(tc, rest_for_one_widens_when_an_earlier_one_ends);
	tcase_add_test(tc, temporary_bystander);
	tcase_add_test(tc, group_restart_starts_ended_transients_anew);
	tcase_add_test(tc, group_restart_leaves_what_was_stopped);
	tcase_add_test(tc, instance_restarts_alone);
	tcase_add_test(tc, instances_share_the_limit);
	tcase_add_test(tc, instance_that_cannot_restart_uses_up_the_limit);
	tcase_add_test(tc, only_what_was_killed_comes_back);
	return support_main(suite, NULL);
}
