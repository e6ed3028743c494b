/* SPDX-License-Identifier: ISC */
/*
 * The member's side: a process of a group talks to its host and, through it,
 * to other groups.  It needs no event loop of its own and none of libevent;
 * nothing here starts a thread or a process, or sets a signal handler.
 *
 * A group has one pair of pipes, down and up.  Whoever opens it reads for the
 * whole group, so that one process of a group should do so: every other one
 * may talk to the host as a client, see grouper/client.h.
 *
 * An open member belongs to the process that opened it, and one thread at a
 * time may use it.  A child that was forked from that process cannot use it,
 * and takes no event from its parent: every function but
 * grouper_member_close() then returns GROUPER_INVALID.
 *
 * All functions may wait for the host where that is said, and return when a
 * signal handler has run only where they would have returned anyway.  Times
 * are in milliseconds, -1 for none.
 */
#ifndef GROUPER_MEMBER_H
#define GROUPER_MEMBER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/message.h>

GROUPER_BEGIN_DECLS

struct grouper_member;

/*
 * Opens the pipes of the caller's group: those that the environment names,
 * GROUPER_EVENTS_FD and GROUPER_COMMANDS_FD, else new ones that the host at
 * GROUPER_SOCKET passes.  They are made close-on-exec and the two variables
 * are removed, so that no child reads what is this process's.
 *
 * member: set on success; the caller closes it with grouper_member_close().
 *
 * Returns GROUPER_OK; GROUPER_NO_GROUP if the caller is in no group, or its
 * host has gone; GROUPER_ALREADY_EXISTS if a process of the group has opened
 * them; GROUPER_TIMED_OUT if the host does not answer in 30 seconds;
 * GROUPER_INVALID if member is NULL; GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_member_open(struct grouper_member *
	*member);

/*
 * Closes the pipes and frees the member with all that it queued; with the
 * pipes its subscriptions end.  NULL is fine.  A forked child may call it to
 * free its copy, which closes nothing of its parent's.
 */
GROUPER_EXPORT void grouper_member_close(struct grouper_member *member);

/*
 * Begins or ends a subscription.  Returns when the host has confirmed it: who
 * publishes from then on finds it as it was asked for.  Events that come
 * meanwhile are kept for grouper_member_next().  To subscribe twice, or to end
 * what is none, is fine.
 *
 * timeout_ms: 0 does not wait for that: a message of kind
 *     GROUPER_MESSAGE_CHANGED then tells when it holds.  The host takes no
 *     more from who leaves thousands of these unread.
 *
 * Returns GROUPER_OK; GROUPER_TIMED_OUT if it was asked for, but has not been
 * confirmed yet, which a message will tell; GROUPER_INVALID for a bad pattern;
 * GROUPER_NO_GROUP if the host has gone, or takes nothing from this group any
 * more: after what is no frame, or more subscriptions than it has room for;
 * GROUPER_SYSTEM with errno, EPROTO for what is no frame.
 */
GROUPER_EXPORT enum grouper_error grouper_member_subscribe(struct grouper_member
							       *member,
    const char *pattern, int64_t timeout_ms);
GROUPER_EXPORT enum grouper_error grouper_member_unsubscribe(
    struct grouper_member *member, const char *pattern, int64_t timeout_ms);

/*
 * The next message.
 *
 * timeout_ms: 0 takes what is there.
 * message: filled on success; what it points to is the library's and valid
 *     until the next call of a function of this header for this member.
 *
 * Returns GROUPER_OK; GROUPER_TIMED_OUT if none came; GROUPER_INVALID;
 * GROUPER_NO_GROUP when the host has closed the pipe, after all that came
 * before, and once if it takes nothing from this group any more while changes
 * are not confirmed, which then no message tells; GROUPER_SYSTEM with errno,
 * EPROTO for what is no frame, after which nothing can be read any more.
 */
GROUPER_EXPORT enum grouper_error grouper_member_next(struct grouper_member
							  *member,
    int64_t timeout_ms, struct grouper_message *message);

/*
 * A descriptor for the caller's own loop: when it can be read, or has hung
 * up, call grouper_member_next() with a timeout of 0 until it returns other
 * than GROUPER_OK.  The same has to be done once after each
 * grouper_member_subscribe() and grouper_member_unsubscribe() that waited,
 * since these may have read messages already.  It stays the library's: not to
 * be read, closed or made non-blocking.  -1 in a forked child.
 */
GROUPER_EXPORT int grouper_member_fd(const struct grouper_member *member);

/*
 * Publishes an event to one topic, to all who are subscribed; _others leaves
 * out the sender's own group; _broadcast reaches every topic of a topic group.
 * Nobody needs to be subscribed, and an unknown topic group is no error.
 * Returns when the pipe has taken all of it, for which it waits.
 *
 * payload: may be NULL if length is 0.
 * length: bytes, GROUPER_PAYLOAD_MAX at most.
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a bad name or length;
 * GROUPER_NO_GROUP if the host has gone; GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_member_publish(struct grouper_member
							     *member,
    const char *topic, const char *event, const void *payload, size_t length);
GROUPER_EXPORT enum grouper_error
grouper_member_publish_others(struct grouper_member *member, const char *topic,
    const char *event, const void *payload, size_t length);
GROUPER_EXPORT enum grouper_error grouper_member_broadcast(struct grouper_member
							       *member,
    const char *topic_group, const char *event, const void *payload,
    size_t length);

/*
 * Whether anybody may be subscribed to a topic: to be asked before an event is
 * made that costs much and may reach nobody.  The answer comes from memory
 * that the host shares, and is right for every subscription that was
 * confirmed, of members and of clients.  Only the first call of a member waits
 * for the host, 30 seconds at most.
 *
 * Returns 0 if nobody is subscribed, not even the caller's group.  Else 1;
 * also for a topic that is mistaken for another, one of sixteen where there
 * are a thousand patterns, and where the host does not tell or the topic is
 * bad, so that publishing says why.
 */
GROUPER_EXPORT int grouper_member_wanted(struct grouper_member *member,
    const char *topic);

/*
 * Names and settings of the host.  Each call waits for its answer, 30 seconds
 * at most, and returns, besides what is named: GROUPER_OK; GROUPER_INVALID for
 * a bad name or value; GROUPER_NO_GROUP if the host has gone;
 * GROUPER_TIMED_OUT; GROUPER_SYSTEM with errno.  Results are set on success
 * only.
 */

/*
 * Gives a name to a process of the host's groups, unless one that lives has
 * it: *registered tells.  pid 0 is the caller.  GROUPER_NOT_FOUND: no such
 * process lives; GROUPER_NO_GROUP also if it is in no group of the host and
 * the caller is another user than the host's, and not root.
 */
GROUPER_EXPORT enum grouper_error grouper_member_register(struct grouper_member
							      *member,
    const char *name, pid_t pid, int *registered);

/* Takes a name from whoever has it; an unknown name is fine. */
GROUPER_EXPORT enum grouper_error
grouper_member_unregister(struct grouper_member *member, const char *name);

/* The living process that has a name, in the host's PID namespace; 0: none. */
GROUPER_EXPORT enum grouper_error grouper_member_whereis(struct grouper_member
							     *member,
    const char *name, pid_t *pid);

/* An event for the group of whoever has a name.  GROUPER_NOT_FOUND: nobody. */
GROUPER_EXPORT enum grouper_error grouper_member_send(struct grouper_member
							  *member,
    const char *name, const char *event, const void *payload, size_t length);

/*
 * A setting as JSON text, "1.5" or "\"text\"", to be freed by free(3).
 * GROUPER_NOT_FOUND: there is none.
 */
GROUPER_EXPORT enum grouper_error grouper_member_config_get(
    struct grouper_member *member, const char *key, char **json);

/*
 * Sets or removes one.  old, if not NULL, receives the value before, to be
 * freed by free(3), or NULL if there was none.
 */
GROUPER_EXPORT enum grouper_error
grouper_member_config_put(struct grouper_member *member, const char *key,
    const char *json, char **old);
GROUPER_EXPORT enum grouper_error grouper_member_config_delete(
    struct grouper_member *member, const char *key, char **old);

/* All of them as one JSON object, to be freed by free(3). */
GROUPER_EXPORT enum grouper_error
grouper_member_config_list(struct grouper_member *member, char **json);

GROUPER_END_DECLS

#endif
