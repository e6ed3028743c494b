/* SPDX-License-Identifier: ISC */
/*
 * What the relay writes to members: see relay.h.  A write that is short, or
 * none, shows that the pipe is full: the member rests until it is not.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/relay/pipe.h"
#include "runtime/relay/relay_private.h"
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"

/* So many bytes at most to one member in one go. */
#define FLUSH_MAX ((size_t)1 << 20)

/*
 * Measured: with so much to write to each of a crowd, whatever the size of its
 * frames, lending pages to pipes takes half to two thirds of the time of
 * copying.  Not with less: a page lent takes one of the few places of a pipe,
 * whatever it holds.
 */
#define LEND_MIN ((size_t)16384)

enum progress {
	PROGRESS_DONE, /* of this item nothing is left at present */
	PROGRESS_FULL,
	PROGRESS_BROKEN,
};

void
relay_member_break(struct relay_member *member)
{
	struct item *item;
	bool piped = relay_member_span(member) != NULL;

	while ((item = TAILQ_FIRST(&member->items)) != NULL)
		relay_item_free(member, item);
	loop_fd_free(member->down_watch);
	loop_fd_free(member->gone_watch);
	member->down_watch = member->gone_watch = NULL;
	fd_close(&member->down);
	if (member->audience != NULL && piped) {
		member->audience->npiped--;
		relay_member_list(member);
		member->broken = true;
		member->relay->broken = true;
		relay_kick(member->relay);
		relay_uplink_resume(member);
	}
}

static void
on_gone(int fd, void *arg)
{
	struct relay_member *member = arg;

	(void)fd;
	relay_member_break(member);
	relay_member_mend(member);
}

/*
 * Our end is never readable, but poll(2) tells that the other one has gone
 * whatever was asked for.  So who publishes need not look at each pipe.
 */
int
relay_down_open(struct relay_member *member)
{
	member->gone_watch = loop_fd_new(member->relay->loop, member->down,
	    LOOP_READ, on_gone, member);
	return member->gone_watch != NULL ? 0 : -1;
}

static enum progress
failed(const struct relay_member *member)
{
	if (errno == EAGAIN)
		return PROGRESS_FULL;
	if (errno != EPIPE)
		log_warn("group %s: events", member->key);
	return PROGRESS_BROKEN;
}

/* All of a short text, or nothing: pipe(7) promises that. */
static enum progress
put_text(struct relay_member *member, const char *text, size_t length)
{
	struct iovec piece = { .iov_base = (char *)(uintptr_t)text,
		.iov_len = length };

	return pipe_write(member->down, &piece, 1) == -1 ? failed(member) :
							   PROGRESS_DONE;
}

static enum progress
put_lost(struct relay_member *member, struct span *span)
{
	struct frame frame = { .type = FRAME_LOST, .number = span->untold };
	char text[FRAME_HEADER_MAX];
	enum progress progress;

	progress = put_text(member, text, frame_header(text, &frame));
	if (progress == PROGRESS_DONE)
		span->untold = 0;
	return progress;
}

static enum progress
put_span(struct relay_member *member, struct span *span, size_t *left)
{
	enum progress progress;
	struct view view;
	ssize_t n;
	bool lent;

	for (;;) {
		span_peek(span, &view);
		if (span->untold > 0 && !span_in_frame(span)) {
			progress = put_lost(member, span);
			if (progress != PROGRESS_DONE)
				return progress;
		}
		if (view.count == 0)
			return PROGRESS_DONE;
		if (*left == 0)
			return PROGRESS_FULL;
		lent = view.shared ||
		    (view.count == 1 && view.length >= LEND_MIN &&
			log_lends(span->log));
		n = lent ? pipe_lend(member->down, view.pieces, view.count) :
			   pipe_write(member->down, view.pieces, view.count);
		if (n == -1)
			return failed(member);
		span_take(span, (size_t)n, lent);
		if ((size_t)n < view.length)
			return PROGRESS_FULL;
		*left -= *left < view.length ? *left : view.length;
	}
}

static void
on_writable(int fd, void *arg)
{
	struct relay_member *member = arg;

	(void)fd;
	relay_member_flush(member);
	if (!member->broken)
		log_rest(member->audience->log);
}

static void
block(struct relay_member *member)
{
	if (member->blocked)
		return;
	if (member->down_watch == NULL)
		member->down_watch = loop_fd_new(member->relay->loop,
		    member->down, LOOP_WRITE, on_writable, member);
	else
		loop_fd_set(member->down_watch, true);
	/* Without a watch, it is tried again with the next event. */
	member->blocked = member->down_watch != NULL;
	relay_member_list(member);
}

static void
unblock(struct relay_member *member)
{
	if (!member->blocked)
		return;
	loop_fd_set(member->down_watch, false);
	member->blocked = false;
	relay_member_list(member);
}

static enum progress
put_items(struct relay_member *member)
{
	enum progress progress;
	size_t left = FLUSH_MAX;
	struct item *item;

	for (;;) {
		item = TAILQ_FIRST(&member->items);
		if (item->length > 0)
			progress = put_text(member, item->text, item->length);
		else
			progress = put_span(member, &item->span, &left);
		if (progress != PROGRESS_DONE ||
		    TAILQ_NEXT(item, entry) == NULL)
			return progress;
		relay_item_free(member, item);
	}
}

void
relay_member_flush(struct relay_member *member)
{
	switch (put_items(member)) {
	case PROGRESS_DONE:
		unblock(member);
		break;
	case PROGRESS_FULL:
		block(member);
		break;
	case PROGRESS_BROKEN:
		relay_member_break(member);
		return;
	}
	relay_uplink_resume(member);
}

void
relay_audience_flush(struct audience *audience)
{
	struct relay_member *member, *next;

	log_set_lends(audience->log,
	    PIPE_CAN_LEND && audience->npiped >= RELAY_CROWD);
	TAILQ_FOREACH_SAFE(member, &audience->ready, peer, next)
		relay_member_flush(member);
	log_rest(audience->log);
}
