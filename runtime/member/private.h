/* SPDX-License-Identifier: ISC */
/*
 * A member as its own files see it, see grouper/member.h.
 */
#ifndef RUNTIME_MEMBER_PRIVATE_H
#define RUNTIME_MEMBER_PRIVATE_H

#include <sys/types.h>

#include <stdbool.h>
#include <sys/queue.h>

#include <jansson.h>

#include <grouper/member.h>

#include "runtime/control/client.h"
#include "runtime/relay/frame.h"
#include "runtime/relay/kept.h"

/* An S or U that the host has not confirmed. */
struct asked {
	STAILQ_ENTRY(asked) entry;
	char pattern[];
};

struct interest_table;

struct grouper_member {
	pid_t owner; /* who opened it: the only one that may use it */
	int down;
	int up;
	char *socket; /* path of the host's; NULL: not known */
	bool exact;   /* see member_read_exactly() */
	struct frame_parser parser;
	STAILQ_HEAD(, asked) asked; /* in the order of the confirmations */
	struct kept_list kept;	    /* came while a call waited */
	struct kept *current;	    /* what the caller looks at; may be NULL */
	/* What the host's subscribers want; NULL: not asked, or not told. */
	const struct interest_table *interest;
	bool interest_asked;
};

/* False in a forked child, and for NULL. */
bool member_is_ours(const struct grouper_member *member);

/*
 * Makes it read no byte behind the frame that is next, and no part of a frame
 * without the rest: whoever reads the pipe after it has all that follows.
 */
void member_read_exactly(struct grouper_member *member);

/*
 * Gives a member the pipes of this process's group, from the environment or
 * from its host, close-on-exec.  As grouper_member_open().
 */
enum grouper_error pipes_open(struct grouper_member *member);

/*
 * One request to the host and its answer, as client_call_fds(): params is
 * taken over, NULL stands for one that there was no memory for, got may be
 * NULL.  GROUPER_NO_GROUP if no host is there, or it is this process.
 */
enum grouper_error control_call(struct grouper_member *member,
    const char *method, json_t *params, json_t **result,
    struct client_fds *got);

/*
 * Writes a whole frame, however long that takes; payload and newline follow
 * the header where the type has them.  GROUPER_OK; GROUPER_NO_GROUP if nobody
 * reads; GROUPER_SYSTEM with errno.
 */
enum grouper_error uplink_write(int fd, const struct frame *frame);

#endif
