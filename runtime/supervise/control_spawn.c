/* SPDX-License-Identifier: ISC */
/*
 * Children that are added while the tree runs, see control_spawn.h.
 */
#include "runtime/supervise/control_spawn.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/descent.h"
#include "runtime/control/events.h"
#include "runtime/control/rpc.h"
#include "runtime/group/host.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/machine.h"
#include "runtime/supervise/spawn_params.h"
#include "runtime/supervise/spec.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/util/clock.h"
#include "runtime/util/loop.h"

#define KEY_ROOM ((SPEC_ID_MAX + 1) * (SPEC_DEPTH_MAX + 2))
/* Of a command's name in a key that it got without asking for one. */
#define BASE_MAX (SPEC_ID_MAX - 8)

/* Keys */

static void
make_key(char *key, const char *supervisor, const char *id)
{
	snprintf(key, KEY_ROOM, "%s%s%s", supervisor,
	    supervisor[0] != '\0' ? "/" : "", id);
}

/* What stands in a command's name and not in a key becomes '_'. */
static void
name_base(char *base, const char *command)
{
	const char *slash = strrchr(command, '/');
	size_t i;

	strlcpy(base, slash != NULL ? slash + 1 : command, BASE_MAX + 1);
	for (i = 0; base[i] != '\0'; i++)
		if (!isascii((unsigned char)base[i]) ||
		    !isgraph((unsigned char)base[i]) || base[i] == ':')
			base[i] = '_';
	if (i == 0)
		strcpy(base, "command");
}

/* The lowest number that is free; 0, or -1 without memory. */
static int
name_child(struct spec_child *child, const struct machine *machine,
    const char *supervisor)
{
	char base[BASE_MAX + 1], key[KEY_ROOM];
	unsigned int number = 0;

	name_base(base, child->command->argv[0]);
	do {
		free(child->id);
		if (asprintf(&child->id, "%s-%u", base, ++number) == -1) {
			child->id = NULL;
			return -1;
		}
		make_key(key, supervisor, child->id);
	} while (machine_find(machine, key) != NULL);
	return 0;
}

/* The answer */

/* A child that is to start, and whoever waits for it. */
struct start {
	struct supervisor *supervisor;
	struct call *call;
	char key[KEY_ROOM];
	struct events_reader reader;
	struct loop_timer *timer;
	bool *gone; /* set when the caller is; NULL: nobody asks */
};

static void
start_free(struct start *start)
{
	events_leave(supervisor_events(start->supervisor), &start->reader);
	loop_timer_free(start->timer);
	free(start);
}

static void
on_gone(void *arg)
{
	struct start *start = arg;

	if (start->gone != NULL)
		*start->gone = true;
	start_free(start);
}

/* Whoever tells the event still walks the list of its readers. */
static void
on_event(void *arg)
{
	struct start *start = arg;

	loop_timer_set(start->timer, 0);
}

static void
fail(struct start *start, const char *text)
{
	struct call *call = start->call;

	start_free(start);
	call_fail(call, GROUPER_START_FAILED, text);
}

static void
succeed(struct start *start, const json_t *event)
{
	struct call *call = start->call;
	json_t *result = json_pack("{s:s, s:I}", "key", start->key, "pid",
	    json_integer_value(json_object_get(event, "pid")));

	start_free(start);
	call_result(call, result);
}

/* True if it was the one that decides: start is gone. */
static bool
decides(struct start *start, const json_t *event)
{
	const char *key = json_string_value(json_object_get(event, "key"));
	const char *type = json_string_value(json_object_get(event, "type"));

	if (key == NULL || type == NULL || strcmp(key, start->key) != 0)
		return false;
	if (strcmp(type, "started") == 0)
		succeed(start, event);
	else if (strcmp(type, machine_note_name(MACHINE_NOTE_START_FAILED)) ==
	    0)
		fail(start, json_string_value(json_object_get(event, "text")));
	else
		return false;
	return true;
}

static void
on_timer(void *arg)
{
	struct start *start = arg;
	struct events *events = supervisor_events(start->supervisor);
	json_t *event;
	bool decided;

	while ((event = events_read(events, &start->reader)) != NULL) {
		decided = decides(start, event);
		json_decref(event);
		if (decided)
			return;
	}
	if (machine_find(supervisor_machine(start->supervisor), start->key) ==
	    NULL)
		fail(start, "it was stopped before it started");
}

/* Listens from before the child is added. */
static struct start *
start_new(struct supervisor *supervisor, struct call *call, const char *key)
{
	struct events *events = supervisor_events(supervisor);
	struct start *start = calloc(1, sizeof(*start));

	if (start == NULL)
		return NULL;
	start->timer = loop_timer_new(host_loop(supervisor_host(supervisor)),
	    on_timer, start);
	if (start->timer == NULL) {
		free(start);
		return NULL;
	}
	start->supervisor = supervisor;
	start->call = call;
	strlcpy(start->key, key, sizeof(start->key));
	start->reader.next = events_end(events);
	start->reader.wake = on_event;
	start->reader.arg = start;
	events_join(events, &start->reader);
	return start;
}

/* Methods */

struct caller {
	const struct grouper_host *host;
	bool worker;
};

static bool
look_for_leader(const struct os_stat *stat, void *arg)
{
	struct caller *caller = arg;

	return host_key_of_leader(caller->host, stat->pid, &caller->worker) ==
	    NULL;
}

/* What a worker starts belongs to its own group, unless it insists. */
static bool
is_worker(const struct supervisor *supervisor, const struct call *call)
{
	struct caller caller = { supervisor_host(supervisor), false };
	pid_t pid = call_pid(call);

	if (pid > 0)
		descent_walk(pid, look_for_leader, &caller);
	return caller.worker;
}

static void
add(struct supervisor *supervisor, struct call *call, const char *parent,
    const struct spec_child *child)
{
	char key[KEY_ROOM], *why = NULL;
	enum grouper_error error;
	struct start *start;
	bool gone = false;

	make_key(key, parent, child->id);
	start = start_new(supervisor, call, key);
	if (start == NULL) {
		call_fail(call, GROUPER_SYSTEM, NULL);
		return;
	}
	/* Too many may wait already: then nothing is to be started. */
	start->gone = &gone;
	call_defer(call, on_gone, start);
	if (gone)
		return;
	start->gone = NULL;
	error = machine_spawn(supervisor_machine(supervisor), clock_ms(),
	    parent, child, &why);
	if (error != GROUPER_OK) {
		start_free(start);
		call_fail(call, error, why);
	}
	free(why);
	supervisor_act(supervisor);
}

void
control_method_spawn(struct call *call, const json_t *params, void *arg)
{
	struct supervisor *supervisor = control_supervisor(arg);
	const json_t *under = json_object_get(params, "supervisor");
	const char *parent = under == NULL ? "" : json_string_value(under);
	struct machine *machine = supervisor_machine(supervisor);
	const char *expected;
	struct spec_child child;
	char text[128];

	expected = spawn_params_read(&child, params);
	if (parent == NULL)
		expected = "supervisor: a key";
	if (expected != NULL) {
		snprintf(text, sizeof(text), "expected %s", expected);
		call_fail_code(call, RPC_INVALID_PARAMS, text);
	} else if (!child.command->force && is_worker(supervisor, call)) {
		call_fail(call, GROUPER_GROUP_UNDER_APP, NULL);
	} else if (machine_find(machine, parent) == NULL) {
		call_fail(call, GROUPER_NOT_FOUND, NULL);
	} else if (child.id == NULL &&
	    name_child(&child, machine, parent) == -1) {
		call_fail(call, GROUPER_SYSTEM, NULL);
	} else {
		add(supervisor, call, parent, &child);
	}
	spec_child_fini(&child);
}

void
control_method_plan(struct call *call, const json_t *params, void *arg)
{
	char *path = spawn_text_of(json_object_get(params, "path"));
	json_t *plan;

	if (path == NULL || path[0] != '/') {
		call_fail_code(call, RPC_INVALID_PARAMS,
		    "expected an absolute path: path");
		free(path);
		return;
	}
	plan = control_plan(arg, path);
	free(path);
	if (plan != NULL)
		call_result(call, plan);
	else
		call_fail(call, GROUPER_SYSTEM, NULL);
}
