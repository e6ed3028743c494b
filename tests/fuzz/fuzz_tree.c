/* SPDX-License-Identifier: ISC */

/*
 * Tree files: loaded or refused with a problem that has a place, and what is
 * loaded equals itself.
 */

#include "runtime/tree/tree.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/tree/plan.h"
#include "tests/fuzz/fuzz.h"

/* libfyaml 0.7 forgets a buffer where quoted text does not end. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void
check_equal(const struct spec_tree *tree)
{
	struct plan plan;

	if (plan_make(&plan, tree, tree, NULL) != 0 || plan.count != 0)
		abort();
	plan_fini(&plan);
}

static void
print(const struct tree_problems *problems)
{
	char *text = NULL;
	size_t size;
	FILE *stream;

	stream = open_memstream(&text, &size);
	if (stream == NULL)
		return;
	tree_problems_print(stream, problems, true);
	fclose(stream);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree_problems problems;
	struct spec_tree *tree;

	tree_problems_init(&problems);
	tree = tree_load_text("f", (const char *)data, size, &problems);
	if ((tree == NULL) != tree_problems_any(&problems))
		abort();
	if (tree != NULL)
		check_equal(tree);
	else
		print(&problems);
	spec_free(tree);
	tree_problems_fini(&problems);
	return 0;
}
