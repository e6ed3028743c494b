/* SPDX-License-Identifier: ISC */
/*
 * Readiness by a line of output that matches.
 */
#ifndef RUNTIME_READY_READY_LOG_H
#define RUNTIME_READY_READY_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Only so much of a line is looked at. */
#define READY_LOG_MAX ((size_t)4096)

struct ready_log;

/*
 * pattern: an extended regular expression of POSIX, of 1,024 bytes at most;
 * no back-references, which a line could make take for ever, and no more than
 * 1,000 repetitions by {n}, of which regcomp(3) makes copies.  Returns NULL
 * with a text in error, shortened to fit.
 */
struct ready_log *ready_log_new(const char *pattern, char *error, size_t size);
void ready_log_free(struct ready_log *ready); /* NULL is fine */

/* Does the line, without its newline, match?  NUL bytes count as blanks. */
bool ready_log_match(const struct ready_log *ready, const char *text,
    size_t length);

#endif
