/* SPDX-License-Identifier: ISC */
/*
 * Lines of a client, see connection.h.
 */
#include "runtime/control/connection.h"

#include <sys/queue.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/rpc.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

#define READ_STEP 4096

struct piece {
	STAILQ_ENTRY(piece) link;
	size_t length;
	char *text;
};

struct connection {
	const struct connection_handler *handler;
	void *arg;
	struct ucred peer;
	int fd;
	struct loop_fd *readable;
	struct loop_fd *writable;
	char *in;
	size_t in_length;
	STAILQ_HEAD(, piece) out;
	size_t out_done; /* of the first piece */
	size_t queued;
	bool input_ended;
	bool awaits;
	bool broken; /* ends as soon as no handler runs */
};

static void
drop_output(struct connection *connection)
{
	struct piece *piece;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((piece = STAILQ_FIRST(&connection->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&connection->out, link);
		free(piece->text);
		free(piece);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	connection->queued = 0;
}

void
connection_free(struct connection *connection)
{
	connection->handler->on_end(connection, connection->arg);
	loop_fd_free(connection->readable);
	loop_fd_free(connection->writable);
	fd_close(&connection->fd);
	drop_output(connection);
	free(connection->in);
	free(connection);
}

/* Hands complete lines over until one is to be answered first. */
static void
serve_lines(struct connection *connection)
{
	size_t length;
	char *end;

	while (!connection->broken && connection->queued == 0 &&
	    connection->in_length > 0) {
		end = memchr(connection->in, '\n', connection->in_length);
		if (end == NULL)
			return;
		length = (size_t)(end - connection->in);
		connection->handler->on_line(connection, connection->in, length,
		    connection->arg);
		connection->in_length -= length + 1;
		memmove(connection->in, end + 1, connection->in_length);
	}
}

/* After anything that happened: whether it goes on, and with what. */
static void
settle(struct connection *connection)
{
	serve_lines(connection);
	if (connection->broken ||
	    (connection->input_ended && connection->queued == 0 &&
		!connection->awaits)) {
		connection_free(connection);
		return;
	}
	loop_fd_set(connection->readable,
	    connection->queued == 0 && !connection->input_ended);
	loop_fd_set(connection->writable, connection->queued > 0);
}

/* Half of it may be closed, shutdown(2), and answers still be read. */
static bool
is_gone(int fd)
{
	struct pollfd pollfd = { fd, 0, 0 };

	return poll(&pollfd, 1, 0) == 1 &&
	    (pollfd.revents & (POLLHUP | POLLERR)) != 0;
}

static void
read_some(struct connection *connection)
{
	char *grown = NULL;
	ssize_t n;

	if (connection->in_length + READ_STEP <= RPC_LINE_MAX)
		grown = realloc(connection->in,
		    connection->in_length + READ_STEP);
	if (grown == NULL) {
		connection->broken = true;
		return;
	}
	connection->in = grown;
	n = recv(connection->fd, grown + connection->in_length, READ_STEP,
	    MSG_DONTWAIT);
	if (n > 0)
		connection->in_length += (size_t)n;
	else if (n == 0) {
		connection->input_ended = true;
		connection->broken = is_gone(connection->fd);
	} else if (errno != EAGAIN && errno != EINTR)
		connection->broken = true;
}

static void
on_readable(int fd, void *arg)
{
	struct connection *connection = arg;

	(void)fd;
	read_some(connection);
	settle(connection);
}

/* False if nothing was taken. */
static bool
write_some(struct connection *connection)
{
	struct piece *piece = STAILQ_FIRST(&connection->out);
	ssize_t n;

	if (piece == NULL)
		return false;
	n = send(connection->fd, piece->text + connection->out_done,
	    piece->length - connection->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			connection->broken = true;
		return false;
	}
	connection->out_done += (size_t)n;
	connection->queued -= (size_t)n;
	if (connection->out_done < piece->length)
		return true;
	connection->out_done = 0;
	STAILQ_REMOVE_HEAD(&connection->out, link);
	free(piece->text);
	free(piece);
	return true;
}

static bool
is_drained(const struct connection *connection)
{
	return !connection->broken && connection->queued == 0;
}

/*
 * All was taken.  Requests come before what a stream has next, or one that
 * never pauses would keep them waiting for ever.
 */
static void
on_all_taken(struct connection *connection)
{
	serve_lines(connection);
	if (is_drained(connection) && !connection->input_ended) {
		read_some(connection);
		serve_lines(connection);
	}
	if (is_drained(connection))
		connection->handler->on_drained(connection, connection->arg);
}

static void
on_writable(int fd, void *arg)
{
	struct connection *connection = arg;

	(void)fd;
	write_some(connection);
	if (is_drained(connection))
		on_all_taken(connection);
	settle(connection);
}

struct connection *
connection_new(struct loop *loop, int fd,
    const struct connection_handler *handler, void *arg)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	socklen_t length = sizeof(connection->peer);

	if (connection == NULL) {
		fd_close(&fd);
		return NULL;
	}
	connection->handler = handler;
	connection->arg = arg;
	connection->fd = fd;
	STAILQ_INIT(&connection->out);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &connection->peer,
		&length) == 0) {
		connection->readable = loop_fd_new(loop, fd, LOOP_READ,
		    on_readable, connection);
		connection->writable = loop_fd_new(loop, fd, LOOP_WRITE,
		    on_writable, connection);
	}
	if (connection->readable == NULL || connection->writable == NULL) {
		loop_fd_free(connection->readable);
		loop_fd_free(connection->writable);
		fd_close(&connection->fd);
		free(connection);
		return NULL;
	}
	loop_fd_set(connection->writable, false);
	return connection;
}

void
connection_send(struct connection *connection, char *text)
{
	struct piece *piece = text == NULL ? NULL : malloc(sizeof(*piece));

	/* Whoever sends may be anywhere: the end comes from the loop. */
	loop_fd_set(connection->writable, true);
	if (piece == NULL) {
		free(text);
		connection->broken = true;
		return;
	}
	piece->text = text;
	piece->length = strlen(text);
	STAILQ_INSERT_TAIL(&connection->out, piece, link);
	connection->queued += piece->length;
}

size_t
connection_queued(const struct connection *connection)
{
	return connection->queued;
}

void
connection_await(struct connection *connection, bool awaits)
{
	connection->awaits = awaits;
	if (!awaits)
		loop_fd_set(connection->writable, true);
}

bool
connection_gone(const struct connection *connection)
{
	return connection->input_ended && is_gone(connection->fd);
}

void
connection_flush(struct connection *connection)
{
	while (!connection->broken && write_some(connection))
		if (connection->queued == 0)
			connection->handler->on_drained(connection,
			    connection->arg);
}

const struct ucred *
connection_peer(const struct connection *connection)
{
	return &connection->peer;
}
