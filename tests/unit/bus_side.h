/* SPDX-License-Identifier: ISC */
/*
 * The bus of a trial's host, and its clients: what the bus's suites share.
 */
#ifndef TESTS_UNIT_BUS_SIDE_H
#define TESTS_UNIT_BUS_SIDE_H

#include "client.h"
#include "runtime/bus/bus.h"

/* The code of an error. */
#define CODE(error) (-32000 - GROUPER_##error)

/* No answer, or what a pipe holds, is longer. */
#define BUS_SIDE_MAX 4096

struct bus *bus_side(struct trial *trial);

/* A request's result as JSON, the keys of objects in order. */
void bus_side_gives(struct client *client, const char *request,
    const char *expected);

/* A request is answered by an error, whose message contains why. */
void bus_side_refuses(struct client *client, const char *request, int code,
    const char *why);

/* The params of the notification that comes next. */
void bus_side_hears(struct client *client, const char *expected);

/* The ends that a member has. */
struct bus_pipes {
	int down;
	int up;
};

/* A member of this key, subscribed to one topic. */
void bus_side_join(struct trial *trial, const char *key, char *topic,
    struct bus_pipes *pipes);
void bus_side_close(struct bus_pipes *pipes);

/* What comes down next, in one piece. */
void bus_side_reads(struct trial *trial, struct bus_pipes *pipes,
    const char *expected);

#endif
