/* SPDX-License-Identifier: ISC */
/*
 * The leader: the small process that becomes a group.  It takes over a
 * session, adopts every orphan among its descendants, starts the member,
 * and ends when the kernel has shown that no descendant is left.
 *
 * It lives in a straight line; what it does about an event in each state
 * stands in one table, leader_next().
 */
#ifndef RUNTIME_GROUP_LEADER_H
#define RUNTIME_GROUP_LEADER_H

#include <sys/types.h>

#include <stdbool.h>

#include "runtime/group/cgroup.h"
#include "runtime/group/member.h"
#include "runtime/group/steps.h"
#include "runtime/group/sweep.h"

/* Its name in ps, by which grouper_identify() finds it. */
#define LEADER_NAME "grouper-leader"

/* Filled by the host before it forks the leader. */
struct leader {
	struct member member;
	struct steps steps;	 /* for what the command leaves */
	struct cgroup_leaf leaf; /* parent is -1 without one */
	int link;		 /* the leader's end */
	int host_link;		 /* the host's, to be closed */
	int lock;		 /* kept open while the group lives; -1 */
	const char *socket;	 /* removed if the host dies; NULL */
	pid_t host;		 /* compared with getppid() */
	const void *text;	 /* to be mapped whole, see os_map_text() */
	size_t text_size;
	bool hold;	/* leftovers wait for LINK_STOP */
	bool adopts;	/* another may become the main process: adopt.h */
	bool namespace; /* the leader is init of a PID namespace */
	bool map_user;	/* and of a user namespace */
	uid_t uid;	/* to be mapped onto themselves */
	gid_t gid;
};

enum leader_state {
	LEADER_RUNNING,	 /* the command runs */
	LEADER_HELD,	 /* it ended; what it left waits for the host */
	LEADER_STOPPING, /* the stop steps run */
	LEADER_EMPTY,	 /* proven */
	LEADER_STATES,
};

enum leader_event {
	LEADER_ON_MAIN_END,  /* the command ended and left processes */
	LEADER_ON_NONE_LEFT, /* waitid(2) answered ECHILD */
	LEADER_ON_STOP,	     /* the host asks to stop */
	LEADER_ON_HOST_GONE, /* nobody is left to report to */
	LEADER_EVENTS,
};

enum leader_action {
	LEADER_IGNORE,
	LEADER_HOLD,	    /* tell the host and wait for its word */
	LEADER_SWEEP_REST,  /* stop steps, addressed to every descendant */
	LEADER_SWEEP,	    /* stop steps as the host sent them */
	LEADER_SWEEP_ALONE, /* stop steps of the group's own */
	LEADER_WIDEN,	    /* address what the command left as well */
	LEADER_REPORT,	    /* tell the host: empty */
};

struct leader_step {
	enum leader_action action;
	enum leader_state next;
};

/* The life of a leader as a table, for the leader and for tests. */
struct leader_step leader_next(enum leader_state state, enum leader_event event,
    bool hold);

/*
 * Runs the leader in the process just forked by os_clone(), with every
 * signal blocked.  Never returns.
 */
void leader_run(struct leader *leader) __attribute__((noreturn));

#endif
