/* SPDX-License-Identifier: ISC */
/*
 * What the talkers, programs that publish, listen and witness, and the tests
 * that start them know of each other.
 *
 * Topics are t:0 to t:7, mark, end and noise; the topic group g:N of a tree
 * holds t:N, and for odd N t:(N + 3) % 8 too.  Publishers broadcast messages
 * with running numbers to these groups.  Listeners change their subscriptions
 * at random, and publish a mark before and behind each change, so that its
 * place in the order of the host's events is known to whoever saw both marks.
 * The witness is subscribed to all, and publishers wait for it, so that it
 * loses nothing.  Listeners and the witness write what they saw into files,
 * one record a message.
 */

#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include <stdatomic.h>
#include <stdint.h>

#define TALK_TOPICS 8 /* t:0 ... */
#define TALK_MARK 8   /* the number of topic mark */
#define TALK_END 9
#define TALK_NOISE 10
#define TALK_TOPICS_ALL 11
#define TALK_PUBLISHERS 2

/* Patterns by number: those of topics, then these two. */
#define TALK_EVERY_T 11 /* t:* */
#define TALK_EVERY 12	/* * */
#define TALK_PATTERNS 13

/* Files in the directory of the test. */
#define TALK_BOARD "board"
#define TALK_WITNESS "witnessed"
#define TALK_HEARD "heard." /* and the life of the listener */
#define TALK_WRONG "wrong"  /* a line from who saw what must not be */

/* In shared memory: the board. */
struct talk_board {
	atomic_uint paused;			/* publishers shall pause */
	atomic_uint idle[TALK_PUBLISHERS];	/* and do */
	atomic_uint published[TALK_PUBLISHERS]; /* by its life of now */
	atomic_uint witnessed[TALK_PUBLISHERS];
};

/* What the payload of a publisher's message and of a mark begins with. */
struct talk_message {
	uint32_t life;	 /* of the publisher, or listener: a random number */
	uint32_t number; /* of the message; of the change, 0 the start's */
	uint16_t side;	 /* marks: 0 before, 1 behind the change */
	uint16_t who;	 /* publishers: which */
};

enum talk_kind { TALK_EVENT, TALK_LOST, TALK_CHANGED };

struct talk_record {
	uint64_t number; /* its seq; how many were lost */
	uint32_t life;	 /* marks: whose; changes: which */
	uint16_t change; /* marks: which */
	uint8_t kind;
	uint8_t topic : 4; /* of the event; the pattern of the change */
	uint8_t side : 1;  /* marks: behind; changes: subscribed */
};

/* What a listener's file begins with. */
struct talk_head {
	uint32_t life;
	uint32_t patterns; /* that it was started with, a bit each */
	char key[56];
};

/* The topics that patterns match, a bit each. */
static inline uint32_t
talk_topics_of(uint32_t patterns)
{
	uint32_t topics = patterns & ((1U << TALK_TOPICS_ALL) - 1);

	if (patterns & 1U << TALK_EVERY_T)
		topics |= (1U << TALK_TOPICS) - 1;
	if (patterns & 1U << TALK_EVERY)
		topics |= (1U << TALK_TOPICS_ALL) - 1;
	return topics;
}

#endif
