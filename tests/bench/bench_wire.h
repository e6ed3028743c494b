/* SPDX-License-Identifier: ISC */
/*
 * How grouper, Redis, NATS and MQTT servers are spoken to: just what a
 * benchmark needs of each, so that no client library is measured with them,
 * but for what a publisher can ask its own.
 */
#ifndef TESTS_BENCH_BENCH_WIRE_H
#define TESTS_BENCH_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>

/* No text for the server is longer, but for a payload. */
#define WIRE_TEXT_MAX 256

/* What the server says. */
struct wire_message {
	const char *payload; /* NULL: no message */
	size_t length;
	bool confirms; /* a subscription */
};

/* Functions that write to a buffer return how much. */
struct wire {
	const char *name;

	/* What comes first; may be NULL. */
	size_t (*greet)(char *to, bool publisher);

	/* Whether anybody is subscribed; NULL where nobody can tell. */
	bool (*wanted)(unsigned int topic);

	/* Asks for a topic; the server is to confirm it. */
	size_t (*subscribe)(char *to, unsigned int topic);

	/* What stands before the payload of a message, and behind it. */
	size_t (*head)(char *to, unsigned int topic, size_t payload_size);
	const char *tail;

	/* Length of what begins at p, or 0 if not all of it is there. */
	size_t (*take)(const char *p, size_t held, struct wire_message *m);
};

/* NULL if there is none of that name. */
const struct wire *wire_find(const char *name);

#endif
