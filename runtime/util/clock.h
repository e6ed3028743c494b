/* SPDX-License-Identifier: ISC */
/*
 * The monotonic clock, which does not jump.  CLOCK_MONOTONIC stands still
 * while the machine is suspended, as a time limit should.
 */
#ifndef RUNTIME_UTIL_CLOCK_H
#define RUNTIME_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

/* When so much time has passed, of clock_ms(); -1 for a negative: never. */
static inline int64_t
clock_deadline(int64_t timeout_ms)
{
	int64_t now = clock_ms();

	if (timeout_ms < 0)
		return -1;
	return timeout_ms < INT64_MAX - now ? now + timeout_ms : INT64_MAX;
}

#endif
