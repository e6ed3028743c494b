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
#include "tools/options.h"

struct remote {
	struct options options;
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

/*
 * With --json: prints the answer for a key, which is taken over, behind the
 * "key" unless that is NULL; or an error, as "error".  Without: nothing.
 * TOOL_OK, or TOOL_NO and it is said.
 */
int remote_print(struct remote *remote, const char *key, json_t *answer);
int remote_print_error(struct remote *remote, const char *key,
    const char *error);

/* Says why the last call failed, and returns the exit status for it. */
int remote_fail(struct remote *remote, enum grouper_error error,
    const char *whom);

#endif
