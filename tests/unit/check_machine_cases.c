/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine: cases of OTP's supervisor_SUITE that are not about
 * one of the other suites' subjects alone.  Each test names what it restates.
 */
#include "puppet.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define ASK(p, verb, key) puppet_ask(p, machine_##verb, key)
#define W(number) "w" MARK number

/*
 * Starts
 */

/* sup_start_ignore_init: nothing runs, and nobody fails. */
START_TEST(supervisor_that_is_not_started_is_listed)
{
	struct puppet *p = puppet_boot("a in-{ x y }");

	puppet_expect(p, "+a");
	puppet_expect_state(p, "", "running");
	puppet_expect_state(p, "in", "idle");
	puppet_expect_state(p, "in/x", "idle");
	ck_assert_int_eq(ASK(p, start, "in/x"), GROUPER_NO_GROUP);
	ck_assert_int_eq(ASK(p, start, "in"), GROUPER_OK);
	puppet_expect(p, "+in/x +in/y");
	puppet_shutdown(p);
	puppet_expect(p, "-in/y -in/x -a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/*
 * sup_start_ignore_temporary_child, .._start_child: here it is listed, or
 * nobody could start it; and goes when it has ended.
 */
START_TEST(temporary_child_that_is_not_started_is_listed)
{
	struct puppet *p = puppet_boot("a:x- b:x-");

	puppet_expect(p, "");
	puppet_expect_state(p, "a", "idle");
	ck_assert_int_eq(puppet_spawn(p, "", "c:x-"), GROUPER_OK);
	puppet_expect_state(p, "c", "idle");
	ck_assert_int_eq(ASK(p, start, "a"), GROUPER_OK);
	puppet_end(p, "a", EXITED(0));
	puppet_expect(p, "+a");
	puppet_expect_state(p, "a", NULL);
	puppet_expect_state(p, "b", "idle");
	puppet_shutdown(p);
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* sup_start_child_returns_error, .._simple */
START_TEST(added_child_whose_start_fails_goes)
{
	static const char *const specs[] = { "n", "n:t", "n:x", "n*3",
		"n{ x y }", "n:t{ x y }" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		p = puppet_boot("a");
		puppet_fail(p, "n", 1);
		puppet_fail(p, "n" MARK "1", 1);
		puppet_fail(p, "n" MARK "2", 1);
		puppet_fail(p, "n" MARK "3", 1);
		puppet_fail(p, "n/y", 1);
		ck_assert_int_eq(puppet_spawn(p, "", specs[i]), GROUPER_OK);
		puppet_expect_state(p, "n", NULL);
		puppet_expect_state(p, "n/x", NULL);
		ck_assert_int_eq(ASK(p, stop, "n"), GROUPER_NOT_FOUND);
		ck_assert_str_ne(p->notes[MACHINE_NOTE_START_FAILED], "");
		puppet_expect_state(p, "", "running");
		/* The id is free again. */
		ck_assert_int_eq(puppet_spawn(p, "", specs[i]), GROUPER_OK);
		ck_assert_int_eq(ASK(p, start, "n"), GROUPER_ALREADY_STARTED);
		puppet_free(p);
	}
}
END_TEST

/* sup_start_restart_child_returns_error */
START_TEST(stopped_child_whose_start_fails_stays_stopped)
{
	static const char *const trees[] = { "a b", "a:t b", "a{ x y } b" };
	struct puppet *p;
	size_t i;

	for (i = 0; i < 3; i++) {
		p = puppet_boot(trees[i]);
		ASK(p, stop, "a");
		puppet_fail(p, "a", 1);
		puppet_fail(p, "a/y", 1);
		ck_assert_int_eq(ASK(p, start, "a"), GROUPER_OK);
		puppet_expect_state(p, "a", "idle");
		puppet_expect_state(p, "", "running");
		ck_assert_uint_eq(p->counts[MACHINE_NOTE_START_FAILED],
		    i == 2 ? 2 : 1);
		ck_assert_int_eq(ASK(p, start, "a"), GROUPER_OK);
		puppet_expect_state(p, "a", "running");
		puppet_free(p);
	}
}
END_TEST

/* faulty_application_shutdown */
START_TEST(reason_of_a_failed_start_goes_all_the_way_up)
{
	struct puppet *p = puppet_new(puppet_tree("a in{ in{ x y } } z"));

	puppet_fail(p, "in/in/y", 1);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_expect(p, "+a +in/in/x +in/in/y -in/in/x -a");
	puppet_expect_end(p, 1);
	ck_assert_str_eq(p->end_text,
	    "start of in failed: start of in/in failed: "
	    "start of in/in/y failed: no such command");
	puppet_free(p);
}
END_TEST

/*
 * Stops
 */

static struct puppet *
boot_with_steps(const char *steps)
{
	struct spec_tree *tree = puppet_tree("a in{ x y }");
	struct puppet *p;
	const char *error;

	ck_assert_int_eq(steps_parse(steps, &tree->root.children[1].shutdown,
			     &error),
	    0);
	p = puppet_new(tree);
	machine_boot(p->machine, p->now);
	puppet_act(p);
	puppet_hold_stop(p, "in/x");
	puppet_hold_stop(p, "in/y");
	puppet_expect(p, "+a +in/x +in/y");
	return p;
}

/* sup_stop_infinity */
START_TEST(stop_may_take_for_ever)
{
	struct puppet *p = boot_with_steps("infinity");

	puppet_shutdown(p);
	puppet_expect(p, "-in/y");
	ck_assert_int_eq(machine_deadline(p->machine), -1);
	puppet_pass(p, INT32_MAX);
	puppet_expect(p, "");
	puppet_end(p, "in/y", 15);
	puppet_expect(p, "-in/x");
	ck_assert_int_eq(machine_deadline(p->machine), -1);
	puppet_end(p, "in/x", 15);
	puppet_expect(p, "-a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* sup_stop_brutal_kill */
START_TEST(brutal_kill_does_not_ask)
{
	struct puppet *p = boot_with_steps("brutal_kill");

	puppet_shutdown(p);
	puppet_expect(p, "!in/y !in/x");
	puppet_end(p, "in/x", KILLED);
	puppet_end(p, "in/y", KILLED);
	puppet_expect(p, "-a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* sup_stop_race, sup_stop_non_shutdown_exit_dynamic */
START_TEST(nothing_that_ends_during_a_stop_is_restarted)
{
	static const char *const keys[] = { W("1"), W("2"), W("3"), "p", "t",
		"x" };
	static const int statuses[] = { EXITED(0), EXITED(1), KILLED };
	struct puppet *p;
	size_t i, k;

	for (i = 0; i < 3; i++) {
		p = puppet_boot("all 0/5000 w*3 p t:t x:x last");
		puppet_hold_stop(p, "last");
		p->trace[0] = '\0';
		puppet_shutdown(p);
		puppet_expect(p, "-last");
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			puppet_end(p, keys[k], statuses[(i + k) % 3]);
		puppet_expect(p, "");
		puppet_end(p, "last", KILLED);
		puppet_expect(p, "");
		puppet_expect_end(p, 0);
		ck_assert_uint_eq(p->counts[MACHINE_NOTE_RESTART], 0);
		puppet_free(p);
	}
}
END_TEST

/* sup_stop_race: an inner supervisor does what it is for until its turn. */
START_TEST(inner_supervisor_goes_on_until_it_is_told_to_stop)
{
	struct puppet *p = puppet_boot("in{ 1/5000 x y } z");

	puppet_hold_stop(p, "z");
	puppet_hold_stop(p, "in/y");
	puppet_shutdown(p);
	puppet_end(p, "in/x", KILLED);
	puppet_expect(p, "+in/x +in/y +z -z +in/x");
	puppet_end(p, "z", 15);
	puppet_expect(p, "-in/y");
	puppet_end(p, "in/x", KILLED);
	puppet_end(p, "in/y", 15);
	puppet_expect(p, "");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* simple_one_for_one_shutdown: all are told before one has ended. */
START_TEST(instances_are_told_to_stop_together)
{
	struct puppet *p = puppet_boot("w*3");

	puppet_hold_stop(p, W("1"));
	puppet_hold_stop(p, W("2"));
	puppet_hold_stop(p, W("3"));
	puppet_expect(p, "+" W("1") " +" W("2") " +" W("3"));
	puppet_shutdown(p);
	puppet_expect(p, "-" W("1") " -" W("2") " -" W("3"));
	puppet_end(p, W("2"), 15);
	puppet_end(p, W("3"), KILLED);
	puppet_end(p, W("1"), EXITED(4));
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/*
 * Administration
 */

/* child_adm_simple: dynamic children have keys here, and nobody else's. */
START_TEST(child_adm_simple)
{
	struct puppet *p = puppet_boot("a w*2");
	uint64_t first = puppet_run(p, W("1")), a = puppet_run(p, "a");

	ck_assert_int_eq(ASK(p, start, W("1")), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(ASK(p, delete, W("1")), GROUPER_RUNNING);
	ck_assert_int_eq(ASK(p, stop, W("3")), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, stop, W("0")), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, stop, "a" MARK "1"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, stop, W("2")), GROUPER_OK);
	ck_assert_int_eq(ASK(p, stop, W("2")), GROUPER_OK);
	ck_assert_int_eq(ASK(p, delete, W("2")), GROUPER_OK);
	ck_assert_int_eq(ASK(p, delete, W("2")), GROUPER_NOT_FOUND);
	ck_assert_int_eq(ASK(p, start, W("2")), GROUPER_NOT_FOUND);
	ck_assert_uint_eq(puppet_run(p, W("1")), first);
	ck_assert_uint_eq(puppet_run(p, "a"), a);
	puppet_free(p);
}
END_TEST

/* extra_return: what was stopped and started is restarted as before. */
START_TEST(child_that_was_started_again_is_restarted)
{
	struct puppet *p = puppet_boot("one 1/5000 a z");

	ASK(p, stop, "a");
	puppet_expect_state(p, "a", "idle");
	ASK(p, start, "a");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +z -a +a +a");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-z");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* already_started_outside_supervisor */
START_TEST(taken_key_is_left_to_whom_it_belongs)
{
	struct puppet *p = puppet_boot("a w*2 in{ a }");
	uint64_t run = puppet_run(p, W("1"));

	p->trace[0] = '\0';
	ck_assert_int_eq(puppet_spawn(p, "", "in"), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(puppet_spawn(p, "in", "a"), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(puppet_spawn(p, "", "w"), GROUPER_ALREADY_STARTED);
	ASK(p, stop, "w");
	ck_assert_int_eq(puppet_spawn(p, "", "w"), GROUPER_ALREADY_PRESENT);
	ASK(p, start, "w");
	ck_assert_uint_ne(puppet_run(p, W("1")), run);
	puppet_expect(p, "-" W("1") " -" W("2") " +" W("1") " +" W("2"));
	puppet_free(p);
}
END_TEST

/* How many are listed below a supervisor, and what they are. */
struct counts {
	unsigned int specs;
	unsigned int active;
	unsigned int supervisors;
	unsigned int workers;
};

static void
expect_counts(struct puppet *p, const char *supervisor, struct counts wanted)
{
	const struct machine_node *node = machine_find(p->machine, supervisor);
	struct machine_view view;
	struct counts counts = { 0 };
	unsigned int depth;

	machine_view(node, &view);
	depth = view.depth;
	while ((node = machine_after(node)) != NULL) {
		machine_view(node, &view);
		if (view.depth <= depth)
			break;
		if (view.depth > depth + 1)
			continue;
		counts.specs++;
		counts.active += view.run != 0;
		counts.supervisors += view.supervisor != NULL;
		counts.workers += view.supervisor == NULL;
	}
	ck_assert_uint_eq(counts.specs, wanted.specs);
	ck_assert_uint_eq(counts.active, wanted.active);
	ck_assert_uint_eq(counts.supervisors, wanted.supervisors);
	ck_assert_uint_eq(counts.workers, wanted.workers);
}

/* count_children, count_children_supervisor, sup_start_ignore_child */
START_TEST(status_counts_children)
{
	struct puppet *p = puppet_boot("a b- c:t in{ x y:x z- } w*2");

	expect_counts(p, "", (struct counts) { 6, 5, 1, 5 });
	expect_counts(p, "in", (struct counts) { 3, 2, 0, 3 });
	puppet_end(p, "c", EXITED(0));
	puppet_end(p, "in/y", EXITED(0));
	ASK(p, stop, W("2"));
	expect_counts(p, "", (struct counts) { 6, 3, 1, 5 });
	expect_counts(p, "in", (struct counts) { 2, 1, 0, 2 });
	ASK(p, stop, "in");
	expect_counts(p, "", (struct counts) { 6, 2, 1, 5 });
	expect_counts(p, "in", (struct counts) { 2, 0, 0, 2 });
	puppet_free(p);
}
END_TEST

/* count_restarting_children: they are listed and not active. */
START_TEST(status_counts_restarting_children)
{
	struct puppet *p = puppet_boot("one 9/5000 a=1000 w:x*2 v*2=1000");

	expect_counts(p, "", (struct counts) { 5, 5, 0, 5 });
	puppet_end(p, "a", KILLED);
	puppet_end(p, "v" MARK "2", KILLED);
	expect_counts(p, "", (struct counts) { 5, 3, 0, 5 });
	puppet_pass(p, 1100);
	expect_counts(p, "", (struct counts) { 5, 5, 0, 5 });
	puppet_end(p, "a", KILLED);
	ASK(p, stop, "a");
	ASK(p, delete, "a");
	ASK(p, stop, W("1"));
	expect_counts(p, "", (struct counts) { 3, 3, 0, 3 });
	puppet_free(p);
}
END_TEST

/* which_children, which_child, .._simple: what each state is called. */
START_TEST(status_tells_what_each_child_does)
{
	struct puppet *p = puppet_boot("rest 9/5000 a s w*2=1000 z t:t?");

	puppet_ready(p, "t");
	ASK(p, stop, "s");
	puppet_hold_stop(p, "z");
	puppet_end(p, "t", EXITED(0));
	puppet_end(p, W("2"), KILLED);
	puppet_expect_state(p, "a", "running");
	puppet_expect_state(p, "s", "idle");
	puppet_expect_state(p, W("2"), "restarting");
	puppet_expect_state(p, "z", "stopping");
	puppet_expect_state(p, "t", "pending");
	puppet_end(p, "z", 15);
	puppet_pass(p, 1100);
	puppet_expect_state(p, W("2"), "running");
	puppet_expect_state(p, "z", "running");
	puppet_expect_state(p, "t", "waiting");
	puppet_expect_state(p, "s", "idle");
	puppet_free(p);
}
END_TEST

/* hanging_restart_loop_simple */
START_TEST(hanging_restart_loop_simple)
{
	struct puppet *p = puppet_boot("one 9/5000 w*2=1000");

	puppet_end(p, W("1"), KILLED);
	puppet_expect_state(p, W("1"), "restarting");
	ck_assert_int_eq(ASK(p, start, W("1")), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, delete, W("1")), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, delete, "w"), GROUPER_RESTARTING);
	ck_assert_int_eq(ASK(p, stop, W("1")), GROUPER_OK);
	puppet_pass(p, 5000);
	puppet_expect(p, "+" W("1") " +" W("2"));
	puppet_expect_state(p, W("1"), "idle");
	puppet_end(p, W("2"), KILLED);
	puppet_shutdown(p);
	puppet_expect(p, "");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* hanging_restart_loop: a restart that hangs in its start is no other. */
START_TEST(hanging_start_of_a_restart_can_be_stopped)
{
	struct puppet *p = puppet_boot("rest 9/5000 a b c");

	puppet_hold_start(p, "b");
	puppet_end(p, "b", KILLED);
	puppet_expect(p, "+a +b +c -c +b");
	puppet_expect_state(p, "b", "starting");
	puppet_expect_state(p, "c", "pending");
	ck_assert_int_eq(ASK(p, start, "b"), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(ASK(p, delete, "b"), GROUPER_RUNNING);
	ck_assert_int_eq(ASK(p, stop, "b"), GROUPER_OK);
	puppet_expect(p, "-b +c");
	puppet_shutdown(p);
	puppet_expect(p, "-c -a");
	puppet_expect_end(p, 0);
	puppet_free(p);
}
END_TEST

/* do_not_save_start_parameters_, .._child_specs_for_temporary_children */
START_TEST(temporary_children_leave_nothing)
{
	struct puppet *p = puppet_boot("a");
	size_t before = 0;
	int i;

	p->quiet = true;
	for (i = 0; i < 3000; i++) {
		if (i == 1000)
			before = mallinfo2().uordblks;
		ck_assert_int_eq(puppet_spawn(p, "",
				     i % 2 == 0 ? "t:x*3" : "t:x{ x y }"),
		    GROUPER_OK);
		ASK(p, stop, "t");
		ck_assert_int_eq(ASK(p, stop, "t"), GROUPER_NOT_FOUND);
	}
	ck_assert_uint_le(mallinfo2().uordblks, before);
	expect_counts(p, "", (struct counts) { 1, 1, 0, 1 });
	puppet_free(p);
}
END_TEST

/* code_change_simple, .._simple_map: of what instances are made. */
START_TEST(reload_changes_instances_in_place)
{
	struct puppet *p = puppet_boot("one 0/5000 w*2");

	ck_assert_int_eq(puppet_reload(p, "one 1/5000 w:x*2"), GROUPER_OK);
	puppet_end(p, W("1"), KILLED);
	puppet_expect(p, "+" W("1") " +" W("2"));
	puppet_expect_state(p, W("1"), NULL);
	ck_assert_int_eq(puppet_reload(p, "one 1/5000 w*0"), GROUPER_OK);
	puppet_expect(p, "-" W("2"));
	puppet_expect_state(p, "", "running");
	puppet_free(p);
}
END_TEST

/* code_change: a faulty one is rejected, and the old flags hold. */
START_TEST(faulty_reload_keeps_the_old_flags)
{
	struct puppet *p = puppet_boot("one 1/5000 a b");

	ck_assert_int_eq(puppet_reload(p, "all 9/0 a b"), GROUPER_INVALID);
	ck_assert_int_eq(puppet_reload(p, "all 9/1 a:x b b"), GROUPER_INVALID);
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "+a +b +a");
	puppet_end(p, "a", KILLED);
	puppet_expect(p, "-b");
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

/* format_log_1, format_log_2: supervisor, context, reason, offender. */
START_TEST(notes_tell_who_what_and_why)
{
	struct puppet *p = puppet_boot("0/5000 in{ 1/5000 x }");

	puppet_end(p, "in/x", EXITED(3));
	ck_assert_str_eq(p->notes[MACHINE_NOTE_ENDED], "exited with 3");
	ck_assert_str_eq(p->notes[MACHINE_NOTE_RESTART],
	    "restart 1 of 1 within 5s");
	puppet_end(p, "in/x", KILLED);
	ck_assert_str_eq(p->notes[MACHINE_NOTE_ENDED], "ended by SIGKILL");
	ck_assert_str_eq(p->notes[MACHINE_NOTE_LIMIT],
	    "intensity exceeded by in: restart 1 within 5s, 0 allowed: "
	    "intensity exceeded by in/x: restart 2 within 5s, 1 allowed: "
	    "ended by SIGKILL");
	ck_assert_str_eq(p->end_text, p->notes[MACHINE_NOTE_LIMIT]);
	puppet_expect_end(p, 1);
	puppet_free(p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_cases");
	TCase *tc;

	tc = support_case(suite, "start");
	tcase_add_test(tc, supervisor_that_is_not_started_is_listed);
	tcase_add_test(tc, temporary_child_that_is_not_started_is_listed);
	tcase_add_test(tc, added_child_whose_start_fails_goes);
	tcase_add_test(tc, stopped_child_whose_start_fails_stays_stopped);
	tcase_add_test(tc, reason_of_a_failed_start_goes_all_the_way_up);
	tc = support_case(suite, "stop");
	tcase_add_test(tc, stop_may_take_for_ever);
	tcase_add_test(tc, brutal_kill_does_not_ask);
	tcase_add_test(tc, nothing_that_ends_during_a_stop_is_restarted);
	tcase_add_test(tc, inner_supervisor_goes_on_until_it_is_told_to_stop);
	tcase_add_test(tc, instances_are_told_to_stop_together);
	tc = support_case(suite, "administration");
	tcase_add_test(tc, child_adm_simple);
	tcase_add_test(tc, child_that_was_started_again_is_restarted);
	tcase_add_test(tc, taken_key_is_left_to_whom_it_belongs);
	tcase_add_test(tc, hanging_restart_loop_simple);
	tcase_add_test(tc, hanging_start_of_a_restart_can_be_stopped);
	tcase_add_test(tc, temporary_children_leave_nothing);
	tc = support_case(suite, "status");
	tcase_add_test(tc, status_counts_children);
	tcase_add_test(tc, status_counts_restarting_children);
	tcase_add_test(tc, status_tells_what_each_child_does);
	tcase_add_test(tc, notes_tell_who_what_and_why);
	tc = support_case(suite, "reload");
	tcase_add_test(tc, reload_changes_instances_in_place);
	tcase_add_test(tc, faulty_reload_keeps_the_old_flags);
	return support_main(suite, NULL);
}
