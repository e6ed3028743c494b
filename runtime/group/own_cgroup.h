/* SPDX-License-Identifier: ISC */
/*
 * Where a process's own cgroup v2 is, by the texts of cgroups(7),
 * /proc/PID/cgroup, and of proc_pid_mountinfo(5).  Parts of them were chosen
 * by whoever named cgroups and mounted.
 */
#ifndef RUNTIME_GROUP_OWN_CGROUP_H
#define RUNTIME_GROUP_OWN_CGROUP_H

#include <stdio.h>

struct own_cgroup {
	char *mount; /* where cgroup v2 is mounted, absolute */
	char *below; /* the way from there, never upwards; "." for none */
};

/*
 * The path of the unified hierarchy's cgroup in what /proc/PID/cgroup says,
 * absolute, to be freed.  NULL with errno: ENOENT where there is none.
 */
char *own_cgroup_path(const char *cgroup);

/*
 * Finds the first mount that shows the cgroup of this path.  0, and
 * own_cgroup_fini() is due; -1 with errno: ENOENT where none does.
 */
int own_cgroup_find(struct own_cgroup *own, const char *path, FILE *mountinfo);
void own_cgroup_fini(struct own_cgroup *own);

#endif
