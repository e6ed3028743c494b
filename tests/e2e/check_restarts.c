/* SPDX-License-Identifier: ISC */
/*
 * Cases of OTP's supervisor_SUITE where signals, time or real processes matter,
 * under `grouper supervise`.  Each test names what it restates; the rest is
 * shown on the state machine alone.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tree.h"

static void
kill_main(const char *key)
{
	pid_t pid = tree_pid(key);

	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}

static void
kill_leader(const char *key)
{
	struct support_process process;

	ck_assert(support_process(tree_pid(key), &process));
	ck_assert_int_gt(process.ppid, 1);
	ck_assert_int_eq(kill(process.ppid, SIGKILL), 0);
}

/*
 * Which ends are followed by a restart
 */

#define ENDS_ONCE(id, policy, how) \
	"  - id: " id "\n" \
	"    restart: " policy "\n" \
	"    shell: '[ -e @/" id " ] && exec sleep 1000; touch @/" id "; " how \
	"'\n"
#define ENDS_EACH_WAY(letter, policy) \
	ENDS_ONCE(letter "0", policy, "exit 0") \
	ENDS_ONCE(letter "1", policy, "exit 1") \
	ENDS_ONCE(letter "k", policy, "kill -KILL $$") \
	ENDS_ONCE(letter "t", policy, "kill -TERM $$")

/* {permanent,transient,temporary}_{normal,abnormal} */
START_TEST(policies_tell_which_ends_are_followed_by_a_restart)
{
	static const char *const again[] = { "p0", "p1", "pk", "pt", "t1", "tk",
		"tt" };
	static const char *const gone[] = { "x0", "x1", "xk", "xt" };
	struct tree tree;
	size_t i;

	tree_start(&tree,
	    "intensity: 7\nperiod: 1h\nchildren:\n" ENDS_EACH_WAY("p",
		"permanent") ENDS_EACH_WAY("t", "transient")
		ENDS_EACH_WAY("x", "temporary"));
	tree_await_ready("p0");
	for (i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		tree_await_event(again[i], "started", 2);
		tree_expect_state(again[i], "running");
	}
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		tree_await_event(gone[i], "removed", 1);
		tree_expect(1, ARGV("status", gone[i]));
	}
	tree_await_event("t0", "ended", 1);
	tree_expect_state("t0", "done");
	tree_expect(0, ARGV("start", "t0"));
	tree_expect_state("t0", "running");
	tree_stop(&tree, 0);
}
END_TEST

/* multiple_restarts: what is spread out never exceeds. */
START_TEST(restarts_that_are_far_apart_go_on_for_ever)
{
	struct tree tree;

	tree_start(&tree,
	    "intensity: 1\nperiod: 100ms\nchildren:\n"
	    "  - {id: a, shell: 'sleep 0.2; exit 1'}\n");
	tree_await_event("a", "started", 6);
	tree_expect_state("", "running");
	tree_stop(&tree, 0);
}
END_TEST

/* one_for_one_escalation */
START_TEST(a_child_that_cannot_be_started_again_uses_up_the_limit)
{
	struct tree tree;
	const char *program;

	program = support_file("program", 0755,
	    "#!/bin/sh\necho >&3; exec 3>&-; exec sleep 1000\n");
	tree_start(&tree,
	    "intensity: 4\nchildren:\n" TREE_TELLS(
		"z") "  - {id: a, ready: fd:3, command: ['@/program']}\n");
	tree_await_ready("a");
	ck_assert_int_eq(unlink(program), 0);
	kill_main("a");
	support_await_stderr(&tree.host,
	    "intensity exceeded by a: restart 5 within 5s, 4 allowed: "
	    "cannot execute");
	tree_end(&tree, 1);
	tree_expect_log("start z\nstop z\n");
}
END_TEST

/* one_for_all: none of the old lives when the first of the new starts. */
START_TEST(one_for_all_stops_all_before_it_starts_any)
{
	struct tree tree;

	tree_start(&tree,
	    "strategy: one_for_all\nchildren:\n" TREE_TELLS("a") TREE_TELLS("b")
		TREE_TELLS("c"));
	tree_await_ready("c");
	kill_main("b");
	tree_await_event("c", "ready", 2);
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart b\nstart c\nstop c\nstop a\n"
			"start a\nstart b\nstart c\nstop c\nstop b\nstop a\n");
}
END_TEST

/* rest_for_one, order_of_children */
START_TEST(rest_for_one_stops_the_later_in_reverse)
{
	struct tree tree;

	tree_start(&tree,
	    "strategy: rest_for_one\nchildren:\n" TREE_TELLS("a")
		TREE_TELLS("b") TREE_TELLS("c") TREE_TELLS("d"));
	tree_await_ready("d");
	kill_main("b");
	tree_await_event("d", "ready", 2);
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart b\nstart c\nstart d\nstop d\nstop c\n"
			"start b\nstart c\nstart d\n"
			"stop d\nstop c\nstop b\nstop a\n");
}
END_TEST

/* Its second start fails. */
#define FAILS_ONCE(id) \
	"  - id: " id "\n" \
	"    ready: fd:3\n" \
	"    shell: |\n" \
	"      echo start " id " >>@/log\n" \
	"      [ $(grep -c 'start " id "' @/log) -eq 2 ] && exit 1\n" \
	"      echo >&3; exec 3>&-; exec sleep 1000\n"

/* one_for_all_other_child_fails_restart */
START_TEST(one_for_all_stops_again_what_it_had_restarted)
{
	struct tree tree;

	tree_start(&tree,
	    "strategy: one_for_all\nintensity: 2\nchildren:\n" TREE_TELLS("a")
		FAILS_ONCE("b"));
	tree_await_ready("b");
	kill_main("a");
	tree_await_event("b", "ready", 2);
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart b\nstart a\nstart b\nstop a\n"
			"start a\nstart b\nstop a\n");
}
END_TEST

/* rest_for_one_other_child_fails_restart */
START_TEST(rest_for_one_leaves_what_it_had_restarted)
{
	struct tree tree;

	tree_start(&tree,
	    "strategy: rest_for_one\nintensity: 2\nchildren:\n" TREE_TELLS("a")
		FAILS_ONCE("b") TREE_TELLS("c"));
	tree_await_ready("c");
	kill_main("a");
	tree_await_event("c", "ready", 2);
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart b\nstart c\nstop c\n"
			"start a\nstart b\nstart b\nstart c\nstop c\nstop a\n");
}
END_TEST

/* temporary_bystander */
START_TEST(a_temporary_bystander_does_not_come_back)
{
	static const char *const strategies[] = { "one_for_all",
		"rest_for_one" };
	struct tree tree;
	char text[256];

	snprintf(text, sizeof(text),
	    "strategy: %s\nchildren:\n" TREE_LIVES(
		"a") "  - {id: t, restart: temporary, command: [sleep, '1000']}\n",
	    strategies[_i]);
	tree_start(&tree, text);
	tree_await_ready("t");
	kill_main("a");
	tree_await_event("a", "started", 2);
	tree_await_event("t", "removed", 1);
	tree_expect(1, ARGV("status", "t"));
	tree_expect_state("", "running");
	tree_stop(&tree, 0);
}
END_TEST

#define INNER(intensity) \
	"  - id: in\n" \
	"    supervisor:\n" \
	"      intensity: " intensity "\n" \
	"      children:\n" \
	"        - {id: x, command: [sleep, '1000']}\n" \
	"        - {id: y, ready: fd:3, " \
	"shell: 'echo >&3; exec 3>&-; exec sleep 1000'}\n"

/* tree: what was added to an inner supervisor goes with it. */
START_TEST(an_exhausted_inner_supervisor_restarts_all_but_what_was_added)
{
	struct tree tree;
	pid_t a, y;

	tree_start(&tree,
	    "strategy: one_for_all\nchildren:\n" TREE_LIVES("a") INNER("1"));
	tree_await_ready("in/y");
	a = tree_pid("a");
	y = tree_pid("in/y");
	tree_expect(0,
	    ARGV("spawn", "--supervisor", "in", "--key", "added", "sleep",
		"1000"));
	kill_main("in/x");
	tree_await_event("in/x", "started", 2);
	ck_assert_int_eq(tree_pid("in/y"), y);
	kill_main("in/x");
	tree_await_event("in/y", "started", 2);
	ck_assert_int_ne(tree_pid("a"), a);
	tree_expect(1, ARGV("status", "in/added"));
	tree_stop(&tree, 0);
}
END_TEST

/* simple_global_supervisor: a leader's death is its supervisor's. */
START_TEST(a_dead_leader_below_restarts_its_supervisor)
{
	struct tree tree;
	pid_t a, y;

	tree_start(&tree, "children:\n" TREE_LIVES("a") INNER("9"));
	tree_await_ready("in/y");
	a = tree_pid("a");
	y = tree_pid("in/y");
	kill_leader("in/x");
	tree_await_event("in/y", "started", 2);
	tree_expect(0, ARGV("wait", "--ready", "in"));
	ck_assert_int_eq(tree_pid("a"), a);
	ck_assert_int_ne(tree_pid("in/y"), y);
	tree_stop(&tree, 0);
}
END_TEST

/* one_for_one_escalation of a dead leader: the cause goes all the way up. */
START_TEST(a_dead_leader_below_ends_a_tree_that_may_not_restart_with_120)
{
	struct tree tree;

	tree_start(&tree,
	    "intensity: 0\nchildren:\n" TREE_LIVES("a") INNER("9"));
	tree_await_ready("in/y");
	kill_leader("in/x");
	support_await_stderr(&tree.host, "in/x lost its leader");
	tree_end(&tree, 120);
}
END_TEST

/*
 * Restarts that wait
 */

/* hanging_restart_loop, .._rest_for_one */
START_TEST(a_child_that_waits_for_its_restart_can_be_stopped)
{
	struct tree tree;

	tree_start(&tree,
	    "strategy: rest_for_one\nchildren:\n" TREE_LIVES(
		"a") "  - {id: b, backoff: {min: 1h, max: 1h}, "
		     "command: [sleep, '1000']}\n" TREE_LIVES("c"));
	tree_await_ready("c");
	kill_main("b");
	tree_await_event("c", "stopped", 1);
	tree_expect_state("a", "running");
	tree_expect_state("b", "restarting");
	tree_expect_state("c", "pending");
	tree_expect(1, ARGV("start", "b"));
	tree_expect(1, ARGV("restart", "b"));
	tree_expect(1, ARGV("delete", "b"));
	tree_expect(1, ARGV("start", "c"));
	tree_expect(0, ARGV("stop", "b"));
	tree_expect_state("b", "idle");
	tree_await_event("c", "started", 2);
	tree_expect(0, ARGV("delete", "b"));
	tree_stop(&tree, 0);
}
END_TEST

/* hanging_restart_loop: the supervisor's stop does not hang. */
START_TEST(a_child_that_waits_for_its_restart_does_not_hold_up_the_stop)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: b, backoff: {min: 1h, max: 1h}, "
		     "command: [sleep, '1000']}\n");
	tree_await_ready("b");
	kill_main("b");
	tree_await_event("b", "restart", 1);
	tree_stop(&tree, 0);
}
END_TEST

/*
 * Significance
 */

/* significant_transient */
START_TEST(a_significant_transient_ends_the_tree_when_it_is_done)
{
	struct tree tree;

	tree_start(&tree,
	    "auto_shutdown: any_significant\nintensity: 9\nchildren:\n" TREE_TELLS(
		"a") "  - {id: s, restart: transient, significant: true, "
		     "shell: 'while [ ! -e @/go ]; do sleep 0.01; done'}\n");
	tree_await_ready("s");
	kill_main("s");
	tree_await_event("s", "started", 2);
	tree_expect(0, ARGV("stop", "s"));
	tree_expect_state("", "running");
	tree_expect(0, ARGV("start", "s"));
	support_file("go", 0644, "");
	tree_end(&tree, 0);
	tree_expect_log("start a\nstop a\n");
}
END_TEST

/* significant_escalation, all_significant */
START_TEST(a_significant_supervisor_ends_the_tree_when_it_shut_down)
{
	struct tree tree;

	tree_start(&tree,
	    "auto_shutdown: any_significant\nchildren:\n" TREE_TELLS(
		"a") "  - id: in\n"
		     "    restart: temporary\n"
		     "    significant: true\n"
		     "    supervisor:\n"
		     "      auto_shutdown: all_significant\n"
		     "      children:\n"
		     "        - {id: x, restart: temporary, significant: true, "
		     "shell: 'exit 3'}\n"
		     "        - {id: y, restart: temporary, significant: true, shell: "
		     "'while [ ! -e @/go ]; do sleep 0.01; done; kill -KILL $$'}\n"
		     "        - {id: z, command: [sleep, '1000']}\n");
	tree_await_ready("in");
	tree_await_event("in/x", "removed", 1);
	tree_expect_state("in", "running");
	support_file("go", 0644, "");
	tree_end(&tree, 128 + SIGKILL);
	tree_expect_log("start a\nstop a\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("restarts");
	TCase *tc;

	tc = support_case(suite, "restart");
	tcase_add_test(tc, policies_tell_which_ends_are_followed_by_a_restart);
	tcase_add_test(tc, restarts_that_are_far_apart_go_on_for_ever);
	tcase_add_test(tc,
	    a_child_that_cannot_be_started_again_uses_up_the_limit);
	tcase_add_test(tc, one_for_all_stops_all_before_it_starts_any);
	tcase_add_test(tc, rest_for_one_stops_the_later_in_reverse);
	tcase_add_test(tc, one_for_all_stops_again_what_it_had_restarted);
	tcase_add_test(tc, rest_for_one_leaves_what_it_had_restarted);
	tcase_add_loop_test(tc, a_temporary_bystander_does_not_come_back, 0, 2);
	tcase_add_test(tc,
	    an_exhausted_inner_supervisor_restarts_all_but_what_was_added);
	tcase_add_test(tc, a_dead_leader_below_restarts_its_supervisor);
	tcase_add_test(tc,
	    a_dead_leader_below_ends_a_tree_that_may_not_restart_with_120);
	tc = support_case(suite, "waiting");
	tcase_add_test(tc, a_child_that_waits_for_its_restart_can_be_stopped);
	tcase_add_test(tc,
	    a_child_that_waits_for_its_restart_does_not_hold_up_the_stop);
	tc = support_case(suite, "significance");
	tcase_add_test(tc,
	    a_significant_transient_ends_the_tree_when_it_is_done);
	tcase_add_test(tc,
	    a_significant_supervisor_ends_the_tree_when_it_shut_down);
	return support_main(suite, NULL);
}
