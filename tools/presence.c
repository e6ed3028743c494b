/* SPDX-License-Identifier: ISC */
/*
 * grouper presence: who is subscribed to a topic.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper presence [OPTION...] TOPIC\n"
    "\n"
    "Prints how many groups are subscribed to a topic, and their keys, each\n"
    "on a line.\n"
    "\n"
    "  -f, --follow         go on with who joins and leaves: the word, the\n"
    "                       pattern and the key, with tabs between\n" OPTIONS_HOST_HELP
    "      --json           as JSON objects, one a line\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, also if there is nobody; 1 if there is no such host or\n"
    "it ends, 2 for bad usage.  See grouper-topics(1).\n";

struct presence {
	const char *topic;
	bool follow;
	struct remote remote;
};

static const char *
text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static int
fail_output(void)
{
	tool_error("presence", "standard output: %s", strerror(errno));
	return TOOL_NO;
}

/* Takes the answer over; 0, or -1 with errno. */
static int
print_members(const struct presence *presence, json_t *result)
{
	const json_t *key;
	int printed;
	size_t i;

	if (presence->remote.options.json)
		return json_print(STDOUT_FILENO, result);
	printed = tool_line(STDOUT_FILENO, false, "%lld",
	    (long long)json_integer_value(json_object_get(result, "count")));
	json_array_foreach(json_object_get(result, "members"), i, key)
		if (printed == 0)
			printed = tool_line(STDOUT_FILENO, false, "%s",
			    json_string_value(key));
	json_decref(result);
	return printed;
}

static int
print_now(struct presence *presence, struct remote *remote)
{
	json_t *result;
	int status;

	status = remote_call(remote, "presence",
	    json_pack("{s:o, s:b}", "topic", json_text(presence->topic),
		"counters", presence->remote.options.json),
	    NULL, &result);
	if (status == TOOL_OK && print_members(presence, result) != 0)
		status = fail_output();
	return status;
}

/* Takes the notification over; 0, or -1 with errno. */
static int
print_change(const struct presence *presence, json_t *change)
{
	const json_t *lost = json_object_get(change, "count");
	char line[1024];
	int length;

	if (presence->remote.options.json && lost == NULL)
		return json_print(STDOUT_FILENO, change);
	if (presence->remote.options.json)
		length = snprintf(line, sizeof(line), "{\"lost\":%lld}\n",
		    (long long)json_integer_value(lost));
	else if (lost != NULL)
		length = snprintf(line, sizeof(line), "lost\t%lld\n",
		    (long long)json_integer_value(lost));
	else
		length = snprintf(line, sizeof(line), "%s\t%s\t%s\n",
		    text_in(change, "presence"), text_in(change, "topic"),
		    text_in(change, "key"));
	json_decref(change);
	return tool_write(STDOUT_FILENO, line, (size_t)length);
}

/*
 * What changes is streamed from before the first look on, so that none is
 * missed; whoever joins between the two is told twice.
 */
static int
follow(struct presence *presence)
{
	struct remote *remote = &presence->remote;
	struct remote second = { .options = remote->options };
	enum grouper_error error;
	json_t *object;
	int status;

	status = remote_call(remote, "subscribe",
	    json_pack("{s:[o], s:b, s:b}", "patterns",
		json_text(presence->topic), "presence", true, "events", false),
	    NULL, &object);
	if (status != TOOL_OK)
		return status;
	json_decref(object);
	status = remote_open(&second);
	if (status == TOOL_OK)
		status = print_now(presence, &second);
	remote_close(&second);
	while (status == TOOL_OK) {
		error = client_next(remote->client, -1, &object);
		if (error == GROUPER_SYSTEM && errno == ECONNRESET) {
			tool_error("presence", "the host has ended");
			return TOOL_NO;
		}
		if (error != GROUPER_OK)
			return remote_fail(remote, error, NULL);
		if (print_change(presence, object) != 0)
			status = fail_output();
	}
	return status;
}

static int
take_option(int opt, char *value, void *arg)
{
	struct presence *presence = arg;

	(void)opt;
	(void)value;
	presence->follow = true;
	return -1;
}

int
presence_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "follow", no_argument, NULL, 'f' },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct presence presence = {
		.remote = { .options = { .verb = "presence", .help = help } },
	};
	int status;

	status = options_read(&presence.remote.options, argc, argv,
	    ":f" OPTIONS_HOST_LETTERS, table, take_option, &presence);
	if (status != -1)
		return status;
	presence.topic = options_word("presence", argv, WORD_TOPIC, "a TOPIC");
	if (presence.topic == NULL ||
	    options_no_more("presence", argv) != TOOL_OK)
		return TOOL_USAGE;
	status = remote_open(&presence.remote);
	if (status != TOOL_OK)
		return status;
	if (presence.follow)
		status = follow(&presence);
	else
		status = print_now(&presence, &presence.remote);
	remote_close(&presence.remote);
	return status;
}
