/* SPDX-License-Identifier: ISC */
/*
 * Variables in text: see expand.h.
 */
#include "runtime/tree/expand.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct expansion {
	char *text;
	size_t length;
	size_t room;
	size_t max;
	const char **why;
	char *name;
	size_t name_size;
};

static bool
append(struct expansion *out, const char *text, size_t length)
{
	char *grown;

	if (length > out->max - out->length) {
		*out->why = "expected less text";
		return false;
	}
	if (out->length + length >= out->room) {
		out->room = (out->length + length) * 2 + 32;
		grown = realloc(out->text, out->room);
		if (grown == NULL) {
			*out->why = "out of memory";
			return false;
		}
		out->text = grown;
	}
	if (length > 0)
		memcpy(out->text + out->length, text, length);
	out->length += length;
	out->text[out->length] = '\0';
	return true;
}

/* How many bytes of a variable's name stand at p. */
static size_t
name_length(const char *p)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz_";

	if (*p == '\0' || strchr(letters, *p) == NULL)
		return 0;
	return strspn(p,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* "NAME}" or "NAME:-default}" at *p, which moves behind it. */
static bool
expand_braces(struct expansion *out, const char **p)
{
	const char *end, *value, *rest;
	size_t length = name_length(*p);

	if (length == 0 || length >= out->name_size) {
		*out->why = "expected the name of a variable after '${'";
		return false;
	}
	memcpy(out->name, *p, length);
	out->name[length] = '\0';
	rest = *p + length;
	end = strchr(rest, '}');
	if (end == NULL) {
		*out->why = "expected a '}' for this '${'";
		return false;
	}
	if (end != rest && strncmp(rest, ":-", 2) != 0) {
		*out->why = "expected ${NAME} or ${NAME:-default}";
		return false;
	}
	*p = end + 1;
	value = getenv(out->name);
	if (end == rest) {
		*out->why = NULL;
		return value != NULL && append(out, value, strlen(value));
	}
	if (value != NULL && *value != '\0')
		return append(out, value, strlen(value));
	rest += 2;
	if (memchr(rest, '$', (size_t)(end - rest)) != NULL) {
		*out->why = "expected a default without '$'";
		return false;
	}
	return append(out, rest, (size_t)(end - rest));
}

char *
expand(const char *text, size_t max, size_t *at, const char **why, char *name,
    size_t size)
{
	struct expansion out = {
		.max = max,
		.why = why,
		.name = name,
		.name_size = size,
	};
	const char *p = text, *next;

	*at = 0;
	if (!append(&out, "", 0))
		return NULL;
	for (;;) {
		next = strchr(p, '$');
		if (next == NULL)
			next = p + strlen(p);
		*at = (size_t)(next - text);
		if (!append(&out, p, (size_t)(next - p)))
			break;
		if (*next == '\0')
			return out.text;
		p = next + 1;
		if (*p == '{') {
			p++;
			if (!expand_braces(&out, &p))
				break;
			continue;
		}
		/* Of $$ the second goes, else the first is itself. */
		p += *p == '$';
		if (!append(&out, "$", 1))
			break;
	}
	free(out.text);
	return NULL;
}
