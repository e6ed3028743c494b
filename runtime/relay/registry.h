/* SPDX-License-Identifier: ISC */
/*
 * The registered names of a host: each stands for one process that lives.
 *
 * A process is held by pidfd, so that another one of its pid is never taken
 * for it.  Whether it lives is looked up when somebody asks; who died holds
 * no name any more.  A process with several names is held once.
 */
#ifndef RUNTIME_RELAY_REGISTRY_H
#define RUNTIME_RELAY_REGISTRY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include <grouper/error.h>

/* So many names, and processes that hold them; of the latter no more than a
 * quarter of the descriptors that this process may have. */
#define REGISTRY_NAMES_MAX 4096
#define REGISTRY_HOLDERS_MAX 1024

struct registry;

/* NULL with errno. */
struct registry *registry_new(void);
void registry_free(struct registry *registry);

/*
 * Gives a name to a process, unless a process that lives has it, be it the
 * same one.
 *
 * name: 1 to 255 bytes, see topic_name_valid(); copied.
 * key: of the group that the process belongs to, for registry_whereis() and
 *     registry_drop_group(); copied.
 * registered: whether it has the name now; set on success.
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a bad name or pid;
 * GROUPER_NOT_FOUND if no such process lives; GROUPER_SYSTEM with errno,
 * ENOSPC for too many names or processes.
 */
enum grouper_error registry_register(struct registry *registry,
    const char *name, pid_t pid, const char *key, bool *registered);

/*
 * The process that has a name, and lives; 0 if there is none.  key, if not
 * NULL, receives that of its group, valid until the registry changes.
 */
pid_t registry_whereis(struct registry *registry, const char *name,
    const char **key);

/* Takes a name from whoever has it; an unknown name is fine. */
void registry_unregister(struct registry *registry, const char *name);

/* Takes all names: of the dead, of one process, of a group's processes. */
void registry_drop_dead(struct registry *registry);
void registry_drop_process(struct registry *registry, pid_t pid);
void registry_drop_group(struct registry *registry, const char *key);

/* How many there are, those of the dead that nobody asked for among them. */
size_t registry_count(const struct registry *registry);

#endif
