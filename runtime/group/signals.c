/* SPDX-License-Identifier: ISC */
/*
 * Saved mask and dispositions: see signals.h.
 */
#include "runtime/group/signals.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/os/os.h"

/* What a host changes; all others pass through as they are. */
static const int changed[] = { SIGCHLD, SIGPIPE };

static void
set_disposition(int signum, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	/* KILL, STOP and what libc keeps for itself refuse: they are right. */
	sigaction(signum, &action, NULL);
}

static void
save_ignored(struct signals *saved)
{
	struct sigaction action;
	size_t i;

	sigemptyset(&saved->ignored);
	for (i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		if (sigaction(changed[i], NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN)
			sigaddset(&saved->ignored, changed[i]);
}

void
signals_take(struct signals *saved)
{
	sigset_t all;

	/* Before all else, so that nothing is acted on half way. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &saved->mask);
	save_ignored(saved);
	saved->handlers = false;
	set_disposition(SIGCHLD, SIG_DFL);
	set_disposition(SIGPIPE, SIG_IGN);
}

void
signals_save(struct signals *saved)
{
	sigprocmask(SIG_BLOCK, NULL, &saved->mask);
	save_ignored(saved);
	saved->handlers = true;
}

/*
 * Dispositions first: a handler of the caller's must not run in this child
 * when its signal is unblocked.
 */
static void
reset(bool ignored_too)
{
	struct sigaction action;
	int signum;

	for (signum = 1; signum <= SIGRTMAX; signum++)
		if (ignored_too ||
		    (sigaction(signum, NULL, &action) == 0 &&
			action.sa_handler != SIG_IGN))
			os_reset_signal(signum);
}

void
signals_give_back(const struct signals *saved)
{
	sigset_t none;
	bool ignored;
	size_t i;

	if (saved == NULL) {
		reset(true);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		return;
	}
	if (saved->handlers)
		reset(false);
	for (i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		ignored = sigismember(&saved->ignored, changed[i]) == 1;
		set_disposition(changed[i], ignored ? SIG_IGN : SIG_DFL);
	}
	sigprocmask(SIG_SETMASK, &saved->mask, NULL);
}

bool
signals_orphaned(pid_t parent)
{
	/* Whoever is outside of our PID namespace reads as 0, and so does who
	 * comes after: then there is the signal only. */
	return parent == 0 || getppid() != parent;
}

/*
 * Sends a signal to ourselves; it acts, by its default, before we return.
 * pending: called when it was sent and does not act yet; NULL for nothing.
 */
static void
suffer(int signum, void (*pending)(void *), void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signum);
	kill(getpid(), signum);
	if (pending != NULL)
		pending(arg);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void
signals_die(int signum)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	set_disposition(signum, SIG_DFL);
	suffer(signum, NULL, NULL);
	/* PID 1 is not ended by a signal at its default. */
	_exit(128 + signum);
}

void
signals_stop_when(int signum, void (*pending)(void *), void *arg)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, before;

	/*
	 * The kernel discards TSTP, TTIN and TTOU where nobody could continue
	 * us, but not STOP, which cannot be pending either.
	 */
	if (signum == SIGSTOP)
		signum = SIGTSTP;
	sigaction(signum, &action, &before);
	suffer(signum, pending, arg);
	sigaction(signum, &before, NULL);
}

void
signals_stop(int signum)
{
	signals_stop_when(signum, NULL, NULL);
}
