/* SPDX-License-Identifier: ISC */
/*
 * What the files of the relay share: see relay.h.
 *
 *	relay.c		  events, and the end of a turn
 *	relay_member.c	  members and their subscriptions
 *	relay_down.c	  what is written to them
 *	relay_uplink.c	  what they write
 *	relay_listener.c  listeners, watches, presence
 */
#ifndef RUNTIME_RELAY_RELAY_PRIVATE_H
#define RUNTIME_RELAY_RELAY_PRIVATE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/relay/audience.h"
#include "runtime/relay/frame.h"
#include "runtime/relay/log.h"
#include "runtime/relay/relay.h"

struct loop_fd;
struct loop_timer;

/* Bytes read from an uplink at once; the buffer holds as many before them. */
#define RELAY_READ ((size_t)65536)
#define RELAY_BUFFER (2 * RELAY_READ)

/* Who writes so much between two turns writes in bulk. */
#define RELAY_BULK (RELAY_READ / 2)

/*
 * An audience of so many has a copy of each event to itself, in its log, and
 * shares the cost of fresh pages for it.
 */
#define RELAY_CROWD 8

/* What waits for a member, in order: a span, or a frame of its own. */
struct item {
	TAILQ_ENTRY(item) entry;
	struct span span; /* if length is 0 */
	size_t length;
	char text[];
};

TAILQ_HEAD(item_list, item);

struct relay_member {
	struct relay *relay;
	TAILQ_ENTRY(relay_member) entry; /* of all members */
	TAILQ_ENTRY(relay_member) peer;	 /* of its audience's */
	struct audience *audience;
	bool ready;		    /* listed as such */
	bool blocked;		    /* its pipe is full */
	bool broken;		    /* nobody reads it any more */
	int down;		    /* -1: none */
	struct loop_fd *down_watch; /* that it has room again */
	struct loop_fd *gone_watch; /* that it has no reader */
	struct item_list items;	    /* the last one is an open span, if piped */
	size_t nitems;
	int up;
	struct loop_fd *up_watch;
	bool reading;	 /* the watch is on */
	bool large;	 /* and the pipe was enlarged */
	bool paused;	 /* too many items */
	bool backlogged; /* frames were read that await their turn */
	TAILQ_ENTRY(relay_member) backlog_entry;
	struct frame_parser parser;
	uint64_t delivered; /* of spans that are gone */
	uint64_t lost;
	uint64_t published;
	size_t key_length;
	char key[];
};

struct relay_listener {
	TAILQ_ENTRY(relay_listener) entry; /* of its audience's */
	LIST_ENTRY(relay_listener) all;
	struct relay *relay;
	struct audience *audience;
	const struct relay_member *member;
	relay_listener_fn *fn; /* NULL: freed during a call */
	void *arg;
	uint64_t lost;
	char key[]; /* of its group; "": none */
};

struct relay_watch {
	LIST_ENTRY(relay_watch) entry;
	struct relay *relay;
	relay_watch_fn *fn; /* NULL: freed during a call */
	void *arg;
};

struct relay {
	struct loop *loop;
	struct loop_timer *timer; /* the end of a turn */
	bool timer_set;
	struct store store;
	struct audience_index index;
	struct topic_groups *groups;
	struct member_list members;
	size_t nmembers;
	struct member_list backlog;
	struct audience_list dirty;
	LIST_HEAD(, relay_listener) listeners;
	LIST_HEAD(, relay_watch) watches;
	unsigned int calling; /* callbacks */
	bool garbage;	      /* something was freed meanwhile */
	bool broken;	      /* a member's pipe broke */
	uint64_t seq;
	uint64_t mark;	    /* of events that were counted */
	uint64_t appended;  /* bytes, to all logs */
	uint64_t flushed;   /* the same, when members were written to last */
	bool bulk;	    /* events come in bulk, since then */
	bool deferred;	    /* members are written to a little later */
	unsigned int turns; /* in which they could have been */
	size_t enlarged;    /* bytes by which pipes were enlarged */
	char *buffer;	    /* that uplinks are read to */
};

/* relay.c */

/* An event whose names are valid. */
struct passage {
	struct frame frame; /* of type FRAME_EVENT; number is set by pass() */
	const struct relay_member *except; /* whom it is not for; or NULL */
	bool others;  /* nor is it for listeners of frame.from */
	bool at_once; /* each audience is written to before the next */
};

/* As relay_publish(). */
enum grouper_error relay_pass(struct relay *relay, struct passage *passage,
    size_t *reached);

/* As relay_broadcast(); frame.name is that of the group. */
enum grouper_error relay_pass_group(struct relay *relay,
    struct passage *passage, struct relay_reach *reach);

/* Frees an audience that nobody is in. */
void relay_audience_put(struct relay *relay, struct audience *audience);

/* The turn ends next, also if that was deferred. */
void relay_hurry(struct relay *relay);

/* The turn is to end soon: there is something to be done then. */
void relay_kick(struct relay *relay);
void relay_dirty(struct relay *relay, struct audience *audience);

/* relay_member.c */

enum grouper_error relay_error(void);

/* A text behind all that waits now; 0, or -1 with ENOMEM. */
int relay_member_tell(struct relay_member *member, enum frame_type type,
    const char *name, size_t length);

/* As relay_send(), of an event whose names are valid. */
enum grouper_error relay_member_pass(struct relay_member *member,
    const struct frame *frame);

/* As relay_member_subscribe(), with a confirmation. */
enum grouper_error relay_member_change(struct relay_member *member,
    const char *pattern, size_t length, bool on, bool confirm);

/* Of who writes in bulk: larger pipes mean fewer turns. */
void relay_enlarge_uplink(struct relay *relay, int up);

/* Into an audience of which it is not. */
int relay_member_move(struct relay_member *member, struct audience *audience);

/* Lists it where it belongs in its audience. */
void relay_member_list(struct relay_member *member);

void relay_item_free(struct relay_member *member, struct item *item);

/* So much waits for it, unread, that no more is to be made on its behalf. */
bool relay_member_stalled(const struct relay_member *member);

/* Those whose pipe broke lose their subscriptions; or one of them does. */
void relay_members_mend(struct relay *relay);
bool relay_member_mend(struct relay_member *member);

/* Its open span, at the end of its items; NULL if nothing is kept for it. */
struct span *relay_member_span(const struct relay_member *member);

/* relay_down.c */

void relay_member_flush(struct relay_member *member);
void relay_audience_flush(struct audience *audience);

/* Watches for the end of its reader; 0, or -1 with errno. */
int relay_down_open(struct relay_member *member);

/* Nothing can be written any more. */
void relay_member_break(struct relay_member *member);

/* relay_uplink.c */

int relay_uplink_open(struct relay_member *member);
void relay_uplink_close(struct relay_member *member);

/* Reads it again, if that waited for items that are gone now. */
void relay_uplink_resume(struct relay_member *member);

/* Frames that were read and await their turn. */
void relay_uplink_go_on(struct relay_member *member);

/* relay_listener.c */

/* How many of those that count it was not for. */
size_t relay_listeners_call(struct relay *relay, struct audience *audience,
    const struct passage *passage);
void relay_watches_call(struct relay_member *member, const char *pattern,
    bool joined);

/* After callbacks: frees what was freed in them. */
void relay_collect(struct relay *relay);

#endif
