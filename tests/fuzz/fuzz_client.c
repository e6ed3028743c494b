/* SPDX-License-Identifier: ISC */
/*
 * The client's side: a host that answers anything, with descriptors or
 * without, then goes.  Calls end, what they return is as their header says,
 * and no descriptor is left.
 *
 * Input: a byte for what is called and what comes along, then the answers.
 */
#include "runtime/control/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <grouper/client.h>

#include "tests/fuzz/fuzz.h"

#define CALLS_MAX 16
/* Never reached: the host is gone before. */
#define LIMIT_MS 20000

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int
listener(void)
{
	static int fd = -1;

	if (fd != -1)
		return fd;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
	    fuzz_directory());
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(fd != -1 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, 4) == 0);
	return fd;
}

/* All that the host ever says, before it is asked. */
static void
answer(int fd, const struct fuzz_input *input, size_t nfds)
{
	fuzz_send(fd, (const char *)input->data, input->size, nfds);
	shutdown(fd, SHUT_WR);
}

/* The host may tell that it timed out itself; never do we. */
static void
check_in_time(enum grouper_error error, const char *text)
{
	FUZZ_CHECK(error != GROUPER_TIMED_OUT ||
	    strcmp(text, "the host does not answer") != 0);
}

static void
check_call(struct client *client, bool wants_fds)
{
	struct client_fds got = { .count = 4711 };
	enum grouper_error error;
	json_t *result;

	error = client_call_fds(client, "m", json_object(), NULL, LIMIT_MS,
	    &result, wants_fds ? &got : NULL);
	check_in_time(error, client_error(client));
	FUZZ_CHECK((error == GROUPER_OK) == (result != NULL));
	FUZZ_CHECK((error == GROUPER_OK) == (*client_error(client) == '\0'));
	FUZZ_CHECK(!wants_fds || got.count <= CONNECTION_FDS_MAX);
	FUZZ_CHECK(!wants_fds || error == GROUPER_OK || got.count == 0);
	while (wants_fds && got.count > 0)
		close(got.list[--got.count]);
	json_decref(result);
}

static void
use_private(int fd, const struct fuzz_input *input, unsigned int how)
{
	struct client *client = client_connect(address.sun_path,
	    CLIENT_TRUSTS_OWN, 0);
	enum grouper_error error = GROUPER_OK;
	json_t *params;
	int peer, i;

	FUZZ_CHECK(client != NULL);
	peer = accept(fd, NULL, NULL);
	FUZZ_CHECK(peer != -1 && client_peer(client) == getpid());
	answer(peer, input, how >> 4 & 3);
	for (i = 0; i < CALLS_MAX && error != GROUPER_SYSTEM; i++) {
		if ((how >> 2 & 1) != 0) {
			check_call(client, (how >> 3 & 1) != 0);
			continue;
		}
		error = client_next(client, LIMIT_MS, &params);
		FUZZ_CHECK((error == GROUPER_OK) == (params != NULL));
		FUZZ_CHECK(error != GROUPER_TIMED_OUT);
		json_decref(params);
	}
	close(peer);
	client_free(client);
}

static void
check_message(const struct grouper_message *message)
{
	FUZZ_CHECK(message->topic != NULL && message->event != NULL);
	FUZZ_CHECK(message->payload != NULL);
	if (message->kind == GROUPER_MESSAGE_EVENT)
		FUZZ_CHECK(((const char *)message->payload)[message->length] ==
		    '\0');
}

static void
use_public(int fd, const struct fuzz_input *input, unsigned int how)
{
	static const char *const patterns[] = { "*" };
	struct grouper_message message;
	struct grouper_client *client;
	enum grouper_error error;
	char *result;
	int peer, i;

	FUZZ_CHECK(grouper_client_connect(address.sun_path, NULL, &client) ==
	    GROUPER_OK);
	peer = accept(fd, NULL, NULL);
	FUZZ_CHECK(peer != -1);
	answer(peer, input, how >> 4 & 3);
	for (i = 0; i < CALLS_MAX && (how >> 2 & 1) == 0; i++) {
		error = grouper_client_call(client, "m", "{\"a\":1}", LIMIT_MS,
		    &result);
		check_in_time(error, grouper_client_error(client));
		if (error == GROUPER_OK)
			free(result);
	}
	error = i > 0 ? GROUPER_INVALID :
			grouper_client_subscribe(client, patterns, 1, LIMIT_MS);
	for (i = 0; i < CALLS_MAX && error == GROUPER_OK; i++) {
		error = grouper_client_message(client, LIMIT_MS, &message);
		if (error == GROUPER_OK)
			check_message(&message);
		else if (error == GROUPER_INVALID)
			error = GROUPER_OK; /* the next may be one */
	}
	close(peer);
	grouper_client_free(client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int how = fuzz_byte(&input);
	int before, after, fd = listener();

	before = dup(STDERR_FILENO);
	close(before);
	if (how % 4 == 3)
		use_public(fd, &input, how);
	else
		use_private(fd, &input, how);
	after = dup(STDERR_FILENO);
	close(after);
	FUZZ_CHECK(before == after);
	return 0;
}
