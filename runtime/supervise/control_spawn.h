/* SPDX-License-Identifier: ISC */
/*
 * The methods `spawn` and `plan` of a supervisor tree, see control.h.
 *
 * `spawn` adds a child that is not of the tree file, and is answered when its
 * command is executed, with its key and pid, or could not be.  Its params are
 * those of spawn_params.h; `supervisor`, the key of the supervisor it is added
 * to; "", the root, without; and `fds`, which of 0, 1 and 2 the descriptors
 * become that came with the request, in their order.
 *
 * `plan` takes the absolute `path` of a file, a text, and answers with `steps`
 * that a reload with it would take, or with `problems` that it would have.
 */
#ifndef RUNTIME_SUPERVISE_CONTROL_SPAWN_H
#define RUNTIME_SUPERVISE_CONTROL_SPAWN_H

#include "runtime/control/server.h"

/* arg: the struct control. */
server_method_fn control_method_spawn;
server_method_fn control_method_plan;

#endif
