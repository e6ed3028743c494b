/* SPDX-License-Identifier: ISC */
/*
 * grouper host: a host without a tree file, for programs that start groups
 * by `spawn`.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/supervise.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper host [OPTION...]\n"
    "\n"
    "Runs an empty host in the foreground, to which 'grouper spawn' adds\n"
    "groups and all other verbs talk, until it is stopped.  It prints the\n"
    "path of its control socket, for --socket or GROUPER_SOCKET, in one line.\n"
    "\n" SUPERVISE_CONFIG_HELP
    "      --control-fd N     stop everything when descriptor N, a pipe or a\n"
    "                         socket, reaches its end: when the program that\n"
    "                         holds the other end is gone\n"
    "      --name NAME        name of the host (run-PID)\n"
    "      --json             print host, pid and socket as a JSON object\n"
    "  -q, --quiet            tell errors only\n"
    "  -v, --verbose          tell what happens; twice: more\n"
    "  -h, --help             this text\n"
    "\n"
    "TERM and INT stop all groups, a second one kills them.\n"
    "\n"
    "Exit status: 0 after a stop that was asked for, or by --control-fd; 1 if\n"
    "a child that was to be restarted failed too often; 120 if a leader died;\n"
    "2 for bad usage.  See grouper-host(1).\n";

static int
read_control(const char *value, int *control)
{
	struct stat st;
	int64_t number;

	if (parse_int(value, 0, INT_MAX, &number) != 0) {
		tool_error("host",
		    "--control-fd: expected the number of a descriptor, "
		    "got '%s'",
		    value);
		return TOOL_USAGE;
	}
	*control = (int)number;
	/* Nothing else has another end that is held, and let go. */
	if (fstat(*control, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
		isatty(*control)) &&
	    (fcntl(*control, F_GETFL) & O_ACCMODE) != O_WRONLY)
		return TOOL_OK;
	tool_error("host",
	    "--control-fd: expected a pipe or a socket to read from, got "
	    "descriptor %s",
	    value);
	return TOOL_USAGE;
}

enum { CONTROL = SUPERVISE_OWN };

static int
take_option(int opt, char *value, void *arg)
{
	struct supervise_options *parsed = arg;

	if (opt != CONTROL)
		return supervise_take(parsed, opt, value);
	return read_control(value, &parsed->control) == TOOL_OK ? -1 :
								  TOOL_USAGE;
}

static int
carry_out(const struct supervise_options *options)
{
	struct spec_tree *tree;

	log_open("grouper host", options->level);
	tree = calloc(1, sizeof(*tree));
	if (tree == NULL) {
		tool_error("host", "%s", strerror(errno));
		return TOOL_NO;
	}
	spec_supervisor_init(&tree->root);
	return supervise_run(options, tree);
}

int
host_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "control-fd", required_argument, NULL, CONTROL },
		SUPERVISE_OPTIONS,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct options common = { .verb = "host", .help = help };
	struct supervise_options options = { .verb = "host",
		.level = LOG_LEVEL_WARN,
		.control = -1,
		.announce = true };
	int status;

	status = options_read(&common, argc, argv, ":" SUPERVISE_LETTERS, table,
	    take_option, &options);
	if (status == -1 && options_no_more("host", argv) != TOOL_OK)
		status = TOOL_USAGE;
	options.json = common.json;
	if (status == -1)
		status = carry_out(&options);
	given_fini(&options.config);
	return status;
}
