/* SPDX-License-Identifier: ISC */
/*
 * JSON output: see json.h.
 */
#include "tools/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

/* Doubles are seconds of microseconds. */
#define DIGITS 12

static const char replacement[] = "\xef\xbf\xbd";

/* How many bytes the character at p has, which ends before end; 0: none. */
static size_t
character(const char *p, const char *end)
{
	unsigned char first = (unsigned char)*p;
	size_t length;
	json_t *probe;

	length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (length > (size_t)(end - p))
		return 0;
	/* The library knows what is too long, too large or a surrogate. */
	probe = json_stringn(p, length);
	if (probe == NULL)
		return 0;
	json_decref(probe);
	return length;
}

json_t *
json_text(const char *text)
{
	const char *end = text + strlen(text);
	json_t *value;
	char *copy, *to;
	size_t n;

	value = json_string(text);
	if (value != NULL)
		return value;
	copy = to = calloc((size_t)(end - text) + 1, sizeof(replacement));
	if (copy == NULL)
		return NULL;
	while (text < end) {
		n = character(text, end);
		if (n > 0) {
			memcpy(to, text, n);
			to += n;
			text += n;
		} else {
			memcpy(to, replacement, sizeof(replacement) - 1);
			to += sizeof(replacement) - 1;
			text++;
		}
	}
	value = json_stringn(copy, (size_t)(to - copy));
	free(copy);
	return value;
}

int
json_print(int fd, json_t *object)
{
	char *text;
	int result;

	if (object == NULL) {
		errno = ENOMEM;
		return -1;
	}
	text = json_dumps(object,
	    JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(DIGITS));
	json_decref(object);
	if (text == NULL) {
		errno = ENOMEM;
		return -1;
	}
	result = tool_write(fd, text, strlen(text));
	if (result == 0)
		result = tool_write(fd, "\n", 1);
	free(text);
	return result;
}
