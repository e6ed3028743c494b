/* SPDX-License-Identifier: ISC */
/*
 * The relay: large frames that reach several audiences, of which there is one
 * copy that their logs refer to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/relay_private.h"
#include "support.h"
#include "tests/unit/relay_kit.h"

#define PEERS 6
#define PAYLOAD ((size_t)4000)

/* Frames each of which fills a block of its own. */
#define FILL ((size_t)16384)
#define FILLED 16

static struct kit kit;
static struct peer peers[PEERS];

/* Each is an audience of its own. */
static void
open_peers(size_t budget)
{
	char key[16], patterns[32];
	size_t i;

	kit_open(&kit, budget);
	for (i = 0; i < PEERS; i++) {
		snprintf(key, sizeof(key), "peer:%zu", i);
		snprintf(patterns, sizeof(patterns), "room own:%zu", i);
		peer_open(&peers[i], &kit, key, patterns);
	}
	kit_turn(&kit);
}

static void
close_peers(void)
{
	size_t i;

	for (i = 0; i < PEERS; i++)
		peer_close(&peers[i]);
	kit_close(&kit);
}

/* Large events, each of a letter of its own, from a number on. */
static void
publish_large(int from, int to)
{
	char payload[PAYLOAD + 1];

	payload[PAYLOAD] = '\0';
	for (; from < to; from++) {
		memset(payload, 'a' + from % 26, PAYLOAD);
		ck_assert_uint_eq(kit_publish(&kit, "room", payload), PEERS);
	}
}

static void
next_event(struct peer *peer, struct frame *frame)
{
	while (!peer_parse(peer, frame)) {
		if (peer_read(peer, 65536) > 0)
			continue;
		kit_turn(&kit);
		ck_assert_uint_gt(peer_read(peer, 65536), 0);
	}
	ck_assert_int_eq(frame->type, FRAME_EVENT);
}

static void
expect_large(struct peer *peer, int number)
{
	char payload[PAYLOAD];
	struct frame frame;

	next_event(peer, &frame);
	ck_assert_uint_eq(frame.payload_length, PAYLOAD);
	memset(payload, 'a' + number % 26, PAYLOAD);
	ck_assert_mem_eq(frame.payload, payload, PAYLOAD);
}

START_TEST(there_is_one_copy_for_all_audiences)
{
	int i;

	open_peers(0);
	publish_large(0, 250);
	kit_turn(&kit);
	ck_assert_uint_gt(kit.relay->store.used, 150 * PAYLOAD);
	ck_assert_uint_lt(kit.relay->store.used, 500 * PAYLOAD);
	for (i = 0; i < 250 * PEERS; i++)
		expect_large(&peers[i % PEERS], i / PEERS);
	close_peers();
}
END_TEST

START_TEST(it_stays_until_the_last_reader_has_it)
{
	size_t i;
	int number;

	open_peers(0);
	publish_large(0, 250);
	for (i = 1; i < PEERS; i++)
		peer_drain(&peers[i]);
	ck_assert_uint_gt(kit.relay->store.used, 150 * PAYLOAD);
	for (number = 0; number < 250; number++)
		expect_large(&peers[0], number);
	kit_turn(&kit);
	ck_assert_uint_lt(kit.relay->store.used, 10 * PAYLOAD);
	close_peers();
}
END_TEST

START_TEST(small_and_large_events_come_in_order)
{
	struct frame frame;
	char text[16];
	size_t i;
	int number;

	open_peers(0);
	for (number = 0; number < 100; number++) {
		snprintf(text, sizeof(text), "%d", number);
		if (number % 3 == 0)
			publish_large(number, number + 1);
		else
			kit_publish(&kit, "room", text);
	}
	for (i = 0; i < PEERS; i++) {
		for (number = 0; number < 100; number++) {
			if (number % 3 == 0) {
				expect_large(&peers[i], number);
				continue;
			}
			next_event(&peers[i], &frame);
			ck_assert_int_eq(atoi(frame.payload), number);
		}
	}
	close_peers();
}
END_TEST

/* Pipes refer to memory that the logs have left. */
START_TEST(what_pipes_hold_outlives_members_and_does_not_change)
{
	int number;
	size_t i;

	open_peers(0);
	publish_large(0, 3);
	kit_turn(&kit);
	for (i = 1; i < PEERS; i++) {
		relay_member_free(peers[i].member);
		peers[i].member = NULL;
	}
	expect_large(&peers[0], 0);
	peer_drain(&peers[0]);
	for (number = 0; number < 20; number++)
		kit_publish_bytes(&kit, "room", PAYLOAD);
	for (i = 1; i < PEERS; i++)
		for (number = 0; number < 3; number++)
			expect_large(&peers[i], number);
	close_peers();
}
END_TEST

START_TEST(a_member_gone_within_a_frame_costs_nobody_else)
{
	size_t i;

	open_peers(0);
	/* Larger than a pipe: all have half of it. */
	kit_publish_bytes(&kit, "room", 200000);
	kit_turn(&kit);
	ck_assert_uint_gt(peer_read(&peers[0], 1000), 0);
	peer_close(&peers[0]);
	for (i = 1; i < PEERS; i++) {
		peer_drain(&peers[i]);
		ck_assert_uint_eq(peers[i].received, 1);
		ck_assert_uint_eq(peers[i].lost, 0);
	}
	peer_open(&peers[0], &kit, "again", "room");
	close_peers();
}
END_TEST

START_TEST(what_does_not_fit_is_counted_for_each_reader)
{
	size_t i;

	open_peers(400000);
	for (i = 0; i < 300; i++) {
		publish_large((int)i, (int)i + 1);
		if (i % 7 == 0)
			kit_turn(&kit);
		if (i % 50 == 0)
			peer_drain(&peers[0]);
		ck_assert_uint_le(kit.relay->store.used, 400000 + 65536);
	}
	for (i = 0; i < PEERS; i++) {
		peer_drain(&peers[i]);
		ck_assert_uint_eq(peers[i].received + peers[i].lost, 300);
		ck_assert_uint_eq(frame_parser_held(&peers[i].parser), 0);
	}
	ck_assert_uint_gt(peers[PEERS - 1].lost, 0);
	close_peers();
}
END_TEST

START_TEST(a_frame_begun_is_finished_before_the_loss_is_told)
{
	size_t i;

	open_peers(700000);
	kit_publish_bytes(&kit, "room", 200000);
	kit_turn(&kit);
	for (i = 0; i < 40; i++) {
		kit_publish_bytes(&kit, "room", 50000);
		kit_turn(&kit);
	}
	for (i = 0; i < PEERS; i++) {
		peer_drain(&peers[i]);
		ck_assert_uint_eq(peers[i].received + peers[i].lost, 41);
		ck_assert_uint_gt(peers[i].lost, 20);
		ck_assert_uint_eq(frame_parser_held(&peers[i].parser), 0);
	}
	close_peers();
}
END_TEST

START_TEST(others_do_not_come_back_to_their_sender)
{
	char text[PAYLOAD + 64];
	size_t length, i;

	open_peers(0);
	length = (size_t)snprintf(text, sizeof(text), "O room x %zu\n",
	    PAYLOAD);
	memset(text + length, '.', PAYLOAD);
	memcpy(text + length + PAYLOAD, "\n", 2);
	for (i = 0; i < 30; i++) {
		peer_send(&peers[0], text);
		kit_publish(&kit, "own:0", "x");
		kit_turn(&kit);
	}
	for (i = 0; i < PEERS; i++) {
		peer_drain(&peers[i]);
		ck_assert_uint_eq(peers[i].received, 30);
		ck_assert_uint_eq(peers[i].lost, 0);
	}
	close_peers();
}
END_TEST

/* One that lies right behind another one in memory, and that one. */
static void
find_neighbours(const struct shared *frames, const struct shared **first,
    const struct shared **second)
{
	int i, j;

	for (i = 0; i < FILLED; i++) {
		for (j = 0; j < FILLED; j++) {
			if (frames[i].bytes + FILL != frames[j].bytes)
				continue;
			*first = &frames[i];
			*second = &frames[j];
			return;
		}
	}
	ck_abort_msg("no two blocks are neighbours");
}

START_TEST(blocks_that_are_neighbours_are_kept_both)
{
	const struct shared *first = NULL, *second = NULL;
	struct shared frames[FILLED];
	static char body[FILL - 1];
	struct store store;
	struct view view;
	struct span span;
	struct log *log;
	int i;

	store_init(&store, 2 * FILLED * FILL);
	log = log_new(&store);
	ck_assert_ptr_nonnull(log);
	span_open(&span, log);
	memset(body, 'x', sizeof(body));
	for (i = 0; i < FILLED; i++)
		ck_assert_int_eq(shared_init(&frames[i], &store, "", 0, body,
				     sizeof(body)),
		    0);
	find_neighbours(frames, &first, &second);
	ck_assert_int_eq(log_renew_shared(log, FILL), 0);
	log_append_shared(log, first);
	log_append_shared(log, second);
	/* Only the log refers to them any more. */
	for (i = 0; i < FILLED; i++)
		shared_fini(&frames[i]);
	store_free_spare(&store);
	for (i = 0; i < 2; i++) {
		span_peek(&span, &view);
		ck_assert_uint_ge(view.pieces[0].iov_len, FILL);
		ck_assert_mem_eq(view.pieces[0].iov_base, body, sizeof(body));
		span_take(&span, FILL, true);
	}
	ck_assert(span_done(&span));
	span_drop(&span);
	log_drop(log);
	store_fini(&store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay, shared frames");
	TCase *tc = support_case(suite, "several audiences, large frames");

	tcase_add_test(tc, there_is_one_copy_for_all_audiences);
	tcase_add_test(tc, it_stays_until_the_last_reader_has_it);
	tcase_add_test(tc, small_and_large_events_come_in_order);
	tcase_add_test(tc,
	    what_pipes_hold_outlives_members_and_does_not_change);
	tcase_add_test(tc, a_member_gone_within_a_frame_costs_nobody_else);
	tcase_add_test(tc, what_does_not_fit_is_counted_for_each_reader);
	tcase_add_test(tc, a_frame_begun_is_finished_before_the_loss_is_told);
	tcase_add_test(tc, others_do_not_come_back_to_their_sender);
	tc = support_case(suite, "memory");
	tcase_add_test(tc, blocks_that_are_neighbours_are_kept_both);
	return support_main(suite, NULL);
}
