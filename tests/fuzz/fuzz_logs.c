/* SPDX-License-Identifier: ISC */
/*
 * Log lines: none of what was written is lost or changed however it is cut,
 * no piece is longer than allowed, the ring holds the last of them, and what
 * is shown has no control characters.
 *
 * Input: a byte for how it is cut and repeated, then what a member wrote.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/logs/lines.h"
#include "runtime/logs/ring.h"
#include "runtime/logs/visible.h"
#include "tests/fuzz/fuzz.h"

/* Written again and again up to so much, inputs fill lines and the ring. */
#define WRITTEN ((size_t)60000)

struct told {
	char *bytes; /* as written: newlines where pieces ended a line */
	size_t used;
	size_t room;
	uint64_t count;
	bool partial;
	struct ring *ring; /* NULL: none */
};

static void
on_line(const char *text, size_t length, unsigned int flags, void *arg)
{
	struct log_line line = { .text = text,
		.length = length,
		.flags = flags };
	struct told *told = arg;

	FUZZ_CHECK(length <= LINES_MAX && !told->partial);
	FUZZ_CHECK(memchr(text, '\n', length) == NULL);
	FUZZ_CHECK(flags == 0 || flags == LINES_PARTIAL ||
	    (flags == LINES_CUT && length > 0));
	FUZZ_CHECK(told->room - told->used > length);
	memcpy(told->bytes + told->used, text, length);
	told->used += length;
	if (flags == 0)
		told->bytes[told->used++] = '\n';
	told->partial = flags == LINES_PARTIAL;
	told->count++;
	if (told->ring != NULL)
		FUZZ_CHECK(ring_add(told->ring, &line) == told->count);
}

/* Cut as it comes; step 0: all of it at once. */
static void
split(const char *bytes, size_t length, size_t times, size_t step,
    struct told *told)
{
	struct lines lines;
	size_t i, n, done;

	told->room = length * times + 1;
	told->bytes = malloc(told->room);
	FUZZ_CHECK(told->bytes != NULL);
	lines_init(&lines, on_line, told);
	for (i = 0; i < times; i++)
		for (done = 0; done < length; done += n) {
			n = step == 0 || length - done < step ? length - done :
								step;
			lines_feed(&lines, bytes + done, n);
		}
	lines_flush(&lines);
	lines_fini(&lines);
}

static void
check_bytes(const struct told *told, const char *bytes, size_t length,
    size_t times)
{
	size_t i;

	FUZZ_CHECK(told->used == length * times);
	for (i = 0; i < times; i++)
		FUZZ_CHECK(memcmp(told->bytes + i * length, bytes, length) ==
		    0);
}

/* The last lines, numbered without a gap, the text found where it was. */
static void
check_ring(const struct told *told)
{
	struct ring_cursor cursor = ring_at(told->ring, 1);
	uint64_t missed, seq = ring_first(told->ring);
	const char *at = told->bytes;
	struct log_line line;
	size_t held = 0;

	FUZZ_CHECK(ring_next(told->ring) == told->count + 1);
	while (ring_read(told->ring, &cursor, &line, &missed) == 1) {
		FUZZ_CHECK(line.seq == seq++ && line.length <= LINES_MAX);
		at = line.length == 0 ?
		    at :
		    memmem(at, told->used - (size_t)(at - told->bytes),
			line.text, line.length);
		FUZZ_CHECK(at != NULL);
		held += line.length;
	}
	FUZZ_CHECK(seq == told->count + 1 && held <= told->used);
}

static void
check_visible(const char *text, size_t length)
{
	char *to = malloc(VISIBLE_SIZE(length) + 1), *again;
	size_t n = visible(to, text, length), i;

	FUZZ_CHECK(n <= VISIBLE_SIZE(length));
	for (i = 0; i < n; i++)
		FUZZ_CHECK(((unsigned char)to[i] >= ' ' || to[i] == '\t') &&
		    to[i] != 0x7f);
	/* What is harmless stays as it is. */
	again = malloc(VISIBLE_SIZE(n) + 1);
	FUZZ_CHECK(visible(again, to, n) == n && memcmp(again, to, n) == 0);
	free(again);
	free(to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t how = fuzz_byte(&input);
	size_t times = (how & 0x80) != 0 ? WRITTEN / (size + 1) + 1 : 1;
	struct told whole = { .used = 0 }, cut = { .used = 0 };
	char *bytes;

	if (input.size == 0 || input.size > 4096)
		return 0;
	bytes = fuzz_text(input.data, input.size);
	whole.ring = ring_new(RING_MIN);
	FUZZ_CHECK(whole.ring != NULL);
	split(bytes, input.size, times, 0, &whole);
	split(bytes, input.size, times, 1 + (how & 0x7fU), &cut);
	check_bytes(&whole, bytes, input.size, times);
	check_bytes(&cut, bytes, input.size, times);
	FUZZ_CHECK(whole.count == cut.count && whole.partial == cut.partial);
	check_ring(&whole);
	check_visible(bytes, input.size);
	ring_free(whole.ring);
	free(whole.bytes);
	free(cut.bytes);
	free(bytes);
	return 0;
}
