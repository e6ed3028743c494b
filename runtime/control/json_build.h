/* SPDX-License-Identifier: ISC */
/*
 * Objects and lists that are built step by step, where half of one would be
 * another request or an untrue answer.  A step that fails, also for a value
 * that is NULL, drops all there is: from then on the whole is NULL, further
 * steps do nothing, and a look at the end is enough.
 */
#ifndef RUNTIME_CONTROL_JSON_BUILD_H
#define RUNTIME_CONTROL_JSON_BUILD_H

#include <jansson.h>

/* Both take the value over.  name is UTF-8. */
void json_put(json_t **object, const char *name, json_t *value);
void json_add(json_t **list, json_t *value);

#endif
