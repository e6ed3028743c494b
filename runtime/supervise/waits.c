/* SPDX-License-Identifier: ISC */
/*
 * Requests that wait, see waits.h.
 */
#include "runtime/supervise/waits.h"

#include <sys/queue.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/supervise/ended.h"
#include "runtime/supervise/keys.h"
#include "runtime/supervise/machine.h"
#include "runtime/supervise/report.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/supervise/words.h"

struct target {
	char *key;
	uint64_t run; /* that it had */
	bool done;
	char *why; /* its start failed; NULL: not that we know */
};

struct wait {
	TAILQ_ENTRY(wait) link;
	struct waits *waits;
	struct call *call;
	enum waits_for what;
	struct target *targets;
	size_t count;
	size_t room;
	size_t told; /* keys whose status somebody has been told */
	bool many;   /* several keys were asked for: errors name one */
	int status;  /* the first that is not 0 */
	/* Statuses that are kept until they are told: of this answer. */
	struct ended taken;
};

struct waits {
	struct supervisor *supervisor;
	TAILQ_HEAD(, wait) list;
	struct ended ended;
};

/* How far a child is, for one that waits for it. */
struct progress {
	bool done;
	enum grouper_error error;
	const char *text; /* of the error */
};

static void
wait_free(struct wait *wait)
{
	size_t i;

	TAILQ_REMOVE(&wait->waits->list, wait, link);
	for (i = 0; i < wait->count; i++) {
		free(wait->targets[i].key);
		free(wait->targets[i].why);
	}
	free(wait->targets);
	ended_fini(&wait->taken);
	free(wait);
}

/*
 * Nobody was told what was taken: it stays for who asks next, unless its key
 * is another's by now.
 */
static void
give_back(struct wait *wait)
{
	struct supervisor *supervisor = wait->waits->supervisor;
	const struct ended_entry *entry;
	bool ended;

	TAILQ_FOREACH(entry, &wait->taken.list, link)
		if (machine_find(supervisor_machine(supervisor), entry->key) ==
			NULL ||
		    (supervisor_is_temporary(supervisor, entry->key, &ended) &&
			ended))
			ended_add(&wait->waits->ended, entry->key,
			    entry->status);
}

static void
on_gone(void *arg)
{
	give_back(arg);
	wait_free(arg);
}

static void
add_target(const struct machine_view *view, void *arg)
{
	struct wait *wait = arg;
	size_t room = wait->room == 0 ? 4 : 2 * wait->room;
	struct target *grown;
	bool ended;

	/* Its siblings have nothing to do with it. */
	if (wait->what == WAITS_SCALED && !view->passing)
		return;
	/* It is but about to be empty: its key is as good as gone. */
	if (wait->what == WAITS_ENDED &&
	    supervisor_is_temporary(wait->waits->supervisor, view->key,
		&ended) &&
	    ended && !waits_keeps(wait->waits, view->key)) {
		wait->told++;
		return;
	}
	if (wait->count == wait->room) {
		grown = reallocarray(wait->targets, room, sizeof(*grown));
		if (grown == NULL)
			return;
		wait->targets = grown;
		wait->room = room;
	}
	grown = &wait->targets[wait->count];
	grown->key = strdup(view->key);
	grown->run = view->run;
	grown->done = false;
	grown->why = NULL;
	if (grown->key != NULL)
		wait->count++;
}

/* Idle by itself, and not to be started by itself again. */
static bool
is_over(enum machine_state state)
{
	return state == MACHINE_IDLE || state == MACHINE_DONE ||
	    state == MACHINE_LATCHED;
}

static void
note_status(struct wait *wait, int status)
{
	if (wait->status == 0 && status != -1)
		wait->status = words_exit(status);
}

static struct progress
settled(enum grouper_error error, const char *text)
{
	return (struct progress) { true, error, text };
}

/* It does not run, and is not about to. */
static struct progress
check_over(struct wait *wait, const struct machine_view *view)
{
	if (view->state == MACHINE_LATCHED)
		return settled(GROUPER_LEADER_DIED, NULL);
	if (wait->what == WAITS_ENDED &&
	    (view->status != -1 || !view->failed)) {
		/* A normal end may have another status than 0. */
		note_status(wait, view->status);
		return settled(GROUPER_OK, NULL);
	}
	if (wait->what != WAITS_ENDED && view->reason[0] == '\0' &&
	    (view->state == MACHINE_DONE || wait->what == WAITS_SCALED))
		return settled(GROUPER_OK, NULL);
	return settled(GROUPER_START_FAILED,
	    view->reason[0] != '\0' ? view->reason : NULL);
}

/* A supervisor below it is not ready while it pauses. */
static bool
pauses_below(const struct wait *wait, const struct machine_view *view)
{
	const struct machine_node *node;
	struct machine_view below;

	if (view->supervisor == NULL)
		return false;
	node = machine_find(supervisor_machine(wait->waits->supervisor),
	    view->key);
	while ((node = machine_after(node)) != NULL) {
		machine_view(node, &below);
		if (below.depth <= view->depth)
			return false;
		if (below.cooling)
			return true;
	}
	return false;
}

static struct progress
check_view(struct wait *wait, const struct target *target,
    const struct machine_view *view)
{
	bool over = is_over(view->state);

	/* What was to be stopped is, whoever starts it again. */
	if (wait->what == WAITS_STOPPED && view->run != target->run)
		return settled(GROUPER_OK, NULL);
	if (view->state == MACHINE_UNKILLABLE)
		return settled(GROUPER_UNKILLABLE, NULL);
	if (wait->what == WAITS_STOPPED || wait->what == WAITS_EMPTY)
		return (struct progress) { over, GROUPER_OK, NULL };
	if (over)
		return check_over(wait, view);
	if (wait->what != WAITS_ENDED && view->state == MACHINE_RUNNING &&
	    (wait->what != WAITS_READY || !pauses_below(wait, view)))
		return settled(GROUPER_OK, NULL);
	if ((wait->what == WAITS_STARTED || wait->what == WAITS_SCALED) &&
	    view->state == MACHINE_BACKOFF)
		return settled(GROUPER_START_FAILED, view->reason);
	return (struct progress) { false, GROUPER_OK, NULL };
}

/* It is no longer listed: temporary, new and not started, or deleted. */
static struct progress
check_gone(const struct wait *wait, const struct target *target)
{
	switch (wait->what) {
	case WAITS_STARTED:
	case WAITS_READY:
		return settled(GROUPER_START_FAILED,
		    target->why != NULL ? target->why : "it has ended");
	case WAITS_SCALED:
	case WAITS_ENDED:
		if (target->why != NULL)
			return settled(GROUPER_START_FAILED, target->why);
		break;
	case WAITS_EMPTY:
	case WAITS_STOPPED:
		break;
	}
	return settled(GROUPER_OK, NULL);
}

static struct progress
check_target(struct wait *wait, const struct target *target)
{
	const struct machine_node *node;
	struct machine_view view;

	node = machine_find(supervisor_machine(wait->waits->supervisor),
	    target->key);
	if (node == NULL)
		return check_gone(wait, target);
	machine_view(node, &view);
	return check_view(wait, target, &view);
}

static void
fail(struct wait *wait, const char *key, enum grouper_error error,
    const char *text)
{
	struct call *call = wait->call;
	char *whole = NULL;

	if (text == NULL)
		text = grouper_strerror(error);
	if (wait->many && key != NULL &&
	    asprintf(&whole, "%s: %s", key, text) == -1)
		whole = NULL;
	call_fail(call, error, whole != NULL ? whole : text);
	free(whole);
	give_back(wait);
	wait_free(wait);
}

/* Answers if there is something to say: true, and the wait is gone. */
static bool
check(struct wait *wait)
{
	struct call *call = wait->call;
	struct progress progress;
	bool all = true;
	json_t *result;
	size_t i;

	for (i = 0; i < wait->count; i++) {
		if (wait->targets[i].done)
			continue;
		progress = check_target(wait, &wait->targets[i]);
		if (progress.error != GROUPER_OK) {
			fail(wait, wait->targets[i].key, progress.error,
			    progress.text);
			return true;
		}
		wait->targets[i].done = progress.done;
		all = all && progress.done;
	}
	if (!all && wait->status == 0)
		return false;
	result = json_pack("{s:i}", "status", wait->status);
	wait_free(wait);
	call_result(call, result);
	return true;
}

void
waits_changed(struct waits *waits)
{
	struct wait *wait, *next;

	for (wait = TAILQ_FIRST(&waits->list); wait != NULL; wait = next) {
		next = TAILQ_NEXT(wait, link);
		check(wait);
	}
}

void
waits_ended(struct waits *waits, const char *key, int status)
{
	struct wait *wait;
	bool heard = false, ended, kept;
	size_t i;

	kept = supervisor_is_temporary(waits->supervisor, key, &ended);
	TAILQ_FOREACH(wait, &waits->list, link)
		for (i = 0; wait->what == WAITS_ENDED && i < wait->count; i++)
			if (strcmp(wait->targets[i].key, key) == 0) {
				wait->targets[i].done = heard = true;
				note_status(wait, status);
				if (kept)
					ended_add(&wait->taken, key, status);
			}
	if (!heard && kept)
		ended_add(&waits->ended, key, status);
}

void
waits_failed(struct waits *waits, const char *key, const char *why)
{
	struct target *target;
	struct wait *wait;
	size_t i;

	TAILQ_FOREACH(wait, &waits->list, link)
		for (i = 0; i < wait->count; i++) {
			target = &wait->targets[i];
			if (strcmp(target->key, key) != 0)
				continue;
			free(target->why);
			target->why = strdup(why);
		}
}

bool
waits_keeps(const struct waits *waits, const char *key)
{
	return ended_find(&waits->ended, key) != NULL;
}

bool
waits_forget(struct waits *waits, const char *key)
{
	struct ended_entry *entry = ended_find(&waits->ended, key);

	if (entry == NULL)
		return false;
	ended_forget(&waits->ended, entry);
	return true;
}

/* Marks the kept statuses of these keys; how many are of keys not listed. */
static size_t
mark_kept(struct waits *waits, const char *const *keys, size_t count)
{
	const struct machine *machine = supervisor_machine(waits->supervisor);
	struct ended_entry *entry;
	size_t i, kept = 0;

	for (i = 0; i < count; i++) {
		entry = ended_find(&waits->ended, keys[i]);
		if (entry == NULL || entry->wanted)
			continue;
		entry->wanted = true;
		kept += machine_find(machine, keys[i]) == NULL;
	}
	return kept;
}

/* The group of what ended may still be about to be empty. */
static void
end_target(struct wait *wait, const char *key)
{
	size_t i;

	if (machine_find(supervisor_machine(wait->waits->supervisor), key) ==
	    NULL)
		return;
	for (i = 0; i < wait->count; i++)
		if (strcmp(wait->targets[i].key, key) == 0)
			wait->targets[i].done = true;
}

/*
 * Takes those that are marked, in the order of their ends; what comes after
 * the first that is not 0, which is the answer, stays.  Or takes none.
 */
static void
take_kept(struct wait *wait, bool take)
{
	struct ended *ended = &wait->waits->ended;
	struct ended_entry *entry, *next;

	TAILQ_FOREACH_SAFE(entry, &ended->list, link, next) {
		if (!entry->wanted)
			continue;
		entry->wanted = false;
		if (!take || wait->status != 0)
			continue;
		end_target(wait, entry->key);
		note_status(wait, entry->status);
		ended_add(&wait->taken, entry->key, entry->status);
		ended_forget(ended, entry);
	}
}

static void
pass_over(const struct machine_view *view, void *arg)
{
	(void)view;
	(void)arg;
}

/* The first of these keys that stands for nothing; NULL. */
static const char *
first_missing(const struct waits *waits, const char *const *keys, size_t count)
{
	const struct machine *machine = supervisor_machine(waits->supervisor);
	size_t i;

	for (i = 0; i < count; i++)
		if (!waits_keeps(waits, keys[i]) &&
		    keys_each(machine, &keys[i], 1, pass_over, NULL) > 0)
			return keys[i];
	return NULL;
}

/*
 * The first of these keys that is of a group beside the tree, NULL: what is
 * not listed is empty, but that is not.
 */
static const char *
first_beside(const struct waits *waits, const char *const *keys, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (report_missing(waits->supervisor, keys[i]) != NULL)
			return keys[i];
	return NULL;
}

/* The keys of a wait that stand for nothing that is listed. */
static enum grouper_error
check_missing(struct wait *wait, const char *const *keys, size_t count,
    size_t missing)
{
	enum grouper_error error = GROUPER_OK;
	size_t kept;

	if (wait->what == WAITS_EMPTY)
		return first_beside(wait->waits, keys, count) != NULL ?
		    GROUPER_NOT_FOUND :
		    GROUPER_OK;
	if (wait->what == WAITS_SCALED || wait->what == WAITS_STOPPED)
		return GROUPER_OK;
	kept = mark_kept(wait->waits, keys, count);
	if (missing > kept || wait->told > 0)
		error = GROUPER_NOT_FOUND;
	else if (kept > 0 && wait->what != WAITS_ENDED)
		error = GROUPER_START_FAILED;
	take_kept(wait, error == GROUPER_OK && wait->what == WAITS_ENDED);
	return error;
}

void
waits_add(struct waits *waits, struct call *call, enum waits_for what,
    const char *const *keys, size_t count)
{
	struct wait *wait = calloc(1, sizeof(*wait));
	enum grouper_error error;
	const char *key;
	size_t missing;

	if (wait == NULL) {
		call_fail(call, GROUPER_SYSTEM, NULL);
		return;
	}
	wait->waits = waits;
	wait->call = call;
	wait->what = what;
	wait->many = count > 1;
	ended_init(&wait->taken);
	TAILQ_INSERT_TAIL(&waits->list, wait, link);
	missing = keys_each(supervisor_machine(waits->supervisor), keys, count,
	    add_target, wait);
	error = check_missing(wait, keys, count, missing);
	if (error != GROUPER_OK) {
		key = what == WAITS_EMPTY ? first_beside(waits, keys, count) :
					    first_missing(waits, keys, count);
		fail(wait, key, error,
		    error == GROUPER_START_FAILED ?
			"it has ended" :
			report_missing(waits->supervisor, key));
		return;
	}
	if (!check(wait))
		call_defer(call, on_gone, wait);
}

struct waits *
waits_new(struct supervisor *supervisor)
{
	struct waits *waits = calloc(1, sizeof(*waits));

	if (waits == NULL)
		return NULL;
	waits->supervisor = supervisor;
	TAILQ_INIT(&waits->list);
	ended_init(&waits->ended);
	return waits;
}

void
waits_free(struct waits *waits)
{
	ended_fini(&waits->ended);
	free(waits);
}
