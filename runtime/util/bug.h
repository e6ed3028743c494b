/* SPDX-License-Identifier: ISC */
/*
 * What cannot happen.  Stays in release builds: a supervisor that goes on
 * with a broken invariant does harm; one that dies is cleaned up after.
 */
#ifndef RUNTIME_UTIL_BUG_H
#define RUNTIME_UTIL_BUG_H

#include <stdlib.h>
#include <unistd.h>

#define BUG_IF(condition) \
	do { \
		if (__builtin_expect(!!(condition), 0)) \
			abort(); \
	} while (0)

#define BUG() abort()

/*
 * For memory without which there is no going on: the end is as that by a bug,
 * but whoever looks for its reason finds it.
 */
#define NO_MEMORY_IF(condition) \
	do { \
		if (__builtin_expect(!!(condition), 0)) { \
			bug_tell_memory(); \
			abort(); \
		} \
	} while (0)

static inline void
bug_tell_memory(void)
{
	static const char text[] = "grouper: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		return; /* there is nobody to tell */
}

#endif
