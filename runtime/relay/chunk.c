/* SPDX-License-Identifier: ISC */
/*
 * Chunks of logs: see log_private.h.
 */
#include <stdlib.h>

#include "runtime/relay/log_private.h"
#include "runtime/util/bug.h"

#define STARTS_MIN 64

/* It holds nothing yet. */
static void
begin(struct chunk *chunk)
{
	chunk->base = chunk->log->end;
	chunk->first = chunk->log->frames;
	chunk->used = chunk->referred = chunk->count = 0;
}

struct chunk *
chunk_new(struct log *log)
{
	struct chunk *chunk;

	chunk = calloc(1, sizeof(*chunk));
	if (chunk == NULL)
		return NULL;
	chunk->log = log;
	begin(chunk);
	LIST_INIT(&chunk->spans);
	TAILQ_INSERT_TAIL(&log->chunks, chunk, entry);
	store_charge(log->store, sizeof(*chunk));
	return chunk;
}

void
chunk_restart(struct chunk *chunk)
{
	struct block *block;

	while (chunk->nrefs > 0) {
		block = chunk->refs[--chunk->nrefs].block;
		block_leave(block, 0, block->size);
	}
	begin(chunk);
}

static void
chunk_lose_lists(struct chunk *chunk)
{
	store_return(chunk->log->store,
	    chunk->starts_size * sizeof(*chunk->starts));
	free(chunk->starts);
	chunk->starts = NULL;
	chunk->starts_size = 0;
	if (chunk->refs != NULL)
		store_return(chunk->log->store, CHUNK_REFS_SIZE);
	free(chunk->refs);
	chunk->refs = NULL;
}

void
chunk_lose_memory(struct chunk *chunk, size_t from, size_t to)
{
	if (!chunk->holds)
		return;
	TAILQ_REMOVE(&chunk->log->store->chunks, chunk, age);
	chunk->holds = chunk->idle = false;
	if (chunk->block != NULL)
		block_leave(chunk->block, from, to);
	chunk->block = NULL;
	chunk_restart(chunk);
	chunk_lose_lists(chunk);
}

/* It is about to get memory. */
static void
chunk_hold(struct chunk *chunk)
{
	if (chunk->holds)
		return;
	begin(chunk);
	chunk->holds = true;
	TAILQ_INSERT_TAIL(&chunk->log->store->chunks, chunk, age);
}

void
chunk_free(struct chunk *chunk)
{
	BUG_IF(!LIST_EMPTY(&chunk->spans));
	chunk_lose_memory(chunk, 0, 0);
	TAILQ_REMOVE(&chunk->log->chunks, chunk, entry);
	store_return(chunk->log->store, sizeof(*chunk));
	free(chunk);
}

int
chunk_get_block(struct chunk *chunk, size_t size)
{
	chunk_hold(chunk);
	chunk->block = block_new(chunk->log->store, size, chunk->log->lends);
	return chunk->block != NULL ? 0 : -1;
}

int
chunk_get_refs(struct chunk *chunk)
{
	if (chunk->refs != NULL)
		return 0;
	chunk_hold(chunk);
	chunk->refs = malloc(CHUNK_REFS_SIZE);
	if (chunk->refs == NULL)
		return -1;
	store_charge(chunk->log->store, CHUNK_REFS_SIZE);
	return 0;
}

size_t
chunk_starts_growth(const struct chunk *chunk)
{
	size_t more = chunk->starts_size;

	if (chunk->count < chunk->starts_size)
		return 0;
	return (more < STARTS_MIN ? STARTS_MIN : more) * sizeof(*chunk->starts);
}

int
chunk_get_starts(struct chunk *chunk, size_t growth)
{
	size_t size = chunk->starts_size + growth / sizeof(*chunk->starts);
	uint32_t *starts;

	if (growth == 0)
		return 0;
	starts = reallocarray(chunk->starts, size, sizeof(*starts));
	if (starts == NULL)
		return -1;
	store_charge(chunk->log->store, growth);
	chunk->starts = starts;
	chunk->starts_size = size;
	return 0;
}

size_t
chunk_own_used(const struct chunk *chunk)
{
	return chunk->used - chunk->referred;
}

bool
chunk_takes_ref(const struct chunk *chunk, size_t length)
{
	/* Of a chunk that is evicted at once, not too much. */
	return chunk->nrefs == 0 ||
	    (chunk->nrefs < CHUNK_REFS_MAX &&
		chunk->referred + length <= chunk->log->store->chunk_max);
}

void
chunk_add_ref(struct chunk *chunk, const struct shared *shared)
{
	struct ref *last = &chunk->refs[chunk->nrefs];

	/* Another block may lie right behind that of the last one. */
	if (chunk->nrefs > 0 && last[-1].block == shared->block &&
	    last[-1].at + last[-1].length == chunk->used &&
	    last[-1].bytes + last[-1].length == shared->bytes) {
		last[-1].length += shared->length;
		return;
	}
	block_keep(shared->block);
	*last = (struct ref) { .block = shared->block,
		.bytes = shared->bytes,
		.at = chunk->used,
		.length = shared->length,
		.before = chunk_own_used(chunk) };
	chunk->nrefs++;
}

size_t
chunk_frames_before(const struct chunk *chunk, size_t offset)
{
	size_t low = 0, high = chunk->count, middle;

	if (offset >= chunk->used)
		return chunk->count;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (chunk->starts[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first ref that does not end before or at an offset. */
static size_t
find_ref(const struct chunk *chunk, size_t offset)
{
	size_t i = 0;

	while (i < chunk->nrefs &&
	    chunk->refs[i].at + chunk->refs[i].length <= offset)
		i++;
	return i;
}

void
view_add(struct view *view, const char *from, size_t length)
{
	view->pieces[view->count++] = (struct iovec) { (char *)(uintptr_t)from,
		length };
	view->length += length;
}

void
chunk_view(const struct chunk *chunk, size_t offset, size_t end,
    struct view *view)
{
	size_t i = find_ref(chunk, offset), limit;
	const struct ref *ref;
	const char *from;

	view->shared = true;
	while (view->count < VIEW_MAX && offset < end) {
		ref = i < chunk->nrefs ? &chunk->refs[i] : NULL;
		limit = ref != NULL && ref->at < end ? ref->at : end;
		if (offset < limit) {
			from = chunk->block->memory + offset -
			    (ref != NULL ? ref->at - ref->before :
					   chunk->referred);
			view->shared = false;
		} else {
			from = ref->bytes + (offset - ref->at);
			limit = ref->at + ref->length;
			if (limit > end)
				limit = end;
			i++;
		}
		view_add(view, from, limit - offset);
		offset = limit;
	}
}

struct block *
chunk_block(const struct chunk *chunk, size_t offset)
{
	size_t i = find_ref(chunk, offset);

	return i < chunk->nrefs && offset >= chunk->refs[i].at ?
	    chunk->refs[i].block :
	    chunk->block;
}
