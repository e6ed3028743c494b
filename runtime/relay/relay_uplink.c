/* SPDX-License-Identifier: ISC */
/*
 * What members write to the relay: see relay.h.
 *
 * A turn reads an uplink once and acts on so much of it at most: who writes
 * faster is slowed down by its own pipe.  An uplink is not read while frames
 * from it await their turn, nor while its member leaves its confirmations
 * unread.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/relay/relay_private.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"

/*
 * Of one uplink in one turn: events, and bytes that these take in all logs or
 * that changes of its subscriptions move.
 */
#define TURN_EVENTS 4096
#define TURN_BYTES ((size_t)4 << 20)

/* Where a request is not to overtake its group's uplink. */
#define DRAIN_FACTOR 16

struct allowance {
	size_t events;
	size_t bytes;
};

static void
charge(struct allowance *allowance, size_t events, size_t bytes)
{
	allowance->events -= events < allowance->events ? events :
							  allowance->events;
	allowance->bytes -= bytes < allowance->bytes ? bytes : allowance->bytes;
}

static bool
is_spent(const struct allowance *allowance)
{
	return allowance->events == 0 || allowance->bytes == 0;
}

void
relay_uplink_close(struct relay_member *member)
{
	if (member->backlogged)
		TAILQ_REMOVE(&member->relay->backlog, member, backlog_entry);
	member->backlogged = false;
	loop_fd_free(member->up_watch);
	member->up_watch = NULL;
	fd_close(&member->up);
	frame_parser_fini(&member->parser);
}

static void
fail(struct relay_member *member, const char *why)
{
	log_warnx("group %s: its commands are not read any more: %s",
	    member->key, why);
	relay_uplink_close(member);
}

static enum grouper_error
publish(struct relay_member *member, const struct frame *frame,
    struct allowance *allowance)
{
	struct relay *relay = member->relay;
	struct passage passage = { .frame = *frame };
	struct relay_reach reach = { .topics = 1 };
	uint64_t before = relay->appended;
	enum grouper_error error;

	passage.frame.type = FRAME_EVENT;
	passage.frame.from = member->key;
	passage.frame.from_length = member->key_length;
	/* The first of a turn, of who sends one by one, waits for no other. */
	passage.at_once = frame->type != FRAME_BROADCAST && !relay->timer_set &&
	    !relay->bulk && frame_parser_held(&member->parser) == 0;
	member->published++;
	passage.others = frame->type == FRAME_OTHERS;
	if (passage.others)
		passage.except = member;
	if (frame->type == FRAME_BROADCAST)
		error = relay_pass_group(relay, &passage, &reach);
	else
		error = relay_pass(relay, &passage, &reach.reached);
	charge(allowance, 1 + reach.topics, (size_t)(relay->appended - before));
	return error;
}

static enum grouper_error
act(struct relay_member *member, const struct frame *frame,
    struct allowance *allowance)
{
	const struct audience_index *index = &member->relay->index;
	uint64_t before = index->moved;
	enum grouper_error error;

	if (frame_has_payload(frame->type))
		return publish(member, frame, allowance);
	error = relay_member_change(member, frame->name, frame->name_length,
	    frame->type == FRAME_SUBSCRIBE, true);
	charge(allowance, 1, (size_t)(index->moved - before));
	return error;
}

/* Its frames go on when others had their turn. */
static void
await_turn(struct relay_member *member)
{
	if (member->backlogged)
		return;
	member->backlogged = true;
	TAILQ_INSERT_TAIL(&member->relay->backlog, member, backlog_entry);
	relay_hurry(member->relay);
}

static void
watch(struct relay_member *member)
{
	bool on = !member->backlogged && !member->paused;

	if (member->up == -1 || on == member->reading)
		return;
	loop_fd_set(member->up_watch, on);
	member->reading = on;
}

/* Acts on the frames that were read, as far as it is their turn. */
static void
take(struct relay_member *member, struct allowance *allowance)
{
	struct frame frame;
	int got;

	for (;;) {
		member->paused = relay_member_stalled(member);
		if (member->paused)
			return;
		if (is_spent(allowance)) {
			await_turn(member);
			return;
		}
		got = frame_parser_next(&member->parser, &frame);
		if (got == 0)
			break;
		if (got == -1) {
			fail(member, "not a frame");
			return;
		}
		if (act(member, &frame, allowance) != GROUPER_OK) {
			fail(member, strerror(errno));
			return;
		}
	}
}

/* After it: gives the buffer back. */
static void
rest(struct relay_member *member)
{
	if (frame_parser_return(&member->parser) == -1)
		fail(member, strerror(errno));
	else
		frame_parser_trim(&member->parser);
}

/* Writes in bulk: may it do so in fewer pieces. */
static void
enlarge(struct relay_member *member)
{
	member->large = true;
	relay_enlarge_uplink(member->relay, member->up);
}

/*
 * Reads once, `most` bytes at most; returns how many, 0 if there are none or
 * the pipe is closed now.
 */
static size_t
read_once(struct relay_member *member, size_t most)
{
	size_t room;
	char *to;
	ssize_t n;

	/* But for the beginning of a long frame, one buffer serves all. */
	if (frame_parser_held(&member->parser) < RELAY_READ)
		frame_parser_lend(&member->parser, member->relay->buffer,
		    RELAY_BUFFER);
	to = frame_parser_room(&member->parser, RELAY_READ, &room);
	if (to == NULL)
		return 0;
	do
		n = read(member->up, to, room < most ? room : most);
	while (n == -1 && errno == EINTR);
	if (n > 0) {
		member->relay->bulk |= (size_t)n >= RELAY_BULK;
		if ((size_t)n >= PIPE_BUF && !member->large)
			enlarge(member);
		frame_parser_add(&member->parser, (size_t)n);
		return (size_t)n;
	}
	if (n == 0 && frame_parser_held(&member->parser) > 0)
		fail(member, "its end is no frame");
	else if (n == 0)
		relay_uplink_close(member);
	else if (errno != EAGAIN)
		fail(member, strerror(errno));
	return 0;
}

static void
on_readable(int fd, void *arg)
{
	struct relay_member *member = arg;
	struct allowance allowance = { TURN_EVENTS, TURN_BYTES };

	(void)fd;
	if (read_once(member, RELAY_READ) > 0)
		take(member, &allowance);
	rest(member);
	watch(member);
}

int
relay_uplink_open(struct relay_member *member)
{
	member->up_watch = loop_fd_new(member->relay->loop, member->up,
	    LOOP_READ, on_readable, member);
	member->reading = member->up_watch != NULL;
	return member->up_watch != NULL ? 0 : -1;
}

void
relay_uplink_resume(struct relay_member *member)
{
	if (!member->paused || relay_member_stalled(member))
		return;
	member->paused = false;
	await_turn(member);
}

void
relay_uplink_go_on(struct relay_member *member)
{
	struct allowance allowance = { TURN_EVENTS, TURN_BYTES };

	take(member, &allowance);
	rest(member);
	watch(member);
}

void
relay_drain_uplink(struct relay_member *member)
{
	struct allowance allowance = { TURN_EVENTS * DRAIN_FACTOR,
		TURN_BYTES * DRAIN_FACTOR };
	int waiting = 0;
	size_t left, n;

	if (member->up == -1 || ioctl(member->up, FIONREAD, &waiting) == -1)
		return;
	left = waiting > 0 ? (size_t)waiting : 0;
	take(member, &allowance);
	while (left > 0 && member->up != -1 && !member->paused &&
	    !is_spent(&allowance)) {
		n = read_once(member, left);
		left -= n;
		if (n > 0)
			take(member, &allowance);
		rest(member);
		if (n == 0)
			break;
	}
	if (member->up != -1)
		watch(member);
}
