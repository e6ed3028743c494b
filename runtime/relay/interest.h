/* SPDX-License-Identifier: ISC */
/*
 * Interest: which topics have subscribers, in memory that the host shares
 * with those who publish, so that they need not send what nobody gets.
 *
 * The table counts patterns by a hash of their text.  What it says nobody
 * wants, nobody does; what it says somebody wants may be another pattern's,
 * more often the more of them there are.  It is right for every subscription
 * that the host has confirmed.
 *
 * Readers cannot write to it, nor can anybody make it shorter under them: the
 * memory is sealed, see fcntl(2).
 */
#ifndef RUNTIME_RELAY_INTEREST_H
#define RUNTIME_RELAY_INTEREST_H

#include <stdbool.h>
#include <stddef.h>

struct interest;
struct interest_table;

/* The host's table; NULL with errno, EINVAL or ENOSYS from an old kernel. */
struct interest *interest_new(void);
void interest_free(struct interest *interest);

/* What to give to readers; stays the host's. */
int interest_fd(const struct interest *interest);

/*
 * A pattern begins or ends to be there: a topic, or a prefix without '*'.  To
 * no table (NULL) that is nothing.
 */
void interest_add(struct interest *interest, const char *text, size_t length,
    bool prefix);
void interest_remove(struct interest *interest, const char *text, size_t length,
    bool prefix);

/*
 * A reader's view, to be unmapped; the descriptor is not needed after it.
 * NULL with errno, EPROTO for what is no sealed table.
 */
const struct interest_table *interest_map(int fd);
void interest_unmap(const struct interest_table *table);

/* Whether somebody may be subscribed to a topic. */
bool interest_has(const struct interest_table *table, const char *topic,
    size_t length);

#endif
