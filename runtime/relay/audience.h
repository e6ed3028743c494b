/* SPDX-License-Identifier: ISC */
/*
 * Audiences: who is subscribed to what.  Subscribers whose patterns are equal
 * are of one audience; a topic is looked up once and gives all audiences that
 * it reaches.
 *
 * An audience of one subscriber is changed in place, and equal ones are
 * joined only when the relay settles, at the end of a turn: so many changes
 * that come together cost little.
 */
#ifndef RUNTIME_RELAY_AUDIENCE_H
#define RUNTIME_RELAY_AUDIENCE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audience;
struct audience_link;
struct interest;
struct log;
struct pattern;
struct relay_listener;
struct relay_member;
struct route;

TAILQ_HEAD(audience_list, audience);
TAILQ_HEAD(member_list, relay_member);
TAILQ_HEAD(listener_list, relay_listener);
RB_HEAD(audience_tree, audience);
RB_HEAD(pattern_tree, pattern);
RB_HEAD(route_tree, route);

struct audience {
	RB_ENTRY(audience) entry; /* if settled */
	TAILQ_ENTRY(audience) unsettled_entry;
	TAILQ_ENTRY(audience) dirty_entry;
	bool settled;
	bool dirty; /* its log has what was not yet offered to its members */
	struct audience_link **links; /* in order of their patterns' numbers */
	size_t nlinks;
	size_t size;
	uint64_t mark;	  /* of the last search that found it */
	uint64_t counted; /* the last event that was counted as reaching it */
	struct log *log;
	/* Members that take frames now, and those that do not. */
	struct member_list ready;
	struct member_list resting;
	size_t nmembers;
	size_t npiped; /* of them, those for whom the log is kept */
	struct listener_list listeners;
	size_t ncounted; /* of them, those that count as reached */
};

/* A topic's audiences; valid until the index changes. */
struct route {
	RB_ENTRY(route) entry;
	SLIST_ENTRY(route) listed;
	struct route *follower; /* the route that was asked for after it */
	uint64_t generation;
	struct audience **audiences;
	size_t count;
	size_t size;
	size_t length;
	char topic[];
};

struct store;

struct audience_index {
	struct store *store; /* of the logs */
	struct pattern_tree exact;
	struct pattern_tree prefixes;
	size_t prefix_lengths[256]; /* how many prefixes of each length */
	struct interest *interest;  /* the same for publishers; or NULL */
	uint64_t next_pattern;
	size_t nlinks;	/* of all audiences */
	uint64_t moved; /* bytes, when audiences were changed or copied */
	struct audience_tree settled;
	struct audience_list unsettled;
	struct route_tree routes;
	SLIST_HEAD(, route) all_routes;
	size_t nroutes;
	struct route *last;  /* the route that was asked for last */
	uint64_t generation; /* of routes that are right */
	uint64_t mark;
};

void audience_index_init(struct audience_index *index, struct store *store);

/* All audiences must be gone. */
void audience_index_fini(struct audience_index *index);

/*
 * An audience with these patterns, or one that is there and has the same.
 * NULL with errno: EINVAL for what is no pattern, ENOSPC for too many.
 */
struct audience *audience_get(struct audience_index *index,
    const char *const *patterns, size_t count);

/* A new one with the patterns of another; NULL with errno. */
struct audience *audience_copy(struct audience_index *index,
    const struct audience *from);

/* Frees it if nobody is in it. */
void audience_put(struct audience_index *index, struct audience *audience);

/* Changes one; 1 if it had to be, 0 if not, -1 with errno. */
int audience_add(struct audience_index *index, struct audience *audience,
    const char *pattern, size_t length);
int audience_remove(struct audience_index *index, struct audience *audience,
    const char *pattern, size_t length);
bool audience_has(const struct audience_index *index,
    const struct audience *audience, const char *pattern, size_t length);

/*
 * The next audience to settle, which then is; *same is set to one with equal
 * patterns, to which everybody should go, or NULL.
 */
struct audience *audience_settle(struct audience_index *index,
    struct audience **same);

/* Pattern number i in no order; NULL behind the last. */
const char *audience_pattern(const struct audience *audience, size_t i);

/* For publishers, made at the first call; NULL with errno. */
const struct interest *audience_interest(struct audience_index *index);

/* Who is reached by a topic; NULL with errno. */
const struct route *audience_route(struct audience_index *index,
    const char *topic, size_t length);

#endif
