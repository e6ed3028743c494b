/* SPDX-License-Identifier: ISC */
/*
 * A tree in the foreground: what `grouper supervise` and `grouper host` share.
 */
#ifndef TOOLS_SUPERVISE_H
#define TOOLS_SUPERVISE_H

#include <stdbool.h>

#include "runtime/supervise/spec.h"
#include "runtime/util/log.h"
#include "tools/given.h"
#include "tools/options.h"

struct supervise_options {
	const char *verb;
	const char *name;      /* of the host; NULL: the tree's, or run-PID */
	const char *path;      /* the tree file; NULL: none, it has no reload */
	const char *formation; /* of a Procfile; NULL: one of each */
	struct given config;   /* settings; the tree's yield to them */
	bool no_config;	       /* none of the tree's */
	enum log_level level;
	int control; /* its end of file stops the tree; -1: none */
	/* Tells where the control socket is, in a line on standard output. */
	bool announce;
	bool json; /* announce it as a JSON object */
};

/* The options that both have, but for --help, and their letters. */
enum {
	SUPERVISE_NAME = OPTIONS_OWN,
	SUPERVISE_CONFIG,
	SUPERVISE_CONFIG_FILE,
	SUPERVISE_OWN
};
#define SUPERVISE_OPTIONS \
	{ "config", required_argument, NULL, SUPERVISE_CONFIG }, \
	    { "config-file", required_argument, NULL, SUPERVISE_CONFIG_FILE }, \
	    { "name", required_argument, NULL, SUPERVISE_NAME }, \
	    { "quiet", no_argument, NULL, 'q' }, \
	{ \
		"verbose", no_argument, NULL, 'v' \
	}
#define SUPERVISE_LETTERS "qv"

#define SUPERVISE_CONFIG_HELP \
	"      --config KEY=VALUE a setting of the host, JSON or text\n" \
	"      --config-file FILE settings of the host: a JSON object\n"

/* Stores one of these: -1, or an exit status and it is said. */
int supervise_take(struct supervise_options *options, int opt, char *value);

/*
 * Runs a tree, which is taken over, until it is over.  Returns the exit
 * status; what fails is said.
 */
int supervise_run(const struct supervise_options *options,
    struct spec_tree *tree);

#endif
