/* SPDX-License-Identifier: ISC */
/*
 * The world around a supervision machine: see world.h.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_TO_STOP 20000
#define LIVE_MAX 512
#define RESTARTS_MAX 512
#define STUCK_MAX 64
#define UNKILLABLE 123

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

struct world {
	struct machine *machine;
	struct live live[LIVE_MAX];
	size_t nlive;
	struct restart restarts[RESTARTS_MAX];
	size_t nrestarts;
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
	bool leader_died;
	bool over;
	int status;
	unsigned long starts;
};

static struct world world;

static void __attribute__((format(printf, 1, 2), noreturn))
broken(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "seed %llu: after %s %s: %s\n",
	    (unsigned long long)world.seed, world.last, world.key, text);
	abort();
}

static unsigned int
chance(unsigned int below)
{
	return world.chance(below, world.arg);
}

/*
 * What must hold
 */

static struct live *
find_live(const char *key)
{
	size_t i;

	for (i = 0; i < world.nlive; i++)
		if (strcmp(world.live[i].key, key) == 0)
			return &world.live[i];
	return NULL;
}

/* The node above one, and of the siblings those of an id. */
static const struct machine_node *
node_above(const char *key)
{
	const char *slash = strrchr(key, '/');
	char above[128];

	snprintf(above, sizeof(above), "%.*s",
	    slash != NULL ? (int)(slash - key) : 0, key);
	return machine_find(world.machine, above);
}

static bool
depends(const struct spec_child *one, const char *id)
{
	char **each = one->depends_on;

	for (; each != NULL && *each != NULL; each++)
		if (strcmp(*each, id) == 0)
			return true;
	return false;
}

static bool
is_settled(const struct machine_view *view)
{
	/* What pauses does not hold up the siblings that had it once. */
	if (view->cooling && view->ready)
		return true;
	return view->state == MACHINE_RUNNING || view->state == MACHINE_IDLE ||
	    view->state == MACHINE_DONE || view->state == MACHINE_LATCHED ||
	    view->state == MACHINE_UNKILLABLE;
}

/*
 * Walks the siblings of a node: those it waits for must be settled (at a
 * start), those that wait for it must not live (at a stop).
 */
static void
check_siblings(const struct machine_view *self, bool start, bool listed)
{
	const struct machine_node *above = node_above(self->key), *node;
	struct machine_view view;
	bool before = true;

	for (node = machine_after(above); node != NULL;
	     node = machine_after(node)) {
		machine_view(node, &view);
		if (view.depth < self->depth)
			break;
		if (view.depth > self->depth)
			continue;
		if (view.spec == self->spec) {
			before = false;
			continue;
		}
		if (start && before && listed && !self->spec->parallel &&
		    !is_settled(&view))
			broken("%s starts before %s is ready", self->key,
			    view.key);
		if (start && depends(self->spec, view.spec->id) &&
		    !is_settled(&view))
			broken("%s starts before %s is ready, which it needs",
			    self->key, view.key);
		if (start ||
		    (view.supervisor == NULL && find_live(view.key) == NULL))
			continue;
		if (view.supervisor != NULL && view.state != MACHINE_RUNNING &&
		    view.state != MACHINE_STARTING &&
		    view.state != MACHINE_STOPPING && !view.cooling)
			continue;
		if ((!before && !view.spec->parallel) ||
		    depends(view.spec, self->spec->id))
			broken("%s stops before %s is empty", self->key,
			    view.key);
	}
}

static void
check_start(const struct machine_action *action)
{
	struct machine_view self, above;
	struct live *live;

	if (find_live(action->key) != NULL)
		broken("%s starts and is not empty", action->key);
	if (action->run <= world.last_run)
		broken("run of %s is not new", action->key);
	if (world.over)
		broken("%s starts after the end", action->key);
	world.last_run = action->run;
	world.starts++;
	machine_view(action->node, &self);
	machine_view(node_above(action->key), &above);
	if (above.state != MACHINE_STARTING && above.state != MACHINE_RUNNING)
		broken("%s starts under a supervisor that does not run",
		    action->key);
	check_siblings(&self, true,
	    above.state == MACHINE_STARTING && self.restarts == 0 &&
		self.status == -1 && self.reason[0] == '\0' && !world.request);
	if (world.nlive == LIVE_MAX)
		broken("too many live");
	live = &world.live[world.nlive++];
	*live = (struct live) { .run = action->run };
	snprintf(live->key, sizeof(live->key), "%s", action->key);
}

static void
check_stop(const struct machine_action *action)
{
	struct live *live = find_live(action->key);
	struct machine_view self, above;

	if (live == NULL || live->run != action->run)
		broken("%s is told to stop and does not live", action->key);
	if (live->killed || (live->told && !action->kill))
		broken("%s is told to stop again", action->key);
	live->told = true;
	live->killed = action->kill;
	machine_view(action->node, &self);
	machine_view(node_above(action->key), &above);
	if (!world.request && !action->kill && action->asked &&
	    above.state == MACHINE_STOPPING)
		check_siblings(&self, false, true);
}

static void
check_intensity(const struct machine_action *action)
{
	struct machine_view above;
	size_t i, n = 1;

	machine_view(node_above(action->key), &above);
	for (i = 0; i < world.nrestarts; i++)
		if (world.restarts[i].branch == above.run &&
		    world.now - world.restarts[i].at <=
			above.supervisor->period_ms)
			n++;
	if (n > above.supervisor->intensity)
		broken("%s is restart %zu of %u", action->key, n,
		    above.supervisor->intensity);
	if (world.nrestarts == RESTARTS_MAX) {
		memmove(world.restarts, world.restarts + 1,
		    sizeof(world.restarts) - sizeof(world.restarts[0]));
		world.nrestarts--;
	}
	world.restarts[world.nrestarts++] =
	    (struct restart) { .branch = above.run, .at = world.now };
}

/* A supervisor's window begins anew after its pause. */
static void
forget_restarts(uint64_t branch)
{
	size_t i;

	for (i = 0; i < world.nrestarts; i++)
		if (world.restarts[i].branch == branch)
			world.restarts[i].branch = 0;
}

static void
check_failure(const struct machine_action *action)
{
	struct machine_view view;

	if (action->node == NULL)
		return;
	machine_view(action->node, &view);
	if (view.run == action->run && view.state == MACHINE_RUNNING)
		broken("'%s' failed and goes on", action->key);
	if (action->key[0] == '\0')
		world.root_failed = true;
}

static void
check_note(const struct machine_action *action)
{
	struct machine_view view;

	switch (action->note) {
	case MACHINE_NOTE_RESTART:
		check_intensity(action);
		break;
	case MACHINE_NOTE_COOLDOWN:
		machine_view(action->node, &view);
		forget_restarts(view.run);
		break;
	case MACHINE_NOTE_LIMIT:
	case MACHINE_NOTE_FAILED:
	case MACHINE_NOTE_AUTO_SHUTDOWN:
		check_failure(action);
		break;
	default:
		break;
	}
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
			check_start(&action);
			break;
		case MACHINE_STOP:
			check_stop(&action);
			break;
		case MACHINE_RESET:
			break;
		case MACHINE_NOTE:
			check_note(&action);
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
	machine_verify(world.machine);
}

/*
 * What happens
 */

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
			machine_leader_died(world.machine, world.now, run);
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

	world.request = true;
	if (which < 5) {
		world.last = verbs[which].name;
		verbs[which].verb(world.machine, world.now, random_key());
	} else if (which == 5) {
		world.last = "scale";
		scale();
	} else if (which == 6 && chance(4) == 0) {
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

void
world_begin(puppet_chance_fn *fn, void *arg, uint64_t seed)
{
	struct spec_tree *tree;

	world.chance = fn;
	world.arg = arg;
	world.seed = seed;
	world.nlive = world.nrestarts = world.nstuck = 0;
	world.now = 0;
	world.last_run = 0;
	world.starts = 0;
	world.over = world.root_failed = false;
	world.last = "boot";
	world.key[0] = '\0';
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
	if (world.nstuck > 0 && world.status != UNKILLABLE)
		broken("ended with %d, and something lives", world.status);
	if (!world.root_failed && world.nstuck == 0 && world.status != 0)
		broken("ended with %d without a failure", world.status);
	machine_free(world.machine);
	return steps;
}

unsigned long
world_starts(void)
{
	return world.starts;
}
