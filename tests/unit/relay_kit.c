/* SPDX-License-Identifier: ISC */
/*
 * What the suites of the relay share: see relay_kit.h.
 */
#include "tests/unit/relay_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/fd.h"
#include "runtime/util/loop.h"
#include "support.h"

#define TURNS 4
#define PATTERNS_MAX 64
#define PIPE_SIZE 65536

static void
on_guard(void *arg)
{
	(void)arg;
}

void
kit_open(struct kit *kit, size_t budget)
{
	signal(SIGPIPE, SIG_IGN);
	kit->loop = loop_new(NULL);
	ck_assert_ptr_nonnull(kit->loop);
	kit->guard = loop_timer_new(kit->loop, on_guard, NULL);
	ck_assert_ptr_nonnull(kit->guard);
	kit->relay = relay_new(kit->loop, budget);
	ck_assert_ptr_nonnull(kit->relay);
}

void
kit_close(struct kit *kit)
{
	relay_free(kit->relay);
	loop_timer_free(kit->guard);
	loop_free(kit->loop);
}

void
kit_turn(struct kit *kit)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		loop_timer_set(kit->guard, 0);
		ck_assert_int_eq(loop_once(kit->loop), 0);
	}
	/* What came in bulk may be written a little later. */
	relay_flush(kit->relay);
}

static size_t
publish(struct kit *kit, const char *topic, const char *payload, size_t length)
{
	struct relay_event event = { .topic = topic,
		.event = "note",
		.payload = payload,
		.length = length };
	size_t reached = 0;

	ck_assert_int_eq(relay_publish(kit->relay, &event, NULL, &reached),
	    GROUPER_OK);
	return reached;
}

size_t
kit_publish(struct kit *kit, const char *topic, const char *payload)
{
	return publish(kit, topic, payload, strlen(payload));
}

void
kit_publish_bytes(struct kit *kit, const char *topic, size_t length)
{
	char *payload = malloc(length + 1);

	ck_assert_ptr_nonnull(payload);
	memset(payload, '.', length);
	publish(kit, topic, payload, length);
	free(payload);
}

void
peer_open(struct peer *peer, struct kit *kit, const char *key,
    const char *patterns)
{
	char *copy = strdup(patterns), *save, *word;
	const char *list[PATTERNS_MAX];
	struct relay_member_options options = { .key = key, .patterns = list };

	*peer = (struct peer) { .kit = kit, .down = -1, .up = -1 };
	frame_parser_init(&peer->parser, FRAME_DOWN);
	for (word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		list[options.npatterns++] = word;
	ck_assert_int_eq(relay_member_new(kit->relay, &options, &peer->member,
			     &peer->down, &peer->up),
	    GROUPER_OK);
	free(copy);
	/* As much as pipes hold anywhere. */
	ck_assert_int_eq(fcntl(peer->down, F_SETPIPE_SZ, PIPE_SIZE), PIPE_SIZE);
	ck_assert_int_eq(fcntl(peer->up, F_SETPIPE_SZ, PIPE_SIZE), PIPE_SIZE);
}

void
peer_close(struct peer *peer)
{
	relay_member_free(peer->member);
	peer->member = NULL;
	fd_close(&peer->down);
	fd_close(&peer->up);
	frame_parser_fini(&peer->parser);
}

void
peer_send(struct peer *peer, const char *text)
{
	ck_assert_int_eq(write(peer->up, text, strlen(text)),
	    (ssize_t)strlen(text));
}

size_t
peer_read(struct peer *peer, size_t most)
{
	struct pollfd pfd = { .fd = peer->down, .events = POLLIN };
	size_t room;
	ssize_t n;
	char *to;

	if (most == 0 || poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLIN) == 0)
		return 0;
	to = frame_parser_room(&peer->parser, most, &room);
	ck_assert_ptr_nonnull(to);
	n = read(peer->down, to, most);
	ck_assert_int_gt(n, 0);
	frame_parser_add(&peer->parser, (size_t)n);
	return (size_t)n;
}

bool
peer_parse(struct peer *peer, struct frame *frame)
{
	int got = frame_parser_next(&peer->parser, frame);

	ck_assert_int_ge(got, 0);
	if (got == 0)
		return false;
	if (frame->type == FRAME_EVENT) {
		ck_assert_uint_gt(frame->number, peer->seq);
		peer->seq = frame->number;
		peer->received++;
	} else if (frame->type == FRAME_LOST) {
		ck_assert_uint_gt(frame->number, 0);
		peer->lost += frame->number;
	}
	return true;
}

static bool
next(struct peer *peer, struct frame *frame)
{
	while (!peer_parse(peer, frame))
		if (peer_read(peer, 65536) == 0)
			return false;
	return true;
}

static void
tell(char *to, size_t size, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_EVENT:
		snprintf(to, size, "E %s %s %s %s", frame->name, frame->event,
		    frame->from != NULL ? frame->from : "-", frame->payload);
		break;
	case FRAME_LOST:
		snprintf(to, size, "L %llu", (unsigned long long)frame->number);
		break;
	default:
		snprintf(to, size, "%c %s", (char)frame->type, frame->name);
	}
}

void
peer_expect(struct peer *peer, const char *text)
{
	struct frame frame;
	char told[1024] = "nothing";

	if (next(peer, &frame))
		tell(told, sizeof(told), &frame);
	ck_assert_str_eq(told, text != NULL ? text : "nothing");
}

void
peer_drain(struct peer *peer)
{
	struct frame frame;
	size_t n;

	do {
		kit_turn(peer->kit);
		n = peer_read(peer, 65536);
		while (peer_parse(peer, &frame))
			;
	} while (n > 0);
}
