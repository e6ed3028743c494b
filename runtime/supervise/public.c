/* SPDX-License-Identifier: ISC */
/*
 * Supervisors for programs, see grouper/supervisor.h: the public values
 * become specifications, and the supervisor's events become callbacks.
 */
#include <grouper/supervisor.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/bus/bus.h"
#include "runtime/control/events.h"
#include "runtime/group/host.h"
#include "runtime/group/names.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/public_spec.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/util/clock.h"
#include "runtime/util/loop.h"

struct grouper_supervisor {
	struct supervisor *tree;
	struct control *control;
	struct events_reader reader;
	struct loop_timer *timer; /* there are events to tell */
	grouper_child_event_fn *on_event;
	void *arg;
	json_t *withstood; /* events of groups that withstood SIGKILL */
	bool started;
	bool ended; /* the tree; the event may be to come */
	bool over;  /* and was told */
};

/* Events */

static const struct {
	const char *name;
	enum grouper_child_event_type type;
} types[] = {
	{ "started", GROUPER_CHILD_STARTED },
	{ "ready", GROUPER_CHILD_READY },
	{ "exited", GROUPER_CHILD_EXITED },
	{ "ended", GROUPER_CHILD_EMPTY },
	{ "stopped", GROUPER_CHILD_EMPTY },
	{ "start_failed", GROUPER_CHILD_START_FAILED },
	{ "restart", GROUPER_CHILD_RESTART },
	{ "stopping", GROUPER_CHILD_STOPPING },
	{ "leader_died", GROUPER_CHILD_LEADER_DIED },
	{ "unkillable", GROUPER_CHILD_UNKILLABLE },
	{ "failed", GROUPER_CHILD_FAILED },
	{ "added", GROUPER_CHILD_ADDED },
	{ "removed", GROUPER_CHILD_REMOVED },
	{ "gap", GROUPER_CHILD_LOST },
	{ "end", GROUPER_TREE_OVER },
};

static enum grouper_child_event_type
type_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return GROUPER_CHILD_OTHER;
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static void
tell(struct grouper_supervisor *supervisor, json_t *told)
{
	const struct grouper_child_event event = {
		.type = type_of(text_of(told, "type")),
		.key = text_of(told, "key"),
		.pid = (pid_t)json_integer_value(json_object_get(told, "pid")),
		.status = (int)json_integer_value(json_object_get(told,
		    "status")),
		.text = text_of(told, "text"),
	};

	if (event.type == GROUPER_CHILD_UNKILLABLE)
		json_array_append(supervisor->withstood, told);
	if (event.type == GROUPER_TREE_OVER)
		supervisor->over = true;
	if (supervisor->on_event != NULL)
		supervisor->on_event(supervisor, &event, supervisor->arg);
}

static void
on_timer(void *arg)
{
	struct grouper_supervisor *supervisor = arg;
	struct events *events = supervisor_events(supervisor->tree);
	json_t *event;

	while ((event = events_read(events, &supervisor->reader)) != NULL) {
		tell(supervisor, event);
		json_decref(event);
	}
	/* Whatever became of the event itself. */
	supervisor->over = supervisor->ended;
}

/* Not at once: the tree is in the middle of something. */
static void
on_wake(void *arg)
{
	struct grouper_supervisor *supervisor = arg;

	loop_timer_set(supervisor->timer, 0);
}

static void
on_end(int status, const char *text, void *arg)
{
	struct grouper_supervisor *supervisor = arg;

	(void)status;
	(void)text;
	supervisor->ended = true;
}

static void
on_change(void *arg)
{
	struct grouper_supervisor *supervisor = arg;

	if (supervisor->control != NULL)
		control_changed(supervisor->control);
}

static void
on_ended(const char *key, int status, void *arg)
{
	struct grouper_supervisor *supervisor = arg;

	control_ended(supervisor->control, key, status);
}

static void
on_failed(const char *key, const char *why, void *arg)
{
	struct grouper_supervisor *supervisor = arg;

	control_failed(supervisor->control, key, why);
}

static enum grouper_error
reload(json_t **ignored, char **why, void *arg)
{
	(void)ignored;
	(void)arg;
	*why = strdup("there is no tree file");
	return GROUPER_INVALID;
}

/* The supervisor */

static enum grouper_error
make_tree(struct grouper_supervisor *supervisor, struct grouper_host *host,
    const struct spec_tree *tree)
{
	/* Nothing of a public child needs any of them. */
	static const struct launch_hooks hooks = { NULL, NULL };
	char directory[108];
	struct supervisor_options options = { .host = host,
		.tree = tree,
		.hooks = &hooks,
		.directory = directory,
		.log = SPEC_LOG_INHERIT,
		.output = STDOUT_FILENO,
		.on_end = on_end,
		.on_change = on_change,
		.on_ended = on_ended,
		.on_failed = on_failed,
		.arg = supervisor };
	int saved;

	if (names_directory(directory, sizeof(directory)) == -1)
		return GROUPER_SYSTEM;
	if (getrandom(&options.seed, sizeof(options.seed), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(options.seed))
		options.seed = (uint64_t)clock_us();
	supervisor->timer = loop_timer_new(host_loop(host), on_timer,
	    supervisor);
	if (supervisor->timer == NULL)
		return GROUPER_SYSTEM;
	supervisor->tree = supervisor_new(&options);
	if (supervisor->tree != NULL)
		supervisor->control = control_new(supervisor->tree, reload,
		    supervisor);
	if (supervisor->control == NULL) {
		saved = errno;
		supervisor_free(supervisor->tree);
		loop_timer_free(supervisor->timer);
		errno = saved;
		return GROUPER_SYSTEM;
	}
	server_set_methods(host, control_methods(supervisor->control));
	supervisor->reader.next =
	    events_end(supervisor_events(supervisor->tree));
	supervisor->reader.wake = on_wake;
	supervisor->reader.arg = supervisor;
	events_join(supervisor_events(supervisor->tree), &supervisor->reader);
	return GROUPER_OK;
}

enum grouper_error
grouper_supervisor_new(struct grouper_host *host,
    const struct grouper_supervisor_options *options,
    grouper_child_event_fn *on_event, void *arg,
    struct grouper_supervisor **out)
{
	struct grouper_supervisor *supervisor;
	struct spec_tree *tree = NULL;
	enum grouper_error error;

	if (host == NULL)
		return GROUPER_NO_GROUP;
	if (options == NULL || out == NULL)
		return GROUPER_INVALID;
	error = public_tree(options, host_name(host)[0] != '\0', &tree);
	if (error != GROUPER_OK)
		return error;
	supervisor = calloc(1, sizeof(*supervisor));
	error = supervisor == NULL ? GROUPER_SYSTEM :
				     make_tree(supervisor, host, tree);
	spec_free(tree);
	if (error != GROUPER_OK) {
		free(supervisor);
		return error;
	}
	supervisor->withstood = json_array();
	supervisor->on_event = on_event;
	supervisor->arg = arg;
	*out = supervisor;
	return GROUPER_OK;
}

enum grouper_error
grouper_supervisor_start(struct grouper_supervisor *supervisor)
{
	if (supervisor == NULL)
		return GROUPER_NO_GROUP;
	if (supervisor->started)
		return GROUPER_ALREADY_STARTED;
	supervisor->started = true;
	supervisor_boot(supervisor->tree);
	return GROUPER_OK;
}

/* Whether there is anything to ask. */
static bool
is_up(const struct grouper_supervisor *supervisor)
{
	return supervisor != NULL && supervisor->started && !supervisor->ended;
}

enum grouper_error
grouper_supervisor_stop(struct grouper_supervisor *supervisor, int kill)
{
	if (supervisor == NULL || !supervisor->started)
		return GROUPER_NO_GROUP;
	if (!supervisor->ended)
		supervisor_shutdown(supervisor->tree, kill != 0);
	return GROUPER_OK;
}

/* Whether a group still has to tell us that it is empty. */
static bool
is_withstood(const struct grouper_supervisor *supervisor)
{
	const json_t *event;
	size_t i;

	json_array_foreach(supervisor->withstood, i, event) {
		if (supervisor_run(supervisor->tree, text_of(event, "key")) !=
		    NULL)
			return true;
	}
	return false;
}

enum grouper_error
grouper_supervisor_free(struct grouper_supervisor *supervisor)
{
	if (supervisor == NULL)
		return GROUPER_OK;
	if (supervisor->started && !supervisor->over)
		return GROUPER_RUNNING;
	if (is_withstood(supervisor))
		return GROUPER_UNKILLABLE;
	json_decref(supervisor->withstood);
	events_leave(supervisor_events(supervisor->tree), &supervisor->reader);
	loop_timer_free(supervisor->timer);
	server_set_methods(supervisor_host(supervisor->tree),
	    bus_methods(supervisor_host(supervisor->tree)));
	control_free(supervisor->control);
	supervisor_free(supervisor->tree);
	free(supervisor);
	return GROUPER_OK;
}

/* Children */

typedef enum grouper_error request_fn(struct machine *machine, int64_t now,
    const char *key);

static enum grouper_error
request(struct grouper_supervisor *supervisor, request_fn *fn, const char *key)
{
	enum grouper_error error;

	if (!is_up(supervisor))
		return GROUPER_NO_GROUP;
	if (key == NULL)
		return GROUPER_NOT_FOUND;
	error = fn(supervisor_machine(supervisor->tree), clock_ms(), key);
	supervisor_act(supervisor->tree);
	return error;
}

enum grouper_error
grouper_child_start(struct grouper_supervisor *supervisor, const char *key)
{
	return request(supervisor, machine_start, key);
}

enum grouper_error
grouper_child_stop(struct grouper_supervisor *supervisor, const char *key)
{
	return request(supervisor, machine_stop, key);
}

enum grouper_error
grouper_child_restart(struct grouper_supervisor *supervisor, const char *key)
{
	return request(supervisor, machine_restart, key);
}

enum grouper_error
grouper_child_delete(struct grouper_supervisor *supervisor, const char *key)
{
	return request(supervisor, machine_delete, key);
}

enum grouper_error
grouper_child_scale(struct grouper_supervisor *supervisor, const char *key,
    unsigned int instances)
{
	enum grouper_error error;

	if (!is_up(supervisor))
		return GROUPER_NO_GROUP;
	if (key == NULL)
		return GROUPER_NOT_FOUND;
	error = machine_scale(supervisor_machine(supervisor->tree), clock_ms(),
	    key, instances);
	supervisor_act(supervisor->tree);
	return error;
}

enum grouper_error
grouper_child_add(struct grouper_supervisor *supervisor, const char *parent,
    const struct grouper_child *child)
{
	const char *name;
	enum grouper_error error;
	struct spec_child spec;
	char *why = NULL;

	if (!is_up(supervisor))
		return GROUPER_NO_GROUP;
	if (child == NULL)
		return GROUPER_INVALID;
	name = host_name(supervisor_host(supervisor->tree));
	error = public_child(child, name[0] != '\0', &spec);
	if (error == GROUPER_OK)
		error = machine_spawn(supervisor_machine(supervisor->tree),
		    clock_ms(), parent != NULL ? parent : "", &spec, &why);
	spec_child_fini(&spec);
	free(why);
	supervisor_act(supervisor->tree);
	return error;
}
