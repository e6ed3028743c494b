/* SPDX-License-Identifier: ISC */
/*
 * Variables in text: ${NAME}, ${NAME:-default}, and $$ for a dollar sign.  A
 * dollar sign before anything else is itself.
 */
#ifndef RUNTIME_TREE_EXPAND_H
#define RUNTIME_TREE_EXPAND_H

#include <stddef.h>

/*
 * Replaces variables by their values in the environment; the default is
 * taken, as it stands, where one is unset or empty.  The result has at most
 * max bytes.
 *
 * Returns text to free(); NULL with *at the byte that is wrong and *why a
 * static text, or NULL where `*why` is that the variable `name`, of at most
 * size - 1 bytes, is not set.
 */
char *expand(const char *text, size_t max, size_t *at, const char **why,
    char *name, size_t size);

#endif
