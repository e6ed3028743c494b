/* SPDX-License-Identifier: ISC */
/*
 * Requests to the control socket: JSON-RPC 2.0, line by line.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#define NO_GROUP (-32000 - GROUPER_NO_GROUP)

START_TEST(ident_tells_the_group_of_a_member)
{
	struct grouper_options options;
	struct client client;
	struct trial trial;
	char request[256];
	json_t *answer;
	int leader, host;
	const char *kind, *name, *key;

	client_open_server(&trial, &client);
	options = trial_shell(&trial, "setsid sleep 1000 & echo $!; read x");
	options.key = "a/b:3";
	options.flags = _i == 1 ? GROUPER_WORKER : 0;
	trial_start(&trial, &options);
	snprintf(request, sizeof(request),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ident\","
	    "\"params\":{\"pid\":%ld}}\n",
	    trial_number(&trial));
	client_send(&client, request);
	answer = client_answer(&client);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "id")), "x");
	ck_assert_int_eq(json_unpack(answer, "{s:{s:s, s:s, s:s, s:i, s:i}}",
			     "result", "kind", &kind, "host", &name, "key",
			     &key, "leader", &leader, "host_pid", &host),
	    0);
	ck_assert_str_eq(kind, _i == 1 ? "worker" : "group");
	ck_assert_str_eq(name, "srv");
	ck_assert_str_eq(key, "a/b:3");
	ck_assert_int_eq(leader, trial_leader());
	ck_assert_int_eq(host, getpid());
	json_decref(answer);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(ident_of_others_fails)
{
	struct client client;
	struct trial trial;
	char request[256];
	pid_t pid;

	client_open_server(&trial, &client);
	client_fails(&client, IDENT_SELF, NO_GROUP);
	client_fails(&client, REQUEST("ident", "{\"pid\":1}"), NO_GROUP);
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	snprintf(request, sizeof(request), REQUEST("ident", "{\"pid\":%d}"),
	    (int)pid);
	client_fails(&client, request, -32000 - GROUPER_NOT_FOUND);
	client_close_server(&trial, &client);
}
END_TEST

static const struct {
	const char *request;
	int code;
} bad_requests[] = {
	{ "\n", RPC_PARSE_ERROR },
	{ "{\n", RPC_PARSE_ERROR },
	{ "nonsense\n", RPC_PARSE_ERROR },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2}\n", RPC_PARSE_ERROR },
	{ "{\"a\":\"\377\"}\n", RPC_PARSE_ERROR },
	{ "[[[[[[[[[[\n", RPC_PARSE_ERROR },
	{ "{}\n", RPC_INVALID_REQUEST },
	{ "[]\n", RPC_INVALID_REQUEST },
	{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ident\"}]\n",
	    RPC_INVALID_REQUEST },
	{ "{\"id\":1,\"method\":\"ident\"}\n", RPC_INVALID_REQUEST },
	{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ident\"}\n",
	    RPC_INVALID_REQUEST },
	{ "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ident\"}\n",
	    RPC_INVALID_REQUEST },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1}\n", RPC_INVALID_REQUEST },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n",
	    RPC_INVALID_REQUEST },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}\n",
	    RPC_INVALID_REQUEST },
	{ REQUEST("ident", "[]"), RPC_INVALID_REQUEST },
	{ REQUEST("ident", "3"), RPC_INVALID_REQUEST },
	{ REQUEST("", "{}"), RPC_METHOD_NOT_FOUND },
	{ REQUEST("Ident", "{}"), RPC_METHOD_NOT_FOUND },
	{ REQUEST("ident\\u0000", "{}"), RPC_PARSE_ERROR },
	{ REQUEST("ident", "{\"pid\":\"1\"}"), RPC_INVALID_PARAMS },
	{ REQUEST("ident", "{\"pid\":0}"), RPC_INVALID_PARAMS },
	{ REQUEST("ident", "{\"pid\":-1}"), RPC_INVALID_PARAMS },
	{ REQUEST("ident", "{\"pid\":1.5}"), RPC_INVALID_PARAMS },
	{ REQUEST("ident", "{\"pid\":null}"), RPC_INVALID_PARAMS },
	{ REQUEST("ident", "{\"pid\":4294967297}"), RPC_INVALID_PARAMS },
};
#define BAD_REQUESTS (sizeof(bad_requests) / sizeof(bad_requests[0]))

START_TEST(bad_requests_are_answered_by_their_errors)
{
	struct client client;
	struct trial trial;
	size_t i;

	client_open_server(&trial, &client);
	for (i = 0; i < BAD_REQUESTS; i++)
		client_fails(&client, bad_requests[i].request,
		    bad_requests[i].code);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(an_answer_bears_the_id_of_its_request)
{
	static const char *const ids[] = { "7", "\"seven\"", "null", "-1" };
	struct client client;
	struct trial trial;
	char request[256], *id;
	json_t *answer;
	size_t i;

	client_open_server(&trial, &client);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(request, sizeof(request),
		    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"x\"}\n",
		    ids[i]);
		client_send(&client, request);
		answer = client_answer(&client);
		id = json_dumps(json_object_get(answer, "id"), JSON_ENCODE_ANY);
		ck_assert_str_eq(id, ids[i]);
		free(id);
		json_decref(answer);
	}
	client_send(&client, "{\n");
	answer = client_answer(&client);
	ck_assert(json_is_null(json_object_get(answer, "id")));
	json_decref(answer);
	client_close_server(&trial, &client);
}
END_TEST

/* A request without id is a notification: JSON-RPC 2.0, section 4.1. */
START_TEST(a_notification_is_not_answered)
{
	struct client client;
	struct trial trial;
	json_t *answer;

	client_open_server(&trial, &client);
	client_send(&client,
	    "{\"jsonrpc\":\"2.0\",\"method\":\"ident\"}\n"
	    "{\"jsonrpc\":\"2.0\",\"method\":\"no such\"}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"no such\"}\n");
	answer = client_answer(&client);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "id")), 5);
	json_decref(answer);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(requests_of_one_write_are_answered_in_order)
{
	struct client client;
	struct trial trial;
	char text[8192] = "";
	json_t *answer;
	size_t n = 0;
	int i;

	client_open_server(&trial, &client);
	for (i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"x\"}\n", i);
	client_send(&client, text);
	for (i = 0; i < 100; i++) {
		answer = client_answer(&client);
		ck_assert_int_eq(json_integer_value(json_object_get(answer,
				     "id")),
		    i);
		json_decref(answer);
	}
	client_close_server(&trial, &client);
}
END_TEST

static bool
is_drained(void *arg)
{
	struct client *client = arg;
	int left = -1;

	/* SIOCOUTQ of a Unix socket: what the peer has not read. */
	ck_assert_int_eq(ioctl(client->fd, SIOCOUTQ, &left), 0);
	return left == 0;
}

START_TEST(a_request_may_come_in_pieces)
{
	const char *request = IDENT_SELF;
	struct client client;
	struct trial trial;
	json_t *answer;
	size_t i;

	client_open_server(&trial, &client);
	for (i = 0; i < strlen(request); i++) {
		client_send(&client, (char[]) { request[i], '\0' });
		trial_until(&trial, is_drained, &client);
	}
	answer = client_answer(&client);
	ck_assert_ptr_nonnull(json_object_get(answer, "error"));
	json_decref(answer);
	client_close_server(&trial, &client);
}
END_TEST

static void
ask_as_user(void *arg)
{
	struct client client;
	uid_t uid = support_user();
	struct pollfd pfd;
	char answer[4096];
	ssize_t n;

	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	client_open(&client, arg);
	client_send(&client, IDENT_SELF);
	pfd = (struct pollfd) { client.fd, POLLIN, 0 };
	ck_assert_int_eq(poll(&pfd, 1, SUPPORT_PATIENCE), 1);
	n = recv(client.fd, answer, sizeof(answer) - 1, 0);
	ck_assert_int_gt(n, 0);
	answer[n] = '\0';
	/* Not that it may not ask, but that it is in no group. */
	ck_assert_ptr_nonnull(strstr(answer, "group"));
	client_close(&client);
}

static bool
has_gone(void *arg)
{
	struct support_process p;

	return !support_process(*(pid_t *)arg, &p) || !support_alive(&p);
}

/* Members of root's groups may run under another uid. */
START_TEST(another_user_may_ask_who_it_is)
{
	struct trial trial;
	pid_t pid;

	if (geteuid() != 0)
		SUPPORT_SKIP("only root's hosts serve others");
	trial_open(&trial, "srv");
	ck_assert_int_eq(chmod(support_path("runtime"), 0711), 0);
	pid = trial_fork(ask_as_user, &trial);
	trial_until(&trial, has_gone, &pid);
	trial_join(pid);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("server");
	TCase *tc;

	tc = support_case(s, "requests");
	tcase_add_loop_test(tc, ident_tells_the_group_of_a_member, 0, 2);
	tcase_add_test(tc, ident_of_others_fails);
	tcase_add_test(tc, bad_requests_are_answered_by_their_errors);
	tcase_add_test(tc, an_answer_bears_the_id_of_its_request);
	tcase_add_test(tc, a_notification_is_not_answered);
	tcase_add_test(tc, requests_of_one_write_are_answered_in_order);
	tcase_add_test(tc, a_request_may_come_in_pieces);
	tcase_add_test(tc, another_user_may_ask_who_it_is);
	return support_main(s, NULL);
}
