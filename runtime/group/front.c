/* SPDX-License-Identifier: ISC */
/*
 * The process before the host: see front.h.  It has no event loop: signals
 * are all it ever waits for.
 */
#include "runtime/group/front.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/signals.h"
#include "runtime/os/os.h"
#include "runtime/util/fd.h"

static _Noreturn void guard(pid_t host, pid_t parent);
static void reap(pid_t host);
static void on_parent(pid_t host, pid_t parent);
static void pass_on(pid_t host, const siginfo_t *si);

bool
front_needed(void)
{
	siginfo_t si;

	if (getpid() == 1)
		return true;
	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) ==
	    0 ||
	    errno != ECHILD;
}

int
front_split(pid_t parent)
{
	pid_t front = getpid(), host;

	host = fork();
	if (host == -1)
		return -1;
	if (host != 0)
		guard(host, parent);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != front)
		kill(getpid(), SIGTERM); /* it died before we asked */
	return 0;
}

/* The life of the front. */
static void
guard(pid_t host, pid_t parent)
{
	sigset_t all;
	siginfo_t si;

	/* It needs none of them, and may hold none of them open. */
	fd_close_inherited();
	os_close_range(STDERR_FILENO + 1, UINT_MAX);
	sigfillset(&all);
	for (;;) {
		if (sigwaitinfo(&all, &si) == -1)
			continue;
		if (si.si_signo == SIGCHLD)
			reap(host);
		else if (parent != -1 && si.si_signo == SIGNALS_PARENT)
			on_parent(host, parent);
		else
			pass_on(host, &si);
	}
}

/* One SIGCHLD may stand for many. */
static void
reap(pid_t host)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL)) > 0) {
		if (pid != host)
			continue;
		if (WIFSTOPPED(status))
			signals_stop(WSTOPSIG(status));
		else if (WIFSIGNALED(status))
			signals_die(WTERMSIG(status));
		else
			_exit(WEXITSTATUS(status));
	}
}

static void
on_parent(pid_t host, pid_t parent)
{
	if (signals_orphaned(parent))
		kill(host, SIGTERM);
}

/*
 * What the terminal sends goes to the whole process group, and the host is in
 * it; only a hangup goes to the leader of the session alone.  An alarm was
 * set before grouper was executed, and is meant for what it runs.
 */
static void
pass_on(pid_t host, const siginfo_t *si)
{
	bool to_us = si->si_signo == SIGALRM ||
	    (si->si_signo == SIGHUP && getsid(0) == getpid());

	if (si->si_code != SI_KERNEL || to_us)
		kill(host, si->si_signo);
}
