/* SPDX-License-Identifier: ISC */
/*
 * The process table of Linux: /proc, and pidfds where /proc is missing or
 * hides a process (hidepid, see proc(5)).  No allocation, no stdio: a leader
 * reads this way after its fork.
 */
#include "runtime/os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/util/fd.h"

/* PIDFD_GET_INFO, since Linux 6.13; Debian 12's headers do not have it. */
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid;
	uint32_t tgid;
	uint32_t ppid;
	uint32_t ids[8];
	uint32_t exit_code;
};
#define PIDFD_GET_INFO _IOWR(0xff, 11, struct pidfd_info)
#define PIDFD_INFO_PID 1

/* PF_EXITING of the kernel's own <linux/sched.h>. */
#define FLAG_EXITING 0x4

/* Appends a number in decimal; returns the new end. */
static char *
put_number(char *at, pid_t number)
{
	char digits[16];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

/* "PID/stat" and the like, in a buffer that holds 64 bytes. */
static char *
put_text(char *at, const char *text)
{
	size_t length = strlen(text);

	memcpy(at, text, length + 1);
	return at + length;
}

static ssize_t
read_file(int dir, const char *path, char *buffer, size_t size)
{
	ssize_t n;
	int fd;

	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = read(fd, buffer, size - 1);
	fd_close(&fd);
	if (n >= 0)
		buffer[n] = '\0';
	return n;
}

/*
 * /proc as it is mounted may show an outer PID namespace, whose pids mean
 * nothing to kill(2) in here.
 */
static int
find_ours(int dir, bool *ours)
{
	char target[32];
	struct statfs fs;
	pid_t pid = 0;
	ssize_t n, i;

	*ours = false;
	if (fstatfs(dir, &fs) == -1)
		return -1;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	n = readlinkat(dir, "self", target, sizeof(target));
	/* Of a namespace that does not see us, proc(5). */
	if (n == -1)
		return errno == ENOENT ? 0 : -1;
	for (i = 0; i < n; i++)
		pid = pid * 10 + (target[i] - '0');
	*ours = pid == getpid();
	return 0;
}

/* 0, with dir -1 where there is none of ours; -1: it may be there later. */
static int
open_ours(struct os_proc *proc)
{
	char path[64], *end;
	bool ours;

	proc->dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc->dir == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ||
			errno == EPERM ?
		    0 :
		    -1;
	if (find_ours(proc->dir, &ours) == -1)
		return -1;
	if (!ours) {
		fd_close(&proc->dir);
		return 0;
	}
	end = put_text(path, "self/task/");
	end = put_number(end, (pid_t)syscall(SYS_gettid));
	put_text(end, "/children");
	proc->self = openat(proc->dir, path, O_RDONLY | O_CLOEXEC);
	/* Not every kernel has it, proc_pid_task_tid_children(5). */
	return proc->self != -1 || errno == ENOENT || errno == EACCES ||
		errno == EPERM ?
	    0 :
	    -1;
}

static int
pidfd_parent(int pidfd, struct os_stat *stat)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_PID };

	if (ioctl(pidfd, PIDFD_GET_INFO, &info) == -1)
		return -1;
	memset(stat, 0, sizeof(*stat));
	stat->pid = (pid_t)info.tgid;
	stat->ppid = (pid_t)info.ppid;
	/* 0 for what has just been reaped, as for what is not known. */
	stat->pgid = getpgid(stat->pid);
	stat->sid = getsid(stat->pid);
	if (stat->pgid == -1 || stat->sid == -1)
		stat->pgid = stat->sid = 0;
	stat->state = '?';
	stat->name[0] = '?';
	stat->threads = 1;
	return 0;
}

int
os_proc_open(struct os_proc *proc)
{
	struct os_stat stat;
	int pidfd, result;

	*proc = (struct os_proc) { .self = -1 };
	if (open_ours(proc) == -1) {
		fd_close(&proc->dir);
		return -1;
	}
	if (proc->dir != -1)
		return 0;
	pidfd = os_pidfd(getpid());
	if (pidfd == -1)
		return -1;
	result = pidfd_parent(pidfd, &stat);
	fd_close(&pidfd);
	if (result == -1)
		errno = ENOSYS;
	return result;
}

void
os_proc_close(struct os_proc *proc)
{
	fd_close(&proc->dir);
	fd_close(&proc->self);
}

static const char *
skip_field(const char *at)
{
	while (*at == ' ')
		at++;
	while (*at != ' ' && *at != '\0')
		at++;
	return at;
}

static const char *
take_number(const char *at, int64_t *out)
{
	bool negative = false;
	uint64_t value = 0;

	while (*at == ' ')
		at++;
	if (*at == '-') {
		negative = true;
		at++;
	}
	while (*at >= '0' && *at <= '9')
		value = value * 10 + (uint64_t)(*at++ - '0');
	*out = (int64_t)(negative ? 0 - value : value);
	return at;
}

/*
 * "pid (name) state ppid pgrp session tty_nr tpgid flags minflt cminflt
 * majflt cmajflt utime stime cutime cstime priority nice num_threads
 * itrealvalue starttime vsize rss rsslim startcode endcode startstack kstkesp
 * kstkeip signal", proc_pid_stat(5).  The name may hold anything, also ") R 1",
 * so it ends at the last parenthesis.
 *
 * A signal that will end a process is told to each of its threads as a KILL
 * that is pending until it acts on it.
 */
static int
parse_stat(const char *text, struct os_stat *stat)
{
	const char *open, *close, *at;
	int64_t field[29] = { 0 };
	size_t length, i;

	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (open == NULL || close == NULL || close < open || close[1] != ' ' ||
	    close[2] == '\0') {
		errno = ESRCH;
		return -1;
	}
	take_number(text, &field[0]);
	stat->pid = (pid_t)field[0];
	length = (size_t)(close - open - 1);
	if (length >= sizeof(stat->name))
		length = sizeof(stat->name) - 1;
	memcpy(stat->name, open + 1, length);
	stat->name[length] = '\0';
	stat->state = close[2];
	at = skip_field(close + 1);
	for (i = 1; i < 29; i++)
		at = take_number(at, &field[i]);
	stat->ppid = (pid_t)field[1];
	stat->pgid = (pid_t)field[2];
	stat->sid = (pid_t)field[3];
	stat->tty = (int)field[4];
	stat->user_ticks = (uint64_t)field[11];
	stat->system_ticks = (uint64_t)field[12];
	stat->threads = (uint64_t)field[17];
	stat->start_ticks = (uint64_t)field[19];
	stat->pages = field[21] > 0 ? (uint64_t)field[21] : 0;
	stat->dying = (field[28] & (1 << (SIGKILL - 1))) != 0 ||
	    ((field[6] & FLAG_EXITING) != 0 && stat->threads <= 1);
	return 0;
}

int
os_proc_stat(const struct os_proc *proc, pid_t pid, int pidfd,
    struct os_stat *stat)
{
	char path[64], text[1024];
	ssize_t n = -1;

	if (proc->dir != -1) {
		put_text(put_number(path, pid), "/stat");
		n = read_file(proc->dir, path, text, sizeof(text));
		if (n > 0)
			return parse_stat(text, stat);
		if (n == 0)
			errno = ESRCH;
	}
	if (pidfd != -1 && os_pidfd_signal(pidfd, 0) == 0) {
		int saved = errno;

		if (pidfd_parent(pidfd, stat) == 0)
			return 0;
		errno = saved;
	}
	if (proc->dir == -1 && errno != EMFILE && errno != ENFILE)
		errno = ESRCH;
	return -1;
}

typedef bool number_fn(pid_t pid, void *arg);

struct numbers {
	number_fn *fn;
	void *arg;
};

static bool
on_entry(const char *name, bool directory, void *arg)
{
	const struct numbers *numbers = arg;
	int64_t pid;

	(void)directory;
	if (name[0] < '1' || name[0] > '9')
		return true;
	take_number(name, &pid);
	return numbers->fn((pid_t)pid, numbers->arg);
}

/* Calls fn for each number in a directory until it returns false. */
static int
each_number(int dir, const char *path, number_fn *fn, void *arg)
{
	struct numbers numbers = { fn, arg };
	int fd, result;

	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	result = os_each_entry(fd, on_entry, &numbers);
	fd_close(&fd);
	return result;
}

struct liveliest {
	const struct os_proc *proc;
	pid_t pid;
	char state;
};

static int
rank(char state)
{
	static const char order[] = "?XZTtDISR";
	const char *at = strchr(order, state);

	return at == NULL || state == '\0' ? 0 : (int)(at - order);
}

static bool
on_thread_state(pid_t tid, void *arg)
{
	struct liveliest *best = arg;
	char path[64], text[1024], *end;
	struct os_stat stat;

	end = put_text(put_number(path, best->pid), "/task/");
	put_text(put_number(end, tid), "/stat");
	if (read_file(best->proc->dir, path, text, sizeof(text)) > 0 &&
	    parse_stat(text, &stat) == 0 &&
	    rank(stat.state) > rank(best->state))
		best->state = stat.state;
	return true;
}

char
os_proc_liveliest(const struct os_proc *proc, const struct os_stat *stat)
{
	struct liveliest best = { proc, stat->pid, stat->state };
	char path[64];

	if (stat->threads <= 1 || proc->dir == -1)
		return stat->state;
	put_text(put_number(path, stat->pid), "/task");
	each_number(proc->dir, path, on_thread_state, &best);
	return best.state;
}

struct collect {
	const struct os_proc *proc;
	pid_t pid;
	pid_t *pids;
	size_t count;
	size_t capacity;
	bool more;
	int error;
};

static bool
collect_pid(struct collect *to, pid_t pid)
{
	if (to->count == to->capacity) {
		to->more = true;
		return false;
	}
	to->pids[to->count++] = pid;
	return true;
}

/*
 * Reads a children file: pids with a blank after each.  The kernel writes it
 * in pieces, so a number may be cut at the end of one read.
 */
static int
collect_children(struct collect *to, int fd)
{
	char buffer[4096];
	off_t offset = 0;
	int64_t pid = 0;
	ssize_t n, i;

	while ((n = pread(fd, buffer, sizeof(buffer), offset)) > 0) {
		offset += n;
		for (i = 0; i < n; i++) {
			if (buffer[i] >= '0' && buffer[i] <= '9') {
				if (pid <= INT_MAX)
					pid = pid * 10 + (buffer[i] - '0');
				continue;
			}
			if (pid > 0 && pid <= INT_MAX &&
			    !collect_pid(to, (pid_t)pid))
				return 0;
			pid = 0;
		}
	}
	return n < 0 ? -1 : 0;
}

static bool
on_thread_children(pid_t tid, void *arg)
{
	struct collect *to = arg;
	char path[64], *end;
	int fd;

	end = put_text(put_number(path, to->pid), "/task/");
	put_text(put_number(end, tid), "/children");
	fd = openat(to->proc->dir, path, O_RDONLY | O_CLOEXEC);
	/* A thread that is gone has none, its children moved; and nobody shows
	 * those of one that is hidden. */
	if ((fd == -1 || collect_children(to, fd) == -1) && errno != ENOENT &&
	    errno != ESRCH && errno != EACCES && errno != EPERM)
		to->error = errno;
	fd_close(&fd);
	return !to->more;
}

ssize_t
os_proc_children(const struct os_proc *proc, pid_t pid, pid_t *pids,
    size_t capacity, bool *more)
{
	struct collect to = { proc, pid, pids, 0, capacity, false, 0 };
	char path[64];

	*more = false;
	if (proc->self == -1) {
		errno = ENOSYS;
		return -1;
	}
	if (pid == 0)
		to.pid = getpid();
	put_text(put_number(path, to.pid), "/task");
	if (each_number(proc->dir, path, on_thread_children, &to) == -1) {
		/* Our first thread's file is open already: enough to go on
		 * with when descriptors have run out. */
		if (pid != 0 || (errno != EMFILE && errno != ENFILE))
			return -1;
		to.error = 0;
		if (collect_children(&to, proc->self) == -1)
			return -1;
	}
	if (to.error != 0 && to.count == 0) {
		if (pid == 0 && collect_children(&to, proc->self) == 0) {
			*more = to.more;
			return (ssize_t)to.count;
		}
		errno = to.error;
		return -1;
	}
	*more = to.more || to.error != 0;
	return (ssize_t)to.count;
}

static bool
on_any_process(pid_t pid, void *arg)
{
	return collect_pid(arg, pid);
}

/*
 * So many rounds of asking until all pids are asked for again: pids may have
 * begun anew unseen, after as many forks as there are pids.
 */
#define ROUNDS_MAX 32

/* The pid given last in our own PID namespace, proc_loadavg(5); 0: unknown. */
static pid_t
last_pid(void)
{
	char text[128], *at;
	int64_t last = 0;

	if (read_file(AT_FDCWD, "/proc/loadavg", text, sizeof(text)) <= 0)
		return 0;
	at = strrchr(text, ' ');
	if (at != NULL)
		take_number(at + 1, &last);
	return (pid_t)last;
}

/*
 * Up to which pid there can be anything.  What is new since all pids were
 * asked for has one behind the last of then, unless these began anew.
 */
static size_t
asking_limit(struct os_proc *proc)
{
	size_t limit = os_pid_limit();
	pid_t last = last_pid();
	bool all = last == 0 || last < proc->last || proc->rounds == 0 ||
	    proc->rounds == ROUNDS_MAX;

	proc->last = last;
	proc->rounds = all ? 1 : proc->rounds + 1;
	if (all)
		return limit;
	return (size_t)(last > proc->highest ? last : proc->highest) + 1;
}

/*
 * Asks for each possible pid.  The kernel counts the tasks of the machine,
 * threads too, which pidfd_open(2) refuses otherwise than what is not there:
 * when that many were seen, the rest need not be asked for.  (In a PID
 * namespace of its own only part of them can be seen: there all are.)
 */
static int
collect_by_asking(struct os_proc *proc, struct collect *to)
{
	size_t pid, limit = asking_limit(proc), seen = 1;
	struct sysinfo info;
	int fd;

	if (sysinfo(&info) == -1)
		info.procs = 0;
	for (pid = 2; pid < limit && !to->more; pid++) {
		fd = os_pidfd((pid_t)pid);
		if (fd != -1)
			collect_pid(to, (pid_t)pid);
		else if (errno == EMFILE || errno == ENFILE)
			return -1;
		if (fd == -1 && errno == ESRCH)
			continue;
		fd_close(&fd);
		if (proc->rounds == 1 || (pid_t)pid > proc->highest)
			proc->highest = (pid_t)pid;
		/* The count is of 16 bits; one that was full says nothing. */
		if (++seen > info.procs && info.procs != 0 &&
		    info.procs != UINT16_MAX)
			break;
	}
	return 0;
}

ssize_t
os_proc_all(struct os_proc *proc, pid_t *pids, size_t capacity, bool *more)
{
	struct collect to = { proc, 0, pids, 0, capacity, false, 0 };
	int result;

	*more = false;
	if (proc->dir != -1)
		result = each_number(proc->dir, ".", on_any_process, &to);
	else
		result = collect_by_asking(proc, &to);
	if (result == -1)
		return -1;
	*more = to.more;
	return (ssize_t)to.count;
}

size_t
os_pid_limit(void)
{
	char text[32];
	int64_t limit = 0;

	if (read_file(AT_FDCWD, "/proc/sys/kernel/pid_max", text,
		sizeof(text)) > 0)
		take_number(text, &limit);
	if (limit <= 0 || limit > 1 << 22)
		limit = 1 << 22; /* the most there is, see proc(5) */
	return (size_t)limit;
}
