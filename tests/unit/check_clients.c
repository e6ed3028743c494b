/* SPDX-License-Identifier: ISC */
/*
 * Clients of the control socket that do not behave, and many of them.
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

START_TEST(a_half_closed_client_gets_its_answer)
{
	struct client client;
	struct trial trial;
	json_t *answer;

	client_open_server(&trial, &client);
	client_send(&client, IDENT_SELF IDENT_SELF);
	ck_assert_int_eq(shutdown(client.fd, SHUT_WR), 0);
	answer = client_answer(&client);
	ck_assert_ptr_nonnull(answer);
	json_decref(answer);
	answer = client_answer(&client);
	ck_assert_ptr_nonnull(answer);
	json_decref(answer);
	ck_assert_ptr_null(client_answer(&client));
	client_close_server(&trial, &client);
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

	client_open_server(&trial, &client);
	client_open(&other, &trial);
	trial_until(&trial, is_refused, &client);
	ck_assert_uint_ge(client.length, RPC_LINE_MAX / 2);
	client_is_served(&other);
	client_close(&other);
	client_close_server(&trial, &client);
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

	client_open_server(&trial, &client);
	trial_until(&trial, is_stuck, &flood);
	client_open(&other, &trial);
	client_is_served(&other);
	/* When it reads after all, nothing is missing. */
	for (i = 0; i < flood.sent; i++) {
		answer = client_answer(&client);
		ck_assert_ptr_nonnull(answer);
		json_decref(answer);
	}
	client_close(&other);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(a_client_that_goes_without_its_answer_harms_nobody)
{
	struct client client, other;
	struct trial trial;
	int i;

	client_open_server(&trial, &other);
	for (i = 0; i < 50; i++) {
		client_open(&client, &trial);
		client_send(&client, IDENT_SELF IDENT_SELF IDENT_SELF);
		client_close(&client);
		client_is_served(&other);
	}
	client_close_server(&trial, &other);
}
END_TEST

#define MANY 300
#define ENOUGH ((rlim_t)3 * MANY)

START_TEST(three_hundred_connections_are_served)
{
	static struct client clients[MANY];
	struct rlimit limit;
	struct trial trial;
	size_t answered = 0, i;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < ENOUGH) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < ENOUGH)
		SUPPORT_SKIP("needs %d descriptors", (int)ENOUGH);
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

	client_open_server(&trial, &client);
	client_is_served(&client);
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
	client_is_served(&client);
	setrlimit(RLIMIT_NOFILE, &limit);
	client_is_served(&waiting);
	client_close(&waiting);
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(freeing_the_host_ends_its_connections)
{
	struct client client;
	struct trial trial;
	char byte;

	client_open_server(&trial, &client);
	client_is_served(&client);
	grouper_host_free(trial.host);
	trial.host = NULL;
	ck_assert_int_eq(recv(client.fd, &byte, 1, 0), 0);
	ck_assert_int_eq(access(support_path("runtime/srv.sock"), F_OK), -1);
	trial.nkeys = 0;
	client_close_server(&trial, &client);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("clients");
	TCase *tc;

	tc = support_case(s, "clients");
	tcase_add_test(tc, a_half_closed_client_gets_its_answer);
	tcase_add_test(tc, a_line_that_is_too_long_ends_its_connection);
	tcase_add_test(tc, a_client_that_never_reads_holds_up_nobody);
	tcase_add_test(tc, a_client_that_goes_without_its_answer_harms_nobody);
	tcase_add_test(tc, three_hundred_connections_are_served);
	tcase_add_test(tc, a_connection_that_cannot_be_accepted_waits_quietly);
	tcase_add_test(tc, freeing_the_host_ends_its_connections);
	return support_main(s, NULL);
}
