/* SPDX-License-Identifier: ISC */
/*
 * A restart in common: a failed node and all that are restarted with it are
 * stopped in order, each child when its turn comes, and start in order when
 * all of them are empty and the time has come.
 */
#include "runtime/supervise/machine_node.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/util/bug.h"

static void
cycle_take(struct machine_node *node)
{
	switch (node->state) {
	case MACHINE_DONE:
		/* As in OTP, those that had ended are started anew too. */
		if (!node->wanted)
			return;
		node->kind = KIND_RESTART;
		node->cycle = true;
		node_set(node, MACHINE_PENDING);
		return;
	case MACHINE_PENDING:
	case MACHINE_BACKOFF:
	case MACHINE_STARTING:
	case MACHINE_WAITING:
	case MACHINE_RUNNING:
	case MACHINE_STOPPING:
		if (!node_alive(node))
			timer_clear(&node->timer);
		node_unpend(node);
		node->cycle = true;
		node_update(node);
		return;
	case MACHINE_IDLE:
	case MACHINE_LATCHED:
	case MACHINE_UNKILLABLE:
	case MACHINE_NSTATES:
		return;
	}
}

static void
cycle_take_child(struct child *child)
{
	struct machine_node *node, *next;

	child->doomed = true;
	TAILQ_FOREACH_SAFE(node, &child->nodes, sibling, next)
		cycle_take(node);
	child_update(child);
}

static void
cycle_join(struct branch *supervisor, struct machine_node *failed)
{
	char why[MACHINE_TEXT_MAX];

	snprintf(why, sizeof(why), "%s %s (%s)",
	    supervisor->cooling ? "pausing with" : "restarting with",
	    node_key(failed),
	    supervisor->cooling ?
		"on_limit" :
		spec_strategy_name(supervisor->spec->strategy));
	branch_why(supervisor, why);
	supervisor->cycling = true;
	failed->cycle = true;
	node_set(failed, MACHINE_BACKOFF);
	branch_touch(supervisor);
}

static bool
is_of_cycle(const struct child *child)
{
	const struct machine_node *node;

	if (child->doomed)
		return true;
	TAILQ_FOREACH(node, &child->nodes, sibling)
		if (node->cycle && node->state == MACHINE_BACKOFF)
			return true;
	return false;
}

/*
 * All that wait for one of it, by the list or by depends_on.  Marking them as
 * doomed is what keeps the walk from coming twice, but to one that failed.
 */
static void
take_waiters(struct branch *supervisor)
{
	struct child **stack, *at, *other;
	size_t depth = 0, size = 1;
	struct child *listed = NULL; /* from here on the list is taken */
	struct edge *edge;

	TAILQ_FOREACH(other, &supervisor->children, sibling)
		size += 2;
	NO_MEMORY_IF((stack = calloc(size, sizeof(*stack))) == NULL);
	TAILQ_FOREACH(other, &supervisor->children, sibling)
		if (is_of_cycle(other))
			stack[depth++] = other;
	while (depth > 0) {
		at = stack[--depth];
		LIST_FOREACH(edge, &at->waiters, of_to) {
			if (edge->from->doomed)
				continue;
			cycle_take_child(edge->from);
			stack[depth++] = edge->from;
		}
		if (listed != NULL && listed->position <= at->position)
			continue;
		for (other = TAILQ_NEXT(at, sibling); other != listed;
		     other = TAILQ_NEXT(other, sibling)) {
			if (other->spec->parallel || other->doomed)
				continue;
			cycle_take_child(other);
			stack[depth++] = other;
		}
		listed = TAILQ_NEXT(at, sibling);
	}
	free(stack);
}

/* By the supervisor's strategy, which is not one_for_one. */
void
cycle_begin(struct machine_node *failed, int64_t due)
{
	struct branch *supervisor = failed->child->parent;
	struct child *child;

	if (!supervisor->cycling || supervisor->cycle_due < due)
		supervisor->cycle_due = due;
	failed->kind = KIND_RESTART;
	cycle_join(supervisor, failed);
	if (supervisor->spec->strategy == SPEC_REST_FOR_ONE) {
		take_waiters(supervisor);
		return;
	}
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		cycle_take_child(child);
}

/*
 * Who now waits for one of it, and so stops before that one, is of it too:
 * else neither would ever be told to stop.
 */
void
cycle_extend(struct branch *supervisor)
{
	if (supervisor->cycling)
		take_waiters(supervisor);
}

/* on_limit: the same for all, whatever the strategy, after a pause. */
void
cycle_cool(struct machine_node *failed)
{
	struct branch *supervisor = failed->child->parent;
	struct child *child;

	supervisor->cooling = supervisor->warming = true;
	supervisor->cycle_due = -1;
	timer_clear(&supervisor->timer);
	failed->kind = KIND_RESTART;
	cycle_join(supervisor, failed);
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		cycle_take_child(child);
}

/* All of it are empty and the time has come. */
static void
cycle_start(struct branch *supervisor)
{
	struct machine_node *node;
	struct child *child;

	if (supervisor->cooling)
		window_clear(&supervisor->window);
	supervisor->cycling = supervisor->cooling = false;
	timer_clear(&supervisor->timer);
	TAILQ_FOREACH(child, &supervisor->children, sibling) {
		child->doomed = false;
		TAILQ_FOREACH(node, &child->nodes, sibling) {
			if (node->cycle)
				node_pend(node, kind_again(node), false);
		}
		child_update(child);
	}
}

void
cycle_run(struct branch *supervisor)
{
	struct machine *machine = supervisor->node->machine;

	if (supervisor->ncycling > 0)
		return;
	if (supervisor->cycle_due == -1)
		supervisor->cycle_due = machine->now +
		    supervisor->spec->cooldown_ms;
	if (machine->now >= supervisor->cycle_due)
		cycle_start(supervisor);
	else if (supervisor->timer.due != supervisor->cycle_due)
		timer_set(&supervisor->timer, supervisor->cycle_due);
}
