/* SPDX-License-Identifier: ISC */
/*
 * What cannot happen.  Stays in release builds: a supervisor that goes on
 * with a broken invariant does harm; one that dies is cleaned up after.
 */
#ifndef RUNTIME_UTIL_BUG_H
#define RUNTIME_UTIL_BUG_H

#include <stdlib.h>

#define BUG_IF(condition) \
	do { \
		if (__builtin_expect(!!(condition), 0)) \
			abort(); \
	} while (0)

#define BUG() abort()

#endif
