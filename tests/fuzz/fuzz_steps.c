/* SPDX-License-Identifier: ISC */

/*
 * Stop steps: whatever is accepted can be printed, and what was printed means
 * the same.
 */

#include "runtime/group/steps.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void
check_round_trip(const char *text)
{
	char printed[STEPS_TEXT_MAX];
	struct steps steps, again;
	const char *error;
	size_t i;

	if (steps_parse(text, &steps, &error) == -1)
		return;
	if (steps.count == 0 || steps.count > STEPS_MAX ||
	    steps_format(&steps, printed, sizeof(printed)) == -1 ||
	    steps_parse(printed, &again, &error) == -1 ||
	    again.count != steps.count)
		abort();
	for (i = 0; i < steps.count; i++)
		if (again.step[i].signum != steps.step[i].signum ||
		    again.step[i].ms != steps.step[i].ms)
			abort();
	(void)steps_total(&steps);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_round_trip(text);
	free(text);
	return 0;
}
