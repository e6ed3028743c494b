/* SPDX-License-Identifier: ISC */
/*
 * What must hold in the world of world.h, whatever happens, and what has to be
 * remembered of it for that.  For world.c alone.
 */
#ifndef TESTS_UNIT_WORLD_RULES_H
#define TESTS_UNIT_WORLD_RULES_H

#include "world.h"

#define LIVE_MAX 512
#define RESTARTS_MAX 512
#define STUCK_MAX 64
#define BEGUN_MAX 256
#define FAILURES_MAX 64
#define BRANCHES_MAX 128

struct live {
	uint64_t run;
	char key[128];
	bool told;
	bool killed;
	bool ended;
	bool ready;
};

/* A restart that a supervisor's incarnation decided. */
struct restart {
	uint64_t branch; /* its run */
	int64_t at;
};

/* The last incarnation of a key, and what was told since it began. */
struct begun {
	char key[128];
	uint64_t run;
	uint64_t branch; /* the run of the supervisor above */
	bool restarts;	 /* it may start again */
	bool alone;	 /* that is without regard to the order */
};

/* An inner supervisor that failed, and that has to be heard of above. */
struct failure {
	char key[128];
	uint64_t run;
	uint64_t branch;
	bool normal; /* by its auto_shutdown */
	bool heard;
};

/* Runs of supervisors; full: of all that there are. */
struct branches {
	uint64_t runs[BRANCHES_MAX];
	size_t count;
	uint64_t below; /* all of a lower run as well */
};

struct world {
	struct machine *machine;
	struct live live[LIVE_MAX];
	size_t nlive;
	struct restart restarts[RESTARTS_MAX];
	size_t nrestarts;
	struct begun begun[BEGUN_MAX];
	size_t nbegun; /* ever: the oldest are forgotten */
	struct failure failures[FAILURES_MAX];
	size_t nfailures;
	struct branches changed; /* by requests: much is allowed below */
	struct branches cycling; /* had a restart in common before this step */
	uint64_t stuck[STUCK_MAX]; /* runs that withstood SIGKILL */
	size_t nstuck;
	int64_t now;
	puppet_chance_fn *chance;
	void *arg;
	uint64_t last_run;
	uint64_t seed;
	const char *last; /* what was done last, for a failure */
	char key[128];
	bool request; /* of a client: it may stop out of order */
	bool root_failed;
	bool root_shut; /* down, by its auto_shutdown */
	bool leader_died;
	bool unkillable;
	bool over;
	int status;
	unsigned long starts;
};

extern struct world world;

void broken(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* NULL if it has no group. */
struct live *find_live(const char *key);

/* The node above one. */
const struct machine_node *node_above(const char *key);

/* A request changes what is at, beside and below a key; NULL: everything. */
void rules_change(const char *key);

/* Each action as it is taken, and then that there are no more. */
void rules_start(const struct machine_action *action);
void rules_stop(const struct machine_action *action);
void rules_note(const struct machine_action *action);
void rules_drained(void);

/* When nothing is left to come: nobody waits for anything. */
void rules_rest(void);

/* After the end, the status. */
void rules_ended(void);

#endif
