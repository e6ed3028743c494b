/* SPDX-License-Identifier: ISC */
/*
 * Users and groups by name or number, see user.h.
 */
#include "tools/user.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/accounts.h"

/* (uid_t)-1 stands for no change in every call that takes one. */
#define ID_MAX ((int64_t)UINT32_MAX - 1)

static const char silent[] = "the user database does not answer";

static int __attribute__((format(printf, 2, 3)))
fail(char **why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(why, format, ap) == -1)
		*why = NULL;
	va_end(ap);
	return -1;
}

static int
find_group(struct launch_user *found, const char *text, char **why)
{
	int64_t number;

	if (parse_int(text, 0, ID_MAX, &number) == 0) {
		found->gid = (gid_t)number;
		return 0;
	}
	if (account_group(text, &found->gid) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return fail(why, "gid: %s", silent);
	return fail(why,
	    "gid: expected the name or number of a group, got '%s'", text);
}

/* An ordinary user may ask for what he is, but not set it. */
static bool
is_caller(uid_t uid)
{
	return geteuid() != 0 && uid == getuid() && uid == geteuid();
}

static bool
is_ours(const struct launch_user *found)
{
	return geteuid() != 0 &&
	    (found->uid == (uid_t)-1 || is_caller(found->uid)) &&
	    (found->gid == (gid_t)-1 ||
		(found->gid == getgid() && found->gid == getegid()));
}

static int
find_user(struct launch_user *found, const char *text, char **why)
{
	struct account account;
	int64_t number;
	bool by_number;

	by_number = parse_int(text, 0, ID_MAX, &number) == 0;
	if (by_number && found->gid != (gid_t)-1) {
		found->uid = (uid_t)number;
		return 0;
	}
	if (account_user(text, &account) != 0) {
		if (by_number && is_caller((uid_t)number)) {
			found->uid = (uid_t)number;
			return 0;
		}
		if (errno == ETIMEDOUT)
			return fail(why, "uid: %s", silent);
		if (by_number)
			return fail(why,
			    "uid: user %s is in no password database: "
			    "expected a gid with it",
			    text);
		return fail(why,
		    "uid: expected the name or number of a user, got '%s'",
		    text);
	}
	found->uid = account.uid;
	if (found->gid == (gid_t)-1)
		found->gid = account.gid;
	if (account_groups(&account, found->gid, &found->groups,
		&found->ngroups) != 0)
		return fail(why, "uid: groups of %s: %s", text,
		    errno == ETIMEDOUT ? silent : strerror(errno));
	return 0;
}

/* A group alone changes no other one. */
static int
keep_supplementary(struct launch_user *found, char **why)
{
	int count;

	count = getgroups(0, NULL);
	if (count <= 0)
		return 0;
	found->groups = calloc((size_t)count, sizeof(*found->groups));
	if (found->groups == NULL)
		return fail(why, "gid: %s", strerror(errno));
	count = getgroups(count, found->groups);
	found->ngroups = count > 0 ? (size_t)count : 0;
	return 0;
}

int
user_find(const char *user, const char *group, struct launch_user *found,
    char **why)
{
	*found = (struct launch_user) { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	*why = NULL;
	if (group != NULL && find_group(found, group, why) != 0)
		return -1;
	if (user != NULL && find_user(found, user, why) != 0)
		return -1;
	if (is_ours(found)) {
		free(found->groups);
		*found = (struct launch_user) { .uid = (uid_t)-1,
			.gid = (gid_t)-1 };
		return 0;
	}
	if (user == NULL && group != NULL)
		return keep_supplementary(found, why);
	return 0;
}
