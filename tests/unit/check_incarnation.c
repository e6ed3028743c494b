/* SPDX-License-Identifier: ISC */
/*
 * One incarnation of a child on real groups: what it tells, in which order,
 * and that it is over only when all its groups are empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/logs/logs.h"
#include "runtime/logs/member_log.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/incarnation_private.h"
#include "runtime/tree/tree.h"
#include "record.h"

/* In a list, where a dollar stands for one if it is doubled, and in a shell. */
#define LIST_SAYS_PID(name) "echo $$$$ >@/" name "; "
#define SAYS_PID(name) "echo $$ >@/" name "; "

START_TEST(a_run_tells_its_start_its_end_and_that_it_is_empty)
{
	struct record record;

	record_open(&record);
	record_start(&record, "    shell: 'exit 3'\n");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	ck_assert_int_eq(WEXITSTATUS(record.status), 3);
	record_close(&record);
}
END_TEST

START_TEST(what_cannot_be_executed_is_told_by_its_name)
{
	struct record record;

	record_open(&record);
	record_start(&record, "    command: [/nonexistent/program]\n");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	ck_assert_ptr_nonnull(strstr(record.reason, "/nonexistent/program"));
	record_close(&record);
}
END_TEST

START_TEST(a_start_pre_that_fails_is_a_start_that_failed)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    start_pre: ['false']\n    shell: 'echo x >@/ran'\n");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	ck_assert_int_eq(access(support_path("ran"), F_OK), -1);
	record_close(&record);
}
END_TEST

START_TEST(a_stop_lets_start_pre_end_by_its_steps)
{
	struct record record;
	char *text;

	record_open(&record);
	record_start(&record,
	    "    start_pre: [sh, -c, \"trap 'echo term >@/term; exit' TERM; "
	    "echo 1 >@/up; while :; do sleep 1000 & wait; done\"]\n"
	    "    command: [sleep, '1000']\n");
	record_await_number(&record, "up");
	incarnation_stop(record.run, false);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	text = support_slurp(support_path("term"));
	ck_assert_str_eq(text, "term\n");
	free(text);
	record_close(&record);
}
END_TEST

START_TEST(a_kill_does_not_wait_for_start_pre)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    shutdown: infinity\n"
	    "    start_pre: [sh, -c, \"trap '' TERM; echo 1 >@/up; "
	    "while :; do sleep 1000; done\"]\n"
	    "    command: [sleep, '1000']\n");
	record_await_number(&record, "up");
	if (_i == 1)
		incarnation_stop(record.run, false);
	incarnation_stop(record.run, true);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	record_close(&record);
}
END_TEST

START_TEST(the_death_of_start_pre_s_leader_is_a_leader_s_death)
{
	struct record record;
	static const char child[] =
	    "    start_pre: [sh, -c, '[ -e @/up ] && exit; echo 1 >@/up; "
	    "exec sleep 1000']\n"
	    "    command: [sleep, '1000']\n";

	record_open(&record);
	record_start(&record, child);
	record_await_number(&record, "up");
	trial_kill_leader();
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "leader_died,empty,");
	/* No latch of its own is left. */
	record_start(&record, child);
	record_await(&record, "started");
	incarnation_stop(record.run, false);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_leader_s_death_is_told_before_the_orphans_are_gone)
{
	struct record record;

	record_open(&record);
	record_start(&record, "    command: [sleep, '1000']\n");
	record_await(&record, "started");
	trial_kill_leader();
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,leader_died,empty,");
	record_close(&record);
}
END_TEST

static bool
one_leader_is_left(void *arg)
{
	pid_t leaders[4];

	(void)arg;
	return support_children(getpid(), leaders, 4) == 1;
}

START_TEST(a_stop_pre_that_outlives_the_command_comes_to_its_end)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    stop_pre: [sh, -c, 'echo x >@/stop; while [ ! -e @/go ]; do "
	    "sleep 0.01; done; echo x >@/done']\n"
	    "    shell: 'while [ ! -e @/stop ]; do sleep 0.01; done'\n");
	record_await(&record, "started");
	incarnation_stop(record.run, false);
	record_await(&record, "ended");
	trial_until(&record.trial, one_leader_is_left, NULL);
	support_file("go", 0644, "");
	record_await(&record, "empty");
	ck_assert_int_eq(access(support_path("done"), F_OK), 0);
	record_close(&record);
}
END_TEST

START_TEST(the_command_stops_though_stop_pre_s_leader_died)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    stop_pre: [sh, -c, '" LIST_SAYS_PID(
		"pid") "exec sleep 1000']\n"
		       "    command: [sleep, '1000']\n");
	record_await(&record, "started");
	incarnation_stop(record.run, false);
	ck_assert_int_eq(kill(record_leader_of(record_await_number(&record,
				  "pid")),
			     SIGKILL),
	    0);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_stop_pre_that_hangs_is_killed_and_the_stop_goes_on)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    shutdown: 100ms\n"
	    "    stop_pre: [sh, -c, \"trap '' TERM; echo 1 >@/up; "
	    "while :; do sleep 1000; done\"]\n"
	    "    command: [sleep, '1000']\n");
	record_await(&record, "started");
	incarnation_stop(record.run, false);
	record_await_number(&record, "up");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_kill_does_not_wait_for_stop_pre)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    stop_pre: [sh, -c, '" LIST_SAYS_PID(
		"pid") "exec sleep 1000']\n"
		       "    command: [sleep, '1000']\n");
	record_await(&record, "started");
	incarnation_stop(record.run, false);
	record_await_number(&record, "pid");
	incarnation_stop(record.run, true);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	ck_assert_int_eq(WTERMSIG(record.status), SIGKILL);
	record_close(&record);
}
END_TEST

/*
 * What cannot be killed: another user's, for whom lacks the right to.
 */

/* Starts a child of that user, which says its pid; false without the right. */
static bool
start_unkillable(struct record *record, const char *keys)
{
	if (geteuid() != 0 || !trial_may_kill(false)) {
		support_skip("this process may not give up its right to kill");
		return false;
	}
	record_open(record);
	ck_assert_int_eq(chmod(support_directory(), 0777), 0);
	record_start(record, keys);
	return true;
}

static void
kill_after_all(pid_t pid)
{
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}

/* What the record tells of it before, and after. */
static void
end_unkillable(struct record *record, pid_t pid, const char *before,
    const char *after)
{
	record_await(record, "unkillable");
	ck_assert_str_eq(record->told, before);
	kill_after_all(pid);
	record_await(record, "empty");
	ck_assert_str_eq(record->told, after);
	record_close(record);
}

START_TEST(what_withstood_sigkill_is_empty_when_it_has_ended)
{
	struct record record;
	pid_t pid;

	if (!start_unkillable(&record,
		"    uid: 1\n    shell: '" SAYS_PID(
		    "pid") "exec sleep 1000'\n"))
		return;
	record_await(&record, "started");
	pid = record_await_number(&record, "pid");
	incarnation_stop(record.run, true);
	end_unkillable(&record, pid, "started,unkillable,",
	    "started,unkillable,ended,empty,");
}
END_TEST

START_TEST(a_start_pre_that_withstood_sigkill_is_not_empty)
{
	struct record record;
	pid_t pid;

	if (!start_unkillable(&record,
		"    uid: 1\n    command: ['true']\n"
		"    start_pre: [sh, -c, '" LIST_SAYS_PID(
		    "pid") "exec sleep 1000']\n"))
		return;
	pid = record_await_number(&record, "pid");
	incarnation_stop(record.run, true);
	end_unkillable(&record, pid, "start_failed,unkillable,",
	    "start_failed,unkillable,empty,");
}
END_TEST

START_TEST(what_a_command_beside_left_is_told_when_it_stands_in_the_way)
{
	struct record record;
	pid_t pid;

	if (!start_unkillable(&record,
		"    uid: 1\n    shutdown: KILL\n"
		"    command: [sleep, '1000']\n"
		"    reload_command: [sh, -c, '" LIST_SAYS_PID(
		    "pid") "exec sleep 1000']\n"))
		return;
	record_await(&record, "started");
	incarnation_reload(record.run);
	pid = record_await_number(&record, "pid");
	/* The command ends by itself. */
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(incarnation_pid(record.run), SIGKILL), 0);
	ck_assert(trial_may_kill(false));
	end_unkillable(&record, pid, "started,ended,unkillable,",
	    "started,ended,unkillable,empty,");
}
END_TEST

START_TEST(it_may_be_freed_with_its_host_while_something_lives)
{
	struct record record;
	pid_t pid, leader;

	if (!start_unkillable(&record,
		"    uid: 1\n    shell: '" SAYS_PID(
		    "pid") "exec sleep 1000'\n"))
		return;
	record_await(&record, "started");
	pid = record_await_number(&record, "pid");
	leader = record_leader_of(pid);
	incarnation_stop(record.run, true);
	record_await(&record, "unkillable");
	record_close(&record);
	kill_after_all(pid);
	support_await_gone(pid);
	support_await_gone(leader);
}
END_TEST

/*
 * What it is given and what it gives
 */

START_TEST(readiness_is_told_once_and_after_the_start)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    ready: fd:7\n"
	    "    shell: 'echo >&7; echo >&7; exec sleep 1000'\n");
	record_await(&record, "ready");
	incarnation_stop(record.run, false);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ready,ended,empty,");
	record_close(&record);
}
END_TEST

/* Whichever of the two is seen first. */
START_TEST(readiness_counts_though_the_end_follows_at_once)
{
	struct record record;
	int i;

	record_open(&record);
	for (i = 0; i < 20; i++) {
		record.told[0] = '\0';
		record_start(&record,
		    "    ready: fd:7\n"
		    "    shell: 'echo >&7; kill -9 $$'\n");
		record_await(&record, "empty");
		ck_assert_str_eq(record.told, "started,ready,ended,empty,");
	}
	record_close(&record);
}
END_TEST

/*
 * As a member would, into its pipe, while the loop does not run: more lines
 * than a turn reads, then this.
 */
static void
write_behind_a_flood(const struct record *record, const char *text)
{
	static char flood[4 * MEMBER_LOG_TURN];
	int fd = record->run->output;

	memset(flood, '\n', sizeof(flood));
	ck_assert_int_ge(fcntl(fd, F_SETPIPE_SZ, (int)(2 * sizeof(flood))), 0);
	ck_assert_int_eq(write(fd, flood, sizeof(flood)), sizeof(flood));
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

START_TEST(a_line_that_says_ready_counts_though_the_end_is_known)
{
	struct record record;
	pid_t leader;

	record_open(&record);
	record_start(&record,
	    "    ready: {log: ready}\n    command: [sleep, '1000']\n");
	record_await(&record, "started");
	leader = record_leader_of(incarnation_pid(record.run));
	write_behind_a_flood(&record, "ready\n");
	ck_assert_int_eq(kill(incarnation_pid(record.run), SIGKILL), 0);
	support_await_state(leader, "Z");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ready,ended,empty,");
	record_close(&record);
}
END_TEST

static bool
no_leader_lives(void *arg)
{
	pid_t leader;

	(void)arg;
	return support_children(getpid(), &leader, 1) == 0;
}

START_TEST(what_start_pre_said_is_not_the_main_command_s)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    ready: {log: ready}\n"
	    "    start_pre: ['true']\n"
	    "    command: [echo, main]\n");
	write_behind_a_flood(&record, "ready\nand");
	ck_assert(support_until(no_leader_lives, NULL, SUPPORT_PATIENCE));
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	ck_assert_str_eq(record.last, "main");
	record_close(&record);
}
END_TEST

START_TEST(a_member_has_its_own_descriptors_and_no_others)
{
	struct record record;
	int open_here;

	record_open(&record);
	open_here = dup(STDERR_FILENO); /* not close-on-exec */
	ck_assert_int_ne(open_here, -1);
	/* 3 is the directory that ls reads. */
	record_start(&record,
	    "    ready: fd:7\n"
	    "    start_pre: [ls, /proc/self/fd]\n"
	    "    command: [ls, /proc/self/fd]\n");
	record_await(&record, "empty");
	ck_assert_str_eq(record.lines, "0,1,2,3,0,1,2,3,7,");
	close(open_here);
	record_close(&record);
}
END_TEST

START_TEST(the_last_words_come_before_the_end)
{
	struct record record;

	record_open(&record);
	record_start(&record, "    shell: 'seq 1 20000; printf last'\n");
	record_await(&record, "empty");
	ck_assert_uint_eq(record.nlines, 20001);
	ck_assert_str_eq(record.last, "last");
	record_close(&record);
}
END_TEST

START_TEST(its_notify_socket_goes_with_it)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    ready: notify\n    command: [sleep, '1000']\n");
	record_await(&record, "started");
	ck_assert_int_eq(access(support_path("runtime/srv.1.notify"), F_OK), 0);
	incarnation_stop(record.run, false);
	record_await(&record, "empty");
	ck_assert_int_eq(access(support_path("runtime/srv.1.notify"), F_OK),
	    -1);
	record_close(&record);
}
END_TEST

/* Everything that an incarnation can have, stopped after so many turns. */
START_TEST(it_ends_whenever_it_is_stopped)
{
	struct record record;
	int i;

	record_open(&record);
	record_start(&record,
	    "    start_pre: ['true']\n"
	    "    stop_pre: ['true']\n"
	    "    watchdog: 10s\n"
	    "    ready: {exec: ['true'], interval: 1ms}\n"
	    "    command: [sleep, '1000']\n");
	for (i = 0; i < _i && record.run != NULL; i++) {
		poll(NULL, 0, 1);
		event_base_loop(record.trial.base, EVLOOP_NONBLOCK);
	}
	if (record.run != NULL)
		incarnation_stop(record.run, _i % 3 == 0);
	if (record.run != NULL && _i % 2 == 0)
		incarnation_stop(record.run, true);
	record_await(&record, "empty");
	record_close(&record);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("incarnation");
	TCase *tc;

	tc = support_case(suite, "life");
	tcase_add_test(tc, a_run_tells_its_start_its_end_and_that_it_is_empty);
	tcase_add_test(tc, what_cannot_be_executed_is_told_by_its_name);
	tcase_add_test(tc,
	    a_leader_s_death_is_told_before_the_orphans_are_gone);
	tcase_add_loop_test(tc, it_ends_whenever_it_is_stopped, 0, 24);
	tc = support_case(suite, "beside");
	tcase_add_test(tc, a_start_pre_that_fails_is_a_start_that_failed);
	tcase_add_test(tc, a_stop_lets_start_pre_end_by_its_steps);
	tcase_add_loop_test(tc, a_kill_does_not_wait_for_start_pre, 0, 2);
	tcase_add_test(tc, the_death_of_start_pre_s_leader_is_a_leader_s_death);
	tcase_add_test(tc,
	    a_stop_pre_that_outlives_the_command_comes_to_its_end);
	tcase_add_test(tc, the_command_stops_though_stop_pre_s_leader_died);
	tcase_add_test(tc,
	    a_stop_pre_that_hangs_is_killed_and_the_stop_goes_on);
	tcase_add_test(tc, a_kill_does_not_wait_for_stop_pre);
	tc = support_case(suite, "unkillable");
	tcase_add_test(tc, what_withstood_sigkill_is_empty_when_it_has_ended);
	tcase_add_test(tc, a_start_pre_that_withstood_sigkill_is_not_empty);
	tcase_add_test(tc,
	    what_a_command_beside_left_is_told_when_it_stands_in_the_way);
	tcase_add_test(tc, it_may_be_freed_with_its_host_while_something_lives);
	tc = support_case(suite, "given");
	tcase_add_test(tc, readiness_is_told_once_and_after_the_start);
	tcase_add_test(tc, readiness_counts_though_the_end_follows_at_once);
	tcase_add_test(tc,
	    a_line_that_says_ready_counts_though_the_end_is_known);
	tcase_add_test(tc, what_start_pre_said_is_not_the_main_command_s);
	tcase_add_test(tc, a_member_has_its_own_descriptors_and_no_others);
	tcase_add_test(tc, the_last_words_come_before_the_end);
	tcase_add_test(tc, its_notify_socket_goes_with_it);
	return support_main(suite, NULL);
}
