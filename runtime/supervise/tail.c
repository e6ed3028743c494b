/* SPDX-License-Identifier: ISC */
/*
 * Lines of children, see tail.h.  Each is a place in the ring of its child:
 * whoever reads slowly costs nothing but the lines that it misses.
 */
#include "runtime/supervise/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"
#include "runtime/logs/member_log.h"
#include "runtime/logs/ring.h"
#include "runtime/supervise/keys.h"
#include "runtime/supervise/report.h"
#include "runtime/supervise/supervisor.h"

/* Where one child is read.  Its log may come, go and come again. */
struct place {
	char *key;
	uint64_t log; /* the number of the one that the cursor is of */
	struct ring_cursor cursor;
};

struct tail {
	struct supervisor *supervisor;
	struct call *call;
	struct place *places;
	size_t count;
	size_t turn; /* whose it is: one that floods leaves room for others */
	struct log_tap *tap;
};

static void
tail_free(struct tail *tail)
{
	size_t i;

	supervisor_untap(tail->tap);
	for (i = 0; i < tail->count; i++)
		free(tail->places[i].key);
	free(tail->places);
	free(tail);
}

static void
on_gone(void *arg)
{
	tail_free(arg);
}

/* The ring of a child; one that was made anew is read from its first line. */
static const struct ring *
ring_of(const struct tail *tail, struct place *place)
{
	const struct ring *ring;
	const struct member_log *log;
	uint64_t number;

	log = supervisor_log(tail->supervisor, place->key, &number);
	ring = log == NULL ? NULL : member_log_ring(log);
	if (ring != NULL && place->log != number) {
		place->log = number;
		place->cursor = ring_at(ring, 1);
		place->cursor.seq = 1; /* to miss what is gone */
	}
	return ring;
}

/*
 * The next line of a child: 1; 0 if there is none yet; -1 without memory, and
 * it is the next one still.
 */
static int
read_place(const struct tail *tail, struct place *place, json_t **item)
{
	const struct ring *ring = ring_of(tail, place);
	struct ring_cursor before = place->cursor;
	struct log_line line;
	uint64_t missed = 0;

	*item = NULL;
	if (ring == NULL ||
	    ring_read(ring, &place->cursor, &line, &missed) == 0)
		return 0;
	*item = json_pack("{s:s, s:I, s:f, s:o}", "key", place->key, "seq",
	    (json_int_t)line.seq, "time", (double)line.time_us / 1e6, "text",
	    json_textn(line.text, line.length));
	if (missed > 0)
		json_put(item, "missed", json_integer((json_int_t)missed));
	if (*item != NULL)
		return 1;
	place->cursor = before;
	return -1;
}

static json_t *
next_line(void *arg)
{
	struct tail *tail = arg;
	json_t *item = NULL;
	size_t i;

	for (i = 0; i < tail->count && item == NULL; i++) {
		read_place(tail, &tail->places[tail->turn], &item);
		tail->turn = (tail->turn + 1) % tail->count;
	}
	return item;
}

static void
on_line(void *arg)
{
	struct tail *tail = arg;

	call_wake(tail->call);
}

static void
add_place(const struct machine_view *view, void *arg)
{
	struct tail *tail = arg;
	struct place *grown;

	if (view->supervisor != NULL)
		return;
	grown = reallocarray(tail->places, tail->count + 1, sizeof(*grown));
	if (grown == NULL)
		return;
	tail->places = grown;
	grown[tail->count] = (struct place) { .key = strdup(view->key) };
	if (grown[tail->count].key != NULL)
		tail->count++;
}

static json_t *
last_lines(struct tail *tail, uint64_t lines)
{
	json_t *items = json_array(), *item;
	const struct ring *ring;
	size_t i;
	int got;

	for (i = 0; i < tail->count; i++) {
		ring = ring_of(tail, &tail->places[i]);
		if (ring == NULL)
			continue;
		tail->places[i].cursor = ring_last(ring, lines);
		while ((got = read_place(tail, &tail->places[i], &item)) == 1)
			json_add(&items, item);
		if (got == -1)
			json_add(&items, NULL);
	}
	return json_pack("{s:o}", "items", items);
}

static void
ignore(const struct machine_view *view, void *arg)
{
	(void)view;
	(void)arg;
}

/* Of several keys the caller does not know which one it is. */
static void
fail_missing(struct supervisor *supervisor, struct call *call,
    const char *const *keys, size_t count)
{
	const struct machine *machine = supervisor_machine(supervisor);
	size_t all = 0, some = count, half; /* of the first ones are there */
	const char *why;
	char *text = NULL;

	/* There may be very many, and each look is a walk of the tree. */
	while (some - all > 1) {
		half = all + (some - all) / 2;
		if (keys_each(machine, keys, half, ignore, NULL) == 0)
			all = half;
		else
			some = half;
	}
	why = report_missing(supervisor, keys[all]);
	if (why == NULL)
		why = grouper_strerror(GROUPER_NOT_FOUND);
	if (count > 1 && asprintf(&text, "%s: %s", keys[all], why) == -1)
		text = NULL;
	call_fail(call, GROUPER_NOT_FOUND, text != NULL ? text : why);
	free(text);
}

void
tail_start(struct supervisor *supervisor, struct call *call,
    const char *const *keys, size_t count, uint64_t lines, bool follow)
{
	struct tail *tail = calloc(1, sizeof(*tail));

	if (tail == NULL) {
		call_fail(call, GROUPER_SYSTEM, NULL);
		return;
	}
	tail->supervisor = supervisor;
	tail->call = call;
	if (keys_each(supervisor_machine(supervisor), keys, count, add_place,
		tail) > 0) {
		fail_missing(supervisor, call, keys, count);
		tail_free(tail);
		return;
	}
	if (follow)
		tail->tap = supervisor_tap(supervisor, on_line, tail);
	if (!follow || tail->tap == NULL) {
		call_result(call, last_lines(tail, lines));
		tail_free(tail);
		return;
	}
	call_stream(call, last_lines(tail, lines), "line", next_line, on_gone,
	    tail);
}
