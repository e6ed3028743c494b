/* SPDX-License-Identifier: ISC */
/*
 * What may be done to a key in which state, and what is answered: start,
 * stop, reset, signal, state and wait.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

#define DEAF "trap '' TERM; echo ready; while :; do sleep 1000; done"
#define SLEEP "echo ready; exec sleep 1000"

static const struct trial_event *
await_empty(struct trial *trial)
{
	return trial_await(trial, GROUPER_EVENT_EMPTY);
}

/* A running group that has said it is ready. */
static void
start_ready(struct trial *trial, struct grouper_options *options,
    const char *text)
{
	*options = trial_shell(trial, text);
	trial_start(trial, options);
	trial_await(trial, GROUPER_EVENT_STARTED);
	trial_expect(trial, "ready");
}

/* A key with its latch set and its orphans swept. */
static void
start_latched(struct trial *trial, struct grouper_options *options)
{
	start_ready(trial, options, SLEEP);
	trial_kill_leader();
	trial_await(trial, GROUPER_EVENT_LEADER_DIED);
	await_empty(trial);
}

START_TEST(start_of_an_idle_key_runs_its_command)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "echo $$; exit 3");
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	ck_assert_int_eq(pid, trial_number(&trial));
	event = trial_await(&trial, GROUPER_EVENT_ENDED);
	ck_assert_int_eq(event->pid, pid);
	ck_assert(WIFEXITED(event->status));
	ck_assert_int_eq(WEXITSTATUS(event->status), 3);
	event = await_empty(&trial);
	ck_assert_int_eq(WEXITSTATUS(event->status), 3);
	ck_assert_uint_eq(trial.count, 3);
	trial_close(&trial);
}
END_TEST

START_TEST(no_event_comes_before_start_returns)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	trial_start(&trial, &options);
	ck_assert_uint_eq(trial.count, 0);
	await_empty(&trial);
	trial_close(&trial);
}
END_TEST

START_TEST(state_follows_the_life_of_a_group)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_UNKNOWN);
	options = trial_shell(&trial, DEAF);
	options.shutdown = "TERM 1h, KILL";
	trial_start(&trial, &options);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_STARTING);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	ck_assert_int_eq(grouper_state(trial.host, "default"),
	    GROUPER_STATE_RUNNING);
	trial_expect(&trial, "ready");
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_STOPPING);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, "KILL"), GROUPER_OK);
	await_empty(&trial);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
	ck_assert_int_eq(grouper_state(trial.host, "other"),
	    GROUPER_STATE_UNKNOWN);
	ck_assert_int_eq(grouper_state(NULL, NULL), GROUPER_STATE_UNKNOWN);
	trial_close(&trial);
}
END_TEST

START_TEST(start_while_starting_is_refused)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, SLEEP);
	trial_start(&trial, &options);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_ALREADY_STARTED);
	trial_close(&trial);
}
END_TEST

START_TEST(start_while_running_is_refused)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	trial_close(&trial);
}
END_TEST

START_TEST(start_while_stopping_is_refused)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, DEAF);
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_ALREADY_STARTED);
	trial_close(&trial);
}
END_TEST

START_TEST(a_key_can_be_started_again_after_its_end)
{
	struct grouper_options options;
	struct trial trial;
	int i;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 5");
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(WEXITSTATUS(
				     trial_run(&trial, &options)->status),
		    5);
	trial_close(&trial);
}
END_TEST

struct again {
	struct trial *trial;
	const struct grouper_options *options;
	int left;
};

static void
start_again(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	struct again *again = arg;

	trial_record(host, event, again->trial);
	if (event->type == GROUPER_EVENT_EMPTY && again->left-- > 0)
		ck_assert_int_eq(grouper_start(host, again->options,
				     start_again, again),
		    GROUPER_OK);
}

START_TEST(a_key_can_be_started_from_its_last_event)
{
	struct grouper_options options;
	struct again again;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	again = (struct again) { &trial, &options, 2 };
	ck_assert_int_eq(grouper_start(trial.host, &options, start_again,
			     &again),
	    GROUPER_OK);
	await_empty(&trial);
	await_empty(&trial);
	await_empty(&trial);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_STARTED), 3);
	trial_close(&trial);
}
END_TEST

START_TEST(keys_do_not_touch_each_other)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	options.key = "workers/resize:1";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, NULL, "KILL");
	ck_assert_str_eq(await_empty(&trial)->key, "default");
	ck_assert_int_eq(grouper_state(trial.host, "workers/resize:1"),
	    GROUPER_STATE_RUNNING);
	ck_assert_int_eq(grouper_wait(trial.host, "workers/resize:1", 0),
	    GROUPER_TIMED_OUT);
	trial_close(&trial);
}
END_TEST

START_TEST(start_after_the_leader_died_is_refused_every_time)
{
	struct grouper_options options;
	struct trial trial;
	int i;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_LEADER_DIED);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(trial_try(&trial, &options),
		    GROUPER_LEADER_DIED);
	await_empty(&trial);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(trial_try(&trial, &options),
		    GROUPER_LEADER_DIED);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

START_TEST(a_leader_that_dies_before_its_command_runs_latches)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, SLEEP);
	trial_start(&trial, &options);
	trial_kill_leader();
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

/* Nobody asked to stop: the sweep was the leader's own affair. */
START_TEST(a_leader_that_dies_while_it_sweeps_leftovers_latches)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "(trap '' TERM; echo ready; while :; do sleep 1000; done) & "
	    "read x; exit 0");
	options.shutdown = "TERM 1h, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_say(&trial);
	trial_await(&trial, GROUPER_EVENT_ENDED);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	await_empty(&trial);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_LEADER_DIED);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

START_TEST(stop_clears_the_latch)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_latched(&trial, &options);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_close(&trial);
}
END_TEST

START_TEST(reset_clears_the_latch)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_latched(&trial, &options);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_OK);
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_close(&trial);
}
END_TEST

START_TEST(reset_of_other_keys_is_answered)
{
	struct grouper_options options;
	struct trial trial;

	ck_assert_int_eq(grouper_reset(NULL, NULL), GROUPER_NO_GROUP);
	trial_open(&trial, NULL);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_NO_GROUP);
	start_ready(&trial, &options, SLEEP);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	ck_assert_int_eq(grouper_reset(trial.host, "other"),
	    GROUPER_NOT_FOUND);
	trial_close(&trial);
}
END_TEST

/* The latch is gone, but not yet what the dead leader had. */
START_TEST(a_reset_key_starts_only_when_its_orphans_are_gone)
{
	struct grouper_options options;
	struct trial trial;
	pid_t orphan;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "echo $$; exec sleep 1000");
	trial_start(&trial, &options);
	orphan = (pid_t)trial_number(&trial);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 0);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_OK);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_ALREADY_STARTED);
	await_empty(&trial);
	ck_assert_int_eq(kill(orphan, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	trial_start(&trial, &options);
	trial_close(&trial);
}
END_TEST

START_TEST(orphans_of_a_dead_leader_are_gone_when_empty_is_told)
{
	struct support_process left[8];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options,
	    "(setsid sh -c '(trap \"\" TERM HUP; echo ready; "
	    "while :; do sleep 1000; done) &' &) ; exec sleep 1000");
	trial_kill_leader();
	await_empty(&trial);
	ck_assert_uint_eq(support_descendants(getpid(), left, 8), 0);
	trial_close(&trial);
}
END_TEST

START_TEST(one_leader_s_death_spares_other_groups)
{
	struct grouper_options options;
	struct trial trial;
	pid_t leader;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	leader = trial_leader();
	options.key = "other";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	ck_assert_int_eq(kill(leader, SIGKILL), 0);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	ck_assert_int_eq(grouper_state(trial.host, "other"),
	    GROUPER_STATE_RUNNING);
	ck_assert_int_eq(grouper_signal(trial.host, "other", SIGUSR1),
	    GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, "other"), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(two_leaders_that_die_at_once_are_told_each)
{
	struct grouper_options options;
	struct trial trial;
	pid_t leaders[2];

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	options.key = "other";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	ck_assert_uint_eq(support_children(getpid(), leaders, 2), 2);
	kill(leaders[0], SIGKILL);
	kill(leaders[1], SIGKILL);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	ck_assert_int_eq(trial_wait(&trial, "other"), GROUPER_LEADER_DIED);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 2);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 2);
	trial_close(&trial);
}
END_TEST

START_TEST(stop_of_a_running_group_ends_it)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	event = await_empty(&trial);
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
	start_ready(&trial, &options, DEAF);
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
	start_ready(&trial, &options,
	    "trap 'echo TERM' TERM; trap 'echo USR1' USR1; "
	    "trap 'echo USR2' USR2; echo ready; "
	    "while :; do sleep 1000 & wait; done");
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	trial_expect(&trial, "TERM");
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR1),
	    GROUPER_OK);
	trial_expect(&trial, "USR1");
	/* A TERM would have been handled together with USR1. */
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR2),
	    GROUPER_OK);
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
	ck_assert_int_eq(grouper_members(NULL, NULL, &list),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_signal(NULL, NULL, SIGTERM),
	    GROUPER_NO_GROUP);
	trial_open(&trial, NULL);
	ck_assert_int_eq(grouper_stop(trial.host, "x", NULL),
	    GROUPER_NO_GROUP);
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
	start_ready(&trial, &options, SLEEP);
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
	start_ready(&trial, &options, DEAF);
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
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
	start_ready(&trial, &options, SLEEP);
	began = support_now();
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	await_empty(&trial);
	ck_assert_int_lt(support_now() - began, SUPPORT_PATIENCE);
	trial_close(&trial);
}
END_TEST

START_TEST(signal_reaches_the_main_process)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options,
	    "trap 'echo USR1' USR1; trap 'echo HUP; exit 4' HUP; echo ready; "
	    "while :; do sleep 1000 & wait; done");
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR1),
	    GROUPER_OK);
	trial_expect(&trial, "USR1");
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGHUP), GROUPER_OK);
	trial_expect(&trial, "HUP");
	ck_assert_int_eq(WEXITSTATUS(await_empty(&trial)->status), 4);
	trial_close(&trial);
}
END_TEST

START_TEST(signal_refuses_what_it_cannot_send)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, 0), GROUPER_INVALID);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, -1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGRTMAX + 1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_signal(trial.host, "other", SIGTERM),
	    GROUPER_NOT_FOUND);
	grouper_stop(trial.host, NULL, "KILL");
	await_empty(&trial);
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
	start_ready(&trial, &options, SLEEP);
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
	start_ready(&trial, &options, SLEEP);
	grouper_signal(trial.host, NULL, SIGSTOP);
	trial_await(&trial, GROUPER_EVENT_PAUSED);
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	ck_assert_int_eq(WTERMSIG(await_empty(&trial)->status), SIGTERM);
	trial_close(&trial);
}
END_TEST

START_TEST(wait_is_over_at_its_timeout)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 10),
	    GROUPER_TIMED_OUT);
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
	ck_assert_uint_gt(event->usage.peak_memory, 100 * 1024);
	trial_close(&trial);
}
END_TEST

START_TEST(leftovers_are_ended_after_the_command)
{
	struct support_process left[8];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "setsid sleep 1000 & sleep 1000 & exit 6");
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
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 50),
	    GROUPER_TIMED_OUT);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(WEXITSTATUS(await_empty(&trial)->status), 6);
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

/* Whoever could stop it did so: it must not hang the stop for ever. */
START_TEST(a_leader_that_says_nothing_is_swept)
{
	struct support_process left[8];
	struct grouper_options options;
	struct trial trial;
	pid_t leader;

	trial_open(&trial, NULL);
	start_ready(&trial, &options, SLEEP);
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

int
main(void)
{
	Suite *s = suite_create("contract");
	TCase *tc = support_case(s, "start");

	tcase_add_test(tc, start_of_an_idle_key_runs_its_command);
	tcase_add_test(tc, no_event_comes_before_start_returns);
	tcase_add_test(tc, state_follows_the_life_of_a_group);
	tcase_add_test(tc, start_while_starting_is_refused);
	tcase_add_test(tc, start_while_running_is_refused);
	tcase_add_test(tc, start_while_stopping_is_refused);
	tcase_add_test(tc, a_key_can_be_started_again_after_its_end);
	tcase_add_test(tc, a_key_can_be_started_from_its_last_event);
	tcase_add_test(tc, keys_do_not_touch_each_other);

	tc = support_case(s, "latch");
	tcase_add_test(tc, start_after_the_leader_died_is_refused_every_time);
	tcase_add_test(tc, a_leader_that_dies_before_its_command_runs_latches);
	tcase_add_test(tc,
	    a_leader_that_dies_while_it_sweeps_leftovers_latches);
	tcase_add_test(tc, stop_clears_the_latch);
	tcase_add_test(tc, reset_clears_the_latch);
	tcase_add_test(tc, reset_of_other_keys_is_answered);
	tcase_add_test(tc, a_reset_key_starts_only_when_its_orphans_are_gone);
	tcase_add_test(tc,
	    orphans_of_a_dead_leader_are_gone_when_empty_is_told);
	tcase_add_test(tc, one_leader_s_death_spares_other_groups);
	tcase_add_test(tc, two_leaders_that_die_at_once_are_told_each);

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

	tc = support_case(s, "signal");
	tcase_add_test(tc, signal_reaches_the_main_process);
	tcase_add_test(tc, signal_refuses_what_it_cannot_send);
	tcase_add_test(tc, pauses_and_continuations_are_told);
	tcase_add_test(tc, a_paused_group_can_be_stopped);

	tc = support_case(s, "end");
	tcase_add_test(tc, wait_is_over_at_its_timeout);
	tcase_add_test(tc, usage_counts_what_the_leader_reaped);
	tcase_add_test(tc, leftovers_are_ended_after_the_command);
	tcase_add_test(tc, held_leftovers_wait_for_a_stop);
	tcase_add_test(tc,
	    held_leftovers_that_end_by_themselves_need_no_stop);
	tcase_add_test(tc, nothing_held_without_leftovers);
	tcase_add_test(tc, members_lists_a_group_without_its_leader);
	return support_main(s, NULL);
}
