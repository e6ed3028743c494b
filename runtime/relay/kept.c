/* SPDX-License-Identifier: ISC */
/*
 * Kept messages, see kept.h.
 */
#include "runtime/relay/kept.h"

#include <stdlib.h>
#include <string.h>

static char *
copy(char **at, const void *from, size_t length)
{
	char *to = *at;

	memcpy(to, from, length);
	to[length] = '\0';
	*at += length + 1;
	return to;
}

struct kept *
kept_add(struct kept_list *list, const struct grouper_message *message)
{
	size_t topic = strlen(message->topic), event = strlen(message->event);
	size_t from = message->from == NULL ? 0 : strlen(message->from);
	size_t size = sizeof(struct kept) + message->length + topic + event +
	    from + 4;
	struct kept *kept = malloc(size);
	char *at;

	if (kept == NULL)
		return NULL;
	at = kept->texts;
	kept->size = size;
	kept->message = *message;
	kept->message.payload = copy(&at, message->payload, message->length);
	kept->message.topic = copy(&at, message->topic, topic);
	kept->message.event = copy(&at, message->event, event);
	if (message->from != NULL)
		kept->message.from = copy(&at, message->from, from);
	STAILQ_INSERT_TAIL(list, kept, entry);
	return kept;
}

struct kept *
kept_take(struct kept_list *list)
{
	struct kept *kept = STAILQ_FIRST(list);

	if (kept != NULL)
		STAILQ_REMOVE_HEAD(list, entry);
	return kept;
}
