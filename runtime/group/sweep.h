/* SPDX-License-Identifier: ISC */
/*
 * The sweep: takes every descendant of this process through the stop steps,
 * and tells when none is left.
 *
 * A process is first asked.  What is left when the steps have run out is
 * frozen, then killed: a stopped process keeps its place in the process
 * table and cannot fork, so that a tree of forks at its process limit comes
 * to rest, where killing alone would only make room for the next fork.
 *
 * A sweep is a state that is stepped: nothing here blocks or allocates, and
 * all of it is async-signal-safe, so that a leader, a host's loop and a
 * blocking caller drive the same code.
 */
#ifndef RUNTIME_GROUP_SWEEP_H
#define RUNTIME_GROUP_SWEEP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "runtime/group/cgroup.h"
#include "runtime/group/steps.h"
#include "runtime/group/walk.h"

/* Why a process that was killed is still there. */
#define SWEEP_PATIENCE_MS 3000
#define SWEEP_LIST 64

enum sweep_scope {
	SWEEP_ALL,	 /* every child of this process is the group's */
	SWEEP_STRANGERS, /* every child but those that walk.skip names */
	SWEEP_NAMESPACE, /* this process is init of a PID namespace */
};

enum sweep_target {
	SWEEP_TREE,    /* every descendant */
	SWEEP_PGROUP,  /* those in the main process's process group */
	SWEEP_COMMAND, /* the main process */
	SWEEP_REST,    /* told only: those that a narrower step left out */
};

enum sweep_reaped {
	SWEEP_SOME_LEFT, /* children live, none is to be reaped now */
	SWEEP_MORE_DEAD, /* the turn was over before the dead were */
	SWEEP_NONE_LEFT, /* the proof: no child at all */
};

enum sweep_result {
	SWEEP_WAIT,    /* call again at sweep_deadline(), or after a death */
	SWEEP_AGAIN,   /* call again at once */
	SWEEP_GIVE_UP, /* told once: what is left withstands SIGKILL */
};

/* A child was reaped; status as of wait(2). */
typedef void sweep_reaped_fn(pid_t pid, int status, void *arg);

/*
 * A step is about to be sent.  ms: until the next; STEPS_FOREVER where none
 * follows.
 */
typedef void sweep_asking_fn(int signum, enum sweep_target whom, int64_t ms,
    void *arg);

struct sweep {
	struct walk *walk;
	enum sweep_scope scope;
	struct cgroup_leaf *leaf;   /* NULL without one */
	sweep_asking_fn *on_asking; /* the caller's to set after sweep_init() */
	void *on_asking_arg;
	pid_t main;  /* 0 once it is reaped */
	int main_fd; /* of one that is not our child, and may be reaped by
			another: its handle; else -1 */
	pid_t pgid;  /* of the main process, when it began or was last asked */
	/* Which this process was in before any descendant was born, and others
	 * may be; the caller's to set, -1 where it is not known. */
	pid_t inherited_session;
	struct steps steps;
	size_t next;
	enum sweep_target target; /* whom the next step addresses */
	enum sweep_target asked;  /* whom the last one did */
	int64_t deadline;	  /* in ms of clock_ms(); -1 for none */
	bool stopping;
	bool killing;
	bool partial; /* the last round knows that it missed somebody */
	bool gave_up;
	uint64_t reaped;
	uint64_t reaped_at_kill;
	int64_t kill_since;   /* first kill without success since */
	int64_t freeze_since; /* 0 when not freezing */
	unsigned int rounds;
};

void sweep_init(struct sweep *sweep, struct walk *walk, enum sweep_scope scope,
    struct cgroup_leaf *leaf);

/*
 * Begins, or begins anew with other steps.  The first step addresses target,
 * later ones everyone; a target that is gone means everyone.
 */
void sweep_begin(struct sweep *sweep, const struct steps *steps,
    enum sweep_target target);

/*
 * The main process ended under a step that addressed it or its process group
 * only: what it left is asked as well, and has what is left of the step's
 * time.  (Within a PID namespace its process group may be asked twice.)
 */
void sweep_widen(struct sweep *sweep);

/* To the main process, if there is one. */
void sweep_signal_main(const struct sweep *sweep, int signum);

/* Reaps what has ended, in a bounded turn; fn may be NULL. */
enum sweep_reaped sweep_reap(struct sweep *sweep, sweep_reaped_fn *fn,
    void *arg);

/*
 * Does what is due now; to be called after sweep_begin(), after each turn of
 * reaping without the proof, also one that left dead ones, since forks may
 * never run out of them, and when the deadline has come.
 */
enum sweep_result sweep_step(struct sweep *sweep, int64_t now_ms);

/* When sweep_step() is due, in ms of clock_ms(); -1 for never. */
int64_t sweep_deadline(const struct sweep *sweep);

/* The pids of what still lives, at most capacity; returns how many. */
size_t sweep_survivors(struct sweep *sweep, pid_t *pids, size_t capacity);

#endif
