/* SPDX-License-Identifier: ISC */
/*
 * What the files of an incarnation share; for no others.
 */
#ifndef RUNTIME_SUPERVISE_INCARNATION_PRIVATE_H
#define RUNTIME_SUPERVISE_INCARNATION_PRIVATE_H

#include <grouper/group.h>

#include "runtime/supervise/incarnation.h"

#define KEY_ROOM (SPEC_ID_MAX * SPEC_DEPTH_MAX + 32)

/* A command beside the main one, under a leader of its own. */
enum aux_kind { AUX_START_PRE, AUX_STOP_PRE, AUX_RELOAD, AUX_READY, AUX_KINDS };

struct aux {
	struct incarnation *run;
	char *key;
	bool live;
	bool died;
	bool stuck; /* processes withstood SIGKILL; live still */
	int status;
};

enum phase {
	PHASE_NEW,
	PHASE_PRE,	/* start_pre runs */
	PHASE_STARTING, /* the main group was started */
	PHASE_UP,	/* executed */
	PHASE_STOP_PRE, /* executed, stop_pre runs */
	PHASE_STOPPING, /* told to stop, or ended */
	PHASE_OVER,
};

struct incarnation {
	struct grouper_host *host;
	char *key;
	uint64_t number;
	struct spec_child child;
	const struct launch_hooks *hooks;
	struct member_log *log;
	const struct incarnation_handler *handler;
	void *arg;
	enum phase phase;
	bool main_live; /* its group */
	bool failed;	/* start_failed was told, or what stands for it */
	bool stuck;	/* unkillable was told of a command beside */
	bool is_ready;
	bool was_early; /* ready before it was known to be executed */
	bool misled;	/* a MAINPID= that cannot be was told of */
	enum incarnation_doing doing;
	pid_t pid;
	int64_t since;
	int64_t watchdog_ms; /* that it asked for itself; 0: it did not */
	struct grouper_usage usage;
	int output;	/* the pipe's end for members; -1: the host's own */
	const int *fds; /* the main command's own 0 to 2; NULL: none */
	struct aux aux[AUX_KINDS];
	struct notify *notify;
	char *notify_path;
	struct ready_fd *ready_fd;
	int ready_member_fd;
	struct ready_log *ready_log;
	struct log_watch *log_watch;
	struct loop_timer *ready_timer;
	struct loop_timer *watchdog_timer;
	struct loop_timer *over_timer;
	struct loop_timer *stop_timer; /* of stop_pre */
	bool changed;		       /* the steps that the leader has */
	bool reload_due;	       /* it is to be told by reload_command */
};

/* Where a command writes; and what the main one has of its own instead. */
void incarnation_add_output(const struct incarnation *run,
    struct launch *launch);
void incarnation_add_own(const struct incarnation *run, struct launch *launch);

/* The variables that lead to the host.  0, or -1 with errno. */
int incarnation_name_host(const struct incarnation *run, struct launch *launch);

/* False, nothing follows, if the command cannot be started. */
bool incarnation_start_aux(struct incarnation *run, enum aux_kind kind,
    char **argv);

/* What must be there before the command is; 0, or -1 with errno. */
int incarnation_prepare_ready(struct incarnation *run, struct launch *launch);

/* The command is executed: asks, and watches, whether it is ready. */
void incarnation_begin_ready(struct incarnation *run);
void incarnation_become_ready(struct incarnation *run);

/* Another process is the main one now, or is not to be. */
void incarnation_adopted(struct incarnation *run,
    const struct grouper_event *event);

/* Runs reload_command if that is due, when it is ready and none runs. */
void incarnation_begin_reload(struct incarnation *run);

/* Readiness and watchdog end with the main process. */
void incarnation_stop_watching(struct incarnation *run);

#endif
