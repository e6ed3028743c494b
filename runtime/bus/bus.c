/* SPDX-License-Identifier: ISC */
/*
 * The bus of a host and its members, see bus.h.
 */
#include "runtime/bus/bus.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus/bus_private.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"

int
bus_compare_members(const struct bus_member *a, const struct bus_member *b)
{
	return strcmp(a->key, b->key);
}

RB_GENERATE(bus_members, bus_member, link, bus_compare_members)

struct bus_member *
bus_member(struct bus *bus, const char *key)
{
	struct bus_member wanted = { .key = (char *)(uintptr_t)key };

	return RB_FIND(bus_members, &bus->members, &wanted);
}

/* Members */

static void
leave_relay(struct bus_member *member)
{
	if (member->listener != NULL)
		relay_listener_free(member->listener);
	if (member->relay != NULL)
		relay_member_free(member->relay);
}

static void
member_free(struct bus_member *member)
{
	size_t i;

	leave_relay(member);
	for (i = 0; i < member->ntopics; i++)
		free(member->topics[i]);
	for (i = 0; i < member->nreactions; i++)
		free(member->reactions[i].event);
	free((void *)member->topics);
	free(member->reactions);
	free(member->key);
	free(member);
}

static void
member_remove(struct bus_member *member)
{
	RB_REMOVE(bus_members, &member->bus->members, member);
	member_free(member);
}

static size_t
count_topics(char *const *topics)
{
	size_t count = 0;

	while (topics != NULL && topics[count] != NULL)
		count++;
	return count;
}

/* Copies what an option lists; 0, or -1. */
static int
copy_options(struct bus_member *member,
    const struct bus_member_options *options)
{
	size_t i, ntopics = count_topics(options->topics);

	member->topics = calloc(ntopics + 1, sizeof(*member->topics));
	member->reactions = calloc(options->nreactions + 1,
	    sizeof(*member->reactions));
	if (member->topics == NULL || member->reactions == NULL)
		return -1;
	for (; member->ntopics < ntopics; member->ntopics++) {
		i = member->ntopics;
		member->topics[i] = strdup(options->topics[i]);
		if (member->topics[i] == NULL)
			return -1;
	}
	for (; member->nreactions < options->nreactions; member->nreactions++) {
		i = member->nreactions;
		member->reactions[i].signum = options->reactions[i].signum;
		member->reactions[i].event =
		    strdup(options->reactions[i].event);
		if (member->reactions[i].event == NULL)
			return -1;
	}
	return 0;
}

static struct bus_member *
member_new(struct bus *bus, const struct bus_member_options *options)
{
	struct bus_member *member = calloc(1, sizeof(*member));

	if (member == NULL)
		return NULL;
	member->bus = bus;
	member->key = strdup(options->key);
	if (member->key == NULL || copy_options(member, options) == -1) {
		member_free(member);
		return NULL;
	}
	RB_INSERT(bus_members, &bus->members, member);
	return member;
}

bool
bus_react(struct bus_member *member, const struct relay_event *event)
{
	struct grouper_host *host = member->bus->host;
	const struct bus_reaction *reaction;
	enum grouper_error error;
	bool reacted = false;
	size_t i;

	for (i = 0; i < member->nreactions; i++) {
		reaction = &member->reactions[i];
		if (strcmp(reaction->event, event->event) != 0 &&
		    strcmp(reaction->event, event->topic) != 0)
			continue;
		error = grouper_signal(host, member->key, reaction->signum);
		/* One that waits already stands for this one, too. */
		reacted |= error == GROUPER_OK ||
		    (error == GROUPER_SYSTEM && errno == EAGAIN);
	}
	return reacted;
}

static bool
on_event(const struct relay_event *event, uint64_t lost, void *arg)
{
	struct bus_member *member = arg;

	if (lost > 0)
		log_warn("%s: %ju events were not told to it", member->key,
		    (uintmax_t)lost);
	bus_react(member, event);
	return true;
}

/* On behalf of the relay's member; *listener: NULL if there is nothing to. */
static enum grouper_error
listen_for(struct bus_member *member, const struct relay_member *relay,
    struct relay_listener **listener)
{
	struct relay_listener_options options = {
		.patterns = (const char *const *)member->topics,
		.npatterns = member->ntopics,
		.fn = on_event,
		.arg = member,
		.member = relay,
	};

	*listener = NULL;
	if (member->nreactions == 0)
		return GROUPER_OK;
	return relay_listener_new(member->bus->relay, &options, listener);
}

static enum grouper_error
subscribe_again(struct bus_member *member)
{
	enum grouper_error error = GROUPER_OK;
	size_t i;

	for (i = 0; i < member->ntopics && error == GROUPER_OK; i++)
		error = relay_member_subscribe(member->relay,
		    member->topics[i]);
	return error;
}

/*
 * What it had it keeps until there is something in its place, which has no
 * patterns until then: to whoever watches, a group that comes before it leaves
 * would be gone.
 */
static enum grouper_error
make_pipes(struct bus_member *member, bool pipeless, int *down, int *up)
{
	bool again = member->relay != NULL;
	struct relay_member_options options = {
		.key = member->key,
		.patterns = (const char *const *)member->topics,
		.npatterns = again ? 0 : member->ntopics,
		.pipeless = pipeless,
	};
	struct relay_listener *listener;
	struct relay_member *relay;
	enum grouper_error error;
	int saved;

	error = relay_member_new(member->bus->relay, &options, &relay, down,
	    up);
	if (error != GROUPER_OK)
		return error;
	error = listen_for(member, relay, &listener);
	if (error == GROUPER_OK) {
		leave_relay(member);
		member->relay = relay;
		member->listener = listener;
		if (again)
			error = subscribe_again(member);
	} else {
		saved = errno;
		relay_member_free(relay);
		errno = saved;
	}
	if (error != GROUPER_OK) {
		fd_close(down);
		fd_close(up);
	}
	return error;
}

enum grouper_error
bus_join(struct bus *bus, const struct bus_member_options *options, int *down,
    int *up)
{
	bool pipes = options->messages ||
	    (count_topics(options->topics) > 0 && options->nreactions == 0);
	struct bus_member *member;
	enum grouper_error error;
	int saved;

	*down = *up = -1;
	bus_leave(bus, options->key);
	if (!pipes && options->nreactions == 0)
		return GROUPER_OK;
	member = member_new(bus, options);
	if (member == NULL)
		return GROUPER_SYSTEM;
	error = make_pipes(member, !pipes, down, up);
	if (error != GROUPER_OK) {
		saved = errno;
		member_remove(member);
		errno = saved;
	}
	return error;
}

enum grouper_error
bus_open(struct bus *bus, const char *key, int *down, int *up)
{
	const struct bus_member_options options = { .key = key };
	struct bus_member *member = bus_member(bus, key);

	*down = *up = -1;
	if (member == NULL)
		member = member_new(bus, &options);
	else if (member->relay != NULL && relay_member_connected(member->relay))
		return GROUPER_ALREADY_EXISTS;
	if (member == NULL)
		return GROUPER_SYSTEM;
	/* The analyzer does not see that the tree has it. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	return make_pipes(member, false, down, up);
}

void
bus_leave(struct bus *bus, const char *key)
{
	struct bus_member *member = bus_member(bus, key);

	if (member != NULL)
		member_remove(member);
}

void
bus_drain(struct bus *bus, const char *key)
{
	struct bus_member *member = bus_member(bus, key);

	if (member != NULL && member->relay != NULL)
		relay_drain_uplink(member->relay);
}

/* Names */

static struct bus_scope *
scope_of(struct bus *bus, const char *key)
{
	struct bus_scope *scope;
	size_t length;

	LIST_FOREACH(scope, &bus->scopes, link) {
		length = strlen(scope->prefix);
		if (length == 0 ||
		    (strncmp(scope->prefix, key, length) == 0 &&
			(key[length] == '/' || key[length] == '\0')))
			break;
	}
	return scope;
}

struct registry *
bus_names(struct bus *bus, const char *key)
{
	return scope_of(bus, key)->names;
}

int
bus_own_names(struct bus *bus, const char *prefix)
{
	struct bus_scope *scope, *at, *last = NULL;

	LIST_FOREACH(at, &bus->scopes, link) {
		if (strcmp(at->prefix, prefix) == 0)
			return 0;
		if (strlen(at->prefix) >= strlen(prefix))
			last = at;
	}
	scope = calloc(1, sizeof(*scope));
	if (scope == NULL)
		return -1;
	scope->prefix = strdup(prefix);
	scope->names = registry_new();
	if (scope->prefix == NULL || scope->names == NULL) {
		registry_free(scope->names);
		free(scope->prefix);
		free(scope);
		return -1;
	}
	if (last != NULL)
		LIST_INSERT_AFTER(last, scope, link);
	else
		LIST_INSERT_HEAD(&bus->scopes, scope, link);
	return 0;
}

static void
scope_free(struct bus_scope *scope)
{
	LIST_REMOVE(scope, link);
	registry_free(scope->names);
	free(scope->prefix);
	free(scope);
}

void
bus_share_names(struct bus *bus, bool (*keeps)(const char *prefix, void *arg),
    void *arg)
{
	struct bus_scope *scope, *next;

	for (scope = LIST_FIRST(&bus->scopes); scope != NULL; scope = next) {
		next = LIST_NEXT(scope, link);
		/* The last is the host's own. */
		if (next != NULL && !keeps(scope->prefix, arg))
			scope_free(scope);
	}
}

/* The bus */

static void
on_empty(const char *key, void *arg)
{
	struct bus *bus = arg;

	bus_drain(bus, key);
	bus_leave(bus, key);
	registry_drop_group(bus_names(bus, key), key);
}

static void
bus_free(void *arg)
{
	struct bus *bus = arg;
	struct bus_member *member;
	struct bus_scope *scope;

	/* The analyzer does not see that each is taken off. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((member = RB_ROOT(&bus->members)) != NULL)
		member_remove(member);
	while ((scope = LIST_FIRST(&bus->scopes)) != NULL)
		scope_free(scope);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	settings_free(bus->settings);
	relay_free(bus->relay);
	free(bus);
}

struct bus *
bus_find(const struct grouper_host *host)
{
	return host_watch_arg(host, bus_free);
}

struct bus *
bus_of(struct grouper_host *host)
{
	struct bus *bus = bus_find(host);

	if (bus != NULL)
		return bus;
	bus = calloc(1, sizeof(*bus));
	if (bus == NULL)
		return NULL;
	bus->host = host;
	RB_INIT(&bus->members);
	LIST_INIT(&bus->scopes);
	/* A member that has gone is seen by the write, not by a signal. */
	signal(SIGPIPE, SIG_IGN);
	bus->relay = relay_new(host_loop(host), 0);
	bus->settings = settings_new();
	if (bus->relay == NULL || bus->settings == NULL ||
	    bus_own_names(bus, "") == -1) {
		if (bus->relay != NULL)
			relay_free(bus->relay);
		if (bus->settings != NULL)
			settings_free(bus->settings);
		free(bus);
		return NULL;
	}
	bus_link_methods(bus);
	bus->watch = (struct host_watch) { .on_empty = on_empty,
		.on_free = bus_free,
		.arg = bus };
	host_watch(host, &bus->watch);
	return bus;
}

struct relay *
bus_relay(struct bus *bus)
{
	return bus->relay;
}

struct settings *
bus_settings(struct bus *bus)
{
	return bus->settings;
}
