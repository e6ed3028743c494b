/* SPDX-License-Identifier: ISC */
/*
 * Descriptors: see fd.h.
 */
#include "runtime/util/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/util/clock.h"

#define FIRST_ROOM 1024 /* of what is read */

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd); /* Linux frees it also on EINTR, see close(2) */
	*fd = -1;
	errno = saved;
}

static int
await_more(int fd, int64_t deadline)
{
	int n;

	if (deadline == -1)
		return 0; /* read(2) waits by itself */
	n = fd_await(fd, POLLIN, deadline);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

char *
fd_read_all(int fd, size_t max, size_t *length)
{
	return fd_read_until(fd, max, -1, length);
}

char *
fd_read_until(int fd, size_t max, int64_t deadline, size_t *length)
{
	size_t used = 0, room = 0;
	char *text = NULL, *grown;
	ssize_t n;

	for (;;) {
		if (used + 1 >= room) {
			room = room == 0 ? FIRST_ROOM : 2 * room;
			grown = realloc(text, room);
			if (grown == NULL)
				break;
			text = grown;
		}
		if (await_more(fd, deadline) == -1)
			break;
		n = read(fd, text + used, room - used - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		used += (size_t)n;
		if (used > max) {
			errno = EFBIG;
			break;
		}
		if (n == 0) {
			text[used] = '\0';
			*length = used;
			return text;
		}
	}
	free(text);
	return NULL;
}

int
fd_await_any(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int64_t left = -1;
	int n;

	do {
		if (deadline != -1)
			left = deadline - clock_ms();
		if (deadline != -1 && left < 0)
			left = 0;
		n = poll(fds, count, left > INT_MAX ? INT_MAX : (int)left);
	} while ((n == -1 && errno == EINTR) || (n == 0 && left > INT_MAX));
	return n;
}

int
fd_await(int fd, short events, int64_t deadline)
{
	struct pollfd pollfd = { fd, events, 0 };

	return fd_await_any(&pollfd, 1, deadline);
}

int
fd_hold_standard(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			return -1; /* the lowest free one, see open(2) */
	return 0;
}

typedef bool pick_fn(int fd, int flags, int keep);

static bool
pick_inherited(int fd, int flags, int keep)
{
	(void)keep;
	return fd > STDERR_FILENO && (flags & FD_CLOEXEC) == 0;
}

static bool
pick_private(int fd, int flags, int keep)
{
	return fd != keep && (flags & FD_CLOEXEC) != 0;
}

static void
close_picked(int fd, pick_fn *pick, int keep)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags != -1 && pick(fd, flags, keep))
		close(fd);
}

/* Without /proc every possible number is tried. */
static void
close_by_number(pick_fn *pick, int keep)
{
	struct rlimit limit;
	int fd, end = 1024;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1 << 20)
		end = (int)limit.rlim_cur;
	for (fd = 0; fd < end; fd++)
		close_picked(fd, pick, keep);
}

static void
close_each(pick_fn *pick, int keep)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	dir = opendir("/proc/self/fd");
	if (dir == NULL) {
		close_by_number(pick, keep);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && fd != dirfd(dir))
			close_picked(fd, pick, keep);
	}
	closedir(dir);
}

void
fd_close_inherited(void)
{
	int null;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null != -1) {
		dup3(null, STDIN_FILENO, O_CLOEXEC);
		dup3(null, STDOUT_FILENO, O_CLOEXEC);
		close(null);
	}
	close_each(pick_inherited, -1);
}

void
fd_close_private(int keep)
{
	close_each(pick_private, keep);
}
