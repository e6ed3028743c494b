/* SPDX-License-Identifier: ISC */
/*
 * The socket that NOTIFY_SOCKET names for a member: see notify.h.
 */
#include "runtime/ready/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

/* Longer datagrams are ignored, as systemd does. */
#define DATAGRAM_MAX 4096
/* What one message may carry, SCM_MAX_FD in the kernel. */
#define DESCRIPTORS_MAX 253
/* Datagrams in one turn of the loop, and in a drain: more than may queue. */
#define TURN_MAX 64
#define DRAIN_MAX 4096

struct notify {
	notify_fn *fn;
	void *arg;
	int fd;
	struct loop_fd *watch;
	bool bound;
	bool busy;
	bool doomed;
	struct sockaddr_un address;
};

static void
close_descriptors(const struct cmsghdr *control)
{
	size_t count, i;
	int fd;

	count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
	for (i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd), sizeof(fd));
		fd_close(&fd);
	}
}

/* Who sent, and away with what was sent along. */
static void
read_control(struct msghdr *header, struct notify_sender *sender)
{
	struct cmsghdr *control;
	struct ucred credentials;

	sender->pid = 0;
	sender->uid = (uid_t)-1;
	for (control = CMSG_FIRSTHDR(header); control != NULL;
	     control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != SOL_SOCKET)
			continue;
		if (control->cmsg_type == SCM_RIGHTS)
			close_descriptors(control);
		if (control->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&credentials, CMSG_DATA(control), sizeof(credentials));
		sender->pid = credentials.pid;
		sender->uid = credentials.uid;
	}
}

/* False if there was nothing to receive. */
static bool
receive(struct notify *notify)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX) +
		    CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[DATAGRAM_MAX];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct notify_message message;
	struct notify_sender sender;
	ssize_t n;

	do
		n = recvmsg(notify->fd, &header,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return false;
	read_control(&header, &sender);
	if ((header.msg_flags & MSG_TRUNC) == 0 &&
	    notify_parse(text, (size_t)n, &message) != 0)
		notify->fn(&sender, &message, notify->arg);
	return true;
}

static void
receive_some(struct notify *notify, int most)
{
	int i;

	if (notify->busy)
		return;
	notify->busy = true;
	for (i = 0; i < most && !notify->doomed; i++)
		if (!receive(notify))
			break;
	notify->busy = false;
	if (notify->doomed)
		notify_free(notify);
}

static void
on_readable(int fd, void *arg)
{
	(void)fd;
	receive_some(arg, TURN_MAX);
}

void
notify_drain(struct notify *notify)
{
	receive_some(notify, DRAIN_MAX);
}

static int
bind_socket(struct notify *notify, uid_t owner)
{
	const char *path = notify->address.sun_path;
	bool everybody = owner == (uid_t)-1;

	if (unlink(path) == -1 && errno != ENOENT)
		return -1;
	if (bind(notify->fd, (const struct sockaddr *)&notify->address,
		sizeof(notify->address)) == -1)
		return -1;
	notify->bound = true;
	if (!everybody && owner != geteuid() &&
	    chown(path, owner, (gid_t)-1) == -1)
		return -1;
	return chmod(path, everybody ? 0666 : 0600);
}

struct notify *
notify_new(struct loop *loop, const char *path, uid_t owner, notify_fn *fn,
    void *arg)
{
	struct notify *notify;
	int on = 1;

	notify = calloc(1, sizeof(*notify));
	if (notify == NULL)
		return NULL;
	notify->fn = fn;
	notify->arg = arg;
	notify->address.sun_family = AF_UNIX;
	notify->fd = -1;
	if (strlcpy(notify->address.sun_path, path,
		sizeof(notify->address.sun_path)) >=
	    sizeof(notify->address.sun_path)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify->fd == -1 ||
	    setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ==
		-1 ||
	    bind_socket(notify, owner) == -1)
		goto fail;
	notify->watch = loop_fd_new(loop, notify->fd, LOOP_READ, on_readable,
	    notify);
	if (notify->watch == NULL)
		goto fail;
	return notify;
fail:
	notify_free(notify);
	return NULL;
}

void
notify_free(struct notify *notify)
{
	int saved = errno;

	if (notify == NULL)
		return;
	loop_fd_free(notify->watch);
	notify->watch = NULL;
	fd_close(&notify->fd);
	if (notify->bound)
		unlink(notify->address.sun_path);
	notify->bound = false;
	notify->doomed = true;
	if (!notify->busy)
		free(notify);
	errno = saved;
}

const char *
notify_path(const struct notify *notify)
{
	return notify->address.sun_path;
}
