/* SPDX-License-Identifier: ISC */
/*
 * Runs a function as a group of its own: it may crash, hang or leave
 * processes without harm to the caller, and gives back a status and any
 * number of bytes.
 */
#include <sys/wait.h>

#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include <event2/event.h>
#include <grouper.h>

/* In a forked child: what it changes in memory stays there. */
static int
count_primes(void *arg, int out)
{
	const unsigned int *limit = arg;
	unsigned int n, d, count = 0;

	/* Something that nobody waits for, as real work leaves behind. */
	if (fork() == 0)
		for (;;)
			pause();

	for (n = 2; n < *limit; n++) {
		for (d = 2; d * d <= n && n % d != 0; d++)
			;
		count += d * d > n;
	}
	dprintf(out, "%u primes below %u", count, *limit);
	return count > 0 ? 0 : 1;
}

static void
on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	(void)host;
	(void)arg;
	if (event->type != GROUPER_EVENT_EMPTY)
		return;
	printf("%s: exit status %d, %llu processes\n", event->key,
	    WIFEXITED(event->status) ? WEXITSTATUS(event->status) : -1,
	    (unsigned long long)event->usage.processes);
	printf("result: %.*s\n", (int)event->result_length,
	    (const char *)event->result);
}

int
main(void)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	enum grouper_error error;
	unsigned int limit = 10000;

	error = grouper_host_new(base, NULL, &host);
	if (error != GROUPER_OK)
		errx(1, "host: %s", grouper_strerror(error));
	options.key = "primes";
	error = grouper_exec(host, &options, count_primes, &limit, on_event,
	    NULL);
	if (error == GROUPER_OK)
		error = grouper_wait(host, "primes", 60000);
	if (error != GROUPER_OK)
		errx(1, "exec: %s", grouper_strerror(error));
	grouper_host_free(host);
	event_base_free(base);
	return 0;
}
