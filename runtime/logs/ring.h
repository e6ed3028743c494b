/* SPDX-License-Identifier: ISC */
/*
 * The last lines of one child, numbered from 1 without gaps, in a bounded
 * piece of memory: old lines make room for new ones.
 */
#ifndef RUNTIME_LOGS_RING_H
#define RUNTIME_LOGS_RING_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/logs/line.h"

/* The least: two of the longest lines. */
#define RING_MIN ((size_t)40960)

struct ring;

/* Where a reader stands; from ring_at() only. */
struct ring_cursor {
	uint64_t seq; /* of the next line to be read */
	size_t offset;
};

/*
 * bytes: at least RING_MIN.  Pages that no line has reached yet take no
 * memory, and processes that the host forks do not get a copy.  Returns NULL
 * with errno.
 */
struct ring *ring_new(size_t bytes);
void ring_free(struct ring *ring);

/* Copies a line of LINES_MAX bytes at most, and returns its number. */
uint64_t ring_add(struct ring *ring, const struct log_line *line);

/* The number of the oldest line held, and the one the next will get. */
uint64_t ring_first(const struct ring *ring);
uint64_t ring_next(const struct ring *ring);

/*
 * A cursor at line number seq, or at the nearest there is or will be; the
 * last n lines begin at ring_last().
 */
struct ring_cursor ring_at(const struct ring *ring, uint64_t seq);
struct ring_cursor ring_last(const struct ring *ring, uint64_t n);

/*
 * Reads one line and moves on.  Returns 1; or 0 where no line is yet.
 * *missed: how many lines were overwritten before they could be read.
 * line->text points into the ring, valid until the next ring_add().
 */
int ring_read(const struct ring *ring, struct ring_cursor *cursor,
    struct log_line *line, uint64_t *missed);

#endif
