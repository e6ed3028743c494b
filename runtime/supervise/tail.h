/* SPDX-License-Identifier: ISC */
/*
 * The last lines of children, and those that follow, for `logs`.
 */
#ifndef RUNTIME_SUPERVISE_TAIL_H
#define RUNTIME_SUPERVISE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/control/server.h"

struct supervisor;

/*
 * Answers with {"items": [...]}, the last lines of each child that the keys
 * stand for, in the order of the tree, and with follow goes
 * on with notifications "line" of what they write; lines that are gone before
 * the client took them are told by one with "missed".
 */
void tail_start(struct supervisor *supervisor, struct call *call,
    const char *const *keys, size_t count, uint64_t lines, bool follow);

#endif
