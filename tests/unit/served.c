/* SPDX-License-Identifier: ISC */
/*
 * A host that serves, see served.h.
 */
#include "served.h"

#include <stdlib.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/util/loop.h"

static const char *
text(const json_t *params, const char *name)
{
	const char *value = json_string_value(json_object_get(params, name));

	return value != NULL ? value : "";
}

static void
note(struct served *served, const json_t *params)
{
	json_decref(served->params);
	served->params = json_deep_copy(params);
}

static void
answer(struct call *call, enum grouper_error error, json_t *result)
{
	if (error == GROUPER_OK) {
		call_result(call, result);
	} else {
		json_decref(result);
		call_fail(call, error, NULL);
	}
}

static void
method_register(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	const json_t *pid = json_object_get(params, "pid");
	enum grouper_error error;
	bool registered = false;

	error = registry_register(served->registry, text(params, "name"),
	    pid != NULL ? (pid_t)json_integer_value(pid) : call_pid(call), "k",
	    &registered);
	answer(call, error,
	    error != GROUPER_OK ? NULL :
				  json_pack("{s:b}", "registered", registered));
}

static void
method_unregister(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;

	registry_unregister(served->registry, text(params, "name"));
	call_result(call, json_object());
}

static void
method_whereis(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	pid_t pid = registry_whereis(served->registry, text(params, "name"),
	    NULL);

	call_result(call,
	    json_pack("{s:o}", "pid",
		pid == 0 ? json_null() : json_integer(pid)));
}

static void
method_send(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;

	note(served, params);
	answer(call,
	    registry_whereis(served->registry, text(params, "name"), NULL) ==
		    0 ?
		GROUPER_NOT_FOUND :
		GROUPER_OK,
	    json_object());
}

static void
method_config_get(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	json_t *value = settings_get(served->settings, text(params, "key"));

	if (value == NULL)
		call_fail(call, GROUPER_NOT_FOUND, NULL);
	else
		call_result(call, json_pack("{s:O}", "value", value));
}

static json_t *
old_of(json_t *old)
{
	return json_pack("{s:o, s:b}", "old", old != NULL ? old : json_null(),
	    "known", old != NULL);
}

static void
method_config_put(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	json_t *old;

	settings_put(served->settings, text(params, "key"),
	    json_deep_copy(json_object_get(params, "value")), &old);
	call_result(call, old_of(old));
}

static void
method_config_delete(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	json_t *old;

	settings_delete(served->settings, text(params, "key"), &old);
	call_result(call, old_of(old));
}

static void
method_config_list(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;

	(void)params;
	call_result(call,
	    json_pack("{s:o}", "settings", settings_list(served->settings)));
}

static void
method_member_open(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	int down[2], up[2], fds[2];

	(void)params;
	if (served->nfds == 0) {
		call_fail(call, GROUPER_ALREADY_EXISTS, NULL);
		return;
	}
	ck_assert_int_eq(pipe(down), 0);
	ck_assert_int_eq(pipe(up), 0);
	served->down = down[1];
	served->up = up[0];
	fds[0] = down[0];
	fds[1] = up[1];
	if (served->nfds == 1)
		close(fds[1]);
	call_result_fds(call, json_pack("{s:s}", "key", "k"), fds,
	    served->nfds);
}

static json_t *
next(void *arg)
{
	struct served *served = arg;
	json_t *message = json_array_get(served->messages, served->told);

	served->told += message != NULL;
	return json_incref(message);
}

static void
on_stream_gone(void *arg)
{
	struct served *served = arg;

	served->streamed = NULL;
}

static void
method_subscribe(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;

	note(served, params);
	served->streamed = call;
	call_stream(call, json_object(), "message", next, on_stream_gone,
	    served);
}

static void
method_echo(struct call *call, const json_t *params, void *arg)
{
	note(arg, params);
	call_result(call, json_deep_copy(params));
}

static void
on_held_gone(void *arg)
{
	struct served *served = arg;

	served->held = NULL;
}

static void
method_hold(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;
	struct call *held = served->held;

	(void)params;
	served->held = call;
	call_defer(call, on_held_gone, served);
	if (held != NULL)
		call_result(held, json_string("held"));
}

static void
method_fail(struct call *call, const json_t *params, void *arg)
{
	(void)arg;
	call_fail(call,
	    (enum grouper_error)json_integer_value(json_object_get(params,
		"error")),
	    "this is why");
}

static void
method_leave(struct call *call, const json_t *params, void *arg)
{
	struct served *served = arg;

	(void)params;
	call_defer(call, on_held_gone, served);
	served->leaves = true; /* see served_run(): not while it calls us */
}

static const struct server_method list[] = {
	{ "register", method_register, true },
	{ "unregister", method_unregister, true },
	{ "whereis", method_whereis, true },
	{ "send", method_send, true },
	{ "config.get", method_config_get, true },
	{ "config.put", method_config_put, true },
	{ "config.delete", method_config_delete, true },
	{ "config.list", method_config_list, true },
	{ "member.open", method_member_open, true },
	{ "subscribe", method_subscribe, true },
	{ "echo", method_echo, true },
	{ "hold", method_hold, true },
	{ "fail", method_fail, true },
	{ "leave", method_leave, true },
};

static struct server_methods methods = { .list = list,
	.count = sizeof(list) / sizeof(list[0]) };

void
served_open(struct served *served)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	struct loop *loop;

	*served = (struct served) { .registry = registry_new(),
		.settings = settings_new(),
		.messages = json_array(),
		.nfds = 2,
		.down = -1,
		.up = -1 };
	trial_runtime_directory();
	options.name = "srv";
	served->trial.base = event_base_new();
	loop = loop_new(served->trial.base);
	ck_assert_int_eq(host_new(loop, &options, &served->trial.host),
	    GROUPER_OK);
	host_own_loop(served->trial.host);
	methods.arg = served;
	ck_assert_int_eq(server_attach(served->trial.host, &methods), 0);
	ck_assert_int_eq(setenv("GROUPER_SOCKET",
			     support_path("runtime/srv.sock"), 1),
	    0);
}

static void
leave(struct served *served)
{
	grouper_host_free(served->trial.host);
	served->trial.host = NULL;
}

void
served_close(struct served *served)
{
	leave(served);
	event_base_free(served->trial.base);
	registry_free(served->registry);
	settings_free(served->settings);
	json_decref(served->params);
	json_decref(served->messages);
	if (served->down != -1)
		close(served->down);
	if (served->up != -1)
		close(served->up);
}

struct running {
	struct served *served;
	pid_t pid;
};

static bool
has_gone(void *arg)
{
	struct running *running = arg;
	struct support_process p;

	if (running->served->leaves && running->served->trial.host != NULL)
		leave(running->served);
	return !support_process(running->pid, &p) || !support_alive(&p);
}

void
served_run(struct served *served, void (*fn)(void *), void *arg)
{
	struct running running = { served, trial_fork(fn, arg) };

	trial_until(&served->trial, has_gone, &running);
	trial_join(running.pid);
}
