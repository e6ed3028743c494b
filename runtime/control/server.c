/* SPDX-License-Identifier: ISC */
/*
 * The control socket, see server.h.
 *
 * A connection is read line by line and answered in order.  Who does not
 * read its answers is not read from either, so that what a client can make
 * the host hold is one line in and one answer out.
 */
#include "runtime/control/server.h"

#include <sys/queue.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <grouper/group.h>
#include <grouper/ident.h>

#include "runtime/control/descent.h"
#include "runtime/control/rpc.h"
#include "runtime/group/host.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

#define CONNECTIONS_MAX 256
#define READ_STEP 4096
/* When there was no descriptor or memory for a connection. */
#define RETRY_MS 100

struct connection {
	TAILQ_ENTRY(connection) link;
	struct server *server;
	int fd;
	struct ucred peer;
	struct loop_fd *readable;
	struct loop_fd *writable;
	char *in;
	size_t in_length;
	char *out;
	size_t out_length;
	size_t out_done;
};

struct server {
	struct grouper_host *host;
	struct loop_fd *listening;
	struct loop_timer *retry;
	TAILQ_HEAD(, connection) connections;
	size_t count;
};

typedef char *method_fn(struct connection *connection, const json_t *id,
    const json_t *params);

struct method {
	const char *name;
	method_fn *fn;
	bool others; /* also for peers that are neither root nor the host's */
};

static void
listen_again(void *arg)
{
	struct server *server = arg;

	if (server->count < CONNECTIONS_MAX)
		loop_fd_set(server->listening, true);
}

/* Who comes now waits in the socket's queue; nobody is turned away. */
static void
listen_later(struct server *server)
{
	loop_fd_set(server->listening, false);
	if (server->count < CONNECTIONS_MAX)
		loop_timer_set(server->retry, RETRY_MS);
}

static void
connection_free(struct connection *connection)
{
	TAILQ_REMOVE(&connection->server->connections, connection, link);
	connection->server->count--;
	listen_again(connection->server);
	loop_fd_free(connection->readable);
	loop_fd_free(connection->writable);
	fd_close(&connection->fd);
	free(connection->in);
	free(connection->out);
	free(connection);
}

struct membership {
	const struct grouper_host *host;
	pid_t leader;
	const char *key; /* NULL: in no group of ours */
	bool worker;
};

/* A leader is known by its pid, which is our child's: names prove nothing. */
static bool
look_for_leader(const struct os_stat *stat, void *arg)
{
	struct membership *found = arg;

	found->key = host_key_of_leader(found->host, stat->pid, &found->worker);
	found->leader = stat->pid;
	return found->key == NULL;
}

/* {"pid": N}, the peer itself without; which leader of ours it is under. */
static char *
method_ident(struct connection *connection, const json_t *id,
    const json_t *params)
{
	const json_t *given = json_object_get(params, "pid");
	struct membership found = { .host = connection->server->host };
	json_int_t pid = connection->peer.pid;

	if (given != NULL) {
		pid = json_integer_value(given);
		if (!json_is_integer(given) || pid < 1 || pid > INT32_MAX)
			return rpc_error(id, RPC_INVALID_PARAMS,
			    "pid must be a positive integer");
	}
	if (pid < 1 || descent_walk((pid_t)pid, look_for_leader, &found) == -1)
		return rpc_error(id, rpc_code(GROUPER_NOT_FOUND),
		    "no such process");
	if (found.key == NULL)
		return rpc_error(id, rpc_code(GROUPER_NO_GROUP),
		    "not in a group of this host");
	return rpc_result(id,
	    json_pack("{s:s, s:s, s:s, s:i, s:i}", "kind",
		grouper_kind_name(found.worker ? GROUPER_KIND_WORKER :
						 GROUPER_KIND_GROUP),
		"host", host_name(connection->server->host), "key", found.key,
		"leader", (int)found.leader, "host_pid", (int)getpid()));
}

static const struct method methods[] = {
	{ "ident", method_ident, true },
};

static const struct method *
find_method(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

static bool
may_call(const struct connection *connection, const struct method *method)
{
	uid_t uid = connection->peer.uid;

	return method->others || uid == 0 || uid == geteuid();
}

static bool
is_request(const json_t *request)
{
	const json_t *params = json_object_get(request, "params");
	const char *version = json_string_value(json_object_get(request,
	    "jsonrpc"));

	return version != NULL && strcmp(version, "2.0") == 0 &&
	    json_is_string(json_object_get(request, "method")) &&
	    (params == NULL || json_is_object(params));
}

static char *
call(struct connection *connection, const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	const struct method *method;

	if (!is_request(request))
		return rpc_error(id, RPC_INVALID_REQUEST,
		    "expected jsonrpc 2.0, method and an object of params");
	method =
	    find_method(json_string_value(json_object_get(request, "method")));
	if (method == NULL)
		return rpc_error(id, RPC_METHOD_NOT_FOUND, "unknown method");
	if (!may_call(connection, method))
		return rpc_error(id, RPC_INVALID_REQUEST,
		    "not permitted to this user");
	return method->fn(connection, id, json_object_get(request, "params"));
}

/* False without memory; *reply is NULL where there is nothing to say. */
static bool
answer(struct connection *connection, const char *line, size_t length,
    char **reply)
{
	json_t *request;
	bool silent;

	request = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	if (request == NULL) {
		*reply = rpc_error(NULL, RPC_PARSE_ERROR, "not JSON");
		return *reply != NULL;
	}
	*reply = call(connection, request);
	/* A notification is not answered, JSON-RPC 2.0 section 4.1. */
	silent = is_request(request) && json_object_get(request, "id") == NULL;
	json_decref(request);
	if (*reply == NULL)
		return false;
	if (silent) {
		free(*reply);
		*reply = NULL;
	}
	return true;
}

static void serve_lines(struct connection *connection);

static void
on_writable(int fd, void *arg)
{
	struct connection *connection = arg;
	ssize_t n;

	n = send(fd, connection->out + connection->out_done,
	    connection->out_length - connection->out_done,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			connection_free(connection);
		return;
	}
	connection->out_done += (size_t)n;
	if (connection->out_done < connection->out_length)
		return;
	free(connection->out);
	connection->out = NULL;
	loop_fd_set(connection->writable, false);
	loop_fd_set(connection->readable, true);
	serve_lines(connection);
}

/* Answers one line; further ones when the answer was taken. */
static void
serve_lines(struct connection *connection)
{
	char *end, *reply;
	size_t length;

	do {
		if (connection->in_length == 0)
			return;
		end = memchr(connection->in, '\n', connection->in_length);
		if (end == NULL)
			return;
		length = (size_t)(end - connection->in);
		if (!answer(connection, connection->in, length, &reply)) {
			connection_free(connection);
			return;
		}
		connection->in_length -= length + 1;
		memmove(connection->in, end + 1, connection->in_length);
	} while (reply == NULL);
	connection->out = reply;
	connection->out_length = strlen(reply);
	connection->out_done = 0;
	loop_fd_set(connection->readable, false);
	loop_fd_set(connection->writable, true);
}

static void
on_readable(int fd, void *arg)
{
	struct connection *connection = arg;
	char *grown;
	ssize_t n;

	if (connection->in_length + READ_STEP > RPC_LINE_MAX) {
		connection_free(connection);
		return;
	}
	grown = realloc(connection->in, connection->in_length + READ_STEP);
	if (grown == NULL) {
		connection_free(connection);
		return;
	}
	connection->in = grown;
	n = recv(fd, grown + connection->in_length, READ_STEP, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		connection_free(connection);
		return;
	}
	connection->in_length += (size_t)n;
	serve_lines(connection);
}

/* Takes the descriptor over. */
static void
connection_new(struct server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	socklen_t length = sizeof(connection->peer);
	struct loop *loop = host_loop(server->host);

	if (connection == NULL) {
		close(fd);
		return;
	}
	TAILQ_INSERT_TAIL(&server->connections, connection, link);
	server->count++;
	connection->server = server;
	connection->fd = fd;
	connection->readable = loop_fd_new(loop, fd, LOOP_READ, on_readable,
	    connection);
	connection->writable = loop_fd_new(loop, fd, LOOP_WRITE, on_writable,
	    connection);
	if (connection->readable == NULL || connection->writable == NULL ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &connection->peer,
		&length) == -1) {
		connection_free(connection);
		return;
	}
	loop_fd_set(connection->writable, false);
}

static void
on_connect(int fd, void *arg)
{
	struct server *server = arg;
	int peer;

	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer != -1)
		connection_new(server, peer);
	/* A client that is gone already is none of our trouble. */
	if ((peer == -1 && errno != EAGAIN && errno != ECONNABORTED) ||
	    server->count == CONNECTIONS_MAX)
		listen_later(server);
}

static void
server_free(void *arg)
{
	struct server *server = arg;
	struct connection *connection;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((connection = TAILQ_FIRST(&server->connections)) != NULL)
		connection_free(connection);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	loop_fd_free(server->listening);
	loop_timer_free(server->retry);
	free(server);
}

int
server_attach(struct grouper_host *host)
{
	struct server *server;

	if (host_listen(host) == -1)
		return -1;
	if (host_listener(host) == -1)
		return 0;
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return -1;
	TAILQ_INIT(&server->connections);
	server->host = host;
	server->listening = loop_fd_new(host_loop(host), host_listener(host),
	    LOOP_READ, on_connect, server);
	server->retry = loop_timer_new(host_loop(host), listen_again, server);
	if (server->listening == NULL || server->retry == NULL) {
		loop_fd_free(server->listening);
		loop_timer_free(server->retry);
		free(server);
		return -1;
	}
	host_on_close(host, server_free, server);
	return 0;
}

enum grouper_error
grouper_host_new(struct event_base *base,
    const struct grouper_host_options *options, struct grouper_host **host)
{
	enum grouper_error error;
	struct signals signals;
	struct loop *loop;

	if (base == NULL || host == NULL)
		return GROUPER_INVALID;
	loop = loop_new(base);
	if (loop == NULL)
		return GROUPER_SYSTEM;
	signals_save(&signals); /* before the host changes SIGCHLD */
	error = host_new(loop, options, host);
	if (error != GROUPER_OK) {
		loop_free(loop);
		return error;
	}
	host_own_loop(*host);
	host_set_signals(*host, &signals);
	if (server_attach(*host) == -1) {
		grouper_host_free(*host);
		return GROUPER_SYSTEM;
	}
	return GROUPER_OK;
}
