/* SPDX-License-Identifier: ISC */
/*
 * Memory for the logs of a host, all within one budget.
 *
 * A block is the memory of one chunk of a log, or of frames that several logs
 * refer to.  Chunks keep it; besides, it is used by the readers that have
 * taken half a frame from it, and given back when nobody uses it any more.
 * Processes that the host forks get no copy.
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
	struct block *open; /* where frames that are shared go; or NULL */
	size_t opened;	    /* bytes of it that are taken */
};

struct block {
	TAILQ_ENTRY(block) entry; /* while pinned, or spare */
	struct store *store;
	char *memory;
	size_t size;
	size_t charged;
	size_t users;
	size_t keepers; /* of them, those that are no readers */
	bool pinned;	/* listed as such: only readers are left */
	bool lent;	/* pipes may refer to its bytes */
};

void store_init(struct store *store, size_t budget);

/* All logs must be gone. */
void store_fini(struct store *store);

/* Takes from the budget, and gives back to it; others make room later. */
void store_charge(struct store *store, size_t bytes);
void store_return(struct store *store, size_t bytes);

/* Whether what comes next may cost what is there. */
bool store_is_short(const struct store *store);

/* Lets go of memory that is only kept for later; false if there is none. */
bool store_free_spare(struct store *store);

/* A size rounded up to pages. */
size_t store_round(size_t size);

/*
 * Returns NULL with errno.  fresh: all of it will be written, and it is never
 * to be used again afterwards.  Its first keeper is the caller.
 */
struct block *block_new(struct store *store, size_t size, bool fresh);

/* One more reader uses a block; releases it again. */
void block_pin(struct block *block);
void block_unpin(struct block *block);

/*
 * One more keeper; leaves it again.  If it was the last, what readers use lies
 * between two offsets.
 */
void block_keep(struct block *block);
void block_leave(struct block *block, size_t from, size_t to);

/*
 * Memory for a frame that several logs refer to, next to that of the last such
 * frame if there is room.  Its block has one more keeper: the caller, who
 * knows that the budget allows store_share_cost().  NULL with errno.
 */
char *store_share(struct store *store, size_t length, struct block **block);
size_t store_share_cost(const struct store *store, size_t length);

#endif
