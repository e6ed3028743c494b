/* SPDX-License-Identifier: ISC */
/*
 * Bytes to lines: see lines.h.  A line that arrived whole is passed on where
 * it stands; only beginnings are copied.
 */
#include "runtime/logs/lines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MIN 256

void
lines_init(struct lines *lines, lines_fn *fn, void *arg)
{
	memset(lines, 0, sizeof(*lines));
	lines->fn = fn;
	lines->arg = arg;
}

void
lines_fini(struct lines *lines)
{
	free(lines->held);
	lines_init(lines, lines->fn, lines->arg);
}

static bool
hold(struct lines *lines, const char *data, size_t length)
{
	size_t size = lines->size > 0 ? lines->size : HELD_MIN;
	char *held;

	while (size < lines->length + length)
		size *= 2;
	if (size != lines->size) {
		held = realloc(lines->held, size);
		if (held == NULL)
			return false;
		lines->held = held;
		lines->size = size;
	}
	memcpy(lines->held + lines->length, data, length);
	lines->length += length;
	return true;
}

/* What is held and these bytes are one piece. */
static void
pass(struct lines *lines, const char *data, size_t length, unsigned int flags)
{
	if (lines->length > 0 && hold(lines, data, length)) {
		data = lines->held;
		length = lines->length;
	} else if (lines->length > 0) {
		lines->fn(lines->held, lines->length, LINES_CUT, lines->arg);
	}
	lines->length = 0;
	lines->fn(data, length, flags, lines->arg);
}

void
lines_feed(struct lines *lines, const char *data, size_t length)
{
	size_t room, take;
	const char *end;

	while (length > 0) {
		room = LINES_MAX - lines->length;
		/* A line of LINES_MAX is whole if a newline comes next. */
		end = memchr(data, '\n', length <= room ? length : room + 1);
		if (end == NULL && length <= room) {
			if (!hold(lines, data, length))
				pass(lines, data, length, LINES_CUT);
			return;
		}
		take = end != NULL ? (size_t)(end - data) : room;
		pass(lines, data, take, end != NULL ? 0 : LINES_CUT);
		if (end != NULL)
			take++;
		data += take;
		length -= take;
	}
}

void
lines_flush(struct lines *lines)
{
	size_t length = lines->length;

	lines->length = 0;
	if (length > 0)
		lines->fn(lines->held, length, LINES_PARTIAL, lines->arg);
	lines_fini(lines);
}
