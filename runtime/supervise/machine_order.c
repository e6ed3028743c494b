/* SPDX-License-Identifier: ISC */
/*
 * In which order children start and stop.  A child that follows the list's
 * order starts when all before it are settled: ready, or not to come; one
 * that has depends_on when those are.  They stop the other way round, each
 * when none is alive of those that wait for it.
 *
 * A change marks its supervisor; machine_settle() then asks each that is
 * marked what may begin, until nothing is left.  So no call goes deeper than
 * the tree, however many children end at once.
 */
#include "runtime/supervise/machine_node.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"

bool
branch_runs(const struct branch *supervisor)
{
	return supervisor->phase == PHASE_BOOT || supervisor->phase == PHASE_UP;
}

/* Puts a pending node where its turn will come. */
static void
enqueue(struct machine_node *node, bool urgent)
{
	struct child *child = node->child;

	BUG_IF(node->queue != QUEUE_NONE);
	if (urgent && !child->spec->parallel) {
		node->queue = QUEUE_URGENT;
		TAILQ_INSERT_TAIL(&child->parent->urgent, node, turn);
	} else {
		node->queue = QUEUE_CHILD;
		TAILQ_INSERT_TAIL(&child->turns, node, turn);
	}
}

/*
 * Its start is to come.  urgent: the list's order does not matter, as when a
 * child restarts alone; depends_on always does.  During a restart in common
 * it joins that.
 */
void
node_pend(struct machine_node *node, enum kind kind, bool urgent)
{
	struct branch *parent = node->child->parent;

	timer_clear(&node->timer);
	node_unpend(node);
	node->kind = kind;
	node->cycle = parent->cycling;
	if (!parent->cycling)
		enqueue(node, urgent);
	node_set(node, MACHINE_PENDING);
}

void
node_unpend(struct machine_node *node)
{
	if (node->queue == QUEUE_URGENT)
		TAILQ_REMOVE(&node->child->parent->urgent, node, turn);
	else if (node->queue == QUEUE_CHILD)
		TAILQ_REMOVE(&node->child->turns, node, turn);
	if (node->queue == QUEUE_NONE)
		return;
	node->queue = QUEUE_NONE;
	child_update(node->child);
}

/* Not the pause of on_limit, which is its supervisor's. */
void
node_hasten(struct machine_node *node)
{
	struct branch *parent = node->child->parent;

	if (!node->cycle) {
		node_pend(node, KIND_RESTART, true);
	} else if (!parent->cooling) {
		parent->cycle_due = node->machine->now;
		branch_touch(parent);
	}
}

/*
 * What never was ready still starts for the first time, with all that follows
 * from its failure.
 */
enum kind
kind_again(const struct machine_node *node)
{
	return node->ready_once ? KIND_RESTART : node->kind;
}

/* A new incarnation of a supervisor: with the children of its specification. */
static void
start_supervisor(struct branch *supervisor)
{
	struct machine_node *node;
	struct child *child;

	if (!supervisor->fresh) {
		branch_clear(supervisor);
		branch_build(supervisor);
	}
	supervisor->fresh = false;
	supervisor->phase = PHASE_BOOT;
	supervisor->cycling = supervisor->cooling = false;
	supervisor->warming = false;
	window_clear(&supervisor->window);
	free(supervisor->text);
	supervisor->text = NULL;
	supervisor->status = -1;
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		TAILQ_FOREACH(node, &child->nodes, sibling)
			if (node->wanted)
				node_pend(node, KIND_FIRST, false);
	branch_touch(supervisor);
}

static void
arm_start(struct machine_node *node)
{
	const struct spec_command *command = node->child->spec->command;

	/* Commands that come before may hang as well. */
	if (command->ready_timeout_ms >= 0 && command->start_pre != NULL &&
	    command->start_pre[0] != NULL)
		timer_set(&node->timer,
		    node->machine->now + command->ready_timeout_ms);
}

void
node_start(struct machine_node *node)
{
	struct machine *machine = node->machine;

	node_unpend(node);
	timer_clear(&node->timer);
	BUG_IF(node->run != 0 || node_alive(node));
	node->stop_sent = node->kill_sent = node->ready = false;
	node->cycle = false;
	node->cause = CAUSE_NONE;
	node->next = NEXT_DECIDE;
	node->status = -1;
	node->run = ++machine->last_run;
	RB_INSERT(run_map, &machine->runs, node);
	if (node->supervisor != NULL) {
		node_set(node, MACHINE_STARTING);
		start_supervisor(node->supervisor);
		return;
	}
	machine_emit(machine, MACHINE_START, node);
	node_set(node, MACHINE_STARTING);
	arm_start(node);
}

void
node_is_ready(struct machine_node *node)
{
	timer_clear(&node->timer);
	node->ready = node->ready_once = true;
	node->added = false;
	node->ready_at = node->machine->now;
	node_set(node, MACHINE_RUNNING);
	machine_tell(node, MACHINE_NOTE_READY, "%s", "");
}

static void
limit_stop(struct machine_node *node)
{
	int64_t total = steps_total(&node->child->spec->shutdown);

	if (total == STEPS_FOREVER)
		return;
	if (total == 0)
		branch_kill(node->supervisor);
	else
		timer_set(&node->supervisor->timer, node->machine->now + total);
}

void
branch_why(struct branch *supervisor, const char *why)
{
	char *copy = strdup(why != NULL ? why : "");

	NO_MEMORY_IF(copy == NULL);
	free(supervisor->why);
	supervisor->why = copy;
}

/* Once told, an incarnation is not told again but to be killed. */
void
node_stop(struct machine_node *node, const char *asked)
{
	if (node->cause == CAUSE_NONE && asked != NULL)
		node->cause = CAUSE_ASKED;
	timer_clear(&node->timer);
	if (node->stop_sent) {
		node_set(node, MACHINE_STOPPING);
		return;
	}
	node->stop_sent = true;
	node_set(node, MACHINE_STOPPING);
	if (node->supervisor == NULL) {
		machine_emit_stop(node, asked, false);
		return;
	}
	if (node->supervisor->phase != PHASE_STOPPING) {
		branch_stop(node->supervisor, OUTCOME_STOPPED, "");
		branch_why(node->supervisor, asked);
	}
	if (node->child != NULL)
		limit_stop(node);
}

static void
doom_all(struct branch *supervisor)
{
	struct child *child;

	TAILQ_FOREACH(child, &supervisor->children, sibling) {
		child->doomed = true;
		child_update(child);
	}
}

/* Begins to stop all children in order; branch_over() follows. */
void
branch_stop(struct branch *supervisor, enum outcome outcome, const char *text)
{
	struct machine_node *node, *self = supervisor->node;
	struct child *child;

	supervisor->phase = PHASE_STOPPING;
	supervisor->outcome = outcome;
	NO_MEMORY_IF((supervisor->text = strdup(text)) == NULL);
	branch_why(supervisor, text);
	supervisor->cycling = supervisor->cooling = false;
	supervisor->warming = false;
	timer_clear(&supervisor->timer);
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		TAILQ_FOREACH(node, &child->nodes, sibling) {
			node->cycle = false;
			if (node->state == MACHINE_PENDING ||
			    node->state == MACHINE_BACKOFF) {
				node_unpend(node);
				timer_clear(&node->timer);
				node_set(node, MACHINE_IDLE);
			} else {
				node_update(node);
			}
		}
	doom_all(supervisor);
	node_set(self, MACHINE_STOPPING);
	branch_touch(supervisor);
}

static void
kill_node(struct machine_node *node)
{
	if (!node_alive(node) || node->kill_sent)
		return;
	if (node->supervisor != NULL) {
		if (!node->stop_sent)
			node_stop(node, node->child->parent->why);
		node->kill_sent = true;
		branch_kill(node->supervisor);
		return;
	}
	/* Of a dead leader's group the host kills what is left. */
	if (node->cause == CAUSE_LEADER_DIED)
		return;
	if (node->cause == CAUSE_NONE)
		node->cause = CAUSE_ASKED;
	timer_clear(&node->timer);
	node->stop_sent = node->kill_sent = true;
	node_set(node, MACHINE_STOPPING);
	machine_emit_stop(node, node->child->parent->why, true);
}

/* Without order, at once.  Only of one that stops. */
void
branch_kill(struct branch *supervisor)
{
	struct machine_node *node;
	struct child *child;

	TAILQ_FOREACH_REVERSE(child, &supervisor->children, child_list, sibling)
		TAILQ_FOREACH(node, &child->nodes, sibling)
			kill_node(node);
}

/*
 * Turns
 */

static void
stop_child(struct child *child)
{
	struct machine_node *node;

	TAILQ_FOREACH(node, &child->nodes, sibling)
		if (node->weight.unsent)
			node_stop(node, child->parent->why);
}

static void
stop_some(struct branch *supervisor)
{
	struct child *last = RB_MAX(alive_tree, &supervisor->alive), *child;

	if (last != NULL && last->doomed && last->nunsent > 0 &&
	    last->waiters_alive == 0)
		stop_child(last);
	while ((child = RB_MAX(stoppable_tree, &supervisor->stoppable)) !=
		NULL &&
	    (last == NULL || last->position < child->position))
		stop_child(child);
}

static void
start_child(struct child *child)
{
	struct machine_node *node;

	while ((node = TAILQ_FIRST(&child->turns)) != NULL)
		node_start(node);
}

static void
start_some(struct branch *supervisor)
{
	struct machine_node *node;
	struct child *child;

	while ((node = TAILQ_FIRST(&supervisor->urgent)) != NULL)
		node_start(node);
	while ((child = TAILQ_FIRST(&supervisor->startable)) != NULL)
		start_child(child);
	child = RB_MIN(unsettled_tree, &supervisor->unsettled);
	if (child != NULL && !child->spec->parallel)
		start_child(child);
}

static void
branch_over(struct branch *supervisor)
{
	static const enum cause causes[] = {
		[OUTCOME_STOPPED] = CAUSE_ASKED,
		[OUTCOME_SHUTDOWN] = CAUSE_SHUTDOWN,
		[OUTCOME_LIMIT] = CAUSE_FAILED,
		[OUTCOME_START_FAILED] = CAUSE_FAILED,
		[OUTCOME_LEADER_DIED] = CAUSE_FAILED,
		[OUTCOME_UNKILLABLE] = CAUSE_FAILED,
	};
	struct machine_node *node = supervisor->node, *each, *next;
	struct child *child, *following;

	supervisor->phase = PHASE_DOWN;
	timer_clear(&supervisor->timer);
	TAILQ_FOREACH_SAFE(child, &supervisor->children, sibling, following) {
		child->doomed = false;
		child_update(child);
		if (!child->spawned)
			continue;
		TAILQ_FOREACH_SAFE(each, &child->nodes, sibling, next)
			node_remove(each);
	}
	if (node->cause == CAUSE_NONE)
		node->cause = causes[supervisor->outcome];
	node->status = supervisor->status;
	if (supervisor->outcome != OUTCOME_STOPPED)
		node_reason(node, supervisor->text);
	node_over(node);
}

static void
run_supervisor(struct branch *supervisor)
{
	if (supervisor->phase == PHASE_DOWN)
		return;
	if (supervisor->phase == PHASE_STOPPING) {
		stop_some(supervisor);
		if (supervisor->nalive == 0)
			branch_over(supervisor);
		return;
	}
	if (supervisor->cycling) {
		stop_some(supervisor);
		cycle_run(supervisor);
	}
	start_some(supervisor);
	if (supervisor->cycling || !RB_EMPTY(&supervisor->unsettled))
		return;
	supervisor->warming = false;
	if (supervisor->phase == PHASE_BOOT) {
		supervisor->phase = PHASE_UP;
		node_is_ready(supervisor->node);
	}
}

void
machine_settle(struct machine *machine)
{
	struct branch *supervisor;

	while ((supervisor = TAILQ_FIRST(&machine->dirty)) != NULL) {
		TAILQ_REMOVE(&machine->dirty, supervisor, in_dirty);
		supervisor->dirty = false;
		run_supervisor(supervisor);
	}
}
