/* SPDX-License-Identifier: ISC */
/*
 * Users and groups by name or number: see run_user.h.
 */
#include "tools/run_user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/accounts.h"
#include "tools/tool.h"

/* (uid_t)-1 stands for no change in every call that takes one. */
#define ID_MAX ((int64_t)UINT32_MAX - 1)

static int
find_group(struct user *user, const char *text)
{
	int64_t number;

	if (parse_int(text, 0, ID_MAX, &number) == 0) {
		user->gid = (gid_t)number;
		return 0;
	}
	if (account_group(text, &user->gid) == 0)
		return 0;
	tool_error("run",
	    "--gid: expected the name or number of a group, got '%s'", text);
	return -1;
}

static int
no_memory(void)
{
	tool_error("run", "%s", strerror(errno));
	return -1;
}

static int
find_user(struct user *user, const char *text)
{
	struct account account;
	int64_t number;
	bool by_number;

	by_number = parse_int(text, 0, ID_MAX, &number) == 0;
	if (by_number && user->gid != (gid_t)-1) {
		user->uid = (uid_t)number;
		return 0;
	}
	if (account_user(text, &account) != 0) {
		if (by_number)
			tool_error("run",
			    "--uid: user %s is in no password database: "
			    "expected --gid with it",
			    text);
		else
			tool_error("run",
			    "--uid: expected the name or number of a user, "
			    "got '%s'",
			    text);
		return -1;
	}
	user->uid = account.uid;
	if (user->gid == (gid_t)-1)
		user->gid = account.gid;
	if (account_groups(&account, user->gid, &user->groups,
		&user->ngroups) != 0)
		return no_memory();
	return 0;
}

/* --gid alone changes no other group. */
static int
keep_supplementary(struct user *user)
{
	int count;

	count = getgroups(0, NULL);
	if (count <= 0)
		return 0;
	user->groups = calloc((size_t)count, sizeof(*user->groups));
	if (user->groups == NULL)
		return no_memory();
	count = getgroups(count, user->groups);
	user->ngroups = count > 0 ? (size_t)count : 0;
	return 0;
}

/* An ordinary user may ask for what he is, but not set it. */
static bool
is_ours(const struct user *user)
{
	return geteuid() != 0 &&
	    (user->uid == (uid_t)-1 ||
		(user->uid == getuid() && user->uid == geteuid())) &&
	    (user->gid == (gid_t)-1 ||
		(user->gid == getgid() && user->gid == getegid()));
}

int
user_find(struct user *user, const struct run_options *options)
{
	*user = (struct user) { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (options->group != NULL && find_group(user, options->group) != 0)
		return -1;
	if (options->user != NULL && find_user(user, options->user) != 0)
		return -1;
	if (is_ours(user)) {
		user->uid = (uid_t)-1;
		user->gid = (gid_t)-1;
		return 0;
	}
	if (options->user == NULL && options->group != NULL)
		return keep_supplementary(user);
	return 0;
}

void
user_fini(struct user *user)
{
	free(user->groups);
	user->groups = NULL;
}
