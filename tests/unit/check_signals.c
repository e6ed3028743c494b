/* SPDX-License-Identifier: ISC */
/*
 * Signal masks and dispositions: saved, changed and given back; and ends and
 * stops as a signal would have them.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/signals.h"
#include "trial.h"

static void
on_signal(int signum)
{
	(void)signum;
}

static bool
is_at(int signum, void (*handler)(int))
{
	struct sigaction action;

	return sigaction(signum, NULL, &action) == 0 &&
	    action.sa_handler == handler;
}

static bool
is_blocked(int signum)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, signum) == 1;
}

static void
block(int signum)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signum);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

START_TEST(take_blocks_everything_and_give_back_restores)
{
	struct signals saved;
	int signum;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_IGN);
	block(SIGUSR2);
	block(SIGRTMIN + 1);
	signals_take(&saved);
	for (signum = 1; signum <= SIGRTMAX; signum++)
		if (signum != SIGKILL && signum != SIGSTOP &&
		    (signum <= SIGSYS || signum >= SIGRTMIN))
			ck_assert_msg(is_blocked(signum), "%d is not blocked",
			    signum);
	ck_assert(is_at(SIGCHLD, SIG_DFL));
	ck_assert(is_at(SIGPIPE, SIG_IGN));
	signals_give_back(&saved);
	ck_assert(is_at(SIGCHLD, SIG_IGN));
	ck_assert(is_at(SIGPIPE, SIG_DFL));
	ck_assert(is_at(SIGUSR1, SIG_IGN));
	for (signum = 1; signum <= SIGSYS; signum++)
		ck_assert_int_eq(is_blocked(signum), signum == SIGUSR2);
	ck_assert(is_blocked(SIGRTMIN + 1));
	ck_assert(!is_blocked(SIGRTMIN));
}
END_TEST

START_TEST(save_changes_nothing)
{
	struct signals saved;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGUSR1, on_signal);
	block(SIGUSR2);
	signals_save(&saved);
	ck_assert(is_at(SIGCHLD, SIG_IGN));
	ck_assert(is_at(SIGUSR1, on_signal));
	ck_assert(is_blocked(SIGUSR2));
	ck_assert(!is_blocked(SIGUSR1));
	/* The host's changes, undone for a command; handlers are its own. */
	signal(SIGCHLD, SIG_DFL);
	block(SIGHUP);
	signals_give_back(&saved);
	ck_assert(is_at(SIGCHLD, SIG_IGN));
	ck_assert(is_at(SIGUSR1, SIG_DFL));
	ck_assert(is_blocked(SIGUSR2));
	ck_assert(!is_blocked(SIGHUP));
}
END_TEST

START_TEST(nothing_saved_means_defaults)
{
	int signum;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_signal);
	signal(SIGRTMAX, SIG_IGN);
	block(SIGUSR2);
	block(SIGTERM);
	signals_give_back(NULL);
	for (signum = 1; signum <= SIGRTMAX; signum++)
		if (signum <= SIGSYS || signum >= SIGRTMIN) {
			ck_assert_msg(is_at(signum, SIG_DFL),
			    "%d is not at its default", signum);
			ck_assert_msg(!is_blocked(signum), "%d is blocked",
			    signum);
		}
}
END_TEST

static int
status_of(void (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = trial_fork(fn, arg);

	support_await_gone(pid);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* Whatever was done to it: ignored, blocked, with a handler. */
static void
die(void *arg)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct signals saved;
	int signum = *(int *)arg;

	setrlimit(RLIMIT_CORE, &limit);
	if (signum % 2 == 0)
		signal(signum, SIG_IGN);
	else
		signal(signum, on_signal);
	signals_take(&saved);
	signals_die(signum);
}

START_TEST(die_ends_by_the_signal_without_a_core)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGSEGV,
		SIGUSR1, SIGPIPE, SIGTERM, SIGKILL };
	size_t i;
	int status;

	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		status = status_of(die, (void *)(uintptr_t)&ending[i]);
		ck_assert_msg(WIFSIGNALED(status), "%s: wait status %#x",
		    strsignal(ending[i]), status);
		ck_assert_int_eq(WTERMSIG(status), ending[i]);
		ck_assert(!WCOREDUMP(status));
	}
}
END_TEST

/* Where its default does not end a process, the shell's status for it. */
START_TEST(die_ends_in_any_case)
{
	int signum = SIGCONT, status;

	status = status_of(die, &signum);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 128 + SIGCONT);
}
END_TEST

struct stopping {
	int signum;
	int said;
};

static void
stop(void *arg)
{
	struct stopping *stopping = arg;
	struct signals saved;

	setpgid(0, 0);
	signals_take(&saved);
	signals_stop(stopping->signum);
	if (write(stopping->said, "c", 1) != 1)
		_exit(99);
}

/* The test stands for the shell: same session, another process group. */
START_TEST(stop_stops_until_continued)
{
	static const int stopping[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP };
	struct stopping how = { stopping[_i], -1 };
	int said[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(said), 0);
	how.said = said[1];
	pid = trial_fork(stop, &how);
	support_await_state(pid, "T");
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	trial_join(pid);
	close(said[0]);
	close(said[1]);
}
END_TEST

static void
stop_orphaned(void *arg)
{
	struct signals saved;

	setsid();
	signals_take(&saved);
	signals_stop(*(int *)arg);
}

/* Nobody could continue it: it is not to stop for ever. */
START_TEST(an_orphaned_process_group_does_not_stop)
{
	static const int stopping[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP };
	int signum = stopping[_i];

	trial_join(trial_fork(stop_orphaned, &signum));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("signals");
	TCase *tc = support_case(s, "saved");

	tcase_add_test(tc, take_blocks_everything_and_give_back_restores);
	tcase_add_test(tc, save_changes_nothing);
	tcase_add_test(tc, nothing_saved_means_defaults);

	tc = support_case(s, "suffered");
	tcase_add_test(tc, die_ends_by_the_signal_without_a_core);
	tcase_add_test(tc, die_ends_in_any_case);
	tcase_add_loop_test(tc, stop_stops_until_continued, 0, 4);
	tcase_add_loop_test(tc, an_orphaned_process_group_does_not_stop, 0, 4);
	return support_main(s, NULL);
}
