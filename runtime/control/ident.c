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
#include "runtime/group/leader.h"
#include "runtime/group/names.h"
#include "runtime/util/fd.h"

#define ANSWER_SECONDS 5
/* Groups within groups that are told apart. */
#define LEADERS_MAX 64

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
	else if ((peer.uid != 0 && peer.uid != geteuid()) ||
	    peer.pid == getpid()) {
		/* A host that asked itself would wait for its own loop. */
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

/* Ancestors that bear a leader's name, nearest first. */
struct lineage {
	pid_t leaders[LEADERS_MAX];
	size_t count;
	bool first;
	int tty;
	size_t best; /* the nearest that a host has owned to; count: none */
};

static bool
note_ancestor(const struct os_stat *stat, void *arg)
{
	struct lineage *lineage = arg;

	if (lineage->first)
		lineage->tty = stat->tty;
	else if (strcmp(stat->name, LEADER_NAME) == 0 &&
	    lineage->count < LEADERS_MAX)
		lineage->leaders[lineage->count++] = stat->pid;
	lineage->first = false;
	return true;
}

/* Whether this host leads the process, and nearer than those asked before. */
static bool
believe(const json_t *answer, struct lineage *lineage,
    struct grouper_ident *ident)
{
	const json_t *result = json_object_get(answer, "result");
	const char *kind = json_string_value(json_object_get(result, "kind"));
	const char *host = json_string_value(json_object_get(result, "host"));
	const char *key = json_string_value(json_object_get(result, "key"));
	json_int_t leader = json_integer_value(json_object_get(result,
	    "leader"));
	size_t i;

	if (kind == NULL || host == NULL || key == NULL ||
	    strlen(host) >= sizeof(ident->host) ||
	    strlen(key) >= sizeof(ident->key))
		return false;
	for (i = 0; i < lineage->best; i++)
		if (lineage->leaders[i] == leader)
			break;
	if (i == lineage->best)
		return false;
	lineage->best = i;
	ident->kind = strcmp(kind, "worker") == 0 ? GROUPER_KIND_WORKER :
						    GROUPER_KIND_GROUP;
	ident->host_pid = (pid_t)json_integer_value(json_object_get(result,
	    "host_pid"));
	strcpy(ident->host, host);
	strcpy(ident->key, key);
	return true;
}

/* True when nothing nearer can be found. */
static bool
try_host(const char *path, pid_t pid, struct lineage *lineage,
    struct grouper_ident *ident)
{
	json_t *answer = ask(path, pid);

	if (answer != NULL)
		believe(answer, lineage, ident);
	json_decref(answer);
	return lineage->best == 0;
}

static void
try_directory(pid_t pid, struct lineage *lineage, struct grouper_ident *ident)
{
	char directory[108], path[sizeof(directory) + 256 + 2];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (names_directory(directory, sizeof(directory)) == -1)
		return;
	dir = opendir(directory);
	if (dir == NULL)
		return;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (!names_is_socket(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		found = try_host(path, pid, lineage, ident);
	}
	closedir(dir);
}

enum grouper_error
grouper_identify(pid_t pid, struct grouper_ident *ident)
{
	const char *hint = getenv("GROUPER_SOCKET");
	struct lineage lineage = { .first = true };

	if (pid < 0 || ident == NULL || ident->size != sizeof(*ident))
		return GROUPER_INVALID;
	memset(ident, 0, sizeof(*ident));
	ident->size = sizeof(*ident);
	if (descent_walk(pid, note_ancestor, &lineage) == -1)
		return errno == ESRCH ? GROUPER_NOT_FOUND : GROUPER_SYSTEM;
	lineage.best = lineage.count;
	if (lineage.count == 0) {
		ident->kind = lineage.tty != 0 ? GROUPER_KIND_TERMINAL :
						 GROUPER_KIND_NONE;
		return GROUPER_OK;
	}
	if (hint == NULL || !try_host(hint, pid, &lineage, ident))
		try_directory(pid, &lineage, ident);
	return lineage.best < lineage.count ? GROUPER_OK : GROUPER_NO_GROUP;
}
