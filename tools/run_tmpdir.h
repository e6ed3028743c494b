/* SPDX-License-Identifier: ISC */
/*
 * A directory of temporary files that lives as long as a group.
 */
#ifndef TOOLS_RUN_TMPDIR_H
#define TOOLS_RUN_TMPDIR_H

#include <sys/types.h>

/*
 * Makes one below $TMPDIR, or /tmp, with mode 0700.  uid, gid: its owner; -1
 * for ours.  Returns its path, to be freed, or NULL with errno.
 */
char *tmpdir_make(uid_t uid, gid_t gid);

/*
 * Removes it with all it holds.  Symbolic links are removed, never followed;
 * what is mounted there stays, and so does the way to it; directories
 * without permission are opened up.  0, or -1 with the errno of the first
 * failure.
 */
int tmpdir_remove(const char *path);

#endif
