/* SPDX-License-Identifier: ISC */
/*
 * Where a member's pipes come from, see private.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/control/client.h"
#include "runtime/member/private.h"
#include "runtime/util/fd.h"
#include "runtime/util/parse.h"

#define DOWN_VARIABLE "GROUPER_EVENTS_FD"
#define UP_VARIABLE "GROUPER_COMMANDS_FD"

/*
 * The descriptor that a variable names, -1 if there is none: a process may
 * have inherited the variable without it, and used its number since.
 */
static int
given(const char *variable, int access)
{
	const char *value = getenv(variable);
	struct stat st;
	int64_t fd;
	int flags;

	if (value == NULL || parse_int(value, 0, INT_MAX, &fd) == -1)
		return -1;
	flags = fcntl((int)fd, F_GETFL);
	if (flags == -1 || (flags & O_ACCMODE) != access ||
	    fstat((int)fd, &st) == -1 || !S_ISFIFO(st.st_mode))
		return -1;
	return (int)fd;
}

static enum grouper_error
take(struct client_fds *got, int *down, int *up)
{
	if (got->count == 2) {
		*down = got->list[0];
		*up = got->list[1];
		return GROUPER_OK;
	}
	client_fds_close(got);
	errno = EPROTO;
	return GROUPER_SYSTEM;
}

/* From the host. */
static enum grouper_error
ask(struct grouper_member *member, int *down, int *up)
{
	struct client_fds got = { .count = 0 };
	enum grouper_error error;
	json_t *result;

	error = control_call(member, "member.open", json_object(), &result,
	    &got);
	if (error != GROUPER_OK)
		return error;
	json_decref(result);
	return take(&got, down, up);
}

enum grouper_error
pipes_open(struct grouper_member *member)
{
	int down = given(DOWN_VARIABLE, O_RDONLY);
	int up = given(UP_VARIABLE, O_WRONLY);

	unsetenv(DOWN_VARIABLE);
	unsetenv(UP_VARIABLE);
	if (down == -1 || up == -1)
		return ask(member, &member->down, &member->up);
	if (fcntl(down, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(up, F_SETFD, FD_CLOEXEC) == -1)
		return GROUPER_SYSTEM;
	member->down = down;
	member->up = up;
	return GROUPER_OK;
}
