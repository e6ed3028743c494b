/* SPDX-License-Identifier: ISC */
/*
 * grouper topics: the topic groups of a host.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper topics create GROUP\n"
    "       grouper topics delete GROUP\n"
    "       grouper topics add GROUP TOPIC...\n"
    "       grouper topics remove GROUP TOPIC...\n"
    "       grouper topics show GROUP\n"
    "       grouper topics list\n"
    "\n"
    "Makes named sets of topics, which one broadcast reaches, changes them\n"
    "and prints them: the topics of a group, or all groups, one a line.\n"
    "\n" OPTIONS_HOST_HELP "      --json           print the answers as JSON\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such host or group, or such a group is\n"
    "there to create; 2 for bad usage.  See grouper-topics(1).\n";

static const struct action {
	const char *name;
	const char *method;
	bool group;	    /* takes one */
	bool topics;	    /* and topics, one at least */
	const char *prints; /* a list of its answer; NULL: none */
} actions[] = {
	{ "create", "topics.create", true, false, NULL },
	{ "delete", "topics.delete", true, false, NULL },
	{ "add", "topics.add", true, true, NULL },
	{ "remove", "topics.remove", true, true, NULL },
	{ "show", "topics.show", true, false, "topics" },
	{ "list", "topics.list", false, false, "groups" },
};
#define NACTIONS (sizeof(actions) / sizeof(actions[0]))

static int
print_answer(const struct remote *remote, const struct action *action,
    json_t *result)
{
	const json_t *name;
	int printed = 0;
	size_t i;

	if (remote->options.json)
		return json_print(STDOUT_FILENO, result);
	if (action->prints != NULL)
		json_array_foreach(json_object_get(result, action->prints), i,
		    name)
			if (printed == 0)
				printed = tool_line(STDOUT_FILENO, false, "%s",
				    json_string_value(name));
	json_decref(result);
	return printed;
}

static int
ask(struct remote *remote, const struct action *action, const char *group,
    const char *topic)
{
	json_t *params = json_object(), *result;
	int status;

	if (group != NULL)
		json_put(&params, "group", json_text(group));
	if (topic != NULL)
		json_put(&params, "topic", json_text(topic));
	status = remote_call(remote, action->method, params, NULL, &result);
	if (status != TOOL_OK)
		return status;
	if (print_answer(remote, action, result) == 0)
		return TOOL_OK;
	tool_error("topics", "cannot print the answer");
	return TOOL_NO;
}

static int
act(struct remote *remote, const struct action *action, const char *group,
    char **topics)
{
	int status;

	status = remote_open(remote);
	if (status != TOOL_OK)
		return status;
	if (!action->topics)
		status = ask(remote, action, group, NULL);
	for (; *topics != NULL && status == TOOL_OK; topics++)
		status = ask(remote, action, group, *topics);
	remote_close(remote);
	return status;
}

int
topics_main(int argc, char **argv)
{
	static const struct option table[] = { OPTIONS_HOST, OPTIONS_JSON,
		OPTIONS_END };
	struct remote remote = { .options = { .verb = "topics",
				     .help = help } };
	const struct action *action;
	const char *group = NULL;
	int status, topics;

	status = options_read(&remote.options, argc, argv,
	    ":" OPTIONS_HOST_LETTERS, table, NULL, NULL);
	if (status != -1)
		return status;
	action = options_action("topics", argv, actions, sizeof(actions[0]),
	    NACTIONS);
	if (action == NULL)
		return TOOL_USAGE;
	if (action->group) {
		group = options_word("topics", argv, WORD_GROUP, "a GROUP");
		if (group == NULL)
			return TOOL_USAGE;
	}
	topics = optind;
	if (action->topics)
		do
			if (options_word("topics", argv, WORD_TOPIC,
				"a TOPIC") == NULL)
				return TOOL_USAGE;
		while (argv[optind] != NULL);
	if (options_no_more("topics", argv) != TOOL_OK)
		return TOOL_USAGE;
	return act(&remote, action, group, argv + topics);
}
