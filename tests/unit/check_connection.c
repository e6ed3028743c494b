/* SPDX-License-Identifier: ISC */
/*
 * One connection of the control socket, over a socket pair.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "runtime/control/connection.h"
#include "runtime/control/json_text.h"
#include "runtime/control/rpc.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"
#include "support.h"

#define TURNS 200 /* of the loop, more than anything here takes */

struct pair {
	struct event_base *base;
	struct loop *loop;
	struct connection *connection; /* NULL: it ended */
	int peer;
	char lines[1024]; /* that came, a comma after each */
	size_t count;
	size_t drained;
	bool answers;	/* each line with "ok" */
	size_t streams; /* so many notifications follow */
	size_t size;	/* of each, newline included */
};

static void
on_line(struct connection *connection, const char *line, size_t length,
    void *arg)
{
	struct pair *pair = arg;

	snprintf(pair->lines + strlen(pair->lines),
	    sizeof(pair->lines) - strlen(pair->lines), "%.*s,",
	    (int)(length < 20 ? length : 20), line);
	pair->count++;
	if (pair->answers)
		connection_send(connection, strdup("ok\n"));
}

static void
on_drained(struct connection *connection, void *arg)
{
	struct pair *pair = arg;
	char *text;

	pair->drained++;
	if (pair->streams == 0)
		return;
	pair->streams--;
	text = malloc(pair->size + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', pair->size);
	text[pair->size - 1] = '\n';
	text[pair->size] = '\0';
	connection_send(connection, text);
}

static void
on_end(struct connection *connection, void *arg)
{
	struct pair *pair = arg;

	ck_assert_ptr_eq(connection, pair->connection);
	pair->connection = NULL;
}

static const struct connection_handler handler = { on_line, on_drained,
	on_end };

static void
pair_open(struct pair *pair)
{
	int ends[2];

	*pair = (struct pair) { .size = 4 };
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
}

static void
pair_close(struct pair *pair)
{
	if (pair->connection != NULL)
		connection_free(pair->connection);
	ck_assert_ptr_null(pair->connection);
	if (pair->peer != -1)
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

/* All of it, whatever it takes. */
static void
say(struct pair *pair, const char *text)
{
	size_t length = strlen(text);
	ssize_t n;

	while (length > 0) {
		n = send(pair->peer, text, length, MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			n = 0;
		ck_assert_int_ne(n, -1);
		text += n;
		length -= (size_t)n;
		turn(pair);
	}
}

/* What there is to read, without turning the loop; its length. */
static size_t
hear(const struct pair *pair, char *text, size_t size)
{
	ssize_t n = recv(pair->peer, text, size - 1, 0);

	ck_assert(n >= 0 || errno == EAGAIN);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

START_TEST(lines_come_one_by_one_however_they_are_sent)
{
	struct pair pair;

	pair_open(&pair);
	say(&pair, "on");
	ck_assert_uint_eq(pair.count, 0);
	say(&pair, "e\n\ntwo\nth");
	ck_assert_str_eq(pair.lines, "one,,two,");
	say(&pair, "ree\n");
	ck_assert_str_eq(pair.lines, "one,,two,three,");
	pair_close(&pair);
}
END_TEST

START_TEST(no_line_comes_before_the_last_one_s_answer_was_taken)
{
	struct pair pair;
	char text[32];

	pair_open(&pair);
	pair.streams = 1;
	pair.size = (size_t)8 << 20; /* more than a socket takes */
	connection_send(pair.connection, strdup("first\n"));
	turn(&pair);
	say(&pair, "one\n");
	ck_assert_uint_gt(connection_queued(pair.connection), 0);
	ck_assert_uint_eq(pair.count, 0);
	while (connection_queued(pair.connection) > 0) {
		hear(&pair, text, sizeof(text));
		while (hear(&pair, text, sizeof(text)) > 0)
			;
		turn(&pair);
	}
	turn(&pair);
	ck_assert_str_eq(pair.lines, "one,");
	pair_close(&pair);
}
END_TEST

START_TEST(requests_get_through_a_stream_that_never_pauses)
{
	struct pair pair;
	char text[4096];
	int i;

	pair_open(&pair);
	pair.answers = true;
	pair.streams = SIZE_MAX;
	connection_send(pair.connection, strdup("first\n"));
	ck_assert_int_eq(send(pair.peer, "one\ntwo\n", 8, 0), 8);
	for (i = 0; i < TURNS && pair.count < 2; i++) {
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		hear(&pair, text, sizeof(text));
	}
	ck_assert_str_eq(pair.lines, "one,two,");
	pair_close(&pair);
}
END_TEST

START_TEST(a_line_that_is_too_long_ends_it)
{
	struct pair pair;
	static char block[RPC_LINE_MAX / 16 + 1];
	int i;

	pair_open(&pair);
	memset(block, ' ', sizeof(block) - 1);
	for (i = 0; i < 15; i++)
		say(&pair, block);
	ck_assert_ptr_nonnull(pair.connection);
	ck_assert_int_gt(send(pair.peer, block, sizeof(block), MSG_NOSIGNAL),
	    0);
	turn(&pair);
	ck_assert_ptr_null(pair.connection);
	ck_assert_uint_eq(pair.count, 0);
	pair_close(&pair);
}
END_TEST

START_TEST(the_end_of_its_input_ends_it)
{
	struct pair pair;

	pair_open(&pair);
	say(&pair, "one\nhal");
	shutdown(pair.peer, SHUT_WR);
	turn(&pair);
	ck_assert_ptr_null(pair.connection);
	ck_assert_str_eq(pair.lines, "one,");
	pair_close(&pair);
}
END_TEST

START_TEST(who_closed_half_gets_what_it_awaits)
{
	struct pair pair;
	char text[32];

	pair_open(&pair);
	connection_await(pair.connection, true);
	shutdown(pair.peer, SHUT_WR);
	turn(&pair);
	ck_assert_ptr_nonnull(pair.connection);
	ck_assert(!connection_gone(pair.connection));
	connection_send(pair.connection, strdup("late\n"));
	connection_await(pair.connection, false);
	turn(&pair);
	hear(&pair, text, sizeof(text));
	ck_assert_str_eq(text, "late\n");
	ck_assert_ptr_null(pair.connection);
	pair_close(&pair);
}
END_TEST

START_TEST(who_closed_half_and_then_all_is_gone)
{
	struct pair pair;

	pair_open(&pair);
	connection_await(pair.connection, true);
	shutdown(pair.peer, SHUT_WR);
	turn(&pair);
	close(pair.peer);
	pair.peer = -1;
	turn(&pair);
	ck_assert_ptr_nonnull(pair.connection);
	ck_assert(connection_gone(pair.connection));
	pair_close(&pair);
}
END_TEST

START_TEST(who_closes_all_at_once_ends_it_whatever_it_awaits)
{
	struct pair pair;

	pair_open(&pair);
	connection_await(pair.connection, true);
	ck_assert_int_eq(send(pair.peer, "one\n", 4, 0), 4);
	close(pair.peer);
	pair.peer = -1;
	turn(&pair);
	ck_assert_str_eq(pair.lines, "one,");
	ck_assert_ptr_null(pair.connection);
	pair_close(&pair);
}
END_TEST

START_TEST(an_answer_without_memory_ends_it_from_the_loop)
{
	struct pair pair;

	pair_open(&pair);
	connection_send(pair.connection, NULL);
	ck_assert_ptr_nonnull(pair.connection);
	turn(&pair);
	ck_assert_ptr_null(pair.connection);
	pair_close(&pair);
}
END_TEST

START_TEST(a_flush_writes_what_is_queued_and_what_follows)
{
	struct pair pair;
	char text[64];

	pair_open(&pair);
	pair.streams = 2;
	connection_send(pair.connection, strdup("one\n"));
	connection_send(pair.connection, strdup("two\n"));
	connection_flush(pair.connection, 0);
	hear(&pair, text, sizeof(text));
	ck_assert_str_eq(text, "one\ntwo\nxxx\nxxx\n");
	pair_close(&pair);
}
END_TEST

START_TEST(a_flush_waits_for_nobody)
{
	struct pair pair;

	pair_open(&pair);
	pair.streams = SIZE_MAX;
	pair.size = 65536;
	connection_send(pair.connection, strdup("one\n"));
	connection_flush(pair.connection, 0);
	ck_assert_uint_gt(connection_queued(pair.connection), 0);
	close(pair.peer);
	pair.peer = -1;
	connection_flush(pair.connection, 0);
	turn(&pair);
	ck_assert_ptr_null(pair.connection);
	pair_close(&pair);
}
END_TEST

/* Until it has so much, however it comes. */
static void
take_all(int fd, size_t length)
{
	char buffer[65536];
	ssize_t n;

	while (length > 0) {
		fd_await(fd, POLLIN, -1);
		n = read(fd, buffer, sizeof(buffer));
		if (n > 0)
			length -= (size_t)n;
	}
}

START_TEST(a_flush_waits_for_who_reads)
{
	struct pair pair;
	pid_t pid;

	pair_open(&pair);
	pair.streams = 64;
	pair.size = 65536;
	pid = fork();
	if (pid == 0) {
		take_all(pair.peer, 4 + pair.streams * pair.size);
		_exit(0);
	}
	connection_send(pair.connection, strdup("one\n"));
	connection_flush(pair.connection, clock_deadline(SUPPORT_PATIENCE));
	ck_assert_uint_eq(pair.streams, 0);
	ck_assert_uint_eq(connection_queued(pair.connection), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	pair_close(&pair);
}
END_TEST

START_TEST(it_knows_who_is_there)
{
	struct pair pair;

	pair_open(&pair);
	ck_assert_int_eq(connection_peer(pair.connection)->pid, getpid());
	ck_assert_uint_eq(connection_peer(pair.connection)->uid, geteuid());
	pair_close(&pair);
}
END_TEST

START_TEST(what_is_no_socket_is_refused_and_closed)
{
	struct event_base *base = event_base_new();
	struct loop *loop = loop_new(base);
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_ptr_null(connection_new(loop, ends[0], &handler, NULL));
	ck_assert_int_eq(fcntl(ends[0], F_GETFD), -1);
	close(ends[1]);
	loop_free(loop);
	event_base_free(base);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	const char *text;
} texts[] = {
	{ "", 0, "" },
	{ "plain", 5, "plain" },
	{ "\xc3\xa4", 2, "\xc3\xa4" },
	{ "a\xff", 2, "a\xef\xbf\xbd" },
	{ "\xc3", 1, "\xef\xbf\xbd" },
	{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	/* A reader may refuse what stands for it in JSON. */
	{ "a\0b", 3,
	    "a\xef\xbf\xbd"
	    "b" },
};

START_TEST(texts_of_any_bytes_are_json)
{
	json_t *text = json_textn(texts[_i].bytes, texts[_i].length);

	ck_assert_str_eq(json_string_value(text), texts[_i].text);
	ck_assert_uint_eq(json_string_length(text), strlen(texts[_i].text));
	json_decref(text);
}
END_TEST

static const char *const numbers[] = { "0.1", "-0.3", "8.41", "1e-7",
	"1795281526.330113", "0.1234567890123456", "0.30000000000000004",
	"2251799813685249.5", "1.7976931348623157e308", "1.0", "7", "null",
	"{}", "[8.41,true,0.30000000000000004,{\"a\":-1e-7,\"b\":false}]",
	"\"0.10000000000000001\"", "[\"\\\"0.10000000000000001\\\\\",0.1]" };
#define NUMBERS (int)(sizeof(numbers) / sizeof(numbers[0]))

START_TEST(numbers_go_out_as_they_came)
{
	json_t *value = json_loads(numbers[_i], JSON_DECODE_ANY, NULL);
	char *text = json_write(value);

	ck_assert_str_eq(text, numbers[_i]);
	free(text);
	json_decref(value);
}
END_TEST

START_TEST(an_error_may_have_any_text)
{
	char *line = rpc_error(NULL, -1, "no \xff");

	ck_assert_str_eq(line,
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":"
	    "{\"code\":-1,\"message\":\"no \xef\xbf\xbd\"}}\n");
	free(line);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connection");
	TCase *tc;

	tc = support_case(suite, "lines");
	tcase_add_test(tc, lines_come_one_by_one_however_they_are_sent);
	tcase_add_test(tc,
	    no_line_comes_before_the_last_one_s_answer_was_taken);
	tcase_add_test(tc, requests_get_through_a_stream_that_never_pauses);
	tcase_add_test(tc, a_line_that_is_too_long_ends_it);
	tc = support_case(suite, "end");
	tcase_add_test(tc, the_end_of_its_input_ends_it);
	tcase_add_test(tc, who_closed_half_gets_what_it_awaits);
	tcase_add_test(tc, who_closed_half_and_then_all_is_gone);
	tcase_add_test(tc, who_closes_all_at_once_ends_it_whatever_it_awaits);
	tcase_add_test(tc, an_answer_without_memory_ends_it_from_the_loop);
	tcase_add_test(tc, a_flush_writes_what_is_queued_and_what_follows);
	tcase_add_test(tc, a_flush_waits_for_nobody);
	tcase_add_test(tc, a_flush_waits_for_who_reads);
	tc = support_case(suite, "other");
	tcase_add_test(tc, it_knows_who_is_there);
	tcase_add_test(tc, what_is_no_socket_is_refused_and_closed);
	tcase_add_loop_test(tc, texts_of_any_bytes_are_json, 0,
	    sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(tc, numbers_go_out_as_they_came, 0, NUMBERS);
	tcase_add_test(tc, an_error_may_have_any_text);
	return support_main(suite, NULL);
}
