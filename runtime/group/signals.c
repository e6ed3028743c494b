/* SPDX-License-Identifier: ISC */
/*
 * Saved mask and dispositions: see signals.h.
 */
#include "runtime/group/signals.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

static void
set_disposition(int signum, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	/* KILL, STOP and what libc keeps for itself refuse: they are right. */
	sigaction(signum, &action, NULL);
}

void
signals_take(struct signals *saved)
{
	struct sigaction action;
	sigset_t all;
	int signum;

	/* Before all else, so that nothing is acted on half way. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &saved->mask);

	sigemptyset(&saved->ignored);
	for (signum = 1; signum <= SIGRTMAX; signum++)
		if (sigaction(signum, NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN)
			sigaddset(&saved->ignored, signum);

	set_disposition(SIGCHLD, SIG_DFL);
	set_disposition(SIGPIPE, SIG_IGN);
}

void
signals_give_back(const struct signals *saved)
{
	sigset_t none;
	int signum;

	/*
	 * Dispositions first: a handler of the caller's must not run in this
	 * child when its signal is unblocked.
	 */
	for (signum = 1; signum <= SIGRTMAX; signum++) {
		if (saved != NULL && sigismember(&saved->ignored, signum) == 1)
			set_disposition(signum, SIG_IGN);
		else
			set_disposition(signum, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, saved != NULL ? &saved->mask : &none, NULL);
}

/* Sends a signal to ourselves; it acts, by its default, before we return. */
static void
suffer(int signum)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signum);
	kill(getpid(), signum);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void
signals_die(int signum)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	set_disposition(signum, SIG_DFL);
	suffer(signum);
	/* PID 1 is not ended by a signal at its default. */
	_exit(128 + signum);
}

/* Whether the process above could continue us: a shell with job control. */
static bool
parent_controls_jobs(void)
{
	pid_t parent = getppid();

	return getsid(parent) == getsid(0) && getpgid(parent) != getpgrp();
}

void
signals_stop(int signum)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, before;

	/*
	 * The kernel discards TSTP, TTIN and TTOU where nobody could continue
	 * us, but not STOP.
	 */
	if (signum == SIGSTOP && !parent_controls_jobs())
		signum = SIGTSTP;
	if (signum == SIGSTOP) {
		kill(getpid(), SIGSTOP);
		return;
	}
	sigaction(signum, &action, &before);
	suffer(signum);
	sigaction(signum, &before, NULL);
}
