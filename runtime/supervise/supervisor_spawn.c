/* SPDX-License-Identifier: ISC */
/*
 * Children of a supervisor that are not of its tree, see supervisor.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/supervise/supervisor_private.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

/* A quarter of all: groups and clients need the others. */
#define HELD_PART 4
#define HELD_MIN 24
#define HELD_MAX 65536

size_t
supervisor_max_held(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur / HELD_PART > HELD_MAX)
		return HELD_MAX;
	return limit.rlim_cur / HELD_PART < HELD_MIN ?
	    HELD_MIN :
	    (size_t)limit.rlim_cur / HELD_PART;
}

bool
supervisor_is_temporary(const struct supervisor *supervisor, const char *key,
    bool *ended)
{
	const struct slot *slot = slot_find(&supervisor->slots, key);

	*ended = slot != NULL && slot->ended;
	return slot != NULL && slot->temporary;
}

static enum grouper_error
spawn(struct supervisor *supervisor, const char *parent,
    const struct spec_child *child, const char *key, int fds[3], char **why)
{
	enum grouper_error error;
	struct slot *slot;

	*why = NULL;
	if (supervisor->held + SLOT_FDS > supervisor->max_held) {
		*why = strdup("too many descriptors are held for groups that "
			      "were spawned");
		return GROUPER_SYSTEM;
	}
	/* A restart does without the file; who asks now is told. */
	if (supervisor_open_log(supervisor, child->command) == -1) {
		if (asprintf(why, "log %s: %s", child->command->log_file,
			strerror(errno)) == -1)
			*why = NULL;
		return GROUPER_START_FAILED;
	}
	error = machine_spawn(supervisor->machine, clock_ms(), parent, child,
	    why);
	if (error != GROUPER_OK)
		return error;
	/* Without one the start is going to fail. */
	slot = slot_make(&supervisor->slots, key, supervisor);
	if (slot == NULL)
		return GROUPER_OK;
	slot->temporary = child->restart == SPEC_TEMPORARY;
	slot_give(slot, fds, &supervisor->held);
	fds[0] = fds[1] = fds[2] = -1;
	return GROUPER_OK;
}

enum grouper_error
supervisor_spawn(struct supervisor *supervisor, const char *parent,
    const struct spec_child *child, const char *key, int fds[3], char **why)
{
	enum grouper_error error;
	size_t i;

	error = spawn(supervisor, parent, child, key, fds, why);
	for (i = 0; i < SLOT_FDS; i++)
		fd_close(&fds[i]);
	supervisor_act(supervisor);
	return error;
}
