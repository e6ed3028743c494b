/* SPDX-License-Identifier: ISC */
/*
 * Which group am I in?  Asked here, and then by a function that runs as a
 * group under this program: the answer comes from the host, over the socket
 * of its name, and does not depend on the environment.
 */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include <event2/event.h>
#include <grouper.h>

static int
tell(void *arg, int out)
{
	struct grouper_ident ident = GROUPER_IDENT_INIT;
	enum grouper_error error = grouper_identify(0, &ident);

	(void)arg;
	if (error == GROUPER_OK)
		dprintf(out, "kind %s, host '%s', key '%s'\n",
		    grouper_kind_name(ident.kind), ident.host, ident.key);
	else
		dprintf(out, "unknown: %s\n", grouper_strerror(error));
	return 0;
}

static void
on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	(void)host;
	(void)arg;
	if (event->type == GROUPER_EVENT_EMPTY)
		printf("inside: %.*s", (int)event->result_length,
		    (const char *)event->result);
}

int
main(void)
{
	struct grouper_host_options named = GROUPER_HOST_OPTIONS_INIT;
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	enum grouper_error error;
	char name[32];

	printf("outside: ");
	fflush(stdout);
	tell(NULL, STDOUT_FILENO);

	/* Nobody else will use this name. */
	snprintf(name, sizeof(name), "example-%d", (int)getpid());
	named.name = name;
	named.flags = GROUPER_HOST_TRANSIENT;
	error = grouper_host_new(base, &named, &host);
	if (error != GROUPER_OK)
		err(1, "host: %s", grouper_strerror(error));
	options.key = "pool/asker:1";
	options.flags = GROUPER_WORKER;
	error = grouper_exec(host, &options, tell, NULL, on_event, NULL);
	if (error == GROUPER_OK)
		error = grouper_wait(host, options.key, 60000);
	if (error != GROUPER_OK)
		errx(1, "exec: %s", grouper_strerror(error));
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
