/* SPDX-License-Identifier: ISC */
/*
 * The primitives a program uses on itself: commandeer, sweep, release.  Each
 * test process is its own group; check forks it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"

static int report[2];

static void
say(char what)
{
	if (write(report[1], &what, 1) != 1)
		_exit(99);
}

/* The next thing that was said; 0 at a deadline, '.' if all have ended. */
static char
heard(void)
{
	struct pollfd pfd = { report[0], POLLIN, 0 };
	char what;
	ssize_t n;

	if (poll(&pfd, 1, SUPPORT_PATIENCE * support_scale()) != 1)
		return 0;
	n = read(report[0], &what, 1);
	if (n != 1)
		what = '.';
	return what;
}

/* Children are not to inherit check's handlers, which signal the test. */
static void
setup(void)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	ck_assert_int_eq(pipe2(report, O_CLOEXEC), 0);
}

static void
teardown(void)
{
	close(report[0]);
	close(report[1]);
}

static void
on_signal(int signum)
{
	if (signum == SIGINT) {
		say('I');
	} else if (signum == SIGCONT) {
		say('C');
	} else {
		say('T');
		_exit(0);
	}
}

/* A child that tells what it gets; told 'r' when it is ready. */
static pid_t
fork_listener(bool end_on_term)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;
	pid_t pid = fork();
	int signum;

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	if (end_on_term) {
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_BLOCK, &set, NULL);
		say('r');
		sigwait(&set, &signum);
		say('T');
		_exit(0);
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	say('r');
	for (;;)
		pause();
}

static void
nothing_left(void)
{
	struct support_process list[4];

	ck_assert_uint_eq(support_descendants(getpid(), list, 4), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
}

START_TEST(without_children_a_sweep_is_over_at_once)
{
	struct grouper_processes left;

	ck_assert_int_eq(grouper_sweep(NULL, &left), GROUPER_OK);
	ck_assert_uint_eq(left.count, 0);
	ck_assert_int_eq(grouper_sweep("infinity", NULL), GROUPER_OK);
}
END_TEST

START_TEST(a_sweep_ends_what_heeds_term)
{
	long long began = support_now();

	fork_listener(true);
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("TERM 1h, KILL", NULL), GROUPER_OK);
	ck_assert_int_eq(heard(), 'T');
	ck_assert_int_lt(support_now() - began, SUPPORT_PATIENCE);
	nothing_left();
}
END_TEST

START_TEST(a_sweep_kills_what_ignores_term)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		say('r');
		for (;;)
			pause();
	}
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("TERM 20ms, KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

START_TEST(a_sweep_goes_through_its_steps_in_order)
{
	char said[3] = "";
	size_t i;

	fork_listener(false);
	ck_assert_int_eq(heard(), 'r');
	/* On a busy machine it takes a while until it acts on the first. */
	ck_assert_int_eq(grouper_sweep("INT 3s, TERM 1h, KILL", NULL),
	    GROUPER_OK);
	/* CONT after each: a stopped process acts on nothing else. */
	for (i = 0; i < sizeof(said); i++)
		said[i] = heard();
	ck_assert_int_eq(said[said[0] == 'C'], 'I');
	ck_assert_int_eq(said[2] == 'C' ? heard() : said[2], 'T');
	nothing_left();
}
END_TEST

START_TEST(brutal_kill_asks_nobody)
{
	fork_listener(false);
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("brutal_kill", NULL), GROUPER_OK);
	nothing_left();
	close(report[1]);
	report[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(heard(), '.');
}
END_TEST

START_TEST(a_stopped_child_hears_the_first_step)
{
	pid_t pid = fork_listener(true);

	ck_assert_int_eq(heard(), 'r');
	kill(pid, SIGSTOP);
	support_await_state(pid, "T");
	ck_assert_int_eq(grouper_sweep("TERM 1h, KILL", NULL), GROUPER_OK);
	ck_assert_int_eq(heard(), 'T');
	nothing_left();
}
END_TEST

/* Out of session, process group and parentage. */
START_TEST(a_daemon_is_swept)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		setpgid(0, 0);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		say('r');
		for (;;)
			pause();
	}
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("TERM 10ms, KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

#define PARENTS 30

/* A parent that dies of the asking hands its child over meanwhile. */
START_TEST(asking_reaches_the_children_of_those_that_die_of_it)
{
	int i, asked = 0, ready = 0;
	char what;

	for (i = 0; i < PARENTS; i++)
		if (fork() == 0) {
			fork_listener(true);
			say('p');
			for (;;)
				pause();
		}
	while (ready < 2 * PARENTS) {
		what = heard();
		ck_assert(what == 'r' || what == 'p');
		ready++;
	}
	ck_assert_int_eq(grouper_sweep("TERM 5s, KILL", NULL), GROUPER_OK);
	close(report[1]);
	report[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	while (heard() == 'T')
		asked++;
	ck_assert_int_eq(asked, PARENTS);
	nothing_left();
}
END_TEST

/* Each generation forks the next and ends: no list of them is ever whole. */
static void
comet(void)
{
	for (;;) {
		switch (fork()) {
		case -1:
			continue;
		case 0:
			break;
		default:
			_exit(0);
		}
	}
}

START_TEST(comets_are_swept)
{
	int i;

	for (i = 0; i < 3; i++)
		if (fork() == 0) {
			signal(SIGTERM, SIG_IGN);
			say('r');
			comet();
		}
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("TERM 10ms, KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

START_TEST(a_vfork_parent_is_swept)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		/* As a vfork child that never executes: the parent stays in
		 * state D as long. */
		if (vfork() == 0) {
			say('r');
			for (;;)
				pause();
		}
		_exit(0);
	}
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

START_TEST(zombies_are_reaped)
{
	pid_t pid;
	int i;

	for (i = 0; i < 200; i++)
		if (fork() == 0)
			_exit(0);
	/* And those of a child that never waits. */
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < 20; i++)
			if (fork() == 0)
				_exit(0);
		say('r');
		for (;;)
			pause();
	}
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("TERM 1h, KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

/* With SIGCHLD ignored the kernel reaps: empty is empty all the same. */
START_TEST(a_sweep_works_while_sigchld_is_ignored)
{
	signal(SIGCHLD, SIG_IGN);
	fork_listener(true);
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("TERM 1h, KILL", NULL), GROUPER_OK);
	ck_assert_int_eq(heard(), 'T');
	nothing_left();
}
END_TEST

START_TEST(bad_steps_end_nothing)
{
	struct grouper_processes left;
	pid_t pid = fork_listener(true);

	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_sweep("now", &left), GROUPER_INVALID);
	ck_assert_uint_eq(left.count, 0);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
}
END_TEST

START_TEST(what_withstands_is_listed)
{
	struct grouper_processes left;
	uid_t uid = support_user();
	pid_t pid;

	if (geteuid() != 0 || !trial_may_kill(true))
		SUPPORT_SKIP("this process may not give up its right to kill");
	pid = fork();
	if (pid == 0) {
		if (setresuid(uid, uid, uid) == -1)
			_exit(99);
		say('r');
		for (;;)
			pause();
	}
	ck_assert_int_eq(heard(), 'r');
	ck_assert(trial_may_kill(false));
	ck_assert_int_eq(grouper_sweep("KILL", &left), GROUPER_UNKILLABLE);
	ck_assert_uint_eq(left.count, 1);
	ck_assert_int_eq(left.items[0].pid, pid);
	ck_assert_uint_eq(left.items[0].uid, uid);
	grouper_processes_free(&left);
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

static int
is_subreaper(void)
{
	int on = -1;

	ck_assert_int_eq(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	return on;
}

START_TEST(commandeer_makes_a_subreaper_and_release_undoes_it)
{
	struct grouper_self self = GROUPER_SELF_INIT;
	pid_t group = getpgrp(), session = getsid(0);

	prctl(PR_SET_CHILD_SUBREAPER, 0);
	ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_OK);
	ck_assert_int_eq(is_subreaper(), 1);
	ck_assert_int_eq(getpgrp(), group);
	ck_assert_int_eq(getsid(0), session);
	ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
	ck_assert_int_eq(is_subreaper(), 0);
}
END_TEST

START_TEST(release_leaves_a_former_subreaper_one)
{
	struct grouper_self self = GROUPER_SELF_INIT;

	ck_assert_int_eq(is_subreaper(), 1);
	ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_OK);
	ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
	ck_assert_int_eq(is_subreaper(), 1);
}
END_TEST

START_TEST(a_self_holds_one_state_at_a_time)
{
	struct grouper_self self = GROUPER_SELF_INIT;
	int i;

	prctl(PR_SET_CHILD_SUBREAPER, 0);
	ck_assert_int_eq(grouper_release(&self), GROUPER_INVALID);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_OK);
		ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_INVALID);
		ck_assert_int_eq(is_subreaper(), 1);
		ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
		ck_assert_int_eq(is_subreaper(), 0);
		ck_assert_int_eq(grouper_release(&self), GROUPER_INVALID);
	}
}
END_TEST

static void
take_process_group(void *arg)
{
	struct grouper_self self = GROUPER_SELF_INIT;
	pid_t before = getpgrp();

	(void)arg;
	ck_assert_int_ne(before, getpid());
	ck_assert_int_eq(grouper_commandeer(GROUPER_NEW_PGROUP, &self),
	    GROUPER_OK);
	ck_assert_int_eq(getpgrp(), getpid());
	ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
	ck_assert_int_eq(getpgrp(), before);
	ck_assert_int_eq(is_subreaper(), 0);
}

START_TEST(a_new_process_group_is_given_back)
{
	trial_join(trial_fork(take_process_group, NULL));
}
END_TEST

static void
take_session(void *arg)
{
	struct grouper_self self = GROUPER_SELF_INIT;

	(void)arg;
	ck_assert_int_eq(grouper_commandeer(GROUPER_NEW_SESSION, &self),
	    GROUPER_OK);
	ck_assert_int_eq(getsid(0), getpid());
	ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
	ck_assert_int_eq(getsid(0), getpid());
	ck_assert_int_eq(is_subreaper(), 0);
}

START_TEST(a_new_session_is_kept)
{
	trial_join(trial_fork(take_session, NULL));
}
END_TEST

START_TEST(commandeer_that_fails_changes_nothing)
{
	struct grouper_self self = GROUPER_SELF_INIT;

	prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (getpgrp() != getpid())
		ck_assert_int_eq(setpgid(0, 0), 0);
	/* The leader of a process group cannot make a session. */
	ck_assert_int_eq(grouper_commandeer(GROUPER_NEW_SESSION, &self),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(is_subreaper(), 0);
	ck_assert_int_eq(grouper_release(&self), GROUPER_INVALID);
	ck_assert_int_eq(grouper_commandeer(GROUPER_NEW_SESSION |
				 GROUPER_NEW_PGROUP,
			     &self),
	    GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(grouper_commandeer(4, &self), GROUPER_INVALID);
	ck_assert_int_eq(grouper_commandeer(0, NULL), GROUPER_INVALID);
	ck_assert_int_eq(grouper_release(NULL), GROUPER_INVALID);
	self.size = 1;
	ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_INVALID);
	ck_assert_int_eq(grouper_release(&self), GROUPER_INVALID);
	ck_assert_int_eq(is_subreaper(), 0);
}
END_TEST

START_TEST(release_kills_nothing)
{
	struct grouper_self self = GROUPER_SELF_INIT;
	pid_t pid;

	ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_OK);
	pid = fork_listener(true);
	ck_assert_int_eq(heard(), 'r');
	ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
}
END_TEST

static void
without_commandeer(void *arg)
{
	(void)arg;
	if (fork() == 0) {
		if (fork() == 0) {
			say('r');
			for (;;)
				pause();
		}
		_exit(0);
	}
	ck_assert_int_eq(waitpid(-1, NULL, 0) > 0, 1);
	/* The orphan went elsewhere: this process has no descendant. */
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
}

/* What commandeer is for: without it orphans escape. */
START_TEST(an_orphan_of_an_ordinary_process_is_not_its_own)
{
	struct support_process list[4];

	trial_join(trial_fork(without_commandeer, NULL));
	ck_assert_int_eq(heard(), 'r');
	ck_assert_uint_eq(support_descendants(getpid(), list, 4), 1);
	ck_assert_int_eq(grouper_sweep("KILL", NULL), GROUPER_OK);
	nothing_left();
}
END_TEST

static void
add_case(Suite *s, const char *name, const TTest *const *tests, size_t n)
{
	TCase *tc = support_case(s, name);
	size_t i;

	tcase_add_checked_fixture(tc, setup, teardown);
	for (i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
}

int
main(void)
{
	Suite *s = suite_create("self");
	const TTest *const sweep[] = {
		without_children_a_sweep_is_over_at_once,
		a_sweep_ends_what_heeds_term,
		a_sweep_kills_what_ignores_term,
		a_sweep_goes_through_its_steps_in_order,
		brutal_kill_asks_nobody,
		a_stopped_child_hears_the_first_step,
		a_daemon_is_swept,
		asking_reaches_the_children_of_those_that_die_of_it,
		comets_are_swept,
		a_vfork_parent_is_swept,
		zombies_are_reaped,
		a_sweep_works_while_sigchld_is_ignored,
		bad_steps_end_nothing,
		what_withstands_is_listed,
	};
	const TTest *const self[] = {
		commandeer_makes_a_subreaper_and_release_undoes_it,
		release_leaves_a_former_subreaper_one,
		a_self_holds_one_state_at_a_time,
		a_new_process_group_is_given_back,
		a_new_session_is_kept,
		commandeer_that_fails_changes_nothing,
		release_kills_nothing,
		an_orphan_of_an_ordinary_process_is_not_its_own,
	};

	add_case(s, "sweep", sweep, sizeof(sweep) / sizeof(sweep[0]));
	add_case(s, "commandeer", self, sizeof(self) / sizeof(self[0]));
	return support_main(s, NULL);
}
