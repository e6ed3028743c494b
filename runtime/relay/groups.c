/* SPDX-License-Identifier: ISC */
/*
 * Topic groups: see groups.h.  Groups, and the topics of each, are sorted
 * arrays: they are listed and broadcast to far more often than changed.
 */
#include "runtime/relay/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/topic.h"

struct list {
	void **items; /* each begins with its text, or points to it */
	size_t count;
	size_t size;
};

struct group {
	char *name;
	struct list topics; /* of char * */
};

struct topic_groups {
	struct list groups; /* of struct group * */
	size_t topics;	    /* of all groups */
};

typedef const char *name_fn(const void *item);

static const char *
group_name(const void *item)
{
	return ((const struct group *)item)->name;
}

static const char *
topic_name(const void *item)
{
	return item;
}

/* Where the item of that name is, or would have to be. */
static bool
find(const struct list *list, name_fn *name_of, const char *name, size_t *at)
{
	size_t low = 0, high = list->count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, name_of(list->items[middle]));
		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*at = low;
	return false;
}

static int
insert(struct list *list, size_t at, void *item)
{
	size_t size = list->size == 0 ? 8 : list->size * 2;
	void **items;

	if (list->count == list->size) {
		items = reallocarray(list->items, size, sizeof(*items));
		if (items == NULL)
			return -1;
		list->items = items;
		list->size = size;
	}
	memmove(list->items + at + 1, list->items + at,
	    (list->count - at) * sizeof(*list->items));
	list->items[at] = item;
	list->count++;
	return 0;
}

static void
take_out(struct list *list, size_t at)
{
	list->count--;
	memmove(list->items + at, list->items + at + 1,
	    (list->count - at) * sizeof(*list->items));
}

static void
group_free(struct group *group)
{
	size_t i;

	if (group == NULL)
		return;
	for (i = 0; i < group->topics.count; i++)
		free(group->topics.items[i]);
	free(group->topics.items);
	free(group->name);
	free(group);
}

struct topic_groups *
topic_groups_new(void)
{
	return calloc(1, sizeof(struct topic_groups));
}

void
topic_groups_free(struct topic_groups *groups)
{
	size_t i;

	if (groups == NULL)
		return;
	for (i = 0; i < groups->groups.count; i++)
		group_free(groups->groups.items[i]);
	free(groups->groups.items);
	free(groups);
}

static enum grouper_error
full(void)
{
	errno = ENOSPC;
	return GROUPER_SYSTEM;
}

enum grouper_error
topic_groups_create(struct topic_groups *groups, const char *name)
{
	struct group *group;
	size_t at;

	if (!topic_word(name))
		return GROUPER_INVALID;
	if (find(&groups->groups, group_name, name, &at))
		return GROUPER_ALREADY_EXISTS;
	if (groups->groups.count == TOPIC_GROUPS_MAX)
		return full();
	group = calloc(1, sizeof(*group));
	if (group == NULL)
		return GROUPER_SYSTEM;
	group->name = strdup(name);
	if (group->name == NULL || insert(&groups->groups, at, group) == -1) {
		group_free(group);
		return GROUPER_SYSTEM;
	}
	return GROUPER_OK;
}

static enum grouper_error
find_group(const struct topic_groups *groups, const char *name,
    struct group **group, size_t *at)
{
	if (!topic_word(name))
		return GROUPER_INVALID;
	if (!find(&groups->groups, group_name, name, at))
		return GROUPER_NOT_FOUND;
	*group = groups->groups.items[*at];
	return GROUPER_OK;
}

enum grouper_error
topic_groups_delete(struct topic_groups *groups, const char *name)
{
	enum grouper_error error;
	struct group *group;
	size_t at;

	error = find_group(groups, name, &group, &at);
	if (error != GROUPER_OK)
		return error;
	take_out(&groups->groups, at);
	groups->topics -= group->topics.count;
	group_free(group);
	return GROUPER_OK;
}

static bool
is_topic(const char *topic)
{
	return topic_valid(topic, strnlen(topic, TOPIC_MAX + 1));
}

enum grouper_error
topic_groups_add(struct topic_groups *groups, const char *name,
    const char *topic)
{
	enum grouper_error error;
	struct group *group;
	size_t at;
	char *copy;

	if (!is_topic(topic))
		return GROUPER_INVALID;
	error = find_group(groups, name, &group, &at);
	if (error != GROUPER_OK)
		return error;
	if (find(&group->topics, topic_name, topic, &at))
		return GROUPER_OK;
	if (groups->topics == TOPIC_GROUPS_TOPICS_MAX)
		return full();
	copy = strdup(topic);
	if (copy == NULL || insert(&group->topics, at, copy) == -1) {
		free(copy);
		return GROUPER_SYSTEM;
	}
	groups->topics++;
	return GROUPER_OK;
}

enum grouper_error
topic_groups_remove(struct topic_groups *groups, const char *name,
    const char *topic)
{
	enum grouper_error error;
	struct group *group;
	size_t at;

	if (!is_topic(topic))
		return GROUPER_INVALID;
	error = find_group(groups, name, &group, &at);
	if (error != GROUPER_OK)
		return error;
	if (find(&group->topics, topic_name, topic, &at)) {
		free(group->topics.items[at]);
		take_out(&group->topics, at);
		groups->topics--;
	}
	return GROUPER_OK;
}

enum grouper_error
topic_groups_topics(const struct topic_groups *groups, const char *name,
    char *const **topics, size_t *count)
{
	enum grouper_error error;
	struct group *group;
	size_t at;

	error = find_group(groups, name, &group, &at);
	if (error != GROUPER_OK)
		return error;
	*topics = (char *const *)group->topics.items;
	*count = group->topics.count;
	return GROUPER_OK;
}

bool
topic_groups_has(const struct topic_groups *groups, const char *name,
    const char *topic)
{
	struct group *group;
	size_t at;

	return find_group(groups, name, &group, &at) == GROUPER_OK &&
	    find(&group->topics, topic_name, topic, &at);
}

const char *
topic_groups_name(const struct topic_groups *groups, size_t index)
{
	if (index >= groups->groups.count)
		return NULL;
	return group_name(groups->groups.items[index]);
}
