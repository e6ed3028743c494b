/* SPDX-License-Identifier: ISC */
/*
 * The environment of a command: see run_environment.h.
 */
#include "tools/run_environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tree/dotenv.h"
#include "tools/tool.h"

/* The first of what is wrong, in a line. */
static void
tell(const char *verb, const struct tree_problem *problem)
{
	if (problem->line == 0)
		tool_error(verb, "cannot read the environment file %s: %s",
		    problem->file, problem->text);
	else
		tool_error(verb, "%s:%u: %s", problem->file, problem->line,
		    problem->text);
}

static int
read_file(struct environment *env, const char *path, const char *verb)
{
	struct tree_problems problems;
	int result = 0;
	char **list;
	size_t i;

	tree_problems_init(&problems);
	list = dotenv_read(path, true, &problems);
	if (list == NULL && problems.count > 0)
		tell(verb, &problems.list[0]);
	tree_problems_fini(&problems);
	if (list == NULL)
		return -1;
	for (i = 0; list[i] != NULL; i++)
		/* The texts go over to the environment. */
		if (environment_own(env, list[i]) != 0 ||
		    environment_put(env, list[i]) != 0)
			result = -1;
	free((void *)list);
	if (result != 0)
		tool_error(verb, "environment: %s", strerror(errno));
	return result;
}

int
environment_apply(struct environment *env, const struct run_options *options,
    const char *verb)
{
	size_t i;

	for (i = 0; i < options->nenv_files; i++)
		if (read_file(env, options->env_files[i], verb) != 0)
			return -1;
	for (i = 0; i < options->nenv; i++) {
		if (environment_put(env, options->env[i]) != 0) {
			tool_error(verb, "environment: %s", strerror(errno));
			return -1;
		}
	}
	return 0;
}
