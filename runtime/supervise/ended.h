/* SPDX-License-Identifier: ISC */
/*
 * How spawned commands ended that nobody has asked for yet, by their keys.
 */
#ifndef RUNTIME_SUPERVISE_ENDED_H
#define RUNTIME_SUPERVISE_ENDED_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>

/* So many are kept; then the oldest is forgotten for the next. */
#define ENDED_MAX 1024

struct ended_entry {
	TAILQ_ENTRY(ended_entry) link;
	RB_ENTRY(ended_entry) by_key;
	char *key;
	int status;  /* of wait(2) */
	bool wanted; /* for the caller's use */
};

/* In the order of their ends, and by their keys. */
struct ended {
	TAILQ_HEAD(, ended_entry) list;
	RB_HEAD(ended_keys, ended_entry) keys;
	size_t count;
};

void ended_init(struct ended *ended);
void ended_fini(struct ended *ended);

/* Without memory the status is lost, and one of the same key anyway. */
void ended_add(struct ended *ended, const char *key, int status);

/* NULL if there is none. */
struct ended_entry *ended_find(const struct ended *ended, const char *key);
void ended_forget(struct ended *ended, struct ended_entry *entry);

#endif
