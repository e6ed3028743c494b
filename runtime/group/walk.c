/* SPDX-License-Identifier: ISC */
/*
 * Walks over descendants, see walk.h.
 *
 * How a process is proven to descend from us: a handle of it is opened; then
 * its parent is read, which speaks of the process behind the handle as long
 * as that has not been reaped; then the parent, held by a handle of its own,
 * is shown to live still, so its pid was not another's when the child named
 * it.  By induction from ourselves each process found is a descendant.
 */
#include "runtime/group/walk.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/util/fd.h"

#define SMALL 4096

/* Room for that many processes, in order of need: queue, pids, marks. */
static size_t
room_for(size_t pids)
{
	return pids * (sizeof(struct walk_entry) + sizeof(pid_t)) +
	    pids / CHAR_BIT + 1;
}

static _Alignas(struct walk_entry) unsigned char small[SMALL * 48];

static void
use_room(struct walk *walk, void *room, size_t pids)
{
	walk->queue = room;
	walk->pids = (pid_t *)(walk->queue + pids);
	walk->marks = (unsigned char *)(walk->pids + pids);
	walk->capacity = pids;
}

int
walk_init(struct walk *walk)
{
	size_t limit = os_pid_limit();
	void *room;

	walk->capacity = 0;
	walk->mapped = false;
	if (os_proc_open(&walk->proc) == -1)
		return -1;
	room = mmap(NULL, room_for(limit), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	walk->mapped = room != MAP_FAILED;
	if (walk->mapped)
		use_room(walk, room, limit);
	else
		use_room(walk, small, SMALL);
	return 0;
}

void
walk_fini(struct walk *walk)
{
	if (walk->mapped)
		munmap(walk->queue, room_for(walk->capacity));
	walk->mapped = false;
	os_proc_close(&walk->proc);
}

bool
walk_is_blind(const struct walk *walk)
{
	return walk->capacity > 0 && walk->proc.dir == -1;
}

int
walk_signal(const struct walk_found *found, int signum)
{
	pid_t pid = found->stat->pid;

	if (found->pidfd != -1)
		return os_pidfd_signal(found->pidfd, signum);
	if (found->direct && pid > 1)
		return kill(pid, signum);
	errno = EMFILE;
	return -1;
}

struct turn {
	struct walk *walk;
	walk_fn *fn;
	void *arg;
	pid_t self;
	size_t head;
	size_t tail;
	bool missing;
};

/* A parent whose children are being listed; pidfd -1 for ourselves. */
struct parent {
	pid_t pid;
	int pidfd;
	unsigned int depth;
};

static bool
parent_holds(const struct parent *parent)
{
	return parent->depth == 0 || os_pidfd_signal(parent->pidfd, 0) == 0;
}

static void
visit(struct turn *turn, const struct parent *parent, pid_t pid)
{
	struct walk *walk = turn->walk;
	struct walk_found found;
	struct os_stat stat;

	if (pid <= 1)
		return;
	found.direct = parent->pid == turn->self;
	found.depth = parent->depth + 1;
	found.stat = &stat;
	found.pidfd = os_pidfd(pid);
	if (found.pidfd == -1 && errno == ESRCH) {
		walk->moved = true;
		return;
	}
	if (found.pidfd == -1)
		turn->missing = true;
	if (os_proc_stat(&walk->proc, pid, found.pidfd, &stat) == -1) {
		if (errno == EMFILE || errno == ENFILE)
			turn->missing = true;
		if (!found.direct || errno == ESRCH) {
			walk->moved = true;
			goto out;
		}
		/* Ours, and unreaped: safe to signal, though unseen. */
		memset(&stat, 0, sizeof(stat));
		stat.pid = pid;
		stat.ppid = parent->pid;
		stat.state = '?';
	}
	if (stat.ppid != parent->pid || !parent_holds(parent)) {
		walk->moved = true; /* it is our child by now */
		goto out;
	}
	turn->fn(&found, turn->arg);
	walk->dead += os_stat_dead(&stat);
	if (turn->tail == walk->capacity) {
		turn->missing = true;
		goto out;
	}
	walk->queue[turn->tail++] = (struct walk_entry) { pid, parent->pid,
		stat.start_ticks, found.depth, os_stat_dead(&stat) };
out:
	fd_close(&found.pidfd);
}

/* The children of one parent, as the kernel lists them. */
static int
list_children(struct turn *turn, const struct parent *parent)
{
	struct walk *walk = turn->walk;
	ssize_t n, i;
	bool more;

	n = os_proc_children(&walk->proc,
	    parent->pid == turn->self ? 0 : parent->pid, walk->pids,
	    walk->capacity, &more);
	if (n == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			turn->missing = true;
		return -1;
	}
	turn->missing |= more;
	for (i = 0; i < n; i++) {
		if (parent->depth == 0 && walk->skip != NULL &&
		    walk->skip(walk->pids[i], walk->skip_arg))
			continue;
		visit(turn, parent, walk->pids[i]);
	}
	return 0;
}

/*
 * The same for kernels that do not list children: every process there is,
 * and whose parent it names.
 */
static int
list_by_parent(struct turn *turn, const struct parent *parent, size_t count)
{
	struct walk *walk = turn->walk;
	struct os_stat stat;
	int pidfd = -1;
	size_t i;

	for (i = 0; i < count; i++) {
		if (walk->proc.dir == -1)
			pidfd = os_pidfd(walk->pids[i]);
		if (os_proc_stat(&walk->proc, walk->pids[i], pidfd, &stat) ==
			0 &&
		    stat.ppid == parent->pid &&
		    !(parent->depth == 0 && walk->skip != NULL &&
			walk->skip(walk->pids[i], walk->skip_arg)))
			visit(turn, parent, walk->pids[i]);
		fd_close(&pidfd);
	}
	return 0;
}

/* The parent that was found is still the one that has its pid, and lives. */
static bool
is_same(const struct turn *turn, const struct walk_entry *entry, int pidfd)
{
	struct os_stat stat;

	return os_proc_stat(&turn->walk->proc, entry->pid, pidfd, &stat) == 0 &&
	    stat.start_ticks == entry->start_ticks && !os_stat_dead(&stat);
}

static int
enter(struct turn *turn, const struct walk_entry *entry, bool listed,
    size_t count)
{
	struct parent parent = { entry->pid, -1, entry->depth };
	int result = 0;

	if (entry->dead)
		return 0;
	if (entry->depth > 0) {
		parent.pidfd = os_pidfd(entry->pid);
		if (parent.pidfd == -1) {
			turn->missing |= errno != ESRCH;
			turn->walk->moved = true;
			return 0;
		}
		if (!is_same(turn, entry, parent.pidfd)) {
			turn->walk->moved = true;
			goto out;
		}
	}
	if (listed)
		result = list_children(turn, &parent);
	else
		result = list_by_parent(turn, &parent, count);
	/* Had it died before its children were read, there were none. */
	if (entry->depth > 0 && !is_same(turn, entry, parent.pidfd))
		turn->walk->moved = true;
out:
	fd_close(&parent.pidfd);
	return entry->depth == 0 ? result : 0;
}

int
walk_run(struct walk *walk, pid_t root, walk_fn *fn, void *arg)
{
	struct turn turn = { walk, fn, arg, getpid(), 0, 0, false };
	struct walk_entry first = { root != 0 ? root : turn.self, 0, 0, 0,
		false };
	bool listed = walk->proc.self != -1;
	ssize_t count = 0;
	bool more;

	walk->moved = false;
	walk->dead = 0;
	if (walk->capacity == 0) {
		if (walk_init(walk) == -1)
			return -1;
		listed = walk->proc.self != -1;
	}
	if (!listed) {
		count = os_proc_all(&walk->proc, walk->pids, walk->capacity,
		    &more);
		if (count == -1)
			return -1;
		turn.missing |= more;
	}
	if (enter(&turn, &first, listed, (size_t)count) == -1)
		return -1;
	while (turn.head < turn.tail) {
		first = walk->queue[turn.head++];
		enter(&turn, &first, listed, (size_t)count);
	}
	return turn.missing ? 1 : 0;
}

ssize_t
walk_children(struct walk *walk)
{
	pid_t self = getpid();
	struct os_stat stat;
	ssize_t n, i, kept = 0;
	bool listed, more;
	int pidfd = -1;

	if (walk->capacity == 0 && walk_init(walk) == -1)
		return -1;
	listed = walk->proc.self != -1;
	if (listed)
		n = os_proc_children(&walk->proc, 0, walk->pids, walk->capacity,
		    &more);
	else
		n = os_proc_all(&walk->proc, walk->pids, walk->capacity, &more);
	for (i = 0; i < n; i++) {
		if (!listed) {
			if (walk->proc.dir == -1)
				pidfd = os_pidfd(walk->pids[i]);
			if (os_proc_stat(&walk->proc, walk->pids[i], pidfd,
				&stat) == -1) {
				more |= errno != ESRCH && errno != ENOENT;
				stat.ppid = 0;
			}
			fd_close(&pidfd);
			if (stat.ppid != self)
				continue;
		}
		if (walk->skip == NULL ||
		    !walk->skip(walk->pids[i], walk->skip_arg))
			walk->pids[kept++] = walk->pids[i];
	}
	/* That there is none must not be what could not be read. */
	if (kept == 0 && more) {
		errno = EAGAIN;
		return -1;
	}
	return n == -1 ? -1 : kept;
}

void
walk_clear_marks(struct walk *walk)
{
	if (walk->capacity > 0)
		memset(walk->marks, 0, walk->capacity / CHAR_BIT + 1);
}

bool
walk_mark(struct walk *walk, pid_t pid)
{
	unsigned char bit = (unsigned char)(1 << (pid % CHAR_BIT));
	unsigned char *at = &walk->marks[(size_t)pid / CHAR_BIT];

	/* In little room not every pid has a mark: then each seems new. */
	if ((size_t)pid >= walk->capacity)
		return true;
	if (*at & bit)
		return false;
	*at |= bit;
	return true;
}
