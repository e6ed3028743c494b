/* SPDX-License-Identifier: ISC */
/*
 * Keys, see keys.h.
 */
#include "runtime/supervise/keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct wanted {
	const char *key;
	bool found;
};

struct sought {
	const char *key;
	size_t length; /* of it */
};

static int
compare(const void *one, const void *other)
{
	const struct wanted *a = one, *b = other;

	return strcmp(a->key, b->key);
}

static int
seek(const void *sought, const void *wanted)
{
	const struct sought *a = sought;
	const struct wanted *b = wanted;
	int order = strncmp(a->key, b->key, a->length);

	/* It may be the beginning of a longer one. */
	return order == 0 && b->key[a->length] != '\0' ? -1 : order;
}

/* Each once, by its text; *count is how many remain. */
static struct wanted *
sort(const char *const *keys, size_t *count)
{
	struct wanted *list = calloc(*count + 1, sizeof(*list));
	size_t i, n = 0;

	if (list == NULL)
		return NULL;
	for (i = 0; i < *count; i++)
		list[i].key = keys[i];
	qsort(list, *count, sizeof(*list), compare);
	for (i = 0; i < *count; i++)
		if (n == 0 || compare(&list[n - 1], &list[i]) != 0)
			list[n++] = list[i];
	*count = n;
	return list;
}

/* Whether it is wanted by so much of its key. */
static bool
mark(struct wanted *list, size_t count, const char *key, size_t length)
{
	const struct sought sought = { key, length };
	struct wanted *found = bsearch(&sought, list, count, sizeof(*list),
	    seek);

	if (found != NULL)
		found->found = true;
	return found != NULL;
}

/* The length of the key of the command that it is an instance of. */
static size_t
command_length(const struct machine_view *view)
{
	const char *last = strrchr(view->key, '/');
	size_t outer = last == NULL ? 0 : (size_t)(last - view->key) + 1;

	return outer + strlen(view->spec->id);
}

size_t
keys_each(const struct machine *machine, const char *const *keys, size_t count,
    keys_fn *fn, void *arg)
{
	struct wanted *list = sort(keys, &count);
	const struct machine_node *node;
	struct machine_view view;
	size_t i, missing = 0;
	bool is;

	if (list == NULL)
		return count;
	for (node = machine_root(machine); node != NULL;
	     node = machine_after(node)) {
		machine_view(node, &view);
		is = mark(list, count, view.key, strlen(view.key));
		if (view.instance != 0 &&
		    mark(list, count, view.key, command_length(&view)))
			is = true;
		if (is)
			fn(&view, arg);
	}
	for (i = 0; i < count; i++)
		missing += !list[i].found;
	free(list);
	return missing;
}
