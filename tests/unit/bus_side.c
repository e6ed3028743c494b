/* SPDX-License-Identifier: ISC */
/*
 * The bus of a trial's host, see bus_side.h.
 */
#include "bus_side.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bus *
bus_side(struct trial *trial)
{
	struct bus *bus = bus_of(trial->host);

	ck_assert_ptr_nonnull(bus);
	return bus;
}

void
bus_side_gives(struct client *client, const char *request, const char *expected)
{
	json_t *answer;
	char *text;

	client_send(client, request);
	answer = client_answer(client);
	text = json_dumps(json_object_get(answer, "result"),
	    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	ck_assert_msg(text != NULL, "%s failed", request);
	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(answer);
}

void
bus_side_refuses(struct client *client, const char *request, int code,
    const char *why)
{
	json_t *answer, *error;

	client_send(client, request);
	answer = client_answer(client);
	error = json_object_get(answer, "error");
	ck_assert_msg(error != NULL, "%s succeeded", request);
	ck_assert_int_eq(json_integer_value(json_object_get(error, "code")),
	    code);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(error,
					 "message")),
	    why));
	json_decref(answer);
}

void
bus_side_hears(struct client *client, const char *expected)
{
	json_t *message = client_answer(client);
	char *text;

	ck_assert_str_eq(json_string_value(json_object_get(message, "method")),
	    "message");
	text = json_dumps(json_object_get(message, "params"),
	    JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(message);
}

/* Members */

void
bus_side_join(struct trial *trial, const char *key, char *topic,
    struct bus_pipes *pipes)
{
	char *topics[] = { topic, NULL };
	const struct bus_member_options options = { .key = key,
		.topics = topics,
		.messages = true };

	ck_assert_int_eq(bus_join(bus_side(trial), &options, &pipes->down,
			     &pipes->up),
	    GROUPER_OK);
}

void
bus_side_close(struct bus_pipes *pipes)
{
	close(pipes->down);
	close(pipes->up);
}

static bool
has_bytes(void *arg)
{
	struct bus_pipes *pipes = arg;
	struct pollfd pollfd = { pipes->down, POLLIN, 0 };

	return poll(&pollfd, 1, 0) == 1;
}

void
bus_side_reads(struct trial *trial, struct bus_pipes *pipes,
    const char *expected)
{
	char frames[BUS_SIDE_MAX];
	ssize_t n;

	trial_until(trial, has_bytes, pipes);
	n = read(pipes->down, frames, sizeof(frames) - 1);
	ck_assert_int_ge(n, 0);
	frames[n] = '\0';
	ck_assert_str_eq(frames, expected);
}
