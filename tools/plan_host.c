/* SPDX-License-Identifier: ISC */
/*
 * What the host says to `grouper plan`, see plan.h.
 */
#include "tools/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/control/json_text.h"
#include "tools/supervise_tree.h"

/* The directory of a file's path, to be freed; NULL without memory. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash > path ? (size_t)(slash - path) : 1);
}

/*
 * A client's path as ours would be written that is in the same directory:
 * children of a Procfile run in its directory as it was named.
 */
static char *
written_as_ours(const char *own, const char *path)
{
	char *directory = directory_of(own), *other = directory_of(path);
	const char *slash = strrchr(own, '/');
	struct stat one, two;
	char *written = NULL;

	if (directory != NULL && other != NULL && stat(directory, &one) == 0 &&
	    stat(other, &two) == 0 && one.st_dev == two.st_dev &&
	    one.st_ino == two.st_ino) {
		if (asprintf(&written, "%.*s%s",
			slash != NULL ? (int)(slash - own) + 1 : 0, own,
			strrchr(path, '/') + 1) == -1)
			written = NULL;
	} else
		written = strdup(path);
	free(directory);
	free(other);
	return written;
}

/* What the machine would not take: keys of children that were spawned. */
static json_t *
check_keys(const struct machine *machine, json_t *plan)
{
	const char *key;
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(plan, "steps"), i, step) {
		key = json_string_value(json_object_get(step, "key"));
		if (strcmp(json_string_value(json_object_get(step, "change")),
			"start") != 0 ||
		    machine_find(machine, key) == NULL)
			continue;
		step = json_pack("{s:o}", "problems",
		    json_sprintf("the key of '%s' is another child's", key));
		json_decref(plan);
		return step;
	}
	return plan;
}

json_t *
plan_answer(const struct plan_source *source, const char *path)
{
	char *written = written_as_ours(source->options->path, path);
	char *why = NULL;
	struct spec_tree *tree = NULL;
	json_t *result;

	if (written != NULL)
		tree = tree_read_for(source->options, written, &why);
	if (tree != NULL)
		result = check_keys(supervisor_machine(source->supervisor),
		    plan_describe(source->tree, tree,
			supervisor_host(source->supervisor)));
	else
		result = json_pack("{s:o}", "problems",
		    json_text(why != NULL ? why : strerror(ENOMEM)));
	spec_free(tree);
	free(written);
	free(why);
	return result;
}
