/* SPDX-License-Identifier: ISC */
/*
 * Merge keys: see yaml_merge.h.
 */
#include "runtime/tree/yaml_merge.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/tree/problem.h"
#include "runtime/tree/source.h"
#include "runtime/tree/yaml.h"

struct entry {
	struct yaml_item item;
	size_t order; /* own keys first, then those of each source */
};

struct merge {
	struct entry *entries;
	size_t count;
	size_t room;
	size_t nown;
	size_t *total;
	const struct source *source;
	struct tree_problems *problems;
};

static int
give_up(struct merge *merge, size_t offset, const char *why)
{
	tree_problem_add(merge->problems, merge->source, offset, "%s", why);
	return -1;
}

static int
push(struct merge *merge, const struct yaml_item *item)
{
	struct entry *grown;

	if (merge->count == merge->room) {
		merge->room = merge->room * 2 + 16;
		grown = reallocarray(merge->entries, merge->room,
		    sizeof(*grown));
		if (grown == NULL)
			return give_up(merge, item->key->offset,
			    "out of memory");
		merge->entries = grown;
	}
	merge->entries[merge->count].item = *item;
	merge->entries[merge->count].order = merge->count;
	merge->count++;
	return 0;
}

static bool
is_merge_key(const struct yaml_node *key)
{
	return key->plain && strcmp(key->text, "<<") == 0;
}

static int
push_source(struct merge *merge, const struct yaml_node *node)
{
	size_t i;

	if (node->kind != YAML_MAPPING)
		return give_up(merge, node->offset,
		    "expected a mapping, or a list of mappings, to merge");
	for (i = 0; i < node->nitems; i++) {
		if (++*merge->total > YAML_NODES_MAX)
			return give_up(merge, node->offset,
			    "expected less to merge");
		if (push(merge, &node->items[i]) != 0)
			return -1;
	}
	return 0;
}

static int
push_sources(struct merge *merge, const struct yaml_node *node)
{
	size_t i;

	if (node->kind != YAML_SEQUENCE)
		return push_source(merge, node);
	for (i = 0; i < node->nitems; i++)
		if (push_source(merge, node->items[i].value) != 0)
			return -1;
	return 0;
}

static int
by_key(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;
	int order = strcmp(a->item.key->text, b->item.key->text);

	if (order != 0)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int
by_order(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	return a->order < b->order ? -1 : a->order > b->order;
}

static void
repeated(struct merge *merge, const struct entry *first,
    const struct entry *again)
{
	unsigned int line, column;

	source_place(merge->source, first->item.key->offset, &line, &column);
	tree_problem_add(merge->problems, merge->source,
	    again->item.key->offset, "repeated key '%.64s', first on line %u",
	    again->item.key->text, line);
}

/* Drops all but the first of each key; the order stays. */
static void
make_unique(struct merge *merge)
{
	struct entry *entries = merge->entries;
	size_t kept = 0, i;

	if (merge->count < 2)
		return;
	qsort(entries, merge->count, sizeof(*entries), by_key);
	for (i = 1; i < merge->count; i++) {
		if (strcmp(entries[i].item.key->text,
			entries[kept].item.key->text) != 0)
			entries[++kept] = entries[i];
		else if (entries[i].order < merge->nown &&
		    merge->problems->more <= TREE_PROBLEMS_MAX)
			repeated(merge, &entries[kept], &entries[i]);
	}
	merge->count = kept + 1;
	qsort(entries, merge->count, sizeof(*entries), by_order);
}

/* Own keys, then what is merged. */
static int
gather(struct merge *merge, const struct yaml_node *mapping)
{
	size_t i, sources = 0;

	for (i = 0; i < mapping->nitems; i++) {
		if (is_merge_key(mapping->items[i].key)) {
			if (++sources > 1)
				return give_up(merge,
				    mapping->items[i].key->offset,
				    "repeated key '<<': expected one with a "
				    "list");
		} else if (push(merge, &mapping->items[i]) != 0) {
			return -1;
		}
	}
	merge->nown = merge->count;
	for (i = 0; i < mapping->nitems && sources > 0; i++)
		if (is_merge_key(mapping->items[i].key) &&
		    push_sources(merge, mapping->items[i].value) != 0)
			return -1;
	return 0;
}

static int
replace_items(struct merge *merge, struct yaml_node *mapping)
{
	struct yaml_item *items;
	size_t i;

	items = calloc(merge->count + 1, sizeof(*items));
	if (items == NULL)
		return give_up(merge, mapping->offset, "out of memory");
	for (i = 0; i < merge->count; i++)
		items[i] = merge->entries[i].item;
	free(mapping->items);
	mapping->items = items;
	mapping->nitems = merge->count;
	return 0;
}

int
yaml_merge(struct yaml_node *mapping, size_t *count,
    const struct source *source, struct tree_problems *problems)
{
	struct merge merge = {
		.total = count,
		.source = source,
		.problems = problems,
	};
	int result;

	if (mapping->nitems == 0)
		return 0;
	result = gather(&merge, mapping);
	if (result == 0) {
		make_unique(&merge);
		result = replace_items(&merge, mapping);
	}
	free(merge.entries);
	return result;
}
