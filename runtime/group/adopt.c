/* SPDX-License-Identifier: ISC */
/*
 * Successors of a main process, see adopt.h.
 */
#include "runtime/group/adopt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "runtime/os/os.h"
#include "runtime/util/fd.h"

/*
 * A walk misses what moves from a parent that dies under it, also before it
 * came there and found it dead: unless all of these were dead before.
 */
#define PASSES 8

struct wanted {
	pid_t pid;
	bool found;
};

static void
compare(const struct walk_found *found, void *arg)
{
	struct wanted *wanted = arg;

	wanted->found |= found->stat->pid == wanted->pid;
}

static bool
is_descendant(struct walk *walk, pid_t pid)
{
	struct wanted wanted = { pid, false };
	size_t dead = 0;
	int pass;

	for (pass = 0; pass < PASSES && !wanted.found; pass++) {
		walk_run(walk, 0, compare, &wanted);
		if (!walk->moved && walk->dead == dead)
			break;
		dead = walk->dead;
	}
	return wanted.found;
}

int
adopt_open(struct walk *walk, enum sweep_scope scope, pid_t pid)
{
	struct pollfd end = { -1, POLLIN, 0 };

	end.fd = os_pidfd(pid);
	if (end.fd == -1)
		return -1;
	/* That the handle's process lives after it was found proves that it
	 * is the one: nobody else can have had its pid. */
	if ((scope == SWEEP_NAMESPACE || is_descendant(walk, pid)) &&
	    poll(&end, 1, 0) == 0)
		return end.fd;
	fd_close(&end.fd);
	errno = ESRCH;
	return -1;
}

bool
adopt_is_child(pid_t pid, int pidfd)
{
	siginfo_t info;

	/* Reaped by its parent, and its pid perhaps that of a child of ours. */
	if (os_pidfd_signal(pidfd, 0) == -1 && errno == ESRCH)
		return false;
	return waitid(P_PID, (id_t)pid, &info,
		   WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}
