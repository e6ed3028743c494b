/* SPDX-License-Identifier: ISC */
/*
 * Walks over the descendants of this process, or of one of its children,
 * and hands out each with proof that it is one: a pid read from a list may
 * be another's by the time it is used.
 */
#ifndef RUNTIME_GROUP_WALK_H
#define RUNTIME_GROUP_WALK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "runtime/os/os.h"

struct walk_entry {
	pid_t pid;
	pid_t ppid;
	uint64_t start_ticks;
	unsigned int depth;
	bool dead;
};

/* Whether a child of this process is not to be entered. */
typedef bool walk_skip_fn(pid_t pid, void *arg);

/*
 * The room a walk needs.  It is mapped at the start and costs nothing until
 * it is used; where even the mapping fails, a small buffer serves, and a
 * walk is then incomplete where there are more processes than it holds.
 */
struct walk {
	struct os_proc proc;
	struct walk_entry *queue;
	pid_t *pids;
	size_t capacity;
	bool mapped;
	bool moved;  /* by the last walk: a parent died under it, and its
		       children, ours by now, may have been missed */
	size_t dead; /* found so by it, perhaps since it had our children */
	unsigned char *marks; /* one bit for each pid, see walk_mark() */
	walk_skip_fn *skip;
	void *skip_arg;
};

/*
 * A descendant was found.  pidfd is -1 where no descriptor was to be had;
 * direct is then true, since only our own children are safe to signal by
 * pid: they keep it until we reap them.
 */
struct walk_found {
	const struct os_stat *stat;
	int pidfd;
	bool direct;
	unsigned int depth;
};
typedef void walk_fn(const struct walk_found *found, void *arg);

/*
 * Sets all but skip, which is the caller's to fill.  0, or -1 with errno
 * where the process table cannot be read; each walk then tries again.
 */
int walk_init(struct walk *walk);
void walk_fini(struct walk *walk);

/* Whether there is no /proc, and a walk asks for each pid there may be. */
bool walk_is_blind(const struct walk *walk);

/*
 * Calls fn for each descendant of root, parents before children.  root 0 is
 * this process; else it must be an unreaped child of it.  Async-signal-safe.
 *
 * Returns 0 if the walk saw all that was there, 1 if something is known to
 * be missing (too many, no descriptors), -1 with errno if nothing could be
 * read.
 */
int walk_run(struct walk *walk, pid_t root, walk_fn *fn, void *arg);

/*
 * Remembers pids from walk to walk: walk_mark() tells whether a pid is new
 * since walk_clear_marks().
 */
bool walk_mark(struct walk *walk, pid_t pid);
void walk_clear_marks(struct walk *walk);

/*
 * Writes this process's own children into walk->pids, those left out that
 * skip names.  Nothing must be reaped between the first and the last byte
 * that the kernel hands out, which holds within this call; then the list
 * misses no child that was there before it began.
 *
 * Returns their number; -1 with errno, EAGAIN if there may be some that could
 * not be read: 0 is a proof.
 */
ssize_t walk_children(struct walk *walk);

/* Signals what was found, by handle, or by pid if it is our own child. */
int walk_signal(const struct walk_found *found, int signum);

#endif
