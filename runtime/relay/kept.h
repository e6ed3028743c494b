/* SPDX-License-Identifier: ISC */
/*
 * Messages that are kept until somebody takes them.
 */
#ifndef RUNTIME_RELAY_KEPT_H
#define RUNTIME_RELAY_KEPT_H

#include <sys/queue.h>

#include <grouper/message.h>

/* A message with texts of its own, freed by free(3). */
struct kept {
	STAILQ_ENTRY(kept) entry;
	struct grouper_message message;
	size_t size; /* of all of it */
	char texts[];
};
STAILQ_HEAD(kept_list, kept);

/* Copies a message to the end; NULL without memory. */
struct kept *kept_add(struct kept_list *list,
    const struct grouper_message *message);

/* Takes the first off; NULL if there is none. */
struct kept *kept_take(struct kept_list *list);

#endif
