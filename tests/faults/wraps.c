/* SPDX-License-Identifier: ISC */
/*
 * The wrappers that ld --wrap puts in the place of calls, see faults.h.
 */
#include "tests/faults/faults.h"

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* More than the kernel takes whole or not at all. */
#define STREAM 4096

/*
 * A wrapper: the return type, the name, the parameters, the arguments, what
 * it returns when it fails, and what a use can meet.
 */
#define WRAP(type, name, parameters, arguments, failure, can) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		int error = faults_use(FAULT_##name, can); \
\
		if (error == 0) \
			return __real_##name arguments; \
		errno = error; \
		return failure; \
	}

/* One that may do a part of its work: part is the arguments of that. */
#define WRAP_PART(type, name, parameters, arguments, part, can) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		int error = faults_use(FAULT_##name, can); \
\
		if (error == 0) \
			return __real_##name arguments; \
		if (error == FAULTS_SHORT) \
			return __real_##name part; \
		errno = error; \
		return -1; \
	}

/* What reading from, or writing to, a descriptor can meet. */
static unsigned int
can_of(int fd, size_t size, int flags, bool writes)
{
	struct pollfd ready = { fd, writes ? POLLOUT : POLLIN, 0 };
	struct stat st;
	int saved = errno, status, type = 0;
	socklen_t length = sizeof(type);
	unsigned int can;

	/* Where that is told can hardly tell of itself. */
	if (fd == STDERR_FILENO)
		return 0;
	status = (int)syscall(SYS_fcntl, fd, F_GETFL);
	if (syscall(SYS_fstat, fd, &st) == -1 || status == -1) {
		errno = saved;
		return 0;
	}
	errno = saved;
	if (S_ISREG(st.st_mode))
		return CAN_FAIL | CAN_STORE | (size > 1 ? CAN_CUT : 0);
	/* Records are whole, and refused when a reader is stuck: none is. */
	syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &length);
	if ((status & O_NONBLOCK) || (flags & MSG_DONTWAIT))
		can = writes && type == SOCK_SEQPACKET ? 0U : CAN_REFUSE;
	else
		can = syscall(SYS_poll, &ready, 1, 0) == 0 ? CAN_WAIT : 0U;
	can |= CAN_FAIL;
	errno = saved;
	if (type == SOCK_STREAM && size > 1)
		can |= CAN_CUT;
	if (S_ISFIFO(st.st_mode) && size > STREAM &&
	    (!writes || (can & CAN_REFUSE)))
		can |= CAN_CUT;
	if (writes && (S_ISFIFO(st.st_mode) || type == SOCK_STREAM))
		can |= CAN_BREAK;
	return can;
}

static size_t
part_of(size_t size)
{
	return size / 2 > 0 ? size / 2 : 1;
}

/* Memory */

WRAP(void *, malloc, (size_t n), (n), NULL, CAN_ALL)
WRAP(void *, calloc, (size_t n, size_t m), (n, m), NULL, CAN_ALL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL, CAN_ALL)
WRAP(void *, reallocarray, (void *p, size_t n, size_t m), (p, n, m), NULL,
    CAN_ALL)
WRAP(char *, strdup, (const char *s), (s), NULL, CAN_ALL)
WRAP(char *, strndup, (const char *s, size_t n), (s, n), NULL, CAN_ALL)
WRAP(void *, mmap, (void *p, size_t n, int a, int b, int fd, off_t o),
    (p, n, a, b, fd, o), MAP_FAILED, CAN_ALL)
WRAP(int, madvise, (void *p, size_t n, int a), (p, n, a), -1, CAN_ALL)

int __wrap_vasprintf(char **, const char *, va_list);
int __wrap___vasprintf_chk(char **, int, const char *, va_list);
int __wrap_asprintf(char **, const char *, ...);
int __wrap___asprintf_chk(char **, int, const char *, ...);
int __real_vasprintf(char **, const char *, va_list);

static int
print(enum faults_call call, char **text, const char *fmt, va_list ap)
{
	int error = faults_use(call, CAN_ALL);

	if (error == 0)
		return __real_vasprintf(text, fmt, ap);
	errno = error;
	return -1;
}

int
__wrap_vasprintf(char **text, const char *fmt, va_list ap)
{
	return print(FAULT_vasprintf, text, fmt, ap);
}

int
__wrap___vasprintf_chk(char **text, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return print(FAULT_vasprintf, text, fmt, ap);
}

int
__wrap_asprintf(char **text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print(FAULT_asprintf, text, fmt, ap);
	va_end(ap);
	return n;
}

int
__wrap___asprintf_chk(char **text, int flag, const char *fmt, ...)
{
	va_list ap;
	int n;

	(void)flag;
	va_start(ap, fmt);
	n = print(FAULT_asprintf, text, fmt, ap);
	va_end(ap);
	return n;
}

/* Descriptors */

int __real_open(const char *, int, mode_t);
int __wrap_open(const char *, int, mode_t);
int __real_openat(int, const char *, int, mode_t);
int __wrap_openat(int, const char *, int, mode_t);

/* Variadic where they are declared; the third is there, if only as rubbish. */
int
__wrap_open(const char *path, int flags, mode_t mode)
{
	int error = faults_use(FAULT_open, CAN_ALL);

	if (error == 0)
		return __real_open(path, flags, mode);
	errno = error;
	return -1;
}

int
__wrap_openat(int dir, const char *path, int flags, mode_t mode)
{
	int error = faults_use(FAULT_openat, CAN_ALL);

	if (error == 0)
		return __real_openat(dir, path, flags, mode);
	errno = error;
	return -1;
}

WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL,
    CAN_ALL)
WRAP(DIR *, opendir, (const char *path), (path), NULL, CAN_ALL)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL, CAN_ALL)
WRAP(int, scandir,
    (const char *path, struct dirent ***list,
	int (*filter)(const struct dirent *),
	int (*compare)(const struct dirent **, const struct dirent **)),
    (path, list, filter, compare), -1, CAN_ALL)
WRAP(int, memfd_create, (const char *name, unsigned int flags), (name, flags),
    -1, CAN_ALL)
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), -1, CAN_ALL)
WRAP(int, socket, (int a, int b, int c), (a, b, c), -1, CAN_ALL)
WRAP(int, socketpair, (int a, int b, int c, int fds[2]), (a, b, c, fds), -1,
    CAN_ALL)
WRAP(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags),
    (fd, a, n, flags), -1, CAN_ALL)
WRAP(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags),
    -1, CAN_ALL)
WRAP(int, epoll_create1, (int flags), (flags), -1, CAN_ALL)
WRAP(int, epoll_ctl, (int fd, int op, int on, struct epoll_event *event),
    (fd, op, on, event), -1, op == EPOLL_CTL_ADD ? CAN_ALL : 0)
WRAP(int, epoll_wait, (int fd, struct epoll_event *events, int n, int timeout),
    (fd, events, n, timeout), -1, CAN_ALL)
WRAP(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout),
    -1, timeout == 0 ? CAN_FAIL : CAN_ALL)
WRAP(int, dup2, (int from, int to), (from, to), -1, CAN_ALL)
WRAP(int, dup3, (int from, int to, int flags), (from, to, flags), -1, CAN_ALL)

int __real_fcntl(int, int, void *);
int __wrap_fcntl(int, int, void *);

int
__wrap_fcntl(int fd, int command, void *arg)
{
	int error = 0;

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		error = faults_use(FAULT_fcntl_dup, CAN_ALL);
	if (error == 0)
		return __real_fcntl(fd, command, arg);
	errno = error;
	return -1;
}

int __real_close(int);
int __wrap_close(int);

/* Linux closes it also where it answers EINTR. */
int
__wrap_close(int fd)
{
	int error = faults_use(FAULT_close, CAN_ALL), result;

	result = __real_close(fd);
	if (error == 0)
		return result;
	errno = error;
	return -1;
}

/* Reading and writing */

WRAP_PART(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n),
    (fd, p, part_of(n)), can_of(fd, n, 0, false))
WRAP_PART(ssize_t, pread, (int fd, void *p, size_t n, off_t o), (fd, p, n, o),
    (fd, p, part_of(n), o), can_of(fd, n, 0, false))
WRAP_PART(ssize_t, recv, (int fd, void *p, size_t n, int flags),
    (fd, p, n, flags), (fd, p, part_of(n), flags), can_of(fd, n, flags, false))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags),
    -1, can_of(fd, 0, flags, false))
WRAP_PART(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n),
    (fd, p, part_of(n)), can_of(fd, n, 0, true))
WRAP_PART(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t o),
    (fd, p, n, o), (fd, p, part_of(n), o), can_of(fd, n, 0, true))
WRAP_PART(ssize_t, send, (int fd, const void *p, size_t n, int flags),
    (fd, p, n, flags), (fd, p, part_of(n), flags), can_of(fd, n, flags, true))
WRAP(ssize_t, sendto,
    (int fd, const void *p, size_t n, int flags, const struct sockaddr *a,
	socklen_t l),
    (fd, p, n, flags, a, l), -1, can_of(fd, n, flags, true))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
    (fd, m, flags), -1, can_of(fd, 0, flags, true))
WRAP(ssize_t, vmsplice,
    (int fd, const struct iovec *v, size_t n, unsigned int flags),
    (fd, v, n, flags), -1, can_of(fd, 0, 0, true))

ssize_t __real_writev(int, const struct iovec *, int);
ssize_t __wrap_writev(int, const struct iovec *, int);
ssize_t __wrap___read_chk(int, void *, size_t, size_t);

static size_t
size_of(const struct iovec *v, int count)
{
	size_t size = 0;
	int i;

	for (i = 0; i < count; i++)
		size += v[i].iov_len;
	return size;
}

ssize_t
__wrap_writev(int fd, const struct iovec *v, int count)
{
	int error = faults_use(FAULT_writev,
	    can_of(fd, size_of(v, count), 0, true));

	if (error == 0)
		return __real_writev(fd, v, count);
	if (error == FAULTS_SHORT)
		return __real_write(fd, v[0].iov_base, part_of(v[0].iov_len));
	errno = error;
	return -1;
}

ssize_t
__wrap___read_chk(int fd, void *p, size_t n, size_t room)
{
	(void)room;
	return __wrap_read(fd, p, n);
}

/* Sockets */

WRAP(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), -1,
    CAN_ALL)
WRAP(int, listen, (int fd, int n), (fd, n), -1, CAN_ALL)
WRAP(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n),
    -1, can_of(fd, 0, 0, true))
WRAP(int, setsockopt, (int fd, int a, int b, const void *p, socklen_t n),
    (fd, a, b, p, n), -1, CAN_ALL)
WRAP(int, getsockopt, (int fd, int a, int b, void *p, socklen_t *n),
    (fd, a, b, p, n), -1, CAN_ALL)

/* Processes */

WRAP(pid_t, fork, (void), (), -1, CAN_ALL)
WRAP(int, execve, (const char *path, char *const *argv, char *const *envp),
    (path, argv, envp), -1, CAN_ALL)
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
    (type, id, info, options), -1, options &WNOHANG ? 0 : CAN_ALL)
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options),
    (pid, status, options), -1, options &WNOHANG ? 0 : CAN_ALL)
WRAP(int, kill, (pid_t pid, int signum), (pid, signum), -1, CAN_ALL)
WRAP(pid_t, setsid, (void), (), -1, CAN_ALL)
WRAP(int, setpgid, (pid_t pid, pid_t pgid), (pid, pgid), -1, CAN_ALL)
WRAP(int, setrlimit, (__rlimit_resource_t r, const struct rlimit *l), (r, l),
    -1, CAN_ALL)
WRAP(int, nice, (int by), (by), -1, CAN_ALL)
WRAP(int, tcsetpgrp, (int fd, pid_t pgid), (fd, pgid), -1, CAN_ALL)
WRAP(ssize_t, getrandom, (void *p, size_t n, unsigned int flags), (p, n, flags),
    -1, CAN_ALL)
WRAP(int, prctl,
    (int what, unsigned long a, unsigned long b, unsigned long c,
	unsigned long d),
    (what, a, b, c, d), -1, CAN_ALL)
WRAP(int, ioctl, (int fd, unsigned long what, void *arg), (fd, what, arg), -1,
    CAN_ALL)
WRAP(int, clone, (int (*fn)(void *), void *stack, int flags, void *arg),
    (fn, stack, flags, arg), -1, CAN_ALL)

long __real_syscall(long, long, long, long, long, long, long);
long __wrap_syscall(long, long, long, long, long, long, long);

long
__wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	int error = 0;

	switch (number) {
	case SYS_clone3:
		error = faults_use(FAULT_clone3, CAN_ALL);
		break;
	case SYS_pidfd_open:
		error = faults_use(FAULT_pidfd_open, CAN_ALL);
		break;
	case SYS_pidfd_send_signal:
		error = faults_use(FAULT_pidfd_send_signal, CAN_ALL);
		break;
	case SYS_close_range:
		error = faults_use(FAULT_close_range, CAN_ALL);
		break;
	case SYS_getdents64:
		error = faults_use(FAULT_getdents64, CAN_ALL);
		break;
	default:
		break;
	}
	if (error == 0)
		return __real_syscall(number, a, b, c, d, e, f);
	errno = error;
	return -1;
}

/* Files */

WRAP(int, chdir, (const char *path), (path), -1, CAN_ALL)
WRAP(char *, getcwd, (char *p, size_t n), (p, n), NULL, CAN_ALL)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, CAN_ALL)
WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode),
    -1, CAN_ALL)
WRAP(int, unlink, (const char *path), (path), -1, CAN_ALL)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags),
    -1, CAN_ALL)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1, CAN_ALL)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), -1, CAN_ALL)
WRAP(int, chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid), -1,
    CAN_ALL)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), -1, CAN_ALL)
WRAP(off_t, lseek, (int fd, off_t to, int from), (fd, to, from), -1, CAN_ALL)
WRAP(int, stat, (const char *path, struct stat *st), (path, st), -1, CAN_ALL)
WRAP(int, lstat, (const char *path, struct stat *st), (path, st), -1, CAN_ALL)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1, CAN_ALL)
WRAP(int, fstatat, (int dir, const char *path, struct stat *st, int flags),
    (dir, path, st, flags), -1, CAN_ALL)
WRAP(int, fstatfs, (int fd, struct statfs *st), (fd, st), -1, CAN_ALL)
WRAP(ssize_t, readlink, (const char *path, char *p, size_t n), (path, p, n), -1,
    CAN_ALL)
WRAP(ssize_t, readlinkat, (int dir, const char *path, char *p, size_t n),
    (dir, path, p, n), -1, CAN_ALL)
WRAP(int, flock, (int fd, int how), (fd, how), -1,
    how &LOCK_NB ? CAN_ALL & ~(unsigned int)CAN_WAIT : CAN_ALL)
