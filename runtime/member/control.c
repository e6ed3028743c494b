/* SPDX-License-Identifier: ISC */
/*
 * What a member asks of its host over the control socket: names, settings.
 * Each request has a connection of its own, so that a member holds none of
 * the host's, and a fork none of the member's.
 */
#include <grouper/member.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/control/hosts.h"
#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"
#include "runtime/control/payload.h"
#include "runtime/member/private.h"
#include "runtime/relay/topic.h"
#include "runtime/util/clock.h"

#define ANSWER_MS 30000

enum grouper_error
control_call(struct grouper_member *member, const char *method, json_t *params,
    json_t **result, struct client_fds *got)
{
	int64_t deadline = clock_deadline(ANSWER_MS), left;
	enum grouper_error error = GROUPER_NO_GROUP;
	struct client *client = NULL;

	*result = NULL;
	if (params == NULL)
		return GROUPER_SYSTEM;
	if (member->socket != NULL) {
		client = client_connect(member->socket, CLIENT_TRUSTS_OWN,
		    ANSWER_MS);
		if (client == NULL)
			error = hosts_error(GROUPER_SYSTEM);
	}
	/* A host that asked itself would wait for its own loop. */
	if (client == NULL || client_peer(client) == getpid()) {
		json_decref(params);
	} else {
		left = deadline - clock_ms();
		errno = EIO; /* unless it is ours: the host's */
		error = hosts_error(client_call_fds(client, method, params,
		    NULL, left > 0 ? left : 0, result, got));
	}
	client_free(client);
	return error;
}

/* A request without descriptors, by the owner; params is taken over. */
static enum grouper_error
call(struct grouper_member *member, const char *method, json_t *params,
    json_t **result)
{
	if (member_is_ours(member))
		return control_call(member, method, params, result, NULL);
	json_decref(params);
	*result = NULL;
	return GROUPER_INVALID;
}

/* A name, and one that JSON can hold. */
static bool
is_name(const char *name)
{
	json_t *probe;

	if (name == NULL || !topic_name_valid(name, strlen(name)))
		return false;
	probe = json_string(name); /* NULL unless it is UTF-8 */
	json_decref(probe);
	return probe != NULL;
}

/* An object with one text that is_name(); NULL without memory. */
static json_t *
params_of(const char *name, const char *text)
{
	return json_pack("{s:s}", name, text);
}

/* The answer was not as it should be. */
static enum grouper_error
fail_protocol(void)
{
	errno = EPROTO;
	return GROUPER_SYSTEM;
}

enum grouper_error
grouper_member_register(struct grouper_member *member, const char *name,
    pid_t pid, int *registered)
{
	enum grouper_error error;
	json_t *params, *result;

	if (!is_name(name) || pid < 0 || registered == NULL)
		return GROUPER_INVALID;
	params = params_of("name", name);
	if (pid != 0)
		json_put(&params, "pid", json_integer(pid));
	error = call(member, "register", params, &result);
	if (error == GROUPER_OK &&
	    json_unpack(result, "{s:b}", "registered", registered) == -1)
		error = fail_protocol();
	json_decref(result);
	return error;
}

enum grouper_error
grouper_member_unregister(struct grouper_member *member, const char *name)
{
	enum grouper_error error;
	json_t *result;

	if (!is_name(name))
		return GROUPER_INVALID;
	error = call(member, "unregister", params_of("name", name), &result);
	json_decref(result);
	return error;
}

enum grouper_error
grouper_member_whereis(struct grouper_member *member, const char *name,
    pid_t *pid)
{
	enum grouper_error error;
	json_t *result;

	if (!is_name(name) || pid == NULL)
		return GROUPER_INVALID;
	error = call(member, "whereis", params_of("name", name), &result);
	if (error == GROUPER_OK) /* null is no integer: 0 */
		*pid = (pid_t)json_integer_value(json_object_get(result,
		    "pid"));
	json_decref(result);
	return error;
}

enum grouper_error
grouper_member_send(struct grouper_member *member, const char *name,
    const char *event, const void *payload, size_t length)
{
	enum grouper_error error;
	json_t *params, *result;

	if (!is_name(name) || !is_name(event) ||
	    (payload == NULL && length > 0) || length > GROUPER_PAYLOAD_MAX)
		return GROUPER_INVALID;
	params = json_pack("{s:s, s:s}", "name", name, "event", event);
	if (params != NULL && payload_put(params, payload, length) == -1) {
		json_decref(params);
		params = NULL;
	}
	error = call(member, "send", params, &result);
	json_decref(result);
	return error;
}

/* Settings */

/* The text of a value, "null" too; taken over; NULL there: no memory. */
static enum grouper_error
text_of(const json_t *value, char **text)
{
	if (value == NULL)
		return fail_protocol();
	*text = json_write(value);
	if (*text != NULL)
		return GROUPER_OK;
	errno = ENOMEM;
	return GROUPER_SYSTEM;
}

static enum grouper_error
get(struct grouper_member *member, const char *method, json_t *params,
    const char *what, char **json)
{
	enum grouper_error error;
	json_t *result;

	error = call(member, method, params, &result);
	if (error == GROUPER_OK)
		error = text_of(json_object_get(result, what), json);
	json_decref(result);
	return error;
}

enum grouper_error
grouper_member_config_get(struct grouper_member *member, const char *key,
    char **json)
{
	if (!is_name(key) || json == NULL)
		return GROUPER_INVALID;
	return get(member, "config.get", params_of("key", key), "value", json);
}

enum grouper_error
grouper_member_config_list(struct grouper_member *member, char **json)
{
	if (json == NULL)
		return GROUPER_INVALID;
	return get(member, "config.list", json_object(), "settings", json);
}

/* A change, whose answer has the value before. */
static enum grouper_error
set(struct grouper_member *member, const char *method, json_t *params,
    char **old)
{
	enum grouper_error error;
	json_t *result;

	error = call(member, method, params, &result);
	if (error == GROUPER_OK && old != NULL) {
		*old = NULL;
		if (json_is_true(json_object_get(result, "known")))
			error = text_of(json_object_get(result, "old"), old);
	}
	json_decref(result);
	return error;
}

enum grouper_error
grouper_member_config_put(struct grouper_member *member, const char *key,
    const char *json, char **old)
{
	json_t *params, *value;

	if (!is_name(key) || json == NULL)
		return GROUPER_INVALID;
	value = json_loads(json, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
	    NULL);
	if (value == NULL)
		return GROUPER_INVALID;
	params = params_of("key", key);
	if (params == NULL)
		json_decref(value);
	else
		json_put(&params, "value", value);
	return set(member, "config.put", params, old);
}

enum grouper_error
grouper_member_config_delete(struct grouper_member *member, const char *key,
    char **old)
{
	if (!is_name(key))
		return GROUPER_INVALID;
	return set(member, "config.delete", params_of("key", key), old);
}
