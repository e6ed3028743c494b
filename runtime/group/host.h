/* SPDX-License-Identifier: ISC */
/*
 * What the rest of grouper may know of a host beyond the public header.
 */
#ifndef RUNTIME_GROUP_HOST_H
#define RUNTIME_GROUP_HOST_H

#include <sys/types.h>

#include <stdbool.h>

#include <grouper/group.h>

#include "runtime/group/signals.h"

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
 * whose leaders see no host.
 */
void host_wake(struct grouper_host *host, const char *key);

/* The program's text, which leaders map as the host does: os_map_text(). */
void host_set_text(struct grouper_host *host, const void *text, size_t size);

/* The name, "" for an anonymous host; path of the socket, "" if none. */
const char *host_name(const struct grouper_host *host);
const char *host_socket(const struct grouper_host *host);

/*
 * Listens on the control socket, which the first start does by itself; 0, or
 * -1 with errno.  The listener is -1 for an anonymous host.
 */
int host_listen(struct grouper_host *host);
int host_listener(const struct grouper_host *host);
struct loop *host_loop(const struct grouper_host *host);

/* The key that a leader serves, or NULL; *worker tells its kind. */
const char *host_key_of_leader(const struct grouper_host *host, pid_t leader,
    bool *worker);

/* Stops serving the socket and removes it; the host lives on without. */
void host_close(struct grouper_host *host);

/* Called when the host is closed, at the latest when it is freed. */
void host_on_close(struct grouper_host *host, void (*fn)(void *), void *arg);

/* The host frees its loop with itself. */
void host_own_loop(struct grouper_host *host);

#endif
