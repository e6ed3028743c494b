/* SPDX-License-Identifier: ISC */
/*
 * The state of a tree as JSON, see report.h.
 */
#include "runtime/supervise/report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/group.h>

#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"
#include "runtime/group/host.h"
#include "runtime/supervise/machine.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/supervise/usage.h"
#include "runtime/supervise/words.h"
#include "runtime/util/clock.h"

/* Whether key is at or below under; NULL and "" are the root. */
static bool
is_below(const char *key, const struct machine_view *view, const char *under)
{
	size_t length = under == NULL ? 0 : strlen(under);
	const char *last;

	if (length == 0)
		return true;
	if (strncmp(key, under, length) == 0 &&
	    (key[length] == '\0' || key[length] == '/'))
		return true;
	/* An instance of the command that `under` names. */
	last = strrchr(key, '/');
	return view->instance != 0 &&
	    strncmp(key, under, last == NULL ? 0 : (size_t)(last - key) + 1) ==
	    0 &&
	    strcmp(under + (last == NULL ? 0 : (size_t)(last - key) + 1),
		view->spec->id) == 0;
}

static void
add_usage(json_t **child, const struct usage *usage, const char *key)
{
	const struct usage_sum *sum = usage_find(usage, key);

	if (sum == NULL)
		return;
	json_put(child, "memory", json_integer((json_int_t)sum->memory));
	json_put(child, "cpu_ms", json_integer(sum->cpu_ms));
	json_put(child, "processes", json_integer((json_int_t)sum->processes));
}

static void
add_run(json_t **child, const struct supervisor *supervisor,
    const struct machine_view *view, const struct usage *usage)
{
	const struct incarnation *run = supervisor_run(supervisor, view->key);
	const char *said = supervisor_said(supervisor, view->key);
	enum incarnation_doing doing;

	if (run != NULL && incarnation_pid(run) != 0) {
		json_put(child, "pid", json_integer(incarnation_pid(run)));
		json_put(child, "uptime_ms",
		    json_integer(clock_ms() - incarnation_since(run)));
		add_usage(child, usage, view->key);
		doing = incarnation_doing(run);
		if (doing != INCARNATION_SERVES)
			json_put(child, "doing",
			    json_string(doing == INCARNATION_RELOADS ?
				    "reloading" :
				    "stopping"));
	}
	if (said[0] != '\0')
		json_put(child, "said", json_text(said));
}

/* How it ended last, and why it does not run. */
static void
add_last(json_t **child, const struct machine_view *view)
{
	char text[WORDS_STATUS_MAX];

	if (view->status != -1) {
		words_status(view->status, text, sizeof(text));
		json_put(child, "last", json_string(text));
		json_put(child, "status",
		    json_integer(words_exit(view->status)));
	}
	if (view->reason[0] != '\0') {
		json_put(child, "reason", json_text(view->reason));
		if (view->status == -1)
			json_put(child, "last", json_text(view->reason));
	}
}

/* What of its intensity is used up. */
static void
add_limit(json_t **child, const struct machine_node *node,
    const struct spec_supervisor *spec)
{
	json_put(child, "strategy",
	    json_string(spec_strategy_name(spec->strategy)));
	json_put(child, "restarts_in_period",
	    json_integer((json_int_t)machine_restarts(node, clock_ms())));
	json_put(child, "intensity", json_integer(spec->intensity));
	json_put(child, "period_ms", json_integer(spec->period_ms));
}

static json_t *
describe(const struct supervisor *supervisor, const struct machine_node *node,
    const struct machine_view *view, const struct usage *usage)
{
	const char *last = strrchr(view->key, '/');
	const char *id = last != NULL ? last + 1 : view->key;
	json_t *child;

	if (view->depth == 0)
		id = host_name(supervisor_host(supervisor));
	child = json_pack("{s:s, s:s, s:s, s:s, s:I}", "key", view->key, "id",
	    id, "type", view->supervisor != NULL ? "supervisor" : "command",
	    "state", machine_state_name(view->state), "restarts",
	    (json_int_t)view->restarts);
	if (view->spawned)
		json_put(&child, "spawned", json_true());
	if (view->due != -1)
		json_put(&child, "retry_ms",
		    json_integer(view->due > clock_ms() ?
			    view->due - clock_ms() :
			    0));
	if (view->supervisor != NULL) {
		add_limit(&child, node, view->supervisor);
		json_put(&child, "children", json_array());
	} else
		add_run(&child, supervisor, view, usage);
	add_last(&child, view);
	return child;
}

/*
 * Groups of the host beside the tree: that of the command of `run`, or of a
 * program's own.  What runs beside a child has a key below the child's.
 */
typedef json_t *other_fn(struct supervisor *supervisor,
    const struct host_group *group, const struct usage *usage);

struct others {
	struct supervisor *supervisor;
	const struct usage *usage;
	const char *key; /* NULL and "": all */
	other_fn *fn;
	json_t *list;
};

static void
on_group(const struct host_group *group, void *arg)
{
	struct others *others = arg;

	if (strchr(group->key, '/') != NULL ||
	    machine_find(supervisor_machine(others->supervisor), group->key) !=
		NULL ||
	    (others->key != NULL && others->key[0] != '\0' &&
		strcmp(others->key, group->key) != 0))
		return;
	json_add(&others->list,
	    others->fn(others->supervisor, group, others->usage));
}

static json_t *
list_others(struct supervisor *supervisor, const char *key,
    const struct usage *usage, other_fn *fn)
{
	struct others others = { supervisor, usage, key, fn, json_array() };

	host_each_group(supervisor_host(supervisor), on_group, &others);
	return others.list;
}

static json_t *
describe_other(struct supervisor *supervisor, const struct host_group *group,
    const struct usage *usage)
{
	json_t *child = json_pack("{s:s, s:s, s:s, s:s, s:i, s:I}", "key",
	    group->key, "id", group->key, "type", "command", "state",
	    grouper_state_name(group->state), "restarts", 0, "uptime_ms",
	    (json_int_t)(group->age_us / 1000));

	(void)supervisor;
	if (group->main != 0)
		json_put(&child, "pid", json_integer(group->main));
	add_usage(&child, usage, group->key);
	return child;
}

/* The others come first: they were there before.  0, -1 without memory. */
static int
add_others(json_t *answer, json_t *others)
{
	json_t *children = json_object_get(json_array_get(answer, 0),
	    "children");
	int result = others != NULL ? 0 : -1;

	if (json_array_size(answer) == 0) {
		result = json_array_extend(answer, others);
	} else if (children != NULL && json_array_size(others) > 0) {
		result = json_array_extend(others, children);
		json_array_clear(children);
		if (result == 0)
			result = json_array_extend(children, others);
	}
	json_decref(others);
	return result;
}

/* The nodes below key.  0, -1 without memory. */
static int
add_nodes(json_t *answer, struct supervisor *supervisor, const char *key,
    const struct usage *usage)
{
	json_t *open[SPEC_DEPTH_MAX + 2] = { answer }, *child, *top = NULL;
	const struct machine_node *node;
	struct machine_view view;
	unsigned int depth = 0, level;

	for (node = machine_root(supervisor_machine(supervisor)); node != NULL;
	     node = machine_after(node)) {
		machine_view(node, &view);
		if (!is_below(view.key, &view, key))
			continue;
		/* Below key, the first and its siblings are at the top. */
		if (top == NULL)
			depth = view.depth;
		level = view.depth - depth;
		child = describe(supervisor, node, &view, usage);
		if (json_array_append_new(open[level], child) == -1)
			return -1;
		open[level + 1] = json_object_get(child, "children");
		if (level == 0)
			top = child;
	}
	return top == NULL ?
	    0 :
	    json_object_set_new(top, "host_pid", json_integer(getpid()));
}

/* answer, which is taken over, as the report. */
static enum grouper_error
give(const char *name, bool whole, json_t *answer, json_t **report)
{
	*report = whole ? json_pack("{s:O}", name, answer) : NULL;
	json_decref(answer);
	if (*report != NULL)
		return GROUPER_OK;
	errno = ENOMEM;
	return GROUPER_SYSTEM;
}

enum grouper_error
report_tree(struct supervisor *supervisor, const char *key, bool uses,
    json_t **report)
{
	json_t *answer = json_array();
	struct usage *usage = NULL;
	int failed;

	if (uses)
		usage = usage_take(supervisor_host(supervisor));
	failed = add_nodes(answer, supervisor, key, usage);
	if (key == NULL || key[0] == '\0' || json_array_size(answer) == 0)
		failed |= add_others(answer,
		    list_others(supervisor, key, usage, describe_other));
	usage_free(usage);
	if (failed == 0 && json_array_size(answer) == 0) {
		json_decref(answer);
		return GROUPER_NOT_FOUND;
	}
	return give("tree", failed == 0, answer, report);
}

/* Null where /proc does not tell. */
static json_t *
number_of(const struct grouper_process *process, int64_t number)
{
	return process->age_ms == -1 ? json_null() : json_integer(number);
}

static json_t *
describe_process(const struct grouper_process *process)
{
	char state[2] = { process->state, '\0' };

	return json_pack("{s:i, s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:o}",
	    "pid", (int)process->pid, "ppid", (int)process->ppid, "pgid",
	    (int)process->pgid, "sid", (int)process->sid, "state", state,
	    "name", json_text(process->name), "memory",
	    number_of(process, (int64_t)process->memory), "cpu_ms",
	    number_of(process, process->user_ms + process->system_ms), "age_ms",
	    number_of(process, process->age_ms), "command",
	    json_text(process->command != NULL ? process->command :
						 process->name));
}

static json_t *
describe_group(struct supervisor *supervisor, const char *key)
{
	struct grouper_processes list = { 0 };
	json_t *processes = json_array();
	size_t i;

	if (grouper_members(supervisor_host(supervisor), key, &list) ==
	    GROUPER_OK)
		for (i = 0; i < list.count; i++)
			json_add(&processes, describe_process(&list.items[i]));
	grouper_processes_free(&list);
	return json_pack("{s:s, s:o}", "key", key, "processes", processes);
}

static json_t *
describe_other_group(struct supervisor *supervisor,
    const struct host_group *group, const struct usage *usage)
{
	(void)usage;
	return describe_group(supervisor, group->key);
}

enum grouper_error
report_processes(struct supervisor *supervisor, const char *key,
    json_t **report)
{
	const struct machine_node *node;
	json_t *groups = list_others(supervisor, key, NULL,
	    describe_other_group);
	struct machine_view view;
	bool found = json_array_size(groups) > 0;

	for (node = machine_root(supervisor_machine(supervisor)); node != NULL;
	     node = machine_after(node)) {
		machine_view(node, &view);
		if (!is_below(view.key, &view, key))
			continue;
		found = true;
		if (supervisor_run(supervisor, view.key) != NULL)
			json_add(&groups, describe_group(supervisor, view.key));
	}
	if (groups != NULL && !found) {
		json_decref(groups);
		return GROUPER_NOT_FOUND;
	}
	return give("groups", groups != NULL, groups, report);
}

/* The group itself is not told: that there is one is. */
static json_t *
mention(struct supervisor *supervisor, const struct host_group *group,
    const struct usage *usage)
{
	(void)supervisor;
	(void)group;
	(void)usage;
	return json_true();
}

const char *
report_missing(struct supervisor *supervisor, const char *key)
{
	json_t *others;
	bool beside;

	if (key == NULL || key[0] == '\0')
		return NULL;
	others = list_others(supervisor, key, NULL, mention);
	beside = json_array_size(others) > 0;
	json_decref(others);
	return beside ? "the host's own group, which status and ps alone take" :
			NULL;
}
