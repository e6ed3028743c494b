/* SPDX-License-Identifier: ISC */
/*
 * What a tree has to do with the message bus of its host.
 */
#ifndef RUNTIME_SUPERVISE_MESSAGES_H
#define RUNTIME_SUPERVISE_MESSAGES_H

#include <stdbool.h>

#include "runtime/supervise/launch.h"
#include "runtime/supervise/spec.h"

struct grouper_host;

/*
 * Topic groups and settings of a tree file that are not there yet, and
 * subtrees with names of their own.  What was changed since stays as it is.
 * 0; -1 with *why a text to be freed, NULL if memory is short.
 */
int messages_load(struct grouper_host *host, const struct spec_tree *tree,
    char **why);

/* Whether the host holds the group and each topic that is named here. */
bool messages_has_topics(const struct grouper_host *host,
    const struct spec_topics *group);

/* Whether it holds a setting, of this value unless that is NULL. */
bool messages_has_setting(const struct grouper_host *host, const char *name,
    const char *value);

/*
 * Before a command is started: subscribes its key to what its specification
 * names, and adds the pipes, if it gets any, to its descriptors and its
 * environment; each is a descriptor of ours to be closed when it was started,
 * or -1.  0, or -1 as above.
 */
struct messages_pipes {
	int down;
	int up;
};
int messages_join(struct grouper_host *host, const char *key,
    const struct spec_command *command, struct launch *launch,
    struct messages_pipes *pipes, char **why);

/* It was not started after all. */
void messages_leave(struct grouper_host *host, const char *key);

/* Before others hear of a group: what it wrote comes first. */
void messages_drain(struct grouper_host *host, const char *key);

#endif
