/* SPDX-License-Identifier: ISC */
/*
 * Members of the relay and their subscriptions: see relay.h.
 *
 * What waits for a member is a queue of items.  When its audience changes, the
 * span in the old one's log is closed and one in the new one's is opened
 * behind it, with the confirmation between.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/pipe.h"
#include "runtime/relay/relay_private.h"
#include "runtime/relay/topic.h"
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

/*
 * All pipes of an ordinary user together hold 64 MiB and any further ones
 * next to nothing, pipe(7).  So uplinks are small until somebody writes in
 * bulk, and where there are many members, each has a smaller pipe.  Pipes grow
 * by so much at most, those of the first members not by all of it: a larger
 * uplink means fewer turns however many members there are.
 */
#define PIPE_SIZE ((size_t)262144)
#define ENLARGED_MAX ((size_t)4 << 20)
#define DOWN_ENLARGED_MAX (ENLARGED_MAX / 2)
#define PIPE_USUAL ((size_t)65536)
#define UP_SIZE ((size_t)8192)
#define MANY 384
#define DOWN_OF_MANY ((size_t)32768)

/* Unread spans, confirmations and events of its own that a member may have. */
#define ITEMS_MAX 4096

/* The error that errno stands for. */
enum grouper_error
relay_error(void)
{
	return errno == EINVAL ? GROUPER_INVALID : GROUPER_SYSTEM;
}

/*
 * Items
 */

static struct item *
item_new(size_t length)
{
	struct item *item;

	item = calloc(1, sizeof(*item) + length);
	if (item != NULL)
		item->length = length;
	return item;
}

static struct item *
last_item(const struct relay_member *member)
{
	return TAILQ_LAST(&member->items, item_list);
}

static void
item_append(struct relay_member *member, struct item *item)
{
	TAILQ_INSERT_TAIL(&member->items, item, entry);
	member->nitems++;
	store_charge(&member->relay->store, sizeof(*item) + item->length);
}

void
relay_item_free(struct relay_member *member, struct item *item)
{
	TAILQ_REMOVE(&member->items, item, entry);
	member->nitems--;
	store_return(&member->relay->store, sizeof(*item) + item->length);
	if (item->length == 0) {
		member->delivered += span_taken(&item->span);
		member->lost += item->span.lost;
		span_drop(&item->span);
	}
	free(item);
}

struct span *
relay_member_span(const struct relay_member *member)
{
	struct item *item = last_item(member);

	return item != NULL ? &item->span : NULL;
}

bool
relay_member_stalled(const struct relay_member *member)
{
	return member->nitems > ITEMS_MAX;
}

/* Closes the open span; another one is to be opened behind it. */
static void
close_span(struct relay_member *member)
{
	struct item *last = last_item(member);

	span_close(&last->span);
	if (span_done(&last->span))
		relay_item_free(member, last);
}

static void
open_span(struct relay_member *member, struct log *log, struct item *item)
{
	span_open(&item->span, log);
	item_append(member, item);
}

int
relay_member_tell(struct relay_member *member, enum frame_type type,
    const char *name, size_t length)
{
	struct frame frame = { .type = type,
		.name = name,
		.name_length = length };
	char head[FRAME_HEADER_MAX];
	struct item *text, *item;
	size_t head_length;

	if (relay_member_span(member) == NULL)
		return 0;
	head_length = frame_header(head, &frame);
	text = item_new(head_length);
	item = item_new(0);
	if (text == NULL || item == NULL) {
		free(text);
		free(item);
		return -1;
	}
	memcpy(text->text, head, head_length);
	close_span(member);
	item_append(member, text);
	open_span(member, member->audience->log, item);
	relay_dirty(member->relay, member->audience);
	return 0;
}

enum grouper_error
relay_member_pass(struct relay_member *member, const struct frame *frame)
{
	struct store *store = &member->relay->store;
	char head[FRAME_HEADER_MAX];
	size_t head_length = frame_header(head, frame);
	size_t length = head_length + frame->payload_length + 1;
	struct item *own, *next;
	struct log *log;

	if (relay_member_span(member) == NULL)
		return GROUPER_NOT_FOUND;
	if (relay_member_stalled(member)) {
		errno = ENOSPC;
		return GROUPER_SYSTEM;
	}
	log = log_new(store);
	own = item_new(0);
	next = item_new(0);
	if (log == NULL || own == NULL || next == NULL)
		goto fail;
	span_open(&own->span, log);
	if (log_renew(log, length) == -1) {
		span_drop(&own->span);
		goto fail;
	}
	log_append(log, head, head_length, frame->payload,
	    frame->payload_length);
	span_close(&own->span);
	log_drop(log);
	close_span(member);
	item_append(member, own);
	open_span(member, member->audience->log, next);
	relay_dirty(member->relay, member->audience);
	return GROUPER_OK;
fail:
	if (log != NULL)
		log_drop(log);
	free(own);
	free(next);
	return GROUPER_SYSTEM;
}

/*
 * Audiences
 */

void
relay_member_list(struct relay_member *member)
{
	struct audience *audience = member->audience;
	bool ready = !member->blocked && relay_member_span(member) != NULL;

	if (ready == member->ready)
		return;
	TAILQ_REMOVE(member->ready ? &audience->ready : &audience->resting,
	    member, peer);
	member->ready = ready;
	TAILQ_INSERT_TAIL(ready ? &audience->ready : &audience->resting, member,
	    peer);
}

static void
enter(struct relay_member *member, struct audience *audience)
{
	member->audience = audience;
	member->ready = false;
	TAILQ_INSERT_TAIL(&audience->resting, member, peer);
	audience->nmembers++;
	if (relay_member_span(member) != NULL)
		audience->npiped++;
	relay_member_list(member);
}

static void
leave(struct relay_member *member)
{
	struct audience *audience = member->audience;

	TAILQ_REMOVE(member->ready ? &audience->ready : &audience->resting,
	    member, peer);
	audience->nmembers--;
	if (relay_member_span(member) != NULL)
		audience->npiped--;
	member->audience = NULL;
}

int
relay_member_move(struct relay_member *member, struct audience *audience)
{
	struct item *item;

	if (relay_member_span(member) == NULL) {
		leave(member);
		enter(member, audience);
		return 0;
	}
	item = item_new(0);
	if (item == NULL)
		return -1;
	leave(member);
	close_span(member);
	open_span(member, audience->log, item);
	enter(member, audience);
	return 0;
}

/* The audience of this member alone, to be changed; NULL with errno. */
static struct audience *
own_audience(struct relay_member *member)
{
	struct relay *relay = member->relay;
	struct audience *audience = member->audience, *own;

	if (audience->nmembers == 1 && TAILQ_EMPTY(&audience->listeners))
		return audience;
	own = audience_copy(&relay->index, audience);
	if (own == NULL)
		return NULL;
	if (relay_member_move(member, own) == -1) {
		audience_put(&relay->index, own);
		return NULL;
	}
	if (audience->dirty)
		relay_dirty(relay, own);
	relay_kick(relay);
	return own;
}

enum grouper_error
relay_member_change(struct relay_member *member, const char *pattern,
    size_t length, bool on, bool confirm)
{
	struct relay *relay = member->relay;
	struct audience *audience;
	int changed = 0;

	if (!topic_pattern_valid(pattern, length))
		return GROUPER_INVALID;
	if (!member->broken &&
	    on !=
		audience_has(&relay->index, member->audience, pattern,
		    length)) {
		audience = own_audience(member);
		if (audience == NULL)
			return GROUPER_SYSTEM;
		changed = on ?
		    audience_add(&relay->index, audience, pattern, length) :
		    audience_remove(&relay->index, audience, pattern, length);
		relay_kick(relay);
		if (changed == -1)
			return relay_error();
	}
	if (confirm &&
	    relay_member_tell(member, FRAME_READY, pattern, length) == -1)
		return GROUPER_SYSTEM;
	if (changed == 1)
		relay_watches_call(member, pattern, on);
	return GROUPER_OK;
}

enum grouper_error
relay_member_subscribe(struct relay_member *member, const char *pattern)
{
	return relay_member_change(member, pattern,
	    strnlen(pattern, TOPIC_MAX + 1), true, false);
}

enum grouper_error
relay_member_unsubscribe(struct relay_member *member, const char *pattern)
{
	return relay_member_change(member, pattern,
	    strnlen(pattern, TOPIC_MAX + 1), false, false);
}

/*
 * Members
 */

static void
enlarge(struct relay *relay, int fd, size_t most)
{
	relay->enlarged += pipe_enlarge(fd,
	    relay->enlarged < most ? PIPE_SIZE : PIPE_USUAL);
}

static void
fit_pipes(struct relay *relay, int down, int up)
{
	pipe_reduce(up, UP_SIZE);
	if (relay->nmembers >= MANY && geteuid() != 0)
		pipe_reduce(down, DOWN_OF_MANY);
	else
		enlarge(relay, down, DOWN_ENLARGED_MAX);
}

void
relay_enlarge_uplink(struct relay *relay, int up)
{
	enlarge(relay, up, ENLARGED_MAX);
}

/* Pipes; only our ends do not block: each end has a description of its own. */
static int
open_pipes(struct relay_member *member, int *down, int *up)
{
	int down_ends[2] = { -1, -1 }, up_ends[2] = { -1, -1 };

	if (pipe2(down_ends, O_CLOEXEC) == -1 ||
	    pipe2(up_ends, O_CLOEXEC) == -1 ||
	    fcntl(down_ends[1], F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(up_ends[0], F_SETFL, O_NONBLOCK) == -1)
		goto fail;
	fit_pipes(member->relay, down_ends[1], up_ends[0]);
	member->down = down_ends[1];
	member->up = up_ends[0];
	if (relay_down_open(member) == -1 || relay_uplink_open(member) == -1) {
		loop_fd_free(member->gone_watch);
		member->gone_watch = NULL;
		member->down = member->up = -1;
		goto fail;
	}
	*down = down_ends[0];
	*up = up_ends[1];
	return 0;
fail:
	fd_close(&down_ends[0]);
	fd_close(&down_ends[1]);
	fd_close(&up_ends[0]);
	fd_close(&up_ends[1]);
	return -1;
}

enum grouper_error
relay_member_new(struct relay *relay,
    const struct relay_member_options *options, struct relay_member **result,
    int *down, int *up)
{
	size_t size = strlen(options->key) + 1, i;
	struct relay_member *member;
	struct audience *audience;
	struct item *item = NULL;
	enum grouper_error error;

	*down = *up = -1;
	if (!topic_word(options->key))
		return GROUPER_INVALID;
	audience = audience_get(&relay->index, options->patterns,
	    options->npatterns);
	if (audience == NULL)
		return relay_error();
	member = calloc(1, sizeof(*member) + size);
	if (member == NULL)
		goto fail;
	member->relay = relay;
	member->down = member->up = -1;
	memcpy(member->key, options->key, size);
	member->key_length = size - 1;
	TAILQ_INIT(&member->items);
	frame_parser_init(&member->parser, FRAME_UP);
	if (!options->pipeless) {
		item = item_new(0);
		if (item == NULL || open_pipes(member, down, up) == -1)
			goto fail;
		span_open(&item->span, audience->log);
		item_append(member, item);
	}
	enter(member, audience);
	TAILQ_INSERT_TAIL(&relay->members, member, entry);
	relay->nmembers++;
	relay_kick(relay);
	for (i = 0; i < audience->nlinks; i++)
		relay_watches_call(member, audience_pattern(audience, i), true);
	*result = member;
	return GROUPER_OK;
fail:
	error = relay_error();
	free(item);
	free(member);
	relay_audience_put(relay, audience);
	return error;
}

/* It is subscribed to nothing any more; tells the watches. */
static void
lose_patterns(struct relay_member *member)
{
	struct audience *audience = member->audience;
	size_t i;

	leave(member);
	for (i = 0; i < audience->nlinks; i++)
		relay_watches_call(member, audience_pattern(audience, i),
		    false);
	relay_audience_put(member->relay, audience);
}

void
relay_member_free(struct relay_member *member)
{
	if (member == NULL)
		return;
	BUG_IF(member->relay->calling > 0);
	lose_patterns(member);
	relay_uplink_close(member);
	relay_member_break(member);
	TAILQ_REMOVE(&member->relay->members, member, entry);
	member->relay->nmembers--;
	free(member);
}

bool
relay_member_mend(struct relay_member *member)
{
	struct audience *none;

	if (!member->broken || member->audience->nlinks == 0)
		return true;
	none = audience_get(&member->relay->index, NULL, 0);
	if (none == NULL)
		return false;
	lose_patterns(member);
	enter(member, none);
	return true;
}

void
relay_members_mend(struct relay *relay)
{
	struct relay_member *member;

	relay->broken = false;
	TAILQ_FOREACH(member, &relay->members, entry) {
		if (relay_member_mend(member))
			continue;
		/* Tried again later. */
		relay->broken = true;
		return;
	}
}

bool
relay_member_connected(const struct relay_member *member)
{
	struct pollfd pfd = { .fd = member->down };

	if (member->down == -1)
		return false;
	return poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLERR) == 0;
}

const char *
relay_member_key(const struct relay_member *member)
{
	return member->key;
}

const char *
relay_member_pattern(const struct relay_member *member, size_t index)
{
	return audience_pattern(member->audience, index);
}

void
relay_member_counters(const struct relay_member *member,
    struct relay_counters *counters)
{
	const struct item *item;

	*counters = (struct relay_counters) { .delivered = member->delivered,
		.lost = member->lost,
		.published = member->published };
	TAILQ_FOREACH(item, &member->items, entry) {
		if (item->length > 0) {
			counters->queued += item->length;
			continue;
		}
		counters->delivered += span_taken(&item->span);
		counters->lost += item->span.lost;
		counters->queued += span_queued(&item->span);
	}
}
