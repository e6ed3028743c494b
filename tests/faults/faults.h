/* SPDX-License-Identifier: ISC */
/*
 * Faults by injection: a build of the command, grouper_faults, in which each
 * call that may fail goes through a wrapper (ld --wrap, faults.ld lists them)
 * that counts it and can make it fail.
 *
 *	GROUPER_FAULT=CALL:N:ERROR   the N-th use of a call that can meet ERROR
 *	GROUPER_FAULT=CALL:N+:ERROR  that one and each later
 *	GROUPER_FAULT=random:SEED:N  each use of each call, one in N
 *
 * A use counts for an error only where the kernel may answer so: EINTR where
 * the call may wait, EAGAIN where it may not, EIO on files, EPIPE towards a
 * peer, "short" where a stream may be cut.  Uses are counted in one page that
 * all forked processes share, so that N reaches the host, its leaders, and
 * their members until they execute.  GROUPER_FAULT_PAGE names a file for it,
 * where the driver reads what was used, and where a fault struck.
 *
 * Wrapped are the sources of the command and the runtime; in a static build
 * also libevent, jansson, libfyaml, and what of libc calls malloc(3), such as
 * getdelim(3) and regcomp(3).  Not wrapped is what symbols.sh lists: what looks
 * at or sets nothing but the process itself, and what is only asked whether it
 * works; nor what grouper writes about its errors to descriptor 2.
 */

#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* As an error: the call does a part of its work only. */
#define FAULTS_SHORT (-1)
#define FAULTS_VARIANTS 5
#define FAULTS_FRAMES 16

/* What a use of a call can meet. */
enum faults_can {
	CAN_WAIT = 1 << 0,   /* EINTR */
	CAN_REFUSE = 1 << 1, /* EAGAIN: would have to wait */
	CAN_STORE = 1 << 2,  /* EIO, ENOSPC: a file */
	CAN_BREAK = 1 << 3,  /* EPIPE: the peer is gone */
	CAN_CUT = 1 << 4,    /* a short read or write */
	CAN_FAIL = 1 << 5,   /* any other; without, no error at all */
	CAN_ALL = 0xff
};

/* Name and errors of each call. */
#define FAULTS_LIST(X) \
	X(malloc, ENOMEM) \
	X(calloc, ENOMEM) \
	X(realloc, ENOMEM) \
	X(reallocarray, ENOMEM) \
	X(strdup, ENOMEM) \
	X(strndup, ENOMEM) \
	X(asprintf, ENOMEM) \
	X(vasprintf, ENOMEM) \
	X(mmap, ENOMEM) \
	X(madvise, ENOMEM) \
	X(open, EMFILE, ENFILE, ENOMEM, EIO) \
	X(openat, EMFILE, ENFILE, ENOMEM, EIO) \
	X(fopen, EMFILE, ENFILE, ENOMEM) \
	X(opendir, EMFILE, ENOMEM) \
	X(fdopendir, ENOMEM) \
	X(scandir, EMFILE, ENOMEM) \
	X(pipe2, EMFILE, ENFILE) \
	X(socket, EMFILE, ENFILE, ENOMEM) \
	X(socketpair, EMFILE, ENFILE, ENOMEM) \
	X(accept4, EMFILE, ENFILE, ENOMEM, ECONNABORTED) \
	X(signalfd, EMFILE, ENFILE, ENOMEM) \
	X(epoll_create1, EMFILE, ENFILE, ENOMEM) \
	X(epoll_ctl, ENOMEM, ENOSPC) \
	X(epoll_wait, EINTR) \
	X(poll, EINTR, ENOMEM) \
	X(dup2, EINTR, EMFILE) \
	X(dup3, EINTR, EMFILE) \
	X(fcntl_dup, EMFILE) \
	X(close, EINTR) \
	X(read, EINTR, EAGAIN, EIO, FAULTS_SHORT) \
	X(pread, EIO, FAULTS_SHORT) \
	X(recv, EINTR, EAGAIN, ENOMEM, FAULTS_SHORT) \
	X(recvmsg, EINTR, EAGAIN, ENOMEM) \
	X(write, EINTR, EAGAIN, ENOSPC, EPIPE, FAULTS_SHORT) \
	X(writev, EINTR, EAGAIN, ENOSPC, EPIPE, FAULTS_SHORT) \
	X(pwrite, ENOSPC, EIO, FAULTS_SHORT) \
	X(send, EINTR, EAGAIN, ENOBUFS, EPIPE, FAULTS_SHORT) \
	X(sendto, EINTR, EAGAIN, ENOBUFS, EPIPE) \
	X(sendmsg, EINTR, EAGAIN, ENOBUFS, EPIPE) \
	X(vmsplice, EAGAIN, ENOMEM) \
	X(bind, ENOMEM, ENOSPC, EIO) \
	X(listen, ENOMEM) \
	X(connect, EINTR, EAGAIN, ENOMEM, ECONNREFUSED) \
	X(setsockopt, ENOMEM) \
	X(getsockopt, ENOMEM) \
	X(fork, EAGAIN, ENOMEM) \
	X(clone, EAGAIN, ENOMEM) \
	X(clone3, EAGAIN, ENOMEM) \
	X(execve, ENOMEM, EAGAIN, EIO) \
	X(waitid, EINTR) \
	X(waitpid, EINTR) \
	X(kill, EPERM) \
	X(pidfd_open, EMFILE, ENFILE, ENOMEM) \
	X(pidfd_send_signal, EPERM) \
	X(close_range, ENOMEM, EMFILE) \
	X(getdents64, ENOMEM, EIO) \
	X(prctl, EPERM) \
	X(setsid, EPERM) \
	X(setpgid, EPERM) \
	X(setrlimit, EPERM) \
	X(nice, EPERM) \
	X(tcsetpgrp, EIO) \
	X(getrandom, EAGAIN) \
	X(ioctl, EIO) \
	X(chdir, ENOMEM, EIO) \
	X(getcwd, ENOMEM) \
	X(mkdir, ENOSPC, ENOMEM, EIO) \
	X(mkdirat, ENOSPC, ENOMEM, EIO) \
	X(unlink, EIO) \
	X(unlinkat, EIO) \
	X(rename, ENOSPC, EIO) \
	X(chmod, EIO) \
	X(chown, EIO) \
	X(ftruncate, EIO) \
	X(memfd_create, EMFILE, ENFILE, ENOMEM) \
	X(lseek, EIO) \
	X(stat, ENOMEM, EIO) \
	X(lstat, ENOMEM, EIO) \
	X(fstat, ENOMEM, EIO) \
	X(fstatat, ENOMEM, EIO) \
	X(fstatfs, ENOMEM, EIO) \
	X(readlink, ENOMEM, EIO) \
	X(readlinkat, ENOMEM, EIO) \
	X(flock, EINTR, ENOLCK)

#define FAULTS_ENUM(name, ...) FAULT_##name,
enum faults_call { FAULTS_LIST(FAULTS_ENUM) FAULTS_CALLS };
#undef FAULTS_ENUM

struct faults_call_info {
	const char *name;
	int errors[FAULTS_VARIANTS]; /* 0 ends them */
};

extern const struct faults_call_info faults_calls[FAULTS_CALLS];

/* Where a fault struck: the last one, if there were more. */
struct faults_page {
	atomic_uint uses[FAULTS_CALLS][FAULTS_VARIANTS];
	atomic_uint struck;
	int call, variant, pid;
	char process[16];
	uintptr_t frames[FAULTS_FRAMES]; /* from the program's start */
};

/* "EMFILE", "short". */
const char *faults_error_name(int error);

/*
 * Counts a use; returns the error that it is to meet, or 0.  errno is left
 * alone.  Async-signal-safe.
 */
int faults_use(enum faults_call, unsigned int can);

#endif
