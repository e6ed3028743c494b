/* SPDX-License-Identifier: ISC */
/*
 * The machine's actions on real groups, see supervisor.h.
 */
#include "runtime/supervise/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/group.h>

#include "runtime/control/events.h"
#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"
#include "runtime/group/host.h"
#include "runtime/logs/logs.h"
#include "runtime/logs/member_log.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/messages.h"
#include "runtime/supervise/supervisor_private.h"
#include "runtime/supervise/words.h"
#include "runtime/util/bug.h"
#include "runtime/util/clock.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"

#define EVENTS_KEPT 10000
/* Of a single command line in an event. */
#define TEXT_MAX 512

/* text NULL: the event's type says it all. */
static void
tell_as(struct supervisor *supervisor, bool trouble, const char *type,
    const char *key, const char *text, json_t *more)
{
	const char *words = text != NULL && text[0] != '\0' ? text : type;
	json_t *event = json_pack("{s:s, s:s, s:o}", "type", type, "key", key,
	    "text", json_text(words));

	if (event != NULL && more != NULL)
		json_object_update(event, more);
	json_decref(more);
	if (key[0] == '\0')
		key = "the tree";
	if (trouble)
		log_warnx("%s: %s", key, words);
	else
		log_info("%s: %s", key, words);
	events_add(supervisor->events, event);
}

static void
tell(struct supervisor *supervisor, const char *type, const char *key,
    const char *text, json_t *more)
{
	tell_as(supervisor, false, type, key, text, more);
}

/* What runs tell */

static void
on_started(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;
	char text[64];

	snprintf(text, sizeof(text), "started, pid %d",
	    (int)incarnation_pid(run));
	tell(slot->supervisor, "started", slot->key, text,
	    json_pack("{s:i}", "pid", (int)incarnation_pid(run)));
	/* It has them; a reader waits for the end of what it alone writes. */
	if (slot->temporary)
		slot_drop(slot);
	machine_started(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run));
	supervisor_act(slot->supervisor);
}

static void
on_start_failed(struct incarnation *run, const char *reason, void *arg)
{
	struct slot *slot = arg;

	machine_start_failed(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run), reason);
	supervisor_act(slot->supervisor);
}

static void
on_ready(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;

	machine_ready(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run));
	supervisor_act(slot->supervisor);
}

static void
on_status(struct incarnation *run, const char *text, void *arg)
{
	struct slot *slot = arg;

	(void)run;
	/* Said again and again, it would push out all other events. */
	if (slot->said != NULL && strcmp(slot->said, text) == 0)
		return;
	free(slot->said);
	slot->said = strdup(text);
	tell(slot->supervisor, "status", slot->key, text, NULL);
	supervisor_act(slot->supervisor);
}

static void
on_doing(struct incarnation *run, void *arg)
{
	static const struct {
		const char *type, *text;
	} words[] = {
		[INCARNATION_SERVES] = { "reloaded", NULL },
		[INCARNATION_RELOADS] = { "reloading", NULL },
		[INCARNATION_STOPS] = { "stopping", "stops by itself" },
	};
	enum incarnation_doing doing = incarnation_doing(run);
	struct slot *slot = arg;

	tell(slot->supervisor, words[doing].type, slot->key, words[doing].text,
	    NULL);
	supervisor_act(slot->supervisor);
}

static void
on_adopted(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;
	char text[64];

	snprintf(text, sizeof(text), "main process is pid %d",
	    (int)incarnation_pid(run));
	tell(slot->supervisor, "adopted", slot->key, text,
	    json_pack("{s:i}", "pid", (int)incarnation_pid(run)));
	supervisor_act(slot->supervisor);
}

static void
on_watchdog(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;

	machine_watchdog(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run));
	supervisor_act(slot->supervisor);
}

static json_t *
pack_usage(const struct grouper_usage *usage)
{
	return json_pack("{s:f, s:f, s:f, s:I, s:I}", "wall_seconds",
	    (double)usage->wall_us / 1e6, "user_seconds",
	    (double)usage->user_us / 1e6, "system_seconds",
	    (double)usage->system_us / 1e6, "peak_memory_bytes",
	    (json_int_t)usage->peak_memory, "processes",
	    (json_int_t)usage->processes);
}

static void
on_ended(struct incarnation *run, int status, void *arg)
{
	struct slot *slot = arg;
	char text[WORDS_STATUS_MAX];

	words_status(status, text, sizeof(text));
	tell(slot->supervisor, "exited", slot->key, text,
	    json_pack("{s:i, s:i, s:o*}", "pid", (int)incarnation_pid(run),
		"status", status, "usage", pack_usage(incarnation_usage(run))));
	slot->ended = true;
	slot->supervisor->on_ended(slot->key, status, slot->supervisor->arg);
	machine_ended(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run), status);
	supervisor_act(slot->supervisor);
}

static void
on_leader_died(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;

	machine_leader_died(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run));
	supervisor_act(slot->supervisor);
}

static void
on_unkillable(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;

	machine_unkillable(slot->supervisor->machine, clock_ms(),
	    incarnation_number(run));
	supervisor_act(slot->supervisor);
}

static void
on_empty(struct incarnation *run, void *arg)
{
	struct slot *slot = arg;
	struct supervisor *supervisor = slot->supervisor;
	uint64_t number = incarnation_number(run);

	slot->run = NULL;
	slot->usage = *incarnation_usage(run);
	if (slot->temporary)
		slot_drop(slot);
	incarnation_free(run);
	free(slot->said);
	slot->said = NULL;
	if (slot->removed)
		slot_free(&supervisor->slots, slot);
	machine_empty(supervisor->machine, clock_ms(), number);
	supervisor_act(supervisor);
}

static const struct incarnation_handler incarnation_handler = {
	.started = on_started,
	.start_failed = on_start_failed,
	.ready = on_ready,
	.status = on_status,
	.doing = on_doing,
	.adopted = on_adopted,
	.watchdog = on_watchdog,
	.ended = on_ended,
	.leader_died = on_leader_died,
	.unkillable = on_unkillable,
	.empty = on_empty,
};

/* A command that has both of its own writes to no log. */
static bool
has_output(const struct slot *slot)
{
	return slot->fds[STDOUT_FILENO] != -1 && slot->fds[STDERR_FILENO] != -1;
}

/* What the machine decides */

/* Without a run there is nobody to tell the end but us. */
static void
fail_run(struct supervisor *supervisor, uint64_t number, const char *reason)
{
	machine_start_failed(supervisor->machine, clock_ms(), number, reason);
	machine_empty(supervisor->machine, clock_ms(), number);
}

static void
act_start(struct supervisor *supervisor, const struct machine_action *action)
{
	struct incarnation_options options = { .host = supervisor->host,
		.number = action->run,
		.hooks = supervisor->hooks,
		.directory = supervisor->directory,
		.handler = &incarnation_handler };
	struct slot *slot = slot_make(&supervisor->slots, action->key,
	    supervisor);
	struct machine_view view;

	machine_view(action->node, &view);
	/* The machine does not wait for what withstood SIGKILL, but we do. */
	if (slot != NULL && slot->run != NULL) {
		fail_run(supervisor, action->run,
		    "processes of its last run withstood SIGKILL");
		return;
	}
	if (slot == NULL ||
	    (!has_output(slot) &&
		supervisor_take_log(slot, view.spec->command) == -1)) {
		fail_run(supervisor, action->run, strerror(errno));
		return;
	}
	slot->ended = false;
	options.key = slot->key;
	options.child = view.spec;
	options.log = has_output(slot) ? NULL : slot->log;
	options.fds = slot->fds;
	options.arg = slot;
	slot->run = incarnation_new(&options);
	if (slot->run == NULL)
		fail_run(supervisor, action->run, strerror(errno));
	else
		incarnation_start(slot->run);
}

static void
act_stop(struct supervisor *supervisor, const struct machine_action *action)
{
	struct slot *slot = slot_find(&supervisor->slots, action->key);
	char text[TEXT_MAX];

	if (slot == NULL || slot->run == NULL ||
	    incarnation_number(slot->run) != action->run)
		return;
	snprintf(text, sizeof(text), "%s%s%s",
	    action->kill ? "killed" : "stopping",
	    action->text[0] != '\0' ? ": " : "", action->text);
	tell(supervisor, "stopping", slot->key, text, NULL);
	incarnation_stop(slot->run, action->kill);
}

/* What an event tells besides; NULL: nothing. */
static json_t *
note_more(const struct slot *slot, const struct machine_action *action,
    bool empty)
{
	json_t *more = empty ? json_object() : NULL;

	if (action->note == MACHINE_NOTE_ENDED && action->status != -1)
		json_put(&more, "status", json_integer(action->status));
	/* A leader that died measured nothing. */
	if (empty && slot != NULL && slot->usage.processes > 0)
		json_put(&more, "usage", pack_usage(&slot->usage));
	return more;
}

static void
act_note(struct supervisor *supervisor, const struct machine_action *action)
{
	/* How its process ended was told when it did. */
	bool empty = action->note == MACHINE_NOTE_ENDED ||
	    action->note == MACHINE_NOTE_STOPPED;
	struct slot *slot = slot_find(&supervisor->slots, action->key);

	tell_as(supervisor, words_is_trouble(action->note),
	    machine_note_name(action->note), action->key,
	    empty ? NULL : action->text, note_more(slot, action, empty));
	if (action->note == MACHINE_NOTE_START_FAILED &&
	    supervisor->on_failed != NULL)
		supervisor->on_failed(action->key, action->text,
		    supervisor->arg);
	if (action->note != MACHINE_NOTE_REMOVED || slot == NULL)
		return;
	slot->removed = true;
	if (slot->run == NULL)
		slot_free(&supervisor->slots, slot);
}

static void
act_end(struct supervisor *supervisor, const struct machine_action *action)
{
	supervisor->over = true;
	tell(supervisor, "end", "", action->text,
	    json_pack("{s:i}", "status", action->status));
	supervisor->on_end(action->status, action->text, supervisor->arg);
}

static void
set_timer(struct supervisor *supervisor)
{
	int64_t deadline = machine_deadline(supervisor->machine), left;

	loop_timer_clear(supervisor->timer);
	if (deadline == -1)
		return;
	left = deadline - clock_ms();
	loop_timer_set(supervisor->timer, left < 0 ? 0 : left);
}

void
supervisor_act(struct supervisor *supervisor)
{
	struct machine_action action;

	/* What an action brings about joins the queue that is being worked
	 * off. */
	if (supervisor->acting)
		return;
	supervisor->acting = true;
	while (machine_next(supervisor->machine, &action))
		switch (action.type) {
		case MACHINE_START:
			act_start(supervisor, &action);
			break;
		case MACHINE_STOP:
			act_stop(supervisor, &action);
			break;
		case MACHINE_RESET:
			grouper_reset(supervisor->host, action.key);
			break;
		case MACHINE_NOTE:
			act_note(supervisor, &action);
			break;
		case MACHINE_END:
			act_end(supervisor, &action);
			break;
		}
	supervisor->acting = false;
	set_timer(supervisor);
	supervisor->on_change(supervisor->arg);
}

static void
on_timer(void *arg)
{
	struct supervisor *supervisor = arg;

	machine_timer(supervisor->machine, clock_ms());
	supervisor_act(supervisor);
}

/* Sockets of members that a host of this name left when it was killed. */
static void
remove_left_behind(const char *directory, const char *host)
{
	size_t length = strlen(host);
	struct dirent *entry;
	const char *rest;
	DIR *dir;

	dir = opendir(directory);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, host, length) != 0 ||
		    entry->d_name[length] != '.')
			continue;
		rest = entry->d_name + length + 1;
		rest += strspn(rest, "0123456789");
		if (strcmp(rest, INCARNATION_SOCKET) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

struct supervisor *
supervisor_new(const struct supervisor_options *options)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));

	if (supervisor == NULL)
		return NULL;
	supervisor->host = options->host;
	supervisor->hooks = options->hooks;
	supervisor->on_end = options->on_end;
	supervisor->on_change = options->on_change;
	supervisor->on_ended = options->on_ended;
	supervisor->on_failed = options->on_failed;
	supervisor->max_held = supervisor_max_held();
	TAILQ_INIT(&supervisor->taps);
	supervisor->arg = options->arg;
	RB_INIT(&supervisor->slots);
	supervisor->directory = strdup(options->directory);
	supervisor->events = events_new(EVENTS_KEPT);
	supervisor->log = options->log;
	supervisor->logs = logs_new(host_loop(options->host), options->output,
	    NULL);
	supervisor->timer = loop_timer_new(host_loop(options->host), on_timer,
	    supervisor);
	supervisor->machine = machine_new(options->tree, options->seed);
	if (supervisor->directory == NULL || supervisor->events == NULL ||
	    supervisor->logs == NULL || supervisor->timer == NULL ||
	    supervisor->machine == NULL) {
		supervisor_free(supervisor);
		return NULL;
	}
	remove_left_behind(options->directory, host_name(options->host));
	return supervisor;
}

void
supervisor_free(struct supervisor *supervisor)
{
	struct slot *slot;
	int saved = errno;

	if (supervisor == NULL)
		return;
	while ((slot = slot_next(&supervisor->slots, NULL)) != NULL)
		slot_free(&supervisor->slots, slot);
	machine_free(supervisor->machine);
	loop_timer_free(supervisor->timer);
	logs_free(supervisor->logs);
	events_free(supervisor->events);
	free(supervisor->directory);
	free(supervisor);
	errno = saved;
}

void
supervisor_boot(struct supervisor *supervisor)
{
	machine_boot(supervisor->machine, clock_ms());
	supervisor_act(supervisor);
}

void
supervisor_shutdown(struct supervisor *supervisor, bool kill)
{
	machine_shutdown(supervisor->machine, clock_ms(), kill);
	supervisor_act(supervisor);
}

/* Children that go on: how they are stopped, reloaded and logged from now. */
static void
change_runs(struct supervisor *supervisor)
{
	const struct machine_node *node;
	struct machine_view view;
	struct slot *slot = NULL;

	while ((slot = slot_next(&supervisor->slots, slot)) != NULL) {
		node = slot->run == NULL ?
		    NULL :
		    machine_find(supervisor->machine, slot->key);
		if (node == NULL)
			continue;
		machine_view(node, &view);
		if (view.run != incarnation_number(slot->run) ||
		    view.spec == NULL || view.spec->command == NULL)
			continue;
		if (incarnation_change(slot->run, view.spec) == -1 ||
		    supervisor_limit_log(slot, view.spec->command) == -1)
			log_warn("%s: the reload", slot->key);
	}
}

enum grouper_error
supervisor_reload(struct supervisor *supervisor, const struct spec_tree *tree,
    char **why)
{
	enum grouper_error error;
	struct slot *slot = NULL;

	error = machine_reload(supervisor->machine, clock_ms(), tree, why);
	if (error != GROUPER_OK)
		return error;
	if (messages_load(supervisor->host, tree, why) == -1)
		log_warnx("reload: %s", *why != NULL ? *why : "no memory");
	free(*why);
	*why = NULL;
	change_runs(supervisor);
	supervisor_act(supervisor);
	while ((slot = slot_next(&supervisor->slots, slot)) != NULL)
		if (slot->run != NULL)
			incarnation_reload(slot->run);
	return GROUPER_OK;
}

struct machine *
supervisor_machine(struct supervisor *supervisor)
{
	return supervisor->machine;
}

struct grouper_host *
supervisor_host(const struct supervisor *supervisor)
{
	return supervisor->host;
}

struct events *
supervisor_events(struct supervisor *supervisor)
{
	return supervisor->events;
}

struct incarnation *
supervisor_run(const struct supervisor *supervisor, const char *key)
{
	const struct slot *slot = slot_find(&supervisor->slots, key);

	return slot != NULL ? slot->run : NULL;
}

const char *
supervisor_said(const struct supervisor *supervisor, const char *key)
{
	const struct slot *slot = slot_find(&supervisor->slots, key);

	return slot != NULL && slot->said != NULL ? slot->said : "";
}
