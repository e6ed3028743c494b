/* SPDX-License-Identifier: ISC */
/*
 * grouper config: the settings of a host.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/settings.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper config [OPTION...] get KEY\n"
    "       grouper config [OPTION...] put KEY VALUE\n"
    "       grouper config [OPTION...] delete KEY\n"
    "       grouper config [OPTION...] list\n"
    "\n"
    "Prints and changes settings.  A VALUE is JSON, or a string if it cannot\n"
    "be read as such.  get prints a string as it is, and other values as\n"
    "JSON; list prints KEY=JSON, one a line.\n"
    "\n"
    "  -v, --verbose        print the value that put or delete found\n" OPTIONS_HOST_HELP
    "      --json           print values, answers and the list as JSON\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such setting to get, or no such host; 2\n"
    "for bad usage.  See grouper-names(1).\n";

struct configuring {
	const struct action *action;
	bool verbose;
	const char *key;
	const char *value;
	struct remote remote;
};

/* Prints an answer; 0, or -1 with errno. */
typedef int answer_fn(const struct configuring *configuring,
    const json_t *result);

static answer_fn answer_get, answer_change, answer_list;

static const struct action {
	const char *name;
	const char *method;
	bool key;
	bool value;
	answer_fn *answer;
} actions[] = {
	{ "get", "config.get", true, false, answer_get },
	{ "put", "config.put", true, true, answer_change },
	{ "delete", "config.delete", true, false, answer_change },
	{ "list", "config.list", false, false, answer_list },
};
#define NACTIONS (sizeof(actions) / sizeof(actions[0]))

/* A line; control characters of a string are the reader's to deal with. */
static int
print_line(const char *before, const char *text)
{
	if (tool_write(STDOUT_FILENO, before, strlen(before)) == -1 ||
	    tool_write(STDOUT_FILENO, text, strlen(text)) == -1)
		return -1;
	return tool_write(STDOUT_FILENO, "\n", 1);
}

static int
print_json(const char *before, const json_t *value)
{
	char *text = json_write(value);
	int printed = -1;

	if (text != NULL)
		printed = print_line(before, text);
	else
		errno = ENOMEM;
	free(text);
	return printed;
}

static int
print_value(const json_t *value)
{
	return json_is_string(value) ?
	    print_line("", json_string_value(value)) :
	    print_json("", value);
}

static int
answer_get(const struct configuring *configuring, const json_t *result)
{
	const json_t *value = json_object_get(result, "value");

	return configuring->remote.options.json ? print_json("", value) :
						  print_value(value);
}

static int
answer_change(const struct configuring *configuring, const json_t *result)
{
	if (configuring->remote.options.json)
		return print_json("", result);
	if (configuring->verbose &&
	    json_is_true(json_object_get(result, "known")))
		return print_value(json_object_get(result, "old"));
	return 0;
}

static int
answer_list(const struct configuring *configuring, const json_t *result)
{
	json_t *settings = json_object_get(result, "settings"), *value;
	char before[512];
	const char *key;

	if (configuring->remote.options.json)
		return print_json("", settings);
	json_object_foreach(settings, key, value) {
		strlcpy(before, key, sizeof(before));
		strlcat(before, "=", sizeof(before));
		if (print_json(before, value) == -1)
			return -1;
	}
	return 0;
}

/* TOOL_OK, or what was wrong with them, which it says. */
static int
params_of(const struct configuring *configuring, json_t **params)
{
	json_t *value;

	*params = json_object();
	if (configuring->key != NULL)
		json_put(params, "key", json_text(configuring->key));
	if (configuring->value == NULL)
		return TOOL_OK;
	/* As the tree file and --config take it. */
	value = settings_value(configuring->value);
	if (value == NULL && errno == EILSEQ) {
		tool_error("config", "expected a value in UTF-8");
		json_decref(*params);
		return TOOL_USAGE;
	}
	json_put(params, "value", value);
	return TOOL_OK;
}

static int
ask(struct configuring *configuring)
{
	struct remote *remote = &configuring->remote;
	json_t *params, *result;
	int status;

	status = params_of(configuring, &params);
	if (status != TOOL_OK)
		return status;
	status = remote_open(remote);
	if (status != TOOL_OK) {
		json_decref(params);
		return status;
	}
	status = remote_call(remote, configuring->action->method, params,
	    configuring->key, &result);
	if (status == TOOL_OK) {
		if (configuring->action->answer(configuring, result) == -1) {
			tool_error("config", "standard output: %s",
			    strerror(errno));
			status = TOOL_NO;
		}
		json_decref(result);
	}
	remote_close(remote);
	return status;
}

static int
take_option(int opt, char *value, void *arg)
{
	struct configuring *configuring = arg;

	(void)opt;
	(void)value;
	configuring->verbose = true;
	return -1;
}

static int
take_arguments(struct configuring *configuring, char **argv)
{
	const struct action *action = options_action("config", argv, actions,
	    sizeof(actions[0]), NACTIONS);

	configuring->action = action;
	if (action == NULL)
		return TOOL_USAGE;
	if (action->key) {
		configuring->key = options_word("config", argv, WORD_KEY,
		    "a KEY");
		if (configuring->key == NULL)
			return TOOL_USAGE;
	}
	if (action->value) {
		configuring->value = argv[optind];
		if (configuring->value == NULL) {
			tool_error("config", "expected a VALUE");
			return TOOL_USAGE;
		}
		optind++;
	}
	return options_no_more("config", argv);
}

int
config_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "verbose", no_argument, NULL, 'v' },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct configuring configuring = {
		.remote = { .options = { .verb = "config", .help = help } },
	};
	int status;

	status = options_read(&configuring.remote.options, argc, argv,
	    ":v" OPTIONS_HOST_LETTERS, table, take_option, &configuring);
	if (status != -1)
		return status;
	if (take_arguments(&configuring, argv) != TOOL_OK)
		return TOOL_USAGE;
	return ask(&configuring);
}
