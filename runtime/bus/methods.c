/* SPDX-License-Identifier: ISC */
/*
 * What the methods of the bus have in common: who calls, which words are
 * taken, and how is refused.
 */
#include "runtime/bus/bus_private.h"

#include <errno.h>
#include <string.h>

#include "runtime/control/params.h"

void
bus_refuse(struct call *call, enum grouper_error error)
{
	const char *text = NULL;

	if (error == GROUPER_SYSTEM && errno == ENOSPC)
		text = "the host has no room for more of them";
	else if (error == GROUPER_SYSTEM)
		text = strerror(errno);
	call_fail(call, error, text);
}

bool
bus_word(struct call *call, const json_t *params, const char *name,
    enum word_kind kind, const char **word)
{
	char why[WORD_WHY_SIZE];

	if (!params_string(call, params, name, word))
		return false;
	if (word_valid(kind, *word, why))
		return true;
	call_fail(call, GROUPER_INVALID, why);
	return false;
}

bool
bus_caller(struct bus *bus, struct call *call, struct bus_caller *caller)
{
	const char *key = call_group(call);

	if (key == NULL && call_is_foreign(call)) {
		call_fail(call, GROUPER_NO_GROUP,
		    "another user's process, in no group of this host");
		return false;
	}
	caller->key = key != NULL ? key : "";
	caller->member = key != NULL ? bus_member(bus, key) : NULL;
	if (caller->member != NULL && caller->member->relay != NULL)
		relay_drain_uplink(caller->member->relay);
	return true;
}

static const struct server_method *const lists[BUS_METHOD_LISTS] = {
	bus_event_methods,
	bus_topic_methods,
	bus_stream_methods,
	bus_name_methods,
	bus_setting_methods,
};

void
bus_link_methods(struct bus *bus)
{
	struct server_methods *methods = bus->methods;
	size_t i;

	for (i = 0; i < BUS_METHOD_LISTS; i++) {
		methods[i].list = lists[i];
		while (lists[i][methods[i].count].name != NULL)
			methods[i].count++;
		methods[i].arg = bus;
		if (i + 1 < BUS_METHOD_LISTS)
			methods[i].next = &methods[i + 1];
	}
}

const struct server_methods *
bus_methods(struct grouper_host *host)
{
	struct bus *bus = bus_of(host);

	return bus != NULL ? bus->methods : NULL;
}
