/* SPDX-License-Identifier: ISC */
/*
 * The verbs that change a running tree: start, stop, restart, signal, scale,
 * reset, delete and reload.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/supervise/spec.h"
#include "runtime/util/bug.h"
#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/plan.h"
#include "tools/remote.h"
#include "tools/tool.h"

/* What stands before the keys. */
enum first {
	FIRST_NONE,
	FIRST_SIGNAL,
	FIRST_COUNT,
};

static const struct act {
	const char *verb; /* and its method */
	const char *arguments;
	const char *text;
	enum first first;
	bool keys;  /* wants at least one, and no more than one if false */
	bool waits; /* is answered when it is done, unless --no-wait */
} acts[] = {
	{ "start", "KEY...",
	    "Starts children that do not run; done when they are ready.",
	    FIRST_NONE, true, true },
	{ "stop", "KEY...",
	    "Stops children by their stop steps; done when their groups are\n"
	    "proven empty.  They stay stopped until they are started, or their\n"
	    "supervisor is.  Clears the mark of a leader that died.",
	    FIRST_NONE, true, true },
	{ "restart", "KEY...",
	    "Stops children and starts them again; done when they are ready.",
	    FIRST_NONE, true, true },
	{ "signal", "SIGNAL KEY...",
	    "Sends a signal to the main process of children.", FIRST_SIGNAL,
	    true, false },
	{ "scale", "N KEY...",
	    "Runs N instances of children; done when those are ready that were\n"
	    "started, and those empty that were stopped.",
	    FIRST_COUNT, true, true },
	{ "reset", "KEY...",
	    "Clears the mark of a leader that died, so that the key can be\n"
	    "started again.",
	    FIRST_NONE, true, false },
	{ "delete", "KEY...", "Forgets children that do not run.", FIRST_NONE,
	    true, false },
	{ "reload", "",
	    "Reads the tree file again and changes what differs: new children\n"
	    "are started, removed ones stopped, changed ones restarted, all\n"
	    "others keep their processes.  A bad file changes nothing.",
	    FIRST_NONE, false, false },
	{ "reopen", "",
	    "Opens the log files anew, by their names, after they were moved.",
	    FIRST_NONE, false, false },
};
#define NACTS (sizeof(acts) / sizeof(acts[0]))

struct doing {
	const struct act *act;
	struct remote remote;
	bool no_wait;
	int64_t limit_ms; /* -1: none */
	const char *first;
};

static const struct act *
find_act(const char *verb)
{
	size_t i;

	for (i = 0; i < NACTS; i++)
		if (strcmp(acts[i].verb, verb) == 0)
			return &acts[i];
	BUG();
}

static void
print_help(const struct act *act)
{
	printf("Usage: grouper %s [OPTION...]%s%s\n\n%s\n\n", act->verb,
	    act->arguments[0] != '\0' ? " " : "", act->arguments, act->text);
	if (act->waits)
		fputs("      --no-wait        do not wait until it is done\n"
		      "      --timeout TIME   wait no longer than this\n",
		    stdout);
	fputs(OPTIONS_HOST_HELP
	    "      --json           print the answers as JSON\n"
	    "  -h, --help           this text\n"
	    "\n"
	    "Exit status: 0; 1 if it failed; 2 for bad usage; 120 if the leader\n"
	    "of the key died, 122 if nothing runs.  See grouper-control(1).\n",
	    stdout);
}

static json_t *
params_of(const struct doing *doing, const char *key)
{
	json_t *params = json_object();
	int64_t count;
	int signum;

	if (key != NULL)
		json_put(&params, "key", json_text(key));
	if (doing->act->waits)
		json_put(&params, "wait", json_boolean(!doing->no_wait));
	switch (doing->act->first) {
	case FIRST_NONE:
		break;
	case FIRST_SIGNAL:
		if (parse_signal(doing->first, &signum) == 0)
			json_put(&params, "signal", json_integer(signum));
		break;
	case FIRST_COUNT:
		if (parse_int(doing->first, 0, INT_MAX, &count) == 0)
			json_put(&params, "instances", json_integer(count));
		break;
	}
	return params;
}

static int
act_on(struct doing *doing, const char *key)
{
	enum grouper_error error;
	json_t *result;

	error = client_call(doing->remote.client, doing->act->verb,
	    params_of(doing, key), doing->limit_ms, &result);
	if (error == GROUPER_TIMED_OUT && doing->act->waits) {
		tool_error(doing->act->verb, "%s: not done in time", key);
		remote_print_error(&doing->remote, key, "not done in time");
		return 124;
	}
	if (error != GROUPER_OK) {
		remote_print_error(&doing->remote, key,
		    client_error(doing->remote.client));
		return remote_fail(&doing->remote, error, key);
	}
	if (!doing->remote.options.json)
		plan_tell_ignored(doing->act->verb,
		    json_object_get(result, "ignored"));
	return remote_print(&doing->remote, key, result);
}

/* What stands before the keys is checked before anything is asked. */
static int
check_first(const struct doing *doing)
{
	int64_t count;
	int signum;

	if (doing->first == NULL) {
		tool_error(doing->act->verb,
		    "expected %s: see 'grouper %s --help'",
		    doing->act->arguments, doing->act->verb);
		return TOOL_USAGE;
	}
	if (doing->act->first == FIRST_SIGNAL &&
	    parse_signal(doing->first, &signum) != 0) {
		tool_error(doing->act->verb,
		    "expected the name or number of a signal, got '%s'",
		    doing->first);
		return TOOL_USAGE;
	}
	if (doing->act->first == FIRST_COUNT &&
	    parse_int(doing->first, 0, SPEC_CHILDREN_MAX, &count) != 0) {
		tool_error(doing->act->verb,
		    "expected a number of instances from 0 to %d, got '%s'",
		    SPEC_CHILDREN_MAX, doing->first);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

enum { NO_WAIT = OPTIONS_OWN, TIMEOUT };

static int
take_option(int opt, char *value, void *arg)
{
	struct doing *doing = arg;

	switch (opt) {
	case NO_WAIT:
		doing->no_wait = true;
		return -1;
	case TIMEOUT:
		if (parse_time(value, &doing->limit_ms) == 0)
			return -1;
		tool_error(doing->act->verb,
		    "--timeout: expected a time such as 30s, got '%s'", value);
		return TOOL_USAGE;
	default:
		print_help(doing->act);
		return tool_printed(doing->act->verb);
	}
}

static int
check_arguments(struct doing *doing, int argc, char **argv)
{
	if (doing->act->first != FIRST_NONE) {
		doing->first = argv[optind];
		optind += optind < argc;
		if (check_first(doing) != TOOL_OK)
			return TOOL_USAGE;
	}
	if (!doing->act->keys)
		return options_no_more(doing->act->verb, argv);
	if (optind < argc)
		return TOOL_OK;
	tool_error(doing->act->verb, "expected a KEY");
	return TOOL_USAGE;
}

int
act_main(int argc, char **argv)
{
	/* The first two are of those that wait alone. */
	static const struct option options[] = {
		{ "no-wait", no_argument, NULL, NO_WAIT },
		{ "timeout", required_argument, NULL, TIMEOUT },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct doing doing = { .act = find_act(argv[0]), .limit_ms = -1 };
	int status, one;

	doing.remote.options.verb = doing.act->verb;
	status = options_read(&doing.remote.options, argc, argv,
	    ":" OPTIONS_HOST_LETTERS, options + (doing.act->waits ? 0 : 2),
	    take_option, &doing);
	if (status != -1)
		return status;
	if (check_arguments(&doing, argc, argv) != TOOL_OK)
		return TOOL_USAGE;
	status = remote_open(&doing.remote);
	if (status != TOOL_OK)
		return status;
	if (optind == argc)
		status = act_on(&doing, NULL);
	for (; optind < argc; optind++) {
		one = act_on(&doing, argv[optind]);
		if (status == TOOL_OK)
			status = one;
	}
	remote_close(&doing.remote);
	return status;
}
