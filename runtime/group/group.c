/* SPDX-License-Identifier: ISC */
/*
 * The host's side of one key, see group.h.
 *
 * An incarnation is over when its leader has told it empty, or was reaped,
 * never when the link ends: a leader's death is judged only after all that it
 * said was read.
 */
#include "runtime/group/group.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/link.h"
#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/parse.h"

/* A leader that says nothing this long after its steps is taken for dead. */
#define SILENCE_MS 5000
/* What orphans get where asking is over, or must not be. */
static const struct steps kill_only = { 1, { { SIGKILL, 0 } } };

int
group_compare_key(const struct group *a, const struct group *b)
{
	return strcmp(a->key, b->key);
}

int
group_compare_leader(const struct group *a, const struct group *b)
{
	return a->leader < b->leader ? -1 : a->leader > b->leader;
}

RB_GENERATE(group_keys, group, by_key, group_compare_key)
RB_GENERATE(group_leaders, group, by_leader, group_compare_leader)

struct group *
group_find(const struct grouper_host *host, const char *key)
{
	struct group wanted = { .key = (char *)(uintptr_t)key };

	return RB_FIND(group_keys, (struct group_keys *)(uintptr_t)&host->keys,
	    &wanted);
}

struct group *
group_make(struct grouper_host *host, const char *key)
{
	struct group *group = group_find(host, key);

	if (group != NULL)
		return group;
	group = calloc(1, sizeof(*group));
	if (group == NULL)
		return NULL;
	group->key = strdup(key);
	if (group->key == NULL) {
		free(group);
		return NULL;
	}
	group->host = host;
	group->state = GROUPER_STATE_IDLE;
	group->pidfd = group->link = -1;
	group->result = (struct exec_result)EXEC_RESULT_INIT;
	group->leaf = (struct cgroup_leaf)CGROUP_LEAF_INIT;
	RB_INSERT(group_keys, &host->keys, group);
	return group;
}

void
group_tell(struct group *group, struct grouper_event *event)
{
	event->key = group->key;
	event->pid = group->main;
	if (group->on_event != NULL)
		group->on_event(group->host, event, group->arg);
}

/* What the kernel still holds of an incarnation. */
static void
let_go(struct group *group)
{
	if (group->leader != 0)
		RB_REMOVE(group_leaders, &group->host->leaders, group);
	group->leader = 0;
	loop_fd_free(group->leader_watch);
	loop_fd_free(group->link_watch);
	loop_timer_free(group->patience);
	backlog_forget(group);
	group->leader_watch = NULL;
	group->link_watch = NULL;
	group->patience = NULL;
	fd_close(&group->pidfd);
	fd_close(&group->link);
}

void
group_free(struct group *group)
{
	RB_REMOVE(group_keys, &group->host->keys, group);
	if (group->orphans)
		TAILQ_REMOVE(&group->host->orphaned, group, orphaned);
	let_go(group);
	exec_result_fini(&group->result);
	cgroup_leaf_close(&group->leaf);
	free(group->key);
	free(group);
}

void
group_finish(struct group *group)
{
	struct grouper_event event = { .type = GROUPER_EVENT_EMPTY };
	struct exec_result result;

	exec_result_finish(&group->result);
	cgroup_leaf_remove(&group->leaf);
	cgroup_leaf_close(&group->leaf);
	if (group->state != GROUPER_STATE_LEADER_DIED)
		group->state = GROUPER_STATE_IDLE;
	group->usage.wall_us = clock_us() - group->started_us;
	event.usage = group->usage;
	event.status = group->status;
	/* The callback may start the next incarnation. */
	result = group->result;
	group->result = (struct exec_result)EXEC_RESULT_INIT;
	event.result = result.bytes;
	event.result_length = result.length;
	host_emptied(group->host, group->key);
	group_tell(group, &event);
	exec_result_fini(&result);
}

static void
on_impatience(void *arg)
{
	struct group *group = arg;

	group->ending = kill_only; /* it had the time of its steps */
	os_pidfd_signal(group->pidfd, SIGKILL);
}

/* From now on the leader has its steps' time, and some, to report. */
static void
expect_end(struct group *group, const struct steps *steps)
{
	int64_t total = steps_total(steps);

	if (group->patience == NULL)
		return;
	if (total == STEPS_FOREVER)
		loop_timer_clear(group->patience);
	else
		loop_timer_set(group->patience,
		    total + SWEEP_PATIENCE_MS + SILENCE_MS);
}

static void
tell_with_list(struct group *group, struct grouper_event *event)
{
	struct grouper_processes list = { 0 };

	grouper_descendants(group->leader, &list);
	event->processes = &list;
	group_tell(group, event);
	event->processes = NULL;
	grouper_processes_free(&list);
}

static void
take_usage(struct group *group, const struct link_up *up)
{
	group->usage.wall_us = clock_us() - group->started_us;
	group->usage.user_us = up->user_us;
	group->usage.system_us = up->system_us;
	group->usage.peak_memory = up->peak_memory;
	group->usage.processes = up->processes;
}

static void
on_main_ended(struct group *group, const struct link_up *up)
{
	struct grouper_event event = { .type = GROUPER_EVENT_ENDED };

	take_usage(group, up);
	event.usage = group->usage;
	group->status = up->status;
	event.status = up->status;
	event.last = up->ended != 0;
	if (group->state == GROUPER_STATE_RUNNING && !up->held) {
		group->state = GROUPER_STATE_STOPPING;
		expect_end(group, &group->steps);
	}
	group_tell(group, &event);
	if (up->held && group->state == GROUPER_STATE_RUNNING) {
		event.type = GROUPER_EVENT_LEFTOVERS;
		tell_with_list(group, &event);
	}
}

static void
on_start_failed(struct group *group, const struct link_up *up)
{
	struct grouper_event event = { .type = GROUPER_EVENT_START_FAILED };

	event.stage = (enum grouper_stage)up->stage;
	event.error = up->error;
	group->state = GROUPER_STATE_STOPPING;
	group->main = 0;
	group_tell(group, &event);
}

void
group_log_step(const struct group *group, int signum, enum sweep_target whom,
    int64_t ms)
{
	static const char *const names[] = {
		[SWEEP_TREE] = "every process",
		[SWEEP_PGROUP] = "the process group",
		[SWEEP_COMMAND] = "the command",
		[SWEEP_REST] = "the rest",
	};
	char time[32] = "";

	if (ms != STEPS_FOREVER && ms % 1000 == 0)
		snprintf(time, sizeof(time), ", %" PRId64 " s", ms / 1000);
	else if (ms != STEPS_FOREVER)
		snprintf(time, sizeof(time), ", %" PRId64 " ms", ms);
	log_info("%s: %s to %s%s", group->key, signal_name(signum), names[whom],
	    signum == SIGKILL ? "" : time);
}

static void
on_message(struct group *group, const struct link_up *up)
{
	struct grouper_event event = { .status = up->signum };

	switch (up->type) {
	case LINK_STARTED:
		group->main = up->pid;
		if (group->state == GROUPER_STATE_STARTING)
			group->state = GROUPER_STATE_RUNNING;
		event.type = GROUPER_EVENT_STARTED;
		group_tell(group, &event);
		break;
	case LINK_START_FAILED:
		on_start_failed(group, up);
		break;
	case LINK_PAUSED:
		event.type = GROUPER_EVENT_PAUSED;
		group_tell(group, &event);
		break;
	case LINK_CONTINUED:
		event.type = GROUPER_EVENT_CONTINUED;
		group_tell(group, &event);
		break;
	case LINK_STEP:
		group_log_step(group, up->signum, (enum sweep_target)up->target,
		    up->ms);
		break;
	case LINK_MAIN_ENDED:
		if (group->main != 0)
			on_main_ended(group, up);
		break;
	case LINK_AWAITING:
		group_on_awaiting(group);
		break;
	case LINK_ADOPTED:
		group_on_adopted(group, up);
		break;
	case LINK_UNKILLABLE:
		loop_timer_clear(group->patience);
		group->state = GROUPER_STATE_UNKILLABLE;
		event.type = GROUPER_EVENT_UNKILLABLE;
		tell_with_list(group, &event);
		break;
	case LINK_EMPTY:
		if (up->ended && group->main != 0)
			on_main_ended(group, up);
		/* Nothing follows but the leader's end, which is watched. */
		loop_fd_set(group->link_watch, false);
		group->empty_told = true;
		take_usage(group, up);
		break;
	}
}

/* So many messages at most: a leader that was taken over may flood. */
static void
drain_link(struct group *group, size_t most)
{
	struct link_up up;
	int result = -1;

	/* A callback may free nothing, but it may start nothing here either:
	 * the incarnation lives until its leader is reaped. */
	while (most-- > 0 &&
	    ((result = link_receive_up(group->link, &up)) == 1 ||
		(result == -1 && errno == EPROTO)))
		if (result == 1)
			on_message(group, &up);
	if (result == 0 && group->link_watch != NULL)
		loop_fd_set(group->link_watch, false);
}

static void
on_leader(int fd, void *arg)
{
	struct group *group = arg;
	struct grouper_event event = { .type = GROUPER_EVENT_LEADER_DIED };
	siginfo_t info = { 0 };

	(void)fd;
	drain_link(group, LINK_ALL);
	if (waitid(P_PID, (id_t)group->leader, &info,
		WEXITED | WNOHANG | __WALL) == 0 &&
	    info.si_pid == 0)
		return;
	let_go(group);
	if (group->empty_told) {
		group_finish(group);
		return;
	}
	/* Asked to stop, the key gets no latch: stop is what clears it. */
	group->state = group->asked ? GROUPER_STATE_STOPPING :
				      GROUPER_STATE_LEADER_DIED;
	host_orphaned(group->host, group);
	group_tell(group, &event);
}

static void
on_link(int fd, void *arg)
{
	struct group *group = arg;

	(void)fd;
	drain_link(group, LINK_TURN);
	if (!group->empty_told)
		return;
	if (!group->host->quick) {
		if (leavers_left(group->leader))
			on_leader(group->pidfd, group);
	} else if (leavers_take(group->host, group->leader, &group->pidfd)) {
		let_go(group);
		group_finish(group);
	}
}

void
group_forget_dead(struct group *group)
{
	siginfo_t info = { 0 };

	group->on_event = NULL;
	if (waitid(P_PID, (id_t)group->leader, &info,
		WEXITED | WNOHANG | __WALL) == -1 ||
	    info.si_pid == 0)
		return;
	drain_link(group, LINK_ALL);
	let_go(group);
	if (!group->empty_told)
		host_orphaned(group->host, group);
}

static int
watch(struct group *group)
{
	struct loop *loop = group->host->loop;

	group->link_watch = loop_fd_new(loop, group->link, LOOP_READ, on_link,
	    group);
	group->leader_watch = loop_fd_new(loop, group->pidfd, LOOP_READ,
	    on_leader, group);
	group->patience = loop_timer_new(loop, on_impatience, group);
	if (group->link_watch == NULL || group->leader_watch == NULL ||
	    group->patience == NULL || host_expect_orphans(group->host) == -1)
		return -1;
	return group->result.fd == -1 ? 0 :
					exec_result_watch(&group->result, loop);
}

static enum member_place
place_of(const struct grouper_options *options)
{
	int fd;

	if (options->pty != -1)
		return MEMBER_PTY;
	if (options->session != GROUPER_SESSION_AUTO)
		return options->session == GROUPER_SESSION_KEEP ?
		    MEMBER_SHARED :
		    MEMBER_OWN_PGROUP;
	fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return MEMBER_OWN_PGROUP; /* ENXIO: no terminal, tty(4) */
	fd_close(&fd);
	return MEMBER_SHARED;
}

static void
fill_leader(struct leader *leader, struct group *group,
    const struct grouper_options *options, const struct member *member)
{
	struct grouper_host *host = group->host;

	leader->member = *member;
	leader->member.place = place_of(options);
	leader->member.link = leader->link;
	leader->steps = group->steps;
	leader->leaf = (struct cgroup_leaf)CGROUP_LEAF_INIT;
	leader->lock = host->names.lock;
	leader->socket = host->names.socket_path;
	leader->host = getpid();
	leader->hold = group->hold;
	leader->adopts = group->adopts;
	leader->text = host->text;
	leader->text_size = host->text_size;
}

int
group_start(struct group *group, const struct grouper_options *options,
    struct member *member, int out)
{
	struct grouper_host *host = group->host;
	struct leader leader = { 0 };
	int ends[2];

	group->ending = group->steps;
	group->hold = (options->flags & GROUPER_HOLD_LEFTOVERS) != 0;
	group->adopts = (options->flags & GROUPER_ADOPT) != 0;
	group->level = contain_resolve(&host->contain, options->contain);
	group->stop_target = options->stop_target;
	group->main = group->successor = 0;
	group->unanswered = 0;
	group->status = 0;
	group->empty_told = false;
	group->asked = false;
	memset(&group->usage, 0, sizeof(group->usage));
	group->started_us = clock_us();
	group->result.fd = out;
	if (link_pair(ends) == -1)
		goto fail;
	leader.link = ends[1];
	leader.host_link = ends[0];
	group->link = ends[0];
	fill_leader(&leader, group, options, member);
	if (group->level == GROUPER_CONTAIN_PIDNS)
		link_pass_credentials(group->link);
	group->leader = contain_fork(&host->contain, group->level, &host->owner,
	    group->key, &leader, &group->pidfd);
	group->leaf = leader.leaf;
	fd_close(&ends[1]);
	if (group->leader == -1) {
		group->leader = 0;
		goto fail;
	}
	RB_INSERT(group_leaders, &host->leaders, group);
	group->state = GROUPER_STATE_STARTING;
	return 0;
fail:
	group_abandon(group);
	return -1;
}

int
group_go(struct group *group)
{
	struct link_down down = { .type = LINK_GO };

	if (loop_reserve(group->host->loop) == -1) {
		group_abandon(group);
		return -1;
	}
	/* That the leader died meanwhile is for us to see. */
	if ((link_send_down(group->link, &down) == 0 || errno == EPIPE ||
		errno == ECONNRESET) &&
	    watch(group) == 0)
		return 0;
	/* Out of memory: end it before it does anything unobserved. */
	os_pidfd_signal(group->pidfd, SIGKILL);
	os_reap(group->leader);
	group->on_event = NULL;
	group->ending = kill_only;
	host_orphaned(group->host, group);
	group_abandon(group);
	errno = ENOMEM;
	return -1;
}

void
group_abandon(struct group *group)
{
	pid_t leader = group->leader;
	int saved = errno;

	/* At the end of the link the member ends without having executed
	 * anything, and the leader after it. */
	let_go(group);
	exec_result_fini(&group->result);
	if (leader != 0)
		os_reap(leader);
	cgroup_leaf_remove(&group->leaf);
	cgroup_leaf_close(&group->leaf);
	group->state = GROUPER_STATE_IDLE;
	errno = saved;
}

void
group_stop(struct group *group, const struct steps *steps,
    enum sweep_target target)
{
	struct link_down down = { .type = LINK_STOP,
		.target = target,
		.steps = *steps };

	/* A leader that never reads is stuck: it loses its patience time and
	 * is swept. */
	backlog_ask(group, &down);
	group->ending = *steps;
	group->asked = true;
	if (group->state == GROUPER_STATE_STARTING ||
	    group->state == GROUPER_STATE_RUNNING)
		group->state = GROUPER_STATE_STOPPING;
	expect_end(group, steps);
}

int
group_signal(struct group *group, int signum)
{
	struct link_down down = { .type = LINK_SIGNAL, .signum = signum };

	return backlog_ask(group, &down);
}
