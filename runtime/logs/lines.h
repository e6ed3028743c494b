/* SPDX-License-Identifier: ISC */
/*
 * Bytes to lines.  Pure: no descriptor, no clock.
 */
#ifndef RUNTIME_LOGS_LINES_H
#define RUNTIME_LOGS_LINES_H

#include <stddef.h>

/* Longer lines come in pieces. */
#define LINES_MAX ((size_t)16384)

enum lines_flag {
	LINES_CUT = 1 << 0,	/* the next piece goes on with this line */
	LINES_PARTIAL = 1 << 1, /* the last one, its newline never came */
};

/*
 * text: without its newline, any bytes, not terminated, of LINES_MAX at most;
 * valid during the call, from which nothing may be fed.
 */
typedef void lines_fn(const char *text, size_t length, unsigned int flags,
    void *arg);

struct lines {
	lines_fn *fn;
	void *arg;
	char *held; /* the beginning of a line */
	size_t length;
	size_t size;
};

void lines_init(struct lines *lines, lines_fn *fn, void *arg);

/* Forgets what is held. */
void lines_fini(struct lines *lines);

/*
 * Calls fn for each line that these bytes complete, and holds the rest.
 * Without memory to hold it, the rest is passed on as a piece.
 */
void lines_feed(struct lines *lines, const char *data, size_t length);

/* No more bytes will come: passes on what is held, if anything. */
void lines_flush(struct lines *lines);

#endif
