/* SPDX-License-Identifier: ISC */
/*
 * Verbs that talk to a running host, see remote.h.
 */
#include "tools/remote.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/control/hosts.h"
#include "tools/json.h"
#include "tools/tool.h"

/* How long a host may take that has no reason to take long. */
#define ANSWER_MS 30000

int
remote_open(struct remote *remote)
{
	enum grouper_error error;
	char why[1024];

	error = hosts_connect(remote->options.socket, remote->options.host,
	    &remote->client, why, sizeof(why));
	if (error == GROUPER_OK)
		return TOOL_OK;
	tool_error(remote->options.verb, "%s", why);
	return error == GROUPER_INVALID ? TOOL_USAGE : TOOL_NO;
}

void
remote_close(struct remote *remote)
{
	client_free(remote->client);
	remote->client = NULL;
}

static int
status_of(enum grouper_error error)
{
	switch (error) {
	case GROUPER_LEADER_DIED:
		return 120;
	case GROUPER_GROUP_UNDER_APP:
		return 121;
	case GROUPER_NO_GROUP:
		return 122;
	default:
		return TOOL_NO;
	}
}

int
remote_fail(struct remote *remote, enum grouper_error error, const char *whom)
{
	/* What is wrong with a file takes several lines. */
	tool_trouble(remote->options.verb, whom, client_error(remote->client));
	return status_of(error);
}

int
remote_print(struct remote *remote, const char *key, json_t *answer)
{
	json_t *whole = json_object();

	if (!remote->options.json) {
		json_decref(whole);
		json_decref(answer);
		return TOOL_OK;
	}
	if (key != NULL)
		json_put(&whole, "key", json_text(key));
	if (whole != NULL && json_object_update(whole, answer) == -1) {
		json_decref(whole);
		whole = NULL;
	}
	json_decref(answer);
	if (json_print(STDOUT_FILENO, whole) == 0)
		return TOOL_OK;
	tool_error(remote->options.verb, "standard output: %s",
	    strerror(errno));
	return TOOL_NO;
}

int
remote_print_error(struct remote *remote, const char *key, const char *error)
{
	return remote_print(remote, key,
	    json_pack("{s:o}", "error", json_text(error)));
}

int
remote_call(struct remote *remote, const char *method, json_t *params,
    const char *whom, json_t **result)
{
	enum grouper_error error;

	error = client_call(remote->client, method, params, ANSWER_MS, result);
	if (error == GROUPER_OK)
		return TOOL_OK;
	return remote_fail(remote, error, whom);
}
