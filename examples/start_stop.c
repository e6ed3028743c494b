/* SPDX-License-Identifier: ISC */
/*
 * Starts a shell with two processes in the background, one of which fled
 * into a session of its own, and stops all three.  The last event comes when
 * the kernel has shown that none is left.
 */
#include <err.h>
#include <stdio.h>

#include <event2/event.h>
#include <grouper.h>

static void
must(enum grouper_error error, const char *what)
{
	if (error != GROUPER_OK)
		errx(1, "%s: %s", what, grouper_strerror(error));
}

static void
on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	(void)host;
	(void)arg;
	switch (event->type) {
	case GROUPER_EVENT_STARTED:
		printf("%s: runs as pid %d\n", event->key, (int)event->pid);
		break;
	case GROUPER_EVENT_EMPTY:
		printf("%s: empty, %llu processes ended in %.1f s\n",
		    event->key, (unsigned long long)event->usage.processes,
		    (double)event->usage.wall_us / 1e6);
		break;
	default:
		break;
	}
}

int
main(void)
{
	char sh[] = "sh", c[] = "-c";
	char text[] = "sleep 300 & setsid sleep 300 & wait";
	char *argv[] = { sh, c, text, NULL };
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;

	must(grouper_host_new(base, NULL, &host), "host");
	options.key = "sleepers";
	options.argv = argv;
	options.shutdown = "TERM 5s, KILL";
	must(grouper_start(host, &options, on_event, NULL), "start");

	/* A program with a loop of its own dispatches its base instead. */
	if (grouper_wait(host, "sleepers", 300) != GROUPER_TIMED_OUT)
		errx(1, "it ended by itself");
	printf("%s: %s\n", options.key,
	    grouper_state_name(grouper_state(host, "sleepers")));

	must(grouper_stop(host, "sleepers", NULL), "stop");
	must(grouper_wait(host, "sleepers", -1), "wait");
	printf("%s: %s\n", options.key,
	    grouper_state_name(grouper_state(host, "sleepers")));

	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
