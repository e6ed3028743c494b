/* SPDX-License-Identifier: ISC */
/*
 * Settings of a command line, see given.h.
 */
#include "tools/given.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus/bus.h"
#include "runtime/relay/settings.h"
#include "tools/tool.h"

const char *
given_add(struct given *given, char *value, bool is_file)
{
	struct given_item *grown;

	if (is_file && *value == '\0')
		return "the name of a file";
	if (!is_file && (*value == '=' || strchr(value, '=') == NULL))
		return "KEY=VALUE";
	grown = reallocarray(given->items, given->count + 1, sizeof(*grown));
	if (grown == NULL)
		return "less, since memory ran out";
	given->items = grown;
	grown[given->count++] = (struct given_item) { value, is_file };
	return NULL;
}

void
given_fini(struct given *given)
{
	free(given->items);
	*given = (struct given) { .count = 0 };
}

static int
load(struct settings *settings, const struct given_item *item, const char *verb)
{
	char text[512];
	int result;

	if (item->is_file)
		result = settings_load_file(settings, item->text, text,
		    sizeof(text));
	else
		result = settings_load_text(settings, item->text, text,
		    sizeof(text));
	if (result == -1)
		tool_error(verb, "%s", text);
	return result;
}

json_t *
given_read(const struct given *given, const char *verb)
{
	struct settings *settings = settings_new();
	json_t *list = NULL;
	size_t i;

	if (settings == NULL)
		goto fail;
	for (i = 0; i < given->count; i++)
		if (load(settings, &given->items[i], verb) == -1)
			goto out;
	list = settings_list(settings);
	if (list != NULL)
		goto out;
fail:
	tool_error(verb, "settings: %s", strerror(ENOMEM));
out:
	settings_free(settings);
	return list;
}

int
given_put(const json_t *settings, struct grouper_host *host, const char *verb)
{
	struct bus *bus;
	char text[512];

	if (json_object_size(settings) == 0)
		return 0;
	bus = bus_of(host);
	if (bus == NULL) {
		tool_error(verb, "settings: %s", strerror(errno));
		return -1;
	}
	if (settings_load_object(bus_settings(bus), settings, text,
		sizeof(text)) == 0)
		return 0;
	tool_error(verb, "%s", text);
	return -1;
}
