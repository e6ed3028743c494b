/* SPDX-License-Identifier: ISC */
/*
 * Which host is meant, see hosts.h.
 */
#include "runtime/control/hosts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/group/names.h"

#define DIRECTORY_MAX 108

static int
is_socket(const struct dirent *entry)
{
	return names_is_socket(entry->d_name);
}

int
hosts_each(hosts_fn *fn, void *arg)
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
	struct client *client; /* of the last that was found, or NULL: */
	char path[DIRECTORY_MAX + NAME_MAX + 2]; /* it takes nobody now */
	char names[512];
	size_t count;
};

/* Hosts that died may have left their sockets; none is waited for. */
static void
try_host(const char *name, const char *path, void *arg)
{
	struct search *search = arg;
	struct client *client = client_connect(path, CLIENT_TRUSTS_OWN, 0);

	if (client == NULL && errno != ETIMEDOUT)
		return;
	if (search->count++ > 0)
		strlcat(search->names, ", ", sizeof(search->names));
	strlcat(search->names, name, sizeof(search->names));
	client_free(search->client);
	search->client = client;
	strlcpy(search->path, path, sizeof(search->path));
}

static enum grouper_error
fail_directory(char *why, size_t size)
{
	if (!names_why(why, size))
		snprintf(why, size, "the runtime directory: %s",
		    strerror(errno));
	return GROUPER_SYSTEM;
}

static void
say_why(const char *path, const char *name, char *why, size_t size)
{
	int saved = errno;
	struct stat st;

	if (name != NULL && (saved == ENOENT || saved == ECONNREFUSED))
		snprintf(why, size, "no host is named '%s'", name);
	else if (saved == ETIMEDOUT && name != NULL)
		snprintf(why, size, "the host '%s' does not answer", name);
	else if (saved == ETIMEDOUT)
		snprintf(why, size, "%s: the host does not answer", path);
	else if (saved == EACCES && stat(path, &st) == 0 && st.st_uid != 0 &&
	    st.st_uid != geteuid())
		snprintf(why, size,
		    "%s: the host there is another user's (%u) and not trusted%s",
		    path, (unsigned int)st.st_uid,
		    geteuid() == 0 ? " unless --socket names it" : "");
	else
		snprintf(why, size, "%s: %s", path, strerror(saved));
	errno = saved;
}

/* name: how it was asked for, or NULL. */
static enum grouper_error
connect_path(const char *path, const char *name, enum client_trust trust,
    struct client **client, char *why, size_t size)
{
	*client = client_connect(path, trust, CLIENT_CONNECT_MS);
	if (*client != NULL)
		return GROUPER_OK;
	say_why(path, name, why, size);
	return hosts_error(GROUPER_SYSTEM);
}

static enum grouper_error
connect_only(struct client **client, char *why, size_t size)
{
	struct search search = { .count = 0 };

	if (hosts_each(try_host, &search) == -1)
		return fail_directory(why, size);
	if (search.count == 1 && search.client == NULL)
		return connect_path(search.path, search.names,
		    CLIENT_TRUSTS_OWN, client, why, size);
	if (search.count == 1) {
		*client = search.client;
		return GROUPER_OK;
	}
	client_free(search.client);
	if (search.count > 1) {
		snprintf(why, size,
		    "several hosts are running, choose one by --host: %s",
		    search.names);
		return GROUPER_INVALID;
	}
	snprintf(why, size,
	    "no host is running: start one with 'grouper supervise'");
	return GROUPER_NO_GROUP;
}

enum grouper_error
hosts_connect(const char *socket, const char *name, struct client **client,
    char *why, size_t size)
{
	char directory[DIRECTORY_MAX], path[DIRECTORY_MAX + NAME_MAX + 8];
	const char *set = getenv("GROUPER_SOCKET");

	*client = NULL;
	if (socket != NULL)
		return connect_path(socket, NULL, CLIENT_TRUSTS_NAMED, client,
		    why, size);
	if (name == NULL && set != NULL && set[0] != '\0')
		return connect_path(set, NULL, CLIENT_TRUSTS_OWN, client, why,
		    size);
	if (name == NULL)
		return connect_only(client, why, size);
	if (names_directory(directory, sizeof(directory)) == -1)
		return fail_directory(why, size);
	snprintf(path, sizeof(path), "%s/%.*s.sock", directory, NAME_MAX, name);
	return connect_path(path, name, CLIENT_TRUSTS_OWN, client, why, size);
}

enum grouper_error
hosts_error(enum grouper_error error)
{
	if (error == GROUPER_SYSTEM &&
	    (errno == ENOENT || errno == ECONNREFUSED || errno == ECONNRESET ||
		errno == EPIPE))
		return GROUPER_NO_GROUP;
	if (error == GROUPER_SYSTEM && errno == ETIMEDOUT)
		return GROUPER_TIMED_OUT;
	return error;
}
