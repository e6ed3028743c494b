/* SPDX-License-Identifier: ISC */
/*
 * What verbs share that talk to a running host: which one, and how it is
 * asked.
 */
#ifndef TOOLS_REMOTE_H
#define TOOLS_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <grouper/error.h>

#include "runtime/control/client.h"

/* Short and long options of every such verb, and their lines in its help. */
#define REMOTE_LETTERS "s:h"
#define REMOTE_HELP \
	"  -s, --socket SOCKET  the host that listens there\n" \
	"      --host NAME      the host of this name\n"

struct remote {
	const char *verb;
	const char *socket;
	const char *host;
	struct client *client; /* NULL until remote_open() */
};

/*
 * Connects to the host that was named, else to $GROUPER_SOCKET, else to the
 * only one of this user.  0; else the exit status, and why is said.
 */
int remote_open(struct remote *remote);
void remote_close(struct remote *remote);

/*
 * Calls a method; params is taken over.  0 with a result to be released; else
 * the exit status, and why is said, for whom unless that is NULL.
 */
int remote_call(struct remote *remote, const char *method, json_t *params,
    const char *whom, json_t **result);

/* Says why the last call failed, and returns the exit status for it. */
int remote_fail(struct remote *remote, enum grouper_error error,
    const char *whom);

/*
 * Calls fn for the socket of every host of this user's runtime directory, in
 * the order of their names.  0, or -1 with errno.
 */
typedef void remote_host_fn(const char *name, const char *path, void *arg);
int remote_each_host(remote_host_fn *fn, void *arg);

#endif
