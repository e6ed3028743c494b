/* SPDX-License-Identifier: ISC */
/*
 * The methods of topic groups.
 */
#include "runtime/bus/bus_private.h"

#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"

/* An answer without content, or the error. */
static void
answer(struct call *call, enum grouper_error error, const char *group)
{
	char text[320];

	if (error == GROUPER_OK) {
		call_result(call, json_object());
	} else if (error == GROUPER_NOT_FOUND) {
		snprintf(text, sizeof(text), "no topic group '%s'", group);
		call_fail(call, error, text);
	} else if (error == GROUPER_ALREADY_EXISTS) {
		snprintf(text, sizeof(text), "there is a topic group '%s'",
		    group);
		call_fail(call, error, text);
	} else {
		bus_refuse(call, error);
	}
}

static struct topic_groups *
groups_of(void *arg)
{
	struct bus *bus = arg;

	return relay_groups(bus->relay);
}

/* A topic group, and a topic where there is room for one. */
static bool
words_of(struct call *call, const json_t *params, void *arg, const char **group,
    const char **topic)
{
	struct bus_caller caller;

	return bus_word(call, params, "group", WORD_GROUP, group) &&
	    (topic == NULL ||
		bus_word(call, params, "topic", WORD_TOPIC, topic)) &&
	    bus_caller(arg, call, &caller);
}

static void
method_create(struct call *call, const json_t *params, void *arg)
{
	const char *group;

	if (words_of(call, params, arg, &group, NULL))
		answer(call, topic_groups_create(groups_of(arg), group), group);
}

static void
method_delete(struct call *call, const json_t *params, void *arg)
{
	const char *group;

	if (words_of(call, params, arg, &group, NULL))
		answer(call, topic_groups_delete(groups_of(arg), group), group);
}

static void
method_add(struct call *call, const json_t *params, void *arg)
{
	const char *group, *topic;

	if (words_of(call, params, arg, &group, &topic))
		answer(call, topic_groups_add(groups_of(arg), group, topic),
		    group);
}

static void
method_remove(struct call *call, const json_t *params, void *arg)
{
	const char *group, *topic;

	if (words_of(call, params, arg, &group, &topic))
		answer(call, topic_groups_remove(groups_of(arg), group, topic),
		    group);
}

static void
method_show(struct call *call, const json_t *params, void *arg)
{
	char *const *topics;
	const char *group;
	json_t *list;
	size_t count, i;
	enum grouper_error error;

	if (!words_of(call, params, arg, &group, NULL))
		return;
	error = topic_groups_topics(groups_of(arg), group, &topics, &count);
	if (error != GROUPER_OK) {
		answer(call, error, group);
		return;
	}
	list = json_array();
	for (i = 0; i < count; i++)
		json_add(&list, json_text(topics[i]));
	call_result(call, json_pack("{s:o}", "topics", list));
}

static void
method_list(struct call *call, const json_t *params, void *arg)
{
	struct bus_caller caller;
	const char *name;
	json_t *list;
	size_t i;

	(void)params;
	if (!bus_caller(arg, call, &caller))
		return;
	list = json_array();
	for (i = 0; (name = topic_groups_name(groups_of(arg), i)) != NULL; i++)
		json_add(&list, json_text(name));
	call_result(call, json_pack("{s:o}", "groups", list));
}

const struct server_method bus_topic_methods[] = {
	{ "topics.create", method_create, true },
	{ "topics.delete", method_delete, true },
	{ "topics.add", method_add, true },
	{ "topics.remove", method_remove, true },
	{ "topics.show", method_show, true },
	{ "topics.list", method_list, true },
	{ NULL, NULL, false },
};
