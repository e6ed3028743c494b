/* SPDX-License-Identifier: ISC */
/*
 * What the files of a supervisor share; for no others.
 */
#ifndef RUNTIME_SUPERVISE_SUPERVISOR_PRIVATE_H
#define RUNTIME_SUPERVISE_SUPERVISOR_PRIVATE_H

#include <sys/queue.h>

#include "runtime/supervise/slot.h"
#include "runtime/supervise/supervisor.h"

struct supervisor {
	struct grouper_host *host;
	struct machine *machine;
	const struct launch_hooks *hooks;
	char *directory;
	struct logs *logs;
	uint64_t nlogs;	   /* were made for children */
	enum spec_log log; /* of commands that name none */
	struct events *events;
	struct slots slots;
	size_t held; /* descriptors of what was spawned */
	size_t max_held;
	struct loop_timer *timer;
	bool acting;
	bool over;
	TAILQ_HEAD(, log_tap) taps;
	void (*on_end)(int status, const char *text, void *arg);
	void (*on_change)(void *arg);
	void (*on_ended)(const char *key, int status, void *arg);
	void (*on_failed)(const char *key, const char *why, void *arg);
	void *arg;
};

/* How many descriptors may be held. */
size_t supervisor_max_held(void);

/* Whether a file that is to be its log can be opened; 0, or -1 with errno. */
int supervisor_open_log(struct supervisor *supervisor,
    const struct spec_command *command);

/* Makes the log of a slot what its command wants, from now on. */
int supervisor_take_log(struct slot *slot, const struct spec_command *command);

/* Gives the limits of its command to the file that a slot logs to. */
int supervisor_limit_log(struct slot *slot, const struct spec_command *command);

#endif
