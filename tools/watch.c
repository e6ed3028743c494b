/* SPDX-License-Identifier: ISC */
/*
 * grouper events and grouper logs: what happens, and what is written.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/logs/visible.h"
#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

static const char events_help[] =
    "Usage: grouper events [OPTION...]\n"
    "\n"
    "Prints what happens in a running host, one event a line: when, its\n"
    "number, the key, what happened, and what was decided and why.\n"
    "\n"
    "      --since N        begin with event N, 1 for all that are kept;\n"
    "                       the next one without\n"
    "      --no-follow      end when all have been printed\n" OPTIONS_HOST_HELP
    "      --json           as JSON objects, one a line\n"
    "  -h, --help           this text\n"
    "\n"
    "Events that are no longer kept are told as a gap.\n"
    "Exit status: 0; 1 if there is no such host or it ends, 2 for bad usage.\n"
    "See grouper-events(1).\n";

static const char logs_help[] =
    "Usage: grouper logs [OPTION...] KEY...\n"
    "\n"
    "Prints the last lines that children wrote.\n"
    "\n"
    "  -f, --follow         go on with what they write\n"
    "  -n, --lines N        how many lines of each, 20 without\n" OPTIONS_HOST_HELP
    "      --json           as JSON objects, one a line\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such host or key, 2 for bad usage.\n"
    "See grouper-events(1).\n";

struct watch {
	bool follow;
	int64_t since; /* 0: from now on */
	int64_t lines;
	struct remote remote; /* its verb is the method's name */
};

static const char *
text_of(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value != NULL ? value : "";
}

/* "2026-11-21 12:31:04.123", local time. */
static void
print_time(const json_t *object, char *buffer, size_t size)
{
	double seconds = json_number_value(json_object_get(object, "time"));
	time_t whole = (time_t)seconds;
	struct tm tm;
	size_t length;

	buffer[0] = '\0';
	if (localtime_r(&whole, &tm) == NULL)
		return;
	length = strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buffer + length, size - length, ".%03d",
	    (int)((seconds - (double)whole) * 1000));
}

static int
print_event(const json_t *event)
{
	const char *key = text_of(event, "key");
	char when[48];

	if (strcmp(text_of(event, "type"), "gap") == 0)
		return tool_line(STDOUT_FILENO, false,
		    "events %lld to %lld are no longer kept",
		    (long long)json_integer_value(json_object_get(event,
			"from")),
		    (long long)json_integer_value(json_object_get(event,
			"to")));
	print_time(event, when, sizeof(when));
	return tool_line(STDOUT_FILENO, false, "%s %lld %s: %s", when,
	    (long long)json_integer_value(json_object_get(event, "seq")),
	    key[0] != '\0' ? key : "the tree", text_of(event, "text"));
}

/* Whole; what the child wrote stays as it is, but for a terminal. */
static int
print_line(const json_t *line)
{
	const char *key = text_of(line, "key"), *text = text_of(line, "text");
	size_t length = json_string_length(json_object_get(line, "text"));
	size_t size = strlen(key) + sizeof(" | ") + VISIBLE_SIZE(length);
	char *whole = malloc(size);
	size_t used;
	int result;

	if (whole == NULL)
		return -1;
	used = (size_t)snprintf(whole, size, "%s | ", key);
	if (isatty(STDOUT_FILENO)) {
		used += visible(whole + used, text, length);
	} else {
		memcpy(whole + used, text, length);
		used += length;
	}
	whole[used++] = '\n';
	result = tool_write(STDOUT_FILENO, whole, used);
	free(whole);
	return result;
}

/* Takes the object over. */
static int
print_one(const struct watch *watch, json_t *object)
{
	int result;

	if (watch->remote.options.json)
		return json_print(STDOUT_FILENO, object);
	result = strcmp(watch->remote.options.verb, "logs") == 0 ?
	    print_line(object) :
	    print_event(object);
	json_decref(object);
	return result;
}

static int
fail_output(const struct watch *watch)
{
	tool_error(watch->remote.options.verb, "standard output: %s",
	    strerror(errno));
	return TOOL_NO;
}

/* Until the host ends, or nobody reads what is printed. */
static int
follow(struct watch *watch)
{
	enum grouper_error error;
	json_t *object;

	for (;;) {
		error = client_next(watch->remote.client, -1, &object);
		if (error == GROUPER_SYSTEM && errno == ECONNRESET) {
			tool_error(watch->remote.options.verb,
			    "the host has ended");
			return TOOL_NO;
		}
		if (error != GROUPER_OK)
			return remote_fail(&watch->remote, error, NULL);
		if (print_one(watch, object) != 0)
			return fail_output(watch);
	}
}

/* What the answer holds, then the stream if there is one. */
static int
show(struct watch *watch, json_t *params, const char *whom)
{
	json_t *result, *item;
	size_t i;
	int status;

	json_put(&params, "follow", json_boolean(watch->follow));
	status = remote_call(&watch->remote, watch->remote.options.verb, params,
	    whom, &result);
	if (status != TOOL_OK)
		return status;
	json_array_foreach(json_object_get(result, "items"), i, item)
		if (status == TOOL_OK &&
		    print_one(watch, json_incref(item)) != 0)
			status = fail_output(watch);
	json_decref(result);
	if (status == TOOL_OK && watch->follow)
		status = follow(watch);
	return status;
}

static int
parse_number(const struct watch *watch, const char *option, const char *given,
    int64_t *number)
{
	if (parse_int(given, 0, INT_MAX, number) == 0)
		return -1;
	tool_error(watch->remote.options.verb,
	    "%s: expected a number, got '%s'", option, given);
	return TOOL_USAGE;
}

enum { SINCE = OPTIONS_OWN, NO_FOLLOW };

static int
take_option(int opt, char *value, void *arg)
{
	struct watch *watch = arg;

	switch (opt) {
	case 'f':
		watch->follow = true;
		return -1;
	case NO_FOLLOW:
		watch->follow = false;
		return -1;
	case 'n':
		return parse_number(watch, "--lines", value, &watch->lines);
	default:
		return parse_number(watch, "--since", value, &watch->since);
	}
}

int
events_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, SINCE },
		{ "no-follow", no_argument, NULL, NO_FOLLOW },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct watch watch = { .follow = true,
		.remote = {
		    .options = { .verb = "events", .help = events_help } } };
	json_t *params;
	int status;

	status = options_read(&watch.remote.options, argc, argv,
	    ":" OPTIONS_HOST_LETTERS, options, take_option, &watch);
	if (status != -1)
		return status;
	if (options_no_more("events", argv) != TOOL_OK)
		return TOOL_USAGE;
	status = remote_open(&watch.remote);
	if (status != TOOL_OK)
		return status;
	params = json_pack("{s:I}", "since", (json_int_t)watch.since);
	status = show(&watch, params, NULL);
	remote_close(&watch.remote);
	return status;
}

int
logs_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ "lines", required_argument, NULL, 'n' },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct watch watch = { .lines = 20,
		.remote = {
		    .options = { .verb = "logs", .help = logs_help } } };
	json_t *keys, *params;
	const char *whom;
	int status;

	status = options_read(&watch.remote.options, argc, argv,
	    ":fn:" OPTIONS_HOST_LETTERS, options, take_option, &watch);
	if (status != -1)
		return status;
	if (optind == argc) {
		tool_error("logs", "expected a KEY");
		return TOOL_USAGE;
	}
	status = remote_open(&watch.remote);
	if (status != TOOL_OK)
		return status;
	keys = json_array();
	whom = argc - optind == 1 ? argv[optind] : NULL;
	for (; optind < argc; optind++)
		json_add(&keys, json_text(argv[optind]));
	params = json_pack("{s:o, s:I}", "keys", keys, "lines",
	    (json_int_t)watch.lines);
	status = show(&watch, params, whom);
	remote_close(&watch.remote);
	return status;
}
