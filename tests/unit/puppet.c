/* SPDX-License-Identifier: ISC */
/*
 * A runtime that only pretends: see puppet.h.
 */
#include "puppet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/*
 * The runtime
 */

struct puppet *
puppet_new(struct spec_tree *tree)
{
	struct puppet *puppet = calloc(1, sizeof(*puppet));

	puppet->machine = machine_new(tree, 1);
	ck_assert_ptr_nonnull(puppet->machine);
	spec_free(tree);
	puppet->end = -1;
	puppet->now = 1000;
	return puppet;
}

struct puppet *
puppet_boot(const char *text)
{
	struct puppet *puppet = puppet_new(puppet_tree(text));

	machine_boot(puppet->machine, puppet->now);
	puppet_act(puppet);
	return puppet;
}

void
puppet_free(struct puppet *puppet)
{
	machine_free(puppet->machine);
	free(puppet->runs);
	free(puppet);
}

static struct puppet_rule *
rule_of(struct puppet *puppet, const char *key, bool make)
{
	struct puppet_rule *rule;
	size_t i;

	for (i = 0; i < puppet->nrules; i++)
		if (strcmp(puppet->rules[i].key, key) == 0)
			return &puppet->rules[i];
	if (!make)
		return NULL;
	rule = &puppet->rules[puppet->nrules++];
	snprintf(rule->key, sizeof(rule->key), "%s", key);
	return rule;
}

void
puppet_fail(struct puppet *puppet, const char *key, int times)
{
	rule_of(puppet, key, true)->failures = times;
}

void
puppet_hold_start(struct puppet *puppet, const char *key)
{
	rule_of(puppet, key, true)->hold_start = true;
}

void
puppet_hold_stop(struct puppet *puppet, const char *key)
{
	rule_of(puppet, key, true)->hold_stop = true;
}

static struct puppet_run *
find(struct puppet *puppet, uint64_t run)
{
	size_t i;

	for (i = puppet->nruns; i > 0; i--)
		if (puppet->runs[i - 1].run == run)
			return &puppet->runs[i - 1];
	return NULL;
}

/* The machine must never have two of a key alive. */
static void
add(struct puppet *puppet, const char *key, uint64_t run)
{
	struct puppet_run *added;
	size_t i;

	for (i = 0; !puppet->quiet && i < puppet->nruns; i++)
		ck_assert_str_ne(puppet->runs[i].key, key);
	if (puppet->nruns == puppet->size) {
		puppet->size = puppet->size == 0 ? 16 : puppet->size * 2;
		puppet->runs = reallocarray(puppet->runs, puppet->size,
		    sizeof(*puppet->runs));
	}
	added = &puppet->runs[puppet->nruns++];
	*added = (struct puppet_run) { .run = run };
	snprintf(added->key, sizeof(added->key), "%s", key);
}

static void
drop(struct puppet *puppet, struct puppet_run *run)
{
	*run = puppet->runs[--puppet->nruns];
}

static void
trace(struct puppet *puppet, char sign, const char *key)
{
	size_t used = strlen(puppet->trace);

	if (!puppet->quiet)
		snprintf(puppet->trace + used, sizeof(puppet->trace) - used,
		    "%s%c%s", used > 0 ? " " : "", sign, key);
}

static void
act_start(struct puppet *puppet, const struct machine_action *action)
{
	struct puppet_rule *rule = rule_of(puppet, action->key, false);
	uint64_t run = action->run;

	trace(puppet, '+', action->key);
	if (rule != NULL && rule->failures != 0) {
		if (rule->failures > 0)
			rule->failures--;
		ck_assert(machine_start_failed(puppet->machine, puppet->now,
		    run, "no such command"));
		ck_assert(machine_empty(puppet->machine, puppet->now, run));
		return;
	}
	add(puppet, action->key, run);
	if (rule == NULL || !rule->hold_start)
		machine_started(puppet->machine, puppet->now, run);
}

static void
act_stop(struct puppet *puppet, const struct machine_action *action)
{
	struct puppet_rule *rule = rule_of(puppet, action->key, false);
	struct puppet_run *run = find(puppet, action->run);

	trace(puppet, action->kill ? '!' : '-', action->key);
	ck_assert_ptr_nonnull(run);
	ck_assert(action->kill || !run->stopping);
	run->stopping = true;
	if (run->ended || (rule != NULL && rule->hold_stop))
		return;
	drop(puppet, run);
	run = NULL;
	machine_ended(puppet->machine, puppet->now, action->run, 15);
	machine_empty(puppet->machine, puppet->now, action->run);
}

static void
act_note(struct puppet *puppet, const struct machine_action *action)
{
	puppet->counts[action->note]++;
	snprintf(puppet->notes[action->note], sizeof(puppet->notes[0]), "%s",
	    action->text);
}

void
puppet_act(struct puppet *puppet)
{
	struct machine_action action;

	while (machine_next(puppet->machine, &action)) {
		switch (action.type) {
		case MACHINE_START:
			act_start(puppet, &action);
			break;
		case MACHINE_STOP:
			act_stop(puppet, &action);
			break;
		case MACHINE_RESET:
			trace(puppet, '~', action.key);
			break;
		case MACHINE_NOTE:
			act_note(puppet, &action);
			break;
		case MACHINE_END:
			ck_assert_int_eq(puppet->end, -1);
			ck_assert_uint_eq(puppet->nruns, 0);
			puppet->end = action.status;
			snprintf(puppet->end_text, sizeof(puppet->end_text),
			    "%s", action.text);
			break;
		}
	}
	if (!puppet->quiet)
		machine_verify(puppet->machine);
}

/*
 * Events
 */

uint64_t
puppet_run(struct puppet *puppet, const char *key)
{
	size_t i;

	for (i = 0; i < puppet->nruns; i++)
		if (strcmp(puppet->runs[i].key, key) == 0)
			return puppet->runs[i].run;
	ck_abort_msg("%s does not run", key);
}

void
puppet_started(struct puppet *puppet, const char *key)
{
	ck_assert(machine_started(puppet->machine, puppet->now,
	    puppet_run(puppet, key)));
	puppet_act(puppet);
}

void
puppet_ready(struct puppet *puppet, const char *key)
{
	ck_assert(machine_ready(puppet->machine, puppet->now,
	    puppet_run(puppet, key)));
	puppet_act(puppet);
}

void
puppet_ended(struct puppet *puppet, const char *key, int status)
{
	uint64_t run = puppet_run(puppet, key);

	find(puppet, run)->ended = true;
	ck_assert(machine_ended(puppet->machine, puppet->now, run, status));
	puppet_act(puppet);
}

void
puppet_empty(struct puppet *puppet, const char *key)
{
	uint64_t run = puppet_run(puppet, key);

	drop(puppet, find(puppet, run));
	ck_assert(machine_empty(puppet->machine, puppet->now, run));
	puppet_act(puppet);
}

void
puppet_leader_died(struct puppet *puppet, const char *key)
{
	uint64_t run = puppet_run(puppet, key);

	find(puppet, run)->ended = true;
	ck_assert(machine_leader_died(puppet->machine, puppet->now, run));
	puppet_act(puppet);
}

void
puppet_end(struct puppet *puppet, const char *key, int status)
{
	puppet_ended(puppet, key, status);
	puppet_empty(puppet, key);
}

void
puppet_pass(struct puppet *puppet, int64_t ms)
{
	int64_t until = puppet->now + ms, due;

	while ((due = machine_deadline(puppet->machine)) != -1 &&
	    due <= until) {
		if (puppet->now < due)
			puppet->now = due;
		machine_timer(puppet->machine, puppet->now);
		puppet_act(puppet);
	}
	puppet->now = until;
}

/*
 * Requests
 */

enum grouper_error
puppet_ask(struct puppet *puppet,
    enum grouper_error (*verb)(struct machine *, int64_t, const char *),
    const char *key)
{
	enum grouper_error error = verb(puppet->machine, puppet->now, key);

	puppet_act(puppet);
	return error;
}

enum grouper_error
puppet_spawn(struct puppet *puppet, const char *supervisor, const char *text)
{
	struct spec_tree *tree = puppet_tree(text);
	enum grouper_error error;
	char *why;

	error = machine_spawn(puppet->machine, puppet->now, supervisor,
	    &tree->root.children[0], &why);
	free(why);
	spec_free(tree);
	puppet_act(puppet);
	return error;
}

enum grouper_error
puppet_scale(struct puppet *puppet, const char *key, unsigned int instances)
{
	enum grouper_error error;

	error = machine_scale(puppet->machine, puppet->now, key, instances);
	puppet_act(puppet);
	return error;
}

enum grouper_error
puppet_reload(struct puppet *puppet, const char *text)
{
	struct spec_tree *tree = puppet_tree(text);
	enum grouper_error error;
	char *why;

	error = machine_reload(puppet->machine, puppet->now, tree, &why);
	free(why);
	spec_free(tree);
	puppet_act(puppet);
	return error;
}

void
puppet_shutdown(struct puppet *puppet)
{
	machine_shutdown(puppet->machine, puppet->now, false);
	puppet_act(puppet);
}

/*
 * Assertions
 */

void
puppet_expect(struct puppet *puppet, const char *trace)
{
	ck_assert_str_eq(puppet->trace, trace);
	puppet->trace[0] = '\0';
}

void
puppet_expect_state(struct puppet *puppet, const char *key, const char *state)
{
	const struct machine_node *node = machine_find(puppet->machine, key);
	struct machine_view view;

	if (state == NULL) {
		ck_assert_msg(node == NULL, "%s is listed", key);
		return;
	}
	ck_assert_msg(node != NULL, "%s is not listed", key);
	machine_view(node, &view);
	ck_assert_str_eq(machine_state_name(view.state), state);
}

void
puppet_expect_end(struct puppet *puppet, int status)
{
	ck_assert_int_eq(puppet->end, status);
	ck_assert(machine_over(puppet->machine));
	ck_assert_uint_eq(puppet->nruns, 0);
	ck_assert_int_eq(machine_deadline(puppet->machine), -1);
}
