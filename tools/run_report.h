/* SPDX-License-Identifier: ISC */
/*
 * What became of a run: collected while it lasts, judged for the exit
 * status, and told at its end.
 */
#ifndef TOOLS_RUN_REPORT_H
#define TOOLS_RUN_REPORT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/group.h>

#include "tools/run_options.h"

enum run_status {
	RUN_LEADER_DIED = 120,
	RUN_UNDER_APP = 121,
	RUN_NO_GROUP = 122,
	RUN_LEAKED = 123, /* leaks, or what cannot be killed */
	RUN_TIMED_OUT = 124,
	RUN_FAILED = 125,
	RUN_NOT_EXECUTABLE = 126,
	RUN_NOT_FOUND = 127,
	RUN_SIGNALLED = 128, /* and the number of the signal */
};

/* A process that outlived the command, or that withstood SIGKILL. */
struct run_process {
	pid_t pid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	int64_t age_ms;
	char *command;
	const char *how; /* it got away; static, NULL if unknown */
};

struct run_processes {
	struct run_process *items;
	size_t count;
};

struct run_result {
	char host[33];
	enum grouper_containment contain; /* the level reached; AUTO: none */
	pid_t pid;   /* of the command; 0 if it never ran */
	bool ended;  /* status holds */
	int status;  /* of wait(2) */
	int failed;  /* exit status where grouper itself failed, else 0 */
	int not_run; /* exit status where the command cannot run, else 0 */
	bool leader_died;
	bool timed_out;
	bool stopped;  /* by a signal to run */
	bool unkilled; /* unkillable holds what */
	bool untold;   /* of usage only wall_us is known */
	struct grouper_usage usage;
	struct run_processes leaks;
	struct run_processes unkillable;
	struct run_processes late; /* alive at the time limit */
};

void result_fini(struct run_result *result);

/* Whether nothing of a listed process runs any more. */
bool result_is_dead(const struct grouper_process *process);

/*
 * Notes what outlived the command, what cannot be killed, or what lived at the
 * time limit; the dead of a list are left out.  shared: the command ran in the
 * session and process group of the caller.  0, or -1 with errno.
 */
int result_add_leaks(struct run_result *result,
    const struct grouper_processes *processes, bool shared);
int result_add_unkillable(struct run_result *result,
    const struct grouper_processes *processes);
int result_add_late(struct run_result *result,
    const struct grouper_processes *processes);

/* What the process ends with: an exit status, or a signal if it is not 0. */
struct run_end {
	int status;
	int signum;
};
struct run_end result_end(const struct run_result *result,
    const struct run_options *options);

/*
 * Why the exit status is not 0, as words of which the number is returned;
 * room for RUN_CAUSES.
 */
#define RUN_CAUSES 7
size_t result_causes(const struct run_result *result,
    const struct run_options *options, const char **causes);

/*
 * Tells: the leaks where --leaks or a report asks for them, what cannot be
 * killed, and the report.  fd: where the report goes.  0, or -1 with errno
 * if the report could not be written.
 */
int result_tell(const struct run_result *result,
    const struct run_options *options, int fd);

#endif
