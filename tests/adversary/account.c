/* SPDX-License-Identifier: ISC */
/*
 * The accounts of listeners, see account.h.
 */

#include "account.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "talk.h"

/* A file of records, read as a whole. */
struct ledger {
	struct talk_head head; /* of listeners */
	struct talk_record *records;
	size_t count;
};

/* Where the witness saw a mark. */
struct place {
	uint64_t key;
	size_t at;
};

struct order {
	struct ledger ledger;
	struct place *places; /* in the order of their keys */
	size_t nplaces;
	uint64_t end; /* seq of the last event to topic end */
};

/* A listener's account, so far. */
struct state {
	const struct order *order;
	const struct ledger *ledger;
	struct account_sum *sum;
	uint32_t patterns;
	size_t start;	   /* the place of its first mark */
	bool begun;	   /* something came */
	size_t at;	   /* what is behind is accounted for */
	uint64_t lost;	   /* that L frames told, and no gap explains yet */
	size_t unclear;	   /* events that may or may not be owed */
	size_t unclear_at; /* from here to at */
};

static bool
wrong(const struct state *state, const char *fmt, ...)
{
	struct account_sum *sum = state->sum;
	va_list ap;
	int n;

	n = snprintf(sum->wrong, sizeof(sum->wrong),
	    "%s, life %08x: ", state->ledger->head.key,
	    state->ledger->head.life);
	va_start(ap, fmt);
	vsnprintf(sum->wrong + n, sizeof(sum->wrong) - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

/*
 * Files
 */

#define ALL LONG_MAX
#define TAIL 4096 /* of records, in which the end is, if it has come */

static void
read_ledger(struct ledger *ledger, const char *directory, const char *name,
    long most)
{
	long size = (long)sizeof(ledger->records[0]), skip;
	bool has_head = strcmp(name, TALK_WITNESS) != 0;
	char path[1024];
	FILE *file;
	long length;

	*ledger = (struct ledger) { .count = 0 };
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if ((file = fopen(path, "re")) == NULL)
		return;
	if (fseek(file, 0, SEEK_END) == -1 || (length = ftell(file)) == -1)
		ck_abort_msg("%s: no length", path);
	rewind(file);
	/* One that was killed at once has written nothing, or a part. */
	if (has_head &&
	    fread(&ledger->head, sizeof(ledger->head), 1, file) == 1)
		length -= (long)sizeof(ledger->head);
	length /= size;
	skip = length > most ? length - most : 0;
	ledger->records = reallocarray(NULL, (size_t)(length - skip) + 1,
	    (size_t)size);
	ck_assert_ptr_nonnull(ledger->records);
	if (fseek(file, skip * size, SEEK_CUR) == 0)
		ledger->count = fread(ledger->records, (size_t)size,
		    (size_t)(length - skip), file);
	fclose(file);
}

static int
compare_places(const void *one, const void *other)
{
	const struct place *a = one, *b = other;

	return (a->key > b->key) - (a->key < b->key);
}

static uint64_t
key_of(uint32_t life, uint32_t change, uint32_t side)
{
	return (uint64_t)life << 32 | (change & 0xffff) << 1 | side;
}

static void
read_order(struct order *order, const char *directory, long most)
{
	const struct talk_record *record;
	size_t i;

	*order = (struct order) { .end = 0 };
	read_ledger(&order->ledger, directory, TALK_WITNESS, most);
	order->places = calloc(order->ledger.count + 1, sizeof(struct place));
	ck_assert_ptr_nonnull(order->places);
	for (i = 0; i < order->ledger.count; i++) {
		record = &order->ledger.records[i];
		if (record->topic == TALK_MARK)
			order->places[order->nplaces++] =
			    (struct place) { key_of(record->life,
						 record->change, record->side),
				    i };
		else if (record->topic == TALK_END)
			order->end = record->number;
	}
	qsort(order->places, order->nplaces, sizeof(struct place),
	    compare_places);
}

static void
free_order(struct order *order)
{
	free(order->ledger.records);
	free(order->places);
}

/* Where a mark is; false if the witness did not see it. */
static bool
find_mark(const struct state *state, uint32_t change, uint32_t side, size_t *at)
{
	const struct place wanted = {
		key_of(state->ledger->head.life, change, side), 0
	};
	const struct place *found = bsearch(&wanted, state->order->places,
	    state->order->nplaces, sizeof(wanted), compare_places);

	if (found != NULL)
		*at = found->at;
	return found != NULL;
}

/*
 * Accounts
 */

static bool
matches(uint32_t patterns, const struct talk_record *event)
{
	return (talk_topics_of(patterns) >> event->topic & 1) != 0;
}

/* How many events from place `from` on, before `to`, match. */
static size_t
count(const struct state *state, size_t from, size_t to)
{
	const struct talk_record *events = state->order->ledger.records;
	size_t n = 0;

	for (; from < to; from++)
		n += matches(state->patterns, &events[from]);
	return n;
}

/* What was told to be lost is what was owed, before place `to`. */
static bool
settle(struct state *state, size_t to, size_t unclear)
{
	size_t from = state->begun ? state->at : state->start;
	size_t owed = count(state, from, to);
	uint64_t most = owed + unclear + state->unclear;

	if (state->lost < owed || (state->begun && state->lost > most))
		return wrong(state,
		    "%llu events were told to be lost, %zu to %llu were, "
		    "behind event %llu",
		    (unsigned long long)state->lost, owed,
		    (unsigned long long)most,
		    from == 0 ? 0ULL :
				(unsigned long long)state->order->ledger
				    .records[from - 1]
				    .number);
	state->sum->lost += state->lost;
	state->sum->gaps += state->lost > 0;
	state->lost = 0;
	state->unclear = 0;
	state->begun = true;
	return true;
}

static int
compare_numbers(const void *one, const void *other)
{
	const struct talk_record *a = one, *b = other;

	return (a->number > b->number) - (a->number < b->number);
}

static bool
take_event(struct state *state, const struct talk_record *record)
{
	const struct ledger *all = &state->order->ledger;
	const struct talk_record *found = bsearch(record, all->records,
	    all->count, sizeof(*record), compare_numbers);
	unsigned long long seq = record->number;
	size_t place;

	if (found == NULL || found->topic != record->topic)
		return wrong(state, "nobody published event %llu", seq);
	if (!matches(state->patterns, record))
		return wrong(state, "is not subscribed to event %llu", seq);
	place = (size_t)(found - all->records);
	state->sum->heard++;
	if (place < state->at && place >= state->unclear_at &&
	    state->unclear > 0 && state->lost <= state->unclear) {
		state->unclear--;
		return true;
	}
	if (state->begun && place < state->at)
		return wrong(state, "event %llu came too late", seq);
	if (!settle(state, place, 0))
		return false;
	state->at = place + 1;
	return true;
}

/* *cut: it was killed before the witness heard the second mark. */
static bool
take_change(struct state *state, const struct talk_record *record, bool *cut)
{
	uint32_t bit = 1U << record->topic;
	size_t before, behind, from;

	if (!find_mark(state, record->life, 0, &before) ||
	    !find_mark(state, record->life, 1, &behind)) {
		*cut = true;
		return true;
	}
	/* The first mark comes before the change, if it comes. */
	before++;
	from = before > state->at ? before : state->at;
	if (!settle(state, before, count(state, from, behind)))
		return false;
	state->patterns = record->side ? state->patterns | bit :
					 state->patterns & ~bit;
	state->unclear = count(state, from, behind);
	state->unclear_at = from;
	if (behind > state->at)
		state->at = behind;
	state->sum->changes++;
	state->sum->unclear += state->unclear;
	return true;
}

static bool
check_ledger(const struct order *order, const struct ledger *ledger,
    struct account_sum *sum)
{
	struct state state = { .order = order,
		.ledger = ledger,
		.sum = sum,
		.patterns = ledger->head.patterns };
	const struct talk_record *record = ledger->records;
	bool cut = false;

	sum->lives++;
	if (!find_mark(&state, 0, 0, &state.start)) {
		sum->unmarked++;
		return true;
	}
	for (; record < ledger->records + ledger->count && !cut; record++) {
		if (record->kind == TALK_LOST)
			state.lost += record->number;
		else if (record->kind == TALK_CHANGED) {
			if (!take_change(&state, record, &cut))
				return false;
		} else if (!take_event(&state, record))
			return false;
		if (record->kind == TALK_EVENT &&
		    record->number == order->end) {
			sum->whole++;
			break;
		}
	}
	return true;
}

static bool
heard_the_end(const struct order *order, const struct ledger *ledger)
{
	size_t i;

	for (i = ledger->count; i > 0; i--)
		if (ledger->records[i - 1].kind == TALK_EVENT &&
		    ledger->records[i - 1].number == order->end)
			return true;
	return false;
}

typedef bool each_fn(const struct order *, const struct ledger *, void *arg);

/* Calls fn for each listener's file, until it returns false. */
static bool
each_ledger(const char *directory, long most, const struct order *order,
    each_fn *fn, void *arg)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	struct ledger ledger;
	bool go_on = true;

	ck_assert_ptr_nonnull(dir);
	while (go_on && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, TALK_HEARD, strlen(TALK_HEARD)) != 0)
			continue;
		read_ledger(&ledger, directory, entry->d_name, most);
		go_on = fn(order, &ledger, arg);
		free(ledger.records);
	}
	closedir(dir);
	return go_on;
}

static bool
count_end(const struct order *order, const struct ledger *ledger, void *arg)
{
	size_t *n = arg;

	*n += heard_the_end(order, ledger);
	return true;
}

bool
account_is_closed(const char *directory, size_t listeners)
{
	struct order order;
	size_t n = 0;

	read_order(&order, directory, TAIL);
	if (order.end != 0)
		each_ledger(directory, TAIL, &order, count_end, &n);
	free_order(&order);
	return n >= listeners;
}

static bool
check_one(const struct order *order, const struct ledger *ledger, void *arg)
{
	return check_ledger(order, ledger, arg);
}

bool
account_check(const char *directory, struct account_sum *sum)
{
	struct order order;
	bool right;

	read_order(&order, directory, ALL);
	sum->witnessed += order.ledger.count;
	right = each_ledger(directory, ALL, &order, check_one, sum);
	free_order(&order);
	return right;
}

void
account_remove(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, TALK_HEARD, strlen(TALK_HEARD)) ==
			0 ||
		    strcmp(entry->d_name, TALK_WITNESS) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}
