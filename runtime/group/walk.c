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
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/util/fd.h"

#define SMALL 4096

static struct walk_entry small_queue[SMALL];
static pid_t small_pids[SMALL];

int
walk_init(struct walk *walk)
{
	size_t limit = os_pid_limit();
	size_t each = sizeof(*walk->queue) + sizeof(*walk->pids);
	void *room;

	walk->capacity = 0;
	walk->mapped = false;
	if (os_proc_open(&walk->proc) == -1)
		return -1;
	room = mmap(NULL, limit * each, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room != MAP_FAILED) {
		walk->queue = room;
		walk->pids = (pid_t *)(walk->queue + limit);
		walk->capacity = limit;
		walk->mapped = true;
	} else {
		walk->queue = small_queue;
		walk->pids = small_pids;
		walk->capacity = SMALL;
	}
	return 0;
}

void
walk_fini(struct walk *walk)
{
	if (walk->mapped)
		munmap(walk->queue,
		    walk->capacity *
			(sizeof(*walk->queue) + sizeof(*walk->pids)));
	walk->mapped = false;
	os_proc_close(&walk->proc);
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
	if (found.pidfd == -1 && errno == ESRCH)
		return;
	if (found.pidfd == -1)
		turn->missing = true;
	if (os_proc_stat(&walk->proc, pid, found.pidfd, &stat) == -1) {
		if (errno == EMFILE || errno == ENFILE)
			turn->missing = true;
		if (!found.direct || errno == ESRCH)
			goto out;
		/* Ours, and unreaped: safe to signal, though unseen. */
		memset(&stat, 0, sizeof(stat));
		stat.pid = pid;
		stat.ppid = parent->pid;
		stat.state = '?';
	}
	if (stat.ppid != parent->pid || !parent_holds(parent))
		goto out; /* moved meanwhile: it is our child by now */
	turn->fn(&found, turn->arg);
	if (turn->tail == walk->capacity) {
		turn->missing = true;
		goto out;
	}
	walk->queue[turn->tail++] = (struct walk_entry) { pid, parent->pid,
		stat.start_ticks, found.depth };
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

static int
enter(struct turn *turn, const struct walk_entry *entry, bool listed,
    size_t count)
{
	struct parent parent = { entry->pid, -1, entry->depth };
	struct os_stat stat;
	int result = 0;

	if (entry->depth > 0) {
		parent.pidfd = os_pidfd(entry->pid);
		if (parent.pidfd == -1) {
			turn->missing |= errno != ESRCH;
			return 0;
		}
		if (os_proc_stat(&turn->walk->proc, entry->pid, parent.pidfd,
			&stat) == -1 ||
		    stat.start_ticks != entry->start_ticks)
			goto out; /* it ended, and its children are ours */
	}
	if (listed)
		result = list_children(turn, &parent);
	else
		result = list_by_parent(turn, &parent, count);
out:
	fd_close(&parent.pidfd);
	return entry->depth == 0 ? result : 0;
}

int
walk_run(struct walk *walk, pid_t root, walk_fn *fn, void *arg)
{
	struct turn turn = { walk, fn, arg, getpid(), 0, 0, false };
	struct walk_entry first = { root != 0 ? root : turn.self, 0, 0, 0 };
	bool listed = walk->proc.self != -1;
	ssize_t count = 0;
	bool more;

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
				&stat) == -1)
				stat.ppid = 0;
			fd_close(&pidfd);
			if (stat.ppid != self)
				continue;
		}
		if (walk->skip == NULL ||
		    !walk->skip(walk->pids[i], walk->skip_arg))
			walk->pids[kept++] = walk->pids[i];
	}
	return n == -1 ? -1 : kept;
}
