/* SPDX-License-Identifier: ISC */
/*
 * The relay: listeners, and who is there.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/relay.h"
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

static char watched[256];

static void
on_change(const struct relay_member *member, const char *pattern, bool joined,
    void *arg)
{
	size_t used = strlen(watched);

	(void)arg;
	snprintf(watched + used, sizeof(watched) - used, "%c%s:%s ",
	    joined ? '+' : '-', relay_member_key(member), pattern);
}

START_TEST(watches_see_who_comes_and_goes)
{
	struct relay_watch *watch = relay_watch_new(kit.relay, on_change, NULL);

	watched[0] = '\0';
	peer_open(&a, &kit, "a", "one two");
	peer_send(&a, "S three\nS one\nU two\nU four\n");
	kit_turn(&kit);
	peer_close(&a);
	ck_assert_str_eq(watched,
	    "+a:one +a:two +a:three -a:two -a:one -a:three ");
	relay_watch_free(watch);
}
END_TEST

START_TEST(presence_tells_who_is_subscribed)
{
	const struct relay_member *members[2];

	peer_open(&a, &kit, "a", "room:*");
	peer_open(&b, &kit, "b", "room:x");
	peer_open(&c, &kit, "c", "room:y *");
	ck_assert_uint_eq(relay_presence(kit.relay, "room:x", NULL, 0), 3);
	ck_assert_uint_eq(relay_presence(kit.relay, "room:y", members, 2), 2);
	ck_assert_ptr_ne(members[0], members[1]);
	ck_assert_uint_eq(relay_presence(kit.relay, "hall", members, 2), 1);
	ck_assert_str_eq(relay_member_key(members[0]), "c");
	ck_assert_uint_eq(relay_presence(kit.relay, "no topic", NULL, 0), 0);
	ck_assert_str_eq(relay_member_pattern(a.member, 0), "room:*");
	ck_assert_ptr_null(relay_member_pattern(a.member, 1));
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}
END_TEST

START_TEST(who_closed_its_pipe_is_gone_without_an_event)
{
	struct relay_watch *watch = relay_watch_new(kit.relay, on_change, NULL);
	struct relay_event event = { .topic = "a",
		.event = "x",
		.payload = "" };

	peer_open(&a, &kit, "a", "room *");
	peer_open(&b, &kit, "b", "room");
	kit_turn(&kit);
	watched[0] = '\0';
	fd_close(&a.down);
	ck_assert_int_eq(relay_send(a.member, &event), GROUPER_NOT_FOUND);
	kit_turn(&kit);
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 1);
	ck_assert_uint_eq(relay_presence(kit.relay, "hall", NULL, 0), 0);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 1);
	ck_assert_uint_eq(kit_publish(&kit, "hall", "2"), 0);
	ck_assert_int_eq(relay_send(a.member, &event), GROUPER_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(watched, "-a:room "));
	ck_assert_ptr_nonnull(strstr(watched, "-a:* "));
	relay_watch_free(watch);
	peer_close(&a);
	peer_close(&b);
}
END_TEST

START_TEST(who_closed_a_full_pipe_is_gone)
{
	peer_open(&a, &kit, "a", "room");
	kit_publish_bytes(&kit, "room", FRAME_PAYLOAD_MAX);
	kit_turn(&kit);
	fd_close(&a.down);
	kit_turn(&kit);
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 0);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 0);
	peer_close(&a);
}
END_TEST

START_TEST(who_does_not_read_is_there)
{
	struct relay_event event = { .topic = "a",
		.event = "x",
		.payload = "" };
	size_t i;

	peer_open(&a, &kit, "a", "room");
	for (i = 0; i < 4; i++) {
		kit_publish_bytes(&kit, "room", FRAME_PAYLOAD_MAX);
		kit_turn(&kit);
	}
	ck_assert_uint_eq(relay_presence(kit.relay, "room", NULL, 0), 1);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 1);
	ck_assert_int_eq(relay_send(a.member, &event), GROUPER_OK);
	peer_drain(&a);
	ck_assert_uint_eq(a.received, 6);
	ck_assert_uint_eq(a.lost, 0);
	peer_close(&a);
}
END_TEST

struct hearing {
	struct relay_listener *listener;
	bool deaf;
	bool once;
	unsigned int events;
	uint64_t lost;
	char text[64];
};

static bool
on_event(const struct relay_event *event, uint64_t lost, void *arg)
{
	struct hearing *hearing = arg;

	if (hearing->deaf)
		return false;
	hearing->events++;
	hearing->lost += lost;
	snprintf(hearing->text, sizeof(hearing->text), "%llu %s %s %s %.*s",
	    (unsigned long long)event->seq, event->topic, event->event,
	    event->from != NULL ? event->from : "-", (int)event->length,
	    event->payload);
	if (hearing->once)
		relay_listener_free(hearing->listener);
	return true;
}

static void
listen(struct hearing *hearing, const char *pattern,
    const struct relay_member *member)
{
	struct relay_listener_options options = { .patterns = &pattern,
		.npatterns = 1,
		.fn = on_event,
		.arg = hearing,
		.member = member };

	*hearing = (struct hearing) { .events = 0 };
	ck_assert_int_eq(relay_listener_new(kit.relay, &options,
			     &hearing->listener),
	    GROUPER_OK);
}

START_TEST(listeners_get_events_at_once)
{
	struct hearing hearing;

	listen(&hearing, "room:*", NULL);
	ck_assert_uint_eq(kit_publish(&kit, "room:a", "hi"), 1);
	ck_assert_str_eq(hearing.text, "1 room:a note - hi");
	ck_assert_uint_eq(kit_publish(&kit, "hall", "hi"), 0);
	ck_assert_uint_eq(hearing.events, 1);
	ck_assert_uint_eq(relay_presence(kit.relay, "room:a", NULL, 0), 0);
	relay_listener_free(hearing.listener);
	ck_assert_uint_eq(kit_publish(&kit, "room:a", "hi"), 0);
}
END_TEST

START_TEST(a_slow_listener_is_told_what_it_lost)
{
	struct hearing hearing;

	listen(&hearing, "room", NULL);
	hearing.deaf = true;
	kit_publish(&kit, "room", "1");
	kit_publish(&kit, "room", "2");
	hearing.deaf = false;
	kit_publish(&kit, "room", "3");
	ck_assert_uint_eq(hearing.lost, 2);
	hearing.deaf = true;
	kit_publish(&kit, "room", "4");
	ck_assert_uint_eq(relay_listener_lost(hearing.listener), 1);
	ck_assert_uint_eq(relay_listener_lost(hearing.listener), 0);
	relay_listener_free(hearing.listener);
}
END_TEST

START_TEST(a_listener_may_be_freed_while_it_is_called)
{
	struct hearing one, two;

	listen(&one, "room", NULL);
	listen(&two, "room", NULL);
	one.once = two.once = true;
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 2);
	ck_assert_uint_eq(kit_publish(&kit, "room", "2"), 0);
	ck_assert_uint_eq(one.events + two.events, 2);
}
END_TEST

START_TEST(a_members_own_listener_is_not_counted_nor_told_by_itself)
{
	struct hearing hearing;

	peer_open(&a, &kit, "a", "room");
	listen(&hearing, "room", a.member);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 1);
	ck_assert_uint_eq(hearing.events, 1);
	peer_send(&a, "O room x 0\n\nP room x 0\n\n");
	kit_turn(&kit);
	ck_assert_uint_eq(hearing.events, 2);
	relay_listener_free(hearing.listener);
	peer_close(&a);
}
END_TEST

START_TEST(what_a_group_publishes_to_others_is_not_for_its_listeners)
{
	const char *pattern = "room";
	struct hearing hearing = { .events = 0 };
	struct relay_listener_options options = { .patterns = &pattern,
		.npatterns = 1,
		.fn = on_event,
		.arg = &hearing,
		.key = "a" };
	struct relay_event event = { .topic = "room",
		.event = "x",
		.from = "a",
		.payload = "",
		.others = true };
	size_t reached;

	ck_assert_int_eq(relay_listener_new(kit.relay, &options,
			     &hearing.listener),
	    GROUPER_OK);
	peer_open(&a, &kit, "a", "hall");
	ck_assert_int_eq(relay_publish(kit.relay, &event, NULL, &reached),
	    GROUPER_OK);
	ck_assert_uint_eq(reached, 0);
	peer_send(&a, "O room x 0\n\n");
	kit_turn(&kit);
	ck_assert_uint_eq(hearing.events, 0);
	event.from = "b";
	ck_assert_int_eq(relay_publish(kit.relay, &event, NULL, &reached),
	    GROUPER_OK);
	ck_assert_uint_eq(reached, 1);
	peer_send(&a, "P room x 0\n\n");
	kit_turn(&kit);
	ck_assert_uint_eq(hearing.events, 2);
	ck_assert_uint_eq(hearing.lost, 0);
	relay_listener_free(hearing.listener);
	peer_close(&a);
}
END_TEST

START_TEST(members_and_listeners_of_equal_patterns_live_together)
{
	struct hearing hearing;

	peer_open(&a, &kit, "a", "room");
	kit_turn(&kit);
	listen(&hearing, "room", NULL);
	peer_open(&b, &kit, "b", "room");
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 3);
	kit_turn(&kit);
	peer_expect(&a, "E room note - 1");
	peer_expect(&b, "E room note - 1");
	ck_assert_uint_eq(hearing.events, 1);
	peer_close(&a);
	peer_close(&b);
	ck_assert_uint_eq(kit_publish(&kit, "room", "1"), 1);
	relay_listener_free(hearing.listener);
}
END_TEST

START_TEST(a_relay_frees_what_is_left)
{
	struct hearing hearing;

	peer_open(&a, &kit, "a", "room *");
	listen(&hearing, "room", NULL);
	ck_assert_ptr_nonnull(relay_watch_new(kit.relay, on_change, NULL));
	kit_publish(&kit, "room", "1");
	peer_send(&a, "S x\nP");
	kit_turn(&kit);
	kit_publish(&kit, "room", "2");
	fd_close(&a.down);
	fd_close(&a.up);
	frame_parser_fini(&a.parser);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay, presence");
	TCase *tc = support_case(suite, "listeners and watches");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, watches_see_who_comes_and_goes);
	tcase_add_test(tc, presence_tells_who_is_subscribed);
	tcase_add_test(tc, who_closed_its_pipe_is_gone_without_an_event);
	tcase_add_test(tc, who_closed_a_full_pipe_is_gone);
	tcase_add_test(tc, who_does_not_read_is_there);
	tcase_add_test(tc, listeners_get_events_at_once);
	tcase_add_test(tc, a_slow_listener_is_told_what_it_lost);
	tcase_add_test(tc, a_listener_may_be_freed_while_it_is_called);
	tcase_add_test(tc,
	    a_members_own_listener_is_not_counted_nor_told_by_itself);
	tcase_add_test(tc,
	    what_a_group_publishes_to_others_is_not_for_its_listeners);
	tcase_add_test(tc,
	    members_and_listeners_of_equal_patterns_live_together);
	tcase_add_test(tc, a_relay_frees_what_is_left);
	return support_main(suite, NULL);
}
