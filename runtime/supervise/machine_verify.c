/* SPDX-License-Identifier: ISC */
/*
 * Whether the machine's counters agree with what they count: for tests.
 */
#include "runtime/supervise/machine_node.h"

#include "runtime/util/bug.h"

struct sums {
	size_t alive;
	size_t unsettled;
	size_t unsent;
	size_t active;
	size_t cycling;
	size_t turns;
};

static size_t verify_branch(const struct branch *branch);

static void
verify_node(const struct machine_node *node, struct sums *sums)
{
	bool alive = node_alive(node);

	BUG_IF(alive != node->weight.alive);
	BUG_IF((node->queue != QUEUE_NONE) !=
	    (node->state == MACHINE_PENDING && !node->cycle));
	BUG_IF(alive && node->run == 0);
	BUG_IF(node->state == MACHINE_BACKOFF && !node->cycle &&
	    node->timer.due == -1);
	BUG_IF(node->cycle && !node->child->parent->cycling);
	sums->alive += node->weight.alive;
	sums->unsettled += node->weight.unsettled;
	sums->unsent += node->weight.unsent;
	sums->active += node->weight.active;
	sums->cycling += node->weight.cycling;
	sums->turns += node->queue == QUEUE_CHILD;
	if (node->supervisor != NULL)
		BUG_IF((node->supervisor->phase != PHASE_DOWN) != alive);
}

static void
verify_edges(const struct child *child)
{
	const struct edge *edge;
	size_t n = 0;

	LIST_FOREACH(edge, &child->waits, of_from)
		n += edge->to->nunsettled > 0;
	BUG_IF(n != child->waits_unsettled);
	n = 0;
	LIST_FOREACH(edge, &child->waiters, of_to)
		n += edge->from->nalive > 0;
	BUG_IF(n != child->waiters_alive);
}

static size_t
verify_child(const struct child *child, struct sums *all)
{
	const struct machine_node *node;
	struct sums sums = { .alive = 0 };
	size_t n = 0, turns = 0;

	TAILQ_FOREACH(node, &child->nodes, sibling) {
		verify_node(node, &sums);
		n++;
		if (node->supervisor != NULL)
			n += verify_branch(node->supervisor);
	}
	TAILQ_FOREACH(node, &child->turns, turn)
		turns++;
	BUG_IF(turns != sums.turns);
	BUG_IF(child->nalive != sums.alive || child->nunsent != sums.unsent);
	BUG_IF(child->nunsettled != sums.unsettled);
	BUG_IF(child->is_unsettled != (child->nunsettled > 0));
	BUG_IF(child->doomed && child->parent->phase != PHASE_STOPPING &&
	    !child->parent->cycling);
	verify_edges(child);
	all->alive += child->nalive > 0;
	all->active += sums.active;
	all->cycling += sums.cycling;
	return n;
}

static size_t
verify_branch(const struct branch *branch)
{
	const struct child *child, *before;
	struct sums sums = { .alive = 0 };
	size_t n = 0;

	TAILQ_FOREACH(child, &branch->children, sibling) {
		before = TAILQ_PREV(child, child_list, sibling);
		BUG_IF(before != NULL && before->position >= child->position);
		n += verify_child(child, &sums);
	}
	BUG_IF(branch->nalive != sums.alive);
	BUG_IF(branch->nactive != sums.active);
	BUG_IF(branch->ncycling != sums.cycling);
	BUG_IF(branch->dirty);
	BUG_IF(branch->phase == PHASE_DOWN && branch->nalive > 0);
	BUG_IF(!TAILQ_EMPTY(&branch->urgent));
	return n;
}

void
machine_verify(const struct machine *machine)
{
	BUG_IF(verify_branch(machine->root->supervisor) != machine->nnodes);
}
