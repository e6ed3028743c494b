/* SPDX-License-Identifier: ISC */
/*
 * `grouper supervise` on real processes: order, restarts, escalation,
 * readiness, the ends of a tree.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

START_TEST(children_start_in_order_and_stop_in_reverse)
{
	struct tree tree;
	char *log;

	tree_start(&tree,
	    "children:\n" TREE_TELLS("a") TREE_TELLS("b") TREE_TELLS("c"));
	tree_await_ready("c");
	tree_stop(&tree, 0);
	log = support_slurp(support_path("log"));
	ck_assert_str_eq(log,
	    "start a\nstart b\nstart c\nstop c\nstop b\nstop a\n");
	free(log);
}
END_TEST

START_TEST(a_dead_child_alone_is_restarted)
{
	struct tree tree;
	pid_t a, b;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("b");
	a = tree_pid("a");
	b = tree_pid("b");
	ck_assert_int_eq(kill(a, SIGKILL), 0);
	tree_await_event("a", "started", 2);
	ck_assert_int_ne(tree_pid("a"), a);
	ck_assert_int_eq(tree_pid("b"), b);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(one_for_all_restarts_all)
{
	struct tree tree;
	pid_t a, b;

	tree_start(&tree,
	    "strategy: one_for_all\nchildren:\n" TREE_LIVES("a")
		TREE_LIVES("b"));
	tree_await_ready("b");
	a = tree_pid("a");
	b = tree_pid("b");
	ck_assert_int_eq(kill(b, SIGKILL), 0);
	tree_await_event("b", "started", 2);
	ck_assert_int_ne(tree_pid("a"), a);
	ck_assert_int_ne(tree_pid("b"), b);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(rest_for_one_restarts_what_came_later)
{
	struct tree tree;
	pid_t a, b, c;

	tree_start(&tree,
	    "strategy: rest_for_one\nchildren:\n" TREE_LIVES("a")
		TREE_LIVES("b") TREE_LIVES("c"));
	tree_await_ready("c");
	a = tree_pid("a");
	b = tree_pid("b");
	c = tree_pid("c");
	ck_assert_int_eq(kill(b, SIGKILL), 0);
	tree_await_event("c", "started", 2);
	ck_assert_int_eq(tree_pid("a"), a);
	ck_assert_int_ne(tree_pid("b"), b);
	ck_assert_int_ne(tree_pid("c"), c);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_restart_waits_until_the_old_group_is_empty)
{
	struct tree tree;
	char *log;

	/* The daemon that it leaves ignores TERM: only KILL ends it. */
	tree_start(&tree,
	    "children:\n"
	    "  - id: a\n"
	    "    shutdown: [TERM 300ms, KILL]\n"
	    "    shell: |\n"
	    "      for p in $(cat @/pids 2>/dev/null); do\n"
	    "        kill -0 $p 2>/dev/null && echo alive >>@/log; done\n"
	    "      setsid sh -c \"trap '' TERM; echo \\$\\$ >>@/pids; "
	    "echo >>@/up; while :; do sleep 1000; done\" &\n"
	    "      while [ ! -s @/up ]; do sleep 0.01; done; rm @/up\n"
	    "      echo started >>@/log; [ -e @/again ] && exec sleep 1000\n"
	    "      touch @/again; exit 1\n");
	tree_await_event("a", "started", 2);
	support_await_file(support_path("log"), "started\nstarted\n");
	tree_stop(&tree, 0);
	log = support_slurp(support_path("log"));
	ck_assert_str_eq(log, "started\nstarted\n");
	free(log);
}
END_TEST

START_TEST(too_many_restarts_end_the_tree)
{
	struct tree tree;

	tree_start(&tree,
	    "intensity: 2\nchildren:\n" TREE_LIVES(
		"a") "  - {id: b, command: [sh, -c, 'exit 7']}\n");
	tree_end(&tree, 1);
}
END_TEST

START_TEST(an_inner_failure_restarts_the_inner_tree)
{
	struct tree tree;
	pid_t outer, inner;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"outer") "  - id: in\n"
			 "    supervisor:\n"
			 "      intensity: 0\n"
			 "      children:\n"
			 "        - {id: x, command: [sleep, '1000']}\n");
	tree_await_ready("in/x");
	outer = tree_pid("outer");
	inner = tree_pid("in/x");
	ck_assert_int_eq(kill(inner, SIGKILL), 0);
	tree_await_event("in/x", "started", 2);
	ck_assert_int_eq(tree_pid("outer"), outer);
	ck_assert_int_ne(tree_pid("in/x"), inner);
	tree_stop(&tree, 0);
}
END_TEST

static pid_t
leader_of(pid_t pid)
{
	struct support_process process;

	ck_assert(support_process(pid, &process));
	return process.ppid;
}

START_TEST(a_dead_leader_ends_the_tree_with_120)
{
	struct tree tree;

	tree_start(&tree,
	    "intensity: 9\nchildren:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("b");
	ck_assert_int_eq(kill(leader_of(tree_pid("a")), SIGKILL), 0);
	tree_end(&tree, 120);
}
END_TEST

START_TEST(a_killed_host_leaves_nothing)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_TELLS("b"));
	tree_await_ready("b");
	support_signal(&tree.host, SIGKILL);
	ck_assert_int_eq(support_wait(&tree.host), 128 + SIGKILL);
	support_await_no_survivors(10000);
	support_finish(&tree.host);
}
END_TEST

START_TEST(a_first_start_that_fails_ends_the_tree)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: b, command: [/nonexistent/program]}\n");
	support_await_stderr(&tree.host, "/nonexistent/program");
	tree_end(&tree, 1);
}
END_TEST

START_TEST(an_unknown_user_is_told)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, uid: no-such-user, command: [sleep, '1000']}\n");
	support_await_stderr(&tree.host,
	    "uid: expected the name or number of a user, got 'no-such-user'");
	tree_end(&tree, 1);
}
END_TEST

/* Of a user: by a getent(1) that is this script. */
static void
start_with_getent(struct tree *tree, const char *script)
{
	char path[4096];

	support_file("getent", 0755, script);
	snprintf(path, sizeof(path), "%s:%s", support_directory(),
	    getenv("PATH"));
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	tree_start(tree,
	    "children:\n"
	    "  - {id: a, uid: no-such-user, command: [sleep, '1000']}\n");
}

static const char *const hanging[] = {
	"#!/bin/sh\nexec sleep 1000\n",
	"#!/bin/sh\nexec sleep 1000 >&-\n",
};

START_TEST(a_user_database_that_hangs_is_given_up)
{
	struct tree tree;

	start_with_getent(&tree, hanging[_i]);
	support_await_stderr(&tree.host,
	    "uid: the user database does not answer");
	tree_end(&tree, 1);
}
END_TEST

START_TEST(a_user_database_may_answer_without_end)
{
	struct tree tree;

	start_with_getent(&tree, "#!/bin/sh\nexec yes\n");
	support_await_stderr(&tree.host,
	    "uid: expected the name or number of a user, got 'no-such-user'");
	tree_end(&tree, 1);
}
END_TEST

/* As with run: he may ask for what he is, though he may set nothing. */
START_TEST(an_ordinary_user_may_name_himself)
{
	struct support_command command = { .directory = support_directory() };
	struct support_run r;
	const char *why;
	char text[128];

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	ck_assert_int_eq(chmod(support_directory(), 0777), 0);
	unsetenv("GROUPER_RUNTIME_DIR");
	snprintf(text, sizeof(text),
	    "children:\n"
	    "  - {id: a, uid: %u, shell: 'echo I am $(id -u); "
	    "exec sleep 1000'}\n",
	    (unsigned int)support_user());
	command.argv = ARGV(support_grouper(), "supervise",
	    support_file("tree.yaml", 0644, text));
	command.uid = support_user();
	support_start(&r, &command);
	snprintf(text, sizeof(text), "I am %u", (unsigned int)support_user());
	support_await_stdout(&r, text);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(a_significant_child_ends_the_tree_with_its_status)
{
	struct tree tree;

	tree_start(&tree,
	    "auto_shutdown: any_significant\nchildren:\n" TREE_LIVES(
		"a") "  - {id: b, command: [sh, -c, 'exit 5'], restart: temporary, "
		     "significant: true}\n");
	tree_end(&tree, 5);
}
END_TEST

static bool
has_ended(void *arg)
{
	struct support_run *r = arg;
	struct pollfd pollfd = { r->pidfd, POLLIN, 0 };

	return poll(&pollfd, 1, 0) == 1;
}

/* One within a second may be the same wish: they come until one counts. */
START_TEST(a_second_signal_kills)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - id: a\n"
	    "    ready: fd:3\n"
	    "    shutdown: infinity\n"
	    "    shell: \"trap '' TERM; echo >&3; exec 3>&-; "
	    "while :; do sleep 1000; done\"\n");
	tree_await_ready("a");
	support_signal(&tree.host, SIGTERM);
	tree_await_event("a", "stopping", 1);
	do
		support_signal(&tree.host, SIGTERM);
	while (!support_until(has_ended, &tree.host, 200));
	tree_end(&tree, 0);
}
END_TEST

START_TEST(commands_run_before_the_start_and_before_the_stop)
{
	struct tree tree;
	char *log;

	tree_start(&tree,
	    "children:\n"
	    "  - id: a\n"
	    "    start_pre: [sh, -c, 'echo pre >>@/log']\n"
	    "    stop_pre: [sh, -c, 'echo post >>@/log']\n"
	    "    ready: fd:3\n"
	    "    shell: 'echo main >>@/log; echo >&3; exec sleep 1000'\n");
	tree_await_ready("a");
	tree_stop(&tree, 0);
	log = support_slurp(support_path("log"));
	ck_assert_str_eq(log, "pre\nmain\npost\n");
	free(log);
}
END_TEST

START_TEST(a_child_gets_its_settings)
{
	struct tree tree;
	char text[64];
	char *out;

	tree_start(&tree,
	    "children:\n"
	    "  - id: a\n"
	    "    cwd: /\n"
	    "    umask: '027'\n"
	    "    nice: 3\n"
	    "    env: {COLOUR: blue}\n"
	    "    limits: {nofile: 77}\n"
	    "    ready: fd:3\n"
	    "    shell: \"{ pwd; umask; nice; echo $COLOUR; ulimit -n; "
	    "echo $GROUPER_KEY; } >@/out; echo >&3; exec sleep 1000\"\n");
	tree_await_ready("a");
	out = support_slurp(support_path("out"));
	snprintf(text, sizeof(text), "/\n0027\n%d\nblue\n77\na\n",
	    getpriority(PRIO_PROCESS, 0) + 3);
	ck_assert_str_eq(out, text);
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_child_gets_files_for_its_environment_and_its_input)
{
	struct tree tree;

	support_file("one.env", 0644, "A=1\nB='of one'\n");
	support_file("two.env", 0644, "B=\"of two\"\nC=3\n");
	support_file("in", 0644, "typed\n");
	tree_start(&tree,
	    "children:\n"
	    "  - id: a\n"
	    "    env_file: [@/one.env, @/two.env]\n"
	    "    env: {C: own}\n"
	    "    stdin: '@/in'\n"
	    "    ready: fd:3\n"
	    "    shell: \"{ read line; echo $A $B $C $line; } >@/out; "
	    "echo >&3; exec sleep 1000\"\n");
	tree_await_ready("a");
	support_await_file(support_path("out"), "1 of two own typed\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_a_child_needs_and_is_not_there_is_told)
{
	static const struct {
		const char *keys;
		const char *why;
	} missing[] = {
		{ "env_file: @/none.env", "none.env: " },
		{ "env_file: @/bad.env", "bad.env:2:" },
		{ "env_file: @/fifo", "expected a file, got a FIFO" },
		{ "stdin: @/none", "standard input " },
	};
	struct tree tree;
	char text[256];
	size_t i;

	support_file("bad.env", 0644, "A=1\nB='2\n");
	ck_assert_int_eq(mkfifo(support_path("fifo"), 0600), 0);
	for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		snprintf(text, sizeof(text),
		    "children:\n"
		    "  - {id: a, %s, command: [sleep, '1000']}\n",
		    missing[i].keys);
		tree_start(&tree, text);
		support_await_stderr(&tree.host, missing[i].why);
		tree_end(&tree, 1);
	}
}
END_TEST

START_TEST(a_bad_file_is_refused_with_its_position)
{
	struct tree tree;

	tree_start(&tree, "children:\n  - {id: a, comand: [true]}\n");
	support_await_stderr(&tree.host, "tree.yaml:2:13: error: ");
	support_await_stderr(&tree.host, "'command'?");
	tree_end(&tree, 2);
}
END_TEST

START_TEST(a_procfile_runs)
{
	struct support_command command = { .directory = support_directory() };
	struct support_run r;

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	support_file("Procfile", 0644,
	    "web: echo port $PORT; exec sleep 1000\n"
	    "job: echo work; exec sleep 1000\n");
	command.argv = ARGV(support_grouper(), "up");
	support_start(&r, &command);
	support_await_stdout(&r, "port 5000");
	support_await_stdout(&r, "| work");
	support_signal(&r, SIGINT);
	ck_assert_int_eq(support_wait(&r), 0);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

/* Nothing of the host's own may land on them. */
START_TEST(a_tree_runs_without_standard_descriptors)
{
	struct support_command command = { .directory = support_directory() };
	struct support_run r;

	tree_write("children:\n  - id: a\n    log: prefix\n"
		   "    shell: 'echo out; echo start >>@/log; "
		   "mkdir @/made || exec sleep 1000'\n");
	command.argv = ARGV("sh", "-c",
	    "exec $0 supervise tree.yaml <&- >&- 2>&-", support_grouper());
	support_start(&r, &command);
	support_await_file(support_path("log"), "start\nstart\n");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	support_finish(&r);
	support_assert_no_survivors();
}
END_TEST

START_TEST(suspend_gives_the_shell_back)
{
	const char *file = support_file("tree.yaml", 0644,
	    "children:\n  - {id: a, shell: 'echo up; exec sleep 1000'}\n");
	struct support_pty pty;
	struct support_run shell;
	char line[1200];

	support_pty_open(&pty);
	support_pty_shell(&pty, &shell, "bash");
	snprintf(line, sizeof(line), "'%s' supervise '%s'\n", support_grouper(),
	    file);
	support_pty_send(&pty, line);
	support_pty_expect(&pty, "| up");
	support_pty_await_job(&pty, &shell);
	support_pty_send(&pty, "\032");
	support_pty_expect(&pty, "Stopped");
	support_pty_expect(&pty, "ready> ");
	support_pty_send(&pty, "fg\n");
	support_pty_await_job(&pty, &shell);
	support_pty_send(&pty, "\003");
	support_pty_expect(&pty, "ready> ");
	support_pty_send(&pty, "echo \"status=$?;\"\n");
	support_pty_expect(&pty, "status=0;");
	support_pty_send(&pty, "exit\n");
	support_wait(&shell);
	support_assert_no_survivors();
	support_finish(&shell);
	support_pty_close(&pty);
}
END_TEST

/* Has its terminal hang up. */
static void
hang_up(struct tree *tree, const char *starter)
{
	struct support_pty pty;
	struct support_command c = { .argv = ARGV(starter, support_grouper(),
					 "supervise", "tree.yaml"),
		.directory = support_directory(),
		.pty = &pty };

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	tree_write("children:\n" TREE_TELLS("a"));
	support_pty_open(&pty);
	support_start(&tree->host, &c);
	support_await_file(support_path("log"), "start a\n");
	tree_await_ready("a");
	support_pty_close(&pty);
}

START_TEST(a_hangup_stops_the_tree)
{
	struct tree tree;

	hang_up(&tree, "env");
	tree_end(&tree, 0);
	tree_expect_log("start a\nstop a\n");
}
END_TEST

START_TEST(a_hangup_that_was_ignored_means_nothing)
{
	struct tree tree;

	hang_up(&tree, "nohup");
	tree_expect(0, ARGV("status"));
	tree_expect(0, ARGV("restart", "a")); /* the hangup is read by now */
	tree_stop(&tree, 0);
	tree_expect_log("start a\nstop a\nstart a\nstop a\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("supervise");
	TCase *tc;

	tc = support_case(suite, "order");
	tcase_add_test(tc, children_start_in_order_and_stop_in_reverse);
	tcase_add_test(tc, a_restart_waits_until_the_old_group_is_empty);
	tcase_add_test(tc, commands_run_before_the_start_and_before_the_stop);
	tc = support_case(suite, "restart");
	tcase_add_test(tc, a_dead_child_alone_is_restarted);
	tcase_add_test(tc, one_for_all_restarts_all);
	tcase_add_test(tc, rest_for_one_restarts_what_came_later);
	tcase_add_test(tc, an_inner_failure_restarts_the_inner_tree);
	tc = support_case(suite, "end");
	tcase_add_test(tc, too_many_restarts_end_the_tree);
	tcase_add_test(tc, a_dead_leader_ends_the_tree_with_120);
	tcase_add_test(tc, a_killed_host_leaves_nothing);
	tcase_add_test(tc, a_first_start_that_fails_ends_the_tree);
	tcase_add_test(tc, an_unknown_user_is_told);
	tcase_add_loop_test(tc, a_user_database_that_hangs_is_given_up, 0, 2);
	tcase_add_test(tc, a_user_database_may_answer_without_end);
	tcase_add_test(tc, an_ordinary_user_may_name_himself);
	tcase_add_test(tc, a_significant_child_ends_the_tree_with_its_status);
	tcase_add_test(tc, a_second_signal_kills);
	tcase_add_test(tc, a_hangup_stops_the_tree);
	tcase_add_test(tc, a_hangup_that_was_ignored_means_nothing);
	tc = support_case(suite, "file");
	tcase_add_test(tc, a_child_gets_its_settings);
	tcase_add_test(tc,
	    a_child_gets_files_for_its_environment_and_its_input);
	tcase_add_test(tc, what_a_child_needs_and_is_not_there_is_told);
	tcase_add_test(tc, a_bad_file_is_refused_with_its_position);
	tcase_add_test(tc, suspend_gives_the_shell_back);
	tcase_add_test(tc, a_procfile_runs);
	tcase_add_test(tc, a_tree_runs_without_standard_descriptors);
	return support_main(suite, NULL);
}
