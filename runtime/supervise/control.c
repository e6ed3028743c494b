/* SPDX-License-Identifier: ISC */
/*
 * The methods of a supervisor tree, see control.h.
 */
#include "runtime/supervise/control.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <grouper/group.h>

#include "runtime/bus/bus.h"
#include "runtime/control/events.h"
#include "runtime/control/params.h"
#include "runtime/control/rpc.h"
#include "runtime/supervise/control_spawn.h"
#include "runtime/supervise/keys.h"
#include "runtime/supervise/machine.h"
#include "runtime/supervise/report.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/supervise/tail.h"
#include "runtime/supervise/waits.h"
#include "runtime/util/clock.h"

struct control {
	struct supervisor *supervisor;
	struct waits *waits;
	control_reload_fn *reload;
	control_plan_fn *plan; /* NULL: there is none */
	void *arg;
	struct server_methods methods;
};

static struct machine *
machine_of(const struct control *control)
{
	return supervisor_machine(control->supervisor);
}

/* What is to be done with a key, and whether that is waited for. */
struct order {
	const char *key;
	bool wait;
};

static bool
order_of(struct call *call, const json_t *params, struct order *order)
{
	return params_string(call, params, "key", &order->key) &&
	    params_bool(call, params, "wait", true, &order->wait);
}

/* Fails with the error's own text, or with more where it would mislead. */
static void
refuse(struct control *control, struct call *call, enum grouper_error error,
    const char *key)
{
	call_fail(call, error,
	    error == GROUPER_NOT_FOUND ?
		report_missing(control->supervisor, key) :
		NULL);
}

/* Why a child cannot be scaled. */
static const char *
scale_error(const struct control *control, const char *key)
{
	const struct machine_node *node;
	struct machine_view view;

	node = machine_find(supervisor_machine(control->supervisor), key);
	if (node != NULL) {
		machine_view(node, &view);
		if (view.spec != NULL && view.spec->alone)
			return "a command of a Procfile has a port of its own: "
			       "start it with --formation";
	}
	return "it cannot have so many instances";
}

/* What was asked is done, or is waited for. */
static void
finish(struct control *control, struct call *call, const struct order *order,
    enum grouper_error error, enum waits_for what)
{
	/* The answer must not overtake what it waits for. */
	if (error == GROUPER_BAD_COMBINATION)
		call_fail(call, error, scale_error(control, order->key));
	else if (error != GROUPER_OK)
		refuse(control, call, error, order->key);
	else if (!order->wait)
		call_result(call, json_object());
	else
		waits_add(control->waits, call, what, &order->key, 1);
	supervisor_act(control->supervisor);
}

/* Methods */

static void
answer_report(struct call *call, enum grouper_error error, json_t *report)
{
	if (error == GROUPER_OK)
		call_result(call, report);
	else
		call_fail(call, error,
		    error == GROUPER_SYSTEM ? strerror(errno) : NULL);
}

static void
method_status(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	enum grouper_error error;
	const char *key;
	json_t *report;
	bool uses;

	if (!params_optional_string(call, params, "key", &key) ||
	    !params_bool(call, params, "usage", true, &uses))
		return;
	error = report_tree(control->supervisor, key, uses, &report);
	answer_report(call, error, report);
}

static void
method_ps(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	enum grouper_error error;
	const char *key;
	json_t *report;

	if (!params_optional_string(call, params, "key", &key))
		return;
	error = report_processes(control->supervisor, key, &report);
	answer_report(call, error, report);
}

static void
method_start(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	struct order order;

	if (order_of(call, params, &order))
		finish(control, call, &order,
		    machine_start(machine_of(control), clock_ms(), order.key),
		    WAITS_STARTED);
}

static void
method_stop(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	enum grouper_error error;
	struct order order;

	if (!order_of(call, params, &order))
		return;
	error = machine_stop(machine_of(control), clock_ms(), order.key);
	/* It ended, and is known as long as its status is kept. */
	if (error == GROUPER_NOT_FOUND && control_keeps(control, order.key))
		error = GROUPER_OK;
	finish(control, call, &order, error, WAITS_STOPPED);
}

static void
method_restart(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	enum grouper_error error;
	struct order order;

	if (!order_of(call, params, &order))
		return;
	error = machine_restart(machine_of(control), clock_ms(), order.key);
	if (error == GROUPER_OK)
		control_forget(control, order.key); /* there will be another */
	finish(control, call, &order, error, WAITS_STARTED);
}

static void
method_scale(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	struct order order;
	int64_t count;

	if (!order_of(call, params, &order) ||
	    !params_int(call, params, "instances", 0, SPEC_CHILDREN_MAX,
		&count))
		return;
	finish(control, call, &order,
	    machine_scale(machine_of(control), clock_ms(), order.key,
		(unsigned int)count),
	    WAITS_SCALED);
}

/* Those that are answered at once. */
static void
answer(struct control *control, struct call *call, enum grouper_error error,
    const char *key)
{
	if (error != GROUPER_OK)
		refuse(control, call, error, key);
	else
		call_result(call, json_object());
	supervisor_act(control->supervisor);
}

static void
method_reset(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	const char *key;

	if (params_string(call, params, "key", &key))
		answer(control, call,
		    machine_reset(machine_of(control), clock_ms(), key), key);
}

static void
method_delete(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	enum grouper_error error;
	const char *key;

	if (!params_string(call, params, "key", &key))
		return;
	error = machine_delete(machine_of(control), clock_ms(), key);
	if (error == GROUPER_NOT_FOUND && control_forget(control, key))
		error = GROUPER_OK;
	answer(control, call, error, key);
}

struct signalling {
	const struct machine *machine;
	struct grouper_host *host;
	int signum;
	bool done;		  /* one got it */
	enum grouper_error error; /* the first */
};

static void
signal_command(struct signalling *signalling, const struct machine_view *view)
{
	enum grouper_error error;

	error = view->run == 0 ?
	    GROUPER_NO_GROUP :
	    grouper_signal(signalling->host, view->key, signalling->signum);
	if (error == GROUPER_OK)
		signalling->done = true;
	else if (signalling->error == GROUPER_OK)
		signalling->error = error;
}

/* A supervisor has no process of its own: those below get it. */
static void
signal_one(const struct machine_view *view, void *arg)
{
	struct signalling *signalling = arg;
	const struct machine_node *node;
	struct machine_view below;

	if (view->supervisor == NULL) {
		signal_command(signalling, view);
		return;
	}
	node = machine_find(signalling->machine, view->key);
	if (signalling->error == GROUPER_OK)
		signalling->error = GROUPER_NO_GROUP; /* it may be empty */
	while ((node = machine_after(node)) != NULL) {
		machine_view(node, &below);
		if (below.depth <= view->depth)
			return;
		if (below.supervisor == NULL)
			signal_command(signalling, &below);
	}
}

static void
method_signal(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	struct signalling signalling = { .machine = machine_of(control),
		.host = supervisor_host(control->supervisor),
		.error = GROUPER_OK };
	const char *key;
	int64_t signum;

	if (!params_string(call, params, "key", &key) ||
	    !params_int(call, params, "signal", 1, NSIG - 1, &signum))
		return;
	signalling.signum = (int)signum;
	if (keys_each(machine_of(control), &key, 1, signal_one, &signalling) >
	    0)
		signalling.error = GROUPER_NOT_FOUND;
	else if (signalling.done)
		signalling.error = GROUPER_OK;
	answer(control, call, signalling.error, key);
}

static void
method_reload(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	enum grouper_error error;
	json_t *ignored = NULL;
	char *why = NULL;

	(void)params;
	error = control->reload(&ignored, &why, control->arg);
	if (error == GROUPER_OK)
		call_result(call,
		    json_pack("{s:o}", "ignored",
			ignored != NULL ? ignored : json_array()));
	else
		call_fail(call, error, why);
	free(why);
}

static void
method_wait(struct call *call, const json_t *params, void *arg)
{
	static const struct {
		const char *name;
		enum waits_for what;
	} words[] = { { "ended", WAITS_ENDED }, { "ready", WAITS_READY },
		{ "empty", WAITS_EMPTY } };
	struct control *control = arg;
	const char *word = json_string_value(json_object_get(params, "for"));
	const char **keys;
	size_t i, count;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word != NULL && strcmp(words[i].name, word) == 0)
			break;
	if (i == sizeof(words) / sizeof(words[0])) {
		call_fail_code(call, RPC_INVALID_PARAMS,
		    "for: expected ended, ready or empty");
		return;
	}
	if (!params_strings(call, params, "keys", &keys, &count))
		return;
	waits_add(control->waits, call, words[i].what, keys, count);
	free((void *)keys);
}

/* Events */

struct follower {
	struct events *events;
	struct events_reader reader;
	struct call *call;
};

static json_t *
next_event(void *arg)
{
	struct follower *follower = arg;

	return events_read(follower->events, &follower->reader);
}

static void
wake_follower(void *arg)
{
	struct follower *follower = arg;

	call_wake(follower->call);
}

static void
drop_follower(void *arg)
{
	struct follower *follower = arg;

	events_leave(follower->events, &follower->reader);
	free(follower);
}

static void
tell_kept(struct call *call, struct events *events, uint64_t since)
{
	char *items = events_text(events, since);

	if (items == NULL)
		call_fail(call, GROUPER_SYSTEM, NULL);
	else
		call_result_text(call, "items", items);
	free(items);
}

static void
method_events(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	struct events *events = supervisor_events(control->supervisor);
	struct follower *follower;
	int64_t since;
	bool follow;

	if (!params_int(call, params, "since", 0, INT64_MAX, &since) ||
	    !params_bool(call, params, "follow", false, &follow))
		return;
	if (since == 0)
		since = (int64_t)events_end(events);
	if (!follow) {
		tell_kept(call, events, (uint64_t)since);
		return;
	}
	follower = calloc(1, sizeof(*follower));
	if (follower == NULL) {
		call_fail(call, GROUPER_SYSTEM, NULL);
		return;
	}
	follower->events = events;
	follower->call = call;
	follower->reader.next = (uint64_t)since;
	follower->reader.wake = wake_follower;
	follower->reader.arg = follower;
	events_join(events, &follower->reader);
	call_stream(call, json_object(), "event", next_event, drop_follower,
	    follower);
}

static void
method_logs(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;
	const char **keys;
	int64_t lines;
	size_t count;
	bool follow;

	if (!params_int(call, params, "lines", 0, INT32_MAX, &lines) ||
	    !params_bool(call, params, "follow", false, &follow))
		return;
	if (!params_strings(call, params, "keys", &keys, &count))
		return;
	tail_start(control->supervisor, call, keys, count, (uint64_t)lines,
	    follow);
	free((void *)keys);
}

static void
method_reopen(struct call *call, const json_t *params, void *arg)
{
	struct control *control = arg;

	(void)params;
	supervisor_reopen_logs(control->supervisor);
	call_result(call, json_object());
}

static const struct server_method list[] = {
	{ "delete", method_delete, false },
	{ "events", method_events, false },
	{ "logs", method_logs, false },
	{ "plan", control_method_plan, false },
	{ "ps", method_ps, false },
	{ "reload", method_reload, false },
	{ "reopen", method_reopen, false },
	{ "reset", method_reset, false },
	{ "restart", method_restart, false },
	{ "scale", method_scale, false },
	{ "signal", method_signal, false },
	{ "spawn", control_method_spawn, false },
	{ "start", method_start, false },
	{ "status", method_status, false },
	{ "stop", method_stop, false },
	{ "wait", method_wait, false },
};

struct control *
control_new(struct supervisor *supervisor, control_reload_fn *reload, void *arg)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	control->supervisor = supervisor;
	control->reload = reload;
	control->arg = arg;
	control->methods = (struct server_methods) { .list = list,
		.count = sizeof(list) / sizeof(list[0]),
		.arg = control,
		.next = bus_methods(supervisor_host(supervisor)) };
	control->waits = waits_new(supervisor);
	if (control->waits == NULL) {
		free(control);
		return NULL;
	}
	return control;
}

void
control_free(struct control *control)
{
	if (control == NULL)
		return;
	waits_free(control->waits);
	free(control);
}

void
control_set_plan(struct control *control, control_plan_fn *plan)
{
	control->plan = plan;
}

struct supervisor *
control_supervisor(const struct control *control)
{
	return control->supervisor;
}

json_t *
control_plan(const struct control *control, const char *path)
{
	if (control->plan == NULL)
		return json_pack("{s:s}", "problems", "there is no tree file");
	return control->plan(path, control->arg);
}

const struct server_methods *
control_methods(const struct control *control)
{
	return &control->methods;
}

void
control_changed(struct control *control)
{
	waits_changed(control->waits);
}

void
control_ended(struct control *control, const char *key, int status)
{
	waits_ended(control->waits, key, status);
}

void
control_failed(struct control *control, const char *key, const char *why)
{
	waits_failed(control->waits, key, why);
}

bool
control_keeps(const struct control *control, const char *key)
{
	return waits_keeps(control->waits, key);
}

bool
control_forget(struct control *control, const char *key)
{
	return waits_forget(control->waits, key);
}
