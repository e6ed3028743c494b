/* SPDX-License-Identifier: ISC */
/*
 * A program that is its own group: it becomes one, lists what descends from
 * it, ends all of that, and becomes an ordinary process again.  No host, no
 * event loop, no privilege.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <grouper.h>

static void
must(enum grouper_error error, const char *what)
{
	if (error != GROUPER_OK)
		err(1, "%s: %s", what, grouper_strerror(error));
}

/* Away from its parent, its session and its process group. */
static void
become_daemon(int ready)
{
	pid_t pid = fork();

	if (pid != 0) {
		/* Once the one between has ended, the daemon is our child. */
		waitpid(pid, NULL, 0);
		return;
	}
	setsid();
	if (fork() != 0)
		_exit(0);
	signal(SIGTERM, SIG_IGN);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static size_t
count_descendants(void)
{
	struct grouper_processes list;
	size_t i, alive = 0;

	must(grouper_descendants(0, &list), "descendants");
	for (i = 0; i < list.count; i++)
		alive += list.items[i].state != 'Z';
	grouper_processes_free(&list);
	return alive;
}

int
main(void)
{
	struct grouper_self self = GROUPER_SELF_INIT;
	int ready[2];
	char byte;
	int i;

	must(grouper_commandeer(0, &self), "commandeer");
	if (pipe(ready) == -1)
		err(1, "pipe");
	become_daemon(ready[1]);
	become_daemon(ready[1]);
	for (i = 0; i < 2; i++)
		if (read(ready[0], &byte, 1) != 1)
			err(1, "read");

	printf("%zu daemons, deaf to TERM\n", count_descendants());
	must(grouper_sweep("TERM 100ms, KILL", NULL), "sweep");
	printf("%zu after the sweep\n", count_descendants());
	must(grouper_release(&self), "release");
	return 0;
}
