/* SPDX-License-Identifier: ISC */
/*
 * grouper check: whether a tree file or a Procfile can be run.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/tree/procfile.h"
#include "tools/supervise_tree.h"
#include "tools/tool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const char help[] =
    "Usage: grouper check [-m FORMATION] [-q] FILE\n"
    "\n"
    "Reads a tree file, or a file whose name begins with Procfile, and tells\n"
    "on standard error everything that is wrong with it, and where.  '-' is a\n"
    "tree file on standard input.\n"
    "\n"
    "  -m, --formation FORMATION  instances of a Procfile: web=2,worker=3\n"
    "  -q, --quiet                tell only by the exit status\n"
    "  -h, --help                 this text\n"
    "\n"
    "Exit status: 0 if it can be run, 1 if not, 2 for bad usage.\n"
    "See grouper-check(1).\n";

static int
check(const char *path, const char *formation, bool quiet)
{
	char *why = NULL;
	struct spec_tree *tree;

	tree = tree_read(path, formation, quiet ? &why : NULL);
	free(why);
	spec_free(tree);
	return tree != NULL ? TOOL_OK : TOOL_NO;
}

int
check_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "formation", required_argument, NULL, 'm' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *formation = NULL, *expected;
	bool quiet = false;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:hm:qV", options, NULL)) !=
	    -1) {
		switch (opt) {
		case 'm':
			formation = optarg;
			break;
		case 'q':
			quiet = true;
			break;
		case 'h':
			fputs(help, stdout);
			return tool_printed("check");
		case 'V':
			puts("grouper " PACKAGE_VERSION);
			return tool_printed("check");
		default:
			tool_bad_option("check", opt, argv);
			return TOOL_USAGE;
		}
	}
	if (argc - optind != 1) {
		tool_error("check", "expected one FILE");
		return TOOL_USAGE;
	}
	if (formation != NULL && !tree_is_procfile(argv[optind])) {
		tool_error("check", "--formation is for a Procfile");
		return TOOL_USAGE;
	}
	expected = formation != NULL ? procfile_formation_check(formation) :
				       NULL;
	if (expected != NULL) {
		tool_error("check", "--formation: %s, got '%s'", expected,
		    formation);
		return TOOL_USAGE;
	}
	return check(argv[optind], formation, quiet);
}
