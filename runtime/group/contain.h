/* SPDX-License-Identifier: ISC */
/*
 * Levels of containment: what each needs, whether it can be had here, and
 * what is prepared for one leader.
 */
#ifndef RUNTIME_GROUP_CONTAIN_H
#define RUNTIME_GROUP_CONTAIN_H

#include <sys/types.h>

#include <stdbool.h>

#include <grouper/group.h>

#include "runtime/group/leader.h"
#include "runtime/group/light.h"

/* What a host keeps for all its groups. */
struct contain {
	int cgroup;  /* its own cgroup; -1 until needed or without one */
	bool looked; /* cgroup was looked for */
	bool asked;  /* whether it was delegated to us: */
	bool delegated;
	bool cleared; /* leaves of a dead host of the name are gone */
	unsigned long serial;
	struct light *light; /* NULL: plain forks */
};
#define CONTAIN_INIT \
	{ \
		.cgroup = -1 \
	}

void contain_fini(struct contain *contain);

/*
 * The level that a start reaches: AUTO becomes CGROUP where the host's
 * cgroup was delegated to it, else REAPER.
 */
enum grouper_containment contain_resolve(struct contain *contain,
    enum grouper_containment level);

/*
 * Whose leaves are whose.  The label tells hosts apart that share a cgroup:
 * a host's name and its runtime directory, or the pid of one without a name.
 */
struct contain_owner {
	char label[80];
	bool locked; /* leaves of that label that are there may be cleared */
};

/*
 * Forks a leader contained at a resolved level, in which leader_run() is
 * called, and fills *pidfd; leader->leaf is open afterwards at CGROUP and
 * the caller's to close.  Every signal is blocked in the leader.
 *
 * Returns the leader's pid; -1 with errno.
 */
pid_t contain_fork(struct contain *contain, enum grouper_containment level,
    const struct contain_owner *owner, const char *key, struct leader *leader,
    int *pidfd);

#endif
