/* SPDX-License-Identifier: ISC */
/*
 * What a leader makes of its process, see leader_setup.h.
 */
#include "runtime/group/leader_setup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/fd.h"

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
