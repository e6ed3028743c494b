/* SPDX-License-Identifier: ISC */
/*
 * What the rest of grouper may know of a host, and set, see host.h.
 */
#include "runtime/group/host.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

#include "runtime/group/group.h"
#include "runtime/group/link.h"
#include "runtime/util/clock.h"
#include "runtime/util/environment.h"

void
host_set_signals(struct grouper_host *host, const struct signals *saved)
{
	host->signals = *saved;
	host->has_signals = true;
}

void
host_watch(struct grouper_host *host, struct host_watch *watch)
{
	LIST_INSERT_HEAD(&host->watches, watch, link);
}

void *
host_watch_arg(const struct grouper_host *host, void (*on_free)(void *arg))
{
	const struct host_watch *watch;

	LIST_FOREACH(watch, &host->watches, link)
		if (watch->on_free == on_free)
			return watch->arg;
	return NULL;
}

void
host_close(struct grouper_host *host)
{
	struct host_watch *watch;
	void (*on_close)(void *);

	LIST_FOREACH(watch, &host->watches, link) {
		on_close = watch->on_close;
		watch->on_close = NULL;
		if (on_close != NULL)
			on_close(watch->arg);
	}
	names_unlisten(&host->names);
}

void
host_emptied(struct grouper_host *host, const char *key)
{
	struct host_watch *watch;

	LIST_FOREACH(watch, &host->watches, link)
		if (watch->on_empty != NULL)
			watch->on_empty(key, watch->arg);
}

void
host_forget_watches(struct grouper_host *host)
{
	struct host_watch *watch;

	/* The analyzer does not see that each is taken off the list. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((watch = LIST_FIRST(&host->watches)) != NULL) {
		LIST_REMOVE(watch, link);
		if (watch->on_free != NULL)
			watch->on_free(watch->arg);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

void
host_own_loop(struct grouper_host *host)
{
	host->own_loop = true;
}

void
host_set_text(struct grouper_host *host, const void *text, size_t size)
{
	host->text = text;
	host->text_size = size;
}

void
host_be_quick(struct grouper_host *host)
{
	host->quick = true;
	if (host->contain.light == NULL)
		host->contain.light = light_new();
}

const char *
host_name(const struct grouper_host *host)
{
	return host->names.name;
}

const char *
host_socket(const struct grouper_host *host)
{
	return host->names.socket_path != NULL ? host->names.socket_path : "";
}

int
host_listen(struct grouper_host *host)
{
	if (host->names.socket_path == NULL)
		return 0;
	return names_listen(&host->names);
}

int
host_listener(const struct grouper_host *host)
{
	return host->names.listener;
}

int
host_name_in(const struct grouper_host *host, struct environment *env)
{
	const char *socket = host_socket(host), *name = host_name(host);

	if (environment_set(env, "GROUPER_SOCKET",
		*socket != '\0' ? socket : NULL) == -1)
		return -1;
	return environment_set(env, "GROUPER_HOST",
	    *name != '\0' ? name : NULL);
}

int
host_environment(const struct grouper_host *host, const char *key,
    struct environment *env)
{
	bool named = *host_name(host) != '\0';

	if (environment_init(env) == -1)
		return -1;
	/* Of a group that the caller is in. */
	environment_set(env, "GROUPER_EVENTS_FD", NULL);
	environment_set(env, "GROUPER_COMMANDS_FD", NULL);
	if (host_name_in(host, env) == 0 &&
	    environment_set(env, "GROUPER_KEY", named ? key : NULL) == 0)
		return 0;
	environment_fini(env);
	return -1;
}

struct loop *
host_loop(const struct grouper_host *host)
{
	return host->loop;
}

void
host_each_group(struct grouper_host *host, host_group_fn *fn, void *arg)
{
	struct host_group found;
	struct group *group;

	RB_FOREACH(group, group_keys, &host->keys) {
		if (group->leader == 0)
			continue;
		found = (struct host_group) { group->key, group->state,
			group->main, clock_us() - group->started_us };
		fn(&found, arg);
	}
}

const char *
host_key_of_leader(const struct grouper_host *host, pid_t leader, bool *worker)
{
	struct group wanted = { .leader = leader };
	struct group *group;

	group = RB_FIND(group_leaders,
	    (struct group_leaders *)(uintptr_t)&host->leaders, &wanted);
	if (group == NULL)
		return NULL;
	*worker = group->worker;
	return group->key;
}

bool
host_wake(struct grouper_host *host, const char *key)
{
	struct link_down down = { .type = LINK_WAKE };
	struct group *group = group_find(host, key);
	struct pollfd news = { .fd = -1, .events = POLLIN };

	if (group == NULL || group->leader == 0)
		return false;
	link_send_down(group->link, &down);
	/* The leader tells of the end before it looks for this last. */
	news.fd = group->link;
	return poll(&news, 1, 0) == 0;
}

/* A leader that was stopped by whoever could must not stay so. */
void
host_on_child(struct grouper_host *host)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | __WALL) ==
			-1 ||
		    info.si_pid == 0)
			return;
		if (host_is_leader(info.si_pid, host))
			kill(info.si_pid, SIGCONT);
	}
}
