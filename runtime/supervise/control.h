/* SPDX-License-Identifier: ISC */
/*
 * What can be asked of a supervisor tree over the control socket: the methods
 * behind the verbs, see grouper-protocol(7).
 */
#ifndef RUNTIME_SUPERVISE_CONTROL_H
#define RUNTIME_SUPERVISE_CONTROL_H

#include <grouper/error.h>

#include "runtime/control/server.h"

struct control;
struct supervisor;

/* Reads the tree again; on failure *why is a text to be freed, or NULL. */
typedef enum grouper_error control_reload_fn(char **why, void *arg);

/* NULL with errno. */
struct control *control_new(struct supervisor *supervisor,
    control_reload_fn *reload, void *arg);

/* After the server that has its methods. */
void control_free(struct control *control);

/* For server_attach(); lives as long as the control. */
const struct server_methods *control_methods(const struct control *control);

/* To be called when anything changed, and when a main process ended. */
void control_changed(struct control *control);
void control_ended(struct control *control, const char *key, int status);

#endif
