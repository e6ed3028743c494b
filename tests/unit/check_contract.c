/* SPDX-License-Identifier: ISC */
/*
 * What may be done to a key in which state, and what is answered: start,
 * and the latch that a leader's death sets.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

/* A key with its latch set and its orphans swept. */
static void
start_latched(struct trial *trial, struct grouper_options *options)
{
	trial_start_ready(trial, options, TRIAL_SLEEP);
	trial_kill_leader();
	trial_await(trial, GROUPER_EVENT_LEADER_DIED);
	trial_await(trial, GROUPER_EVENT_EMPTY);
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
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
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
	trial_await(&trial, GROUPER_EVENT_EMPTY);
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
	options = trial_shell(&trial, TRIAL_DEAF);
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
	trial_await(&trial, GROUPER_EVENT_EMPTY);
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
	options = trial_shell(&trial, TRIAL_SLEEP);
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
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
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
	trial_start_ready(&trial, &options, TRIAL_DEAF);
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
		ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)
						 ->status),
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
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_STARTED), 3);
	trial_close(&trial);
}
END_TEST

START_TEST(keys_do_not_touch_each_other)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	options.key = "workers/resize:1";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_await(&trial, GROUPER_EVENT_STARTED);
	grouper_stop(trial.host, NULL, "KILL");
	ck_assert_str_eq(trial_await(&trial, GROUPER_EVENT_EMPTY)->key,
	    "default");
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
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_LEADER_DIED);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(trial_try(&trial, &options),
		    GROUPER_LEADER_DIED);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
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
	options = trial_shell(&trial, TRIAL_SLEEP);
	trial_start(&trial, &options);
	trial_kill_leader();
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

/* The command has ended, and its leader sweeps what it left, unasked. */
static void
begin_leftovers(struct trial *trial, struct grouper_options *options)
{
	trial_open(trial, NULL);
	*options = trial_shell(trial,
	    "(trap '' TERM; echo ready; while :; do sleep 1000; done) & "
	    "read x; exit 0");
	options->shutdown = "TERM 3s, KILL";
	trial_start(trial, options);
	trial_expect(trial, "ready");
	trial_say(trial);
	trial_await(trial, GROUPER_EVENT_ENDED);
}

/* Nobody asked to stop: the sweep was the leader's own affair. */
START_TEST(a_leader_that_dies_while_it_sweeps_leftovers_latches)
{
	struct grouper_options options;
	struct trial trial;

	begin_leftovers(&trial, &options);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_LEADER_DIED);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

/* The sweep had begun by itself, but then somebody did ask. */
START_TEST(a_stop_during_the_sweep_of_leftovers_leaves_no_latch)
{
	struct grouper_options options;
	struct trial trial;

	begin_leftovers(&trial, &options);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
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
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	ck_assert_int_eq(grouper_reset(trial.host, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	ck_assert_int_eq(grouper_reset(trial.host, "other"), GROUPER_NOT_FOUND);
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
	trial_await(&trial, GROUPER_EVENT_EMPTY);
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
	trial_start_ready(&trial, &options,
	    "(setsid sh -c '(trap \"\" TERM HUP; echo ready; "
	    "while :; do sleep 1000; done) &' &) ; exec sleep 1000");
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_EMPTY);
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
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	leader = trial_leader();
	options.key = "other";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_await(&trial, GROUPER_EVENT_STARTED);
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
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
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

int
main(void)
{
	Suite *s = suite_create("contract");
	TCase *tc;

	tc = support_case(s, "start");
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
	tcase_add_test(tc,
	    a_stop_during_the_sweep_of_leftovers_leaves_no_latch);
	tcase_add_test(tc, stop_clears_the_latch);
	tcase_add_test(tc, reset_clears_the_latch);
	tcase_add_test(tc, reset_of_other_keys_is_answered);
	tcase_add_test(tc, a_reset_key_starts_only_when_its_orphans_are_gone);
	tcase_add_test(tc,
	    orphans_of_a_dead_leader_are_gone_when_empty_is_told);
	tcase_add_test(tc, one_leader_s_death_spares_other_groups);
	tcase_add_test(tc, two_leaders_that_die_at_once_are_told_each);
	return support_main(s, NULL);
}
