/* SPDX-License-Identifier: ISC */
/*
 * The signal mask and dispositions that grouper was started with, to be
 * given back to a command before it is executed; and to end or to stop as a
 * signal would have had it.
 */
#ifndef RUNTIME_GROUP_SIGNALS_H
#define RUNTIME_GROUP_SIGNALS_H

#include <signal.h>

struct signals {
	sigset_t mask;
	sigset_t ignored;
};

/*
 * Saves mask and ignored signals of the process, then blocks every signal,
 * sets SIGCHLD to its default (an ignored one would have the kernel reap
 * children unseen) and ignores SIGPIPE.
 */
void signals_take(struct signals *saved);

/*
 * In a child before exec: every signal at its default, but for those that
 * saved ignores; then the saved mask.  saved NULL: all defaults, empty mask.
 * Async-signal-safe.
 */
void signals_give_back(const struct signals *saved);

/*
 * Ends the process by a signal, without a core dump, so that the process
 * above sees it; where a signal cannot do that (as PID 1), with the exit
 * status that shells give for it, 128 + signum.
 */
_Noreturn void signals_die(int signum);

/*
 * Stops the process as the signal (TSTP, TTIN, TTOU, STOP) would have, and
 * returns when it is continued.  In an orphaned process group, where nobody
 * would continue it, nothing happens.
 */
void signals_stop(int signum);

#endif
