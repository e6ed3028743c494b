/* SPDX-License-Identifier: ISC */
/*
 * bench_loop: the least that a supervisor can do, the limit for all others.
 *
 *	bench_loop [-l] COUNT cmd arg...
 *
 * Starts COUNT children by vfork and exec and each anew when it ends.  TERM
 * ends it: it kills its children, waits for them and exits with 0.
 *
 * With -l there is a leader between for each incarnation: the least that can
 * be done where a group has a process of its own, which collects whatever the
 * child leaves and ends when nothing is left.
 *
 * It knows nothing of output, failures or stopping descendants.
 */

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static pid_t *children;

static void
on_term(int signo)
{
	(void)signo;
	asked = 1;
}

static pid_t
start(char **argv)
{
	pid_t pid;

	pid = vfork();
	if (pid == -1)
		err(1, "vfork");
	if (pid == 0) {
		execve(argv[0], argv, environ);
		_exit(127);
	}
	return (pid);
}

/* The leader, in place of the child it starts. */
static pid_t
start_led(char **argv)
{
	pid_t pid;

	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		if (signal(SIGTERM, SIG_DFL) == SIG_ERR || setsid() == -1 ||
		    prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
			_exit(126);
		start(argv);
		while (waitpid(-1, NULL, 0) != -1)
			;
		_exit(0);
	}
	return (pid);
}

/* Which of the children; -1 once there is none, or TERM came. */
static long
await_end(long count)
{
	pid_t pid;
	long i;

	while ((pid = waitpid(-1, NULL, 0)) == -1)
		if (errno != EINTR || asked)
			return (-1);
	for (i = 0; i < count; i++)
		if (children[i] == pid)
			return (i);
	errx(1, "a child that was not started");
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	pid_t (*begin)(char **) = start;
	long count, i;

	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		begin = start_led;
		argc--;
		argv++;
	}
	count = argc < 3 ? 0 : atol(argv[1]);
	if (count <= 0)
		errx(2, "usage: bench_loop [-l] COUNT cmd arg...");
	children = calloc((size_t)count, sizeof(*children));
	if (children == NULL || sigaction(SIGTERM, &action, NULL) == -1)
		err(1, NULL);
	for (i = 0; i < count && !asked; i++)
		children[i] = begin(argv + 2);
	while (!asked && (i = await_end(count)) != -1)
		children[i] = begin(argv + 2);
	for (i = 0; i < count; i++)
		if (children[i] != 0) {
			kill(-children[i], SIGTERM); /* what a leader has */
			kill(children[i], SIGTERM);
		}
	while (waitpid(-1, NULL, 0) != -1 || errno == EINTR)
		;
	return (0);
}
