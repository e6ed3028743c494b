/* SPDX-License-Identifier: ISC */
/*
 * Text from outside to values: times, sizes, numbers, signal names, names of
 * grouper's own.  All functions return 0, or -1 and leave *out as it was.
 */
#ifndef RUNTIME_UTIL_PARSE_H
#define RUNTIME_UTIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Of a time, in ms, some 292 years: it can be counted in ns, and a few be
 * added up.
 */
#define PARSE_TIME_MAX (INT64_MAX / 1000000)

/*
 * A time: a number, also with a fraction, and a unit ms, s, m, h or d
 * without a blank between; bare numbers are seconds.  Result in ms, at most
 * PARSE_TIME_MAX; rounded up to the next ms.
 */
int parse_time(const char *text, int64_t *ms);

/* A size: a number with B, K, M, G or T in any case, powers of 1024. */
int parse_size(const char *text, uint64_t *bytes);

/* A whole number from min to max, in decimal. */
int parse_int(const char *text, int64_t min, int64_t max, int64_t *out);

/*
 * A signal: "TERM", "SIGTERM", in any case, "RTMIN+3", "RTMAX-1", or its
 * number.
 */
int parse_signal(const char *text, int *signum);

/*
 * "TERM" for SIGTERM, "RTMIN+3", or the number in decimal for what has no
 * name.  Static storage, overwritten by the next call.
 */
const char *signal_name(int signum);

/*
 * A key of one level, or a host name: 1 to max bytes, no white space, no
 * control characters, no '/' and no ':'.  path allows '/' between levels and
 * ":N" at the end of each, as in "workers/resize:1"; N begins at 1.
 */
bool name_valid(const char *name, size_t max, bool path);

#endif
