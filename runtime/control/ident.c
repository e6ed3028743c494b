/* SPDX-License-Identifier: ISC */
/*
 * Which group a process belongs to, see grouper/ident.h: the client's side.
 *
 * The ancestors of the process lead to a leader and its host.  That host is
 * found among the sockets of the runtime directory, and the one named in the
 * environment is merely tried first: each host answers from descent, so one
 * that is asked wrongly says so.
 */
#include <grouper/ident.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/control/descent.h"
#include "runtime/control/rpc.h"
#include "runtime/group/names.h"
#include "runtime/util/fd.h"

#define ANSWER_SECONDS 5
#define SUFFIX ".sock"

/* Only root's hosts and our own user's are believed. */
static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	struct ucred peer;
	socklen_t length = sizeof(peer);
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ==
		-1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ==
		-1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1)
		fd_close(&fd);
	else if (peer.uid != 0 && peer.uid != geteuid()) {
		fd_close(&fd);
		errno = EACCES;
	}
	return fd;
}

/* Reads one line; NULL at the end, on an error, or if it is too long. */
static char *
read_line(int fd)
{
	size_t length = 0, room = 0;
	char *line = NULL, *grown;
	ssize_t n;

	for (;;) {
		if (length + 1 >= room) {
			room = room == 0 ? 1024 : room * 2;
			grown = room > RPC_LINE_MAX ? NULL :
						      realloc(line, room);
			if (grown == NULL)
				break;
			line = grown;
		}
		n = recv(fd, line + length, room - length - 1, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += (size_t)n;
		line[length] = '\0';
		if (line[length - 1] == '\n')
			return line;
	}
	free(line);
	return NULL;
}

static json_t *
ask(const char *path, pid_t pid)
{
	json_t *params = json_object(), *answer = NULL;
	char *request, *line = NULL;
	int fd;

	if (pid != 0)
		json_object_set_new(params, "pid", json_integer(pid));
	request = rpc_request(1, "ident", params);
	fd = connect_to(path);
	if (fd != -1 && request != NULL &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) ==
		(ssize_t)strlen(request))
		line = read_line(fd);
	if (line != NULL)
		answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	fd_close(&fd);
	free(request);
	free(line);
	return answer;
}

/* Whether this host says that the process is under the leader we found. */
static bool
believe(const json_t *answer, const struct descent *descent,
    struct grouper_ident *ident)
{
	const json_t *result = json_object_get(answer, "result");
	const char *kind = json_string_value(json_object_get(result, "kind"));
	const char *host = json_string_value(json_object_get(result, "host"));
	const char *key = json_string_value(json_object_get(result, "key"));
	json_int_t leader = json_integer_value(json_object_get(result,
	    "leader"));

	if (kind == NULL || host == NULL || key == NULL ||
	    leader != descent->leader || strlen(host) >= sizeof(ident->host) ||
	    strlen(key) >= sizeof(ident->key))
		return false;
	ident->kind = strcmp(kind, "worker") == 0 ? GROUPER_KIND_WORKER :
						    GROUPER_KIND_GROUP;
	ident->host_pid = (pid_t)json_integer_value(json_object_get(result,
	    "host_pid"));
	strcpy(ident->host, host);
	strcpy(ident->key, key);
	return true;
}

static bool
try_host(const char *path, pid_t pid, const struct descent *descent,
    struct grouper_ident *ident)
{
	json_t *answer = ask(path, pid);
	bool ours;

	if (answer == NULL)
		return false;
	ours = believe(answer, descent, ident);
	json_decref(answer);
	return ours;
}

static bool
try_directory(pid_t pid, const struct descent *descent,
    struct grouper_ident *ident)
{
	char directory[108], path[sizeof(directory) + 256 + 2];
	struct dirent *entry;
	bool found = false;
	size_t length;
	DIR *dir;

	if (names_directory(directory, sizeof(directory)) == -1)
		return false;
	dir = opendir(directory);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		length = strlen(entry->d_name);
		if (length <= strlen(SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) !=
			0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		found = try_host(path, pid, descent, ident);
	}
	closedir(dir);
	return found;
}

enum grouper_error
grouper_identify(pid_t pid, struct grouper_ident *ident)
{
	const char *hint = getenv("GROUPER_SOCKET");
	struct descent descent;

	if (pid < 0 || ident == NULL || ident->size != sizeof(*ident))
		return GROUPER_INVALID;
	memset(ident, 0, sizeof(*ident));
	ident->size = sizeof(*ident);
	if (descent_find(pid, &descent) == -1)
		return errno == ESRCH ? GROUPER_NOT_FOUND : GROUPER_SYSTEM;
	if (descent.leader == 0) {
		ident->kind = descent.tty != 0 ? GROUPER_KIND_TERMINAL :
						 GROUPER_KIND_NONE;
		return GROUPER_OK;
	}
	if ((hint != NULL && try_host(hint, pid, &descent, ident)) ||
	    try_directory(pid, &descent, ident))
		return GROUPER_OK;
	return GROUPER_NO_GROUP;
}
