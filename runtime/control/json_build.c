/* SPDX-License-Identifier: ISC */
/*
 * JSON step by step, see json_build.h.
 */
#include "runtime/control/json_build.h"

/* The library refuses a whole or a value that is NULL, and drops the value. */
static void
keep(json_t **whole, int failed)
{
	if (failed == 0)
		return;
	json_decref(*whole);
	*whole = NULL;
}

void
json_put(json_t **object, const char *name, json_t *value)
{
	keep(object, json_object_set_new(*object, name, value));
}

void
json_add(json_t **list, json_t *value)
{
	keep(list, json_array_append_new(*list, value));
}
