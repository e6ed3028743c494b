/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that come and go with the lines of a control socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "runtime/control/client.h"
#include "runtime/control/connection.h"
#include "runtime/control/server.h"
#include "runtime/group/host.h"
#include "runtime/util/loop.h"
#include "trial.h"

#define TURNS 50 /* of the loop, more than anything here takes */
#define ROOM 8

struct pair {
	struct event_base *base;
	struct loop *loop;
	struct connection_room room;
	struct connection *connection; /* NULL: it ended */
	int peer;
	char lines[256]; /* that came, how many descriptors behind each */
	bool takes;
};

static void
on_line(struct connection *connection, const char *line, size_t length,
    void *arg)
{
	struct pair *pair = arg;
	int fds[CONNECTION_FDS_MAX];
	size_t count = 0, i;

	if (pair->takes)
		count = connection_take(connection, fds);
	snprintf(pair->lines + strlen(pair->lines),
	    sizeof(pair->lines) - strlen(pair->lines), "%.*s %zu,",
	    (int)(length < 20 ? length : 20), line, count);
	for (i = 0; i < count; i++) {
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		close(fds[i]);
	}
}

static void
on_drained(struct connection *connection, void *arg)
{
	(void)connection;
	(void)arg;
}

static void
on_end(struct connection *connection, void *arg)
{
	struct pair *pair = arg;

	(void)connection;
	pair->connection = NULL;
}

static const struct connection_handler handler = { on_line, on_drained,
	on_end };

static void
pair_open(struct pair *pair)
{
	int ends[2];

	*pair = (struct pair) { .room = { .max = ROOM }, .takes = true };
	pair->base = event_base_new();
	pair->loop = loop_new(pair->base);
	ck_assert_ptr_nonnull(pair->loop);
	ck_assert_int_eq(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     ends),
	    0);
	pair->peer = ends[1];
	pair->connection = connection_new(pair->loop, ends[0], &handler, pair);
	ck_assert_ptr_nonnull(pair->connection);
	connection_accept(pair->connection, &pair->room);
}

/* Nothing is held, and the fixture counts what is open. */
static void
pair_close(struct pair *pair)
{
	if (pair->connection != NULL)
		connection_free(pair->connection);
	ck_assert_uint_eq(pair->room.held, 0);
	close(pair->peer);
	loop_free(pair->loop);
	event_base_free(pair->base);
}

static void
turn(struct pair *pair)
{
	int i;

	for (i = 0; i < TURNS; i++)
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
}

/* With so many descriptors. */
static void
pass(struct pair *pair, const char *text, size_t length, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { (char *)(uintptr_t)text, length };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[16];
	size_t i;

	for (i = 0; i < count; i++)
		fds[i] = pair->peer;
	if (count > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(pair->peer, &message, MSG_NOSIGNAL),
	    (ssize_t)length);
}

static void
say(struct pair *pair, const char *text, size_t count)
{
	pass(pair, text, strlen(text), count);
}

START_TEST(descriptors_come_with_their_line)
{
	struct pair pair;

	pair_open(&pair);
	say(&pair, "one\n", 0);
	say(&pair, "two\n", 3);
	say(&pair, "three\n", 1);
	say(&pair, "four\n", 0);
	turn(&pair);
	ck_assert_str_eq(pair.lines, "one 0,two 3,three 1,four 0,");
	pair_close(&pair);
}
END_TEST

START_TEST(they_may_come_with_any_byte_of_it)
{
	struct pair pair;

	pair_open(&pair);
	say(&pair, "a\no", 0);
	say(&pair, "n", 2);
	say(&pair, "e\n", 0);
	say(&pair, "t", 1);
	turn(&pair);
	ck_assert_uint_eq(pair.room.held, 1);
	say(&pair, "wo\nthr", 0);
	say(&pair, "ee\n", 3);
	turn(&pair);
	ck_assert_str_eq(pair.lines, "a 0,one 2,two 1,three 3,");
	pair_close(&pair);
}
END_TEST

START_TEST(a_long_line_keeps_them)
{
	static char text[100000];
	struct pair pair;

	pair_open(&pair);
	memset(text, 'x', sizeof(text));
	pass(&pair, text, sizeof(text), 2);
	turn(&pair);
	say(&pair, "\nnext\n", 0);
	turn(&pair);
	ck_assert_str_eq(pair.lines, "xxxxxxxxxxxxxxxxxxxx 2,next 0,");
	pair_close(&pair);
}
END_TEST

START_TEST(those_that_nobody_takes_are_closed)
{
	struct pair pair;

	pair_open(&pair);
	pair.takes = false;
	say(&pair, "one\n", 3);
	say(&pair, "two\n", 3);
	say(&pair, "three\n", 3);
	say(&pair, "half", 3);
	turn(&pair);
	ck_assert_str_eq(pair.lines, "one 0,two 0,three 0,");
	ck_assert_uint_eq(pair.room.held, 3);
	pair_close(&pair);
}
END_TEST

START_TEST(without_leave_they_do_not_come)
{
	struct pair pair;

	pair_open(&pair);
	connection_accept(pair.connection, NULL);
	say(&pair, "one\n", 3);
	turn(&pair);
	ck_assert_str_eq(pair.lines, "one 0,");
	pair_close(&pair);
}
END_TEST

/* Each is too much in another way; the line before it was served. */
START_TEST(too_many_end_the_connection)
{
	struct pair pair;

	pair_open(&pair);
	say(&pair, "one\n", 1);
	switch (_i) {
	case 0: /* with one message, as many as the alignment has room for */
		say(&pair, "two\n", 4);
		break;
	case 1:
		say(&pair, "two\n", 16);
		break;
	case 2: /* with one line */
		say(&pair, "t", 1);
		say(&pair, "wo\n", 1);
		break;
	case 3: /* for all connections together */
		pair.room.held = ROOM - 2;
		say(&pair, "two\n", 3);
		break;
	default:
		break;
	}
	turn(&pair);
	ck_assert_str_eq(pair.lines, "one 1,");
	ck_assert_ptr_null(pair.connection);
	if (_i == 3)
		pair.room.held -= ROOM - 2;
	pair_close(&pair);
}
END_TEST

/* What comes with the next byte; their number, and they are closed. */
static size_t
hear(const struct pair *pair, char *text, size_t size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec iov = { text, size - 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	size_t count = 0, i;
	int fds[16];
	ssize_t n;

	n = recvmsg(pair->peer, &message, MSG_CMSG_CLOEXEC);
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && CMSG_FIRSTHDR(&message) != NULL) {
		count = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(&control.header), count * sizeof(int));
	}
	for (i = 0; i < count; i++)
		close(fds[i]);
	return count;
}

START_TEST(an_answer_has_them_at_its_first_byte)
{
	struct pair pair;
	int fds[2];
	char c[2];

	pair_open(&pair);
	ck_assert_int_eq(pipe(fds), 0);
	connection_send(pair.connection, strdup("1\n"));
	connection_send_fds(pair.connection, strdup("2\n"), fds, 2);
	turn(&pair);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), -1);
	ck_assert_uint_eq(hear(&pair, c, sizeof(c)), 0);
	ck_assert_uint_eq(hear(&pair, c, sizeof(c)), 0);
	ck_assert_uint_eq(hear(&pair, c, sizeof(c)), 2);
	ck_assert_str_eq(c, "2");
	ck_assert_uint_eq(hear(&pair, c, sizeof(c)), 0);
	ck_assert_str_eq(c, "\n");
	pair_close(&pair);
}
END_TEST

START_TEST(those_of_an_answer_that_is_not_read_are_closed_with_it)
{
	struct pair pair;
	int fds[2];

	pair_open(&pair);
	ck_assert_int_eq(pipe(fds), 0);
	connection_send_fds(pair.connection, strdup("1\n"), fds, 1);
	connection_send_fds(pair.connection, NULL, fds + 1, 1);
	connection_free(pair.connection);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), -1);
	pair_close(&pair);
}
END_TEST

/* Answers with both ends of a pipe. */
static void
method_open(struct call *call, const json_t *params, void *arg)
{
	int fds[2];

	(void)params;
	(void)arg;
	ck_assert_int_eq(pipe(fds), 0);
	call_result_fds(call, json_true(), fds, 2);
}

/* Takes what came, and says how many. */
static void
method_take(struct call *call, const json_t *params, void *arg)
{
	int fds[CONNECTION_FDS_MAX];
	size_t count = call_take_fds(call, fds), i;

	(void)params;
	(void)arg;
	for (i = 0; i < count; i++)
		close(fds[i]);
	call_result(call, json_integer((json_int_t)count));
}

/* A client that blocks, beside the loop of the host. */
struct beside {
	pthread_t thread;
	char path[128];
	size_t took;
	size_t got;
	bool through; /* what it got is a pipe */
	atomic_bool done;
};

static void *
run_beside(void *arg)
{
	struct beside *beside = arg;
	struct client *client = client_connect(beside->path, CLIENT_TRUSTS_OWN,
	    CLIENT_CONNECT_MS);
	struct client_fds given = { { 0, 1 }, 2 }, got;
	json_t *result = NULL;
	char c = 0;

	if (client != NULL &&
	    client_call_fds(client, "take", json_object(), &given, -1, &result,
		NULL) == GROUPER_OK)
		beside->took = (size_t)json_integer_value(result);
	json_decref(result);
	if (client != NULL &&
	    client_call_fds(client, "open", json_object(), NULL, -1, &result,
		&got) == GROUPER_OK) {
		beside->got = got.count;
		beside->through = write(got.list[1], "x", 1) == 1 &&
		    read(got.list[0], &c, 1) == 1 && c == 'x';
		while (got.count > 0)
			close(got.list[--got.count]);
		json_decref(result);
	}
	client_free(client);
	atomic_store(&beside->done, true);
	return NULL;
}

static bool
is_done(void *arg)
{
	struct beside *beside = arg;

	return atomic_load(&beside->done);
}

START_TEST(descriptors_go_both_ways)
{
	static const struct server_method list[] = {
		{ "open", method_open, false },
		{ "take", method_take, false },
	};
	static const struct server_methods methods = { .list = list,
		.count = 2 };
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	struct beside beside = { .took = 0 };
	struct trial trial = { .base = event_base_new() };
	struct loop *loop = loop_new(trial.base);

	trial_runtime_directory();
	options.name = "srv";
	ck_assert_int_eq(host_new(loop, &options, &trial.host), GROUPER_OK);
	host_own_loop(trial.host);
	ck_assert_int_eq(server_attach(trial.host, &methods), 0);
	strcpy(beside.path, support_path("runtime/srv.sock"));
	ck_assert_int_eq(pthread_create(&beside.thread, NULL, run_beside,
			     &beside),
	    0);
	trial_until(&trial, is_done, &beside);
	ck_assert_int_eq(pthread_join(beside.thread, NULL), 0);
	ck_assert_uint_eq(beside.took, 2);
	ck_assert_uint_eq(beside.got, 2);
	ck_assert(beside.through);
	grouper_host_free(trial.host);
	event_base_free(trial.base);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("passing");
	TCase *tc;

	tc = support_case(suite, "in");
	tcase_add_test(tc, descriptors_come_with_their_line);
	tcase_add_test(tc, they_may_come_with_any_byte_of_it);
	tcase_add_test(tc, a_long_line_keeps_them);
	tcase_add_test(tc, those_that_nobody_takes_are_closed);
	tcase_add_test(tc, without_leave_they_do_not_come);
	tcase_add_loop_test(tc, too_many_end_the_connection, 0, 4);
	tc = support_case(suite, "out");
	tcase_add_test(tc, an_answer_has_them_at_its_first_byte);
	tcase_add_test(tc,
	    those_of_an_answer_that_is_not_read_are_closed_with_it);
	tc = support_case(suite, "both");
	tcase_add_test(tc, descriptors_go_both_ways);
	return support_main(suite, NULL);
}
