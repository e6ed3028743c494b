/* SPDX-License-Identifier: ISC */
/*
 * What the machine gives out: actions, notes, and the time it wants to be
 * called again.
 */
#include "runtime/supervise/machine_node.h"

#include <sys/wait.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"
#include "runtime/util/parse.h"

static int
compare_timers(const struct timer *one, const struct timer *other)
{
	if (one->due != other->due)
		return one->due < other->due ? -1 : 1;
	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return 0;
}

RB_GENERATE(timer_tree, timer, entry, compare_timers)

/* A copy of the key: when it is taken, the node may be gone. */
static struct queued *
push(struct machine *machine, enum machine_action_type type,
    const struct machine_node *node, const char *text)
{
	const char *key = node_key(node);
	size_t length = strlen(text) + 1, size = strlen(key) + 1;
	struct queued *queued;

	NO_MEMORY_IF((queued = malloc(sizeof(*queued) + length + size)) ==
	    NULL);
	memcpy(queued->text, text, length);
	memcpy(queued->text + length, key, size);
	queued->action = (struct machine_action) {
		.type = type,
		.key = queued->text + length,
		.text = queued->text,
		.run = node->run,
		.status = -1,
	};
	STAILQ_INSERT_TAIL(&machine->queue, queued, entry);
	return queued;
}

void
machine_emit(struct machine *machine, enum machine_action_type type,
    const struct machine_node *node)
{
	push(machine, type, node, "");
}

void
machine_emit_stop(const struct machine_node *node, const char *asked, bool kill)
{
	const char *why = asked != NULL ? asked : node->reason;
	struct queued *queued;

	queued = push(node->machine, MACHINE_STOP, node,
	    why != NULL ? why : "");
	queued->action.asked = asked != NULL;
	queued->action.kill = kill;
}

void
machine_emit_end(struct machine *machine, int status, const char *text)
{
	struct queued *queued;

	queued = push(machine, MACHINE_END, machine->root, text);
	queued->action.status = status;
}

void
machine_tell(const struct machine_node *node, enum machine_note note,
    const char *format, ...)
{
	char text[MACHINE_TEXT_MAX];
	struct queued *queued;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	queued = push(node->machine, MACHINE_NOTE, node, text);
	queued->action.note = note;
	queued->action.status = node->status;
}

/* Whether an action still holds when it is taken; finds its node. */
static bool
still_holds(const struct machine *machine, struct machine_action *action)
{
	struct machine_node wanted = { .run = action->run };
	const struct key *key;

	if (action->type == MACHINE_START || action->type == MACHINE_STOP) {
		action->node = RB_FIND(run_map,
		    &((struct machine *)(uintptr_t)machine)->runs, &wanted);
		return action->node != NULL;
	}
	if (action->key[0] == '\0') {
		action->node = machine->root;
		return true;
	}
	key = key_find(machine, action->key);
	if (key != NULL)
		action->node = key->node != NULL ?
		    key->node :
		    machine_find(machine, action->key);
	return true;
}

bool
machine_next(struct machine *machine, struct machine_action *action)
{
	for (;;) {
		free(machine->taken);
		machine->taken = STAILQ_FIRST(&machine->queue);
		if (machine->taken == NULL)
			return false;
		STAILQ_REMOVE_HEAD(&machine->queue, entry);
		*action = machine->taken->action;
		if (still_holds(machine, action))
			return true;
	}
}

int64_t
machine_deadline(const struct machine *machine)
{
	const struct timer *first;

	first = RB_MIN(timer_tree,
	    &((struct machine *)(uintptr_t)machine)->timers);
	return first != NULL ? first->due : -1;
}

void
timer_clear(struct timer *timer)
{
	if (timer->due == -1)
		return;
	RB_REMOVE(timer_tree, &timer->node->machine->timers, timer);
	timer->due = -1;
}

void
timer_set(struct timer *timer, int64_t due)
{
	struct machine *machine = timer->node->machine;

	timer_clear(timer);
	timer->due = due < 0 ? 0 : due;
	timer->number = ++machine->last_timer;
	BUG_IF(RB_INSERT(timer_tree, &machine->timers, timer) != NULL);
}

const char *
text_of_ms(char *buffer, size_t size, int64_t ms)
{
	if (ms % 1000 == 0)
		snprintf(buffer, size, "%" PRId64 "s", ms / 1000);
	else
		snprintf(buffer, size, "%" PRId64 "ms", ms);
	return buffer;
}

const char *
text_of_status(char *buffer, size_t size, int status)
{
	if (status == -1)
		snprintf(buffer, size, "ended");
	else if (WIFSIGNALED(status))
		snprintf(buffer, size, "ended by SIG%s",
		    signal_name(WTERMSIG(status)));
	else
		snprintf(buffer, size, "exited with %d", WEXITSTATUS(status));
	return buffer;
}

int
status_exit(int status)
{
	if (status == -1)
		return 1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

const char *
machine_note_name(enum machine_note note)
{
	static const char *const names[MACHINE_NNOTES] = {
		[MACHINE_NOTE_READY] = "ready",
		[MACHINE_NOTE_ENDED] = "ended",
		[MACHINE_NOTE_START_FAILED] = "start_failed",
		[MACHINE_NOTE_RESTART] = "restart",
		[MACHINE_NOTE_LIMIT] = "limit",
		[MACHINE_NOTE_COOLDOWN] = "cooldown",
		[MACHINE_NOTE_AUTO_SHUTDOWN] = "auto_shutdown",
		[MACHINE_NOTE_LEADER_DIED] = "leader_died",
		[MACHINE_NOTE_WATCHDOG] = "watchdog",
		[MACHINE_NOTE_UNKILLABLE] = "unkillable",
		[MACHINE_NOTE_FAILED] = "failed",
		[MACHINE_NOTE_STOPPED] = "stopped",
		[MACHINE_NOTE_ADDED] = "added",
		[MACHINE_NOTE_DONE] = "done",
		[MACHINE_NOTE_REMOVED] = "removed",
		[MACHINE_NOTE_CHANGED] = "changed",
	};

	return (unsigned int)note < MACHINE_NNOTES ? names[note] : "unknown";
}
