/* SPDX-License-Identifier: ISC */
/*
 * The ancestors of a process, as /proc tells them.
 */
#ifndef RUNTIME_CONTROL_DESCENT_H
#define RUNTIME_CONTROL_DESCENT_H

#include <sys/types.h>

#include <stdbool.h>

#include "runtime/os/os.h"

/* Whether to go on to the parent. */
typedef bool descent_fn(const struct os_stat *stat, void *arg);

/*
 * Calls fn for a process and then for each of its ancestors, nearest first,
 * in the pids of /proc as it is mounted.  pid 0 is this process.
 *
 * Returns 0; -1 with errno, ESRCH if there is no such process.
 */
int descent_walk(pid_t pid, descent_fn *fn, void *arg);

/*
 * The pid under which /proc as it is mounted, which may be an outer PID
 * namespace's, shows a process that kill(2) knows by pid.
 *
 * Returns -1 with errno: ESRCH if there is no such process, ENOSYS where /proc
 * is missing or does not see this namespace.
 */
pid_t descent_pid(pid_t pid);

#endif
