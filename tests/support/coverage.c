/* SPDX-License-Identifier: ISC */
/*
 * Only in builds for coverage, where every call of _exit() comes here by the
 * linker's --wrap: gcov writes its counters at exit(), which leaders never
 * call.  Resetting them lets the parent of a vfork() write its own.
 */

#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

void
__wrap__exit(int status)
{
	__gcov_dump();
	__gcov_reset();
	__real__exit(status);
}
