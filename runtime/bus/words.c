/* SPDX-License-Identifier: ISC */
/*
 * Words of messages, see words.h.
 */
#include "runtime/bus/words.h"

#include <stdio.h>
#include <string.h>

#include "runtime/relay/topic.h"

/* So much of a bad word is shown. */
#define SHOWN_MAX 80

static const struct {
	const char *title;
	bool (*valid)(const char *text, size_t length);
	const char *also;
} words[] = {
	[WORD_TOPIC] = { "topic", topic_valid, ", no ':' at either end" },
	[WORD_PATTERN] = { "pattern", topic_pattern_valid,
	    ", no ':' at either end" },
	[WORD_GROUP] = { "topic group", topic_name_valid, "" },
	[WORD_EVENT] = { "event", topic_name_valid, "" },
	[WORD_NAME] = { "name", topic_name_valid, "" },
	[WORD_KEY] = { "key", topic_name_valid, "" },
};

bool
word_valid(enum word_kind kind, const char *text, char why[WORD_WHY_SIZE])
{
	size_t length = strnlen(text, TOPIC_MAX + 1);

	if (words[kind].valid(text, length))
		return true;
	snprintf(why, WORD_WHY_SIZE,
	    "%s: expected 1 to %zu bytes without white space and control "
	    "characters%s, got '%.*s%s'",
	    words[kind].title, TOPIC_MAX, words[kind].also, SHOWN_MAX, text,
	    length > SHOWN_MAX ? "..." : "");
	return false;
}
