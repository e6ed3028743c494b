/* SPDX-License-Identifier: ISC */
/*
 * YAML text as nodes that know their places.  Anchors, aliases and merge keys
 * are resolved: an alias is the node itself, so nodes form a graph without
 * cycles, in which a small file may stand for a huge tree.  Whoever walks it
 * counts its steps.
 */
#ifndef RUNTIME_TREE_YAML_H
#define RUNTIME_TREE_YAML_H

#include <stdbool.h>
#include <stddef.h>

struct source;
struct tree_problems;
struct yaml;

#define YAML_DEPTH_MAX 256
#define YAML_NODES_MAX 1000000 /* written, and keys merged */

enum yaml_kind {
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAPPING,
};

struct yaml_item {
	struct yaml_node *key; /* a scalar; NULL in a sequence */
	struct yaml_node *value;
};

struct yaml_node {
	enum yaml_kind kind;
	bool plain; /* a scalar without quotes and tag: may be no text */
	bool open;  /* while it is read */
	size_t offset;
	char *text; /* of a scalar, never NULL there */
	struct yaml_item *items;
	size_t nitems;
	struct yaml_node *next; /* of all, to be freed */
};

/*
 * Reads the one document of a file.  Keys of mappings are unique scalars.
 * Returns NULL with problems added, the parser's among them.
 */
struct yaml *yaml_read(const struct source *source,
    struct tree_problems *problems);
void yaml_free(struct yaml *yaml);

/* NULL if the file is empty. */
const struct yaml_node *yaml_root(const struct yaml *yaml);

/* A value in a mapping; NULL if there is none of that key. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping,
    const char *key);

/* Whether a scalar is YAML's null: nothing, ~ or null, without quotes. */
bool yaml_is_null(const struct yaml_node *node);

/* "a mapping", "a list", "text" or "nothing". */
const char *yaml_kind_name(const struct yaml_node *node);

#endif
