/* SPDX-License-Identifier: ISC */
/*
 * What happened: the last events of a host, each with its number, and those
 * who wait for more.
 */
#ifndef RUNTIME_CONTROL_EVENTS_H
#define RUNTIME_CONTROL_EVENTS_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct events;

/* Who is to know that there is more; linked while it waits. */
struct events_reader {
	TAILQ_ENTRY(events_reader) link;
	uint64_t next; /* the number of the event that it wants */
	void (*wake)(void *arg);
	void *arg;
};

/* Keeps the last `max` events; NULL without memory. */
struct events *events_new(size_t max);
void events_free(struct events *events);

/*
 * Adds an event, an object that is taken over and given its members "seq" and
 * "time" (seconds since 1970).  Without memory it is a gap for the readers.
 */
void events_add(struct events *events, json_t *event);

/* The number that the next event will have; the first ever is 1. */
uint64_t events_end(const struct events *events);

void events_join(struct events *events, struct events_reader *reader);
void events_leave(struct events *events, struct events_reader *reader);

/*
 * The event that the reader wants, a new reference, and moves the reader on;
 * NULL if it has not come yet.  What was dropped in between is told by an
 * object with type "gap", "from" and "to", the numbers that are missing.
 */
json_t *events_read(struct events *events, struct events_reader *reader);

/*
 * All that a reader from this number on would read, as the text of an array,
 * to be freed; NULL without memory.  As objects they would be ten times that.
 */
char *events_text(struct events *events, uint64_t since);

#endif
