/* SPDX-License-Identifier: ISC */
/*
 * bench_stop: how long a command takes to end once it was asked to.
 *
 *	bench_stop [-g] [-s signal] [-t seconds] READY cmd arg...
 *
 * Starts cmd, waits for the file READY, sends the signal (TERM) to cmd's
 * process and waits for it.  With -g it is the bare loop that wrappers are
 * measured against: cmd leads a process group, the signal goes to the
 * group, and all that become children of this process, a subreaper then,
 * are waited for.
 *
 * Prints one line: nanoseconds from the signal to the end, the raw wait
 * status of cmd, and 1 if time was up (-t, 30 s) and cmd, or its group, was
 * killed, else 0.  Exits with 0, 2 after a usage error, or 1 and a line on
 * stderr if nothing could be measured.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define READY_WITHIN 60 /* seconds */

static volatile sig_atomic_t time_up;
static pid_t target; /* what to kill when time is up, as kill() */

static int64_t
now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
on_alarm(int signo)
{
	int saved = errno;

	(void)signo;
	time_up = time_up + 1;
	kill(target, SIGKILL);
	alarm(1);
	errno = saved;
}

static pid_t
start(char **argv, bool group)
{
	pid_t pid;

	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		if (group)
			setpgid(0, 0);
		execvp(argv[0], argv);
		warn("%s", argv[0]);
		_exit(127);
	}
	if (group)
		setpgid(pid, pid);
	return (pid);
}

/* Not timed, so looking again and again is good enough. */
static void
await_file(const char *path, pid_t pid)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int64_t deadline;
	siginfo_t info;

	deadline = now_ns() + (int64_t)READY_WITHIN * 1000000000;
	while (access(path, F_OK) == -1) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == pid)
			errx(1, "the command ended before it was ready");
		if (now_ns() > deadline) {
			kill(target, SIGKILL);
			errx(1, "the command was not ready in %d s",
			    READY_WITHIN);
		}
		nanosleep(&ms, NULL);
	}
}

/*
 * Returns pid's wait status when it, or with group all children, ended.
 * Children that left the group do not end when time is up: a second later
 * they are given up.
 */
static int
await_end(pid_t pid, bool group)
{
	int status, result = 0;
	pid_t ended;

	for (;;) {
		ended = waitpid(group ? -1 : pid, &status, 0);
		if (ended == -1 && errno == EINTR && time_up > 1)
			return (result);
		if (ended == -1 && errno == EINTR)
			continue;
		if (ended == -1 && errno == ECHILD && group)
			return (result);
		if (ended == -1)
			err(1, "waitpid");
		if (ended == pid)
			result = status;
		if (!group)
			return (result);
	}
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int seconds = 30;
	int64_t begin, end;
	int opt, signo = SIGTERM, status;
	bool group = false;
	pid_t pid;

	while ((opt = getopt(argc, argv, "+gs:t:")) != -1) {
		switch (opt) {
		case 'g':
			group = true;
			break;
		case 's':
			signo = atoi(optarg);
			break;
		case 't':
			seconds = (unsigned int)atoi(optarg);
			break;
		default:
			return (2);
		}
	}
	if (argc - optind < 2 || signo <= 0 || seconds == 0)
		errx(2,
		    "usage: bench_stop [-g] [-s signal] [-t seconds] "
		    "READY cmd arg...");
	if (group && prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		err(1, "prctl");
	pid = start(argv + optind + 1, group);
	target = group ? -pid : pid;
	await_file(argv[optind], pid);
	if (sigaction(SIGALRM, &action, NULL) == -1)
		err(1, "sigaction");
	alarm(seconds);
	begin = now_ns();
	if (kill(target, signo) == -1)
		err(1, "kill");
	status = await_end(pid, group);
	end = now_ns();
	printf("%" PRId64 " %d %d\n", end - begin, status, time_up != 0);
	return (0);
}
