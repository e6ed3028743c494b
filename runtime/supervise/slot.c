/* SPDX-License-Identifier: ISC */
/*
 * Slots of children, see slot.h.
 */
#include "runtime/supervise/slot.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/logs/member_log.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/util/fd.h"

static int
compare(const struct slot *one, const struct slot *other)
{
	return strcmp(one->key, other->key);
}

RB_PROTOTYPE(slots, slot, by_key, compare)
RB_GENERATE(slots, slot, by_key, compare)

struct slot *
slot_find(const struct slots *slots, const char *key)
{
	struct slot wanted = { .key = (char *)(uintptr_t)key };

	return RB_FIND(slots, (struct slots *)(uintptr_t)slots, &wanted);
}

struct slot *
slot_make(struct slots *slots, const char *key, struct supervisor *supervisor)
{
	struct slot *slot = slot_find(slots, key);
	size_t i;

	if (slot != NULL) {
		slot->removed = false;
		return slot;
	}
	slot = calloc(1, sizeof(*slot));
	if (slot == NULL)
		return NULL;
	slot->supervisor = supervisor;
	for (i = 0; i < SLOT_FDS; i++)
		slot->fds[i] = -1;
	slot->key = strdup(key);
	if (slot->key == NULL) {
		free(slot);
		return NULL;
	}
	RB_INSERT(slots, slots, slot);
	return slot;
}

void
slot_free(struct slots *slots, struct slot *slot)
{
	RB_REMOVE(slots, slots, slot);
	incarnation_free(slot->run);
	member_log_free(slot->log);
	slot_drop(slot);
	free(slot->said);
	free(slot->key);
	free(slot);
}

void
slot_give(struct slot *slot, const int fds[SLOT_FDS], size_t *held)
{
	size_t i;

	slot_drop(slot);
	slot->held = held;
	for (i = 0; i < SLOT_FDS; i++) {
		slot->fds[i] = fds[i];
		*held += fds[i] != -1;
	}
}

void
slot_drop(struct slot *slot)
{
	size_t i;

	for (i = 0; i < SLOT_FDS; i++) {
		if (slot->fds[i] != -1)
			--*slot->held;
		fd_close(&slot->fds[i]);
	}
}

struct slot *
slot_next(const struct slots *slots, struct slot *slot)
{
	if (slot == NULL)
		return RB_MIN(slots, (struct slots *)(uintptr_t)slots);
	return RB_NEXT(slots, slots, slot);
}
