/* SPDX-License-Identifier: ISC */
/*
 * Endings that were not asked for, see ended.h.
 */
#include "runtime/supervise/ended.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int
compare(const struct ended_entry *one, const struct ended_entry *other)
{
	return strcmp(one->key, other->key);
}

RB_PROTOTYPE(ended_keys, ended_entry, by_key, compare)
RB_GENERATE(ended_keys, ended_entry, by_key, compare)

void
ended_init(struct ended *ended)
{
	TAILQ_INIT(&ended->list);
	RB_INIT(&ended->keys);
	ended->count = 0;
}

void
ended_fini(struct ended *ended)
{
	struct ended_entry *entry;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((entry = TAILQ_FIRST(&ended->list)) != NULL)
		ended_forget(ended, entry);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

void
ended_forget(struct ended *ended, struct ended_entry *entry)
{
	TAILQ_REMOVE(&ended->list, entry, link);
	RB_REMOVE(ended_keys, &ended->keys, entry);
	ended->count--;
	free(entry->key);
	free(entry);
}

void
ended_add(struct ended *ended, const char *key, int status)
{
	struct ended_entry *entry = ended_find(ended, key);

	if (entry != NULL)
		ended_forget(ended, entry);
	if (ended->count == ENDED_MAX)
		ended_forget(ended, TAILQ_FIRST(&ended->list));
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return;
	entry->status = status;
	entry->key = strdup(key);
	if (entry->key == NULL) {
		free(entry);
		return;
	}
	TAILQ_INSERT_TAIL(&ended->list, entry, link);
	RB_INSERT(ended_keys, &ended->keys, entry);
	ended->count++;
}

struct ended_entry *
ended_find(const struct ended *ended, const char *key)
{
	struct ended_entry wanted = { .key = (char *)(uintptr_t)key };

	return RB_FIND(ended_keys, (struct ended_keys *)(uintptr_t)&ended->keys,
	    &wanted);
}
