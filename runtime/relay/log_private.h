/* SPDX-License-Identifier: ISC */
/*
 * What log.c and span.c share: see log.h.
 */
#ifndef RUNTIME_RELAY_LOG_PRIVATE_H
#define RUNTIME_RELAY_LOG_PRIVATE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/relay/log.h"

struct chunk {
	TAILQ_ENTRY(chunk) age; /* if it has a block */
	TAILQ_ENTRY(chunk) entry;
	struct log *log;
	struct block *block; /* NULL: has no memory yet */
	size_t used;
	uint64_t base;	  /* position of the first byte */
	uint64_t first;	  /* number of the first frame */
	uint32_t *starts; /* where each frame begins */
	size_t count;
	size_t starts_size;
	LIST_HEAD(, span) spans;
	bool idle; /* every span took everything */
};

struct log {
	struct store *store;
	struct chunk_list chunks; /* never empty */
	uint64_t end;		  /* position */
	uint64_t frames;
	size_t chunk_size; /* of the next one */
	size_t users;	   /* spans, and who made it */
	bool lends;	   /* chunks will probably be lent to pipes */
};

/* The chunk that frames are appended to. */
struct chunk *log_tail(const struct log *log);

/* Frees the chunks that every span has passed. */
void log_trim(struct log *log);

/* How many of a chunk's frames begin before an offset. */
size_t chunk_frames_before(const struct chunk *chunk, size_t offset);

/*
 * The chunk where a span stands goes: the span passes it and counts what it
 * lost.  What it pins is made to lie between *from and *to.
 */
void span_lose(struct span *span, size_t *from, size_t *to);

/* Makes it stand at another chunk. */
void span_move(struct span *span, struct chunk *chunk);

#endif
