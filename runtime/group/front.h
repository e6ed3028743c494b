/* SPDX-License-Identifier: ISC */
/*
 * A process before the host, where the host's own process may not be one: a
 * host owns all children of its process, so it can neither be PID 1, to
 * which strangers' orphans fall, nor have children that it was born with
 * (a shell's, after `sleep & exec grouper ...`).
 */
#ifndef RUNTIME_GROUP_FRONT_H
#define RUNTIME_GROUP_FRONT_H

#include <sys/types.h>

#include <stdbool.h>

/* Whether this process is PID 1 or already has children. */
bool front_needed(void);

/*
 * Forks.  In the child, which shall be the host, it returns 0; the host gets
 * SIGTERM when the front is killed.  The parent never returns: it reaps
 * whatever falls to it, passes signals on to the child, stops and continues
 * with it, and ends with its exit status or by its signal.
 *
 * parent: where SIGNALS_PARENT is set, the process whose death the host shall
 * get SIGTERM for; else -1.
 *
 * To be called with every signal blocked (signals_take()) and before the
 * process has a loop or threads.  The parent keeps no descriptor but standard
 * error.  Returns -1 with errno if there is no child.
 */
int front_split(pid_t parent);

#endif
