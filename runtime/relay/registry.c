/* SPDX-License-Identifier: ISC */
/*
 * Registered names, see registry.h.
 */
#include "runtime/relay/registry.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/tree.h>

#include "runtime/os/os.h"
#include "runtime/relay/topic.h"
#include "runtime/util/fd.h"

/* A process, for as long as it has names. */
struct holder {
	LIST_ENTRY(holder) entry;
	LIST_HEAD(, name) names;
	pid_t pid;
	int pidfd;
	char *key;
};

struct name {
	RB_ENTRY(name) by_text;
	LIST_ENTRY(name) of_holder;
	struct holder *holder;
	char *text;
};
RB_HEAD(name_tree, name);

struct registry {
	struct name_tree names;
	LIST_HEAD(, holder) holders;
	size_t nnames;
	size_t nholders;
	size_t max_holders;
};

static int
compare(const struct name *a, const struct name *b)
{
	return strcmp(a->text, b->text);
}

RB_PROTOTYPE(name_tree, name, by_text, compare)
RB_GENERATE(name_tree, name, by_text, compare)

static size_t
count_holders(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur / 4 >= REGISTRY_HOLDERS_MAX)
		return REGISTRY_HOLDERS_MAX;
	return (size_t)limit.rlim_cur / 4;
}

struct registry *
registry_new(void)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (registry == NULL)
		return NULL;
	RB_INIT(&registry->names);
	LIST_INIT(&registry->holders);
	registry->max_holders = count_holders();
	return registry;
}

static void
free_name(struct registry *registry, struct name *name)
{
	RB_REMOVE(name_tree, &registry->names, name);
	LIST_REMOVE(name, of_holder);
	registry->nnames--;
	free(name->text);
	free(name);
}

/* With all its names. */
static void
free_holder(struct registry *registry, struct holder *holder)
{
	struct name *name, *next;

	for (name = LIST_FIRST(&holder->names); name != NULL; name = next) {
		next = LIST_NEXT(name, of_holder);
		free_name(registry, name);
	}
	LIST_REMOVE(holder, entry);
	registry->nholders--;
	fd_close(&holder->pidfd);
	free(holder->key);
	free(holder);
}

void
registry_free(struct registry *registry)
{
	struct holder *holder, *next;

	if (registry == NULL)
		return;
	for (holder = LIST_FIRST(&registry->holders); holder != NULL;
	     holder = next) {
		next = LIST_NEXT(holder, entry);
		free_holder(registry, holder);
	}
	free(registry);
}

/* A pidfd can be read once its process has ended, reaped or not. */
static bool
is_alive(int pidfd)
{
	struct pollfd pollfd = { pidfd, POLLIN, 0 };
	int n;

	do
		n = poll(&pollfd, 1, 0);
	while (n == -1 && errno == EINTR);
	return n != 1;
}

static struct name *
find(struct registry *registry, const char *text)
{
	struct name wanted = { .text = (char *)(uintptr_t)text };

	return RB_FIND(name_tree, &registry->names, &wanted);
}

/* The name, if who has it lives; else that one is forgotten. */
static struct name *
find_living(struct registry *registry, const char *text)
{
	struct name *name = find(registry, text);

	if (name == NULL || is_alive(name->holder->pidfd))
		return name;
	free_holder(registry, name->holder);
	return NULL;
}

static struct holder *
find_holder(struct registry *registry, pid_t pid)
{
	struct holder *holder;

	LIST_FOREACH(holder, &registry->holders, entry)
		if (holder->pid == pid)
			break;
	if (holder == NULL || is_alive(holder->pidfd))
		return holder;
	free_holder(registry, holder);
	return NULL;
}

/* A handle of a process that lives. */
static enum grouper_error
open_process(pid_t pid, int *pidfd)
{
	*pidfd = os_pidfd(pid);
	if (*pidfd != -1 && is_alive(*pidfd))
		return GROUPER_OK;
	/* Of a thread that is no process: EINVAL, or ENOENT since 6.9. */
	if (*pidfd == -1 && errno != ESRCH && errno != EINVAL &&
	    errno != ENOENT)
		return GROUPER_SYSTEM;
	fd_close(pidfd);
	return GROUPER_NOT_FOUND;
}

static enum grouper_error
new_holder(struct registry *registry, pid_t pid, const char *key,
    struct holder **made)
{
	struct holder *holder;
	enum grouper_error error;

	if (registry->nholders >= registry->max_holders) {
		errno = ENOSPC;
		return GROUPER_SYSTEM;
	}
	holder = calloc(1, sizeof(*holder));
	if (holder == NULL)
		return GROUPER_SYSTEM;
	LIST_INIT(&holder->names);
	LIST_INSERT_HEAD(&registry->holders, holder, entry);
	registry->nholders++;
	holder->pid = pid;
	holder->key = strdup(key);
	error = open_process(pid, &holder->pidfd);
	if (error == GROUPER_OK && holder->key == NULL) {
		errno = ENOMEM;
		error = GROUPER_SYSTEM;
	}
	if (error != GROUPER_OK)
		free_holder(registry, holder);
	else
		*made = holder;
	return error;
}

static int
add_name(struct registry *registry, struct holder *holder, const char *text)
{
	struct name *name;

	if (registry->nnames >= REGISTRY_NAMES_MAX) {
		errno = ENOSPC;
		return -1;
	}
	name = calloc(1, sizeof(*name));
	if (name == NULL)
		return -1;
	name->text = strdup(text);
	if (name->text == NULL) {
		free(name);
		return -1;
	}
	name->holder = holder;
	LIST_INSERT_HEAD(&holder->names, name, of_holder);
	RB_INSERT(name_tree, &registry->names, name);
	registry->nnames++;
	return 0;
}

enum grouper_error
registry_register(struct registry *registry, const char *name, pid_t pid,
    const char *key, bool *registered)
{
	enum grouper_error error = GROUPER_OK;
	struct holder *holder;

	if (!topic_name_valid(name, strlen(name)) || pid <= 0)
		return GROUPER_INVALID;
	if (find_living(registry, name) != NULL) {
		*registered = false;
		return GROUPER_OK;
	}
	if (registry->nnames >= REGISTRY_NAMES_MAX ||
	    registry->nholders >= registry->max_holders)
		registry_drop_dead(registry);
	holder = find_holder(registry, pid);
	if (holder == NULL)
		error = new_holder(registry, pid, key, &holder);
	if (error != GROUPER_OK)
		return error;
	if (add_name(registry, holder, name) == -1) {
		if (LIST_EMPTY(&holder->names))
			free_holder(registry, holder);
		return GROUPER_SYSTEM;
	}
	*registered = true;
	return GROUPER_OK;
}

pid_t
registry_whereis(struct registry *registry, const char *name, const char **key)
{
	struct name *found = find_living(registry, name);

	if (key != NULL)
		*key = found == NULL ? NULL : found->holder->key;
	return found == NULL ? 0 : found->holder->pid;
}

void
registry_unregister(struct registry *registry, const char *name)
{
	struct name *found = find(registry, name);
	struct holder *holder;

	if (found == NULL)
		return;
	holder = found->holder;
	free_name(registry, found);
	if (LIST_EMPTY(&holder->names))
		free_holder(registry, holder);
}

/* One pass over the holders. */
static void
drop(struct registry *registry, bool dead, pid_t pid, const char *key)
{
	struct holder *holder, *next;

	for (holder = LIST_FIRST(&registry->holders); holder != NULL;
	     holder = next) {
		next = LIST_NEXT(holder, entry);
		if ((dead && !is_alive(holder->pidfd)) || holder->pid == pid ||
		    (key != NULL && strcmp(holder->key, key) == 0))
			free_holder(registry, holder);
	}
}

void
registry_drop_dead(struct registry *registry)
{
	drop(registry, true, 0, NULL);
}

void
registry_drop_process(struct registry *registry, pid_t pid)
{
	drop(registry, false, pid, NULL);
}

void
registry_drop_group(struct registry *registry, const char *key)
{
	drop(registry, false, 0, key);
}

size_t
registry_count(const struct registry *registry)
{
	return registry->nnames;
}
