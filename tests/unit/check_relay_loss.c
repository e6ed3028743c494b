/* SPDX-License-Identifier: ISC */
/*
 * The relay under loss: whatever members read, leave unread and change, each
 * event comes once and in order, or is counted by an L where it would have
 * stood.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/groups.h"
#include "runtime/relay/relay_private.h"
#include "runtime/relay/topic.h"
#include "runtime/util/fd.h"
#include "support.h"
#include "tests/unit/relay_kit.h"

static struct kit kit;

/*
 * One member that does not read
 */

static void
publish_numbers(int from, int to)
{
	char text[32];
	int i;

	for (i = from; i < to; i++) {
		snprintf(text, sizeof(text), "%08d", i);
		kit_publish(&kit, "room", text);
		if (i % 16 == 0)
			kit_turn(&kit);
	}
	kit_turn(&kit);
}

START_TEST(what_did_not_fit_is_counted_once_between_whole_frames)
{
	struct relay_counters counters;
	struct frame frame;
	struct peer peer;
	int expected = 0, gaps = 0;

	kit_open(&kit, 65536);
	peer_open(&peer, &kit, "slow", "room");
	publish_numbers(0, 20000);
	relay_member_counters(peer.member, &counters);
	ck_assert_uint_gt(counters.lost, 0);
	ck_assert_uint_le(kit.relay->store.used, 65536 + 8192);
	do {
		while (peer_parse(&peer, &frame)) {
			if (frame.type == FRAME_LOST) {
				expected += (int)frame.number;
				gaps++;
				continue;
			}
			ck_assert_int_eq(atoi(frame.payload), expected);
			expected++;
		}
		kit_turn(&kit);
	} while (peer_read(&peer, 1000) > 0);
	ck_assert_int_eq(expected, 20000);
	ck_assert_int_eq(gaps, 1);
	ck_assert_uint_eq(peer.lost, counters.lost);
	relay_member_counters(peer.member, &counters);
	ck_assert_uint_eq(counters.delivered, peer.received);
	ck_assert_uint_eq(counters.queued, 0);
	peer_close(&peer);
	kit_close(&kit);
}
END_TEST

START_TEST(a_loss_before_and_after_a_confirmation_is_told_in_both_places)
{
	struct peer peer;
	struct frame frame;
	uint64_t lost[2] = { 0, 0 };
	int side = 0, received[2] = { 0, 0 };

	kit_open(&kit, 65536);
	peer_open(&peer, &kit, "slow", "room");
	publish_numbers(0, 10000);
	peer_send(&peer, "S hall\n");
	relay_drain_uplink(peer.member);
	publish_numbers(10000, 20000);
	do {
		while (peer_parse(&peer, &frame)) {
			if (frame.type == FRAME_READY)
				side = 1;
			else if (frame.type == FRAME_LOST)
				lost[side] += frame.number;
			else
				received[side]++;
		}
		kit_turn(&kit);
	} while (peer_read(&peer, 65536) > 0);
	ck_assert_uint_gt(lost[0], 0);
	ck_assert_uint_gt(lost[1], 0);
	ck_assert_uint_eq(lost[0] + (uint64_t)received[0], 10000);
	ck_assert_uint_eq(lost[1] + (uint64_t)received[1], 10000);
	peer_close(&peer);
	kit_close(&kit);
}
END_TEST

START_TEST(a_frame_begun_is_finished_before_the_loss_is_told)
{
	struct frame frame;
	struct peer peer;
	int i;

	kit_open(&kit, 400000);
	peer_open(&peer, &kit, "slow", "room");
	/* Larger than its pipe: half of it is written. */
	kit_publish_bytes(&kit, "room", 200000);
	kit_turn(&kit);
	for (i = 0; i < 40; i++) {
		kit_publish_bytes(&kit, "room", 50000);
		kit_turn(&kit);
	}
	peer_drain(&peer);
	ck_assert_uint_eq(peer.received + peer.lost, 41);
	ck_assert_uint_gt(peer.lost, 30);
	ck_assert(!peer_parse(&peer, &frame));
	ck_assert_uint_eq(frame_parser_held(&peer.parser), 0);
	peer_close(&peer);
	kit_close(&kit);
}
END_TEST

START_TEST(an_event_larger_than_the_budget_is_lost)
{
	struct peer peer;

	kit_open(&kit, 65536);
	peer_open(&peer, &kit, "a", "room");
	kit_publish(&kit, "room", "1");
	kit_publish_bytes(&kit, "room", 100000);
	kit_publish(&kit, "room", "2");
	peer_drain(&peer);
	ck_assert_uint_eq(peer.received, 2);
	ck_assert_uint_eq(peer.lost, 1);
	peer_close(&peer);
	kit_close(&kit);
}
END_TEST

START_TEST(others_that_are_lost_are_no_loss_to_their_sender)
{
	struct peer sender, other;
	int i;

	kit_open(&kit, 65536);
	peer_open(&sender, &kit, "sender", "room");
	peer_open(&other, &kit, "other", "room");
	for (i = 0; i < 4000; i++) {
		peer_send(&sender, "O room x 8\n12345678\n");
		if (i % 3 == 0)
			peer_send(&sender, "P room x 8\n12345678\n");
		if (i % 100 == 0)
			kit_turn(&kit);
	}
	peer_drain(&sender);
	peer_drain(&other);
	ck_assert_uint_eq(sender.received + sender.lost, 1334);
	ck_assert_uint_eq(other.received + other.lost, 5334);
	ck_assert_uint_gt(other.lost, 0);
	peer_close(&sender);
	peer_close(&other);
	kit_close(&kit);
}
END_TEST

START_TEST(pins_that_take_all_memory_cost_those_who_hold_them)
{
	struct peer stuck[4], healthy;
	char name[16];
	int i;

	kit_open(&kit, 700000);
	peer_open(&healthy, &kit, "healthy", "room");
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "stuck:%d", i);
		peer_open(&stuck[i], &kit, name, name);
		kit_publish_bytes(&kit, name, 200000);
		kit_turn(&kit);
	}
	for (i = 0; i < 10; i++) {
		kit_publish_bytes(&kit, "room", 300000);
		peer_drain(&healthy);
	}
	ck_assert_uint_eq(healthy.received, 10);
	ck_assert_uint_eq(healthy.lost, 0);
	/* The oldest was closed. */
	ck_assert(stuck[0].member->broken);
	ck_assert(!stuck[3].member->broken);
	peer_drain(&stuck[3]);
	ck_assert_uint_eq(stuck[3].received + stuck[3].lost, 1);
	for (i = 0; i < 4; i++)
		peer_close(&stuck[i]);
	peer_close(&healthy);
	kit_close(&kit);
}
END_TEST

START_TEST(a_quiet_audience_loses_nothing_to_a_flooded_one)
{
	struct peer quiet, flooded;
	int i, j;

	kit_open(&kit, 1 << 20);
	peer_open(&quiet, &kit, "quiet", "quiet");
	peer_open(&flooded, &kit, "flooded", "flood");
	for (i = 0; i < 100; i++) {
		kit_publish(&kit, "quiet", "x");
		for (j = 0; j < 100; j++)
			kit_publish(&kit, "flood", "a text of some bytes");
		kit_publish_bytes(&kit, "flood", 60000);
		kit_turn(&kit);
	}
	peer_drain(&quiet);
	ck_assert_uint_eq(quiet.received, 100);
	ck_assert_uint_eq(quiet.lost, 0);
	peer_drain(&flooded);
	ck_assert_uint_gt(flooded.lost, 0);
	ck_assert_uint_eq(flooded.lost + flooded.received, 10100);
	peer_close(&quiet);
	peer_close(&flooded);
	kit_close(&kit);
}
END_TEST

/*
 * At random
 */

#define PEERS 7
#define TOPICS 8
#define STEPS 3000

static const char *const topics[TOPICS] = { "a", "a:1", "a:2", "b", "b:1", "c",
	"c:x:y", "d" };
static const char *const patterns[] = { "a", "a*", "a:*", "b", "b*", "c",
	"c:x:y", "c:*", "*", "d", "a:1" };

#define NPATTERNS (sizeof(patterns) / sizeof(patterns[0]))

/* What a peer is to see next. */
struct mark {
	uint64_t seq;	     /* of an event; 0: a confirmation */
	const char *pattern; /* that is confirmed */
};

struct model {
	struct peer peer;
	bool subscribed[NPATTERNS];
	struct mark *marks;
	size_t begin, end;
	uint64_t gap; /* announced by L, not yet seen to be missing */
};

static struct model models[PEERS];
static unsigned int seed;
static size_t payload_max;

static size_t
choose(size_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* What a payload of this length consists of. */
static char
letter(size_t length)
{
	return (char)('a' + length % 26);
}

static void
expect(struct model *model, uint64_t seq, const char *pattern)
{
	ck_assert_uint_lt(model->end, (size_t)STEPS * TOPICS * 2);
	model->marks[model->end++] = (struct mark) { seq, pattern };
}

/* Called for every event: it is the model's source of numbers. */
static const struct model *excepted;

static bool
on_event(const struct relay_event *event, uint64_t lost, void *arg)
{
	size_t i, j;

	(void)arg;
	ck_assert_uint_eq(lost, 0);
	for (i = 0; i < PEERS; i++) {
		if (models[i].peer.member == NULL || &models[i] == excepted)
			continue;
		for (j = 0; j < NPATTERNS; j++)
			if (models[i].subscribed[j] &&
			    topic_matches(patterns[j], event->topic))
				break;
		if (j < NPATTERNS)
			expect(&models[i], event->seq, NULL);
	}
	return true;
}

/* The next mark that is not missing. */
static void
check(struct model *model, uint64_t seq, const char *pattern)
{
	const struct mark *mark;

	for (;;) {
		ck_assert_uint_lt(model->begin, model->end);
		mark = &model->marks[model->begin++];
		if (seq != 0 ? mark->seq == seq : mark->pattern != NULL)
			break;
		ck_assert_ptr_null(mark->pattern);
		ck_assert_uint_gt(model->gap, 0);
		model->gap--;
	}
	ck_assert_uint_eq(model->gap, 0);
	if (seq == 0)
		ck_assert_str_eq(mark->pattern, pattern);
}

static void
check_event(struct model *model, const struct frame *frame)
{
	size_t length = frame->payload_length, i;

	check(model, frame->number, NULL);
	for (i = 0; i < length && frame->payload[i] == letter(length); i++)
		;
	ck_assert_uint_eq(i, length);
}

static size_t
read_some(struct model *model, size_t most)
{
	size_t n = peer_read(&model->peer, most);
	struct frame frame;

	while (peer_parse(&model->peer, &frame)) {
		if (frame.type == FRAME_LOST)
			model->gap += frame.number;
		else if (frame.type == FRAME_EVENT)
			check_event(model, &frame);
		else
			check(model, 0, frame.name);
	}
	return n;
}

static void
open_model(struct model *model, size_t number)
{
	char key[32], list[64] = "";
	size_t i;

	memset(model->subscribed, 0, sizeof(model->subscribed));
	model->begin = model->end = 0;
	model->gap = 0;
	if (choose(2) == 0) {
		i = choose(NPATTERNS);
		model->subscribed[i] = true;
		snprintf(list, sizeof(list), "%s", patterns[i]);
	}
	snprintf(key, sizeof(key), "peer:%zu", number);
	peer_open(&model->peer, &kit, key, list);
}

/* Everything that was expected has come or was told to be lost. */
static void
finish_model(struct model *model)
{
	struct relay_counters counters;

	do
		kit_turn(&kit);
	while (read_some(model, 65536) > 0);
	while (model->begin < model->end && model->gap > 0) {
		ck_assert_ptr_null(model->marks[model->begin].pattern);
		model->begin++;
		model->gap--;
	}
	ck_assert_uint_eq(model->begin, model->end);
	ck_assert_uint_eq(model->gap, 0);
	ck_assert_uint_eq(frame_parser_held(&model->peer.parser), 0);
	relay_member_counters(model->peer.member, &counters);
	ck_assert_uint_eq(counters.delivered, model->peer.received);
	ck_assert_uint_eq(counters.lost, model->peer.lost);
	ck_assert_uint_eq(counters.queued, 0);
}

static void
publish_one(void)
{
	struct model *model = &models[choose(PEERS)];
	struct relay_event event = { .topic = topics[choose(TOPICS)],
		.event = "x" };
	static char payload[100000];
	size_t length;

	switch (choose(12)) {
	case 0:
		length = choose(payload_max);
		break;
	case 1:
	case 2:
		length = choose(payload_max < 8192 ? payload_max : 8192);
		break;
	default:
		length = choose(100);
	}
	memset(payload, letter(length), length);
	event.payload = payload;
	event.length = length;
	excepted = choose(4) == 0 && model->peer.member != NULL ? model : NULL;
	ck_assert_int_eq(relay_publish(kit.relay, &event,
			     excepted != NULL ? excepted->peer.member : NULL,
			     NULL),
	    GROUPER_OK);
	excepted = NULL;
}

/* By the uplink, or by the host. */
static void
change_subscription(struct model *model)
{
	size_t i = choose(NPATTERNS);
	bool on = choose(2) == 0;
	char text[32];

	if (choose(2) == 0) {
		snprintf(text, sizeof(text), "%c %s\n", on ? 'S' : 'U',
		    patterns[i]);
		peer_send(&model->peer, text);
		relay_drain_uplink(model->peer.member);
		expect(model, 0, patterns[i]);
	} else if (on) {
		relay_member_subscribe(model->peer.member, patterns[i]);
	} else {
		relay_member_unsubscribe(model->peer.member, patterns[i]);
	}
	model->subscribed[i] = on;
}

static void
step(void)
{
	struct relay_event event = { .topic = "team",
		.event = "x",
		.payload = "gggggg",
		.length = 6 };
	struct model *model = &models[choose(PEERS)];
	size_t number = (size_t)(model - models), kind = choose(100), i;
	struct relay_reach reach;

	if (kind < 50) {
		for (i = choose(10); i > 0; i--)
			publish_one();
	} else if (kind < 55) {
		relay_broadcast(kit.relay, &event, &reach);
	} else if (kind < 65) {
		kit_turn(&kit);
	} else if (model->peer.member == NULL) {
		open_model(model, number);
	} else if (kind < 75) {
		change_subscription(model);
	} else if (kind < 99 && number < PEERS - 2) {
		/* The last two read only at their end. */
		read_some(model, choose(3) == 0 ? 65536 : choose(3000));
	} else if (kind == 99 && choose(4) == 0) {
		finish_model(model);
		peer_close(&model->peer);
	}
}

START_TEST(every_event_comes_in_order_or_is_counted)
{
	const char *all = "*";
	struct relay_listener_options options = { .patterns = &all,
		.npatterns = 1,
		.fn = on_event };
	static const size_t budgets[] = { 150000, 300000, 700000, 2000000 };
	struct relay_listener *listener;
	size_t i;

	seed = (unsigned int)_i + 1;
	/* Never so large that the pins of all leave no room. */
	payload_max = budgets[_i % 4] / 20;
	kit_open(&kit, budgets[_i % 4]);
	topic_groups_create(relay_groups(kit.relay), "team");
	for (i = 0; i < TOPICS; i++)
		topic_groups_add(relay_groups(kit.relay), "team", topics[i]);
	ck_assert_int_eq(relay_listener_new(kit.relay, &options, &listener),
	    GROUPER_OK);
	for (i = 0; i < PEERS; i++) {
		models[i].marks = calloc((size_t)STEPS * TOPICS * 2,
		    sizeof(struct mark));
		ck_assert_ptr_nonnull(models[i].marks);
		open_model(&models[i], i);
	}
	for (i = 0; i < STEPS; i++)
		step();
	for (i = 0; i < PEERS; i++) {
		if (models[i].peer.member != NULL) {
			finish_model(&models[i]);
			peer_close(&models[i].peer);
		}
		free(models[i].marks);
	}
	relay_listener_free(listener);
	kit_turn(&kit);
	kit_close(&kit);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay, loss");
	TCase *tc = support_case(suite, "loss");

	tcase_add_test(tc,
	    what_did_not_fit_is_counted_once_between_whole_frames);
	tcase_add_test(tc,
	    a_loss_before_and_after_a_confirmation_is_told_in_both_places);
	tcase_add_test(tc, a_frame_begun_is_finished_before_the_loss_is_told);
	tcase_add_test(tc, an_event_larger_than_the_budget_is_lost);
	tcase_add_test(tc, others_that_are_lost_are_no_loss_to_their_sender);
	tcase_add_test(tc, pins_that_take_all_memory_cost_those_who_hold_them);
	tcase_add_test(tc, a_quiet_audience_loses_nothing_to_a_flooded_one);
	tcase_add_loop_test(tc, every_event_comes_in_order_or_is_counted, 0,
	    40);
	return support_main(suite, NULL);
}
