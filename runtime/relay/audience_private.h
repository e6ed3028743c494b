/* SPDX-License-Identifier: ISC */
/*
 * What the files of audiences share: see audience.h.
 *
 *	audience.c	  patterns and audiences
 *	audience_route.c  which of them a topic reaches
 */
#ifndef RUNTIME_RELAY_AUDIENCE_PRIVATE_H
#define RUNTIME_RELAY_AUDIENCE_PRIVATE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/relay/audience.h"

struct audience_link {
	struct pattern *pattern;
	struct audience *audience;
	LIST_ENTRY(audience_link) entry;
};

struct pattern {
	RB_ENTRY(pattern) entry;
	LIST_HEAD(, audience_link) links;
	uint64_t number;
	bool prefix;
	size_t length; /* without the '*' of a prefix */
	char text[];   /* with it */
};

/* Any order will do; most differ in length. */
int audience_compare_text(const char *one, size_t one_length, const char *other,
    size_t other_length);

/* One by its text; of a prefix, without the '*'. */
struct pattern *audience_find_text(const struct pattern_tree *tree,
    const char *text, size_t length);

/* Frees what is remembered of topics. */
void audience_forget_routes(struct audience_index *index);

#endif
