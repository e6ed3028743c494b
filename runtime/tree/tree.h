/* SPDX-License-Identifier: ISC */
/*
 * The tree file, grouper.yaml: see grouper.yaml(5).
 */
#ifndef RUNTIME_TREE_TREE_H
#define RUNTIME_TREE_TREE_H

#include <stddef.h>

#include "runtime/supervise/spec.h"
#include "runtime/tree/problem.h"

/*
 * Reads a tree file, standard input as one, or text that stands in for one
 * and is called path.  The variables in it are those of the environment.
 * Files it names are not opened, and names of files stay as they are written.
 *
 * problems: made by tree_problems_init(); receives all that is wrong.
 *
 * Returns a tree that passed spec_check(), which the caller gives to
 * spec_free(); NULL if there is any problem.
 */
struct spec_tree *tree_load(const char *path, struct tree_problems *problems);
struct spec_tree *tree_load_input(struct tree_problems *problems);
struct spec_tree *tree_load_text(const char *path, const char *text,
    size_t length, struct tree_problems *problems);

#endif
