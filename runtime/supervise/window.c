/* SPDX-License-Identifier: ISC */
/*
 * The sliding window of restarts: see window.h.
 */
#include "runtime/supervise/window.h"

#include <stdlib.h>

#include "runtime/util/bug.h"

#define WINDOW_FIRST 8

static void
grow(struct window *window)
{
	size_t size = window->size == 0 ? WINDOW_FIRST : window->size * 2, i;
	int64_t *times;

	times = calloc(size, sizeof(*times));
	NO_MEMORY_IF(times == NULL);
	for (i = 0; i < window->count; i++)
		times[i] = window->times[(window->head + i) % window->size];
	free(window->times);
	window->times = times;
	window->size = size;
	window->head = 0;
}

size_t
window_add(struct window *window, int64_t now_ms, int64_t period_ms)
{
	while (window->count > 0 &&
	    now_ms - window->times[window->head] > period_ms) {
		window->head = (window->head + 1) % window->size;
		window->count--;
	}
	if (window->count == window->size)
		grow(window);
	window->times[(window->head + window->count) % window->size] = now_ms;
	window->count++;
	return window->count;
}

size_t
window_count(const struct window *window, int64_t now_ms, int64_t period_ms)
{
	size_t old = 0;

	while (old < window->count &&
	    now_ms - window->times[(window->head + old) % window->size] >
		period_ms)
		old++;
	return window->count - old;
}

void
window_clear(struct window *window)
{
	window->count = 0;
}

void
window_fini(struct window *window)
{
	free(window->times);
	*window = (struct window) { .times = NULL };
}
