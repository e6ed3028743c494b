/* SPDX-License-Identifier: ISC */
/*
 * Pipes between host and members.
 */
#ifndef RUNTIME_RELAY_PIPE_H
#define RUNTIME_RELAY_PIPE_H

#include <sys/types.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef SPLICE_F_NONBLOCK
#define PIPE_CAN_LEND true
#else
#define PIPE_CAN_LEND false
#endif

/* writev(2), again if a signal interrupted it. */
ssize_t pipe_write(int fd, const struct iovec *pieces, size_t count);

/*
 * The same, but the pipe refers to the bytes themselves from now on.  They
 * must never change, even after the pipe was read: their memory may only be
 * unmapped.
 */
ssize_t pipe_lend(int fd, const struct iovec *pieces, size_t count);

/*
 * Has a pipe hold up to so many bytes, if it holds less and the system allows
 * it.  Returns how many more it holds now.
 */
size_t pipe_enlarge(int fd, size_t size);

/* Has a pipe that is empty hold no more than so many bytes. */
void pipe_reduce(int fd, size_t size);

#endif
