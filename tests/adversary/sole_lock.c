/* SPDX-License-Identifier: ISC */
/*
 * The lock of a member's key, see sole_lock.h.
 */

#include "sole_lock.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_FD 3

void
sole_die(const char *what)
{
	perror(what);
	_exit(SOLE_FAILED);
}

static int
open_lock(const char *directory, const char *key)
{
	char name[256], path[1024], *p;
	int fd;

	snprintf(name, sizeof(name), "%s", key);
	for (p = name; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	/* Not 3: that is for readiness, and may be free. */
	fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd == -1 || (fd = fcntl(fd, F_DUPFD, READY_FD + 1)) == -1)
		sole_die(path);
	return fd;
}

_Noreturn static void
tell_of_another(const char *directory, const char *key, const char *holder)
{
	char path[1024], text[512];
	int fd, n;

	snprintf(path, sizeof(path), "%s/twice", directory);
	n = snprintf(text, sizeof(text), "%s: pid %d met %s", key,
	    (int)getpid(), holder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd == -1 || write(fd, text, (size_t)n) != n)
		sole_die(path);
	_exit(SOLE_MET_ANOTHER);
}

void
sole_lock(struct sole_lock *lock, const char *directory)
{
	const char *key = getenv("GROUPER_KEY");
	char text[64] = "\n";

	if (key == NULL)
		_exit(SOLE_FAILED);
	/* What we open may get its number. */
	lock->ready = fcntl(READY_FD, F_GETFD) != -1;
	lock->starts = 0;
	lock->fd = open_lock(directory, key);
	if (pread(lock->fd, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "%*d %u", &lock->starts);
	if (flock(lock->fd, LOCK_EX | LOCK_NB) == -1)
		tell_of_another(directory, key, text);
	lock->starts++;
}

void
sole_ready(const struct sole_lock *lock)
{
	if (lock->ready && write(READY_FD, "\n", 1) != 1)
		sole_die("readiness");
	close(READY_FD);
}

void
sole_tell(const struct sole_lock *lock, pid_t helper)
{
	char text[64];

	/* Of one length, so that no reader sees parts of two. */
	snprintf(text, sizeof(text), "%10d %10u %10d\n", (int)getpid(),
	    lock->starts, (int)helper);
	if (pwrite(lock->fd, text, strlen(text), 0) == -1)
		sole_die("pwrite");
}
