/* SPDX-License-Identifier: ISC */
/*
 * Supervisor trees on a host: which children run, in which order they start
 * and stop, and which are restarted when they end, by the rules of OTP.
 *
 * Children are commands, each a group under its key on the host, or
 * supervisors with children of their own.  A child's key is its id behind
 * those of its supervisors, "outer/inner"; instances of a command are "id:1",
 * "id:2" and so on.  No child starts again before its group is proven empty.
 *
 * A leader that dies fails the whole tree.  What happens is told by events,
 * which run from the host's event base and never before a function returns.
 * Every function but grouper_supervisor_free() may be called from one.
 */
#ifndef GROUPER_SUPERVISOR_H
#define GROUPER_SUPERVISOR_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/group.h>

GROUPER_BEGIN_DECLS

struct grouper_supervisor;

/* Which children are started again when one ended. */
enum grouper_strategy {
	GROUPER_ONE_FOR_ONE,  /* that one */
	GROUPER_ONE_FOR_ALL,  /* all of them */
	GROUPER_REST_FOR_ONE, /* that one and those behind it */
};

/* After which ends a child is started again. */
enum grouper_restart {
	GROUPER_PERMANENT, /* after each */
	GROUPER_TRANSIENT, /* unless its exit status is 0 */
	GROUPER_TEMPORARY, /* never */
};

/* Whether a supervisor ends when significant children end by themselves. */
enum grouper_auto_shutdown {
	GROUPER_NEVER,
	GROUPER_ANY_SIGNIFICANT,
	GROUPER_ALL_SIGNIFICANT,
};

/* When a command counts as started, so that the next one may start. */
enum grouper_ready {
	GROUPER_READY_STARTED, /* executed, and alive after min_uptime_ms */
	GROUPER_READY_NOTIFY,  /* READY=1 of sd_notify(3) */
	GROUPER_READY_FD,      /* a newline on its descriptor ready_fd */
	GROUPER_READY_EXEC,    /* ready_argv ends with 0 */
};

enum grouper_child_flags {
	GROUPER_CHILD_SIGNIFICANT = 1 << 0, /* see grouper_auto_shutdown */
	GROUPER_CHILD_MANUAL = 1 << 1,	    /* is not started by itself */
	GROUPER_CHILD_MAY_FOUND = 1 << 2,   /* may found groups of its own */
};

struct grouper_supervisor_options;

/* A child: argv or supervisor is set, the other one NULL. */
struct grouper_child {
	size_t size;	    /* sizeof, set by GROUPER_CHILD_INIT */
	unsigned int flags; /* enum grouper_child_flags */
	const char *id;	    /* 1-64 bytes without blanks, '/' and ':' */
	enum grouper_restart restart;
	const char *shutdown; /* stop steps; NULL: "5s", and without end for
				 a supervisor */
	const struct grouper_supervisor_options *supervisor;

	/* The rest is a command's. */
	char *const *argv;     /* searched in PATH */
	char *const *env;      /* NAME=VALUE, set in the host's environment;
				  NAME alone is removed; NULL: as it is */
	const char *directory; /* NULL: the host's */
	unsigned int instances;
	enum grouper_ready ready;
	int ready_fd;
	char *const *ready_argv;
	int64_t ready_timeout_ms; /* -1: none */
	int64_t min_uptime_ms;
	int64_t backoff_min_ms; /* before a restart; doubles; 0: none */
	int64_t backoff_max_ms;
	enum grouper_containment contain;
	enum grouper_stop_target stop_target;
	const struct grouper_limit *limits;
	size_t nlimits;
	int umask; /* -1: unchanged */
	int nice;  /* added to the host's; 0: unchanged */
};
#define GROUPER_CHILD_INIT \
	{ \
		.size = sizeof(struct grouper_child), .instances = 1, \
		.ready_fd = -1, .ready_timeout_ms = -1, \
		.backoff_max_ms = 30000, .umask = -1 \
	}

struct grouper_supervisor_options {
	size_t size; /* sizeof, set by GROUPER_SUPERVISOR_OPTIONS_INIT */
	enum grouper_strategy strategy;
	unsigned int intensity; /* so many restarts in period_ms; one more
				   and it fails */
	int64_t period_ms;
	enum grouper_auto_shutdown auto_shutdown;
	int64_t cooldown_ms; /* a pause in place of the failure; -1: none */
	const struct grouper_child *children;
	size_t nchildren;
};
#define GROUPER_SUPERVISOR_OPTIONS_INIT \
	{ \
		.size = sizeof(struct grouper_supervisor_options), \
		.intensity = 1, .period_ms = 5000, .cooldown_ms = -1 \
	}

enum grouper_child_event_type {
	GROUPER_CHILD_STARTED,	    /* executed: pid */
	GROUPER_CHILD_READY,	    /* also a supervisor: all it started is */
	GROUPER_CHILD_EXITED,	    /* the main process: pid, status */
	GROUPER_CHILD_EMPTY,	    /* ended, the group is proven empty */
	GROUPER_CHILD_START_FAILED, /* text has the reason */
	GROUPER_CHILD_RESTART,	    /* will be started again */
	GROUPER_CHILD_STOPPING,	    /* was told to stop; or says itself that
				       it stops (sd_notify), see text */
	GROUPER_CHILD_LEADER_DIED,
	GROUPER_CHILD_UNKILLABLE, /* processes withstood SIGKILL */
	GROUPER_CHILD_FAILED,	  /* a supervisor, which begins to stop */
	GROUPER_CHILD_ADDED,
	GROUPER_CHILD_REMOVED, /* is not listed any more */
	GROUPER_CHILD_OTHER,   /* text tells */
	GROUPER_CHILD_LOST,    /* memory was short: events are missing */
	GROUPER_TREE_OVER,     /* all is empty, key is "": status 0-255, text;
				  the last event */
};

struct grouper_child_event {
	enum grouper_child_event_type type;
	const char *key;
	pid_t pid;
	int status;	  /* of wait(2); of TREE_OVER an exit status: 0 after a
			     stop that was asked for, 1 if the tree failed,
			     120 if a leader died, else that of the significant
			     child that ended it */
	const char *text; /* one line for people, never NULL */
};

/* What an event points to is valid until the callback returns. */
typedef void grouper_child_event_fn(struct grouper_supervisor *supervisor,
    const struct grouper_child_event *event, void *arg);

/*
 * Makes a supervisor tree; nothing starts yet.
 *
 * host: it must outlive the supervisor, which uses its event base and its
 *     keys; one at a time.
 * options: copied, with all that it points to.
 * on_event: may be NULL.
 * supervisor: set on success; the caller frees it with
 *     grouper_supervisor_free().
 *
 * Returns GROUPER_OK; GROUPER_NO_GROUP if host is NULL; GROUPER_INVALID for
 * a wrong size, unknown flags, bad names, steps or numbers;
 * GROUPER_BAD_COMBINATION for values that exclude each other, and for
 * GROUPER_READY_NOTIFY on an anonymous host; GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_supervisor_new(struct grouper_host
							     *host,
    const struct grouper_supervisor_options *options,
    grouper_child_event_fn *on_event, void *arg,
    struct grouper_supervisor **supervisor);

/*
 * Starts the children in their order, each when the one before it is ready.
 * If one cannot be started the others are stopped again and the tree fails.
 * Returns GROUPER_OK; GROUPER_NO_GROUP if supervisor is NULL;
 * GROUPER_ALREADY_STARTED.
 */
GROUPER_EXPORT enum grouper_error
grouper_supervisor_start(struct grouper_supervisor *supervisor);

/*
 * Begins to stop the children in reverse order, each by its stop steps; kill,
 * if not 0: all at once, by SIGKILL.  GROUPER_TREE_OVER tells when nothing
 * is left.  Returns GROUPER_OK, also where it stops already;
 * GROUPER_NO_GROUP if supervisor is NULL or was not started.
 */
GROUPER_EXPORT enum grouper_error
grouper_supervisor_stop(struct grouper_supervisor *supervisor, int kill);

/*
 * Frees a supervisor that was never started or whose GROUPER_TREE_OVER was
 * told; not to be called from an event.  Returns GROUPER_OK, also for NULL;
 * GROUPER_RUNNING if it is neither, GROUPER_UNKILLABLE while processes live
 * that withstood SIGKILL: nothing was freed, the host must not be either.
 */
GROUPER_EXPORT enum grouper_error
grouper_supervisor_free(struct grouper_supervisor *supervisor);

/*
 * Requests for one child by its key, or for all instances of a command by
 * its own key.  They answer at once, what follows is told by events.
 *
 * Each returns GROUPER_OK; GROUPER_NOT_FOUND for an unknown key;
 * GROUPER_NO_GROUP if supervisor is NULL, was not started, stops or is over;
 * GROUPER_RESTARTING while the child waits for its restart;
 * GROUPER_LEADER_DIED; GROUPER_UNKILLABLE; and what is named.
 */

/* GROUPER_ALREADY_STARTED: it starts, runs or stops. */
GROUPER_EXPORT enum grouper_error grouper_child_start(struct grouper_supervisor
							  *supervisor,
    const char *key);

/* OK in every state; it is not restarted.  A temporary one is removed. */
GROUPER_EXPORT enum grouper_error grouper_child_stop(struct grouper_supervisor
							 *supervisor,
    const char *key);

/* Stops and starts it, or starts it. */
GROUPER_EXPORT enum grouper_error
grouper_child_restart(struct grouper_supervisor *supervisor, const char *key);

/* Removes an idle child.  GROUPER_RUNNING. */
GROUPER_EXPORT enum grouper_error grouper_child_delete(struct grouper_supervisor
							   *supervisor,
    const char *key);

/*
 * Sets the number of instances of a command.  GROUPER_INVALID: too many;
 * GROUPER_BAD_COMBINATION: it is a supervisor, or significant and to have
 * more than one.
 */
GROUPER_EXPORT enum grouper_error grouper_child_scale(struct grouper_supervisor
							  *supervisor,
    const char *key, unsigned int instances);

/*
 * Adds a child, which is copied, behind those of a supervisor, "" or NULL for
 * the root, and starts it unless it is GROUPER_CHILD_MANUAL.  If its start
 * fails it is removed.  GROUPER_ALREADY_STARTED, GROUPER_ALREADY_PRESENT: its
 * id is taken; GROUPER_INVALID and GROUPER_BAD_COMBINATION as for
 * grouper_supervisor_new(); GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_child_add(struct grouper_supervisor
							*supervisor,
    const char *parent, const struct grouper_child *child);

GROUPER_END_DECLS

#endif
