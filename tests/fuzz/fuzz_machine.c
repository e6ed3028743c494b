/* SPDX-License-Identifier: ISC */
/*
 * The supervision machine, where the input is chance: it decides what tree
 * there is and what happens in which order.  What must hold is in world.c.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/world.h"

#define EVENTS_MAX 2000

struct luck {
	struct fuzz_input input;
	uint64_t random; /* behind its end */
};

static unsigned int
chance(unsigned int below, void *arg)
{
	struct luck *luck = arg;
	unsigned int value;

	if (luck->input.size == 0)
		return puppet_chance(below, &luck->random);
	value = fuzz_byte(&luck->input);
	if (below > UINT8_MAX)
		value = value << 8 | fuzz_byte(&luck->input);
	return value % below;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct luck luck = { { data, size }, 0x9e3779b97f4a7c15u };
	unsigned int i;

	world_begin(chance, &luck, 1);
	for (i = 0; i < EVENTS_MAX && luck.input.size > 0 && world_step(); i++)
		;
	world_finish();
	return 0;
}
