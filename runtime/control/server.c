/* SPDX-License-Identifier: ISC */
/*
 * The control socket, see server.h.
 */
#include "runtime/control/server.h"

#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/control/connection.h"
#include "runtime/control/membership.h"
#include "runtime/control/rpc.h"
#include "runtime/group/host.h"
#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

/* No more than a quarter of the descriptors: children need them, too. */
#define CLIENTS_MAX 256
#define CLIENTS_MIN 16
/* Of these, so many at most are other users'. */
#define OTHERS_PART 4
/* So many, at least, wait for nothing and can make room for who comes. */
#define SPARE_PART 8
/* Calls of one client that wait for their answers. */
#define CALLS_MAX 64
/* When there was no descriptor or memory for a connection. */
#define RETRY_MS 100
#define CLOSE_MS 1000 /* for clients to take what the host said at its end */
/* Who says nothing for so long makes room for others when there is none. */
#define IDLE_MS 5000

struct call {
	TAILQ_ENTRY(call) link;
	struct client *client;
	json_t *id;	    /* NULL: a notification */
	const char *stream; /* its method; NULL: not answered yet */
	call_next_fn *next;
	call_gone_fn *on_gone;
	void *arg;
};

struct client {
	TAILQ_ENTRY(client) link; /* the longest idle comes first */
	struct server *server;
	struct connection *connection;
	TAILQ_HEAD(, call) calls;
	size_t ncalls;
	size_t nkept;	   /* of these */
	bool other;	   /* neither root nor the host's user */
	const char *group; /* its key, once it was asked for */
	int64_t heard;	   /* when, of clock_ms() */
};

struct server {
	struct host_watch watch;
	struct grouper_host *host;
	const struct server_methods *methods;
	struct loop_fd *listening;
	struct loop_timer *retry;
	TAILQ_HEAD(clients, client) clients;
	size_t nclients;
	size_t max_clients;
	size_t nothers;
	size_t nkeeping; /* clients whose calls are kept */
	struct connection_room room;
	server_methods_fn *methods_fn; /* NULL: they are known */
	void *methods_arg;
};

/* Clients */

/* All but one whose clients have left: nothing told that of these. */
static void
drop_gone(struct server *server, const struct client *but)
{
	struct client *client, *next;

	TAILQ_FOREACH_SAFE(client, &server->clients, link, next)
		if (client != but && connection_gone(client->connection))
			connection_free(client->connection);
}

/* One that has left, or the longest idle; false if all are in use. */
static bool
make_room(struct server *server)
{
	struct client *client;

	TAILQ_FOREACH(client, &server->clients, link)
		if (connection_gone(client->connection) ||
		    (client->ncalls == 0 &&
			clock_ms() - client->heard >= IDLE_MS)) {
			connection_free(client->connection);
			return true;
		}
	return false;
}

static void
listen_again(void *arg)
{
	struct server *server = arg;

	loop_fd_set(server->listening, true);
}

/* Who comes now waits in the socket's queue; nobody is turned away. */
static void
listen_later(struct server *server)
{
	loop_fd_set(server->listening, false);
	loop_timer_set(server->retry, RETRY_MS);
}

/* Calls */

static struct call *
call_new(struct client *client, const json_t *id)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->client = client;
	call->id = id == NULL ? NULL : json_deep_copy(id);
	if (id != NULL && call->id == NULL) {
		free(call);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&client->calls, call, link);
	client->ncalls++;
	connection_await(client->connection, true);
	return call;
}

static void
call_free(struct call *call)
{
	struct client *client = call->client;

	TAILQ_REMOVE(&client->calls, call, link);
	client->ncalls--;
	if (call->on_gone != NULL && --client->nkept == 0)
		client->server->nkeeping--;
	if (client->ncalls == 0)
		connection_await(client->connection, false);
	json_decref(call->id);
	free(call);
}

/* A notification is not answered, JSON-RPC 2.0 section 4.1. */
static void
call_say(struct call *call, char *line)
{
	if (call->id != NULL)
		connection_send(call->client->connection, line);
	else
		free(line);
}

void
call_result(struct call *call, json_t *result)
{
	call_say(call, rpc_result(call->id, result));
	call_free(call);
}

void
call_result_text(struct call *call, const char *member, const char *text)
{
	call_say(call, rpc_result_text(call->id, member, text));
	call_free(call);
}

void
call_result_fds(struct call *call, json_t *result, const int *fds, size_t count)
{
	size_t i;
	int fd;

	if (call->id != NULL) {
		connection_send_fds(call->client->connection,
		    rpc_result(call->id, result), fds, count);
	} else {
		json_decref(result);
		for (i = 0; i < count; i++) {
			fd = fds[i];
			fd_close(&fd);
		}
	}
	call_free(call);
}

size_t
call_take_fds(struct call *call, int fds[CONNECTION_FDS_MAX])
{
	return connection_take(call->client->connection, fds);
}

void
call_fail_code(struct call *call, int code, const char *text)
{
	call_say(call, rpc_error(call->id, code, text));
	call_free(call);
}

void
call_fail(struct call *call, enum grouper_error error, const char *text)
{
	call_fail_code(call, rpc_code(error),
	    text != NULL ? text : grouper_strerror(error));
}

pid_t
call_pid(const struct call *call)
{
	return connection_peer(call->client->connection)->pid;
}

/* Whether a client that waits for nothing yet may do so. */
static bool
may_keep(struct client *client)
{
	struct server *server = client->server;
	size_t max = server->max_clients - server->max_clients / SPARE_PART;

	if (server->nkeeping >= max)
		drop_gone(server, client);
	return server->nkeeping < max;
}

/* False if too many are kept: the call is over then. */
static bool
keep(struct call *call, call_gone_fn *on_gone, void *arg)
{
	struct client *client = call->client;

	if (client->nkept == 0 && !may_keep(client)) {
		on_gone(arg);
		call_fail(call, GROUPER_SYSTEM,
		    "too many clients wait for answers");
		return false;
	}
	if (client->nkept++ == 0)
		client->server->nkeeping++;
	call->on_gone = on_gone;
	call->arg = arg;
	return true;
}

void
call_defer(struct call *call, call_gone_fn *on_gone, void *arg)
{
	keep(call, on_gone, arg);
}

void
call_stream(struct call *call, json_t *result, const char *method,
    call_next_fn *next, call_gone_fn *on_gone, void *arg)
{
	if (!keep(call, on_gone, arg)) {
		json_decref(result);
		return;
	}
	call_say(call, rpc_result(call->id, result));
	call->stream = method;
	call->next = next;
}

void
call_wake(struct call *call)
{
	struct connection *connection = call->client->connection;
	json_t *params;

	if (call->stream == NULL || connection_queued(connection) > 0)
		return; /* asked when that is taken */
	params = call->next(call->arg);
	if (params != NULL)
		connection_send(connection,
		    rpc_notification(call->stream, params));
}

/* Connections */

static void
on_end(struct connection *connection, void *arg)
{
	struct client *client = arg;
	struct server *server = client->server;
	struct call *call;

	(void)connection;
	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((call = TAILQ_FIRST(&client->calls)) != NULL) {
		if (call->on_gone != NULL)
			call->on_gone(call->arg);
		call_free(call);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	TAILQ_REMOVE(&server->clients, client, link);
	server->nclients--;
	server->nothers -= client->other;
	listen_again(server);
	free(client);
}

static void
on_drained(struct connection *connection, void *arg)
{
	struct client *client = arg;
	struct call *call;

	TAILQ_FOREACH(call, &client->calls, link)
		if (connection_queued(connection) == 0)
			call_wake(call);
}

/* Requests */

const char *
call_group(const struct call *call)
{
	struct client *client = call->client;

	/* It stays in its group, whose leader adopts all orphans. */
	if (client->group == NULL)
		client->group = membership_key(client->server->host,
		    call_pid(call));
	return client->group;
}

bool
call_is_foreign(const struct call *call)
{
	return call->client->other;
}

static const struct server_method own_method = { "ident", membership_method,
	true };

static const struct server_method *
find_method(const struct server *server, const char *name, void **arg)
{
	const struct server_methods *methods;
	size_t i;

	*arg = server->host;
	if (strcmp(own_method.name, name) == 0)
		return &own_method;
	for (methods = server->methods; methods != NULL;
	     methods = methods->next) {
		*arg = methods->arg;
		for (i = 0; i < methods->count; i++)
			if (strcmp(methods->list[i].name, name) == 0)
				return &methods->list[i];
	}
	return NULL;
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

static void
refuse(struct client *client, const json_t *id, int code, const char *text)
{
	connection_send(client->connection, rpc_error(id, code, text));
}

static void
serve(struct client *client, const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	const struct server_method *method;
	struct call *call;
	void *arg;

	if (!is_request(request)) {
		refuse(client, id, RPC_INVALID_REQUEST,
		    "expected jsonrpc 2.0, method and an object of params");
		return;
	}
	call = client->ncalls < CALLS_MAX ? call_new(client, id) : NULL;
	if (call == NULL) {
		refuse(client, id, rpc_code(GROUPER_SYSTEM),
		    "too many requests that wait for their answers");
		return;
	}
	method = find_method(client->server,
	    json_string_value(json_object_get(request, "method")), &arg);
	if (method == NULL)
		call_fail_code(call, RPC_METHOD_NOT_FOUND, "unknown method");
	else if (client->other && !method->others)
		call_fail_code(call, RPC_INVALID_REQUEST,
		    "not permitted to this user");
	else
		method->fn(call, json_object_get(request, "params"), arg);
}

static void
on_line(struct connection *connection, const char *line, size_t length,
    void *arg)
{
	struct client *client = arg;
	struct clients *clients = &client->server->clients;
	json_t *request;

	(void)connection;
	client->heard = clock_ms();
	TAILQ_REMOVE(clients, client, link);
	TAILQ_INSERT_TAIL(clients, client, link);
	errno = 0;
	request = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	if (request == NULL && errno == ENOMEM)
		refuse(client, NULL, rpc_code(GROUPER_SYSTEM), strerror(errno));
	else if (request == NULL)
		refuse(client, NULL, RPC_PARSE_ERROR, "not JSON");
	else
		serve(client, request);
	json_decref(request);
	os_trim_heap_after(length); /* it took up to 50 times as much */
}

/* The server */

static int
client_new(struct server *server, int fd)
{
	static const struct connection_handler handler = { on_line, on_drained,
		on_end };
	struct client *client = calloc(1, sizeof(*client));
	uid_t uid;

	if (client == NULL) {
		close(fd);
		return -1;
	}
	client->server = server;
	client->heard = clock_ms();
	TAILQ_INIT(&client->calls);
	client->connection = connection_new(host_loop(server->host), fd,
	    &handler, client);
	if (client->connection == NULL) {
		free(client);
		return -1;
	}
	uid = connection_peer(client->connection)->uid;
	client->other = uid != 0 && uid != geteuid();
	/* What others may call takes none. */
	if (!client->other)
		connection_accept(client->connection, &server->room);
	TAILQ_INSERT_TAIL(&server->clients, client, link);
	server->nclients++;
	server->nothers += client->other;
	if (server->nothers > server->max_clients / OTHERS_PART)
		connection_free(client->connection);
	return 0;
}

static void
on_connect(int fd, void *arg)
{
	struct server *server = arg;
	int peer;

	if (server->methods_fn != NULL &&
	    (server->methods = server->methods_fn(server->methods_arg)) != NULL)
		server->methods_fn = NULL;
	if (server->nclients >= server->max_clients && !make_room(server)) {
		listen_later(server);
		return;
	}
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	/* A client that is gone already is none of our trouble. */
	if (peer == -1 && (errno == EAGAIN || errno == ECONNABORTED))
		return;
	if (peer == -1 || client_new(server, peer) == -1)
		listen_later(server);
}

static void
server_close(void *arg)
{
	int64_t deadline = clock_deadline(CLOSE_MS);
	struct server *server = arg;
	struct client *client;

	/* What ended the host may be the answer: who reads gets it. */
	TAILQ_FOREACH(client, &server->clients, link)
		connection_flush(client->connection, 0);
	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((client = TAILQ_FIRST(&server->clients)) != NULL) {
		connection_flush(client->connection, deadline);
		connection_free(client->connection);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	loop_fd_free(server->listening);
	loop_timer_free(server->retry);
}

static void
server_free(void *arg)
{
	free(arg);
}

static size_t
count_clients(void)
{
	struct rlimit limit;
	rlim_t share = CLIENTS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < share)
		share = limit.rlim_cur / 4;
	return share < CLIENTS_MIN ? CLIENTS_MIN : (size_t)share;
}

static int
attach(struct grouper_host *host, const struct server_methods *methods,
    server_methods_fn *fn, void *arg)
{
	struct server *server;

	if (host_listen(host) == -1)
		return -1;
	if (host_listener(host) == -1)
		return 0;
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return -1;
	TAILQ_INIT(&server->clients);
	server->host = host;
	server->methods = methods;
	server->methods_fn = fn;
	server->methods_arg = arg;
	server->max_clients = count_clients();
	server->room.max = server->max_clients / 2;
	server->listening = loop_fd_new(host_loop(host), host_listener(host),
	    LOOP_READ, on_connect, server);
	server->retry = loop_timer_new(host_loop(host), listen_again, server);
	if (server->listening == NULL || server->retry == NULL) {
		loop_fd_free(server->listening);
		loop_timer_free(server->retry);
		free(server);
		return -1;
	}
	server->watch = (struct host_watch) { .on_close = server_close,
		.on_free = server_free,
		.arg = server };
	host_watch(host, &server->watch);
	return 0;
}

int
server_attach(struct grouper_host *host, const struct server_methods *methods)
{
	return attach(host, methods, NULL, NULL);
}

int
server_attach_later(struct grouper_host *host, server_methods_fn *fn, void *arg)
{
	return attach(host, NULL, fn, arg);
}

void
server_set_methods(struct grouper_host *host,
    const struct server_methods *methods)
{
	struct server *server = host_watch_arg(host, server_free);
	struct client *client, *next;

	if (server == NULL)
		return;
	TAILQ_FOREACH_SAFE(client, &server->clients, link, next)
		if (client->ncalls > 0)
			connection_free(client->connection);
	server->methods = methods;
	server->methods_fn = NULL;
}
