/* SPDX-License-Identifier: ISC */
/*
 * What the rest of grouper may know of a host beyond the public header.
 */
#ifndef RUNTIME_GROUP_HOST_H
#define RUNTIME_GROUP_HOST_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include <grouper/group.h>

#include "runtime/group/signals.h"

struct environment;
struct loop;

/* As grouper_host_new(), on a loop of the caller's. */
enum grouper_error host_new(struct loop *loop,
    const struct grouper_host_options *options, struct grouper_host **out);

/* What GROUPER_INHERIT_SIGNALS gives to commands; copied. */
void host_set_signals(struct grouper_host *host, const struct signals *saved);

/*
 * To be called on SIGCHLD by a program that reads signals: lets a stopped
 * leader go on.  Everything else works without.
 */
void host_on_child(struct grouper_host *host);

/*
 * Asks for a SIGCONT as soon as the main process of a group is not stopped
 * any more, for a host that is about to stop with it.  Not at level PIDNS,
 * whose leaders see no host.  False if there is news of the group, which may
 * be its end: then nobody will send one, and the host is not to stop.
 */
bool host_wake(struct grouper_host *host, const char *key);

/*
 * For a program with one thread that is nothing but the host: leaders are
 * forked without its heap and descriptors, see light.h, and a group is over
 * when its leader has told it empty; the leader ends meanwhile, or at the
 * latest when the host is freed.  Best effort.
 */
void host_be_quick(struct grouper_host *host);

/* The program's text, which leaders map as the host does: os_map_text(). */
void host_set_text(struct grouper_host *host, const void *text, size_t size);

/* The name, "" for an anonymous host; path of the socket, "" if none. */
const char *host_name(const struct grouper_host *host);
const char *host_socket(const struct grouper_host *host);

/*
 * Sets GROUPER_SOCKET and GROUPER_HOST, or removes those of another host; 0,
 * or -1 with errno.
 */
int host_name_in(const struct grouper_host *host, struct environment *env);

/*
 * Makes the environment of a group for which the caller's is asked: the names
 * and pipes of a group that the caller is in are none of its own.  0, or -1
 * with errno and nothing made.
 */
int host_environment(const struct grouper_host *host, const char *key,
    struct environment *env);

/*
 * Listens on the control socket, which the first start does by itself; 0, or
 * -1 with errno.  The listener is -1 for an anonymous host.
 */
int host_listen(struct grouper_host *host);
int host_listener(const struct grouper_host *host);
struct loop *host_loop(const struct grouper_host *host);

/* A group that has a leader now. */
struct host_group {
	const char *key;
	enum grouper_state state;
	pid_t main; /* 0: not executed yet */
	int64_t age_us;
};
typedef void host_group_fn(const struct host_group *group, void *arg);
void host_each_group(struct grouper_host *host, host_group_fn *fn, void *arg);

/* The key that a leader serves, or NULL; *worker tells its kind. */
const char *host_key_of_leader(const struct grouper_host *host, pid_t leader,
    bool *worker);

/* Stops serving the socket and removes it; the host lives on without. */
void host_close(struct grouper_host *host);

/*
 * What is attached to a host, part of a struct of its owner's; each function
 * may be NULL.
 */
struct host_watch {
	LIST_ENTRY(host_watch) link;
	void (*on_empty)(const char *key, void *arg); /* before it is told */
	void (*on_close)(void *arg); /* at the latest when the host is freed */
	void (*on_free)(void *arg);  /* after all groups; may free the watch */
	void *arg;
};
void host_watch(struct grouper_host *host, struct host_watch *watch);

/* The arg of the watch with this on_free; NULL: there is none. */
void *host_watch_arg(const struct grouper_host *host,
    void (*on_free)(void *arg));

/* The host frees its loop with itself. */
void host_own_loop(struct grouper_host *host);

#endif
