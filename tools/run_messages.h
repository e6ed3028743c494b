/* SPDX-License-Identifier: ISC */
/*
 * The message bus of a run: what its own command is subscribed to, and the
 * settings it begins with.
 */
#ifndef TOOLS_RUN_MESSAGES_H
#define TOOLS_RUN_MESSAGES_H

#include <jansson.h>

#include <grouper/group.h>

#include "runtime/util/environment.h"
#include "tools/run_options.h"

/* Descriptors of the command's pipes and their numbers in it; -1: none. */
struct run_messages {
	struct grouper_fd down;
	struct grouper_fd up;
	json_t *settings; /* NULL: none given */
};
#define RUN_MESSAGES_INIT \
	{ \
		.down = { -1, -1 }, .up = { -1, -1 } \
	}

/*
 * Reads the settings that are given, files too, for which it may wait as long
 * as these are pipes: signals are not to be blocked.  0; -1, and why is said.
 */
int run_messages_read(struct run_messages *messages,
    const struct run_options *options);

/*
 * Before the command is started: its pipes, if it is to have any, and their
 * variables, without those of an outer group's.  Makes no bus where nothing
 * asks for one.  0; -1, and why is said.
 */
int run_messages_open(struct run_messages *messages, struct grouper_host *host,
    const struct run_options *options, struct environment *env);

/* When it was started, or not; again does nothing. */
void run_messages_close(struct run_messages *messages);

#endif
