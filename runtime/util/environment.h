/* SPDX-License-Identifier: ISC */
/*
 * An environment in the making: the process's own, with changes.
 */
#ifndef RUNTIME_UTIL_ENVIRONMENT_H
#define RUNTIME_UTIL_ENVIRONMENT_H

#include <stddef.h>

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

/* Frees a string together with the environment; at once on failure. */
int environment_own(struct environment *env, char *string);

#endif
