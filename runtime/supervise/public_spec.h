/* SPDX-License-Identifier: ISC */
/*
 * From the values of grouper/supervisor.h to those of spec.h.
 */
#ifndef RUNTIME_SUPERVISE_PUBLIC_SPEC_H
#define RUNTIME_SUPERVISE_PUBLIC_SPEC_H

#include <stdbool.h>

#include <grouper/supervisor.h>

#include "runtime/supervise/spec.h"

/*
 * Makes a tree that spec_check() accepts; spec_free() releases it.  named:
 * the host has a name, and so children have a place to notify it at.
 * GROUPER_OK; GROUPER_INVALID, GROUPER_BAD_COMBINATION, or GROUPER_SYSTEM
 * with errno: *tree is unchanged.
 */
enum grouper_error public_tree(const struct grouper_supervisor_options *options,
    bool named, struct spec_tree **tree);

/*
 * The same for one child, which is not checked beyond its types; to be given
 * to spec_child_fini() whatever is returned.
 */
enum grouper_error public_child(const struct grouper_child *child, bool named,
    struct spec_child *spec);

#endif
