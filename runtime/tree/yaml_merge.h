/* SPDX-License-Identifier: ISC */
/*
 * The keys of a mapping: unique, and with those that `<<` brings.
 */
#ifndef RUNTIME_TREE_YAML_MERGE_H
#define RUNTIME_TREE_YAML_MERGE_H

#include <stddef.h>

struct source;
struct tree_problems;
struct yaml_node;

/*
 * Takes the merge keys out of a mapping that was read and puts what they
 * stand for behind its own keys, which win; of several sources the first
 * wins.  *count, which has the limit YAML_NODES_MAX, grows with each key
 * merged.  Repeated keys are problems, the first of them is kept.
 *
 * Returns 0; -1 with a problem added if there is no going on.
 */
int yaml_merge(struct yaml_node *mapping, size_t *count,
    const struct source *source, struct tree_problems *problems);

#endif
