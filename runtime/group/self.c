/* SPDX-License-Identifier: ISC */
/*
 * The primitives a program uses on itself, see grouper/self.h.
 */
#include <grouper/self.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "runtime/group/steps.h"
#include "runtime/group/sweep.h"
#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

#define ALL_FLAGS (GROUPER_NEW_SESSION | GROUPER_NEW_PGROUP)
/* Without a descriptor to wait on. */
#define RETRY_MS 10

enum grouper_error
grouper_commandeer(unsigned int flags, struct grouper_self *self)
{
	struct grouper_self before = GROUPER_SELF_INIT;
	int was;

	if (self == NULL || self->size != sizeof(*self) || self->in_use ||
	    (flags & ~(unsigned int)ALL_FLAGS) != 0)
		return GROUPER_INVALID;
	if (flags == ALL_FLAGS)
		return GROUPER_BAD_COMBINATION;
	was = os_is_subreaper();
	if (was == -1)
		return GROUPER_SYSTEM;
	before.in_use = 1;
	before.was_subreaper = was;
	before.old_pgid = getpgrp();
	before.old_sid = getsid(0);
	if ((flags & GROUPER_NEW_SESSION) && setsid() == -1)
		return GROUPER_SYSTEM;
	if ((flags & GROUPER_NEW_PGROUP) && setpgid(0, 0) == -1)
		return GROUPER_SYSTEM;
	if (os_set_subreaper(true) == -1)
		return GROUPER_SYSTEM;
	*self = before;
	return GROUPER_OK;
}

enum grouper_error
grouper_release(struct grouper_self *self)
{
	if (self == NULL || self->size != sizeof(*self) || !self->in_use)
		return GROUPER_INVALID;
	/* The old process group may be gone, or in another session. */
	if (getpgrp() != self->old_pgid && getsid(0) == self->old_sid)
		(void)setpgid(0, self->old_pgid);
	if (os_set_subreaper(self->was_subreaper != 0) == -1)
		return GROUPER_SYSTEM;
	*self = (struct grouper_self)GROUPER_SELF_INIT;
	return GROUPER_OK;
}

/* Until a child ends, or the sweep has something to do. */
static void
wait_for_a_death(struct walk *walk, int64_t deadline)
{
	int64_t left = deadline == -1 ? -1 : deadline - clock_ms();
	struct pollfd end = { -1, POLLIN, 0 };

	if (left > INT_MAX)
		left = INT_MAX;
	if (left < -1)
		left = 0;
	if (walk_children(walk) > 0)
		end.fd = os_pidfd(walk->pids[0]);
	if (end.fd == -1 && (left == -1 || left > RETRY_MS))
		left = RETRY_MS;
	poll(&end, 1, (int)left);
	fd_close(&end.fd);
}

static enum grouper_error
sweep_all(struct sweep *sweep)
{
	for (;;) {
		switch (sweep_reap(sweep, NULL, NULL)) {
		case SWEEP_NONE_LEFT:
			return GROUPER_OK;
		case SWEEP_MORE_DEAD:
			continue;
		case SWEEP_SOME_LEFT:
			break;
		}
		switch (sweep_step(sweep, clock_ms())) {
		case SWEEP_GIVE_UP:
			return GROUPER_UNKILLABLE;
		case SWEEP_AGAIN:
			break;
		case SWEEP_WAIT:
			wait_for_a_death(sweep->walk, sweep_deadline(sweep));
			break;
		}
	}
}

enum grouper_error
grouper_sweep(const char *text, struct grouper_processes *left)
{
	struct walk walk = { .proc = { -1, -1 } };
	enum grouper_error error;
	struct sweep sweep;
	struct steps steps;
	const char *why;
	int saved;

	if (left != NULL)
		memset(left, 0, sizeof(*left));
	if (steps_parse(text, &steps, &why) == -1)
		return GROUPER_INVALID;
	if (walk_init(&walk) == -1)
		return GROUPER_SYSTEM;
	sweep_init(&sweep, &walk, SWEEP_ALL, NULL);
	sweep_begin(&sweep, &steps, SWEEP_TREE);
	error = sweep_all(&sweep);
	saved = errno;
	walk_fini(&walk);
	if (error == GROUPER_UNKILLABLE && left != NULL)
		grouper_descendants(0, left);
	errno = saved;
	return error;
}
