/* SPDX-License-Identifier: ISC */
/*
 * Messages, names and settings of a program that embeds a host: see
 * grouper/topics.h, registry.h and config.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper.h>

#include "bus_side.h"
#include "trial.h"

#define LARGE GROUPER_PAYLOAD_MAX

/* What a subscription was told. */
struct heard {
	struct trial trial;
	struct grouper_subscription *subscription;
	char text[512]; /* "topic/event/payload;" of each */
	size_t count;
	uint64_t lost;
	uint64_t seq;
	size_t last; /* it ends itself after so many; 0: never */
	bool echoes; /* publishes what it is told */
};

static void
on_message(struct grouper_host *host, const struct grouper_message *message,
    void *arg)
{
	struct heard *heard = arg;
	size_t length = strlen(heard->text);

	ck_assert_ptr_eq(host, heard->trial.host);
	if (message->kind == GROUPER_MESSAGE_LOST) {
		heard->lost += message->lost;
		return;
	}
	ck_assert_uint_gt(message->seq, heard->seq);
	heard->seq = message->seq;
	heard->count++;
	snprintf(heard->text + length, sizeof(heard->text) - length,
	    "%s/%s/%.8s;", message->topic, message->event,
	    (const char *)message->payload);
	if (heard->echoes)
		ck_assert_int_eq(grouper_publish(host, "echo", message->event,
				     message->payload, message->length, NULL),
		    GROUPER_OK);
	if (heard->count == heard->last)
		grouper_unsubscribe(heard->subscription);
}

static void
subscribe(struct heard *heard, const char *pattern, const char *other)
{
	const char *const patterns[] = { pattern, other };

	memset(heard, 0, sizeof(*heard));
	trial_open(&heard->trial, NULL);
	ck_assert_int_eq(grouper_subscribe(heard->trial.host, patterns,
			     other == NULL ? 1 : 2, on_message, heard,
			     &heard->subscription),
	    GROUPER_OK);
}

/* Runs the loop until nothing is left to tell. */
static void
turn(struct heard *heard)
{
	int i;

	for (i = 0; i < 10; i++)
		event_base_loop(heard->trial.base, EVLOOP_NONBLOCK);
}

static void
unsubscribe(struct heard *heard)
{
	grouper_unsubscribe(heard->subscription);
	trial_close(&heard->trial);
}

static size_t
publish(struct heard *heard, const char *topic, const char *event)
{
	size_t reached = 99;

	ck_assert_int_eq(grouper_publish(heard->trial.host, topic, event, "x",
			     1, &reached),
	    GROUPER_OK);
	return reached;
}

START_TEST(what_is_published_is_told_by_the_loop)
{
	struct heard heard;

	subscribe(&heard, "room:*", "x");
	ck_assert_uint_eq(publish(&heard, "room:a", "one"), 1);
	ck_assert_uint_eq(publish(&heard, "y", "two"), 0);
	ck_assert_uint_eq(publish(&heard, "x", "three"), 1);
	ck_assert_uint_eq(heard.count, 0);
	turn(&heard);
	ck_assert_str_eq(heard.text, "room:a/one/x;x/three/x;");
	unsubscribe(&heard);
}
END_TEST

START_TEST(a_broadcast_reaches_each_topic_in_order)
{
	struct grouper_reach reach;
	struct grouper_host *host;
	struct heard heard;

	subscribe(&heard, "a", "c*");
	host = heard.trial.host;
	ck_assert_int_eq(grouper_broadcast(host, "team", "e", "x", 1, &reach),
	    GROUPER_OK);
	ck_assert_int_eq(reach.known, 0);
	ck_assert_int_eq(grouper_topics_create(host, "team"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "team", "c2"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "team", "b"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "team", "a"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "team", "c1"), GROUPER_OK);
	ck_assert_int_eq(grouper_broadcast(host, "team", "e", "x", 1, &reach),
	    GROUPER_OK);
	ck_assert_int_eq(reach.known, 1);
	ck_assert_uint_eq(reach.topics, 4);
	ck_assert_uint_eq(reach.reached, 1);
	ck_assert_int_eq(grouper_broadcast(host, "team", "f", NULL, 0, NULL),
	    GROUPER_OK);
	turn(&heard);
	ck_assert_str_eq(heard.text, "a/e/x;c1/e/x;c2/e/x;a/f/;c1/f/;c2/f/;");
	unsubscribe(&heard);
}
END_TEST

START_TEST(a_callback_may_publish)
{
	struct heard heard;

	subscribe(&heard, "a", "echo");
	heard.echoes = true;
	heard.last = 4;
	publish(&heard, "a", "e");
	turn(&heard);
	ck_assert_str_eq(heard.text, "a/e/x;echo/e/x;echo/e/x;echo/e/x;");
	trial_close(&heard.trial);
}
END_TEST

/* What comes of its answers is told in the next turn. */
START_TEST(an_endless_echo_leaves_others_their_turn)
{
	struct heard heard;
	int i;

	subscribe(&heard, "echo", NULL);
	heard.echoes = true;
	publish(&heard, "echo", "e");
	for (i = 0; i < 10; i++)
		event_base_loop(heard.trial.base, EVLOOP_ONCE);
	ck_assert_uint_gt(heard.count, 1);
	ck_assert_uint_le(heard.count, 10);
	unsubscribe(&heard);
}
END_TEST

START_TEST(a_callback_may_end_its_subscription)
{
	struct heard heard;

	subscribe(&heard, "*", NULL);
	heard.last = 2;
	publish(&heard, "a", "one");
	publish(&heard, "a", "two");
	publish(&heard, "a", "three");
	turn(&heard);
	ck_assert_uint_eq(heard.count, 2);
	ck_assert_uint_eq(publish(&heard, "a", "four"), 0);
	turn(&heard);
	ck_assert_uint_eq(heard.count, 2);
	trial_close(&heard.trial);
}
END_TEST

/* _i: whether one comes after those that were lost. */
START_TEST(what_a_busy_program_lost_is_told)
{
	char *payload = calloc(1, LARGE);
	struct heard heard;
	int i;

	ck_assert_ptr_nonnull(payload);
	subscribe(&heard, "*", NULL);
	for (i = 0; i < 20; i++)
		ck_assert_int_eq(grouper_publish(heard.trial.host, "a", "e",
				     payload, LARGE, NULL),
		    GROUPER_OK);
	if (_i == 1)
		publish(&heard, "a", "small");
	turn(&heard);
	ck_assert_uint_gt(heard.count, 0);
	ck_assert_uint_gt(heard.lost, 0);
	ck_assert_uint_eq(heard.count + heard.lost, 20 + (size_t)_i);
	publish(&heard, "a", "more");
	turn(&heard);
	ck_assert_uint_eq(heard.count + heard.lost, 21 + (size_t)_i);
	unsubscribe(&heard);
	free(payload);
}
END_TEST

static void
expect_names(struct grouper_names *list, const char *expected)
{
	char text[256] = "";
	size_t i;

	for (i = 0; i < list->count; i++) {
		strcat(text, list->items[i]);
		strcat(text, " ");
	}
	ck_assert_str_eq(text, expected);
	grouper_names_free(list);
	ck_assert_uint_eq(list->count, 0);
}

START_TEST(topic_groups_are_made_changed_and_listed)
{
	struct grouper_names list;
	struct grouper_host *host;
	struct trial trial;

	trial_open(&trial, NULL);
	host = trial.host;
	ck_assert_int_eq(grouper_topics_list(host, &list), GROUPER_OK);
	expect_names(&list, "");
	ck_assert_int_eq(grouper_topics_add(host, "g", "a"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_topics_create(host, "g"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_create(host, "g"),
	    GROUPER_ALREADY_EXISTS);
	ck_assert_int_eq(grouper_topics_create(host, "f"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "g", "b"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "g", "a:b"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_add(host, "g", "b"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_show(host, "g", &list), GROUPER_OK);
	expect_names(&list, "a:b b ");
	ck_assert_int_eq(grouper_topics_remove(host, "g", "b"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_remove(host, "g", "b"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_show(host, "g", &list), GROUPER_OK);
	expect_names(&list, "a:b ");
	ck_assert_int_eq(grouper_topics_list(host, &list), GROUPER_OK);
	expect_names(&list, "f g ");
	ck_assert_int_eq(grouper_topics_delete(host, "g"), GROUPER_OK);
	ck_assert_int_eq(grouper_topics_delete(host, "g"), GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_topics_show(host, "g", &list),
	    GROUPER_NOT_FOUND);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_int_eq(grouper_presence(host, "a", &list), GROUPER_OK);
	expect_names(&list, "");
	trial_close(&trial);
}
END_TEST

START_TEST(members_of_a_topic_are_present)
{
	struct bus_pipes one, other;
	struct grouper_names list;
	struct trial trial;

	trial_open(&trial, NULL);
	bus_side_join(&trial, "one", (char[]) { "room:*" }, &one);
	bus_side_join(&trial, "other", (char[]) { "room:b" }, &other);
	ck_assert_int_eq(grouper_presence(trial.host, "room:a", &list),
	    GROUPER_OK);
	expect_names(&list, "one ");
	ck_assert_int_eq(grouper_presence(trial.host, "room:b", &list),
	    GROUPER_OK);
	ck_assert_uint_eq(list.count, 2);
	grouper_names_free(&list);
	bus_leave(bus_side(&trial), "one");
	ck_assert_int_eq(grouper_presence(trial.host, "room:b", &list),
	    GROUPER_OK);
	expect_names(&list, "other ");
	bus_leave(bus_side(&trial), "other");
	bus_side_close(&one);
	bus_side_close(&other);
	trial_close(&trial);
}
END_TEST

START_TEST(names_are_given_and_found)
{
	struct grouper_host *host;
	struct trial trial;
	int yes = -1;
	pid_t pid;

	trial_open(&trial, NULL);
	host = trial.host;
	ck_assert_int_eq(grouper_whereis(host, "me", &pid), GROUPER_OK);
	ck_assert_int_eq(pid, 0);
	ck_assert_int_eq(grouper_register(host, "me", 0, &yes), GROUPER_OK);
	ck_assert_int_eq(yes, 1);
	ck_assert_int_eq(grouper_register(host, "me", getppid(), &yes),
	    GROUPER_OK);
	ck_assert_int_eq(yes, 0);
	ck_assert_int_eq(grouper_whereis(host, "me", &pid), GROUPER_OK);
	ck_assert_int_eq(pid, getpid());
	/* It is in no group, and nobody reads for it. */
	ck_assert_int_eq(grouper_send(host, "me", "e", "x", 1),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_unregister(host, "me"), GROUPER_OK);
	ck_assert_int_eq(grouper_unregister(host, "me"), GROUPER_OK);
	ck_assert_int_eq(grouper_send(host, "me", "e", "x", 1),
	    GROUPER_NOT_FOUND);
	trial_close(&trial);
}
END_TEST

static void
expect_json(char *json, const char *expected)
{
	ck_assert_str_eq(json, expected);
	free(json);
}

START_TEST(settings_are_json)
{
	struct grouper_host *host;
	struct trial trial;
	char *json = NULL, *old, why[256];
	const char *path;

	trial_open(&trial, NULL);
	host = trial.host;
	ck_assert_int_eq(grouper_config_get(host, "a", &json),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_config_put(host, "a", "[1, \"x\"]", &old),
	    GROUPER_OK);
	ck_assert_ptr_null(old);
	ck_assert_int_eq(grouper_config_put(host, "a", "null", &old),
	    GROUPER_OK);
	expect_json(old, "[1,\"x\"]");
	ck_assert_int_eq(grouper_config_get(host, "a", &json), GROUPER_OK);
	expect_json(json, "null");
	path = support_file("c.json", 0600, "{\"c\": 1,\n \"b\": 2}");
	ck_assert_int_eq(grouper_config_load(host, path, NULL, 0), GROUPER_OK);
	ck_assert_int_eq(grouper_config_list(host, &json), GROUPER_OK);
	expect_json(json, "{\"a\":null,\"b\":2,\"c\":1}");
	ck_assert_int_eq(grouper_config_delete(host, "a", &old), GROUPER_OK);
	expect_json(old, "null");
	ck_assert_int_eq(grouper_config_delete(host, "a", NULL), GROUPER_OK);
	path = support_file("c.json", 0600, "{\"c\": 1,\n \"b\" 2}");
	ck_assert_int_eq(grouper_config_load(host, path, why, sizeof(why)),
	    GROUPER_INVALID);
	ck_assert_msg(strstr(why, "c.json:2:6: ") != NULL, "%s", why);
	ck_assert_int_eq(grouper_config_load(host, path, NULL, 0),
	    GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

START_TEST(without_a_host_there_is_no_group)
{
	static const char *const patterns[] = { "a" };
	struct grouper_subscription *subscription;
	struct grouper_names list;
	char *json;
	pid_t pid;
	int yes;

	ck_assert_int_eq(grouper_topics_create(NULL, "g"), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_topics_show(NULL, "g", &list),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_topics_list(NULL, &list), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_presence(NULL, "a", &list), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_publish(NULL, "a", "e", NULL, 0, NULL),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_broadcast(NULL, "g", "e", NULL, 0, NULL),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_subscribe(NULL, patterns, 1, on_message, NULL,
			     &subscription),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_register(NULL, "a", 0, &yes),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_whereis(NULL, "a", &pid), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_config_get(NULL, "a", &json),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_config_list(NULL, &json), GROUPER_NO_GROUP);
	grouper_unsubscribe(NULL);
}
END_TEST

START_TEST(what_is_no_name_is_refused)
{
	static const char *const patterns[] = { "a b" };
	struct grouper_subscription *subscription = NULL;
	struct grouper_names list;
	struct grouper_host *host;
	struct trial trial;
	char *json;
	pid_t pid;
	int yes;

	trial_open(&trial, NULL);
	host = trial.host;
	ck_assert_int_eq(grouper_topics_create(host, "a b"), GROUPER_INVALID);
	ck_assert_int_eq(grouper_topics_create(host, NULL), GROUPER_INVALID);
	ck_assert_int_eq(grouper_publish(host, ":a", "e", NULL, 0, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_publish(host, "a", "", NULL, 0, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_publish(host, "a", "e", NULL, 1, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_publish(host, "a", "e", host, LARGE + 1, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_presence(host, "a:", &list), GROUPER_INVALID);
	ck_assert_int_eq(grouper_presence(host, "a", NULL), GROUPER_INVALID);
	ck_assert_int_eq(grouper_topics_list(host, NULL), GROUPER_INVALID);
	ck_assert_int_eq(grouper_topics_show(host, "g", NULL), GROUPER_INVALID);
	ck_assert_int_eq(grouper_broadcast(host, "g", "e e", NULL, 0, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_subscribe(host, patterns, 1, on_message, NULL,
			     &subscription),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_subscribe(host, patterns, 0, on_message, NULL,
			     &subscription),
	    GROUPER_INVALID);
	ck_assert_ptr_null(subscription);
	ck_assert_int_eq(grouper_register(host, "", 0, &yes), GROUPER_INVALID);
	ck_assert_int_eq(grouper_register(host, "a", -1, &yes),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_config_put(host, "a", "{", NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_unregister(host, "a b"), GROUPER_INVALID);
	ck_assert_int_eq(grouper_whereis(host, "", &pid), GROUPER_INVALID);
	ck_assert_int_eq(grouper_config_put(host, "a b", "1", NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_config_get(host, "a b", &json),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_config_delete(host, "a b", NULL),
	    GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("public_topics");
	TCase *tc;

	tc = support_case(s, "subscriptions");
	tcase_add_test(tc, what_is_published_is_told_by_the_loop);
	tcase_add_test(tc, a_broadcast_reaches_each_topic_in_order);
	tcase_add_test(tc, a_callback_may_publish);
	tcase_add_test(tc, an_endless_echo_leaves_others_their_turn);
	tcase_add_test(tc, a_callback_may_end_its_subscription);
	tcase_add_loop_test(tc, what_a_busy_program_lost_is_told, 0, 2);
	tc = support_case(s, "parts");
	tcase_add_test(tc, topic_groups_are_made_changed_and_listed);
	tcase_add_test(tc, members_of_a_topic_are_present);
	tcase_add_test(tc, names_are_given_and_found);
	tcase_add_test(tc, settings_are_json);
	tcase_add_test(tc, without_a_host_there_is_no_group);
	tcase_add_test(tc, what_is_no_name_is_refused);
	return support_main(s, NULL);
}
