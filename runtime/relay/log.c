/* SPDX-License-Identifier: ISC */
/*
 * Logs of frames: see log.h.  Positions count the bytes of a log from its
 * beginning and never start again; a chunk tells which one its memory begins
 * at.
 */
#include "runtime/relay/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/log_private.h"
#include "runtime/util/bug.h"

/* A log's first chunk; each that was not enough is followed by a larger. */
#define CHUNK_MIN STORE_PAGE
#define CHUNK_GROWTH 4

struct chunk *
log_tail(const struct log *log)
{
	return TAILQ_LAST(&log->chunks, chunk_list);
}

void
log_trim(struct log *log)
{
	struct chunk *chunk;

	while ((chunk = TAILQ_FIRST(&log->chunks)) != log_tail(log) &&
	    LIST_EMPTY(&chunk->spans))
		chunk_free(chunk);
}

/*
 * The chunk is the first of its log: takes its memory.  Its spans stand at the
 * next one afterwards, if there is one.
 */
static void
empty(struct chunk *chunk, struct chunk *next)
{
	struct span *span, *other;
	size_t from = SIZE_MAX, to = 0;

	BUG_IF(chunk != TAILQ_FIRST(&chunk->log->chunks));
	LIST_FOREACH_SAFE(span, &chunk->spans, here, other) {
		span_lose(span, &from, &to);
		if (next != NULL)
			span_move(span, next);
	}
	chunk_lose_memory(chunk, from, to);
}

static void
evict(struct chunk *chunk)
{
	struct chunk *next = TAILQ_NEXT(chunk, entry);

	empty(chunk, next);
	if (next != NULL)
		chunk_free(chunk);
	else
		chunk->log->chunk_size = CHUNK_MIN;
}

/* 0, or -1 with ENOMEM: what is left is pinned. */
static int
make_room(struct store *store, size_t bytes)
{
	struct chunk *chunk;

	while (store->used + bytes > store->budget) {
		if (store_free_spare(store))
			continue;
		chunk = TAILQ_FIRST(&store->chunks);
		if (chunk == NULL) {
			errno = ENOMEM;
			return -1;
		}
		evict(chunk);
	}
	return 0;
}

/*
 * Logs
 */

struct log *
log_new(struct store *store)
{
	struct log *log;

	log = calloc(1, sizeof(*log));
	if (log == NULL)
		return NULL;
	log->store = store;
	log->chunk_size = CHUNK_MIN;
	log->users = 1;
	TAILQ_INIT(&log->chunks);
	if (chunk_new(log) == NULL) {
		free(log);
		return NULL;
	}
	return log;
}

void
log_drop(struct log *log)
{
	struct chunk *chunk;

	if (log == NULL || --log->users > 0)
		return;
	while ((chunk = TAILQ_FIRST(&log->chunks)) != NULL)
		chunk_free(chunk);
	free(log);
}

bool
log_full(const struct log *log, size_t length)
{
	const struct chunk *tail = log_tail(log);

	return tail->block == NULL ||
	    ((tail->idle && !tail->block->lent) ? 0 : chunk_own_used(tail)) +
		length >
	    tail->block->size;
}

bool
log_fits(const struct log *log, size_t length)
{
	const struct chunk *tail = log_tail(log);

	return tail->count < tail->starts_size && !log_full(log, length);
}

/* Every span has passed everything; there is one chunk then. */
static bool
all_taken(const struct log *log)
{
	const struct chunk *tail = log_tail(log);
	const struct span *span;

	if (tail != TAILQ_FIRST(&log->chunks))
		return false;
	LIST_FOREACH(span, &tail->spans, here)
		if (span->at != log->end)
			return false;
	return true;
}

static size_t
next_size(struct log *log, size_t length)
{
	size_t size = log->chunk_size;

	/* There was one, and it was too small. */
	if (log_tail(log)->block != NULL)
		size *= CHUNK_GROWTH;
	if (size > log->store->chunk_max)
		size = log->store->chunk_max;
	log->chunk_size = size;
	return length > size ? store_round(length) : size;
}

/* It holds frames again that not all have taken. */
static void
wake(struct chunk *chunk)
{
	struct store *store = chunk->log->store;

	chunk->idle = false;
	if (chunk->block == NULL || !chunk->block->lent)
		chunk_restart(chunk);
	TAILQ_REMOVE(&store->chunks, chunk, age);
	TAILQ_INSERT_TAIL(&store->chunks, chunk, age);
}

/* Another chunk to append to; or the last one, which has no memory then. */
static struct chunk *
next_chunk(struct log *log)
{
	struct chunk *tail = log_tail(log);

	if (all_taken(log)) {
		chunk_lose_memory(tail, 0, 0);
		return tail;
	}
	tail = chunk_new(log);
	if (tail != NULL)
		log_trim(log);
	return tail;
}

/* A chunk to append to, with room for a frame. */
static int
renew_chunk(struct log *log, size_t length)
{
	size_t size = next_size(log, length);
	struct chunk *tail = log_tail(log);

	if (make_room(log->store,
		size + sizeof(*tail) + chunk_starts_growth(tail)) == -1)
		return -1;
	tail = log_tail(log);
	if (tail->block != NULL)
		tail = next_chunk(log);
	if (tail == NULL || chunk_get_block(tail, size) == -1)
		return -1;
	return chunk_get_starts(tail, chunk_starts_growth(tail));
}

int
log_renew(struct log *log, size_t length)
{
	struct chunk *tail = log_tail(log);
	/* Of a chunk that was full of frames, even if it is empty by now. */
	size_t growth = chunk_starts_growth(tail);

	/* A small chunk that was too small is followed by a larger one. */
	if (tail->idle && tail->block != NULL &&
	    tail->block->size >= log->store->chunk_max)
		wake(tail);
	if (tail->block != NULL &&
	    chunk_own_used(tail) + length <= tail->block->size) {
		/* This may evict the chunk itself. */
		if (make_room(log->store, growth) == -1)
			return -1;
		if (tail->block != NULL)
			return chunk_get_starts(tail, growth);
	}
	return renew_chunk(log, length);
}

uint64_t
log_append(struct log *log, const char *head, size_t head_length,
    const char *body, size_t body_length)
{
	struct chunk *tail = log_tail(log);
	uint64_t at = log->end;
	char *to;

	if (tail->idle)
		wake(tail);
	to = tail->block->memory + chunk_own_used(tail);
	memcpy(to, head, head_length);
	memcpy(to + head_length, body, body_length);
	to[head_length + body_length] = '\n';
	tail->starts[tail->count++] = (uint32_t)tail->used;
	tail->used += head_length + body_length + 1;
	log->end += head_length + body_length + 1;
	log->frames++;
	return at;
}

/*
 * Frames that are shared
 */

int
shared_init(struct shared *shared, struct store *store, const char *head,
    size_t head_length, const char *body, size_t body_length)
{
	size_t length = head_length + body_length + 1;
	char *to;

	if (make_room(store, store_share_cost(store, length)) == -1)
		return -1;
	to = store_share(store, length, &shared->block);
	if (to == NULL)
		return -1;
	memcpy(to, head, head_length);
	memcpy(to + head_length, body, body_length);
	to[length - 1] = '\n';
	shared->bytes = to;
	shared->length = length;
	return 0;
}

void
shared_fini(struct shared *shared)
{
	if (shared->block != NULL)
		block_leave(shared->block, 0, shared->block->size);
	shared->block = NULL;
}

bool
log_full_shared(const struct log *log, size_t length)
{
	return !chunk_takes_ref(log_tail(log), length);
}

bool
log_fits_shared(const struct log *log, size_t length)
{
	const struct chunk *tail = log_tail(log);

	return tail->refs != NULL && tail->count < tail->starts_size &&
	    !log_full_shared(log, length);
}

int
log_renew_shared(struct log *log, size_t length)
{
	struct chunk *tail = log_tail(log);

	if (tail->idle)
		wake(tail);
	/* This may evict the chunk itself. */
	if (make_room(log->store,
		sizeof(*tail) + CHUNK_REFS_SIZE + chunk_starts_growth(tail)) ==
	    -1)
		return -1;
	tail = log_tail(log);
	if (!chunk_takes_ref(tail, length))
		tail = next_chunk(log);
	if (tail == NULL || chunk_get_refs(tail) == -1)
		return -1;
	return chunk_get_starts(tail, chunk_starts_growth(tail));
}

uint64_t
log_append_shared(struct log *log, const struct shared *shared)
{
	struct chunk *tail = log_tail(log);
	uint64_t at = log->end;

	if (tail->idle)
		wake(tail);
	chunk_add_ref(tail, shared);
	tail->starts[tail->count++] = (uint32_t)tail->used;
	tail->used += shared->length;
	tail->referred += shared->length;
	log->end += shared->length;
	log->frames++;
	return at;
}

void
log_lose(struct log *log, struct span *except)
{
	struct chunk *tail = log_tail(log), *chunk, *next;
	struct span *span;

	TAILQ_FOREACH_SAFE(chunk, &log->chunks, entry, next) {
		empty(chunk, next);
		if (chunk != tail)
			chunk_free(chunk);
	}
	log->frames++;
	chunk_restart(tail);
	LIST_FOREACH(span, &tail->spans, here) {
		if (span == except) {
			span->skipped++;
		} else if (span->to == SPAN_OPEN) {
			span->lost++;
			span->untold++;
		}
	}
}

void
log_rest(struct log *log)
{
	struct chunk *tail = log_tail(log);

	if (!tail->holds || tail->idle || !all_taken(log))
		return;
	if (tail->nrefs > 0 && tail->block != NULL && tail->block->lent) {
		chunk_lose_memory(tail, 0, 0);
		return;
	}
	if (tail->nrefs > 0)
		chunk_restart(tail);
	/* Nobody loses by it: the first to go. */
	tail->idle = true;
	TAILQ_REMOVE(&log->store->chunks, tail, age);
	TAILQ_INSERT_HEAD(&log->store->chunks, tail, age);
}

void
log_set_lends(struct log *log, bool on)
{
	log->lends = on;
}

bool
log_lends(const struct log *log)
{
	return log->lends;
}
