/* SPDX-License-Identifier: ISC */
/*
 * Another process becomes the main process of its group: before or after the
 * end of the first one, and only if it is one of the group.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/adopt.h"
#include "runtime/group/host.h"
#include "runtime/group/link.h"
#include "runtime/os/os.h"
#include "runtime/util/fd.h"
#include "trial.h"

/* A background process that says its pid and ends with 7 on a line. */
#define SUCCESSOR "exec 3<&0; (read x <&3; exit 7) & echo $!; "
/* More than the link to a leader holds. */
#define FLOOD 4096

static void
adopt_next(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	trial_record(host, event, arg);
	if (event->type == GROUPER_EVENT_AWAITING)
		ck_assert_int_eq(grouper_adopt(host, NULL,
				     (pid_t)trial_number(arg)),
		    GROUPER_OK);
}

static void
stop_then_adopt(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	enum grouper_error error;

	trial_record(host, event, arg);
	if (event->type != GROUPER_EVENT_AWAITING)
		return;
	ck_assert_int_eq(grouper_stop(host, NULL, NULL), GROUPER_OK);
	error = grouper_adopt(host, NULL, (pid_t)trial_number(arg));
	/* The leader may have done all that it had to, and have ended. */
	if (error != GROUPER_SYSTEM || (errno != EPIPE && errno != ECONNRESET))
		ck_assert_int_eq(error, GROUPER_OK);
}

static struct grouper_options
shell(struct trial *trial, const char *text)
{
	struct grouper_options options = trial_shell(trial, text);

	options.flags = GROUPER_ADOPT;
	return options;
}

/* With the trial's own key, so that its end is seen to. */
static void
start_with(struct trial *trial, const struct grouper_options *options,
    grouper_event_fn *fn)
{
	strlcpy(trial->keys[trial->nkeys++], "default", sizeof(trial->keys[0]));
	ck_assert_int_eq(grouper_start(trial->host, options, fn, trial),
	    GROUPER_OK);
}

/* A running group whose successor, by its pid, is the main process. */
static pid_t
start_adopted(struct trial *trial, const char *text)
{
	struct grouper_options options;
	const struct trial_event *event;
	pid_t pid;

	trial_open(trial, NULL);
	options = shell(trial, text);
	trial_start(trial, &options);
	trial_await(trial, GROUPER_EVENT_STARTED);
	pid = (pid_t)trial_number(trial);
	ck_assert_int_eq(grouper_adopt(trial->host, NULL, pid), GROUPER_OK);
	event = trial_await(trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(event->error, 0);
	ck_assert_int_eq(event->pid, pid);
	return pid;
}

static void
expect_end(struct trial *trial, int status)
{
	ck_assert_int_eq(WEXITSTATUS(trial_await(trial, GROUPER_EVENT_ENDED)
					 ->status),
	    status);
	ck_assert_int_eq(WEXITSTATUS(trial_await(trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    status);
	ck_assert_uint_eq(trial_count(trial, GROUPER_EVENT_ENDED), 1);
}

START_TEST(one_that_is_adopted_at_the_end_goes_on)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = shell(&trial, SUCCESSOR "exit 3");
	start_with(&trial, &options, adopt_next);
	trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_ENDED), 0);
	trial_say(&trial);
	expect_end(&trial, 7);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_AWAITING), 1);
	trial_close(&trial);
}
END_TEST

static bool
has_one_member(void *arg)
{
	struct grouper_processes list = { 0 };
	struct trial *trial = arg;
	bool one;

	ck_assert_int_eq(grouper_members(trial->host, NULL, &list), GROUPER_OK);
	one = list.count == 1;
	grouper_processes_free(&list);
	return one;
}

START_TEST(the_end_of_the_one_before_is_nothing)
{
	struct trial trial;

	start_adopted(&trial, SUCCESSOR "exec sleep 1000");
	kill(trial.events[0].pid, SIGKILL);
	trial_until(&trial, has_one_member, &trial);
	trial_say(&trial);
	expect_end(&trial, 7);
	trial_close(&trial);
}
END_TEST

START_TEST(the_end_of_a_living_process_s_child_has_no_status)
{
	struct trial trial;

	start_adopted(&trial, SUCCESSOR "wait; exec sleep 1000");
	trial_say(&trial);
	expect_end(&trial, 255);
	trial_close(&trial);
}
END_TEST

START_TEST(what_is_left_without_a_successor_is_swept)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = shell(&trial, "sleep 1000 & exit 6");
	if (_i == 1)
		options.flags |= GROUPER_HOLD_LEFTOVERS;
	trial_start(&trial, &options);
	trial_await(&trial, GROUPER_EVENT_AWAITING);
	if (_i == 1) {
		trial_await(&trial, GROUPER_EVENT_LEFTOVERS);
		grouper_stop(trial.host, NULL, NULL);
	} else {
		trial_await(&trial, GROUPER_EVENT_ENDED);
	}
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    6);
	trial_close(&trial);
}
END_TEST

START_TEST(nothing_is_awaited_where_nothing_is_left)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = shell(&trial, "exit 0");
	trial_run_ok(&trial, &options);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_AWAITING), 0);
	trial_close(&trial);
}
END_TEST

START_TEST(a_stop_is_not_undone_by_a_successor)
{
	struct grouper_options options;
	struct trial trial;
	size_t i;

	trial_open(&trial, NULL);
	options = shell(&trial, SUCCESSOR "exit 3");
	start_with(&trial, &options, stop_then_adopt);
	expect_end(&trial, 3);
	for (i = 0; i < trial.count; i++)
		if (trial.events[i].type == GROUPER_EVENT_ADOPTED)
			ck_assert_int_eq(trial.events[i].error, ECANCELED);
	trial_close(&trial);
}
END_TEST

/* A group of this command whose leader reads nothing until SIGCONT. */
static pid_t
start_stopped(struct trial *trial, const char *text, const char *steps)
{
	struct grouper_options options;
	pid_t leader;

	trial_open(trial, NULL);
	options = shell(trial, text);
	options.shutdown = steps;
	trial_start(trial, &options);
	trial_await(trial, GROUPER_EVENT_STARTED);
	leader = trial_leader();
	kill(leader, SIGSTOP);
	support_await_state(leader, "T");
	return leader;
}

START_TEST(a_flood_of_strangers_costs_no_stop)
{
	struct trial trial;
	pid_t leader;
	int i;

	leader = start_stopped(&trial, "exec sleep 1000", "infinity");
	for (i = 0; i < FLOOD; i++)
		ck_assert_int_eq(grouper_adopt(trial.host, NULL, getpid()),
		    GROUPER_OK);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	kill(leader, SIGCONT);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_le(trial_count(&trial, GROUPER_EVENT_ADOPTED), 2);
	trial_close(&trial);
}
END_TEST

START_TEST(of_those_that_wait_for_an_answer_the_newest_is_asked)
{
	const struct trial_event *event;
	struct trial trial;
	pid_t leader, pid;

	leader = start_stopped(&trial, SUCCESSOR "exec sleep 1000", NULL);
	pid = (pid_t)trial_number(&trial);
	grouper_adopt(trial.host, NULL, getpid());
	grouper_adopt(trial.host, NULL, leader);
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, pid), GROUPER_OK);
	kill(leader, SIGCONT);
	event = trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(event->error, ESRCH);
	ck_assert_int_eq(event->status, getpid());
	event = trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(event->error, 0);
	ck_assert_int_eq(event->status, pid);
	trial_say(&trial);
	expect_end(&trial, 255);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_ADOPTED), 2);
	trial_close(&trial);
}
END_TEST

static void
adopt_after_a_stranger(struct grouper_host *host,
    const struct grouper_event *event, void *arg)
{
	if (event->type == GROUPER_EVENT_AWAITING)
		ck_assert_int_eq(grouper_adopt(host, NULL, getpid()),
		    GROUPER_OK);
	adopt_next(host, event, arg);
}

START_TEST(one_that_waits_for_an_answer_comes_before_the_end)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = shell(&trial, SUCCESSOR "exit 3");
	start_with(&trial, &options, adopt_after_a_stranger);
	ck_assert_int_eq(trial_await(&trial, GROUPER_EVENT_ADOPTED)->error,
	    ESRCH);
	ck_assert_int_eq(trial_await(&trial, GROUPER_EVENT_ADOPTED)->error, 0);
	trial_say(&trial);
	expect_end(&trial, 7);
	trial_close(&trial);
}
END_TEST

/*
 * Its leader, which is stopped, gets the word that none is to come behind
 * what it reads in a turn; its last process ends before it reads any.
 */
static void
end_before_the_answer(struct grouper_host *host,
    const struct grouper_event *event, void *arg)
{
	pid_t leader, last;
	size_t i;

	trial_record(host, event, arg);
	if (event->type != GROUPER_EVENT_AWAITING)
		return;
	leader = trial_leader();
	last = (pid_t)trial_number(arg);
	kill(leader, SIGSTOP);
	support_await_state(leader, "T");
	for (i = 0; i < LINK_TURN; i++)
		ck_assert_int_eq(grouper_signal(host, NULL, SIGURG),
		    GROUPER_OK);
	trial_say(arg);
	support_await_gone(last);
}

START_TEST(an_end_is_told_once_where_the_group_is_empty_first)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = shell(&trial, SUCCESSOR "exit 3");
	start_with(&trial, &options, end_before_the_answer);
	trial_await(&trial, GROUPER_EVENT_AWAITING);
	kill(trial_leader(), SIGCONT);
	expect_end(&trial, 3);
	trial_close(&trial);
}
END_TEST

START_TEST(the_main_process_itself_is_taken)
{
	const struct trial_event *event;
	struct trial trial;
	pid_t pid;

	pid = start_adopted(&trial, SUCCESSOR "exec sleep 1000");
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, pid), GROUPER_OK);
	event = trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(event->error, 0);
	ck_assert_int_eq(event->pid, pid);
	kill(trial.events[0].pid, SIGKILL);
	trial_until(&trial, has_one_member, &trial);
	trial_say(&trial);
	expect_end(&trial, 7);
	trial_close(&trial);
}
END_TEST

/* This process, the leader, one that is gone. */
static pid_t
stranger(int which)
{
	pid_t pid;

	switch (which) {
	case 0:
		return getpid();
	case 1:
		return trial_leader();
	default:
		pid = fork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		return pid;
	}
}

START_TEST(a_stranger_is_refused)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	pid_t gone, pid;

	gone = stranger(2); /* while no host waits for its children */
	trial_open(&trial, NULL);
	options = shell(&trial, "read x; exit 4");
	trial_start(&trial, &options);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	pid = _i == 2 ? gone : stranger(_i);
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, pid), GROUPER_OK);
	event = trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(event->error, ESRCH);
	ck_assert_int_eq(event->status, pid);
	ck_assert_int_eq(event->pid, trial.events[0].pid);
	trial_say(&trial);
	expect_end(&trial, 4);
	trial_close(&trial);
}
END_TEST

/* Through a handle, as long as its parent could reap it. */
START_TEST(signals_and_stop_steps_reach_the_adopted_one)
{
	static const enum grouper_stop_target targets[] = { GROUPER_STOP_GROUP,
		GROUPER_STOP_COMMAND, GROUPER_STOP_TREE };
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	options = shell(&trial,
	    "setsid sh -c 'trap \"echo got\" USR1; trap \"echo bye; exit\" "
	    "TERM; echo $$; while :; do sleep 1000 & wait $!; done' & "
	    "trap '' TERM; wait; while :; do sleep 1000; done");
	options.shutdown = "TERM 10s, KILL";
	options.stop_target = targets[_i];
	trial_start(&trial, &options);
	pid = (pid_t)trial_number(&trial);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, pid), GROUPER_OK);
	trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGUSR1), GROUPER_OK);
	trial_expect(&trial, "got");
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	trial_await(&trial, GROUPER_EVENT_ENDED);
	trial_expect(&trial, "bye");
	grouper_stop(trial.host, NULL, "KILL");
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(within_a_pid_namespace_its_pid_is_the_group_s)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	long inside;

	if (grouper_containment_probe(GROUPER_CONTAIN_PIDNS, NULL) != 0)
		SUPPORT_SKIP("no PID namespaces");
	trial_open(&trial, NULL);
	options = shell(&trial, SUCCESSOR "exec sleep 1000");
	options.contain = GROUPER_CONTAIN_PIDNS;
	trial_start(&trial, &options);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	inside = trial_number(&trial);
	grouper_adopt(trial.host, NULL, (pid_t)inside);
	event = trial_await(&trial, GROUPER_EVENT_ADOPTED);
	ck_assert_int_eq(event->error, 0);
	ck_assert_int_eq(event->status, inside);
	ck_assert_int_ne(event->pid, trial.events[0].pid);
	ck_assert_int_eq(kill(event->pid, 0), 0);
	kill(trial.events[0].pid, SIGKILL);
	trial_until(&trial, has_one_member, &trial);
	trial_say(&trial);
	expect_end(&trial, 7);
	trial_close(&trial);
}
END_TEST

START_TEST(only_a_group_that_may_be_adopted_in_is_asked)
{
	struct grouper_options options;
	struct trial trial;

	ck_assert_int_eq(grouper_adopt(NULL, NULL, 2), GROUPER_NO_GROUP);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "read x");
	trial_start(&trial, &options);
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, 2), GROUPER_INVALID);
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, 1), GROUPER_INVALID);
	ck_assert_int_eq(grouper_adopt(trial.host, "x", 2), GROUPER_NOT_FOUND);
	trial_say(&trial);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_adopt(trial.host, NULL, 2), GROUPER_NO_GROUP);
	trial_close(&trial);
}
END_TEST

/* Between the list of our children and a look at this one, it dies. */
static bool
kill_once(pid_t pid, void *arg)
{
	pid_t *parent = arg;
	siginfo_t info;

	if (pid == *parent) {
		*parent = 0;
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info,
				     WEXITED | WNOWAIT),
		    0);
	}
	return false;
}

START_TEST(a_parent_that_dies_meanwhile_hides_no_child)
{
	struct support_process child;
	pid_t parent;
	struct walk walk = { .capacity = 0 };
	int fd;

	ck_assert_int_eq(os_set_subreaper(true), 0);
	parent = trial_chain(2);
	ck_assert_uint_eq(support_descendants(parent, &child, 1), 1);
	ck_assert_int_eq(walk_init(&walk), 0);
	walk.skip = kill_once;
	walk.skip_arg = &parent;
	fd = adopt_open(&walk, SWEEP_ALL, child.pid);
	ck_assert_int_eq(parent, 0);
	ck_assert_int_ne(fd, -1);
	fd_close(&fd);
	walk_fini(&walk);
	support_sweep(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("adopt");
	TCase *tc = support_case(suite, "adopt");

	tcase_add_test(tc, one_that_is_adopted_at_the_end_goes_on);
	tcase_add_test(tc, the_end_of_the_one_before_is_nothing);
	tcase_add_test(tc, the_end_of_a_living_process_s_child_has_no_status);
	tcase_add_loop_test(tc, what_is_left_without_a_successor_is_swept, 0,
	    2);
	tcase_add_test(tc, nothing_is_awaited_where_nothing_is_left);
	tcase_add_test(tc, a_stop_is_not_undone_by_a_successor);
	tcase_add_test(tc, a_flood_of_strangers_costs_no_stop);
	tcase_add_test(tc,
	    of_those_that_wait_for_an_answer_the_newest_is_asked);
	tcase_add_test(tc, one_that_waits_for_an_answer_comes_before_the_end);
	tcase_add_test(tc, an_end_is_told_once_where_the_group_is_empty_first);
	tcase_add_test(tc, the_main_process_itself_is_taken);
	tcase_add_loop_test(tc, a_stranger_is_refused, 0, 3);
	tcase_add_test(tc, a_parent_that_dies_meanwhile_hides_no_child);
	tcase_add_loop_test(tc, signals_and_stop_steps_reach_the_adopted_one, 0,
	    3);
	tcase_add_test(tc, within_a_pid_namespace_its_pid_is_the_group_s);
	tcase_add_test(tc, only_a_group_that_may_be_adopted_in_is_asked);
	return support_main(suite, NULL);
}
