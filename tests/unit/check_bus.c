/* SPDX-License-Identifier: ISC */
/*
 * The methods of the bus, and its streams.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus_side.h"
#include "runtime/bus/bus_private.h"

/* Methods */

START_TEST(topic_groups_are_reached_by_methods)
{
	struct client client;
	struct trial trial;

	client_open_server(&trial, &client);
	bus_side_gives(&client, REQUEST("topics.create", "{\"group\":\"g\"}"),
	    "{}");
	bus_side_refuses(&client, REQUEST("topics.create", "{\"group\":\"g\"}"),
	    CODE(ALREADY_EXISTS), "'g'");
	bus_side_gives(&client,
	    REQUEST("topics.add", "{\"group\":\"g\",\"topic\":\"b\"}"), "{}");
	bus_side_gives(&client,
	    REQUEST("topics.add", "{\"group\":\"g\",\"topic\":\"a\"}"), "{}");
	bus_side_gives(&client, REQUEST("topics.show", "{\"group\":\"g\"}"),
	    "{\"topics\":[\"a\",\"b\"]}");
	bus_side_gives(&client,
	    REQUEST("topics.remove", "{\"group\":\"g\",\"topic\":\"b\"}"),
	    "{}");
	bus_side_gives(&client, REQUEST("topics.list", "{}"),
	    "{\"groups\":[\"g\"]}");
	bus_side_gives(&client, REQUEST("topics.delete", "{\"group\":\"g\"}"),
	    "{}");
	bus_side_refuses(&client, REQUEST("topics.show", "{\"group\":\"g\"}"),
	    CODE(NOT_FOUND), "'g'");
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(a_broadcast_counts_what_it_reached)
{
	struct bus_pipes one, other;
	struct client client;
	struct trial trial;

	client_open_server(&trial, &client);
	bus_side_join(&trial, "one", (char[]) { "a" }, &one);
	bus_side_join(&trial, "other", (char[]) { "*" }, &other);
	bus_side_gives(&client,
	    REQUEST("broadcast", "{\"group\":\"g\",\"event\":\"e\"}"),
	    "{\"known\":false,\"members\":0,\"topics\":0}");
	bus_side_gives(&client, REQUEST("topics.create", "{\"group\":\"g\"}"),
	    "{}");
	bus_side_refuses(&client,
	    REQUEST("broadcast",
		"{\"group\":\"g\",\"event\":\"e\",\"require\":true}"),
	    CODE(NOT_FOUND), "nobody");
	bus_side_gives(&client,
	    REQUEST("topics.add", "{\"group\":\"g\",\"topic\":\"b\"}"), "{}");
	bus_side_gives(&client,
	    REQUEST("topics.add", "{\"group\":\"g\",\"topic\":\"a\"}"), "{}");
	bus_side_gives(&client,
	    REQUEST("broadcast",
		"{\"group\":\"g\",\"event\":\"e\",\"payload\":\"x\"}"),
	    "{\"known\":true,\"members\":2,\"topics\":2}");
	bus_side_reads(&trial, &one, "E 1 a e - 1\nx\n");
	bus_side_reads(&trial, &other, "E 1 a e - 1\nx\nE 2 b e - 1\nx\n");
	bus_side_close(&one);
	bus_side_close(&other);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(who_is_subscribed_is_listed_in_order)
{
	static const char *const keys[] = { "b", "c/a:1", "a" };
	struct bus_pipes pipes[3];
	struct client client;
	struct trial trial;
	size_t i;

	client_open_server(&trial, &client);
	for (i = 0; i < 3; i++)
		bus_side_join(&trial, keys[i], (char[]) { "t*" }, &pipes[i]);
	bus_side_gives(&client, REQUEST("presence", "{\"topic\":\"t\"}"),
	    "{\"count\":3,\"members\":[\"a\",\"b\",\"c/a:1\"]}");
	for (i = 0; i < 3; i++)
		bus_side_close(&pipes[i]);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(what_each_got_and_lost_is_told_with_who_is_there)
{
	struct bus_pipes pipes;
	struct client client;
	struct trial trial;

	client_open_server(&trial, &client);
	bus_side_join(&trial, "w", (char[]) { "t" }, &pipes);
	bus_side_gives(&client,
	    REQUEST("publish", "{\"topic\":\"t\",\"event\":\"e\"}"),
	    "{\"members\":1}");
	bus_side_reads(&trial, &pipes, "E 1 t e - 0\n\n");
	bus_side_gives(&client,
	    REQUEST("presence", "{\"topic\":\"t\",\"counters\":true}"),
	    "{\"count\":1,\"counters\":[{\"delivered\":1,\"key\":\"w\","
	    "\"lost\":0,\"published\":0,\"queued\":0}],"
	    "\"members\":[\"w\"]}");
	bus_side_gives(&client,
	    REQUEST("presence", "{\"topic\":\"n\",\"counters\":true}"),
	    "{\"count\":0,\"counters\":[],\"members\":[]}");
	bus_side_close(&pipes);
	client_close_server(&trial, &client);
}
END_TEST

static const struct {
	const char *request;
	int code;
	const char *why;
} bad_requests[] = {
	{ REQUEST("topics.create", "{}"), RPC_INVALID_PARAMS, "group" },
	{ REQUEST("topics.create", "{\"group\":1}"), RPC_INVALID_PARAMS,
	    "group" },
	{ REQUEST("topics.create", "{\"group\":\"\"}"), CODE(INVALID),
	    "topic group: expected 1 to 255 bytes" },
	{ REQUEST("topics.add", "{\"group\":\"g\",\"topic\":\"a:\"}"),
	    CODE(INVALID), "topic: expected" },
	{ REQUEST("publish", "{\"topic\":\"a b\",\"event\":\"e\"}"),
	    CODE(INVALID), "got 'a b'" },
	{ REQUEST("publish", "{\"topic\":\"a\",\"event\":\"\\n\"}"),
	    CODE(INVALID), "event: expected" },
	{ REQUEST("publish", "{\"topic\":\"a\"}"), RPC_INVALID_PARAMS,
	    "event" },
	{ REQUEST("publish", "{\"topic\":\"a\",\"event\":\"e\",\"payload\":1}"),
	    RPC_INVALID_PARAMS, "payload" },
	{ REQUEST("publish",
	      "{\"topic\":\"a\",\"event\":\"e\",\"payload\":\"\","
	      "\"payload_base64\":\"\"}"),
	    RPC_INVALID_PARAMS, "payload" },
	{ REQUEST("publish",
	      "{\"topic\":\"a\",\"event\":\"e\",\"payload_base64\":\"A\"}"),
	    RPC_INVALID_PARAMS, "base64" },
	{ REQUEST("publish", "{\"topic\":\"a\",\"event\":\"e\",\"others\":1}"),
	    RPC_INVALID_PARAMS, "others" },
	{ REQUEST("subscribe", "{\"patterns\":[]}"), RPC_INVALID_PARAMS,
	    "patterns" },
	{ REQUEST("subscribe", "{\"patterns\":[\"a\",\":*\"]}"), CODE(INVALID),
	    "pattern: expected" },
	{ REQUEST("presence", "{\"topic\":\"a\",\"counters\":1}"),
	    RPC_INVALID_PARAMS, "counters" },
	{ REQUEST("presence", "{\"topic\":\":\"}"), CODE(INVALID),
	    "topic: expected" },
	{ REQUEST("register", "{\"name\":\"a b\"}"), CODE(INVALID),
	    "name: expected" },
	{ REQUEST("register", "{\"name\":\"a\",\"pid\":0}"), RPC_INVALID_PARAMS,
	    "pid" },
	{ REQUEST("unregister", "{\"name\":\"\"}"), CODE(INVALID), "name" },
	{ REQUEST("whereis", "{\"name\":\"\\t\"}"), CODE(INVALID), "name" },
	{ REQUEST("send", "{\"name\":\"a\",\"event\":\"e\"}"), CODE(NOT_FOUND),
	    "nobody" },
	{ REQUEST("config.get", "{\"key\":\"a b\"}"), CODE(INVALID),
	    "key: expected" },
	{ REQUEST("config.get", "{\"key\":\"a\"}"), CODE(NOT_FOUND),
	    "setting" },
	{ REQUEST("config.put", "{\"key\":\"a\"}"), RPC_INVALID_PARAMS,
	    "value" },
	{ REQUEST("member.open", "{}"), CODE(NO_GROUP), "group" },
};

START_TEST(bad_requests_are_refused_by_name)
{
	struct client client;
	struct trial trial;

	client_open_server(&trial, &client);
	bus_side_refuses(&client, bad_requests[_i].request,
	    bad_requests[_i].code, bad_requests[_i].why);
	client_close_server(&trial, &client);
}
END_TEST

/* A request of a payload of so many bytes, to be freed. */
static char *
publish_of(size_t length)
{
	static const char begin[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"publish\",\"params\":"
	    "{\"topic\":\"a\",\"event\":\"e\",\"payload\":\"";
	char *text = malloc(sizeof(begin) + length + 8);

	ck_assert_ptr_nonnull(text);
	memcpy(text, begin, sizeof(begin) - 1);
	memset(text + sizeof(begin) - 1, 'x', length);
	strcpy(text + sizeof(begin) - 1 + length, "\"}}\n");
	return text;
}

/* Sends a text that may be longer than the socket takes at once. */
struct sending {
	struct client *client;
	const char *text;
	size_t left;
};

static bool
is_sent(void *arg)
{
	struct sending *sending = arg;
	ssize_t n;

	n = send(sending->client->fd, sending->text, sending->left,
	    MSG_NOSIGNAL);
	if (n > 0) {
		sending->text += n;
		sending->left -= (size_t)n;
	}
	return sending->left == 0;
}

static json_t *
publish_long(struct trial *trial, struct client *client, size_t length)
{
	char *text = publish_of(length);
	struct sending sending = { client, text, strlen(text) };

	trial_until(trial, is_sent, &sending);
	free(text);
	return client_answer(client);
}

START_TEST(a_payload_has_a_mebibyte_at_most)
{
	struct client client;
	struct trial trial;
	json_t *answer;

	client_open_server(&trial, &client);
	answer = publish_long(&trial, &client, (size_t)1 << 20);
	ck_assert_ptr_nonnull(json_object_get(answer, "result"));
	json_decref(answer);
	answer = publish_long(&trial, &client, ((size_t)1 << 20) + 1);
	ck_assert_ptr_nonnull(json_object_get(answer, "error"));
	json_decref(answer);
	client_is_served(&client);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(settings_have_their_bounds)
{
	struct client client;
	struct trial trial;
	char request[128];
	int i;

	client_open_server(&trial, &client);
	for (i = 0; i < 4096; i++) {
		snprintf(request, sizeof(request),
		    REQUEST("config.put", "{\"key\":\"k%d\",\"value\":%d}"), i,
		    i);
		bus_side_gives(&client, request,
		    "{\"known\":false,\"old\":null}");
	}
	bus_side_refuses(&client,
	    REQUEST("config.put", "{\"key\":\"more\",\"value\":1}"),
	    CODE(SYSTEM), "no room");
	bus_side_gives(&client,
	    REQUEST("config.put", "{\"key\":\"k7\",\"value\":1}"),
	    "{\"known\":true,\"old\":7}");
	client_close_server(&trial, &client);
}
END_TEST

/* Streams */

START_TEST(a_subscriber_hears_its_topics)
{
	struct client ear, client;
	struct trial trial;

	client_open_server(&trial, &client);
	client_open(&ear, &trial);
	bus_side_gives(&ear,
	    REQUEST("subscribe", "{\"patterns\":[\"a\",\"r:*\"]}"), "{}");
	bus_side_gives(&client,
	    REQUEST("publish",
		"{\"topic\":\"a\",\"event\":\"e\",\"payload\":\"x\"}"),
	    "{\"members\":1}");
	bus_side_gives(&client,
	    REQUEST("publish", "{\"topic\":\"b\",\"event\":\"e\"}"),
	    "{\"members\":0}");
	bus_side_gives(&client,
	    REQUEST("publish",
		"{\"topic\":\"r:b\",\"event\":\"e\","
		"\"payload_base64\":\"/w==\"}"),
	    "{\"members\":1}");
	bus_side_hears(&ear,
	    "{\"event\":\"e\",\"from\":null,\"payload\":\"x\",\"seq\":1,"
	    "\"topic\":\"a\"}");
	bus_side_hears(&ear,
	    "{\"event\":\"e\",\"from\":null,\"payload_base64\":\"/w==\","
	    "\"seq\":3,\"topic\":\"r:b\"}");
	client_close(&ear);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(presence_alone_brings_no_events)
{
	struct client ear, client;
	struct bus_pipes pipes, other;
	struct trial trial;

	client_open_server(&trial, &client);
	client_open(&ear, &trial);
	bus_side_gives(&ear,
	    REQUEST("subscribe",
		"{\"patterns\":[\"r:a\"],\"presence\":true,"
		"\"events\":false}"),
	    "{}");
	bus_side_gives(&client,
	    REQUEST("publish", "{\"topic\":\"r:a\",\"event\":\"e\"}"),
	    "{\"members\":0}");
	bus_side_join(&trial, "other", (char[]) { "r:b" }, &other);
	bus_side_join(&trial, "in/x:1", (char[]) { "r:*" }, &pipes);
	bus_side_gives(&client, REQUEST("presence", "{\"topic\":\"r:a\"}"),
	    "{\"count\":1,\"members\":[\"in/x:1\"]}");
	bus_leave(bus_side(&trial), "other");
	bus_leave(bus_side(&trial), "in/x:1");
	bus_side_hears(&ear,
	    "{\"key\":\"in/x:1\",\"presence\":\"join\",\"topic\":\"r:*\"}");
	bus_side_hears(&ear,
	    "{\"key\":\"in/x:1\",\"presence\":\"leave\",\"topic\":\"r:*\"}");
	bus_side_close(&pipes);
	bus_side_close(&other);
	client_close(&ear);
	client_close_server(&trial, &client);
}
END_TEST

/* Pieces of JSON that are not freed yet. */
static size_t json_pieces;

static void *
count_malloc(size_t size)
{
	json_pieces++;
	return malloc(size);
}

static void
count_free(void *piece)
{
	if (piece != NULL)
		json_pieces--;
	free(piece);
}

/* A request to subscribe with `count` times a piece of JSON in a list. */
static void
send_list(struct client *client, const char *head, const char *piece,
    size_t count, const char *tail)
{
	char *request = malloc(strlen(head) + count * strlen(piece) +
	    strlen(tail) + 1);
	struct sending sending = { client, request, 0 };
	char *end = stpcpy(request, head);

	while (count-- > 0)
		end = stpcpy(end, piece);
	strcpy(end, tail);
	sending.left = strlen(request);
	trial_until(client->trial, is_sent, &sending);
	free(request);
}

#define SUBSCRIBE \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{"

START_TEST(a_stream_keeps_nothing_of_its_request)
{
	struct client ear, client;
	struct trial trial;
	size_t before;

	json_set_alloc_funcs(count_malloc, count_free);
	client_open_server(&trial, &client);
	client_open(&ear, &trial);
	before = json_pieces;
	send_list(&ear, SUBSCRIBE "\"junk\":[", "[],", 10000,
	    "1],\"presence\":true,\"patterns\":[\"a\"]}}\n");
	json_decref(client_answer(&ear));
	ck_assert_uint_lt(json_pieces - before, 100);
	bus_side_gives(&client,
	    REQUEST("publish", "{\"topic\":\"a\",\"event\":\"e\"}"),
	    "{\"members\":1}");
	bus_side_hears(&ear,
	    "{\"event\":\"e\",\"from\":null,\"payload\":\"\",\"seq\":1,"
	    "\"topic\":\"a\"}");
	client_close(&ear);
	client_close_server(&trial, &client);
}
END_TEST

/* The stream stays, behind all that. */
START_TEST(memory_that_a_long_request_cost_is_given_back)
{
	struct client client;
	struct trial trial;
	long before;

	if (getenv("GROUPER_SANITIZERS") != NULL)
		SUPPORT_SKIP("a sanitizer has a heap of its own");
	client_open_server(&trial, &client);
	client_is_served(&client);
	before = support_private_memory(getpid());
	send_list(&client, SUBSCRIBE "\"junk\":[", "[],", 600000,
	    "1],\"patterns\":[\"a\"]}}\n");
	json_decref(client_answer(&client));
	ck_assert_int_lt(support_private_memory(getpid()) - before, 16 << 10);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(repeated_patterns_are_one)
{
	struct client ear, client;
	struct bus_pipes pipes;
	struct trial trial;

	client_open_server(&trial, &client);
	client_open(&ear, &trial);
	send_list(&ear, SUBSCRIBE "\"presence\":true,\"patterns\":[",
	    "\"b\",\"a\",", 10, "\"b\"]}}\n");
	json_decref(client_answer(&ear));
	bus_side_gives(&client,
	    REQUEST("publish", "{\"topic\":\"a\",\"event\":\"e\"}"),
	    "{\"members\":1}");
	bus_side_join(&trial, "w", (char[]) { "b" }, &pipes);
	bus_side_hears(&ear,
	    "{\"event\":\"e\",\"from\":null,\"payload\":\"\",\"seq\":1,"
	    "\"topic\":\"a\"}");
	bus_side_hears(&ear,
	    "{\"key\":\"w\",\"presence\":\"join\",\"topic\":\"b\"}");
	bus_side_close(&pipes);
	client_close(&ear);
	client_close_server(&trial, &client);
}
END_TEST

#define WATCH(patterns) \
	REQUEST("subscribe", \
	    "{\"patterns\":" patterns ",\"presence\":true,\"events\":false}")

static bool
has_room(void *arg)
{
	const struct bus *bus = arg;

	return bus->watched < BUS_WATCHED_MAX;
}

/* Those of a stream that is over count no longer. */
START_TEST(patterns_of_presence_have_their_bound)
{
	struct bus *bus;
	struct client ear, client;
	struct trial trial;

	client_open_server(&trial, &client);
	bus = bus_side(&trial);
	client_open(&ear, &trial);
	bus->watched = BUS_WATCHED_MAX - 2;
	bus_side_refuses(&ear, WATCH("[\"a\",\"b\",\"c\"]"), CODE(SYSTEM),
	    "no room");
	bus_side_gives(&ear, WATCH("[\"a\",\"a\",\"b\"]"), "{}");
	ck_assert_uint_eq(bus->watched, BUS_WATCHED_MAX);
	bus_side_refuses(&client, WATCH("[\"a\"]"), CODE(SYSTEM), "no room");
	client_close(&ear);
	trial_until(&trial, has_room, bus);
	bus_side_gives(&client, WATCH("[\"a\",\"b\"]"), "{}");
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(a_subscriber_that_does_not_read_is_told_its_losses)
{
	struct client ear, client;
	struct trial trial;
	json_t *message, *params;
	json_int_t heard = 0, lost = 0;
	int i;

	client_open_server(&trial, &client);
	client_open(&ear, &trial);
	bus_side_gives(&ear, REQUEST("subscribe", "{\"patterns\":[\"a\"]}"),
	    "{}");
	for (i = 0; i < 8; i++)
		json_decref(publish_long(&trial, &client, (size_t)1 << 20));
	while (heard + lost < 8) {
		message = client_answer(&ear);
		params = json_object_get(message, "params");
		if (json_object_get(params, "seq") != NULL)
			heard++;
		lost += json_integer_value(json_object_get(params, "count"));
		json_decref(message);
	}
	ck_assert_int_eq(heard + lost, 8);
	ck_assert_int_gt(heard, 0);
	ck_assert_int_gt(lost, 0);
	client_close(&ear);
	client_close_server(&trial, &client);
}
END_TEST

/* So many streams as a connection may have; one event is more for all. */
START_TEST(what_streams_leave_unread_has_its_bound)
{
	const size_t length = (size_t)1 << 20;
	char *payload = calloc(1, length);
	struct relay_event event = { .topic = "a",
		.event = "e",
		.payload = payload,
		.length = length };
	struct client ear, client;
	struct trial trial;
	int i, heard = 0;
	json_t *message;

	client_open_server(&trial, &client);
	client_open(&ear, &trial);
	for (i = 0; i < 64; i++)
		bus_side_gives(&client,
		    REQUEST("subscribe", "{\"patterns\":[\"a\"]}"), "{}");
	bus_side_gives(&ear, REQUEST("subscribe", "{\"patterns\":[\"a\"]}"),
	    "{}");
	memset(payload, 'x', length);
	relay_publish(bus_side(&trial)->relay, &event, NULL, NULL);
	bus_side_hears(&ear, "{\"count\":1}");
	for (i = 0; i < 64; i++) {
		message = client_answer(&client);
		heard += json_object_get(json_object_get(message, "params"),
			     "payload") != NULL;
		json_decref(message);
	}
	ck_assert_int_gt(heard, 0);
	ck_assert_int_lt(heard, 40);
	ck_assert_uint_eq(bus_side(&trial)->unread, 0);
	free(payload);
	client_close(&ear);
	client_close_server(&trial, &client);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bus");
	TCase *tc;

	tc = support_case(s, "methods");
	tcase_add_test(tc, topic_groups_are_reached_by_methods);
	tcase_add_test(tc, a_broadcast_counts_what_it_reached);
	tcase_add_test(tc, who_is_subscribed_is_listed_in_order);
	tcase_add_test(tc, what_each_got_and_lost_is_told_with_who_is_there);
	tcase_add_loop_test(tc, bad_requests_are_refused_by_name, 0,
	    (int)(sizeof(bad_requests) / sizeof(bad_requests[0])));
	tcase_add_test(tc, a_payload_has_a_mebibyte_at_most);
	tcase_add_test(tc, settings_have_their_bounds);
	tc = support_case(s, "streams");
	tcase_add_test(tc, a_subscriber_hears_its_topics);
	tcase_add_test(tc, presence_alone_brings_no_events);
	tcase_add_test(tc, a_stream_keeps_nothing_of_its_request);
	tcase_add_test(tc, memory_that_a_long_request_cost_is_given_back);
	tcase_add_test(tc, repeated_patterns_are_one);
	tcase_add_test(tc, patterns_of_presence_have_their_bound);
	tcase_add_test(tc, a_subscriber_that_does_not_read_is_told_its_losses);
	tcase_add_test(tc, what_streams_leave_unread_has_its_bound);
	return support_main(s, NULL);
}
