/* SPDX-License-Identifier: ISC */
/*
 * What must hold whatever happens: see world_rules.h.
 */
#include "world_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEADER_DIED 120
#define UNKILLABLE 123

struct world world;

void
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

struct live *
find_live(const char *key)
{
	size_t i;

	for (i = 0; i < world.nlive; i++)
		if (strcmp(world.live[i].key, key) == 0)
			return &world.live[i];
	return NULL;
}

const struct machine_node *
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

static bool
has_branch(const struct branches *branches, uint64_t run)
{
	size_t i;

	if (run <= branches->below)
		return true;
	for (i = 0; i < branches->count; i++)
		if (branches->runs[i] == run)
			return true;
	return false;
}

static void
add_branch(struct branches *branches, uint64_t run)
{
	if (has_branch(branches, run))
		return;
	if (branches->count == BRANCHES_MAX)
		broken("too many supervisors");
	branches->runs[branches->count++] = run;
}

void
rules_change(const char *key)
{
	const struct machine_node *node = machine_root(world.machine);
	struct machine_view view;

	for (; key == NULL && node != NULL; node = machine_after(node)) {
		machine_view(node, &view);
		if (view.run > world.changed.below)
			world.changed.below = view.run;
	}
	if (key == NULL) {
		world.changed.count = 0;
		return;
	}
	machine_view(node_above(key), &view);
	add_branch(&world.changed, view.run);
	node = machine_find(world.machine, key);
	if (node == NULL)
		return;
	machine_view(node, &view);
	if (view.supervisor != NULL)
		add_branch(&world.changed, view.run);
}

static bool
is_calm(uint64_t branch)
{
	return !world.request && !has_branch(&world.changed, branch);
}

static struct begun *
find_begun(const char *key)
{
	size_t i;

	for (i = 0; i < world.nbegun && i < BEGUN_MAX; i++)
		if (strcmp(world.begun[i].key, key) == 0)
			return &world.begun[i];
	return NULL;
}

/*
 * An incarnation of a command, or of the supervisors above it whose first
 * command this is: it follows the list's order, unless it starts again alone,
 * and it does not start again in silence.
 */
static void
check_begin(const struct machine_node *node)
{
	struct machine_view self, above;
	struct begun *begun;
	bool alone, calm;

	machine_view(node, &self);
	if (self.depth == 0)
		return;
	check_begin(node_above(self.key));
	machine_view(node_above(self.key), &above);
	begun = find_begun(self.key);
	if (begun != NULL && begun->run == self.run)
		return;
	calm = is_calm(above.run);
	if (begun != NULL && begun->branch == above.run && calm &&
	    !begun->restarts)
		broken("%s starts again, and no restart was told", self.key);
	alone = begun != NULL && begun->branch == above.run && begun->alone;
	if (self.state == MACHINE_STARTING && self.since == world.now)
		check_siblings(&self, true, calm && !alone);
	if (begun == NULL)
		begun = &world.begun[world.nbegun++ % BEGUN_MAX];
	*begun = (struct begun) { .run = self.run, .branch = above.run };
	snprintf(begun->key, sizeof(begun->key), "%s", self.key);
}

void
rules_start(const struct machine_action *action)
{
	struct machine_view above;
	struct live *live;

	if (find_live(action->key) != NULL)
		broken("%s starts and is not empty", action->key);
	if (action->run <= world.last_run)
		broken("run of %s is not new", action->key);
	if (world.over)
		broken("%s starts after the end", action->key);
	world.last_run = action->run;
	world.starts++;
	machine_view(node_above(action->key), &above);
	if (above.state != MACHINE_STARTING && above.state != MACHINE_RUNNING)
		broken("%s starts under a supervisor that does not run",
		    action->key);
	check_begin(action->node);
	if (world.nlive == LIVE_MAX)
		broken("too many live");
	live = &world.live[world.nlive++];
	*live = (struct live) { .run = action->run };
	snprintf(live->key, sizeof(live->key), "%s", action->key);
}

void
rules_stop(const struct machine_action *action)
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
	/* What is asked of it without a request is asked of its siblings, by
	   their supervisor's stop or by a restart in common. */
	if (!action->kill && action->asked &&
	    (above.state == MACHINE_STOPPING ? !world.request :
					       is_calm(above.run)))
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

/* What was decided above a key, for all that failed right below. */
static void
hear_below(const char *above)
{
	size_t i, length = strlen(above);

	for (i = 0; i < world.nfailures; i++) {
		const char *key = world.failures[i].key;
		const char *slash = strrchr(key, '/');

		if (slash == NULL ? length == 0 :
				    (size_t)(slash - key) == length &&
			    strncmp(key, above, length) == 0)
			world.failures[i].heard = true;
	}
}

static void
hear_of(const char *key)
{
	size_t i;

	for (i = 0; i < world.nfailures; i++)
		if (strcmp(world.failures[i].key, key) == 0)
			world.failures[i].heard = true;
}

static void
check_failure(const struct machine_action *action)
{
	bool normal = action->note == MACHINE_NOTE_AUTO_SHUTDOWN;
	struct machine_view view, above;
	struct failure *failure;

	hear_below(action->key);
	if (action->node == NULL)
		return;
	machine_view(action->node, &view);
	if (view.run == action->run && view.state == MACHINE_RUNNING)
		broken("'%s' failed and goes on", action->key);
	if (view.depth == 0) {
		world.root_failed |= !normal;
		world.root_shut |= normal;
		return;
	}
	if (view.spec->restart == SPEC_TEMPORARY)
		return;
	if (world.nfailures == FAILURES_MAX)
		broken("too many failures");
	machine_view(node_above(action->key), &above);
	failure = &world.failures[world.nfailures++];
	*failure = (struct failure) {
		.run = action->run,
		.branch = above.run,
		.normal = normal && view.spec->restart == SPEC_TRANSIENT,
		.heard = has_branch(&world.cycling, above.run),
	};
	snprintf(failure->key, sizeof(failure->key), "%s", action->key);
}

/* A restart, which may be of all siblings. */
static void
note_restart(const struct machine_action *action)
{
	struct begun *begun = find_begun(action->key);
	struct machine_view above;
	size_t i;

	check_intensity(action);
	hear_of(action->key);
	machine_view(node_above(action->key), &above);
	if (above.supervisor->strategy == SPEC_ONE_FOR_ONE) {
		if (begun != NULL)
			begun->restarts = begun->alone = true;
		return;
	}
	hear_below(above.key);
	for (i = 0; i < BEGUN_MAX; i++)
		if (world.begun[i].branch == above.run)
			world.begun[i].restarts = true;
}

static void
note_cooldown(const struct machine_action *action)
{
	struct machine_view view;
	size_t i;

	hear_below(action->key);
	machine_view(action->node, &view);
	forget_restarts(view.run);
	for (i = 0; i < BEGUN_MAX; i++)
		if (world.begun[i].branch == view.run)
			world.begun[i].restarts = true;
}

void
rules_note(const struct machine_action *action)
{
	switch (action->note) {
	case MACHINE_NOTE_RESTART:
		note_restart(action);
		break;
	case MACHINE_NOTE_COOLDOWN:
		note_cooldown(action);
		break;
	case MACHINE_NOTE_LIMIT:
	case MACHINE_NOTE_FAILED:
	case MACHINE_NOTE_AUTO_SHUTDOWN:
		check_failure(action);
		break;
	case MACHINE_NOTE_STOPPED:
		hear_of(action->key);
		break;
	default:
		break;
	}
}

/*
 * Whether a failure came to the supervisor above once it was over: that
 * restarted it, failed itself, or no longer is what it was.
 */
static bool
is_heard(const struct failure *failure)
{
	const struct machine_node *node = node_above(failure->key);
	struct machine_view above;

	if (failure->heard || failure->normal || node == NULL)
		return true;
	machine_view(node, &above);
	return above.run != failure->branch || !is_calm(above.run) ||
	    (above.state != MACHINE_RUNNING && above.state != MACHINE_STARTING);
}

static void
check_failures(void)
{
	const struct machine_node *node;
	struct machine_view view;
	size_t i = 0;

	while (i < world.nfailures) {
		node = machine_find(world.machine, world.failures[i].key);
		if (node != NULL) {
			machine_view(node, &view);
			if (view.run == world.failures[i].run) {
				i++;
				continue;
			}
		}
		if (!is_heard(&world.failures[i]))
			broken("nobody heard that %s failed",
			    world.failures[i].key);
		world.failures[i] = world.failures[--world.nfailures];
	}
}

/* What is lost is lost for the supervisor as well. */
static bool
goes_on_without(const struct machine_view *view,
    const struct machine_view *above)
{
	return view->state == MACHINE_LATCHED && view->since == world.now &&
	    above->since != world.now && is_calm(above->run) &&
	    (above->state == MACHINE_RUNNING ||
		above->state == MACHINE_STARTING);
}

void
rules_drained(void)
{
	const struct machine_node *node = machine_root(world.machine);
	struct machine_view view, above;

	check_failures();
	world.cycling.count = 0;
	while ((node = machine_after(node)) != NULL) {
		machine_view(node, &view);
		machine_view(node_above(view.key), &above);
		if (goes_on_without(&view, &above))
			broken("%s lost its leader, and '%s' goes on", view.key,
			    above.key);
		if (view.state == MACHINE_BACKOFF &&
		    (above.cooling ||
			above.supervisor->strategy != SPEC_ONE_FOR_ONE))
			add_branch(&world.cycling, above.run);
	}
}

void
rules_rest(void)
{
	const struct machine_node *node = machine_root(world.machine);
	struct machine_view view;

	for (; !world.over && node != NULL; node = machine_after(node)) {
		machine_view(node, &view);
		if (view.cooling || !is_settled(&view))
			broken("%s is %s for ever", view.key,
			    machine_state_name(view.state));
	}
}

void
rules_ended(void)
{
	int status = world.status;

	if (world.nstuck > 0 && status != UNKILLABLE)
		broken("ended with %d, and something lives", status);
	if (status == UNKILLABLE && !world.unkillable)
		broken("ended with %d, and nothing withstood", status);
	if (world.nstuck > 0 || world.root_shut)
		return;
	if (!world.root_failed && status != 0)
		broken("ended with %d without a failure", status);
	if (world.root_failed && status == 0)
		broken("ended with 0 after a failure");
	if (status == LEADER_DIED && !world.leader_died)
		broken("ended with %d, and no leader died", status);
}
