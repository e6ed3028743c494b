/* SPDX-License-Identifier: ISC */
/*
 * Payloads in JSON, see payload.h.
 */
#include "runtime/control/payload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes become four letters, those behind the end '='. */
static void
encode_group(const unsigned char *from, size_t length, char *to)
{
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < 3; i++)
		bits = bits << 8 | (i < length ? from[i] : 0);
	for (i = 0; i < 4; i++)
		to[i] = i <= length ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
}

static json_t *
encode(const unsigned char *from, size_t length)
{
	size_t size = (length + 2) / 3 * 4, i;
	char *text = malloc(size + 1);
	json_t *value;

	if (text == NULL)
		return NULL;
	for (i = 0; i < length; i += 3)
		encode_group(from + i, length - i < 3 ? length - i : 3,
		    text + i / 3 * 4);
	value = json_stringn_nocheck(text, size);
	free(text);
	return value;
}

/* Four letters become three bytes; returns how many, 0 for what is none. */
static size_t
decode_group(const char *from, char *to)
{
	size_t letters = 4, i;
	const char *found;
	uint32_t bits = 0;

	while (letters > 2 && from[letters - 1] == '=')
		letters--;
	for (i = 0; i < 4; i++) {
		found = i < letters && from[i] != '\0' ?
		    strchr(alphabet, from[i]) :
		    NULL;
		if (i < letters && found == NULL)
			return 0;
		bits = bits << 6 |
		    (found == NULL ? 0 : (uint32_t)(found - alphabet));
	}
	for (i = 0; i < 3; i++)
		to[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	/* What is cut off must have been nothing: one text for each payload. */
	return (bits & (0xffffffU >> (8 * (letters - 1)))) == 0 ? letters - 1 :
								  0;
}

static int
decode(const char *from, size_t length, char **payload, size_t *to_length)
{
	char *to = length % 4 == 0 ? malloc(length / 4 * 3 + 1) : NULL;
	size_t i, n, done = 0;

	if (to == NULL) {
		errno = length % 4 == 0 ? ENOMEM : EINVAL;
		return -1;
	}
	for (i = 0; i < length; i += 4) {
		n = decode_group(from + i, to + done);
		if (n == 0 || (n < 3 && i + 4 < length)) {
			free(to);
			errno = EINVAL;
			return -1;
		}
		done += n;
	}
	to[done] = '\0';
	*payload = to;
	*to_length = done;
	return 0;
}

/* From here on length counts. */
#define LONG_MIN ((size_t)64 << 10)

/* How long it is as a string: escapes have two characters or six. */
static size_t
escaped_length(const unsigned char *payload, size_t length)
{
	size_t escaped = length, i;

	for (i = 0; i < length; i++) {
		if (payload[i] == '"' || payload[i] == '\\')
			escaped++;
		else if (payload[i] < ' ')
			escaped += strchr("\b\f\n\r\t", payload[i]) != NULL ?
			    1 :
			    5;
	}
	return escaped;
}

static bool
fits_string(const void *payload, size_t length)
{
	return memchr(payload, '\0', length) == NULL &&
	    (length < LONG_MIN ||
		escaped_length(payload, length) <= (length + 2) / 3 * 4);
}

int
payload_put(json_t *object, const void *payload, size_t length)
{
	json_t *text = NULL;

	if (length == 0)
		text = json_string("");
	else if (fits_string(payload, length))
		text = json_stringn(payload, length); /* NULL: no UTF-8 */
	if (text != NULL)
		return json_object_set_new(object, "payload", text);
	return json_object_set_new(object, "payload_base64",
	    encode(payload, length));
}

int
payload_take(const json_t *object, char **payload, size_t *length)
{
	const json_t *text = json_object_get(object, "payload");
	const json_t *base64 = json_object_get(object, "payload_base64");
	const json_t *value = text != NULL ? text : base64;

	*length = 0;
	if ((text != NULL && base64 != NULL) ||
	    (value != NULL && !json_is_string(value))) {
		errno = EINVAL;
		return -1;
	}
	if (text == NULL && base64 != NULL)
		return decode(json_string_value(base64),
		    json_string_length(base64), payload, length);
	*length = text == NULL ? 0 : json_string_length(text);
	*payload = malloc(*length + 1);
	if (*payload == NULL)
		return -1;
	memcpy(*payload, text == NULL ? "" : json_string_value(text), *length);
	(*payload)[*length] = '\0';
	return 0;
}
