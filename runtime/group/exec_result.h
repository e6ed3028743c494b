/* SPDX-License-Identifier: ISC */
/*
 * What a function of grouper_exec() writes, kept until its group is empty.
 */
#ifndef RUNTIME_GROUP_EXEC_RESULT_H
#define RUNTIME_GROUP_EXEC_RESULT_H

#include <stddef.h>

#include "runtime/util/loop.h"

struct exec_result {
	int fd; /* what is read; -1: none, or no more */
	struct loop_fd *watch;
	char *bytes;
	size_t length;
	size_t room;
};

#define EXEC_RESULT_INIT \
	{ \
		.fd = -1 \
	}

/* Reads its descriptor as something comes.  0, or -1 with errno. */
int exec_result_watch(struct exec_result *result, struct loop *loop);

/*
 * Reads what has come, not waiting for an end that somebody may never make,
 * and lets go of the descriptor.
 */
void exec_result_finish(struct exec_result *result);

/* Closes and frees; it is as at first then. */
void exec_result_fini(struct exec_result *result);

#endif
