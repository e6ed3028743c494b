/* SPDX-License-Identifier: ISC */
/*
 * Calls that are answered late or never, streams, and too many of all: a
 * server with methods of the test's own.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "runtime/control/server.h"
#include "runtime/group/host.h"
#include "runtime/util/loop.h"

#define DESCRIPTORS 256
/* What follows: a quarter are connections, an eighth of them spare. */
#define CONNECTIONS (DESCRIPTORS / 4)
#define KEPT (CONNECTIONS - CONNECTIONS / 8)
#define OTHERS (CONNECTIONS / 4)

struct server_trial {
	struct trial trial;
	struct call *last; /* that was held */
	size_t nheld;
	size_t ngone;
};

static void
on_gone(void *arg)
{
	struct server_trial *server = arg;

	server->ngone++;
}

static void
method_hold(struct call *call, const json_t *params, void *arg)
{
	struct server_trial *server = arg;

	(void)params;
	server->nheld++;
	server->last = call;
	call_defer(call, on_gone, server);
}

static json_t *
next(void *arg)
{
	(void)arg;
	return json_object();
}

static void
method_stream(struct call *call, const json_t *params, void *arg)
{
	struct server_trial *server = arg;

	(void)params;
	server->nheld++;
	call_stream(call, json_object(), "line", next, on_gone, server);
}

/* What would show if it were done although it is not permitted. */
static void
method_own(struct call *call, const json_t *params, void *arg)
{
	(void)params;
	(void)arg;
	call_result(call, json_string("done"));
}

static const struct server_method list[] = {
	{ "hold", method_hold, false },
	{ "own", method_own, false },
	{ "stream", method_stream, false },
};

static struct server_methods methods = { .list = list, .count = 3 };

static void
open_server(struct server_trial *server)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	struct rlimit limit;
	struct loop *loop;

	memset(server, 0, sizeof(*server));
	trial_runtime_directory();
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = DESCRIPTORS;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	options.name = "srv";
	server->trial.base = event_base_new();
	loop = loop_new(server->trial.base);
	ck_assert_int_eq(host_new(loop, &options, &server->trial.host),
	    GROUPER_OK);
	host_own_loop(server->trial.host);
	methods.arg = server;
	ck_assert_int_eq(server_attach(server->trial.host, &methods), 0);
	/* The clients are this process's, too. */
	limit.rlim_cur = (rlim_t)4 * DESCRIPTORS;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
close_server(struct server_trial *server)
{
	grouper_host_free(server->trial.host);
	event_base_free(server->trial.base);
}

static void
turn(struct server_trial *server)
{
	int i;

	for (i = 0; i < 50; i++)
		event_base_loop(server->trial.base, EVLOOP_NONBLOCK);
}

START_TEST(clients_that_wait_leave_room_for_others)
{
	static struct client clients[KEPT + 4];
	struct server_trial server;
	struct client other;
	size_t i, n;

	open_server(&server);
	for (i = 0; i < KEPT; i++) {
		client_open(&clients[i], &server.trial);
		for (n = 0; n < 20; n++)
			client_send(&clients[i], REQUEST("hold", "{}"));
		turn(&server);
	}
	ck_assert_uint_eq(server.nheld, (size_t)20 * KEPT);
	ck_assert_uint_eq(server.ngone, 0);
	for (i = KEPT; i < KEPT + 4; i++) {
		client_open(&clients[i], &server.trial);
		client_fails(&clients[i], REQUEST("hold", "{}"),
		    -32000 - GROUPER_SYSTEM);
	}
	ck_assert_uint_eq(server.ngone, 4);
	client_open(&other, &server.trial);
	client_is_served(&other);
	client_close(&other);
	for (i = 0; i < KEPT + 4; i++)
		client_close(&clients[i]);
	turn(&server);
	ck_assert_uint_eq(server.nheld, server.ngone);
	close_server(&server);
}
END_TEST

START_TEST(too_many_streams_are_errors)
{
	static struct client clients[KEPT];
	struct server_trial server;
	struct client other;
	size_t i;

	open_server(&server);
	for (i = 0; i < KEPT; i++) {
		client_open(&clients[i], &server.trial);
		client_send(&clients[i], REQUEST("hold", "{}"));
		turn(&server);
	}
	ck_assert_uint_eq(server.nheld, KEPT);
	client_open(&other, &server.trial);
	client_fails(&other, REQUEST("stream", "{}"), -32000 - GROUPER_SYSTEM);
	ck_assert_uint_eq(server.ngone, 1);
	client_close(&other);
	for (i = 0; i < KEPT; i++)
		client_close(&clients[i]);
	close_server(&server);
}
END_TEST

/* Half closed, they are not watched: only a need for room shows it. */
START_TEST(who_left_while_it_waited_makes_room)
{
	static struct client clients[CONNECTIONS];
	struct server_trial server;
	struct client other;
	size_t i;

	open_server(&server);
	for (i = 0; i < CONNECTIONS; i++) {
		client_open(&clients[i], &server.trial);
		if (i < KEPT)
			client_send(&clients[i], REQUEST("hold", "{}"));
		shutdown(clients[i].fd, SHUT_WR);
		turn(&server);
	}
	for (i = 0; i < CONNECTIONS; i++)
		client_close(&clients[i]);
	turn(&server);
	client_open(&other, &server.trial);
	client_send(&other, REQUEST("hold", "{}"));
	turn(&server);
	ck_assert_uint_eq(server.nheld, KEPT + 1);
	ck_assert_uint_eq(server.ngone, KEPT);
	client_is_served(&other);
	client_close(&other);
	close_server(&server);
}
END_TEST

START_TEST(idle_connections_make_room_for_one_that_asks)
{
	static struct client clients[CONNECTIONS + 100];
	struct server_trial server;
	struct client other;
	size_t i;

	open_server(&server);
	for (i = 0; i < CONNECTIONS + 100; i++) {
		client_open(&clients[i], &server.trial);
		event_base_loop(server.trial.base, EVLOOP_NONBLOCK);
	}
	client_open(&other, &server.trial);
	client_is_served(&other);
	client_close(&other);
	for (i = 0; i < CONNECTIONS + 100; i++)
		client_close(&clients[i]);
	close_server(&server);
}
END_TEST

START_TEST(a_stream_does_not_hold_up_requests)
{
	struct server_trial server;
	struct client client;
	json_t *answer;
	int i;

	open_server(&server);
	client_open(&client, &server.trial);
	client_send(&client, REQUEST("stream", "{}"));
	json_decref(client_answer(&client));
	client_send(&client,
	    "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"own\"}\n");
	for (i = 0; i < 10000; i++) {
		answer = client_answer(&client);
		if (json_object_get(answer, "id") != NULL)
			break;
		json_decref(answer);
	}
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "id")), 9);
	json_decref(answer);
	client_close(&client);
	close_server(&server);
}
END_TEST

START_TEST(a_client_that_does_not_read_its_stream_holds_up_nobody)
{
	struct server_trial server;
	struct client client, other;
	int i;

	open_server(&server);
	client_open(&client, &server.trial);
	client_send(&client, REQUEST("stream", "{}"));
	for (i = 0; i < 200; i++)
		turn(&server);
	client_open(&other, &server.trial);
	client_is_served(&other);
	client_close(&client);
	turn(&server);
	ck_assert_uint_eq(server.ngone, 1);
	client_close(&other);
	close_server(&server);
}
END_TEST

START_TEST(a_client_that_leaves_is_told_to_the_call)
{
	struct server_trial server;
	struct client client;

	open_server(&server);
	client_open(&client, &server.trial);
	client_send(&client, REQUEST("hold", "{}") REQUEST("stream", "{}"));
	turn(&server);
	ck_assert_uint_eq(server.nheld, 2);
	client_close(&client);
	turn(&server);
	ck_assert_uint_eq(server.ngone, 2);
	close_server(&server);
}
END_TEST

START_TEST(what_is_known_when_the_host_ends_is_still_sent)
{
	struct server_trial server;
	struct client client;
	json_t *answer;

	open_server(&server);
	client_open(&client, &server.trial);
	client_send(&client, REQUEST("hold", "{}"));
	turn(&server);
	ck_assert_uint_eq(server.nheld, 1);
	call_result(server.last, json_string("last words"));
	host_close(server.trial.host);
	/* It was over: nobody else frees what it was about. */
	ck_assert_uint_eq(server.ngone, 0);
	answer = client_answer(&client);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "result")),
	    "last words");
	json_decref(answer);
	ck_assert_ptr_null(client_answer(&client));
	client_close(&client);
	close_server(&server);
}
END_TEST

static void
be_another_user(void)
{
	uid_t uid = support_user();

	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
}

/* Waits, without a loop of its own, for what comes; 0 is the end. */
static ssize_t
receive(int fd, char *text, size_t size)
{
	struct pollfd pollfd = { fd, POLLIN, 0 };
	ssize_t n;

	ck_assert_int_eq(poll(&pollfd, 1, SUPPORT_PATIENCE), 1);
	n = recv(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static void
ask_what_is_not_permitted(void *arg)
{
	struct client client;
	char text[1024];

	be_another_user();
	client_open(&client, arg);
	client_send(&client, REQUEST("own", "{}"));
	ck_assert_int_gt(receive(client.fd, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "not permitted"));
	ck_assert_ptr_null(strstr(text, "done"));
	client_close(&client);
}

/* More than it may have: the rest is closed. */
static void
connect_often(void *arg)
{
	static struct client clients[OTHERS + 10];
	size_t i, closed = 0;
	char text[1024];

	be_another_user();
	for (i = 0; i < OTHERS + 10; i++)
		client_open(&clients[i], arg);
	for (i = 0; i < OTHERS + 10; i++) {
		send(clients[i].fd, IDENT_SELF, strlen(IDENT_SELF),
		    MSG_NOSIGNAL);
		closed += receive(clients[i].fd, text, sizeof(text)) <= 0;
	}
	ck_assert_uint_eq(closed, 10);
	for (i = 0; i < OTHERS + 10; i++)
		client_close(&clients[i]);
}

static bool
has_gone(void *arg)
{
	struct support_process p;

	return !support_process(*(pid_t *)arg, &p) || !support_alive(&p);
}

static void
by_another_user(void (*fn)(void *))
{
	struct server_trial server;
	struct client client;
	pid_t pid;

	if (geteuid() != 0)
		SUPPORT_SKIP("only root's hosts serve others");
	open_server(&server);
	ck_assert_int_eq(chmod(support_path("runtime"), 0711), 0);
	pid = trial_fork(fn, &server.trial);
	trial_until(&server.trial, has_gone, &pid);
	trial_join(pid);
	client_open(&client, &server.trial);
	client_is_served(&client);
	client_close(&client);
	close_server(&server);
}

START_TEST(other_users_may_not_call_what_is_the_owner_s)
{
	by_another_user(ask_what_is_not_permitted);
}
END_TEST

START_TEST(other_users_have_but_a_part_of_the_connections)
{
	by_another_user(connect_often);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control_socket");
	TCase *tc;

	tc = support_case(suite, "many");
	tcase_add_test(tc, clients_that_wait_leave_room_for_others);
	tcase_add_test(tc, too_many_streams_are_errors);
	tcase_add_test(tc, who_left_while_it_waited_makes_room);
	tcase_add_test(tc, idle_connections_make_room_for_one_that_asks);
	tc = support_case(suite, "calls");
	tcase_add_test(tc, a_stream_does_not_hold_up_requests);
	tcase_add_test(tc,
	    a_client_that_does_not_read_its_stream_holds_up_nobody);
	tcase_add_test(tc, a_client_that_leaves_is_told_to_the_call);
	tcase_add_test(tc, what_is_known_when_the_host_ends_is_still_sent);
	tc = support_case(suite, "users");
	tcase_add_test(tc, other_users_may_not_call_what_is_the_owner_s);
	tcase_add_test(tc, other_users_have_but_a_part_of_the_connections);
	return support_main(suite, NULL);
}
