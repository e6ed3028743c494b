/* SPDX-License-Identifier: ISC */
/*
 * Processes of Linux.  The system calls are made bare where glibc 2.36 has
 * no wrapper, or has one that does more than is safe after a bare clone.
 */
#include "runtime/os/os.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Less is not worth a look at the whole heap. */
#define TRIM_FROM ((size_t)128 << 10)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

bool
os_can_clone_into_cgroup(void)
{
	/* What is no argument is refused by the kernel with EINVAL. */
	return syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS;
}

/*
 * By clone(2), whose arguments are registers: seccomp filters, such as those
 * of containers, often refuse clone3(2), since they cannot look into what its
 * argument points to.
 */
static long
clone_by_registers(const struct clone_args *args, int *fd)
{
	if (args->flags & (CLONE_INTO_CGROUP | CLONE_FILES)) {
		errno = ENOSYS;
		return -1;
	}
#if defined(__s390x__)
	return syscall(SYS_clone, 0, args->flags | args->exit_signal, fd, NULL,
	    0);
#else
	/* No stack: the child goes on with its copy of ours. */
	return syscall(SYS_clone, args->flags | args->exit_signal, 0, fd, NULL,
	    0);
#endif
}

pid_t
os_clone(unsigned int flags, int *pidfd, int cgroup)
{
	struct clone_args args = { 0 };
	int fd = -1;
	long pid;

	if (flags & OS_CLONE_SIGNAL)
		args.exit_signal = SIGCHLD;
	if (flags & OS_CLONE_PIDNS)
		args.flags |= CLONE_NEWPID;
	if (flags & OS_CLONE_USERNS)
		args.flags |= CLONE_NEWUSER;
	if (flags & OS_CLONE_FILES)
		args.flags |= CLONE_FILES;
	if (pidfd != NULL) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uint64_t)(uintptr_t)&fd;
	}
	if (cgroup != -1) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == -1 && errno == ENOSYS)
		pid = clone_by_registers(&args, &fd);
	if (pid > 0 && pidfd != NULL)
		*pidfd = fd;
	return (pid_t)pid;
}

/*
 * A stack in this process's memory for the vfork'd child.  One is enough:
 * the parent does not run until the child has let go of it.
 */
static _Alignas(16) char vfork_stack[64 * 1024];

pid_t
os_vfork(int (*fn)(void *), void *arg)
{
	return clone(fn, vfork_stack + sizeof(vfork_stack),
	    CLONE_VM | CLONE_VFORK | SIGCHLD, arg);
}

void
os_reap(pid_t pid)
{
	while (waitid(P_PID, (id_t)pid, NULL, WEXITED | __WALL) == -1 &&
	    errno == EINTR)
		;
}

uint64_t
os_block_signals(uint64_t mask)
{
	uint64_t before = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before,
	    sizeof(before));
	return before;
}

void
os_reset_signal(int signum)
{
	/* handler, flags, restorer, mask: SIG_DFL is 0, see sigaction(2) */
	unsigned long action[4] = { 0 };

	syscall(SYS_rt_sigaction, signum, action, NULL, sizeof(uint64_t));
}

int
os_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int
os_pidfd_signal(int pidfd, int signum)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0);
}

int
os_close_range(unsigned int first, unsigned int last)
{
	if (first > last)
		return 0;
	return (int)syscall(SYS_close_range, first, last, 0);
}

int
os_unshare_fds(unsigned int first)
{
	return (int)syscall(SYS_close_range, first, UINT_MAX,
	    CLOSE_RANGE_UNSHARE);
}

void *
os_heap_end(void)
{
	return sbrk(0);
}

void
os_fork_heap(void *start, bool copied)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ((uintptr_t)start + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)sbrk(0) + page - 1) & ~(page - 1);

	if (first < end)
		madvise((void *)first, end - first,
		    copied ? MADV_DOFORK : MADV_DONTFORK);
}

void
os_trim_heap(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void
os_trim_heap_after(size_t freed)
{
	if (freed >= TRIM_FROM)
		os_trim_heap();
}

int
os_close_on_exec_from(unsigned int first)
{
	return (int)syscall(SYS_close_range, first, UINT_MAX,
	    CLOSE_RANGE_CLOEXEC);
}

int
os_set_subreaper(bool on)
{
	return prctl(PR_SET_CHILD_SUBREAPER, on ? 1UL : 0UL, 0, 0, 0);
}

int
os_is_subreaper(void)
{
	int on = 0;

	if (prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0) == -1)
		return -1;
	return on != 0;
}

int
os_set_parent_death_signal(int signum)
{
	return prctl(PR_SET_PDEATHSIG, (unsigned long)signum, 0, 0, 0);
}

void
os_set_name(const char *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

void
os_get_name(char *name)
{
	prctl(PR_GET_NAME, name, 0, 0, 0);
}

void
os_map_text(const void *text, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)text & ~(page - 1);
	uintptr_t end = ((uintptr_t)text + size) & ~(page - 1);

	madvise((void *)start, end - start, MADV_POPULATE_READ);
}

/* getdents64(2); glibc's own struct is for readdir(3). */
struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

int
os_each_entry(int dir, os_entry_fn *fn, void *arg)
{
	_Alignas(struct linux_dirent64) char buffer[2048];
	struct linux_dirent64 *entry;
	long n, at;

	while ((n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n; at += entry->d_reclen) {
			entry = (struct linux_dirent64 *)(void *)(buffer + at);
			if (!fn(entry->d_name, entry->d_type == DT_DIR, arg))
				return 0;
		}
	return n < 0 ? -1 : 0;
}
