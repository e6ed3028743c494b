/* SPDX-License-Identifier: ISC */
/*
 * Resource limits by name: what users write, see setrlimit(2).
 */
#ifndef RUNTIME_UTIL_LIMIT_H
#define RUNTIME_UTIL_LIMIT_H

#include <stddef.h>
#include <stdint.h>

/* The names in byte order, "as" to "stack"; NULL behind the last. */
const char *limit_name(size_t index);

/* RLIMIT_NOFILE for "nofile"; -1 if there is no such name. */
int limit_resource(const char *name);

/*
 * The value of a limit: a number, a size such as 512M, a time for cpu, or
 * unlimited (UINT64_MAX); or two of them with a ':' between, soft and hard.
 *
 * Returns 0, or -1 with everything as it was for an unknown name, a bad value
 * or a soft limit above the hard one.
 */
int limit_parse(const char *name, const char *value, int *resource,
    uint64_t *soft, uint64_t *hard);

#endif
