/* SPDX-License-Identifier: ISC */
/*
 * What follows when an incarnation is over: restart policy, intensity,
 * back-off, significance, and what becomes of the supervisor.
 */
#include "runtime/supervise/machine_node.h"

#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#define STATUS_LEADER_DIED 120
#define STATUS_UNKILLABLE 123
#define JITTER_PERCENT 10

/* splitmix64: good enough to spread restarts, and repeatable by its seed. */
static uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Doubles with each restart; spread by a tenth, within min and max. */
static int64_t
backoff_next(struct machine_node *node)
{
	const struct spec_backoff *backoff = &node->child->spec->backoff;
	int64_t delay = backoff->min_ms, spread;
	unsigned int i;

	if (delay <= 0)
		return 0;
	for (i = 0; i < node->doublings && delay < backoff->max_ms; i++)
		delay = delay > backoff->max_ms / 2 ? backoff->max_ms :
						      delay * 2;
	if (delay < backoff->max_ms)
		node->doublings++;
	spread = delay / (100 / JITTER_PERCENT);
	delay += (int64_t)(random_next(&node->machine->random) %
		     (uint64_t)(2 * spread + 1)) -
	    spread;
	if (delay > backoff->max_ms)
		delay = backoff->max_ms;
	return delay < backoff->min_ms ? backoff->min_ms : delay;
}

static void
branch_fail(struct branch *supervisor, enum machine_note note,
    enum outcome outcome, const char *text)
{
	machine_tell(supervisor->node, note, "%s", text);
	/* It stops by itself: its parent need not tell it. */
	branch_stop(supervisor, outcome, text);
}

/*
 * Why a supervisor fails that cannot help it that this one failed: a dead
 * leader below, or what withstood SIGKILL, is told all the way up.
 */
static enum outcome
outcome_above(const struct machine_node *node, enum outcome otherwise)
{
	const struct branch *below = node->supervisor;

	if (node->cause == CAUSE_FAILED &&
	    (below->outcome == OUTCOME_LEADER_DIED ||
		below->outcome == OUTCOME_UNKILLABLE))
		return below->outcome;
	return otherwise;
}

static void
exceed(struct machine_node *node, size_t restarts)
{
	struct branch *parent = node->child->parent;
	char text[MACHINE_TEXT_MAX], period[32], pause[32];

	snprintf(text, sizeof(text),
	    "intensity exceeded by %s: restart %zu within %s, %u allowed%s%s",
	    node_key(node), restarts,
	    text_of_ms(period, sizeof(period), parent->spec->period_ms),
	    parent->spec->intensity, node->reason != NULL ? ": " : "",
	    node->reason != NULL ? node->reason : "");
	if (parent->spec->cooldown_ms == -1) {
		node_set(node, MACHINE_DONE);
		branch_fail(parent, MACHINE_NOTE_LIMIT,
		    outcome_above(node, OUTCOME_LIMIT), text);
		return;
	}
	machine_tell(parent->node, MACHINE_NOTE_COOLDOWN, "%s; pausing for %s",
	    text, text_of_ms(pause, sizeof(pause), parent->spec->cooldown_ms));
	node_reason(parent->node, text);
	cycle_cool(node);
}

static void
restart(struct machine_node *node)
{
	struct branch *parent = node->child->parent;
	char period[32], delay_text[32];
	size_t restarts;
	int64_t delay;

	restarts = window_add(&parent->window, node->machine->now,
	    parent->spec->period_ms);
	if (restarts > parent->spec->intensity) {
		exceed(node, restarts);
		return;
	}
	delay = backoff_next(node);
	node->restarts++;
	machine_tell(node, MACHINE_NOTE_RESTART,
	    "restart %zu of %u within %s%s%s", restarts,
	    parent->spec->intensity,
	    text_of_ms(period, sizeof(period), parent->spec->period_ms),
	    delay > 0 ? ", in " : "",
	    delay > 0 ? text_of_ms(delay_text, sizeof(delay_text), delay) : "");
	if (parent->spec->strategy != SPEC_ONE_FOR_ONE) {
		cycle_begin(node, node->machine->now + delay);
	} else if (delay == 0) {
		node_pend(node, KIND_RESTART, true);
	} else {
		node->kind = KIND_RESTART;
		node_set(node, MACHINE_BACKOFF);
		timer_set(&node->timer, node->machine->now + delay);
	}
}

static bool
is_normal(const struct machine_node *node)
{
	if (node->cause == CAUSE_SHUTDOWN || node->cause == CAUSE_ASKED)
		return true;
	return node->cause == CAUSE_ENDED && node->status != -1 &&
	    spec_success_has(&node->child->spec->success,
		(unsigned int)status_exit(node->status));
}

static bool
is_failed_start(const struct machine_node *node)
{
	if (node->cause == CAUSE_START_FAILED || node->cause == CAUSE_NOT_READY)
		return true;
	return !node->ready && node->cause != CAUSE_SHUTDOWN &&
	    node->cause != CAUSE_ASKED;
}

static void finish(struct machine_node *node);

static void
fail_start(struct machine_node *node)
{
	struct branch *parent = node->child->parent;
	char text[MACHINE_TEXT_MAX];

	machine_tell(node, MACHINE_NOTE_START_FAILED, "%s", node->reason);
	switch (node->kind) {
	case KIND_FIRST:
		snprintf(text, sizeof(text), "start of %s failed: %s",
		    node_key(node), node->reason);
		node_set(node, MACHINE_IDLE);
		branch_fail(parent, MACHINE_NOTE_FAILED,
		    outcome_above(node, OUTCOME_START_FAILED), text);
		break;
	case KIND_RESTART:
		if (node->child->spec->restart == SPEC_TEMPORARY)
			finish(node);
		else
			restart(node);
		break;
	case KIND_REQUEST:
		if (node->added || node->child->spec->restart == SPEC_TEMPORARY)
			node_remove(node);
		else
			node_set(node, MACHINE_IDLE);
		break;
	}
}

/* It ended by itself for good; the tree may end with it. */
static void
finish(struct machine_node *node)
{
	const struct spec_child *spec = node->child->spec;
	struct branch *parent = node->child->parent;
	enum spec_auto_shutdown when = parent->spec->auto_shutdown;
	char text[MACHINE_TEXT_MAX];

	node_set(node, MACHINE_DONE);
	if (spec->significant &&
	    (when == SPEC_ANY_SIGNIFICANT ||
		(when == SPEC_ALL_SIGNIFICANT && parent->nactive == 0))) {
		snprintf(text, sizeof(text), "auto_shutdown by %s",
		    node_key(node));
		branch_fail(parent, MACHINE_NOTE_AUTO_SHUTDOWN,
		    OUTCOME_SHUTDOWN, text);
		parent->status = node->status;
	}
	if (spec->restart == SPEC_TEMPORARY) {
		node_remove(node);
		return;
	}
	node_reason(node, ""); /* a failure before this end is over */
	machine_tell(node, MACHINE_NOTE_DONE, "%s",
	    "not restarted: it is transient and ended normally");
}

static void
decide(struct machine_node *node)
{
	const struct spec_child *spec = node->child->spec;

	if (is_failed_start(node))
		fail_start(node);
	else if (spec->restart == SPEC_PERMANENT ||
	    (spec->restart == SPEC_TRANSIENT && !is_normal(node)))
		restart(node);
	else
		finish(node);
}

void
branch_lose(struct machine_node *node, enum outcome outcome, const char *what)
{
	struct branch *parent = node->child->parent;
	char text[MACHINE_TEXT_MAX];

	snprintf(text, sizeof(text), "%s %s", node_key(node), what);
	if (branch_runs(parent))
		branch_fail(parent, MACHINE_NOTE_FAILED, outcome, text);
}

/* Its incarnation is over, and something else than a decision follows. */
static bool
follow(struct machine_node *node)
{
	bool temporary = node->child->spec->restart == SPEC_TEMPORARY;
	bool runs = branch_runs(node->child->parent);

	if (node->next == NEXT_REMOVE ||
	    (temporary && (node->next == NEXT_IDLE || (node->cycle && runs))))
		node_remove(node);
	else if (node->next == NEXT_IDLE || !runs) {
		node->cycle = node->cycle && node->next != NEXT_IDLE;
		node_set(node, MACHINE_IDLE);
	} else if (node->cycle)
		node_set(node, MACHINE_PENDING);
	else if (node->next == NEXT_START)
		node_pend(node, node->next_kind,
		    node->child->parent->phase == PHASE_UP);
	else
		return false;
	return true;
}

static void
root_over(struct machine_node *root)
{
	struct machine *machine = root->machine;
	int status = 1;

	switch (root->supervisor->outcome) {
	case OUTCOME_STOPPED:
		status = 0;
		break;
	case OUTCOME_SHUTDOWN:
		status = status_exit(root->status);
		break;
	case OUTCOME_LEADER_DIED:
		status = STATUS_LEADER_DIED;
		break;
	case OUTCOME_UNKILLABLE:
		status = STATUS_UNKILLABLE;
		break;
	case OUTCOME_LIMIT:
	case OUTCOME_START_FAILED:
		break;
	}
	if (!LIST_EMPTY(&machine->stuck))
		status = STATUS_UNKILLABLE;
	root->state = MACHINE_DONE;
	machine->over = true;
	machine_emit_end(machine, status, root->supervisor->text);
}

static void
tell_end(struct machine_node *node)
{
	char text[64];

	text_of_status(text, sizeof(text), node->status);
	if (node->cause == CAUSE_NONE)
		node->cause = CAUSE_ENDED;
	if (node->cause == CAUSE_ENDED && !node->ready) {
		char reason[MACHINE_TEXT_MAX];

		snprintf(reason, sizeof(reason), "%s before it was ready",
		    text);
		node_reason(node, reason);
	} else if (node->cause == CAUSE_ENDED && !is_normal(node)) {
		node_reason(node, text);
	} else if (node->cause == CAUSE_LEADER_DIED) {
		node_reason(node, "its leader died");
	}
	if (node->cause == CAUSE_ASKED)
		machine_tell(node, MACHINE_NOTE_STOPPED, "%s",
		    node->supervisor == NULL ? text : "");
	else if (node->supervisor == NULL && node->cause != CAUSE_START_FAILED)
		machine_tell(node, MACHINE_NOTE_ENDED, "%s", text);
}

void
node_over(struct machine_node *node)
{
	struct machine *machine = node->machine;

	RB_REMOVE(run_map, &machine->runs, node);
	node->run = 0;
	node->last_status = node->status;
	if (node->child == NULL) {
		root_over(node);
		return;
	}
	tell_end(node);
	timer_clear(&node->timer);
	node_set(node, MACHINE_IDLE);
	if (node->ready &&
	    machine->now - node->ready_at >=
		node->child->spec->backoff.reset_ms)
		node->doublings = 0;
	if (node->cause == CAUSE_LEADER_DIED) {
		node_set(node, MACHINE_LATCHED);
		if (node->next != NEXT_DECIDE && node->next != NEXT_START) {
			/* A stop clears the latch. */
			machine_emit(machine, MACHINE_RESET, node);
			follow(node);
			return;
		}
		branch_lose(node, OUTCOME_LEADER_DIED, "lost its leader");
		return;
	}
	if (!follow(node))
		decide(node);
}
