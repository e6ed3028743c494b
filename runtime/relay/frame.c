/* SPDX-License-Identifier: ISC */
/*
 * Frames: see frame.h.  A frame is taken apart where it lies: the bytes that
 * end its fields become NULs.
 */
#include "runtime/relay/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/topic.h"
#include "runtime/util/bug.h"

#define DIGITS_MAX 20
#define FIELDS_MAX 5

struct field {
	char *text;
	size_t length;
};

/* How many fields follow the letter; 0: no frame of that direction. */
static size_t
fields_of(enum frame_direction direction, char letter)
{
	bool up = direction == FRAME_UP;

	switch ((enum frame_type)letter) {
	case FRAME_EVENT:
		return up ? 0 : 5;
	case FRAME_LOST:
	case FRAME_READY:
		return up ? 0 : 1;
	case FRAME_SUBSCRIBE:
	case FRAME_UNSUBSCRIBE:
		return up ? 1 : 0;
	case FRAME_PUBLISH:
	case FRAME_OTHERS:
	case FRAME_BROADCAST:
		return up ? 3 : 0;
	}
	return 0;
}

bool
frame_has_payload(enum frame_type type)
{
	return type == FRAME_EVENT || type == FRAME_PUBLISH ||
	    type == FRAME_OTHERS || type == FRAME_BROADCAST;
}

/*
 * Encoding
 */

static char *
put_text(char *to, const char *text, size_t length)
{
	*to++ = ' ';
	memcpy(to, text, length);
	return to + length;
}

static char *
put_number(char *to, uint64_t number)
{
	char digits[DIGITS_MAX], *p = digits + DIGITS_MAX;

	do
		*--p = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return put_text(to, p, (size_t)(digits + DIGITS_MAX - p));
}

size_t
frame_header(char *to, const struct frame *frame)
{
	char *p = to;

	*p++ = (char)frame->type;
	if (frame->type == FRAME_EVENT || frame->type == FRAME_LOST)
		p = put_number(p, frame->number);
	if (frame->type != FRAME_LOST)
		p = put_text(p, frame->name, frame->name_length);
	if (frame_has_payload(frame->type)) {
		p = put_text(p, frame->event, frame->event_length);
		if (frame->type == FRAME_EVENT && frame->from != NULL)
			p = put_text(p, frame->from, frame->from_length);
		else if (frame->type == FRAME_EVENT)
			p = put_text(p, "-", 1);
		p = put_number(p, frame->payload_length);
	}
	*p++ = '\n';
	return (size_t)(p - to);
}

/*
 * Decoding
 */

void
frame_parser_init(struct frame_parser *parser, enum frame_direction direction)
{
	*parser = (struct frame_parser) { .direction = direction, .need = 1 };
}

void
frame_parser_fini(struct frame_parser *parser)
{
	if (!parser->lent)
		free(parser->buffer);
	frame_parser_init(parser, parser->direction);
}

char *
frame_parser_room(struct frame_parser *parser, size_t least, size_t *room)
{
	size_t held = parser->end - parser->begin, size = parser->size;
	char *buffer;

	if (parser->begin > 0 && held > 0)
		memmove(parser->buffer, parser->buffer + parser->begin, held);
	parser->begin = 0;
	parser->end = held;
	if (size - held < least) {
		BUG_IF(parser->lent);
		size = held + least > 2 * size ? held + least : 2 * size;
		buffer = realloc(parser->buffer, size);
		if (buffer == NULL)
			return NULL;
		parser->buffer = buffer;
		parser->size = size;
	}
	*room = parser->size - held;
	return parser->buffer + held;
}

void
frame_parser_add(struct frame_parser *parser, size_t length)
{
	BUG_IF(length > parser->size - parser->end);
	parser->end += length;
}

size_t
frame_parser_held(const struct frame_parser *parser)
{
	return parser->end - parser->begin;
}

/* What is held goes to the beginning of other memory. */
static void
move(struct frame_parser *parser, char *buffer, size_t size)
{
	size_t held = frame_parser_held(parser);

	if (held > 0)
		memcpy(buffer, parser->buffer + parser->begin, held);
	parser->buffer = buffer;
	parser->size = size;
	parser->begin = 0;
	parser->end = held;
}

void
frame_parser_trim(struct frame_parser *parser)
{
	size_t held = frame_parser_held(parser);
	char *buffer = parser->buffer, *smaller;

	if (held > 0 && held > parser->size / 2)
		return;
	smaller = held > 0 ? malloc(held) : NULL;
	if (held > 0 && smaller == NULL)
		return;
	move(parser, smaller, held);
	free(buffer);
}

void
frame_parser_lend(struct frame_parser *parser, char *buffer, size_t size)
{
	char *own = parser->buffer;

	BUG_IF(parser->lent || frame_parser_held(parser) > size);
	move(parser, buffer, size);
	free(own);
	parser->lent = true;
}

int
frame_parser_return(struct frame_parser *parser)
{
	size_t held = frame_parser_held(parser);
	char *own = NULL;

	if (!parser->lent)
		return 0;
	if (held > 0 && (own = malloc(held)) == NULL)
		return -1;
	move(parser, own, held);
	parser->lent = false;
	return 0;
}

static bool
take_number(const struct field *field, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;
	size_t i;

	if (field->length == 0 || field->length > DIGITS_MAX)
		return false;
	for (i = 0; i < field->length; i++) {
		unsigned int digit = (unsigned int)(field->text[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return n <= max;
}

/* Fields with one blank between two, from p to the newline. */
static bool
split(char *p, char *newline, struct field *fields, size_t count)
{
	size_t i;
	char *end;

	for (i = 0; i < count; i++) {
		if (*p++ != ' ')
			return false;
		end = newline;
		if (i < count - 1)
			end = memchr(p, ' ', (size_t)(newline - p));
		if (end == NULL)
			return false;
		fields[i] = (struct field) { p, (size_t)(end - p) };
		p = end;
	}
	return true;
}

static bool
take_event(struct frame *frame, const struct field *fields)
{
	const struct field *from = &fields[2];
	uint64_t length;

	frame->event = fields[1].text;
	frame->event_length = fields[1].length;
	if (!topic_name_valid(frame->event, frame->event_length))
		return false;
	/* E has the name of a process in place of a topic, too: `send`. */
	if (frame->type == FRAME_BROADCAST || frame->type == FRAME_EVENT ?
		!topic_name_valid(frame->name, frame->name_length) :
		!topic_valid(frame->name, frame->name_length))
		return false;
	if (frame->type == FRAME_EVENT) {
		if (!topic_name_valid(from->text, from->length))
			return false;
		if (from->length != 1 || from->text[0] != '-') {
			frame->from = from->text;
			frame->from_length = from->length;
		}
		fields++;
	}
	if (!take_number(&fields[2], FRAME_PAYLOAD_MAX, &length))
		return false;
	frame->payload_length = (size_t)length;
	return true;
}

/* The header from line to newline. */
static bool
take_header(const struct frame_parser *parser, char *line, char *newline,
    struct frame *frame)
{
	size_t count = fields_of(parser->direction, line[0]);
	struct field fields[FIELDS_MAX] = { { NULL, 0 } }, *field = fields;

	if (count == 0 || !split(line + 1, newline, fields, count))
		return false;
	*frame = (struct frame) { .type = (enum frame_type)line[0] };
	if ((frame->type == FRAME_EVENT || frame->type == FRAME_LOST) &&
	    !take_number(field++, UINT64_MAX, &frame->number))
		return false;
	if (frame->type == FRAME_LOST)
		return true;
	frame->name = field->text;
	frame->name_length = field->length;
	if (frame_has_payload(frame->type))
		return take_event(frame, field);
	return topic_pattern_valid(frame->name, frame->name_length);
}

/* All of it is there: its fields become terminated texts. */
static void
terminate(struct frame *frame, char *newline)
{
	char *name = (char *)(uintptr_t)frame->name;
	char *event = (char *)(uintptr_t)frame->event;
	char *from = (char *)(uintptr_t)frame->from;

	*newline = '\0';
	if (name != NULL)
		name[frame->name_length] = '\0';
	if (event != NULL)
		event[frame->event_length] = '\0';
	if (from != NULL)
		from[frame->from_length] = '\0';
	if (!frame_has_payload(frame->type))
		return;
	frame->payload = newline + 1;
	newline[1 + frame->payload_length] = '\0';
}

static int
broken(struct frame_parser *parser)
{
	parser->broken = true;
	errno = EPROTO;
	return -1;
}

int
frame_parser_next(struct frame_parser *parser, struct frame *frame)
{
	char *line, *newline;
	size_t held = frame_parser_held(parser), total;

	if (parser->broken)
		return broken(parser);
	if (held < parser->need)
		return 0;
	line = parser->buffer + parser->begin;
	newline = memchr(line, '\n',
	    held < FRAME_HEADER_MAX ? held : FRAME_HEADER_MAX);
	if (newline == NULL) {
		if (held >= FRAME_HEADER_MAX ||
		    fields_of(parser->direction, line[0]) == 0)
			return broken(parser);
		parser->need = held + 1;
		return 0;
	}
	if (!take_header(parser, line, newline, frame))
		return broken(parser);
	total = (size_t)(newline + 1 - line);
	if (frame_has_payload(frame->type)) {
		total += frame->payload_length + 1;
		parser->need = total;
		if (held < total)
			return 0;
		if (line[total - 1] != '\n')
			return broken(parser);
	}
	terminate(frame, newline);
	parser->begin += total;
	parser->need = 1;
	return 1;
}
