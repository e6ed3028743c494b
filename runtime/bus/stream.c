/* SPDX-License-Identifier: ISC */
/*
 * The stream of a client that subscribed over the control socket.
 */
#include "runtime/bus/bus_private.h"

#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/json_text.h"
#include "runtime/control/params.h"
#include "runtime/control/payload.h"
#include "runtime/os/os.h"

/* So much waits for a client that reads slowly; then it loses events. */
#define QUEUE_MAX ((size_t)2 << 20)
/* And so much for all of them; then only who has less than its share has
 * room, so that those who read lose nothing by those who do not. */
#define QUEUES_MAX ((size_t)64 << 20)
#define MESSAGE "message"

struct note {
	STAILQ_ENTRY(note) link;
	json_t *params;
	size_t size;
};

struct subscriber {
	struct bus *bus;
	struct call *call;
	struct relay_listener *listener; /* NULL: presence alone */
	struct relay_watch *watch;
	char **patterns; /* of the watch */
	size_t npatterns;
	STAILQ_HEAD(, note) notes;
	size_t size;
	uint64_t lost; /* notes that there was no room for */
};

static bool
has_room(const struct subscriber *subscriber, size_t size)
{
	const struct bus *bus = subscriber->bus;
	size_t own = subscriber->size + size;

	return (subscriber->size == 0 || own <= QUEUE_MAX) &&
	    (bus->unread + size <= QUEUES_MAX ||
		own <= QUEUES_MAX / bus->streams);
}

static void
take_room(struct subscriber *subscriber, size_t size)
{
	subscriber->size += size;
	subscriber->bus->unread += size;
}

static void
give_room(struct subscriber *subscriber, size_t size)
{
	subscriber->size -= size;
	subscriber->bus->unread -= size;
}

static bool
add(struct subscriber *subscriber, json_t *params, size_t size)
{
	struct note *note = calloc(1, sizeof(*note));

	if (note == NULL || params == NULL) {
		free(note);
		json_decref(params);
		return false;
	}
	note->params = params;
	note->size = size;
	STAILQ_INSERT_TAIL(&subscriber->notes, note, link);
	take_room(subscriber, size);
	return true;
}

static json_t *
tell_lost(uint64_t lost)
{
	return json_pack("{s:I}", "count", (json_int_t)lost);
}

static json_t *
tell_event(const struct relay_event *event)
{
	json_t *params = json_pack("{s:I, s:o, s:o, s:o}", "seq",
	    (json_int_t)event->seq, "topic", json_text(event->topic), "event",
	    json_text(event->event), "from",
	    event->from != NULL ? json_text(event->from) : json_null());

	if (params != NULL &&
	    payload_put(params, event->payload, event->length) == -1) {
		json_decref(params);
		params = NULL;
	}
	return params;
}

static bool
on_event(const struct relay_event *event, uint64_t lost, void *arg)
{
	struct subscriber *subscriber = arg;
	size_t size = sizeof(struct note) + 512 + 2 * event->length;

	if (!has_room(subscriber, size)) {
		if (subscriber->size > 0)
			return false;
		/* It waits for nothing else that would tell it. */
		subscriber->lost += lost + 1;
		call_wake(subscriber->call);
		return true;
	}
	if (lost > 0 && !add(subscriber, tell_lost(lost), sizeof(struct note)))
		return false;
	if (!add(subscriber, tell_event(event), size))
		subscriber->lost++;
	call_wake(subscriber->call);
	return true;
}

static void
on_presence(const struct relay_member *member, const char *pattern, bool joined,
    void *arg)
{
	struct subscriber *subscriber = arg;
	size_t i, size = sizeof(struct note) + 1024;

	for (i = 0; i < subscriber->npatterns; i++)
		if (topic_patterns_meet(subscriber->patterns[i], pattern))
			break;
	if (i == subscriber->npatterns)
		return;
	if (!has_room(subscriber, size) ||
	    !add(subscriber,
		json_pack("{s:s, s:o, s:o}", "presence",
		    joined ? "join" : "leave", "topic", json_text(pattern),
		    "key", json_text(relay_member_key(member))),
		size))
		subscriber->lost++;
	call_wake(subscriber->call);
}

/* What comes next for the client; NULL: nothing for now. */
static json_t *
next(void *arg)
{
	struct subscriber *subscriber = arg;
	struct note *note = STAILQ_FIRST(&subscriber->notes);
	json_t *params;

	if (note == NULL) {
		if (subscriber->listener != NULL)
			subscriber->lost +=
			    relay_listener_lost(subscriber->listener);
		if (subscriber->lost == 0)
			return NULL;
		params = tell_lost(subscriber->lost);
		if (params != NULL)
			subscriber->lost = 0;
		return params;
	}
	STAILQ_REMOVE_HEAD(&subscriber->notes, link);
	give_room(subscriber, note->size);
	params = note->params;
	free(note);
	return params;
}

static void
subscriber_free(void *arg)
{
	struct subscriber *subscriber = arg;
	size_t unread = subscriber->size;
	struct note *note;
	size_t i;

	if (subscriber->listener != NULL)
		relay_listener_free(subscriber->listener);
	if (subscriber->watch != NULL)
		relay_watch_free(subscriber->watch);
	while ((note = STAILQ_FIRST(&subscriber->notes)) != NULL) {
		STAILQ_REMOVE_HEAD(&subscriber->notes, link);
		give_room(subscriber, note->size);
		json_decref(note->params);
		free(note);
	}
	for (i = 0; i < subscriber->npatterns; i++)
		free(subscriber->patterns[i]);
	subscriber->bus->watched -= subscriber->npatterns;
	subscriber->bus->streams--;
	free(subscriber->patterns);
	free(subscriber);
	os_trim_heap_after(unread);
}

/* Whether they can all be patterns; if not, it was answered. */
static bool
are_patterns(struct call *call, const char **patterns, size_t count)
{
	char why[WORD_WHY_SIZE];
	size_t i;

	for (i = 0; i < count; i++)
		if (!word_valid(WORD_PATTERN, patterns[i], why)) {
			call_fail(call, GROUPER_INVALID, why);
			return false;
		}
	return true;
}

/* What is streamed; the patterns are the request's. */
struct wanted {
	const char **patterns;
	size_t npatterns; /* without repeated ones */
	bool events;
	bool presence;
};

static int
compare(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void
drop_repeated(struct wanted *wanted)
{
	const char **patterns = wanted->patterns;
	size_t i, count = 1;

	qsort((void *)patterns, wanted->npatterns, sizeof(*patterns), compare);
	for (i = 1; i < wanted->npatterns; i++)
		if (strcmp(patterns[i], patterns[count - 1]) != 0)
			patterns[count++] = patterns[i];
	wanted->npatterns = count;
}

/* 0, or -1 with errno. */
static int
watch(struct subscriber *subscriber, const struct wanted *wanted)
{
	struct bus *bus = subscriber->bus;
	size_t i;

	if (wanted->npatterns > BUS_WATCHED_MAX - bus->watched) {
		errno = ENOSPC;
		return -1;
	}
	subscriber->patterns = calloc(wanted->npatterns,
	    sizeof(*subscriber->patterns));
	if (subscriber->patterns == NULL)
		return -1;
	for (i = 0; i < wanted->npatterns; i++) {
		subscriber->patterns[i] = strdup(wanted->patterns[i]);
		if (subscriber->patterns[i] == NULL)
			return -1;
		subscriber->npatterns++;
		bus->watched++;
	}
	subscriber->watch = relay_watch_new(bus->relay, on_presence,
	    subscriber);
	return subscriber->watch != NULL ? 0 : -1;
}

/* key: of the caller's group, "" for none.  0; -1: it was answered. */
static int
subscribe(struct subscriber *subscriber, const char *key,
    const struct wanted *wanted)
{
	struct relay_listener_options options = {
		.patterns = wanted->patterns,
		.npatterns = wanted->npatterns,
		.fn = on_event,
		.arg = subscriber,
		.key = key,
	};
	enum grouper_error error = GROUPER_OK;

	if (wanted->events)
		error = relay_listener_new(subscriber->bus->relay, &options,
		    &subscriber->listener);
	if (error == GROUPER_OK && wanted->presence &&
	    watch(subscriber, wanted) == -1)
		error = GROUPER_SYSTEM;
	if (error == GROUPER_OK)
		return 0;
	bus_refuse(subscriber->call, error);
	return -1;
}

static void
start(struct bus *bus, struct call *call, const char *key,
    const struct wanted *wanted)
{
	struct subscriber *subscriber = calloc(1, sizeof(*subscriber));

	if (subscriber == NULL) {
		call_fail(call, GROUPER_SYSTEM, strerror(errno));
		return;
	}
	subscriber->bus = bus;
	bus->streams++;
	subscriber->call = call;
	STAILQ_INIT(&subscriber->notes);
	if (subscribe(subscriber, key, wanted) == -1) {
		subscriber_free(subscriber);
		return;
	}
	call_stream(call, json_object(), MESSAGE, next, subscriber_free,
	    subscriber);
}

static void
method_subscribe(struct call *call, const json_t *params, void *arg)
{
	struct bus_caller caller;
	struct wanted wanted;

	if (!params_bool(call, params, "presence", false, &wanted.presence) ||
	    !params_bool(call, params, "events", true, &wanted.events) ||
	    !params_strings(call, params, "patterns", &wanted.patterns,
		&wanted.npatterns))
		return;
	if (are_patterns(call, wanted.patterns, wanted.npatterns) &&
	    bus_caller(arg, call, &caller)) {
		drop_repeated(&wanted);
		start(arg, call, caller.key, &wanted);
	}
	free((void *)wanted.patterns);
}

const struct server_method bus_stream_methods[] = {
	{ "subscribe", method_subscribe, true },
	{ NULL, NULL, false },
};
