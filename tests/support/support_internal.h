/* SPDX-License-Identifier: ISC */
/*
 * Shared by the files of tests/support only.
 */

#ifndef TESTS_SUPPORT_INTERNAL_H
#define TESTS_SUPPORT_INTERNAL_H

#include "support.h"

/*
 * The process above check's runner, which gets the orphans of tests that ended
 * without their teardown; 0 outside of support_main().
 */
pid_t support_keeper(void);

/*
 * The directory that holds those of all tests.  The keeper makes it, so that
 * what a failed test could not remove goes with it.
 */
int support_make_base_directory(void);
const char *support_base_directory(void);
void support_remove_tree(const char *);

/* Milliseconds stretched by support_scale(), from now on. */
long long support_deadline(int ms);

/* Time left for poll(2), at least 0. */
int support_left(long long deadline);

/* A directory in support_directory() that uid owns, for control sockets. */
const char *support_runtime_directory(uid_t);

void support_text_init(struct support_text *);
void support_text_fini(struct support_text *);
void support_text_add(struct support_text *, const char *, size_t);

/*
 * Reads what a non-blocking descriptor holds, at most some MiB; false at
 * end-of-file or hangup.
 */
bool support_text_fill(struct support_text *, int fd);

/* The slave becomes the controlling terminal and 0-2; in the child. */
int support_pty_enter(const struct support_pty *);

/* A pidfd, -1 with errno ESRCH if there is no such process. */
int support_pidfd(pid_t);

#endif
