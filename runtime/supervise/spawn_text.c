/* SPDX-License-Identifier: ISC */
/*
 * Texts of any bytes in JSON, see spawn_text.h.
 */
#include "runtime/supervise/spawn_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/json_build.h"

json_t *
spawn_text(const char *text)
{
	json_t *value = json_string(text);

	if (value != NULL)
		return value;
	value = json_array();
	for (; *text != '\0'; text++)
		json_add(&value, json_integer((unsigned char)*text));
	return value;
}

char *
spawn_text_of(const json_t *value)
{
	const json_t *item;
	char *text;
	size_t i;

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (!json_is_array(value))
		return NULL;
	text = calloc(json_array_size(value) + 1, 1);
	if (text == NULL)
		return NULL;
	json_array_foreach(value, i, item) {
		if (!json_is_integer(item) || json_integer_value(item) < 1 ||
		    json_integer_value(item) > UCHAR_MAX) {
			free(text);
			return NULL;
		}
		text[i] = (char)json_integer_value(item);
	}
	return text;
}
