/* SPDX-License-Identifier: ISC */
/*
 * The user and groups that uid and gid ask for, of `run` and of a tree file.
 */
#ifndef TOOLS_USER_H
#define TOOLS_USER_H

#include "runtime/supervise/launch.h"

/*
 * Finds a user and a group by name or number; either may be NULL: unchanged.
 * A user's groups are those of the password and group databases, which are
 * only read where a name is given, or a user without a group.  An ordinary
 * user may ask for what he is.
 *
 * 0; -1 with *why a text to be freed, "uid: expected ...", NULL if memory is
 * short.  found->groups is the caller's to free whatever is returned.
 */
int user_find(const char *user, const char *group, struct launch_user *found,
    char **why);

#endif
