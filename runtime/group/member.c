/* SPDX-License-Identifier: ISC */
/*
 * The command of a group, see member.h.
 *
 * A member that keeps the host's place at the terminal must be forked while
 * its leader is still in the host's session, since a session cannot be
 * entered; the leader then leaves by setsid(), which gives the job its true
 * orphan status back, and only then lets the member go on.  Such a member,
 * and one born into a cgroup, is forked; every other one borrows the
 * leader's memory, which is quicker.
 */
#include "runtime/group/member.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/group/link.h"
#include "runtime/os/os.h"
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"

#define SHELL "/bin/sh"
/* Descriptors that can be handed over by number. */
#define FDS_MAX 64

static const char *
search_path(char *const *envp)
{
	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return "/usr/local/bin:/usr/bin:/bin";
}

/* One candidate for each directory of PATH; an empty one means ".". */
static char **
candidates(const char *name, const char *path)
{
	size_t count = 1, i = 0, length;
	const char *at, *end;
	char **list;

	for (at = path; *at != '\0'; at++)
		count += *at == ':';
	list = calloc(count + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (at = path;; at = end + 1) {
		end = strchrnul(at, ':');
		length = (size_t)(end - at);
		list[i] = malloc(length + strlen(name) + 3);
		if (list[i] == NULL)
			goto fail;
		memcpy(list[i], at, length);
		if (length == 0)
			list[i][length++] = '.';
		list[i][length] = '/';
		strcpy(list[i++] + length + 1, name);
		if (*end == '\0')
			return list;
	}
fail:
	while (i > 0)
		free(list[--i]);
	free(list);
	return NULL;
}

int
member_prepare(struct member *member, char *const *argv, char *const *envp)
{
	size_t n = 0;

	BUG_IF(argv[0] == NULL);
	member->envp = envp;
	while (argv[n] != NULL)
		n++;
	member->argv = calloc(2 * n + 4, sizeof(*member->argv));
	if (member->argv == NULL)
		return -1;
	memcpy(member->argv, argv, n * sizeof(*argv));
	member->shell_argv = member->argv + n + 1;
	member->shell_argv[0] = (char *)(uintptr_t)SHELL;
	memcpy(member->shell_argv + 1, argv, n * sizeof(*argv));
	member->paths = candidates(argv[0],
	    strchr(argv[0], '/') != NULL ? "" : search_path(envp));
	if (member->paths == NULL) {
		member_fini(member);
		return -1;
	}
	if (strchr(argv[0], '/') != NULL)
		strcpy(member->paths[0], argv[0]);
	return 0;
}

void
member_fini(struct member *member)
{
	size_t i;

	for (i = 0; member->paths != NULL && member->paths[i] != NULL; i++)
		free(member->paths[i]);
	free((void *)(uintptr_t)member->paths);
	free(member->argv);
	member->paths = NULL;
	member->argv = NULL;
}

/* Below here: in the child.  Only async-signal-safe calls. */

struct birth {
	const struct member *member;
	int link;
	int error_pipe[2];
	int gate[2]; /* opened by the leader's setsid(); -1 if not needed */
};

/*
 * Ends the child by the bare system call: AddressSanitizer takes what libc
 * calls "does not return" for the end of the stack it knows, not of this one.
 */
static void __attribute__((noreturn)) end(int status)
{
	for (;;)
		syscall(SYS_exit_group, status);
}

static void __attribute__((noreturn, no_sanitize("address")))
fail(const struct birth *birth, enum grouper_stage stage)
{
	struct member_failure failure = { stage, errno };

	/* Less than PIPE_BUF: whole, or the leader is gone. */
	while (write(birth->error_pipe[1], &failure, sizeof(failure)) == -1 &&
	    errno == EINTR)
		;
	end(127);
}

/*
 * Puts each source on its target.  Sources that stand where a target is to
 * come are moved away first; two passes suffice since the moved ones stand
 * above all targets.
 */
static int
move_above(int *fd, int high)
{
	int moved;

	if (*fd >= high)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, high);
	if (moved == -1)
		return -1;
	*fd = moved;
	return 0;
}

static int
place_fds(struct birth *birth)
{
	const struct member *member = birth->member;
	int sources[FDS_MAX], high = STDERR_FILENO + 1;
	size_t i;

	if (member->nfds > FDS_MAX) {
		errno = E2BIG;
		return -1;
	}
	for (i = 0; i < member->nfds; i++)
		if (member->fds[i].target >= high)
			high = member->fds[i].target + 1;
	if (move_above(&birth->error_pipe[1], high) == -1 ||
	    move_above(&birth->link, high) == -1)
		return -1;
	for (i = 0; i < member->nfds; i++) {
		sources[i] = fcntl(member->fds[i].source, F_DUPFD_CLOEXEC,
		    high);
		if (sources[i] == -1)
			return -1;
	}
	for (i = 0; i < member->nfds; i++)
		if (dup2(sources[i], member->fds[i].target) == -1)
			return -1;
	return 0;
}

static bool
has_target(const struct member *member, int target)
{
	size_t i;

	for (i = 0; i < member->nfds; i++)
		if (member->fds[i].target == target)
			return true;
	return false;
}

/*
 * The command's descriptors.  Not to inherit: what it was not given is set
 * close-on-exec, which leaves the error pipe alone until the exec.
 */
static int
set_fds(struct birth *birth)
{
	const struct member *member = birth->member;
	int fd, null, last = STDERR_FILENO;
	size_t i;

	if (place_fds(birth) == -1)
		return -1;
	if (member->inherit_fds)
		return 0;
	if (member->place != MEMBER_PTY && !has_target(member, STDIN_FILENO)) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null == -1 || dup2(null, STDIN_FILENO) == -1)
			return -1;
	}
	for (i = 0; i < member->nfds; i++)
		if (member->fds[i].target > last)
			last = member->fds[i].target;
	for (fd = STDERR_FILENO + 1; fd <= last; fd++)
		if (!has_target(member, fd))
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	return os_close_on_exec_from((unsigned int)last + 1);
}

static int
set_pty(const struct member *member)
{
	int fd;

	/* We are not in the foreground yet; TTOU is blocked, as all is. */
	if (tcsetpgrp(member->pty, getpid()) == -1)
		return -1;
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(member->pty, fd) == -1)
			return -1;
	return 0;
}

static int
set_limits(const struct member *member)
{
	struct rlimit limit;
	size_t i;

	for (i = 0; i < member->nlimits; i++) {
		limit.rlim_cur = (rlim_t)member->limits[i].soft;
		limit.rlim_max = (rlim_t)member->limits[i].hard;
		if (setrlimit((__rlimit_resource_t)member->limits[i].resource,
			&limit) == -1)
			return -1;
	}
	return 0;
}

static int
set_nice(const struct member *member)
{
	errno = 0;
	if (member->nice != 0 && nice(member->nice) == -1 && errno != 0)
		return -1;
	return 0;
}

static int
set_no_new_privs(const struct member *member)
{
	if (!member->no_new_privs)
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

/*
 * By bare system calls: glibc's wrappers would signal every thread that the
 * host has, and after a bare clone wait for them for ever.
 */
static int
set_user(const struct member *member)
{
	gid_t gid = member->gid;
	uid_t uid = member->uid;

	if (gid == (gid_t)-1 && uid == (uid_t)-1)
		return 0;
	if (member->ngroups > 0 || geteuid() == 0)
		if (syscall(SYS_setgroups, member->ngroups, member->groups) ==
		    -1)
			return -1;
	if (gid != (gid_t)-1 && syscall(SYS_setresgid, gid, gid, gid) == -1)
		return -1;
	if (uid != (uid_t)-1 && syscall(SYS_setresuid, uid, uid, uid) == -1)
		return -1;
	return 0;
}

/* As execvp(3): goes on where a directory lacks it, remembers EACCES. */
static void
execute(const struct member *member)
{
	bool denied = false;
	size_t i;

	for (i = 0; member->paths[i] != NULL; i++) {
		execve(member->paths[i], member->argv, member->envp);
		if (errno == ENOEXEC) {
			/* A shell takes it as a script, so do we. */
			member->shell_argv[1] = member->paths[i];
			execve(SHELL, member->shell_argv, member->envp);
			errno = ENOEXEC;
			return;
		}
		if (errno == EACCES)
			denied = true;
		else if (errno != ENOENT && errno != ENOTDIR &&
		    errno != ESTALE && errno != ENODEV && errno != ETIMEDOUT)
			return;
	}
	errno = denied ? EACCES : ENOENT;
}

/* Waits until the leader has left the session; without it, ends. */
static void
pass_gate(struct birth *birth)
{
	ssize_t n;
	char byte;

	fd_close(&birth->gate[1]);
	do
		n = read(birth->gate[0], &byte, 1);
	while (n == -1 && errno == EINTR);
	if (n != 1)
		end(127);
	fd_close(&birth->gate[0]);
}

static void
set_place(struct birth *birth)
{
	const struct member *member = birth->member;

	if (birth->gate[0] != -1)
		pass_gate(birth);
	if (member->place != MEMBER_SHARED && setpgid(0, 0) == -1)
		fail(birth, GROUPER_STAGE_SESSION);
	if (member->place == MEMBER_PTY && set_pty(member) == -1)
		fail(birth, GROUPER_STAGE_SESSION);
}

/* Never returns.  The birth is copied: the leader's may be the same memory. */
static int __attribute__((no_sanitize("address"))) member_run(void *arg)
{
	struct birth birth = *(struct birth *)arg;
	const struct member *member = birth.member;

	set_place(&birth);
	if (set_fds(&birth) == -1)
		fail(&birth, GROUPER_STAGE_FDS);
	if (set_limits(member) == -1)
		fail(&birth, GROUPER_STAGE_LIMITS);
	if (set_nice(member) == -1)
		fail(&birth, GROUPER_STAGE_NICE);
	if (set_no_new_privs(member) == -1)
		fail(&birth, GROUPER_STAGE_NO_NEW_PRIVS);
	if (set_user(member) == -1)
		fail(&birth, GROUPER_STAGE_USER);
	if (member->directory != NULL && chdir(member->directory) == -1)
		fail(&birth, GROUPER_STAGE_DIRECTORY);
	if (member->umask != -1)
		umask((mode_t)member->umask);
	if (!link_await_go(birth.link)) {
		errno = ECANCELED; /* the leader is to know that it never ran */
		fail(&birth, GROUPER_STAGE_EXEC);
	}
	if (member->fn != NULL) {
		os_set_name(member->name); /* it is no leader */
		fd_close_private(member->fn_out);
		environ = (char **)(uintptr_t)member->envp;
		signals_give_back(member->signals);
		_exit(member->fn(member->fn_arg, member->fn_out));
	}
	signals_give_back(member->signals);
	execute(member);
	fail(&birth, GROUPER_STAGE_EXEC);
}

static pid_t
give_birth(struct birth *birth, int cgroup)
{
	const struct member *member = birth->member;
	pid_t pid;

	if (member->fn != NULL && cgroup == -1)
		pid = fork(); /* the function may use all of libc */
	else if (member->fn == NULL && cgroup == -1 && birth->gate[0] == -1)
		return os_vfork(member_run, birth);
	else
		pid = os_clone(OS_CLONE_SIGNAL, NULL, cgroup);
	if (pid == 0)
		member_run(birth);
	return pid;
}

pid_t
member_spawn(const struct member *member, int cgroup,
    struct member_failure *failure)
{
	struct birth birth = { member, member->link, { -1, -1 }, { -1, -1 } };
	ssize_t n;
	pid_t pid = -1;

	*failure = (struct member_failure) { GROUPER_STAGE_SESSION, 0 };
	if (member->place != MEMBER_SHARED && setsid() == -1)
		goto system;
	if (member->place == MEMBER_PTY &&
	    ioctl(member->pty, TIOCSCTTY, 0) == -1)
		goto system;
	failure->stage = GROUPER_STAGE_FORK;
	if (pipe2(birth.error_pipe, O_CLOEXEC) == -1 ||
	    (member->place == MEMBER_SHARED &&
		pipe2(birth.gate, O_CLOEXEC) == -1))
		goto system;
	pid = give_birth(&birth, cgroup);
	if (pid == -1)
		goto system;
	if (member->place == MEMBER_SHARED) {
		setsid(); /* cannot fail: we were just forked */
		if (write(birth.gate[1], "", 1) == -1)
			goto system;
	}
	fd_close(&birth.gate[0]);
	fd_close(&birth.gate[1]);
	fd_close(&birth.error_pipe[1]);
	do
		n = read(birth.error_pipe[0], failure, sizeof(*failure));
	while (n == -1 && errno == EINTR);
	if (n == 0)
		*failure = (struct member_failure) { GROUPER_STAGE_NONE, 0 };
	goto out;
system:
	failure->error = errno;
out:
	fd_close(&birth.gate[0]);
	fd_close(&birth.gate[1]);
	fd_close(&birth.error_pipe[0]);
	fd_close(&birth.error_pipe[1]);
	return pid;
}
