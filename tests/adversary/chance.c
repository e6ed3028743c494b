/* SPDX-License-Identifier: ISC */
/*
 * Random numbers that can be repeated, see chance.h.
 */

#include "chance.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* splitmix64 */
uint64_t
chance_next(uint64_t *state)
{
	uint64_t z;

	z = *state += 0x9e3779b97f4a7c15U;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

size_t
chance_below(uint64_t *state, size_t n)
{
	return (size_t)(chance_next(state) % n);
}

double
chance_between(uint64_t *state, double low, double high)
{
	double unit = (double)(chance_next(state) >> 11) / 9007199254740992.0;

	return low * pow(high / low, unit);
}

uint64_t
chance_setting(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t
chance_seed(void)
{
	return (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
}
