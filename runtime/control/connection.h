/* SPDX-License-Identifier: ISC */
/*
 * One client of the control socket: lines in, lines out.
 *
 * Who does not take what was sent to it is not read from either, so that what
 * a client can make the host hold is one line in and what one line asks for.
 */
#ifndef RUNTIME_CONTROL_CONNECTION_H
#define RUNTIME_CONTROL_CONNECTION_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct loop;

/*
 * on_line: a line without its newline, not terminated.
 * on_drained: everything that was sent has been taken.
 * on_end: the connection ends; it is freed right after, unless the handler
 *     was called from connection_free().
 */
struct connection_handler {
	void (*on_line)(struct connection *connection, const char *line,
	    size_t length, void *arg);
	void (*on_drained)(struct connection *connection, void *arg);
	void (*on_end)(struct connection *connection, void *arg);
};

/* Takes the descriptor over, also on failure; NULL with errno. */
struct connection *connection_new(struct loop *loop, int fd,
    const struct connection_handler *handler, void *arg);

/* Ends it without a word; not to be called from one of its handlers. */
void connection_free(struct connection *connection);

/*
 * Queues a text, which is taken over.  NULL, there was no memory for it, ends
 * the connection soon, since an answer would be missing.
 */
void connection_send(struct connection *connection, char *text);

/* Bytes that wait to be taken. */
size_t connection_queued(const struct connection *connection);

/* While it awaits an answer, the end of its input does not end it. */
void connection_await(struct connection *connection, bool awaits);

/*
 * Whether the client has closed both ways: who had closed one before, and
 * awaits an answer, is not watched.
 */
bool connection_gone(const struct connection *connection);

/*
 * Before it is freed: writes what is queued, and what on_drained adds to it,
 * as far as it is taken without waiting.
 */
void connection_flush(struct connection *connection);

const struct ucred *connection_peer(const struct connection *connection);

#endif
