/* SPDX-License-Identifier: ISC */
/*
 * Listing the descendants of a process, as one snapshot of /proc.
 */
#ifndef GROUPER_PROCESS_H
#define GROUPER_PROCESS_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>
#include <grouper/export.h>

GROUPER_BEGIN_DECLS

struct grouper_process {
	pid_t pid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	char state;	      /* R S D T t Z X I, see proc_pid_stat(5); '?'
				   where /proc does not tell: then the
				   name is "?", age_ms is -1, and what
				   follows that is 0 */
	int64_t age_ms;	      /* since the process started */
	uint64_t start_ticks; /* since boot, in clock ticks */
	int64_t user_ms;      /* CPU time in user mode */
	int64_t system_ms;    /* CPU time in kernel mode */
	uint64_t memory;      /* resident set, bytes */
	uid_t uid;	      /* effective user id */
	unsigned int depth;   /* 1: a child of the process asked for */
	int dying;	      /* 1: a signal, or its own exit, is about to
				   end it */
	char name[64];	      /* as ps -o comm */
	char *command;	      /* command line, blanks between arguments,
				   control and non-ASCII bytes as vis(3) with
				   VIS_CSTYLE writes them; "[name]" where it
				   has none; owned by the list */
};

struct grouper_processes {
	struct grouper_process *items;
	size_t count;
	int complete; /* 0: /proc could not be read to the end */
};

/*
 * Lists every descendant of a process, the process itself left out, parents
 * before children.  Zombies are listed (state Z).  A process that begins or
 * ends while the list is taken may be missing or may be gone: a list is
 * evidence of life, never a proof of emptiness.
 *
 * pid: the root, in the caller's PID namespace; 0 means the caller.
 * list: filled; the caller releases it with grouper_processes_free().
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a negative pid or no list;
 * GROUPER_NOT_FOUND if there is no such process; GROUPER_SYSTEM with errno
 * (ENOMEM, EMFILE).  On failure *list is empty.
 *
 * Where the caller sees no /proc of its own, pids and parents come from the
 * kernel's pidfds (Linux 6.13), state and name are '?', and the rest but
 * process group, session and depth is not known; without these GROUPER_SYSTEM
 * with ENOSYS is returned.
 */
GROUPER_EXPORT enum grouper_error grouper_descendants(pid_t pid,
    struct grouper_processes *list);

/* Releases what a list owns and empties it; an empty list is fine. */
GROUPER_EXPORT void grouper_processes_free(struct grouper_processes *list);

GROUPER_END_DECLS

#endif
