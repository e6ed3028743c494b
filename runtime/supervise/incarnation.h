/* SPDX-License-Identifier: ISC */
/*
 * One incarnation of a child: its group, the commands around it (start_pre,
 * stop_pre, the one that asks whether it is ready), and how it becomes ready.
 *
 * It is over when all these groups are proven empty, not before.
 */
#ifndef RUNTIME_SUPERVISE_INCARNATION_H
#define RUNTIME_SUPERVISE_INCARNATION_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "runtime/supervise/launch.h"
#include "runtime/supervise/spec.h"

struct grouper_host;
struct grouper_usage;
struct member_log;
struct incarnation;

/* What a member says by RELOADING=1, STOPPING=1 that it is about. */
enum incarnation_doing {
	INCARNATION_SERVES,
	INCARNATION_RELOADS,
	INCARNATION_STOPS, /* of its own accord */
};

/*
 * What a run tells, in the order in which it may come.  `empty` is the last;
 * the run may be freed in it, and not in any other.
 */
struct incarnation_handler {
	void (*started)(struct incarnation *run, void *arg);
	void (*start_failed)(struct incarnation *run, const char *reason,
	    void *arg);
	void (*ready)(struct incarnation *run, void *arg);
	void (*status)(struct incarnation *run, const char *text, void *arg);
	void (*doing)(struct incarnation *run, void *arg);   /* another thing */
	void (*adopted)(struct incarnation *run, void *arg); /* another pid */
	void (*watchdog)(struct incarnation *run, void *arg);
	void (*ended)(struct incarnation *run, int status, void *arg);
	void (*leader_died)(struct incarnation *run, void *arg);
	void (*unkillable)(struct incarnation *run, void *arg);
	void (*empty)(struct incarnation *run, void *arg);
};

/* How the names of their sockets end, "HOST.NUMBER" before it. */
#define INCARNATION_SOCKET ".notify"

struct incarnation_options {
	struct grouper_host *host;
	const char *key;
	uint64_t number;
	const struct spec_child *child; /* copied */
	const struct launch_hooks *hooks;
	const char *directory;	/* for its notify socket */
	struct member_log *log; /* NULL: the host's standard output and error */
	const int *fds; /* the command's 0 to 2, -1 for none; until it is
			   started; NULL: none of them */
	const struct incarnation_handler *handler;
	void *arg;
};

/* NULL with errno. */
struct incarnation *incarnation_new(const struct incarnation_options *options);

/*
 * Once it is over, or before incarnation_start(); or at any time if the host
 * is freed before its loop turns again.
 */
void incarnation_free(struct incarnation *run);

/* What follows is told, start_failed perhaps before it returns. */
void incarnation_start(struct incarnation *run);

/*
 * By its stop_pre and stop steps, or by KILL at once.  stop_pre may take as
 * long as the steps together, INCARNATION_STOP_PRE_MS if they take no time.
 */
#define INCARNATION_STOP_PRE_MS 5000
void incarnation_stop(struct incarnation *run, bool kill);

/*
 * From now on it is stopped and reloaded as this child is, unless its command
 * is another, see spec_command_same_run().  0, or -1 with errno: nothing has
 * changed.
 */
int incarnation_change(struct incarnation *run, const struct spec_child *child);

/*
 * Runs reload_command, if there is one, of what is executed and not about to
 * end: once it is ready, and once more after one that runs.
 */
void incarnation_reload(struct incarnation *run);

const char *incarnation_key(const struct incarnation *run);
uint64_t incarnation_number(const struct incarnation *run);
pid_t incarnation_pid(const struct incarnation *run); /* 0: not executed */
enum incarnation_doing incarnation_doing(const struct incarnation *run);
/* Up to its end, once it has ended; of all its group when it is empty. */
const struct grouper_usage *incarnation_usage(const struct incarnation *run);
int64_t incarnation_since(const struct incarnation
	*run); /* executed, of clock_ms() */

#endif
