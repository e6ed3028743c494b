/* SPDX-License-Identifier: ISC */
/*
 * Messages, on the side of a program that embeds a host: topics, named sets
 * of them, and who is subscribed.  See grouper/message.h for what may be a
 * name, a topic, a pattern and a payload.
 *
 * Events are passed on to the members of the host's groups that subscribed,
 * to clients of its socket, and to subscriptions of the program's own.
 * Nobody waits for a slow reader: what it could not be given is told to it as
 * lost.  The first use of anything here makes the process ignore SIGPIPE.
 *
 * As in grouper/group.h, functions return at once, no callback runs before
 * they return, and all of them may be called from one.  Besides what is named
 * each returns GROUPER_OK; GROUPER_INVALID for what is no name, topic or
 * pattern; GROUPER_NO_GROUP if host is NULL; GROUPER_SYSTEM with errno,
 * ENOSPC for too many.
 */
#ifndef GROUPER_TOPICS_H
#define GROUPER_TOPICS_H

#include <stddef.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/group.h>
#include <grouper/message.h>

GROUPER_BEGIN_DECLS

/* A list of names in byte order; the caller releases what it points to. */
struct grouper_names {
	char **items;
	size_t count;
};

/* Releases what a list owns and empties it; an empty list is fine. */
GROUPER_EXPORT void grouper_names_free(struct grouper_names *list);

/*
 * Topic groups, "team:engineering": one broadcast reaches all their topics.
 * A group is there from its creation to its deletion, and its topics need
 * nobody who is subscribed.
 */

/* GROUPER_ALREADY_EXISTS. */
GROUPER_EXPORT enum grouper_error grouper_topics_create(struct grouper_host
							    *host,
    const char *topic_group);

/* GROUPER_NOT_FOUND if there is no such topic group, as of all below. */
GROUPER_EXPORT enum grouper_error grouper_topics_delete(struct grouper_host
							    *host,
    const char *topic_group);

/* To add a topic twice, or to remove one that is not there, is fine. */
GROUPER_EXPORT enum grouper_error grouper_topics_add(struct grouper_host *host,
    const char *topic_group, const char *topic);
GROUPER_EXPORT enum grouper_error grouper_topics_remove(struct grouper_host
							    *host,
    const char *topic_group, const char *topic);

/*
 * The topics of a group, and the names of all groups; the caller releases the
 * list with grouper_names_free().  On failure it is empty.
 */
GROUPER_EXPORT enum grouper_error grouper_topics_show(struct grouper_host *host,
    const char *topic_group, struct grouper_names *list);
GROUPER_EXPORT enum grouper_error grouper_topics_list(struct grouper_host *host,
    struct grouper_names *list);

/*
 * Publishes an event to a topic.
 *
 * payload: may be NULL if length is 0; copied.
 * length: bytes, GROUPER_PAYLOAD_MAX at most.
 * reached: if not NULL, receives how many members, clients and subscriptions
 *     it was for.
 */
GROUPER_EXPORT enum grouper_error grouper_publish(struct grouper_host *host,
    const char *topic, const char *event, const void *payload, size_t length,
    size_t *reached);

/* What became of a broadcast. */
struct grouper_reach {
	int known;	/* there is such a topic group */
	size_t topics;	/* that it has */
	size_t reached; /* members and others, each counted once */
};

/*
 * Publishes an event to each topic of a group, in byte order and with nothing
 * in between.  For an unknown group nothing happens, which is no error.
 *
 * reach: may be NULL.
 */
GROUPER_EXPORT enum grouper_error grouper_broadcast(struct grouper_host *host,
    const char *topic_group, const char *event, const void *payload,
    size_t length, struct grouper_reach *reach);

/*
 * The keys of the groups that are subscribed to a topic; released by the
 * caller with grouper_names_free().
 */
GROUPER_EXPORT enum grouper_error grouper_presence(struct grouper_host *host,
    const char *topic, struct grouper_names *list);

struct grouper_subscription;

/*
 * A message for the program; what it points to is valid until the callback
 * returns.  Of kind GROUPER_MESSAGE_EVENT or GROUPER_MESSAGE_LOST.
 */
typedef void grouper_message_fn(struct grouper_host *host,
    const struct grouper_message *message, void *arg);

/*
 * Subscribes the program itself: on_message is called from the event base for
 * what is published to the topics of any of these patterns, once each, its
 * own events among them.  What waits for it is bounded, as for others.
 *
 * host: must outlive the subscription.
 * patterns: count of them, 1 at least; copied.
 * subscription: set on success; the caller ends it with
 *     grouper_unsubscribe().
 */
GROUPER_EXPORT enum grouper_error grouper_subscribe(struct grouper_host *host,
    const char *const *patterns, size_t count, grouper_message_fn *on_message,
    void *arg, struct grouper_subscription **subscription);

/*
 * Ends and frees a subscription: on_message is not called any more.  May be
 * called from it.  NULL is fine.
 */
GROUPER_EXPORT void grouper_unsubscribe(struct grouper_subscription
	*subscription);

GROUPER_END_DECLS

#endif
