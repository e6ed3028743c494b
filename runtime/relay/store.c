/* SPDX-License-Identifier: ISC */
/*
 * Memory for logs: see store.h.
 */
#include "runtime/relay/store.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/util/bug.h"

/* The largest chunk, but for one frame that is larger. */
#define CHUNK_MAX ((size_t)65536)

/* Blocks kept for later, which saves their page faults. */
#define SPARE_MAX 16

/*
 * Of a block that several logs share.  One frame of it that somebody has not
 * read keeps all of it: so not too large.
 */
#define SHARED_SIZE ((size_t)16384)

void
store_init(struct store *store, size_t budget)
{
	*store = (struct store) { .budget = budget };
	store->chunk_max = CHUNK_MAX;
	while (store->chunk_max > STORE_PAGE && store->chunk_max > budget / 32)
		store->chunk_max /= 2;
	TAILQ_INIT(&store->chunks);
	TAILQ_INIT(&store->pinned);
	TAILQ_INIT(&store->spare);
}

void
store_fini(struct store *store)
{
	store_free_spare(store);
	BUG_IF(!TAILQ_EMPTY(&store->chunks) || !TAILQ_EMPTY(&store->pinned));
	BUG_IF(store->used != 0);
}

void
store_charge(struct store *store, size_t bytes)
{
	store->used += bytes;
}

void
store_return(struct store *store, size_t bytes)
{
	BUG_IF(bytes > store->used);
	store->used -= bytes;
}

bool
store_is_short(const struct store *store)
{
	return store->used + 2 * store->chunk_max > store->budget;
}

size_t
store_round(size_t size)
{
	return (size + STORE_PAGE - 1) & ~(STORE_PAGE - 1);
}

/* Smaller than usual where the budget is. */
static size_t
shared_size(const struct store *store)
{
	return SHARED_SIZE < store->chunk_max ? SHARED_SIZE : store->chunk_max;
}

/*
 * Blocks
 */

static void
block_free(struct block *block)
{
	store_return(block->store, block->charged);
	munmap(block->memory, block->size);
	free(block);
}

bool
store_free_spare(struct store *store)
{
	struct block *block;

	if (TAILQ_EMPTY(&store->spare) && store->open == NULL)
		return false;
	if (store->open != NULL)
		block_leave(store->open, 0, store->open->size);
	store->open = NULL;
	while ((block = TAILQ_FIRST(&store->spare)) != NULL) {
		TAILQ_REMOVE(&store->spare, block, entry);
		block_free(block);
	}
	store->nspare = 0;
	return true;
}

static struct block *
block_map(struct store *store, size_t size)
{
	struct block *block;

	block = calloc(1, sizeof(*block));
	if (block == NULL)
		return NULL;
	block->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block->memory == MAP_FAILED) {
		free(block);
		return NULL;
	}
#ifdef MADV_DONTFORK
	/* Else each leader would keep the pages that the host rewrites. */
	madvise(block->memory, size, MADV_DONTFORK);
#endif
	block->store = store;
	block->size = block->charged = size;
	store_charge(store, size);
	return block;
}

struct block *
block_new(struct store *store, size_t size, bool fresh)
{
	struct block *block = TAILQ_FIRST(&store->spare);

	if (block != NULL && block->size == size && !fresh) {
		TAILQ_REMOVE(&store->spare, block, entry);
		store->nspare--;
	} else {
		block = block_map(store, size);
		if (block == NULL)
			return NULL;
#ifdef MADV_POPULATE_WRITE
		/* One call is cheaper than a fault for each page. */
		if (fresh)
			madvise(block->memory, size, MADV_POPULATE_WRITE);
#endif
	}
	block->users = block->keepers = 1;
	return block;
}

void
block_unpin(struct block *block)
{
	struct store *store = block->store;

	if (--block->users > 0)
		return;
	if (block->pinned)
		TAILQ_REMOVE(&store->pinned, block, entry);
	if (block->pinned || block->lent || block->size != store->chunk_max ||
	    store->nspare == SPARE_MAX) {
		block_free(block);
		return;
	}
	TAILQ_INSERT_HEAD(&store->spare, block, entry);
	store->nspare++;
}

void
block_pin(struct block *block)
{
	block->users++;
}

void
block_keep(struct block *block)
{
	BUG_IF(block->pinned);
	block->users++;
	block->keepers++;
}

void
block_leave(struct block *block, size_t from, size_t to)
{
	if (--block->keepers == 0 && block->users > 1) {
		from &= ~(STORE_PAGE - 1);
		to = store_round(to);
		if (from > 0)
			madvise(block->memory, from, MADV_DONTNEED);
		if (to < block->size)
			madvise(block->memory + to, block->size - to,
			    MADV_DONTNEED);
		store_return(block->store, block->charged - (to - from));
		block->charged = to - from;
		block->pinned = true;
		TAILQ_INSERT_TAIL(&block->store->pinned, block, entry);
	}
	block_unpin(block);
}

/*
 * Frames that are shared
 */

size_t
store_share_cost(const struct store *store, size_t length)
{
	if (store->open != NULL && length <= store->open->size - store->opened)
		return 0;
	return length > shared_size(store) ? store_round(length) :
					     shared_size(store);
}

char *
store_share(struct store *store, size_t length, struct block **block)
{
	size_t cost = store_share_cost(store, length);
	struct block *open = store->open;
	char *memory;

	if (open == NULL || cost > 0) {
		open = block_new(store, cost, true);
		if (open == NULL)
			return NULL;
		open->lent = true;
		if (store->open != NULL)
			block_leave(store->open, 0, store->open->size);
		store->open = open;
		store->opened = 0;
	}
	block_keep(open);
	memory = open->memory + store->opened;
	store->opened += length;
	*block = open;
	return memory;
}
