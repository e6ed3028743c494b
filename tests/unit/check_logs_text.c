/* SPDX-License-Identifier: ISC */
/*
 * The pure parts of logs: lines, what a terminal sees of them, and the ring.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/logs/lines.h"
#include "runtime/logs/ring.h"
#include "runtime/logs/visible.h"
#include "support.h"

#define PIECES 16

static struct piece {
	char *text;
	size_t length;
	unsigned int flags;
} pieces[PIECES];
static size_t npieces;

static void
record(const char *text, size_t length, unsigned int flags, void *arg)
{
	struct piece *piece = &pieces[npieces++ % PIECES];

	(void)arg;
	free(piece->text);
	piece->text = malloc(length + 1);
	memcpy(piece->text, text, length);
	piece->text[length] = '\0';
	piece->length = length;
	piece->flags = flags;
}

static void
forget(void)
{
	size_t i;

	for (i = 0; i < PIECES; i++) {
		free(pieces[i].text);
		pieces[i].text = NULL;
	}
	npieces = 0;
}

static void
feed(struct lines *lines, const char *text)
{
	lines_feed(lines, text, strlen(text));
}

START_TEST(bytes_become_lines_however_they_arrive)
{
	static const char text[] = "one\n\nthree and more\nfour";
	struct lines lines;
	size_t i, step = (size_t)_i;

	lines_init(&lines, record, NULL);
	for (i = 0; i < strlen(text); i += step)
		lines_feed(&lines, text + i,
		    strlen(text) - i < step ? strlen(text) - i : step);
	ck_assert_uint_eq(npieces, 3);
	ck_assert_str_eq(pieces[0].text, "one");
	ck_assert_str_eq(pieces[1].text, "");
	ck_assert_str_eq(pieces[2].text, "three and more");
	ck_assert_uint_eq(pieces[2].flags, 0);
	lines_flush(&lines);
	ck_assert_uint_eq(npieces, 4);
	ck_assert_str_eq(pieces[3].text, "four");
	ck_assert_uint_eq(pieces[3].flags, LINES_PARTIAL);
	lines_flush(&lines);
	ck_assert_uint_eq(npieces, 4);
	lines_fini(&lines);
	forget();
}
END_TEST

START_TEST(what_is_held_can_be_forgotten)
{
	struct lines lines;

	lines_init(&lines, record, NULL);
	feed(&lines, "begin");
	lines_fini(&lines);
	feed(&lines, "again\n");
	ck_assert_str_eq(pieces[0].text, "again");
	lines_fini(&lines);
	forget();
}
END_TEST

START_TEST(a_line_of_the_most_bytes_is_whole)
{
	static char text[LINES_MAX + 1];
	struct lines lines;

	memset(text, 'x', LINES_MAX);
	text[LINES_MAX] = '\n';
	lines_init(&lines, record, NULL);
	lines_feed(&lines, text, LINES_MAX);
	ck_assert_uint_eq(npieces, 0);
	lines_feed(&lines, "\n", 1);
	lines_feed(&lines, text, sizeof(text));
	ck_assert_uint_eq(npieces, 2);
	ck_assert_uint_eq(pieces[0].length, LINES_MAX);
	ck_assert_uint_eq(pieces[0].flags, 0);
	ck_assert_uint_eq(pieces[1].flags, 0);
	lines_fini(&lines);
	forget();
}
END_TEST

START_TEST(a_longer_line_comes_in_marked_pieces)
{
	static char text[2 * LINES_MAX + 2];
	struct lines lines;
	size_t i, step = _i == 0 ? sizeof(text) : 1000;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	lines_init(&lines, record, NULL);
	for (i = 0; i < sizeof(text); i += step)
		lines_feed(&lines, text + i,
		    sizeof(text) - i < step ? sizeof(text) - i : step);
	ck_assert_uint_eq(npieces, 3);
	ck_assert_uint_eq(pieces[0].flags, LINES_CUT);
	ck_assert_uint_eq(pieces[0].length, LINES_MAX);
	ck_assert_uint_eq(pieces[1].flags, LINES_CUT);
	ck_assert_uint_eq(pieces[1].length, LINES_MAX);
	ck_assert_uint_eq(pieces[2].flags, 0);
	ck_assert_uint_eq(pieces[2].length, 1);
	lines_fini(&lines);
	forget();
}
END_TEST

START_TEST(any_byte_may_be_in_a_line)
{
	struct lines lines;

	lines_init(&lines, record, NULL);
	lines_feed(&lines, "a\0b\377\r\n", 6);
	ck_assert_uint_eq(pieces[0].length, 5);
	ck_assert_int_eq(memcmp(pieces[0].text, "a\0b\377\r", 5), 0);
	lines_fini(&lines);
	forget();
}
END_TEST

static const struct {
	const char *text;
	size_t length;
	const char *visible;
} shown[] = {
	{ "plain\ttab", 9, "plain\ttab" },
	{ "\033[31mred\033[0m", 12, "^[[31mred^[[0m" },
	{ "a\0b\177c\a", 6, "a^@b^?c^G" },
	{ "dos\r", 4, "dos" },
	{ "50%\r60%\r\r", 9, "50%^M60%^M" },
	{ "gr\303\274n \342\202\254 \360\237\220\242", 14,
	    "gr\303\274n \342\202\254 \360\237\220\242" },
	{ "x\302\233"
	  "31m",
	    6, "x\\x9b31m" },
	{ "x\233"
	  "31m",
	    5, "x\\x9b31m" },
	{ "\377\300\342\202", 4, "\377\300\342\\x82" },
	{ "\303", 1, "\303" },
	{ "", 0, "" },
};

START_TEST(control_characters_are_made_visible)
{
	char to[256];
	size_t n;

	n = visible(to, shown[_i].text, shown[_i].length);
	ck_assert_uint_le(n, VISIBLE_SIZE(shown[_i].length));
	to[n] = '\0';
	ck_assert_str_eq(to, shown[_i].visible);
}
END_TEST

START_TEST(visible_text_fits_its_room)
{
	char text[256], to[VISIBLE_SIZE(sizeof(text)) + 1];
	size_t i, n;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)(i % 2 == 0 ? 0x9b : 0x01);
	to[sizeof(to) - 1] = '*';
	n = visible(to, text, sizeof(text));
	ck_assert_uint_eq(n, sizeof(text) / 2 * 6);
	ck_assert_int_eq(to[sizeof(to) - 1], '*');
}
END_TEST

static uint64_t
add(struct ring *ring, const char *text, size_t length)
{
	struct log_line line = { .text = text,
		.length = length,
		.time_us = 7,
		.flags = LINES_PARTIAL };

	return ring_add(ring, &line);
}

START_TEST(a_ring_gives_back_what_it_took)
{
	struct ring *ring = ring_new(RING_MIN);
	struct ring_cursor cursor;
	struct log_line line;
	uint64_t missed;

	cursor = ring_last(ring, 10);
	ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 0);
	ck_assert_uint_eq(add(ring, "one", 3), 1);
	ck_assert_uint_eq(add(ring, "", 0), 2);
	ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 1);
	ck_assert_uint_eq(line.seq, 1);
	ck_assert_uint_eq(line.length, 3);
	ck_assert_int_eq(memcmp(line.text, "one", 3), 0);
	ck_assert_int_eq(line.time_us, 7);
	ck_assert_uint_eq(line.flags, LINES_PARTIAL);
	ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 1);
	ck_assert_uint_eq(line.length, 0);
	ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 0);
	ck_assert_uint_eq(missed, 0);
	ck_assert_uint_eq(ring_first(ring), 1);
	ck_assert_uint_eq(ring_next(ring), 3);
	ring_free(ring);
	ring_free(NULL);
}
END_TEST

START_TEST(the_last_lines_are_found)
{
	struct ring *ring = ring_new(RING_MIN);
	struct ring_cursor cursor;
	struct log_line line;
	uint64_t missed, seq;
	char text[8];

	for (seq = 1; seq <= 100; seq++) {
		snprintf(text, sizeof(text), "%u", (unsigned int)seq);
		add(ring, text, strlen(text));
	}
	cursor = ring_last(ring, 3);
	for (seq = 98; seq <= 100; seq++) {
		ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 1);
		ck_assert_uint_eq(line.seq, seq);
	}
	ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 0);
	cursor = ring_last(ring, 0);
	ck_assert_int_eq(ring_read(ring, &cursor, &line, &missed), 0);
	cursor = ring_last(ring, UINT64_MAX);
	ring_read(ring, &cursor, &line, &missed);
	ck_assert_uint_eq(line.seq, 1);
	cursor = ring_at(ring, 50);
	ring_read(ring, &cursor, &line, &missed);
	ck_assert_uint_eq(line.seq, 50);
	cursor = ring_at(ring, 0);
	ck_assert_uint_eq(cursor.seq, 1);
	cursor = ring_at(ring, 1000);
	ck_assert_uint_eq(cursor.seq, 101);
	ring_free(ring);
}
END_TEST

/*
 * A model: line n has a length and a content that n tells, so that any
 * reader can check any line.
 */
static size_t
length_of(uint64_t seq, int pattern)
{
	switch (pattern) {
	case 0:
		return (size_t)(seq * 7919 % 200);
	case 1:
		return (size_t)(seq * 7919 % (LINES_MAX + 1));
	case 2:
		return LINES_MAX;
	default:
		return seq % 5 == 0 ? LINES_MAX : (size_t)(seq % 3);
	}
}

static void
check_line(const struct log_line *line, int pattern)
{
	size_t i;

	ck_assert_uint_eq(line->length, length_of(line->seq, pattern));
	for (i = 0; i < line->length; i++)
		if (line->text[i] != (char)line->seq)
			ck_abort_msg("line %u, byte %zu",
			    (unsigned int)line->seq, i);
}

/* A reader that keeps up, a slow one, and a new one at each step. */
START_TEST(old_lines_make_room_and_readers_see_the_gap)
{
	static char text[LINES_MAX];
	struct ring *ring = ring_new(RING_MIN + 8 * (size_t)_i);
	struct ring_cursor prompt = ring_at(ring, 0), slow = prompt, fresh;
	uint64_t seq, missed, seen = 0, skipped = 0;
	struct log_line line;
	int pattern = _i % 4;

	for (seq = 1; seq <= 2000; seq++) {
		memset(text, (int)(seq & 0xff), sizeof(text));
		ck_assert_uint_eq(add(ring, text, length_of(seq, pattern)),
		    seq);
		ck_assert_int_eq(ring_read(ring, &prompt, &line, &missed), 1);
		ck_assert_uint_eq(missed, 0);
		ck_assert_uint_eq(line.seq, seq);
		check_line(&line, pattern);
		fresh = ring_last(ring, seq % 9 + 1);
		while (ring_read(ring, &fresh, &line, &missed) == 1)
			check_line(&line, pattern);
		ck_assert_uint_eq(line.seq, seq);
		if (seq % 3 != 0)
			continue;
		ck_assert_int_eq(ring_read(ring, &slow, &line, &missed), 1);
		check_line(&line, pattern);
		skipped += missed;
		seen++;
		ck_assert_uint_eq(line.seq, seen + skipped);
	}
	ck_assert_uint_gt(skipped, 0);
	ring_free(ring);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("logs: text");
	TCase *tc;

	tc = support_case(suite, "lines");
	tcase_add_loop_test(tc, bytes_become_lines_however_they_arrive, 1, 26);
	tcase_add_test(tc, what_is_held_can_be_forgotten);
	tcase_add_test(tc, a_line_of_the_most_bytes_is_whole);
	tcase_add_loop_test(tc, a_longer_line_comes_in_marked_pieces, 0, 2);
	tcase_add_test(tc, any_byte_may_be_in_a_line);
	tc = support_case(suite, "visible");
	tcase_add_loop_test(tc, control_characters_are_made_visible, 0,
	    sizeof(shown) / sizeof(shown[0]));
	tcase_add_test(tc, visible_text_fits_its_room);
	tc = support_case(suite, "ring");
	tcase_add_test(tc, a_ring_gives_back_what_it_took);
	tcase_add_test(tc, the_last_lines_are_found);
	tcase_add_loop_test(tc, old_lines_make_room_and_readers_see_the_gap, 0,
	    8);
	return support_main(suite, NULL);
}
