/* SPDX-License-Identifier: ISC */
/*
 * Memory for the logs of a host, all within one budget.
 *
 * A block is the memory of one chunk of a log.  It is kept by that chunk and
 * by the readers that have taken half a frame from it, and given back when
 * nobody uses it any more.  Processes that the host forks get no copy.
 */
#ifndef RUNTIME_RELAY_STORE_H
#define RUNTIME_RELAY_STORE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>

/* Sizes of blocks are multiples of it. */
#define STORE_PAGE ((size_t)4096)

struct chunk;

TAILQ_HEAD(chunk_list, chunk);
TAILQ_HEAD(block_list, block);

struct store {
	size_t budget;
	size_t used;
	size_t chunk_max;	  /* bytes */
	struct chunk_list chunks; /* that have memory, oldest first: log.c */
	struct block_list pinned; /* no chunk's any more, oldest first */
	struct block_list spare;  /* nobody's */
	size_t nspare;
};

struct block {
	TAILQ_ENTRY(block) entry; /* while pinned, or spare */
	struct store *store;
	char *memory;
	size_t size;
	size_t charged;
	size_t users;
	bool chunkless;
	bool lent; /* pipes may refer to its bytes */
};

void store_init(struct store *store, size_t budget);

/* All logs must be gone. */
void store_fini(struct store *store);

/* Takes from the budget, and gives back to it; others make room later. */
void store_charge(struct store *store, size_t bytes);
void store_return(struct store *store, size_t bytes);

/* Whether what comes next may cost what is there. */
bool store_is_short(const struct store *store);

/* Gives back memory that nobody uses; false if there is none. */
bool store_free_spare(struct store *store);

/* A size rounded up to pages. */
size_t store_round(size_t size);

/*
 * Returns NULL with errno.  fresh: all of it will be written, and it is never
 * to be used again afterwards.  Its first user is the caller.
 */
struct block *block_new(struct store *store, size_t size, bool fresh);
void block_release(struct block *block);

/* As block_release(), for its chunk; what others use is between two offsets. */
void block_leave_chunk(struct block *block, size_t from, size_t to);

#endif
