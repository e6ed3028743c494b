/* SPDX-License-Identifier: ISC */
/*
 * The output of one child: see member_log.h.
 */
#include "runtime/logs/member_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "runtime/logs/lines.h"
#include "runtime/logs/ring.h"
#include "runtime/logs/sink.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

#define READ_SIZE ((size_t)16384)

struct log_watch {
	LIST_ENTRY(log_watch) entry;
	struct member_log *log;
	log_watch_fn *fn; /* NULL: freed during a dispatch */
	void *arg;
};

struct member_log {
	struct loop *loop;
	struct sink_lane *lane;
	struct ring *ring;
	struct lines lines;
	LIST_HEAD(, log_watch) watches;
	int64_t (*wall_us)(void);
	int64_t now_us; /* of this turn */
	uint64_t seq;	/* without a ring */
	int fd;
	struct loop_fd *watch;
	/* Asked for by a callback while lines are passed on: done after it. */
	unsigned int busy;
	bool drain;
	bool doomed;
	char name[];
};

static bool drain(struct member_log *log);

static int64_t
time_of_day(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
sweep_watches(struct member_log *log)
{
	struct log_watch *watch, *next;

	LIST_FOREACH_SAFE(watch, &log->watches, entry, next) {
		if (watch->fn != NULL)
			continue;
		LIST_REMOVE(watch, entry);
		free(watch);
	}
}

static void
on_line(const char *text, size_t length, unsigned int flags, void *arg)
{
	struct member_log *log = arg;
	struct log_line line = { .text = text,
		.length = length,
		.flags = flags,
		.time_us = log->now_us };
	struct log_watch *watch;

	if (log->doomed)
		return;
	if (log->ring != NULL)
		line.seq = ring_add(log->ring, &line);
	else
		line.seq = ++log->seq;
	sink_line(log->lane, &line);
	LIST_FOREACH(watch, &log->watches, entry)
		if (watch->fn != NULL)
			watch->fn(&line, watch->arg);
}

struct member_log *
member_log_new(struct loop *loop, const struct member_log_options *options)
{
	size_t size = strlen(options->name) + 1;
	struct member_log *log;

	log = calloc(1, sizeof(*log) + size);
	if (log == NULL)
		return NULL;
	memcpy(log->name, options->name, size);
	log->loop = loop;
	log->fd = -1;
	log->wall_us = options->wall_us != NULL ? options->wall_us :
						  time_of_day;
	LIST_INIT(&log->watches);
	lines_init(&log->lines, on_line, log);
	log->lane = sink_join(options->sink, log->name);
	if (log->lane != NULL && options->ring_bytes > 0)
		log->ring = ring_new(options->ring_bytes);
	if (log->lane == NULL || (options->ring_bytes > 0 && log->ring == NULL))
		goto fail;
	return log;
fail:
	member_log_free(log);
	return NULL;
}

static void
close_pipe(struct member_log *log)
{
	loop_fd_free(log->watch);
	log->watch = NULL;
	fd_close(&log->fd);
}

void
member_log_free(struct member_log *log)
{
	struct log_watch *watch, *next;

	if (log == NULL)
		return;
	close_pipe(log);
	log->doomed = true;
	LIST_FOREACH(watch, &log->watches, entry)
		watch->fn = NULL;
	if (log->busy > 0)
		return;
	LIST_FOREACH_SAFE(watch, &log->watches, entry, next)
		free(watch);
	sink_leave(log->lane);
	ring_free(log->ring);
	lines_fini(&log->lines);
	free(log);
}

static void
enter(struct member_log *log)
{
	log->busy++;
	log->now_us = log->wall_us();
}

/* What callbacks asked for meanwhile; false if the log is gone now. */
static bool
leave(struct member_log *log)
{
	log->busy--;
	if (log->doomed) {
		member_log_free(log);
		return false;
	}
	sweep_watches(log);
	sink_flush(log->lane->sink);
	return !log->drain || drain(log);
}

/*
 * Reads and passes on at most so many bytes.  At its end-of-file the pipe is
 * closed.  A short read does not show that it is empty: a member may have set
 * O_DIRECT, and each read then ends with what one write(2) wrote.
 */
static void
take(struct member_log *log, size_t most)
{
	char buffer[READ_SIZE];
	size_t taken = 0, size;
	ssize_t n;

	while (taken < most && log->fd != -1) {
		size = most - taken < READ_SIZE ? most - taken : READ_SIZE;
		n = read(log->fd, buffer, size);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n <= 0) {
			close_pipe(log);
			lines_flush(&log->lines);
			break;
		}
		taken += (size_t)n;
		lines_feed(&log->lines, buffer, (size_t)n);
	}
}

/* As much as is there now: who holds the pipe may go on writing. */
static void
take_waiting(struct member_log *log)
{
	int waiting = 0;

	if (ioctl(log->fd, FIONREAD, &waiting) == 0 && waiting > 0)
		take(log, (size_t)waiting);
}

/* False if a callback freed the log. */
static bool
drain(struct member_log *log)
{
	log->drain = false;
	if (log->fd == -1)
		return true;
	enter(log);
	take_waiting(log);
	close_pipe(log);
	lines_flush(&log->lines);
	return leave(log);
}

static void
on_readable(int fd, void *arg)
{
	struct member_log *log = arg;

	(void)fd;
	enter(log);
	take(log, MEMBER_LOG_TURN);
	leave(log);
}

int
member_log_open(struct member_log *log, int *member_fd)
{
	int ends[2];

	if (log->busy > 0) {
		errno = EBUSY;
		return -1;
	}
	if (!drain(log)) {
		errno = ECANCELED;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	/* Only this end: the two have descriptions of their own. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		goto fail;
	log->watch = loop_fd_new(log->loop, ends[0], LOOP_READ, on_readable,
	    log);
	if (log->watch == NULL)
		goto fail;
	log->fd = ends[0];
	*member_fd = ends[1];
	return 0;
fail:
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	return -1;
}

void
member_log_drain(struct member_log *log)
{
	if (log->busy > 0)
		log->drain = true;
	else
		drain(log);
}

void
member_log_take(struct member_log *log)
{
	if (log->busy > 0 || log->fd == -1)
		return;
	enter(log);
	take_waiting(log);
	leave(log);
}

void
member_log_finish(struct member_log *log)
{
	if (log->busy > 0)
		return;
	enter(log);
	if (log->fd != -1)
		take_waiting(log);
	lines_flush(&log->lines);
	leave(log);
}

int
member_log_set_sink(struct member_log *log, struct sink *sink)
{
	struct sink_lane *lane;

	if (log->lane->sink == sink)
		return 0; /* it keeps its colour, too */
	lane = sink_join(sink, log->name);
	if (lane == NULL)
		return -1;
	sink_leave(log->lane);
	log->lane = lane;
	return 0;
}

const char *
member_log_name(const struct member_log *log)
{
	return log->name;
}

const struct ring *
member_log_ring(const struct member_log *log)
{
	return log->ring;
}

struct log_watch *
member_log_watch(struct member_log *log, log_watch_fn *fn, void *arg)
{
	struct log_watch *watch;

	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return NULL;
	watch->log = log;
	watch->fn = fn;
	watch->arg = arg;
	LIST_INSERT_HEAD(&log->watches, watch, entry);
	return watch;
}

void
log_watch_free(struct log_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->log->busy > 0) {
		watch->fn = NULL;
		return;
	}
	LIST_REMOVE(watch, entry);
	free(watch);
}
