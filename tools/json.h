/* SPDX-License-Identifier: ISC */
/*
 * JSON as the verbs print it.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include "runtime/control/json_build.h"
#include "runtime/control/json_text.h"

/*
 * Prints an object on one line to a descriptor and drops the reference.
 * 0, or -1 with errno; ENOMEM if object is NULL.
 */
int json_print(int fd, json_t *object);

#endif
