/* SPDX-License-Identifier: ISC */
/*
 * The signal mask and dispositions that grouper was started with, to be
 * given back to a command before it is executed; to end or to stop as a signal
 * would have had it; and what tells of the parent's death.
 */
#ifndef RUNTIME_GROUP_SIGNALS_H
#define RUNTIME_GROUP_SIGNALS_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>

/*
 * What nobody sends, for os_set_parent_death_signal(): it comes as well when
 * only the thread ends that started us, prctl(2), and where anybody does send
 * it.  signals_orphaned() tells.
 */
#define SIGNALS_PARENT (SIGRTMAX - 1)

struct signals {
	sigset_t mask;
	sigset_t ignored; /* of those that a host changes: CHLD and PIPE */
	bool handlers;	  /* others may have handlers */
};

/*
 * Saves the mask of the process, then blocks every signal, sets SIGCHLD to its
 * default (an ignored one would have the kernel reap children unseen) and
 * ignores SIGPIPE.
 */
void signals_take(struct signals *saved);

/* Saves the same, and changes nothing: for a program with its own signals. */
void signals_save(struct signals *saved);

/*
 * In a child before exec: what the host changed is as it was, what had a
 * handler is at its default, and the saved mask holds.  saved NULL: every
 * signal at its default, and an empty mask.  Async-signal-safe.
 */
void signals_give_back(const struct signals *saved);

/* After SIGNALS_PARENT: is this process dead that getppid() told before? */
bool signals_orphaned(pid_t parent);

/*
 * Ends the process by a signal, without a core dump, so that the process
 * above sees it; where a signal cannot do that (as PID 1), with the exit
 * status that shells give for it, 128 + signum.
 */
_Noreturn void signals_die(int signum);

/*
 * Stops the process as the signal (TSTP, TTIN, TTOU, or TSTP for STOP) would
 * have, and returns when it is continued.  In an orphaned process group, where
 * nobody would continue it, nothing happens.
 */
void signals_stop(int signum);

/*
 * The same, and calls pending(arg) just before: a SIGCONT that comes from
 * then on undoes the stop, however early.
 */
void signals_stop_when(int signum, void (*pending)(void *), void *arg);

#endif
