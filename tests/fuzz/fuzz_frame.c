/* SPDX-License-Identifier: ISC */
/*
 * Frames of both directions: the same ones however the bytes are cut, each
 * whole and valid, and each the same again when it is written and read.
 *
 * Input: a byte for the direction, one for how it is cut, then frames.
 */
#include "runtime/relay/frame.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/topic.h"
#include "tests/fuzz/fuzz.h"

#define LENT_MAX ((size_t)1 << 16)

/* What was read, a frame after the other, and how it ended. */
struct told {
	char *text;
	size_t used;
	size_t room;
	size_t frames;
	size_t held;
	bool broken;
};

static void
put(struct told *told, const void *bytes, size_t length)
{
	if (told->room - told->used < length) {
		told->room = 2 * (told->used + length);
		told->text = realloc(told->text, told->room);
		FUZZ_CHECK(told->text != NULL);
	}
	if (length > 0)
		memcpy(told->text + told->used, bytes, length);
	told->used += length;
}

static void
feed(struct frame_parser *parser, const char *bytes, size_t length)
{
	size_t room;
	char *to;

	to = frame_parser_room(parser, length, &room);
	FUZZ_CHECK(to != NULL && room >= length);
	memcpy(to, bytes, length);
	frame_parser_add(parser, length);
}

static void
check_text(const char *text, size_t length)
{
	FUZZ_CHECK(text != NULL && strlen(text) == length &&
	    topic_name_valid(text, length));
}

static void
check_frame(const struct frame *frame, enum frame_direction direction)
{
	bool up = strchr("SUPOB", (char)frame->type) != NULL;

	FUZZ_CHECK(up == (direction == FRAME_UP));
	if (frame->type != FRAME_LOST)
		check_text(frame->name, frame->name_length);
	if (frame->from != NULL)
		check_text(frame->from, frame->from_length);
	if (!frame_has_payload(frame->type))
		return;
	check_text(frame->event, frame->event_length);
	FUZZ_CHECK(frame->payload != NULL &&
	    frame->payload_length <= FRAME_PAYLOAD_MAX &&
	    frame->payload[frame->payload_length] == '\0');
}

/* As it is written; NULL texts and numbers are in it, too. */
static void
tell(struct told *told, const struct frame *frame)
{
	char header[FRAME_HEADER_MAX];
	size_t length = frame_header(header, frame);

	FUZZ_CHECK(length < FRAME_HEADER_MAX);
	put(told, header, length);
	if (frame_has_payload(frame->type)) {
		put(told, frame->payload, frame->payload_length);
		put(told, "\n", 1);
	}
	told->frames++;
}

static void
take_all(struct frame_parser *parser, struct told *told)
{
	struct frame frame;
	int result;

	while ((result = frame_parser_next(parser, &frame)) == 1) {
		check_frame(&frame, parser->direction);
		tell(told, &frame);
	}
	told->broken = result == -1;
}

static void
read_at_once(enum frame_direction direction, const char *bytes, size_t length,
    struct told *told)
{
	struct frame_parser parser;

	frame_parser_init(&parser, direction);
	feed(&parser, bytes, length);
	take_all(&parser, told);
	told->held = frame_parser_held(&parser);
	frame_parser_fini(&parser);
}

/* By a generator of numbers the memory is lent, trimmed or left as it is. */
static void
read_cut(enum frame_direction direction, const char *bytes, size_t length,
    unsigned int cut, struct told *told)
{
	static char lent[LENT_MAX];
	struct frame_parser parser;
	size_t n, done = 0;

	frame_parser_init(&parser, direction);
	while (done < length && !told->broken) {
		cut = cut * 1103515245U + 12345U;
		n = (cut >> 16) % 64 < 40 ? 1 + (cut >> 22) % 8 :
					    1 + (cut >> 20) % 512;
		if (n > length - done)
			n = length - done;
		if ((cut >> 12) % 4 == 0 &&
		    frame_parser_held(&parser) + n <= LENT_MAX)
			frame_parser_lend(&parser, lent, LENT_MAX);
		feed(&parser, bytes + done, n);
		done += n;
		take_all(&parser, told);
		FUZZ_CHECK(frame_parser_return(&parser) == 0);
		if ((cut >> 10) % 4 == 0)
			frame_parser_trim(&parser);
	}
	told->held = frame_parser_held(&parser) + (length - done);
	frame_parser_fini(&parser);
}

static void
check_same(const struct told *one, const struct told *other)
{
	FUZZ_CHECK(one->frames == other->frames && one->used == other->used);
	FUZZ_CHECK(one->broken == other->broken && one->held == other->held);
	FUZZ_CHECK(one->used == 0 ||
	    memcmp(one->text, other->text, one->used) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told whole = { .used = 0 }, cut = whole, again = whole;
	struct fuzz_input input = { data, size };
	enum frame_direction direction = fuzz_byte(&input) % 2 == 0 ?
	    FRAME_UP :
	    FRAME_DOWN;
	unsigned int how = fuzz_byte(&input);
	const char *bytes = (const char *)input.data;

	if (input.size == 0)
		return 0;
	read_at_once(direction, bytes, input.size, &whole);
	read_cut(direction, bytes, input.size, how, &cut);
	check_same(&whole, &cut);
	if (whole.used > 0) {
		read_at_once(direction, whole.text, whole.used, &again);
		whole.broken = false;
		whole.held = 0;
		check_same(&whole, &again);
	}
	free(whole.text);
	free(cut.text);
	free(again.text);
	return 0;
}
