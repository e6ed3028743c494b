/* SPDX-License-Identifier: ISC */
/*
 * Stop steps: which signals a group is asked to end with, and how long each
 * may take.
 */
#ifndef RUNTIME_GROUP_STEPS_H
#define RUNTIME_GROUP_STEPS_H

#include <stddef.h>
#include <stdint.h>

#define STEPS_MAX 16
#define STEPS_FOREVER ((int64_t)-1)
#define STEPS_TEXT_MAX 1024

struct step {
	int signum;
	int64_t ms; /* until the next step; STEPS_FOREVER in the last */
};

/* Never empty.  The last step is SIGKILL, or waits for ever. */
struct steps {
	size_t count;
	struct step step[STEPS_MAX];
};

/*
 * Parses "TERM 5s, INT 2s, KILL"; a bare time, "5s", means "TERM 5s, KILL";
 * "brutal_kill" means "KILL"; "infinity" means TERM without end.  A step
 * without a time is allowed at the end only: after KILL there is nothing to
 * wait for, and after any other signal it means without end.  Where the last
 * step has a time, KILL follows it.  NULL means "5s".
 *
 * Returns 0, or -1 with *error a static text that says what was expected;
 * steps is then unchanged.
 */
int steps_parse(const char *text, struct steps *steps, const char **error);

/*
 * The text of steps, as steps_parse() reads it, into a buffer; one of
 * STEPS_TEXT_MAX bytes always suffices.  0, or -1 with ENOSPC.
 */
int steps_format(const struct steps *steps, char *buffer, size_t size);

/* The time all steps take together, in ms; STEPS_FOREVER if without end. */
int64_t steps_total(const struct steps *steps);

#endif
