/* SPDX-License-Identifier: ISC */
/*
 * Which group a process belongs to.
 */
#ifndef GROUPER_IDENT_H
#define GROUPER_IDENT_H

#include <sys/types.h>

#include <stddef.h>

#include <grouper/error.h>
#include <grouper/export.h>

GROUPER_BEGIN_DECLS

enum grouper_kind {
	GROUPER_KIND_NONE,     /* no group, no terminal */
	GROUPER_KIND_TERMINAL, /* no group, but a controlling terminal */
	GROUPER_KIND_GROUP,    /* member of a group */
	GROUPER_KIND_WORKER,   /* member of a group that is a worker */
};

struct grouper_ident {
	size_t size;
	enum grouper_kind kind;
	pid_t host_pid; /* 0 if none, or not visible from here */
	char host[33];	/* name of the host, "" if none */
	char key[256];	/* key of the group, "" if none */
};
#define GROUPER_IDENT_INIT \
	{ \
		.size = sizeof(struct grouper_ident) \
	}

/*
 * Tells which group a process belongs to.  The process's ancestors are
 * walked to the nearest leader, and that leader's host is asked over its
 * socket; the environment alone is never believed.  Waits for the answer, 5
 * seconds at most.
 *
 * pid: 0 means the caller.
 *
 * Returns GROUPER_OK; GROUPER_NOT_FOUND if there is no such process (it is
 * dead); GROUPER_NO_GROUP if it has a leader whose host cannot be asked, or
 * where /proc does not show this PID namespace (its kind is unknown);
 * GROUPER_INVALID; GROUPER_SYSTEM with errno.
 */
GROUPER_EXPORT enum grouper_error grouper_identify(pid_t pid,
    struct grouper_ident *ident);

/* "none", "terminal", "group" or "worker"; never NULL. */
GROUPER_EXPORT const char *grouper_kind_name(enum grouper_kind kind);

GROUPER_END_DECLS

#endif
