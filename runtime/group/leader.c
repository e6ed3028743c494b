/* SPDX-License-Identifier: ISC */
/*
 * The leader, see leader.h.  After the fork only async-signal-safe calls are
 * made and nothing is allocated: the host may have had threads.
 */
#include "runtime/group/leader.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/adopt.h"
#include "runtime/group/leader_setup.h"
#include "runtime/group/link.h"
#include "runtime/group/names.h"
#include "runtime/os/os.h"
#include "runtime/util/bug.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"

#define RETRY_MS 20
/*
 * What lives when the command ends may be ending too: a reader at the end of
 * a pipe, a child that was killed.  So long it has before it is told of.
 */
#define SETTLE_MS 100
/*
 * What only a sweep needs is made ready once the command has run so long, or
 * by the sweep itself: most commands that end sooner leave nothing, and wait
 * for nothing.
 */
#define PREPARE_MS 20
/*
 * So long a host has to say what takes the place of a main process that
 * ended: it only has to read what was sent to it before.
 */
#define AWAIT_MS 5000
/* The status of one that ended while it was another's child: exit(255). */
#define STATUS_UNSEEN (255 << 8)

struct life {
	struct leader *leader;
	enum leader_state state;
	struct walk walk;
	struct sweep sweep;
	int signals;
	bool host_gone;
	bool alone; /* and that was acted on */
	bool ran;   /* the command: the host has given the word */
	bool main_ended;
	bool told_ended;
	bool awaiting;	/* the end is none if another is adopted */
	bool prepared;	/* for a sweep */
	bool paused;	/* the main process is stopped */
	bool wake;	/* the host is as well, until this one is not */
	int64_t settle; /* when leftovers, or an end, are told; 0: not now */
	unsigned int unanswered; /* LINK_AWAITING without its LINK_SWEEP */
	pid_t main;
	int status;
};

/* False if the one whose pid is to be translated is gone: nothing is told. */
static bool
tell(struct life *life, struct link_up *up, enum link_send how)
{
	if (life->host_gone || link_send_up(life->leader->link, up, how) == 0 ||
	    how == LINK_DROP)
		return true;
	if (how == LINK_TRANSLATE && errno == ESRCH)
		return false;
	life->host_gone = true;
	return true;
}

/* Of all that was reaped up to now. */
static void
add_usage(const struct life *life, struct link_up *up)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	up->user_us = (int64_t)usage.ru_utime.tv_sec * 1000000 +
	    usage.ru_utime.tv_usec;
	up->system_us = (int64_t)usage.ru_stime.tv_sec * 1000000 +
	    usage.ru_stime.tv_usec;
	up->peak_memory = (uint64_t)usage.ru_maxrss * 1024;
	up->processes = life->sweep.reaped;
}

static void
tell_main_ended(struct life *life, bool held)
{
	struct link_up up = { .type = LINK_MAIN_ENDED,
		.pid = life->main,
		.status = life->status,
		.held = held };

	life->told_ended = true;
	add_usage(life, &up);
	tell(life, &up, LINK_WAIT);
}

/*
 * The last word.  It tells of the main process's end too, where that was the
 * group's: each message wakes the host, and most commands leave nothing.
 */
static void
tell_empty(struct life *life)
{
	struct link_up up = { .type = LINK_EMPTY,
		.status = life->status,
		.ended = life->main_ended && !life->told_ended };

	life->awaiting = false; /* the answer is still to be read */
	add_usage(life, &up);
	tell(life, &up, LINK_WAIT);
}

static void
tell_unkillable(struct life *life)
{
	struct link_up up = { .type = LINK_UNKILLABLE };

	up.count = (uint32_t)sweep_survivors(&life->sweep, up.pids, SWEEP_LIST);
	tell(life, &up, LINK_WAIT);
}

static void
tell_step(int signum, enum sweep_target whom, int64_t ms, void *arg)
{
	struct link_up up = { .type = LINK_STEP,
		.signum = signum,
		.target = whom,
		.ms = ms };

	tell(arg, &up, LINK_DROP);
}

/* Tells what waited for leftovers, or for another, if it is not told yet. */
static void
settle(struct life *life, bool held)
{
	if (life->settle == 0)
		return;
	life->settle = 0;
	life->awaiting = false;
	tell_main_ended(life, held);
}

static void
act(struct life *life, enum leader_event event, const struct link_down *down)
{
	struct leader_step step = leader_next(life->state, event,
	    life->leader->hold && !life->host_gone);

	if (step.next != LEADER_HELD && step.next != LEADER_EMPTY)
		settle(life, false); /* asked to stop meanwhile */
	life->state = step.next;
	switch (step.action) {
	case LEADER_IGNORE:
		break;
	case LEADER_HOLD:
		life->settle = clock_ms() + SETTLE_MS;
		break;
	case LEADER_SWEEP_REST:
		sweep_begin(&life->sweep, &life->leader->steps, SWEEP_TREE);
		break;
	case LEADER_SWEEP:
		BUG_IF(down == NULL);
		sweep_begin(&life->sweep, &down->steps,
		    (enum sweep_target)down->target);
		break;
	case LEADER_SWEEP_ALONE:
		sweep_begin(&life->sweep, &life->leader->steps, SWEEP_PGROUP);
		break;
	case LEADER_WIDEN:
		sweep_widen(&life->sweep);
		break;
	case LEADER_REPORT:
		tell_empty(life);
		break;
	}
}

static void
on_reaped(pid_t pid, int status, void *arg)
{
	struct life *life = arg;

	if (pid != life->main || life->main_ended)
		return;
	life->main_ended = true;
	life->paused = false;
	life->status = status;
}

/* The main process has ended, and none takes its place. */
static void
end_main(struct life *life)
{
	life->awaiting = false;
	life->settle = 0;
	act(life, LEADER_ON_MAIN_END, NULL);
	if (life->state != LEADER_HELD)
		tell_main_ended(life, false);
}

/* The word that another takes its place may be on its way. */
static void
on_main_end(struct life *life)
{
	struct link_up up = { .type = LINK_AWAITING };

	if (!life->leader->adopts || life->state != LEADER_RUNNING ||
	    life->host_gone) {
		end_main(life);
		return;
	}
	life->awaiting = true;
	life->settle = clock_ms() + AWAIT_MS;
	life->unanswered++;
	tell(life, &up, LINK_WAIT);
}

/* Each is answered, unless the last word is said: the host waits for it. */
static void
adopt(struct life *life, pid_t pid)
{
	struct link_up up = { .type = LINK_ADOPTED, .pid = pid, .status = pid };
	bool same = pid == life->main && !life->main_ended;
	int fd = -1;

	if (life->state == LEADER_EMPTY)
		return;
	if (!life->leader->adopts || life->state != LEADER_RUNNING)
		up.error = ECANCELED;
	else if (!same &&
	    (fd = adopt_open(&life->walk, life->sweep.scope, pid)) == -1)
		up.error = errno;
	else if (!tell(life, &up,
		     life->leader->namespace ? LINK_TRANSLATE : LINK_WAIT))
		up.error = ESRCH;
	if (up.error != 0) {
		fd_close(&fd);
		tell(life, &up, LINK_WAIT);
		return;
	}
	if (same)
		return;
	fd_close(&life->sweep.main_fd);
	life->sweep.main_fd = fd;
	life->sweep.main = life->main = pid;
	life->sweep.pgid = getpgid(pid);
	life->main_ended = life->awaiting = life->paused = false;
	life->settle = 0;
}

/*
 * One that was adopted ends.  If it is our child it is reaped as any other,
 * and keeps its pid until then.
 */
static void
on_adopted_end(struct life *life)
{
	bool ours = adopt_is_child(life->main, life->sweep.main_fd);

	fd_close(&life->sweep.main_fd);
	if (ours)
		return;
	life->sweep.main = 0;
	life->main_ended = true;
	life->paused = false;
	life->status = STATUS_UNSEEN;
	on_main_end(life);
}

/* The proof, or what is to be done about those that are left. */
static enum sweep_reaped
reap(struct life *life)
{
	bool had_ended = life->main_ended;
	enum sweep_reaped left;

	left = sweep_reap(&life->sweep, on_reaped, life);
	if (left == SWEEP_NONE_LEFT) {
		act(life, LEADER_ON_NONE_LEFT, NULL);
	} else if (life->main_ended && !had_ended) {
		fd_close(&life->sweep.main_fd);
		on_main_end(life);
	}
	return left;
}

/* Stops and continuations of the main process; deeper ones are not told. */
static void
check_paused(struct life *life)
{
	struct link_up up = { 0 };
	siginfo_t info = { 0 };

	if (life->main_ended)
		return;
	if (waitid(P_PID, (id_t)life->main, &info,
		WSTOPPED | WCONTINUED | WNOHANG | __WALL) == -1 ||
	    info.si_pid == 0)
		return;
	life->paused = info.si_code != CLD_CONTINUED;
	up.type = life->paused ? LINK_PAUSED : LINK_CONTINUED;
	up.pid = life->main;
	up.signum = info.si_status;
	tell(life, &up, LINK_DROP);
}

static void
read_signals(struct life *life)
{
	struct signalfd_siginfo info;

	while (read(life->signals, &info, sizeof(info)) == sizeof(info))
		;
	/* Anybody may send what tells of the host's death: only the parent's
	 * change counts.  In a PID namespace the parent is never seen; there
	 * the link tells. */
	if (!life->leader->namespace && getppid() != life->leader->host)
		life->host_gone = true;
	check_paused(life);
}

/* Only the answer to the last question says that nothing is to come. */
static void
on_sweep(struct life *life)
{
	if (life->unanswered > 0 && --life->unanswered == 0 && life->awaiting)
		end_main(life);
}

/* So many messages at most: what ends meanwhile is to be reaped. */
static void
read_link(struct life *life, size_t most)
{
	struct link_down down;
	int result = -1;

	while (most-- > 0 &&
	    (result = link_receive_down(life->leader->link, &down)) == 1)
		switch (down.type) {
		case LINK_SIGNAL:
			sweep_signal_main(&life->sweep, down.signum);
			break;
		case LINK_ADOPT:
			adopt(life, down.pid);
			break;
		case LINK_SWEEP:
			on_sweep(life);
			break;
		case LINK_STOP:
			act(life, LEADER_ON_STOP, &down);
			break;
		case LINK_WAKE:
			life->wake = true;
			break;
		}
	if (result == 0)
		life->host_gone = true;
}

/*
 * A host that stops asks to be woken first: what it asked before it was told
 * of the end has come by now.  That the link ends, once it was told, means
 * nothing.
 */
static void
hear_last(struct life *life)
{
	read_link(life, LINK_ALL);
	life->host_gone = false;
}

/*
 * A host that stopped with the main process runs when that does, or has
 * ended, as a shell sees a plain command do.  From within a PID namespace the
 * host cannot be seen.
 */
static void
wake_host(struct life *life)
{
	if (!life->wake || life->paused)
		return;
	life->wake = false;
	if (getppid() == life->leader->host)
		kill(life->leader->host, SIGCONT);
}

/* The system may be out of descriptors for a while: then look again soon. */
static bool
open_signals(struct life *life)
{
	if (life->signals == -1)
		life->signals = leader_open_signals();
	return life->signals != -1;
}

static int
poll_timeout(struct life *life, int64_t now)
{
	int64_t deadline = sweep_deadline(&life->sweep);

	if (life->host_gone && !life->alone)
		return 0; /* found out just now, when it was to be told */
	if (!open_signals(life))
		return RETRY_MS;
	if (life->settle != 0)
		deadline = life->settle;
	if (deadline == -1)
		return life->prepared ? -1 : PREPARE_MS;
	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

/* What fails here each walk tries again. */
static void
prepare(struct life *life)
{
	life->prepared = true;
	if (life->walk.capacity == 0)
		walk_init(&life->walk);
	if (life->leader->text != NULL)
		os_map_text(life->leader->text, life->leader->text_size);
}

static void
wait_for_event(struct life *life, bool at_once)
{
	int timeout = at_once ? 0 : poll_timeout(life, clock_ms());
	struct pollfd fds[4] = {
		{ life->signals, POLLIN, 0 },
		{ life->host_gone ? -1 : life->leader->link, POLLIN, 0 },
		{ life->sweep.leaf != NULL ? life->leader->leaf.events : -1,
		    POLLPRI, 0 },
		{ life->sweep.main_fd, POLLIN, 0 },
	};
	int ready;

	ready = poll(fds, 4, timeout);
	if (ready == 0 && !life->prepared)
		prepare(life);
	if (ready <= 0)
		return;
	if (fds[3].revents != 0)
		on_adopted_end(life);
	if (fds[0].revents != 0)
		read_signals(life);
	if (fds[1].revents != 0)
		read_link(life, LINK_TURN);
	if (fds[2].revents != 0) /* the next change is told after a read */
		cgroup_leaf_populated(&life->leader->leaf);
}

/*
 * Until the group is empty.  Where what is left cannot be killed and nobody
 * is there to be told again, the leader leaves: it can do nothing more.
 */
static void
live(struct life *life)
{
	bool at_once;

	while (life->state != LEADER_EMPTY &&
	    !(life->sweep.gave_up && life->host_gone)) {
		at_once = reap(life) == SWEEP_MORE_DEAD;
		if (life->state == LEADER_EMPTY && !life->host_gone)
			hear_last(life);
		wake_host(life);
		if (life->state == LEADER_EMPTY)
			return;
		if (life->host_gone && !life->alone) {
			life->alone = true;
			act(life, LEADER_ON_HOST_GONE, NULL);
		}
		if (life->settle != 0 && clock_ms() >= life->settle) {
			if (life->awaiting)
				end_main(life);
			else
				settle(life, true);
		}
		/* Also when more are dead: there may be no end of them. */
		if (life->state == LEADER_STOPPING)
			switch (sweep_step(&life->sweep, clock_ms())) {
			case SWEEP_WAIT:
				break;
			case SWEEP_AGAIN:
				at_once = true;
				break;
			case SWEEP_GIVE_UP:
				tell_unkillable(life);
				break;
			}
		wait_for_event(life, at_once);
	}
}

/*
 * The commands of a host that died cannot reach it any more.  One that gave
 * this start up lives on; and where its pid was another's next, the name of a
 * transient one is that one's.  A host that is just dying may have closed the
 * link, but not the socket.
 */
static void
remove_traces(struct life *life)
{
	struct leader *leader = life->leader;

	if (leader->leaf.parent != -1)
		cgroup_leaf_remove(&leader->leaf);
	if (life->host_gone && leader->socket != NULL &&
	    ((life->ran && getppid() == leader->host) ||
		names_is_dead(leader->socket)))
		unlink(leader->socket);
}

/* Everything up to the running command; false if there is none. */
static bool
start(struct life *life)
{
	struct leader *leader = life->leader;
	struct member_failure failure = { GROUPER_STAGE_CONTAIN, 0 };
	struct link_up up = { 0 };
	int cgroup = leader->leaf.parent != -1 ? leader->leaf.dir : -1;
	pid_t pid = -1;

	os_set_name(LEADER_NAME);
	/* With a copy of the host's end the link would outlive the host, and
	 * the member wait for ever for leave to execute. */
	fd_close(&leader->host_link);
	if (!leader_watch_host(leader)) {
		life->host_gone = true;
		leader_keep_only(leader); /* the socket may be among them */
		remove_traces(life);
		_exit(0); /* nothing was started */
	}
	if ((leader->map_user && leader_map_user(leader) == -1) ||
	    (!leader->namespace && os_set_subreaper(true) == -1))
		failure.error = errno;
	else
		pid = member_spawn(&leader->member, cgroup, &failure);
	life->main = pid;
	life->ran = failure.stage == GROUPER_STAGE_NONE;
	if (life->ran) {
		up.type = LINK_STARTED;
		up.pid = pid;
		tell(life, &up, leader->namespace ? LINK_TRANSLATE : LINK_WAIT);
		return true;
	}
	up.type = LINK_START_FAILED;
	up.stage = failure.stage;
	up.error = failure.error;
	tell(life, &up, LINK_WAIT);
	return false;
}

void
leader_run(struct leader *leader)
{
	struct life life = { .leader = leader,
		.state = LEADER_RUNNING,
		.signals = -1 };
	enum sweep_scope scope = leader->namespace ? SWEEP_NAMESPACE :
						     SWEEP_ALL;
	bool leaf = leader->leaf.parent != -1;
	pid_t session = getsid(0);

	/* Were it ignored, children would vanish unseen; wait(2). */
	signal(SIGCHLD, SIG_DFL);
	start(&life);

	leader_keep_only(leader);
	leader_raise_limit();
	sweep_init(&life.sweep, &life.walk, scope, leaf ? &leader->leaf : NULL);
	life.sweep.inherited_session = session;
	life.sweep.on_asking = tell_step;
	life.sweep.on_asking_arg = &life;
	if (life.main != -1) {
		life.sweep.main = life.main;
		life.sweep.pgid = leader->member.place == MEMBER_SHARED ?
		    getpgid(life.main) :
		    life.main;
	}
	live(&life);
	remove_traces(&life);
	_exit(0);
}
