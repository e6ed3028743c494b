/* SPDX-License-Identifier: ISC */
/*
 * Verbs that talk to a running host, see remote.h.
 */
#include "tools/remote.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/group/names.h"
#include "tools/tool.h"

/* How long a host may take that has no reason to take long. */
#define ANSWER_MS 30000
#define DIRECTORY_MAX 108

static int
is_socket(const struct dirent *entry)
{
	return names_is_socket(entry->d_name);
}

int
remote_each_host(remote_host_fn *fn, void *arg)
{
	char directory[DIRECTORY_MAX], path[DIRECTORY_MAX + NAME_MAX + 2];
	struct dirent **entries;
	int count, i;

	if (names_directory(directory, sizeof(directory)) == -1)
		return -1;
	count = scandir(directory, &entries, is_socket, alphasort);
	if (count == -1)
		return -1;
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory,
		    entries[i]->d_name);
		*strrchr(entries[i]->d_name, '.') = '\0';
		fn(entries[i]->d_name, path, arg);
		free(entries[i]);
	}
	free((void *)entries);
	return 0;
}

struct search {
	struct remote *remote;
	char names[512];
	size_t count;
};

/* Hosts that died may have left their sockets. */
static void
try_host(const char *name, const char *path, void *arg)
{
	struct search *search = arg;
	struct client *client = client_connect(path);

	if (client == NULL)
		return;
	if (search->count++ > 0)
		strlcat(search->names, ", ", sizeof(search->names));
	strlcat(search->names, name, sizeof(search->names));
	client_free(search->remote->client);
	search->remote->client = client;
}

static int
open_only(struct remote *remote)
{
	struct search search = { .remote = remote };

	if (remote_each_host(try_host, &search) == -1) {
		tool_error(remote->verb, "the runtime directory: %s",
		    strerror(errno));
		return TOOL_NO;
	}
	if (search.count == 1)
		return TOOL_OK;
	if (search.count == 0) {
		tool_error(remote->verb,
		    "no host is running: start one with 'grouper supervise'");
		return TOOL_NO;
	}
	remote_close(remote);
	tool_error(remote->verb,
	    "several hosts are running: "
	    "expected --host with one of %s",
	    search.names);
	return TOOL_USAGE;
}

static int
open_socket(struct remote *remote, const char *path)
{
	remote->client = client_connect(path);
	if (remote->client != NULL)
		return TOOL_OK;
	if (remote->host != NULL && (errno == ENOENT || errno == ECONNREFUSED))
		tool_error(remote->verb, "no host is named '%s'", remote->host);
	else
		tool_error(remote->verb, "%s: %s", path, strerror(errno));
	return TOOL_NO;
}

int
remote_open(struct remote *remote)
{
	char directory[DIRECTORY_MAX], path[DIRECTORY_MAX + NAME_MAX + 8];
	const char *set = getenv("GROUPER_SOCKET");

	if (remote->socket != NULL)
		return open_socket(remote, remote->socket);
	if (remote->host == NULL && set != NULL && set[0] != '\0')
		return open_socket(remote, set);
	if (remote->host == NULL)
		return open_only(remote);
	if (names_directory(directory, sizeof(directory)) == -1) {
		tool_error(remote->verb, "the runtime directory: %s",
		    strerror(errno));
		return TOOL_NO;
	}
	snprintf(path, sizeof(path), "%s/%.*s.sock", directory, NAME_MAX,
	    remote->host);
	return open_socket(remote, path);
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
	const char *text = client_error(remote->client);
	size_t length = strcspn(text, "\n");

	if (whom != NULL)
		tool_error(remote->verb, "%s: %.*s", whom, (int)length, text);
	else
		tool_error(remote->verb, "%.*s", (int)length, text);
	/* What is wrong with a file takes several lines. */
	while (text[length] == '\n' && text[length + 1] != '\0') {
		text += length + 1;
		length = strcspn(text, "\n");
		tool_line(STDERR_FILENO, false, "%.*s", (int)length, text);
	}
	return status_of(error);
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
