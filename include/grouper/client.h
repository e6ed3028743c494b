/* SPDX-License-Identifier: ISC */
/*
 * The client's side: a program outside talks to a running host over its
 * control socket.  Methods, parameters and results are those of
 * grouper-protocol(7), as JSON text.
 *
 * A client is for one thread at a time.  Functions wait where that is said,
 * and no signal handler cuts that short.  Times are in milliseconds, -1 for
 * none.
 */
#ifndef GROUPER_CLIENT_H
#define GROUPER_CLIENT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/message.h>

GROUPER_BEGIN_DECLS

struct grouper_client;

/*
 * Connects to the host whose socket is at a path, else to the one of a name,
 * else to that of GROUPER_SOCKET, else to the only one of this user.  Only a
 * host of root's or of this user is believed; by root also anybody's whose
 * socket is given.
 *
 * socket, host: may be NULL; not both are to be given.
 * client: set on success; the caller frees it with grouper_client_free().
 *
 * Returns GROUPER_OK; GROUPER_NO_GROUP if no such host runs; GROUPER_INVALID
 * if several run and none was named, or client is NULL;
 * GROUPER_BAD_COMBINATION; GROUPER_TIMED_OUT if the host lives but takes
 * nobody within 10 seconds; GROUPER_SYSTEM with errno, EACCES if it is
 * somebody else's.
 */
GROUPER_EXPORT enum grouper_error grouper_client_connect(const char *socket,
    const char *host, struct grouper_client **client);

/* Closes the connection, which ends its stream.  NULL is fine. */
GROUPER_EXPORT void grouper_client_free(struct grouper_client *client);

/* The host's process; -1 if client is NULL. */
GROUPER_EXPORT pid_t grouper_client_peer(const struct grouper_client *client);

/*
 * Calls a method and waits for its answer.
 *
 * params: a JSON object, or NULL for none.
 * result: set on success to JSON text, to be freed by free(3); may be NULL.
 *
 * Returns GROUPER_OK; the error that the host answered; GROUPER_INVALID also
 * for params that are no object and for what the host finds wrong with the
 * request; GROUPER_TIMED_OUT, after which an answer that comes late is
 * dropped; GROUPER_BAD_COMBINATION if the client has a stream;
 * GROUPER_NO_GROUP also if the host has gone; GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_client_call(struct grouper_client
							  *client,
    const char *method, const char *params, int64_t timeout_ms, char **result);

/*
 * Why the last call failed, for people: what the host told, or what was found
 * here.  Never NULL, "" if client is NULL; valid until the next call.
 */
GROUPER_EXPORT const char *grouper_client_error(const struct grouper_client
	*client);

/*
 * Begins the stream of a method that has one, "events" with {"follow":true}
 * for example.  A client has one stream and makes no calls beside it: other
 * calls need another client.  As grouper_client_call().
 */
GROUPER_EXPORT enum grouper_error grouper_client_stream(struct grouper_client
							    *client,
    const char *method, const char *params, int64_t timeout_ms, char **result);

/*
 * The next notification of the stream: its params as JSON text, to be freed
 * by free(3).
 *
 * timeout_ms: 0 takes what is there.
 *
 * Returns GROUPER_OK; GROUPER_TIMED_OUT if none came; GROUPER_NO_GROUP if the
 * host has gone; GROUPER_INVALID for what is none, or without a stream;
 * GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_client_next(struct grouper_client
							  *client,
    int64_t timeout_ms, char **params);

/*
 * A descriptor for the caller's own loop: when it can be read call
 * grouper_client_next() or grouper_client_message() with a timeout of 0 until
 * it returns other than GROUPER_OK, and once after the stream has begun.  It
 * stays the library's: not to be read or closed.  -1 if client is NULL.
 */
GROUPER_EXPORT int grouper_client_fd(const struct grouper_client *client);

/*
 * Begins a stream of messages: what is published to the topics of any of
 * these patterns, see grouper/message.h, once each.  It holds when this
 * returns.  As grouper_client_call().
 */
GROUPER_EXPORT enum grouper_error grouper_client_subscribe(struct grouper_client
							       *client,
    const char *const *patterns, size_t count, int64_t timeout_ms);

/*
 * The next message of it.  What it points to is the library's and valid until
 * the next call for this client.  As grouper_client_next().
 */
GROUPER_EXPORT enum grouper_error grouper_client_message(struct grouper_client
							     *client,
    int64_t timeout_ms, struct grouper_message *message);

GROUPER_END_DECLS

#endif
