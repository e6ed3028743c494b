/* SPDX-License-Identifier: ISC */
/*
 * Requests for children by key, each answered by the state of the child.
 */
#include "runtime/supervise/machine_node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum grouper_error verb_fn(struct machine_node *node);

/* To one node, or to all that a key stands for. */
static enum grouper_error
apply(struct machine *machine, int64_t now, const char *text, verb_fn *verb)
{
	enum grouper_error error, first = GROUPER_OK;
	struct machine_node *node, *next;
	const struct key *key;
	bool accepted = false;

	machine_enter(machine, now);
	if ((key = key_find(machine, text)) == NULL)
		return GROUPER_NOT_FOUND;
	if (key->node != NULL) {
		error = verb(key->node);
		machine_settle(machine);
		return error;
	}
	TAILQ_FOREACH_SAFE(node, &key->child->nodes, sibling, next) {
		error = verb(node);
		if (error == GROUPER_OK)
			accepted = true;
		else if (first == GROUPER_OK)
			first = error;
	}
	machine_settle(machine);
	return accepted ? GROUPER_OK : first;
}

static enum grouper_error
start(struct machine_node *node)
{
	switch (node->state) {
	case MACHINE_IDLE:
	case MACHINE_DONE:
		if (!branch_runs(node->child->parent))
			return GROUPER_NO_GROUP;
		node_begin(node);
		return GROUPER_OK;
	case MACHINE_PENDING:
		return node->cycle ? GROUPER_RESTARTING :
				     GROUPER_ALREADY_STARTED;
	case MACHINE_BACKOFF:
		return GROUPER_RESTARTING;
	case MACHINE_LATCHED:
		return GROUPER_LEADER_DIED;
	case MACHINE_UNKILLABLE:
		return GROUPER_UNKILLABLE;
	case MACHINE_STARTING:
	case MACHINE_WAITING:
	case MACHINE_RUNNING:
	case MACHINE_STOPPING:
	case MACHINE_NSTATES:
		break;
	}
	return node->cause == CAUSE_LEADER_DIED ? GROUPER_LEADER_DIED :
						  GROUPER_ALREADY_STARTED;
}

/* A restart that was to come is off; those of the same go on without it. */
static void
call_off(struct machine_node *node)
{
	if (node->cycle && node->state == MACHINE_BACKOFF)
		node_hasten(node);
	node_unpend(node);
	timer_clear(&node->timer);
	node->cycle = false;
	if (node->child->spec->restart == SPEC_TEMPORARY)
		node_remove(node);
	else
		node_set(node, MACHINE_IDLE);
}

static enum grouper_error
stop(struct machine_node *node)
{
	node->wanted = false;
	switch (node->state) {
	case MACHINE_IDLE:
	case MACHINE_DONE:
		return GROUPER_OK;
	case MACHINE_PENDING:
	case MACHINE_BACKOFF:
		call_off(node);
		return GROUPER_OK;
	case MACHINE_LATCHED:
		machine_emit(node->machine, MACHINE_RESET, node);
		node_set(node, MACHINE_IDLE);
		return GROUPER_OK;
	case MACHINE_UNKILLABLE:
		return GROUPER_UNKILLABLE;
	case MACHINE_STARTING:
	case MACHINE_WAITING:
	case MACHINE_RUNNING:
	case MACHINE_STOPPING:
	case MACHINE_NSTATES:
		break;
	}
	if (node->next != NEXT_REMOVE)
		node->next = NEXT_IDLE;
	node_stop(node, "by request");
	return GROUPER_OK;
}

static enum grouper_error
restart(struct machine_node *node)
{
	if (node->state == MACHINE_PENDING || node->state == MACHINE_BACKOFF) {
		if (node->cycle)
			return GROUPER_RESTARTING;
		if (node->state == MACHINE_BACKOFF)
			node_hasten(node);
		return GROUPER_OK;
	}
	if (!node_alive(node))
		return start(node);
	if (node->cause == CAUSE_LEADER_DIED)
		return GROUPER_LEADER_DIED;
	if (!branch_runs(node->child->parent))
		return GROUPER_NO_GROUP;
	if (node->next == NEXT_REMOVE)
		return GROUPER_NOT_FOUND;
	node->next = NEXT_START;
	node->next_kind = KIND_REQUEST;
	node->wanted = true;
	node_stop(node, "to restart, by request");
	return GROUPER_OK;
}

static enum grouper_error
may_delete(struct machine_node *node)
{
	switch (node->state) {
	case MACHINE_IDLE:
	case MACHINE_DONE:
	case MACHINE_LATCHED:
	case MACHINE_NSTATES:
		return GROUPER_OK;
	case MACHINE_BACKOFF:
		return GROUPER_RESTARTING;
	case MACHINE_UNKILLABLE:
		return GROUPER_UNKILLABLE;
	case MACHINE_PENDING:
		return node->cycle ? GROUPER_RESTARTING : GROUPER_RUNNING;
	case MACHINE_STARTING:
	case MACHINE_WAITING:
	case MACHINE_RUNNING:
	case MACHINE_STOPPING:
		break;
	}
	return GROUPER_RUNNING;
}

static enum grouper_error
reset(struct machine_node *node)
{
	if (node->state != MACHINE_LATCHED)
		return GROUPER_OK;
	machine_emit(node->machine, MACHINE_RESET, node);
	node_set(node, MACHINE_IDLE);
	return GROUPER_OK;
}

enum grouper_error
machine_start(struct machine *machine, int64_t now, const char *key)
{
	return apply(machine, now, key, start);
}

enum grouper_error
machine_stop(struct machine *machine, int64_t now, const char *key)
{
	return apply(machine, now, key, stop);
}

enum grouper_error
machine_restart(struct machine *machine, int64_t now, const char *key)
{
	return apply(machine, now, key, restart);
}

enum grouper_error
machine_reset(struct machine *machine, int64_t now, const char *key)
{
	return apply(machine, now, key, reset);
}

enum grouper_error
machine_delete(struct machine *machine, int64_t now, const char *text)
{
	struct machine_node *node;
	enum grouper_error error;
	const struct key *key;
	struct child *child;

	machine_enter(machine, now);
	if ((key = key_find(machine, text)) == NULL)
		return GROUPER_NOT_FOUND;
	child = key->child;
	TAILQ_FOREACH(node, &child->nodes, sibling) {
		if (key->node != NULL && key->node != node)
			continue;
		if ((error = may_delete(node)) != GROUPER_OK)
			return error;
	}
	if (key->node != NULL) {
		node_remove(key->node);
	} else {
		child->removing = true;
		if (child->nnodes == 0)
			child_free(child);
		else
			/* The last takes the child with it. */
			for (size_t n = child->nnodes; n > 0; n--)
				node_remove(TAILQ_FIRST(&child->nodes));
	}
	machine_settle(machine);
	return GROUPER_OK;
}

enum grouper_error
machine_scale(struct machine *machine, int64_t now, const char *text,
    unsigned int instances)
{
	const struct key *key;
	size_t n;

	machine_enter(machine, now);
	if ((key = key_find(machine, text)) == NULL || key->node != NULL)
		return GROUPER_NOT_FOUND;
	if (key->child->spec->command == NULL || key->child->spec->numbered ||
	    ((key->child->spec->significant || key->child->spec->alone) &&
		instances > 1))
		return GROUPER_BAD_COMBINATION;
	n = scale_count(key->child);
	if (instances > n &&
	    (instances > SPEC_CHILDREN_MAX ||
		machine->nnodes + (instances - n) > SPEC_CHILDREN_MAX))
		return GROUPER_INVALID;
	if (!branch_runs(key->child->parent))
		return GROUPER_NO_GROUP;
	scale_to(key->child, instances, true);
	machine_settle(machine);
	return GROUPER_OK;
}

static size_t
count_nodes(const struct spec_child *spec, unsigned int *depth)
{
	unsigned int deepest = 0, below;
	size_t n = 1, i;

	*depth = 0;
	if (spec->supervisor == NULL)
		return spec->command->instances;
	for (i = 0; i < spec->supervisor->nchildren; i++) {
		n += count_nodes(&spec->supervisor->children[i], &below);
		if (below > deepest)
			deepest = below;
	}
	*depth = deepest + 1;
	return n;
}

static enum grouper_error
refuse(enum grouper_error error, char **why, const char *text)
{
	if (*why == NULL)
		*why = strdup(text);
	return error;
}

/* Whether the id is free below parent. */
static enum grouper_error
check_key(const struct branch *parent, const struct spec_child *spec)
{
	char *text = child_key(parent, spec->id);
	const struct key *key = key_find(parent->node->machine, text);
	bool alive;

	free(text);
	if (key == NULL)
		return GROUPER_OK;
	alive = key->node != NULL ? node_alive(key->node) :
				    key->child->nalive > 0;
	return alive ? GROUPER_ALREADY_STARTED : GROUPER_ALREADY_PRESENT;
}

static enum grouper_error
check_spawn(const struct branch *parent, const struct spec_child *spec,
    char **why)
{
	const struct key *key;
	enum grouper_error error;
	unsigned int depth;
	char **id, *text;

	error = spec_check_child(parent->spec, spec, why);
	if (error != GROUPER_OK)
		return error;
	if (count_nodes(spec, &depth) + parent->node->machine->nnodes >
	    SPEC_CHILDREN_MAX)
		return refuse(GROUPER_INVALID, why, "too many children");
	if (parent->depth + 1 + depth > SPEC_DEPTH_MAX)
		return refuse(GROUPER_INVALID, why,
		    "supervisors nest too deep");
	for (id = spec->depends_on; id != NULL && *id != NULL; id++) {
		text = child_key(parent, *id);
		key = key_find(parent->node->machine, text);
		free(text);
		if (key == NULL || key->node != NULL ||
		    strcmp(*id, spec->id) == 0)
			return refuse(GROUPER_INVALID, why,
			    "depends_on: no such child");
	}
	return check_key(parent, spec);
}

enum grouper_error
machine_spawn(struct machine *machine, int64_t now, const char *supervisor,
    const struct spec_child *spec, char **why)
{
	struct machine_node *node;
	struct branch *parent;
	enum grouper_error error;
	struct source *source;
	struct child *child;

	*why = NULL;
	machine_enter(machine, now);
	node = (struct machine_node *)(uintptr_t)machine_find(machine,
	    supervisor);
	if (node == NULL)
		return GROUPER_NOT_FOUND;
	if ((parent = node->supervisor) == NULL)
		return GROUPER_BAD_COMBINATION;
	if (!branch_runs(parent))
		return GROUPER_NO_GROUP;
	if ((error = check_spawn(parent, spec, why)) != GROUPER_OK)
		return error;
	if ((source = source_new(NULL)) == NULL)
		return GROUPER_SYSTEM;
	if (spec_child_copy(&source->spawned, spec) != 0) {
		source_release(source);
		errno = ENOMEM;
		return GROUPER_SYSTEM;
	}
	child = child_new(parent, source, &source->spawned);
	source_release(source);
	child->spawned = true;
	child_link(child);
	TAILQ_FOREACH(node, &child->nodes, sibling)
		node->added = true;
	child_begin(child);
	machine_settle(machine);
	return GROUPER_OK;
}
