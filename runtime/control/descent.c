/* SPDX-License-Identifier: ISC */
/*
 * Ancestors, see descent.h.
 */
#include "runtime/control/descent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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
