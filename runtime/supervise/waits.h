/* SPDX-License-Identifier: ISC */
/*
 * Requests that are answered when children have got somewhere.
 */
#ifndef RUNTIME_SUPERVISE_WAITS_H
#define RUNTIME_SUPERVISE_WAITS_H

#include <stdbool.h>

#include <jansson.h>

#include "runtime/control/server.h"

struct supervisor;
struct waits;

enum waits_for {
	WAITS_STARTED, /* ready; a start that failed is an error */
	WAITS_SCALED,  /* the same, or gone: what comes or goes */
	WAITS_READY,   /* ready, however often it takes */
	WAITS_EMPTY,   /* idle or done, the group empty */
	WAITS_STOPPED, /* the same, or started again */
	WAITS_ENDED,   /* the main process ended: its status */
};

/* The status of a temporary child that was spawned is kept for WAITS_ENDED. */

struct waits *waits_new(struct supervisor *supervisor);
void waits_free(struct waits *waits);

/*
 * Answers the call when all children have got there that these keys stand
 * for now, or when it is certain that one will not; perhaps at once.  With
 * {"status": N}, N the first exit status that was not 0.  An unknown key is
 * an error, but to WAITS_SCALED, _EMPTY and _STOPPED: it may just have gone.
 */
void waits_add(struct waits *waits, struct call *call, enum waits_for what,
    const char *const *keys, size_t count);

void waits_changed(struct waits *waits);
void waits_ended(struct waits *waits, const char *key, int status);
void waits_failed(struct waits *waits, const char *key, const char *why);

/* Whether the status of a key is kept; false if there was none to forget. */
bool waits_keeps(const struct waits *waits, const char *key);
bool waits_forget(struct waits *waits, const char *key);

#endif
