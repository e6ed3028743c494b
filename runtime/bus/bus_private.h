/* SPDX-License-Identifier: ISC */
/*
 * What the files of the bus share.
 */
#ifndef RUNTIME_BUS_BUS_PRIVATE_H
#define RUNTIME_BUS_BUS_PRIVATE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <jansson.h>

#include "runtime/bus/bus.h"
#include "runtime/bus/words.h"
#include "runtime/group/host.h"
#include "runtime/relay/groups.h"
#include "runtime/relay/registry.h"
#include "runtime/relay/relay.h"
#include "runtime/relay/settings.h"
#include "runtime/relay/topic.h"

/* A group that has subscribed to something, or may. */
struct bus_member {
	RB_ENTRY(bus_member) link;
	struct bus *bus;
	char *key;
	char **topics; /* of its options: for pipes that are made later */
	size_t ntopics;
	struct relay_member *relay; /* NULL: no pipes so far */
	struct relay_listener *listener;
	struct bus_reaction *reactions;
	size_t nreactions;
};

RB_HEAD(bus_members, bus_member);
RB_PROTOTYPE(bus_members, bus_member, link, bus_compare_members)

int bus_compare_members(const struct bus_member *a, const struct bus_member *b);

/* The names of a subtree; prefix "" is the host's. */
struct bus_scope {
	LIST_ENTRY(bus_scope) link; /* the longest prefix first */
	char *prefix;
	struct registry *names;
};

#define BUS_METHOD_LISTS 5

/* Each of them is looked at for each subscription that comes or goes. */
#define BUS_WATCHED_MAX ((size_t)1 << 16)

struct bus {
	struct host_watch watch;
	struct grouper_host *host;
	struct relay *relay;
	struct settings *settings;
	struct bus_members members;
	LIST_HEAD(, bus_scope) scopes;
	size_t streams;
	size_t unread;	/* bytes that wait in them */
	size_t watched; /* patterns, by streams of presence */
	struct server_methods methods[BUS_METHOD_LISTS];
};

struct bus_member *bus_member(struct bus *bus, const char *key);

/*
 * For functions of programs that embed a host: GROUPER_NO_GROUP without one,
 * GROUPER_INVALID unless the other arguments are valid, else the bus.  Inline,
 * so that the analyzers see what is valid after it.
 */
static inline enum grouper_error
bus_public(struct grouper_host *host, bool valid, struct bus **bus)
{
	if (host == NULL)
		return GROUPER_NO_GROUP;
	if (!valid)
		return GROUPER_INVALID;
	*bus = bus_of(host);
	return *bus != NULL ? GROUPER_OK : GROUPER_SYSTEM;
}

/* Fills in bus->methods. */
void bus_link_methods(struct bus *bus);

/*
 * Events that a daemon knows as signals: sends it those that stand for this
 * one.  Whether there was any.
 */
bool bus_react(struct bus_member *member, const struct relay_event *event);

/*
 * Pipes for a group that has none, or whose reader has gone.  down, up: the
 * caller's.  GROUPER_ALREADY_EXISTS if they are in use.
 */
enum grouper_error bus_open(struct bus *bus, const char *key, int *down,
    int *up);

/*
 * The members that are subscribed to a topic, count of them, in the byte order
 * of their keys; to be freed.  NULL with errno.
 */
const struct relay_member **bus_presence(struct bus *bus, const char *topic,
    size_t *count);

/* The names that a group sees; key "": those of the host. */
struct registry *bus_names(struct bus *bus, const char *key);

/*
 * Sends an event, whose topic is a name, to the group of whoever has the name
 * for this group.  GROUPER_NOT_FOUND if nobody has, or nobody reads there.
 */
enum grouper_error bus_send(struct bus *bus, const char *key,
    const struct relay_event *event);

/*
 * Who calls.  What its group has written to its pipe so far is taken first,
 * so that a request does not overtake it.  key: of its group, "" for none.
 * False: it is another user's and in no group; it was answered.
 */
struct bus_caller {
	const char *key;
	struct bus_member *member; /* NULL: none */
};
bool bus_caller(struct bus *bus, struct call *call, struct bus_caller *caller);

/* Answers with an error of the relay and its parts, errno set. */
void bus_refuse(struct call *call, enum grouper_error error);

/*
 * A parameter that is a word, valid as long as params.  False: it is missing
 * or cannot be one; it was answered.
 */
bool bus_word(struct call *call, const json_t *params, const char *name,
    enum word_kind kind, const char **word);

/*
 * What an event has beside its topic: its name, payload and sender.  payload
 * is to be freed.  False: it was answered.
 */
bool bus_event_of(struct call *call, const json_t *params, struct bus *bus,
    struct bus_caller *caller, struct relay_event *event, char **payload);

/* Methods; each file's list ends with a NULL name. */
extern const struct server_method bus_topic_methods[];
extern const struct server_method bus_event_methods[];
extern const struct server_method bus_stream_methods[];
extern const struct server_method bus_name_methods[];
extern const struct server_method bus_setting_methods[];

#endif
