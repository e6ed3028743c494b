/* SPDX-License-Identifier: ISC */
/*
 * What `grouper spawn` asks the host for.
 */
#ifndef TOOLS_SPAWN_REQUEST_H
#define TOOLS_SPAWN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "runtime/supervise/spec.h"
#include "tools/remote.h"
#include "tools/run_options.h"

/* Of --log, before a path, and of --ready before a command and a pattern. */
#define SPAWN_FILE "file:"
#define SPAWN_EXEC "exec:"
#define SPAWN_PATTERN "log:"

struct spawning {
	struct remote remote;
	struct run_options command;
	const char *supervisor; /* NULL: the root */
	const char *restart;	/* NULL: the host's default */
	const char *log;	/* NULL: the output is ours */
	const char *ready;	/* NULL: started */
	int64_t ready_ms;	/* -1: as long as it takes */
	int64_t watchdog_ms;	/* 0: none */
	struct spec_success success;
	bool succeeds;	       /* and it is given */
	const char *start_pre; /* for /bin/sh, as the others; NULL: none */
	const char *stop_pre;
	const char *reload_command;
	bool quiet;
	struct client_fds fds;
	json_t *numbers; /* that they get */
};

/* What follows a word that a value begins with, or NULL. */
const char *spawn_after(const char *value, const char *word);

/*
 * Opens the descriptors that go along, which spawn_request_fini() closes, and
 * makes the params, which are the caller's.  TOOL_OK, or it was said what is
 * wrong.
 */
int spawn_request(struct spawning *spawning, json_t **params);
void spawn_request_fini(struct spawning *spawning);

#endif
