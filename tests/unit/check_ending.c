/* SPDX-License-Identifier: ISC */
/*
 * How groups end: waiting for it, what their commands leave, and the events
 * that tell.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

START_TEST(wait_is_over_at_its_timeout)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 10), GROUPER_TIMED_OUT);
	ck_assert_int_eq(grouper_wait(trial.host, "other", 10),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	trial_close(&trial);
}
END_TEST

START_TEST(usage_counts_what_the_leader_reaped)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	/* Two of the three fall to the leader, one is the main process. */
	options = trial_shell(&trial,
	    "(sleep 1000 & sleep 1000 &); i=0; "
	    "while [ $i -lt 20000 ]; do i=$((i + 1)); done; exit 0");
	event = trial_run(&trial, &options);
	ck_assert_uint_eq(event->usage.processes, 3);
	ck_assert_int_gt(event->usage.wall_us, 0);
	ck_assert_int_gt(event->usage.user_us + event->usage.system_us, 0);
	ck_assert_uint_gt(event->usage.peak_memory, 100000);
	trial_close(&trial);
}
END_TEST

START_TEST(leftovers_are_ended_after_the_command)
{
	struct support_process left[8];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "setsid sleep 1000 & sleep 1000 & exit 6");
	ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)->status), 6);
	ck_assert_uint_eq(support_descendants(getpid(), left, 8), 0);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEFTOVERS), 0);
	trial_close(&trial);
}
END_TEST

START_TEST(held_leftovers_wait_for_a_stop)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "sleep 1000 & echo $!; exit 6");
	options.flags = GROUPER_HOLD_LEFTOVERS;
	trial_start(&trial, &options);
	event = trial_await(&trial, GROUPER_EVENT_LEFTOVERS);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_ENDED), 1);
	pid = (pid_t)trial_number(&trial);
	ck_assert_uint_eq(event->processes, 1);
	ck_assert_int_eq(event->pids[0], pid);
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 50), GROUPER_TIMED_OUT);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    6);
	trial_close(&trial);
}
END_TEST

START_TEST(held_leftovers_that_end_by_themselves_need_no_stop)
{
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "sleep 1000 & echo $!; exit 6");
	options.flags = GROUPER_HOLD_LEFTOVERS;
	trial_start(&trial, &options);
	trial_await(&trial, GROUPER_EVENT_LEFTOVERS);
	pid = (pid_t)trial_number(&trial);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(nothing_held_without_leftovers)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.flags = GROUPER_HOLD_LEFTOVERS;
	trial_run(&trial, &options);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEFTOVERS), 0);
	trial_close(&trial);
}
END_TEST

#define SETTLING 20

/* What ends by itself just after the command is no leftover. */
START_TEST(leftovers_that_settle_are_not_told)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	int i;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "sleep 0.02 & exit 6");
	options.flags = GROUPER_HOLD_LEFTOVERS;
	/* A machine under load may need longer, but not each time. */
	for (i = 0; i < SETTLING; i++) {
		trial_start(&trial, &options);
		event = trial_await(&trial, GROUPER_EVENT_ENDED);
		ck_assert_int_eq(WEXITSTATUS(event->status), 6);
		ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	}
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_ENDED), SETTLING);
	ck_assert_uint_lt(trial_count(&trial, GROUPER_EVENT_LEFTOVERS),
	    SETTLING);
	trial_close(&trial);
}
END_TEST

/* Whether anything was left is told with the end. */
START_TEST(the_end_tells_whether_anything_was_left)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.flags = _i == 1 ? GROUPER_HOLD_LEFTOVERS : 0;
	trial_run(&trial, &options);
	ck_assert_int_eq(trial.events[1].type, GROUPER_EVENT_ENDED);
	ck_assert_int_ne(trial.events[1].last, 0);
	options = trial_shell(&trial, "sleep 1000 & exit 0");
	options.flags = _i == 1 ? GROUPER_HOLD_LEFTOVERS : 0;
	trial_start(&trial, &options);
	ck_assert_int_eq(trial_await(&trial, GROUPER_EVENT_ENDED)->last, 1);
	ck_assert_int_eq(trial_await(&trial, GROUPER_EVENT_ENDED)->last, 0);
	trial_close(&trial);
}
END_TEST

/* However it ends, its events come once each and in this order. */
static const struct {
	const char *text;
	unsigned int flags;
	const char *stop; /* NULL: it ends by itself */
} endings[] = {
	{ "exit 0", 0, NULL },
	{ "exit 0", GROUPER_HOLD_LEFTOVERS, NULL },
	{ "sleep 1000 & exit 0", 0, NULL },
	{ "kill -KILL $$", 0, NULL },
	{ TRIAL_SLEEP, 0, "5s" },
	{ TRIAL_SLEEP, GROUPER_HOLD_LEFTOVERS, "5s" },
	{ TRIAL_SLEEP, 0, "KILL" },
	{ "sleep 1000 & " TRIAL_SLEEP, 0, "INT 10ms, KILL" },
	{ TRIAL_DEAF, 0, "TERM 10ms, KILL" },
};
#define ENDINGS (int)(sizeof(endings) / sizeof(endings[0]))

START_TEST(events_come_once_and_in_order)
{
	static const enum grouper_event_type order[] = { GROUPER_EVENT_STARTED,
		GROUPER_EVENT_ENDED, GROUPER_EVENT_EMPTY };
	struct grouper_options options;
	struct trial trial;
	size_t i;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, endings[_i].text);
	options.flags = endings[_i].flags;
	trial_start(&trial, &options);
	if (endings[_i].stop != NULL) {
		trial_expect(&trial, "ready");
		ck_assert_int_eq(grouper_stop(trial.host, NULL,
				     endings[_i].stop),
		    GROUPER_OK);
	}
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial.count, 3);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(trial.events[i].type, order[i]);
		ck_assert_int_eq(trial.events[i].pid, trial.events[0].pid);
		ck_assert_str_eq(trial.events[i].key, "default");
	}
	ck_assert_int_eq(trial.events[1].status, trial.events[2].status);
	trial_close(&trial);
}
END_TEST

START_TEST(members_lists_a_group_without_its_leader)
{
	struct grouper_processes list;
	struct grouper_options options;
	struct trial trial;
	pid_t child;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "sleep 1000 & echo $!; wait");
	trial_start(&trial, &options);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	child = (pid_t)trial_number(&trial);
	ck_assert_int_eq(grouper_members(trial.host, NULL, &list), GROUPER_OK);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(list.items[0].pid, trial.events[0].pid);
	ck_assert_int_eq(list.items[0].ppid, trial_leader());
	ck_assert_int_eq(list.items[1].pid, child);
	ck_assert_int_eq(list.items[1].ppid, trial.events[0].pid);
	grouper_processes_free(&list);
	ck_assert_int_eq(grouper_members(trial.host, "other", &list),
	    GROUPER_NOT_FOUND);
	grouper_stop(trial.host, NULL, "KILL");
	trial_wait(&trial, NULL);
	ck_assert_int_eq(grouper_members(trial.host, NULL, &list),
	    GROUPER_NO_GROUP);
	trial_close(&trial);
}
END_TEST

START_TEST(a_list_that_cannot_be_had_is_empty)
{
	struct grouper_process item = { .pid = 1 };
	struct grouper_processes list = { &item, 1, 1 };
	struct trial trial;

	trial_open(&trial, NULL);
	ck_assert_int_eq(grouper_members(trial.host, NULL, &list),
	    GROUPER_NO_GROUP);
	ck_assert_uint_eq(list.count, 0);
	grouper_processes_free(&list);
	ck_assert_int_eq(grouper_members(trial.host, NULL, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_descendants(0, NULL), GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

/* Kills the leader and awaits that it is told; all its orphans are ours. */
static void
kill_leader(struct trial *trial)
{
	trial_kill_leader();
	trial_await(trial, GROUPER_EVENT_LEADER_DIED);
	ck_assert_uint_eq(trial_count(trial, GROUPER_EVENT_EMPTY), 0);
}

#define POLITE "trap 'echo TERM; exit 0' TERM; echo ready; read x"

START_TEST(orphans_are_asked_before_they_are_killed)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, POLITE);
	options.shutdown = "TERM 1h, KILL";
	options.contain = _i == 1 ? GROUPER_CONTAIN_CGROUP :
				    GROUPER_CONTAIN_REAPER;
	if (grouper_containment_probe(options.contain, NULL) != 0) {
		trial_close(&trial);
		SUPPORT_SKIP("there is no cgroup for us");
	}
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	kill_leader(&trial);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_expect(&trial, "TERM");
	/* The latch outlives the orphans. */
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_LEADER_DIED);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_LEADER_DIED);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

START_TEST(orphans_that_refuse_are_killed_after_their_steps)
{
	struct support_process left[8];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "(trap '' TERM INT; setsid sleep 1000 & sleep 1000) & " TRIAL_DEAF);
	options.shutdown = "TERM 20ms, INT 20ms, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	kill_leader(&trial);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_uint_eq(support_descendants(getpid(), left, 8), 0);
	trial_close(&trial);
}
END_TEST

/* Until then the key is neither free nor, once reset, latched. */
START_TEST(orphans_keep_their_key)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, TRIAL_DEAF);
	options.shutdown = "infinity";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	kill_leader(&trial);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_LEADER_DIED);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_OK);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 50), GROUPER_TIMED_OUT);
	trial_close(&trial);
}
END_TEST

START_TEST(stop_gives_orphans_other_steps)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, TRIAL_DEAF);
	options.shutdown = "infinity";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	kill_leader(&trial);
	if (_i == 1)
		ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL),
		    GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 0);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "KILL"), GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 1);
	trial_close(&trial);
}
END_TEST

START_TEST(orphans_go_through_the_steps_that_were_asked_for)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, TRIAL_DEAF);
	options.shutdown = "infinity";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	kill(trial_leader(), SIGSTOP);
	grouper_stop(trial.host, NULL, "TERM 10ms, KILL");
	kill_leader(&trial);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

/* Nobody can tell whose they are: no group's are killed before its steps. */
START_TEST(orphans_of_two_get_the_time_of_the_kinder)
{
	struct grouper_options options;
	struct trial trial;
	pid_t leaders[2];

	trial_open(&trial, NULL);
	options = trial_shell(&trial, POLITE);
	options.shutdown = "TERM 1h, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	options = trial_shell(&trial, POLITE);
	options.key = "rude";
	options.shutdown = "KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	ck_assert_uint_eq(support_children(getpid(), leaders, 2), 2);
	kill(leaders[0], SIGKILL);
	kill(leaders[1], SIGKILL);
	support_await_gone(leaders[0]);
	support_await_gone(leaders[1]);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	ck_assert_int_eq(trial_wait(&trial, "rude"), GROUPER_LEADER_DIED);
	trial_expect(&trial, "TERM");
	trial_expect(&trial, "TERM");
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 2);
	trial_close(&trial);
}
END_TEST

START_TEST(a_freed_host_kills_orphans_at_once)
{
	struct support_process left[4];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, TRIAL_DEAF);
	options.shutdown = "infinity";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	kill_leader(&trial);
	grouper_host_free(trial.host);
	ck_assert_uint_eq(support_descendants(getpid(), left, 4), 0);
	trial.host = NULL;
	trial.nkeys = 0;
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ending");
	TCase *tc;

	tc = support_case(s, "end");
	tcase_add_test(tc, wait_is_over_at_its_timeout);
	tcase_add_test(tc, usage_counts_what_the_leader_reaped);
	tcase_add_test(tc, leftovers_are_ended_after_the_command);
	tcase_add_test(tc, held_leftovers_wait_for_a_stop);
	tcase_add_test(tc, held_leftovers_that_end_by_themselves_need_no_stop);
	tcase_add_test(tc, nothing_held_without_leftovers);
	tcase_add_test(tc, leftovers_that_settle_are_not_told);
	tcase_add_loop_test(tc, the_end_tells_whether_anything_was_left, 0, 2);
	tcase_add_loop_test(tc, events_come_once_and_in_order, 0, ENDINGS);
	tcase_add_test(tc, members_lists_a_group_without_its_leader);
	tcase_add_test(tc, a_list_that_cannot_be_had_is_empty);

	tc = support_case(s, "orphans");
	tcase_add_loop_test(tc, orphans_are_asked_before_they_are_killed, 0, 2);
	tcase_add_test(tc, orphans_that_refuse_are_killed_after_their_steps);
	tcase_add_test(tc, orphans_keep_their_key);
	tcase_add_loop_test(tc, stop_gives_orphans_other_steps, 0, 2);
	tcase_add_test(tc, orphans_go_through_the_steps_that_were_asked_for);
	tcase_add_test(tc, orphans_of_two_get_the_time_of_the_kinder);
	tcase_add_test(tc, a_freed_host_kills_orphans_at_once);
	return support_main(s, NULL);
}
