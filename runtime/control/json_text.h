/* SPDX-License-Identifier: ISC */
/*
 * Strings of any bytes as JSON, and JSON as text.  What is no UTF-8 becomes
 * U+FFFD, the replacement character, and so does NUL, which many readers
 * refuse.
 */
#ifndef RUNTIME_CONTROL_JSON_TEXT_H
#define RUNTIME_CONTROL_JSON_TEXT_H

#include <stddef.h>

#include <jansson.h>

/* New references, or NULL without memory. */
json_t *json_text(const char *text);
json_t *json_textn(const char *text, size_t length);

/*
 * A value of any kind on one line, each number in the fewest digits that read
 * back as the same: 0.1, not 0.10000000000000001.  To be freed; NULL without
 * memory.
 */
char *json_write(const json_t *value);

#endif
