/* SPDX-License-Identifier: ISC */
/*
 * What the files of grouper listen share: where messages come from, and what
 * is done with them.
 */
#ifndef TOOLS_LISTEN_H
#define TOOLS_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/member.h>

#include "tools/remote.h"

/* Each function says what went wrong; this is its result if nothing did. */
#define LISTEN_ON (-1)
#define LISTEN_TIMED_OUT 124

enum heard_kind {
	HEARD_READY, /* the subscriptions hold */
	HEARD_EVENT,
	HEARD_LOST,
	HEARD_JOIN, /* from is subscribed to topic, a pattern, or was */
	HEARD_LEAVE,
};

struct heard {
	enum heard_kind kind;
	uint64_t seq;
	uint64_t lost;
	const char *topic;
	const char *event;
	const char *from; /* NULL: none */
	const char *payload;
	size_t length;
};

/* Where messages come from: the socket of a host, or the group's own pipe. */
struct listen_source {
	struct remote remote;
	char **patterns; /* NULL at the end */
	bool presence;	 /* joins and leaves, too */
	bool own;	 /* the pipe, or nothing */

	struct grouper_member *member; /* NULL: the socket */
	size_t unconfirmed;	       /* patterns */
	bool ready;		       /* HEARD_READY was told */
	json_t *message;	       /* what was heard, and its payload */
	char *payload;
};

/* Subscribes.  LISTEN_ON, or an exit status. */
int listen_source_open(struct listen_source *source);
void listen_source_close(struct listen_source *source);

/*
 * The next message, valid until the next call; HEARD_READY comes
 * once.  deadline: of clock_ms(), or -1.  LISTEN_ON; LISTEN_TIMED_OUT,
 * without a word; or another exit status.
 */
int listen_source_next(struct listen_source *source, int64_t deadline,
    struct heard *heard);

/* Prints one as a line; LISTEN_ON, or an exit status. */
int listen_print(const struct heard *heard, bool json);

/*
 * Runs a command for an event, and waits for it: its exit status, as a
 * shell's, or LISTEN_ON for 0.  Whether it failed is said.
 */
int listen_execute(const char *command, const struct heard *heard);

#endif
