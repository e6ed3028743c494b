/* SPDX-License-Identifier: ISC */
/*
 * The methods of settings.
 */
#include "runtime/bus/bus_private.h"
#include "runtime/control/rpc.h"

/* "old": what there was before, null without. */
static void
tell_old(struct call *call, json_t *old)
{
	call_result(call,
	    json_pack("{s:b, s:o}", "known", old != NULL, "old",
		old != NULL ? old : json_null()));
}

static bool
key_of(struct call *call, const json_t *params, void *arg, const char **key)
{
	struct bus_caller caller;

	return bus_word(call, params, "key", WORD_KEY, key) &&
	    bus_caller(arg, call, &caller);
}

static void
method_get(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	const char *key;
	json_t *value;

	if (!key_of(call, params, bus, &key))
		return;
	value = settings_get(bus->settings, key);
	if (value != NULL)
		call_result(call, json_pack("{s:O}", "value", value));
	else
		call_fail(call, GROUPER_NOT_FOUND, "no such setting");
}

static void
method_put(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	json_t *value = json_object_get(params, "value"), *old;
	enum grouper_error error;
	const char *key;

	if (!key_of(call, params, bus, &key))
		return;
	if (value == NULL) {
		call_fail_code(call, RPC_INVALID_PARAMS, "expected a value");
		return;
	}
	error = settings_put(bus->settings, key, json_incref(value), &old);
	if (error == GROUPER_OK)
		tell_old(call, old);
	else
		bus_refuse(call, error);
}

static void
method_delete(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	const char *key;
	json_t *old;

	if (!key_of(call, params, bus, &key))
		return;
	settings_delete(bus->settings, key, &old);
	tell_old(call, old);
}

static void
method_list(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	struct bus_caller caller;

	(void)params;
	if (bus_caller(bus, call, &caller))
		call_result(call,
		    json_pack("{s:o}", "settings",
			settings_list(bus->settings)));
}

const struct server_method bus_setting_methods[] = {
	{ "config.get", method_get, true },
	{ "config.put", method_put, true },
	{ "config.delete", method_delete, true },
	{ "config.list", method_list, true },
	{ NULL, NULL, false },
};
