/* SPDX-License-Identifier: ISC */
/*
 * Which host is meant: the rules by which clients find theirs.
 */
#ifndef RUNTIME_CONTROL_HOSTS_H
#define RUNTIME_CONTROL_HOSTS_H

#include <stddef.h>

#include <grouper/error.h>

#include "runtime/control/client.h"

/*
 * Calls fn for the socket of every host of this user's runtime directory, in
 * the order of their names; the host may have died.  0, or -1 with errno.
 */
typedef void hosts_fn(const char *name, const char *path, void *arg);
int hosts_each(hosts_fn *fn, void *arg);

/*
 * Connects to the host that listens at socket, else to the one of this name,
 * else to $GROUPER_SOCKET, else to the only one of this user.  Root may name
 * the socket of anybody's host.
 *
 * socket, name: may be NULL; socket comes first.
 * client: set on success, for client_free().
 * why: receives a line for people on failure, with room for size bytes.
 *
 * Returns GROUPER_OK; GROUPER_NO_GROUP if no such host runs; GROUPER_INVALID
 * if several run and none was named; GROUPER_TIMED_OUT if the host lives
 * but takes nobody; GROUPER_SYSTEM with errno, EACCES if it is not believed,
 * see client_connect().
 */
enum grouper_error hosts_connect(const char *socket, const char *name,
    struct client **client, char *why, size_t size);

/*
 * GROUPER_NO_GROUP in place of GROUPER_SYSTEM if errno says that no host
 * listens, or that it has gone; GROUPER_TIMED_OUT if it says so.
 */
enum grouper_error hosts_error(enum grouper_error error);

#endif
