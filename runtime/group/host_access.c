/* SPDX-License-Identifier: ISC */
/*
 * What the rest of grouper may know of a host, and set, see host.h.
 */
#include "runtime/group/host.h"

#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

#include "runtime/group/group.h"
#include "runtime/group/link.h"

void
host_set_signals(struct grouper_host *host, const struct signals *saved)
{
	host->signals = *saved;
	host->has_signals = true;
}

void
host_on_close(struct grouper_host *host, void (*fn)(void *), void *arg)
{
	host->on_close = fn;
	host->on_close_arg = arg;
}

void
host_close(struct grouper_host *host)
{
	if (host->on_close != NULL)
		host->on_close(host->on_close_arg);
	host->on_close = NULL;
	names_unlisten(&host->names);
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

struct loop *
host_loop(const struct grouper_host *host)
{
	return host->loop;
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

void
host_wake(struct grouper_host *host, const char *key)
{
	struct link_down down = { .type = LINK_WAKE };
	struct group *group = group_find(host, key);

	if (group != NULL && group->leader != 0)
		link_send_down(group->link, &down);
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
