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
 * Calls fn for the child of this key, or for each instance of the command of
 * this key; a supervisor is one child.  Returns how many there are.
 */
size_t keys_each(const struct machine *machine, const char *key, keys_fn *fn,
    void *arg);

#endif
