/* SPDX-License-Identifier: ISC */
/*
 * The command of a group: everything between fork and exec.  The host fills
 * a struct member before it forks the leader; the leader forks the member,
 * which only makes async-signal-safe calls.
 */
#ifndef RUNTIME_GROUP_MEMBER_H
#define RUNTIME_GROUP_MEMBER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include <grouper/group.h>

#include "runtime/group/signals.h"

/* In which session and process group the member runs. */
enum member_place {
	MEMBER_OWN_PGROUP, /* of its own, in the leader's new session */
	MEMBER_SHARED,	   /* the host's: the terminal is shared */
	MEMBER_PTY,	   /* foreground of a pseudo-terminal */
};

struct member {
	char *const *paths; /* candidates to execute, in order */
	char **argv;
	char **shell_argv; /* argv with "/bin/sh" and room for the path in
			       front, for a script without "#!" */
	char *const *envp;
	grouper_exec_fn *fn; /* instead of a command */
	void *fn_arg;
	int fn_out;
	char name[16]; /* of the process that runs the function */
	const char *directory;
	const struct signals *signals; /* NULL: defaults, empty mask */
	const struct grouper_fd *fds;
	size_t nfds;
	const struct grouper_limit *limits;
	size_t nlimits;
	const gid_t *groups;
	size_t ngroups;
	uid_t uid;
	gid_t gid;
	int umask;
	int nice;
	int pty;
	int link; /* on which the host gives leave to execute */
	enum member_place place;
	bool no_new_privs;
	bool inherit_fds;
};

/* What comes back on the close-on-exec pipe when the start fails. */
struct member_failure {
	int stage; /* enum grouper_stage */
	int error; /* errno */
};

/*
 * Prepares the candidates and argument vectors: where argv[0] has no slash,
 * the directories of PATH in envp are searched as execvp(3) does.  Allocates;
 * member_fini() releases.  0, or -1 with errno.
 */
int member_prepare(struct member *member, char *const *argv, char *const *envp);
void member_fini(struct member *member);

/*
 * Forks the member from the leader.  Calls setsid() for the leader, when the
 * place asks for it, at the right moment.  Closes nothing.
 *
 * cgroup: directory of the leaf it is born in, or -1.
 *
 * Returns its pid; or -1 with *failure filled.
 */
pid_t member_spawn(const struct member *member, int cgroup,
    struct member_failure *failure);

#endif
