/* SPDX-License-Identifier: ISC */
/*
 * What a leader is asked while its link is full, see group.h.
 *
 * A member decides how often its group is signalled: whatever asks for it may
 * come faster than the leader reads.  It waits here, each signal once, so
 * that it has bounds and no stop is lost.
 */
#include "runtime/group/group.h"

#include <errno.h>
#include <signal.h>

#include "runtime/group/link.h"

/* Signals are numbered from 1. */
static uint64_t
bit_of(int signum)
{
	return (uint64_t)1 << (signum - 1);
}

static int
send_signals(struct group *group)
{
	struct link_down down = { .type = LINK_SIGNAL, .signum = 1 };

	for (; group->backlog.signals != 0; down.signum++) {
		if (!(group->backlog.signals & bit_of(down.signum)))
			continue;
		if (link_send_down(group->link, &down) == -1)
			return -1;
		group->backlog.signals &= ~bit_of(down.signum);
	}
	return 0;
}

static int
send_all(struct group *group)
{
	if (send_signals(group) == -1)
		return -1;
	return group->backlog.stops ?
	    link_send_down(group->link, &group->backlog.stop) :
	    0;
}

static void
on_room(int fd, void *arg)
{
	struct group *group = arg;

	(void)fd;
	/* Any other failure: the leader is gone. */
	if (send_all(group) == 0 || errno != EAGAIN)
		backlog_forget(group);
}

static int
keep(struct group *group, const struct link_down *down)
{
	struct backlog *backlog = &group->backlog;

	if (backlog->watch == NULL)
		backlog->watch = loop_fd_new(group->host->loop, group->link,
		    LOOP_WRITE, on_room, group);
	if (backlog->watch == NULL)
		return -1;
	if (down->type == LINK_STOP) {
		backlog->stops = true;
		backlog->stop = *down;
	} else if (down->signum >= SIGRTMIN &&
	    (backlog->signals & bit_of(down->signum))) {
		/* Each of these counts, signal(7). */
		errno = EAGAIN;
		return -1;
	} else {
		backlog->signals |= bit_of(down->signum);
	}
	return 0;
}

int
backlog_ask(struct group *group, const struct link_down *down)
{
	if (group->backlog.watch != NULL)
		return keep(group, down); /* not before what waits */
	if (link_send_down(group->link, down) == 0)
		return 0;
	return errno == EAGAIN ? keep(group, down) : -1;
}

void
backlog_forget(struct group *group)
{
	loop_fd_free(group->backlog.watch);
	group->backlog = (struct backlog) { 0 };
}
