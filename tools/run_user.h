/* SPDX-License-Identifier: ISC */
/*
 * The user and groups that --uid and --gid ask for.
 */
#ifndef TOOLS_RUN_USER_H
#define TOOLS_RUN_USER_H

#include <sys/types.h>

#include <stddef.h>

#include "tools/run_options.h"

struct user {
	uid_t uid; /* (uid_t)-1: unchanged */
	gid_t gid; /* (gid_t)-1: unchanged */
	gid_t *groups;
	size_t ngroups;
};

/*
 * Finds them.  A user's groups are those of the password and group
 * databases, which are only read where a name is given, or a user without a
 * group.  0; -1 after telling on standard error what is wrong.  To be
 * released whatever is returned.
 */
int user_find(struct user *user, const struct run_options *options);
void user_fini(struct user *user);

#endif
