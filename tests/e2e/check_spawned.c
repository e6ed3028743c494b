/* SPDX-License-Identifier: ISC */
/*
 * What becomes of a spawned group: its descriptors, its status, and scripts
 * under `grouper run` that spawn.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define ONE "children:\n  - {id: a, command: [sleep, '1000']}\n"

static void
start_one(struct tree *tree)
{
	tree_start(tree, ONE);
	tree_await_ready("a");
}

/* Descriptors */

START_TEST(output_and_error_are_the_caller_s)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "out\nerr\n",
	    "$G spawn -q --key x -- sh -c 'echo out; echo err >&2' >o 2>e && "
	    "$G wait x && cat o e");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(input_is_the_caller_s)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "of the caller\n",
	    "echo of the caller | $G spawn -q --key x cat && $G wait x");
	tree_script_prints(0, "",
	    "echo none | $G spawn -q --key x --stdin null cat && $G wait x");
	tree_script_prints(0, "file\n",
	    "echo file >f; $G spawn -q --key x --stdin f cat && $G wait x");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_reader_sees_the_end_as_soon_as_the_command_does)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "x\nout\n",
	    "$G spawn --key x -- sh -c 'echo out >p; exec sleep 1000 >&- 2>&-' "
	    "| cat && until [ -s p ]; do sleep 0.01; done && cat p");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(closed_ones_can_still_be_written_to)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "",
	    "$G spawn -q --key x -- sh -c 'echo out && echo err >&2' "
	    "<&- >&- 2>&-; $G wait x");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(closed_ones_are_null_for_the_command)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "/dev/null\n/dev/null\n/dev/null\n",
	    "$G spawn -q --key x -- sh -c "
	    "'fds=$(readlink /proc/$$/fd/[012]); echo \"$fds\" >f' "
	    "<&- >&- 2>&-; $G wait x; cat f");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_log_takes_the_output)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "",
	    "$G spawn -q --key x --log prefix -- sh -c 'echo to the host'");
	support_await_stdout(&tree.host, "x | to the host\n");
	tree_script_prints(0, "z\ny | line\n",
	    "$G spawn --key z --log file:f -- sh -c 'echo of a file' && "
	    "$G wait z && until [ -s f ]; do sleep 0.01; done && "
	    "$G spawn -q --key y --log discard -- "
	    "sh -c 'echo line; exec sleep 1000' && "
	    "until $G logs y | grep -q line; do sleep 0.01; done && $G logs y");
	support_await_file(support_path("f"), "of a file\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_is_told_to_the_caller)
{
	struct tree tree;

	start_one(&tree);
	tree_refuses(1,
	    "spawn: x: log /no/such/file: No such file or directory",
	    ARGV("spawn", "--key", "x", "--log", "file:/no/such/file", "true"));
	tree_refuses(1, "x: not found", ARGV("wait", "x"));
	/* Once: not by the host as well. */
	tree_script_prints(0, "x\n", "$G spawn --key x --log file:f true");
	support_signal(&tree.host, SIGTERM);
	ck_assert_int_eq(support_wait(&tree.host), 0);
	ck_assert_ptr_null(strstr(tree.host.stderr_text.data, "/no/such"));
	support_finish(&tree.host);
}
END_TEST

START_TEST(one_that_is_restarted_keeps_them)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "",
	    "$G spawn -q --key x --restart permanent -- "
	    "sh -c 'echo run; exec sleep 1000' >>f");
	support_await_file(support_path("f"), "run\n");
	ck_assert_int_eq(kill(tree_pid("x"), SIGKILL), 0);
	support_await_file(support_path("f"), "run\nrun\n");
	tree_stop(&tree, 0);
}
END_TEST

static size_t
count_fds(pid_t pid)
{
	char path[32];
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

struct counted {
	pid_t pid;
	size_t fds;
};

static bool
is_as_before(void *arg)
{
	const struct counted *counted = arg;

	return count_fds(counted->pid) <= counted->fds;
}

START_TEST(the_host_keeps_none_of_them)
{
	struct counted counted;
	struct tree tree;

	start_one(&tree);
	/* The first makes what stays. */
	tree_script_prints(0, "",
	    "$G spawn -q --key x true; $G wait --empty x; $G wait x");
	counted = (struct counted) { tree.host.pid, count_fds(tree.host.pid) };
	tree_script_prints(0, "",
	    "for i in 1 2 3; do $G spawn -q --key x true; $G wait --empty x; "
	    "done; $G spawn -q --key x --log prefix true; $G wait --empty x; "
	    "$G spawn -q --key x /nonexistent 2>/dev/null; "
	    "$G spawn -q --key a true 2>/dev/null; true");
	/* The last client's connection may just be about to be closed. */
	ck_assert(support_until(is_as_before, &counted, 5000));
	tree_stop(&tree, 0);
}
END_TEST

/* Those of children that wait for their turn, behind one that hangs. */
START_TEST(a_host_holds_no_more_than_a_part_of_what_it_may_open)
{
	tree_write("children:\n"
		   "  - {id: a, ready: 'fd:3', command: [sleep, '1000']}\n");
	tree_script_prints(0, "refused\n",
	    "(ulimit -n 100; exec $G supervise -q tree.yaml) & host=$!; "
	    "until $G status --keys 2>/dev/null | grep -q a; do "
	    "sleep 0.01; done; "
	    "for n in 2 3 4 5 6 7 8 9; do $G spawn -q true 2>/dev/null & "
	    "until [ $($G status --keys | wc -l) -eq $n ]; do "
	    "sleep 0.01; done; done; "
	    "$G spawn true 2>&1 | grep -q 'too many descriptors' && "
	    "echo refused; kill $host; wait");
	support_assert_no_survivors();
}
END_TEST

/* Statuses */

START_TEST(a_status_is_told_once)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(3, "",
	    "$G spawn -q --key x -- sh -c 'exit 3'; $G wait x");
	tree_expect(1, ARGV("wait", "x"));
	tree_script_prints(3, "",
	    "$G spawn -q --key x -- sh -c 'exit 3'; $G wait --empty x; "
	    "$G wait x");
	tree_expect(1, ARGV("wait", "x"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_first_that_is_not_0_is_told_and_later_ones_stay)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "",
	    "for s in 0 7 5; do $G spawn -q --key x$s -- sh -c \"exit $s\"; "
	    "$G wait --empty x$s; done");
	tree_expect(7, ARGV("wait", "x5", "x7", "x0"));
	tree_expect(1, ARGV("wait", "x0"));
	tree_expect(1, ARGV("wait", "x7"));
	tree_expect(1, ARGV("wait", "x5", "none"));
	tree_expect(5, ARGV("wait", "x5"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_status_is_known_before_the_group_is_empty)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(4, "",
	    "$G spawn -q --key x --shutdown 'TERM 1d' -- sh -c "
	    "'(trap \"\" TERM; : >f; while :; do sleep 1000; done) & "
	    "until [ -e f ]; do sleep 0.01; done; exit 4'; "
	    "until $G status x | grep -q stopping; do sleep 0.01; done; "
	    "$G wait x");
	tree_expect(124, ARGV("wait", "--timeout", "10ms", "--empty", "x"));
	tree_expect(1, ARGV("wait", "--timeout", "10s", "x"));
	support_signal(&tree.host, SIGKILL);
	support_wait(&tree.host);
	support_finish(&tree.host);
	support_sweep(NULL);
}
END_TEST

START_TEST(one_that_was_stopped_has_a_status_as_well)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(143, "",
	    "$G spawn -q --key x sleep 1000; $G stop x; $G stop x; $G wait x");
	tree_script_prints(1, "",
	    "$G spawn -q --key x sleep 1000; $G stop x; $G delete x && "
	    "$G wait x 2>/dev/null");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_key_is_taken_as_long_as_its_status_is_kept)
{
	struct tree tree;

	start_one(&tree);
	tree_expect(0, ARGV("spawn", "-q", "--key", "x", "false"));
	tree_expect(0, ARGV("wait", "--empty", "x"));
	tree_refuses(1, "x: already present",
	    ARGV("spawn", "-q", "--key", "x", "sleep", "1000"));
	tree_expect(1, ARGV("wait", "x"));
	tree_expect(0, ARGV("spawn", "-q", "--key", "x", "true"));
	tree_expect(0, ARGV("wait", "--empty", "x"));
	tree_expect(0, ARGV("delete", "x"));
	tree_expect(0, ARGV("spawn", "-q", "--key", "x", "sleep", "1000"));
	tree_expect(124, ARGV("wait", "--timeout", "10ms", "x"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_has_ended_does_not_get_ready)
{
	struct support_run r;
	struct tree tree;

	start_one(&tree);
	ck_assert_int_eq(tree_script(&r,
			     "$G spawn -q --key x true; $G wait --empty x; "
			     "$G wait --ready x"),
	    1);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "it has ended"));
	support_finish(&r);
	tree_expect(0, ARGV("wait", "x"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(readiness_can_be_said)
{
	struct tree tree;

	start_one(&tree);
	tree_script_prints(0, "",
	    "$G spawn -q --key x --ready fd:3 -- sh -c "
	    "'until [ -e go ]; do sleep 0.01; done; echo >&3; exec 3>&-; "
	    "exec sleep 1000'; "
	    "$G wait --ready --timeout 10ms x; [ $? = 124 ] && : >go && "
	    "$G wait --ready x && "
	    "$G spawn -q --key y --ready notify --ready-timeout 10ms "
	    "sleep 1000 && $G wait --empty y");
	tree_expect(2, ARGV("spawn", "--ready-timeout", "x", "true"));
	tree_expect(2, ARGV("spawn", "--ready", "fd:8", "true"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(instances_do_not_take_the_keys_of_what_was_spawned)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n  - {id: sleep, command: [sleep, '1000']}\n");
	tree_await_ready("sleep");
	tree_script_prints(0, "sleep:1\nsleep:2\n",
	    "$G spawn sleep 1000; $G spawn sleep 1000");
	tree_expect(0, ARGV("scale", "2", "sleep"));
	free(tree_state("sleep:3"));
	tree_expect(1, ARGV("scale", "2", "sleep:1"));
	tree_write("children:\n"
		   "  - {id: sleep, instances: 3, command: [sleep, '999']}\n");
	tree_expect(0, ARGV("reload"));
	tree_await_ready("sleep");
	free(tree_state("sleep:4"));
	tree_script_prints(0, "a\nsleep\nsleep:1\nsleep:2\n",
	    "$G spawn --key a true; $G wait --empty a; $G wait a; "
	    "$G status --keys | sort | sed 3q");
	tree_stop(&tree, 0);
}
END_TEST

/* A tree of one child, a shell that has $G; settings are lines of its own. */
static void
start_worker(struct tree *tree, const char *settings, const char *script)
{
	char text[2048];

	snprintf(text, sizeof(text),
	    "children:\n  - id: a\n%s    env: {G: '%s'}\n"
	    "    shell: \"%s; exec sleep 1000\"\n",
	    settings, support_grouper(), script);
	tree_start(tree, text);
}

START_TEST(a_worker_has_to_insist)
{
	struct tree tree;

	start_worker(&tree, "",
	    "$G spawn sleep 1000; echo status $?; "
	    "$G spawn --force --key forced sleep 1000; echo status $?");
	support_await_stdout(&tree.host, "status 121\n");
	support_await_stdout(&tree.host, "status 0\n");
	free(tree_state("forced"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_forced_worker_may_found_groups)
{
	struct tree tree;

	start_worker(&tree, "    force: true\n",
	    "$G run true; echo run $?; "
	    "$G spawn --key b sleep 1000; echo spawn $?; $G ident");
	support_await_stdout(&tree.host, "run 0\n");
	support_await_stdout(&tree.host, "spawn 0\n");
	support_await_stdout(&tree.host, "group tree a\n");
	free(tree_state("b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_worker_that_runs_a_group_has_to_insist)
{
	struct tree tree;

	start_worker(&tree, "",
	    "$G run -- touch @/refused; echo status $?; "
	    "$G run --force -- sh -c 'exit 3'; echo status $?");
	support_await_stdout(&tree.host, "status 121\n");
	support_await_stdout(&tree.host, "status 3\n");
	ck_assert_int_eq(access(support_path("refused"), F_OK), -1);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_run_that_refuses_a_group_still_answers)
{
	struct tree tree;

	start_worker(&tree, "",
	    "$G run --force -- sh -c '$G spawn true; echo refused $?; "
	    "$G status --keys; echo answered $?'");
	support_await_stdout(&tree.host, "refused 1\n");
	support_await_stdout(&tree.host, "answered 0\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Under run */

START_TEST(a_script_under_run_spawns_and_waits)
{
	tree_script_prints(7, "one\ntwo\n0 4\nrun\n",
	    "cat >s <<'E'\n"
	    "$G spawn -q --key one -- sh -c 'echo one; exit 4'\n"
	    "$G wait --empty one\n"
	    "$G spawn -q --key two -- echo two\n"
	    "$G wait two; two=$?; $G wait one; echo $two $?\n"
	    "$G status --json | sed 's/.*\"id\":\"\\([a-z]*\\)-.*/\\1/'\n"
	    "$G spawn -q sleep 1000; $G spawn -q sleep 1000\n"
	    "exit 7\n"
	    "E\n"
	    "$G run -- sh s");
	support_assert_no_survivors();
}
END_TEST

START_TEST(a_run_shows_its_own_command_too)
{
	tree_script_prints(0, "default\nsleep:1\n",
	    "$G run -- sh -c '$G spawn -q --log discard sleep 1000; "
	    "$G status --keys'");
	tree_script_prints(0, "default\n",
	    "$G run -- sh -c '$G status --keys default'");
	tree_script_prints(1, "", "$G run -- sh -c '$G ps nobody 2>/dev/null'");
}
END_TEST

START_TEST(verbs_that_act_tell_that_a_key_is_of_the_run_s_own_command)
{
	static const char why[] =
	    ": own: the host's own group, which status and ps alone take\n";
	static const char *const verbs[] = { "wait", "wait --empty", "logs",
		"stop", "restart", "signal TERM", "delete", "reset" };
	struct support_run r;
	char script[128];
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		snprintf(script, sizeof(script),
		    "$G run --key own -- sh -c '$G %s own'", verbs[i]);
		ck_assert_int_eq(tree_script(&r, script), 1);
		ck_assert_msg(strstr(r.stderr_text.data, why) != NULL, "%s",
		    r.stderr_text.data);
		support_finish(&r);
	}
}
END_TEST

START_TEST(what_was_spawned_ends_with_the_command)
{
	tree_script_prints(0, "stopped\n",
	    "$G run -- sh -c '$G spawn -q -- sh -c \"trap \\\"echo stopped; "
	    "exit\\\" TERM; : >up; while :; do sleep 1000 & wait; done\"; "
	    "until [ -e up ]; do sleep 0.01; done'");
	support_assert_no_survivors();
}
END_TEST

START_TEST(a_log_goes_to_the_error_of_run)
{
	struct support_run r;

	ck_assert_int_eq(tree_script(&r,
			     "$G run -- sh -c '$G spawn -q --key x "
			     "--log prefix echo line; $G wait --empty x'"),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "");
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "x | line\n"));
	support_finish(&r);
}
END_TEST

START_TEST(a_dead_leader_ends_the_run)
{
	struct support_run r;

	ck_assert_int_eq(tree_script(&r,
			     "$G run -- sh -c '$G spawn -q sh -c "
			     "\"kill -9 \\$PPID\"; exec sleep 1000'"),
	    120);
	support_finish(&r);
	support_assert_no_survivors();
}
END_TEST

START_TEST(one_that_is_restarted_too_often_ends_the_run)
{
	struct support_run r;

	ck_assert_int_eq(tree_script(&r,
			     "$G run -- sh -c '$G spawn -q --restart permanent "
			     "-- sleep 0.1; exec sleep 1000'"),
	    125);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "intensity"));
	support_finish(&r);
	support_assert_no_survivors();
}
END_TEST

START_TEST(anybody_of_the_user_s_may_spawn_under_a_run)
{
	struct support_command command = { .directory = support_directory() };
	struct support_run r;

	command.argv = ARGV(support_grouper(), "run", "--name", "r", "--", "sh",
	    "-c", ": >up; until [ -e go ]; do sleep 0.01; done");
	support_start(&r, &command);
	support_await_file(support_path("up"), NULL);
	tree_script_prints(0, "sleep:1\n",
	    "$G spawn --host r -- sleep 1000; : >go");
	ck_assert_int_eq(support_wait(&r), 0);
	support_finish(&r);
	support_assert_no_survivors();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spawned");
	TCase *tc;

	tc = support_case(suite, "descriptors");
	tcase_add_test(tc, output_and_error_are_the_caller_s);
	tcase_add_test(tc, input_is_the_caller_s);
	tcase_add_test(tc, a_reader_sees_the_end_as_soon_as_the_command_does);
	tcase_add_test(tc, closed_ones_can_still_be_written_to);
	tcase_add_test(tc, closed_ones_are_null_for_the_command);
	tcase_add_test(tc, a_log_takes_the_output);
	tcase_add_test(tc, a_log_that_cannot_be_opened_is_told_to_the_caller);
	tcase_add_test(tc, one_that_is_restarted_keeps_them);
	tcase_add_test(tc, the_host_keeps_none_of_them);
	tcase_add_test(tc,
	    a_host_holds_no_more_than_a_part_of_what_it_may_open);
	tc = support_case(suite, "statuses");
	tcase_add_test(tc, a_status_is_told_once);
	tcase_add_test(tc, the_first_that_is_not_0_is_told_and_later_ones_stay);
	tcase_add_test(tc, a_status_is_known_before_the_group_is_empty);
	tcase_add_test(tc, one_that_was_stopped_has_a_status_as_well);
	tcase_add_test(tc, a_key_is_taken_as_long_as_its_status_is_kept);
	tcase_add_test(tc, what_has_ended_does_not_get_ready);
	tcase_add_test(tc, readiness_can_be_said);
	tcase_add_test(tc, instances_do_not_take_the_keys_of_what_was_spawned);
	tcase_add_test(tc, a_worker_has_to_insist);
	tcase_add_test(tc, a_forced_worker_may_found_groups);
	tcase_add_test(tc, a_worker_that_runs_a_group_has_to_insist);
	tcase_add_test(tc, a_run_that_refuses_a_group_still_answers);
	tc = support_case(suite, "run");
	tcase_add_test(tc, a_script_under_run_spawns_and_waits);
	tcase_add_test(tc, a_run_shows_its_own_command_too);
	tcase_add_test(tc,
	    verbs_that_act_tell_that_a_key_is_of_the_run_s_own_command);
	tcase_add_test(tc, what_was_spawned_ends_with_the_command);
	tcase_add_test(tc, a_log_goes_to_the_error_of_run);
	tcase_add_test(tc, a_dead_leader_ends_the_run);
	tcase_add_test(tc, one_that_is_restarted_too_often_ends_the_run);
	tcase_add_test(tc, anybody_of_the_user_s_may_spawn_under_a_run);
	return support_main(suite, NULL);
}
