/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: significant children and auto_shutdown, as the
 * cases of OTP's supervisor_SUITE that each test names have it.
 */
#include "puppet.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

#define ASK(p, verb, key) puppet_ask(p, machine_##verb, key)
#define N_ENDINGS 3

static const int endings[N_ENDINGS] = { EXITED(0), EXITED(3), KILLED };
static const int as_status[N_ENDINGS] = { 0, 3, 137 };

static struct puppet *
boot(const char *text)
{
	struct puppet *p = puppet_boot(text);

	puppet_expect_state(p, "", "running");
	p->trace[0] = '\0';
	return p;
}

static void
assert_lives(struct puppet *p)
{
	puppet_expect_state(p, "", "running");
	ck_assert_uint_eq(p->counts[MACHINE_NOTE_AUTO_SHUTDOWN], 0);
}

/* Ends by the end of this child, with this status. */
static void
assert_ends(struct puppet *p, const char *key, int status, int code)
{
	puppet_end(p, key, status);
	puppet_expect_end(p, code);
	ck_assert_ptr_nonnull(strstr(p->end_text, key));
	puppet_free(p);
}

/* nonsignificant_temporary, nonsignificant_transient */
START_TEST(nonsignificant_end_never_stops_the_tree)
{
	static const char *const trees[] = { "9/5000 any a:x s:t! z",
		"9/5000 any a:t s:t! z", "9/5000 every a:x s:t!- z",
		"9/5000 every a:t s:t!- z", "9/5000 any a:x z",
		"9/5000 every a:x b:x" };
	struct puppet *p;
	size_t i, k;

	for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		for (k = 0; k < N_ENDINGS; k++) {
			p = boot(trees[i]);
			puppet_end(p, "a", endings[k]);
			assert_lives(p);
			ASK(p, stop, "a");
			assert_lives(p);
			puppet_free(p);
		}
	p = boot("every a:x b:t");
	puppet_end(p, "a", EXITED(0));
	puppet_end(p, "b", EXITED(0));
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_temporary, any_significant */
START_TEST(any_end_of_a_significant_temporary_is_enough)
{
	struct puppet *p;
	size_t i;

	for (i = 0; i < N_ENDINGS; i++) {
		p = boot("any a s:x! z");
		puppet_end(p, "s", endings[i]);
		puppet_expect(p, "-z -a");
		puppet_expect_end(p, as_status[i]);
		ck_assert_str_eq(p->end_text, "auto_shutdown by s");
		puppet_free(p);
	}
	p = boot("any a s:x! z");
	ck_assert_int_eq(ASK(p, stop, "s"), GROUPER_OK);
	puppet_expect(p, "-s");
	puppet_expect_state(p, "s", NULL);
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_temporary, all_significant */
START_TEST(only_the_last_significant_temporary_ends_all)
{
	struct puppet *p;
	size_t i;

	for (i = 0; i < N_ENDINGS; i++) {
		p = boot("every s:x! t:x! u:x! z");
		puppet_end(p, "t", endings[i]);
		assert_lives(p);
		puppet_end(p, "s", endings[i]);
		assert_lives(p);
		assert_ends(p, "u", endings[i], as_status[i]);
	}
	/* What was stopped counts as gone, and triggers nothing itself. */
	p = boot("every s:x! t:x! z");
	ASK(p, stop, "s");
	assert_lives(p);
	assert_ends(p, "t", EXITED(4), 4);
	p = boot("every s:x! t:x! z");
	puppet_end(p, "s", EXITED(4));
	ASK(p, stop, "t");
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_transient, any_significant */
START_TEST(significant_transient_ends_all_only_when_normal)
{
	struct puppet *p = boot("any 5/5000 s:t! z");

	puppet_end(p, "s", EXITED(1));
	puppet_end(p, "s", KILLED);
	puppet_end(p, "s", 15);
	puppet_expect(p, "+s +s +s");
	assert_lives(p);
	ASK(p, stop, "s");
	puppet_expect(p, "-s");
	puppet_expect_state(p, "s", "idle");
	assert_lives(p);
	ASK(p, start, "s");
	puppet_expect(p, "+s");
	puppet_ended(p, "s", EXITED(0));
	assert_lives(p);
	puppet_empty(p, "s");
	puppet_expect(p, "-z");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* significant_transient, all_significant */
START_TEST(only_the_last_significant_transient_ends_all)
{
	struct puppet *p = boot("every 5/5000 s:t! t:t! z");

	puppet_end(p, "s", KILLED);
	puppet_expect(p, "+s");
	puppet_end(p, "s", EXITED(0));
	puppet_expect_state(p, "s", "done");
	assert_lives(p);
	/* It is there again. */
	ASK(p, start, "s");
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	puppet_end(p, "s", EXITED(1));
	assert_lives(p);
	assert_ends(p, "s", EXITED(0), 0);
}
END_TEST

/* significant_transient: one that will be restarted has not gone. */
START_TEST(significant_child_in_backoff_is_still_there)
{
	struct puppet *p = boot("every 5/5000 s:t!=1000 t:t! z");

	puppet_end(p, "s", KILLED);
	puppet_expect_state(p, "s", "restarting");
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	puppet_pass(p, 1100);
	assert_ends(p, "s", EXITED(0), 0);

	/* Called off, it has gone, which triggers nothing. */
	p = boot("every 5/5000 s:t!=1000 t:t! z");
	puppet_end(p, "s", KILLED);
	ASK(p, stop, "s");
	assert_lives(p);
	assert_ends(p, "t", EXITED(0), 0);
}
END_TEST

/* significant_transient: one that never ran is not waited for. */
START_TEST(significant_child_that_was_not_started_does_not_count)
{
	struct puppet *p = boot("every s:t!- t:t! z");

	assert_ends(p, "t", EXITED(0), 0);
}
END_TEST

/* significant_transient: our restart is no end. */
START_TEST(restart_of_a_significant_child_is_no_end)
{
	struct puppet *p = boot("any 0/5000 s:t! t:x! z");

	ck_assert_int_eq(ASK(p, restart, "s"), GROUPER_OK);
	ck_assert_int_eq(ASK(p, restart, "t"), GROUPER_OK);
	puppet_expect(p, "-s +s -t +t");
	ck_assert_int_eq(puppet_reload(p, "any 0/5000 s:t!? t:x!? z"),
	    GROUPER_OK);
	puppet_ready(p, "s");
	puppet_ready(p, "t");
	puppet_expect(p, "-s -t +s +t");
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_temporary: a start that fails is no end, as any other's. */
START_TEST(failed_start_of_a_significant_child_is_no_end)
{
	struct puppet *p = boot("any s:t!- z");

	puppet_fail(p, "s", 1);
	ASK(p, start, "s");
	puppet_expect(p, "+s");
	assert_lives(p);
	puppet_free(p);
	p = puppet_new(puppet_tree("any a s:x! z"));
	puppet_fail(p, "s", 1);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_expect(p, "+a +s -a");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* Its first start was none that failed: it ran, and then is gone for good. */
START_TEST(significant_temporary_that_a_reload_loses_ends_all)
{
	struct puppet *p = boot("every a s:x! t:x!");

	puppet_fail(p, "s", 1);
	puppet_fail(p, "t", 1);
	ck_assert_int_eq(puppet_reload(p, "every a s:x!? t:x!"), GROUPER_OK);
	puppet_expect(p, "-s +s");
	puppet_expect_state(p, "s", NULL);
	assert_lives(p);
	ck_assert_int_eq(puppet_reload(p, "every a t:x!?"), GROUPER_OK);
	puppet_expect(p, "-t +t -a");
	puppet_expect_end(p, 1);
	ck_assert_str_eq(p->end_text, "auto_shutdown by t");
	puppet_free(p);
}
END_TEST

/* significant_simple */
START_TEST(instances_cannot_be_significant)
{
	struct puppet *p = boot("any s:t! z");

	ck_assert_int_eq(puppet_spawn(p, "", "w:t!*2"),
	    GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_scale(p, "s", 2), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_reload(p, "any s:t!*2 z"),
	    GROUPER_BAD_COMBINATION);
	assert_lives(p);
	puppet_expect(p, "");
	puppet_free(p);
}
END_TEST

/* significant_bystander */
START_TEST(significant_bystander)
{
	static const char *const trees[] = { "all any a s:x! t:t!",
		"all every a s:x! t:t!", "rest any a s:x! t:t!",
		"rest every a s:x! t:t!" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < 4; i++) {
		p = boot(trees[i]);
		puppet_end(p, "a", KILLED);
		puppet_expect(p, "-t -s +a +t");
		puppet_expect_state(p, "s", NULL);
		assert_lives(p);
		assert_ends(p, "t", EXITED(0), 0);
	}
	/* Both gone as bystanders: nothing is left that could trigger. */
	p = boot("all every a s:x! t:x!");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-t -s +a");
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_bystander: also one that was quicker than our stop. */
START_TEST(significant_bystander_may_end_before_it_is_told)
{
	struct puppet *p = boot("all any a s:x! t:t! z");

	puppet_hold_stop(p, "z");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-z");
	puppet_end(p, "s", EXITED(0));
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	puppet_end(p, "z", 15);
	puppet_expect(p, "+a +t +z");
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_bystander: one that is not of the restart is none. */
START_TEST(significant_child_beside_a_restart_in_common_counts)
{
	struct puppet *p = boot("rest any s:t! a z");

	puppet_hold_stop(p, "z");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-z");
	puppet_end(p, "s", EXITED(0));
	puppet_end(p, "z", 15);
	puppet_expect(p, "");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* significant_escalation */
START_TEST(auto_shutdown_of_a_significant_supervisor_goes_up)
{
	static const char *const trees[] = { "any a in:t!{ any x:t! y } z",
		"any a in:x!{ any x:t! y } z",
		"every a in:t!{ every x:t! y } z" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < 3; i++) {
		p = boot(trees[i]);
		puppet_end(p, "in/x", EXITED(0));
		puppet_expect(p, "-in/y -z -a");
		puppet_expect_end(p, 0);
		puppet_free(p);
	}
	/* The status is that of the one at the bottom. */
	p = boot("any in:x!{ any in:x!{ any x:x! } y }");
	puppet_end(p, "in/in/x", EXITED(9));
	puppet_expect(p, "-in/y");
	puppet_expect_end(p, 9);
	puppet_free(p);
}
END_TEST

/* significant_escalation: it counts as `shutdown`, which is normal. */
START_TEST(auto_shutdown_of_another_supervisor_stays_below)
{
	struct puppet *p = boot("any a in:t{ any x:t! y } z");

	puppet_end(p, "in/x", EXITED(0));
	puppet_expect(p, "-in/y");
	puppet_expect_state(p, "in", "done");
	puppet_expect_state(p, "", "running");
	puppet_free(p);

	p = boot("any a in:x{ any x:t! y } z");
	puppet_end(p, "in/x", EXITED(0));
	puppet_expect(p, "-in/y");
	puppet_expect_state(p, "in", NULL);
	puppet_expect_state(p, "", "running");
	puppet_free(p);

	p = boot("a in{ any x:t! y } z");
	puppet_end(p, "in/x", EXITED(0));
	puppet_expect(p, "-in/y +in/x +in/y");
	puppet_expect_state(p, "", "running");
	puppet_free(p);
}
END_TEST

/* significant_escalation: a failure is no auto_shutdown. */
START_TEST(failure_of_a_significant_supervisor_is_abnormal)
{
	struct puppet *p = boot("any 5/5000 in:t!{ 0/5000 x y } z");

	puppet_end(p, "in/x", KILLED);
	puppet_expect(p, "-in/y +in/x +in/y");
	assert_lives(p);
	puppet_free(p);

	p = boot("any 5/5000 in:x!{ 0/5000 x y } z");
	puppet_end(p, "in/x", KILLED);
	puppet_expect(p, "-in/y -z");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/*
 * Reloads: they hold for the ends that come, not for those that came.
 */

/* significant_upgrade_never_any */
START_TEST(upgrade_from_never_to_any)
{
	struct puppet *p = boot("s:t t:t z");

	puppet_end(p, "s", EXITED(0));
	ck_assert_int_eq(puppet_reload(p, "any s:t! t:t! z"), GROUPER_OK);
	assert_lives(p);
	assert_ends(p, "t", EXITED(0), 0);
}
END_TEST

/* significant_upgrade_any_never */
START_TEST(upgrade_from_any_to_never)
{
	struct puppet *p = boot("any s:t! t:t! z");

	ck_assert_int_eq(puppet_reload(p, "s:t t:t z"), GROUPER_OK);
	puppet_end(p, "s", EXITED(0));
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_upgrade_never_all */
START_TEST(upgrade_from_never_to_all)
{
	struct puppet *p = boot("s:t t:t u:t z");

	puppet_end(p, "s", EXITED(0));
	ck_assert_int_eq(puppet_reload(p, "every s:t! t:t! u:t! z"),
	    GROUPER_OK);
	assert_lives(p);
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	assert_ends(p, "u", EXITED(0), 0);
}
END_TEST

/* significant_upgrade_all_never */
START_TEST(upgrade_from_all_to_never)
{
	struct puppet *p = boot("every s:t! t:t! z");

	puppet_end(p, "s", EXITED(0));
	ck_assert_int_eq(puppet_reload(p, "s:t t:t z"), GROUPER_OK);
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_upgrade_any_all */
START_TEST(upgrade_from_any_to_all)
{
	struct puppet *p = boot("any s:t! t:t! z");

	ck_assert_int_eq(puppet_reload(p, "every s:t! t:t! z"), GROUPER_OK);
	puppet_end(p, "s", EXITED(0));
	assert_lives(p);
	assert_ends(p, "t", EXITED(0), 0);
}
END_TEST

/* significant_upgrade_all_any */
START_TEST(upgrade_from_all_to_any)
{
	struct puppet *p = boot("every s:t! t:t! u:t! z");

	puppet_end(p, "s", EXITED(0));
	ck_assert_int_eq(puppet_reload(p, "any s:t! t:t! u:t! z"), GROUPER_OK);
	assert_lives(p);
	assert_ends(p, "t", EXITED(0), 0);
}
END_TEST

/* significant_upgrade_child */
START_TEST(upgrade_of_a_child)
{
	struct puppet *p = boot("any s:t! t:t z");

	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	ck_assert_int_eq(puppet_reload(p, "any s:t t:t! z"), GROUPER_OK);
	assert_lives(p);
	puppet_end(p, "s", EXITED(0));
	assert_lives(p);
	ASK(p, start, "t");
	assert_ends(p, "t", EXITED(0), 0);

	/* All that are significant have gone already: nobody ends now. */
	p = boot("every s:t! t:t! z");
	puppet_end(p, "s", EXITED(0));
	ck_assert_int_eq(puppet_reload(p, "every s:t! t:t z"), GROUPER_OK);
	assert_lives(p);
	puppet_end(p, "t", EXITED(0));
	assert_lives(p);
	puppet_free(p);
}
END_TEST

/* significant_upgrade_*: of an inner supervisor, too */
START_TEST(upgrade_of_an_inner_supervisor)
{
	struct puppet *p = boot("any a in:t!{ x:t y }");

	ck_assert_int_eq(puppet_reload(p, "any a in:t!{ any x:t! y }"),
	    GROUPER_OK);
	puppet_end(p, "in/x", EXITED(0));
	puppet_expect(p, "-in/y -a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* significant_upgrade_*: bad_combination, and all stays as it was */
START_TEST(upgrade_that_is_forbidden_changes_nothing)
{
	struct puppet *p = boot("any s:t! z");

	ck_assert_int_eq(puppet_reload(p, "s:t! z"), GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_reload(p, "any s:p! z"),
	    GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(puppet_reload(p, "any s:t! z in{ x:t! }"),
	    GROUPER_BAD_COMBINATION);
	assert_lives(p);
	assert_ends(p, "s", EXITED(0), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_significant");
	TCase *tc;

	tc = support_case(suite, "significance");
	tcase_add_test(tc, nonsignificant_end_never_stops_the_tree);
	tcase_add_test(tc, any_end_of_a_significant_temporary_is_enough);
	tcase_add_test(tc, only_the_last_significant_temporary_ends_all);
	tcase_add_test(tc, significant_transient_ends_all_only_when_normal);
	tcase_add_test(tc, only_the_last_significant_transient_ends_all);
	tcase_add_test(tc, significant_child_in_backoff_is_still_there);
	tcase_add_test(tc,
	    significant_child_that_was_not_started_does_not_count);
	tcase_add_test(tc, restart_of_a_significant_child_is_no_end);
	tcase_add_test(tc, failed_start_of_a_significant_child_is_no_end);
	tcase_add_test(tc, significant_temporary_that_a_reload_loses_ends_all);
	tcase_add_test(tc, instances_cannot_be_significant);
	tcase_add_test(tc, significant_bystander);
	tcase_add_test(tc, significant_bystander_may_end_before_it_is_told);
	tcase_add_test(tc, significant_child_beside_a_restart_in_common_counts);
	tcase_add_test(tc, auto_shutdown_of_a_significant_supervisor_goes_up);
	tcase_add_test(tc, auto_shutdown_of_another_supervisor_stays_below);
	tcase_add_test(tc, failure_of_a_significant_supervisor_is_abnormal);
	tc = support_case(suite, "reload");
	tcase_add_test(tc, upgrade_from_never_to_any);
	tcase_add_test(tc, upgrade_from_any_to_never);
	tcase_add_test(tc, upgrade_from_never_to_all);
	tcase_add_test(tc, upgrade_from_all_to_never);
	tcase_add_test(tc, upgrade_from_any_to_all);
	tcase_add_test(tc, upgrade_from_all_to_any);
	tcase_add_test(tc, upgrade_of_a_child);
	tcase_add_test(tc, upgrade_of_an_inner_supervisor);
	tcase_add_test(tc, upgrade_that_is_forbidden_changes_nothing);
	return support_main(suite, NULL);
}
