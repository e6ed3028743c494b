/* SPDX-License-Identifier: ISC */
/*
 * A client of a trial's control socket, see client.h.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
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

void
client_close(struct client *client)
{
	close(client->fd);
	free(client->text);
}

void
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

json_t *
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
	answer = json_loadb(client->text, length, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(answer);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "jsonrpc")),
	    "2.0");
	client->length -= length + 1;
	memmove(client->text, end + 1, client->length);
	return answer;
}

void
client_fails(struct client *client, const char *request, int code)
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

void
client_open_server(struct trial *trial, struct client *client)
{
	trial_open(trial, "srv");
	client_open(client, trial);
}

void
client_close_server(struct trial *trial, struct client *client)
{
	client_close(client);
	trial_close(trial);
}

void
client_is_served(struct client *client)
{
	client_fails(client, REQUEST("no such", "{}"), RPC_METHOD_NOT_FOUND);
}
