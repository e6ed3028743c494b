/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as JSON, see json_text.h.
 */
#include "runtime/control/json_text.h"

#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* How many bytes the character at p has, which ends before end; 0: none. */
static size_t
character(const char *p, const char *end)
{
	unsigned char first = (unsigned char)*p;
	size_t length;
	json_t *probe;

	length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == '\0' || length > (size_t)(end - p))
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
	return json_textn(text, strlen(text));
}

json_t *
json_textn(const char *text, size_t length)
{
	const char *end = text + length;
	json_t *value;
	char *copy, *to;
	size_t n;

	value = memchr(text, '\0', length) == NULL ?
	    json_stringn(text, length) :
	    NULL;
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
