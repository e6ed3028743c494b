/* SPDX-License-Identifier: ISC */
/*
 * Parameters of a request, see params.h.
 */
#include "runtime/control/params.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/rpc.h"
#include "runtime/control/server.h"

static bool __attribute__((format(printf, 2, 3)))
refuse(struct call *call, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	call_fail_code(call, RPC_INVALID_PARAMS, text);
	return false;
}

/* Its text, or NULL if it is none that C can hold. */
static const char *
text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ?
	    text :
	    NULL;
}

bool
params_string(struct call *call, const json_t *params, const char *name,
    const char **text)
{
	*text = text_of(json_object_get(params, name));
	return *text != NULL || refuse(call, "expected a string: %s", name);
}

bool
params_optional_string(struct call *call, const json_t *params,
    const char *name, const char **text)
{
	const json_t *value = json_object_get(params, name);

	*text = NULL;
	return value == NULL || params_string(call, params, name, text);
}

bool
params_bool(struct call *call, const json_t *params, const char *name,
    bool without, bool *is)
{
	const json_t *value = json_object_get(params, name);

	*is = value == NULL ? without : json_is_true(value);
	return value == NULL || json_is_boolean(value) ||
	    refuse(call, "expected true or false: %s", name);
}

bool
params_int(struct call *call, const json_t *params, const char *name,
    int64_t min, int64_t max, int64_t *number)
{
	const json_t *value = json_object_get(params, name);

	*number = json_integer_value(value);
	return (json_is_integer(value) && *number >= min && *number <= max) ||
	    refuse(call, "expected %" PRId64 " to %" PRId64 ": %s", min, max,
		name);
}

bool
params_strings(struct call *call, const json_t *params, const char *name,
    const char ***list, size_t *count)
{
	const json_t *array = json_object_get(params, name), *item;
	size_t i;

	*count = json_array_size(array);
	*list = *count == 0 ? NULL : calloc(*count, sizeof(**list));
	json_array_foreach(array, i, item) {
		if (*list == NULL)
			break;
		(*list)[i] = text_of(item);
		if ((*list)[i] == NULL) {
			free((void *)*list);
			*list = NULL;
		}
	}
	return *list != NULL ||
	    refuse(call, "expected a list of strings: %s", name);
}
