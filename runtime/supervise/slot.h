/* SPDX-License-Identifier: ISC */
/*
 * What stays of a child from one incarnation to the next, by its key.
 */
#ifndef RUNTIME_SUPERVISE_SLOT_H
#define RUNTIME_SUPERVISE_SLOT_H

#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/group.h>

#define SLOT_FDS 3 /* standard input, output and error */

struct incarnation;
struct member_log;
struct supervisor;

struct slot {
	RB_ENTRY(slot) by_key;
	struct supervisor *supervisor;
	char *key;
	struct incarnation *run; /* owned, as all below; NULL: none */
	struct member_log *log;
	uint64_t log_number; /* tells this log from one before it */
	char *said;	     /* by STATUS=; NULL: nothing */
	bool removed;	     /* the machine lists it no longer */
	bool temporary;	     /* it was spawned, and is */
	bool ended;	     /* the main process of its run, or last run */
	struct grouper_usage usage; /* of its last run */
	/* A spawned command's own 0 to 2, -1 for none; counted in *held. */
	int fds[SLOT_FDS];
	size_t *held;
};

RB_HEAD(slots, slot);

/* NULL if there is none. */
struct slot *slot_find(const struct slots *slots, const char *key);

/* The slot of a key, made if it is not there; NULL without memory. */
struct slot *slot_make(struct slots *slots, const char *key,
    struct supervisor *supervisor);

void slot_free(struct slots *slots, struct slot *slot);

/* Takes descriptors over, *held of which are counted; and lets go of them. */
void slot_give(struct slot *slot, const int fds[SLOT_FDS], size_t *held);
void slot_drop(struct slot *slot);

/* The next one in the order of the keys; NULL begins, and ends. */
struct slot *slot_next(const struct slots *slots, struct slot *slot);

#endif
