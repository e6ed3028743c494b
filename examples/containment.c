/* SPDX-License-Identifier: ISC */
/*
 * Asks which levels of containment can be had here, and why others cannot,
 * then runs a command at the strongest.
 */
#include <sys/wait.h>

#include <err.h>
#include <stdio.h>

#include <event2/event.h>
#include <grouper.h>

static enum grouper_containment
strongest(void)
{
	/* From the weakest to the strongest. */
	static const enum grouper_containment levels[] = {
		GROUPER_CONTAIN_REAPER,
		GROUPER_CONTAIN_CGROUP,
		GROUPER_CONTAIN_PIDNS,
	};
	enum grouper_containment best = GROUPER_CONTAIN_REAPER;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (grouper_containment_probe(levels[i], &why) == 0) {
			printf("%s: yes\n",
			    grouper_containment_name(levels[i]));
			best = levels[i];
		} else {
			printf("%s: no, %s\n",
			    grouper_containment_name(levels[i]), why);
		}
	return best;
}

static void
on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	(void)arg;
	if (event->type == GROUPER_EVENT_STARTED)
		printf("started at level %s\n",
		    grouper_containment_name(grouper_contained(host,
			event->key)));
	else if (event->type == GROUPER_EVENT_START_FAILED)
		printf("failed at %s\n", grouper_stage_name(event->stage));
	else if (event->type == GROUPER_EVENT_EMPTY)
		printf("empty, exit status %d\n", WEXITSTATUS(event->status));
}

int
main(void)
{
	char sh[] = "sh", c[] = "-c";
	char text[] = "setsid sleep 300 & exit 7";
	char *argv[] = { sh, c, text, NULL };
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	enum grouper_error error;

	error = grouper_host_new(base, NULL, &host);
	options.argv = argv;
	options.contain = strongest();
	if (error == GROUPER_OK)
		error = grouper_start(host, &options, on_event, NULL);
	if (error == GROUPER_OK)
		error = grouper_wait(host, NULL, -1);
	if (error != GROUPER_OK)
		errx(1, "%s", grouper_strerror(error));
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
