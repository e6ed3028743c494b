/* SPDX-License-Identifier: ISC */
/*
 * The host's side of one key: its state, and the leader of its current
 * incarnation.  A key is kept from its first start until the host is freed.
 */
#ifndef RUNTIME_GROUP_GROUP_H
#define RUNTIME_GROUP_GROUP_H

#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include <grouper/group.h>

#include "runtime/group/contain.h"
#include "runtime/group/exec_result.h"
#include "runtime/group/host.h"
#include "runtime/group/leader.h"
#include "runtime/group/link.h"
#include "runtime/group/names.h"
#include "runtime/group/signals.h"
#include "runtime/group/sweep.h"
#include "runtime/util/loop.h"

/* What the leader is to be asked when its link has room, see backlog.c. */
struct backlog {
	struct loop_fd *watch; /* for room; NULL: nothing waits */
	uint64_t signals;      /* a bit each */
	bool stops;	       /* the newest waits */
	struct link_down stop;
};

struct group {
	RB_ENTRY(group) by_key;
	RB_ENTRY(group) by_leader;   /* while leader is not 0 */
	TAILQ_ENTRY(group) orphaned; /* while its orphans are swept */
	struct grouper_host *host;
	char *key;
	enum grouper_state state;
	grouper_event_fn *on_event;
	void *arg;

	/* One incarnation. */
	enum grouper_containment level;
	enum grouper_stop_target stop_target;
	struct steps steps;
	struct steps ending; /* what its orphans go through, see orphans.c */
	pid_t leader;	     /* 0: none */
	int pidfd;	     /* of the leader */
	int link;
	struct loop_fd *leader_watch;
	struct loop_fd *link_watch;
	struct loop_timer *patience;
	struct backlog backlog;
	struct cgroup_leaf leaf;
	int64_t started_us;
	pid_t main;
	pid_t successor;	 /* to be asked for next; 0: none */
	unsigned int unanswered; /* LINK_ADOPT without its LINK_ADOPTED */
	int status;
	struct grouper_usage usage;
	bool empty_told;
	bool asked; /* to stop: its leader's death then sets no latch */
	bool hold;
	bool adopts;
	bool worker;
	bool orphans;		   /* in the host's list */
	struct exec_result result; /* of grouper_exec() */
};

/* A leader that has told its group empty, see leavers.c. */
struct leaver {
	RB_ENTRY(leaver) by_pid;
	struct grouper_host *host;
	pid_t pid;
	int pidfd;
	struct loop_fd *watch;
};

RB_HEAD(group_keys, group);
RB_HEAD(group_leaders, group);
RB_HEAD(group_leavers, leaver);
TAILQ_HEAD(group_orphans, group);

struct grouper_host {
	pid_t process; /* that made it */
	struct loop *loop;
	bool own_loop;
	struct names names;
	struct contain_owner owner;
	struct signals signals;
	bool has_signals;
	const void *text;
	size_t text_size;
	bool is_worker; /* this process belongs to an application */
	bool asked_worker;
	struct contain contain;
	struct group_keys keys;
	struct group_leaders leaders;
	struct group_leavers leavers;
	bool quick; /* leaders may leave: host_be_quick() */

	/* Orphans of leaders that died. */
	struct group_orphans orphaned;
	struct walk walk;
	struct sweep sweep;
	struct loop_timer *sweep_timer;
	struct loop_fd *sweep_watch; /* of one orphan: it wakes us */
	int sweep_pidfd;
	pid_t session;		    /* in which the host was made */
	unsigned int sweep_reaping; /* turns in a row with a death */

	LIST_HEAD(, host_watch) watches;
};

/* Tells what is attached to a host: a group is empty, the host is freed. */
void host_emptied(struct grouper_host *host, const char *key);
void host_forget_watches(struct grouper_host *host);

RB_PROTOTYPE(group_keys, group, by_key, group_compare_key)
RB_PROTOTYPE(group_leaders, group, by_leader, group_compare_leader)
RB_PROTOTYPE(group_leavers, leaver, by_pid, leavers_compare)

int group_compare_key(const struct group *a, const struct group *b);
int group_compare_leader(const struct group *a, const struct group *b);

/* A key's group, or NULL; made idle where it is missing, NULL with errno. */
struct group *group_find(const struct grouper_host *host, const char *key);
struct group *group_make(struct grouper_host *host, const char *key);

/*
 * Forks the leader of an idle group, which makes the member ready to execute
 * while the host does what else must be done before.  options and member are
 * not used afterwards.  out: read end of what a function writes, taken over;
 * -1 without one.  0, or -1 with errno; the group is then idle.
 */
int group_start(struct group *group, const struct grouper_options *options,
    struct member *member, int out);

/*
 * Lets the member execute, and watches the leader.  0, or -1 with errno; the
 * group is then idle.
 */
int group_go(struct group *group);

/* Instead of that: the group is idle again, and nothing was executed. */
void group_abandon(struct group *group);

/* Asks the leader to stop. */
void group_stop(struct group *group, const struct steps *steps,
    enum sweep_target target);

/*
 * 0, or -1 with errno; EAGAIN for a real-time signal that waits already, as of
 * kill(2).  Of any other one is enough.
 */
int group_signal(struct group *group, int signum);

/*
 * backlog.c: sends a LINK_SIGNAL or LINK_STOP, or keeps it until the link has
 * room, signals first; only the newest stop.  As group_signal().
 */
int backlog_ask(struct group *group, const struct link_down *down);
void backlog_forget(struct group *group);

/*
 * successor.c: asks the leader for another main process, when what was asked
 * before is answered; then only for the newest.  0, or -1 with errno.  The
 * others are what the leader says.
 */
int group_adopt(struct group *group, pid_t pid);
void group_on_awaiting(struct group *group);
void group_on_adopted(struct group *group, const struct link_up *up);

/* The incarnation is over and proven empty: tells, and makes it idle. */
void group_finish(struct group *group);

/* If its leader is dead, hands its orphans over; nothing is told any more. */
void group_forget_dead(struct group *group);

/* Frees a group and lets go of its leader. */
void group_free(struct group *group);

/* Tells an event; fills in what every event carries. */
void group_tell(struct group *group, struct grouper_event *event);

/* Tells the user of a stop step; as of sweep_asking_fn. */
void group_log_step(const struct group *group, int signum,
    enum sweep_target whom, int64_t ms);

/*
 * leavers.c: a leader that has told its group empty ends on its own.  It is
 * reaped then, or by leavers_reap(), which ends it.  leavers_take() takes the
 * handle over; false without memory, with nothing changed.
 *
 * leavers_left() looks for a moment whether it ends at once, as it does unless
 * something holds it up: to be put to sleep and woken would take a host longer.
 */
int leavers_compare(const struct leaver *a, const struct leaver *b);
bool leavers_left(pid_t leader);
bool leavers_take(struct grouper_host *host, pid_t leader, int *pidfd);
bool leavers_have(const struct grouper_host *host, pid_t pid);
void leavers_reap(struct grouper_host *host);

/*
 * orphans.c: the leader is gone without having reported its group empty.
 * What it left goes through group->ending.
 */
void host_orphaned(struct grouper_host *host, struct group *group);

/* What host_orphaned() needs, so that it never blocks; 0, or -1 with errno. */
int host_expect_orphans(struct grouper_host *host);

/* Takes all that dead leaders left through other steps, from their first. */
void host_sweep_orphans(struct grouper_host *host, const struct steps *steps);

/* Kills what dead leaders left, and returns when it is gone: blocks. */
void host_sweep_at_once(struct grouper_host *host);

/* Whether a child is a leader of this host's; a walk_skip_fn. */
bool host_is_leader(pid_t pid, void *host);

#endif
