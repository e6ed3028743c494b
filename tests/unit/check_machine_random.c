/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine against chance: random trees, endings, requests and
 * orders of delivery, and what must hold whatever happens.
 *
 * MACHINE_STEPS sets how many events there are, MACHINE_SEED where they begin;
 * a failure tells the seed, which alone shows it again.  At length it is
 * `make check-machine`, MACHINE_STEPS=1000000000 for longer.
 */
#include <stdlib.h>

#include "support.h"
#include "world.h"

#define STEPS 1000000
#define STEPS_PER_TREE 400

static unsigned long long
setting(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

START_TEST(invariants_hold_whatever_happens)
{
	unsigned long long steps = setting("MACHINE_STEPS",
			       (unsigned long long)(STEPS / support_scale())),
			   done = 0, starts = 0;
	uint64_t seed = setting("MACHINE_SEED", 1), random;
	unsigned int i;

	for (; done < steps; seed++) {
		random = seed * 0x9e3779b97f4a7c15u | 1;
		world_begin(puppet_chance, &random, seed);
		for (i = 0; i < STEPS_PER_TREE && world_step(); i++)
			;
		done += i + world_finish();
		starts += world_starts();
	}
	ck_assert_uint_gt(starts, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_random");
	TCase *tc;

	tc = support_case(suite, "random");
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, invariants_hold_whatever_happens);
	return support_main(suite, NULL);
}
