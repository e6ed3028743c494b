/* SPDX-License-Identifier: ISC */
/*
 * What differs between systems: process creation, process handles and the
 * process table.  Every function here is async-signal-safe and allocates
 * nothing, so that a leader may call it.
 */
#ifndef RUNTIME_OS_OS_H
#define RUNTIME_OS_OS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum os_clone_flags {
	OS_CLONE_SIGNAL = 1 << 0, /* SIGCHLD when it ends; else only wait(2)
				     with __WALL and the pidfd tell */
	OS_CLONE_PIDNS = 1 << 1,  /* init of a new PID namespace */
	OS_CLONE_USERNS = 1 << 2, /* in a new user namespace */
	OS_CLONE_FILES = 1 << 3,  /* with the parent's descriptors themselves,
				     until os_unshare_fds() */
};

/*
 * Forks by the bare system call: no handlers of pthread_atfork(3) run, and
 * the child must keep to async-signal-safe functions.
 *
 * pidfd: receives a close-on-exec handle of the child; may be NULL.
 * cgroup: directory of a cgroup v2 that the child is born in; -1 for the
 *     parent's.
 *
 * Where clone3(2) is refused, as by the seccomp filters of containers, what
 * needs it fails with ENOSYS: OS_CLONE_FILES, and a cgroup.
 *
 * Returns the child's pid, 0 in the child, -1 with errno.
 */
pid_t os_clone(unsigned int flags, int *pidfd, int cgroup);
bool os_can_clone_into_cgroup(void);

/*
 * Runs fn(arg) in a child that borrows this process's memory, as vfork(2)
 * does, on a stack of its own; returns when the child has executed a program
 * or ended.  fn must not return.  Returns the pid, or -1 with errno.
 */
pid_t os_vfork(int (*fn)(void *), void *arg);

/* Waits for the end of a child and reaps it, whatever signals come. */
void os_reap(pid_t pid);

/*
 * Sets the mask to these signals, bit 0 being signal 1, and returns the one
 * before.  Unlike sigfillset(3) it can block also what libc keeps for itself.
 */
uint64_t os_block_signals(uint64_t mask);

/*
 * Sets a signal to its default.  Unlike sigaction(3) it reaches also the two
 * that libc keeps for itself, which posix_spawn(3) leaves ignored.
 */
void os_reset_signal(int signum);

/* A close-on-exec handle of a process, or -1 with errno (ESRCH). */
int os_pidfd(pid_t pid);

/* Sends by handle; 0, or -1 with errno.  signum 0 asks whether it lives. */
int os_pidfd_signal(int pidfd, int signum);

/* Closes the descriptors first..last; UINT_MAX for all above first. */
int os_close_range(unsigned int first, unsigned int last);

/*
 * Gives a process that shares its table of descriptors one of its own, with
 * copies of those below first.  0, or -1 with errno.
 */
int os_unshare_fds(unsigned int first);

/*
 * The end of the heap; and whether a fork copies what of it is above start,
 * whole pages, best effort.
 */
void *os_heap_end(void);
void os_fork_heap(void *start, bool copied);

/*
 * Gives the heap's free pages back, best effort: after what took much for
 * once.  Else what is kept behind it keeps them all.
 */
void os_trim_heap(void);

/* The same where so many bytes were freed that it is worth it. */
void os_trim_heap_after(size_t freed);

/* Marks every descriptor from first on close-on-exec.  Linux 5.11. */
int os_close_on_exec_from(unsigned int first);

/*
 * Makes this process the reaper of its orphaned descendants, or not;
 * 0 or -1 with errno.  os_is_subreaper() returns 1, 0, or -1 with errno.
 */
int os_set_subreaper(bool on);
int os_is_subreaper(void);

/* The signal that this process gets when its parent dies; 0 for none. */
int os_set_parent_death_signal(int signum);

/* The name that ps shows, cut to 15 bytes; room for 16 to get it. */
void os_set_name(const char *name);
void os_get_name(char *name);

/*
 * Calls fn for each name in an open directory, "." and ".." too, from where
 * its descriptor stands, until fn returns false.  directory: the entry is
 * one; not every file system tells.  0, or -1 with errno.
 */
typedef bool os_entry_fn(const char *name, bool directory, void *arg);
int os_each_entry(int dir, os_entry_fn *fn, void *arg);

/*
 * Maps a range of the program's text now, page cache to page table, instead
 * of at each first use.  A page that only one process maps counts as its
 * own: host and leader, which run different parts of one program, then share
 * all of it.  Best effort, Linux 5.14.
 */
void os_map_text(const void *text, size_t size);

struct os_stat {
	pid_t pid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	int tty;    /* device of the controlling terminal, or 0 */
	char state; /* '?' where it cannot be seen */
	bool dying; /* of a signal, or by its own exit, and not dead yet */
	char name[64];
	uint64_t user_ticks;
	uint64_t system_ticks;
	uint64_t start_ticks;
	uint64_t threads;
	uint64_t pages; /* resident */
};

/*
 * Whether nothing of a process runs any more: 'Z' alone may be a process
 * whose first thread has ended before others.
 */
static inline bool
os_stat_dead(const struct os_stat *stat)
{
	return (stat->state == 'Z' || stat->state == 'X') && stat->threads <= 1;
}

/*
 * A view of the process table.  Opened at start, so that later reads of
 * one's own children need no further descriptor.
 */
struct os_proc {
	int dir;  /* /proc; -1 where it is not mounted */
	int self; /* its children file of this thread; -1 if missing */
	/* Where every pid must be asked for: what the last round found. */
	pid_t highest;
	pid_t last;	     /* the pid given last, by then */
	unsigned int rounds; /* since all were asked for; 0: not yet */
};

/*
 * Opens the view.  Where /proc is missing, or shows another PID namespace,
 * both are -1 and the functions below fall back on pidfds.  Returns 0, or -1
 * with errno where neither is there (ENOSYS), or where another try may find
 * more (EMFILE, ENOMEM, EIO, ...): what was opened stays as it is.
 */
int os_proc_open(struct os_proc *proc);
void os_proc_close(struct os_proc *proc);

/*
 * Reads about one process.  Of one that /proc hides only pid, ppid, pgid and
 * sid are known, state and name are '?' and start_ticks is 0.  Returns 0; -1
 * with errno, ESRCH or ENOENT if it is gone.
 */
int os_proc_stat(const struct os_proc *proc, pid_t pid, int pidfd,
    struct os_stat *stat);

/*
 * Whether any thread of the process can still run: reads every thread's
 * state where there are several, since a process whose first thread has
 * ended shows 'Z'.  Returns the most alive state, in the order R S D t T Z,
 * '?' if nothing could be read.
 */
char os_proc_liveliest(const struct os_proc *proc, const struct os_stat *stat);

/*
 * The children of a process, of all its threads.  pid 0 means this process.
 * Zombies count.  Writes at most capacity pids.
 *
 * Returns how many there are written, with *more set if the buffer was too
 * small; -1 with errno: ENOSYS if the kernel does not tell (then use
 * os_proc_all), ESRCH or ENOENT if the process is gone, EMFILE, ENFILE,
 * ENOMEM.
 */
ssize_t os_proc_children(const struct os_proc *proc, pid_t pid, pid_t *pids,
    size_t capacity, bool *more);

/*
 * Every process there is, by /proc or, where that is missing, by asking for
 * each possible pid.  As os_proc_children().
 */
ssize_t os_proc_all(struct os_proc *proc, pid_t *pids, size_t capacity,
    bool *more);

/* The largest pid plus one. */
size_t os_pid_limit(void);

#endif
