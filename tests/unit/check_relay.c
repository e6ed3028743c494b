/* SPDX-License-Identifier: ISC */
/*
 * The relay: who gets what, in which order.
 */
#include <sys/ioctl.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/groups.h"
#include "runtime/relay/relay_private.h"
#include "runtime/util/fd.h"
#include "support.h"
#include "tests/unit/relay_kit.h"

static struct kit kit;
static struct peer a, b, c;

static void
setup(void)
{
	kit_open(&kit, 0);
}

static void
teardown(void)
{
	kit_close(&kit);
}

START_TEST(an_event_is_a_frame)
{
	static const char text[] = "E 1 room:a note - 5\nhello\n";
	char bytes[64];

	peer_open(&a, &kit, "a", "room:a");
	ck_assert_uint_eq(kit_publish(&kit, "room:a", "hello"), 1);
	kit_turn(&kit);
	ck_assert_int_eq(read(a.down, bytes, sizeof(bytes)), sizeof(text) - 1);
	ck_assert_mem_eq(bytes, text, sizeof(text) - 1);
	peer_close(&a);
}
END_TEST

START_TEST(only_subscribers_get_it)
{
	peer_open(&a, &kit, "a", "room:a");
	peer_open(&b, &kit, "b", "room:b");
	peer_open(&c, &kit, "c", "room:* room:a");
	ck_assert_uint_eq(kit_publish(&kit, "room:a", "1"), 2);
	ck_assert_uint_eq(kit_publish(&kit, "room:b", "2"), 2);
	ck_assert_uint_eq(kit_publish(&kit, "hall", "3"), 0);
	kit_turn(&kit);
	peer_expect(&a, "E room:a note - 1");
	peer_expect(&a, NULL);
	peer_expect(&b, "E room:b note - 2");
	peer_expect(&b, NULL);
	peer_expect(&c, "E room:a note - 1");
	peer_expect(&c, "E room:b note - 2");
	peer_expect(&c, NULL);
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}
END_TEST

START_TEST(a_star_takes_everything)
{
	peer_open(&a, &kit, "a", "*");
	kit_publish(&kit, "x", "1");
	kit_publish(&kit, "room:y:z", "2");
	kit_turn(&kit);
	peer_expect(&a, "E x note - 1");
	peer_expect(&a, "E room:y:z note - 2");
	peer_close(&a);
}
END_TEST

START_TEST(members_publish)
{
	peer_open(&a, &kit, "a:1", "room");
	peer_open(&b, &kit, "b", "room");
	peer_send(&a, "P room say 2\nhi\n");
	kit_turn(&kit);
	peer_expect(&a, "E room say a:1 hi");
	peer_expect(&b, "E room say a:1 hi");
	peer_close(&a);
	peer_close(&b);
}
END_TEST

START_TEST(others_are_all_but_the_sender)
{
	peer_open(&a, &kit, "a", "room");
	peer_open(&b, &kit, "b", "room");
	peer_send(&a,
	    "P room x 1\n1\nO room x 1\n2\nO room x 1\n3\n"
	    "P room x 1\n4\nO room x 1\n5\n");
	peer_send(&b, "O room x 1\n6\n");
	kit_turn(&kit);
	peer_expect(&a, "E room x a 1");
	peer_expect(&a, "E room x a 4");
	peer_expect(&a, "E room x b 6");
	peer_expect(&a, NULL);
	peer_expect(&b, "E room x a 1");
	peer_expect(&b, "E room x a 2");
	peer_expect(&b, "E room x a 3");
	peer_expect(&b, "E room x a 4");
	peer_expect(&b, "E room x a 5");
	peer_expect(&b, NULL);
	ck_assert_uint_eq(a.lost + b.lost, 0);
	peer_close(&a);
	peer_close(&b);
}
END_TEST

START_TEST(others_without_others_reach_nobody)
{
	struct relay_event event = { .topic = "room",
		.event = "x",
		.payload = "",
		.from = "a" };
	size_t reached = 9;

	peer_open(&a, &kit, "a", "room");
	ck_assert_int_eq(relay_publish(kit.relay, &event, a.member, &reached),
	    GROUPER_OK);
	ck_assert_uint_eq(reached, 0);
	kit_turn(&kit);
	peer_expect(&a, NULL);
	peer_close(&a);
}
END_TEST

START_TEST(a_broadcast_is_one_event_to_each_topic_in_byte_order)
{
	struct topic_groups *groups = relay_groups(kit.relay);
	struct relay_event event = { .topic = "team",
		.event = "x",
		.payload = "p",
		.length = 1 };
	struct relay_reach reach;

	topic_groups_create(groups, "team");
	topic_groups_add(groups, "team", "b");
	topic_groups_add(groups, "team", "c");
	topic_groups_add(groups, "team", "a");
	peer_open(&a, &kit, "a", "a b");
	peer_open(&b, &kit, "b", "*");
	ck_assert_int_eq(relay_broadcast(kit.relay, &event, &reach),
	    GROUPER_OK);
	ck_assert(reach.known);
	ck_assert_uint_eq(reach.topics, 3);
	ck_assert_uint_eq(reach.reached, 2);
	kit_turn(&kit);
	peer_expect(&a, "E a x - p");
	peer_expect(&a, "E b x - p");
	peer_expect(&a, NULL);
	peer_expect(&b, "E a x - p");
	peer_expect(&b, "E b x - p");
	peer_expect(&b, "E c x - p");
	peer_send(&a, "B team y 0\n\n");
	kit_turn(&kit);
	peer_expect(&a, "E a y a ");
	peer_expect(&a, "E b y a ");
	peer_close(&a);
	peer_close(&b);
}
END_TEST

START_TEST(a_broadcast_to_an_unknown_group_does_nothing)
{
	struct relay_event event = { .topic = "team",
		.event = "x",
		.payload = "" };
	struct relay_reach reach;

	peer_open(&a, &kit, "a", "*");
	ck_assert_int_eq(relay_broadcast(kit.relay, &event, &reach),
	    GROUPER_OK);
	ck_assert(!reach.known);
	ck_assert_uint_eq(reach.topics, 0);
	ck_assert_uint_eq(reach.reached, 0);
	peer_send(&a, "B team y 0\n\nP still alive 0\n\n");
	kit_turn(&kit);
	peer_expect(&a, "E still alive a ");
	peer_close(&a);
}
END_TEST

START_TEST(a_subscription_is_confirmed_in_order)
{
	peer_open(&a, &kit, "a", "");
	peer_send(&a,
	    "P room x 1\n1\nS room\nP room x 1\n2\nU room\n"
	    "P room x 1\n3\nS ro*\nP room x 1\n4\n");
	kit_turn(&kit);
	peer_expect(&a, "R room");
	peer_expect(&a, "E room x a 2");
	peer_expect(&a, "R room");
	peer_expect(&a, "R ro*");
	peer_expect(&a, "E room x a 4");
	peer_expect(&a, NULL);
	peer_close(&a);
}
END_TEST

START_TEST(what_holds_already_is_confirmed_too)
{
	peer_open(&a, &kit, "a", "room");
	kit_publish(&kit, "room", "1");
	peer_send(&a, "S room\nU hall\n");
	kit_turn(&kit);
	kit_publish(&kit, "room", "2");
	kit_turn(&kit);
	peer_expect(&a, "E room note - 1");
	peer_expect(&a, "R room");
	peer_expect(&a, "R hall");
	peer_expect(&a, "E room note - 2");
	peer_close(&a);
}
END_TEST

START_TEST(a_drained_uplink_precedes_what_follows)
{
	peer_open(&a, &kit, "a", "");
	peer_send(&a, "S room\n");
	relay_drain_uplink(a.member);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 1);
	kit_turn(&kit);
	peer_expect(&a, "R room");
	peer_expect(&a, "E room note - 1");
	peer_close(&a);
}
END_TEST

START_TEST(subscriptions_change_without_a_word_for_the_host)
{
	peer_open(&a, &kit, "a", "");
	ck_assert_int_eq(relay_member_subscribe(a.member, "room"), GROUPER_OK);
	kit_publish(&kit, "room", "1");
	ck_assert_int_eq(relay_member_unsubscribe(a.member, "room"),
	    GROUPER_OK);
	kit_publish(&kit, "room", "2");
	ck_assert_int_eq(relay_member_subscribe(a.member, "room:"),
	    GROUPER_INVALID);
	kit_turn(&kit);
	peer_expect(&a, "E room note - 1");
	peer_expect(&a, NULL);
	peer_close(&a);
}
END_TEST

START_TEST(equal_subscriptions_share_an_audience)
{
	peer_open(&a, &kit, "a", "one two");
	peer_open(&b, &kit, "b", "two one one");
	peer_open(&c, &kit, "c", "");
	kit_turn(&kit);
	ck_assert_ptr_eq(a.member->audience, b.member->audience);
	peer_send(&c, "S two\nS one\n");
	kit_publish(&kit, "one", "0");
	kit_turn(&kit);
	ck_assert_ptr_eq(a.member->audience, c.member->audience);
	relay_member_unsubscribe(b.member, "two");
	ck_assert_ptr_ne(a.member->audience, b.member->audience);
	kit_publish(&kit, "two", "1");
	kit_publish(&kit, "one", "2");
	kit_turn(&kit);
	peer_expect(&a, "E one note - 0");
	peer_expect(&a, "E two note - 1");
	peer_expect(&a, "E one note - 2");
	peer_expect(&b, "E one note - 0");
	peer_expect(&b, "E one note - 2");
	peer_expect(&c, "R two");
	peer_expect(&c, "R one");
	peer_expect(&c, "E two note - 1");
	peer_expect(&c, "E one note - 2");
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}
END_TEST

static const struct {
	const char *topic, *event, *from;
	size_t length;
} invalid[] = {
	{ "room:", "x", NULL, 0 },
	{ "", "x", NULL, 0 },
	{ "room", "two words", NULL, 0 },
	{ "room", "", NULL, 0 },
	{ "room", "x", "a b", 0 },
	{ "room", "x", NULL, FRAME_PAYLOAD_MAX + 1 },
};

START_TEST(an_invalid_event_is_refused)
{
	struct relay_event event = { .topic = invalid[_i].topic,
		.event = invalid[_i].event,
		.from = invalid[_i].from,
		.payload = "",
		.length = invalid[_i].length };

	ck_assert_int_eq(relay_publish(kit.relay, &event, NULL, NULL),
	    GROUPER_INVALID);
}
END_TEST

START_TEST(an_invalid_member_is_refused)
{
	const char *patterns[] = { "fine", "not fine" };
	struct relay_member_options options = { .key = "a",
		.patterns = patterns,
		.npatterns = 2 };
	struct relay_member *member;
	int down, up;

	ck_assert_int_eq(relay_member_new(kit.relay, &options, &member, &down,
			     &up),
	    GROUPER_INVALID);
	ck_assert_uint_eq(relay_presence(kit.relay, "fine", NULL, 0), 0);
}
END_TEST

START_TEST(the_members_ends_block_and_are_not_inherited)
{
	peer_open(&a, &kit, "a", "");
	ck_assert_int_eq(fcntl(a.down, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(a.up, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(a.down, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(a.up, F_GETFD) & FD_CLOEXEC, 0);
	peer_close(&a);
}
END_TEST

START_TEST(the_largest_payload_arrives)
{
	struct frame frame;
	size_t sizes[] = { FRAME_PAYLOAD_MAX, 0, 65536, FRAME_PAYLOAD_MAX }, i;

	peer_open(&a, &kit, "a", "room");
	for (i = 0; i < 4; i++)
		kit_publish_bytes(&kit, "room", sizes[i]);
	for (i = 0; i < 4;) {
		kit_turn(&kit);
		while (peer_read(&a, 65536) > 0)
			;
		while (peer_parse(&a, &frame))
			ck_assert_uint_eq(frame.payload_length, sizes[i++]);
	}
	peer_close(&a);
}
END_TEST

START_TEST(a_large_payload_comes_from_an_uplink)
{
	char *frame = malloc(FRAME_MAX);
	size_t length, sent, i;
	ssize_t n;

	peer_open(&a, &kit, "a", "room");
	fcntl(a.up, F_SETFL, O_NONBLOCK);
	length = (size_t)sprintf(frame, "P room x %zu\n", FRAME_PAYLOAD_MAX);
	memset(frame + length, 'x', FRAME_PAYLOAD_MAX);
	length += FRAME_PAYLOAD_MAX;
	frame[length++] = '\n';
	for (sent = 0, i = 0; sent < length && i < 10000; i++) {
		n = write(a.up, frame + sent, length - sent);
		sent += n > 0 ? (size_t)n : 0;
		kit_turn(&kit);
	}
	ck_assert_uint_eq(sent, length);
	peer_drain(&a);
	ck_assert_uint_eq(a.received, 1);
	ck_assert_ptr_null(a.member->parser.buffer);
	peer_close(&a);
	free(frame);
}
END_TEST

/* Readers who keep up: what a log holds before it is written grows anyway. */
START_TEST(many_small_events_are_one_write)
{
	size_t round, i;
	int held;

	peer_open(&a, &kit, "a", "room:a");
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 1000; i++)
			kit_publish(&kit, "room:a", "1");
		ck_assert_int_eq(ioctl(a.down, FIONREAD, &held), 0);
		kit_turn(&kit);
		peer_drain(&a);
	}
	ck_assert_int_eq(held, 0);
	ck_assert_uint_eq(a.received, 20 * 1000);
	ck_assert_uint_eq(a.lost, 0);
	peer_close(&a);
}
END_TEST

START_TEST(an_uplink_grows_for_who_writes_much)
{
	static char text[6000] = "P room:a x 5900\n";
	int before = 8192;

	peer_open(&a, &kit, "a", "room:a");
	ck_assert_int_eq(fcntl(a.up, F_SETPIPE_SZ, before), before);
	peer_send(&a, "S hall\n");
	kit_turn(&kit);
	ck_assert_int_eq(fcntl(a.up, F_GETPIPE_SZ), before);
	memset(text + strlen(text), 'x', 5900);
	text[strlen(text)] = '\n';
	peer_send(&a, text);
	kit_turn(&kit);
	ck_assert_int_gt(fcntl(a.up, F_GETPIPE_SZ), before);
	peer_drain(&a);
	ck_assert_uint_eq(a.received, 1);
	peer_close(&a);
}
END_TEST

START_TEST(an_uplink_can_grow_however_many_members_there_are)
{
	static struct peer crowd[40];
	static char text[6000] = "P room:a x 5900\n";
	size_t i;

	for (i = 0; i < 40; i++)
		peer_open(&crowd[i], &kit, "crowd", "");
	peer_open(&a, &kit, "a", "room:a");
	i = (size_t)fcntl(a.up, F_GETPIPE_SZ);
	memset(text + strlen(text), 'x', 5900);
	text[strlen(text)] = '\n';
	peer_send(&a, text);
	kit_turn(&kit);
	ck_assert_uint_gt((size_t)fcntl(a.up, F_GETPIPE_SZ), i);
	peer_close(&a);
	for (i = 0; i < 40; i++)
		peer_close(&crowd[i]);
}
END_TEST

START_TEST(a_member_that_does_not_read_holds_nobody_up)
{
	struct relay_counters counters;
	int i;

	peer_open(&a, &kit, "a", "room");
	peer_open(&b, &kit, "b", "room");
	peer_open(&c, &kit, "c", "*");
	for (i = 0; i < 200; i++) {
		kit_publish_bytes(&kit, "room", 4096);
		peer_drain(&b);
		peer_drain(&c);
	}
	ck_assert_uint_eq(b.received, 200);
	ck_assert_uint_eq(c.received, 200);
	relay_member_counters(a.member, &counters);
	ck_assert_uint_gt(counters.queued, 100 * 4096);
	peer_drain(&a);
	ck_assert_uint_eq(a.received, 200);
	ck_assert_uint_eq(a.lost, 0);
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}
END_TEST

START_TEST(counters_tell)
{
	struct relay_counters counters;

	peer_open(&a, &kit, "a", "room");
	peer_send(&a, "P room x 1\n1\nP hall x 1\n1\nO room x 1\n2\n");
	kit_turn(&kit);
	relay_member_counters(a.member, &counters);
	ck_assert_uint_eq(counters.published, 3);
	ck_assert_uint_eq(counters.delivered, 1);
	ck_assert_uint_eq(counters.lost, 0);
	ck_assert_uint_eq(counters.queued, 0);
	kit_publish(&kit, "room", "1");
	relay_member_counters(a.member, &counters);
	ck_assert_uint_eq(counters.delivered, 1);
	ck_assert_uint_eq(counters.queued, strlen("E 4 room note - 1\n1\n"));
	relay_flush(kit.relay);
	relay_member_counters(a.member, &counters);
	ck_assert_uint_eq(counters.delivered, 2);
	ck_assert_uint_eq(counters.queued, 0);
	peer_close(&a);
}
END_TEST

START_TEST(a_member_without_pipes_is_only_present)
{
	const char *pattern = "room";
	struct relay_member_options options = { .key = "a",
		.patterns = &pattern,
		.npatterns = 1,
		.pipeless = true };
	struct relay_member *member;
	struct relay_counters counters;
	int down, up;

	ck_assert_int_eq(relay_member_new(kit.relay, &options, &member, &down,
			     &up),
	    GROUPER_OK);
	ck_assert_int_eq(down, -1);
	ck_assert_int_eq(up, -1);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 1);
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 1);
	relay_drain_uplink(member);
	kit_turn(&kit);
	relay_member_counters(member, &counters);
	ck_assert_uint_eq(counters.queued, 0);
	ck_assert(!relay_member_connected(member));
	ck_assert_int_eq(relay_member_subscribe(member, "hall"), GROUPER_OK);
	relay_member_free(member);
}
END_TEST

START_TEST(who_closed_its_pipe_is_not_subscribed)
{
	peer_open(&a, &kit, "a", "room");
	peer_open(&b, &kit, "b", "room");
	ck_assert(relay_member_connected(a.member));
	fd_close(&a.down);
	ck_assert(!relay_member_connected(a.member));
	kit_publish(&kit, "room", "1");
	kit_turn(&kit);
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 1);
	ck_assert_uint_eq(kit_publish(&kit, "room", "2"), 1);
	/* It may still speak, and ask in vain. */
	peer_send(&a, "S hall\nP room x 1\n3\n");
	kit_turn(&kit);
	ck_assert_uint_eq(relay_presence(kit.relay, "hall", NULL, 0), 0);
	peer_expect(&b, "E room note - 1");
	peer_expect(&b, "E room note - 2");
	peer_expect(&b, "E room x a 3");
	peer_close(&a);
	peer_close(&b);
}
END_TEST

START_TEST(the_end_of_an_uplink_ends_nothing_else)
{
	peer_open(&a, &kit, "a", "room");
	peer_send(&a, "P room x 1\n1\n");
	fd_close(&a.up);
	kit_turn(&kit);
	kit_publish(&kit, "room", "2");
	kit_turn(&kit);
	peer_expect(&a, "E room x a 1");
	peer_expect(&a, "E room note - 2");
	peer_close(&a);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay");
	TCase *tc = support_case(suite, "relay");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_event_is_a_frame);
	tcase_add_test(tc, only_subscribers_get_it);
	tcase_add_test(tc, a_star_takes_everything);
	tcase_add_test(tc, members_publish);
	tcase_add_test(tc, others_are_all_but_the_sender);
	tcase_add_test(tc, others_without_others_reach_nobody);
	tcase_add_test(tc,
	    a_broadcast_is_one_event_to_each_topic_in_byte_order);
	tcase_add_test(tc, a_broadcast_to_an_unknown_group_does_nothing);
	tcase_add_test(tc, a_subscription_is_confirmed_in_order);
	tcase_add_test(tc, what_holds_already_is_confirmed_too);
	tcase_add_test(tc, a_drained_uplink_precedes_what_follows);
	tcase_add_test(tc, subscriptions_change_without_a_word_for_the_host);
	tcase_add_test(tc, equal_subscriptions_share_an_audience);
	tcase_add_loop_test(tc, an_invalid_event_is_refused, 0,
	    sizeof(invalid) / sizeof(invalid[0]));
	tcase_add_test(tc, an_invalid_member_is_refused);
	tcase_add_test(tc, the_members_ends_block_and_are_not_inherited);
	tcase_add_test(tc, the_largest_payload_arrives);
	tcase_add_test(tc, a_large_payload_comes_from_an_uplink);
	tcase_add_test(tc, many_small_events_are_one_write);
	tcase_add_test(tc, an_uplink_grows_for_who_writes_much);
	tcase_add_test(tc, an_uplink_can_grow_however_many_members_there_are);
	tcase_add_test(tc, a_member_that_does_not_read_holds_nobody_up);
	tcase_add_test(tc, counters_tell);
	tcase_add_test(tc, a_member_without_pipes_is_only_present);
	tcase_add_test(tc, who_closed_its_pipe_is_not_subscribed);
	tcase_add_test(tc, the_end_of_an_uplink_ends_nothing_else);
	return support_main(suite, NULL);
}
