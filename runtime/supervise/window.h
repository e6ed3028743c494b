/* SPDX-License-Identifier: ISC */
/*
 * The restarts of the last period: a window that slides.
 */
#ifndef RUNTIME_SUPERVISE_WINDOW_H
#define RUNTIME_SUPERVISE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty one. */
struct window {
	int64_t *times; /* a ring, oldest at head */
	size_t size;
	size_t head;
	size_t count;
};

/*
 * Notes a restart now and forgets those that are older than period_ms; one
 * exactly so old still counts.  Returns how many are within, this one too.
 */
size_t window_add(struct window *window, int64_t now_ms, int64_t period_ms);

/* How many of them are within period_ms now. */
size_t window_count(const struct window *window, int64_t now_ms,
    int64_t period_ms);

void window_clear(struct window *window);
void window_fini(struct window *window);

#endif
