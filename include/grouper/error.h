/* SPDX-License-Identifier: ISC */
/*
 * The errors of grouper: one enum, one text each.
 */
#ifndef GROUPER_ERROR_H
#define GROUPER_ERROR_H

#include <grouper/export.h>

GROUPER_BEGIN_DECLS

enum grouper_error {
	GROUPER_OK = 0,
	GROUPER_ALREADY_STARTED, /* the key has a live group */
	GROUPER_LEADER_DIED,	 /* latched until stop or reset */
	GROUPER_GROUP_UNDER_APP, /* a worker may not found a group */
	GROUPER_NO_GROUP,	 /* no host, or nothing was started */
	GROUPER_NOT_FOUND,	 /* no such key or name */
	GROUPER_ALREADY_EXISTS,
	GROUPER_ALREADY_PRESENT,
	GROUPER_RUNNING,
	GROUPER_RESTARTING,
	GROUPER_BAD_COMBINATION, /* options that exclude each other */
	GROUPER_START_FAILED,	 /* the command did not come to run */
	GROUPER_UNKILLABLE,	 /* processes withstood SIGKILL */
	GROUPER_TIMED_OUT,
	GROUPER_INVALID, /* an argument is malformed */
	GROUPER_SYSTEM,	 /* a system call failed, see errno */
};

/*
 * The text of an error, in English, without a full stop.  Never NULL; the
 * string is static.  A value outside the enum gives "unknown error".
 */
GROUPER_EXPORT const char *grouper_strerror(enum grouper_error error);

GROUPER_END_DECLS

#endif
