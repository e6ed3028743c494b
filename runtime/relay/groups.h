/* SPDX-License-Identifier: ISC */
/*
 * Topic groups: named sets of topics that one broadcast reaches.  A group is
 * there from its creation to its deletion, whatever its topics are, and a
 * topic needs no subscriber.
 *
 * All functions return GROUPER_INVALID for a name or topic that is none, and
 * GROUPER_SYSTEM with errno: ENOMEM, or ENOSPC beyond the limits below.
 */
#ifndef RUNTIME_RELAY_GROUPS_H
#define RUNTIME_RELAY_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include <grouper/error.h>

/* Groups of one host, and topics of all its groups together. */
#define TOPIC_GROUPS_MAX ((size_t)65536)
#define TOPIC_GROUPS_TOPICS_MAX ((size_t)2000000)

struct topic_groups;

/* NULL with errno. */
struct topic_groups *topic_groups_new(void);
void topic_groups_free(struct topic_groups *groups);

/* GROUPER_ALREADY_EXISTS if there is one of that name. */
enum grouper_error topic_groups_create(struct topic_groups *groups,
    const char *name);

/* GROUPER_NOT_FOUND if there is no group of that name, as below. */
enum grouper_error topic_groups_delete(struct topic_groups *groups,
    const char *name);

/* Adding a topic twice, and removing one that is not there, are ok. */
enum grouper_error topic_groups_add(struct topic_groups *groups,
    const char *name, const char *topic);
enum grouper_error topic_groups_remove(struct topic_groups *groups,
    const char *name, const char *topic);

/*
 * The topics of a group in byte order, *count of them: valid until the groups
 * change.
 */
enum grouper_error topic_groups_topics(const struct topic_groups *groups,
    const char *name, char *const **topics, size_t *count);

/* Whether there is a group of that name and it has the topic. */
bool topic_groups_has(const struct topic_groups *groups, const char *name,
    const char *topic);

/* The name of group number `index` in byte order; NULL behind the last. */
const char *topic_groups_name(const struct topic_groups *groups, size_t index);

#endif
