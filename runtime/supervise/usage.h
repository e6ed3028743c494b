/* SPDX-License-Identifier: ISC */
/*
 * What the groups of a host use, all of them by one look at the processes.
 */
#ifndef RUNTIME_SUPERVISE_USAGE_H
#define RUNTIME_SUPERVISE_USAGE_H

#include <stddef.h>
#include <stdint.h>

struct grouper_host;
struct usage;

struct usage_sum {
	uint64_t memory; /* resident bytes, shared ones in each process */
	int64_t cpu_ms;	 /* of its living processes */
	size_t processes;
};

/* NULL with errno. */
struct usage *usage_take(const struct grouper_host *host);
void usage_free(struct usage *usage);

/* The sum of the group of a key; NULL if it has none, or for NULL. */
const struct usage_sum *usage_find(const struct usage *usage, const char *key);

#endif
