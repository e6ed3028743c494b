/* SPDX-License-Identifier: ISC */
/*
 * Messages: what a subscription brings to a member, a host or a client.
 *
 * Names of topics, topic groups and events have 1 to 255 bytes, no white
 * space and no control characters; topics do not begin or end with ':'.  A
 * pattern is a topic, or a prefix of topics with '*' behind it, "room:*", and
 * "*" alone is every topic.  A payload is any bytes, by convention JSON.
 */
#ifndef GROUPER_MESSAGE_H
#define GROUPER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <grouper/export.h>

GROUPER_BEGIN_DECLS

#define GROUPER_NAME_MAX 255		      /* bytes */
#define GROUPER_PAYLOAD_MAX ((size_t)1 << 20) /* bytes */

enum grouper_message_kind {
	GROUPER_MESSAGE_EVENT,	 /* was published or broadcast */
	GROUPER_MESSAGE_LOST,	 /* this reader was too slow: lost */
	GROUPER_MESSAGE_CHANGED, /* only of a member that did not wait for it:
				    its request for the pattern topic holds */
};

struct grouper_message {
	enum grouper_message_kind kind;
	uint64_t seq;	     /* number of the event at the host: it rises,
				gaps mean nothing */
	uint64_t lost;	     /* how many events */
	const char *topic;   /* "" where there is none */
	const char *event;   /* "" where there is none */
	const char *from;    /* key of the sender's group; NULL: it has none */
	const void *payload; /* never NULL; a 0 follows it, not counted */
	size_t length;	     /* bytes */
};

GROUPER_END_DECLS

#endif
