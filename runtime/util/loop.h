/* SPDX-License-Identifier: ISC */
/*
 * The event loop: descriptors and deadlines on libevent.  The only module
 * that knows libevent.  All of it belongs to one thread.
 */
#ifndef RUNTIME_UTIL_LOOP_H
#define RUNTIME_UTIL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct loop_fd;
struct loop_timer;

enum loop_what {
	LOOP_READ = 1 << 0,
	LOOP_WRITE = 1 << 1,
};

typedef void loop_fd_fn(int fd, void *arg);
typedef void loop_timer_fn(void *arg);

/*
 * Makes a loop on a base of the caller's, or on one of its own if base is
 * NULL.  Its own is made at the first use, so that `run` can start its
 * command before.  Returns NULL with errno.
 */
struct loop *loop_new(struct event_base *base);
void loop_free(struct loop *loop);

/*
 * Whether there are descriptors enough for the loop to be made and to watch,
 * to be asked before something begins that needs it.  0, or -1 with errno.
 */
int loop_reserve(struct loop *loop);

/* The base below; NULL with errno if it cannot be made. */
struct event_base *loop_base(struct loop *loop);

/*
 * Dispatches until loop_break(), which may have come before it; 0, or -1 with
 * errno.  loop_once() blocks for one round of events at most.
 */
int loop_run(struct loop *loop);
int loop_once(struct loop *loop);
void loop_break(struct loop *loop);

/*
 * Watches a descriptor, which stays the caller's and must stay open until
 * loop_fd_free().  what: LOOP_READ or LOOP_WRITE.  The watch is on at first.
 * Returns NULL with errno.  A watch may be freed in its own callback.
 */
struct loop_fd *loop_fd_new(struct loop *loop, int fd, enum loop_what what,
    loop_fd_fn *fn, void *arg);
void loop_fd_set(struct loop_fd *watch, bool on);
void loop_fd_free(struct loop_fd *watch);

/*
 * A one-shot timer, off at first.  loop_timer_set() arms it anew, delay_ms
 * from now; 0 means the next turn of the loop.
 */
struct loop_timer *loop_timer_new(struct loop *loop, loop_timer_fn *fn,
    void *arg);
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_clear(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

#endif
