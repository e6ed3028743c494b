/* SPDX-License-Identifier: ISC */
/*
 * How grouper listen prints what it hears, see listen.h.
 */
#include "tools/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBBSD_OPENBSD_VIS /* only strvisx() is used, which all agree on */
#include <vis.h>

#include "runtime/control/payload.h"
#include "tools/json.h"
#include "tools/tool.h"

#define VIS (VIS_CSTYLE | VIS_TAB | VIS_NL)
#define VIS_MAX 4 /* bytes that one becomes */

/* Three names, a number and what is between. */
#define HEAD_MAX ((size_t)4096)

/* Text, bytes of which stand for characters beyond ASCII. */
struct text {
	const char *begin;
	const char *end;
	bool utf8;
};

/* Whether a byte is printed as it is; controls of ISO 6429 are not. */
static bool
stays(const struct text *text, const char *at)
{
	unsigned char byte = (unsigned char)*at, next = 0, before = 0;

	if (at + 1 < text->end)
		next = (unsigned char)at[1];
	if (at > text->begin)
		before = (unsigned char)at[-1];
	if (!text->utf8 || byte < 0x80)
		return false;
	return !(byte == 0xc2 && next <= 0x9f) &&
	    !(before == 0xc2 && byte <= 0x9f);
}

/* Returns the end of what was written. */
static char *
put(char *to, const char *bytes, size_t length)
{
	json_t *probe = json_stringn(bytes, length);
	struct text text = { bytes, bytes + length, probe != NULL };
	const char *from, *end;
	size_t n;
	bool as_is;

	json_decref(probe);
	for (from = bytes; from < text.end; from = end) {
		as_is = stays(&text, from);
		for (end = from; end < text.end; end++)
			if (stays(&text, end) != as_is)
				break;
		n = (size_t)(end - from);
		if (as_is)
			memcpy(to, from, n);
		else
			n = (size_t)strvisx(to, from, n, VIS);
		to += n;
	}
	return to;
}

/* A name, NULL for none, and a tab. */
static char *
put_name(char *to, const char *name)
{
	to = put(to, name != NULL ? name : "-",
	    name != NULL ? strlen(name) : 1);
	*to++ = '\t';
	return to;
}

static int
print_event(const struct heard *heard)
{
	char *line = malloc(HEAD_MAX + heard->length * VIS_MAX + 2), *end;
	int printed;

	if (line == NULL)
		return -1;
	end = line + snprintf(line, HEAD_MAX, "%" PRIu64 "\t", heard->seq);
	end = put_name(end, heard->topic);
	end = put_name(end, heard->event);
	end = put_name(end, heard->from);
	end = put(end, heard->payload, heard->length);
	*end++ = '\n';
	printed = tool_write(STDOUT_FILENO, line, (size_t)(end - line));
	free(line);
	return printed;
}

static int
print_presence(const char *what, const struct heard *heard)
{
	char line[HEAD_MAX], *end = line;

	end = put_name(end, what);
	end = put_name(end, heard->topic);
	end = put(end, heard->from, strlen(heard->from));
	*end++ = '\n';
	return tool_write(STDOUT_FILENO, line, (size_t)(end - line));
}

static int
print_lost(const struct heard *heard)
{
	char line[64];
	int length;

	length = snprintf(line, sizeof(line), "lost\t%" PRIu64 "\n",
	    heard->lost);
	return tool_write(STDOUT_FILENO, line, (size_t)length);
}

static json_t *
event_to_json(const struct heard *heard)
{
	json_t *object = json_pack("{s:I, s:o, s:o, s:o}", "seq",
	    (json_int_t)heard->seq, "topic", json_text(heard->topic), "event",
	    json_text(heard->event), "from",
	    heard->from != NULL ? json_text(heard->from) : json_null());

	if (object != NULL &&
	    payload_put(object, heard->payload, heard->length) == -1) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

static json_t *
to_json(const struct heard *heard)
{
	switch (heard->kind) {
	case HEARD_READY:
		break;
	case HEARD_EVENT:
		return event_to_json(heard);
	case HEARD_LOST:
		return json_pack("{s:I}", "lost", (json_int_t)heard->lost);
	case HEARD_JOIN:
	case HEARD_LEAVE:
		return json_pack("{s:s, s:o, s:o}", "presence",
		    heard->kind == HEARD_JOIN ? "join" : "leave", "topic",
		    json_text(heard->topic), "key", json_text(heard->from));
	}
	return NULL;
}

static int
to_line(const struct heard *heard)
{
	switch (heard->kind) {
	case HEARD_READY:
		break;
	case HEARD_EVENT:
		return print_event(heard);
	case HEARD_LOST:
		return print_lost(heard);
	case HEARD_JOIN:
		return print_presence("join", heard);
	case HEARD_LEAVE:
		return print_presence("leave", heard);
	}
	return 0;
}

int
listen_print(const struct heard *heard, bool json)
{
	int printed = json ? json_print(STDOUT_FILENO, to_json(heard)) :
			     to_line(heard);

	if (printed == 0)
		return LISTEN_ON;
	tool_error("listen", "standard output: %s", strerror(errno));
	return TOOL_NO;
}
