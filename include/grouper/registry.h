/* SPDX-License-Identifier: ISC */
/*
 * Registered names, on the side of a program that embeds a host: each stands
 * for one process that lives.  Names are those of the host; a supervisor with
 * `names: own` keeps those of its children apart.
 *
 * A process is held by a handle, see pidfd_open(2): another one that has got
 * its pid is never taken for it, and who died holds no name.  A host has room
 * for 4096 names and for 1024 processes that hold them, or as many as a
 * quarter of the descriptors it may have.
 *
 * All functions return at once and may be called from callbacks.  Besides what
 * is named each returns GROUPER_OK; GROUPER_INVALID for what is no name, see
 * grouper/message.h; GROUPER_NO_GROUP if host is NULL; GROUPER_SYSTEM with
 * errno.
 */
#ifndef GROUPER_REGISTRY_H
#define GROUPER_REGISTRY_H

#include <sys/types.h>

#include <stddef.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/group.h>

GROUPER_BEGIN_DECLS

/*
 * Gives a name to a process, unless one that lives has it, be it the same.
 *
 * pid: 0 means the caller.
 * registered: receives whether it has the name now.
 *
 * GROUPER_NOT_FOUND: no such process lives.  GROUPER_SYSTEM with ENOSPC: too
 * many.
 */
GROUPER_EXPORT enum grouper_error grouper_register(struct grouper_host *host,
    const char *name, pid_t pid, int *registered);

/* Takes a name from whoever has it; an unknown name is fine. */
GROUPER_EXPORT enum grouper_error grouper_unregister(struct grouper_host *host,
    const char *name);

/* The living process that has a name; *pid is 0 if there is none. */
GROUPER_EXPORT enum grouper_error grouper_whereis(struct grouper_host *host,
    const char *name, pid_t *pid);

/*
 * Sends an event to the group of whoever has a name, whatever that is
 * subscribed to; its topic is the name.
 *
 * payload: may be NULL if length is 0; copied.
 * length: bytes, GROUPER_PAYLOAD_MAX at most.
 *
 * GROUPER_NOT_FOUND: nobody has the name, or nobody reads the messages of its
 * group.  GROUPER_SYSTEM with ENOSPC: it leaves too many unread.
 */
GROUPER_EXPORT enum grouper_error grouper_send(struct grouper_host *host,
    const char *name, const char *event, const void *payload, size_t length);

GROUPER_END_DECLS

#endif
