/* SPDX-License-Identifier: ISC */
/*
 * Leaders that have told their groups empty and are about to end.  Nothing
 * waits for that, but each is a child of the host's until it is reaped.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "runtime/group/group.h"
#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

/* More than an exit takes that nothing holds up. */
#define SPIN_US 150

int
leavers_compare(const struct leaver *a, const struct leaver *b)
{
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* The analyzer does not see that each is taken out before it is freed. */
/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
RB_GENERATE(group_leavers, leaver, by_pid, leavers_compare)

static void
leaver_free(struct leaver *leaver)
{
	RB_REMOVE(group_leavers, &leaver->host->leavers, leaver);
	loop_fd_free(leaver->watch);
	fd_close(&leaver->pidfd);
	free(leaver);
}

static void
on_left(int fd, void *arg)
{
	struct leaver *leaver = arg;
	siginfo_t info = { 0 };

	(void)fd;
	if (waitid(P_PID, (id_t)leaver->pid, &info,
		WEXITED | WNOHANG | __WALL) == -1 ||
	    info.si_pid != 0)
		leaver_free(leaver);
}

bool
leavers_left(pid_t leader)
{
	int64_t end = clock_us() + SPIN_US;
	siginfo_t info = { 0 };

	do {
		if (waitid(P_PID, (id_t)leader, &info,
			WEXITED | WNOHANG | WNOWAIT | __WALL) == -1 ||
		    info.si_pid != 0)
			return true;
		sched_yield();
	} while (clock_us() < end);
	return false;
}

bool
leavers_take(struct grouper_host *host, pid_t leader, int *pidfd)
{
	struct leaver *leaver = calloc(1, sizeof(*leaver));

	if (leaver == NULL)
		return false;
	leaver->host = host;
	leaver->pid = leader;
	leaver->pidfd = *pidfd;
	leaver->watch = loop_fd_new(host->loop, leaver->pidfd, LOOP_READ,
	    on_left, leaver);
	if (leaver->watch == NULL) {
		free(leaver);
		return false;
	}
	*pidfd = -1;
	RB_INSERT(group_leavers, &host->leavers, leaver);
	return true;
}

bool
leavers_have(const struct grouper_host *host, pid_t pid)
{
	struct leaver wanted = { .pid = pid };

	return RB_FIND(group_leavers,
		   (struct group_leavers *)(uintptr_t)&host->leavers,
		   &wanted) != NULL;
}

void
leavers_reap(struct grouper_host *host)
{
	struct leaver *leaver;

	while ((leaver = RB_MIN(group_leavers, &host->leavers)) != NULL) {
		/* It has nothing left to do, but may have been stopped. */
		os_pidfd_signal(leaver->pidfd, SIGKILL);
		os_reap(leaver->pid);
		leaver_free(leaver);
	}
}
