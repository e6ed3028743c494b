/* SPDX-License-Identifier: ISC */
/*
 * The relay: see relay.h.  Events go into the logs of the audiences that they
 * reach as they come.  Logs are offered to members when the turn of the loop
 * ends, or as soon as one is full.
 */
#include "runtime/relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/groups.h"
#include "runtime/relay/relay_private.h"
#include "runtime/relay/topic.h"
#include "runtime/util/bug.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"

/*
 * Writing may be put off for so long while events come in bulk, and for so
 * many turns in which there were more, but not beyond this part of the
 * budget.
 */
#define DEFER_MS 1
#define DEFER_SHARE 4
#define DEFER_TURNS 4

/*
 * Measured: frames this large, lent to pipes one by one, take half the time of
 * copies in so many logs; smaller ones more, where a page of a pipe holds
 * several.  What a reference takes.
 */
#define SHARE_FRAME ((size_t)2048)
#define SHARE_AUDIENCES 4
#define SHARE_COST ((size_t)64)
/*
 * But memory that was lent is not ours to write again: who sends one frame now
 * and then would wait for new pages at every third.  So much is copied instead.
 */
#define COPY_AT_ONCE ((size_t)256 << 10)

static void on_turn(void *arg);

struct relay *
relay_new(struct loop *loop, size_t budget)
{
	struct relay *relay;

	relay = calloc(1, sizeof(*relay));
	if (relay == NULL)
		return NULL;
	relay->loop = loop;
	store_init(&relay->store, budget > 0 ? budget : RELAY_BUDGET);
	audience_index_init(&relay->index, &relay->store);
	TAILQ_INIT(&relay->members);
	TAILQ_INIT(&relay->backlog);
	TAILQ_INIT(&relay->dirty);
	LIST_INIT(&relay->listeners);
	LIST_INIT(&relay->watches);
	relay->groups = topic_groups_new();
	relay->timer = loop_timer_new(loop, on_turn, relay);
	relay->buffer = malloc(RELAY_BUFFER);
	if (relay->buffer == NULL || relay->groups == NULL ||
	    relay->timer == NULL) {
		relay_free(relay);
		return NULL;
	}
	return relay;
}

void
relay_free(struct relay *relay)
{
	struct relay_member *member;
	struct relay_listener *listener;
	struct relay_watch *watch;

	if (relay == NULL)
		return;
	BUG_IF(relay->calling > 0);
	while ((watch = LIST_FIRST(&relay->watches)) != NULL)
		relay_watch_free(watch);
	while ((listener = LIST_FIRST(&relay->listeners)) != NULL)
		relay_listener_free(listener);
	while ((member = TAILQ_FIRST(&relay->members)) != NULL)
		relay_member_free(member);
	audience_index_fini(&relay->index);
	store_fini(&relay->store);
	topic_groups_free(relay->groups);
	loop_timer_free(relay->timer);
	free(relay->buffer);
	free(relay);
}

struct topic_groups *
relay_groups(struct relay *relay)
{
	return relay->groups;
}

/*
 * The end of a turn
 */

void
relay_kick(struct relay *relay)
{
	if (relay->timer_set)
		return;
	loop_timer_set(relay->timer, 0);
	relay->timer_set = true;
}

void
relay_hurry(struct relay *relay)
{
	loop_timer_set(relay->timer, 0);
	relay->timer_set = true;
}

void
relay_dirty(struct relay *relay, struct audience *audience)
{
	if (audience->dirty)
		return;
	audience->dirty = true;
	TAILQ_INSERT_TAIL(&relay->dirty, audience, dirty_entry);
	relay_kick(relay);
}

/* All of one audience become members of another one with equal patterns. */
static int
join(struct audience *audience, struct audience *other)
{
	struct relay_listener *listener;
	struct relay_member *member;

	while ((listener = TAILQ_FIRST(&audience->listeners)) != NULL) {
		TAILQ_REMOVE(&audience->listeners, listener, entry);
		TAILQ_INSERT_TAIL(&other->listeners, listener, entry);
		listener->audience = other;
	}
	other->ncounted += audience->ncounted;
	audience->ncounted = 0;
	while ((member = TAILQ_FIRST(&audience->ready)) != NULL ||
	    (member = TAILQ_FIRST(&audience->resting)) != NULL)
		if (relay_member_move(member, other) == -1)
			return -1;
	return 0;
}

static void
settle(struct relay *relay)
{
	struct audience *audience, *same;

	while ((audience = audience_settle(&relay->index, &same)) != NULL) {
		if (same == NULL)
			continue;
		/* Without memory they stay apart until later. */
		if (join(audience, same) == -1)
			return;
		if (audience->dirty)
			relay_dirty(relay, same);
		relay_audience_put(relay, audience);
	}
}

void
relay_audience_put(struct relay *relay, struct audience *audience)
{
	if (audience->nmembers > 0 || !TAILQ_EMPTY(&audience->listeners))
		return;
	if (audience->dirty)
		TAILQ_REMOVE(&relay->dirty, audience, dirty_entry);
	audience_put(&relay->index, audience);
}

/* Offers members what they have not been offered yet. */
static void
flush(struct relay *relay, struct audience *audience)
{
	TAILQ_REMOVE(&relay->dirty, audience, dirty_entry);
	audience->dirty = false;
	relay_audience_flush(audience);
}

static void
flush_dirty(struct relay *relay)
{
	struct audience *audience;

	relay->deferred = relay->bulk = false;
	relay->turns = 0;
	relay->flushed = relay->appended;
	while ((audience = TAILQ_FIRST(&relay->dirty)) != NULL)
		flush(relay, audience);
}

void
relay_flush(struct relay *relay)
{
	BUG_IF(relay->calling > 0);
	settle(relay);
	flush_dirty(relay);
	if (relay->broken)
		relay_members_mend(relay);
}

/* So much waits to be written that it is to be written now. */
static bool
is_much(const struct relay *relay)
{
	return relay->appended - relay->flushed >
	    relay->store.budget / DEFER_SHARE;
}

/*
 * While events come in bulk, more will come at once: a larger write to each
 * member is cheaper than two.  A log that is full is written anyway.
 */
static bool
defer(struct relay *relay)
{
	if (!relay->bulk || relay->deferred || !TAILQ_EMPTY(&relay->backlog) ||
	    is_much(relay))
		return false;
	relay->deferred = true;
	loop_timer_set(relay->timer, DEFER_MS);
	relay->timer_set = true;
	return true;
}

/*
 * Frames that were read await their turn: what comes of them is written
 * together with what there is.
 */
static bool
go_on(struct relay *relay)
{
	if (!relay->bulk || TAILQ_EMPTY(&relay->backlog) ||
	    relay->turns == DEFER_TURNS || is_much(relay))
		return false;
	relay->turns++;
	relay_kick(relay);
	return true;
}

static void
on_turn(void *arg)
{
	struct relay *relay = arg;
	struct member_list backlog;
	struct relay_member *member;

	relay->timer_set = false;
	if (defer(relay))
		return;
	if (!go_on(relay))
		relay_flush(relay);
	/* Who still has a backlog afterwards goes on in the next turn. */
	TAILQ_INIT(&backlog);
	TAILQ_CONCAT(&backlog, &relay->backlog, backlog_entry);
	while ((member = TAILQ_FIRST(&backlog)) != NULL) {
		TAILQ_REMOVE(&backlog, member, backlog_entry);
		member->backlogged = false;
		relay_uplink_go_on(member);
	}
}

/*
 * Events
 */

/* Memory is short: closes the pipe that has been stuck longest. */
static bool
break_stuck(struct relay *relay)
{
	const struct block *block = TAILQ_FIRST(&relay->store.pinned);
	struct relay_member *member;
	const struct item *item;

	if (block == NULL)
		return false;
	TAILQ_FOREACH(member, &relay->members, entry) {
		item = TAILQ_FIRST(&member->items);
		if (item == NULL || item->length > 0 || item->span.pin != block)
			continue;
		log_warnx("group %s: does not read its events: closed",
		    member->key);
		relay_member_break(member);
	}
	return true;
}

static bool
make_fit(struct relay *relay, struct audience *audience, size_t length,
    bool full, int (*renew)(struct log *, size_t))
{
	/* Nobody is to lose what was not even offered. */
	if (store_is_short(&relay->store))
		flush_dirty(relay);
	else if (full)
		relay_audience_flush(audience);
	while (renew(audience->log, length) == -1)
		if (!break_stuck(relay))
			return false;
	return true;
}

/* The span in a log that is not to see the event; NULL: there is none. */
static struct span *
find_except(const struct passage *passage, const struct log *log)
{
	struct span *span = NULL;

	if (passage->except != NULL)
		span = relay_member_span(passage->except);
	return span != NULL && span->log == log ? span : NULL;
}

/* An event as it is appended to the logs of a route. */
struct entry {
	char head[FRAME_HEADER_MAX];
	size_t head_length;
	size_t length;	      /* of the whole frame */
	struct shared shared; /* .block: NULL if it is not */
};

static void
entry_init(struct entry *entry, struct relay *relay, const struct route *route,
    const struct passage *passage)
{
	const struct frame *frame = &passage->frame;
	size_t audiences = 0, i;

	entry->shared.block = NULL;
	entry->head_length = frame_header(entry->head, frame);
	entry->length = entry->head_length + frame->payload_length + 1;
	if (entry->length < SHARE_FRAME ||
	    (passage->at_once && route->count * entry->length <= COPY_AT_ONCE))
		return;
	for (i = 0; i < route->count && audiences < SHARE_AUDIENCES; i++)
		audiences += route->audiences[i]->npiped > 0 &&
		    route->audiences[i]->npiped < RELAY_CROWD;
	if (audiences < SHARE_AUDIENCES)
		return;
	/* Nobody is to lose what was not even offered. */
	if (store_is_short(&relay->store))
		flush_dirty(relay);
	/* Without room for it, a log may still have some. */
	if (shared_init(&entry->shared, &relay->store, entry->head,
		entry->head_length, frame->payload, frame->payload_length) == 0)
		relay->appended += entry->length;
}

static void
append(struct relay *relay, struct audience *audience,
    const struct passage *passage, const struct entry *entry)
{
	const struct frame *frame = &passage->frame;
	bool shared = entry->shared.block != NULL &&
	    audience->npiped < RELAY_CROWD;
	size_t length = entry->length;
	struct log *log = audience->log;
	struct span *except;
	uint64_t at;
	bool fits;

	relay->appended += shared ? SHARE_COST : length;
	if (shared)
		fits = log_fits_shared(log, length) ||
		    make_fit(relay, audience, length,
			log_full_shared(log, length), log_renew_shared);
	else
		fits = log_fits(log, length) ||
		    make_fit(relay, audience, length, log_full(log, length),
			log_renew);
	/* Only now: the sender's pipe may have broken meanwhile. */
	except = find_except(passage, log);
	relay_dirty(relay, audience);
	if (!fits) {
		log_lose(log, except);
		return;
	}
	at = shared ? log_append_shared(log, &entry->shared) :
		      log_append(log, entry->head, entry->head_length,
			  frame->payload, frame->payload_length);
	if (except != NULL)
		span_skip(except, at, length);
}

/* To the audiences of one topic; returns how many are reached. */
static size_t
pass_route(struct relay *relay, const struct route *route,
    struct passage *passage)
{
	struct audience *audience;
	size_t reached = 0, own = 0, i;
	struct entry entry;

	entry.length = 0;
	entry.shared.block = NULL;

	passage->frame.number = ++relay->seq;
	for (i = 0; i < route->count; i++) {
		audience = route->audiences[i];
		if (audience->npiped > 0 && entry.length == 0)
			entry_init(&entry, relay, route, passage);
		if (audience->npiped > 0)
			append(relay, audience, passage, &entry);
		if (passage->at_once && audience->dirty)
			flush(relay, audience);
		if (audience->counted != relay->mark) {
			audience->counted = relay->mark;
			reached += audience->nmembers + audience->ncounted;
			if (passage->except != NULL &&
			    passage->except->audience == audience)
				reached--;
		}
		if (!TAILQ_EMPTY(&audience->listeners))
			own += relay_listeners_call(relay, audience, passage);
	}
	shared_fini(&entry.shared);
	return reached - own;
}

enum grouper_error
relay_pass(struct relay *relay, struct passage *passage, size_t *reached)
{
	const struct route *route;

	BUG_IF(relay->calling > 0);
	route = audience_route(&relay->index, passage->frame.name,
	    passage->frame.name_length);
	if (route == NULL)
		return GROUPER_SYSTEM;
	relay->mark++;
	*reached = pass_route(relay, route, passage);
	if (relay->garbage)
		relay_collect(relay);
	return GROUPER_OK;
}

enum grouper_error
relay_pass_group(struct relay *relay, struct passage *passage,
    struct relay_reach *reach)
{
	const struct route *route;
	char *const *topics;
	size_t count, i;
	enum grouper_error error;

	BUG_IF(relay->calling > 0);
	*reach = (struct relay_reach) { .known = false };
	error = topic_groups_topics(relay->groups, passage->frame.name, &topics,
	    &count);
	if (error == GROUPER_NOT_FOUND)
		return GROUPER_OK;
	if (error != GROUPER_OK)
		return error;
	reach->known = true;
	reach->topics = count;
	relay->mark++;
	for (i = 0; i < count; i++) {
		passage->frame.name = topics[i];
		passage->frame.name_length = strlen(topics[i]);
		route = audience_route(&relay->index, passage->frame.name,
		    passage->frame.name_length);
		if (route == NULL) {
			error = GROUPER_SYSTEM;
			break;
		}
		reach->reached += pass_route(relay, route, passage);
	}
	if (relay->garbage)
		relay_collect(relay);
	return error;
}

/* 0, or -1 if one of its parts is not valid, but for its topic. */
static int
take_event(struct passage *passage, const struct relay_event *event)
{
	struct frame *frame = &passage->frame;

	*passage = (struct passage) { .frame.type = FRAME_EVENT };
	frame->name = event->topic;
	frame->name_length = strnlen(event->topic, TOPIC_MAX + 1);
	frame->event = event->event;
	frame->event_length = strnlen(event->event, TOPIC_MAX + 1);
	frame->payload = event->payload;
	frame->payload_length = event->length;
	frame->from = event->from;
	if (event->from != NULL) {
		frame->from_length = strnlen(event->from, TOPIC_MAX + 1);
		if (!topic_name_valid(event->from, frame->from_length))
			return -1;
	}
	if (!topic_name_valid(frame->event, frame->event_length) ||
	    frame->payload_length > FRAME_PAYLOAD_MAX)
		return -1;
	return 0;
}

enum grouper_error
relay_publish(struct relay *relay, const struct relay_event *event,
    const struct relay_member *except, size_t *reached)
{
	struct passage passage;
	size_t count;

	if (take_event(&passage, event) == -1 ||
	    !topic_valid(passage.frame.name, passage.frame.name_length))
		return GROUPER_INVALID;
	passage.except = except;
	passage.others = event->others;
	return relay_pass(relay, &passage, reached != NULL ? reached : &count);
}

enum grouper_error
relay_broadcast(struct relay *relay, const struct relay_event *event,
    struct relay_reach *reach)
{
	struct passage passage;

	if (take_event(&passage, event) == -1)
		return GROUPER_INVALID;
	return relay_pass_group(relay, &passage, reach);
}

enum grouper_error
relay_send(struct relay_member *member, const struct relay_event *event)
{
	struct passage passage;

	if (take_event(&passage, event) == -1 ||
	    !topic_name_valid(passage.frame.name, passage.frame.name_length))
		return GROUPER_INVALID;
	/* The loop may not have told so yet. */
	if (!relay_member_connected(member))
		return GROUPER_NOT_FOUND;
	passage.frame.number = ++member->relay->seq;
	return relay_member_pass(member, &passage.frame);
}
