/* SPDX-License-Identifier: ISC */
/*
 * What the suites of the relay share: a relay on a loop, and peers that hold
 * the members' ends of its pipes.  Everything fails the test itself.
 */
#ifndef TESTS_UNIT_RELAY_KIT_H
#define TESTS_UNIT_RELAY_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/relay/frame.h"
#include "runtime/relay/relay.h"

struct loop;
struct loop_timer;

struct kit {
	struct loop *loop;
	struct loop_timer *guard;
	struct relay *relay;
};

struct peer {
	struct kit *kit;
	struct relay_member *member;
	int down; /* its ends */
	int up;
	struct frame_parser parser;
	uint64_t seq;	   /* of the last event; the next must be higher */
	uint64_t received; /* events */
	uint64_t lost;
};

void kit_open(struct kit *kit, size_t budget);
void kit_close(struct kit *kit);

/* Rounds of the loop, which never block: enough for a frame's whole way. */
void kit_turn(struct kit *kit);

/* Publishes a text from nobody; returns how many it reached. */
size_t kit_publish(struct kit *kit, const char *topic, const char *payload);

/* Publishes so many bytes. */
void kit_publish_bytes(struct kit *kit, const char *topic, size_t length);

/* patterns: with blanks between. */
void peer_open(struct peer *peer, struct kit *kit, const char *key,
    const char *patterns);

/* Closes what is open; the member goes first, unless it is gone already. */
void peer_close(struct peer *peer);

/* To the uplink, all of it. */
void peer_send(struct peer *peer, const char *text);

/* Reads at most so many bytes of what is there; returns how many. */
size_t peer_read(struct peer *peer, size_t most);

/* The next frame of what was read; false if there is none. */
bool peer_parse(struct peer *peer, struct frame *frame);

/*
 * Reads on and compares: "E room:a note - hello", "R room:*", "L 5".  NULL:
 * nothing more is there.
 */
void peer_expect(struct peer *peer, const char *text);

/* Reads all there is, and turns the loop, until nothing comes any more. */
void peer_drain(struct peer *peer);

#endif
