/* SPDX-License-Identifier: ISC */
/*
 * A member that is the only one of its key, see sole_lock.h: every process
 * that it starts holds its lock as well.
 *
 *	sole DIRECTORY alone|few|deaf
 *
 * Ready by a newline on descriptor 3, if there is one; then it writes itself
 * into the file, and stays.
 */

#include "sole_lock.h"

#include <sys/types.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
stay(void)
{
	for (;;)
		pause();
}

/* A child, and a daemon that only SIGKILL ends; returns the child. */
static pid_t
start_few(void)
{
	pid_t pid = fork(), daemon;

	if (pid == 0)
		stay();
	if ((daemon = fork()) == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0)
			stay();
		_exit(0);
	}
	if (pid == -1 || daemon == -1)
		sole_die("fork");
	return pid;
}

int
main(int argc, char **argv)
{
	struct sole_lock lock;
	pid_t child = 0;

	if (argc != 3)
		return SOLE_FAILED;
	signal(SIGCHLD, SIG_IGN);
	sole_lock(&lock, argv[1]);
	if (strcmp(argv[2], "deaf") == 0)
		signal(SIGTERM, SIG_IGN);
	if (strcmp(argv[2], "alone") != 0)
		child = start_few();
	sole_ready(&lock);
	sole_tell(&lock, child);
	stay();
}
