/* SPDX-License-Identifier: ISC */
/*
 * JSON-RPC 2.0 over a stream: one object a line.
 */
#ifndef RUNTIME_CONTROL_RPC_H
#define RUNTIME_CONTROL_RPC_H

#include <jansson.h>

#include <grouper/error.h>

/* A request may be this long, newline included: a payload and its names. */
#define RPC_LINE_MAX ((size_t)2 << 20)

/* JSON-RPC's own codes, https://www.jsonrpc.org/specification, section 5.1. */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
};

/* The code of one of grouper's errors: -32000, -32001, ... */
int rpc_code(enum grouper_error error);

/* And back; GROUPER_INVALID for a code that is none of them. */
enum grouper_error rpc_error_of(int code);

/*
 * Answers as lines, to be freed; NULL without memory.  id may be NULL (null
 * in the answer); result is taken over, text is copied and may be any bytes.
 * For what is large as an object: a result with one member, whose value is
 * the text of JSON.
 */
char *rpc_result(const json_t *id, json_t *result);
char *rpc_result_text(const json_t *id, const char *member, const char *text);
char *rpc_error(const json_t *id, int code, const char *text);

/* A notification of the server's; params is taken over. */
char *rpc_notification(const char *method, json_t *params);

/* A request line; params is taken over. */
char *rpc_request(int id, const char *method, json_t *params);

#endif
