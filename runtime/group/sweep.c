/* SPDX-License-Identifier: ISC */
/*
 * The sweep, see sweep.h.
 */
#include "runtime/group/sweep.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/util/bug.h"
#include "runtime/util/clock.h"

/* An endless stream of short-lived forks must not starve the sweep. */
#define REAP_TURN 64
/* Where a walk takes long, all that died under it comes before the next. */
#define REAP_TURN_BLIND 65536
#define ASK_PASSES 32
/* Nor must long walks use up what patience the host has. */
#define ASK_MS 1000
/* A vfork parent stays in D as long as its child does: do not wait for it. */
#define FREEZE_D_MS 10
#define FREEZE_MS 200
/* A killed main process may wait that long for a processor: see main_first() */
#define MAIN_FIRST_MS 2000
/* Between two rounds of killing: at first, later, and without hope. */
#define ROUND_MS 10
#define ROUND_LATER_MS 50
#define ROUND_HOPELESS_MS 1000
#define ROUNDS_QUICK 5

void
sweep_init(struct sweep *sweep, struct walk *walk, enum sweep_scope scope,
    struct cgroup_leaf *leaf)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->walk = walk;
	sweep->scope = scope;
	sweep->leaf = leaf;
	sweep->deadline = -1;
	sweep->main_fd = -1;
	sweep->inherited_session = -1;
}

void
sweep_begin(struct sweep *sweep, const struct steps *steps,
    enum sweep_target target)
{
	sweep->steps = *steps;
	sweep->next = 0;
	sweep->target = target;
	sweep->deadline = 0;
	sweep->stopping = true;
}

int64_t
sweep_deadline(const struct sweep *sweep)
{
	return sweep->stopping ? sweep->deadline : -1;
}

static int
wait_status(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

/*
 * A walk that asks for each pid there may be is outrun by what forks, exits
 * and forks again, and so is one without the descriptors to look below our
 * children; but one signal reaches all of a process group, what is being
 * forked too.  A session that is not the one that was inherited was
 * made by a descendant, or ourselves, and nobody joins one from outside; a
 * dead child keeps its group's number from being given anew until it is
 * reaped.
 */
static void
kill_pgroup_of(const struct sweep *sweep, pid_t dead)
{
	pid_t pgid = getpgid(dead), session = getsid(dead);

	if (pgid > 1 && pgid != getpgrp() && session > 0 &&
	    session != sweep->inherited_session)
		kill(-pgid, SIGKILL);
}

/* Waits for one dead child, any if pid is 0; 0, or -1 with errno. */
static int
wait_dead(pid_t pid, siginfo_t *info, int flags)
{
	int result;

	info->si_pid = 0;
	do
		result = waitid(pid != 0 ? P_PID : P_ALL, (id_t)pid, info,
		    WEXITED | WNOHANG | __WALL | flags);
	while (result == -1 && errno == EINTR);
	return result;
}

/* Reaps one dead child, any if pid is 0.  1, 0 if none is dead, -1. */
static int
reap_one(struct sweep *sweep, pid_t pid, sweep_reaped_fn *fn, void *arg)
{
	siginfo_t info;

	if (sweep->killing && sweep->inherited_session != -1 &&
	    (sweep->partial || walk_is_blind(sweep->walk)) &&
	    wait_dead(pid, &info, WNOWAIT) == 0 && info.si_pid != 0) {
		pid = info.si_pid;
		kill_pgroup_of(sweep, pid);
	}
	if (wait_dead(pid, &info, 0) == -1)
		return -1;
	if (info.si_pid == 0)
		return 0;
	sweep->reaped++;
	if (info.si_pid == sweep->main)
		sweep->main = 0;
	if (fn != NULL)
		fn(info.si_pid, wait_status(&info), arg);
	return 1;
}

static int
reap_turn(const struct sweep *sweep)
{
	return walk_is_blind(sweep->walk) ? REAP_TURN_BLIND : REAP_TURN;
}

/* Among the children of a host only strangers may be reaped. */
static enum sweep_reaped
reap_strangers(struct sweep *sweep, sweep_reaped_fn *fn, void *arg)
{
	ssize_t n, i;
	int turn = 0, most = reap_turn(sweep);

	n = walk_children(sweep->walk);
	if (n == 0)
		return SWEEP_NONE_LEFT;
	for (i = 0; i < n && turn < most; i++)
		if (reap_one(sweep, sweep->walk->pids[i], fn, arg) == 1)
			turn++;
	/* A death may have handed us more: only a list without a stranger,
	 * read with nothing reaped meanwhile, is the proof. */
	return turn > 0 ? SWEEP_MORE_DEAD : SWEEP_SOME_LEFT;
}

enum sweep_reaped
sweep_reap(struct sweep *sweep, sweep_reaped_fn *fn, void *arg)
{
	int turn, most = reap_turn(sweep), result;

	if (sweep->scope == SWEEP_STRANGERS)
		return reap_strangers(sweep, fn, arg);
	for (turn = 0; turn < most; turn++) {
		result = reap_one(sweep, 0, fn, arg);
		if (result == 0)
			return SWEEP_SOME_LEFT;
		if (result == -1) {
			BUG_IF(errno != ECHILD);
			if (sweep->leaf != NULL &&
			    cgroup_leaf_populated(sweep->leaf))
				return SWEEP_SOME_LEFT;
			return SWEEP_NONE_LEFT;
		}
	}
	return SWEEP_MORE_DEAD;
}

enum whom {
	EVERYONE,
	THE_PGROUP,
	THE_OTHERS, /* outside of that process group */
};

static void
tell(const struct sweep *sweep, int signum, enum sweep_target whom, int64_t ms)
{
	if (sweep->on_asking != NULL)
		sweep->on_asking(signum, whom, ms, sweep->on_asking_arg);
}

struct ask {
	const struct sweep *sweep;
	int signum;
	enum whom whom;
	size_t asked;
};

static void
ask_found(const struct walk_found *found, void *arg)
{
	struct ask *ask = arg;
	bool inside = found->stat->pgid == ask->sweep->pgid;

	if ((ask->whom == THE_PGROUP && !inside) ||
	    (ask->whom == THE_OTHERS && inside) ||
	    !walk_mark(ask->sweep->walk, found->stat->pid))
		return;
	ask->asked++;
	walk_signal(found, ask->signum);
	walk_signal(found, SIGCONT); /* a stopped process does not act */
}

void
sweep_signal_main(const struct sweep *sweep, int signum)
{
	if (sweep->main_fd != -1)
		os_pidfd_signal(sweep->main_fd, signum);
	else if (sweep->main != 0)
		kill(sweep->main, signum);
}

/* Our own main process leads a group of its own: one call reaches it all. */
static void
ask_own_pgroup(pid_t pgid, int signum)
{
	BUG_IF(pgid <= 1 || pgid == getpgrp());
	kill(-pgid, signum);
	kill(-pgid, SIGCONT);
}

/*
 * A parent that dies of the signal at once hands its children to us when
 * ours were listed already: walks are repeated until one finds nobody new
 * and no parent died under it.  Forks that never end are not waited for.
 */
static void
ask_walk(struct sweep *sweep, int signum, enum whom whom)
{
	struct ask how = { sweep, signum, whom, 0 };
	int64_t end = clock_ms() + ASK_MS;
	int pass;

	if (sweep->scope == SWEEP_NAMESPACE) {
		kill(-1, signum); /* everyone here but us, see kill(2) */
		kill(-1, SIGCONT);
		return;
	}
	walk_clear_marks(sweep->walk);
	for (pass = 0; pass < ASK_PASSES; pass++) {
		how.asked = 0;
		walk_run(sweep->walk, 0, ask_found, &how);
		if ((how.asked == 0 && !sweep->walk->moved) ||
		    clock_ms() >= end)
			break;
	}
}

/*
 * The main process may have left the group that it was put in, as timeout(1)
 * and interactive shells do.  One that is outside of our PID namespace reads
 * as 0.
 */
static void
ask_pgroup(struct sweep *sweep, int signum)
{
	pid_t pgid = getpgid(sweep->main);

	if (pgid > 0)
		sweep->pgid = pgid;
	if (sweep->pgid == sweep->main && sweep->main_fd == -1)
		ask_own_pgroup(sweep->pgid, signum);
	else
		ask_walk(sweep, signum, THE_PGROUP);
}

static void
ask(struct sweep *sweep, const struct step *step)
{
	int signum = step->signum;

	sweep->asked = sweep->main != 0 ? sweep->target : SWEEP_TREE;
	sweep->target = SWEEP_TREE;
	tell(sweep, signum, sweep->asked, step->ms);
	switch (sweep->asked) {
	case SWEEP_COMMAND:
		sweep_signal_main(sweep, signum);
		sweep_signal_main(sweep, SIGCONT);
		break;
	case SWEEP_PGROUP:
		ask_pgroup(sweep, signum);
		break;
	case SWEEP_TREE:
	case SWEEP_REST:
		ask_walk(sweep, signum, EVERYONE);
		break;
	}
}

void
sweep_widen(struct sweep *sweep)
{
	enum whom whom = sweep->asked == SWEEP_PGROUP ? THE_OTHERS : EVERYONE;
	int64_t left = STEPS_FOREVER;
	int signum;

	if (!sweep->stopping || sweep->killing || sweep->next == 0 ||
	    sweep->asked == SWEEP_TREE)
		return;
	sweep->asked = SWEEP_TREE;
	signum = sweep->steps.step[sweep->next - 1].signum;
	if (sweep->deadline != -1) {
		left = sweep->deadline - clock_ms();
		left = left > 0 ? left : 0; /* STEPS_FOREVER is below */
	}
	tell(sweep, signum, SWEEP_REST, left);
	ask_walk(sweep, signum, whom);
}

struct freeze {
	const struct walk *walk;
	size_t running; /* in R or S when they were found */
	size_t blocked; /* in D */
};

static void
freeze_found(const struct walk_found *found, void *arg)
{
	struct freeze *freeze = arg;
	char state = os_proc_liveliest(&freeze->walk->proc, found->stat);

	switch (state) {
	case 'T':
	case 't':
	case 'X':
	case 'Z':
		return;
	case 'D':
		freeze->blocked++;
		break;
	case '?':
		break; /* unseen: one signal is what can be done */
	default:
		freeze->running++;
	}
	if (walk_signal(found, SIGSTOP) == -1 && errno == EPERM && state != 'D')
		freeze->running--; /* cannot be frozen: do not wait for it */
}

/* One pass; true when the tree is at rest, or will not come to rest. */
static bool
freeze_pass(struct sweep *sweep, int64_t now)
{
	struct freeze freeze = { sweep->walk, 0, 0 };
	int64_t spent;

	if (sweep->freeze_since == 0)
		sweep->freeze_since = now;
	spent = now - sweep->freeze_since;
	if (walk_run(sweep->walk, 0, freeze_found, &freeze) == -1)
		return true;
	if (freeze.running > 0 || sweep->walk->moved)
		return spent >= FREEZE_MS;
	if (freeze.blocked > 0)
		return spent >= FREEZE_D_MS;
	return true;
}

struct kill_count {
	size_t refused;
	size_t alive;
};

static void
kill_found(const struct walk_found *found, void *arg)
{
	struct kill_count *count = arg;

	if (os_stat_dead(found->stat))
		return;
	count->alive++;
	if (walk_signal(found, SIGKILL) == -1 && errno == EPERM)
		count->refused++;
}

/* After a round: is it time to say that killing does not help? */
static bool
hopeless(struct sweep *sweep, const struct kill_count *count, int64_t now)
{
	bool only_refused = count->alive > 0 && count->refused == count->alive;

	if (sweep->kill_since == 0 ||
	    (sweep->reaped != sweep->reaped_at_kill && !only_refused)) {
		sweep->kill_since = now;
		sweep->reaped_at_kill = sweep->reaped;
	}
	if (sweep->gave_up || now - sweep->kill_since < SWEEP_PATIENCE_MS)
		return false;
	sweep->gave_up = true;
	return true;
}

/*
 * Whether the main process's end is awaited before a first walk: one that has
 * to ask for each pid takes a second or more, and most leave nobody else.
 */
static bool
main_first(const struct sweep *sweep)
{
	if (sweep->scope != SWEEP_ALL || sweep->main == 0 || sweep->rounds > 0)
		return false;
	if (sweep->walk->capacity == 0)
		walk_init(sweep->walk);
	return walk_is_blind(sweep->walk);
}

static enum sweep_result
kill_round(struct sweep *sweep, int64_t now)
{
	struct kill_count count = { 0, 0 };

	if (sweep->leaf != NULL)
		cgroup_leaf_kill(sweep->leaf);
	if (sweep->scope == SWEEP_ALL)
		sweep_signal_main(sweep, SIGKILL); /* needs no /proc */
	if (main_first(sweep)) {
		sweep->rounds++;
		sweep->deadline = now + MAIN_FIRST_MS;
		return SWEEP_WAIT;
	}
	if (sweep->scope == SWEEP_NAMESPACE) {
		kill(-1, SIGKILL);
	} else {
		if (!freeze_pass(sweep, now)) {
			sweep->deadline = now;
			return SWEEP_AGAIN;
		}
		sweep->partial = walk_run(sweep->walk, 0, kill_found, &count) !=
		    0;
		sweep->freeze_since = 0;
	}
	if (sweep->gave_up)
		sweep->deadline = now + ROUND_HOPELESS_MS;
	else if (sweep->rounds++ >= ROUNDS_QUICK)
		sweep->deadline = now + ROUND_LATER_MS;
	else
		sweep->deadline = now + ROUND_MS;
	return hopeless(sweep, &count, now) ? SWEEP_GIVE_UP : SWEEP_WAIT;
}

enum sweep_result
sweep_step(struct sweep *sweep, int64_t now)
{
	const struct step *step;

	BUG_IF(!sweep->stopping);
	if (sweep->deadline == -1 || now < sweep->deadline)
		return SWEEP_WAIT;
	if (sweep->killing)
		return kill_round(sweep, now);

	BUG_IF(sweep->next >= sweep->steps.count);
	step = &sweep->steps.step[sweep->next++];
	if (step->signum == SIGKILL) {
		sweep->killing = true;
		sweep->deadline = now;
		tell(sweep, SIGKILL, SWEEP_TREE, STEPS_FOREVER);
		return SWEEP_AGAIN; /* what died meanwhile is reaped first */
	}
	ask(sweep, step);
	sweep->deadline = step->ms == STEPS_FOREVER ? -1 : now + step->ms;
	return SWEEP_WAIT;
}

struct survivors {
	pid_t *pids;
	size_t count;
	size_t capacity;
};

static void
survivor_found(const struct walk_found *found, void *arg)
{
	struct survivors *to = arg;

	if (os_stat_dead(found->stat))
		return;
	if (to->count < to->capacity)
		to->pids[to->count++] = found->stat->pid;
}

size_t
sweep_survivors(struct sweep *sweep, pid_t *pids, size_t capacity)
{
	struct survivors to = { pids, 0, capacity };

	walk_run(sweep->walk, 0, survivor_found, &to);
	return to.count;
}
