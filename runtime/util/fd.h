/* SPDX-License-Identifier: ISC */
/*
 * Descriptors: closed in one place, -1 when there is none.
 */
#ifndef RUNTIME_UTIL_FD_H
#define RUNTIME_UTIL_FD_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* Closes *fd unless it is -1, and sets it to -1.  Keeps errno. */
void fd_close(int *fd);

/*
 * Waits for events of poll(2) until a deadline of clock_deadline(); signals do
 * not end it.  1; 0 when the time is over; -1 with errno.
 */
int fd_await(int fd, short events, int64_t deadline);

/* The same for several; how many of them have something. */
int fd_await_any(struct pollfd *fds, nfds_t count, int64_t deadline);

/*
 * All that is read up to the end, max bytes at most, with a NUL behind it that
 * *length does not count; to be freed.  Takes memory as it comes: a block for
 * the largest would, once freed, let glibc keep as much for good, mallopt(3).
 * NULL with errno, EFBIG for more; the descriptor stays the caller's.
 */
char *fd_read_all(int fd, size_t max, size_t *length);

/* The same until a deadline of clock_deadline(): ETIMEDOUT then. */
char *fd_read_until(int fd, size_t max, int64_t deadline, size_t *length);

/*
 * Makes sure that descriptors 0, 1 and 2 are taken, by close-on-exec
 * placeholders where the caller left them closed, so that nothing of ours
 * lands there and a command finds them closed as they were.  0, or -1 with
 * errno.
 */
int fd_hold_standard(void);

/*
 * Lets go of the descriptors that this process inherited and that are not
 * close-on-exec, standard error excepted, so that a reader of one sees
 * end-of-file as soon as the commands it was passed to have closed it.
 * Standard input and output become /dev/null.
 */
void fd_close_inherited(void);

/*
 * The reverse, in a forked child that executes nothing: closes what is
 * close-on-exec, keep excepted (-1 for none).
 */
void fd_close_private(int keep);

#endif
