/* SPDX-License-Identifier: ISC */
/*
 * Which leader a process descends from, by its ancestors in /proc.
 */
#ifndef RUNTIME_CONTROL_DESCENT_H
#define RUNTIME_CONTROL_DESCENT_H

#include <sys/types.h>

struct descent {
	pid_t leader; /* nearest ancestor that bears a leader's name; 0 */
	pid_t host;   /* its parent */
	int tty;      /* controlling terminal of the process asked for; 0 */
};

/*
 * Walks up from pid, in the pids of /proc as it is mounted; pid 0 is this
 * process.  A name proves nothing: whoever believes it asks the host.
 *
 * Returns 0; -1 with errno, ESRCH if there is no such process.
 */
int descent_find(pid_t pid, struct descent *descent);

#endif
