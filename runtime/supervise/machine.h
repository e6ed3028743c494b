/* SPDX-License-Identifier: ISC */
/*
 * The machine that decides when the groups of a supervisor tree start, stop
 * and start again: pure, (state, event) -> actions.  It makes no system call
 * and reads no clock.  Every event carries the time, in ms of a clock that
 * does not jump; the actions that follow are queued and taken by
 * machine_next() until none is left, after each event and request.
 *
 * A child's incarnation begins with MACHINE_START and has a number, its run,
 * never used twice.  Events of the runtime name that run; those of a run that
 * is over are ignored.  An incarnation ends with machine_empty() alone, and
 * the child's next one never begins before.
 *
 * The keys: a child's id after its supervisors', "outer/inner".  A command
 * with several instances has "id:1", "id:2" ..., its own key stands for all of
 * them in requests.  An instance keeps its key while it is there: when a
 * command of one instance is scaled up, "id" stays and "id:2" comes.
 *
 * A restart in common (one_for_all, rest_for_one) starts children anew that
 * had ended, as OTP does, but none that machine_stop() stopped.
 *
 * Not thread-safe.  Out of memory aborts; a request whose copy of a
 * specification fails answers GROUPER_SYSTEM and changes nothing.
 */
#ifndef RUNTIME_SUPERVISE_MACHINE_H
#define RUNTIME_SUPERVISE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>

#include "runtime/supervise/spec.h"

struct machine;
struct machine_node; /* a supervisor, or an instance of a command */

enum machine_state {
	MACHINE_IDLE,	    /* listed, not running */
	MACHINE_PENDING,    /* its turn to start will come */
	MACHINE_STARTING,   /* MACHINE_START was given */
	MACHINE_WAITING,    /* executed, not yet ready */
	MACHINE_RUNNING,    /* ready */
	MACHINE_STOPPING,   /* ended or told to stop, not yet empty */
	MACHINE_BACKOFF,    /* will be restarted: "restarting" */
	MACHINE_DONE,	    /* ended by itself, not to be restarted */
	MACHINE_LATCHED,    /* its leader died */
	MACHINE_UNKILLABLE, /* processes withstood SIGKILL */
	MACHINE_NSTATES
};

enum machine_action_type {
	MACHINE_START, /* start a group for run of node */
	MACHINE_STOP,  /* stop the group of run, by its steps, or by KILL at
			  once if kill; given once, and once more for kill */
	MACHINE_RESET, /* clear the latch of key */
	MACHINE_NOTE,  /* what was decided, and why */
	MACHINE_END,   /* the root is over and everything empty: the host ends
			  with status */
};

enum machine_note {
	MACHINE_NOTE_READY,
	MACHINE_NOTE_ENDED,	   /* and empty: status, text */
	MACHINE_NOTE_START_FAILED, /* text has the reason */
	MACHINE_NOTE_RESTART,	   /* "restart 2 of 3 within 5s, in 100ms" */
	MACHINE_NOTE_LIMIT,	   /* intensity exceeded */
	MACHINE_NOTE_COOLDOWN,	   /* on_limit: a pause */
	MACHINE_NOTE_AUTO_SHUTDOWN,
	MACHINE_NOTE_LEADER_DIED,
	MACHINE_NOTE_WATCHDOG,
	MACHINE_NOTE_UNKILLABLE,
	MACHINE_NOTE_FAILED,  /* a supervisor, which begins to stop */
	MACHINE_NOTE_STOPPED, /* as asked */
	MACHINE_NOTE_DONE,    /* not to be restarted; text says why */
	MACHINE_NOTE_ADDED,   /* a child or instance, by a request */
	MACHINE_NOTE_REMOVED, /* no longer listed; node is NULL */
	MACHINE_NOTE_CHANGED, /* by a reload, in place */
	MACHINE_NNOTES
};

struct machine_action {
	enum machine_action_type type;
	/* Until the next call of the machine; NULL when it is gone. */
	const struct machine_node *node;
	const char *key; /* "" is the root's */
	uint64_t run;	 /* START, STOP */
	bool asked;	 /* STOP: the child did nothing to deserve it */
	bool kill;	 /* STOP */
	int status;	 /* END: 0-255; NOTE_ENDED: of wait(2), or -1 */
	enum machine_note note;
	const char *text; /* NOTE, END, and why of STOP: one line, may be "" */
};

/*
 * Makes a machine for a tree that spec_check() accepts, which it copies.
 * seed: of the jitter in back-off.  NULL with errno; EINVAL: the tree.
 */
struct machine *machine_new(const struct spec_tree *tree, uint64_t seed);
void machine_free(struct machine *machine);

/* Takes the next action, whose pointers last until the next call. */
bool machine_next(struct machine *machine, struct machine_action *action);

/* The time machine_timer() is wanted at; -1 for none. */
int64_t machine_deadline(const struct machine *machine);

/*
 * Events.  A boot begins it all.  One of a run: false if that run is over or
 * the event makes no sense in its state; it is then ignored.
 */
void machine_boot(struct machine *machine, int64_t now);
void machine_timer(struct machine *machine, int64_t now);

/* The leader took over and the command is executed. */
bool machine_started(struct machine *machine, int64_t now, uint64_t run);

/* For every kind of readiness but `started`, which the machine sees to. */
bool machine_ready(struct machine *machine, int64_t now, uint64_t run);

/* Nothing could be started: machine_empty() must follow. */
bool machine_start_failed(struct machine *machine, int64_t now, uint64_t run,
    const char *reason);

/* The main process ended, with a status of wait(2). */
bool machine_ended(struct machine *machine, int64_t now, uint64_t run,
    int status);

/* The group is proven empty. */
bool machine_empty(struct machine *machine, int64_t now, uint64_t run);
bool machine_leader_died(struct machine *machine, int64_t now, uint64_t run);
bool machine_watchdog(struct machine *machine, int64_t now, uint64_t run);

/*
 * Processes withstood SIGKILL.  The run is not waited for any longer; where a
 * restart was due its supervisor fails.  machine_empty() may still come.
 */
bool machine_unkillable(struct machine *machine, int64_t now, uint64_t run);

/*
 * Requests.  They answer at once; what follows is told by actions.  While the
 * root stops or has ended, those that would start or change something answer
 * GROUPER_NO_GROUP, as they do for the children of a stopped supervisor.
 * A key that stands for several instances: GROUPER_OK if one accepts, else
 * the first's answer.
 *
 * GROUPER_NOT_FOUND is the answer to every unknown key.
 */

/*
 * ALREADY_STARTED: starting, running or stopping; RESTARTING: in back-off or
 * restarted with its siblings; LEADER_DIED: latched.  A start that fails
 * leaves the child idle, and is told by MACHINE_NOTE_START_FAILED.
 */
enum grouper_error machine_start(struct machine *machine, int64_t now,
    const char *key);

/*
 * OK in every state; ends a loop of restarts; clears a latch.  The child is
 * not started again but by machine_start() or a new start of its supervisor.
 * A temporary child is removed.  UNKILLABLE.
 */
enum grouper_error machine_stop(struct machine *machine, int64_t now,
    const char *key);

/* Stops and starts, or starts.  RESTARTING, LEADER_DIED, UNKILLABLE. */
enum grouper_error machine_restart(struct machine *machine, int64_t now,
    const char *key);

/* Removes an idle child.  RUNNING, RESTARTING, UNKILLABLE. */
enum grouper_error machine_delete(struct machine *machine, int64_t now,
    const char *text);

/* Clears the latch; OK also if there is none. */
enum grouper_error machine_reset(struct machine *machine, int64_t now,
    const char *key);

/*
 * Adds a child, which it copies, at the end of a supervisor ("" is the root)
 * and starts it if autostart.  ALREADY_STARTED: the id is there and runs;
 * ALREADY_PRESENT: is there; INVALID, BAD_COMBINATION with *why a text to
 * free(), else NULL.  If its start fails it is removed.
 */
enum grouper_error machine_spawn(struct machine *machine, int64_t now,
    const char *supervisor, const struct spec_child *spec, char **why);

/*
 * Sets the number of instances of a command, by its own key.  INVALID: too
 * many; BAD_COMBINATION: a supervisor, a numbered id, or more than one that is
 * significant or alone.  A new instance whose start fails is removed; its
 * number is the lowest whose key is no other child's.  0: the child stays, to
 * be scaled again, but one that was spawned.
 */
enum grouper_error machine_scale(struct machine *machine, int64_t now,
    const char *text, unsigned int instances);

/*
 * Changes the tree to another, which is copied: untouched children keep
 * running, flags and policies change in place, removed ones stop, new ones
 * start, those whose command changed restart, or start if they could not be
 * started or wait to be restarted.  A child that machine_spawn() added stays.
 * Those that the new order puts behind what is being restarted by rest_for_one
 * are restarted with it.  INVALID, BAD_COMBINATION (also where a command would
 * become a supervisor of the same id, or the reverse), ALREADY_PRESENT (the id
 * of a spawned child): nothing changes, *why is a text to free().
 */
enum grouper_error machine_reload(struct machine *machine, int64_t now,
    const struct spec_tree *tree, char **why);

/* Stops the tree in order, as asked; kill: all at once, by KILL. */
void machine_shutdown(struct machine *machine, int64_t now, bool kill);

/* Whether MACHINE_END was given. */
bool machine_over(const struct machine *machine);

/*
 * Status.  Pointers last until the next event or request.  The order is that
 * of the start, each supervisor before its children; the root is first.
 * machine_find() knows no node by the key of a command that has "id:1" ...
 */
const struct machine_node *machine_find(const struct machine *machine,
    const char *key);
const struct machine_node *machine_root(const struct machine *machine);
const struct machine_node *machine_after(const struct machine_node *node);

struct machine_view {
	const char *key;
	unsigned int depth;    /* 0: the root */
	unsigned int instance; /* from 1; 0: a supervisor */
	enum machine_state state;
	uint64_t run;				  /* 0: no incarnation */
	const struct spec_child *spec;		  /* NULL: the root */
	const struct spec_supervisor *supervisor; /* its flags;
						     NULL: a command */
	bool spawned;				  /* not of the tree */
	bool passing;  /* new and not ready yet, or about to go */
	bool failed;   /* its last start, or it did as a supervisor */
	bool ready;    /* this incarnation was, once */
	bool cooling;  /* a supervisor in its on_limit pause, or not ready
			  again after it */
	int64_t since; /* of this state */
	int64_t due;   /* the next try of BACKOFF; else -1 */
	uint64_t restarts;
	int status;	    /* of the last end, of wait(2); -1: none */
	const char *reason; /* of the last failure; "" */
};

void machine_view(const struct machine_node *node, struct machine_view *view);

/*
 * The restarts of a supervisor's children that count against its intensity
 * now; 0 for a command.
 */
size_t machine_restarts(const struct machine_node *node, int64_t now);

/* "idle", "pending", ...; never NULL. */
const char *machine_state_name(enum machine_state state);
const char *machine_note_name(enum machine_note note);

/*
 * Aborts unless the counters and trees within agree with what they count: for
 * tests.  Takes a time that grows as the tree.
 */
void machine_verify(const struct machine *machine);

#endif
