/* SPDX-License-Identifier: ISC */
/*
 * The socket that NOTIFY_SOCKET names for a member.  systemd-notify(1) has
 * ended before its pid can be looked up, so that pids do not always tell
 * which child sent: a socket for each incarnation does.
 */
#ifndef RUNTIME_READY_NOTIFY_H
#define RUNTIME_READY_NOTIFY_H

#include <sys/types.h>

#include "runtime/ready/notify_message.h"

struct loop;
struct notify;

/* The kernel's word for who sent. */
struct notify_sender {
	pid_t pid; /* 0: not visible from this PID namespace */
	uid_t uid;
};

/* message is valid during the call, in which the socket may be freed. */
typedef void notify_fn(const struct notify_sender *sender,
    const struct notify_message *message, void *arg);

/*
 * Makes the socket at path, in place of what is there, and calls fn for each
 * datagram that says something known.  owner: the only user, but root, who
 * may send; (uid_t)-1: everybody who can reach it.  The directory must let
 * them.  Descriptors that come along are closed before fn is called.
 *
 * Returns NULL with errno, ENAMETOOLONG where path has over 107 bytes.
 */
struct notify *notify_new(struct loop *loop, const char *path, uid_t owner,
    notify_fn *fn, void *arg);

/* Removes the socket, too.  NULL is fine. */
void notify_free(struct notify *notify);

/*
 * Takes what was sent up to now: before a member's end is judged, its last
 * words count.  Calls fn.
 */
void notify_drain(struct notify *notify);

const char *notify_path(const struct notify *notify);

#endif
