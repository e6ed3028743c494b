/* SPDX-License-Identifier: ISC */
/*
 * Lines that wait for a reader which may be slow or stuck.  Nothing here
 * blocks: what the reader does not take is queued up to a bound for each lane
 * (the lines of one child), so that a lane that floods loses lines of its
 * own and no other's.  Lost lines are counted and told of, where they would
 * have stood.
 */
#ifndef RUNTIME_LOGS_OUTLET_H
#define RUNTIME_LOGS_OUTLET_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct outlet;

/* Bytes that one lane may have queued, and all lanes together. */
#define OUTLET_LANE_MAX ((size_t)65536)
#define OUTLET_MAX ((size_t)4 << 20)
#define OUTLET_NOTICE_MAX 512

/* The user's, embedded in what it knows about a child; zeros at first. */
struct outlet_lane {
	size_t queued; /* bytes */
	size_t count;  /* lines */
	uint64_t dropped;
};

struct outlet_ops {
	/*
	 * Writes without blocking, as write(2): -1 with EAGAIN where the
	 * reader is slow, any other error calls broken().
	 */
	ssize_t (*send)(void *arg, const char *bytes, size_t length);
	/*
	 * Text for so many lost lines, of OUTLET_NOTICE_MAX bytes at most,
	 * newline included if lines have one.  Returns its length.
	 */
	size_t (*notice)(void *arg, const struct outlet_lane *lane,
	    uint64_t lost, char *text);
	/*
	 * Sending failed, errno says how.  True to drop the line at the head
	 * and go on; false to stop until outlet_watch() or outlet_fail().
	 */
	bool (*broken)(void *arg, struct outlet *outlet);
	/* Lines are joined up to this many bytes a send; 0: never. */
	size_t join;
};

/* Returns NULL with errno. */
struct outlet *outlet_new(struct loop *loop, const struct outlet_ops *ops,
    void *arg);
void outlet_free(struct outlet *outlet);

/*
 * The descriptor whose writability is waited for, the caller's; -1: there is
 * none at present, lines are queued.
 */
void outlet_watch(struct outlet *outlet, int fd);

/* No reader will ever come: what is queued or added is dropped silently. */
void outlet_fail(struct outlet *outlet);

/* Queues a line as it is to be sent; nothing is sent yet. */
void outlet_add(struct outlet *outlet, struct outlet_lane *lane,
    const char *bytes, size_t length);

/* Sends what the reader takes now; the rest goes out by the loop. */
void outlet_flush(struct outlet *outlet);

/*
 * Sends, waiting up to ms for the reader; for the end of the host.  Returns
 * how many lines are still queued.
 */
size_t outlet_finish(struct outlet *outlet, int64_t ms);

/*
 * The lane is going away: what it has queued is sent in its time, with no
 * owner.
 */
void outlet_leave(struct outlet *outlet, struct outlet_lane *lane);

#endif
