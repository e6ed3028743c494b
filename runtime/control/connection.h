/* SPDX-License-Identifier: ISC */
/*
 * One client of the control socket: lines in, lines out, and descriptors with
 * either.
 *
 * Who does not take what was sent to it is not read from either, so that what
 * a client can make the host hold is one line in and what one line asks for.
 */
#ifndef RUNTIME_CONTROL_CONNECTION_H
#define RUNTIME_CONTROL_CONNECTION_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many descriptors may come, or go, with a line. */
#define CONNECTION_FDS_MAX 3

struct connection;
struct loop;

/*
 * What connections may hold together of descriptors that came with lines
 * which are not complete yet: a client may send them and no line.
 */
struct connection_room {
	size_t held;
	size_t max;
};

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

/*
 * Takes descriptors from now on, as far as there is room, which must outlive
 * the connection; before, the kernel drops them.  They belong to the line of
 * the last byte that came with them, so whoever sends any sends nothing but
 * bytes of that line with them.  Too many for a line, or for the room, end
 * the connection.
 */
void connection_accept(struct connection *connection,
    struct connection_room *room);

/*
 * Within on_line(): the descriptors that came with the line, close-on-exec,
 * are the caller's now.  Those that nobody takes are closed after it.
 * Returns how many.
 */
size_t connection_take(struct connection *connection,
    int fds[CONNECTION_FDS_MAX]);

/* Ends it without a word; not to be called from one of its handlers. */
void connection_free(struct connection *connection);

/*
 * Queues a text, which is taken over.  NULL, there was no memory for it, ends
 * the connection soon, since an answer would be missing.
 */
void connection_send(struct connection *connection, char *text);

/*
 * The same, and with its first byte at most CONNECTION_FDS_MAX descriptors,
 * which are taken over: they are closed when they were sent, or cannot be.
 */
void connection_send_fds(struct connection *connection, char *text,
    const int *fds, size_t count);

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
 * as far as it is taken until a deadline of clock_deadline(); 0 is over.
 */
void connection_flush(struct connection *connection, int64_t deadline);

const struct ucred *connection_peer(const struct connection *connection);

#endif
