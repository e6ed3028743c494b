/* SPDX-License-Identifier: ISC */
/*
 * grouper status and grouper ps: the tree of a host, and its processes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/json.h"
#include "tools/remote.h"
#include "tools/table.h"
#include "tools/tool.h"

static const char status_help[] =
    "Usage: grouper status [OPTION...] [KEY...]\n"
    "\n"
    "Draws the supervisor tree of a running host: the state of each child,\n"
    "its pid, how long it has been up, how often it was restarted, memory,\n"
    "CPU time, and how it ended last.\n"
    "\n" OPTIONS_HOST_HELP "      --json           as one JSON object\n"
    "      --keys           the keys alone, one a line\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such host or key, 2 for bad usage.\n"
    "See grouper-status(1).\n";

static const char ps_help[] =
    "Usage: grouper ps [OPTION...] [KEY...]\n"
    "\n"
    "Lists every process of a running host's groups, by key.\n"
    "\n" OPTIONS_HOST_HELP "      --json           as one JSON object\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such host or key, 2 for bad usage.\n"
    "See grouper-status(1).\n";

struct view {
	const char *method;
	int (*print)(const json_t *result);
	struct remote remote;
};

static int64_t
number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *
text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value != NULL ? value : "";
}

/* Its own, and of a supervisor those that count against its intensity. */
static void
print_restarts(const json_t *child, char *restarts, size_t size)
{
	char period[32];

	if (json_object_get(child, "period_ms") == NULL) {
		snprintf(restarts, size, "%" PRId64, number(child, "restarts"));
		return;
	}
	table_time(number(child, "period_ms"), period, sizeof(period));
	snprintf(restarts, size, "%" PRId64 " (%" PRId64 "/%" PRId64 " in %s)",
	    number(child, "restarts"), number(child, "restarts_in_period"),
	    number(child, "intensity"), period);
}

/* One row of the tree; branch is what leads to it. */
static int
add_child(struct table *table, const json_t *child, const char *branch)
{
	char name[512], pid[16] = "", up[32] = "", restarts[96], memory[32],
			cpu[32], last[256];
	const char *doing = text(child, "doing");
	const char *cells[8];

	snprintf(name, sizeof(name), "%s%s", branch, text(child, "id"));
	if (number(child, "pid") > 0)
		snprintf(pid, sizeof(pid), "%" PRId64, number(child, "pid"));
	if (json_object_get(child, "uptime_ms") != NULL)
		table_time(number(child, "uptime_ms"), up, sizeof(up));
	print_restarts(child, restarts, sizeof(restarts));
	table_size((uint64_t)number(child, "memory"), memory, sizeof(memory));
	table_time(number(child, "cpu_ms"), cpu, sizeof(cpu));
	snprintf(last, sizeof(last), "%s", text(child, "last"));
	if (json_object_get(child, "retry_ms") != NULL)
		snprintf(last, sizeof(last), "%s, again in %.1f s",
		    text(child, "last"),
		    (double)number(child, "retry_ms") / 1000);
	cells[0] = name;
	cells[1] = doing[0] != '\0' ? doing : text(child, "state");
	cells[2] = pid;
	cells[3] = up;
	cells[4] = restarts;
	cells[5] = pid[0] != '\0' ? memory : "";
	cells[6] = pid[0] != '\0' ? cpu : "";
	cells[7] = last;
	return table_add(table, cells);
}

static int
add_children(struct table *table, const json_t *children, const char *indent)
{
	size_t i, count = json_array_size(children);
	char branch[256], below[256];
	const json_t *child;
	bool last;

	for (i = 0; i < count; i++) {
		child = json_array_get(children, i);
		last = i + 1 == count;
		snprintf(branch, sizeof(branch), "%s%s", indent,
		    last ? "└─ " : "├─ ");
		snprintf(below, sizeof(below), "%s%s", indent,
		    last ? "   " : "│  ");
		if (add_child(table, child, branch) == -1 ||
		    add_children(table, json_object_get(child, "children"),
			below) == -1)
			return -1;
	}
	return 0;
}

static int
print_tree(const json_t *result)
{
	static const char *const titles[] = { "KEY", "STATE", "PID", "UPTIME",
		"RESTARTS", "MEMORY", "CPU", "LAST END", NULL };
	struct table *table = table_new(titles);
	int done = table == NULL ? -1 : 0;
	const json_t *top;
	size_t i;

	json_array_foreach(json_object_get(result, "tree"), i, top)
		if (done == 0 &&
		    (add_child(table, top, "") == -1 ||
			add_children(table, json_object_get(top, "children"),
			    "") == -1))
			done = -1;
	if (done == 0)
		done = table_print(table, STDOUT_FILENO);
	table_free(table);
	return done;
}

/* A command with numbered instances has a key of its own, told before them. */
static int
print_key(const char *key, bool spawned, const char **command)
{
	const char *colon = spawned ? NULL : strrchr(key, ':');
	size_t length = colon == NULL ? strlen(key) : (size_t)(colon - key);

	if (*command == NULL || strncmp(*command, key, length) != 0 ||
	    ((*command)[length] != '\0' && (*command)[length] != ':'))
		printf("%.*s\n", (int)length, key);
	if (colon != NULL)
		puts(key);
	*command = key;
	return ferror(stdout) ? -1 : 0;
}

static int
print_keys_of(const json_t *children)
{
	const char *key, *command = NULL;
	const json_t *child;
	size_t i;

	json_array_foreach(children, i, child) {
		key = text(child, "key");
		/* Nothing takes the root's. */
		if (key[0] != '\0' &&
		    print_key(key,
			json_is_true(json_object_get(child, "spawned")),
			&command) == -1)
			return -1;
		if (print_keys_of(json_object_get(child, "children")) == -1)
			return -1;
	}
	return 0;
}

static int
print_keys(const json_t *result)
{
	int done = print_keys_of(json_object_get(result, "tree"));

	return fflush(stdout) == 0 ? done : -1;
}

static int
add_process(struct table *table, const char *key, const json_t *process)
{
	char pid[16], ppid[16], state[2], up[32], memory[32], cpu[32];
	const char *cells[] = { key, pid, ppid, state, up, memory, cpu,
		text(process, "command") };

	snprintf(pid, sizeof(pid), "%" PRId64, number(process, "pid"));
	snprintf(ppid, sizeof(ppid), "%" PRId64, number(process, "ppid"));
	snprintf(state, sizeof(state), "%s", text(process, "state"));
	table_time(number(process, "age_ms"), up, sizeof(up));
	table_size((uint64_t)number(process, "memory"), memory, sizeof(memory));
	table_time(number(process, "cpu_ms"), cpu, sizeof(cpu));
	if (json_is_null(json_object_get(process, "age_ms")))
		cells[4] = cells[5] = cells[6] = "?";
	return table_add(table, cells);
}

static int
print_processes(const json_t *result)
{
	static const char *const titles[] = { "KEY", "PID", "PPID", "S", "AGE",
		"MEMORY", "CPU", "COMMAND", NULL };
	struct table *table = table_new(titles);
	const json_t *group, *process;
	size_t i, j;
	int done = table == NULL ? -1 : 0;

	json_array_foreach(json_object_get(result, "groups"), i, group)
		json_array_foreach(json_object_get(group, "processes"), j,
		    process)
			if (done == 0)
				done = add_process(table, text(group, "key"),
				    process);
	if (done == 0)
		done = table_print(table, STDOUT_FILENO);
	table_free(table);
	return done;
}

/* No key: everything. */
static int
show(struct view *view, const char *key)
{
	json_t *params = json_object(), *result;
	int status, printed;

	if (key != NULL)
		json_put(&params, "key", json_text(key));
	if (view->print == print_keys)
		json_put(&params, "usage", json_false());
	status = remote_call(&view->remote, view->method, params, key, &result);
	if (view->print == print_keys)
		view->remote.options.json = false;
	if (status != TOOL_OK) {
		remote_print_error(&view->remote, key,
		    client_error(view->remote.client));
		return status;
	}
	if (view->remote.options.json)
		return remote_print(&view->remote, key, result);
	printed = view->print(result);
	json_decref(result);
	if (printed == 0)
		return TOOL_OK;
	tool_error(view->remote.options.verb, "standard output: %s",
	    strerror(errno));
	return TOOL_NO;
}

enum { KEYS = OPTIONS_OWN };

static int
take_option(int opt, char *value, void *arg)
{
	struct view *view = arg;

	(void)opt;
	(void)value;
	view->print = print_keys;
	return -1;
}

static int
view_main(struct view *view, int argc, char **argv)
{
	static const struct option all[] = {
		{ "keys", no_argument, NULL, KEYS }, /* of status alone */
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	const struct option *options = view->print == print_tree ? all :
								   all + 1;
	int status, one, i;

	status = options_read(&view->remote.options, argc, argv,
	    ":" OPTIONS_HOST_LETTERS, options, take_option, view);
	if (status != -1)
		return status;
	if (view->print == print_keys && view->remote.options.json) {
		tool_error(view->remote.options.verb,
		    "--json and --keys exclude each other");
		return TOOL_USAGE;
	}
	status = remote_open(&view->remote);
	if (status != TOOL_OK)
		return status;
	if (optind == argc)
		status = show(view, NULL);
	for (i = optind; i < argc; i++) {
		one = show(view, argv[i]);
		if (status == TOOL_OK)
			status = one;
	}
	remote_close(&view->remote);
	return status;
}

int
status_main(int argc, char **argv)
{
	struct view view = { "status", print_tree,
		{ .options = { .verb = "status", .help = status_help } } };

	return view_main(&view, argc, argv);
}

int
ps_main(int argc, char **argv)
{
	struct view view = { "ps", print_processes,
		{ .options = { .verb = "ps", .help = ps_help } } };

	return view_main(&view, argc, argv);
}
