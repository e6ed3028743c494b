/* SPDX-License-Identifier: ISC */
/*
 * The event loop on libevent.  No libevent signal events are used: their
 * handler writes to a socket pair that a forked child would share, which
 * raises phantom signals in the parent.
 */
#include "runtime/util/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "runtime/util/fd.h"
#include "runtime/util/log.h"

/* An epoll descriptor, a pipe, and some of our own. */
#define RESERVE 6

struct loop {
	struct event_base *base;
	bool own_base;
	bool reserved; /* just now: the loop comes next */
	bool broken;   /* perhaps before it ran */
};

struct loop_fd {
	struct event *event;
	loop_fd_fn *fn;
	void *arg;
};

struct loop_timer {
	struct event *event;
	loop_timer_fn *fn;
	void *arg;
};

struct loop *
loop_new(struct event_base *base)
{
	struct loop *loop;

	loop = calloc(1, sizeof(*loop));
	if (loop != NULL)
		loop->base = base;
	return loop;
}

int
loop_reserve(struct loop *loop)
{
	int fds[RESERVE], n, result = 0;

	if (loop->base != NULL)
		return 0;
	for (n = 0; n < RESERVE && result == 0; n++) {
		fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
		if (fds[n] == -1)
			result = -1;
	}
	while (n > 0)
		fd_close(&fds[--n]);
	loop->reserved = result == 0;
	return result;
}

/*
 * libevent would print its words to standard error by itself.  Where a call
 * fails the caller tells of it, or finds that nothing is wrong: a file, which
 * epoll(7) refuses, is always ready.
 */
static void
on_words(int severity, const char *text)
{
	if (severity >= EVENT_LOG_ERR)
		log_warnx("libevent: %s", text);
	else
		log_debug("libevent: %s", text);
}

static _Thread_local jmp_buf fatal;
static _Thread_local int fatal_errno;

/* event_set_fatal_callback(): must not return. */
static void
on_fatal(int error)
{
	(void)error;
	fatal_errno = errno;
	longjmp(fatal, 1);
}

/*
 * libevent ends the process where it gets no descriptors for its signals,
 * whatever became of those that were reserved; a group would be left alone.
 * What it has of the base by then is lost.
 */
static void
base_new(struct loop *loop, const struct event_config *config)
{
	fatal_errno = ENOMEM;
	event_set_fatal_callback(on_fatal);
	if (setjmp(fatal) == 0)
		loop->base = event_base_new_with_config(config);
	event_set_fatal_callback(NULL);
	errno = fatal_errno;
}

struct event_base *
loop_base(struct loop *loop)
{
	struct event_config *config;

	if (loop->base != NULL)
		return loop->base;
	if (!loop->reserved && loop_reserve(loop) == -1)
		return NULL;
	event_set_log_callback(on_words);
	config = event_config_new();
	if (config != NULL) {
		event_config_set_flag(config,
		    EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
		base_new(loop, config);
		event_config_free(config);
	}
	loop->own_base = loop->base != NULL;
	return loop->base;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->own_base)
		event_base_free(loop->base);
	free(loop);
}

int
loop_run(struct loop *loop)
{
	struct event_base *base = loop_base(loop);
	int result = 0;

	if (base == NULL)
		return -1;
	/* libevent forgets what it was told before. */
	if (!loop->broken)
		result = event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
	loop->broken = false;
	return result;
}

int
loop_once(struct loop *loop)
{
	struct event_base *base = loop_base(loop);

	return base == NULL || event_base_loop(base, EVLOOP_ONCE) < 0 ? -1 : 0;
}

void
loop_break(struct loop *loop)
{
	loop->broken = true;
	if (loop->base != NULL)
		event_base_loopbreak(loop->base);
}

static void
on_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *watch = arg;

	(void)what;
	watch->fn(fd, watch->arg);
}

struct loop_fd *
loop_fd_new(struct loop *loop, int fd, enum loop_what what, loop_fd_fn *fn,
    void *arg)
{
	short events = EV_PERSIST | (what == LOOP_READ ? EV_READ : EV_WRITE);
	struct event_base *base = loop_base(loop);
	struct loop_fd *watch;
	int saved;

	watch = base == NULL ? NULL : calloc(1, sizeof(*watch));
	if (watch == NULL)
		return NULL;
	watch->fn = fn;
	watch->arg = arg;
	watch->event = event_new(base, fd, events, on_fd, watch);
	errno = 0;
	if (watch->event != NULL && event_add(watch->event, NULL) == 0)
		return watch;
	saved = errno != 0 ? errno : ENOMEM;
	loop_fd_free(watch);
	errno = saved;
	return NULL;
}

void
loop_fd_set(struct loop_fd *watch, bool on)
{
	if (on)
		event_add(watch->event, NULL);
	else
		event_del(watch->event);
}

void
loop_fd_free(struct loop_fd *watch)
{
	if (watch == NULL)
		return;
	if (watch->event != NULL)
		event_free(watch->event);
	free(watch);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fn(timer->arg);
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg)
{
	struct event_base *base = loop_base(loop);
	struct loop_timer *timer;

	timer = base == NULL ? NULL : calloc(1, sizeof(*timer));
	if (timer == NULL)
		return NULL;
	timer->fn = fn;
	timer->arg = arg;
	timer->event = event_new(base, -1, 0, on_timer, timer);
	if (timer->event == NULL) {
		free(timer);
		errno = ENOMEM;
		return NULL;
	}
	return timer;
}

void
loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
	struct timeval delay = {
		.tv_sec = (time_t)(delay_ms / 1000),
		.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000),
	};

	event_add(timer->event, &delay);
}

void
loop_timer_clear(struct loop_timer *timer)
{
	event_del(timer->event);
}

void
loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}
