/* SPDX-License-Identifier: ISC */
/*
 * The machine that decides: its life, what the runtime tells it, and what it
 * tells of itself.  See machine.h; requests are in machine_admin.c.
 */
#include "runtime/supervise/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/supervise/machine_node.h"
#include "runtime/util/bug.h"

struct machine *
machine_new(const struct spec_tree *tree, uint64_t seed)
{
	struct machine *machine = NULL;
	struct spec_tree *copy = NULL;
	const struct spec_child *at;
	struct source *source;
	char *why;

	if (spec_check(tree, &why, &at) != GROUPER_OK) {
		free(why);
		errno = EINVAL;
		return NULL;
	}
	if ((copy = spec_copy(tree)) == NULL ||
	    (machine = calloc(1, sizeof(*machine))) == NULL ||
	    (source = source_new(copy)) == NULL) {
		free(machine);
		spec_free(copy);
		errno = ENOMEM;
		return NULL;
	}
	machine->random = seed;
	RB_INIT(&machine->keys);
	RB_INIT(&machine->runs);
	RB_INIT(&machine->timers);
	STAILQ_INIT(&machine->queue);
	TAILQ_INIT(&machine->dirty);
	LIST_INIT(&machine->stuck);
	machine->root = node_new(machine, NULL, 0);
	machine->root->supervisor = branch_new(machine->root, source,
	    &copy->root, 0);
	branch_build(machine->root->supervisor);
	source_release(source);
	machine_settle(machine);
	return machine;
}

void
machine_free(struct machine *machine)
{
	struct queued *queued;
	struct stuck *stuck;

	if (machine == NULL)
		return;
	node_free(machine->root);
	while ((stuck = LIST_FIRST(&machine->stuck)) != NULL) {
		LIST_REMOVE(stuck, link);
		free(stuck);
	}
	while ((queued = STAILQ_FIRST(&machine->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&machine->queue, entry);
		free(queued);
	}
	free(machine->taken);
	free(machine);
}

/* Time does not go back, whatever the caller says. */
void
machine_enter(struct machine *machine, int64_t now)
{
	if (machine->now < now)
		machine->now = now;
}

void
machine_boot(struct machine *machine, int64_t now)
{
	machine_enter(machine, now);
	if (machine->over || machine->root->run != 0)
		return;
	node_start(machine->root);
	machine_settle(machine);
}

static void
not_ready(struct machine_node *node)
{
	char reason[64], time[32];

	snprintf(reason, sizeof(reason), "not ready within %s",
	    text_of_ms(time, sizeof(time),
		node->child->spec->command->ready_timeout_ms));
	node_reason(node, reason);
	node->cause = CAUSE_NOT_READY;
	node_stop(node, NULL);
}

static void
expire_node(struct machine_node *node)
{
	switch (node->state) {
	case MACHINE_BACKOFF:
		node_hasten(node);
		break;
	case MACHINE_WAITING:
		if (node->child->spec->command->ready == SPEC_READY_STARTED)
			node_is_ready(node);
		else
			not_ready(node);
		break;
	case MACHINE_STARTING:
		not_ready(node);
		break;
	case MACHINE_IDLE:
	case MACHINE_PENDING:
	case MACHINE_RUNNING:
	case MACHINE_STOPPING:
	case MACHINE_DONE:
	case MACHINE_LATCHED:
	case MACHINE_UNKILLABLE:
	case MACHINE_NSTATES:
		BUG_IF(true);
	}
}

void
machine_timer(struct machine *machine, int64_t now)
{
	struct timer *timer;

	machine_enter(machine, now);
	while ((timer = RB_MIN(timer_tree, &machine->timers)) != NULL &&
	    timer->due <= machine->now) {
		timer_clear(timer);
		if (!timer->of_supervisor)
			expire_node(timer->node);
		else if (timer->node->supervisor->phase == PHASE_STOPPING)
			branch_kill(timer->node->supervisor);
		else
			branch_touch(timer->node->supervisor);
		machine_settle(machine);
	}
}

static struct machine_node *
find_run(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node wanted = { .run = run }, *node;

	machine_enter(machine, now);
	node = RB_FIND(run_map, &machine->runs, &wanted);
	return node != NULL && node->supervisor == NULL ? node : NULL;
}

bool
machine_started(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node *node = find_run(machine, now, run);
	const struct spec_command *command;

	if (node == NULL || node->state != MACHINE_STARTING)
		return false;
	command = node->child->spec->command;
	/* The time that began with start_pre goes on: it is for both. */
	if (command->ready == SPEC_READY_STARTED)
		timer_clear(&node->timer);
	node_set(node, MACHINE_WAITING);
	if (command->ready != SPEC_READY_STARTED) {
		if (command->ready_timeout_ms >= 0 && node->timer.due == -1)
			timer_set(&node->timer,
			    machine->now + command->ready_timeout_ms);
	} else if (command->min_uptime_ms > 0) {
		timer_set(&node->timer, machine->now + command->min_uptime_ms);
	} else {
		node_is_ready(node);
	}
	machine_settle(machine);
	return true;
}

bool
machine_ready(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node *node = find_run(machine, now, run);

	if (node == NULL || node->state != MACHINE_WAITING)
		return false;
	node_is_ready(node);
	machine_settle(machine);
	return true;
}

/*
 * What the first of these says holds, but that a leader died is always told.
 * None but a stop of ours lets it be told to stop: a group whose command
 * ended is stopped by its leader already.
 */
static void
end(struct machine_node *node, enum cause cause, const char *reason)
{
	if (node->cause == CAUSE_NONE || cause == CAUSE_LEADER_DIED) {
		node->cause = cause;
		if (reason != NULL)
			node_reason(node, reason);
	}
	timer_clear(&node->timer);
	node_set(node, MACHINE_STOPPING);
}

bool
machine_start_failed(struct machine *machine, int64_t now, uint64_t run,
    const char *reason)
{
	struct machine_node *node = find_run(machine, now, run);

	if (node == NULL ||
	    (node->state != MACHINE_STARTING &&
		node->state != MACHINE_STOPPING))
		return false;
	node->stop_sent = true;
	end(node, CAUSE_START_FAILED, reason);
	machine_settle(machine);
	return true;
}

bool
machine_ended(struct machine *machine, int64_t now, uint64_t run, int status)
{
	struct machine_node *node = find_run(machine, now, run);

	if (node == NULL || !node_alive(node))
		return false;
	node->status = status;
	end(node, CAUSE_ENDED, NULL);
	machine_settle(machine);
	return true;
}

bool
machine_leader_died(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node *node = find_run(machine, now, run);

	if (node == NULL || !node_alive(node))
		return false;
	/* To tell it to stop would clear the host's latch. */
	node->stop_sent = true;
	end(node, CAUSE_LEADER_DIED, "its leader died");
	machine_tell(node, MACHINE_NOTE_LEADER_DIED, "%s", "");
	machine_settle(machine);
	return true;
}

bool
machine_watchdog(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node *node = find_run(machine, now, run);

	if (node == NULL ||
	    (node->state != MACHINE_WAITING && node->state != MACHINE_RUNNING))
		return false;
	machine_tell(node, MACHINE_NOTE_WATCHDOG, "%s", "");
	node_reason(node, "the watchdog expired");
	node->cause = CAUSE_WATCHDOG;
	node_stop(node, NULL);
	machine_settle(machine);
	return true;
}

static void
add_stuck(struct machine *machine, uint64_t run)
{
	struct stuck *stuck = malloc(sizeof(*stuck));

	BUG_IF(stuck == NULL);
	stuck->run = run;
	LIST_INSERT_HEAD(&machine->stuck, stuck, link);
}

static bool
remove_stuck(struct machine *machine, uint64_t run)
{
	struct stuck *stuck;

	LIST_FOREACH(stuck, &machine->stuck, link)
		if (stuck->run == run)
			break;
	if (stuck == NULL)
		return false;
	LIST_REMOVE(stuck, link);
	free(stuck);
	return true;
}

bool
machine_empty(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node *node = find_run(machine, now, run);
	bool stuck = remove_stuck(machine, run);

	if (node == NULL)
		return stuck;
	if (stuck) {
		RB_REMOVE(run_map, &machine->runs, node);
		node->run = 0;
		node_set(node, MACHINE_IDLE);
		/* What was to go need not be listed any longer. */
		if (node->next == NEXT_REMOVE ||
		    node->child->spec->restart == SPEC_TEMPORARY)
			node_remove(node);
	} else {
		node_over(node);
	}
	machine_settle(machine);
	return true;
}

bool
machine_unkillable(struct machine *machine, int64_t now, uint64_t run)
{
	struct machine_node *node = find_run(machine, now, run);
	enum next next;

	if (node == NULL || !node_alive(node))
		return false;
	machine_tell(node, MACHINE_NOTE_UNKILLABLE, "%s", "");
	node_reason(node, "processes withstood SIGKILL");
	add_stuck(machine, run);
	next = node->next;
	timer_clear(&node->timer);
	node->cycle = false;
	node_set(node, MACHINE_UNKILLABLE);
	if (next == NEXT_DECIDE || next == NEXT_START)
		branch_lose(node, OUTCOME_UNKILLABLE,
		    "left processes that withstood SIGKILL");
	machine_settle(machine);
	return true;
}

void
machine_shutdown(struct machine *machine, int64_t now, bool kill)
{
	struct machine_node *root = machine->root;

	machine_enter(machine, now);
	if (machine->over)
		return;
	if (root->run == 0) {
		machine->over = true;
		machine_emit_end(machine, 0, "");
		return;
	}
	if (root->supervisor->phase != PHASE_STOPPING)
		node_stop(root, "the tree ends");
	if (kill)
		branch_kill(root->supervisor);
	machine_settle(machine);
}

bool
machine_over(const struct machine *machine)
{
	return machine->over;
}

/*
 * Status
 */

const struct machine_node *
machine_root(const struct machine *machine)
{
	return machine->root;
}

const struct machine_node *
machine_find(const struct machine *machine, const char *key)
{
	const struct machine_node *node;
	const struct key *found;

	if (key[0] == '\0')
		return machine->root;
	if ((found = key_find(machine, key)) == NULL)
		return NULL;
	if (found->node != NULL)
		return found->node;
	/* The only one that has no key of its own is the first. */
	node = TAILQ_FIRST(&found->child->nodes);
	return node != NULL && node->key.text == NULL ? node : NULL;
}

static const struct machine_node *
first_from(const struct child *child)
{
	for (; child != NULL; child = TAILQ_NEXT(child, sibling))
		if (!TAILQ_EMPTY(&child->nodes))
			return TAILQ_FIRST(&child->nodes);
	return NULL;
}

const struct machine_node *
machine_after(const struct machine_node *node)
{
	const struct machine_node *next;

	if (node->supervisor != NULL) {
		next = first_from(TAILQ_FIRST(&node->supervisor->children));
		if (next != NULL)
			return next;
	}
	for (; node->child != NULL; node = node->child->parent->node) {
		next = TAILQ_NEXT(node, sibling);
		if (next == NULL)
			next = first_from(TAILQ_NEXT(node->child, sibling));
		if (next != NULL)
			return next;
	}
	return NULL;
}

/* One that pauses is not ready, nor before its children are after that. */
static enum machine_state
shown_state(const struct machine_node *node)
{
	const struct branch *supervisor = node->supervisor;

	if (supervisor == NULL || !supervisor->warming ||
	    !branch_runs(supervisor))
		return node->state;
	return supervisor->cooling ? MACHINE_BACKOFF : MACHINE_STARTING;
}

/* When the next try is due; -1: none is, or that is not known. */
static int64_t
due_of(const struct machine_node *node)
{
	if (node->supervisor != NULL && node->supervisor->cooling)
		return node->supervisor->cycle_due;
	if (node->state != MACHINE_BACKOFF)
		return -1;
	return node->cycle && node->child != NULL ?
	    node->child->parent->cycle_due :
	    node->timer.due;
}

void
machine_view(const struct machine_node *node, struct machine_view *view)
{
	const struct child *child = node->child;
	const struct branch *supervisor = node->supervisor;

	*view = (struct machine_view) {
		.key = node_key(node),
		.depth = child != NULL ? child->parent->depth + 1 : 0,
		.instance = supervisor == NULL ? node->number : 0,
		.state = shown_state(node),
		.run = node->run,
		.spec = child != NULL ? child->spec : NULL,
		.supervisor = supervisor != NULL ? supervisor->spec : NULL,
		.spawned = child != NULL && child->spawned,
		.passing = node->added ||
		    (node_alive(node) && node->next == NEXT_REMOVE),
		.failed = node->cause == CAUSE_START_FAILED ||
		    node->cause == CAUSE_FAILED,
		.ready = node->ready,
		.cooling = supervisor != NULL && supervisor->warming,
		.since = node->since,
		.due = due_of(node),
		.restarts = node->restarts,
		.status = node->last_status,
		.reason = node->reason != NULL ? node->reason : "",
	};
}

size_t
machine_restarts(const struct machine_node *node, int64_t now)
{
	const struct branch *supervisor = node->supervisor;

	return supervisor == NULL ?
	    0 :
	    window_count(&supervisor->window, now, supervisor->spec->period_ms);
}

const char *
machine_state_name(enum machine_state state)
{
	static const char *const names[MACHINE_NSTATES] = {
		[MACHINE_IDLE] = "idle",
		[MACHINE_PENDING] = "pending",
		[MACHINE_STARTING] = "starting",
		[MACHINE_WAITING] = "waiting",
		[MACHINE_RUNNING] = "running",
		[MACHINE_STOPPING] = "stopping",
		[MACHINE_BACKOFF] = "restarting",
		[MACHINE_DONE] = "done",
		[MACHINE_LATCHED] = "leader_died",
		[MACHINE_UNKILLABLE] = "unkillable",
	};

	return (unsigned int)state < MACHINE_NSTATES ? names[state] : "unknown";
}
