/* SPDX-License-Identifier: ISC */
/*
 * From nodes to the values of spec.h: what the files of the loader share.
 * Keys are const tables, which a test compares with the JSON schema.
 */
#ifndef RUNTIME_TREE_LOAD_H
#define RUNTIME_TREE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/supervise/spec.h"
#include "runtime/tree/problem.h"
#include "runtime/tree/source.h"
#include "runtime/tree/yaml.h"

/* Of one load, so that aliases and variables cannot blow it up. */
#define LOAD_VISITS_MAX 1000000
#define LOAD_TEXT_MAX ((size_t)64 << 20)

struct loader {
	const struct source *source;
	struct tree_problems *problems;
	size_t visits;
	size_t text; /* bytes of all values */
	size_t depth;
	size_t children;
	bool exhausted; /* one of the limits is reached, or memory */
};

struct tree_key;
typedef void tree_load_fn(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base);

struct tree_word {
	const char *name;
	int value;
};

struct tree_key {
	const char *name;
	tree_load_fn *load;
	size_t offset; /* in the struct that load() fills */
	int64_t min;   /* of numbers and times */
	int64_t max;
	const struct tree_word *words; /* a name of NULL ends them */
	bool of_command; /* the struct is the child's spec_command */
};

/* The keys of one kind of mapping. */
struct tree_level {
	const char *name; /* as in the schema */
	const struct tree_key *keys;
	size_t nkeys;
};

extern const struct tree_level tree_level_root;
extern const struct tree_level tree_level_supervisor;
extern const struct tree_level tree_level_child;
extern const struct tree_level tree_level_backoff;
extern const struct tree_level tree_level_log;
extern const struct tree_level tree_level_ready_exec;
extern const struct tree_level tree_level_ready_log;

/* Adds a problem at a node. */
void load_problem(struct loader *loader, const struct yaml_node *node,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for "expected WHAT, got ...". */
void load_expected(struct loader *loader, const struct yaml_node *node,
    const char *what);

/* Ends the load: out of memory. */
void load_no_memory(struct loader *loader, const struct yaml_node *node);

/* Counts a value that is looked at; false, with a problem, at the limit. */
bool load_visit(struct loader *loader, const struct yaml_node *node);

/*
 * A scalar's text with its variables replaced, to be freed; NULL with a
 * problem added.  what goes behind "expected".
 */
char *load_string(struct loader *loader, const struct yaml_node *node,
    const char *what);

/* The same as it stands, variables left alone. */
char *load_raw(struct loader *loader, const struct yaml_node *node,
    const char *what);

/* Reads a mapping by its level; base is handed to each key. */
void load_mapping(struct loader *loader, const struct tree_level *level,
    const struct yaml_node *node, void *base, void *command);

/* A list of texts; NULL with a problem.  what: of the list. */
char **load_strings(struct loader *loader, const struct yaml_node *node,
    const char *what, size_t *count);
void load_strings_free(char **list);

/* A word of a table; false with a problem. */
bool load_choice(struct loader *loader, const struct yaml_node *node,
    const struct tree_word *words, int *value);

/* Functions of keys, for members of the type that is named. */
tree_load_fn load_text;	    /* char *, not empty */
tree_load_fn load_boolean;  /* bool */
tree_load_fn load_int;	    /* int */
tree_load_fn load_unsigned; /* unsigned int */
tree_load_fn load_time;	    /* int64_t, ms */
tree_load_fn load_timeout;  /* the same, or infinity: -1 */
tree_load_fn load_size;	    /* uint64_t, bytes */
tree_load_fn load_word;	    /* an enum */
tree_load_fn load_argv;	    /* char **, a command */
tree_load_fn load_list;	    /* char **, of one text or several */

/* In load_command.c and load_child.c. */
tree_load_fn load_children;
tree_load_fn load_on_limit;
tree_load_fn load_topic_groups;
tree_load_fn load_config;
tree_load_fn load_topics;
tree_load_fn load_env;
tree_load_fn load_limits;
tree_load_fn load_on_event;
tree_load_fn load_ready;
tree_load_fn load_log;

/* Sets the root's values, with spec_check()'s word on it. */
void load_tree(struct loader *loader, const struct yaml_node *root,
    struct spec_tree *tree);

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

#endif
