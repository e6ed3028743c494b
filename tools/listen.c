/* SPDX-License-Identifier: ISC */
/*
 * grouper listen: the events of topics, as they come.
 */
#include "tools/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/clock.h"
#include "runtime/util/parse.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper listen [OPTION...] PATTERN...\n"
    "\n"
    "Prints the events of topics, one a line: number, topic, event, the\n"
    "sender's key and the payload, with tabs between; lost events as lost and\n"
    "their number.  A pattern is a topic, or a prefix with * behind it.\n"
    "\n"
    "Inside a group that has pipes it reads these, and prints all that the\n"
    "group is subscribed to.\n"
    "\n"
    "  -n, --count N        end after N events\n"
    "      --timeout TIME   end after this time, with 124\n"
    "      --presence       print who joins and who leaves, too\n"
    "      --exec COMMAND   run this by sh for each event instead, with its\n"
    "                       payload as standard input and GROUPER_SEQ,\n"
    "                       GROUPER_TOPIC, GROUPER_EVENT and GROUPER_FROM in\n"
    "                       the environment\n"
    "      --exit           end with the status of a command that failed\n"
    "      --ready-fd N     write a newline to this descriptor when the\n"
    "                       subscriptions hold\n"
    "      --member         read the pipe of the group, which the host makes\n"
    "                       if need be\n" OPTIONS_HOST_HELP
    "      --json           as JSON objects, one a line\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 after N events; 1 if there is no such host or it ends, 2\n"
    "for bad usage, 124 when the time is over.  See grouper-topics(1).\n";

struct listening {
	struct listen_source source;
	int64_t count;	    /* -1: no end */
	int64_t timeout_ms; /* -1: none */
	int64_t ready_fd;   /* -1: none */
	const char *command;
	bool exits; /* if the command fails */
};

static int
tell_ready(struct listening *listening)
{
	int fd = (int)listening->ready_fd;

	if (fd == -1)
		return LISTEN_ON;
	listening->ready_fd = -1;
	if (tool_write(fd, "\n", 1) == -1) {
		tool_error("listen", "--ready-fd: %s", strerror(errno));
		return TOOL_NO;
	}
	/* Whoever waits for its end must not wait for commands. */
	if (fd > STDERR_FILENO)
		close(fd);
	return LISTEN_ON;
}

static int
take_event(struct listening *listening, const struct heard *heard)
{
	int status;

	if (listening->command == NULL)
		status = listen_print(heard,
		    listening->source.remote.options.json);
	else
		status = listen_execute(listening->command, heard);
	if (listening->command != NULL && !listening->exits)
		status = LISTEN_ON;
	if (status == LISTEN_ON && listening->count > 0 &&
	    --listening->count == 0)
		status = TOOL_OK;
	return status;
}

static int
take(struct listening *listening, const struct heard *heard)
{
	switch (heard->kind) {
	case HEARD_READY:
		return tell_ready(listening);
	case HEARD_EVENT:
		return take_event(listening, heard);
	case HEARD_LOST:
	case HEARD_JOIN:
	case HEARD_LEAVE:
		break;
	}
	if (listening->command == NULL)
		return listen_print(heard,
		    listening->source.remote.options.json);
	if (heard->kind == HEARD_LOST)
		tool_error("listen", "%" PRIu64 " events were lost",
		    heard->lost);
	return LISTEN_ON;
}

static int
follow(struct listening *listening)
{
	struct heard heard = { .kind = HEARD_READY };
	int64_t deadline = clock_deadline(listening->timeout_ms);
	int status;

	status = listen_source_open(&listening->source);
	while (status == LISTEN_ON) {
		status = listen_source_next(&listening->source, deadline,
		    &heard);
		if (status == LISTEN_ON)
			status = take(listening, &heard);
	}
	listen_source_close(&listening->source);
	return status;
}

enum { COUNT = 'n', TIMEOUT = OPTIONS_OWN, PRESENCE, EXEC, EXIT, READY, OWN };

static int
take_number(const char *option, const char *value, int64_t min, int64_t *number)
{
	if (parse_int(value, min, INT_MAX, number) == 0)
		return -1;
	tool_error("listen", "%s: expected a number from %" PRId64 ", got '%s'",
	    option, min, value);
	return TOOL_USAGE;
}

static int
take_ready_fd(struct listening *listening, const char *value)
{
	int status;

	status = take_number("--ready-fd", value, 0, &listening->ready_fd);
	if (status == -1 && fcntl((int)listening->ready_fd, F_GETFD) == -1) {
		tool_error("listen", "--ready-fd: no descriptor %s is open",
		    value);
		status = TOOL_USAGE;
	}
	return status;
}

static int
take_option(int opt, char *value, void *arg)
{
	struct listening *listening = arg;

	switch (opt) {
	case COUNT:
		return take_number("--count", value, 1, &listening->count);
	case TIMEOUT:
		if (parse_time(value, &listening->timeout_ms) == 0)
			return -1;
		tool_error("listen",
		    "--timeout: expected a time such as 30s, got '%s'", value);
		return TOOL_USAGE;
	case READY:
		return take_ready_fd(listening, value);
	case EXEC:
		listening->command = value;
		return -1;
	case EXIT:
		listening->exits = true;
		return -1;
	case OWN:
		listening->source.own = true;
		return -1;
	default:
		listening->source.presence = true;
		return -1;
	}
}

static int
check(const struct listening *listening)
{
	const struct listen_source *source = &listening->source;
	const struct options *options = &source->remote.options;

	if (listening->exits && listening->command == NULL)
		tool_error("listen", "--exit: expected --exec with it");
	else if (listening->command != NULL && options->json)
		tool_error("listen", "--exec and --json exclude each other");
	else if (listening->command != NULL && source->presence)
		tool_error("listen",
		    "--exec and --presence exclude each other");
	else if (source->own && source->presence)
		tool_error("listen",
		    "--member and --presence exclude each other");
	else if (source->own &&
	    (options->socket != NULL || options->host != NULL))
		tool_error("listen",
		    "--member and another host exclude each other");
	else
		return TOOL_OK;
	return TOOL_USAGE;
}

int
listen_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "count", required_argument, NULL, COUNT },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "presence", no_argument, NULL, PRESENCE },
		{ "exec", required_argument, NULL, EXEC },
		{ "exit", no_argument, NULL, EXIT },
		{ "ready-fd", required_argument, NULL, READY },
		{ "member", no_argument, NULL, OWN },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct listening listening = {
		.source = { .remote = { .options = { .verb = "listen",
					    .help = help } } },
		.count = -1,
		.timeout_ms = -1,
		.ready_fd = -1,
	};
	int status;

	status = options_read(&listening.source.remote.options, argc, argv,
	    ":n:" OPTIONS_HOST_LETTERS, table, take_option, &listening);
	if (status != -1)
		return status;
	if (check(&listening) != TOOL_OK)
		return TOOL_USAGE;
	listening.source.patterns = argv + optind;
	while (argv[optind] != NULL)
		if (options_word("listen", argv, WORD_PATTERN, "a PATTERN") ==
		    NULL)
			return TOOL_USAGE;
	return follow(&listening);
}
