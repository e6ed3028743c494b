/* SPDX-License-Identifier: ISC */
/*
 * The host's side of a change of the main process, see group.h.
 *
 * A member decides how often one is asked for, and an answer costs the leader
 * a look at all its processes: so it is asked for one at a time.  However
 * many come meanwhile, the link has room for a stop.
 */
#include "runtime/group/group.h"

#include <errno.h>

#include "runtime/group/link.h"

static int
ask(struct group *group, pid_t pid)
{
	struct link_down down = { .type = LINK_ADOPT, .pid = pid };

	group->successor = 0;
	if (link_send_down(group->link, &down) == -1)
		return -1;
	group->unanswered++;
	return 0;
}

/* An answer was promised: it comes from here where there is no leader's. */
static void
ask_newest(struct group *group)
{
	struct grouper_event event = { .type = GROUPER_EVENT_ADOPTED,
		.status = group->successor };

	if (group->successor == 0 || ask(group, group->successor) == 0 ||
	    errno == EPIPE || errno == ECONNRESET)
		return;
	event.error = errno;
	group_tell(group, &event);
}

int
group_adopt(struct group *group, pid_t pid)
{
	if (group->unanswered == 0)
		return ask(group, pid);
	group->successor = pid;
	return 0;
}

void
group_on_awaiting(struct group *group)
{
	struct grouper_event event = { .type = GROUPER_EVENT_AWAITING };
	struct link_down down = { .type = LINK_SWEEP };

	/* What the caller knows of one it says in the callback, or never. */
	group_tell(group, &event);
	/* Before LINK_SWEEP, so it cannot wait for an answer.  Still there are
	 * few at a time: a main process that ends was taken, and answered. */
	ask_newest(group);
	link_send_down(group->link, &down);
}

void
group_on_adopted(struct group *group, const struct link_up *up)
{
	struct grouper_event event = { .type = GROUPER_EVENT_ADOPTED,
		.status = up->status,
		.error = up->error };

	if (group->unanswered > 0)
		group->unanswered--;
	if (up->error == 0)
		group->main = up->pid;
	group_tell(group, &event);
	if (group->unanswered == 0)
		ask_newest(group);
}
