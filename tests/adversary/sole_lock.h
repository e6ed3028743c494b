/* SPDX-License-Identifier: ISC */
/*
 * What makes a member the only one of its key: it locks a file of that name,
 * and so does, by inheriting the lock, every process that it starts.  One that
 * cannot have the lock at once met another incarnation, or what one left: it
 * says so in the file "twice".
 *
 * All of it ends the process when the system refuses.
 */

#ifndef TESTS_SOLE_LOCK_H
#define TESTS_SOLE_LOCK_H

#include <sys/types.h>

#include <stdbool.h>

#define SOLE_FAILED 98
#define SOLE_MET_ANOTHER 99

struct sole_lock {
	int fd;
	unsigned int starts; /* this one counted */
	bool ready;	     /* there is a descriptor 3 to tell it by */
};

_Noreturn void sole_die(const char *what);

/* The lock of GROUPER_KEY, in a directory. */
void sole_lock(struct sole_lock *lock, const char *directory);

/* A newline on descriptor 3, if there was one. */
void sole_ready(const struct sole_lock *lock);

/*
 * Writes the process, its number of starts and a helper (0: none) into the
 * file, as kills_read() takes them.
 */
void sole_tell(const struct sole_lock *lock, pid_t helper);

#endif
