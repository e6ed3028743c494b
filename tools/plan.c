/* SPDX-License-Identifier: ISC */
/*
 * grouper plan: what a reload would do.
 */
#include "tools/plan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/supervise/spawn_text.h"
#include "runtime/tree/plan.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/supervise_tree.h"
#include "tools/tool.h"

#define CHANGES 3 /* the exit status: something would be done */

static const char help[] =
    "Usage: grouper plan [OPTION...] FILE\n"
    "       grouper plan [OPTION...] OLD NEW\n"
    "\n"
    "Tells what 'grouper reload' would do to a running host if its file were\n"
    "FILE, one line for each step, and does nothing; or what it would do to a\n"
    "host that runs OLD if that became NEW; one of these may be '-', a tree\n"
    "file on standard input.\n"
    "\n" OPTIONS_HOST_HELP
    "  -m, --formation N=M,.. instances of Procfiles; a host has its own\n"
    "      --json           as one JSON object\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 if nothing would change, 3 if something would; 1 if the\n"
    "reload would fail, the problems are told; 2 for bad usage.\n"
    "See grouper-control(1).\n";

struct planning {
	struct remote remote;
	const char *formation;
};

static const struct spec_child *
find_child(const struct spec_supervisor *supervisor, const char *id)
{
	size_t i;

	for (i = 0; i < supervisor->nchildren; i++)
		if (strcmp(supervisor->children[i].id, id) == 0)
			return &supervisor->children[i];
	return NULL;
}

/* The key of each step that is a restart because the kind is another. */
static bool
changes_kind(const struct spec_tree *from, const struct spec_tree *to,
    const char *key)
{
	const struct spec_supervisor *old = &from->root, *new = &to->root;
	char *copy = strdup(key), *rest = copy, *id;
	const struct spec_child *a = NULL, *b = NULL;

	while (old != NULL && new != NULL &&
	    (id = strsep(&rest, "/")) != NULL) {
		a = find_child(old, id);
		b = find_child(new, id);
		old = a != NULL ? a->supervisor : NULL;
		new = b != NULL ? b->supervisor : NULL;
	}
	free(copy);
	return a != NULL && b != NULL &&
	    (a->command == NULL) != (b->command == NULL);
}

static json_t *
describe_step(const struct plan_step *step)
{
	json_t *described = json_pack("{s:s, s:s}", "change",
	    plan_change_name(step->change), "key", step->key);

	if (step->what != NULL)
		json_put(&described, "what", json_string(step->what));
	if (step->change == PLAN_SCALE) {
		json_put(&described, "from", json_integer(step->from));
		json_put(&described, "to", json_integer(step->to));
	}
	return described;
}

static void
on_ignored(const char *line, void *arg)
{
	json_add(arg, json_text(line));
}

json_t *
plan_ignored(const struct spec_tree *from, const struct spec_tree *to,
    const struct grouper_host *host)
{
	json_t *lines = json_array();

	plan_ignores(from, to, host, on_ignored, &lines);
	return lines;
}

void
plan_tell_ignored(const char *verb, const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		tool_error(verb, "ignored: %s", json_string_value(line));
}

json_t *
plan_describe(const struct spec_tree *from, const struct spec_tree *to,
    const struct grouper_host *host)
{
	json_t *steps = json_array(), *problem = NULL;
	struct plan plan;
	size_t i;
	bool ok;

	ok = plan_make(&plan, from, to, host) == 0;
	for (i = 0; ok && problem == NULL && i < plan.count; i++) {
		if (plan.steps[i].change == PLAN_RESTART &&
		    changes_kind(from, to, plan.steps[i].key))
			problem = json_sprintf(
			    "'%s' cannot turn from a command into a "
			    "supervisor or back: it needs another id",
			    plan.steps[i].key);
		else
			ok = json_array_append_new(steps,
				 describe_step(&plan.steps[i])) == 0;
	}
	plan_fini(&plan);
	if (ok && problem == NULL)
		return json_pack("{s:o, s:o}", "steps", steps, "ignored",
		    plan_ignored(from, to, host));
	json_decref(steps);
	return problem == NULL ? NULL : json_pack("{s:o}", "problems", problem);
}

static void
print_step(const json_t *step)
{
	const char *key = json_string_value(json_object_get(step, "key"));
	const char *change = json_string_value(json_object_get(step, "change"));
	const char *what = json_string_value(json_object_get(step, "what"));

	if (key == NULL || change == NULL)
		return;
	if (what != NULL)
		tool_line(STDOUT_FILENO, false, "%s %s %s", change, what, key);
	else if (json_object_get(step, "to") == NULL)
		tool_line(STDOUT_FILENO, false, "%s %s", change,
		    key[0] != '\0' ? key : "the tree");
	else
		tool_line(STDOUT_FILENO, false,
		    "%s %s %" JSON_INTEGER_FORMAT " -> %" JSON_INTEGER_FORMAT,
		    change, key,
		    json_integer_value(json_object_get(step, "from")),
		    json_integer_value(json_object_get(step, "to")));
}

/* The result is released. */
static int
print_plan(const struct planning *planning, json_t *result)
{
	const char *problems = json_string_value(json_object_get(result,
	    "problems"));
	json_t *steps = json_object_get(result, "steps"), *step;
	int status = json_array_size(steps) > 0 ? CHANGES : TOOL_OK;
	size_t i;

	if (problems != NULL || !json_is_array(steps)) {
		tool_trouble("plan", NULL,
		    problems != NULL ? problems : "no plan");
		json_decref(result);
		return TOOL_NO;
	}
	if (planning->remote.options.json)
		return json_print(STDOUT_FILENO, result) == 0 ? status :
								TOOL_NO;
	json_array_foreach(steps, i, step) {
		print_step(step);
	}
	plan_tell_ignored("plan", json_object_get(result, "ignored"));
	json_decref(result);
	return status;
}

static int
compare(const struct planning *planning, const char *from, const char *to)
{
	struct spec_tree *old = tree_read(from, planning->formation, NULL);
	struct spec_tree *new = tree_read(to, planning->formation, NULL);
	json_t *result = NULL;
	bool ok = old != NULL && new != NULL;

	if (ok)
		result = plan_describe(old, new, NULL);
	spec_free(old);
	spec_free(new);
	if (ok && result == NULL)
		tool_error("plan", "%s", strerror(ENOMEM));
	return result != NULL ? print_plan(planning, result) : TOOL_NO;
}

/* The host reads it: the variables in it are the host's. */
static json_t *
params_of(const char *path)
{
	char *whole, *directory;
	json_t *text;

	if (path[0] == '/')
		return json_pack("{s:o}", "path", spawn_text(path));
	directory = getcwd(NULL, 0);
	if (directory == NULL ||
	    asprintf(&whole, "%s/%s", directory, path) == -1) {
		free(directory);
		return NULL;
	}
	text = spawn_text(whole);
	free(directory);
	free(whole);
	return json_pack("{s:o}", "path", text);
}

static int
ask(struct planning *planning, const char *path)
{
	json_t *params = params_of(path), *result;
	int status;

	if (params == NULL) {
		tool_error("plan", "the working directory: %s",
		    strerror(errno));
		return TOOL_NO;
	}
	status = remote_open(&planning->remote);
	if (status != TOOL_OK) {
		json_decref(params);
		return status;
	}
	status = remote_call(&planning->remote, "plan", params, path, &result);
	remote_close(&planning->remote);
	return status == TOOL_OK ? print_plan(planning, result) : status;
}

/* The only one of its own. */
static int
take_option(int opt, char *value, void *arg)
{
	struct planning *planning = arg;

	(void)opt;
	planning->formation = value;
	return -1;
}

int
plan_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "formation", required_argument, NULL, 'm' },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct planning planning = {
		.remote = { .options = { .verb = "plan", .help = help } },
	};
	bool asks;
	int status;

	status = options_read(&planning.remote.options, argc, argv,
	    ":m:" OPTIONS_HOST_LETTERS, options, take_option, &planning);
	if (status != -1)
		return status;
	if (argc - optind != 1 && argc - optind != 2) {
		tool_error("plan", "expected a FILE, or OLD and NEW");
		return TOOL_USAGE;
	}
	asks = argc - optind == 1;
	if (asks && planning.formation != NULL) {
		tool_error("plan",
		    "--formation is for two files: the host has its own");
		return TOOL_USAGE;
	}
	if (asks && tree_is_input(argv[optind])) {
		tool_error("plan",
		    "expected a FILE, which the host reads, got '-'");
		return TOOL_USAGE;
	}
	if (!asks &&
	    (planning.remote.options.socket != NULL ||
		planning.remote.options.host != NULL)) {
		tool_error("plan", "two files are compared without a host");
		return TOOL_USAGE;
	}
	return asks ? ask(&planning, argv[optind]) :
		      compare(&planning, argv[optind], argv[optind + 1]);
}
