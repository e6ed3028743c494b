/* SPDX-License-Identifier: ISC */
/*
 * The last lines of one child: see ring.h.  Records stand one after another
 * and are never broken at the end of the memory: what is too short there is
 * left unused, which `end` marks.
 */
#include "runtime/logs/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/util/bug.h"

#define ALIGN(size) (((size) + 7) & ~(size_t)7)

struct record {
	int64_t time_us;
	uint32_t length;
	uint32_t flags;
	char text[];
};

struct ring {
	char *memory;
	size_t size;
	size_t head;	/* where the oldest record begins */
	size_t tail;	/* where the next will */
	size_t end;	/* records before the wrap end here; else size */
	uint64_t first; /* number of the oldest */
	uint64_t next;
};

struct ring *
ring_new(size_t bytes)
{
	struct ring *ring;

	BUG_IF(bytes < RING_MIN);
	ring = calloc(1, sizeof(*ring));
	if (ring == NULL)
		return NULL;
	ring->size = ring->end = bytes & ~(size_t)7;
	ring->first = ring->next = 1;
	ring->memory = mmap(NULL, ring->size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring->memory == MAP_FAILED) {
		free(ring);
		return NULL;
	}
#ifdef MADV_DONTFORK
	/* Else each leader would keep the pages that the host rewrites. */
	madvise(ring->memory, ring->size, MADV_DONTFORK);
#endif
	return ring;
}

void
ring_free(struct ring *ring)
{
	if (ring == NULL)
		return;
	munmap(ring->memory, ring->size);
	free(ring);
}

static struct record *
record_at(const struct ring *ring, size_t offset)
{
	return (struct record *)(void *)(ring->memory + offset);
}

static size_t
record_size(size_t length)
{
	return ALIGN(sizeof(struct record) + length);
}

/* Where the record after the one at offset begins. */
static size_t
after(const struct ring *ring, size_t offset)
{
	offset += record_size(record_at(ring, offset)->length);
	return offset == ring->end ? 0 : offset;
}

static void
forget_oldest(struct ring *ring)
{
	size_t head = after(ring, ring->head);

	if (head < ring->head)
		ring->end = ring->size;
	ring->head = head;
	ring->first++;
}

/* Forgets what stands from tail to `to`. */
static void
clear(struct ring *ring, size_t to)
{
	while (ring->first != ring->next && ring->head >= ring->tail &&
	    ring->head < to)
		forget_oldest(ring);
}

uint64_t
ring_add(struct ring *ring, const struct log_line *line)
{
	size_t size = record_size(line->length);
	struct record *record;

	BUG_IF(line->length > LINES_MAX);
	clear(ring, ring->tail + size);
	record = record_at(ring, ring->tail);
	record->time_us = line->time_us;
	record->length = (uint32_t)line->length;
	record->flags = line->flags;
	memcpy(record->text, line->text, line->length);
	ring->tail += size;
	ring->next++;
	/* At tail there is always room: cursors know where the next will be. */
	if (ring->size - ring->tail < record_size(LINES_MAX)) {
		clear(ring, ring->size);
		ring->end = ring->tail;
		ring->tail = 0;
	}
	return ring->next - 1;
}

uint64_t
ring_first(const struct ring *ring)
{
	return ring->first;
}

uint64_t
ring_next(const struct ring *ring)
{
	return ring->next;
}

struct ring_cursor
ring_at(const struct ring *ring, uint64_t seq)
{
	struct ring_cursor cursor = { ring->first, ring->head };

	if (seq >= ring->next)
		return (struct ring_cursor) { ring->next, ring->tail };
	while (cursor.seq < seq) {
		cursor.offset = after(ring, cursor.offset);
		cursor.seq++;
	}
	return cursor;
}

struct ring_cursor
ring_last(const struct ring *ring, uint64_t n)
{
	if (n >= ring->next - ring->first)
		return ring_at(ring, ring->first);
	return ring_at(ring, ring->next - n);
}

int
ring_read(const struct ring *ring, struct ring_cursor *cursor,
    struct log_line *line, uint64_t *missed)
{
	const struct record *record;

	*missed = 0;
	if (cursor->seq < ring->first) {
		*missed = ring->first - cursor->seq;
		*cursor = ring_at(ring, ring->first);
	}
	if (cursor->seq == ring->next)
		return 0;
	record = record_at(ring, cursor->offset);
	line->text = record->text;
	line->length = record->length;
	line->flags = record->flags;
	line->time_us = record->time_us;
	line->seq = cursor->seq++;
	cursor->offset = after(ring, cursor->offset);
	return 1;
}
