/* SPDX-License-Identifier: ISC */
/*
 * The relay of a host: takes events and passes them on to the members that
 * subscribed to their topics.
 *
 * Each member has two pipes of frames, see frame.h.  Members whose
 * subscriptions are equal, an audience, share one log of frames: an event is
 * encoded once and written to each member's pipe from there, in one write(2)
 * of all that the member has not seen, in the turn of the loop in which it
 * came, or, while events come in bulk, a few turns or a millisecond later.
 * Of a large event that reaches several audiences there is one copy, to which
 * their logs and the pipes refer.
 *
 * Nobody waits for a member that reads slowly.  What it leaves unread stays
 * in the log until the host's budget for all logs is used up; then the oldest
 * goes, and those who have not read it are told how much they lost, by one L
 * between two whole frames.
 *
 * Memory: logs, halves of frames, skips and confirmations take `budget` bytes
 * at most, or little more.  Besides, the uplink of a member takes FRAME_MAX
 * and two pipes' content while half a frame is there, else nothing, and a
 * subscription some 100 bytes and its text.  A member whose pipe holds half a
 * frame when that frame leaves its log pins it; if pins leave no room for an
 * event, the pipes that have been stuck longest are closed, which their
 * readers see.
 *
 * SIGPIPE must be ignored or blocked.  Where not said otherwise, no function
 * may be called from a callback, and all strings are copied.
 */
#ifndef RUNTIME_RELAY_RELAY_H
#define RUNTIME_RELAY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>

#define RELAY_BUDGET ((size_t)64 << 20)

/*
 * Subscriptions of all audiences together.  A member whose S goes beyond
 * loses its uplink, as for what is no frame.
 */
#define RELAY_SUBSCRIPTIONS_MAX ((size_t)1 << 20)

struct loop;
struct relay;
struct relay_listener;
struct relay_member;
struct relay_watch;
struct topic_groups;

/*
 * budget: in bytes; 0 for RELAY_BUDGET.  An event that is larger than all of
 * it is lost to all.  NULL with errno.
 */
struct relay *relay_new(struct loop *loop, size_t budget);

/* Frees its members, listeners and watches, too. */
void relay_free(struct relay *relay);

/* The topic groups that broadcasts go to; the relay's. */
struct topic_groups *relay_groups(struct relay *relay);

/* Writes what pipes take now, instead of at the end of the turn. */
void relay_flush(struct relay *relay);

/*
 * Events
 */

struct relay_event {
	uint64_t seq;	   /* the host's number; set by the relay */
	const char *topic; /* or the topic group, to relay_broadcast() */
	const char *event;
	const char *from;    /* key of the sender's group; NULL: none */
	bool others;	     /* not for listeners of that group */
	const char *payload; /* any bytes */
	size_t length;	     /* of it, FRAME_PAYLOAD_MAX at most */
};

/*
 * Passes an event on to whoever subscribed to its topic, but not to `except`
 * (NULL: to all).  *reached, if not NULL: how many members and listeners.
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a name, topic or payload that is
 * none; GROUPER_SYSTEM with errno.
 */
enum grouper_error relay_publish(struct relay *relay,
    const struct relay_event *event, const struct relay_member *except,
    size_t *reached);

/*
 * Passes an event on to each topic of a group in byte order, as so many
 * events with nothing in between.  To an unknown group it does nothing.
 */
struct relay_reach {
	bool known;
	size_t topics;
	size_t reached; /* each member counts once */
};

enum grouper_error relay_broadcast(struct relay *relay,
    const struct relay_event *event, struct relay_reach *reach);

/*
 * Passes an event on to one member, whatever it is subscribed to; its topic
 * may be any name.  As relay_publish(); GROUPER_NOT_FOUND if the member has no
 * pipe that is read; GROUPER_SYSTEM with ENOSPC if it leaves too many unread.
 */
enum grouper_error relay_send(struct relay_member *member,
    const struct relay_event *event);

/*
 * Members: one for each incarnation.
 */

struct relay_member_options {
	const char *key; /* need not be the only one of that key */
	const char *const *patterns;
	size_t npatterns;
	bool pipeless; /* subscribed, but is sent nothing */
};

struct relay_counters {
	uint64_t delivered; /* events written to its pipe */
	uint64_t lost;
	uint64_t published; /* by its uplink */
	size_t queued;	    /* bytes that wait for it */
};

/*
 * Makes a member and its pipes.  down, up: the member's ends, to read from
 * and to write to, blocking and close-on-exec; the caller's, who closes them
 * once the member has them (-1 if pipeless, and on failure).
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a pattern that is none;
 * GROUPER_SYSTEM with errno, ENOSPC for too many subscriptions.
 */
enum grouper_error relay_member_new(struct relay *relay,
    const struct relay_member_options *options, struct relay_member **result,
    int *down, int *up);

/* Forgets what is still in its uplink and what waits for it. */
void relay_member_free(struct relay_member *member);

/*
 * Takes what the member's uplink holds now: before a request of its group is
 * acted on, and when its group has ended.  Of a member that floods, which may
 * ask for a thousand times as much work as it writes, it takes a part.
 */
void relay_drain_uplink(struct relay_member *member);

/* Whether its pipe down still has a reader. */
bool relay_member_connected(const struct relay_member *member);

/* As S and U, but without a confirmation.  Errors as relay_member_new(). */
enum grouper_error relay_member_subscribe(struct relay_member *member,
    const char *pattern);
enum grouper_error relay_member_unsubscribe(struct relay_member *member,
    const char *pattern);

/* May be called from any callback. */
const char *relay_member_key(const struct relay_member *member);
void relay_member_counters(const struct relay_member *member,
    struct relay_counters *counters);

/* Pattern number `index` of a member in no order; NULL behind the last. */
const char *relay_member_pattern(const struct relay_member *member,
    size_t index);

/*
 * Presence
 */

/*
 * The members that are subscribed to a topic, at most max stored, and their
 * number.  A member whose pipe down has no reader any more is subscribed to
 * nothing, from the turn of the loop on that sees it.  A watch's callback may
 * call it, a listener's not: an event is on its way then.
 */
size_t relay_presence(struct relay *relay, const char *topic,
    const struct relay_member **members, size_t max);

/*
 * A descriptor of the table that tells publishers what nobody is subscribed
 * to, see interest.h; the relay's.  -1 with errno.
 */
int relay_interest_fd(struct relay *relay);

/* A member subscribed to a pattern or no longer is. */
typedef void relay_watch_fn(const struct relay_member *member,
    const char *pattern, bool joined, void *arg);

/* NULL with errno.  A watch may be freed in any callback. */
struct relay_watch *relay_watch_new(struct relay *relay, relay_watch_fn *fn,
    void *arg);
void relay_watch_free(struct relay_watch *watch);

/*
 * Listeners: in this process, in place of a pipe.
 */

/*
 * An event, valid during the call.  lost: how many this listener lost before
 * this one.  Returns whether it took the event and knows what it lost; if it
 * did not, the event counts as lost.
 */
typedef bool relay_listener_fn(const struct relay_event *event, uint64_t lost,
    void *arg);

struct relay_listener_options {
	const char *const *patterns;
	size_t npatterns;
	relay_listener_fn *fn;
	void *arg;
	/*
	 * NULL, or on whose behalf it listens: does not count as reached, and
	 * is not called for what that member publishes to others.
	 */
	const struct relay_member *member;
	/*
	 * NULL, or the key of the group that it listens for: it counts, and is
	 * not called for what that group publishes to others.
	 */
	const char *key;
};

/* Errors as relay_member_new(). */
enum grouper_error relay_listener_new(struct relay *relay,
    const struct relay_listener_options *options,
    struct relay_listener **result);

/* May be called from any callback. */
void relay_listener_free(struct relay_listener *listener);

/* What it lost since it last took an event; the count begins at 0 again. */
uint64_t relay_listener_lost(struct relay_listener *listener);

#endif
