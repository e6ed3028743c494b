/* SPDX-License-Identifier: ISC */
/*
 * The control socket: JSON-RPC 2.0 line by line, and clients that do not
 * behave.
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

#include "runtime/control/rpc.h"
#include "trial.h"

struct client {
	struct trial *trial;
	int fd;
	char *text; /* not yet taken */
	size_t length;
	bool ended;
};

static void
client_open(struct client *client, struct trial *trial)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*client = (struct client) { .trial = trial };
	strcpy(address.sun_path, support_path("runtime/srv.sock"));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(client->fd, -1);
	ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	ck_assert_int_eq(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
}

static void
client_close(struct client *client)
{
	close(client->fd);
	free(client->text);
}

static void
client_send(struct client *client, const char *text)
{
	size_t length = strlen(text);

	ck_assert_int_eq(send(client->fd, text, length, MSG_NOSIGNAL),
	    (ssize_t)length);
}

/* Takes in what is there; true at a whole line, or at the end. */
static bool
has_line(void *arg)
{
	struct client *client = arg;
	char buffer[65536];
	ssize_t n;

	if (client->length > 0 &&
	    memchr(client->text, '\n', client->length) != NULL)
		return true;
	n = recv(client->fd, buffer, sizeof(buffer), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		client->ended = true;
		return true;
	}
	client->text = realloc(client->text, client->length + (size_t)n);
	ck_assert_ptr_nonnull(client->text);
	memcpy(client->text + client->length, buffer, (size_t)n);
	client->length += (size_t)n;
	return memchr(client->text, '\n', client->length) != NULL;
}

/* The next answer; NULL if the connection ended instead. */
static json_t *
client_answer(struct client *client)
{
	json_t *answer;
	size_t length;
	char *end;

	trial_until(client->trial, has_line, client);
	if (client->ended)
		return NULL;
	end = memchr(client->text, '\n', client->length);
	length = (size_t)(end - client->text);
	answer = json_loadb(client->text, length, JSON_REJECT_DUPLICATES,
	    NULL);
	ck_assert_ptr_nonnull(answer);
	ck_assert_str_eq(json_string_value(json_object_get(answer,
			     "jsonrpc")),
	    "2.0");
	client->length -= length + 1;
	memmove(client->text, end + 1, client->length);
	return answer;
}

/* One request, whose answer must be an error of this code. */
static void
fails(struct client *client, const char *request, int code)
{
	json_t *answer, *error;

	client_send(client, request);
	answer = client_answer(client);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_null(json_object_get(answer, "result"));
	error = json_object_get(answer, "error");
	ck_assert_msg(json_integer_value(json_object_get(error, "code")) ==
		code,
	    "%s was answered by code %lld", request,
	    (long long)json_integer_value(json_object_get(error, "code")));
	ck_assert_uint_gt(strlen(json_string_value(json_object_get(error,
			      "message"))),
	    0);
	json_decref(answer);
}

static void
open_server(struct trial *trial, struct client *client)
{
	trial_open(trial, "srv");
	client_open(client, trial);
}

static void
close_server(struct trial *trial, struct client *client)
{
	client_close(client);
	trial_close(trial);
}

#define REQUEST(method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method \
	"\",\"params\":" params "}\n"
#define IDENT_SELF REQUEST("ident", "{}")
#define NO_GROUP (-32000 - GROUPER_NO_GROUP)

/* Any request that the server answers; it is well then. */
static void
is_served(struct client *client)
{
	fails(client, REQUEST("no such", "{}"), RPC_METHOD_NOT_FOUND);
}

START_TEST(ident_tells_the_group_of_a_member)
{
	struct grouper_options options;
	struct client client;
	struct trial trial;
	char request[256];
	json_t *answer;
	int leader, host;
	const char *kind, *name, *key;

	open_server(&trial, &client);
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
	ck_assert_str_eq(json_string_value(json_object_get(answer, "id")),
	    "x");
	ck_assert_int_eq(json_unpack(answer,
			     "{s:{s:s, s:s, s:s, s:i, s:i}}", "result", "kind",
			     &kind, "host", &name, "key", &key, "leader",
			     &leader, "host_pid", &host),
	    0);
	ck_assert_str_eq(kind, _i == 1 ? "worker" : "group");
	ck_assert_str_eq(name, "srv");
	ck_assert_str_eq(key, "a/b:3");
	ck_assert_int_eq(leader, trial_leader());
	ck_assert_int_eq(host, getpid());
	json_decref(answer);
	close_server(&trial, &client);
}
END_TEST

START_TEST(ident_of_others_fails)
{
	struct client client;
	struct trial trial;
	char request[256];
	pid_t pid;

	open_server(&trial, &client);
	fails(&client, IDENT_SELF, NO_GROUP);
	fails(&client, REQUEST("ident", "{\"pid\":1}"), NO_GROUP);
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	snprintf(request, sizeof(request), REQUEST("ident", "{\"pid\":%d}"),
	    (int)pid);
	fails(&client, request, -32000 - GROUPER_NOT_FOUND);
	close_server(&trial, &client);
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

	open_server(&trial, &client);
	for (i = 0; i < BAD_REQUESTS; i++)
		fails(&client, bad_requests[i].request, bad_requests[i].code);
	close_server(&trial, &client);
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

	open_server(&trial, &client);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(request, sizeof(request),
		    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"x\"}\n",
		    ids[i]);
		client_send(&client, request);
		answer = client_answer(&client);
		id = json_dumps(json_object_get(answer, "id"),
		    JSON_ENCODE_ANY);
		ck_assert_str_eq(id, ids[i]);
		free(id);
		json_decref(answer);
	}
	client_send(&client, "{\n");
	answer = client_answer(&client);
	ck_assert(json_is_null(json_object_get(answer, "id")));
	json_decref(answer);
	close_server(&trial, &client);
}
END_TEST

/* A request without id is a notification: JSON-RPC 2.0, section 4.1. */
START_TEST(a_notification_is_not_answered)
{
	struct client client;
	struct trial trial;
	json_t *answer;

	open_server(&trial, &client);
	client_send(&client,
	    "{\"jsonrpc\":\"2.0\",\"method\":\"ident\"}\n"
	    "{\"jsonrpc\":\"2.0\",\"method\":\"no such\"}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"no such\"}\n");
	answer = client_answer(&client);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "id")),
	    5);
	json_decref(answer);
	close_server(&trial, &client);
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

	open_server(&trial, &client);
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
	close_server(&trial, &client);
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

	open_server(&trial, &client);
	for (i = 0; i < strlen(request); i++) {
		client_send(&client, (char[]) { request[i], '\0' });
		trial_until(&trial, is_drained, &client);
	}
	answer = client_answer(&client);
	ck_assert_ptr_nonnull(json_object_get(answer, "error"));
	json_decref(answer);
	close_server(&trial, &client);
}
END_TEST

START_TEST(a_half_closed_client_gets_its_answer)
{
	struct client client;
	struct trial trial;
	json_t *answer;

	open_server(&trial, &client);
	client_send(&client, IDENT_SELF IDENT_SELF);
	ck_assert_int_eq(shutdown(client.fd, SHUT_WR), 0);
	answer = client_answer(&client);
	ck_assert_ptr_nonnull(answer);
	json_decref(answer);
	answer = client_answer(&client);
	ck_assert_ptr_nonnull(answer);
	json_decref(answer);
	ck_assert_ptr_null(client_answer(&client));
	close_server(&trial, &client);
}
END_TEST

/* Sends without end until the server ends the connection. */
static bool
is_refused(void *arg)
{
	struct client *client = arg;
	static char block[65536];
	ssize_t n;

	memset(block, ' ', sizeof(block));
	n = send(client->fd, block, sizeof(block), MSG_NOSIGNAL);
	if (n > 0)
		client->length += (size_t)n;
	ck_assert_uint_le(client->length, 4 * RPC_LINE_MAX);
	return n == -1 && (errno == EPIPE || errno == ECONNRESET);
}

START_TEST(a_line_that_is_too_long_ends_its_connection)
{
	struct client client, other;
	struct trial trial;

	open_server(&trial, &client);
	client_open(&other, &trial);
	trial_until(&trial, is_refused, &client);
	ck_assert_uint_ge(client.length, RPC_LINE_MAX / 2);
	is_served(&other);
	client_close(&other);
	close_server(&trial, &client);
}
END_TEST

struct flood {
	struct client *client;
	size_t sent;
	size_t partly; /* bytes of a request that was cut */
	long long quiet_since;
};

/* Sends until nothing has been taken for a while. */
static bool
is_stuck(void *arg)
{
	static const char request[] = REQUEST("x", "{}");
	struct flood *flood = arg;
	ssize_t n;

	for (;;) {
		n = send(flood->client->fd, request + flood->partly,
		    sizeof(request) - 1 - flood->partly, MSG_NOSIGNAL);
		if (n == -1)
			break;
		flood->quiet_since = support_now();
		flood->partly += (size_t)n;
		if (flood->partly == sizeof(request) - 1) {
			flood->partly = 0;
			flood->sent++;
		}
		/* Who never reads must not make the host hold it all. */
		ck_assert_uint_lt(flood->sent, 1000000);
	}
	ck_assert_int_eq(errno, EAGAIN);
	return support_now() - flood->quiet_since > 100;
}

START_TEST(a_client_that_never_reads_holds_up_nobody)
{
	struct client client, other;
	struct flood flood = { &client, 0, 0, support_now() };
	struct trial trial;
	json_t *answer;
	size_t i;

	open_server(&trial, &client);
	trial_until(&trial, is_stuck, &flood);
	client_open(&other, &trial);
	is_served(&other);
	/* When it reads after all, nothing is missing. */
	for (i = 0; i < flood.sent; i++) {
		answer = client_answer(&client);
		ck_assert_ptr_nonnull(answer);
		json_decref(answer);
	}
	client_close(&other);
	close_server(&trial, &client);
}
END_TEST

START_TEST(a_client_that_goes_without_its_answer_harms_nobody)
{
	struct client client, other;
	struct trial trial;
	int i;

	open_server(&trial, &other);
	for (i = 0; i < 50; i++) {
		client_open(&client, &trial);
		client_send(&client, IDENT_SELF IDENT_SELF IDENT_SELF);
		client_close(&client);
		is_served(&other);
	}
	close_server(&trial, &other);
}
END_TEST

#define MANY 300

START_TEST(three_hundred_connections_are_served)
{
	static struct client clients[MANY];
	struct rlimit limit;
	struct trial trial;
	size_t answered = 0, i;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 3 * MANY) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < 3 * MANY)
		SUPPORT_SKIP("needs %d descriptors", 3 * MANY);
	trial_open(&trial, "srv");
	/* As many as the queue takes at a time. */
	for (i = 0; i < MANY; i++) {
		client_open(&clients[i], &trial);
		client_send(&clients[i], REQUEST("x", "{}"));
		event_base_loop(trial.base, EVLOOP_NONBLOCK);
	}
	for (i = 0; i < MANY; i++) {
		/* Each that leaves makes room for one that waits. */
		json_decref(client_answer(&clients[i]));
		client_close(&clients[i]);
		answered++;
	}
	ck_assert_uint_eq(answered, MANY);
	trial_close(&trial);
}
END_TEST

struct turns {
	long long until;
	unsigned int count; /* of the loop */
};

static bool
is_later(void *arg)
{
	struct turns *turns = arg;

	turns->count++;
	return support_now() >= turns->until;
}

/* Out of descriptors: the connection waits, and the loop does not spin. */
START_TEST(a_connection_that_cannot_be_accepted_waits_quietly)
{
	struct rlimit limit, few;
	struct client client, waiting;
	struct trial trial;
	struct turns turns;
	int next;

	open_server(&trial, &client);
	is_served(&client);
	client_open(&waiting, &trial);
	next = dup(STDIN_FILENO);
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit) { (rlim_t)next, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	turns = (struct turns) { support_now() + 500, 0 };
	trial_until(&trial, is_later, &turns);
	/* The trial itself turns it fifty times a second. */
	ck_assert_uint_lt(turns.count, 100);
	is_served(&client);
	setrlimit(RLIMIT_NOFILE, &limit);
	is_served(&waiting);
	client_close(&waiting);
	close_server(&trial, &client);
}
END_TEST

START_TEST(freeing_the_host_ends_its_connections)
{
	struct client client;
	struct trial trial;
	char byte;

	open_server(&trial, &client);
	is_served(&client);
	grouper_host_free(trial.host);
	trial.host = NULL;
	ck_assert_int_eq(recv(client.fd, &byte, 1, 0), 0);
	ck_assert_int_eq(access(support_path("runtime/srv.sock"), F_OK), -1);
	trial.nkeys = 0;
	close_server(&trial, &client);
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
	TCase *tc = support_case(s, "requests");

	tcase_add_loop_test(tc, ident_tells_the_group_of_a_member, 0, 2);
	tcase_add_test(tc, ident_of_others_fails);
	tcase_add_test(tc, bad_requests_are_answered_by_their_errors);
	tcase_add_test(tc, an_answer_bears_the_id_of_its_request);
	tcase_add_test(tc, a_notification_is_not_answered);
	tcase_add_test(tc, requests_of_one_write_are_answered_in_order);
	tcase_add_test(tc, a_request_may_come_in_pieces);
	tcase_add_test(tc, another_user_may_ask_who_it_is);

	tc = support_case(s, "clients");
	tcase_add_test(tc, a_half_closed_client_gets_its_answer);
	tcase_add_test(tc, a_line_that_is_too_long_ends_its_connection);
	tcase_add_test(tc, a_client_that_never_reads_holds_up_nobody);
	tcase_add_test(tc,
	    a_client_that_goes_without_its_answer_harms_nobody);
	tcase_add_test(tc, three_hundred_connections_are_served);
	tcase_add_test(tc,
	    a_connection_that_cannot_be_accepted_waits_quietly);
	tcase_add_test(tc, freeing_the_host_ends_its_connections);
	return support_main(s, NULL);
}
