/* SPDX-License-Identifier: ISC */
/*
 * Files of variables: NAME=VALUE per line, also with "export " before it, and
 * comments on lines of their own.  Within "..." a backslash stands before \,
 * ", $ and `, and \n is a newline; '...' holds anything.  A value without
 * quotes ends before the blanks at the end of its line.
 */
#ifndef RUNTIME_TREE_DOTENV_H
#define RUNTIME_TREE_DOTENV_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/tree/problem.h"

/*
 * Reads a file, or text (with a NUL behind it) that stands in for one, into a
 * list of NAME=VALUE that ends with NULL, in the order of the lines.  Unlike
 * in the tree file any bytes but NUL may stand in it.  may_wait: a FIFO will
 * do, whose writer is waited for; else it is refused, and nothing is.
 *
 * Returns the list, for dotenv_free(); NULL with problems added, and errno
 * ENOENT from dotenv_read() if there is no such file.
 */
char **dotenv_read(const char *path, bool may_wait,
    struct tree_problems *problems);
char **dotenv_parse(const char *path, const char *text, size_t length,
    struct tree_problems *problems);
void dotenv_free(char **list);

#endif
