/* SPDX-License-Identifier: ISC */
/*
 * Topics, the names beside them, and the patterns that members subscribe to.
 *
 * A name (of an event, of a topic group) has 1 to TOPIC_MAX bytes, no white
 * space and no control characters.  A topic is a name that neither begins nor
 * ends with ':'.  A pattern is a topic, or a prefix of topics with a '*'
 * behind it; "*" alone is all.  In a topic that is published to, '*' is no
 * special character; a pattern that ends with '*' is always a prefix.
 */
#ifndef RUNTIME_RELAY_TOPIC_H
#define RUNTIME_RELAY_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_MAX ((size_t)255)

/* Of `length` bytes, which need no terminator. */
bool topic_name_valid(const char *name, size_t length);
bool topic_valid(const char *topic, size_t length);
bool topic_pattern_valid(const char *pattern, size_t length);

/* A name that is terminated. */
bool topic_word(const char *name);

/* Whether a valid pattern is a prefix with a '*'. */
bool topic_pattern_is_prefix(const char *pattern, size_t length);

/* Whether a valid pattern takes in a topic. */
bool topic_matches(const char *pattern, const char *topic);

/* Whether there are topics that both patterns take in. */
bool topic_patterns_meet(const char *one, const char *other);

#endif
