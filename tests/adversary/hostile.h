/* SPDX-License-Identifier: ISC */
/*
 * What the files of the hostile program share.  Everything here ends the
 * process with status 99 and a line on stderr when the system refuses, so that
 * a mode that could not do its evil is never taken for a group that was
 * stopped well.
 */

#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#define HOSTILE_FAILED 99

struct mode {
	const char *name;
	void (*start)(void); /* returns when all is in place */
	const char *text;
};

/* Each ends with an empty entry. */
extern const struct mode escape_modes[];
extern const struct mode refuse_modes[];
extern const struct mode storm_modes[];
extern const struct mode mixed_modes[];

_Noreturn void die(const char *what);

/* Pauses for ever, whatever handlers run. */
_Noreturn void stay(void);

/*
 * A count in memory that all forked processes share: each calls arrive() when
 * it stands as it should, and whoever started them waits for their number.
 */
void arrive(void);
void await_arrivals(int count);

/* Forks a child that runs fn, and exits with 0 should fn return. */
pid_t spawn(void (*fn)(void));

/* The same, but the process in between exits: fn runs in an orphan. */
void spawn_orphan(void (*fn)(void));

/* A raw clone(2) with a copy of the memory, as fork but for the flags. */
pid_t clone_process(unsigned long flags);

/*
 * Becomes an ordinary user of a number that nobody else has, unless it is one
 * already, with a limit of processes: before any storm.
 */
void limit_storm(int processes);

/* All signals that can be, ignored or blocked, in this process. */
void ignore_signals(void);
void block_signals(void);

/* Path of this program, for exec. */
const char *own_path(void);

/* The copy of this program that the test made set-uid root. */
const char *setuid_copy(void);

/*
 * Pieces that several modes use; each runs in a process of its own, says
 * arrive(), and never returns.
 */
void in_background(void);
void in_own_group(void);
void in_own_session(void);
void without_descriptors(void);
void in_vfork(void);

#endif
