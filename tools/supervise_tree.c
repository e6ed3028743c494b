/* SPDX-License-Identifier: ISC */
/*
 * The file of `grouper supervise`, see supervise_tree.h.
 */
#include "tools/supervise_tree.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/group/names.h"
#include "runtime/tree/dotenv.h"
#include "runtime/tree/procfile.h"
#include "runtime/tree/tree.h"
#include "runtime/util/parse.h"
#include "tools/tool.h"
#include "tools/user.h"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

bool
tree_is_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

bool
tree_is_procfile(const char *path)
{
	return strncmp(base_name(path), "Procfile", 8) == 0;
}

const char *
tree_default(void)
{
	static const char *const names[] = { "grouper.yaml", "grouper.yml",
		"Procfile" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (access(names[i], F_OK) == 0)
			return names[i];
	return NULL;
}

/* The file's, without what stands behind the last dot; NULL if it is none. */
static char *
name_of(const char *path)
{
	char *name, *dot;

	if (tree_is_input(path))
		return strdup("grouper");
	name = strdup(base_name(path));
	if (name == NULL)
		return NULL;
	dot = strrchr(name, '.');
	if (dot != NULL && dot != name)
		*dot = '\0';
	if (name_valid(name, NAMES_HOST_MAX, false))
		return name;
	free(name);
	return NULL;
}

static char *
print_problems(const struct tree_problems *problems)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL)
		return NULL;
	tree_problems_print(stream, problems, false);
	fclose(stream);
	return text;
}

struct spec_tree *
tree_read(const char *path, const char *formation, char **why)
{
	struct tree_problems problems;
	struct spec_tree *tree;

	tree_problems_init(&problems);
	if (tree_is_input(path))
		tree = tree_load_input(&problems);
	else if (tree_is_procfile(path))
		tree = procfile_load(path, formation, &problems);
	else
		tree = tree_load(path, &problems);
	if (tree == NULL && why == NULL)
		tree_problems_print(stderr, &problems,
		    tool_colours(STDERR_FILENO));
	else if (tree == NULL)
		*why = print_problems(&problems);
	tree_problems_fini(&problems);
	if (tree != NULL)
		tree->named = tree->name != NULL;
	if (tree != NULL && tree->name == NULL)
		tree->name = name_of(path);
	return tree;
}

struct spec_tree *
tree_read_for(const struct supervise_options *options, const char *path,
    char **why)
{
	struct spec_tree *tree = tree_read(path, options->formation, why);

	if (tree != NULL && options->no_config)
		spec_drop_config(tree);
	return tree;
}

struct spec_tree *
tree_read_named(const struct supervise_options *options, const char *path)
{
	struct spec_tree *tree = tree_read_for(options, path, NULL);

	if (tree == NULL || tree->name != NULL || options->name != NULL)
		return tree;
	tool_error(options->verb,
	    "%s: the file's name cannot be the host's: expected --name, or "
	    "name: in a tree file",
	    path);
	spec_free(tree);
	return NULL;
}

/*
 * The reason why a start failed is one line; the others, which show what is
 * wrong, go where our errors do.
 */
static char **
read_env(const char *path, char **why)
{
	struct tree_problems problems;
	char **list, *end;

	tree_problems_init(&problems);
	list = dotenv_read(path, false, &problems);
	if (list == NULL)
		*why = print_problems(&problems);
	tree_problems_fini(&problems);
	if (list != NULL || *why == NULL)
		return list;
	end = *why + strcspn(*why, "\n");
	if (end[0] != '\0' && end[1] != '\0')
		tool_lines(*why);
	*end = '\0';
	return NULL;
}

const struct launch_hooks tree_hooks = { user_find, read_env };
