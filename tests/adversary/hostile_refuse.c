/* SPDX-License-Identifier: ISC */
/*
 * Modes that do not end when told: stopped, traced, deaf, or somebody else's;
 * and the mixture of all.
 */

#include "hostile.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FORKING_THREADS 3

static void
stop_oneself(void)
{
	raise(SIGSTOP);
	stay();
}

/* Arrives when its child is stopped; is not so itself. */
static void
stopped_parent(void)
{
	siginfo_t si;
	pid_t pid;

	pid = spawn(stop_oneself);
	if (waitid(P_PID, (id_t)pid, &si, WSTOPPED) == -1)
		die("waitid");
	arrive();
}

static void
stopped_orphan(void)
{
	setsid();
	arrive();
	stop_oneself();
}

static void
start_stopped(void)
{
	stopped_parent();
	spawn_orphan(stopped_orphan);
	await_arrivals(2);
}

static void
be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		die("PTRACE_TRACEME");
	raise(SIGSTOP);
	stay();
}

static pid_t
stop_tracee(void)
{
	pid_t pid;
	int status;

	pid = spawn(be_traced);
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		die("tracee");
	return pid;
}

/* Leaves its tracee stopped, also at its exit, and never looks again. */
static void
trace_and_forget(void)
{
	pid_t pid = stop_tracee();

	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT) == -1)
		die("PTRACE_SETOPTIONS");
	arrive();
	stay();
}

/* Lets its tracee run, but none of its signals through. */
static void
trace_and_swallow(void)
{
	pid_t pid = stop_tracee();
	int status;

	signal(SIGTERM, SIG_IGN);
	arrive();
	do {
		ptrace(PTRACE_CONT, pid, NULL, NULL);
	} while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status));
	stay();
}

static void
start_traced(void)
{
	spawn(trace_and_forget);
	spawn(trace_and_swallow);
	spawn_orphan(trace_and_forget);
	await_arrivals(3);
}

static void
ignoring_signals(void)
{
	ignore_signals();
	arrive();
	stay();
}

static void
blocking_signals(void)
{
	block_signals();
	arrive();
	stay();
}

static void
start_ignore(void)
{
	ignore_signals();
	spawn(in_background);
	spawn_orphan(in_own_session);
	await_arrivals(2);
}

static void
start_block(void)
{
	block_signals();
	spawn(in_background);
	spawn_orphan(in_own_session);
	await_arrivals(2);
}

static void *
paused_thread(void *unused)
{
	(void)unused;
	arrive();
	stay();
}

/* Short-lived children without end, some of which leave an orphan. */
static void *
forking_thread(void *unused)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	pid_t pid;

	(void)unused;
	for (unsigned int turn = 0;; turn++) {
		if (turn == 2)
			arrive();
		if ((pid = fork()) == 0) {
			nanosleep(&ms, NULL);
			_exit(0);
		}
		nanosleep(&ms, NULL);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return NULL;
}

static void
end_main_thread(void *(*thread)(void *), int count)
{
	pthread_t id;

	for (int i = 0; i < count; i++) {
		if (pthread_create(&id, NULL, thread, NULL) != 0)
			die("pthread_create");
	}
	/* The thread alone: exit(3) and pthread_exit(3) would do more. */
	syscall(SYS_exit, 0);
}

static void
without_main_thread(void)
{
	end_main_thread(paused_thread, 1);
}

static void
fork_without_main_thread(void)
{
	block_signals();
	end_main_thread(forking_thread, FORKING_THREADS);
}

static void
start_threads(void)
{
	spawn(fork_without_main_thread);
	spawn_orphan(fork_without_main_thread);
	await_arrivals(2 * FORKING_THREADS);
}

/* The command itself is such a process, and never leaves. */
static void
start_headless(void)
{
	spawn(in_background);
	await_arrivals(1);
	block_signals();
	if (dprintf(1, "ready\n") < 0)
		die("stdout");
	end_main_thread(forking_thread, FORKING_THREADS);
}

/* The program again, as a set-uid root copy, told by a pipe that it stands. */
static void
start_copy(const char *mode)
{
	char c;
	int fds[2];
	pid_t pid;

	if (pipe(fds) == -1)
		die("pipe");
	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		if (dup2(fds[1], 1) == -1)
			die("dup2");
		close(fds[0]);
		close(fds[1]);
		execl(setuid_copy(), "hostile", "-m",
		    getenv("SUPPORT_TOKEN") != NULL ? getenv("SUPPORT_TOKEN") :
						      "none",
		    mode, "stay", NULL);
		die("set-uid copy");
	}
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		die("the set-uid copy did not start");
	close(fds[0]);
}

/* Its real user is still ours: we may signal it. */
static void
start_effective_root(void)
{
	if (geteuid() != 0)
		die("not set-uid");
}

/* Root altogether: nobody but root may signal it. */
static void
start_real_root(void)
{
	if (setresuid(0, 0, 0) == -1)
		die("setresuid");
}

static void
start_setuid(void)
{
	start_copy("effective-root");
}

static void
start_setuid_real(void)
{
	start_copy("real-root");
}

const struct mode refuse_modes[] = {
	{ "stopped", start_stopped, "stopped by SIGSTOP" },
	{ "traced", start_traced, "stopped or kept by a tracer" },
	{ "ignore", start_ignore, "every signal ignored" },
	{ "block", start_block, "every signal blocked" },
	{ "threads", start_threads, "main thread gone, others keep forking" },
	{ "headless", start_headless,
	    "the same, as the command itself; stays" },
	{ "setuid", start_setuid, "set-uid root, the real user kept (-c)" },
	{ "setuid-real", start_setuid_real, "root altogether (-c)" },
	{ "effective-root", start_effective_root, "what setuid starts" },
	{ "real-root", start_real_root, "what setuid-real starts" },
	{ NULL, NULL, NULL },
};

static void
quiet_orphan(void)
{
	if (clone_process(0) == 0)
		in_own_session();
}

/*
 * Thirteen processes, alive in thirteen ways, beside the command itself:
 * 1 a background job, 2 in its own group, 3 in its own session, 4 an orphan,
 * 5 a daemon without descriptors, 6 deaf by ignoring, 7 deaf by blocking,
 * 8 stopped, 9 quiet, 10 a sibling, 11 without its main thread, 12 a parent in
 * vfork, 13 its child.
 */
static void
start_thirteen(void)
{
	spawn(in_background);
	spawn(in_own_group);
	spawn(in_own_session);
	spawn_orphan(in_background);
	spawn_orphan(without_descriptors);
	spawn(ignoring_signals);
	spawn(blocking_signals);
	spawn(stopped_orphan);
	quiet_orphan();
	if (clone_process(CLONE_PARENT | SIGCHLD) == 0)
		in_own_session();
	spawn(without_main_thread);
	spawn(in_vfork);
	await_arrivals(13);
}

/* A few quick ones, for tests that start many. */
static void
start_few(void)
{
	spawn(in_background);
	spawn_orphan(in_own_session);
	await_arrivals(2);
}

const struct mode mixed_modes[] = {
	{ "thirteen", start_thirteen, "13 processes, alive in 13 ways" },
	{ "few", start_few, "a child and an orphan" },
	{ NULL, NULL, NULL },
};
