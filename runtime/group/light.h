/* SPDX-License-Identifier: ISC */
/*
 * Light forks.  A fork copies the page table of the heap and the table of
 * descriptors, which both grow with the number of groups that a host has; a
 * leader needs nothing of either but its own command.  Here that is put into
 * one mapping and on the lowest descriptors, and the rest is left behind.
 *
 * For a program with one thread whose heap is only the host's.
 */
#ifndef RUNTIME_GROUP_LIGHT_H
#define RUNTIME_GROUP_LIGHT_H

#include <sys/types.h>

#include "runtime/group/leader.h"

struct light;

/* Reserves the lowest free descriptors; NULL with errno. */
struct light *light_new(void);
void light_free(struct light *light);

/*
 * As os_clone(), for a leader that in the child is at leader_run(); does not
 * return there.  flags may be any of enum os_clone_flags.  What cannot be
 * left behind is copied: that of a leader whose member runs a function, or
 * inherits descriptors, and of one that is given too many of them.
 *
 * Returns when the child has a table of descriptors of its own; ETIMEDOUT if
 * it was kept from that, and is killed then.
 */
pid_t light_fork(struct light *light, unsigned int flags, int *pidfd,
    const struct leader *leader);

#endif
