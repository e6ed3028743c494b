/* SPDX-License-Identifier: ISC */
/*
 * From one tree to another while it runs: first whether it can be, which
 * changes nothing, then supervisor by supervisor.
 */
#include "runtime/supervise/machine_node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"

static struct child *
find_child(const struct branch *parent, const char *id)
{
	char *text = child_key(parent, id);
	const struct key *key = key_find(parent->node->machine, text);

	free(text);
	return key != NULL && key->node == NULL ? key->child : NULL;
}

static bool
key_taken(const struct branch *parent, const char *id)
{
	char *text = child_key(parent, id);
	bool taken = key_find(parent->node->machine, text) != NULL;

	free(text);
	return taken;
}

static enum grouper_error __attribute__((format(printf, 3, 4)))
refuse(enum grouper_error error, char **why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(why, format, ap) == -1)
		*why = NULL;
	va_end(ap);
	return error;
}

static enum grouper_error plan(const struct branch *supervisor,
    const struct spec_supervisor *spec, char **why);

static enum grouper_error
plan_new(const struct branch *parent, const struct spec_child *spec, char **why)
{
	if (!key_taken(parent, spec->id))
		return GROUPER_OK;
	return refuse(GROUPER_ALREADY_PRESENT, why,
	    "the key of '%s' is another child's", spec->id);
}

static enum grouper_error
plan_child(const struct branch *parent, const struct spec_child *spec,
    char **why)
{
	const struct child *child = find_child(parent, spec->id);
	size_t n;

	if (child == NULL)
		return plan_new(parent, spec, why);
	if (child->spawned)
		return refuse(GROUPER_ALREADY_PRESENT, why,
		    "'%s' was spawned under this id", child->key.text);
	if ((child->spec->supervisor == NULL) != (spec->supervisor == NULL))
		return refuse(GROUPER_BAD_COMBINATION, why,
		    "'%s' cannot turn from a command into a supervisor or "
		    "back: it needs another id",
		    child->key.text);
	if (spec->supervisor != NULL)
		return plan(TAILQ_FIRST(&child->nodes)->supervisor,
		    spec->supervisor, why);
	n = spec->command->instances;
	if (n == child->spec->command->instances)
		n = scale_count(child);
	if (spec->significant && n > 1)
		return refuse(GROUPER_BAD_COMBINATION, why,
		    "'%s' has several instances and cannot be significant",
		    child->key.text);
	return GROUPER_OK;
}

static enum grouper_error
plan(const struct branch *supervisor, const struct spec_supervisor *spec,
    char **why)
{
	enum grouper_error error;
	size_t i;

	for (i = 0; i < spec->nchildren; i++) {
		error = plan_child(supervisor, &spec->children[i], why);
		if (error != GROUPER_OK)
			return error;
	}
	return GROUPER_OK;
}

/*
 * The change
 */

static int
compare_specs(const void *one, const void *other)
{
	const struct spec_child *const *a = one, *const *b = other;

	return strcmp((*a)->id, (*b)->id);
}

/* The children of a specification by their ids; NULL if there are none. */
static const struct spec_child **
sort_specs(const struct spec_supervisor *spec)
{
	const struct spec_child **sorted;
	size_t i;

	NO_MEMORY_IF((sorted = calloc(spec->nchildren + 1, sizeof(*sorted))) ==
	    NULL);
	for (i = 0; i < spec->nchildren; i++)
		sorted[i] = &spec->children[i];
	qsort(sorted, spec->nchildren, sizeof(*sorted), compare_specs);
	return sorted;
}

/* A temporary child that ran its course is not new to the next reload. */
static bool
had_its_turn(const struct spec_child *const *old, size_t nold,
    const struct spec_child *spec)
{
	const struct spec_child *const *found;

	if (spec->restart != SPEC_TEMPORARY)
		return false;
	found = bsearch(&spec, old, nold, sizeof(spec), compare_specs);
	if (found == NULL || (*found)->restart != SPEC_TEMPORARY)
		return false;
	if ((*found)->command == NULL || spec->command == NULL)
		return (*found)->command == spec->command;
	return spec_command_same_run((*found)->command, spec->command);
}

static void
move_source(struct source **at, struct source *to)
{
	to->refs++;
	source_release(*at);
	*at = to;
}

/*
 * To stop and start it is our wish and no restart, so it does not count; a
 * start that fails then is one, as nobody waits for it who could try again.
 */
static void
start_after(struct machine_node *node)
{
	node->next = NEXT_START;
	node->next_kind = kind_again(node);
}

/*
 * What changed may help one that could not be started and was not stopped
 * since, and one that waits to be started again.
 */
static bool
try_again(struct machine_node *node)
{
	if (!branch_runs(node->child->parent))
		return false;
	node->doublings = 0;
	if (node->state == MACHINE_BACKOFF)
		node_hasten(node);
	else if (node->state == MACHINE_IDLE && node->wanted &&
	    node->child->spec->autostart)
		node_begin(node);
	else
		return false;
	return true;
}

static void
restart_changed(struct child *child, const char *key)
{
	struct machine_node *node;
	char why[64];

	snprintf(why, sizeof(why), "another %s", key);

	TAILQ_FOREACH(node, &child->nodes, sibling) {
		if (try_again(node)) {
			machine_tell(node, MACHINE_NOTE_CHANGED, "%s", why);
			continue;
		}
		if (!node_alive(node) || node->cause == CAUSE_LEADER_DIED ||
		    node->next == NEXT_IDLE || node->next == NEXT_REMOVE)
			continue;
		machine_tell(node, MACHINE_NOTE_CHANGED, "%s", why);
		if (!branch_runs(child->parent))
			continue;
		start_after(node);
		node_stop(node, why);
	}
}

/* A child that was about to go is wanted again. */
static void
revive(struct child *child)
{
	struct machine_node *node;

	child->removing = false;
	TAILQ_FOREACH(node, &child->nodes, sibling)
		if (node->next == NEXT_REMOVE) {
			start_after(node);
			node->wanted = child->spec->autostart;
		}
}

static bool change(struct branch *supervisor, struct source *source,
    const struct spec_supervisor *spec);

/* Answers as change() does. */
static bool
change_child(struct child *child, struct source *source,
    const struct spec_child *spec)
{
	const struct spec_child *old = child->spec;
	struct source *keep = child->source;
	bool revived = child->removing, changed;
	struct machine_node *node;
	const char *key;

	/* What old points into must last to the end of this function. */
	keep->refs++;
	move_source(&child->source, source);
	child->spec = spec;
	child->kept = true;
	if (revived)
		revive(child);
	TAILQ_FOREACH(node, &child->nodes, sibling) {
		node_update(node);
		if (spec->autostart && !old->autostart &&
		    node->state == MACHINE_IDLE)
			node_begin(node);
	}
	if (spec->supervisor != NULL) {
		node = TAILQ_FIRST(&child->nodes);
		changed = change(node->supervisor, source, spec->supervisor);
		if (changed)
			try_again(node);
	} else {
		key = spec_command_change(old->command, spec->command);
		if (key != NULL)
			restart_changed(child, key);
		changed = key != NULL ||
		    old->command->instances != spec->command->instances;
		/* Of one that was about to go, some are gone. */
		if (revived ||
		    old->command->instances != spec->command->instances)
			scale_to(child, spec->command->instances, false);
	}
	source_release(keep);
	return changed;
}

static void
drop_child(struct child *child)
{
	struct machine_node *node, *next;

	child->removing = true;
	if (child->nnodes == 0) {
		child_free(child);
		return;
	}
	TAILQ_FOREACH_SAFE(node, &child->nodes, sibling, next)
		node_retire(node, "removed by a reload");
}

/* Takes a child out of whatever is in the order of positions. */
static void
forget_place(struct child *child)
{
	struct branch *parent = child->parent;

	if (child->is_unsettled)
		RB_REMOVE(unsettled_tree, &parent->unsettled, child);
	if (child->is_alive)
		RB_REMOVE(alive_tree, &parent->alive, child);
	if (child->is_stoppable)
		RB_REMOVE(stoppable_tree, &parent->stoppable, child);
	child->is_unsettled = child->is_alive = child->is_stoppable = false;
}

/* The order of the new list; what is not of it comes after. */
static void
reorder(struct branch *supervisor, const struct spec_supervisor *spec)
{
	struct child_list others;
	struct child *child;
	size_t i;

	TAILQ_FOREACH(child, &supervisor->children, sibling)
		child_unlink(child);
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		forget_place(child);
	TAILQ_INIT(&others);
	TAILQ_CONCAT(&others, &supervisor->children, sibling);
	for (i = 0; i < spec->nchildren; i++) {
		child = find_child(supervisor, spec->children[i].id);
		if (child == NULL)
			continue;
		TAILQ_REMOVE(&others, child, sibling);
		TAILQ_INSERT_TAIL(&supervisor->children, child, sibling);
	}
	TAILQ_CONCAT(&supervisor->children, &others, sibling);
	supervisor->positions = 0;
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		child->position = supervisor->positions++;
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		child_link(child);
}

/* Whether other children are to run, or with another command. */
static bool
change(struct branch *supervisor, struct source *source,
    const struct spec_supervisor *spec)
{
	const struct spec_child **old = sort_specs(supervisor->spec);
	size_t nold = supervisor->spec->nchildren, i;
	struct source *keep = supervisor->source;
	struct child *child, *next;
	bool changed = false;

	keep->refs++;
	move_source(&supervisor->source, source);
	supervisor->spec = spec;
	supervisor->fresh = false;
	TAILQ_FOREACH(child, &supervisor->children, sibling)
		child->kept = child->spawned;
	for (i = 0; i < spec->nchildren; i++) {
		child = find_child(supervisor, spec->children[i].id);
		if (child != NULL) {
			changed |= change_child(child, source,
			    &spec->children[i]);
		} else if (!had_its_turn(old, nold, &spec->children[i])) {
			child = child_new(supervisor, source,
			    &spec->children[i]);
			child->kept = child->fresh = changed = true;
		}
	}
	TAILQ_FOREACH_SAFE(child, &supervisor->children, sibling, next)
		if (!child->kept) {
			drop_child(child);
			changed = true;
		}
	reorder(supervisor, spec);
	cycle_extend(supervisor);
	free(old);
	source_release(keep);
	return changed;
}

/* New children start when all have their places. */
static void
begin_new(struct branch *supervisor)
{
	struct machine_node *node;
	struct child *child;

	TAILQ_FOREACH(child, &supervisor->children, sibling) {
		if (child->fresh) {
			child->fresh = false;
			child_begin(child);
		}
		node = TAILQ_FIRST(&child->nodes);
		if (node != NULL && node->supervisor != NULL)
			begin_new(node->supervisor);
	}
}

enum grouper_error
machine_reload(struct machine *machine, int64_t now,
    const struct spec_tree *tree, char **why)
{
	struct branch *root = machine->root->supervisor;
	const struct spec_child *at;
	enum grouper_error error;
	struct spec_tree *copy;
	struct source *source;

	machine_enter(machine, now);
	*why = NULL;
	if (!branch_runs(root))
		return GROUPER_NO_GROUP;
	if ((error = spec_check(tree, why, &at)) != GROUPER_OK ||
	    (error = plan(root, &tree->root, why)) != GROUPER_OK)
		return error;
	if ((copy = spec_copy(tree)) == NULL ||
	    (source = source_new(copy)) == NULL) {
		spec_free(copy);
		errno = ENOMEM;
		return GROUPER_SYSTEM;
	}
	change(root, source, &copy->root);
	begin_new(root);
	source_release(source);
	machine_settle(machine);
	return GROUPER_OK;
}
