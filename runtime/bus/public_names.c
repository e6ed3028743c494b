/* SPDX-License-Identifier: ISC */
/*
 * Names and settings for programs that embed a host, see grouper/registry.h
 * and grouper/config.h.
 */
#include <grouper/config.h>
#include <grouper/registry.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/bus/bus_private.h"
#include "runtime/control/json_text.h"
#include "runtime/control/membership.h"

/* Names */

enum grouper_error
grouper_register(struct grouper_host *host, const char *name, pid_t pid,
    int *registered)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    name != NULL && registered != NULL && pid >= 0, &bus);
	const char *key;
	bool has;

	if (error != GROUPER_OK)
		return error;
	if (pid == 0)
		pid = getpid();
	key = membership_key(host, pid);
	error = registry_register(bus_names(bus, ""), name, pid,
	    key != NULL ? key : "", &has);
	if (error == GROUPER_OK)
		*registered = has;
	return error;
}

enum grouper_error
grouper_unregister(struct grouper_host *host, const char *name)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    name != NULL && topic_word(name), &bus);

	if (error == GROUPER_OK)
		registry_unregister(bus_names(bus, ""), name);
	return error;
}

enum grouper_error
grouper_whereis(struct grouper_host *host, const char *name, pid_t *pid)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    name != NULL && topic_word(name) && pid != NULL, &bus);

	if (error == GROUPER_OK)
		*pid = registry_whereis(bus_names(bus, ""), name, NULL);
	return error;
}

enum grouper_error
grouper_send(struct grouper_host *host, const char *name, const char *event,
    const void *payload, size_t length)
{
	struct relay_event message = { .topic = name,
		.event = event,
		.payload = payload != NULL ? payload : "",
		.length = length };
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    name != NULL && event != NULL && (payload != NULL || length == 0),
	    &bus);

	return error == GROUPER_OK ? bus_send(bus, "", &message) : error;
}

/* Settings */

/* Text of a value, which is released; NULL stays NULL. */
static enum grouper_error
give(json_t *value, char **text)
{
	if (value == NULL || text == NULL) {
		json_decref(value);
		if (text != NULL)
			*text = NULL;
		return GROUPER_OK;
	}
	*text = json_write(value);
	json_decref(value);
	if (*text != NULL)
		return GROUPER_OK;
	errno = ENOMEM;
	return GROUPER_SYSTEM;
}

enum grouper_error
grouper_config_get(struct grouper_host *host, const char *key, char **json)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    key != NULL && topic_word(key) && json != NULL, &bus);
	json_t *value;

	if (error != GROUPER_OK)
		return error;
	value = settings_get(bus->settings, key);
	return value != NULL ? give(json_incref(value), json) :
			       GROUPER_NOT_FOUND;
}

enum grouper_error
grouper_config_put(struct grouper_host *host, const char *key, const char *json,
    char **old)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host, key != NULL, &bus);
	json_t *value, *before;

	if (error != GROUPER_OK)
		return error;
	value = json == NULL ?
	    NULL :
	    json_loads(json, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (value == NULL)
		return GROUPER_INVALID;
	error = settings_put(bus->settings, key, value, &before);
	return error == GROUPER_OK ? give(before, old) : error;
}

enum grouper_error
grouper_config_delete(struct grouper_host *host, const char *key, char **old)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host,
	    key != NULL && topic_word(key), &bus);
	json_t *before;

	if (error != GROUPER_OK)
		return error;
	settings_delete(bus->settings, key, &before);
	return give(before, old);
}

enum grouper_error
grouper_config_list(struct grouper_host *host, char **json)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host, json != NULL, &bus);
	json_t *list;

	if (error != GROUPER_OK)
		return error;
	list = settings_list(bus->settings);
	if (list == NULL) {
		errno = ENOMEM;
		return GROUPER_SYSTEM;
	}
	return give(list, json);
}

enum grouper_error
grouper_config_load(struct grouper_host *host, const char *path, char *why,
    size_t size)
{
	struct bus *bus;
	enum grouper_error error = bus_public(host, path != NULL, &bus);
	char text[512];

	if (error != GROUPER_OK)
		return error;
	if (settings_load_file(bus->settings, path, text, sizeof(text)) == 0)
		return GROUPER_OK;
	if (why != NULL)
		strlcpy(why, text, size);
	return GROUPER_INVALID;
}
