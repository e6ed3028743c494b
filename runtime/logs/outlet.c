/* SPDX-License-Identifier: ISC */
/*
 * Lines that wait for a reader: see outlet.h.
 */
#include "runtime/logs/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "runtime/util/bug.h"
#include "runtime/util/clock.h"
#include "runtime/util/loop.h"

struct queued {
	STAILQ_ENTRY(queued) entry;
	struct outlet_lane *lane; /* NULL: it left */
	size_t length;
	char bytes[];
};

struct outlet {
	struct loop *loop;
	const struct outlet_ops *ops;
	void *arg;
	STAILQ_HEAD(, queued) queue;
	size_t queued;
	size_t count;
	size_t sent; /* bytes of the first line */
	int fd;
	struct loop_fd *watch;
	bool blocked; /* waits for the loop */
	bool failed;
};

struct outlet *
outlet_new(struct loop *loop, const struct outlet_ops *ops, void *arg)
{
	struct outlet *outlet;

	BUG_IF(ops->join > PIPE_BUF);
	outlet = calloc(1, sizeof(*outlet));
	if (outlet == NULL)
		return NULL;
	outlet->loop = loop;
	outlet->ops = ops;
	outlet->arg = arg;
	outlet->fd = -1;
	STAILQ_INIT(&outlet->queue);
	return outlet;
}

static void
unlink_first(struct outlet *outlet)
{
	struct queued *first = STAILQ_FIRST(&outlet->queue);

	STAILQ_REMOVE_HEAD(&outlet->queue, entry);
	outlet->queued -= first->length;
	outlet->count--;
	outlet->sent = 0;
	if (first->lane != NULL) {
		first->lane->queued -= first->length;
		first->lane->count--;
	}
	free(first);
}

static void
drop_all(struct outlet *outlet)
{
	while (!STAILQ_EMPTY(&outlet->queue))
		unlink_first(outlet);
}

void
outlet_free(struct outlet *outlet)
{
	if (outlet == NULL)
		return;
	drop_all(outlet);
	loop_fd_free(outlet->watch);
	free(outlet);
}

void
outlet_fail(struct outlet *outlet)
{
	outlet->failed = true;
	outlet_watch(outlet, -1);
	drop_all(outlet);
}

static bool
enqueue(struct outlet *outlet, struct outlet_lane *lane, const char *bytes,
    size_t length)
{
	struct queued *line;

	line = malloc(sizeof(*line) + length);
	if (line == NULL)
		return false;
	line->lane = lane;
	line->length = length;
	memcpy(line->bytes, bytes, length);
	STAILQ_INSERT_TAIL(&outlet->queue, line, entry);
	outlet->queued += length;
	outlet->count++;
	lane->queued += length;
	lane->count++;
	return true;
}

/* A lane with nothing queued may always queue one line. */
static bool
fits(const struct outlet *outlet, const struct outlet_lane *lane, size_t length)
{
	if (lane->count == 0)
		return true;
	return lane->queued + length <= OUTLET_LANE_MAX &&
	    outlet->queued + length <= OUTLET_MAX;
}

/* Once half the room is free again, what was lost before that is told. */
static void
tell_dropped(struct outlet *outlet, struct outlet_lane *lane)
{
	char text[OUTLET_NOTICE_MAX];
	size_t length;

	if (lane->dropped == 0 || lane->queued > OUTLET_LANE_MAX / 2)
		return;
	length = outlet->ops->notice(outlet->arg, lane, lane->dropped, text);
	if (enqueue(outlet, lane, text, length))
		lane->dropped = 0;
}

void
outlet_add(struct outlet *outlet, struct outlet_lane *lane, const char *bytes,
    size_t length)
{
	if (outlet->failed)
		return;
	/* Only without memory a lane has losses and nothing queued. */
	if (lane->count == 0)
		tell_dropped(outlet, lane);
	if (lane->dropped > 0 || !fits(outlet, lane, length) ||
	    !enqueue(outlet, lane, bytes, length))
		lane->dropped++;
}

static void
consume(struct outlet *outlet, size_t n)
{
	struct outlet_lane *lane;
	struct queued *first;

	while ((first = STAILQ_FIRST(&outlet->queue)) != NULL &&
	    n >= first->length - outlet->sent) {
		n -= first->length - outlet->sent;
		lane = first->lane;
		unlink_first(outlet);
		if (lane != NULL)
			tell_dropped(outlet, lane);
	}
	outlet->sent += n;
}

/*
 * What goes out next: the first line, or as many whole lines as may be
 * joined.
 */
static const char *
next_bytes(const struct outlet *outlet, char *joined, size_t *length)
{
	const struct queued *line = STAILQ_FIRST(&outlet->queue);
	const char *first = line->bytes + outlet->sent;

	*length = line->length - outlet->sent;
	if (*length >= outlet->ops->join)
		return first;
	memcpy(joined, first, *length);
	while ((line = STAILQ_NEXT(line, entry)) != NULL &&
	    *length + line->length <= outlet->ops->join) {
		memcpy(joined + *length, line->bytes, line->length);
		*length += line->length;
	}
	return joined;
}

/* True if it took some. */
static bool
send_some(struct outlet *outlet)
{
	char joined[PIPE_BUF];
	struct queued *first;
	const char *bytes;
	size_t length;
	ssize_t n;

	bytes = next_bytes(outlet, joined, &length);
	n = outlet->ops->send(outlet->arg, bytes, length);
	if (n >= 0) {
		consume(outlet, (size_t)n);
		return true;
	}
	if (errno == EINTR)
		return true;
	outlet->blocked = errno == EAGAIN;
	if (outlet->blocked || !outlet->ops->broken(outlet->arg, outlet))
		return false;
	first = STAILQ_FIRST(&outlet->queue);
	if (first == NULL)
		return true;
	if (first->lane != NULL)
		first->lane->dropped++;
	unlink_first(outlet);
	return true;
}

static void
on_writable(int fd, void *arg)
{
	struct outlet *outlet = arg;

	(void)fd;
	outlet->blocked = false;
	outlet_flush(outlet);
}

void
outlet_watch(struct outlet *outlet, int fd)
{
	loop_fd_free(outlet->watch);
	outlet->watch = NULL;
	outlet->blocked = false;
	outlet->fd = fd;
	/* A line half sent to another reader is sent again as a whole. */
	outlet->sent = 0;
}

/* Where it cannot be watched the next flush tries again. */
static void
wait_writable(struct outlet *outlet)
{
	if (outlet->watch != NULL)
		loop_fd_set(outlet->watch, true);
	else
		outlet->watch = loop_fd_new(outlet->loop, outlet->fd,
		    LOOP_WRITE, on_writable, outlet);
	if (outlet->watch == NULL)
		outlet->blocked = false;
}

void
outlet_flush(struct outlet *outlet)
{
	if (outlet->blocked)
		return;
	while (outlet->fd != -1 && !STAILQ_EMPTY(&outlet->queue))
		if (!send_some(outlet))
			break;
	if (outlet->blocked)
		wait_writable(outlet);
	else if (outlet->watch != NULL)
		loop_fd_set(outlet->watch, false);
}

size_t
outlet_finish(struct outlet *outlet, int64_t ms)
{
	int64_t left, end = clock_ms() + ms;
	struct pollfd pfd;

	for (;;) {
		outlet->blocked = false;
		outlet_flush(outlet);
		left = end - clock_ms();
		if (outlet->count == 0 || outlet->fd == -1 || left <= 0)
			return outlet->count;
		pfd.fd = outlet->fd;
		pfd.events = POLLOUT;
		poll(&pfd, 1, left < INT_MAX ? (int)left : INT_MAX);
	}
}

void
outlet_leave(struct outlet *outlet, struct outlet_lane *lane)
{
	char text[OUTLET_NOTICE_MAX];
	struct queued *line;
	size_t length;

	if (lane->dropped > 0) {
		length = outlet->ops->notice(outlet->arg, lane, lane->dropped,
		    text);
		enqueue(outlet, lane, text, length);
	}
	STAILQ_FOREACH(line, &outlet->queue, entry)
		if (line->lane == lane)
			line->lane = NULL;
	memset(lane, 0, sizeof(*lane));
}
