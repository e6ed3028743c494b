/* SPDX-License-Identifier: ISC */
/*
 * The primitives a program uses on itself: become a group, end every
 * descendant, become an ordinary process again.  They need no host, no
 * event loop and no privilege.
 *
 * What was started before the call and descends from the caller is part of
 * the group; a process that runs elsewhere cannot be adopted, since Unix
 * gives no way to become the parent of another's child.
 */
#ifndef GROUPER_SELF_H
#define GROUPER_SELF_H

#include <sys/types.h>

#include <stddef.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/process.h>

GROUPER_BEGIN_DECLS

enum grouper_commandeer_flags {
	GROUPER_NEW_SESSION = 1 << 0, /* setsid(2); not for a group leader */
	GROUPER_NEW_PGROUP = 1 << 1,  /* setpgid(0, 0) */
};

/* What grouper_commandeer changed; the caller's storage, opaque. */
struct grouper_self {
	size_t size;
	int in_use; /* until it is released */
	int was_subreaper;
	pid_t old_pgid;
	pid_t old_sid;
};
#define GROUPER_SELF_INIT \
	{ \
		sizeof(struct grouper_self), 0, 0, 0, 0 \
	}

/*
 * Makes the calling process a group: a child subreaper, see
 * PR_SET_CHILD_SUBREAPER in prctl(2), so that every orphan among its
 * descendants becomes its child; and, as asked by flags, the leader of a
 * new session or process group.
 *
 * self: initialised with GROUPER_SELF_INIT; remembers what was before, until
 *     grouper_release(), after which it may be used again.
 *
 * Returns GROUPER_OK; GROUPER_INVALID for unknown flags, a wrong size or a
 * self that is in use; GROUPER_BAD_COMBINATION for both flags; GROUPER_SYSTEM
 * with errno (EPERM: setsid by a process group leader).  On failure nothing
 * has changed.
 */
GROUPER_EXPORT enum grouper_error grouper_commandeer(unsigned int flags,
    struct grouper_self *self);

/*
 * Undoes what can be undone: the subreaper attribute, and the process group
 * if the old one still exists in this session.  A session cannot be given
 * back.  Kills nothing.  Returns GROUPER_OK; GROUPER_INVALID, also for a self
 * that is not in use; GROUPER_SYSTEM with errno if the attribute could not be
 * set back.
 */
GROUPER_EXPORT enum grouper_error grouper_release(struct grouper_self *self);

/*
 * Ends every descendant of the calling process and returns when the kernel
 * has shown that none is left (waitid(2) answers ECHILD).  The caller should
 * be a group (grouper_commandeer), or orphans escape to another reaper.
 * Children are reaped: their statuses are lost to the caller's own wait.
 * Blocks; not to be called from a signal handler, nor while another thread
 * waits for or starts children.
 *
 * steps: stop steps, as "TERM 5s, KILL"; NULL means "5s" (TERM, five
 *     seconds, KILL).
 * left: if not NULL, receives what could not be ended (another user's
 *     process after a set-uid exec, or one stuck in the kernel); the caller
 *     frees it with grouper_processes_free().
 *
 * Returns GROUPER_OK if empty; GROUPER_UNKILLABLE if processes withstood
 * SIGKILL; GROUPER_INVALID for bad steps; GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_sweep(const char *steps,
    struct grouper_processes *left);

GROUPER_END_DECLS

#endif
