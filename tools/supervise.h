/* SPDX-License-Identifier: ISC */
/*
 * A tree in the foreground: what `grouper supervise` and `grouper host` share.
 */
#ifndef TOOLS_SUPERVISE_H
#define TOOLS_SUPERVISE_H

#include <stdbool.h>

#include "runtime/supervise/spec.h"
#include "runtime/util/log.h"
#include "tools/options.h"

struct supervise_options {
	const char *verb;
	const char *name;      /* of the host; NULL: the tree's, or run-PID */
	const char *path;      /* the tree file; NULL: none, it has no reload */
	const char *formation; /* of a Procfile; NULL: one of each */
	enum log_level level;
	int control; /* its end of file stops the tree; -1: none */
	/* Tells where the control socket is, in a line on standard output. */
	bool announce;
};

/* The options that both have, but for --help, and their letters. */
enum { SUPERVISE_NAME = OPTIONS_OWN, SUPERVISE_OWN };
#define SUPERVISE_OPTIONS \
	{ "name", required_argument, NULL, SUPERVISE_NAME }, \
	    { "quiet", no_argument, NULL, 'q' }, \
	{ \
		"verbose", no_argument, NULL, 'v' \
	}
#define SUPERVISE_LETTERS "qv"

/* Stores one of these; -1. */
int supervise_take(struct supervise_options *options, int opt, char *value);

/*
 * Runs a tree, which is taken over, until it is over.  Returns the exit
 * status; what fails is said.
 */
int supervise_run(const struct supervise_options *options,
    struct spec_tree *tree);

#endif
