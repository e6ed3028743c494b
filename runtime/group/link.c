/* SPDX-License-Identifier: ISC */
/*
 * Messages between host and leader, see link.h.
 */
#include "runtime/group/link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What must not be lost is sent so often, where the kernel has no memory. */
#define RETRIES 200
#define RETRY_MS 10

/* A message without its list of pids. */
#define UP_HEAD offsetof(struct link_up, pids)

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(struct ucred))];
};

int
link_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

int
link_pass_credentials(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

/* Whether it is worth to try again what failed: memory may come back. */
static bool
is_short(int *tries)
{
	if ((errno != ENOBUFS && errno != ENOMEM) || (*tries)-- == 0)
		return false;
	poll(NULL, 0, RETRY_MS);
	return true;
}

static int
send_message(int fd, struct msghdr *message, int flags, int tries)
{
	ssize_t n;

	do
		n = sendmsg(fd, message, MSG_NOSIGNAL | flags);
	while (n == -1 && (errno == EINTR || is_short(&tries)));
	return n == -1 ? -1 : 0;
}

/* The member's pid, our own ids: only init of a namespace may do so. */
static void
attach_pid(struct msghdr *message, union control *control, pid_t pid)
{
	struct ucred ucred = { pid, getuid(), getgid() };

	memset(control, 0, sizeof(*control));
	message->msg_control = control;
	message->msg_controllen = sizeof(*control);
	control->header.cmsg_level = SOL_SOCKET;
	control->header.cmsg_type = SCM_CREDENTIALS;
	control->header.cmsg_len = CMSG_LEN(sizeof(ucred));
	memcpy(CMSG_DATA(&control->header), &ucred, sizeof(ucred));
}

int
link_send_up(int fd, const struct link_up *up, enum link_send how)
{
	struct iovec part = { (void *)(uintptr_t)up,
		UP_HEAD + up->count * sizeof(up->pids[0]) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;

	if (how == LINK_TRANSLATE)
		attach_pid(&message, &control, up->pid);
	if (how == LINK_DROP)
		return send_message(fd, &message, MSG_DONTWAIT, 0);
	return send_message(fd, &message, 0, RETRIES);
}

int
link_send_down(int fd, const struct link_down *down)
{
	struct iovec part = { (void *)(uintptr_t)down, sizeof(*down) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	return send_message(fd, &message, MSG_DONTWAIT, RETRIES);
}

static ssize_t
receive(int fd, void *buffer, size_t size, union control *control,
    struct msghdr *message)
{
	struct iovec part = { buffer, size };
	ssize_t n;

	*message = (struct msghdr) { .msg_iov = &part, .msg_iovlen = 1 };
	if (control != NULL) {
		message->msg_control = control;
		message->msg_controllen = sizeof(*control);
	}
	do
		n = recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	message->msg_iov = NULL;
	if (n == -1 && errno == ECONNRESET)
		return 0;
	return n;
}

/* Whoever acts on a message looks words up by these. */
static bool
up_valid(const struct link_up *up)
{
	return up->type <= LINK_EMPTY && up->target <= SWEEP_REST;
}

static bool
down_valid(const struct link_down *down)
{
	const struct steps *steps = &down->steps;
	size_t i;

	if (down->type > LINK_WAKE || down->target > SWEEP_COMMAND ||
	    steps->count > STEPS_MAX ||
	    (down->type == LINK_STOP && steps->count == 0) ||
	    (down->type == LINK_ADOPT && down->pid <= 1))
		return false;
	for (i = 0; i < steps->count; i++)
		if (steps->step[i].signum < 1 ||
		    steps->step[i].signum > SIGRTMAX ||
		    (steps->step[i].ms < 0 &&
			steps->step[i].ms != STEPS_FOREVER))
			return false;
	return true;
}

int
link_receive_up(int fd, struct link_up *up)
{
	struct cmsghdr *header;
	union control control;
	struct msghdr message;
	struct ucred ucred;
	ssize_t n;

	memset(up, 0, sizeof(*up));
	n = receive(fd, up, sizeof(*up), &control, &message);
	if (n <= 0)
		return (int)n;
	if ((size_t)n < UP_HEAD || up->count > SWEEP_LIST ||
	    (size_t)n != UP_HEAD + up->count * sizeof(up->pids[0]) ||
	    !up_valid(up)) {
		errno = EPROTO;
		return -1;
	}
	header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_CREDENTIALS &&
	    header->cmsg_len == CMSG_LEN(sizeof(ucred))) {
		memcpy(&ucred, CMSG_DATA(header), sizeof(ucred));
		up->pid = ucred.pid;
	}
	return 1;
}

bool
link_await_go(int fd)
{
	struct link_down down;
	ssize_t n;

	do
		n = read(fd, &down, sizeof(down));
	while (n == -1 && errno == EINTR);
	return n == sizeof(down) && down.type == LINK_GO;
}

int
link_receive_down(int fd, struct link_down *down)
{
	struct msghdr message;
	ssize_t n;

	n = receive(fd, down, sizeof(*down), NULL, &message);
	if (n <= 0)
		return (int)n;
	if (n != sizeof(*down) || !down_valid(down)) {
		errno = EPROTO;
		return -1;
	}
	return 1;
}
