/* SPDX-License-Identifier: ISC */
/*
 * Users and groups by name.
 *
 * A static program cannot load the modules of nsswitch.conf(5), and some of
 * them start threads, so getent(1) is asked; where it is missing, the files
 * in /etc are read.  It is given some seconds for each question: who asks
 * does nothing else meanwhile.
 */
#ifndef TOOLS_ACCOUNTS_H
#define TOOLS_ACCOUNTS_H

#include <sys/types.h>

#include <stddef.h>

struct account {
	uid_t uid;
	gid_t gid;
	char name[256];
};

/*
 * Finds a user by name or number, a group by name.  0; -1 with errno, ENOENT
 * if there is none, ETIMEDOUT if that cannot be known now.
 */
int account_user(const char *text, struct account *account);
int account_group(const char *name, gid_t *gid);

/*
 * The groups of a user, gid among them: *groups is the caller's to free, also
 * on failure.  0, or -1 with errno, ETIMEDOUT as above.
 */
int account_groups(const struct account *account, gid_t gid, gid_t **groups,
    size_t *count);

#endif
