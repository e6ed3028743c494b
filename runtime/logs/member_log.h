/* SPDX-License-Identifier: ISC */
/*
 * The output of one child through all its incarnations: a pipe for each, that
 * takes standard output and standard error, the lines read from it, the ring
 * that holds the last of them, the sink they go to, and who watches.
 *
 * A turn of the loop reads MEMBER_LOG_TURN bytes at most, so that a member
 * that floods is slowed down by its own pipe and holds nobody else up.
 */
#ifndef RUNTIME_LOGS_MEMBER_LOG_H
#define RUNTIME_LOGS_MEMBER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/logs/line.h"

#define MEMBER_LOG_TURN ((size_t)65536)
#define MEMBER_LOG_RING ((size_t)65536)

struct log_watch;
struct loop;
struct member_log;
struct ring;
struct sink;

struct member_log_options {
	const char *name;	  /* the child's key; copied */
	struct sink *sink;	  /* stays the caller's, too */
	size_t ring_bytes;	  /* 0: none; else RING_MIN at least */
	int64_t (*wall_us)(void); /* NULL: the time of day */
};

/* line is valid during the call. */
typedef void log_watch_fn(const struct log_line *line, void *arg);

/*
 * Returns NULL with errno.  member_log_free() forgets what is still in the
 * pipe; it may be called from a watch's callback, as may all below.
 */
struct member_log *member_log_new(struct loop *loop,
    const struct member_log_options *options);
void member_log_free(struct member_log *log);

/*
 * A new incarnation begins: drains what is left of the last one and makes
 * its pipe.  *member_fd: the end to write to, blocking and close-on-exec, the
 * caller's to close once the member has it.  0, or -1 with errno: EBUSY in a
 * callback of this log's own, ECANCELED if one freed the log meanwhile.
 */
int member_log_open(struct member_log *log, int *member_fd);

/*
 * The incarnation ended, its group is empty: takes what is in the pipe, to
 * the last byte, and closes it.  Does not wait for its end-of-file, which a
 * process that took the pipe elsewhere may hold back.
 */
void member_log_drain(struct member_log *log);

/*
 * Takes what is in the pipe now, which stays open: what was written before
 * this comes before what the caller does next.  Nothing in a callback of this
 * log's own, whose line is such a one.
 */
void member_log_take(struct member_log *log);

/* The same when who wrote ended: what has no newline is a line as well. */
void member_log_finish(struct member_log *log);

/* Lines from now on go there; a line half read is not broken.  0 or -1. */
int member_log_set_sink(struct member_log *log, struct sink *sink);

const char *member_log_name(const struct member_log *log);

/* Held by the log; NULL if there is none.  Empty before the first line. */
const struct ring *member_log_ring(const struct member_log *log);

/*
 * Calls fn for each line that comes, after ring and sink have it.  Returns
 * NULL with errno.  A watch may be freed in a callback, also in its own; it
 * ends with the log, and must not be used after that.
 */
struct log_watch *member_log_watch(struct member_log *log, log_watch_fn *fn,
    void *arg);
void log_watch_free(struct log_watch *watch);

#endif
