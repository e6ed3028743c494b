/* SPDX-License-Identifier: ISC */
/*
 * A supervisor tree in a program: two children that start in order, of which
 * one fails again and again and is started each time, a third that is added
 * while the tree runs, and a stop in reverse order that leaves nothing.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <grouper.h>

static struct event_base *base;

static void
must(enum grouper_error error, const char *what)
{
	if (error != GROUPER_OK)
		errx(1, "%s: %s", what, grouper_strerror(error));
}

/* Comes last, and so is stopped first. */
static void
add_visitor(struct grouper_supervisor *supervisor)
{
	char name[] = "sleep", time[] = "300";
	char *argv[] = { name, time, NULL };
	struct grouper_child visitor = GROUPER_CHILD_INIT;

	visitor.id = "visitor";
	visitor.argv = argv;
	visitor.restart = GROUPER_TEMPORARY;
	must(grouper_child_add(supervisor, NULL, &visitor), "add");
}

static void
on_event(struct grouper_supervisor *supervisor,
    const struct grouper_child_event *event, void *arg)
{
	int *starts = arg;

	switch (event->type) {
	case GROUPER_CHILD_STARTED:
		printf("%s: started\n", event->key);
		if (strcmp(event->key, "worker") == 0 && ++*starts == 2)
			add_visitor(supervisor);
		if (strcmp(event->key, "visitor") == 0)
			must(grouper_supervisor_stop(supervisor, 0), "stop");
		break;
	case GROUPER_CHILD_RESTART:
		printf("%s: is restarted\n", event->key);
		break;
	case GROUPER_CHILD_STOPPING:
		printf("%s: is stopped\n", event->key);
		break;
	case GROUPER_TREE_OVER:
		printf("over with status %d\n", event->status);
		event_base_loopbreak(base);
		break;
	default:
		break;
	}
}

int
main(void)
{
	struct grouper_supervisor_options options =
	    GROUPER_SUPERVISOR_OPTIONS_INIT;
	struct grouper_child children[2] = { GROUPER_CHILD_INIT,
		GROUPER_CHILD_INIT };
	char sleep_name[] = "sleep", time[] = "300";
	char *store[] = { sleep_name, time, NULL };
	char sh[] = "sh", c[] = "-c", text[] = "kill -9 $$";
	char *worker[] = { sh, c, text, NULL };
	struct grouper_supervisor *supervisor;
	struct grouper_host *host;
	int starts = 0;

	base = event_base_new();
	must(grouper_host_new(base, NULL, &host), "host");
	children[0].id = "store";
	children[0].argv = store;
	children[0].shutdown = "TERM 5s, KILL";
	children[1].id = "worker";
	children[1].argv = worker;
	children[1].backoff_min_ms = 10;
	options.intensity = 100;
	options.children = children;
	options.nchildren = 2;
	must(grouper_supervisor_new(host, &options, on_event, &starts,
		 &supervisor),
	    "supervisor");
	must(grouper_supervisor_start(supervisor), "start");
	event_base_dispatch(base);
	must(grouper_supervisor_free(supervisor), "free");
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
