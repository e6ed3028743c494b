/* SPDX-License-Identifier: ISC */
/*
 * The world around a supervision machine: a random tree, endings, requests and
 * orders of delivery as chance has them, and what must hold whatever happens.
 * What does not hold is told on standard error, and aborts.  There is one
 * world at a time.  Without libcheck, as the trees of puppet.h are.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "puppet.h"

/* Makes a tree and boots it.  seed: of the machine, told with a failure. */
void world_begin(puppet_chance_fn *fn, void *arg, uint64_t seed);

/* Something happens; false once the machine has ended. */
bool world_step(void);

/*
 * However far it came, it is to stop in the end, and to say why.  Returns how
 * many steps that took.
 */
unsigned long world_finish(void);

/* How many groups were started since the beginning. */
unsigned long world_starts(void);

#endif
