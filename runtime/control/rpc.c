/* SPDX-License-Identifier: ISC */
/*
 * JSON-RPC 2.0 lines, see rpc.h.
 */
#include "runtime/control/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/json_text.h"

int
rpc_code(enum grouper_error error)
{
	return -32000 - (int)error;
}

enum grouper_error
rpc_error_of(int code)
{
	if (code >= rpc_code(GROUPER_OK) || code < rpc_code(GROUPER_SYSTEM))
		return GROUPER_INVALID;
	return (enum grouper_error)(-32000 - code);
}

/* One line; takes the object over. */
static char *
line_of(json_t *object)
{
	char *text, *line = NULL;
	size_t length;

	text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text != NULL) {
		length = strlen(text);
		line = realloc(text, length + 2);
		if (line == NULL)
			free(text);
		else
			memcpy(line + length, "\n", 2);
	}
	return line;
}

static json_t *
id_or_null(const json_t *id)
{
	return id != NULL ? json_deep_copy(id) : json_null();
}

char *
rpc_result(const json_t *id, json_t *result)
{
	return line_of(json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id",
	    id_or_null(id), "result", result));
}

char *
rpc_result_text(const json_t *id, const char *member, const char *text)
{
	char *id_text = id == NULL ? strdup("null") :
				     json_dumps(id, JSON_ENCODE_ANY);
	char *line = NULL;

	if (id_text != NULL &&
	    asprintf(&line,
		"{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"%s\":%s}}\n",
		id_text, member, text) == -1)
		line = NULL;
	free(id_text);
	return line;
}

char *
rpc_error(const json_t *id, int code, const char *text)
{
	return line_of(json_pack("{s:s, s:o, s:{s:i, s:o}}", "jsonrpc", "2.0",
	    "id", id_or_null(id), "error", "code", code, "message",
	    json_text(text)));
}

char *
rpc_notification(const char *method, json_t *params)
{
	return line_of(json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method",
	    method, "params", params));
}

char *
rpc_request(int id, const char *method, json_t *params)
{
	return line_of(json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id",
	    id, "method", method, "params", params));
}
