/* SPDX-License-Identifier: ISC */
/*
 * The orphans of leaders that died.
 *
 * A process is an orphan of a dead leader if it is a child of the host and
 * no leader: a host starts nothing else.  Which leader's it was cannot be
 * told when two died at once, so all are swept together and their groups
 * become empty together.
 *
 * They are asked first: those of a database would have to be repaired.  All
 * go through the steps of the group that gives them most time, from the first
 * step whenever another leader dies; nobody is killed before his own steps
 * would have done it.
 */
#include <poll.h>
#include <signal.h>

#include "runtime/group/group.h"
#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

/* Where an orphan cannot be watched. */
#define RETRY_MS 20
/* Where some die in every turn, so many turns before the sweep goes on. */
#define REAPING_TURNS 64

bool
host_is_leader(pid_t pid, void *arg)
{
	struct grouper_host *host = arg;
	struct group wanted = { .leader = pid };

	return RB_FIND(group_leaders, &host->leaders, &wanted) != NULL ||
	    leavers_have(host, pid);
}

/* The orphans are gone: so are the groups they belonged to. */
static void
finish_orphaned(struct grouper_host *host)
{
	struct group_orphans over;
	struct group *group;

	TAILQ_INIT(&over);
	TAILQ_CONCAT(&over, &host->orphaned, orphaned);
	while ((group = TAILQ_FIRST(&over)) != NULL) {
		TAILQ_REMOVE(&over, group, orphaned);
		group->orphans = false;
		if (group->leaf.parent != -1 &&
		    cgroup_leaf_populated(&group->leaf)) {
			/* Moved there by somebody, not descended from us. */
			cgroup_leaf_kill_listed(&group->leaf);
			host_orphaned(host, group);
			continue;
		}
		group_finish(group);
	}
}

static void
tell_unkillable(struct grouper_host *host)
{
	struct grouper_event event = { .type = GROUPER_EVENT_UNKILLABLE };
	struct grouper_processes list = { 0 };
	struct group *group;

	grouper_descendants(0, &list);
	event.processes = &list;
	TAILQ_FOREACH(group, &host->orphaned, orphaned)
		group_tell(group, &event);
	grouper_processes_free(&list);
}

static void
unwatch(struct grouper_host *host)
{
	loop_fd_free(host->sweep_watch);
	host->sweep_watch = NULL;
	fd_close(&host->sweep_pidfd);
}

static void sweep_turn(void *arg);

static void
on_orphan(int fd, void *arg)
{
	(void)fd;
	sweep_turn(arg);
}

/*
 * One orphan's end is enough to wake for: the next turn sees the others.
 * False where none can be watched.
 */
static bool
watch_one_orphan(struct grouper_host *host)
{
	pid_t pid;

	if (walk_children(&host->walk) < 1)
		return false;
	pid = host->walk.pids[0];
	host->sweep_pidfd = os_pidfd(pid);
	if (host->sweep_pidfd != -1)
		host->sweep_watch = loop_fd_new(host->loop, host->sweep_pidfd,
		    LOOP_READ, on_orphan, host);
	if (host->sweep_watch == NULL)
		unwatch(host);
	return host->sweep_watch != NULL;
}

/*
 * One turn; false when it was the last.  *delay: until the next, in ms; -1
 * for the end of an orphan only.
 */
static bool
take_turn(struct grouper_host *host, int64_t *delay)
{
	enum sweep_reaped left;
	int64_t now;

	*delay = 0;
	left = sweep_reap(&host->sweep, NULL, NULL);
	if (left == SWEEP_NONE_LEFT)
		return false;
	if (left == SWEEP_MORE_DEAD && ++host->sweep_reaping < REAPING_TURNS)
		return true;
	host->sweep_reaping = 0;
	now = clock_ms();
	switch (sweep_step(&host->sweep, now)) {
	case SWEEP_AGAIN:
		return true;
	case SWEEP_GIVE_UP:
		tell_unkillable(host);
		break;
	case SWEEP_WAIT:
		break;
	}
	if (left == SWEEP_MORE_DEAD)
		return true;
	*delay = sweep_deadline(&host->sweep);
	if (*delay != -1)
		*delay = *delay > now ? *delay - now : 0;
	return true;
}

static void
sweep_turn(void *arg)
{
	struct grouper_host *host = arg;
	int64_t delay;

	unwatch(host); /* its descriptor may be the last that a walk needs */
	if (!take_turn(host, &delay)) {
		loop_timer_clear(host->sweep_timer);
		finish_orphaned(host);
		return;
	}
	if (delay != 0 && !watch_one_orphan(host) &&
	    (delay == -1 || delay > RETRY_MS))
		delay = RETRY_MS;
	if (delay == -1)
		loop_timer_clear(host->sweep_timer);
	else
		loop_timer_set(host->sweep_timer, delay);
}

static void
on_asking(int signum, enum sweep_target whom, int64_t ms, void *arg)
{
	struct grouper_host *host = arg;
	struct group *group;

	TAILQ_FOREACH(group, &host->orphaned, orphaned) {
		group_log_step(group, signum, whom, ms);
		if (signum == SIGKILL && group->leaf.parent != -1)
			cgroup_leaf_kill(&group->leaf);
	}
}

static void
begin(struct grouper_host *host, const struct steps *steps)
{
	host->walk.skip = host_is_leader;
	host->walk.skip_arg = host;
	sweep_init(&host->sweep, &host->walk, SWEEP_STRANGERS, NULL);
	host->sweep.inherited_session = host->session;
	host->sweep.on_asking = on_asking;
	host->sweep.on_asking_arg = host;
	sweep_begin(&host->sweep, steps, SWEEP_TREE);
	host->sweep_reaping = 0;
}

/* The one place that blocks: without memory for a timer, or at the end. */
void
host_sweep_at_once(struct grouper_host *host)
{
	static const struct steps at_once = { 1, { { SIGKILL, 0 } } };
	int64_t delay;

	if (host->sweep.gave_up)
		return; /* that was tried */
	unwatch(host);
	begin(host, &at_once);
	while (!host->sweep.gave_up && take_turn(host, &delay))
		poll(NULL, 0, (int)delay);
	if (!host->sweep.gave_up)
		finish_orphaned(host);
}

void
host_sweep_orphans(struct grouper_host *host, const struct steps *steps)
{
	begin(host, steps);
	loop_timer_set(host->sweep_timer, 0);
}

int
host_expect_orphans(struct grouper_host *host)
{
	if (host->sweep_timer == NULL)
		host->sweep_timer = loop_timer_new(host->loop, sweep_turn,
		    host);
	return host->sweep_timer != NULL ? 0 : -1;
}

/* Of the groups that have orphans: the steps that take longest. */
static const struct steps *
kindest_steps(const struct grouper_host *host)
{
	const struct group *group = TAILQ_FIRST(&host->orphaned);
	const struct steps *steps = &group->ending;
	int64_t most = steps_total(steps), total;

	while (most != STEPS_FOREVER &&
	    (group = TAILQ_NEXT(group, orphaned)) != NULL) {
		total = steps_total(&group->ending);
		if (total != STEPS_FOREVER && total <= most)
			continue;
		most = total;
		steps = &group->ending;
	}
	return steps;
}

void
host_orphaned(struct grouper_host *host, struct group *group)
{
	TAILQ_INSERT_TAIL(&host->orphaned, group, orphaned);
	group->orphans = true;
	host->sweep.gave_up = false;
	if (host->sweep_timer != NULL)
		host_sweep_orphans(host, kindest_steps(host));
	else
		host_sweep_at_once(host);
}
