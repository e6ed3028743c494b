/* SPDX-License-Identifier: ISC */
/*
 * A file that a user wrote: its text, read whole, and the places in it.
 */
#ifndef RUNTIME_TREE_SOURCE_H
#define RUNTIME_TREE_SOURCE_H

#include <stddef.h>

#define SOURCE_MAX ((size_t)16 << 20) /* bytes */

struct tree_problems;

struct source {
	char *path; /* as problems name it */
	char *text; /* UTF-8 without NUL or control bytes, and a NUL */
	size_t length;
};

/*
 * Reads a regular file, or copies text that came from elsewhere; what is
 * longer than SOURCE_MAX, holds control characters or is no UTF-8 is refused.
 * A byte order mark at the start is skipped.  0; -1 with a problem added, and
 * errno only from source_read() for what could not be opened or read.
 * source_fini() may follow either.
 */
int source_read(struct source *source, const char *path,
    struct tree_problems *problems);
int source_copy(struct source *source, const char *path, const char *text,
    size_t length, struct tree_problems *problems);
void source_fini(struct source *source);

/* The same of standard input, to its end and of whatever kind: <stdin>. */
int source_read_input(struct source *source, struct tree_problems *problems);

/*
 * The line of a byte, and its character there, both counted from 1.  Lines
 * end as in YAML: with a newline, a carriage return or both.
 */
void source_place(const struct source *source, size_t offset,
    unsigned int *line, unsigned int *column);

/* The reverse; the end of the text where there is no such place. */
size_t source_offset(const struct source *source, unsigned int line,
    unsigned int column);

#endif
