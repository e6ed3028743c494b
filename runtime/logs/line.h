/* SPDX-License-Identifier: ISC */
/*
 * A line of a member's output, on its way to sinks, rings and readers.
 */
#ifndef RUNTIME_LOGS_LINE_H
#define RUNTIME_LOGS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/logs/lines.h"

struct log_line {
	const char *text;   /* any bytes, no newline, not terminated */
	size_t length;	    /* LINES_MAX at most */
	unsigned int flags; /* of enum lines_flag */
	uint64_t seq;	    /* its number among its child's, from 1 */
	int64_t time_us;    /* when it was read, since the epoch */
};

#endif
