/* SPDX-License-Identifier: ISC */
/*
 * The latch: when the leader of a group dies, its processes are swept and
 * its key refuses to start, every time, until somebody resets it.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>

#include <event2/event.h>
#include <grouper.h>

static struct grouper_host *host;

static void
must(enum grouper_error error, const char *what)
{
	if (error != GROUPER_OK)
		errx(1, "%s: %s", what, grouper_strerror(error));
}

static void
on_event(struct grouper_host *from, const struct grouper_event *event,
    void *arg)
{
	(void)from;
	(void)arg;
	if (event->type == GROUPER_EVENT_LEADER_DIED)
		printf("event: the leader died\n");
	else if (event->type == GROUPER_EVENT_EMPTY)
		printf("event: empty\n");
}

static enum grouper_error
start(void)
{
	char name[] = "sleep", time[] = "300";
	char *argv[] = { name, time, NULL };
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	enum grouper_error error;

	options.argv = argv;
	error = grouper_start(host, &options, on_event, NULL);
	printf("start: %s\n", grouper_strerror(error));
	return error;
}

int
main(void)
{
	struct event_base *base = event_base_new();
	struct grouper_processes list;

	must(grouper_host_new(base, NULL, &host), "host");
	must(start(), "start");
	while (grouper_state(host, NULL) == GROUPER_STATE_STARTING)
		event_base_loop(base, EVLOOP_ONCE);

	/* The parent of the first member. */
	must(grouper_members(host, NULL, &list), "members");
	kill(list.items[0].ppid, SIGKILL);
	grouper_processes_free(&list);

	printf("wait: %s\n", grouper_strerror(grouper_wait(host, NULL, -1)));
	start();
	start();
	printf("reset: %s\n", grouper_strerror(grouper_reset(host, NULL)));
	must(start(), "start");

	must(grouper_stop(host, NULL, NULL), "stop");
	must(grouper_wait(host, NULL, -1), "wait");
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
