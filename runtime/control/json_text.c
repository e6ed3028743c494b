/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as JSON, and JSON as text, see json_text.h.
 */
#include "runtime/control/json_text.h"

#include <stdlib.h>
#include <string.h>

/* What a decimal keeps in a double, and what a double takes as a decimal. */
#define DIGITS_MIN 15
#define DIGITS_MAX 17
/* "-1.2345678901234567e-308" */
#define NUMBER_MAX 32

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

/*
 * Moves a number, in the fewest digits that read back as the same.  Returns its
 * length, which does not grow.
 */
static size_t
copy_number(char *to, const char *from, size_t length)
{
	json_t *number = json_loadb(from, length, JSON_DECODE_ANY, NULL), *same;
	size_t digits = json_is_real(number) ? DIGITS_MIN : DIGITS_MAX, n;
	char text[NUMBER_MAX];

	memmove(to, from, length);
	for (; digits < DIGITS_MAX; digits++) {
		n = json_dumpb(number, text, sizeof(text),
		    JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
		if (n == 0 || n >= length)
			continue;
		same = json_loadb(text, n, JSON_DECODE_ANY, NULL);
		if (json_equal(same, number)) {
			memcpy(to, text, n);
			length = n;
		}
		json_decref(same);
	}
	json_decref(number);
	return length;
}

/* With both quotes. */
static size_t
string_length(const char *text)
{
	size_t n = 1;

	while (text[n] != '"')
		n += text[n] == '\\' ? 2 : 1;
	return n + 1;
}

char *
json_write(const json_t *value)
{
	char *text, *from, *to;
	size_t n;

	text = from = to = json_dumps(value,
	    JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS_MAX));
	if (text == NULL)
		return NULL;
	while (*from != '\0') {
		n = strspn(from, "+-.0123456789e");
		/* Not the e of true and false. */
		if (n > 0 && *from != 'e') {
			to += copy_number(to, from, n);
		} else {
			n = *from == '"' ? string_length(from) : 1;
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	*to = '\0';
	return text;
}
