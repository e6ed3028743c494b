/* SPDX-License-Identifier: ISC */
/*
 * Lists every process of a group, wherever in the tree, in whichever session
 * or process group it went.
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
print(const struct grouper_processes *list)
{
	const struct grouper_process *p;
	size_t i;

	printf("%7s %7s %7s %7s %5s %7s %8s  %s\n", "PID", "PPID", "PGID",
	    "SID", "STATE", "AGE ms", "MEMORY K", "COMMAND");
	for (i = 0; i < list->count; i++) {
		p = &list->items[i];
		printf("%7d %7d %7d %7d %5c %7lld %8llu  %*s%s\n", (int)p->pid,
		    (int)p->ppid, (int)p->pgid, (int)p->sid, p->state,
		    (long long)p->age_ms, (unsigned long long)p->memory / 1024,
		    2 * ((int)p->depth - 1), "", p->command);
	}
	printf("%zu processes%s\n", list->count,
	    list->complete ? "" : ", and perhaps more");
}

int
main(void)
{
	char sh[] = "sh", c[] = "-c";
	char text[] = "sleep 301 & setsid sleep 302 & "
		      "sh -c 'sleep 303 & wait' & wait";
	char *argv[] = { sh, c, text, NULL };
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_processes list;
	struct grouper_host *host;

	must(grouper_host_new(base, NULL, &host), "host");
	options.argv = argv;
	must(grouper_start(host, &options, NULL, NULL), "start");

	/* Until all five are there; a list is a snapshot. */
	for (;;) {
		grouper_wait(host, NULL, 10);
		must(grouper_members(host, NULL, &list), "members");
		if (list.count >= 5)
			break;
		grouper_processes_free(&list);
	}
	print(&list);
	grouper_processes_free(&list);

	must(grouper_stop(host, NULL, NULL), "stop");
	must(grouper_wait(host, NULL, -1), "wait");
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
