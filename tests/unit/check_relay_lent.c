/* SPDX-License-Identifier: ISC */
/*
 * The relay: pages that are lent to pipes instead of being copied, which it
 * does where there is much to write to each of many members.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/audience.h"
#include "runtime/relay/log.h"
#include "runtime/relay/relay_private.h"
#include "support.h"
#include "tests/unit/relay_kit.h"

#define MEMBERS 9
#define PAYLOAD ((size_t)4000)
#define BURST 6 /* frames, which one pipe holds twice */

static struct kit kit;
static struct peer peers[MEMBERS];

static void
setup(void)
{
	static const char names[MEMBERS][2] = { "a", "b", "c", "d", "e", "f",
		"g", "h", "i" };
	size_t i;

	kit_open(&kit, 0);
	for (i = 0; i < MEMBERS; i++)
		peer_open(&peers[i], &kit, names[i], "room");
}

static void
teardown(void)
{
	size_t i;

	for (i = 0; i < MEMBERS; i++)
		peer_close(&peers[i]);
	kit_close(&kit);
}

static char
letter(size_t number)
{
	return (char)('a' + number % 26);
}

/* The events from number on, each of a letter of its own. */
static void
publish_burst(size_t number)
{
	char payload[PAYLOAD + 1];
	size_t i;

	payload[PAYLOAD] = '\0';
	for (i = 0; i < BURST; i++) {
		memset(payload, letter(number + i), PAYLOAD);
		ck_assert_uint_eq(kit_publish(&kit, "room", payload), MEMBERS);
	}
	kit_turn(&kit);
	ck_assert(log_lends(peers[0].member->audience->log));
}

static void
expect_event(struct peer *peer, size_t number)
{
	struct frame frame;
	char payload[PAYLOAD];

	while (!peer_parse(peer, &frame))
		ck_assert_uint_gt(peer_read(peer, 65536), 0);
	ck_assert_int_eq(frame.type, FRAME_EVENT);
	ck_assert_uint_eq(frame.payload_length, PAYLOAD);
	memset(payload, letter(number), PAYLOAD);
	ck_assert_mem_eq(frame.payload, payload, PAYLOAD);
}

/* Pipes refer to the memory that the next burst would be written to. */
START_TEST(what_is_lent_does_not_change_before_it_is_read)
{
	size_t round, number, i;

	for (round = 0; round < 20; round++) {
		number = round * 2 * BURST;
		publish_burst(number);
		publish_burst(number + BURST);
		for (; number < (round + 1) * 2 * BURST; number++)
			for (i = 0; i < MEMBERS; i++)
				expect_event(&peers[i], number);
	}
	for (i = 0; i < MEMBERS; i++)
		ck_assert_uint_eq(peers[i].lost, 0);
}
END_TEST

START_TEST(what_is_lent_outlives_the_member)
{
	size_t number, i;

	publish_burst(0);
	for (i = 0; i < MEMBERS; i++) {
		relay_member_free(peers[i].member);
		peers[i].member = NULL;
	}
	for (i = 0; i < MEMBERS; i++)
		for (number = 0; number < BURST; number++)
			expect_event(&peers[i], number);
}
END_TEST

/* A pipe has few places: what does not fit waits until there are some. */
START_TEST(who_does_not_read_gets_the_rest_later)
{
	size_t number;

	for (number = 0; number < 20 * BURST; number += BURST) {
		publish_burst(number);
		peer_drain(&peers[1]);
	}
	for (number = 0; number < 20 * BURST; number++) {
		kit_turn(&kit);
		expect_event(&peers[0], number);
	}
	ck_assert_uint_eq(peers[0].lost, 0);
	ck_assert_uint_eq(peers[1].received, 20 * BURST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay, lent pages");
	TCase *tc = support_case(suite, "many members, large frames");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_lent_does_not_change_before_it_is_read);
	tcase_add_test(tc, what_is_lent_outlives_the_member);
	tcase_add_test(tc, who_does_not_read_gets_the_rest_later);
	return support_main(suite, NULL);
}
