/* SPDX-License-Identifier: ISC */

/*
 * Files of lines, .env and Procfile: what is accepted is as it should be, and
 * what is refused has a problem.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tree/dotenv.h"
#include "runtime/tree/procfile.h"
#include "tests/fuzz/fuzz.h"

static void
check_dotenv(const char *text, size_t size)
{
	struct tree_problems problems;
	char **list;
	size_t i;

	tree_problems_init(&problems);
	list = dotenv_parse("f", text, size, &problems);
	if ((list == NULL) != tree_problems_any(&problems))
		abort();
	for (i = 0; list != NULL && list[i] != NULL; i++)
		if (list[i][0] == '=' || strchr(list[i], '=') == NULL)
			abort();
	dotenv_free(list);
	tree_problems_fini(&problems);
}

static void
check_procfile(const char *text, size_t size)
{
	struct tree_problems problems;
	struct spec_tree *tree;

	tree_problems_init(&problems);
	tree = procfile_load_text("f", text, size, NULL, "all=2", &problems);
	if ((tree == NULL) != tree_problems_any(&problems))
		abort();
	if (tree != NULL && tree->root.nchildren % 2 != 0)
		abort();
	spec_free(tree);
	tree_problems_fini(&problems);
	/* The formation comes from outside as well. */
	spec_free(procfile_load_text("f", "web: a\nb: c\n", 12, NULL, text,
	    &problems));
	tree_problems_fini(&problems);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_dotenv(text, size);
	check_procfile(text, size);
	free(text);
	return 0;
}
