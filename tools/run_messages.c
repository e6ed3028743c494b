/* SPDX-License-Identifier: ISC */
/*
 * Messages of a run, see run_messages.h.
 */
#include "tools/run_messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus/bus.h"
#include "runtime/util/fd.h"
#include "tools/tool.h"

/* Whether the command inherits a descriptor of this number. */
static bool
is_taken(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags != -1 && (flags & FD_CLOEXEC) == 0;
}

/* The usual numbers, or the next two that the caller has not used. */
static void
choose_numbers(struct run_messages *messages)
{
	int down = BUS_EVENTS_FD;

	while (is_taken(down) || is_taken(down + 1))
		down++;
	messages->down.target = down;
	messages->up.target = down + 1;
}

static int
name_number(struct environment *env, const char *name, int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	return environment_set(env, name, fd != -1 ? text : NULL);
}

static enum grouper_error
join(struct run_messages *messages, struct grouper_host *host,
    const struct run_options *options)
{
	struct bus *bus = bus_of(host);
	struct bus_member_options member = {
		.key = options->key,
		.topics = options->topics,
		.messages = options->messages,
		.reactions = options->reactions,
		.nreactions = options->nreactions,
	};
	enum grouper_error error;

	if (bus == NULL)
		return GROUPER_SYSTEM;
	error = bus_join(bus, &member, &messages->down.source,
	    &messages->up.source);
	if (error == GROUPER_OK && messages->down.source != -1)
		choose_numbers(messages);
	return error;
}

int
run_messages_read(struct run_messages *messages,
    const struct run_options *options)
{
	if (options->config.count == 0)
		return 0; /* a short command has no time for an object */
	messages->settings = given_read(&options->config, "run");
	return messages->settings == NULL ? -1 : 0;
}

int
run_messages_open(struct run_messages *messages, struct grouper_host *host,
    const struct run_options *options, struct environment *env)
{
	bool wanted = options->ntopics > 0 || options->messages ||
	    options->nreactions > 0;
	enum grouper_error error;

	if (messages->settings != NULL &&
	    given_put(messages->settings, host, "run") == -1)
		return -1;
	error = wanted ? join(messages, host, options) : GROUPER_OK;
	if (error != GROUPER_OK) {
		tool_error("run", "messages: %s",
		    error == GROUPER_SYSTEM ? strerror(errno) :
					      grouper_strerror(error));
		return -1;
	}
	if (name_number(env, "GROUPER_EVENTS_FD", messages->down.target) == 0 &&
	    name_number(env, "GROUPER_COMMANDS_FD", messages->up.target) == 0)
		return 0;
	tool_error("run", "environment: %s", strerror(errno));
	return -1;
}

void
run_messages_close(struct run_messages *messages)
{
	fd_close(&messages->down.source);
	fd_close(&messages->up.source);
	json_decref(messages->settings);
	messages->settings = NULL;
}
