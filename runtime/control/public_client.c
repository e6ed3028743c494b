/* SPDX-License-Identifier: ISC */
/*
 * The client's side for programs, see grouper/client.h.
 */
#include <grouper/client.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/hosts.h"
#include "runtime/control/json_text.h"
#include "runtime/control/payload.h"

#define NO_MEMORY "Cannot allocate memory"

struct grouper_client {
	struct client *client;
	const char *found; /* what failed here; NULL: ask the client */
	bool streams;
	json_t *message; /* what the caller looks at, and its payload */
	char *payload;
};

enum grouper_error
grouper_client_connect(const char *socket, const char *host,
    struct grouper_client **client)
{
	struct grouper_client *made;
	enum grouper_error error;
	char why[1024]; /* the caller has the error */

	if (client == NULL)
		return GROUPER_INVALID;
	if (socket != NULL && host != NULL)
		return GROUPER_BAD_COMBINATION;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return GROUPER_SYSTEM;
	error = hosts_connect(socket, host, &made->client, why, sizeof(why));
	if (error == GROUPER_OK)
		*client = made;
	else
		free(made);
	return error;
}

static void
release(struct grouper_client *client)
{
	json_decref(client->message);
	client->message = NULL;
	free(client->payload);
	client->payload = NULL;
}

void
grouper_client_free(struct grouper_client *client)
{
	if (client == NULL)
		return;
	release(client);
	client_free(client->client);
	free(client);
}

pid_t
grouper_client_peer(const struct grouper_client *client)
{
	return client != NULL ? client_peer(client->client) : -1;
}

int
grouper_client_fd(const struct grouper_client *client)
{
	return client != NULL ? client_fd(client->client) : -1;
}

const char *
grouper_client_error(const struct grouper_client *client)
{
	if (client == NULL)
		return "";
	return client->found != NULL ? client->found :
				       client_error(client->client);
}

/* What is found before the host is asked, or after; text: not copied. */
static enum grouper_error
fail(struct grouper_client *client, enum grouper_error error, const char *text)
{
	if (client != NULL)
		client->found = text;
	return error;
}

/* Calls */

/* params is taken over. */
static enum grouper_error
call(struct grouper_client *client, const char *method, json_t *params,
    int64_t timeout_ms, json_t **result)
{
	*result = NULL;
	release(client);
	if (client->streams) {
		json_decref(params);
		return fail(client, GROUPER_BAD_COMBINATION,
		    "the client has a stream");
	}
	client->found = NULL;
	errno = EIO; /* unless it is ours: the host's */
	return hosts_error(client_call(client->client, method, params,
	    timeout_ms, result));
}

/*
 * Text to an object, an empty one for none.  NULL with *good telling whether
 * memory is what was missing.
 */
static json_t *
object_of(const char *text, bool *good)
{
	json_t *object;

	object = text == NULL ? json_object() :
				json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	*good = text == NULL || json_is_object(object);
	if (!*good) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

/* A value to text; the value is released. */
static enum grouper_error
text_of(json_t *value, char **text)
{
	char *made = NULL;

	if (text != NULL) {
		made = json_write(value);
		if (made != NULL)
			*text = made;
	}
	json_decref(value);
	if (text == NULL || made != NULL)
		return GROUPER_OK;
	errno = ENOMEM;
	return GROUPER_SYSTEM;
}

static enum grouper_error
give(struct grouper_client *client, json_t *value, char **text)
{
	enum grouper_error error = text_of(value, text);

	return error == GROUPER_OK ? error : fail(client, error, NO_MEMORY);
}

enum grouper_error
grouper_client_call(struct grouper_client *client, const char *method,
    const char *params, int64_t timeout_ms, char **result)
{
	enum grouper_error error;
	json_t *object, *answer;
	bool good;

	if (client == NULL || method == NULL)
		return fail(client, GROUPER_INVALID, "expected a method");
	object = object_of(params, &good);
	if (!good)
		return fail(client, GROUPER_INVALID,
		    "params: expected a JSON object");
	error = call(client, method, object, timeout_ms, &answer);
	return error != GROUPER_OK ? error : give(client, answer, result);
}

/* Streams */

enum grouper_error
grouper_client_stream(struct grouper_client *client, const char *method,
    const char *params, int64_t timeout_ms, char **result)
{
	enum grouper_error error;

	error = grouper_client_call(client, method, params, timeout_ms, result);
	if (error == GROUPER_OK)
		client->streams = true;
	return error;
}

static enum grouper_error
next(struct grouper_client *client, int64_t timeout_ms, json_t **params)
{
	release(client);
	if (!client->streams)
		return fail(client, GROUPER_INVALID, "there is no stream");
	client->found = NULL;
	return hosts_error(client_next(client->client, timeout_ms, params));
}

enum grouper_error
grouper_client_next(struct grouper_client *client, int64_t timeout_ms,
    char **params)
{
	enum grouper_error error;
	json_t *object;

	if (client == NULL || params == NULL)
		return fail(client, GROUPER_INVALID, "expected params");
	error = next(client, timeout_ms, &object);
	return error != GROUPER_OK ? error : give(client, object, params);
}

/* Messages */

enum grouper_error
grouper_client_subscribe(struct grouper_client *client,
    const char *const *patterns, size_t count, int64_t timeout_ms)
{
	json_t *list = json_array(), *result;
	enum grouper_error error;
	size_t i;

	if (client == NULL || patterns == NULL || count == 0) {
		json_decref(list);
		return fail(client, GROUPER_INVALID, "expected patterns");
	}
	for (i = 0; i < count; i++) {
		if (json_array_append_new(list, json_string(patterns[i])) ==
		    -1) {
			json_decref(list);
			return fail(client, GROUPER_INVALID,
			    "pattern: expected UTF-8");
		}
	}
	error = call(client, "subscribe", json_pack("{s:o}", "patterns", list),
	    timeout_ms, &result);
	json_decref(result);
	if (error == GROUPER_OK)
		client->streams = true;
	return error;
}

static const char *
text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* Reads a notification, which is the client's by now. */
static enum grouper_error
decode(struct grouper_client *client, struct grouper_message *message)
{
	const json_t *object = client->message;
	const json_t *lost = json_object_get(object, "count");

	*message = (struct grouper_message) { .topic = text_in(object, "topic"),
		.event = text_in(object, "event"),
		.payload = "" };
	if (json_is_integer(lost)) {
		message->kind = GROUPER_MESSAGE_LOST;
		message->lost = (uint64_t)json_integer_value(lost);
		return GROUPER_OK;
	}
	message->seq = (uint64_t)json_integer_value(json_object_get(object,
	    "seq"));
	message->from = json_string_value(json_object_get(object, "from"));
	if (payload_take(object, &client->payload, &message->length) == -1)
		return errno == EINVAL ?
		    fail(client, GROUPER_INVALID, "the payload is none") :
		    fail(client, GROUPER_SYSTEM, NO_MEMORY);
	message->payload = client->payload;
	return GROUPER_OK;
}

enum grouper_error
grouper_client_message(struct grouper_client *client, int64_t timeout_ms,
    struct grouper_message *message)
{
	enum grouper_error error;

	if (client == NULL || message == NULL)
		return fail(client, GROUPER_INVALID, "expected a message");
	error = next(client, timeout_ms, &client->message);
	return error != GROUPER_OK ? error : decode(client, message);
}
