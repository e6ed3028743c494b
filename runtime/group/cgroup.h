/* SPDX-License-Identifier: ISC */
/*
 * Leaves of the cgroup v2 tree: one for each group at level "cgroup".  No
 * controller is enabled; a leaf serves to freeze, to kill and to prove.
 */
#ifndef RUNTIME_GROUP_CGROUP_H
#define RUNTIME_GROUP_CGROUP_H

#include <limits.h>
#include <stdbool.h>

#define CGROUP_NAME_MAX 255

struct cgroup_leaf {
	int parent; /* directory of the host's cgroup */
	int dir;    /* the leaf's own directory */
	int kill;   /* its cgroup.kill, for writing */
	int events; /* its cgroup.events; readable out of band on a change */
	char name[CGROUP_NAME_MAX + 1];
};
#define CGROUP_LEAF_INIT \
	{ \
		-1, -1, -1, -1, "" \
	}

/*
 * Opens the directory of this process's own cgroup.  Returns a descriptor,
 * or -1 with errno: ENOENT where no cgroup v2 is mounted.
 */
int cgroup_open_own(void);

/*
 * Whether this process's cgroup was delegated to it, as systemd marks it by
 * the attribute user.delegate or trusted.delegate.  Looks where cgroup v2 is
 * mounted by custom; quick, since every start at level "auto" asks.
 */
bool cgroup_is_delegated(void);

/*
 * Makes the leaf `name` below parent, or opens one that is there.  0, or -1
 * with errno: EEXIST, ENOENT, EACCES, EROFS; ENOSYS where the kernel has no
 * cgroup.kill (before Linux 5.14).
 */
int cgroup_leaf_make(struct cgroup_leaf *leaf, int parent, const char *name);
int cgroup_leaf_open(struct cgroup_leaf *leaf, int parent, const char *name);

/* Kills all of it; it may fork meanwhile.  Async-signal-safe. */
int cgroup_leaf_kill(const struct cgroup_leaf *leaf);

/*
 * Kills what is left there one by one: cgroup.kill does not end a process
 * whose first thread has ended while others run, since it signals that
 * thread (seen on Linux 6.18).
 */
void cgroup_leaf_kill_listed(const struct cgroup_leaf *leaf);

/* Whether a process lives in it or below.  Async-signal-safe. */
bool cgroup_leaf_populated(const struct cgroup_leaf *leaf);

/*
 * Removes the leaf and what empty cgroups were made in it.
 * Async-signal-safe.  0, or -1 with errno (EBUSY: still populated).
 */
int cgroup_leaf_remove(struct cgroup_leaf *leaf);

/* Closes the descriptors; removes nothing. */
void cgroup_leaf_close(struct cgroup_leaf *leaf);

#endif
