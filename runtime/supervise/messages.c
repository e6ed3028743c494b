/* SPDX-License-Identifier: ISC */
/*
 * Trees and the message bus, see messages.h.
 */
#include "runtime/supervise/messages.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus/bus.h"
#include "runtime/group/host.h"
#include "runtime/relay/groups.h"
#include "runtime/relay/relay.h"
#include "runtime/relay/settings.h"

/* Words of an error, errno set. */
static int
fail(char **why, const char *what, enum grouper_error error)
{
	const char *text = error == GROUPER_SYSTEM ? strerror(errno) :
						     grouper_strerror(error);

	if (asprintf(why, "%s: %s", what, text) == -1)
		*why = NULL;
	return -1;
}

static int
load_group(struct topic_groups *groups, const struct spec_topics *from,
    char **why)
{
	enum grouper_error error;
	size_t i;

	error = topic_groups_create(groups, from->name);
	if (error == GROUPER_ALREADY_EXISTS)
		error = GROUPER_OK;
	for (i = 0; error == GROUPER_OK && from->topics != NULL &&
	     from->topics[i] != NULL;
	     i++)
		error = topic_groups_add(groups, from->name, from->topics[i]);
	return error == GROUPER_OK ? 0 : fail(why, from->name, error);
}

static int
load_setting(struct settings *settings, const struct spec_pair *pair,
    char **why)
{
	enum grouper_error error;

	if (settings_get(settings, pair->name) != NULL)
		return 0;
	error = settings_put(settings, pair->name,
	    json_loads(pair->value, JSON_DECODE_ANY, NULL), NULL);
	return error == GROUPER_OK ? 0 : fail(why, pair->name, error);
}

/* Each supervisor with names of its own, below one whose key is path. */
static int
scope_names(struct bus *bus, const struct spec_supervisor *supervisor,
    const char *path)
{
	const struct spec_child *child;
	char *key;
	size_t i;
	int result = 0;

	for (i = 0; i < supervisor->nchildren && result == 0; i++) {
		child = &supervisor->children[i];
		if (child->supervisor == NULL)
			continue;
		if (asprintf(&key, "%s%s%s", path, *path != '\0' ? "/" : "",
			child->id) == -1)
			return -1;
		if (child->supervisor->own_names)
			result = bus_own_names(bus, key);
		if (result == 0)
			result = scope_names(bus, child->supervisor, key);
		free(key);
	}
	return result;
}

/* Whether it is the key of a supervisor with names of its own. */
static bool
has_own_names(const char *key, void *arg)
{
	const struct spec_supervisor *at = arg;
	const struct spec_child *child;
	size_t i, length;

	for (;; key += length + 1) {
		length = strcspn(key, "/");
		child = NULL;
		for (i = 0; i < at->nchildren && child == NULL; i++)
			if (strncmp(at->children[i].id, key, length) == 0 &&
			    at->children[i].id[length] == '\0')
				child = &at->children[i];
		at = child != NULL ? child->supervisor : NULL;
		if (at == NULL || key[length] == '\0')
			return at != NULL && at->own_names;
	}
}

int
messages_load(struct grouper_host *host, const struct spec_tree *tree,
    char **why)
{
	struct bus *bus = bus_of(host);
	size_t i;

	*why = NULL;
	if (bus == NULL)
		return -1;
	for (i = 0; i < tree->ntopic_groups; i++)
		if (load_group(relay_groups(bus_relay(bus)),
			&tree->topic_groups[i], why) == -1)
			return -1;
	for (i = 0; i < tree->nconfig; i++)
		if (load_setting(bus_settings(bus), &tree->config[i], why) ==
		    -1)
			return -1;
	bus_share_names(bus, has_own_names,
	    (struct spec_supervisor *)(uintptr_t)&tree->root);
	return scope_names(bus, &tree->root, "");
}

bool
messages_has_topics(const struct grouper_host *host,
    const struct spec_topics *group)
{
	struct bus *bus = bus_find(host);
	struct topic_groups *groups;
	char *const *topics;
	size_t i;

	if (bus == NULL)
		return false;
	groups = relay_groups(bus_relay(bus));
	if (topic_groups_topics(groups, group->name, &topics, &i) != GROUPER_OK)
		return false;
	for (i = 0; group->topics != NULL && group->topics[i] != NULL; i++)
		if (!topic_groups_has(groups, group->name, group->topics[i]))
			return false;
	return true;
}

bool
messages_has_setting(const struct grouper_host *host, const char *name,
    const char *value)
{
	struct bus *bus = bus_find(host);
	json_t *held, *wanted;
	bool equal;

	held = bus != NULL ? settings_get(bus_settings(bus), name) : NULL;
	if (held == NULL || value == NULL)
		return held != NULL;
	wanted = json_loads(value, JSON_DECODE_ANY, NULL);
	equal = json_equal(held, wanted) != 0;
	json_decref(wanted);
	return equal;
}

/* The variables tell the numbers; without pipes, none of an outer group's. */
static int
name_pipes(struct launch *launch, bool given)
{
	char down[16], up[16];

	snprintf(down, sizeof(down), "%d", BUS_EVENTS_FD);
	snprintf(up, sizeof(up), "%d", BUS_COMMANDS_FD);
	if (environment_set(&launch->env, "GROUPER_EVENTS_FD",
		given ? down : NULL) == -1 ||
	    environment_set(&launch->env, "GROUPER_COMMANDS_FD",
		given ? up : NULL) == -1)
		return -1;
	launch->options.envp = launch->env.vars;
	return 0;
}

static enum grouper_error
join(struct grouper_host *host, const char *key,
    const struct spec_command *command, struct messages_pipes *pipes)
{
	struct bus_member_options options = {
		.key = key,
		.topics = command->topics,
		.messages = command->messages,
		.nreactions = command->non_event,
	};
	struct bus_reaction *reactions;
	enum grouper_error error;
	struct bus *bus = bus_of(host);
	size_t i;

	reactions = calloc(command->non_event + 1, sizeof(*reactions));
	if (bus == NULL || reactions == NULL) {
		free(reactions);
		return GROUPER_SYSTEM;
	}
	for (i = 0; i < command->non_event; i++)
		reactions[i] = (struct bus_reaction) {
			command->on_event[i].event, command->on_event[i].signum
		};
	options.reactions = reactions;
	error = bus_join(bus, &options, &pipes->down, &pipes->up);
	free(reactions);
	return error;
}

int
messages_join(struct grouper_host *host, const char *key,
    const struct spec_command *command, struct launch *launch,
    struct messages_pipes *pipes, char **why)
{
	bool wanted = command->messages || command->non_event > 0 ||
	    (command->topics != NULL && command->topics[0] != NULL);
	enum grouper_error error;

	*pipes = (struct messages_pipes) { -1, -1 };
	if (wanted) {
		error = join(host, key, command, pipes);
		if (error != GROUPER_OK)
			return fail(why, "messages", error);
	}
	if (pipes->down != -1) {
		launch_add_fd(launch, pipes->down, BUS_EVENTS_FD);
		launch_add_fd(launch, pipes->up, BUS_COMMANDS_FD);
	}
	return name_pipes(launch, pipes->down != -1);
}

void
messages_leave(struct grouper_host *host, const char *key)
{
	struct bus *bus = bus_find(host);

	if (bus != NULL)
		bus_leave(bus, key);
}

void
messages_drain(struct grouper_host *host, const char *key)
{
	struct bus *bus = bus_find(host);

	if (bus != NULL)
		bus_drain(bus, key);
}
