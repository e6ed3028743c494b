/* SPDX-License-Identifier: ISC */
/*
 * Pipes between host and members: see pipe.h.
 */
#include "runtime/relay/pipe.h"

#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t
pipe_write(int fd, const char *bytes, size_t length)
{
	ssize_t n;

	do
		n = write(fd, bytes, length);
	while (n == -1 && errno == EINTR);
	return n;
}

#ifdef SPLICE_F_NONBLOCK
ssize_t
pipe_lend(int fd, const char *bytes, size_t length)
{
	struct iovec iov = { .iov_base = (char *)(uintptr_t)bytes,
		.iov_len = length };
	ssize_t n;

	do
		n = vmsplice(fd, &iov, 1, SPLICE_F_NONBLOCK);
	while (n == -1 && errno == EINTR);
	return n;
}
#else
ssize_t
pipe_lend(int fd, const char *bytes, size_t length)
{
	return pipe_write(fd, bytes, length);
}
#endif

size_t
pipe_enlarge(int fd, size_t size)
{
#ifdef F_SETPIPE_SZ
	int before = fcntl(fd, F_GETPIPE_SZ), after;

	if (before <= 0 || (size_t)before >= size)
		return 0;
	/* EPERM beyond what a user may have: pipe(7). */
	after = fcntl(fd, F_SETPIPE_SZ, (int)size);
	return after > before ? (size_t)(after - before) : 0;
#else
	(void)fd;
	(void)size;
	return 0;
#endif
}

void
pipe_reduce(int fd, size_t size)
{
#ifdef F_SETPIPE_SZ
	int before = fcntl(fd, F_GETPIPE_SZ);

	if (before > 0 && (size_t)before > size)
		fcntl(fd, F_SETPIPE_SZ, (int)size);
#else
	(void)fd;
	(void)size;
#endif
}
