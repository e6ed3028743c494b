/* SPDX-License-Identifier: ISC */
/*
 * What the files of logs share: see log.h.
 *
 *	chunk.c	memory of a log
 *	log.c	logs, and who loses what when there is no room
 *	span.c	readers
 */
#ifndef RUNTIME_RELAY_LOG_PRIVATE_H
#define RUNTIME_RELAY_LOG_PRIVATE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/relay/log.h"

/* Frames that stand in a block which several logs share, one after another. */
struct ref {
	struct block *block;
	const char *bytes;
	size_t at; /* in the chunk, as the other offsets */
	size_t length;
	size_t before; /* bytes before it that are in the chunk's own block */
};

#define CHUNK_REFS_MAX 32
#define CHUNK_REFS_SIZE (CHUNK_REFS_MAX * sizeof(struct ref))

struct chunk {
	TAILQ_ENTRY(chunk) age; /* if it holds memory */
	TAILQ_ENTRY(chunk) entry;
	struct log *log;
	bool holds;
	struct block *block; /* its own, of smaller frames; NULL: none yet */
	struct ref *refs;    /* to the larger ones; NULL: none yet */
	size_t nrefs;
	size_t used;	  /* bytes of frames */
	size_t referred;  /* of them, those that refs stand for */
	uint64_t base;	  /* position of the first byte */
	uint64_t first;	  /* number of the first frame */
	uint32_t *starts; /* where each frame begins */
	size_t count;
	size_t starts_size;
	LIST_HEAD(, span) spans;
	bool idle; /* every span took everything; there is no ref then */
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

/* At the end of a log; NULL without memory. */
struct chunk *chunk_new(struct log *log);
void chunk_free(struct chunk *chunk);

/*
 * Memory for smaller frames, to a chunk that has none; for references, unless
 * it has; and to list more frames, as many bytes as it takes or none.  The
 * budget must allow it.  0, or -1 with ENOMEM.
 */
int chunk_get_block(struct chunk *chunk, size_t size);
int chunk_get_refs(struct chunk *chunk);
size_t chunk_starts_growth(const struct chunk *chunk);
int chunk_get_starts(struct chunk *chunk, size_t growth);

/* Lets go of its memory; what is pinned lies between two offsets. */
void chunk_lose_memory(struct chunk *chunk, size_t from, size_t to);

/* Nothing in it any more: the log goes on at its beginning. */
void chunk_restart(struct chunk *chunk);

/* Bytes of its own block that are taken. */
size_t chunk_own_used(const struct chunk *chunk);

/* Whether it is to have another reference; it must have memory for that. */
bool chunk_takes_ref(const struct chunk *chunk, size_t length);
void chunk_add_ref(struct chunk *chunk, const struct shared *shared);

/* How many of a chunk's frames begin before an offset. */
size_t chunk_frames_before(const struct chunk *chunk, size_t offset);

void view_add(struct view *view, const char *from, size_t length);

/*
 * To a view that is empty: what a chunk has from an offset on, up to an end if
 * there are not too many pieces.
 */
void chunk_view(const struct chunk *chunk, size_t offset, size_t end,
    struct view *view);

/* The block that holds the byte at an offset. */
struct block *chunk_block(const struct chunk *chunk, size_t offset);

/*
 * The chunk where a span stands goes: the span passes it and counts what it
 * lost.  What it pins is made to lie between *from and *to.
 */
void span_lose(struct span *span, size_t *from, size_t *to);

/* Makes it stand at another chunk. */
void span_move(struct span *span, struct chunk *chunk);

#endif
