/* SPDX-License-Identifier: ISC */
/*
 * What a leader makes of its process before it leads: ids, descriptors,
 * limits.  A leader is forked from a program that may have threads: nothing
 * that it does may take a lock or allocate.
 */
#ifndef RUNTIME_GROUP_LEADER_SETUP_H
#define RUNTIME_GROUP_LEADER_SETUP_H

#include <stdbool.h>

#include "runtime/group/leader.h"

/* Asks for a signal when the host dies; false: it is dead. */
bool leader_watch_host(const struct leader *leader);

/* A signalfd of that signal and SIGCHLD, which are blocked; -1 with errno. */
int leader_open_signals(void);

/*
 * Without privilege a PID namespace needs a user namespace: the caller's
 * ids are mapped onto themselves, so that nothing looks different inside.
 * 0, or -1 with errno.
 */
int leader_map_user(const struct leader *leader);

/* After the start: nothing of the command's or the host's stays open. */
void leader_keep_only(struct leader *leader);

/* Walks over many processes hold a handle of each parent. */
void leader_raise_limit(void);

#endif
