/* SPDX-License-Identifier: ISC */
/*
 * Frames: written, read however they arrive, refused where they are none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/frame.h"
#include "support.h"

static void
feed(struct frame_parser *parser, const char *bytes, size_t length)
{
	size_t room;
	char *to;

	to = frame_parser_room(parser, length, &room);
	ck_assert_ptr_nonnull(to);
	ck_assert_uint_ge(room, length);
	memcpy(to, bytes, length);
	frame_parser_add(parser, length);
}

/* Appends what a frame says to a text. */
static void
tell(char *to, size_t size, const struct frame *frame)
{
	size_t used = strlen(to);

	ck_assert_uint_eq(strlen(frame->name != NULL ? frame->name : ""),
	    frame->name_length);
	ck_assert_uint_eq(strlen(frame->event != NULL ? frame->event : ""),
	    frame->event_length);
	ck_assert_uint_eq(strlen(frame->from != NULL ? frame->from : ""),
	    frame->from_length);
	if (frame->payload != NULL)
		ck_assert_int_eq(frame->payload[frame->payload_length], '\0');
	snprintf(to + used, size - used, "%c %llu %s %s %s %zu %s;",
	    (char)frame->type, (unsigned long long)frame->number,
	    frame->name != NULL ? frame->name : "",
	    frame->event != NULL ? frame->event : "",
	    frame->from != NULL ? frame->from : "", frame->payload_length,
	    frame->payload != NULL ? frame->payload : "");
}

static const char up_text[] = "S room:*\nU room:*\nP room:a note 5\nhello\n"
			      "O room:a note 0\n\nB team:eng x 3\n\n\n\n\n";
static const char up_told[] = "S 0 room:*   0 ;U 0 room:*   0 ;"
			      "P 0 room:a note  5 hello;"
			      "O 0 room:a note  0 ;B 0 team:eng x  3 \n\n\n;";
static const char down_text[] = "E 18446744073709551615 a e workers/w:1 2\n"
				"{}\nL 7\nR room:*\nE 1 a e - 0\n\n"
				"E 2 :boss: do - 0\n\n";
static const char down_told[] =
    "E 18446744073709551615 a e workers/w:1 2 {};L 7    0 ;"
    "R 0 room:*   0 ;E 1 a e  0 ;E 2 :boss: do  0 ;";

START_TEST(frames_are_read_however_they_are_cut)
{
	enum frame_direction direction = _i % 2 == 0 ? FRAME_UP : FRAME_DOWN;
	const char *text = direction == FRAME_UP ? up_text : down_text;
	size_t step = (size_t)_i / 2 + 1, length = strlen(text), i, n;
	struct frame_parser parser;
	char told[1024] = "";
	struct frame frame;

	frame_parser_init(&parser, direction);
	for (i = 0; i < length; i += n) {
		n = length - i < step ? length - i : step;
		feed(&parser, text + i, n);
		while (frame_parser_next(&parser, &frame) == 1)
			tell(told, sizeof(told), &frame);
		if (i % 3 == 0)
			frame_parser_trim(&parser);
	}
	ck_assert_str_eq(told, direction == FRAME_UP ? up_told : down_told);
	ck_assert_uint_eq(frame_parser_held(&parser), 0);
	frame_parser_fini(&parser);
}
END_TEST

static size_t
encode(char *to, const struct frame *frame)
{
	size_t used = frame_header(to, frame);

	if (frame_has_payload(frame->type)) {
		memcpy(to + used, frame->payload, frame->payload_length);
		used += frame->payload_length;
		to[used++] = '\n';
	}
	return used;
}

START_TEST(what_is_written_can_be_read)
{
	struct frame_parser up, down;
	char text[1024] = "", again[1024];
	struct frame frame;
	size_t used = 0;

	frame_parser_init(&up, FRAME_UP);
	frame_parser_init(&down, FRAME_DOWN);
	feed(&up, up_text, strlen(up_text));
	while (frame_parser_next(&up, &frame) == 1)
		used += encode(text + used, &frame);
	ck_assert_uint_eq(used, strlen(up_text));
	ck_assert_mem_eq(text, up_text, used);
	used = 0;
	feed(&down, down_text, strlen(down_text));
	while (frame_parser_next(&down, &frame) == 1)
		used += encode(again + used, &frame);
	ck_assert_uint_eq(used, strlen(down_text));
	ck_assert_mem_eq(again, down_text, used);
	frame_parser_fini(&up);
	frame_parser_fini(&down);
}
END_TEST

START_TEST(the_longest_header_fits)
{
	static char name[255], text[2 * FRAME_HEADER_MAX];
	struct frame frame = { .type = FRAME_EVENT,
		.number = UINT64_MAX,
		.name = name,
		.event = name,
		.from = name,
		.payload = "",
		.name_length = 255,
		.event_length = 255,
		.from_length = 255,
		.payload_length = FRAME_PAYLOAD_MAX };

	memset(name, 'x', sizeof(name));
	ck_assert_uint_lt(frame_header(text, &frame), FRAME_HEADER_MAX);
}
END_TEST

START_TEST(any_payload_of_a_mebibyte_passes)
{
	size_t length = FRAME_PAYLOAD_MAX, i, n;
	char *payload = malloc(length);
	struct frame_parser parser;
	struct frame frame;

	ck_assert_ptr_nonnull(payload);
	for (i = 0; i < length; i++)
		payload[i] = (char)(i * 7 + i / 256);
	frame_parser_init(&parser, FRAME_UP);
	feed(&parser, "P a b 1048576\n", 14);
	for (i = 0; i < length; i += n) {
		n = length - i < 65521 ? length - i : 65521;
		ck_assert_int_eq(frame_parser_next(&parser, &frame), 0);
		feed(&parser, payload + i, n);
	}
	feed(&parser, "\nS x\n", 5);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 1);
	ck_assert_uint_eq(frame.payload_length, length);
	ck_assert_int_eq(memcmp(frame.payload, payload, length), 0);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 1);
	ck_assert_int_eq(frame.type, FRAME_SUBSCRIBE);
	frame_parser_fini(&parser);
	free(payload);
}
END_TEST

START_TEST(memory_follows_what_came_not_what_was_announced)
{
	struct frame_parser parser;
	struct frame frame;

	frame_parser_init(&parser, FRAME_UP);
	feed(&parser, "P a b 1048576\nbegin", 19);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 0);
	ck_assert_uint_le(parser.size, 64);
	frame_parser_fini(&parser);
}
END_TEST

START_TEST(trimmed_memory_is_what_is_held)
{
	struct frame_parser parser;
	struct frame frame;
	size_t room;

	frame_parser_init(&parser, FRAME_UP);
	frame_parser_room(&parser, 65536, &room);
	feed(&parser, "S a\nS b", 7);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 1);
	frame_parser_trim(&parser);
	ck_assert_uint_eq(parser.size, 3);
	feed(&parser, "c\n", 2);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 1);
	ck_assert_str_eq(frame.name, "bc");
	frame_parser_trim(&parser);
	ck_assert_ptr_null(parser.buffer);
	frame_parser_fini(&parser);
}
END_TEST

static const struct {
	enum frame_direction direction;
	const char *text;
} garbage[] = {
	{ FRAME_UP, "hello" },
	{ FRAME_UP, "\n" },
	{ FRAME_UP, "S\n" },
	{ FRAME_UP, "S \n" },
	{ FRAME_UP, "S a b\n" },
	{ FRAME_UP, "S  a\n" },
	{ FRAME_UP, "S a \n" },
	{ FRAME_UP, "S :a\n" },
	{ FRAME_UP, "S a:\n" },
	{ FRAME_UP, "S\ta\n" },
	{ FRAME_UP, "S a\r\n" },
	{ FRAME_UP, "Sa\n" },
	{ FRAME_UP, "P a b\n" },
	{ FRAME_UP, "P a b \n" },
	{ FRAME_UP, "P a b x\n" },
	{ FRAME_UP, "P a b -1\n" },
	{ FRAME_UP, "P a b +1\n" },
	{ FRAME_UP, "P a b 1x\n" },
	{ FRAME_UP, "P a b 1048577\n" },
	{ FRAME_UP, "P a b 18446744073709551617\n" },
	{ FRAME_UP, "P a b 99999999999999999999999999999999\n" },
	{ FRAME_UP, "P a: b 0\n" },
	{ FRAME_UP, "P a  0\n" },
	{ FRAME_UP, "P a b 0 0\n" },
	{ FRAME_UP, "P a b 1\nxx" },
	{ FRAME_UP, "P a b 0\nx" },
	{ FRAME_UP, "B  b 0\n" },
	{ FRAME_UP, "E 1 a b - 0\n\n" },
	{ FRAME_UP, "L 1\n" },
	{ FRAME_UP, "R a\n" },
	{ FRAME_DOWN, "S a\n" },
	{ FRAME_DOWN, "P a b 0\n\n" },
	{ FRAME_DOWN, "L x\n" },
	{ FRAME_DOWN, "L \n" },
	{ FRAME_DOWN, "E x a b - 0\n\n" },
	{ FRAME_DOWN, "E 1 a b  0\n\n" },
	{ FRAME_DOWN, "E 1 a b 0\n\n" },
	{ FRAME_DOWN, "R a:\n" },
};

START_TEST(what_is_no_frame_is_refused_for_ever)
{
	const char *text = garbage[_i].text;
	struct frame_parser parser;
	struct frame frame;

	frame_parser_init(&parser, garbage[_i].direction);
	feed(&parser, text, strlen(text));
	errno = 0;
	ck_assert_int_eq(frame_parser_next(&parser, &frame), -1);
	ck_assert_int_eq(errno, EPROTO);
	feed(&parser, "S a\n", 4);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), -1);
	frame_parser_fini(&parser);
}
END_TEST

START_TEST(what_is_no_frame_is_refused_byte_by_byte)
{
	const char *text = garbage[_i].text;
	struct frame_parser parser;
	struct frame frame;
	size_t i;
	int got = 0;

	frame_parser_init(&parser, garbage[_i].direction);
	for (i = 0; text[i] != '\0' && got == 0; i++) {
		feed(&parser, text + i, 1);
		got = frame_parser_next(&parser, &frame);
	}
	ck_assert_int_eq(got, -1);
	frame_parser_fini(&parser);
}
END_TEST

START_TEST(a_line_without_end_is_refused)
{
	struct frame_parser parser;
	struct frame frame;
	size_t i;

	frame_parser_init(&parser, FRAME_UP);
	feed(&parser, "S ", 2);
	for (i = 2; i < FRAME_HEADER_MAX - 1; i++)
		feed(&parser, "x", 1);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 0);
	feed(&parser, "x", 1);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), -1);
	frame_parser_fini(&parser);
}
END_TEST

START_TEST(half_a_frame_is_held)
{
	struct frame_parser parser;
	struct frame frame;

	frame_parser_init(&parser, FRAME_UP);
	feed(&parser, "S a\nP a b 5\nhel", 15);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 1);
	ck_assert_int_eq(frame_parser_next(&parser, &frame), 0);
	ck_assert_uint_eq(frame_parser_held(&parser), 11);
	frame_parser_fini(&parser);
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
	static const char letters[] = "ESULRPOB ab*:0123456789\n\n\n-\001";
	struct frame_parser parser;
	struct frame frame;
	unsigned int i, seed = (unsigned int)_i + 1;
	char byte;

	frame_parser_init(&parser, _i % 2 == 0 ? FRAME_UP : FRAME_DOWN);
	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		byte = letters[(seed >> 16) % (sizeof(letters) - 1)];
		feed(&parser, &byte, 1);
		if (frame_parser_next(&parser, &frame) == -1) {
			frame_parser_fini(&parser);
			ck_assert(!parser.broken);
		}
	}
	frame_parser_fini(&parser);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tc = support_case(suite, "frames");
	int count = sizeof(garbage) / sizeof(garbage[0]);

	tcase_add_loop_test(tc, frames_are_read_however_they_are_cut, 0, 200);
	tcase_add_test(tc, what_is_written_can_be_read);
	tcase_add_test(tc, the_longest_header_fits);
	tcase_add_test(tc, any_payload_of_a_mebibyte_passes);
	tcase_add_test(tc, memory_follows_what_came_not_what_was_announced);
	tcase_add_test(tc, trimmed_memory_is_what_is_held);
	tcase_add_loop_test(tc, what_is_no_frame_is_refused_for_ever, 0, count);
	tcase_add_loop_test(tc, what_is_no_frame_is_refused_byte_by_byte, 0,
	    count);
	tcase_add_test(tc, a_line_without_end_is_refused);
	tcase_add_test(tc, half_a_frame_is_held);
	tcase_add_loop_test(tc, random_bytes_do_no_harm, 0, 20);
	return support_main(suite, NULL);
}
