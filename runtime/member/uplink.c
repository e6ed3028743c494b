/* SPDX-License-Identifier: ISC */
/*
 * Frames to the host, see private.h.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "runtime/member/private.h"

/* SIGPIPE kept from a program that has not asked for it. */
struct shield {
	sigset_t before;
	bool pending; /* another one was on its way already */
};

static void
raise_shield(struct shield *shield)
{
	sigset_t pipe, pending;

	sigemptyset(&pending);
	sigpending(&pending);
	shield->pending = sigismember(&pending, SIGPIPE) == 1;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	/* Of this thread only, as pthread_sigmask(3): Linux knows no other. */
	sigprocmask(SIG_BLOCK, &pipe, &shield->before);
}

static void
lower_shield(const struct shield *shield, bool raised)
{
	const struct timespec now = { 0, 0 };
	int saved = errno;
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (raised && !shield->pending)
		while (sigtimedwait(&pipe, NULL, &now) == -1 && errno == EINTR)
			continue;
	sigprocmask(SIG_SETMASK, &shield->before, NULL);
	errno = saved;
}

/* Waits for room; the pipe is non-blocking if somebody made it so. */
static int
await_room(int fd)
{
	struct pollfd pollfd = { fd, POLLOUT, 0 };

	return poll(&pollfd, 1, -1) == -1 && errno != EINTR ? -1 : 0;
}

static void
advance(struct iovec **part, int *count, size_t done)
{
	while (*count > 0 && done >= (*part)->iov_len) {
		done -= (*part)->iov_len;
		(*part)++;
		(*count)--;
	}
	if (*count > 0) {
		(*part)->iov_base = (char *)(*part)->iov_base + done;
		(*part)->iov_len -= done;
	}
}

/*
 * A frame up to PIPE_BUF goes in one piece, see pipe(7).  A signal may cut a
 * longer one, whose rest must follow whatever the handler wanted.
 */
static int
write_all(int fd, struct iovec *part, int count)
{
	ssize_t n;

	while (count > 0) {
		n = writev(fd, part, count);
		if (n >= 0)
			advance(&part, &count, (size_t)n);
		else if (errno != EINTR &&
		    (errno != EAGAIN || await_room(fd) == -1))
			return -1;
	}
	return 0;
}

enum grouper_error
uplink_write(int fd, const struct frame *frame)
{
	char header[FRAME_HEADER_MAX], newline[] = "\n";
	struct iovec parts[] = {
		{ header, frame_header(header, frame) },
		{ (char *)(uintptr_t)frame->payload, frame->payload_length },
		{ newline, 1 },
	};
	struct shield shield;
	int result;

	raise_shield(&shield);
	result = write_all(fd, parts, frame_has_payload(frame->type) ? 3 : 1);
	lower_shield(&shield, result == -1 && errno == EPIPE);
	if (result == 0)
		return GROUPER_OK;
	return errno == EPIPE ? GROUPER_NO_GROUP : GROUPER_SYSTEM;
}
