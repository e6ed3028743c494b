/* SPDX-License-Identifier: ISC */
/*
 * Modes that outrun whoever looks for them.  All heed no signal, and run as an
 * ordinary user under a limit of processes.
 */

#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TREE_LIMIT 120
#define COMET_LIMIT 120
#define COMETS 4
#define EXEC_STORMS 3

/* Every process forks until the limit, and whenever one of them ended. */
static void
grow_tree(void)
{
	bool full = false;

	for (;;) {
		if (fork() == -1 && errno == EAGAIN) {
			if (!full)
				arrive();
			full = true;
			sched_yield();
		}
	}
}

static void
start_tree(void)
{
	limit_storm(TREE_LIMIT);
	block_signals();
	spawn(grow_tree);
	/* The first has met the limit. */
	await_arrivals(1);
}

/* Only the newest of its line is alive, under another pid each time. */
static void
fly(void)
{
	unsigned int turn = 0;

	for (;;) {
		switch (fork()) {
		case -1:
			sched_yield();
			break;
		case 0:
			if (++turn == 20)
				arrive();
			break;
		default:
			_exit(0);
		}
	}
}

static void
start_comets(void)
{
	limit_storm(COMET_LIMIT);
	block_signals();
	for (int i = 0; i < COMETS; i++)
		spawn(fly);
	await_arrivals(COMETS);
}

/*
 * Exec again and again.  The memory that arrive() uses does not last: a pipe
 * tells that the storm has come to its third program.
 */
static void
exec_next(int turn, int fd)
{
	char turn_text[16], fd_text[16], mode[16];

	snprintf(turn_text, sizeof(turn_text), "%d", turn);
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(mode, sizeof(mode), "%s",
	    turn % 2 == 0 ? "exec-main" : "exec-thread");
	setenv("HOSTILE_TURN", turn_text, 1);
	setenv("HOSTILE_FD", fd_text, 1);
	execl(own_path(), "hostile", mode, "stay", NULL);
	die("exec");
}

static void
go_on(void)
{
	const char *turn = getenv("HOSTILE_TURN"), *fd = getenv("HOSTILE_FD");
	int next = turn != NULL ? atoi(turn) : 0;
	int out = fd != NULL ? atoi(fd) : -1;

	if (next == 3 && out != -1) {
		if (write(out, "x", 1) != 1)
			die("pipe");
		close(out);
		out = -1;
	}
	exec_next(next + 1, out);
}

static void
start_exec_main(void)
{
	go_on();
}

static void *
exec_in_thread(void *unused)
{
	(void)unused;
	go_on();
	return NULL;
}

/* The thread takes over the main thread's pid, which is gone before. */
static void
start_exec_thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, exec_in_thread, NULL) != 0)
		die("pthread_create");
	stay();
}

static void
start_execs(void)
{
	int fds[2];
	char c;

	limit_storm(COMET_LIMIT);
	block_signals();
	if (pipe(fds) == -1)
		die("pipe");
	for (int i = 0; i < EXEC_STORMS; i++) {
		switch (fork()) {
		case -1:
			die("fork");
		case 0:
			close(fds[0]);
			if (i == 0)
				setsid();
			exec_next(i, fds[1]);
		}
	}
	close(fds[1]);
	for (int i = 0; i < EXEC_STORMS; i++) {
		if (read(fds[0], &c, 1) != 1)
			die("the storm ended");
	}
	close(fds[0]);
}

const struct mode storm_modes[] = {
	{ "tree", start_tree, "a fork tree at its process limit" },
	{ "comets", start_comets, "fork, the parent exits, and again" },
	{ "execs", start_execs, "exec in a loop, also from a thread" },
	{ "exec-main", start_exec_main, "a turn of execs" },
	{ "exec-thread", start_exec_thread, "a turn of execs" },
	{ NULL, NULL, NULL },
};
