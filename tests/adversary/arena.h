/* SPDX-License-Identifier: ISC */
/*
 * Where hostile programs run: a level of containment, as the user of the test
 * or as another, ordinary one, with what the level needs around it.
 */

#ifndef TESTS_ARENA_H
#define TESTS_ARENA_H

#include <stdbool.h>

#include "support.h"

struct arena {
	const char *name;
	const char *contain;
	bool as_user; /* another uid than the test's */
};

#define ARENAS 6

extern const struct arena arenas[ARENAS];

/*
 * Can it be had here?  If not, *why tells.  Asked before the suites are made;
 * needs no fixture.
 */
bool arena_available(const struct arena *, const char **why);

/* Can those in it make PID namespaces?  If not, *why tells. */
bool arena_has_namespaces(const struct arena *, const char **why);

/*
 * Prepares this test for the arena: for cgroup, the test moves into a cgroup
 * of its own, which the arena's user may write to.
 */
void arena_enter(const struct arena *);

/*
 * Moves back and removes that cgroup; the number of cgroups that were left in
 * it is returned.
 */
int arena_leave(const struct arena *);

/*
 * Starts `grouper run` with the arena's level, these options and this command,
 * both ending with NULL, in a process group of its own, and waits until the
 * command said "ready".
 */
void arena_start(struct support_run *, const struct arena *,
    const char *const *options, const char *const *command);

/* The one leader of that `grouper run`. */
pid_t arena_leader(const struct support_run *);

/* Path of a program in tests/adversary; lasts for 15 more calls. */
const char *arena_program(const char *name);

/*
 * A copy of the hostile program, set-uid root, where the arena's user can start
 * it; NULL, and *why, if there can be none.
 */
const char *arena_setuid_copy(const struct arena *, const char **why);

/*
 * For commands that are denied what the leak check of a sanitizer needs: it is
 * off for those that the test starts from now on.
 */
void arena_without_leak_check(void);

/* Is the test run by root, who may do what the arenas need? */
bool arena_is_root(void);

#endif
