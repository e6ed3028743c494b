/* SPDX-License-Identifier: ISC */
/*
 * The member's side, see grouper/member.h: the pipe down and what comes by
 * it.
 */
#include <grouper/member.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/member/private.h"
#include "runtime/relay/interest.h"
#include "runtime/relay/topic.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

/* What a pipe holds, see pipe(7). */
#define READ_STEP 65536

bool
member_is_ours(const struct grouper_member *member)
{
	return member != NULL && member->owner == getpid();
}

enum grouper_error
grouper_member_open(struct grouper_member **member)
{
	const char *socket = getenv("GROUPER_SOCKET");
	struct grouper_member *made;
	enum grouper_error error;

	if (member == NULL)
		return GROUPER_INVALID;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return GROUPER_SYSTEM;
	made->owner = getpid();
	made->down = made->up = -1;
	STAILQ_INIT(&made->asked);
	STAILQ_INIT(&made->kept);
	frame_parser_init(&made->parser, FRAME_DOWN);
	if (socket != NULL && socket[0] != '\0')
		made->socket = strdup(socket);
	error = made->socket == NULL && socket != NULL && socket[0] != '\0' ?
	    GROUPER_SYSTEM :
	    pipes_open(made);
	if (error == GROUPER_OK)
		*member = made;
	else
		grouper_member_close(made);
	return error;
}

static void
forget_asked(struct grouper_member *member)
{
	struct asked *asked;

	while ((asked = STAILQ_FIRST(&member->asked)) != NULL) {
		STAILQ_REMOVE_HEAD(&member->asked, entry);
		free(asked);
	}
}

void
grouper_member_close(struct grouper_member *member)
{
	struct kept *kept;
	int saved = errno;

	if (member == NULL)
		return;
	forget_asked(member);
	while ((kept = kept_take(&member->kept)) != NULL)
		free(kept);
	free(member->current);
	frame_parser_fini(&member->parser);
	fd_close(&member->down);
	fd_close(&member->up);
	interest_unmap(member->interest);
	free(member->socket);
	free(member);
	errno = saved;
}

int
grouper_member_fd(const struct grouper_member *member)
{
	return member_is_ours(member) ? member->down : -1;
}

void
member_read_exactly(struct grouper_member *member)
{
	member->exact = true;
}

/* Reading */

/*
 * Waits until there is something to read; or, between frames, until the host
 * reads no requests any more while it is to confirm some: these are forgotten,
 * and events still come.
 */
static enum grouper_error
await_bytes(struct grouper_member *member, int64_t deadline)
{
	struct pollfd fds[] = { { member->down, POLLIN, 0 },
		{ member->up, 0, 0 } };
	bool owed = !STAILQ_EMPTY(&member->asked) &&
	    frame_parser_held(&member->parser) == 0;
	int n = fd_await_any(fds, owed ? 2 : 1, deadline);

	/* What it wrote before is there by now. */
	if (n == 1 && fds[1].revents != 0 &&
	    fd_await(member->down, POLLIN, clock_deadline(0)) == 0) {
		forget_asked(member);
		return GROUPER_NO_GROUP;
	}
	if (n < 1)
		return n == 0 ? GROUPER_TIMED_OUT : GROUPER_SYSTEM;
	return GROUPER_OK;
}

static enum grouper_error
read_bytes(struct grouper_member *member, int64_t deadline)
{
	size_t held = frame_parser_held(&member->parser), room;
	size_t missing = member->parser.need - held;
	enum grouper_error error;
	ssize_t n;
	char *to;

	if (member->exact && held > 0)
		deadline = -1;
	error = await_bytes(member, deadline);
	if (error != GROUPER_OK)
		return error;
	to = frame_parser_room(&member->parser,
	    member->exact ? missing : READ_STEP, &room);
	if (to == NULL)
		return GROUPER_SYSTEM;
	n = read(member->down, to, member->exact ? missing : room);
	if (n == 0)
		return GROUPER_NO_GROUP;
	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? GROUPER_OK :
							   GROUPER_SYSTEM;
	frame_parser_add(&member->parser, (size_t)n);
	return GROUPER_OK;
}

static enum grouper_error
next_frame(struct grouper_member *member, int64_t deadline, struct frame *frame)
{
	enum grouper_error error = GROUPER_OK;
	int found;

	while ((found = frame_parser_next(&member->parser, frame)) == 0) {
		error = read_bytes(member, deadline);
		if (error != GROUPER_OK)
			return error;
	}
	return found == -1 ? GROUPER_SYSTEM : GROUPER_OK;
}

/* What a frame says to the caller; its texts are the frame's. */
static struct grouper_message
message_of(const struct frame *frame)
{
	struct grouper_message message = { .topic = "",
		.event = "",
		.payload = "" };

	switch (frame->type) {
	case FRAME_EVENT:
		message.seq = frame->number;
		message.topic = frame->name;
		message.event = frame->event;
		message.from = frame->from;
		message.payload = frame->payload;
		message.length = frame->payload_length;
		break;
	case FRAME_LOST:
		message.kind = GROUPER_MESSAGE_LOST;
		message.lost = frame->number;
		break;
	default:
		message.kind = GROUPER_MESSAGE_CHANGED;
		message.topic = frame->name;
		break;
	}
	return message;
}

/*
 * Takes the request off that a frame confirms.  A confirmation that nobody
 * here asked for is that of a process which had the pipes before.
 */
static struct asked *
take_asked(struct grouper_member *member, const struct frame *frame)
{
	struct asked *asked = STAILQ_FIRST(&member->asked);

	if (asked == NULL || strcmp(asked->pattern, frame->name) != 0)
		return NULL;
	STAILQ_REMOVE_HEAD(&member->asked, entry);
	return asked;
}

enum grouper_error
grouper_member_next(struct grouper_member *member, int64_t timeout_ms,
    struct grouper_message *message)
{
	int64_t deadline = clock_deadline(timeout_ms);
	enum grouper_error error;
	struct asked *asked;
	struct frame frame;

	if (!member_is_ours(member) || message == NULL)
		return GROUPER_INVALID;
	free(member->current);
	member->current = kept_take(&member->kept);
	if (member->current != NULL) {
		*message = member->current->message;
		return GROUPER_OK;
	}
	for (;;) {
		error = next_frame(member, deadline, &frame);
		if (error != GROUPER_OK)
			return error;
		if (frame.type != FRAME_READY)
			break;
		asked = take_asked(member, &frame);
		if (asked != NULL) {
			free(asked);
			break;
		}
	}
	*message = message_of(&frame);
	return GROUPER_OK;
}

/* Subscriptions */

/* Reads until the host has confirmed what was asked, which is then freed. */
static enum grouper_error
await_confirmation(struct grouper_member *member, struct asked *asked,
    int64_t deadline)
{
	struct grouper_message message;
	enum grouper_error error;
	struct asked *confirmed;
	struct frame frame;
	bool found;

	for (;;) {
		error = next_frame(member, deadline, &frame);
		if (error != GROUPER_OK)
			return error;
		if (frame.type == FRAME_READY) {
			confirmed = take_asked(member, &frame);
			if (confirmed == NULL)
				continue;
			found = confirmed == asked;
			free(confirmed);
			if (found)
				return GROUPER_OK;
		}
		message = message_of(&frame);
		if (kept_add(&member->kept, &message) == NULL)
			return GROUPER_SYSTEM;
	}
}

static enum grouper_error
change(struct grouper_member *member, enum frame_type type, const char *pattern,
    int64_t timeout_ms)
{
	int64_t deadline = clock_deadline(timeout_ms);
	struct frame frame = { .type = type, .name = pattern };
	enum grouper_error error;
	struct asked *asked;

	if (!member_is_ours(member) || pattern == NULL)
		return GROUPER_INVALID;
	frame.name_length = strlen(pattern);
	if (!topic_pattern_valid(pattern, frame.name_length))
		return GROUPER_INVALID;
	asked = malloc(sizeof(*asked) + frame.name_length + 1);
	if (asked == NULL)
		return GROUPER_SYSTEM;
	memcpy(asked->pattern, pattern, frame.name_length + 1);
	error = uplink_write(member->up, &frame);
	if (error != GROUPER_OK) {
		free(asked);
		return error;
	}
	STAILQ_INSERT_TAIL(&member->asked, asked, entry);
	return timeout_ms == 0 ? GROUPER_OK :
				 await_confirmation(member, asked, deadline);
}

enum grouper_error
grouper_member_subscribe(struct grouper_member *member, const char *pattern,
    int64_t timeout_ms)
{
	return change(member, FRAME_SUBSCRIBE, pattern, timeout_ms);
}

enum grouper_error
grouper_member_unsubscribe(struct grouper_member *member, const char *pattern,
    int64_t timeout_ms)
{
	return change(member, FRAME_UNSUBSCRIBE, pattern, timeout_ms);
}

/* Publishing */

static enum grouper_error
publish(struct grouper_member *member, enum frame_type type, const char *name,
    const char *event, const void *payload, size_t length)
{
	struct frame frame = { .type = type,
		.name = name,
		.event = event,
		.payload = payload,
		.payload_length = length };

	if (!member_is_ours(member) || name == NULL || event == NULL ||
	    (payload == NULL && length > 0) || length > FRAME_PAYLOAD_MAX)
		return GROUPER_INVALID;
	frame.name_length = strlen(name);
	frame.event_length = strlen(event);
	if (!topic_name_valid(event, frame.event_length) ||
	    !(type == FRAME_BROADCAST ? topic_name_valid : topic_valid)(name,
		frame.name_length))
		return GROUPER_INVALID;
	return uplink_write(member->up, &frame);
}

enum grouper_error
grouper_member_publish(struct grouper_member *member, const char *topic,
    const char *event, const void *payload, size_t length)
{
	return publish(member, FRAME_PUBLISH, topic, event, payload, length);
}

enum grouper_error
grouper_member_publish_others(struct grouper_member *member, const char *topic,
    const char *event, const void *payload, size_t length)
{
	return publish(member, FRAME_OTHERS, topic, event, payload, length);
}

enum grouper_error
grouper_member_broadcast(struct grouper_member *member, const char *topic_group,
    const char *event, const void *payload, size_t length)
{
	return publish(member, FRAME_BROADCAST, topic_group, event, payload,
	    length);
}
