/* SPDX-License-Identifier: ISC */
/*
 * The relay and members that break the rules, and large numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/groups.h"
#include "runtime/relay/relay_private.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"
#include "support.h"
#include "tests/unit/relay_kit.h"

static struct kit kit;
static struct peer bad, good;

static void
setup(void)
{
	kit_open(&kit, 0);
	peer_open(&bad, &kit, "bad", "room");
	peer_open(&good, &kit, "good", "room");
}

static void
teardown(void)
{
	peer_close(&bad);
	peer_close(&good);
	kit_close(&kit);
}

/* Both get an event, as if nothing had been. */
static void
assert_both_hear(void)
{
	kit_publish(&kit, "room", "after");
	kit_turn(&kit);
	peer_expect(&bad, "E room note - after");
	peer_expect(&good, "E room note - after");
}

static const char *const garbage[] = {
	"hello, world\n",
	"\n",
	"P room x 99999999\n",
	"P room x -1\n",
	"P room x 3\n123456789\n",
	"S \n",
	"S room:\n",
	"E 1 room x - 0\n\n",
	"L 1\n",
	"\377\376\375",
	"P room two words 0\n\n",
};

START_TEST(garbage_closes_that_uplink_and_nothing_else)
{
	peer_send(&bad, "P room x 5\nfirst\n");
	peer_send(&bad, garbage[_i]);
	kit_turn(&kit);
	peer_expect(&bad, "E room x bad first");
	peer_expect(&good, "E room x bad first");
	errno = 0;
	ck_assert_int_eq(write(bad.up, "S x\n", 4), -1);
	ck_assert_int_eq(errno, EPIPE);
	assert_both_hear();
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 2);
}
END_TEST

START_TEST(half_a_frame_at_its_end_is_no_event)
{
	peer_send(&bad, "P room x 1\n1\nP room x 500\nhalf");
	fd_close(&bad.up);
	kit_turn(&kit);
	ck_assert_int_eq(bad.member->up, -1);
	peer_expect(&bad, "E room x bad 1");
	peer_expect(&good, "E room x bad 1");
	assert_both_hear();
}
END_TEST

START_TEST(each_byte_may_come_alone)
{
	static const char text[] = "S hall\nP hall x 3\na\nb\nB team x 0\n\n"
				   "O room x 1\n1\nU hall\n";
	char byte[2] = "";
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		byte[0] = text[i];
		peer_send(&bad, byte);
		kit_turn(&kit);
	}
	peer_expect(&bad, "R hall");
	peer_expect(&bad, "E hall x bad a\nb");
	peer_expect(&bad, "R hall");
	peer_expect(&good, "E room x bad 1");
	assert_both_hear();
}
END_TEST

START_TEST(a_length_that_lies_holds_nobody_up)
{
	peer_send(&bad, "P room x 1048576\nand nothing more");
	kit_turn(&kit);
	ck_assert_uint_le(bad.member->parser.size, 256);
	assert_both_hear();
}
END_TEST

START_TEST(who_closes_both_pipes_is_gone)
{
	fd_close(&bad.up);
	fd_close(&bad.down);
	kit_publish(&kit, "room", "1");
	kit_publish(&kit, "room", "2");
	kit_turn(&kit);
	peer_expect(&good, "E room note - 1");
	peer_expect(&good, "E room note - 2");
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 1);
	ck_assert_int_eq(bad.member->down, -1);
	ck_assert_int_eq(bad.member->up, -1);
}
END_TEST

/* Writes what the pipe takes; returns how many texts. */
static size_t
flood(struct peer *peer, const char *text, size_t most)
{
	size_t length = strlen(text), count = 0;

	fcntl(peer->up, F_SETFL, O_NONBLOCK);
	while (count < most && write(peer->up, text, length) == (ssize_t)length)
		count++;
	return count;
}

START_TEST(unread_confirmations_are_bounded)
{
	size_t sent = 0, n, confirmed = 0, used = 0;
	struct frame frame;

	do {
		n = flood(&bad, "S some:topic\nU some:topic\n", 100000);
		sent += n;
		kit_turn(&kit);
	} while (n > 0);
	/* It is not read any more, and all that it made is small. */
	ck_assert_uint_lt(sent, 100000);
	used = kit.relay->store.used;
	ck_assert_uint_lt(used, 2 << 20);
	kit_publish(&kit, "room", "1");
	kit_turn(&kit);
	peer_expect(&good, "E room note - 1");
	/* And goes on when it reads. */
	do {
		kit_turn(&kit);
		n = peer_read(&bad, 65536);
		while (peer_parse(&bad, &frame))
			confirmed += frame.type == FRAME_READY ? 1 : 0;
	} while (n > 0);
	ck_assert_uint_eq(confirmed, 2 * sent);
	ck_assert_uint_eq(bad.received, 1);
	ck_assert_uint_eq(bad.lost, 0);
}
END_TEST

START_TEST(what_is_sent_to_who_does_not_read_is_bounded)
{
	struct relay_event event = { .topic = "a-name",
		.event = "x",
		.payload = "" };
	size_t sent = 0;

	kit_publish_bytes(&kit, "room", 200000); /* more than its pipe holds */
	peer_drain(&good);
	while (sent < 100000 && relay_send(bad.member, &event) == GROUPER_OK)
		sent++;
	ck_assert_uint_lt(sent, 100000);
	ck_assert_int_eq(errno, ENOSPC);
	/* Whoever sends was told: nothing is lost unseen. */
	peer_drain(&bad);
	ck_assert_uint_eq(bad.received, sent + 1);
	ck_assert_int_eq(relay_send(bad.member, &event), GROUPER_OK);
	peer_drain(&bad);
	ck_assert_uint_eq(bad.received, sent + 2);
}
END_TEST

/* Its pipe breaks while room is made for what it publishes to others. */
START_TEST(who_hears_nothing_may_go_on_publishing)
{
	size_t i;

	fd_close(&bad.down);
	kit_publish(&kit, "room", "1");
	for (i = 0; i < 1000; i++)
		peer_send(&bad, "O room x 5\n12345\n");
	kit_turn(&kit);
	ck_assert_int_eq(bad.member->down, -1);
	peer_drain(&good);
	ck_assert_uint_eq(good.received, 1001);
	ck_assert_uint_eq(good.lost, 0);
}
END_TEST

START_TEST(a_flood_of_events_leaves_others_their_turn)
{
	size_t i, sent = 0;

	for (i = 0; i < 200; i++) {
		sent += flood(&bad, "P hall x 4\n1234\n", 100000);
		if (i % 10 == 0)
			peer_send(&good, "P room x 1\n1\n");
		kit_turn(&kit);
		peer_drain(&good);
	}
	ck_assert_uint_gt(sent, 100000);
	ck_assert_uint_eq(good.received, 20);
}
END_TEST

START_TEST(a_flood_of_broadcasts_is_taken_in_turns)
{
	struct topic_groups *groups = relay_groups(kit.relay);
	uint64_t before;
	char topic[32];
	size_t i;

	topic_groups_create(groups, "team");
	for (i = 0; i < 1000; i++) {
		snprintf(topic, sizeof(topic), "topic:%zu", i);
		topic_groups_add(groups, "team", topic);
	}
	ck_assert_uint_gt(flood(&bad, "B team x 0\n\n", 100000), 4000);
	before = kit.relay->seq;
	peer_send(&good, "P room x 1\n1\n");
	kit_turn(&kit);
	/* A few thousand for each round of the loop. */
	ck_assert_uint_lt(kit.relay->seq - before, 60000);
	kit_turn(&kit);
	peer_expect(&good, "E room x good 1");
}
END_TEST

START_TEST(too_many_subscriptions_close_the_uplink)
{
	static char names[1024][16];
	static const char *patterns[1025];
	static struct relay_member *members[1025];
	struct relay_member_options options = { .key = "many",
		.patterns = patterns,
		.npatterns = 1025,
		.pipeless = true };
	enum grouper_error error = GROUPER_OK;
	char own[16];
	size_t i, n;
	int down, up;

	for (i = 0; i < 1024; i++) {
		snprintf(names[i], sizeof(names[i]), "topic:%zu", i);
		patterns[i] = names[i];
	}
	patterns[1024] = own;
	for (n = 0; n < 1025; n++) {
		snprintf(own, sizeof(own), "own:%zu", n);
		error = relay_member_new(kit.relay, &options, &members[n],
		    &down, &up);
		if (error != GROUPER_OK)
			break;
	}
	ck_assert_int_eq(error, GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	for (i = 0; bad.member->up != -1 && i < 2000; i++) {
		snprintf(own, sizeof(own), "S more:%zu\n", i);
		peer_send(&bad, own);
		kit_turn(&kit);
	}
	ck_assert_uint_lt(i, 2000);
	while (n > 0)
		relay_member_free(members[--n]);
	peer_drain(&bad);
	assert_both_hear();
}
END_TEST

START_TEST(a_hundred_thousand_topics_of_one_member)
{
	char text[64];
	size_t i;

	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "S topic:%zu\n", i);
		peer_send(&bad, text);
		if (i % 1000 == 999)
			peer_drain(&bad);
	}
	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "topic:%zu", i);
		if (kit_publish(&kit, text, "") != 1)
			ck_abort_msg("%s reached nobody", text);
		if (i % 1000 == 999)
			peer_drain(&bad);
	}
	ck_assert_uint_eq(bad.received, 100000);
	for (i = 0; i < 100000; i += 2) {
		snprintf(text, sizeof(text), "U topic:%zu\n", i);
		peer_send(&bad, text);
		if (i % 1000 == 0)
			peer_drain(&bad);
	}
	peer_drain(&bad);
	ck_assert_uint_eq(kit_publish(&kit, "topic:4", ""), 0);
	ck_assert_uint_eq(kit_publish(&kit, "topic:5", ""), 1);
}
END_TEST

START_TEST(two_members_subscribe_to_the_same_many_topics)
{
	char text[64];
	size_t i;

	for (i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "S topic:%zu\n", i);
		peer_send(&bad, text);
		peer_send(&good, text);
		if (i % 1000 == 999) {
			peer_drain(&bad);
			peer_drain(&good);
		}
	}
	kit_turn(&kit);
	ck_assert_ptr_eq(bad.member->audience, good.member->audience);
	ck_assert_uint_eq(kit_publish(&kit, "topic:777", ""), 2);
}
END_TEST

START_TEST(a_thousand_members_of_a_hundred_thousand_topics)
{
	static struct relay_member *members[1000];
	static char names[100][32];
	const char *patterns[100];
	struct relay_member_options options = { .key = "member",
		.patterns = patterns,
		.npatterns = 100,
		.pipeless = true };
	size_t i, j;
	int down, up;

	for (i = 0; i < 1000; i++) {
		for (j = 0; j < 100; j++) {
			snprintf(names[j], sizeof(names[j]), "topic:%zu",
			    i * 100 + j);
			patterns[j] = names[j];
		}
		ck_assert_int_eq(relay_member_new(kit.relay, &options,
				     &members[i], &down, &up),
		    GROUPER_OK);
	}
	for (i = 0; i < 100000; i++) {
		snprintf(names[0], sizeof(names[0]), "topic:%zu", i);
		if (kit_publish(&kit, names[0], "") != 1)
			ck_abort_msg("%s", names[0]);
	}
	for (i = 0; i < 1000; i++)
		relay_member_free(members[i]);
}
END_TEST

START_TEST(a_thousand_groups_of_a_thousand_topics)
{
	struct topic_groups *groups = relay_groups(kit.relay);
	struct relay_event event = { .topic = "group:500",
		.event = "x",
		.payload = "",
		.from = "me" };
	struct relay_reach reach;
	char name[32], topic[32];
	size_t i, j;

	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "group:%zu", i);
		topic_groups_create(groups, name);
		for (j = 0; j < 1000; j++) {
			snprintf(topic, sizeof(topic), "topic:%zu", j);
			topic_groups_add(groups, name, topic);
		}
	}
	relay_member_subscribe(good.member, "topic:*");
	ck_assert_int_eq(relay_broadcast(kit.relay, &event, &reach),
	    GROUPER_OK);
	ck_assert_uint_eq(reach.topics, 1000);
	ck_assert_uint_eq(reach.reached, 1);
	peer_drain(&good);
	ck_assert_uint_eq(good.received, 1000);
}
END_TEST

static void
subscribe_many(struct peer *peer, size_t count)
{
	char text[32];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "topic:%zu", i);
		ck_assert_int_eq(relay_member_subscribe(peer->member, text),
		    GROUPER_OK);
	}
}

/* Changes, each of a topic of its own. */
static void
send_changes(struct peer *peer, const char *text, size_t count)
{
	char frame[32];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(frame, sizeof(frame), "%s:%zu\n", text, i);
		peer_send(peer, frame);
	}
}

static void
turn_once(void)
{
	loop_timer_set(kit.guard, 0);
	ck_assert_int_eq(loop_once(kit.loop), 0);
}

START_TEST(to_end_old_subscriptions_of_many_is_taken_in_turns)
{
	subscribe_many(&bad, 20000);
	kit_turn(&kit);
	send_changes(&bad, "U topic", 2000);
	turn_once();
	/* Each moves 160 kB; "room" is one more. */
	ck_assert_uint_lt(bad.member->audience->nlinks, 20001);
	ck_assert_uint_gt(bad.member->audience->nlinks, 20001 - 200);
	peer_drain(&bad);
	ck_assert_uint_eq(bad.member->audience->nlinks, 20001 - 2000);
}
END_TEST

START_TEST(to_part_from_an_audience_of_many_takes_a_turn)
{
	subscribe_many(&bad, 140000);
	subscribe_many(&good, 140000);
	kit_turn(&kit);
	ck_assert_ptr_eq(bad.member->audience, good.member->audience);
	send_changes(&bad, "S more", 100);
	turn_once();
	ck_assert_uint_eq(bad.member->audience->nlinks, 140001 + 1);
	peer_drain(&bad);
	ck_assert_uint_eq(bad.member->audience->nlinks, 140001 + 100);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay, hostile");
	TCase *tc = support_case(suite, "members");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, garbage_closes_that_uplink_and_nothing_else, 0,
	    sizeof(garbage) / sizeof(garbage[0]));
	tcase_add_test(tc, half_a_frame_at_its_end_is_no_event);
	tcase_add_test(tc, each_byte_may_come_alone);
	tcase_add_test(tc, a_length_that_lies_holds_nobody_up);
	tcase_add_test(tc, who_closes_both_pipes_is_gone);
	tcase_add_test(tc, unread_confirmations_are_bounded);
	tcase_add_test(tc, what_is_sent_to_who_does_not_read_is_bounded);
	tcase_add_test(tc, who_hears_nothing_may_go_on_publishing);
	tcase_add_test(tc, a_flood_of_events_leaves_others_their_turn);
	tcase_add_test(tc, a_flood_of_broadcasts_is_taken_in_turns);
	tcase_add_test(tc, too_many_subscriptions_close_the_uplink);
	tc = support_case(suite, "numbers");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_hundred_thousand_topics_of_one_member);
	tcase_add_test(tc, two_members_subscribe_to_the_same_many_topics);
	tcase_add_test(tc, to_end_old_subscriptions_of_many_is_taken_in_turns);
	tcase_add_test(tc, to_part_from_an_audience_of_many_takes_a_turn);
	tcase_add_test(tc, a_thousand_members_of_a_hundred_thousand_topics);
	tcase_add_test(tc, a_thousand_groups_of_a_thousand_topics);
	return support_main(suite, NULL);
}
