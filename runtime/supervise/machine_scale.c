/* SPDX-License-Identifier: ISC */
/*
 * Instances that come and go while the machine runs.
 */
#include "runtime/supervise/machine_node.h"

#include <stdlib.h>

#include "runtime/util/bug.h"

/* While the supervisor itself starts, the list's order holds for it too. */
void
node_begin(struct machine_node *node)
{
	struct branch *parent = node->child->parent;

	node->wanted = true;
	if (branch_runs(parent))
		node_pend(node, KIND_REQUEST, parent->phase == PHASE_UP);
}

/* All that is no longer listed with it, the deepest first. */
static void
tell_removed(const struct machine_node *node)
{
	const struct machine_node *below;
	const struct child *child;

	if (node->supervisor != NULL)
		TAILQ_FOREACH(child, &node->supervisor->children, sibling)
			TAILQ_FOREACH(below, &child->nodes, sibling)
				tell_removed(below);
	machine_tell(node, MACHINE_NOTE_REMOVED, "%s", "");
}

void
node_remove(struct machine_node *node)
{
	struct child *child = node->child;
	bool whole = child->removing || child->spawned ||
	    (child->spec->restart == SPEC_TEMPORARY && !child->none);

	BUG_IF(node_alive(node));
	tell_removed(node);
	node_free(node);
	if (whole && child->nnodes == 0)
		child_free(child);
}

void
node_retire(struct machine_node *node, const char *why)
{
	node->wanted = false;
	if (!node_alive(node)) {
		node_remove(node);
		return;
	}
	node->next = NEXT_REMOVE;
	node_stop(node, why);
}

void
child_begin(struct child *child)
{
	struct machine_node *node;

	TAILQ_FOREACH(node, &child->nodes, sibling) {
		machine_tell(node, MACHINE_NOTE_ADDED, "%s", "");
		if (child->spec->autostart)
			node_begin(node);
	}
}

static bool
retires(const struct machine_node *node)
{
	return node_alive(node) && node->next == NEXT_REMOVE;
}

size_t
scale_count(const struct child *child)
{
	const struct machine_node *node;
	size_t n = 0;

	TAILQ_FOREACH(node, &child->nodes, sibling)
		n += !retires(node);
	return n;
}

/* The lowest number from `from` that no instance has; *at walks along. */
static unsigned int
free_number(unsigned int from, const struct machine_node **at)
{
	while (*at != NULL && (*at)->number <= from) {
		if ((*at)->number == from)
			from++;
		*at = TAILQ_NEXT(*at, sibling);
	}
	return from;
}

static void
scale_up(struct child *child, size_t missing, bool asked)
{
	struct machine *machine = child->parent->node->machine;
	const struct machine_node *at = TAILQ_FIRST(&child->nodes);
	bool alone = at == NULL && missing == 1;
	struct machine_node *node;
	unsigned int number = 0;

	for (; missing > 0; missing--) {
		do
			number = free_number(number + 1, &at);
		while (instance_taken(child, number));
		node = node_new(machine, child, alone ? 0 : number);
		node->added = asked;
		machine_tell(node, MACHINE_NOTE_ADDED, "%s", "");
		if (child->spec->autostart)
			node_begin(node);
	}
}

/* The highest numbers go.  A spawned child is gone with the last. */
static void
scale_down(struct child *child, size_t surplus)
{
	struct machine_node *node, *before;

	node = TAILQ_LAST(&child->nodes, node_list);
	for (; node != NULL && surplus > 0; node = before) {
		before = TAILQ_PREV(node, node_list, sibling);
		if (retires(node))
			continue;
		surplus--;
		node_retire(node, "fewer instances");
	}
}

void
scale_to(struct child *child, size_t instances, bool asked)
{
	size_t n = scale_count(child);

	child->none = instances == 0;
	if (n < instances)
		scale_up(child, instances - n, asked);
	else if (n > instances)
		scale_down(child, n - instances);
}
