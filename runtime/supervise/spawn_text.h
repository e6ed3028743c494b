/* SPDX-License-Identifier: ISC */
/*
 * What a command and its environment are made of need not be UTF-8, as JSON
 * has to be.
 */
#ifndef RUNTIME_SUPERVISE_SPAWN_TEXT_H
#define RUNTIME_SUPERVISE_SPAWN_TEXT_H

#include <jansson.h>

/*
 * A text of any bytes: a JSON string, or where it is no UTF-8 a list of the
 * numbers of its bytes.  NULL without memory.
 */
json_t *spawn_text(const char *text);

/* And back, to be freed; NULL for what is none, or without memory. */
char *spawn_text_of(const json_t *value);

#endif
