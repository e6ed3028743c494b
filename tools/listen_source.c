/* SPDX-License-Identifier: ISC */
/*
 * Where grouper listen has its messages from, see listen.h.
 *
 * Whatever comes by the pipe is its group's, so that no more is read from it
 * than is told: who reads it next goes on with the next event.
 */
#include "tools/listen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/payload.h"
#include "runtime/member/private.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "tools/json.h"
#include "tools/tool.h"

static int64_t
left(int64_t deadline)
{
	int64_t now = clock_ms();

	if (deadline == -1)
		return -1;
	return deadline > now ? deadline - now : 0;
}

static int
host_has_ended(void)
{
	tool_error("listen", "the host has ended");
	return TOOL_NO;
}

/* The pipe of the group */

static bool
has_hung_up(const struct grouper_member *member)
{
	return fd_await(grouper_member_fd(member), 0, clock_deadline(0)) == 1;
}

static int
fail_member(const struct listen_source *source, enum grouper_error error)
{
	if (error == GROUPER_TIMED_OUT)
		return LISTEN_TIMED_OUT;
	if (error == GROUPER_NO_GROUP && has_hung_up(source->member))
		return host_has_ended();
	if (error == GROUPER_NO_GROUP) {
		tool_error("listen",
		    "the host does not read the pipe of the group any more");
		return TOOL_NO;
	}
	tool_error("listen", "the pipe of the group: %s",
	    error == GROUPER_SYSTEM ? strerror(errno) :
				      grouper_strerror(error));
	return TOOL_NO;
}

static int
subscribe_member(struct listen_source *source)
{
	enum grouper_error error = GROUPER_OK;
	size_t i;

	member_read_exactly(source->member);
	for (i = 0; source->patterns[i] != NULL && error == GROUPER_OK; i++)
		error = grouper_member_subscribe(source->member,
		    source->patterns[i], 0);
	source->unconfirmed = i;
	return error == GROUPER_OK ? LISTEN_ON : fail_member(source, error);
}

static int
fail_own(const struct listen_source *source, enum grouper_error error)
{
	if (error == GROUPER_ALREADY_EXISTS) {
		tool_error("listen",
		    "another process reads the pipe of the group");
		return TOOL_NO;
	}
	if (error == GROUPER_NO_GROUP) {
		tool_error("listen", "in no group of a host");
		return 122;
	}
	return fail_member(source, error);
}

/* HEARD_READY stands for one more pattern that is confirmed. */
static int
next_of_member(struct listen_source *source, int64_t deadline,
    struct heard *heard)
{
	struct grouper_message message;
	enum grouper_error error;

	error = grouper_member_next(source->member, left(deadline), &message);
	if (error != GROUPER_OK)
		return fail_member(source, error);
	*heard = (struct heard) { .kind = HEARD_EVENT,
		.seq = message.seq,
		.lost = message.lost,
		.topic = message.topic,
		.event = message.event,
		.from = message.from,
		.payload = message.payload,
		.length = message.length };
	if (message.kind == GROUPER_MESSAGE_LOST)
		heard->kind = HEARD_LOST;
	if (message.kind == GROUPER_MESSAGE_CHANGED) {
		heard->kind = HEARD_READY;
		source->unconfirmed--;
	}
	return LISTEN_ON;
}

/* The socket of a host */

static int
subscribe_host(struct listen_source *source)
{
	json_t *patterns = json_array(), *result;
	int status;
	size_t i;

	if (source->patterns[0] == NULL) {
		json_decref(patterns);
		tool_error("listen", "expected a PATTERN");
		return TOOL_USAGE;
	}
	for (i = 0; source->patterns[i] != NULL; i++)
		json_add(&patterns, json_text(source->patterns[i]));
	status = remote_open(&source->remote);
	if (status != TOOL_OK) {
		json_decref(patterns);
		return status;
	}
	status = remote_call(&source->remote, "subscribe",
	    json_pack("{s:o, s:b}", "patterns", patterns, "presence",
		source->presence),
	    NULL, &result);
	if (status != TOOL_OK)
		return status;
	json_decref(result);
	return LISTEN_ON;
}

static const char *
text_in(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* From the params of a notification; false if it is none. */
static bool
decode(struct listen_source *source, struct heard *heard)
{
	const json_t *object = source->message;
	const json_t *lost = json_object_get(object, "count");
	const char *presence = text_in(object, "presence");

	*heard = (struct heard) { .kind = HEARD_EVENT,
		.topic = text_in(object, "topic"),
		.event = text_in(object, "event"),
		.from = text_in(object, "from") };
	if (lost != NULL) {
		heard->kind = HEARD_LOST;
		heard->lost = (uint64_t)json_integer_value(lost);
		return true;
	}
	if (presence != NULL) {
		heard->kind = strcmp(presence, "join") == 0 ? HEARD_JOIN :
							      HEARD_LEAVE;
		heard->from = text_in(object, "key");
		return heard->topic != NULL && heard->from != NULL;
	}
	heard->seq = (uint64_t)json_integer_value(json_object_get(object,
	    "seq"));
	if (payload_take(object, &source->payload, &heard->length) == -1)
		return false;
	heard->payload = source->payload;
	return heard->topic != NULL && heard->event != NULL;
}

static int
next_of_host(struct listen_source *source, int64_t deadline,
    struct heard *heard)
{
	enum grouper_error error;

	json_decref(source->message);
	free(source->payload);
	source->payload = NULL;
	error = client_next(source->remote.client, left(deadline),
	    &source->message);
	if (error == GROUPER_TIMED_OUT)
		return LISTEN_TIMED_OUT;
	if (error == GROUPER_SYSTEM && errno == ECONNRESET)
		return host_has_ended();
	if (error != GROUPER_OK)
		return remote_fail(&source->remote, error, NULL);
	if (decode(source, heard))
		return LISTEN_ON;
	tool_error("listen", "the host sent what is no message");
	return TOOL_NO;
}

/* Either */

int
listen_source_open(struct listen_source *source)
{
	const struct options *options = &source->remote.options;
	const char *given = getenv("GROUPER_EVENTS_FD");
	enum grouper_error error;

	if (!source->own &&
	    (options->socket != NULL || options->host != NULL ||
		source->presence || given == NULL || *given == '\0'))
		return subscribe_host(source);
	error = grouper_member_open(&source->member);
	if (error == GROUPER_OK)
		return subscribe_member(source);
	/* Another process of the group has them, which it may. */
	if (!source->own && error != GROUPER_SYSTEM)
		return subscribe_host(source);
	return fail_own(source, error);
}

void
listen_source_close(struct listen_source *source)
{
	grouper_member_close(source->member);
	remote_close(&source->remote);
	json_decref(source->message);
	free(source->payload);
}

int
listen_source_next(struct listen_source *source, int64_t deadline,
    struct heard *heard)
{
	int status = LISTEN_ON;

	do {
		if (!source->ready && source->unconfirmed == 0) {
			source->ready = true;
			*heard = (struct heard) { .kind = HEARD_READY };
			return LISTEN_ON;
		}
		status = source->member != NULL ?
		    next_of_member(source, deadline, heard) :
		    next_of_host(source, deadline, heard);
	} while (status == LISTEN_ON && heard->kind == HEARD_READY);
	return status;
}
