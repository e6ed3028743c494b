/* SPDX-License-Identifier: ISC */
/*
 * Keys, see keys.h.
 */
#include "runtime/supervise/keys.h"

#include <stdbool.h>
#include <string.h>

/* Whether an instance is one of the command that key names. */
static bool
is_instance(const struct machine_view *view, const char *key)
{
	const char *last = strrchr(view->key, '/');
	size_t outer = last == NULL ? 0 : (size_t)(last - view->key) + 1;

	return view->instance != 0 && strncmp(view->key, key, outer) == 0 &&
	    strcmp(key + outer, view->spec->id) == 0;
}

size_t
keys_each(const struct machine *machine, const char *key, keys_fn *fn,
    void *arg)
{
	const struct machine_node *node;
	struct machine_view view;
	size_t count = 0;

	for (node = machine_root(machine); node != NULL;
	     node = machine_after(node)) {
		machine_view(node, &view);
		if (strcmp(view.key, key) != 0 && !is_instance(&view, key))
			continue;
		fn(&view, arg);
		count++;
	}
	return count;
}
