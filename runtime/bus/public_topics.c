/* SPDX-License-Identifier: ISC */
/*
 * Topics for programs that embed a host, see grouper/topics.h.
 */
#include <grouper/topics.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus/bus_private.h"

static enum grouper_error
find_groups(struct grouper_host *host, bool valid, struct topic_groups **groups)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host, valid, &bus);

	if (error == GROUPER_OK)
		*groups = relay_groups(bus->relay);
	return error;
}

/* Lists of names */

void
grouper_names_free(struct grouper_names *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i]);
	free((void *)list->items);
	*list = (struct grouper_names) { NULL, 0 };
}

static int
add_name(struct grouper_names *list, const char *name)
{
	char **grown;

	grown = reallocarray((void *)list->items, list->count + 1,
	    sizeof(*grown));
	if (grown == NULL)
		return -1;
	list->items = grown;
	grown[list->count] = strdup(name);
	if (grown[list->count] == NULL)
		return -1;
	list->count++;
	return 0;
}

static enum grouper_error
give_up(struct grouper_names *list)
{
	int saved = errno;

	grouper_names_free(list);
	errno = saved;
	return GROUPER_SYSTEM;
}

/* Topic groups */

enum grouper_error
grouper_topics_create(struct grouper_host *host, const char *topic_group)
{
	struct topic_groups *groups;
	enum grouper_error error = find_groups(host, topic_group != NULL,
	    &groups);

	return error != GROUPER_OK ? error :
				     topic_groups_create(groups, topic_group);
}

enum grouper_error
grouper_topics_delete(struct grouper_host *host, const char *topic_group)
{
	struct topic_groups *groups;
	enum grouper_error error = find_groups(host, topic_group != NULL,
	    &groups);

	return error != GROUPER_OK ? error :
				     topic_groups_delete(groups, topic_group);
}

enum grouper_error
grouper_topics_add(struct grouper_host *host, const char *topic_group,
    const char *topic)
{
	struct topic_groups *groups;
	enum grouper_error error = find_groups(host,
	    topic_group != NULL && topic != NULL, &groups);

	return error != GROUPER_OK ?
	    error :
	    topic_groups_add(groups, topic_group, topic);
}

enum grouper_error
grouper_topics_remove(struct grouper_host *host, const char *topic_group,
    const char *topic)
{
	struct topic_groups *groups;
	enum grouper_error error = find_groups(host,
	    topic_group != NULL && topic != NULL, &groups);

	return error != GROUPER_OK ?
	    error :
	    topic_groups_remove(groups, topic_group, topic);
}

enum grouper_error
grouper_topics_show(struct grouper_host *host, const char *topic_group,
    struct grouper_names *list)
{
	struct topic_groups *groups;
	enum grouper_error error;
	char *const *topics;
	size_t count, i;

	if (list == NULL)
		return GROUPER_INVALID;
	*list = (struct grouper_names) { NULL, 0 };
	error = find_groups(host, topic_group != NULL, &groups);
	if (error == GROUPER_OK)
		error = topic_groups_topics(groups, topic_group, &topics,
		    &count);
	if (error != GROUPER_OK)
		return error;
	for (i = 0; i < count; i++)
		if (add_name(list, topics[i]) == -1)
			return give_up(list);
	return GROUPER_OK;
}

enum grouper_error
grouper_topics_list(struct grouper_host *host, struct grouper_names *list)
{
	struct topic_groups *groups;
	enum grouper_error error;
	const char *name;
	size_t i;

	if (list == NULL)
		return GROUPER_INVALID;
	*list = (struct grouper_names) { NULL, 0 };
	error = find_groups(host, true, &groups);
	if (error != GROUPER_OK)
		return error;
	for (i = 0; (name = topic_groups_name(groups, i)) != NULL; i++)
		if (add_name(list, name) == -1)
			return give_up(list);
	return GROUPER_OK;
}

/* Events */

enum grouper_error
grouper_publish(struct grouper_host *host, const char *topic, const char *event,
    const void *payload, size_t length, size_t *reached)
{
	struct relay_event message = { .topic = topic,
		.event = event,
		.payload = payload != NULL ? payload : "",
		.length = length };
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    topic != NULL && event != NULL && (payload != NULL || length == 0),
	    &bus);

	return error != GROUPER_OK ?
	    error :
	    relay_publish(bus->relay, &message, NULL, reached);
}

enum grouper_error
grouper_broadcast(struct grouper_host *host, const char *topic_group,
    const char *event, const void *payload, size_t length,
    struct grouper_reach *reach)
{
	struct relay_event message = { .topic = topic_group,
		.event = event,
		.payload = payload != NULL ? payload : "",
		.length = length };
	struct relay_reach found = { .known = false };
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    topic_group != NULL && event != NULL &&
		(payload != NULL || length == 0),
	    &bus);

	if (error != GROUPER_OK)
		return error;
	error = relay_broadcast(bus->relay, &message, &found);
	if (reach != NULL)
		*reach = (struct grouper_reach) { found.known, found.topics,
			found.reached };
	return error;
}

enum grouper_error
grouper_presence(struct grouper_host *host, const char *topic,
    struct grouper_names *list)
{
	const struct relay_member **members;
	struct bus *bus;
	enum grouper_error error;
	size_t count, i;

	if (list == NULL)
		return GROUPER_INVALID;
	*list = (struct grouper_names) { NULL, 0 };
	error = bus_public(host,
	    topic != NULL && topic_valid(topic, strlen(topic)), &bus);
	if (error != GROUPER_OK)
		return error;
	members = bus_presence(bus, topic, &count);
	if (members == NULL)
		return GROUPER_SYSTEM;
	for (i = 0; i < count; i++)
		if (add_name(list, relay_member_key(members[i])) == -1) {
			error = give_up(list);
			break;
		}
	free((void *)members);
	return error;
}
