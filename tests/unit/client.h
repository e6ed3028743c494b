/* SPDX-License-Identifier: ISC */
/*
 * A client of a trial's control socket.  It never blocks: the host's loop
 * runs while it waits.
 */
#ifndef TESTS_UNIT_CLIENT_H
#define TESTS_UNIT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "runtime/control/rpc.h"
#include "trial.h"

struct client {
	struct trial *trial;
	int fd;
	char *text; /* not yet taken */
	size_t length;
	bool ended;
};

/* The text of a request, and one that is always answered. */
#define REQUEST(method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method \
	"\",\"params\":" params "}\n"
#define IDENT_SELF REQUEST("ident", "{}")

/* A host named srv, and its first client. */
void client_open_server(struct trial *trial, struct client *client);
void client_close_server(struct trial *trial, struct client *client);

void client_open(struct client *client, struct trial *trial);
void client_close(struct client *client);

/* Sends all of it; the socket's buffer must have room. */
void client_send(struct client *client, const char *text);

/* The next answer, to be released; NULL if the connection ended instead. */
json_t *client_answer(struct client *client);

/* One request, whose answer must be an error of this code. */
void client_fails(struct client *client, const char *request, int code);

/* Any request, which must be answered: the server is well. */
void client_is_served(struct client *client);

#endif
