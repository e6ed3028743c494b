/* SPDX-License-Identifier: ISC */
/*
 * Pipes between host and members: see pipe.h.
 */
#include "runtime/relay/pipe.h"

#include <errno.h>
#include <unistd.h>

ssize_t
pipe_write(int fd, const struct iovec *pieces, size_t count)
{
	ssize_t n;

	do
		n = count == 1 ? write(fd, pieces->iov_base, pieces->iov_len) :
				 writev(fd, pieces, (int)count);
	while (n == -1 && errno == EINTR);
	return n;
}

#ifdef SPLICE_F_NONBLOCK
ssize_t
pipe_lend(int fd, const struct iovec *pieces, size_t count)
{
	ssize_t n;

	do
		n = vmsplice(fd, pieces, count, SPLICE_F_NONBLOCK);
	while (n == -1 && errno == EINTR);
	return n;
}
#else
ssize_t
pipe_lend(int fd, const struct iovec *pieces, size_t count)
{
	return pipe_write(fd, pieces, count);
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
