/* SPDX-License-Identifier: ISC */
/*
 * What `status` and `ps` answer, see grouper-protocol(7).
 */
#ifndef RUNTIME_SUPERVISE_REPORT_H
#define RUNTIME_SUPERVISE_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#include "grouper/group.h"

struct supervisor;

/*
 * The tree below key, all of it for NULL, as nested objects, with what the
 * groups use if that is wanted; every process of the groups below key.
 * GROUPER_NOT_FOUND if there is no such key, GROUPER_SYSTEM with errno where
 * not all could be told.
 */
enum grouper_error report_tree(struct supervisor *supervisor, const char *key,
    bool uses, json_t **report);
enum grouper_error report_processes(struct supervisor *supervisor,
    const char *key, json_t **report);

/*
 * Why a key is not found in the tree: NULL for the error's own text, or that
 * it is that of a group which these report beside the tree.
 */
const char *report_missing(struct supervisor *supervisor, const char *key);

#endif
