/* SPDX-License-Identifier: ISC */
/*
 * A client of a host's control socket.  It blocks: it is for programs that
 * have nothing else to do.
 */
#ifndef RUNTIME_CONTROL_CLIENT_H
#define RUNTIME_CONTROL_CLIENT_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <grouper/error.h>

#include "runtime/control/connection.h"

struct client;

/*
 * Whose hosts are believed: of our own user and of root; or, for root alone,
 * of anybody.  The latter is for a socket that the caller named for this
 * call: what an environment names may be what sudo or su kept of another's.
 */
enum client_trust { CLIENT_TRUSTS_OWN, CLIENT_TRUSTS_NAMED };

/*
 * Whether the process at the other end is of such a user.  peer receives it.
 */
bool client_trusts(int fd, enum client_trust trust, struct ucred *peer);

/* More than a host takes to make room for one who asks. */
#define CLIENT_CONNECT_MS 10000

/*
 * Connects to the socket at path, for at most limit_ms: a host that is
 * stopped takes nobody, and only so many may wait for it.  NULL with errno:
 * EACCES where the host is not believed, ETIMEDOUT where it lives but took
 * nobody in time.
 */
struct client *client_connect(const char *path, enum client_trust trust,
    int64_t limit_ms);
void client_free(struct client *client);

/* The process that listens. */
pid_t client_peer(const struct client *client);

/* Can be read when something came; to be watched, not to be read. */
int client_fd(const struct client *client);

/*
 * Calls a method and waits for its answer for at most limit_ms, -1 for ever;
 * notifications that come before it are dropped.  params is taken over; NULL
 * says that there was no memory for it.  *result is set on success, to be
 * released.
 *
 * Returns GROUPER_OK; the error that the host answered with, whose text
 * client_error() tells; GROUPER_TIMED_OUT; GROUPER_INVALID for an answer
 * that is none, or a JSON-RPC error of its own; GROUPER_SYSTEM with errno,
 * ECONNRESET when the host has gone.
 */
enum grouper_error client_call(struct client *client, const char *method,
    json_t *params, int64_t limit_ms, json_t **result);

/* Descriptors that go with a request, or came with its answer. */
struct client_fds {
	int list[CONNECTION_FDS_MAX];
	size_t count;
};

void client_fds_close(struct client_fds *fds);

/*
 * The same, with descriptors that stay the caller's, unless `given` is NULL.
 * What came with the answer, close-on-exec, is put into `got`, to be closed
 * by the caller; it is empty on failure, and NULL where none is expected.
 */
enum grouper_error client_call_fds(struct client *client, const char *method,
    json_t *params, const struct client_fds *given, int64_t limit_ms,
    json_t **result, struct client_fds *got);

/* Of the last call that failed; never NULL, valid until the next call. */
const char *client_error(const struct client *client);

/*
 * Waits for the next notification: its params, to be released.  As
 * client_call(); *params is NULL on failure.
 */
enum grouper_error client_next(struct client *client, int64_t limit_ms,
    json_t **params);

#endif
