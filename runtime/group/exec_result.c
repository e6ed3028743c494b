/* SPDX-License-Identifier: ISC */
/*
 * Results of functions: see exec_result.h.
 */
#include "runtime/group/exec_result.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/util/fd.h"

#define RESULT_MAX ((size_t)64 << 20)
#define RESULT_ROOM ((size_t)64 << 10) /* at first */
/* Others on the loop wait for no more than this. */
#define RESULT_TURN ((size_t)256 << 10)

/* Twice as much room.  0, or -1 if there is none. */
static int
grow(struct exec_result *result)
{
	size_t room = result->room * 2;
	char *grown;

	if (result->room == RESULT_MAX)
		return -1;
	if (room == 0)
		room = RESULT_ROOM;
	grown = realloc(result->bytes, room);
	if (grown == NULL)
		return -1;
	result->bytes = grown;
	result->room = room;
	return 0;
}

static void
let_go(struct exec_result *result)
{
	loop_fd_free(result->watch);
	result->watch = NULL;
	fd_close(&result->fd);
}

/* Reads what has been written so far, at most that many bytes. */
static void
take(struct exec_result *result, size_t most)
{
	size_t part;
	ssize_t n;

	while (most > 0) {
		if (result->length == result->room && grow(result) == -1)
			break;
		part = result->room - result->length;
		n = read(result->fd, result->bytes + result->length,
		    part < most ? part : most);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		result->length += (size_t)n;
		most -= (size_t)n;
	}
	if (most > 0)
		let_go(result);
}

static void
on_output(int fd, void *arg)
{
	(void)fd;
	take(arg, RESULT_TURN);
}

int
exec_result_watch(struct exec_result *result, struct loop *loop)
{
	result->watch = loop_fd_new(loop, result->fd, LOOP_READ, on_output,
	    result);
	return result->watch == NULL ? -1 : 0;
}

void
exec_result_finish(struct exec_result *result)
{
	if (result->fd != -1)
		take(result, RESULT_MAX);
	let_go(result);
}

void
exec_result_fini(struct exec_result *result)
{
	let_go(result);
	free(result->bytes);
	*result = (struct exec_result)EXEC_RESULT_INIT;
}
