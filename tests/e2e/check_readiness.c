/* SPDX-License-Identifier: ISC */
/*
 * When children of `grouper supervise` count as ready, and what they tell of
 * themselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

static const struct {
	const char *name;
	const char *child;
} kinds[] = {
	{ "fd", "ready: fd:5, shell: 'sleep 0.1; echo >&5; exec sleep 1000'" },
	{ "log",
	    "ready: {log: '^up [0-9]+$'}, "
	    "shell: 'echo going up; echo up 42; exec sleep 1000'" },
	{ "exec",
	    "ready: {exec: [test, -e, '@/file'], interval: 10ms}, "
	    "shell: 'sleep 0.1; echo >@/file; exec sleep 1000'" },
	{ "notify",
	    "ready: notify, "
	    "shell: 'systemd-notify --ready; exec sleep 1000'" },
};

START_TEST(each_kind_of_readiness_lets_the_next_one_start)
{
	struct tree tree;
	char text[512];

	if (strcmp(kinds[_i].name, "notify") == 0 &&
	    access("/usr/bin/systemd-notify", X_OK) == -1)
		SUPPORT_SKIP("no systemd-notify");
	snprintf(text, sizeof(text),
	    "children:\n  - {id: a, %s}\n" TREE_LIVES("b"), kinds[_i].child);
	tree_start(&tree, text);
	tree_await_ready("b");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_child_that_is_not_ready_in_time_fails_the_start)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, ready: notify, ready_timeout: 200ms, "
	    "command: [sleep, '1000']}\n");
	tree_end(&tree, 1);
}
END_TEST

START_TEST(a_start_that_is_not_ready_in_time_is_told_once)
{
	static const char said[] = "supervise: a: not ready within 200ms\n";
	struct tree tree;
	const char *first;

	tree_start(&tree, "children: []\n");
	tree_await_ready("");
	tree_expect(0,
	    ARGV("spawn", "--key", "a", "--ready", "fd:3", "--ready-timeout",
		"200ms", "sleep", "1000"));
	tree_await_event("a", "start_failed", 1);
	tree_script_prints(0, "stopping: not ready within 200ms\n1\n",
	    "$G events --since 1 --no-follow | grep -o stopping.*;"
	    "$G events --since 1 --no-follow | grep -c 'a: not ready'");
	support_signal(&tree.host, SIGTERM);
	ck_assert_int_eq(support_wait(&tree.host), 0);
	first = strstr(tree.host.stderr_text.data, said);
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, said));
	support_finish(&tree.host);
}
END_TEST

/* Its first process ends at once; what it said may still be on its way. */
START_TEST(a_daemon_that_forks_itself_goes_on_by_the_pid_it_tells)
{
	struct tree tree;
	char text[256];

	if (access("/usr/bin/systemd-notify", X_OK) == -1)
		SUPPORT_SKIP("no systemd-notify");
	snprintf(text, sizeof(text),
	    "children:\n"
	    "  - {id: a, ready: notify, shell: 'setsid sleep 1000 & "
	    "systemd-notify %s --ready MAINPID=$!'}\n",
	    _i == 0 ? "" : "--no-block");
	tree_start(&tree, text);
	tree_await_event("a", "adopted", 1);
	kill(tree_pid("a"), SIGKILL);
	tree_await_event("a", "adopted", 2);
	tree_script_prints(0, "1\n1\n",
	    "for type in exited restart; do $G events --json --since 1 "
	    "--no-follow | grep -c '\"type\":\"'$type; done");
	tree_stop(&tree, 0);
}
END_TEST

/* No process of the group: each time its leader looks at all there are. */
START_TEST(a_flood_of_foreign_pids_costs_no_stop)
{
	struct support_run r;
	struct tree tree;
	char text[512];

	if (support_execute(&r, "sh", "-c", "command -v python3", NULL) != 0) {
		support_finish(&r);
		SUPPORT_SKIP("no python3");
	}
	support_finish(&r);
	snprintf(text, sizeof(text),
	    "children:\n"
	    "  - id: a\n"
	    "    ready: notify\n"
	    "    shutdown: infinity\n"
	    "    shell: |\n"
	    "      for i in $(seq 100); do sleep 1000 & done\n"
	    "      exec python3 -c 'import os, socket as s\n"
	    "      to = s.socket(s.AF_UNIX, s.SOCK_DGRAM)\n"
	    "      to.connect(os.environ[\"NOTIFY_SOCKET\"])\n"
	    "      for i in range(9999): to.send(b\"MAINPID=%d\")\n"
	    "      to.send(b\"READY=1\")\n"
	    "      while True: to.send(b\"MAINPID=%d\")'\n",
	    (int)getpid(), (int)getpid());
	tree_start(&tree, text);
	tree_await_ready("a");
	tree_expect(0, ARGV("stop", "a"));
	tree_expect_state("a", "idle");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_main_process_that_tells_of_itself_is_no_other)
{
	struct tree tree;

	if (access("/usr/bin/systemd-notify", X_OK) == -1)
		SUPPORT_SKIP("no systemd-notify");
	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, ready: notify, shell: "
	    "'systemd-notify --ready MAINPID=$$; exec sleep 1000'}\n");
	tree_await_ready("a");
	tree_expect(0, ARGV("stop", "a"));
	tree_script_prints(1, "0\n",
	    "$G events --json --since 1 --no-follow | "
	    "grep -c '\"type\":\"adopted'");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_silent_watchdog_restarts_its_child)
{
	struct tree tree;

	if (access("/usr/bin/systemd-notify", X_OK) == -1)
		SUPPORT_SKIP("no systemd-notify");
	tree_start(&tree,
	    "intensity: 9\nchildren:\n"
	    "  - {id: a, ready: notify, watchdog: 300ms, shutdown: KILL, "
	    "shell: 'systemd-notify --ready; exec sleep 1000'}\n");
	tree_await_event("a", "watchdog", 1);
	tree_await_event("a", "started", 2);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(another_user_s_child_tells_that_it_is_ready)
{
	struct tree tree;
	const char *why;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	if (access("/usr/bin/systemd-notify", X_OK) == -1)
		SUPPORT_SKIP("no systemd-notify");
	/* As root has it: the fixture would make one without a way through. */
	ck_assert_int_eq(mkdir(support_path("run-0"), 0711), 0);
	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, uid: nobody, ready: notify, cwd: /, "
	    "shell: 'systemd-notify --ready; exec sleep 1000'}\n");
	tree_await_ready("a");
	tree_expect_state("a", "running");
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("readiness");
	TCase *tc;

	tc = support_case(suite, "ready");
	tcase_add_loop_test(tc, each_kind_of_readiness_lets_the_next_one_start,
	    0, sizeof(kinds) / sizeof(kinds[0]));
	tcase_add_test(tc, a_child_that_is_not_ready_in_time_fails_the_start);
	tcase_add_test(tc, a_start_that_is_not_ready_in_time_is_told_once);
	tcase_add_loop_test(tc,
	    a_daemon_that_forks_itself_goes_on_by_the_pid_it_tells, 0, 2);
	tcase_add_test(tc, a_flood_of_foreign_pids_costs_no_stop);
	tcase_add_test(tc, a_main_process_that_tells_of_itself_is_no_other);
	tcase_add_test(tc, a_silent_watchdog_restarts_its_child);
	tcase_add_test(tc, another_user_s_child_tells_that_it_is_ready);
	return support_main(suite, NULL);
}
