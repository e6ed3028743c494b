/* SPDX-License-Identifier: ISC */
/*
 * Groups and the host that starts them.
 *
 * A group is a small leader process and all descendants of the one command
 * it runs.  A host starts groups under keys on the caller's event base and
 * reports what becomes of them.  A group is reported empty only when the
 * kernel has shown that none of its processes is left.
 *
 * A host owns the children of its process: a program that embeds one starts
 * its other children through it, or before the host in a process of their
 * own.  Functions are to be called from the thread that runs the event base.
 * They return at once unless they say otherwise, and no callback runs before
 * they return.  Every function but grouper_host_free() and grouper_wait() may
 * be called from a callback.
 */
#ifndef GROUPER_GROUP_H
#define GROUPER_GROUP_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/process.h>

GROUPER_BEGIN_DECLS

struct event_base;
struct grouper_host;

/* How much the kernel itself helps to hold a group together. */
enum grouper_containment {
	GROUPER_CONTAIN_AUTO,	/* cgroup where delegated, else reaper */
	GROUPER_CONTAIN_REAPER, /* subreaper and sweep; always there */
	GROUPER_CONTAIN_CGROUP, /* and a cgroup v2 leaf of its own */
	GROUPER_CONTAIN_PIDNS,	/* the leader is init of a PID namespace */
};

enum grouper_session {
	GROUPER_SESSION_AUTO, /* keep where there is a controlling terminal */
	GROUPER_SESSION_NEW,  /* a session and process group of its own */
	GROUPER_SESSION_KEEP, /* the command stays in the caller's */
};

/* Whom the first stop step addresses; later steps address everyone. */
enum grouper_stop_target {
	GROUPER_STOP_GROUP,   /* the command's process group */
	GROUPER_STOP_COMMAND, /* the command's main process */
	GROUPER_STOP_TREE,    /* every descendant */
};

enum grouper_flags {
	GROUPER_FORCE = 1 << 0,		  /* start even under an application */
	GROUPER_WORKER = 1 << 1,	  /* its members may found no groups */
	GROUPER_NO_NEW_PRIVS = 1 << 2,	  /* see PR_SET_NO_NEW_PRIVS */
	GROUPER_INHERIT_FDS = 1 << 3,	  /* pass every descriptor that is not
					  close-on-exec */
	GROUPER_INHERIT_SIGNALS = 1 << 4, /* pass the mask and dispositions
					     the host was made under */
	GROUPER_HOLD_LEFTOVERS = 1 << 5,  /* when the command ended and left
					     processes, wait for
					     grouper_stop() */
	GROUPER_ADOPT = 1 << 6,		  /* see grouper_adopt() */
};

/* Descriptor `source` of the caller becomes `target` in the command. */
struct grouper_fd {
	int source;
	int target;
};

/* See setrlimit(2); RLIM_INFINITY is UINT64_MAX. */
struct grouper_limit {
	int resource;
	uint64_t soft;
	uint64_t hard;
};

struct grouper_options {
	size_t size;	       /* sizeof, set by GROUPER_OPTIONS_INIT */
	unsigned int flags;    /* enum grouper_flags */
	const char *key;       /* NULL: "default" */
	char *const *argv;     /* the command; searched in envp's PATH */
	char *const *envp;     /* NULL: the caller's environment, with
				   GROUPER_SOCKET, GROUPER_HOST and
				   GROUPER_KEY of this group */
	const char *directory; /* NULL: the caller's */
	const char *shutdown;  /* stop steps; NULL: "5s" */
	enum grouper_containment contain;
	enum grouper_session session;
	enum grouper_stop_target stop_target;
	const struct grouper_fd *fds; /* standard input is /dev/null unless
					 named here or inherited */
	size_t nfds;
	const struct grouper_limit *limits;
	size_t nlimits;
	const gid_t *groups; /* supplementary groups, with uid or gid */
	size_t ngroups;
	uid_t uid; /* (uid_t)-1: unchanged */
	gid_t gid; /* (gid_t)-1: unchanged */
	int umask; /* -1: unchanged */
	int nice;  /* added to the caller's; 0: unchanged */
	int pty;   /* slave of a pseudo-terminal that becomes the
				   controlling terminal; -1: none */
};
#define GROUPER_OPTIONS_INIT \
	{ \
		.size = sizeof(struct grouper_options), .uid = (uid_t)-1, \
		.gid = (gid_t)-1, .umask = -1, .pty = -1 \
	}

/* At which step a start failed. */
enum grouper_stage {
	GROUPER_STAGE_NONE,
	GROUPER_STAGE_FORK,    /* EAGAIN, ENOMEM */
	GROUPER_STAGE_CONTAIN, /* the containment could not be made */
	GROUPER_STAGE_SESSION,
	GROUPER_STAGE_FDS,
	GROUPER_STAGE_LIMITS,
	GROUPER_STAGE_USER, /* uid, gid, groups */
	GROUPER_STAGE_DIRECTORY,
	GROUPER_STAGE_EXEC, /* ENOENT: not found */
	GROUPER_STAGE_NICE,
	GROUPER_STAGE_NO_NEW_PRIVS,
};

/* A short noun for a stage, "directory"; never NULL. */
GROUPER_EXPORT const char *grouper_stage_name(enum grouper_stage stage);

struct grouper_usage {
	int64_t wall_us;
	int64_t user_us;
	int64_t system_us;
	uint64_t peak_memory; /* largest single process, bytes */
	uint64_t processes;   /* that the leader reaped, the command's main
				   process among them */
};

enum grouper_event_type {
	GROUPER_EVENT_STARTED,	    /* the command runs: pid */
	GROUPER_EVENT_START_FAILED, /* stage, error; EMPTY follows */
	GROUPER_EVENT_PAUSED,	    /* main process stopped by signal status */
	GROUPER_EVENT_CONTINUED,
	GROUPER_EVENT_ENDED,	   /* main process: status as of wait(2);
				      usage up to now */
	GROUPER_EVENT_LEFTOVERS,   /* what it left: processes; only with
				     GROUPER_HOLD_LEFTOVERS */
	GROUPER_EVENT_UNKILLABLE,  /* what withstood SIGKILL: processes */
	GROUPER_EVENT_LEADER_DIED, /* the latch is set; EMPTY follows when
				      the orphans are swept */
	GROUPER_EVENT_EMPTY,	   /* proven: usage, result; the last event */
	GROUPER_EVENT_AWAITING,	   /* the main process ended and left others:
				      ENDED follows unless one is adopted
				      until this returns; GROUPER_ADOPT */
	GROUPER_EVENT_ADOPTED,	   /* pid is the main process now; or, with
				      error, status is a pid that is not */
};

struct grouper_event {
	enum grouper_event_type type;
	const char *key;
	pid_t pid;  /* main process, in the host's PID namespace; 0 if
			   it never ran */
	int status; /* of wait(2), the signal of PAUSED, pid of ADOPTED */
	enum grouper_stage stage;
	int error; /* errno of START_FAILED, ADOPTED */
	int last;  /* of ENDED: the command left no process */
	struct grouper_usage usage;
	const struct grouper_processes *processes;
	const void *result;   /* of grouper_exec() */
	size_t result_length; /* bytes */
};

/* What an event points to is valid until the callback returns. */
typedef void grouper_event_fn(struct grouper_host *host,
    const struct grouper_event *event, void *arg);

enum grouper_host_flags {
	GROUPER_HOST_TRANSIENT = 1 << 0, /* the name holds the caller's pid:
					    no other host waits for it, and
					    it needs no lock */
};

struct grouper_host_options {
	size_t size;
	const char *name;   /* NULL: anonymous, without lock and socket */
	unsigned int flags; /* enum grouper_host_flags */
};
#define GROUPER_HOST_OPTIONS_INIT \
	{ \
		.size = sizeof(struct grouper_host_options) \
	}

/*
 * Makes a host on an event base.  The process becomes a child subreaper, and
 * an ignored SIGCHLD is set to its default.  From the first use of messages,
 * names or settings on, be it by a client of its socket, it ignores SIGPIPE.
 *
 * base: the caller's; it must outlive the host.
 * options: NULL for an anonymous host.  A named host holds a lock and a
 *     control socket in the runtime directory, see grouper(1); if another
 *     host of that name lives, or a leader of a dead one still stops its
 *     group, this call waits for it.
 * host: set on success; the caller frees it with grouper_host_free().
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a bad name, size or flags, or NULL;
 * GROUPER_RUNNING if the process already has children or a host;
 * GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_host_new(struct event_base *base,
    const struct grouper_host_options *options, struct grouper_host **host);

/*
 * Frees a host.  A group that still lives is told to stop: its leader takes
 * it through its stop steps on its own, unobserved.  What a leader left that
 * died is killed first, for which this call may block some milliseconds.
 * NULL is fine.  In a child forked by the host's process it does nothing.
 */
GROUPER_EXPORT void grouper_host_free(struct grouper_host *host);

/*
 * Starts a group.  What follows is told by on_event (may be NULL), the last
 * event being GROUPER_EVENT_EMPTY.
 *
 * options: copied; descriptors named there are duplicated for the command
 *     and stay the caller's.
 *
 * Returns GROUPER_OK; GROUPER_ALREADY_STARTED if the key has a live group;
 * GROUPER_LEADER_DIED, at once and every time, while the key is latched;
 * GROUPER_GROUP_UNDER_APP without GROUPER_FORCE in a worker;
 * GROUPER_BAD_COMBINATION for a pty in a session that is kept;
 * GROUPER_INVALID, also if host is NULL; GROUPER_SYSTEM with errno if the
 * leader could not be made.  A command that cannot run is told by event.
 */
GROUPER_EXPORT enum grouper_error grouper_start(struct grouper_host *host,
    const struct grouper_options *options, grouper_event_fn *on_event,
    void *arg);

/*
 * As grouper_start(), for a function instead of a command: it runs in a
 * child process forked as by fork(2), and its result becomes the exit status
 * (0-255).  What it writes to `out`, at most 64 MiB, comes back as the
 * result of GROUPER_EVENT_EMPTY.  However the function returns or dies, the
 * group is stopped.  options->argv is not used, may be NULL.  The host is the
 * caller's: fn must not use it, nor what is on it; it may make one of its own.
 */
typedef int grouper_exec_fn(void *arg, int out);
GROUPER_EXPORT enum grouper_error grouper_exec(struct grouper_host *host,
    const struct grouper_options *options, grouper_exec_fn *fn, void *fn_arg,
    grouper_event_fn *on_event, void *arg);

/*
 * Begins to stop a group; GROUPER_EVENT_EMPTY tells when it is proven empty.
 * Clears the latch of a key whose leader died.  To stop a group that already
 * stops does nothing, unless steps are given: these then replace the rest.
 *
 * key: NULL means "default".
 * steps: stop steps, or NULL for the group's own.
 *
 * Returns GROUPER_OK, also for a known idle key; GROUPER_NOT_FOUND for an
 * unknown key; GROUPER_NO_GROUP if host is NULL or never started anything;
 * GROUPER_INVALID for bad steps; GROUPER_UNKILLABLE if the last stop left
 * processes that withstood SIGKILL.
 */
GROUPER_EXPORT enum grouper_error grouper_stop(struct grouper_host *host,
    const char *key, const char *steps);

/*
 * Clears the latch of a key.  Returns GROUPER_OK, also if none was set;
 * GROUPER_NOT_FOUND; GROUPER_NO_GROUP.
 */
GROUPER_EXPORT enum grouper_error grouper_reset(struct grouper_host *host,
    const char *key);

/*
 * Sends a signal to the main process of a running group.  While its leader does
 * not read, each signal waits once; a real-time signal that waits already is
 * refused with GROUPER_SYSTEM and EAGAIN.
 *
 * Returns GROUPER_OK; GROUPER_NOT_FOUND for an unknown key; GROUPER_NO_GROUP
 * if nothing runs; GROUPER_INVALID for a bad signal number; GROUPER_SYSTEM
 * with errno if the leader cannot be told.
 */
GROUPER_EXPORT enum grouper_error grouper_signal(struct grouper_host *host,
    const char *key, int signum);

/*
 * Asks that another process of a running group be its main process: a daemon
 * has forked itself into the background, or a newer version of itself.  The
 * end of the one before is then nothing to the group but that of any process.
 * ADOPTED tells whether it was done: the leader checks that pid lives and
 * descends from it.  The error is ESRCH if it does not, and ECANCELED if the
 * group stops.
 *
 * The leader is asked for one at a time.  What is asked before it answered
 * waits, and a newer pid takes the place of one that waits.  So each call that
 * returns GROUPER_OK is answered by ADOPTED, unless a newer one took its place
 * or the group ended.
 *
 * When it ends while its parent lives, within the group, that learns its
 * status and the group does not: it counts as an exit with 255.
 *
 * pid: as the processes of the group see it, which at level PIDNS is not as
 *     the host does.
 *
 * Returns GROUPER_OK; GROUPER_NOT_FOUND for an unknown key; GROUPER_NO_GROUP
 * if nothing runs; GROUPER_INVALID for a bad pid, and for a group that was
 * started without GROUPER_ADOPT; GROUPER_SYSTEM with errno if the leader
 * cannot be told.
 */
GROUPER_EXPORT enum grouper_error grouper_adopt(struct grouper_host *host,
    const char *key, pid_t pid);

enum grouper_state {
	GROUPER_STATE_UNKNOWN,
	GROUPER_STATE_IDLE,
	GROUPER_STATE_STARTING,
	GROUPER_STATE_RUNNING,
	GROUPER_STATE_STOPPING,
	GROUPER_STATE_UNKILLABLE,
	GROUPER_STATE_LEADER_DIED,
};

/* The state of a key; UNKNOWN for a key never started or a NULL host. */
GROUPER_EXPORT enum grouper_state grouper_state(const struct grouper_host *host,
    const char *key);

/* "idle", "running", ...; never NULL. */
GROUPER_EXPORT const char *grouper_state_name(enum grouper_state state);

/* The level of containment that a running group reached. */
GROUPER_EXPORT enum grouper_containment
grouper_contained(const struct grouper_host *host, const char *key);

/* "auto", "reaper", "cgroup" or "pidns"; never NULL. */
GROUPER_EXPORT const char *grouper_containment_name(enum grouper_containment
	level);

/*
 * Whether a level can be had here.  Returns 0 or an errno; why, if not NULL,
 * receives a static text that tells what is missing, NULL if nothing is.
 */
GROUPER_EXPORT int grouper_containment_probe(enum grouper_containment level,
    const char **why);

/*
 * Lists every process of a group, the leader left out, as
 * grouper_descendants() does, in the host's own pids.
 * Returns as that, and GROUPER_NOT_FOUND; GROUPER_NO_GROUP if nothing runs;
 * GROUPER_INVALID if list is NULL.
 */
GROUPER_EXPORT enum grouper_error grouper_members(struct grouper_host *host,
    const char *key, struct grouper_processes *list);

/*
 * Runs the host's event base until a key has no live group.  For programs
 * without a loop of their own; callbacks run meanwhile.  Not to be called
 * from a callback.
 *
 * timeout_ms: -1 for none.
 *
 * Returns GROUPER_OK; GROUPER_LEADER_DIED if it ended latched;
 * GROUPER_UNKILLABLE; GROUPER_TIMED_OUT; GROUPER_NOT_FOUND;
 * GROUPER_NO_GROUP; GROUPER_SYSTEM if the event loop failed.
 */
GROUPER_EXPORT enum grouper_error grouper_wait(struct grouper_host *host,
    const char *key, int64_t timeout_ms);

GROUPER_END_DECLS

#endif
