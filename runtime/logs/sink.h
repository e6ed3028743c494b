/* SPDX-License-Identifier: ISC */
/*
 * Where lines go.  One sink takes the lines of many children, each by a lane
 * of its own.  No sink blocks, and none fails: what a line met on its way is
 * told once and counted.
 *
 * A sink lives until sink_release() was called and its last lane left.
 */
#ifndef RUNTIME_LOGS_SINK_H
#define RUNTIME_LOGS_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/logs/line.h"

struct loop;
struct sink;

/* The beginning of each lane; what follows is the sink's. */
struct sink_lane {
	struct sink *sink;
};

struct sink_ops {
	int (*open)(struct sink *sink);
	struct sink_lane *(*join)(struct sink *sink, const char *name);
	void (*leave)(struct sink_lane *lane);
	void (*line)(struct sink_lane *lane, const struct log_line *line);
	void (*flush)(struct sink *sink);
	void (*reopen)(struct sink *sink);
	void (*finish)(struct sink *sink, int64_t ms);
	void (*free)(struct sink *sink);
};

/* The beginning of each sink. */
struct sink {
	const struct sink_ops *ops;
	unsigned int users;
};

/*
 * Whether lines could go there now, for those who want to know it before any
 * come: 0; -1 with errno, which is not logged.  Only files can say no.
 */
int sink_open(struct sink *sink);

/*
 * A lane for the child of this name, which is copied.  NULL with errno.
 * sink_leave() takes NULL.
 */
struct sink_lane *sink_join(struct sink *sink, const char *name);
void sink_leave(struct sink_lane *lane);

/* Whether it has a lane. */
bool sink_is_joined(const struct sink *sink);

/* Takes a line; sink_flush() after the last of several sends them. */
void sink_line(struct sink_lane *lane, const struct log_line *line);
void sink_flush(struct sink *sink);

/* Opens files anew, by their names; others do nothing. */
void sink_reopen(struct sink *sink);

/* The host ends: sends what waits, for ms at most. */
void sink_finish(struct sink *sink, int64_t ms);

void sink_release(struct sink *sink); /* NULL is fine */

/* Each returns NULL with errno. */

/* Takes lines and forgets them. */
struct sink *sink_discard_new(void);

/*
 * "name    | text" to a descriptor that stays the caller's and open until
 * the sink is gone.  The file description may be shared with others and is
 * left as it is.  On a terminal control characters of members are made
 * visible, and names are coloured if colours is set.
 */
struct sink *sink_prefix_new(struct loop *loop, int fd, bool colours);

/* Whether a terminal at fd is to be coloured: NO_COLOR and TERM decide. */
bool sink_colours(int fd);

struct sink_file_options {
	const char *path;  /* absolute, or as the host's directory has it */
	uint64_t max_size; /* rotate before it grows over this; 0: never */
	unsigned int keep; /* old files, path.1 the youngest; 0: none */
	int64_t (*now_ms)(void); /* NULL: the monotonic clock */
};

/*
 * Lines as they are to a file, mode 0640, that is made if it is missing.  A
 * line in pieces is put together again.  Where it cannot be opened or
 * written, that is logged once a minute at most, tried again with the next
 * lines, a second later at least, and lost lines are told of in the file.
 *
 * Only regular files rotate, and only while path names the one that is open.
 */
struct sink *sink_file_new(const struct sink_file_options *options);

/* Other limits for one that sink_file_new() made, from the next line on. */
void sink_file_limit(struct sink *sink, uint64_t max_size, unsigned int keep);

/*
 * Datagrams as syslog(3) sends them, facility daemon, severity info, tag
 * the name with '.' for ':'.  path: of the socket, NULL for /dev/log.
 * Lines wait, up to a bound, while nobody listens there, and it is tried
 * again each retry_ms.
 */
struct sink *sink_syslog_new(struct loop *loop, const char *path,
    int64_t retry_ms);

#endif
