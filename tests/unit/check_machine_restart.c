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

START_TEST(permanent_is_always_restarted)
{
	assert_end("a", EXITED(0), "+a", "running");
	assert_end("a", EXITED(1), "+a", "running");
	assert_end("a", KILLED, "+a", "running");
}
END_TEST

START_TEST(transient_is_restarted_when_abnormal)
{
	assert_end("a:t", EXITED(0), "", "done");
	assert_end("a:t", EXITED(1), "+a", "running");
	assert_end("a:t", KILLED, "+a", "running");
}
END_TEST

START_TEST(temporary_is_never_restarted_and_goes)
{
	assert_end("a:x", EXITED(0), "", NULL);
	assert_end("a:x", EXITED(1), "", NULL);
	assert_end("a:x", KILLED, "", NULL);
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

START_TEST(temporary_bystander)
{
	struct puppet *p = puppet_boot("all a t:x");

	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +t -t +a");
	puppet_expect_state(p, "t", NULL);
	puppet_free(p);

	p = puppet_boot("rest a t:x");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +t -t +a");
	puppet_expect_state(p, "t", NULL);
	puppet_free(p);
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

START_TEST(instance_restarts_alone)
{
	struct puppet *p = puppet_boot("one w*3");

	puppet_end(p, "w" MARK "2", KILLED);
	puppet_expect(p, "+w" MARK "1 +w" MARK "2 +w" MARK "3 +w" MARK "2");
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
	tcase_add_test(tc, success_says_which_endings_are_normal);
	tcase_add_test(tc, restart_waits_for_empty);
	tcase_add_test(tc, watchdog_counts_as_abnormal);
	tc = support_case(suite, "strategy");
	tcase_add_test(tc, one_for_one_restarts_the_ended_alone);
	tcase_add_test(tc, one_for_one_escalation);
	tcase_add_test(tc, one_for_all_restarts_all_anew);
	tcase_add_test(tc, one_for_all_starts_none_before_all_are_empty);
	tcase_add_test(tc, one_for_all_escalation);
	tcase_add_test(tc, one_for_all_other_child_fails_restart);
	tcase_add_test(tc, rest_for_one_restarts_the_later);
	tcase_add_test(tc, rest_for_one_escalation);
	tcase_add_test(tc, rest_for_one_other_child_fails_restart);
	tcase_add_test(tc, rest_for_one_follows_depends_on);
	tcase_add_test(tc, rest_for_one_widens_when_an_earlier_one_ends);
	tcase_add_test(tc, temporary_bystander);
	tcase_add_test(tc, group_restart_starts_ended_transients_anew);
	tcase_add_test(tc, group_restart_leaves_what_was_stopped);
	tcase_add_test(tc, instance_restarts_alone);
	return support_main(suite, NULL);
}
