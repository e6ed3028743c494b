/* SPDX-License-Identifier: ISC */
/*
 * A runtime that only pretends, for tests of the supervision machine: it
 * executes the machine's actions at once, or as a test told it to, and writes
 * down what it was given.
 *
 * Trees come from a short text: words for the supervisor they stand in ("one",
 * "all", "rest", "any", "every", "2/5000" for intensity and period in ms,
 * "cool=100"), else children, `id` with what follows in this order:
 *
 *	:t transient, :x temporary, :p permanent
 *	!  significant
 *	-  not started by itself
 *	?  not ready until told
 *	*3 three instances
 *	=100 back-off from 100 ms on
 *	<a,b depends_on; < alone: on nothing
 *	{  a supervisor, its children until }
 */
#ifndef TESTS_PUPPET_H
#define TESTS_PUPPET_H

#include "runtime/supervise/machine.h"

#define EXITED(status) ((status) << 8)
#define KILLED 9
#define MARK SPEC_INSTANCE_MARK

struct puppet_run {
	char key[256];
	uint64_t run;
	bool stopping;
	bool ended;
};

struct puppet_rule {
	char key[64];
	int failures;	 /* of the next starts; -1: of all */
	bool hold_start; /* neither started nor failed */
	bool hold_stop;	 /* does not end when told */
};

struct puppet {
	struct machine *machine;
	int64_t now;
	struct puppet_run *runs;
	size_t nruns;
	size_t size;
	size_t shift; /* the first of runs that may live */
	struct puppet_rule rules[16];
	size_t nrules;
	char trace[4096];		 /* "+a -b" */
	char notes[MACHINE_NNOTES][256]; /* the last text of each kind */
	unsigned int counts[MACHINE_NNOTES];
	int end; /* status of MACHINE_END; -1 */
	char end_text[256];
	bool quiet; /* no trace */
};

struct spec_tree *puppet_tree(const char *text);

/* A number below another; puppet_chance(): by xorshift of a uint64_t. */
typedef unsigned int puppet_chance_fn(unsigned int below, void *arg);
puppet_chance_fn puppet_chance;

/* A tree that spec_check() accepts. */
struct spec_tree *puppet_random_tree(puppet_chance_fn *fn, void *arg);

/* Makes and boots; the tree is freed. */
struct puppet *puppet_boot(const char *text);
struct puppet *puppet_new(struct spec_tree *tree);
void puppet_free(struct puppet *puppet);

/* Executes what the machine wants, until nothing is left. */
void puppet_act(struct puppet *puppet);

/* For a key, before it happens. */
void puppet_fail(struct puppet *puppet, const char *key, int times);
void puppet_hold_start(struct puppet *puppet, const char *key);
void puppet_hold_stop(struct puppet *puppet, const char *key);

/* Events of the living incarnation of a key, which must be there. */
uint64_t puppet_run(struct puppet *puppet, const char *key);
void puppet_started(struct puppet *puppet, const char *key);
void puppet_ready(struct puppet *puppet, const char *key);
void puppet_ended(struct puppet *puppet, const char *key, int status);
void puppet_empty(struct puppet *puppet, const char *key);
void puppet_leader_died(struct puppet *puppet, const char *key);
/* Ended and empty. */
void puppet_end(struct puppet *puppet, const char *key, int status);

/* Time passes, timers expire. */
void puppet_pass(struct puppet *puppet, int64_t ms);

/* Requests, each followed by puppet_act(). */
enum grouper_error puppet_ask(struct puppet *puppet,
    enum grouper_error (*verb)(struct machine *, int64_t, const char *),
    const char *key);
enum grouper_error puppet_spawn(struct puppet *puppet, const char *supervisor,
    const char *text);
enum grouper_error puppet_scale(struct puppet *puppet, const char *key,
    unsigned int instances);
enum grouper_error puppet_reload(struct puppet *puppet, const char *text);
void puppet_shutdown(struct puppet *puppet);

/* Asserts, and forgets, the trace; asserts a state: NULL, not listed. */
void puppet_expect(struct puppet *puppet, const char *trace);
void puppet_expect_state(struct puppet *puppet, const char *key,
    const char *state);
void puppet_expect_end(struct puppet *puppet, int status);

#endif
