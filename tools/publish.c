/* SPDX-License-Identifier: ISC */
/*
 * grouper broadcast, publish and send: events to a topic group, to a topic,
 * and to whoever has a name.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/message.h>

#include "runtime/control/payload.h"
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

#define PAYLOAD_HELP \
	"      --stdin          take the payload from standard input, as the\n" \
	"                       payload - does\n"
#define REACHED_HELP \
	"  -v, --verbose        print how many members were reached\n" PAYLOAD_HELP \
	    OPTIONS_HOST_HELP \
	"      --json           print the counts as JSON\n" \
	"  -h, --help           this text\n" \
	"\n"

enum { OTHERS = OPTIONS_OWN, REQUIRE, STDIN };

/* Each takes options from its own on; see publish_main(). */
static const struct way {
	const char *verb; /* and its method */
	int option;	  /* of its own; 0: none */
	enum word_kind kind;
	const char *param; /* for the word */
	const char *title; /* of the word */
	const char *help;
} ways[] = {
	{ "broadcast", REQUIRE, WORD_GROUP, "group", "a GROUP",
	    "Usage: grouper broadcast [OPTION...] GROUP EVENT [PAYLOAD]\n"
	    "\n"
	    "Publishes an event to each topic of a topic group, in byte order\n"
	    "and with nothing in between.\n"
	    "\n"
	    "      --require        fail if the group is unknown or nobody was\n"
	    "                       reached\n" REACHED_HELP
	    "Exit status: 0, also if nobody was reached; 1 if there is no such\n"
	    "host, or as --require says; 2 for bad usage.  See "
	    "grouper-topics(1).\n" },
	{ "publish", OTHERS, WORD_TOPIC, "topic", "a TOPIC",
	    "Usage: grouper publish [OPTION...] TOPIC EVENT [PAYLOAD]\n"
	    "\n"
	    "Publishes an event to all who are subscribed to a topic.\n"
	    "\n"
	    "      --others         but not to the caller's own "
	    "group\n" REACHED_HELP
	    "Exit status: 0, also if nobody was reached; 1 if there is no such\n"
	    "host; 2 for bad usage.  See grouper-topics(1).\n" },
	{ "send", 0, WORD_NAME, "name", "a NAME",
	    "Usage: grouper send [OPTION...] NAME EVENT [PAYLOAD]\n"
	    "\n"
	    "Sends an event to the group of the process that has registered a\n"
	    "name, whatever that is subscribed to.\n"
	    "\n" PAYLOAD_HELP OPTIONS_HOST_HELP
	    "      --json           print the answer as JSON\n"
	    "  -h, --help           this text\n"
	    "\n"
	    "Exit status: 0; 1 if nobody has the name or reads events, or there\n"
	    "is no such host; 2 for bad usage.  See grouper-names(1).\n" },
};
#define NWAYS (sizeof(ways) / sizeof(ways[0]))

struct publishing {
	const struct way *way;
	const char *word;
	const char *event;
	const char *payload; /* NULL: none, or from standard input */
	bool from_stdin;
	bool special; /* --others or --require */
	bool verbose;
	struct remote remote;
};

static const struct way *
find_way(const char *verb)
{
	size_t i;

	for (i = 0; i < NWAYS; i++)
		if (strcmp(ways[i].verb, verb) == 0)
			return &ways[i];
	BUG();
}

/* Standard input to its end; NULL, and it is said. */
static char *
read_stdin(const char *verb, size_t *length)
{
	char *payload = fd_read_all(STDIN_FILENO, GROUPER_PAYLOAD_MAX, length);

	if (payload == NULL && errno == EFBIG)
		tool_error(verb,
		    "standard input: expected a payload of 1 MiB at most");
	else if (payload == NULL)
		tool_error(verb, "standard input: %s", strerror(errno));
	return payload;
}

static void
put_words(const struct publishing *publishing, json_t **params)
{
	const struct way *way = publishing->way;
	const char *option = NULL;

	if (way->option == OTHERS)
		option = "others";
	else if (way->option == REQUIRE)
		option = "require";
	json_put(params, way->param, json_text(publishing->word));
	json_put(params, "event", json_text(publishing->event));
	if (option != NULL)
		json_put(params, option, json_boolean(publishing->special));
}

/* NULL, and it is said. */
static json_t *
params_of(const struct publishing *publishing)
{
	const char *payload = publishing->payload;
	size_t length = payload != NULL ? strlen(payload) : 0;
	json_t *params = NULL;
	char *read = NULL;

	if (publishing->from_stdin) {
		read = read_stdin(publishing->way->verb, &length);
		if (read == NULL)
			return NULL;
		payload = read;
	}
	params = json_object();
	put_words(publishing, &params);
	if (params == NULL ||
	    payload_put(params, payload != NULL ? payload : "", length) == -1) {
		tool_error(publishing->way->verb, "%s", strerror(ENOMEM));
		json_decref(params);
		params = NULL;
	}
	free(read);
	return params;
}

static int
print_answer(const struct publishing *publishing, json_t *result)
{
	json_int_t members = json_integer_value(json_object_get(result,
	    "members"));
	int printed = 0;

	if (publishing->remote.options.json)
		return json_print(STDOUT_FILENO, result);
	if (publishing->verbose &&
	    json_is_false(json_object_get(result, "known")))
		printed = tool_line(STDOUT_FILENO, false,
		    "no such topic group: reached nobody");
	else if (publishing->verbose)
		printed = tool_line(STDOUT_FILENO, false,
		    "reached %lld member%s", (long long)members,
		    members == 1 ? "" : "s");
	json_decref(result);
	return printed;
}

static int
publish(struct publishing *publishing)
{
	struct remote *remote = &publishing->remote;
	json_t *params, *result;
	int status;

	params = params_of(publishing);
	if (params == NULL)
		return TOOL_NO;
	status = remote_open(remote);
	if (status != TOOL_OK) {
		json_decref(params);
		return status;
	}
	status = remote_call(remote, publishing->way->verb, params,
	    publishing->word, &result);
	if (status == TOOL_OK && print_answer(publishing, result) != 0) {
		tool_error(publishing->way->verb, "cannot print the answer");
		status = TOOL_NO;
	}
	remote_close(remote);
	return status;
}

static int
take_option(int opt, char *value, void *arg)
{
	struct publishing *publishing = arg;

	(void)value;
	if (opt == STDIN)
		publishing->from_stdin = true;
	else if (opt == 'v')
		publishing->verbose = true;
	else
		publishing->special = true;
	return -1;
}

static int
take_arguments(struct publishing *publishing, char **argv)
{
	const struct way *way = publishing->way;

	publishing->word = options_word(way->verb, argv, way->kind, way->title);
	if (publishing->word == NULL)
		return TOOL_USAGE;
	publishing->event = options_word(way->verb, argv, WORD_EVENT,
	    "an EVENT");
	if (publishing->event == NULL)
		return TOOL_USAGE;
	if (argv[optind] != NULL && strcmp(argv[optind], "-") == 0) {
		publishing->from_stdin = true;
		optind++;
	} else if (!publishing->from_stdin && argv[optind] != NULL) {
		publishing->payload = argv[optind++];
	}
	return options_no_more(way->verb, argv);
}

static int
publish_by(const struct way *way, const struct option *table,
    const char *letters, int argc, char **argv)
{
	struct publishing publishing = { .way = way,
		.remote = {
		    .options = { .verb = way->verb, .help = way->help } } };
	int status;

	status = options_read(&publishing.remote.options, argc, argv, letters,
	    table, take_option, &publishing);
	if (status != -1)
		return status;
	if (take_arguments(&publishing, argv) != TOOL_OK)
		return TOOL_USAGE;
	return publish(&publishing);
}

int
broadcast_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "require", no_argument, NULL, REQUIRE },
		{ "stdin", no_argument, NULL, STDIN },
		{ "verbose", no_argument, NULL, 'v' },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};

	return publish_by(find_way("broadcast"), table,
	    ":v" OPTIONS_HOST_LETTERS, argc, argv);
}

int
publish_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "others", no_argument, NULL, OTHERS },
		{ "stdin", no_argument, NULL, STDIN },
		{ "verbose", no_argument, NULL, 'v' },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};

	return publish_by(find_way("publish"), table, ":v" OPTIONS_HOST_LETTERS,
	    argc, argv);
}

int
send_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "stdin", no_argument, NULL, STDIN },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};

	return publish_by(find_way("send"), table, ":" OPTIONS_HOST_LETTERS,
	    argc, argv);
}
