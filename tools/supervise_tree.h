/* SPDX-License-Identifier: ISC */
/*
 * The file of `grouper supervise`, and what its commands ask of the system.
 */
#ifndef TOOLS_SUPERVISE_TREE_H
#define TOOLS_SUPERVISE_TREE_H

#include <stdbool.h>

#include "runtime/supervise/launch.h"
#include "runtime/supervise/spec.h"
#include "tools/supervise.h"

/* The file that is there when none is named; NULL: none. */
const char *tree_default(void);

/* Whether a file is "-", standard input, which can be read but once. */
bool tree_is_input(const char *path);

/* Whether a file is a Procfile, by its name. */
bool tree_is_procfile(const char *path);

/*
 * Reads a tree file, or a Procfile if it is called so, or standard input as
 * a tree file.  The tree has a name, unless that of its file cannot be one; it
 * is to be given to spec_free().  NULL when anything is wrong with the file:
 * said on standard error, or in *why, a text to be freed, unless that is NULL.
 */
struct spec_tree *tree_read(const char *path, const char *formation,
    char **why);

/* The same for a host with these options, which may leave out settings. */
struct spec_tree *tree_read_for(const struct supervise_options *options,
    const char *path, char **why);

/* The same, of which the host gets its name unless it is given one. */
struct spec_tree *tree_read_named(const struct supervise_options *options,
    const char *path);

/* Users by getent(1), variables from .env files. */
extern const struct launch_hooks tree_hooks;

#endif
