/* SPDX-License-Identifier: ISC */
/*
 * A group's events drive the program: each one is printed and answered by
 * the next signal, stop, continue, terminate.  Nothing here waits; the event
 * base ends when the host has nothing to do any more.
 */
#include <sys/wait.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <grouper.h>

static void
answer(struct grouper_host *host, const char *key, int signum)
{
	enum grouper_error error = grouper_signal(host, key, signum);

	printf("signal %s: %s\n", strsignal(signum), grouper_strerror(error));
}

static void
on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	(void)arg;
	switch (event->type) {
	case GROUPER_EVENT_STARTED:
		printf("started\n");
		answer(host, event->key, SIGSTOP);
		break;
	case GROUPER_EVENT_START_FAILED:
		printf("failed at the step: %s\n",
		    grouper_stage_name(event->stage));
		break;
	case GROUPER_EVENT_PAUSED:
		printf("paused by: %s\n", strsignal(event->status));
		answer(host, event->key, SIGCONT);
		break;
	case GROUPER_EVENT_CONTINUED:
		printf("continued\n");
		answer(host, event->key, SIGTERM);
		break;
	case GROUPER_EVENT_ENDED:
		if (WIFSIGNALED(event->status))
			printf("ended by: %s\n",
			    strsignal(WTERMSIG(event->status)));
		break;
	case GROUPER_EVENT_EMPTY:
		printf("empty\n");
		break;
	case GROUPER_EVENT_LEFTOVERS:
	case GROUPER_EVENT_UNKILLABLE:
	case GROUPER_EVENT_LEADER_DIED:
	case GROUPER_EVENT_AWAITING:
	case GROUPER_EVENT_ADOPTED:
		break;
	}
}

int
main(void)
{
	char name[] = "sleep", time[] = "300";
	char *argv[] = { name, time, NULL };
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	enum grouper_error error;

	error = grouper_host_new(base, NULL, &host);
	options.argv = argv;
	if (error == GROUPER_OK)
		error = grouper_start(host, &options, on_event, NULL);
	if (error != GROUPER_OK)
		errx(1, "start: %s", grouper_strerror(error));
	event_base_dispatch(base);
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
