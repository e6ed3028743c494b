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
#define STARTS_MIN 64

/*
 * Chunks
 */

struct chunk *
log_tail(const struct log *log)
{
	return TAILQ_LAST(&log->chunks, chunk_list);
}

static struct chunk *
chunk_new(struct log *log)
{
	struct chunk *chunk;

	chunk = calloc(1, sizeof(*chunk));
	if (chunk == NULL)
		return NULL;
	chunk->log = log;
	chunk->base = log->end;
	chunk->first = log->frames;
	LIST_INIT(&chunk->spans);
	TAILQ_INSERT_TAIL(&log->chunks, chunk, entry);
	return chunk;
}

/* Nothing in it any more: the log goes on at its beginning. */
static void
chunk_restart(struct chunk *chunk)
{
	chunk->base = chunk->log->end;
	chunk->first = chunk->log->frames;
	chunk->used = chunk->count = 0;
}

static void
chunk_lose_starts(struct chunk *chunk)
{
	store_return(chunk->log->store,
	    chunk->starts_size * sizeof(*chunk->starts));
	free(chunk->starts);
	chunk->starts = NULL;
	chunk->starts_size = 0;
}

/* Lets go of its memory; what is pinned lies between two offsets. */
static void
chunk_lose_block(struct chunk *chunk, size_t from, size_t to)
{
	if (chunk->block == NULL)
		return;
	TAILQ_REMOVE(&chunk->log->store->chunks, chunk, age);
	block_leave_chunk(chunk->block, from, to);
	chunk->block = NULL;
	chunk->idle = false;
	chunk_lose_starts(chunk);
	chunk_restart(chunk);
}

static void
chunk_free(struct chunk *chunk)
{
	BUG_IF(!LIST_EMPTY(&chunk->spans));
	chunk_lose_block(chunk, 0, 0);
	TAILQ_REMOVE(&chunk->log->chunks, chunk, entry);
	free(chunk);
}

/* Memory for a chunk that has none. */
static int
chunk_get_block(struct chunk *chunk, size_t size)
{
	struct store *store = chunk->log->store;

	chunk->block = block_new(store, size, chunk->log->lends);
	if (chunk->block == NULL)
		return -1;
	chunk_restart(chunk);
	TAILQ_INSERT_TAIL(&store->chunks, chunk, age);
	return 0;
}

/* Bytes that it takes to list more frames. */
static size_t
starts_growth(const struct chunk *chunk)
{
	size_t more = chunk->starts_size;

	if (chunk->block != NULL && chunk->count < chunk->starts_size)
		return 0;
	return (more < STARTS_MIN ? STARTS_MIN : more) * sizeof(*chunk->starts);
}

static int
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
	chunk_lose_block(chunk, from, to);
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
log_fits(const struct log *log, size_t length)
{
	const struct chunk *tail = log_tail(log);

	return tail->block != NULL && tail->count < tail->starts_size &&
	    ((tail->idle && !tail->block->lent) ? 0 : tail->used) + length <=
	    tail->block->size;
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

	if (size > log->store->chunk_max)
		size = log->store->chunk_max;
	if (size < log->store->chunk_max)
		log->chunk_size = size * CHUNK_GROWTH;
	return length > size ? store_round(length) : size;
}

/* It holds frames again that not all have taken. */
static void
wake(struct chunk *chunk)
{
	struct store *store = chunk->log->store;

	chunk->idle = false;
	if (!chunk->block->lent)
		chunk_restart(chunk);
	TAILQ_REMOVE(&store->chunks, chunk, age);
	TAILQ_INSERT_TAIL(&store->chunks, chunk, age);
}

/* A chunk to append to, with room for a frame. */
static int
renew_chunk(struct log *log, size_t length)
{
	size_t size = next_size(log, length);
	struct chunk *tail;

	if (make_room(log->store, size + STARTS_MIN * sizeof(uint32_t)) == -1)
		return -1;
	tail = log_tail(log);
	if (tail->block != NULL && all_taken(log)) {
		chunk_lose_block(tail, 0, 0);
	} else if (tail->block != NULL) {
		tail = chunk_new(log);
		if (tail == NULL)
			return -1;
		log_trim(log);
	}
	if (chunk_get_block(tail, size) == -1)
		return -1;
	return chunk_get_starts(tail, starts_growth(tail));
}

int
log_renew(struct log *log, size_t length)
{
	struct chunk *tail = log_tail(log);
	/* Of a chunk that was full of frames, even if it is empty by now. */
	size_t growth = starts_growth(tail);

	/* A small chunk that was too small is followed by a larger one. */
	if (tail->idle && tail->block->size >= log->store->chunk_max)
		wake(tail);
	if (tail->block != NULL && tail->used + length <= tail->block->size) {
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
	to = tail->block->memory + tail->used;
	memcpy(to, head, head_length);
	memcpy(to + head_length, body, body_length);
	to[head_length + body_length] = '\n';
	tail->starts[tail->count++] = (uint32_t)tail->used;
	tail->used += head_length + body_length + 1;
	log->end += head_length + body_length + 1;
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

	if (tail->block == NULL || tail->idle || !all_taken(log))
		return;
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

size_t
log_frame_size(const struct log *log)
{
	const struct chunk *tail = log_tail(log);

	return tail->count == 0 ? 0 : tail->used / tail->count;
}
