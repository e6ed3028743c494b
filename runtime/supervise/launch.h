/* SPDX-License-Identifier: ISC */
/*
 * From a command's specification to the options of its group.
 */
#ifndef RUNTIME_SUPERVISE_LAUNCH_H
#define RUNTIME_SUPERVISE_LAUNCH_H

#include <sys/types.h>

#include <stddef.h>

#include <grouper/group.h>

#include "runtime/supervise/spec.h"
#include "runtime/util/environment.h"

struct launch_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* to be freed */
	size_t ngroups;
};

/*
 * What a supervisor leaves to the program that it is part of.  Each sets
 * *why to a text to be freed when it fails.
 */
struct launch_hooks {
	/* Looks names up; either may be NULL.  0 or -1. */
	int (*find_user)(const char *user, const char *group,
	    struct launch_user *found, char **why);
	/* Reads a file of variables into a list, to be freed with its texts. */
	char **(*read_env)(const char *path, char **why);
};

/* A descriptor of ours and the number it gets. */
#define LAUNCH_FDS_MAX 8

struct launch {
	struct grouper_options options;
	struct grouper_fd fds[LAUNCH_FDS_MAX];
	struct environment env;
	struct launch_user user;
	char *shutdown;
	int input;
};

/*
 * Prepares all but the descriptors apart from standard input.  key is not
 * copied.  0; -1 with *why a text to be freed, NULL if memory is short.
 * launch_fini() may follow either.
 */
int launch_init(struct launch *launch, const char *key,
    const struct spec_child *child, const struct launch_hooks *hooks,
    char **why);
void launch_fini(struct launch *launch);

/* The command gets source, which stays ours, as target. */
void launch_add_fd(struct launch *launch, int source, int target);

#endif
