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
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

#define READ_STEP 4096

struct piece {
	STAILQ_ENTRY(piece) link;
	size_t length;
	char *text;
	int fds[CONNECTION_FDS_MAX];
	size_t nfds;
};

/* Descriptors of a line: it is the one of the byte before `end`. */
struct passed {
	size_t end;
	int fds[CONNECTION_FDS_MAX];
	size_t count;
};

/*
 * Nothing is read while there is a whole line to serve: there can be those of
 * a line that has begun, and those that came when it was completed.
 */
#define PASSED_MAX 2

struct connection {
	const struct connection_handler *handler;
	void *arg;
	struct ucred peer;
	int fd;
	struct loop_fd *readable;
	struct loop_fd *writable;
	char *in;
	size_t in_length;
	struct connection_room *room; /* NULL: takes no descriptors */
	struct passed passed[PASSED_MAX];
	size_t npassed;
	size_t line; /* bytes of the one that is being served; 0: none */
	STAILQ_HEAD(, piece) out;
	size_t out_done; /* of the first piece */
	size_t queued;
	bool input_ended;
	bool awaits;
	bool broken; /* ends as soon as no handler runs */
};

static void
close_all(int *fds, size_t *count)
{
	while (*count > 0)
		fd_close(&fds[--*count]);
}

static void
piece_free(struct piece *piece)
{
	close_all(piece->fds, &piece->nfds);
	free(piece->text);
	free(piece);
}

static void
drop_output(struct connection *connection)
{
	struct piece *piece;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((piece = STAILQ_FIRST(&connection->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&connection->out, link);
		piece_free(piece);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	connection->queued = 0;
}

/* The first that came. */
static void
drop_passed(struct connection *connection)
{
	struct passed *first = &connection->passed[0];

	connection->room->held -= first->count;
	close_all(first->fds, &first->count);
	connection->npassed--;
	memmove(first, first + 1, connection->npassed * sizeof(*first));
}

/* A line of so many bytes was served: so are its descriptors. */
static void
forget_line(struct connection *connection, size_t length)
{
	size_t i;

	while (connection->npassed > 0 && connection->passed[0].end <= length)
		drop_passed(connection);
	for (i = 0; i < connection->npassed; i++)
		connection->passed[i].end -= length;
	connection->in_length -= length;
	memmove(connection->in, connection->in + length, connection->in_length);
}

void
connection_free(struct connection *connection)
{
	connection->handler->on_end(connection, connection->arg);
	loop_fd_free(connection->readable);
	loop_fd_free(connection->writable);
	fd_close(&connection->fd);
	drop_output(connection);
	while (connection->npassed > 0)
		drop_passed(connection);
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
		connection->line = length + 1;
		connection->handler->on_line(connection, connection->in, length,
		    connection->arg);
		connection->line = 0;
		forget_line(connection, length + 1);
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

/*
 * Half of it may be closed, shutdown(2), and answers still be read.  One that
 * cannot be asked is let go of: nothing would tell of its end later.
 */
static bool
is_gone(int fd)
{
	struct pollfd pollfd = { fd, 0, 0 };
	int n = poll(&pollfd, 1, 0);

	return n == -1 ||
	    (n == 1 && (pollfd.revents & (POLLHUP | POLLERR)) != 0);
}

/* Whether the line of the byte before `end` is not that of the last ones. */
static bool
is_other_line(const struct connection *connection, size_t end)
{
	size_t last;

	if (connection->npassed == 0)
		return true;
	last = connection->passed[connection->npassed - 1].end;
	return connection->npassed < PASSED_MAX &&
	    memchr(connection->in + last - 1, '\n', end - last) != NULL;
}

/* What came with the bytes up to `end`.  False: more than we take. */
static bool
keep_passed(struct connection *connection, struct msghdr *message, size_t end)
{
	struct connection_room *room = connection->room;
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct passed came = { .end = end };

	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS) {
		came.count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(came.fds, CMSG_DATA(header), came.count * sizeof(int));
	}
	if (message->msg_flags & MSG_CTRUNC) {
		close_all(came.fds, &came.count);
		return false;
	}
	if (came.count == 0)
		return true;
	if (room->held + came.count > room->max ||
	    !is_other_line(connection, end)) {
		close_all(came.fds, &came.count);
		return false;
	}
	room->held += came.count;
	connection->passed[connection->npassed++] = came;
	return true;
}

/* As recv(2), into what follows what came before. */
static ssize_t
receive(struct connection *connection, char *buffer, size_t size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(CONNECTION_FDS_MAX * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { buffer, size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (connection->room != NULL) {
		message.msg_control = control.bytes;
		/* Not its alignment as well, where one more would fit. */
		message.msg_controllen = CMSG_LEN(CONNECTION_FDS_MAX *
		    sizeof(int));
	}
	n = recvmsg(connection->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n > 0 && connection->room != NULL &&
	    !keep_passed(connection, &message,
		connection->in_length + (size_t)n))
		connection->broken = true;
	return n;
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
	n = receive(connection, grown + connection->in_length, READ_STEP);
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

/* As send(2), descriptors with the first byte. */
static ssize_t
send_piece(const struct connection *connection, const struct piece *piece)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(CONNECTION_FDS_MAX * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { piece->text + connection->out_done,
		piece->length - connection->out_done };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t bytes = piece->nfds * sizeof(int);

	if (bytes > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.header), piece->fds, bytes);
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(bytes);
	}
	return sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* False if nothing was taken. */
static bool
write_some(struct connection *connection)
{
	struct piece *piece = STAILQ_FIRST(&connection->out);
	ssize_t n;

	if (piece == NULL)
		return false;
	n = send_piece(connection, piece);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			connection->broken = true;
		return false;
	}
	close_all(piece->fds, &piece->nfds);
	connection->out_done += (size_t)n;
	connection->queued -= (size_t)n;
	if (connection->out_done < piece->length)
		return true;
	connection->out_done = 0;
	STAILQ_REMOVE_HEAD(&connection->out, link);
	piece_free(piece);
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
connection_accept(struct connection *connection, struct connection_room *room)
{
	connection->room = room;
}

size_t
connection_take(struct connection *connection, int fds[CONNECTION_FDS_MAX])
{
	struct passed *first = &connection->passed[0];
	size_t count;

	if (connection->npassed == 0 || first->end > connection->line)
		return 0;
	count = first->count;
	memcpy(fds, first->fds, count * sizeof(*fds));
	connection->room->held -= count;
	first->count = 0;
	return count;
}

void
connection_send(struct connection *connection, char *text)
{
	connection_send_fds(connection, text, NULL, 0);
}

void
connection_send_fds(struct connection *connection, char *text, const int *fds,
    size_t count)
{
	struct piece *piece = text == NULL ? NULL : calloc(1, sizeof(*piece));
	size_t i;
	int fd;

	BUG_IF(count > CONNECTION_FDS_MAX);
	/* Whoever sends may be anywhere: the end comes from the loop. */
	loop_fd_set(connection->writable, true);
	if (piece == NULL) {
		for (i = 0; i < count; i++) {
			fd = fds[i];
			fd_close(&fd);
		}
		free(text);
		connection->broken = true;
		return;
	}
	for (i = 0; i < count; i++)
		piece->fds[i] = fds[i];
	piece->nfds = count;
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
connection_flush(struct connection *connection, int64_t deadline)
{
	do
		while (!connection->broken && write_some(connection))
			if (connection->queued == 0)
				connection->handler->on_drained(connection,
				    connection->arg);
	while (!connection->broken && connection->queued > 0 &&
	    fd_await(connection->fd, POLLOUT, deadline) == 1);
}

const struct ucred *
connection_peer(const struct connection *connection)
{
	return &connection->peer;
}
