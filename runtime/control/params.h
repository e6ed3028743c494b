/* SPDX-License-Identifier: ISC */
/*
 * Parameters of a request, checked.  Each function returns whether it is as
 * expected; if not, the call was answered with what was expected, and is over.
 */
#ifndef RUNTIME_CONTROL_PARAMS_H
#define RUNTIME_CONTROL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct call;

/* A string without NUL, valid as long as params. */
bool params_string(struct call *call, const json_t *params, const char *name,
    const char **text);

/* Absent, *text is NULL. */
bool params_optional_string(struct call *call, const json_t *params,
    const char *name, const char **text);

/* Absent, it is as without. */
bool params_bool(struct call *call, const json_t *params, const char *name,
    bool without, bool *is);

bool params_int(struct call *call, const json_t *params, const char *name,
    int64_t min, int64_t max, int64_t *number);

/*
 * A list of strings without NUL, one at least: the list is to be freed, its
 * strings are those of params.
 */
bool params_strings(struct call *call, const json_t *params, const char *name,
    const char ***list, size_t *count);

#endif
