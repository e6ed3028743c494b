/* SPDX-License-Identifier: ISC */
/*
 * Groups beside that of `grouper run`, which its command starts by
 * `grouper spawn`.  They end with the command.
 */
#ifndef TOOLS_RUN_SPAWN_H
#define TOOLS_RUN_SPAWN_H

#include <stdbool.h>

#include "runtime/control/server.h"

struct run;
struct run_spawn;

/*
 * For server_attach_later(); arg is the run, whose `spawn` is made now, unless
 * its command has ended.
 */
const struct server_methods *run_spawn_methods(void *arg);

/*
 * Begins to stop them, by KILL at once if kill; run_on_spawned_over() tells
 * the end, perhaps before this returns.
 */
void run_spawn_stop(struct run_spawn *spawn, bool kill);

/* Whether there are none, and none can come. */
bool run_spawn_over(const struct run_spawn *spawn);

/* After host_close(), before the host is freed.  These all take NULL. */
void run_spawn_free(struct run_spawn *spawn);

/* All of them are over; the caller's. */
void run_on_spawned_over(struct run *run);

#endif
