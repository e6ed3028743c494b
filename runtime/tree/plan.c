/* SPDX-License-Identifier: ISC */
/*
 * The difference of two trees: see plan.h.
 */
#include "runtime/tree/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/supervise/messages.h"

static int compare_supervisors(struct plan *plan, const char *key, bool update,
    const struct spec_supervisor *from, const struct spec_supervisor *to);

/* Takes the key, also on failure; NULL fails. */
static struct plan_step *
push(struct plan *plan, char *key, enum plan_change change)
{
	struct plan_step *grown, *step;

	if (key == NULL)
		return NULL;
	/* Grows at powers of two. */
	if ((plan->count & (plan->count - 1)) == 0) {
		grown = reallocarray(plan->steps,
		    plan->count > 0 ? plan->count * 2 : 1, sizeof(*grown));
		if (grown == NULL) {
			free(key);
			return NULL;
		}
		plan->steps = grown;
	}
	step = &plan->steps[plan->count++];
	memset(step, 0, sizeof(*step));
	step->key = key;
	step->change = change;
	return step;
}

static char *
join(const char *prefix, const char *id)
{
	char *key;

	if (asprintf(&key, "%s%s%s", prefix, *prefix != '\0' ? "/" : "", id) ==
	    -1)
		return NULL;
	return key;
}

/* A child in the order of ids, for find(). */
struct entry {
	const struct spec_child *child;
};

static int
by_id(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	return strcmp(a->child->id, b->child->id);
}

/* The children by their ids, for find(); NULL with errno. */
static struct entry *
sort(const struct spec_supervisor *supervisor)
{
	struct entry *sorted;
	size_t i;

	sorted = calloc(supervisor->nchildren + 1, sizeof(*sorted));
	if (sorted == NULL)
		return NULL;
	for (i = 0; i < supervisor->nchildren; i++)
		sorted[i].child = &supervisor->children[i];
	qsort(sorted, supervisor->nchildren, sizeof(*sorted), by_id);
	return sorted;
}

static const struct spec_child *
find(const struct entry *sorted, size_t count, const struct spec_child *child)
{
	const struct entry wanted = { .child = child }, *found;

	found = bsearch(&wanted, sorted, count, sizeof(*sorted), by_id);
	return found != NULL ? found->child : NULL;
}

static bool
strings_equal(char **one, char **other)
{
	static char *none[] = { NULL };
	size_t i;

	if (one == NULL)
		one = none;
	if (other == NULL)
		other = none;
	for (i = 0; one[i] != NULL && other[i] != NULL; i++)
		if (strcmp(one[i], other[i]) != 0)
			return false;
	return one[i] == other[i];
}

static bool
steps_equal(const struct steps *one, const struct steps *other)
{
	size_t i;

	if (one->count != other->count)
		return false;
	for (i = 0; i < one->count; i++)
		if (one->step[i].signum != other->step[i].signum ||
		    one->step[i].ms != other->step[i].ms)
			return false;
	return true;
}

/* Whether the supervisor treats both alike. */
static bool
policies_equal(const struct spec_child *one, const struct spec_child *other)
{
	return one->autostart == other->autostart &&
	    one->restart == other->restart &&
	    one->significant == other->significant &&
	    one->parallel == other->parallel &&
	    strings_equal(one->depends_on, other->depends_on) &&
	    one->backoff.min_ms == other->backoff.min_ms &&
	    one->backoff.max_ms == other->backoff.max_ms &&
	    one->backoff.reset_ms == other->backoff.reset_ms &&
	    steps_equal(&one->shutdown, &other->shutdown) &&
	    memcmp(&one->success, &other->success, sizeof(one->success)) == 0;
}

static bool
settings_equal(const struct spec_supervisor *one,
    const struct spec_supervisor *other)
{
	return one->strategy == other->strategy &&
	    one->intensity == other->intensity &&
	    one->period_ms == other->period_ms &&
	    one->auto_shutdown == other->auto_shutdown &&
	    one->cooldown_ms == other->cooldown_ms;
}

/* Whether nothing but the instances differs. */
static bool
equal_but_scale(const struct spec_command *from, const struct spec_command *to)
{
	struct spec_command scaled = *from;

	scaled.instances = to->instances;
	return spec_command_equal(&scaled, to);
}

static int
compare_commands(struct plan *plan, const char *prefix,
    const struct spec_child *from, const struct spec_child *to)
{
	struct plan_step *step;

	if (!spec_command_same_run(from->command, to->command))
		return push(plan, join(prefix, to->id), PLAN_RESTART) != NULL ?
		    0 :
		    -1;
	if ((!policies_equal(from, to) ||
		!equal_but_scale(from->command, to->command)) &&
	    push(plan, join(prefix, to->id), PLAN_UPDATE) == NULL)
		return -1;
	if (from->command->instances == to->command->instances)
		return 0;
	step = push(plan, join(prefix, to->id), PLAN_SCALE);
	if (step == NULL)
		return -1;
	step->from = from->command->instances;
	step->to = to->command->instances;
	return 0;
}

static int
compare_children(struct plan *plan, const char *prefix,
    const struct spec_child *from, const struct spec_child *to)
{
	bool update;
	char *key;
	int result;

	if ((from->command == NULL) != (to->command == NULL))
		return push(plan, join(prefix, to->id), PLAN_RESTART) != NULL ?
		    0 :
		    -1;
	if (to->command != NULL)
		return compare_commands(plan, prefix, from, to);
	key = join(prefix, to->id);
	if (key == NULL)
		return -1;
	update = !policies_equal(from, to) ||
	    !settings_equal(from->supervisor, to->supervisor) ||
	    from->supervisor->own_names != to->supervisor->own_names;
	result = compare_supervisors(plan, key, update, from->supervisor,
	    to->supervisor);
	free(key);
	return result;
}

static int
compare_lists(struct plan *plan, const char *prefix,
    const struct spec_supervisor *from, const struct entry *old,
    const struct spec_supervisor *to, const struct entry *new)
{
	const struct spec_child *child, *before;
	size_t i;

	for (i = from->nchildren; i > 0; i--) {
		child = &from->children[i - 1];
		if (find(new, to->nchildren, child) == NULL &&
		    push(plan, join(prefix, child->id), PLAN_STOP) == NULL)
			return -1;
	}
	for (i = 0; i < to->nchildren; i++) {
		child = &to->children[i];
		before = find(old, from->nchildren, child);
		if (before == NULL ?
			push(plan, join(prefix, child->id), PLAN_START) ==
			    NULL :
			compare_children(plan, prefix, before, child) != 0)
			return -1;
	}
	return 0;
}

/* Whether those that stay have another order. */
static bool
reordered(const struct spec_supervisor *from, const struct entry *old,
    const struct spec_supervisor *to)
{
	const struct spec_child *before, *last = from->children;
	size_t i;

	for (i = 0; i < to->nchildren; i++) {
		before = find(old, from->nchildren, &to->children[i]);
		if (before == NULL)
			continue;
		if (before < last)
			return true;
		last = before;
	}
	return false;
}

/* update: its own settings differ. */
static int
compare_supervisors(struct plan *plan, const char *key, bool update,
    const struct spec_supervisor *from, const struct spec_supervisor *to)
{
	struct entry *old, *new;
	int result = -1;

	old = sort(from);
	new = sort(to);
	if (old != NULL && new != NULL &&
	    ((!update && !reordered(from, old, to)) ||
		push(plan, strdup(key), PLAN_UPDATE) != NULL))
		result = compare_lists(plan, key, from, old, to, new);
	free(old);
	free(new);
	return result;
}

static int
add(struct plan *plan, const char *what, const char *name)
{
	struct plan_step *step = push(plan, strdup(name), PLAN_ADD);

	if (step == NULL)
		return -1;
	step->what = what;
	return 0;
}

static const char *
find_setting(const struct spec_tree *tree, const char *name)
{
	size_t i;

	for (i = 0; i < tree->nconfig; i++)
		if (strcmp(tree->config[i].name, name) == 0)
			return tree->config[i].value;
	return NULL;
}

static const struct spec_topics *
find_group(const struct spec_tree *tree, const char *name)
{
	size_t i;

	for (i = 0; i < tree->ntopic_groups; i++)
		if (strcmp(tree->topic_groups[i].name, name) == 0)
			return &tree->topic_groups[i];
	return NULL;
}

/* Whether all topics of one group, if it has any, are in the other. */
static bool
has_topics(const struct spec_topics *one, const struct spec_topics *other)
{
	size_t i, j;

	for (i = 0; one->topics != NULL && one->topics[i] != NULL; i++) {
		for (j = 0; other->topics != NULL && other->topics[j] != NULL;
		     j++)
			if (strcmp(one->topics[i], other->topics[j]) == 0)
				break;
		if (other->topics == NULL || other->topics[j] == NULL)
			return false;
	}
	return true;
}

/* Whether there is a group with all of these topics. */
static bool
has_group(const struct spec_tree *tree, const struct grouper_host *host,
    const struct spec_topics *group)
{
	const struct spec_topics *there;

	if (host != NULL)
		return messages_has_topics(host, group);
	there = find_group(tree, group->name);
	return there != NULL && has_topics(group, there);
}

static bool
has_setting(const struct spec_tree *tree, const struct grouper_host *host,
    const char *name)
{
	return host != NULL ? messages_has_setting(host, name, NULL) :
			      find_setting(tree, name) != NULL;
}

/* A reload adds what is not there. */
static int
compare_messages(struct plan *plan, const struct spec_tree *from,
    const struct spec_tree *to, const struct grouper_host *host)
{
	size_t i;

	for (i = 0; i < to->ntopic_groups; i++)
		if (!has_group(from, host, &to->topic_groups[i]) &&
		    add(plan, "topic_groups", to->topic_groups[i].name) == -1)
			return -1;
	for (i = 0; i < to->nconfig; i++)
		if (!has_setting(from, host, to->config[i].name) &&
		    add(plan, "config", to->config[i].name) == -1)
			return -1;
	return 0;
}

/* Whether the file gives up a group, or topics of it, that are still there. */
static bool
leaves_topics(const struct spec_topics *group, const struct spec_tree *to,
    const struct grouper_host *host)
{
	const struct spec_topics *after = find_group(to, group->name);
	char *topics[] = { NULL, NULL };
	const struct spec_topics one = { group->name, topics };
	size_t i;

	if (after == NULL)
		return host == NULL || messages_has_topics(host, &one);
	for (i = 0; group->topics != NULL && group->topics[i] != NULL; i++) {
		topics[0] = group->topics[i];
		if (!has_topics(&one, after) &&
		    (host == NULL || messages_has_topics(host, &one)))
			return true;
	}
	return false;
}

/*
 * Whether the file has a new value for what is there with another one: what
 * others made of a value that stays in the file is their business.
 */
static bool
leaves_value(const struct spec_tree *from, const struct spec_pair *pair,
    const struct grouper_host *host)
{
	const char *before = find_setting(from, pair->name);

	if (before != NULL && strcmp(before, pair->value) == 0)
		return false;
	if (host == NULL)
		return before != NULL;
	return messages_has_setting(host, pair->name, NULL) &&
	    !messages_has_setting(host, pair->name, pair->value);
}

void
plan_ignores(const struct spec_tree *from, const struct spec_tree *to,
    const struct grouper_host *host, void (*fn)(const char *line, void *arg),
    void *arg)
{
	const char *name;
	char line[512];
	size_t i;

	if ((from->named || to->named) && from->name != NULL &&
	    to->name != NULL && strcmp(from->name, to->name) != 0) {
		snprintf(line, sizeof(line),
		    "name: a running host keeps its name, '%s' is for the next",
		    to->name);
		fn(line, arg);
	}
	for (i = 0; i < from->ntopic_groups; i++) {
		if (!leaves_topics(&from->topic_groups[i], to, host))
			continue;
		snprintf(line, sizeof(line),
		    "topic_groups %s: a reload removes no topics",
		    from->topic_groups[i].name);
		fn(line, arg);
	}
	for (i = 0; i < to->nconfig; i++) {
		if (!leaves_value(from, &to->config[i], host))
			continue;
		snprintf(line, sizeof(line),
		    "config %s: a reload changes no settings",
		    to->config[i].name);
		fn(line, arg);
	}
	for (i = 0; i < from->nconfig; i++) {
		name = from->config[i].name;
		if (find_setting(to, name) != NULL ||
		    !has_setting(from, host, name))
			continue;
		snprintf(line, sizeof(line),
		    "config %s: a reload removes no settings", name);
		fn(line, arg);
	}
}

int
plan_make(struct plan *plan, const struct spec_tree *from,
    const struct spec_tree *to, const struct grouper_host *host)
{
	memset(plan, 0, sizeof(*plan));
	if (compare_supervisors(plan, "",
		!settings_equal(&from->root, &to->root), &from->root,
		&to->root) == -1)
		return -1;
	return compare_messages(plan, from, to, host);
}

void
plan_fini(struct plan *plan)
{
	while (plan->count > 0)
		free(plan->steps[--plan->count].key);
	free(plan->steps);
	plan->steps = NULL;
}

const char *
plan_change_name(enum plan_change change)
{
	switch (change) {
	case PLAN_STOP:
		return "stop";
	case PLAN_START:
		return "start";
	case PLAN_RESTART:
		return "restart";
	case PLAN_SCALE:
		return "scale";
	case PLAN_UPDATE:
		return "update";
	case PLAN_ADD:
		return "add";
	}
	return "change";
}
