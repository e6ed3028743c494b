/* SPDX-License-Identifier: ISC */
/*
 * The tree that is soaked: 200 groups below supervisors of every strategy and
 * four deep, among them talkers, see talk.h, and what floods its log.
 */

#ifndef TESTS_SOAK_TREE_H
#define TESTS_SOAK_TREE_H

#include <stdbool.h>
#include <stddef.h>

#define SOAK_HOST "soak"
#define SOAK_GROUPS 200
#define SOAK_POOL 40	  /* instances of "pool/w" */
#define SOAK_LISTENERS 12 /* "talk/hear/l0" ... */
#define SOAK_FLOODS 4	  /* "flood/f0" ..., which rotate their files */
#define SOAK_KEPT 3	  /* old files of each */
#define SOAK_KEY 64

/*
 * Writes the tree file.  A variant, 0 for the first one, has other children of
 * "more" and another environment of some: what a reload has to do.
 */
void soak_write_tree(unsigned int variant, unsigned long long seed);

/*
 * A key whose members have a sole_lock, by number; *frail: its leader may be
 * killed, since the supervisor that fails by it is restarted.  Its name, see
 * kills_hit(), is returned.
 */
const char *soak_key(size_t number, char key[SOAK_KEY], bool *frail);
size_t soak_keys(void);

#endif
