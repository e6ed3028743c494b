/* SPDX-License-Identifier: ISC */
/*
 * The methods that publish, and that tell who is subscribed.
 */
#include "runtime/bus/bus_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"
#include "runtime/control/params.h"
#include "runtime/control/payload.h"
#include "runtime/control/rpc.h"
#include "runtime/relay/frame.h"

/* So many members are listed by presence. */
#define PRESENCE_MAX 65536

bool
bus_event_of(struct call *call, const json_t *params, struct bus *bus,
    struct bus_caller *caller, struct relay_event *event, char **payload)
{
	size_t length;

	if (!bus_word(call, params, "event", WORD_EVENT, &event->event) ||
	    !bus_caller(bus, call, caller))
		return false;
	if (payload_take(params, payload, &length) == -1) {
		if (errno == EINVAL)
			call_fail_code(call, RPC_INVALID_PARAMS,
			    "expected a string, payload, or base64, "
			    "payload_base64");
		else
			call_fail(call, GROUPER_SYSTEM, strerror(errno));
		return false;
	}
	if (length > FRAME_PAYLOAD_MAX) {
		free(*payload);
		call_fail(call, GROUPER_INVALID,
		    "payload: expected 1 MiB at most");
		return false;
	}
	event->payload = *payload;
	event->length = length;
	event->from = *caller->key != '\0' ? caller->key : NULL;
	return true;
}

static void
method_publish(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	struct bus_caller caller;
	struct relay_event event = { 0 };
	const struct relay_member *except = NULL;
	enum grouper_error error;
	char *payload;
	size_t reached;
	bool others;

	if (!bus_word(call, params, "topic", WORD_TOPIC, &event.topic) ||
	    !params_bool(call, params, "others", false, &others) ||
	    !bus_event_of(call, params, bus, &caller, &event, &payload))
		return;
	event.others = others;
	if (others && caller.member != NULL)
		except = caller.member->relay;
	error = relay_publish(bus->relay, &event, except, &reached);
	free(payload);
	if (error == GROUPER_OK)
		call_result(call,
		    json_pack("{s:I}", "members", (json_int_t)reached));
	else
		bus_refuse(call, error);
}

static void
method_broadcast(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	struct bus_caller caller;
	struct relay_event event = { 0 };
	struct relay_reach reach;
	enum grouper_error error;
	char *payload;
	bool require;

	if (!bus_word(call, params, "group", WORD_GROUP, &event.topic) ||
	    !params_bool(call, params, "require", false, &require) ||
	    !bus_event_of(call, params, bus, &caller, &event, &payload))
		return;
	error = relay_broadcast(bus->relay, &event, &reach);
	free(payload);
	if (error != GROUPER_OK)
		bus_refuse(call, error);
	else if (require && (!reach.known || reach.reached == 0))
		call_fail(call, GROUPER_NOT_FOUND,
		    reach.known ? "nobody is subscribed to it" :
				  "no such topic group");
	else
		call_result(call,
		    json_pack("{s:b, s:I, s:I}", "known", reach.known, "topics",
			(json_int_t)reach.topics, "members",
			(json_int_t)reach.reached));
}

static int
compare_keys(const void *one, const void *other)
{
	const struct relay_member *const *a = one, *const *b = other;

	return strcmp(relay_member_key(*a), relay_member_key(*b));
}

const struct relay_member **
bus_presence(struct bus *bus, const char *topic, size_t *count)
{
	const struct relay_member **members;

	*count = relay_presence(bus->relay, topic, NULL, 0);
	members = calloc(*count + 1, sizeof(*members));
	if (members == NULL)
		return NULL;
	relay_presence(bus->relay, topic, members, *count);
	qsort((void *)members, *count, sizeof(*members), compare_keys);
	return members;
}

static json_t *
counters_of(const struct relay_member *member)
{
	struct relay_counters counters;

	relay_member_counters(member, &counters);
	return json_pack("{s:o, s:I, s:I, s:I, s:I}", "key",
	    json_text(relay_member_key(member)), "delivered",
	    (json_int_t)counters.delivered, "lost", (json_int_t)counters.lost,
	    "published", (json_int_t)counters.published, "queued",
	    (json_int_t)counters.queued);
}

static void
method_presence(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	const struct relay_member **members;
	struct bus_caller caller;
	const char *topic;
	json_t *answer, *list, *counts = NULL;
	size_t count, i;
	bool counted;

	if (!bus_word(call, params, "topic", WORD_TOPIC, &topic) ||
	    !params_bool(call, params, "counters", false, &counted) ||
	    !bus_caller(bus, call, &caller))
		return;
	members = bus_presence(bus, topic, &count);
	if (members == NULL) {
		call_fail(call, GROUPER_SYSTEM, strerror(errno));
		return;
	}
	list = json_array();
	if (counted)
		counts = json_array();
	for (i = 0; i < count && i < PRESENCE_MAX; i++) {
		json_add(&list, json_text(relay_member_key(members[i])));
		if (counted)
			json_add(&counts, counters_of(members[i]));
	}
	free((void *)members);
	answer = json_pack("{s:I, s:o}", "count", (json_int_t)count, "members",
	    list);
	if (counted)
		json_put(&answer, "counters", counts);
	call_result(call, answer);
}

/* The caller's group gets pipes of its own. */
static void
method_open(struct call *call, const json_t *params, void *arg)
{
	struct bus_caller caller;
	enum grouper_error error;
	int fds[2];

	(void)params;
	if (!bus_caller(arg, call, &caller))
		return;
	if (*caller.key == '\0') {
		call_fail(call, GROUPER_NO_GROUP,
		    "not in a group of this host");
		return;
	}
	error = bus_open(arg, caller.key, &fds[0], &fds[1]);
	if (error == GROUPER_ALREADY_EXISTS)
		call_fail(call, error,
		    "a process of the group reads its events already");
	else if (error != GROUPER_OK)
		bus_refuse(call, error);
	else
		call_result_fds(call,
		    json_pack("{s:o}", "key", json_text(caller.key)), fds, 2);
}

/* What publishers need not send. */
static void
method_interest(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	struct bus_caller caller;
	int table, fd;

	(void)params;
	if (!bus_caller(bus, call, &caller))
		return;
	table = relay_interest_fd(bus->relay);
	fd = table == -1 ? -1 : fcntl(table, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		bus_refuse(call, GROUPER_SYSTEM);
	else
		call_result_fds(call, json_object(), &fd, 1);
}

const struct server_method bus_event_methods[] = {
	{ "publish", method_publish, true },
	{ "broadcast", method_broadcast, true },
	{ "presence", method_presence, true },
	{ "interest", method_interest, true },
	{ "member.open", method_open, true },
	{ NULL, NULL, false },
};
