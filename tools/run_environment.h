/* SPDX-License-Identifier: ISC */
/*
 * The environment that a command gets: the caller's, with changes.
 */
#ifndef TOOLS_RUN_ENVIRONMENT_H
#define TOOLS_RUN_ENVIRONMENT_H

#include <stddef.h>

#include "tools/run_options.h"

struct environment {
	char **vars; /* ends with NULL; what it points to is not freed */
	size_t count;
	size_t room;
	char **owned; /* strings that are, and files they came from */
	size_t nowned;
};

/* Starts with the process's own.  0, or -1 with errno. */
int environment_init(struct environment *env);
void environment_fini(struct environment *env);

/* "NAME=VALUE", not copied.  0, or -1 with errno. */
int environment_put(struct environment *env, char *var);

/* A variable of its own; value NULL removes it.  0, or -1 with errno. */
int environment_set(struct environment *env, const char *name,
    const char *value);

/*
 * Applies --env-file and then --env.  0; -1 after telling on standard error
 * what is wrong.
 */
int environment_apply(struct environment *env,
    const struct run_options *options);

#endif
