/* SPDX-License-Identifier: ISC */
/*
 * Whether a specification makes sense: what its types leave open.  The order
 * of the start is tried on paper, by which cycles show, in a time that grows
 * as the number of children and edges.
 */
#include "runtime/supervise/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ready/ready_log.h"
#include "runtime/util/parse.h"

#define TREE_NAME_MAX 32

struct check {
	enum grouper_error error;
	char **why;
	const struct spec_child *at;
	size_t total; /* children, instances counted */
};

/* A child in the order of ids, for look-ups. */
struct entry {
	const struct spec_child *child;
	size_t position;
};

/* The edges of one supervisor's depends_on, by their targets. */
struct graph {
	const struct spec_supervisor *supervisor;
	struct entry *sorted;
	size_t *first;	 /* of each child, an index into waiters */
	size_t *waiters; /* positions of those that wait for it */
	size_t *missing; /* how many a child still waits for */
	size_t *queue;
	bool *done;
};

static bool __attribute__((format(printf, 4, 5)))
complain(struct check *check, enum grouper_error error,
    const struct spec_child *at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(check->why, format, ap) == -1)
		*check->why = NULL;
	va_end(ap);
	check->error = error;
	check->at = at;
	return false;
}

#define INVALID(check, at, ...) \
	complain(check, GROUPER_INVALID, at, __VA_ARGS__)

static int
compare_entries(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	return strcmp(a->child->id, b->child->id);
}

static const struct entry *
find(const struct entry *sorted, size_t n, const char *id)
{
	struct spec_child wanted = { .id = (char *)(uintptr_t)id };
	struct entry key = { .child = &wanted };

	return bsearch(&key, sorted, n, sizeof(key), compare_entries);
}

/* More than can be added to the clock, or counted in smaller units. */
static bool
is_too_long(int64_t ms)
{
	return ms > PARSE_TIME_MAX;
}

static bool
check_ready_log(struct check *check, const struct spec_child *child)
{
	const struct spec_command *command = child->command;
	struct ready_log *ready;
	char why[128];

	if (command->ready_regex == NULL)
		return INVALID(check, child, "ready: no pattern");
	if (command->log == SPEC_LOG_INHERIT)
		return complain(check, GROUPER_BAD_COMBINATION, child,
		    "ready: " SPEC_READY_LOG_INHERIT);
	ready = ready_log_new(command->ready_regex, why, sizeof(why));
	if (ready == NULL)
		return INVALID(check, child,
		    "ready: expected a regular expression: %s", why);
	ready_log_free(ready);
	return true;
}

static bool
check_ready(struct check *check, const struct spec_child *child)
{
	const struct spec_command *command = child->command;

	switch (command->ready) {
	case SPEC_READY_FD:
		if (command->ready_fd < 3)
			return INVALID(check, child,
			    "ready: expected a descriptor above 2");
		if (command->ready_fd == 8 || command->ready_fd == 9)
			return INVALID(check, child,
			    "ready: descriptors 8 and 9 are for messages");
		break;
	case SPEC_READY_EXEC:
		if (command->ready_argv == NULL ||
		    command->ready_argv[0] == NULL)
			return INVALID(check, child, "ready: no command");
		if (command->ready_interval_ms <= 0)
			return INVALID(check, child,
			    "ready: the interval must be longer than 0");
		if (is_too_long(command->ready_interval_ms))
			return INVALID(check, child,
			    "ready: the interval is longer than 292 years");
		break;
	case SPEC_READY_LOG:
		return check_ready_log(check, child);
	case SPEC_READY_STARTED:
	case SPEC_READY_NOTIFY:
		break;
	}
	return true;
}

static bool
check_command(struct check *check, const struct spec_child *child)
{
	const struct spec_command *command = child->command;

	if (command->argv == NULL || command->argv[0] == NULL)
		return INVALID(check, child, "no command");
	if (command->instances > SPEC_CHILDREN_MAX)
		return INVALID(check, child, "instances: at most %d",
		    SPEC_CHILDREN_MAX);
	if (command->ready_timeout_ms < -1 || command->min_uptime_ms < 0 ||
	    command->watchdog_ms < 0)
		return INVALID(check, child, "a time is negative");
	if (is_too_long(command->ready_timeout_ms) ||
	    is_too_long(command->min_uptime_ms) ||
	    is_too_long(command->watchdog_ms))
		return INVALID(check, child, "a time is longer than 292 years");
	check->total += command->instances;
	if (child->significant && command->instances > 1)
		return complain(check, GROUPER_BAD_COMBINATION, child,
		    "a significant child cannot have several instances");
	return check_ready(check, child);
}

static bool
check_significance(struct check *check,
    const struct spec_supervisor *supervisor, const struct spec_child *child)
{
	if (!child->significant)
		return true;
	if (supervisor->auto_shutdown == SPEC_NEVER)
		return complain(check, GROUPER_BAD_COMBINATION, child,
		    "a significant child needs a supervisor with auto_shutdown "
		    "other than never");
	if (child->restart == SPEC_PERMANENT)
		return complain(check, GROUPER_BAD_COMBINATION, child,
		    "a significant child must be transient or temporary");
	return true;
}

/* No child of a tree is numbered: "id:2" is an instance of "id" there. */
static bool
is_id(const struct spec_child *child)
{
	return child->id != NULL && strchr(child->id, '/') == NULL &&
	    name_valid(child->id, SPEC_ID_MAX, child->numbered);
}

/* What a child is by itself, its own children excepted. */
static bool
check_alone(struct check *check, const struct spec_supervisor *supervisor,
    const struct spec_child *child)
{
	const struct spec_backoff *backoff = &child->backoff;

	if (!is_id(child))
		return INVALID(check, child,
		    "id: expected 1 to %d bytes without blanks, '/' and ':'",
		    SPEC_ID_MAX);
	if ((child->command == NULL) == (child->supervisor == NULL))
		return INVALID(check, child,
		    "expected either a command or a supervisor");
	if ((unsigned int)child->restart > SPEC_TEMPORARY)
		return INVALID(check, child, "restart: unknown policy");
	if (child->shutdown.count == 0)
		return INVALID(check, child, "shutdown: no steps");
	if (backoff->min_ms < 0 || backoff->max_ms < backoff->min_ms ||
	    backoff->reset_ms < 0)
		return INVALID(check, child,
		    "backoff: expected 0 <= min <= max, reset >= 0");
	if (is_too_long(backoff->max_ms) || is_too_long(backoff->reset_ms))
		return INVALID(check, child,
		    "backoff: a time is longer than 292 years");
	if (!child->parallel && child->depends_on != NULL &&
	    child->depends_on[0] != NULL)
		return INVALID(check, child,
		    "depends_on without being parallel");
	if (!check_significance(check, supervisor, child))
		return false;
	if (child->command != NULL)
		return check_command(check, child);
	check->total++;
	return true;
}

static bool
check_ids(struct check *check, const struct entry *sorted, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0 &&
		    strcmp(sorted[i - 1].child->id, sorted[i].child->id) == 0)
			return INVALID(check,
			    sorted[i - 1].position > sorted[i].position ?
				sorted[i - 1].child :
				sorted[i].child,
			    "id: '%s' is there twice", sorted[i].child->id);
	}
	return true;
}

static size_t
count_edges(const struct spec_child *child)
{
	size_t n = 0;

	while (child->depends_on != NULL && child->depends_on[n] != NULL)
		n++;
	return n;
}

/* Resolves the names of one child's depends_on, counting or filling in. */
static bool
resolve(struct check *check, struct graph *graph, size_t position, bool fill)
{
	const struct spec_supervisor *supervisor = graph->supervisor;
	const struct spec_child *child = &supervisor->children[position];
	const struct entry *entry;
	size_t i;

	for (i = 0; i < count_edges(child); i++) {
		entry = find(graph->sorted, supervisor->nchildren,
		    child->depends_on[i]);
		if (entry == NULL)
			return INVALID(check, child,
			    "depends_on: no child '%s' here",
			    child->depends_on[i]);
		if (entry->position == position)
			return INVALID(check, child,
			    "depends_on: '%s' is the child itself",
			    child->depends_on[i]);
		if (entry->position > position && !entry->child->parallel)
			return INVALID(check, child,
			    "depends_on: '%s' comes later and starts after "
			    "all before it",
			    child->depends_on[i]);
		if (fill)
			graph->waiters[--graph->first[entry->position]] =
			    position;
		else
			graph->first[entry->position]++;
	}
	return true;
}

/* Starts all on paper; those left over wait for each other. */
static bool
check_cycles(struct check *check, struct graph *graph)
{
	const struct spec_supervisor *supervisor = graph->supervisor;
	size_t n = supervisor->nchildren, head = 0, tail = 0, front = 0, i, at;

	for (i = 0; i < n; i++) {
		graph->missing[i] = count_edges(&supervisor->children[i]);
		if (supervisor->children[i].parallel && graph->missing[i] == 0)
			graph->queue[tail++] = i;
	}
	for (;;) {
		if (front < n && graph->done[front]) {
			front++;
			continue;
		}
		if (front < n && !supervisor->children[front].parallel)
			at = front;
		else if (head < tail)
			at = graph->queue[head++];
		else
			break;
		graph->done[at] = true;
		for (i = graph->first[at]; i < graph->first[at + 1]; i++)
			if (--graph->missing[graph->waiters[i]] == 0)
				graph->queue[tail++] = graph->waiters[i];
	}
	while (front < n && (graph->done[front] || graph->missing[front] == 0))
		front++;
	if (front == n)
		return true;
	return INVALID(check, &supervisor->children[front],
	    "depends_on: '%s' waits for itself by way of others",
	    supervisor->children[front].id);
}

static bool
check_edges(struct check *check, struct graph *graph)
{
	size_t n = graph->supervisor->nchildren, i, sum = 0;

	for (i = 0; i < n; i++)
		if (!resolve(check, graph, i, false))
			return false;
	/* first[i] becomes the end of i's part, then by filling its start. */
	for (i = 0; i <= n; i++) {
		sum += graph->first[i];
		graph->first[i] = sum;
	}
	graph->waiters = calloc(sum + 1, sizeof(*graph->waiters));
	if (graph->waiters == NULL)
		return complain(check, GROUPER_SYSTEM, NULL, "out of memory");
	for (i = 0; i < n; i++)
		if (!resolve(check, graph, i, true))
			return false;
	return check_cycles(check, graph);
}

static bool
check_order(struct check *check, const struct spec_supervisor *supervisor)
{
	size_t n = supervisor->nchildren, i;
	struct graph graph = { .supervisor = supervisor };
	bool ok = false;

	graph.sorted = calloc(n + 1, sizeof(*graph.sorted));
	graph.first = calloc(n + 1, sizeof(*graph.first));
	graph.missing = calloc(n + 1, sizeof(*graph.missing));
	graph.queue = calloc(n + 1, sizeof(*graph.queue));
	graph.done = calloc(n + 1, sizeof(*graph.done));
	if (graph.sorted == NULL || graph.first == NULL ||
	    graph.missing == NULL || graph.queue == NULL ||
	    graph.done == NULL) {
		complain(check, GROUPER_SYSTEM, NULL, "out of memory");
		goto out;
	}
	for (i = 0; i < n; i++) {
		graph.sorted[i].child = &supervisor->children[i];
		graph.sorted[i].position = i;
	}
	qsort(graph.sorted, n, sizeof(*graph.sorted), compare_entries);
	ok = check_ids(check, graph.sorted, n) && check_edges(check, &graph);
out:
	free(graph.sorted);
	free(graph.first);
	free(graph.waiters);
	free(graph.missing);
	free(graph.queue);
	free(graph.done);
	return ok;
}

static bool
check_supervisor(struct check *check, const struct spec_supervisor *supervisor,
    const struct spec_child *at, unsigned int depth)
{
	const struct spec_child *child;
	size_t i;

	if (depth > SPEC_DEPTH_MAX)
		return INVALID(check, at, "supervisors nest at most %d deep",
		    SPEC_DEPTH_MAX);
	if ((unsigned int)supervisor->strategy > SPEC_REST_FOR_ONE)
		return INVALID(check, at, "strategy: unknown");
	if ((unsigned int)supervisor->auto_shutdown > SPEC_ALL_SIGNIFICANT)
		return INVALID(check, at, "auto_shutdown: unknown");
	if (supervisor->period_ms <= 0)
		return INVALID(check, at, "period: must be longer than 0");
	if (supervisor->cooldown_ms < -1)
		return INVALID(check, at, "on_limit: a time is negative");
	if (is_too_long(supervisor->period_ms) ||
	    is_too_long(supervisor->cooldown_ms))
		return INVALID(check, at, "a time is longer than 292 years");
	for (i = 0; i < supervisor->nchildren; i++)
		if (!check_alone(check, supervisor, &supervisor->children[i]))
			return false;
	if (check->total > SPEC_CHILDREN_MAX)
		return INVALID(check, at, "more than %d children",
		    SPEC_CHILDREN_MAX);
	if (!check_order(check, supervisor))
		return false;
	for (i = 0; i < supervisor->nchildren; i++) {
		child = &supervisor->children[i];
		if (child->supervisor != NULL &&
		    !check_supervisor(check, child->supervisor, child,
			depth + 1))
			return false;
	}
	return true;
}

enum grouper_error
spec_check(const struct spec_tree *tree, char **why,
    const struct spec_child **at)
{
	struct check check = { .error = GROUPER_OK, .why = why };

	*why = NULL;
	if (tree->name != NULL && !name_valid(tree->name, TREE_NAME_MAX, false))
		INVALID(&check, NULL,
		    "name: expected 1 to %d bytes without blanks, '/' and ':'",
		    TREE_NAME_MAX);
	else
		check_supervisor(&check, &tree->root, NULL, 1);
	*at = check.at;
	return check.error;
}

enum grouper_error
spec_check_child(const struct spec_supervisor *parent,
    const struct spec_child *child, char **why)
{
	struct check check = { .error = GROUPER_OK, .why = why };

	*why = NULL;
	if (check_alone(&check, parent, child) && child->supervisor != NULL)
		check_supervisor(&check, child->supervisor, child, 2);
	return check.error;
}
