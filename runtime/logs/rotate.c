/* SPDX-License-Identifier: ISC */
/*
 * Old log files by number: see rotate.h.  From the oldest to the youngest,
 * each step one rename(2), so that at no time a file has no name.
 */
#include "runtime/logs/rotate.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* n: 0 for path itself. */
static bool
numbered(char *to, const char *path, unsigned int n)
{
	int length;

	if (n == 0)
		length = snprintf(to, PATH_MAX, "%s", path);
	else
		length = snprintf(to, PATH_MAX, "%s.%u", path, n);
	if (length >= 0 && length < PATH_MAX)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

/* The lowest number up to keep whose file may be overwritten. */
static int
find_last(const char *path, unsigned int keep, unsigned int *last)
{
	char name[PATH_MAX];
	struct stat st;

	for (*last = 1; *last < keep; (*last)++) {
		if (!numbered(name, path, *last))
			return -1;
		if (lstat(name, &st) == -1)
			return errno == ENOENT ? 0 : -1;
	}
	return 0;
}

int
rotate(const char *path, unsigned int keep)
{
	char from[PATH_MAX], to[PATH_MAX];
	unsigned int n;

	if (find_last(path, keep, &n) == -1)
		return -1;
	for (; n > 0; n--)
		if (!numbered(from, path, n - 1) || !numbered(to, path, n) ||
		    rename(from, to) == -1)
			return -1;
	return 0;
}
