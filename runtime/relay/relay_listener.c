/* SPDX-License-Identifier: ISC */
/*
 * Listeners, watches, and who is there: see relay.h.  What is freed while
 * callbacks run stays until they have returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/interest.h"
#include "runtime/relay/relay_private.h"
#include "runtime/relay/topic.h"

enum grouper_error
relay_listener_new(struct relay *relay,
    const struct relay_listener_options *options,
    struct relay_listener **result)
{
	struct relay_listener *listener;
	const char *key = options->key != NULL ? options->key : "";
	size_t size = strlen(key) + 1;
	struct audience *audience;

	audience = audience_get(&relay->index, options->patterns,
	    options->npatterns);
	if (audience == NULL)
		return relay_error();
	listener = calloc(1, sizeof(*listener) + size);
	if (listener == NULL) {
		relay_audience_put(relay, audience);
		return GROUPER_SYSTEM;
	}
	listener->relay = relay;
	listener->audience = audience;
	listener->fn = options->fn;
	listener->arg = options->arg;
	listener->member = options->member;
	memcpy(listener->key, key, size);
	TAILQ_INSERT_TAIL(&audience->listeners, listener, entry);
	LIST_INSERT_HEAD(&relay->listeners, listener, all);
	if (listener->member == NULL)
		audience->ncounted++;
	relay_kick(relay);
	*result = listener;
	return GROUPER_OK;
}

static void
remove_listener(struct relay_listener *listener)
{
	struct audience *audience = listener->audience;
	struct relay *relay = listener->relay;

	TAILQ_REMOVE(&audience->listeners, listener, entry);
	LIST_REMOVE(listener, all);
	free(listener);
	relay_audience_put(relay, audience);
}

void
relay_listener_free(struct relay_listener *listener)
{
	if (listener == NULL)
		return;
	if (listener->member == NULL)
		listener->audience->ncounted--;
	listener->fn = NULL;
	if (listener->relay->calling > 0)
		listener->relay->garbage = true;
	else
		remove_listener(listener);
}

uint64_t
relay_listener_lost(struct relay_listener *listener)
{
	uint64_t lost = listener->lost;

	listener->lost = 0;
	return lost;
}

/* It listens for the group that published this to others. */
static bool
is_own(const struct relay_listener *listener, const struct passage *passage)
{
	return passage->others && passage->frame.from != NULL &&
	    strcmp(listener->key, passage->frame.from) == 0;
}

size_t
relay_listeners_call(struct relay *relay, struct audience *audience,
    const struct passage *passage)
{
	const struct frame *frame = &passage->frame;
	struct relay_event event = { .seq = frame->number,
		.topic = frame->name,
		.event = frame->event,
		.from = frame->from,
		.payload = frame->payload,
		.length = frame->payload_length };
	struct relay_listener *listener;
	size_t own = 0;

	relay->calling++;
	TAILQ_FOREACH(listener, &audience->listeners, entry) {
		if (listener->fn == NULL ||
		    (passage->except != NULL &&
			passage->except == listener->member))
			continue;
		if (is_own(listener, passage)) {
			own++;
			continue;
		}
		if (listener->fn(&event, listener->lost, listener->arg))
			listener->lost = 0;
		else
			listener->lost++;
	}
	relay->calling--;
	return own;
}

/*
 * Watches
 */

struct relay_watch *
relay_watch_new(struct relay *relay, relay_watch_fn *fn, void *arg)
{
	struct relay_watch *watch;

	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return NULL;
	watch->relay = relay;
	watch->fn = fn;
	watch->arg = arg;
	LIST_INSERT_HEAD(&relay->watches, watch, entry);
	return watch;
}

static void
remove_watch(struct relay_watch *watch)
{
	LIST_REMOVE(watch, entry);
	free(watch);
}

void
relay_watch_free(struct relay_watch *watch)
{
	if (watch == NULL)
		return;
	watch->fn = NULL;
	if (watch->relay->calling > 0)
		watch->relay->garbage = true;
	else
		remove_watch(watch);
}

void
relay_watches_call(struct relay_member *member, const char *pattern,
    bool joined)
{
	struct relay *relay = member->relay;
	struct relay_watch *watch;

	if (LIST_EMPTY(&relay->watches))
		return;
	relay->calling++;
	LIST_FOREACH(watch, &relay->watches, entry)
		if (watch->fn != NULL)
			watch->fn(member, pattern, joined, watch->arg);
	relay->calling--;
	relay_collect(relay);
}

void
relay_collect(struct relay *relay)
{
	struct relay_listener *listener, *next_listener;
	struct relay_watch *watch, *next_watch;

	if (!relay->garbage || relay->calling > 0)
		return;
	relay->garbage = false;
	LIST_FOREACH_SAFE(listener, &relay->listeners, all, next_listener)
		if (listener->fn == NULL)
			remove_listener(listener);
	LIST_FOREACH_SAFE(watch, &relay->watches, entry, next_watch)
		if (watch->fn == NULL)
			remove_watch(watch);
}

/*
 * Presence
 */

static size_t
list_members(const struct member_list *list,
    const struct relay_member **members, size_t max, size_t count)
{
	const struct relay_member *member;

	TAILQ_FOREACH(member, list, peer) {
		if (count < max)
			members[count] = member;
		count++;
	}
	return count;
}

size_t
relay_presence(struct relay *relay, const char *topic,
    const struct relay_member **members, size_t max)
{
	size_t length = strnlen(topic, TOPIC_MAX + 1), count = 0, i;
	const struct audience *audience;
	const struct route *route;

	if (!topic_valid(topic, length))
		return 0;
	route = audience_route(&relay->index, topic, length);
	for (i = 0; route != NULL && i < route->count; i++) {
		audience = route->audiences[i];
		count = list_members(&audience->ready, members, max, count);
		count = list_members(&audience->resting, members, max, count);
	}
	return count;
}

int
relay_interest_fd(struct relay *relay)
{
	const struct interest *interest = audience_interest(&relay->index);

	return interest != NULL ? interest_fd(interest) : -1;
}
