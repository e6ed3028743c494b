/* SPDX-License-Identifier: ISC */
/*
 * How `grouper supervise` stops what is slow, deaf, hidden or ends by itself:
 * cases of OTP's supervisor_SUITE, which each test names, on real processes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "tree.h"

/* One that takes until the file "go" is there to stop. */
#define LINGERS(id, more) \
	"  - id: " id "\n" \
	"    ready: fd:3\n" \
	"    shutdown: infinity\n" more "    shell: |\n" \
	"      trap 'touch @/asked; while [ ! -e @/go ]; do sleep 0.01; done; " \
	"exit 0' TERM\n" \
	"      echo >&3; exec 3>&-; while :; do sleep 0.1; done\n"

/* sup_stop_timeout: the slow one is killed, the others end as asked. */
START_TEST(only_a_slow_child_is_killed)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_TELLS(
		"a") "  - id: b\n"
		     "    ready: fd:3\n"
		     "    shutdown: 100ms\n"
		     "    shell: |\n"
		     "      trap '' TERM\n"
		     "      echo >&3; exec 3>&-\n"
		     "      while :; do sleep 0.1; done\n" TREE_TELLS("c"));
	tree_await_ready("c");
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart c\nstop c\nstop a\n");
}
END_TEST

/* sup_stop_brutal_kill */
START_TEST(a_brutal_kill_is_not_announced)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_TELLS("a")
		TREE_TELLS("b") "    shutdown: brutal_kill\n" TREE_TELLS("c"));
	tree_await_ready("c");
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart b\nstart c\nstop c\nstop a\n");
}
END_TEST

/* sup_stop_infinity */
START_TEST(a_stop_without_end_waits)
{
	struct support_process process;
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_TELLS("a") LINGERS("b", ""));
	tree_await_ready("b");
	support_signal(&tree.host, SIGTERM);
	support_await_file(support_path("asked"), NULL);
	tree_expect_state("b", "stopping");
	tree_expect_state("a", "running");
	ck_assert(support_process(tree.host.pid, &process));
	ck_assert(support_alive(&process));
	support_file("go", 0644, "");
	tree_end(&tree, 0);
	tree_expect_log("start a\nstop a\n");
}
END_TEST

/* sup_stop_manual_timeout: who asked may go, the stop goes on. */
START_TEST(a_stop_goes_on_when_its_caller_has_gone)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a") LINGERS("b", ""));
	tree_await_ready("b");
	tree_expect(124, ARGV("stop", "--timeout", "50ms", "b"));
	tree_expect_state("b", "stopping");
	support_await_file(support_path("asked"), NULL);
	support_file("go", 0644, "");
	tree_await_event("b", "stopped", 1);
	tree_expect_state("b", "idle");
	tree_expect(0, ARGV("start", "b"));
	tree_stop(&tree, 0);
}
END_TEST

#define ENDS_WHEN_ASKED(id, policy, how) \
	"  - id: " id "\n" \
	"    restart: " policy "\n" \
	"    ready: fd:3\n" \
	"    shell: |\n" \
	"      trap '" how "' TERM\n" \
	"      echo start " id " >>@/log; echo $$ >@/" id ".pid\n" \
	"      echo >&3; exec 3>&-; while :; do sleep 0.1; done\n"

/* sup_stop_race, sup_stop_non_shutdown_exit_dynamic */
START_TEST(nothing_that_ends_while_the_tree_stops_is_restarted)
{
	struct tree tree;

	/* The last takes the first, whose turn has not come, with it. */
	tree_start(&tree,
	    "strategy: one_for_all\nchildren:\n" ENDS_WHEN_ASKED("a",
		"permanent", "exit 0") ENDS_WHEN_ASKED("b", "transient",
		"exit 3") ENDS_WHEN_ASKED("c", "temporary", "kill -KILL $$")
		ENDS_WHEN_ASKED("d", "permanent",
		    "kill -KILL $(cat @/a.pid) $(cat @/b.pid); exit 4"));
	tree_await_ready("d");
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstart b\nstart c\nstart d\n");
}
END_TEST

/* simple_one_for_one_shutdown: none would end if they were asked in turn. */
START_TEST(instances_stop_in_parallel)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - id: w\n"
	    "    instances: 5\n"
	    "    ready: fd:3\n"
	    "    shutdown: infinity\n"
	    "    shell: |\n"
	    "      trap 'echo asked >>@/log; "
	    "while [ $(grep -c asked @/log) -lt 5 ]; do sleep 0.01; done; "
	    "exit 0' TERM\n"
	    "      echo >&3; exec 3>&-; while :; do sleep 0.1; done\n");
	tree_await_ready("w");
	tree_stop(&tree, 0);
	tree_expect_log("asked\nasked\nasked\nasked\nasked\n");
}
END_TEST

/* child_unlink: what detached itself neither hangs the stop nor stays. */
START_TEST(a_child_that_detached_itself_is_stopped)
{
	struct tree tree;
	char *text;
	pid_t pid;

	tree_start(&tree,
	    "children:\n" TREE_LIVES("a") "  - id: b\n"
					  "    ready: fd:3\n"
					  "    shutdown: [TERM 100ms, KILL]\n"
					  "    shell: |\n"
					  "      (setsid sh -c \"trap '' TERM; "
					  "echo \\$\\$ >@/pid; echo >&3; "
					  "while :; do sleep 1000; done\" &)\n"
					  "      exec sleep 1000\n");
	tree_await_ready("b");
	tree_expect(0, ARGV("stop", "b"));
	tree_expect_state("b", "idle");
	text = support_slurp(support_path("pid"));
	pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	ck_assert_int_gt(pid, 1);
	ck_assert(kill(pid, 0) == -1 && errno == ESRCH);
	tree_expect_state("a", "running");
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stops");
	TCase *tc;

	tc = support_case(suite, "stop");
	tcase_add_test(tc, only_a_slow_child_is_killed);
	tcase_add_test(tc, a_brutal_kill_is_not_announced);
	tcase_add_test(tc, a_stop_without_end_waits);
	tcase_add_test(tc, a_stop_goes_on_when_its_caller_has_gone);
	tcase_add_test(tc, nothing_that_ends_while_the_tree_stops_is_restarted);
	tcase_add_test(tc, instances_stop_in_parallel);
	tcase_add_test(tc, a_child_that_detached_itself_is_stopped);
	return support_main(suite, NULL);
}
