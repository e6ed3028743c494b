/* SPDX-License-Identifier: ISC */
/*
 * What a leader makes of its process, see leader_setup.h.
 */
#include "runtime/group/leader_setup.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/fd.h"

/*
 * When the host dies.  Blocked and read from a descriptor: were it SIGKILL,
 * the leader would die with the host and the group be left alone.
 */
#define HOST_DIED SIGUSR1

bool
leader_watch_host(const struct leader *leader)
{
	os_set_parent_death_signal(HOST_DIED);
	/* It may have died before; in a namespace the link tells. */
	return leader->namespace || getppid() == leader->host;
}

int
leader_open_signals(void)
{
	sigset_t watched;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, HOST_DIED);
	return signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

void
leader_keep_only(struct leader *leader)
{
	int keep[] = { leader->link, leader->lock, leader->leaf.parent,
		leader->leaf.dir, leader->leaf.kill, leader->leaf.events };
	size_t count = sizeof(keep) / sizeof(keep[0]), i;
	unsigned int from = 0, next;

	for (;;) {
		next = UINT_MAX;
		for (i = 0; i < count; i++)
			if (keep[i] != -1 && (unsigned int)keep[i] >= from &&
			    (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next == UINT_MAX)
			break;
		if (next > 0)
			os_close_range(from, next - 1);
		from = next + 1;
	}
	os_close_range(from, UINT_MAX);
}

static int
write_map(const char *path, const char *text)
{
	size_t length = strlen(text);
	ssize_t n;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = write(fd, text, length);
	fd_close(&fd);
	return n == (ssize_t)length ? 0 : -1;
}

int
leader_map_user(const struct leader *leader)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u 1", leader->uid, leader->uid);
	if (write_map("/proc/self/uid_map", text) == -1 ||
	    write_map("/proc/self/setgroups", "deny") == -1)
		return -1;
	snprintf(text, sizeof(text), "%u %u 1", leader->gid, leader->gid);
	return write_map("/proc/self/gid_map", text);
}

void
leader_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}
