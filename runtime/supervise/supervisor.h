/* SPDX-License-Identifier: ISC */
/*
 * A supervisor tree on a host: the machine decides, this carries out.
 */
#ifndef RUNTIME_SUPERVISE_SUPERVISOR_H
#define RUNTIME_SUPERVISE_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/error.h>

#include "runtime/supervise/launch.h"
#include "runtime/supervise/machine.h"
#include "runtime/supervise/spec.h"

struct events;
struct grouper_host;
struct log_tap;
struct member_log;
struct incarnation;
struct supervisor;

struct supervisor_options {
	struct grouper_host *host; /* named, its loop runs the tree */
	const struct spec_tree *tree;
	const struct launch_hooks *hooks;
	const char *directory; /* for sockets of members */
	enum spec_log log;     /* of commands that name none */
	int output;	       /* of SPEC_LOG_PREFIX */
	uint64_t seed;
	/* The tree is over, everything is empty; text says why. */
	void (*on_end)(int status, const char *text, void *arg);
	/* Whenever something changed, and when a main process ended. */
	void (*on_change)(void *arg);
	void (*on_ended)(const char *key, int status, void *arg);
	/* When a start failed, and why; may be NULL. */
	void (*on_failed)(const char *key, const char *why, void *arg);
	void *arg;
};

/* Copies what it needs, but for the hooks.  NULL with errno. */
struct supervisor *supervisor_new(const struct supervisor_options *options);

/*
 * Once the tree is over, or before it is started.  The host, closed before,
 * is freed next: what was left unkillable may still tell of itself.
 */
void supervisor_free(struct supervisor *supervisor);

void supervisor_boot(struct supervisor *supervisor);
void supervisor_shutdown(struct supervisor *supervisor, bool kill);

/*
 * As machine_reload(); the tree stays the caller's.  Children without a
 * restart get their reload_command, if they have one.
 */
enum grouper_error supervisor_reload(struct supervisor *supervisor,
    const struct spec_tree *tree, char **why);

/*
 * As machine_spawn(), key being the child's, and its standard descriptors
 * fds, -1 for one that it gets as others do.  They are taken over, also on
 * failure, and held until a temporary child was started, any other as long as
 * it is listed.  GROUPER_SYSTEM with *why if too many are held,
 * GROUPER_START_FAILED if its log is a file that cannot be opened.
 */
enum grouper_error supervisor_spawn(struct supervisor *supervisor,
    const char *parent, const struct spec_child *child, const char *key,
    int fds[3], char **why);

/*
 * Whether a key is that of a temporary child that was spawned; if so, *ended
 * tells whether its main process has ended.
 */
bool supervisor_is_temporary(const struct supervisor *supervisor,
    const char *key, bool *ended);

/* Opens log files anew. */
void supervisor_reopen_logs(struct supervisor *supervisor);

/* Writes what is still queued of the members' output, for ms at most. */
void supervisor_finish_logs(struct supervisor *supervisor, int64_t ms);

/*
 * The machine, to ask and to send requests to; supervisor_act() carries out
 * what follows from them.
 */
struct machine *supervisor_machine(struct supervisor *supervisor);
void supervisor_act(struct supervisor *supervisor);

struct grouper_host *supervisor_host(const struct supervisor *supervisor);
struct events *supervisor_events(struct supervisor *supervisor);

/* The incarnation of a key, NULL if there is none. */
struct incarnation *supervisor_run(const struct supervisor *supervisor,
    const char *key);

/*
 * The log of a key, NULL if there is none.  *number tells it from one that
 * the key had before, whose places mean nothing to it.
 */
struct member_log *supervisor_log(const struct supervisor *supervisor,
    const char *key, uint64_t *number);

/*
 * Calls fn after each line that any child wrote, until supervisor_untap(),
 * which takes NULL.  NULL without memory.
 */
struct log_tap *supervisor_tap(struct supervisor *supervisor,
    void (*fn)(void *arg), void *arg);
void supervisor_untap(struct log_tap *tap);

/* What a child last said of itself by STATUS=; "" for nothing. */
const char *supervisor_said(const struct supervisor *supervisor,
    const char *key);

#endif
