/* SPDX-License-Identifier: ISC */
/*
 * Stop steps as processes see them: whom the first step addresses, that
 * later ones address everyone, their order, and what withstands them.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

/* Who I am, for the handler. */
static char letter;

static void
report(int signum)
{
	char line[] = { letter, ' ', 'I', '\n' };

	if (signum != SIGINT)
		line[2] = *(signum == SIGTERM ? "T" : "U");
	if (write(STDOUT_FILENO, line, sizeof(line)) == -1)
		_exit(99);
}

/*
 * From now on this process outlives what it reports.  Of signals that wait for
 * it together, the kernel delivers the lowest first, signal(7): a step's
 * before a later one's; a handler that another may interrupt would report
 * them the other way round.
 */
static void
become(char name)
{
	struct sigaction action = { .sa_handler = report };

	letter = name;
	sigfillset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGURG, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) == -1)
		_exit(99);
}

/*
 * M is the main process, C a child in its process group, G one in a group of
 * its own, S one in a session of its own, D a daemon.
 */
static int
family(void *arg, int out)
{
	static const char names[] = "CGSD";
	int ready[2], i;
	char byte;

	(void)arg;
	(void)out;
	if (pipe(ready) == -1)
		return 99;
	for (i = 0; names[i] != '\0'; i++) {
		if (fork() != 0)
			continue;
		if (names[i] == 'G')
			setpgid(0, 0);
		if (names[i] == 'S' || names[i] == 'D')
			setsid();
		if (names[i] == 'D' && fork() != 0)
			_exit(0);
		become(names[i]);
		say(ready[1], "r");
		for (;;)
			pause();
	}
	become('M');
	for (i = 0; names[i] != '\0'; i++)
		if (read(ready[0], &byte, 1) != 1)
			return 99;
	say(STDOUT_FILENO, "ready\n");
	for (;;)
		pause();
	return 0;
}

static void
start_family(struct trial *trial, struct grouper_options *options)
{
	trial_open(trial, NULL);
	*options = trial_shell(trial, "");
}

static void
run_family(struct trial *trial, const struct grouper_options *options)
{
	trial_exec(trial, options, family, NULL);
	trial_await(trial, GROUPER_EVENT_STARTED);
	trial_expect(trial, "ready");
}

/* Collects reports until everyone has had URG; who had TERM before it? */
static void
who_was_asked(struct trial *trial, char *asked)
{
	char line[64];
	int urged = 0;

	memset(asked, 0, 8);
	while (urged < 5) {
		trial_line(trial, line, sizeof(line));
		if (line[2] == 'T')
			asked[strlen(asked)] = line[0];
		else if (line[2] == 'U')
			urged++;
		else
			ck_abort_msg("'%s' came", line);
	}
}

static const struct {
	enum grouper_stop_target target;
	enum grouper_session session;
	const char *asked;
} targets[] = {
	{ GROUPER_STOP_COMMAND, GROUPER_SESSION_NEW, "M" },
	{ GROUPER_STOP_GROUP, GROUPER_SESSION_NEW, "MC" },
	{ GROUPER_STOP_TREE, GROUPER_SESSION_NEW, "MCGSD" },
	{ GROUPER_STOP_COMMAND, GROUPER_SESSION_KEEP, "M" },
	{ GROUPER_STOP_GROUP, GROUPER_SESSION_KEEP, "MC" },
	{ GROUPER_STOP_TREE, GROUPER_SESSION_KEEP, "MCGSD" },
};
#define TARGETS (int)(sizeof(targets) / sizeof(targets[0]))

START_TEST(the_first_step_addresses_its_target_later_ones_everyone)
{
	struct grouper_options options;
	struct trial trial;
	const char *at;
	char asked[8];

	start_family(&trial, &options);
	options.stop_target = targets[_i].target;
	options.session = targets[_i].session;
	options.shutdown = "TERM 100ms, URG 1h, KILL";
	run_family(&trial, &options);
	grouper_stop(trial.host, NULL, NULL);
	who_was_asked(&trial, asked);
	ck_assert_uint_eq(strlen(asked), strlen(targets[_i].asked));
	for (at = targets[_i].asked; *at != '\0'; at++)
		ck_assert_msg(strchr(asked, *at) != NULL, "%s were asked",
		    asked);
	trial_close(&trial);
}
END_TEST

START_TEST(a_stop_that_replaces_the_steps_addresses_everyone)
{
	struct grouper_options options;
	struct trial trial;
	char asked[8];

	start_family(&trial, &options);
	options.stop_target = GROUPER_STOP_COMMAND;
	run_family(&trial, &options);
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	trial_expect(&trial, "M T");
	grouper_stop(trial.host, NULL, "URG 1h, KILL");
	who_was_asked(&trial, asked);
	ck_assert_str_eq(asked, "");
	trial_close(&trial);
}
END_TEST

START_TEST(leftovers_are_all_asked_whatever_the_target)
{
	struct grouper_options options;
	struct trial trial;
	char line[64], asked[8];
	size_t n;

	start_family(&trial, &options);
	options.stop_target = GROUPER_STOP_COMMAND;
	options.shutdown = "TERM 1h, KILL";
	run_family(&trial, &options);
	grouper_signal(trial.host, NULL, SIGKILL);
	for (n = 0; n < 4; n++) {
		trial_line(&trial, line, sizeof(line));
		ck_assert_int_eq(line[2], 'T');
		asked[n] = line[0];
	}
	ck_assert_ptr_null(memchr(asked, 'M', n));
	trial_close(&trial);
}
END_TEST

/* The main process heeds the step: what it left is not to wait for KILL. */
START_TEST(what_a_main_process_leaves_in_a_step_is_asked_in_it)
{
	static const enum grouper_stop_target narrow[] = { GROUPER_STOP_COMMAND,
		GROUPER_STOP_GROUP };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "exec 3<&0; setsid sh -c \"trap 'echo child; exit' TERM; "
	    "echo ready; read x <&3\" & exec sleep 1000");
	options.stop_target = narrow[_i];
	options.shutdown = "TERM 1h, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, NULL, NULL);
	trial_expect(&trial, "child");
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(steps_come_in_their_order)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "trap 'echo INT' INT; trap 'echo USR1' USR1; "
	    "trap 'echo TERM' TERM; echo ready; "
	    "while :; do read x; done");
	options.shutdown = "USR1 500ms, INT 500ms, TERM 500ms, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, NULL, NULL);
	trial_expect(&trial, "USR1");
	trial_expect(&trial, "INT");
	trial_expect(&trial, "TERM");
	ck_assert_int_eq(WTERMSIG(trial_await(&trial, GROUPER_EVENT_EMPTY)
				      ->status),
	    SIGKILL);
	trial_close(&trial);
}
END_TEST

START_TEST(steps_of_the_group_hold_for_its_leftovers)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "exec 3<&0; (trap 'echo USR1; exit' USR1; echo ready; "
	    "read x <&3) & read x");
	options.shutdown = "USR1 1h, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGKILL), GROUPER_OK);
	trial_expect(&trial, "USR1");
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(the_last_step_may_wait_for_ever)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "trap 'echo TERM' TERM; echo ready; while :; do read x; done");
	options.shutdown = "infinity";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, NULL, NULL);
	trial_expect(&trial, "TERM");
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 100),
	    GROUPER_TIMED_OUT);
	trial_close(&trial);
}
END_TEST

START_TEST(a_stopped_process_acts_on_the_first_step)
{
	struct grouper_options options;
	struct support_process list[4];
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "sleep 1000 & echo $!; kill -STOP $!; read x");
	options.shutdown = "TERM 1h, KILL";
	trial_start(&trial, &options);
	pid = (pid_t)trial_number(&trial);
	support_await_state(pid, "T");
	grouper_stop(trial.host, NULL, NULL);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(support_descendants(getpid(), list, 4), 0);
	trial_close(&trial);
}
END_TEST

/* Another user's process, for whom has not the right to kill it. */
static bool
start_unkillable(struct trial *trial, struct grouper_options *options,
    const char **why)
{
	*why = "this process may not give up its right to kill";
	if (geteuid() != 0 || !trial_may_kill(false))
		return false;
	trial_open(trial, NULL);
	*options = trial_shell(trial, "echo $$; exec sleep 1000");
	options->uid = support_user();
	options->shutdown = "KILL";
	trial_start(trial, options);
	trial_await(trial, GROUPER_EVENT_STARTED);
	return true;
}

START_TEST(what_cannot_be_killed_is_told_and_never_called_empty)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	const char *why;
	pid_t pid;

	if (!start_unkillable(&trial, &options, &why))
		SUPPORT_SKIP("%s", why);
	pid = (pid_t)trial_number(&trial);
	ck_assert_int_eq(kill(pid, SIGKILL), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	event = trial_await(&trial, GROUPER_EVENT_UNKILLABLE);
	ck_assert_uint_eq(event->processes, 1);
	ck_assert_int_eq(event->pids[0], pid);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_UNKILLABLE);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_UNKILLABLE);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL),
	    GROUPER_UNKILLABLE);
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_ALREADY_STARTED);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 0);
	/* When it ends after all, the group is empty. */
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_UNKILLABLE), 1);
	trial_close(&trial);
}
END_TEST

START_TEST(orphans_that_cannot_be_killed_are_told)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;
	const char *why;
	pid_t pid;

	if (!start_unkillable(&trial, &options, &why))
		SUPPORT_SKIP("%s", why);
	pid = (pid_t)trial_number(&trial);
	trial_kill_leader();
	event = trial_await(&trial, GROUPER_EVENT_UNKILLABLE);
	ck_assert_uint_eq(event->processes, 1);
	ck_assert_int_eq(event->pids[0], pid);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_UNKILLABLE);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 0);
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	trial_close(&trial);
}
END_TEST

/* The host is gone: its leaders stop their groups alone. */
static void
host_to_be_killed(void *arg)
{
	struct trial *outer = arg, trial;
	struct grouper_options options;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "");
	options.fds = outer->fds;
	options.shutdown = "TERM 500ms, URG 500ms, KILL";
	trial_exec(&trial, &options, family, NULL);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_abort_msg("the group ended by itself");
}

START_TEST(a_killed_host_s_group_is_taken_through_its_steps)
{
	struct support_process list[16];
	struct trial trial;
	char line[64];
	pid_t host;
	int i;

	/* Only for its pipe: the host is in the child. */
	trial_open(&trial, NULL);
	trial_shell(&trial, "");
	host = trial_fork(host_to_be_killed, &trial);
	trial_expect(&trial, "ready");
	ck_assert_int_eq(kill(host, SIGKILL), 0);
	/* First the process group, then everyone, then KILL. */
	for (i = 0; i < 2; i++) {
		trial_line(&trial, line, sizeof(line));
		ck_assert_msg(strcmp(line, "M T") == 0 ||
			strcmp(line, "C T") == 0,
		    "%s came", line);
	}
	for (i = 0; i < 5; i++) {
		trial_line(&trial, line, sizeof(line));
		ck_assert_int_eq(line[2], 'U');
	}
	support_await_gone(host);
	for (;;) {
		if (support_descendants(getpid(), list, 16) == 0)
			break;
		support_await_gone(list[0].pid);
	}
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("stop");
	TCase *tc = support_case(s, "target");

	tcase_add_loop_test(tc,
	    the_first_step_addresses_its_target_later_ones_everyone, 0,
	    TARGETS);
	tcase_add_test(tc, a_stop_that_replaces_the_steps_addresses_everyone);
	tcase_add_test(tc, leftovers_are_all_asked_whatever_the_target);
	tcase_add_loop_test(tc,
	    what_a_main_process_leaves_in_a_step_is_asked_in_it, 0, 2);

	tc = support_case(s, "steps");
	tcase_add_test(tc, steps_come_in_their_order);
	tcase_add_test(tc, steps_of_the_group_hold_for_its_leftovers);
	tcase_add_test(tc, the_last_step_may_wait_for_ever);
	tcase_add_test(tc, a_stopped_process_acts_on_the_first_step);
	tcase_add_test(tc, a_killed_host_s_group_is_taken_through_its_steps);

	tc = support_case(s, "unkillable");
	tcase_add_test(tc,
	    what_cannot_be_killed_is_told_and_never_called_empty);
	tcase_add_test(tc, orphans_that_cannot_be_killed_are_told);
	return support_main(s, NULL);
}
