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
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/control/client.h"
#include "runtime/control/descent.h"
#include "runtime/control/json_build.h"
#include "runtime/control/rpc.h"
#include "runtime/group/leader.h"
#include "runtime/group/names.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

/* For the whole question, whoever does not answer. */
#define ANSWER_MS 5000
/* A host that is well answers sooner: then the next is asked as well. */
#define STAGGER_MS 100
#define ASKED_MAX (ANSWER_MS / STAGGER_MS)
/* Groups within groups that are told apart. */
#define LEADERS_MAX 64

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

/* A host that was asked. */
struct asked {
	struct sockaddr_un address;
	int fd;
	bool sent; /* false: it has no room for a connection yet */
	char *line;
	size_t length;
	size_t room;
};

/* One question, put to many hosts. */
struct question {
	char *request;
	const char *hint; /* the socket that is tried first; NULL: none */
	char directory[108];
	DIR *sockets;
	struct lineage lineage;
	struct grouper_ident *ident;
	struct asked asked[ASKED_MAX];
	size_t count;
	int64_t deadline;
};

static void
drop(struct question *question, struct asked *asked)
{
	fd_close(&asked->fd);
	free(asked->line);
	*asked = question->asked[--question->count];
}

static bool
is_trusted(int fd)
{
	struct ucred peer;

	/* A host that asked itself would wait for its own loop. */
	return client_trusts(fd, CLIENT_TRUSTS_OWN, &peer) &&
	    peer.pid != getpid();
}

/* Connects and asks, or leaves that for later; false: it cannot be asked. */
static bool
put(const struct question *question, struct asked *asked)
{
	size_t length = strlen(question->request);

	if (connect(asked->fd, (struct sockaddr *)&asked->address,
		sizeof(asked->address)) == -1)
		return errno == EAGAIN;
	asked->sent = true;
	return is_trusted(asked->fd) &&
	    send(asked->fd, question->request, length, MSG_NOSIGNAL) ==
	    (ssize_t)length;
}

static void
ask(struct question *question, const char *path)
{
	struct asked *asked = &question->asked[question->count];

	memset(asked, 0, sizeof(*asked));
	asked->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(asked->address.sun_path))
		return;
	strcpy(asked->address.sun_path, path);
	asked->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (asked->fd == -1)
		return;
	question->count++;
	if (!put(question, asked))
		drop(question, asked);
}

/* Asks one more host; false when there is none. */
static bool
ask_next(struct question *question)
{
	char path[sizeof(question->directory) + NAME_MAX + 2];
	const char *hint = question->hint;
	struct dirent *entry;

	question->hint = NULL;
	if (hint != NULL) {
		ask(question, hint);
		return true;
	}
	if (question->sockets == NULL)
		return false;
	do
		entry = readdir(question->sockets);
	while (entry != NULL && !names_is_socket(entry->d_name));
	if (entry == NULL)
		return false;
	snprintf(path, sizeof(path), "%s/%s", question->directory,
	    entry->d_name);
	ask(question, path);
	return true;
}

/* Makes room for more of a line, which has an end; 0, or -1. */
static int
grow(struct asked *asked)
{
	size_t room = asked->room == 0 ? 1024 : asked->room * 2;
	char *grown;

	if (asked->length + 1 < asked->room)
		return 0;
	grown = room > RPC_LINE_MAX ? NULL : realloc(asked->line, room);
	if (grown == NULL)
		return -1;
	asked->line = grown;
	asked->room = room;
	return 0;
}

/* Reads what came of an answer; false if that was all. */
static bool
read_answer(struct question *question, struct asked *asked)
{
	json_t *answer;
	ssize_t n;

	if (grow(asked) == -1)
		return false;
	n = recv(asked->fd, asked->line + asked->length,
	    asked->room - asked->length - 1, 0);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	asked->length += (size_t)n;
	asked->line[asked->length] = '\0';
	if (asked->line[asked->length - 1] != '\n')
		return true;
	answer = json_loads(asked->line, JSON_REJECT_DUPLICATES, NULL);
	if (answer != NULL)
		believe(answer, &question->lineage, question->ident);
	json_decref(answer);
	return false;
}

/*
 * Waits for answers, but for a short time only where another host can be
 * asked meanwhile.
 */
static void
await_answers(struct question *question, bool others)
{
	int64_t left = question->deadline - clock_ms();
	struct pollfd fds[ASKED_MAX];
	struct asked *asked;
	size_t i;

	for (i = 0; i < question->count; i++) {
		asked = &question->asked[i];
		fds[i] = (struct pollfd) { asked->sent ? asked->fd : -1, POLLIN,
			0 };
		others = others || !asked->sent;
	}
	if (others && left > STAGGER_MS)
		left = STAGGER_MS;
	if (poll(fds, question->count, left > 0 ? (int)left : 0) == -1)
		return;
	for (i = question->count; i-- > 0;) {
		asked = &question->asked[i];
		if (asked->sent ?
			fds[i].revents != 0 && !read_answer(question, asked) :
			!put(question, asked))
			drop(question, asked);
	}
}

/*
 * Asks one host after the other, without waiting long for any of them, until
 * nothing nearer can be found.
 */
static void
ask_hosts(struct question *question)
{
	bool others = true;

	question->deadline = clock_ms() + ANSWER_MS;
	if (names_directory(question->directory, sizeof(question->directory)) ==
	    0)
		question->sockets = opendir(question->directory);
	while (question->lineage.best > 0 && clock_ms() < question->deadline) {
		if (others && question->count < ASKED_MAX)
			others = ask_next(question);
		if (question->count > 0)
			await_answers(question, others);
		else if (!others)
			break;
	}
	while (question->count > 0)
		drop(question, &question->asked[0]);
	if (question->sockets != NULL)
		closedir(question->sockets);
}

static char *
make_request(pid_t pid)
{
	json_t *params = json_object();

	if (pid != 0)
		json_put(&params, "pid", json_integer(pid));
	return rpc_request(1, "ident", params);
}

static enum grouper_error
walk_error(void)
{
	switch (errno) {
	case ESRCH:
		return GROUPER_NOT_FOUND;
	case ENOSYS:
		return GROUPER_NO_GROUP;
	default:
		return GROUPER_SYSTEM;
	}
}

enum grouper_error
grouper_identify(pid_t pid, struct grouper_ident *ident)
{
	struct question question = { .hint = getenv("GROUPER_SOCKET"),
		.lineage = { .first = true },
		.ident = ident };
	struct lineage *lineage = &question.lineage;
	pid_t shown;

	if (pid < 0 || ident == NULL || ident->size != sizeof(*ident))
		return GROUPER_INVALID;
	memset(ident, 0, sizeof(*ident));
	ident->size = sizeof(*ident);
	/* The host as well knows it by the pid that /proc shows; its caller it
	 * knows by the socket. */
	shown = descent_pid(pid != 0 ? pid : getpid());
	if (shown == -1 || descent_walk(shown, note_ancestor, lineage) == -1)
		return walk_error();
	lineage->best = lineage->count;
	if (lineage->count == 0) {
		ident->kind = lineage->tty != 0 ? GROUPER_KIND_TERMINAL :
						  GROUPER_KIND_NONE;
		return GROUPER_OK;
	}
	question.request = make_request(pid != 0 ? shown : 0);
	if (question.request == NULL)
		return GROUPER_SYSTEM;
	ask_hosts(&question);
	free(question.request);
	return lineage->best < lineage->count ? GROUPER_OK : GROUPER_NO_GROUP;
}
