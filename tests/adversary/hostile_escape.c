/* SPDX-License-Identifier: ISC */
/*
 * Modes that get away: out of the process group, the session, the line of
 * parents, or the sight of wait(2).
 */

#include "hostile.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SUBREAPERS 5
#define ZOMBIES 30

static pid_t anchors[2];

void
in_background(void)
{
	arrive();
	stay();
}

void
in_own_group(void)
{
	if (setpgid(0, 0) == -1)
		die("setpgid");
	arrive();
	stay();
}

void
in_own_session(void)
{
	if (setsid() == -1)
		die("setsid");
	arrive();
	stay();
}

void
without_descriptors(void)
{
	setsid();
	if (chdir("/") == -1)
		die("chdir");
	if (syscall(SYS_close_range, 0, ~0U, 0) == -1)
		die("close_range");
	arrive();
	stay();
}

static void
session_then_orphan(void)
{
	if (setsid() == -1)
		die("setsid");
	spawn(in_background);
}

static void
start_double_fork(void)
{
	/* The textbook daemon, one that keeps its session, and a job. */
	spawn(session_then_orphan);
	spawn_orphan(in_own_session);
	spawn_orphan(in_background);
	await_arrivals(3);
}

static void
start_daemon(void)
{
	spawn_orphan(without_descriptors);
	spawn_orphan(without_descriptors);
	await_arrivals(2);
}

/* In a new group every millisecond: its own, and those of the anchors. */
static void
change_group(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	pid_t pgids[] = { 0, anchors[0], anchors[1] };

	signal(SIGTERM, SIG_IGN);
	for (unsigned int turn = 0;; turn++) {
		if (setpgid(0, pgids[turn % 3]) == -1 && errno != EPERM)
			die("setpgid");
		if (turn == 3)
			arrive();
		nanosleep(&ms, NULL);
	}
}

static void
start_setpgid(void)
{
	anchors[0] = spawn(in_own_group);
	anchors[1] = spawn(in_own_group);
	await_arrivals(2);
	spawn(change_group);
	spawn_orphan(change_group);
	await_arrivals(4);
}

static int depth;

/* A subreaper with an orphan of its own, and the next subreaper below. */
static void
reap_below(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		die("PR_SET_CHILD_SUBREAPER");
	spawn_orphan(in_own_session);
	if (++depth < SUBREAPERS)
		spawn(reap_below);
	arrive();
	stay();
}

static void
start_subreapers(void)
{
	spawn(reap_below);
	await_arrivals(2 * SUBREAPERS);
}

/* Children whose end is announced to nobody, seen only with __WALL. */
static void
start_quiet(void)
{
	for (int i = 0; i < 3; i++) {
		if (clone_process(0) == 0) {
			if (clone_process(0) == 0)
				in_own_session();
			in_background();
		}
	}
	await_arrivals(6);
}

/* Siblings instead of children: the leader finds them below itself. */
static void
start_siblings(void)
{
	for (int i = 0; i < 3; i++) {
		if (clone_process(CLONE_PARENT | SIGCHLD) == 0) {
			if (clone_process(CLONE_PARENT | SIGCHLD) == 0)
				in_own_session();
			in_background();
		}
	}
	/* A quiet process hands its lack of a signal to its sibling. */
	if (clone_process(0) == 0) {
		if (clone_process(CLONE_PARENT) == 0)
			in_own_group();
		in_background();
	}
	await_arrivals(8);
}

/*
 * The parent waits in the kernel, uninterruptible but for SIGKILL, until the
 * child execs or ends, which it does not.
 */
__attribute__((noinline)) static void
hang_in_vfork(void)
{
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		arrive();
		stay();
	}
}

void
in_vfork(void)
{
	arrive();
	hang_in_vfork();
}

static void
start_vfork(void)
{
	spawn(in_vfork);
	spawn_orphan(in_vfork);
	await_arrivals(4);
}

static void
end_at_once(void)
{
}

static void
never_wait(void)
{
	siginfo_t si;

	for (int i = 0; i < ZOMBIES; i++)
		spawn(end_at_once);
	/* The last one has ended: the rest may, any moment. */
	if (waitid(P_ALL, 0, &si, WEXITED | WNOWAIT) == -1)
		die("waitid");
	signal(SIGTERM, SIG_IGN);
	arrive();
	stay();
}

static void
start_zombies(void)
{
	spawn(never_wait);
	spawn_orphan(never_wait);
	await_arrivals(2);
}

/* An identity map, as a user without any privilege may write it. */
static void
map_users(uid_t uid, gid_t gid)
{
	static const char *const files[] = { "/proc/self/setgroups",
		"/proc/self/uid_map", "/proc/self/gid_map" };
	char text[3][64];
	int fd;

	snprintf(text[0], sizeof(text[0]), "deny");
	snprintf(text[1], sizeof(text[1]), "%u %u 1", uid, uid);
	snprintf(text[2], sizeof(text[2]), "%u %u 1", gid, gid);
	for (int i = 0; i < 3; i++) {
		if ((fd = open(files[i], O_WRONLY | O_CLOEXEC)) == -1)
			die(files[i]);
		if (write(fd, text[i], strlen(text[i])) == -1)
			die(files[i]);
		close(fd);
	}
}

/* An init that heeds no signal of its own namespace. */
static void
be_init(void)
{
	block_signals();
	spawn_orphan(in_own_session);
	spawn(in_background);
	spawn(in_own_group);
	arrive();
	stay();
}

static void
enter_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWPID) == -1) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID) == -1)
			die("unshare");
		map_users(uid, gid);
	}
	spawn(be_init);
	arrive();
	stay();
}

static void
start_namespace(void)
{
	spawn(enter_namespace);
	spawn_orphan(enter_namespace);
	await_arrivals(10);
}

const struct mode escape_modes[] = {
	{ "double-fork", start_double_fork,
	    "orphans by double fork, in sessions of their own and not" },
	{ "daemon", start_daemon, "daemons that close every descriptor" },
	{ "setpgid", start_setpgid, "another process group every ms" },
	{ "subreapers", start_subreapers, "subreapers below subreapers" },
	{ "quiet", start_quiet, "children cloned with exit signal 0" },
	{ "siblings", start_siblings, "children cloned with CLONE_PARENT" },
	{ "vfork", start_vfork, "parents in D state: their vfork child hangs" },
	{ "zombies", start_zombies, "parents that never wait" },
	{ "namespace", start_namespace, "PID namespaces of their own" },
	{ NULL, NULL, NULL }
};
