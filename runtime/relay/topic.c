/* SPDX-License-Identifier: ISC */
/*
 * Topics and patterns: see topic.h.
 */
#include "runtime/relay/topic.h"

#include <string.h>

/* Whether all bytes may stand in a name. */
static bool
bytes_valid(const char *name, size_t length)
{
	bool bad = false;
	size_t i;

	for (i = 0; i < length; i++)
		bad |= (unsigned char)name[i] <= ' ' || name[i] == 0x7f;
	return !bad;
}

bool
topic_name_valid(const char *name, size_t length)
{
	return length > 0 && length <= TOPIC_MAX && bytes_valid(name, length);
}

bool
topic_valid(const char *topic, size_t length)
{
	return topic_name_valid(topic, length) && topic[0] != ':' &&
	    topic[length - 1] != ':';
}

bool
topic_word(const char *name)
{
	return topic_name_valid(name, strnlen(name, TOPIC_MAX + 1));
}

bool
topic_pattern_is_prefix(const char *pattern, size_t length)
{
	return pattern[length - 1] == '*';
}

bool
topic_pattern_valid(const char *pattern, size_t length)
{
	return topic_valid(pattern, length);
}

bool
topic_matches(const char *pattern, const char *topic)
{
	size_t length = strlen(pattern);

	if (!topic_pattern_is_prefix(pattern, length))
		return strcmp(pattern, topic) == 0;
	return strncmp(pattern, topic, length - 1) == 0;
}

bool
topic_patterns_meet(const char *one, const char *other)
{
	size_t length = strlen(one), other_length = strlen(other);

	if (!topic_pattern_is_prefix(one, length))
		return topic_matches(other, one);
	if (!topic_pattern_is_prefix(other, other_length))
		return topic_matches(one, other);
	if (other_length < length)
		length = other_length;
	return strncmp(one, other, length - 1) == 0;
}
