/* SPDX-License-Identifier: ISC */
/*
 * What can be asked of a supervisor tree over the control socket: the methods
 * behind the verbs, see grouper-protocol(7).
 */
#ifndef RUNTIME_SUPERVISE_CONTROL_H
#define RUNTIME_SUPERVISE_CONTROL_H

#include <stdbool.h>

#include <jansson.h>

#include <grouper/error.h>

#include "runtime/control/server.h"

struct control;
struct supervisor;

/*
 * Reads the tree again; on failure *why is a text to be freed, or NULL; else
 * *ignored a list of lines about what it takes no account of, or NULL.
 */
typedef enum grouper_error control_reload_fn(json_t **ignored, char **why,
    void *arg);

/* NULL with errno. */
struct control *control_new(struct supervisor *supervisor,
    control_reload_fn *reload, void *arg);

/*
 * What a reload with the file at path would do: an object for the client,
 * NULL without memory.
 */
typedef json_t *control_plan_fn(const char *path, void *arg);

/* The answer to `plan`, with the arg of control_new(); NULL: there is none. */
void control_set_plan(struct control *control, control_plan_fn *plan);

/* For the methods of other files: the tree, and what plan says. */
struct supervisor *control_supervisor(const struct control *control);
json_t *control_plan(const struct control *control, const char *path);

/* After the server that has its methods. */
void control_free(struct control *control);

/* For server_attach(); lives as long as the control. */
const struct server_methods *control_methods(const struct control *control);

/* Whether the status of a key is kept, which was spawned; forgets it. */
bool control_keeps(const struct control *control, const char *key);
bool control_forget(struct control *control, const char *key);

/*
 * To be called when anything changed, when a main process ended, and when a
 * start failed.
 */
void control_changed(struct control *control);
void control_ended(struct control *control, const char *key, int status);
void control_failed(struct control *control, const char *key, const char *why);

#endif
