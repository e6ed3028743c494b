/* SPDX-License-Identifier: ISC */

/*
 * Times, sizes, numbers, signals and names: what is accepted is in its range,
 * and what is refused leaves the result as it was.
 */

#include "runtime/util/parse.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define UNTOUCHED (-4711)

static void
check_numbers(const char *text)
{
	int64_t number = UNTOUCHED, ms = UNTOUCHED;
	uint64_t bytes = 4711;

	if (parse_time(text, &ms) == 0 ? ms < 0 : ms != UNTOUCHED)
		abort();
	if (parse_int(text, -10, 10, &number) == 0 ?
		number < -10 || number > 10 :
		number != UNTOUCHED)
		abort();
	if (parse_size(text, &bytes) == -1 && bytes != 4711)
		abort();
}

static void
check_signals(const char *text)
{
	int again, signum = UNTOUCHED;

	if (parse_signal(text, &signum) == -1) {
		if (signum != UNTOUCHED)
			abort();
		return;
	}
	if (signum < 1 || signum > SIGRTMAX ||
	    parse_signal(signal_name(signum), &again) == -1 || again != signum)
		abort();
}

static void
check_names(const char *text)
{
	if (name_valid(text, 32, false) &&
	    (strlen(text) > 32 || strpbrk(text, "/: \t\n") != NULL ||
		!name_valid(text, 255, true)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_numbers(text);
	check_signals(text);
	check_names(text);
	free(text);
	return 0;
}
