/* SPDX-License-Identifier: ISC */
/*
 * The methods of registered names.
 */
#include "runtime/bus/bus_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/control/descent.h"
#include "runtime/control/membership.h"
#include "runtime/control/params.h"

/* Its first is the process itself, the next its parent. */
struct parent {
	bool first;
	pid_t pid;
};

static bool
on_ancestor(const struct os_stat *stat, void *arg)
{
	struct parent *parent = arg;

	parent->pid = stat->pid;
	if (!parent->first)
		return false;
	parent->first = false;
	return true;
}

/* The parent of who calls, as this process sees it; 0: there is none. */
static pid_t
parent_of(pid_t pid)
{
	struct parent parent = { true, 0 };

	if (pid < 1 || descent_walk(pid, on_ancestor, &parent) == -1)
		return 0;
	return parent.pid != pid ? parent.pid : 0;
}

/* Whom a name is for: "pid", the parent of the caller, or the caller. */
static bool
process_of(struct call *call, const json_t *params, pid_t *pid)
{
	int64_t number;
	bool parent;

	if (!params_bool(call, params, "parent", false, &parent))
		return false;
	*pid = parent ? parent_of(call_pid(call)) : call_pid(call);
	if (json_object_get(params, "pid") == NULL)
		return true;
	if (!params_int(call, params, "pid", 1, INT32_MAX, &number))
		return false;
	*pid = (pid_t)number;
	return true;
}

static void
method_register(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	struct bus_caller caller;
	enum grouper_error error;
	const char *name, *key;
	bool registered;
	pid_t pid;

	if (!bus_word(call, params, "name", WORD_NAME, &name) ||
	    !process_of(call, params, &pid) || !bus_caller(bus, call, &caller))
		return;
	key = membership_key(bus->host, pid);
	/* Others may speak for processes of groups alone. */
	if (key == NULL && call_is_foreign(call)) {
		call_fail(call, GROUPER_NO_GROUP,
		    "the process is in no group of this host");
		return;
	}
	error = registry_register(bus_names(bus, caller.key), name, pid,
	    key != NULL ? key : "", &registered);
	if (error == GROUPER_OK)
		call_result(call, json_pack("{s:b}", "registered", registered));
	else if (error == GROUPER_NOT_FOUND)
		call_fail(call, error, "no such process");
	else
		bus_refuse(call, error);
}

static void
method_unregister(struct call *call, const json_t *params, void *arg)
{
	struct bus_caller caller;
	const char *name;

	if (!bus_word(call, params, "name", WORD_NAME, &name) ||
	    !bus_caller(arg, call, &caller))
		return;
	registry_unregister(bus_names(arg, caller.key), name);
	call_result(call, json_object());
}

static void
method_whereis(struct call *call, const json_t *params, void *arg)
{
	struct bus_caller caller;
	const char *name;
	pid_t pid;

	if (!bus_word(call, params, "name", WORD_NAME, &name) ||
	    !bus_caller(arg, call, &caller))
		return;
	pid = registry_whereis(bus_names(arg, caller.key), name, NULL);
	call_result(call,
	    json_pack("{s:o}", "pid",
		pid != 0 ? json_integer(pid) : json_null()));
}

enum grouper_error
bus_send(struct bus *bus, const char *key, const struct relay_event *event)
{
	enum grouper_error error = GROUPER_NOT_FOUND;
	struct bus_member *member = NULL;
	const char *holder;
	bool reacted;

	if (registry_whereis(bus_names(bus, key), event->topic, &holder) != 0)
		member = bus_member(bus, holder);
	if (member == NULL)
		return error;
	reacted = bus_react(member, event);
	if (member->relay != NULL)
		error = relay_send(member->relay, event);
	return error == GROUPER_NOT_FOUND && reacted ? GROUPER_OK : error;
}

static void
method_send(struct call *call, const json_t *params, void *arg)
{
	struct bus *bus = arg;
	struct bus_caller caller;
	struct relay_event event = { 0 };
	enum grouper_error error;
	char *payload;

	if (!bus_word(call, params, "name", WORD_NAME, &event.topic) ||
	    !bus_event_of(call, params, bus, &caller, &event, &payload))
		return;
	error = bus_send(bus, caller.key, &event);
	free(payload);
	if (error == GROUPER_OK)
		call_result(call, json_object());
	else if (error == GROUPER_NOT_FOUND)
		call_fail(call, error,
		    "nobody who reads events holds that name");
	else
		bus_refuse(call, error);
}

const struct server_method bus_name_methods[] = {
	{ "register", method_register, true },
	{ "unregister", method_unregister, true },
	{ "whereis", method_whereis, true },
	{ "send", method_send, true },
	{ NULL, NULL, false },
};
