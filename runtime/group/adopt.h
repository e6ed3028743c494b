/* SPDX-License-Identifier: ISC */
/*
 * A process of a group that is to take the place of its main process, for the
 * leader.  It need not be a child of the leader, and as long as it is not,
 * another may reap it and its pid go to a stranger: so it comes as a handle.
 */
#ifndef RUNTIME_GROUP_ADOPT_H
#define RUNTIME_GROUP_ADOPT_H

#include <sys/types.h>

#include <stdbool.h>

#include "runtime/group/sweep.h"
#include "runtime/group/walk.h"

/*
 * A handle of a living descendant of this process, which becomes readable
 * when it ends; -1 with errno, ESRCH if pid is none.  Within a PID namespace
 * of ours every process is one.
 */
int adopt_open(struct walk *walk, enum sweep_scope scope, pid_t pid);

/*
 * Whether one that has ended is a child of this process, not reaped yet.
 * Else its status was, or will be, another's to learn.
 */
bool adopt_is_child(pid_t pid, int pidfd);

#endif
