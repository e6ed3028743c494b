/* SPDX-License-Identifier: ISC */
/*
 * One run of `grouper run`, shared by the files that carry it out: run.c
 * prepares and ends it, run_events.c follows its group, run_signals.c what
 * is sent to it.
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <grouper/group.h>

#include "runtime/group/signals.h"
#include "runtime/util/loop.h"
#include "tools/run_environment.h"
#include "tools/run_messages.h"
#include "tools/run_options.h"
#include "tools/run_pty.h"
#include "tools/run_report.h"
#include "tools/run_spawn.h"
#include "tools/user.h"

struct run {
	const struct run_options *options;
	struct run_result result;
	struct signals inherited;
	struct environment env;
	struct launch_user user;
	char *tmpdir;
	int input;  /* what --stdin names; -1: inherited */
	int report; /* where the report goes */
	struct loop *loop;
	struct grouper_host *host;
	struct pty *pty;
	struct run_spawn *spawn; /* NULL: nobody asked yet */
	struct run_messages messages;
	int signals; /* a signalfd */
	struct loop_fd *signals_watch;
	pid_t parent; /* that we die with; -1: none, or that of our front */
	bool front;   /* the process above us is ours, see front.h */
	bool shared;  /* the command began in our session and process group */
	bool holds;   /* what the command leaves waits for run_stop() */
	bool keyed;   /* a stop came from the keyboard */
	bool by_int; /* the steps began with INT in place of the first signal */
	bool stopping;	    /* stop steps run */
	bool over;	    /* the group is empty, or as empty as it gets */
	bool left;	    /* and so is all that was spawned: we leave */
	int64_t began_us;   /* the start of the group, of clock_us() */
	int64_t stop_began; /* then: when, in ms of clock_ms() */
	int64_t deadline;   /* of --timeout; -1: none */
	struct loop_timer *limit;
	struct loop_timer *settle;
	struct loop_timer *waiting;
	const char *text; /* of this program, see os_map_text() */
	size_t text_size;
};

/* Follows the group of a run; arg is the run. */
void run_on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg);

/*
 * What a command on a pseudo-terminal prints cannot be written any more: a
 * hangup.  error: 0 if nobody reads it, else an errno, and the run fails.  arg
 * is the run.
 */
void run_on_gone(int error, void *arg);

/*
 * Begins the stop steps of the group, or replaces those that run.  steps:
 * NULL for the group's own.
 */
void run_stop(struct run *run, const char *steps);

/* Arms --timeout.  0, or -1 with errno. */
int run_limit(struct run *run);

/* Everything from now on has that much more time: we were stopped. */
void run_postpone(struct run *run, int64_t ms);

/* Reads signals in the loop.  All are blocked.  0, or -1 with errno. */
int run_watch_signals(struct run *run);

/*
 * The main process was stopped by a signal: where somebody can continue us,
 * we stop as well.
 */
void run_pause(struct run *run, int signum);

#endif
