/* SPDX-License-Identifier: ISC */
/*
 * Readiness by a newline on a descriptor: see ready_fd.h.
 */
#include "runtime/ready/ready_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

#define READ_SIZE 512
#define DRAIN_MAX 128 /* reads: as much as a pipe holds */

struct ready_fd {
	ready_fd_fn *fn;
	void *arg;
	int fd;
	struct loop_fd *watch;
};

static void
close_pipe(struct ready_fd *ready)
{
	loop_fd_free(ready->watch);
	ready->watch = NULL;
	fd_close(&ready->fd);
}

/* Whether to read on; if not, it may be gone. */
static bool
read_some(struct ready_fd *ready)
{
	char buffer[READ_SIZE];
	bool newline;
	ssize_t n;

	n = read(ready->fd, buffer, sizeof(buffer));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	newline = n > 0 && memchr(buffer, '\n', (size_t)n) != NULL;
	if (n > 0 && !newline)
		return true;
	close_pipe(ready);
	ready->fn(newline, ready->arg);
	return false;
}

/* One read a turn: who floods this descriptor holds up nobody. */
static void
on_readable(int fd, void *arg)
{
	(void)fd;
	read_some(arg);
}

void
ready_fd_drain(struct ready_fd *ready)
{
	int i;

	for (i = 0; i < DRAIN_MAX && ready->fd != -1; i++)
		if (!read_some(ready))
			return;
}

struct ready_fd *
ready_fd_new(struct loop *loop, int *member_fd, ready_fd_fn *fn, void *arg)
{
	struct ready_fd *ready;
	int ends[2] = { -1, -1 };

	ready = calloc(1, sizeof(*ready));
	if (ready == NULL)
		return NULL;
	ready->fn = fn;
	ready->arg = arg;
	ready->fd = -1;
	if (pipe2(ends, O_CLOEXEC) == -1)
		goto fail;
	ready->fd = ends[0];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		goto fail;
	ready->watch = loop_fd_new(loop, ends[0], LOOP_READ, on_readable,
	    ready);
	if (ready->watch == NULL)
		goto fail;
	*member_fd = ends[1];
	return ready;
fail:
	fd_close(&ends[1]);
	ready_fd_free(ready);
	return NULL;
}

void
ready_fd_free(struct ready_fd *ready)
{
	int saved = errno;

	if (ready == NULL)
		return;
	close_pipe(ready);
	free(ready);
	errno = saved;
}
