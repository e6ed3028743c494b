/* SPDX-License-Identifier: ISC */
/*
 * The file of `grouper supervise`, see supervise_tree.h.
 */
#include "tools/supervise_tree.h"

#include <errno.h>
#include <stdarg.h>
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
#include "tools/accounts.h"
#include "tools/tool.h"

#define ID_MAX ((int64_t)UINT32_MAX - 1)

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
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

/* The file's, without what stands behind the last dot. */
static char *
name_of(const char *path)
{
	char *name = strdup(base_name(path)), *dot;

	if (name == NULL)
		return NULL;
	dot = strrchr(name, '.');
	if (dot != NULL && dot != name)
		*dot = '\0';
	if (name_valid(name, NAMES_HOST_MAX, false))
		return name;
	free(name);
	return strdup("grouper");
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
	tree = tree_is_procfile(path) ?
	    procfile_load(path, formation, &problems) :
	    tree_load(path, &problems);
	if (tree == NULL && why == NULL)
		tree_problems_print(stderr, &problems,
		    tool_colours(STDERR_FILENO));
	else if (tree == NULL)
		*why = print_problems(&problems);
	tree_problems_fini(&problems);
	if (tree != NULL && tree->name == NULL)
		tree->name = name_of(path);
	return tree;
}

static void __attribute__((format(printf, 2, 3)))
explain(char **why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(why, format, ap) == -1)
		*why = NULL;
	va_end(ap);
}

static int
find_group(const char *text, gid_t *gid, char **why)
{
	int64_t number;

	if (parse_int(text, 0, ID_MAX, &number) == 0)
		*gid = (gid_t)number;
	else if (account_group(text, gid) != 0) {
		explain(why, "group %s: %s", text, strerror(errno));
		return -1;
	}
	return 0;
}

static int
find_user(const char *user, const char *group, struct launch_user *found,
    char **why)
{
	struct account account;
	int64_t number;

	if (group != NULL && find_group(group, &found->gid, why) == -1)
		return -1;
	if (user == NULL)
		return 0;
	/* By number, and with its group, it need not be known to anybody. */
	if (group != NULL && parse_int(user, 0, ID_MAX, &number) == 0) {
		found->uid = (uid_t)number;
		return 0;
	}
	if (account_user(user, &account) != 0) {
		explain(why, "user %s: %s", user, strerror(errno));
		return -1;
	}
	found->uid = account.uid;
	if (group == NULL)
		found->gid = account.gid;
	if (account_groups(&account, found->gid, &found->groups,
		&found->ngroups) == 0)
		return 0;
	explain(why, "groups of user %s: %s", user, strerror(errno));
	return -1;
}

static char **
read_env(const char *path, char **why)
{
	struct tree_problems problems;
	char **list;

	tree_problems_init(&problems);
	list = dotenv_read(path, &problems);
	if (list == NULL)
		*why = print_problems(&problems);
	tree_problems_fini(&problems);
	return list;
}

const struct launch_hooks tree_hooks = { find_user, read_env };
