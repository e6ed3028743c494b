/* SPDX-License-Identifier: ISC */
/*
 * Clients of programs, see grouper/client.h, and which host they find.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/client.h>

#include "served.h"

static struct grouper_client *
connect_client(void)
{
	struct grouper_client *client;

	ck_assert_int_eq(grouper_client_connect(NULL, NULL, &client),
	    GROUPER_OK);
	return client;
}

static void
call_methods(void *arg)
{
	struct grouper_client *client = connect_client();
	char *result = NULL;

	ck_assert_int_eq(grouper_client_peer(client), *(pid_t *)arg);
	ck_assert_int_eq(grouper_client_call(client, "echo",
			     "{\"a\": [1, \"\303\244\"]}", -1, &result),
	    GROUPER_OK);
	ck_assert_str_eq(result, "{\"a\":[1,\"\303\244\"]}");
	free(result);
	ck_assert_int_eq(grouper_client_call(client, "unregister", NULL, -1,
			     NULL),
	    GROUPER_OK);
	result = NULL;
	ck_assert_int_eq(grouper_client_call(client, "fail", "{\"error\": 9}",
			     -1, &result),
	    GROUPER_RESTARTING);
	ck_assert_ptr_null(result);
	ck_assert_str_eq(grouper_client_error(client), "this is why");
	/* An error, though its code is that of none. */
	ck_assert_int_eq(grouper_client_call(client, "fail", "{\"error\": 0}",
			     -1, &result),
	    GROUPER_INVALID);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(grouper_client_call(client, "no such", NULL, -1,
			     &result),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_client_call(client, "echo", "{", -1, &result),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_client_call(client, "echo", "[]", -1, &result),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_client_call(client, NULL, NULL, -1, &result),
	    GROUPER_INVALID);
	ck_assert_ptr_null(result);
	grouper_client_free(client);
}

START_TEST(a_method_takes_and_gives_json)
{
	struct served served;
	pid_t host = getpid();

	served_open(&served);
	served_run(&served, call_methods, &host);
	served_close(&served);
}
END_TEST

static void
says(const struct grouper_client *client, enum grouper_error error,
    enum grouper_error expected, const char *text)
{
	ck_assert_int_eq(error, expected);
	ck_assert_str_eq(grouper_client_error(client), text);
}

/* Each after a failure of the host's, whose text is not to be told again. */
static void
fail_here(void *arg)
{
	static const char *const patterns[] = { "a" },
				 *const bad[] = { "\377" };
	struct grouper_client *c = connect_client();
	struct grouper_message message;
	char *text;

	(void)arg;
	says(c, grouper_client_call(c, "fail", "{\"error\": 9}", -1, NULL),
	    GROUPER_RESTARTING, "this is why");
	says(c, grouper_client_call(c, "echo", "[]", -1, NULL), GROUPER_INVALID,
	    "params: expected a JSON object");
	says(c, grouper_client_call(c, NULL, NULL, -1, NULL), GROUPER_INVALID,
	    "expected a method");
	says(c, grouper_client_subscribe(c, patterns, 0, -1), GROUPER_INVALID,
	    "expected patterns");
	says(c, grouper_client_subscribe(c, bad, 1, -1), GROUPER_INVALID,
	    "pattern: expected UTF-8");
	says(c, grouper_client_next(c, -1, &text), GROUPER_INVALID,
	    "there is no stream");
	says(c, grouper_client_message(c, -1, &message), GROUPER_INVALID,
	    "there is no stream");
	says(c, grouper_client_message(c, -1, NULL), GROUPER_INVALID,
	    "expected a message");
	says(c, grouper_client_call(c, "fail", "{\"error\": 9}", -1, NULL),
	    GROUPER_RESTARTING, "this is why");
	ck_assert_int_eq(grouper_client_subscribe(c, patterns, 1, -1),
	    GROUPER_OK);
	says(c, grouper_client_call(c, "echo", NULL, -1, NULL),
	    GROUPER_BAD_COMBINATION, "the client has a stream");
	says(c, grouper_client_next(c, 1, &text), GROUPER_TIMED_OUT,
	    "the host does not answer");
	says(c, grouper_client_next(c, 1, NULL), GROUPER_INVALID,
	    "expected params");
	grouper_client_free(c);
}

START_TEST(a_failure_that_no_host_told_has_its_text)
{
	struct served served;

	served_open(&served);
	served_run(&served, fail_here, NULL);
	served_close(&served);
}
END_TEST

START_TEST(no_client_has_no_error_peer_or_descriptor)
{
	ck_assert_str_eq(grouper_client_error(NULL), "");
	ck_assert_int_eq(grouper_client_peer(NULL), -1);
	ck_assert_int_eq(grouper_client_fd(NULL), -1);
	ck_assert_int_eq(grouper_client_call(NULL, "echo", NULL, -1, NULL),
	    GROUPER_INVALID);
}
END_TEST

static void
call_late(void *arg)
{
	struct grouper_client *client = connect_client();
	char *result;

	(void)arg;
	ck_assert_int_eq(grouper_client_call(client, "hold", NULL, 1, &result),
	    GROUPER_TIMED_OUT);
	/* It answers the one before, and is not answered itself. */
	ck_assert_int_eq(grouper_client_call(client, "hold", NULL, 1, &result),
	    GROUPER_TIMED_OUT);
	ck_assert_int_eq(grouper_client_call(client, "echo", "{\"a\":1}", -1,
			     &result),
	    GROUPER_OK);
	ck_assert_str_eq(result, "{\"a\":1}");
	free(result);
	grouper_client_free(client);
}

START_TEST(an_answer_that_comes_late_is_dropped)
{
	struct served served;

	served_open(&served);
	served_run(&served, call_late, NULL);
	served_close(&served);
}
END_TEST

static void
call_leaving(void *arg)
{
	struct grouper_client *client = connect_client();

	(void)arg;
	ck_assert_int_eq(grouper_client_call(client, "leave", NULL, -1, NULL),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_client_call(client, "echo", NULL, -1, NULL),
	    GROUPER_NO_GROUP);
	grouper_client_free(client);
}

START_TEST(a_host_that_goes_is_told)
{
	struct served served;

	served_open(&served);
	served_run(&served, call_leaving, NULL);
	served_close(&served);
}
END_TEST

static void
read_messages(void *arg)
{
	static const char *const patterns[] = { "room:*", "x" };
	struct grouper_client *client = connect_client();
	struct grouper_message message;
	struct pollfd pollfd = { grouper_client_fd(client), POLLIN, 0 };

	(void)arg;
	ck_assert_int_eq(grouper_client_message(client, 0, &message),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_client_subscribe(client, patterns, 2, -1),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_client_message(client, -1, &message),
	    GROUPER_OK);
	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_EVENT);
	ck_assert_uint_eq(message.seq, 7);
	ck_assert_str_eq(message.topic, "room:a");
	ck_assert_str_eq(message.event, "said");
	ck_assert_str_eq(message.from, "pool/w:1");
	ck_assert_str_eq(message.payload, "hello");
	ck_assert_uint_eq(message.length, 5);
	ck_assert_int_eq(grouper_client_message(client, -1, &message),
	    GROUPER_OK);
	ck_assert_ptr_null(message.from);
	ck_assert_uint_eq(message.length, 3);
	ck_assert_mem_eq(message.payload, "\0fo", 4);
	ck_assert_int_eq(grouper_client_message(client, -1, &message),
	    GROUPER_OK);
	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_LOST);
	ck_assert_uint_eq(message.lost, 12);
	ck_assert_int_eq(grouper_client_message(client, -1, &message),
	    GROUPER_INVALID);
	ck_assert_str_eq(grouper_client_error(client), "the payload is none");
	ck_assert_int_eq(grouper_client_message(client, 0, &message),
	    GROUPER_TIMED_OUT);
	ck_assert_int_eq(poll(&pollfd, 1, 0), 0);
	ck_assert_int_eq(grouper_client_call(client, "echo", NULL, -1, NULL),
	    GROUPER_BAD_COMBINATION);
	grouper_client_free(client);
}

START_TEST(a_subscription_brings_messages)
{
	struct served served;
	char *asked;

	served_open(&served);
	json_decref(served.messages);
	served.messages = json_loads(
	    "[{\"seq\":7, \"topic\":\"room:a\", \"event\":\"said\","
	    "  \"from\":\"pool/w:1\", \"payload\":\"hello\"},"
	    " {\"seq\":8, \"topic\":\"x\", \"event\":\"e\", \"from\":null,"
	    "  \"payload_base64\":\"AGZv\"},"
	    " {\"count\":12},"
	    " {\"seq\":9, \"topic\":\"x\", \"event\":\"e\", \"from\":null,"
	    "  \"payload_base64\":\"?\"}]",
	    0, NULL);
	ck_assert_ptr_nonnull(served.messages);
	served_run(&served, read_messages, NULL);
	asked = json_dumps(served.params, JSON_COMPACT);
	ck_assert_str_eq(asked, "{\"patterns\":[\"room:*\",\"x\"]}");
	free(asked);
	served_close(&served);
}
END_TEST

static void
read_stream(void *arg)
{
	struct grouper_client *client = connect_client();
	char *params;

	(void)arg;
	ck_assert_int_eq(grouper_client_next(client, 0, &params),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_client_stream(client, "fail", "{\"error\":5}",
			     -1, NULL),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_client_stream(client, "subscribe", NULL, -1,
			     NULL),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_client_next(client, -1, &params), GROUPER_OK);
	ck_assert_str_eq(params, "{\"a\":1}");
	free(params);
	ck_assert_int_eq(grouper_client_next(client, 1, &params),
	    GROUPER_TIMED_OUT);
	ck_assert_int_eq(grouper_client_stream(client, "subscribe", NULL, -1,
			     NULL),
	    GROUPER_BAD_COMBINATION);
	grouper_client_free(client);
	client = connect_client();
	ck_assert_int_eq(grouper_client_call(client, "leave", NULL, -1, NULL),
	    GROUPER_NO_GROUP);
	grouper_client_free(client);
}

START_TEST(a_stream_brings_json)
{
	struct served served;

	served_open(&served);
	json_array_append_new(served.messages, json_pack("{s:i}", "a", 1));
	served_run(&served, read_stream, NULL);
	served_close(&served);
}
END_TEST

/* Finding: to be connected is enough, so that no other process is needed. */

static enum grouper_error
finds(const char *socket, const char *host)
{
	struct grouper_client *client = NULL;
	enum grouper_error error;

	error = grouper_client_connect(socket, host, &client);
	ck_assert((error == GROUPER_OK) == (client != NULL));
	grouper_client_free(client);
	return error;
}

START_TEST(a_host_is_found_by_path_name_variable_or_alone)
{
	struct served served;
	const char *path;

	served_open(&served);
	path = support_path("runtime/srv.sock");
	unsetenv("GROUPER_SOCKET");
	ck_assert_int_eq(finds(path, NULL), GROUPER_OK);
	ck_assert_int_eq(finds(NULL, "srv"), GROUPER_OK);
	ck_assert_int_eq(finds(NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(finds("/none", NULL), GROUPER_NO_GROUP);
	ck_assert_int_eq(finds(NULL, "none"), GROUPER_NO_GROUP);
	ck_assert_int_eq(finds(path, "srv"), GROUPER_BAD_COMBINATION);
	setenv("GROUPER_SOCKET", "/none", 1);
	ck_assert_int_eq(finds(NULL, NULL), GROUPER_NO_GROUP);
	ck_assert_int_eq(finds(NULL, "srv"), GROUPER_OK);
	ck_assert_int_eq(grouper_client_connect(path, NULL, NULL),
	    GROUPER_INVALID);
	served_close(&served);
}
END_TEST

START_TEST(one_of_several_hosts_must_be_named)
{
	struct served served;

	served_open(&served);
	unsetenv("GROUPER_SOCKET");
	/* What a dead host left is not counted. */
	support_file("runtime/dead.sock", 0600, "");
	ck_assert_int_eq(finds(NULL, NULL), GROUPER_OK);
	ck_assert_int_eq(link(support_path("runtime/srv.sock"),
			     support_path("runtime/two.sock")),
	    0);
	ck_assert_int_eq(finds(NULL, NULL), GROUPER_INVALID);
	ck_assert_int_eq(finds(NULL, "two"), GROUPER_OK);
	served_close(&served);
}
END_TEST

START_TEST(where_no_host_runs_none_is_found)
{
	trial_runtime_directory();
	unsetenv("GROUPER_SOCKET");
	ck_assert_int_eq(finds(NULL, NULL), GROUPER_NO_GROUP);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("public_client");
	TCase *tc;

	tc = support_case(s, "calls");
	tcase_add_test(tc, a_method_takes_and_gives_json);
	tcase_add_test(tc, a_failure_that_no_host_told_has_its_text);
	tcase_add_test(tc, no_client_has_no_error_peer_or_descriptor);
	tcase_add_test(tc, an_answer_that_comes_late_is_dropped);
	tcase_add_test(tc, a_host_that_goes_is_told);
	tc = support_case(s, "streams");
	tcase_add_test(tc, a_subscription_brings_messages);
	tcase_add_test(tc, a_stream_brings_json);
	tc = support_case(s, "finding");
	tcase_add_test(tc, a_host_is_found_by_path_name_variable_or_alone);
	tcase_add_test(tc, one_of_several_hosts_must_be_named);
	tcase_add_test(tc, where_no_host_runs_none_is_found);
	return support_main(s, NULL);
}
