/* SPDX-License-Identifier: ISC */
/*
 * Which children a key stands for.
 */
#ifndef RUNTIME_SUPERVISE_KEYS_H
#define RUNTIME_SUPERVISE_KEYS_H

#include <stddef.h>

#include "runtime/supervise/machine.h"

typedef void keys_fn(const struct machine_view *view, void *arg);

/*
 * Calls fn once, in the order of the tree, for each child that one of these
 * keys stands for: the child of the key, or each instance of the command of
 * the key; a supervisor is one child.  It takes the time of one walk, however
 * many keys there are.
 *
 * Returns how many of the keys, each counted once, stand for nothing; without
 * memory they all do.
 */
size_t keys_each(const struct machine *machine, const char *const *keys,
    size_t count, keys_fn *fn, void *arg);

#endif
