/* SPDX-License-Identifier: ISC */
/*
 * A client of the control socket, see client.h.
 */
#include "runtime/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/control/rpc.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

#define READ_STEP 4096
#define RETRY_MS 20
/* The problems of a tree file, each with its line. */
#define ERROR_MAX 16384
/* A status of a hundred thousand children is longer than any request. */
#define ANSWER_MAX ((size_t)256 << 20)

struct client {
	int fd;
	pid_t peer;
	int last_id;
	char *in;
	size_t length;
	size_t room;
	size_t searched; /* no newline up to here */
	struct client_fds came;
	char error[ERROR_MAX];
};

bool
client_trusts(int fd, enum client_trust trust, struct ucred *peer)
{
	socklen_t length = sizeof(*peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &length) == -1)
		return false;
	if (peer->uid == 0 || peer->uid == geteuid() ||
	    (geteuid() == 0 && trust == CLIENT_TRUSTS_NAMED))
		return true;
	errno = EACCES;
	return false;
}

/* Nothing tells when there is room, connect(2). */
static int
connect_until(int fd, const struct sockaddr_un *address, int64_t deadline)
{
	while (connect(fd, (const struct sockaddr *)address,
		   sizeof(*address)) == -1) {
		if (errno != EAGAIN)
			return -1;
		if (deadline != -1 && clock_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

struct client *
client_connect(const char *path, enum client_trust trust, int64_t limit_ms)
{
	int64_t deadline = clock_deadline(limit_ms);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client *client;
	struct ucred peer;
	int saved;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	strcpy(address.sun_path, path);
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return NULL;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (client->fd != -1 &&
	    connect_until(client->fd, &address, deadline) == 0 &&
	    client_trusts(client->fd, trust, &peer)) {
		client->peer = peer.pid;
		return client;
	}
	saved = errno;
	client_free(client);
	errno = saved;
	return NULL;
}

void
client_fds_close(struct client_fds *fds)
{
	while (fds->count > 0)
		fd_close(&fds->list[--fds->count]);
}

void
client_free(struct client *client)
{
	if (client == NULL)
		return;
	fd_close(&client->fd);
	client_fds_close(&client->came);
	free(client->in);
	free(client);
}

pid_t
client_peer(const struct client *client)
{
	return client->peer;
}

int
client_fd(const struct client *client)
{
	return client->fd;
}

const char *
client_error(const struct client *client)
{
	return client->error;
}

static enum grouper_error
fail(struct client *client, enum grouper_error error, const char *text)
{
	strlcpy(client->error, text, sizeof(client->error));
	return error;
}

static enum grouper_error
fail_system(struct client *client)
{
	int saved = errno;

	fail(client, GROUPER_SYSTEM, strerror(saved));
	errno = saved;
	return GROUPER_SYSTEM;
}

static enum grouper_error
await(struct client *client, short events, int64_t deadline)
{
	int n = fd_await(client->fd, events, deadline);

	if (n == -1)
		return fail_system(client);
	if (n == 0)
		return fail(client, GROUPER_TIMED_OUT,
		    "the host does not answer");
	return GROUPER_OK;
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(CONNECTION_FDS_MAX * sizeof(int))];
};

/* As send(2), with descriptors, if not NULL. */
static ssize_t
send_some(const struct client *client, const char *text, size_t length,
    const struct client_fds *fds)
{
	size_t bytes = fds != NULL ? fds->count * sizeof(int) : 0;
	struct iovec iov = { (char *)(uintptr_t)text, length };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { .bytes = { 0 } };

	if (bytes > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.header), fds->list, bytes);
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(bytes);
	}
	return sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum grouper_error
send_all(struct client *client, const char *text,
    const struct client_fds *given, int64_t deadline)
{
	size_t length = strlen(text), done = 0;
	enum grouper_error error;
	ssize_t n;

	while (done < length) {
		error = await(client, POLLOUT, deadline);
		if (error != GROUPER_OK)
			return error;
		n = send_some(client, text + done, length - done,
		    done == 0 ? given : NULL);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return fail_system(client);
		if (n > 0)
			done += (size_t)n;
	}
	return GROUPER_OK;
}

/* What came before for no answer is nobody's. */
static void
keep_fds(struct client *client, struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t bytes;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return;
	client_fds_close(&client->came);
	bytes = header->cmsg_len - CMSG_LEN(0);
	memcpy(client->came.list, CMSG_DATA(header), bytes);
	client->came.count = bytes / sizeof(int);
}

/* As recv(2). */
static ssize_t
receive(struct client *client, char *buffer, size_t size)
{
	union control control = { .bytes = { 0 } };
	struct iovec iov = { buffer, size };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_LEN(CONNECTION_FDS_MAX * sizeof(int)) };
	ssize_t n;

	n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n > 0)
		keep_fds(client, &message);
	return n;
}

static enum grouper_error
read_more(struct client *client, int64_t deadline)
{
	enum grouper_error error;
	char *grown;
	size_t room;
	ssize_t n;

	if (client->room - client->length < READ_STEP) {
		room = client->room == 0 ? 2 * READ_STEP : 2 * client->room;
		if (room > ANSWER_MAX)
			return fail(client, GROUPER_INVALID,
			    "the answer is too long");
		grown = realloc(client->in, room);
		if (grown == NULL)
			return fail_system(client);
		client->in = grown;
		client->room = room;
	}
	error = await(client, POLLIN, deadline);
	if (error != GROUPER_OK)
		return error;
	n = receive(client, client->in + client->length,
	    client->room - client->length);
	if (n == 0) {
		errno = ECONNRESET;
		n = -1;
	} else if (n == -1 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	if (n == -1)
		return fail_system(client);
	client->length += (size_t)n;
	return GROUPER_OK;
}

/* The next line as an object. */
static enum grouper_error
read_object(struct client *client, int64_t deadline, json_t **object)
{
	enum grouper_error error;
	size_t length;
	char *end;

	for (;;) {
		end = client->length == client->searched ?
		    NULL :
		    memchr(client->in + client->searched, '\n',
			client->length - client->searched);
		if (end != NULL)
			break;
		client->searched = client->length;
		error = read_more(client, deadline);
		if (error != GROUPER_OK)
			return error;
	}
	length = (size_t)(end - client->in);
	*object = json_loadb(client->in, length, JSON_REJECT_DUPLICATES, NULL);
	client->length -= length + 1;
	memmove(client->in, end + 1, client->length);
	client->searched = 0;
	if (json_is_object(*object))
		return GROUPER_OK;
	json_decref(*object);
	*object = NULL;
	return fail(client, GROUPER_INVALID, "the answer is not JSON-RPC");
}

/* What an answer says; the answer is released. */
static enum grouper_error
take_answer(struct client *client, json_t *answer, json_t **result)
{
	const json_t *error = json_object_get(answer, "error");
	const char *text = json_string_value(json_object_get(error, "message"));
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	enum grouper_error number = GROUPER_OK;

	*result = json_object_get(answer, "result");
	json_incref(*result);
	if (*result == NULL) {
		number = rpc_error_of((int)code);
		fail(client, number, text != NULL ? text : "no result");
	}
	json_decref(answer);
	return number;
}

/*
 * To the last request; or to one that the host could not read, for which it
 * has no id: there is no other.
 */
static bool
is_answer(const struct client *client, const json_t *object)
{
	const json_t *id = json_object_get(object, "id");

	return json_is_null(id) || json_integer_value(id) == client->last_id;
}

static void
give_fds(struct client *client, struct client_fds *got)
{
	if (got != NULL) {
		*got = client->came;
		client->came.count = 0;
	}
	client_fds_close(&client->came);
}

enum grouper_error
client_call(struct client *client, const char *method, json_t *params,
    int64_t limit_ms, json_t **result)
{
	return client_call_fds(client, method, params, NULL, limit_ms, result,
	    NULL);
}

enum grouper_error
client_call_fds(struct client *client, const char *method, json_t *params,
    const struct client_fds *given, int64_t limit_ms, json_t **result,
    struct client_fds *got)
{
	int64_t deadline = clock_deadline(limit_ms);
	enum grouper_error error;
	json_t *object;
	char *request;

	*result = NULL;
	if (got != NULL)
		got->count = 0;
	client->error[0] = '\0';
	request = rpc_request(++client->last_id, method, params);
	if (request == NULL) {
		errno = ENOMEM;
		return fail_system(client);
	}
	error = send_all(client, request, given, deadline);
	free(request);
	while (error == GROUPER_OK) {
		error = read_object(client, deadline, &object);
		if (error != GROUPER_OK)
			break;
		if (is_answer(client, object)) {
			error = take_answer(client, object, result);
			give_fds(client, error == GROUPER_OK ? got : NULL);
			return error;
		}
		json_decref(object);
	}
	return error;
}

enum grouper_error
client_next(struct client *client, int64_t limit_ms, json_t **params)
{
	int64_t deadline = clock_deadline(limit_ms);
	enum grouper_error error;
	json_t *object;

	*params = NULL;
	do {
		error = read_object(client, deadline, &object);
		if (error != GROUPER_OK)
			return error;
		*params = json_object_get(object, "params");
		json_incref(*params);
		json_decref(object);
	} while (*params == NULL);
	return GROUPER_OK;
}
