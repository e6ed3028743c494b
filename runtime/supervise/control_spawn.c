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
#include <unistd.h>

#include "runtime/control/events.h"
#include "runtime/control/membership.h"
#include "runtime/control/rpc.h"
#include "runtime/group/host.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/machine.h"
#include "runtime/supervise/spawn_params.h"
#include "runtime/supervise/spawn_text.h"
#include "runtime/supervise/spec.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/util/fd.h"
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

static bool
is_utf8(const char *text)
{
	json_t *value = json_string(text);

	json_decref(value);
	return value != NULL;
}

/* What stands in a command's name and not in a key becomes '_'. */
static void
name_base(char *base, const char *command)
{
	const char *slash = strrchr(command, '/');
	bool utf8;
	size_t i;

	strlcpy(base, slash != NULL ? slash + 1 : command, BASE_MAX + 1);
	utf8 = is_utf8(base);
	for (i = 0; base[i] != '\0'; i++)
		if (isascii((unsigned char)base[i]) ?
			!isgraph((unsigned char)base[i]) || base[i] == ':' :
			!utf8)
			base[i] = '_';
	if (i == 0)
		strcpy(base, "command");
}

/* The lowest number that is free; 0, or -1 without memory. */
static int
name_child(struct spec_child *child, const struct control *control,
    const char *supervisor)
{
	const struct machine *machine =
	    supervisor_machine(control_supervisor(control));
	char base[BASE_MAX + 1], key[KEY_ROOM];
	unsigned int number = 0;

	name_base(base, child->command->argv[0]);
	child->numbered = true;
	do {
		free(child->id);
		if (asprintf(&child->id, "%s" SPEC_INSTANCE_MARK "%u", base,
			++number) == -1) {
			child->id = NULL;
			return -1;
		}
		make_key(key, supervisor, child->id);
	} while (machine_find(machine, key) != NULL ||
	    control_keeps(control, key));
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

/* What a worker starts belongs to its own group, unless it insists. */
static bool
is_worker(const struct supervisor *supervisor, const struct call *call)
{
	struct membership caller;
	pid_t pid = call_pid(call);

	return pid > 0 &&
	    membership_find(supervisor_host(supervisor), pid, &caller) == 0 &&
	    caller.key != NULL && caller.worker;
}

/* What is asked for. */
struct request {
	struct control *control;
	const char *parent;
	struct spec_child child;
	int fds[CONNECTION_FDS_MAX];
};

/* Those that came, at the numbers that they get; or what was expected. */
static const char *
take_fds(struct request *request, struct call *call, const json_t *params)
{
	const json_t *numbers = json_object_get(params, "fds"), *item;
	int came[CONNECTION_FDS_MAX], i;
	json_int_t number;
	bool ok = true;
	int count;

	for (i = 0; i < CONNECTION_FDS_MAX; i++)
		request->fds[i] = -1;
	if (numbers == NULL)
		return NULL;
	count = (int)call_take_fds(call, came);
	for (i = 0; i < count; i++) {
		item = json_array_get(numbers, (size_t)i);
		number = json_integer_value(item);
		if (ok && json_is_integer(item) && number >= 0 &&
		    number < CONNECTION_FDS_MAX && request->fds[number] == -1) {
			request->fds[number] = came[i];
			continue;
		}
		ok = false;
		fd_close(&came[i]);
	}
	return ok && json_is_array(numbers) &&
		json_array_size(numbers) == (size_t)count ?
	    NULL :
	    "fds: for each descriptor that came, another of 0, 1 and 2";
}

static void
add(struct request *request, struct call *call)
{
	struct supervisor *supervisor = control_supervisor(request->control);
	char key[KEY_ROOM], *why = NULL;
	enum grouper_error error;
	struct start *start;
	bool gone = false;

	make_key(key, request->parent, request->child.id);
	/* Who asks for it later is not to get another one's. */
	if (control_keeps(request->control, key) &&
	    machine_find(supervisor_machine(supervisor), key) == NULL) {
		call_fail(call, GROUPER_ALREADY_PRESENT,
		    "already present: it ended, and its status was not asked "
		    "for");
		return;
	}
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
	error = supervisor_spawn(supervisor, request->parent, &request->child,
	    key, request->fds, &why);
	if (error != GROUPER_OK) {
		start_free(start);
		call_fail(call, error, why);
	}
	free(why);
}

/* Whether the host is to read lines that go to the caller. */
static bool
reads_callers(const struct request *request)
{
	return request->child.command->ready == SPEC_READY_LOG &&
	    (request->fds[STDOUT_FILENO] != -1 ||
		request->fds[STDERR_FILENO] != -1);
}

/* Whether a child can be added below this key. */
static enum grouper_error
check_parent(const struct machine *machine, const char *key)
{
	const struct machine_node *node = machine_find(machine, key);
	struct machine_view view;

	if (node == NULL)
		return GROUPER_NOT_FOUND;
	machine_view(node, &view);
	return view.supervisor != NULL ? GROUPER_OK : GROUPER_BAD_COMBINATION;
}

static void
serve(struct request *request, struct call *call, const json_t *params)
{
	struct supervisor *supervisor = control_supervisor(request->control);
	const struct machine *machine = supervisor_machine(supervisor);
	struct spec_child *child = &request->child;
	const json_t *under = json_object_get(params, "supervisor");
	const char *expected, *wrong;
	enum grouper_error error;
	char text[128];

	request->parent = under == NULL ? "" : json_string_value(under);
	expected = take_fds(request, call, params);
	wrong = spawn_params_read(child, params);
	if (wrong != NULL)
		expected = wrong;
	if (request->parent == NULL)
		expected = "supervisor: a key";
	if (expected != NULL) {
		snprintf(text, sizeof(text), "expected %s", expected);
		call_fail_code(call, RPC_INVALID_PARAMS, text);
	} else if (!child->command->force && is_worker(supervisor, call)) {
		call_fail(call, GROUPER_GROUP_UNDER_APP, NULL);
	} else if (reads_callers(request)) {
		call_fail(call, GROUPER_BAD_COMBINATION,
		    "ready: " SPEC_READY_LOG_INHERIT);
	} else if ((error = check_parent(machine, request->parent)) !=
	    GROUPER_OK) {
		snprintf(text, sizeof(text), "supervisor %.80s: %s",
		    request->parent,
		    error == GROUPER_NOT_FOUND ? grouper_strerror(error) :
						 "it is a command");
		call_fail(call, error, text);
	} else if (child->id == NULL &&
	    name_child(child, request->control, request->parent) == -1) {
		call_fail(call, GROUPER_SYSTEM, NULL);
	} else {
		add(request, call);
	}
}

void
control_method_spawn(struct call *call, const json_t *params, void *arg)
{
	struct request request = { .control = arg };
	int i;

	serve(&request, call, params);
	for (i = 0; i < CONNECTION_FDS_MAX; i++)
		fd_close(&request.fds[i]);
	spec_child_fini(&request.child);
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
