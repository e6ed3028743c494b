/* SPDX-License-Identifier: ISC */
/*
 * Ancestors, see descent.h.
 */
#include "runtime/control/descent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/fd.h"

/* A chain of parents cannot be longer than the process table. */
#define DEPTH_MAX (1 << 22)

/* Our own pid as /proc shows it, which may be an outer namespace's. */
static pid_t
own_pid(void)
{
	char target[32];
	ssize_t n;

	n = readlink("/proc/self", target, sizeof(target) - 1);
	if (n <= 0)
		return 0;
	target[n] = '\0';
	return (pid_t)atoi(target);
}

/* The line "Pid:" of a handle, in the namespace of /proc, pidfd_open(2). */
static pid_t
shown_pid(int pidfd)
{
	char path[64], text[512], *at;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		n = read(fd, text, sizeof(text) - 1);
	fd_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nPid:");
	return at == NULL ? 0 : (pid_t)strtol(at + 5, NULL, 10);
}

pid_t
descent_pid(pid_t pid)
{
	pid_t own = own_pid(), shown;
	int pidfd;

	if (own == getpid())
		return pid;
	if (own == 0) {
		errno = ENOSYS;
		return -1;
	}
	pidfd = os_pidfd(pid);
	if (pidfd == -1)
		return -1;
	shown = shown_pid(pidfd);
	fd_close(&pidfd);
	if (shown > 0)
		return shown;
	/* A handle of what has been reaped meanwhile says -1. */
	errno = shown < 0 ? ESRCH : ENOSYS;
	return -1;
}

int
descent_walk(pid_t pid, descent_fn *fn, void *arg)
{
	struct os_proc proc = {
		.dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.self = -1,
	};
	struct os_stat stat;
	pid_t at = pid != 0 ? pid : own_pid();
	int depth, result = 0, saved;

	if (proc.dir == -1)
		return -1;
	for (depth = 0; at > 0 && depth < DEPTH_MAX; depth++) {
		if (os_proc_stat(&proc, at, -1, &stat) == -1) {
			/* An ancestor may be hidden from us, or end. */
			result = depth == 0 ? -1 : 0;
			break;
		}
		if (!fn(&stat, arg))
			break;
		at = stat.ppid;
	}
	saved = errno == ENOENT ? ESRCH : errno;
	os_proc_close(&proc);
	errno = saved;
	return result;
}
