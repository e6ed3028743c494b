/* SPDX-License-Identifier: ISC */
/*
 * Subscriptions of a program that embeds a host, see grouper/topics.h.  The
 * relay must not be called while it tells of an event, but the program may
 * call anything: so messages wait for the next turn of the loop.
 */
#include <grouper/topics.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus/bus_private.h"
#include "runtime/relay/kept.h"
#include "runtime/util/loop.h"

/* So much waits for a program that is busy; then it loses events. */
#define QUEUE_MAX ((size_t)8 << 20)

struct grouper_subscription {
	struct grouper_host *host;
	struct relay_listener *listener;
	struct loop_timer *timer; /* messages wait */
	struct kept_list kept;
	size_t size;
	grouper_message_fn *on_message;
	void *arg;
	bool *freed; /* set if it is freed while it tells; else NULL */
};

static const struct grouper_message no_message = { .topic = "",
	.event = "",
	.payload = "" };

static bool
add(struct grouper_subscription *subscription,
    const struct grouper_message *message)
{
	struct kept *kept = kept_add(&subscription->kept, message);

	if (kept == NULL)
		return false;
	subscription->size += kept->size;
	return true;
}

static bool
add_lost(struct grouper_subscription *subscription, uint64_t lost)
{
	struct grouper_message message = no_message;

	message.kind = GROUPER_MESSAGE_LOST;
	message.lost = lost;
	return add(subscription, &message);
}

static bool
on_event(const struct relay_event *event, uint64_t lost, void *arg)
{
	struct grouper_subscription *subscription = arg;
	const struct grouper_message message = { .seq = event->seq,
		.topic = event->topic,
		.event = event->event,
		.from = event->from,
		.payload = event->payload,
		.length = event->length };
	struct kept *told;

	if (subscription->size + event->length > QUEUE_MAX)
		return false;
	if (lost > 0 && !add_lost(subscription, lost))
		return false;
	loop_timer_set(subscription->timer, 0);
	if (add(subscription, &message))
		return true;
	/* It will be told of this one and those before it together. */
	if (lost > 0) {
		told = STAILQ_LAST(&subscription->kept, kept, entry);
		told->message.lost++;
		return true;
	}
	return false;
}

static void
on_timer(void *arg)
{
	struct grouper_subscription *subscription = arg;
	const struct kept *last = STAILQ_LAST(&subscription->kept, kept, entry);
	bool freed = false, more = last != NULL;
	struct kept *kept;
	uint64_t lost = 0;

	subscription->freed = &freed;
	while (more) {
		kept = kept_take(&subscription->kept);
		more = kept != last;
		subscription->size -= kept->size;
		subscription->on_message(subscription->host, &kept->message,
		    subscription->arg);
		free(kept);
		if (freed)
			return;
	}
	subscription->freed = NULL;
	if (STAILQ_EMPTY(&subscription->kept))
		lost = relay_listener_lost(subscription->listener);
	if (lost > 0)
		add_lost(subscription, lost);
	/* What came meanwhile waits for its turn, as others do. */
	if (!STAILQ_EMPTY(&subscription->kept))
		loop_timer_set(subscription->timer, 0);
}

static enum grouper_error
begin(struct grouper_subscription *subscription, struct bus *bus,
    const char *const *patterns, size_t count)
{
	const struct relay_listener_options options = { .patterns = patterns,
		.npatterns = count,
		.fn = on_event,
		.arg = subscription };

	subscription->timer = loop_timer_new(host_loop(bus->host), on_timer,
	    subscription);
	if (subscription->timer == NULL)
		return GROUPER_SYSTEM;
	return relay_listener_new(bus->relay, &options,
	    &subscription->listener);
}

enum grouper_error
grouper_subscribe(struct grouper_host *host, const char *const *patterns,
    size_t count, grouper_message_fn *on_message, void *arg,
    struct grouper_subscription **subscription)
{
	struct grouper_subscription *made;
	enum grouper_error error;
	struct bus *bus;

	error = bus_public(host,
	    patterns != NULL && count > 0 && on_message != NULL &&
		subscription != NULL,
	    &bus);
	if (error != GROUPER_OK)
		return error;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return GROUPER_SYSTEM;
	made->host = host;
	made->on_message = on_message;
	made->arg = arg;
	STAILQ_INIT(&made->kept);
	error = begin(made, bus, patterns, count);
	if (error == GROUPER_OK)
		*subscription = made;
	else
		grouper_unsubscribe(made);
	return error;
}

void
grouper_unsubscribe(struct grouper_subscription *subscription)
{
	struct kept *kept;
	int saved = errno;

	if (subscription == NULL)
		return;
	if (subscription->freed != NULL)
		*subscription->freed = true;
	if (subscription->listener != NULL)
		relay_listener_free(subscription->listener);
	if (subscription->timer != NULL)
		loop_timer_free(subscription->timer);
	while ((kept = kept_take(&subscription->kept)) != NULL)
		free(kept);
	free(subscription);
	errno = saved;
}
