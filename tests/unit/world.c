/* SPDX-License-Identifier: ISC */
/*
 * The world around a supervision machine: see world.h.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world_rules.h"

#define STEPS_TO_STOP 20000
#define STEPS_TO_REST 5000
#define STEPS_BETWEEN_RESTS 40

static unsigned int
chance(unsigned int below)
{
	return world.chance(below, world.arg);
}

static void
drain(void)
{
	struct machine_action action;

	while (machine_next(world.machine, &action)) {
		if (world.over)
			broken("an action after the end");
		switch (action.type) {
		case MACHINE_START:
			rules_start(&action);
			break;
		case MACHINE_STOP:
			rules_stop(&action);
			break;
		case MACHINE_RESET:
			break;
		case MACHINE_NOTE:
			rules_note(&action);
			break;
		case MACHINE_END:
			if (world.nlive > 0)
				broken("the end while %s lives",
				    world.live[0].key);
			world.over = true;
			world.status = action.status;
			break;
		}
	}
	rules_drained();
	machine_verify(world.machine);
}

static void
deliver(bool stopping)
{
	struct live *live = &world.live[chance((unsigned int)world.nlive)];
	static const int statuses[] = { 0, 1 << 8, 9, 15 };
	uint64_t run = live->run;

	world.last = "an event of";
	snprintf(world.key, sizeof(world.key), "%s", live->key);
	if (live->ended) {
		*live = world.live[--world.nlive];
		if (world.nstuck < STUCK_MAX && chance(300) == 0) {
			if (!machine_unkillable(world.machine, world.now, run))
				broken("what cannot end was not taken");
			world.unkillable = true;
			world.stuck[world.nstuck++] = run;
			return;
		}
		if (!machine_empty(world.machine, world.now, run))
			broken("its end was not taken");
		return;
	}
	/* Most come to be ready, so that trees grow old. */
	if (live->told || stopping || chance(live->ready ? 6 : 60) == 0) {
		live->ended = true;
		if (chance(300) == 0)
			world.leader_died |= machine_leader_died(world.machine,
			    world.now, run);
		else if (!live->ready && chance(4) == 0)
			machine_start_failed(world.machine, world.now, run,
			    "chance");
		else
			machine_ended(world.machine, world.now, run,
			    statuses[chance(4)]);
	} else if (chance(50) == 0) {
		machine_watchdog(world.machine, world.now, run);
	} else if (!live->ready) {
		machine_started(world.machine, world.now, run);
		live->ready = machine_ready(world.machine, world.now, run);
	}
}

/* What withstood SIGKILL may end all the same, whatever came of its node. */
static void
release(void)
{
	size_t i = chance((unsigned int)world.nstuck);
	uint64_t run = world.stuck[i];

	world.last = "the late end of a run";
	world.key[0] = '\0';
	world.stuck[i] = world.stuck[--world.nstuck];
	if (!machine_empty(world.machine, world.now, run) ||
	    machine_empty(world.machine, world.now, run))
		broken("its end was not taken once");
}

static const char *
random_key(void)
{
	const struct machine_node *node = machine_root(world.machine);
	struct machine_view view;
	unsigned int skip = 1 + chance(12);

	while (skip-- > 0 && machine_after(node) != NULL)
		node = machine_after(node);
	machine_view(node, &view);
	snprintf(world.key, sizeof(world.key), "%s", view.key);
	return world.key;
}

static void
spawn(void)
{
	const struct machine_node *above = node_above(random_key());
	struct spec_tree *tree;
	struct machine_view view;
	char text[64];
	char *why;

	machine_view(above, &view);
	snprintf(text, sizeof(text), "n%u%s?", chance(4),
	    chance(2) == 0 ? ":x" : ":t");
	tree = puppet_tree(text);
	snprintf(world.key, sizeof(world.key), "%s", view.key);
	rules_change(world.key);
	machine_spawn(world.machine, world.now, world.key,
	    &tree->root.children[0], &why);
	free(why);
	spec_free(tree);
}

static void
reload(void)
{
	struct spec_tree *tree = puppet_random_tree(world.chance, world.arg);
	char *why;

	rules_change(NULL);
	if (machine_reload(world.machine, world.now, tree, &why) == GROUPER_OK)
		world.nrestarts = 0;
	free(why);
	spec_free(tree);
}

static void
scale(void)
{
	char key[128];
	char *end;

	snprintf(key, sizeof(key), "%s", random_key());
	if ((end = strstr(key, MARK)) != NULL)
		*end = '\0';
	rules_change(key);
	machine_scale(world.machine, world.now, key, chance(5));
}

static void
request(void)
{
	static const struct {
		const char *name;
		enum grouper_error (*verb)(struct machine *, int64_t,
		    const char *);
	} verbs[] = {
		{ "start", machine_start },
		{ "stop", machine_stop },
		{ "restart", machine_restart },
		{ "delete", machine_delete },
		{ "reset", machine_reset },
	};
	unsigned int which = chance(9);

	/* In some trees nobody asks for anything: see rules_change(). */
	if (world.seed % 4 == 0)
		return;
	world.request = true;
	if (which < 5) {
		world.last = verbs[which].name;
		rules_change(random_key());
		verbs[which].verb(world.machine, world.now, world.key);
	} else if (which == 5) {
		world.last = "scale";
		scale();
	} else if (which == 6) {
		world.last = "reload";
		reload();
	} else {
		world.last = "spawn";
		spawn();
	}
}

static void
pass(void)
{
	int64_t due = machine_deadline(world.machine);

	world.last = "time";
	world.key[0] = '\0';
	if (due != -1 && chance(2) == 0 && due > world.now)
		world.now = due;
	else
		world.now += chance(100);
	machine_timer(world.machine, world.now);
}

static void
step(bool stopping)
{
	unsigned int which = chance(20);

	world.request = false;
	if (which < 12 && world.nlive > 0)
		deliver(stopping);
	else if (which < 16 || stopping)
		pass();
	else if (which == 19 && world.nstuck > 0 && chance(4) == 0)
		release();
	else if (which < 18 && chance(2) == 0)
		request();
	drain();
}

/* As it is meant to: what is told to stop ends, the rest comes to be ready. */
static bool
go_on(struct live *live)
{
	uint64_t run = live->run;
	bool started, ready;

	if (live->ended) {
		*live = world.live[--world.nlive];
		return machine_empty(world.machine, world.now, run);
	}
	if (live->told) {
		live->ended = true;
		return machine_ended(world.machine, world.now, run, 15);
	}
	started = machine_started(world.machine, world.now, run);
	ready = machine_ready(world.machine, world.now, run);
	live->ready |= ready;
	return started || ready;
}

/* The next thing that is sure to happen; false if there is none. */
static bool
go_on_any(void)
{
	int64_t due = machine_deadline(world.machine);
	size_t i;

	for (i = 0; i < world.nlive; i++)
		if (go_on(&world.live[i]))
			return true;
	if (due == -1)
		return false;
	if (world.now < due)
		world.now = due;
	machine_timer(world.machine, world.now);
	return true;
}

/* Nothing fails any longer, and nobody asks: it has to come to rest. */
static void
let_go(void)
{
	unsigned int steps = 0;

	world.request = false;
	world.last = "nothing else of";
	world.key[0] = '\0';
	while (!world.over && go_on_any()) {
		if (++steps > STEPS_TO_REST)
			broken("it does not come to rest");
		drain();
	}
	rules_rest();
}

void
world_begin(puppet_chance_fn *fn, void *arg, uint64_t seed)
{
	struct spec_tree *tree;

	world = (struct world) { .chance = fn, .arg = arg, .seed = seed };
	world.last = "boot";
	tree = puppet_random_tree(fn, arg);
	world.machine = machine_new(tree, seed);
	if (world.machine == NULL)
		broken("it cannot be made");
	spec_free(tree);
	machine_boot(world.machine, world.now);
	drain();
}

bool
world_step(void)
{
	if (!world.over)
		step(false);
	/* In some trees only, so that others are never at peace. */
	if (!world.over && world.seed % 2 == 1 &&
	    chance(STEPS_BETWEEN_RESTS) == 0)
		let_go();
	return !world.over;
}

unsigned long
world_finish(void)
{
	unsigned long steps = 0;

	if (!world.over) {
		world.last = "shutdown";
		machine_shutdown(world.machine, world.now, false);
		drain();
	}
	while (!world.over) {
		if (++steps > STEPS_TO_STOP)
			broken("it does not stop");
		step(true);
	}
	rules_ended();
	machine_free(world.machine);
	return steps;
}

unsigned long
world_starts(void)
{
	return world.starts;
}
