/* SPDX-License-Identifier: ISC */
/*
 * The machine's tree: nodes, children, supervisors, their keys, and the
 * counters that follow each change of a node's state.
 */
#include "runtime/supervise/machine_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"

static int
compare_keys(const struct key *one, const struct key *other)
{
	return strcmp(one->text, other->text);
}

static int
compare_runs(const struct machine_node *one, const struct machine_node *other)
{
	if (one->run == other->run)
		return 0;
	return one->run < other->run ? -1 : 1;
}

static int
compare_positions(const struct child *one, const struct child *other)
{
	if (one->position == other->position)
		return 0;
	return one->position < other->position ? -1 : 1;
}

RB_GENERATE(key_map, key, entry, compare_keys)
RB_GENERATE(run_map, machine_node, by_run, compare_runs)
RB_GENERATE(unsettled_tree, child, in_unsettled, compare_positions)
RB_GENERATE(alive_tree, child, in_alive, compare_positions)
RB_GENERATE(stoppable_tree, child, in_stoppable, compare_positions)

static void *
make(size_t size)
{
	void *made = calloc(1, size);

	NO_MEMORY_IF(made == NULL);
	return made;
}

struct source *
source_new(struct spec_tree *tree)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source == NULL)
		return NULL;
	source->refs = 1;
	source->tree = tree;
	return source;
}

void
source_release(struct source *source)
{
	if (--source->refs > 0)
		return;
	spec_free(source->tree);
	spec_child_fini(&source->spawned);
	free(source);
}

const struct key *
key_find(const struct machine *machine, const char *text)
{
	struct key wanted = { .text = (char *)(uintptr_t)text };

	return RB_FIND(key_map, &((struct machine *)(uintptr_t)machine)->keys,
	    &wanted);
}

static void
key_insert(struct machine *machine, struct key *key)
{
	BUG_IF(RB_INSERT(key_map, &machine->keys, key) != NULL);
}

static void
key_remove(struct machine *machine, struct key *key)
{
	if (key->text == NULL)
		return;
	RB_REMOVE(key_map, &machine->keys, key);
	free(key->text);
	key->text = NULL;
}

const char *
node_key(const struct machine_node *node)
{
	if (node->child == NULL)
		return "";
	return node->key.text != NULL ? node->key.text : node->child->key.text;
}

char *
instance_key(const struct child *child, unsigned int number)
{
	char *text;

	NO_MEMORY_IF(asprintf(&text, "%s" SPEC_INSTANCE_MARK "%u",
			 child->key.text, number) == -1);
	return text;
}

/* By an instance, or by a child that was spawned and has such an id. */
bool
instance_taken(const struct child *child, unsigned int number)
{
	char *text = instance_key(child, number);
	bool taken = key_find(child->parent->node->machine, text) != NULL;

	free(text);
	return taken;
}

/* number 0: the only one, with the child's own key. */
struct machine_node *
node_new(struct machine *machine, struct child *child, unsigned int number)
{
	struct machine_node *node = make(sizeof(*node)), *before;

	node->machine = machine;
	node->child = child;
	node->number = number == 0 ? 1 : number;
	node->status = node->last_status = -1;
	node->since = machine->now;
	node->timer = (struct timer) { .due = -1, .node = node };
	if (child == NULL)
		return node;
	machine->nnodes++;
	node->wanted = child->spec->autostart;
	if (number != 0) {
		node->key = (struct key) { .text = instance_key(child, number),
			.child = child,
			.node = node };
		key_insert(machine, &node->key);
	}
	before = TAILQ_LAST(&child->nodes, node_list);
	while (before != NULL && before->number > node->number)
		before = TAILQ_PREV(before, node_list, sibling);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&child->nodes, before, node, sibling);
	else
		TAILQ_INSERT_HEAD(&child->nodes, node, sibling);
	child->nnodes++;
	return node;
}

/* Only of a node that is not alive. */
void
node_free(struct machine_node *node)
{
	struct machine *machine = node->machine;
	struct child *child = node->child;

	node_unpend(node);
	timer_clear(&node->timer);
	if (node->state == MACHINE_LATCHED)
		machine_emit(machine, MACHINE_RESET, node);
	if (node->run != 0)
		RB_REMOVE(run_map, &machine->runs, node);
	if (node->supervisor != NULL) {
		branch_clear(node->supervisor);
		timer_clear(&node->supervisor->timer);
		if (node->supervisor->dirty)
			TAILQ_REMOVE(&machine->dirty, node->supervisor,
			    in_dirty);
		window_fini(&node->supervisor->window);
		source_release(node->supervisor->source);
		free(node->supervisor->text);
		free(node->supervisor->why);
		free(node->supervisor);
	}
	if (child != NULL) {
		node->state = MACHINE_IDLE;
		node_update(node);
		key_remove(machine, &node->key);
		TAILQ_REMOVE(&child->nodes, node, sibling);
		child->nnodes--;
		machine->nnodes--;
	}
	free(node->reason);
	free(node);
}

char *
child_key(const struct branch *parent, const char *id)
{
	const char *prefix = node_key(parent->node);
	char *text;

	NO_MEMORY_IF(asprintf(&text, "%s%s%s", prefix,
			 prefix[0] != '\0' ? "/" : "", id) == -1);
	return text;
}

/* With all its instances, below a supervisor that has no such id. */
struct child *
child_new(struct branch *parent, struct source *source,
    const struct spec_child *spec)
{
	struct machine *machine = parent->node->machine;
	struct child *child = make(sizeof(*child));
	struct machine_node *node;
	unsigned int number = 0;
	size_t i;

	child->parent = parent;
	child->source = source;
	source->refs++;
	child->spec = spec;
	child->position = parent->positions++;
	TAILQ_INIT(&child->nodes);
	TAILQ_INIT(&child->turns);
	LIST_INIT(&child->waits);
	LIST_INIT(&child->waiters);
	TAILQ_INSERT_TAIL(&parent->children, child, sibling);
	child->key = (struct key) { .text = child_key(parent, spec->id),
		.child = child };
	key_insert(machine, &child->key);
	if (spec->supervisor != NULL) {
		node = node_new(machine, child, 0);
		node->supervisor = branch_new(node, source, spec->supervisor,
		    parent->depth + 1);
		branch_build(node->supervisor);
	} else if (spec->command->instances == 1) {
		node_new(machine, child, 0);
	} else {
		for (i = 0; i < spec->command->instances; i++) {
			do
				number++;
			while (instance_taken(child, number));
			node_new(machine, child, number);
		}
	}
	return child;
}

void
child_free(struct child *child)
{
	struct branch *parent = child->parent;
	struct machine_node *node;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((node = TAILQ_FIRST(&child->nodes)) != NULL)
		node_free(node);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	child_unlink(child);
	BUG_IF(child->is_alive || child->is_unsettled || child->is_startable ||
	    child->is_stoppable);
	key_remove(parent->node->machine, &child->key);
	TAILQ_REMOVE(&parent->children, child, sibling);
	source_release(child->source);
	free(child);
}

static const struct child *
find_sibling(const struct child *child, const char *id)
{
	char *text = child_key(child->parent, id);
	const struct key *key = key_find(child->parent->node->machine, text);

	free(text);
	return key != NULL && key == &key->child->key ? key->child : NULL;
}

/* An edge to a child that is gone is none. */
bool
child_link(struct child *child)
{
	char **id = child->spec->depends_on;
	bool all = true;
	struct edge *edge;
	struct child *to;

	for (; id != NULL && *id != NULL; id++) {
		to = (struct child *)(uintptr_t)find_sibling(child, *id);
		if (to == NULL || to == child) {
			all = false;
			continue;
		}
		edge = make(sizeof(*edge));
		edge->from = child;
		edge->to = to;
		LIST_INSERT_HEAD(&child->waits, edge, of_from);
		LIST_INSERT_HEAD(&to->waiters, edge, of_to);
		child->waits_unsettled += to->nunsettled > 0;
		to->waiters_alive += child->nalive > 0;
		child_update(to);
	}
	child_update(child);
	return all;
}

static void
unlink_edge(struct edge *edge)
{
	edge->from->waits_unsettled -= edge->to->nunsettled > 0;
	edge->to->waiters_alive -= edge->from->nalive > 0;
	LIST_REMOVE(edge, of_from);
	LIST_REMOVE(edge, of_to);
	child_update(edge->from);
	child_update(edge->to);
	free(edge);
}

void
child_unlink(struct child *child)
{
	/* The analyzer does not see that each is taken off the lists. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while (!LIST_EMPTY(&child->waits))
		unlink_edge(LIST_FIRST(&child->waits));
	while (!LIST_EMPTY(&child->waiters))
		unlink_edge(LIST_FIRST(&child->waiters));
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

struct branch *
branch_new(struct machine_node *node, struct source *source,
    const struct spec_supervisor *spec, unsigned int depth)
{
	struct branch *supervisor = make(sizeof(*supervisor));

	supervisor->node = node;
	supervisor->source = source;
	source->refs++;
	supervisor->spec = spec;
	supervisor->depth = depth;
	supervisor->cycle_due = -1;
	TAILQ_INIT(&supervisor->children);
	TAILQ_INIT(&supervisor->startable);
	TAILQ_INIT(&supervisor->urgent);
	RB_INIT(&supervisor->unsettled);
	RB_INIT(&supervisor->alive);
	RB_INIT(&supervisor->stoppable);
	supervisor->timer =
	    (struct timer) { .due = -1, .node = node, .of_supervisor = true };
	return supervisor;
}

/* Its children, as the specification has them. */
void
branch_build(struct branch *supervisor)
{
	struct child *child;
	size_t i;

	for (i = 0; i < supervisor->spec->nchildren; i++)
		child_new(supervisor, supervisor->source,
		    &supervisor->spec->children[i]);
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		child_link(child);
	supervisor->fresh = true;
}

void
branch_clear(struct branch *supervisor)
{
	struct child *child;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((child = TAILQ_FIRST(&supervisor->children)) != NULL)
		child_free(child);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	supervisor->positions = 0;
}

void
branch_touch(struct branch *supervisor)
{
	if (supervisor->dirty)
		return;
	supervisor->dirty = true;
	TAILQ_INSERT_TAIL(&supervisor->node->machine->dirty, supervisor,
	    in_dirty);
}

/* The state in which the group is not empty. */
static bool
state_alive(enum machine_state state)
{
	return state == MACHINE_STARTING || state == MACHINE_WAITING ||
	    state == MACHINE_RUNNING || state == MACHINE_STOPPING;
}

bool
node_alive(const struct machine_node *node)
{
	return state_alive(node->state);
}

static struct weight
weigh(const struct machine_node *node)
{
	enum machine_state state = node->state;
	struct weight weight = { .alive = state_alive(state) };

	weight.unsettled = state == MACHINE_PENDING ||
	    state == MACHINE_BACKOFF ||
	    (weight.alive && state != MACHINE_RUNNING);
	weight.unsent = weight.alive && !node->stop_sent;
	weight.active = node->child->spec->significant &&
	    (weight.alive || weight.unsettled);
	weight.cycling = weight.alive && node->cycle;
	return weight;
}

/* The memberships of a child that follow from its counters. */
void
child_update(struct child *child)
{
	struct branch *parent = child->parent;
	bool parallel = child->spec->parallel, is;

	is = child->nunsettled > 0;
	if (is && !child->is_unsettled)
		RB_INSERT(unsettled_tree, &parent->unsettled, child);
	else if (!is && child->is_unsettled)
		RB_REMOVE(unsettled_tree, &parent->unsettled, child);
	child->is_unsettled = is;

	is = child->nalive > 0 && !parallel;
	if (is && !child->is_alive)
		RB_INSERT(alive_tree, &parent->alive, child);
	else if (!is && child->is_alive)
		RB_REMOVE(alive_tree, &parent->alive, child);
	child->is_alive = is;

	is = parallel && child->doomed && child->nunsent > 0 &&
	    child->waiters_alive == 0;
	if (is && !child->is_stoppable)
		RB_INSERT(stoppable_tree, &parent->stoppable, child);
	else if (!is && child->is_stoppable)
		RB_REMOVE(stoppable_tree, &parent->stoppable, child);
	child->is_stoppable = is;

	is = parallel && !TAILQ_EMPTY(&child->turns) &&
	    child->waits_unsettled == 0;
	if (is && !child->is_startable)
		TAILQ_INSERT_TAIL(&parent->startable, child, in_startable);
	else if (!is && child->is_startable)
		TAILQ_REMOVE(&parent->startable, child, in_startable);
	child->is_startable = is;
	branch_touch(parent);
}

static void
count(size_t *counter, bool was, bool is)
{
	if (is && !was)
		++*counter;
	else if (was && !is)
		--*counter;
}

void
node_update(struct machine_node *node)
{
	struct child *child = node->child;
	struct weight was = node->weight;
	bool was_alive, was_unsettled;
	struct weight is;
	struct edge *edge;

	if (child == NULL)
		return;
	was_alive = child->nalive > 0;
	was_unsettled = child->nunsettled > 0;
	is = weigh(node);
	node->weight = is;
	count(&child->nalive, was.alive, is.alive);
	count(&child->nunsettled, was.unsettled, is.unsettled);
	count(&child->nunsent, was.unsent, is.unsent);
	count(&child->parent->nactive, was.active, is.active);
	count(&child->parent->ncycling, was.cycling, is.cycling);
	count(&child->parent->nalive, was_alive, child->nalive > 0);
	if (was_alive != (child->nalive > 0))
		LIST_FOREACH(edge, &child->waits, of_from) {
			count(&edge->to->waiters_alive, was_alive, !was_alive);
			child_update(edge->to);
		}
	if (was_unsettled != (child->nunsettled > 0))
		LIST_FOREACH(edge, &child->waiters, of_to) {
			count(&edge->from->waits_unsettled, was_unsettled,
			    !was_unsettled);
			child_update(edge->from);
		}
	child_update(child);
}

void
node_set(struct machine_node *node, enum machine_state state)
{
	if (node->state != state)
		node->since = node->machine->now;
	node->state = state;
	node_update(node);
}

void
node_reason(struct machine_node *node, const char *reason)
{
	char *copy = strdup(reason);

	NO_MEMORY_IF(copy == NULL);
	free(node->reason);
	node->reason = copy;
}
