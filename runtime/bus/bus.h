/* SPDX-License-Identifier: ISC */
/*
 * The message bus of a host: its groups as members of the relay, the names
 * they registered, the settings they share, and the methods of the control
 * socket by which they are reached.
 */
#ifndef RUNTIME_BUS_BUS_H
#define RUNTIME_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include <grouper/error.h>

#include "runtime/control/server.h"

struct bus;
struct environment;
struct grouper_host;
struct relay;
struct settings;

/* What a member gets its pipes as, unless these are taken. */
#define BUS_EVENTS_FD 8
#define BUS_COMMANDS_FD 9

/*
 * The bus of a host, made at the first call and freed with the host.  NULL
 * with errno.  bus_find() makes none.
 */
struct bus *bus_of(struct grouper_host *host);
struct bus *bus_find(const struct grouper_host *host);

struct relay *bus_relay(struct bus *bus);
struct settings *bus_settings(struct bus *bus);

/* An event, by its name or its topic, that becomes a signal. */
struct bus_reaction {
	char *event;
	int signum;
};

struct bus_member_options {
	const char *key;
	char *const *topics; /* patterns, NULL at the end; NULL: none */
	bool messages;	     /* it gets pipes at its start */
	const struct bus_reaction *reactions;
	size_t nreactions;
};

/*
 * Before a group is started: subscribes its key.  What it is subscribed to
 * holds until the group is empty, or bus_leave().
 *
 * Pipes are made if it is to have messages, or has topics without reactions.
 * down, up: the member's ends, the caller's to be closed when the group has
 * them; -1 if there are none.
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a bad topic; GROUPER_SYSTEM with
 * errno.
 */
enum grouper_error bus_join(struct bus *bus,
    const struct bus_member_options *options, int *down, int *up);

/* It was not started after all. */
void bus_leave(struct bus *bus, const char *key);

/*
 * Takes what a group has written to its pipe so far: before anything is told
 * of it that others may wait for.
 */
void bus_drain(struct bus *bus, const char *key);

/*
 * Gives a subtree registered names of its own: those of keys that are prefix,
 * or begin with prefix and '/'.  0, or -1 with errno.
 */
int bus_own_names(struct bus *bus, const char *prefix);

/*
 * Takes them from the subtrees that `keeps` says false for; what was registered
 * there is forgotten.
 */
void bus_share_names(struct bus *bus,
    bool (*keeps)(const char *prefix, void *arg), void *arg);

/*
 * The methods, to be put behind others by their `next`; NULL with errno if
 * there can be no bus.  They live as long as the host.
 */
const struct server_methods *bus_methods(struct grouper_host *host);

#endif
