/* SPDX-License-Identifier: ISC */
/*
 * Readiness by a newline on a descriptor, as s6 has it.
 */
#ifndef RUNTIME_READY_READY_FD_H
#define RUNTIME_READY_READY_FD_H

#include <stdbool.h>

struct loop;
struct ready_fd;

/*
 * Called once: ready is true when a newline came, whatever stood before it,
 * false when the member closed its end without one.  May free.
 */
typedef void ready_fd_fn(bool ready, void *arg);

/*
 * *member_fd: the end for the member, close-on-exec, the caller's to close
 * once the member has it.  After the newline nothing more is read, and the
 * pipe is closed.  Returns NULL with errno.
 */
struct ready_fd *ready_fd_new(struct loop *loop, int *member_fd,
    ready_fd_fn *fn, void *arg);
void ready_fd_free(struct ready_fd *ready); /* NULL is fine */

/* Reads what has come, as it does in the loop: its member has ended. */
void ready_fd_drain(struct ready_fd *ready);

#endif
