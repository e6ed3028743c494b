/* SPDX-License-Identifier: ISC */
/*
 * Which group of a host a process belongs to.
 */
#ifndef RUNTIME_CONTROL_MEMBERSHIP_H
#define RUNTIME_CONTROL_MEMBERSHIP_H

#include <sys/types.h>

#include <stdbool.h>

#include "runtime/control/server.h"

struct membership {
	const char *key; /* until the host is freed; NULL: none of its groups */
	pid_t leader;
	bool worker;
};

/* By descent, pid 0 is this process.  0, or -1 with errno: not found. */
int membership_find(const struct grouper_host *host, pid_t pid,
    struct membership *found);

/* Its key alone, of any process; NULL: none. */
const char *membership_key(const struct grouper_host *host, pid_t pid);

/*
 * The method `ident` of every host, its arg: {"pid": N}, the peer itself
 * without; which leader it is under.
 */
server_method_fn membership_method;

#endif
