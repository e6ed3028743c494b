/* SPDX-License-Identifier: ISC */
/*
 * The relay: what is written in the turn that reads it, and what at its end.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/relay/groups.h"
#include "runtime/relay/relay_private.h"
#include "runtime/util/loop.h"
#include "support.h"
#include "tests/unit/relay_kit.h"

#define PEERS 6
#define PAYLOAD 4000
/* All of them take less than the first chunk of a log. */
#define SMALL 150

static struct kit kit;
static struct peer peers[PEERS];

/* Each is an audience of its own. */
static void
setup(void)
{
	char key[16], patterns[32];
	size_t i;

	kit_open(&kit, 0);
	for (i = 0; i < PEERS; i++) {
		snprintf(key, sizeof(key), "peer:%zu", i);
		snprintf(patterns, sizeof(patterns), "room own:%zu", i);
		peer_open(&peers[i], &kit, key, patterns);
	}
	kit_turn(&kit);
}

static void
teardown(void)
{
	size_t i;

	for (i = 0; i < PEERS; i++)
		peer_close(&peers[i]);
	kit_close(&kit);
}

static void
read_once(void)
{
	ck_assert_int_eq(loop_once(kit.loop), 0);
}

static void
expect_all(const char *text)
{
	size_t i;

	for (i = 0; i < PEERS; i++)
		peer_expect(&peers[i], text);
}

START_TEST(the_first_event_is_written_at_once)
{
	peer_send(&peers[0], "P room say 2\nhi\n");
	read_once();
	expect_all("E room say peer:0 hi");
	kit_turn(&kit);
	expect_all(NULL);
}
END_TEST

START_TEST(the_next_go_together_when_the_turn_ends)
{
	peer_send(&peers[0], "P room say 1\n1\n");
	peer_send(&peers[1], "P room say 1\n2\n");
	peer_send(&peers[2], "P room say 1\n3\n");
	read_once();
	expect_all("E room say peer:0 1");
	expect_all(NULL);
	kit_turn(&kit);
	expect_all("E room say peer:1 2");
	expect_all("E room say peer:2 3");
}
END_TEST

START_TEST(several_of_one_sender_go_together)
{
	peer_send(&peers[0], "P room say 1\n1\nP room say 1\n2\n");
	read_once();
	expect_all(NULL);
	kit_turn(&kit);
	expect_all("E room say peer:0 1");
	expect_all("E room say peer:0 2");
}
END_TEST

START_TEST(what_a_broadcast_is_to_its_topics_goes_together)
{
	struct topic_groups *groups = relay_groups(kit.relay);

	ck_assert_int_eq(topic_groups_create(groups, "team"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_add(groups, "team", "own:0"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_add(groups, "team", "room"), GROUPER_OK);
	peer_send(&peers[1], "B team say 2\nhi\n");
	read_once();
	expect_all(NULL);
	kit_turn(&kit);
	peer_expect(&peers[0], "E own:0 say peer:1 hi");
	expect_all("E room say peer:1 hi");
}
END_TEST

/* However many they are: that a log has to list more of them writes nothing. */
START_TEST(small_events_go_together_until_a_log_is_full)
{
	const struct relay_event event = { .topic = "room",
		.event = "say",
		.payload = "1",
		.length = 1 };
	size_t i;

	for (i = 0; i < SMALL; i++)
		ck_assert_int_eq(relay_publish(kit.relay, &event, NULL, NULL),
		    GROUPER_OK);
	expect_all(NULL);
	kit_turn(&kit);
	for (i = 0; i < SMALL; i++)
		expect_all("E room say - 1");
}
END_TEST

/* One that is, takes new pages for a few of them. */
START_TEST(a_large_event_at_once_is_not_shared)
{
	char text[PAYLOAD + 64], payload[PAYLOAD + 1] = "";
	uint64_t before = kit.relay->appended;

	memset(payload, 'x', PAYLOAD);
	snprintf(text, sizeof(text), "P room say %d\n%s\n", PAYLOAD, payload);
	peer_send(&peers[0], text);
	read_once();
	ck_assert_uint_ge(kit.relay->appended - before, PEERS * PAYLOAD);
	peer_send(&peers[1], "P room say 1\n1\n");
	peer_send(&peers[0], text);
	before = kit.relay->appended;
	read_once();
	kit_turn(&kit);
	ck_assert_uint_lt(kit.relay->appended - before, 3 * PAYLOAD);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay, turns");
	TCase *tc = support_case(suite, "uplinks");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_event_is_written_at_once);
	tcase_add_test(tc, the_next_go_together_when_the_turn_ends);
	tcase_add_test(tc, several_of_one_sender_go_together);
	tcase_add_test(tc, what_a_broadcast_is_to_its_topics_goes_together);
	tcase_add_test(tc, small_events_go_together_until_a_log_is_full);
	tcase_add_test(tc, a_large_event_at_once_is_not_shared);
	return support_main(suite, NULL);
}
