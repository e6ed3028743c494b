/* SPDX-License-Identifier: ISC */
/*
 * Readers' places in logs: see log.h.
 */
#include <stdlib.h>

#include "runtime/relay/log_private.h"
#include "runtime/util/bug.h"

/* Frames that one reader is not to see. */
struct skip {
	STAILQ_ENTRY(skip) entry;
	uint64_t at;
	uint64_t length;
	uint64_t frames;
};

void
span_move(struct span *span, struct chunk *chunk)
{
	LIST_REMOVE(span, here);
	span->chunk = chunk;
	LIST_INSERT_HEAD(&chunk->spans, span, here);
}

/* Forgets skips that begin before a position; returns their frames. */
static uint64_t
pass_skips(struct span *span, uint64_t at)
{
	struct skip *skip;
	uint64_t frames = 0;

	while ((skip = STAILQ_FIRST(&span->skips)) != NULL && skip->at < at) {
		frames += skip->frames;
		STAILQ_REMOVE_HEAD(&span->skips, entry);
		store_return(span->log->store, sizeof(*skip));
		free(skip);
	}
	span->skipped += frames;
	return frames;
}

/* Where the frame ends that began before an offset. */
static size_t
end_before(const struct chunk *chunk, size_t frames)
{
	return frames < chunk->count ? chunk->starts[frames] : chunk->used;
}

/* The rest of a frame, which stands in one piece. */
static void
pin(struct span *span, size_t offset, size_t end, size_t *from, size_t *to)
{
	const struct chunk *chunk = span->chunk;
	struct view rest;
	size_t at;

	rest.count = rest.length = 0;
	chunk_view(chunk, offset, end, &rest);
	span->pin = chunk_block(chunk, offset);
	block_pin(span->pin);
	span->rest = rest.pieces[0].iov_base;
	span->rest_length = rest.length;
	if (span->pin != chunk->block)
		return;
	at = (size_t)(span->rest - chunk->block->memory);
	*from = at < *from ? at : *from;
	*to = at + span->rest_length > *to ? at + span->rest_length : *to;
}

void
span_lose(struct span *span, size_t *from, size_t *to)
{
	struct chunk *chunk = span->chunk;
	uint64_t limit = chunk->base + chunk->used, frames;
	size_t offset, begun, end;

	if (span->to < limit)
		limit = span->to;
	if (span->at >= limit)
		return;
	offset = (size_t)(span->at - chunk->base);
	begun = chunk_frames_before(chunk, offset);
	end = end_before(chunk, begun);
	if (begun > 0 && chunk->starts[begun - 1] < offset && offset < end) {
		pin(span, offset, end, from, to);
	}
	frames = chunk_frames_before(chunk, (size_t)(limit - chunk->base)) -
	    begun;
	span->at = limit;
	frames -= pass_skips(span, limit);
	span->lost += frames;
	span->untold += frames;
}

void
span_open(struct span *span, struct log *log)
{
	*span = (struct span) { .log = log,
		.chunk = log_tail(log),
		.at = log->end,
		.to = SPAN_OPEN,
		.first = log->frames };
	STAILQ_INIT(&span->skips);
	LIST_INSERT_HEAD(&span->chunk->spans, span, here);
	log->users++;
}

void
span_close(struct span *span)
{
	span->to = span->log->end;
	span->end = span->log->frames;
}

static void
unpin(struct span *span)
{
	if (span->pin != NULL)
		block_unpin(span->pin);
	span->pin = NULL;
	span->rest_length = 0;
}

void
span_drop(struct span *span)
{
	struct log *log = span->log;

	unpin(span);
	pass_skips(span, UINT64_MAX);
	LIST_REMOVE(span, here);
	log_trim(log);
	log_drop(log);
	span->log = NULL;
}

int
span_skip(struct span *span, uint64_t at, size_t length)
{
	const struct chunk *tail = log_tail(span->log);
	struct skip *last = STAILQ_LAST(&span->skips, skip, entry);

	/* One behind another, in one chunk: evicted together. */
	if (last != NULL && last->at >= tail->base &&
	    last->at + last->length == at) {
		last->length += length;
		last->frames++;
		return 0;
	}
	last = calloc(1, sizeof(*last));
	if (last == NULL)
		return -1;
	last->at = at;
	last->length = length;
	last->frames = 1;
	STAILQ_INSERT_TAIL(&span->skips, last, entry);
	store_charge(span->log->store, sizeof(*last));
	return 0;
}

/* Onto the next chunk, if this one is behind it. */
static void
step_on(struct span *span)
{
	struct log *log = span->log;
	struct chunk *chunk = span->chunk;
	struct chunk *next = TAILQ_NEXT(chunk, entry);

	if (next == NULL || span->at < chunk->base + chunk->used)
		return;
	span_move(span, next);
	if (LIST_EMPTY(&chunk->spans))
		log_trim(log);
}

void
span_peek(struct span *span, struct view *view)
{
	const struct chunk *chunk;
	const struct skip *skip;
	uint64_t limit;

	view->count = view->length = 0;
	view->shared = false;
	if (span->pin != NULL) {
		view_add(view, span->rest, span->rest_length);
		return;
	}
	for (;;) {
		step_on(span);
		chunk = span->chunk;
		limit = chunk->base + chunk->used;
		if (span->to < limit)
			limit = span->to;
		skip = STAILQ_FIRST(&span->skips);
		if (skip == NULL || span->at < skip->at)
			break;
		span->at = skip->at + skip->length;
		pass_skips(span, span->at);
	}
	if (skip != NULL && skip->at < limit)
		limit = skip->at;
	if (span->at < limit)
		chunk_view(chunk, (size_t)(span->at - chunk->base),
		    (size_t)(limit - chunk->base), view);
}

void
span_take(struct span *span, size_t length, bool lent)
{
	const struct chunk *chunk = span->chunk;

	if (span->pin != NULL) {
		span->rest += length;
		span->rest_length -= length;
		if (span->rest_length == 0)
			unpin(span);
		return;
	}
	if (lent)
		chunk_block(chunk, (size_t)(span->at - chunk->base))->lent =
		    true;
	span->at += length;
}

bool
span_done(const struct span *span)
{
	uint64_t to = span->to < span->log->end ? span->to : span->log->end;

	return span->at >= to && span->untold == 0 && span->pin == NULL;
}

bool
span_in_frame(const struct span *span)
{
	return span->pin != NULL;
}

/* Frames of the log that it has passed, in whatever way. */
static uint64_t
passed(const struct span *span)
{
	const struct chunk *chunk = span->chunk;

	if (span->at >= span->to)
		return span->end;
	return chunk->first +
	    chunk_frames_before(chunk, (size_t)(span->at - chunk->base));
}

uint64_t
span_taken(const struct span *span)
{
	return passed(span) - span->first - span->lost - span->skipped;
}

size_t
span_queued(const struct span *span)
{
	uint64_t to = span->to < span->log->end ? span->to : span->log->end;
	const struct skip *skip;
	uint64_t queued = to - span->at + span->rest_length;

	STAILQ_FOREACH(skip, &span->skips, entry)
		queued -= skip->length;
	return (size_t)queued;
}
