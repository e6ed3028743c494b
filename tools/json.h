/* SPDX-License-Identifier: ISC */
/*
 * JSON as the verbs print it.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <jansson.h>

/*
 * A string of any bytes: what is no UTF-8 becomes U+FFFD, the replacement
 * character.  A new reference, or NULL without memory.
 */
json_t *json_text(const char *text);

/*
 * Prints an object on one line to a descriptor and drops the reference.
 * 0, or -1 with errno; ENOMEM if object is NULL.
 */
int json_print(int fd, json_t *object);

#endif
