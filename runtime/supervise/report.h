/* SPDX-License-Identifier: ISC */
/*
 * What `status` and `ps` answer, see grouper-protocol(7).
 */
#ifndef RUNTIME_SUPERVISE_REPORT_H
#define RUNTIME_SUPERVISE_REPORT_H

#include <stdbool.h>

#include <jansson.h>

struct supervisor;

/*
 * The tree below key, all of it for NULL, as nested objects, with what the
 * groups use if that is wanted; every process of the groups below key.  NULL
 * if there is no such key, or without memory.
 */
json_t *report_tree(struct supervisor *supervisor, const char *key, bool uses);
json_t *report_processes(struct supervisor *supervisor, const char *key);

#endif
