/* SPDX-License-Identifier: ISC */
/*
 * The life of a leader as a table, see leader.h.
 */
#include "runtime/group/leader.h"

#include "runtime/util/bug.h"

struct leader_step
leader_next(enum leader_state state, enum leader_event event, bool hold)
{
	static const struct leader_step table[LEADER_STATES][LEADER_EVENTS] = {
		[LEADER_RUNNING] = {
			[LEADER_ON_MAIN_END] = { LEADER_SWEEP_REST,
			    LEADER_STOPPING },
			[LEADER_ON_NONE_LEFT] = { LEADER_REPORT,
			    LEADER_EMPTY },
			[LEADER_ON_STOP] = { LEADER_SWEEP, LEADER_STOPPING },
			[LEADER_ON_HOST_GONE] = { LEADER_SWEEP_ALONE,
			    LEADER_STOPPING },
		},
		[LEADER_HELD] = {
			[LEADER_ON_MAIN_END] = { LEADER_IGNORE, LEADER_HELD },
			[LEADER_ON_NONE_LEFT] = { LEADER_REPORT,
			    LEADER_EMPTY },
			[LEADER_ON_STOP] = { LEADER_SWEEP, LEADER_STOPPING },
			[LEADER_ON_HOST_GONE] = { LEADER_SWEEP_REST,
			    LEADER_STOPPING },
		},
		[LEADER_STOPPING] = {
			/* The steps go on: emptiness ends them, not this. */
			[LEADER_ON_MAIN_END] = { LEADER_WIDEN,
			    LEADER_STOPPING },
			[LEADER_ON_NONE_LEFT] = { LEADER_REPORT,
			    LEADER_EMPTY },
			[LEADER_ON_STOP] = { LEADER_SWEEP, LEADER_STOPPING },
			[LEADER_ON_HOST_GONE] = { LEADER_IGNORE,
			    LEADER_STOPPING },
		},
		[LEADER_EMPTY] = {
			[LEADER_ON_MAIN_END] = { LEADER_IGNORE, LEADER_EMPTY },
			[LEADER_ON_NONE_LEFT] = { LEADER_IGNORE,
			    LEADER_EMPTY },
			[LEADER_ON_STOP] = { LEADER_IGNORE, LEADER_EMPTY },
			[LEADER_ON_HOST_GONE] = { LEADER_IGNORE,
			    LEADER_EMPTY },
		},
	};
	static const struct leader_step held = { LEADER_HOLD, LEADER_HELD };

	BUG_IF(state >= LEADER_STATES || event >= LEADER_EVENTS);
	if (hold && state == LEADER_RUNNING && event == LEADER_ON_MAIN_END)
		return held;
	return table[state][event];
}
