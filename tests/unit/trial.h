/* SPDX-License-Identifier: ISC */
/*
 * A host under trial: what the library's suites share.  It records every
 * event, and gives each member a pipe to write to.
 *
 * All of it fails the test itself where something does not work or does not
 * come in time.
 */
#ifndef TESTS_UNIT_TRIAL_H
#define TESTS_UNIT_TRIAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>
#include <grouper.h>

#include "tests/support/support.h"

#define TRIAL_EVENTS 256
#define TRIAL_PIDS 16
#define TRIAL_KEYS 32

struct trial_event {
	enum grouper_event_type type;
	char key[64];
	pid_t pid;
	int status;
	enum grouper_stage stage;
	int error;
	int last;
	struct grouper_usage usage;
	size_t processes;
	pid_t pids[TRIAL_PIDS];
	char *result;
	size_t result_length;
};

struct trial {
	struct event_base *base;
	struct grouper_host *host;
	int out[2]; /* members write, the test reads */
	int in[2];  /* members read what trial_say() writes */
	struct trial_event events[TRIAL_EVENTS];
	size_t count;
	size_t awaited;		   /* events before this one were awaited */
	char keys[TRIAL_KEYS][64]; /* that were started */
	size_t nkeys;

	/* What the options of trial_shell() point to. */
	const char *argv[4];
	struct grouper_fd fds[2];
};

/*
 * Makes the host; name NULL for an anonymous one.  A named one lives in a
 * runtime directory of this test's own, which GROUPER_RUNTIME_DIR names
 * from then on.
 */
void trial_open(struct trial *trial, const char *name);

/* Kills what still runs, and frees all. */
void trial_close(struct trial *trial);

/* Sets GROUPER_RUNTIME_DIR; returns the directory. */
const char *trial_runtime_directory(void);

/*
 * Options for `sh -c text`, standard output and input to the test, in a
 * session of its own.  Valid until the next call.
 */
struct grouper_options trial_shell(struct trial *trial, const char *text);

/* Starts with the recorder as on_event; trial_start() asserts success. */
enum grouper_error trial_try(struct trial *trial,
    const struct grouper_options *options);
void trial_start(struct trial *trial, const struct grouper_options *options);
void trial_exec(struct trial *trial, const struct grouper_options *options,
    grouper_exec_fn *fn, void *arg);

/*
 * Starts a shell that says "ready", and waits for that and for STARTED; two
 * texts for it.
 */
#define TRIAL_SLEEP "echo ready; exec sleep 1000"
#define TRIAL_DEAF "trap '' TERM; echo ready; while :; do sleep 1000; done"
void trial_start_ready(struct trial *trial, struct grouper_options *options,
    const char *text);

/* The recorder; arg is the trial. */
void trial_record(struct grouper_host *host, const struct grouper_event *event,
    void *arg);

/*
 * Runs the loop until an event of this type comes, or came since the last
 * await, and returns it.
 */
const struct trial_event *trial_await(struct trial *trial,
    enum grouper_event_type type);

/* Runs the loop until the condition holds. */
void trial_until(struct trial *trial, bool (*condition)(void *), void *arg);

/* How many events of this type came so far. */
size_t trial_count(const struct trial *trial, enum grouper_event_type type);

/* grouper_wait() on a key, asserting that it is not late. */
enum grouper_error trial_wait(struct trial *trial, const char *key);

/* Starts, waits, and returns the EMPTY event. */
const struct trial_event *trial_run(struct trial *trial,
    const struct grouper_options *options);

/* The same, and its command must have ended with 0. */
void trial_run_ok(struct trial *trial, const struct grouper_options *options);

/* One line that a member wrote; the loop does not run meanwhile. */
void trial_line(struct trial *trial, char *line, size_t size);
long trial_number(struct trial *trial);
void trial_expect(struct trial *trial, const char *expected);

/* A line for one member that reads. */
void trial_say(struct trial *trial);

/* A datagram to the socket of this name in the test's directory. */
void trial_notify(const char *socket_name, const char *text);

/* The only leader of this process. */
pid_t trial_leader(void);

/* Kills the only leader and returns its pid. */
pid_t trial_kill_leader(void);

/*
 * Runs fn(arg) in a forked process whose assertions count; trial_join()
 * waits for its end and asserts that it returned.
 */
pid_t trial_fork(void (*fn)(void *), void *arg);
void trial_join(pid_t pid);

/*
 * Forks a chain, child, grandchild and so on, whose processes sleep until
 * they are ended.  Returns the child when all are there.
 */
pid_t trial_chain(int length);

/*
 * Takes CAP_KILL from this process and what it forks, or gives it back:
 * other users' processes become unkillable.  False without the privilege.
 */
bool trial_may_kill(bool on);

#endif
