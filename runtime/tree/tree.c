/* SPDX-License-Identifier: ISC */
/*
 * The tree file as a whole: see tree.h.
 */
#include "runtime/tree/tree.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/os/os.h"
#include "runtime/tree/load.h"

/* The mapping that a child was made of: they have the same order. */
static const struct yaml_node *
find_child(const struct yaml_node *node,
    const struct spec_supervisor *supervisor, const struct spec_child *child)
{
	const struct yaml_node *list = yaml_get(node, "children"), *found;
	size_t i;

	for (i = 0; list != NULL && i < supervisor->nchildren; i++) {
		node = list->items[i].value;
		if (&supervisor->children[i] == child)
			return node;
		if (supervisor->children[i].supervisor == NULL)
			continue;
		found = find_child(yaml_get(node, "supervisor"),
		    supervisor->children[i].supervisor, child);
		if (found != NULL)
			return found;
	}
	return NULL;
}

/* The value that a text such as "ready: no command" is about, else the id. */
static const struct yaml_node *
find_value(const struct yaml_node *child, const char *why)
{
	const struct yaml_node *value = NULL;
	char key[32];
	size_t length = strcspn(why, ": ");

	if (why[length] == ':' && length < sizeof(key)) {
		memcpy(key, why, length);
		key[length] = '\0';
		value = yaml_get(child, key);
	}
	if (value == NULL && strstr(why, "significant") != NULL)
		value = yaml_get(child, "significant");
	if (value == NULL)
		value = yaml_get(child, "id");
	return value != NULL ? value : child;
}

static void
check(struct loader *loader, const struct yaml_node *root,
    const struct spec_tree *tree)
{
	const struct spec_child *at = NULL;
	const struct yaml_node *node = NULL;
	enum grouper_error error;
	char *why = NULL;

	error = spec_check(tree, &why, &at);
	if (error == GROUPER_OK)
		return;
	if (why == NULL) {
		load_problem(loader, root, "%s", grouper_strerror(error));
		return;
	}
	if (at != NULL)
		node = find_child(root, &tree->root, at);
	if (node != NULL)
		node = find_value(node, why);
	load_problem(loader, node != NULL ? node : root, "%s", why);
	free(why);
}

void
load_tree(struct loader *loader, const struct yaml_node *root,
    struct spec_tree *tree)
{
	if (root->kind != YAML_MAPPING) {
		load_expected(loader, root, "a mapping with children");
		return;
	}
	load_mapping(loader, &tree_level_root, root, tree, NULL);
	if (yaml_get(root, "children") == NULL && !loader->exhausted)
		load_problem(loader, root, "expected children");
	/* What is half there would seem to have problems it has not. */
	if (!tree_problems_any(loader->problems))
		check(loader, root, tree);
}

static struct spec_tree *
load_source(const struct source *source, struct tree_problems *problems)
{
	struct loader loader = { .source = source, .problems = problems };
	struct spec_tree *tree = NULL;
	struct yaml *yaml;

	yaml = yaml_read(source, problems);
	if (yaml == NULL)
		return NULL;
	if (yaml_root(yaml) == NULL) {
		tree_problem_add(problems, source, source->length,
		    "expected a mapping with children, got nothing");
	} else {
		tree = calloc(1, sizeof(*tree));
		if (tree == NULL) {
			load_no_memory(&loader, yaml_root(yaml));
		} else {
			spec_supervisor_init(&tree->root);
			load_tree(&loader, yaml_root(yaml), tree);
		}
	}
	yaml_free(yaml);
	os_trim_heap();
	if (tree_problems_any(problems)) {
		spec_free(tree);
		return NULL;
	}
	return tree;
}

struct spec_tree *
tree_load(const char *path, struct tree_problems *problems)
{
	struct spec_tree *tree = NULL;
	struct source source;

	if (source_read(&source, path, problems) == 0)
		tree = load_source(&source, problems);
	source_fini(&source);
	return tree;
}

struct spec_tree *
tree_load_input(struct tree_problems *problems)
{
	struct spec_tree *tree = NULL;
	struct source source;

	if (source_read_input(&source, problems) == 0)
		tree = load_source(&source, problems);
	source_fini(&source);
	return tree;
}

struct spec_tree *
tree_load_text(const char *path, const char *text, size_t length,
    struct tree_problems *problems)
{
	struct spec_tree *tree = NULL;
	struct source source;

	if (source_copy(&source, path, text, length, problems) == 0)
		tree = load_source(&source, problems);
	source_fini(&source);
	return tree;
}
