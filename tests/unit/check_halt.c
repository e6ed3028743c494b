/* SPDX-License-Identifier: ISC */
/*
 * What may be done to a key in which state, and what is answered: stop and
 * signal.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

START_TEST(stop_of_a_running_group_ends_it)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert(WIFSIGNALED(event->status));
	ck_assert_int_eq(WTERMSIG(event->status), SIGTERM);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_ENDED), 1);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(stop_of_a_starting_group_ends_it)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exec sleep 1000");
	trial_start(&trial, &options);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_STARTING);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_STARTED), 1);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 1);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
	trial_close(&trial);
}
END_TEST

/* The second stop has other steps: only they can end it in time. */
START_TEST(stop_of_a_stopping_group_replaces_the_steps)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_DEAF);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "TERM 1h, KILL"),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "INT 10ms, KILL"),
	    GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

/* Were the steps begun anew, a second TERM would be counted. */
START_TEST(a_second_stop_without_steps_does_nothing)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options,
	    "trap 'echo TERM' TERM; trap 'echo USR1' USR1; "
	    "trap 'echo USR2' USR2; echo ready; "
	    "while :; do sleep 1000 & wait; done");
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	trial_expect(&trial, "TERM");
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR1), GROUPER_OK);
	trial_expect(&trial, "USR1");
	/* A TERM would have been handled together with USR1. */
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR2), GROUPER_OK);
	trial_expect(&trial, "USR2");
	trial_close(&trial);
}
END_TEST

START_TEST(stop_of_an_idle_key_is_ok)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	trial_run(&trial, &options);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_stop(trial.host, "default", "KILL"),
	    GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(stop_of_an_unknown_key_is_not_found)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	trial_run(&trial, &options);
	ck_assert_int_eq(grouper_stop(trial.host, "other", NULL),
	    GROUPER_NOT_FOUND);
	trial_close(&trial);
}
END_TEST

START_TEST(without_host_or_group_there_is_no_group)
{
	struct grouper_processes list;
	struct trial trial;

	ck_assert_int_eq(grouper_stop(NULL, NULL, NULL), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_wait(NULL, NULL, 0), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_members(NULL, NULL, &list), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_signal(NULL, NULL, SIGTERM), GROUPER_NO_GROUP);
	trial_open(&trial, NULL);
	ck_assert_int_eq(grouper_stop(trial.host, "x", NULL), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_wait(trial.host, "x", 0), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_members(trial.host, "x", &list),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_signal(trial.host, "x", SIGTERM),
	    GROUPER_NO_GROUP);
	trial_close(&trial);
}
END_TEST

/* Refused, so the key was not known by it. */
START_TEST(a_refused_start_makes_no_key)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.flags = 1U << 31;
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_INVALID);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_UNKNOWN);
	trial_close(&trial);
}
END_TEST

START_TEST(bad_steps_stop_nothing)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "TERM, KILL"),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, ""), GROUPER_INVALID);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "TURM 1s"),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	trial_close(&trial);
}
END_TEST

/* Asked to stop, its death is what was asked for: no latch. */
START_TEST(a_leader_that_dies_while_asked_to_stop_leaves_no_latch)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_DEAF);
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "KILL"), GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
	trial_start(&trial, &options);
	trial_close(&trial);
}
END_TEST

START_TEST(stop_is_over_the_instant_the_group_is_empty)
{
	struct grouper_options options;
	struct trial trial;
	long long began;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	began = support_now();
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_lt(support_now() - began, SUPPORT_PATIENCE);
	trial_close(&trial);
}
END_TEST

/* Whoever could stop it did so: it must not hang the stop for ever. */
START_TEST(a_leader_that_says_nothing_is_swept)
{
	struct support_process left[8];
	struct grouper_options options;
	struct trial trial;
	pid_t leader;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	leader = trial_leader();
	ck_assert_int_eq(kill(leader, SIGSTOP), 0);
	support_await_state(leader, "T");
	grouper_stop(trial.host, NULL, "KILL");
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 1);
	ck_assert_uint_eq(support_descendants(getpid(), left, 8), 0);
	trial_close(&trial);
}
END_TEST

/*
 * Starts a shell that runs the text first, stops its leader and fills the link
 * by signals that the shell ignores.
 */
static pid_t
start_unread(struct trial *trial, const char *text)
{
	struct grouper_options options;
	char shell[256];
	size_t i, enough = (size_t)1 << 20;
	pid_t leader;

	snprintf(shell, sizeof(shell),
	    "trap '' %d; %s; echo ready; while :; do sleep 1000 & wait; done",
	    SIGRTMIN, text);
	trial_open(trial, NULL);
	trial_start_ready(trial, &options, shell);
	leader = trial_leader();
	ck_assert_int_eq(kill(leader, SIGSTOP), 0);
	support_await_state(leader, "T");
	for (i = 0; i < enough; i++)
		if (grouper_signal(trial->host, NULL, SIGRTMIN) != GROUPER_OK)
			break;
	ck_assert_uint_lt(i, enough);
	return leader;
}

START_TEST(a_stop_waits_for_a_leader_that_reads_late)
{
	struct trial trial;
	pid_t leader = start_unread(&trial, "trap 'exit 3' TERM");

	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	kill(leader, SIGCONT);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 0);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    3);
	trial_close(&trial);
}
END_TEST

START_TEST(the_newest_stop_waits_for_a_leader_that_reads_late)
{
	struct trial trial;
	pid_t leader = start_unread(&trial,
	    "trap 'exit 3' TERM; trap 'exit 4' INT");

	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	grouper_stop(trial.host, NULL, "INT 5s, KILL");
	kill(leader, SIGCONT);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    4);
	trial_close(&trial);
}
END_TEST

START_TEST(signals_wait_for_a_leader_that_reads_late)
{
	struct trial trial;
	pid_t leader = start_unread(&trial, "trap 'exit 5' HUP");

	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGHUP), GROUPER_OK);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGHUP), GROUPER_OK);
	kill(leader, SIGCONT);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    5);
	trial_close(&trial);
}
END_TEST

START_TEST(a_real_time_signal_that_waits_is_not_taken_twice)
{
	struct trial trial;
	pid_t leader = start_unread(&trial, ":");

	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGRTMIN),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGRTMIN + 1),
	    GROUPER_OK);
	kill(leader, SIGCONT);
	ck_assert_int_eq(WTERMSIG(trial_await(&trial, GROUPER_EVENT_EMPTY)
				      ->status),
	    SIGRTMIN + 1);
	trial_close(&trial);
}
END_TEST

START_TEST(what_waits_goes_with_a_leader_that_dies)
{
	struct trial trial;

	start_unread(&trial, ":");
	grouper_stop(trial.host, NULL, NULL);
	trial_kill_leader();
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 1);
	trial_run_ok(&trial,
	    (struct grouper_options[]) { trial_shell(&trial, "exit 0") });
	trial_close(&trial);
}
END_TEST

START_TEST(signal_reaches_the_main_process)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options,
	    "trap 'echo USR1' USR1; trap 'echo HUP; exit 4' HUP; echo ready; "
	    "while :; do sleep 1000 & wait; done");
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR1), GROUPER_OK);
	trial_expect(&trial, "USR1");
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGHUP), GROUPER_OK);
	trial_expect(&trial, "HUP");
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    4);
	trial_close(&trial);
}
END_TEST

START_TEST(signal_refuses_what_it_cannot_send)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, 0), GROUPER_INVALID);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, -1), GROUPER_INVALID);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGRTMAX + 1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_signal(trial.host, "other", SIGTERM),
	    GROUPER_NOT_FOUND);
	grouper_stop(trial.host, NULL, "KILL");
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGTERM),
	    GROUPER_NO_GROUP);
	trial_close(&trial);
}
END_TEST

START_TEST(pauses_and_continuations_are_told)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	pid = trial.events[0].pid;
	grouper_signal(trial.host, NULL, SIGSTOP);
	event = trial_await(&trial, GROUPER_EVENT_PAUSED);
	ck_assert_int_eq(event->pid, pid);
	ck_assert_int_eq(event->status, SIGSTOP);
	support_await_state(pid, "T");
	grouper_signal(trial.host, NULL, SIGCONT);
	ck_assert_int_eq(trial_await(&trial, GROUPER_EVENT_CONTINUED)->pid,
	    pid);
	trial_close(&trial);
}
END_TEST

START_TEST(a_paused_group_can_be_stopped)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	grouper_signal(trial.host, NULL, SIGSTOP);
	trial_await(&trial, GROUPER_EVENT_PAUSED);
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	ck_assert_int_eq(WTERMSIG(trial_await(&trial, GROUPER_EVENT_EMPTY)
				      ->status),
	    SIGTERM);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("halt");
	TCase *tc;

	tc = support_case(s, "stop");
	tcase_add_test(tc, stop_of_a_running_group_ends_it);
	tcase_add_test(tc, stop_of_a_starting_group_ends_it);
	tcase_add_test(tc, stop_of_a_stopping_group_replaces_the_steps);
	tcase_add_test(tc, a_second_stop_without_steps_does_nothing);
	tcase_add_test(tc, stop_of_an_idle_key_is_ok);
	tcase_add_test(tc, stop_of_an_unknown_key_is_not_found);
	tcase_add_test(tc, without_host_or_group_there_is_no_group);
	tcase_add_test(tc, a_refused_start_makes_no_key);
	tcase_add_test(tc, bad_steps_stop_nothing);
	tcase_add_test(tc,
	    a_leader_that_dies_while_asked_to_stop_leaves_no_latch);
	tcase_add_test(tc, stop_is_over_the_instant_the_group_is_empty);
	tcase_add_test(tc, a_leader_that_says_nothing_is_swept);
	tcase_add_test(tc, a_stop_waits_for_a_leader_that_reads_late);
	tcase_add_test(tc, the_newest_stop_waits_for_a_leader_that_reads_late);
	tcase_add_test(tc, what_waits_goes_with_a_leader_that_dies);

	tc = support_case(s, "signal");
	tcase_add_test(tc, signal_reaches_the_main_process);
	tcase_add_test(tc, signal_refuses_what_it_cannot_send);
	tcase_add_test(tc, signals_wait_for_a_leader_that_reads_late);
	tcase_add_test(tc, a_real_time_signal_that_waits_is_not_taken_twice);
	tcase_add_test(tc, pauses_and_continuations_are_told);
	tcase_add_test(tc, a_paused_group_can_be_stopped);
	return support_main(s, NULL);
}
