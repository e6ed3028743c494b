/* SPDX-License-Identifier: ISC */
/*
 * Resource limits by name: see limit.h.
 */
#include "runtime/util/limit.h"

#include <sys/resource.h>

#include <stdbool.h>
#include <string.h>

#include "runtime/util/parse.h"

#define VALUE_BYTES 128

static const struct limit {
	const char *name;
	int resource;
	bool is_time; /* in seconds */
} limits[] = {
	{ "as", RLIMIT_AS, false },
	{ "core", RLIMIT_CORE, false },
	{ "cpu", RLIMIT_CPU, true },
	{ "data", RLIMIT_DATA, false },
	{ "fsize", RLIMIT_FSIZE, false },
	{ "locks", RLIMIT_LOCKS, false },
	{ "memlock", RLIMIT_MEMLOCK, false },
	{ "msgqueue", RLIMIT_MSGQUEUE, false },
	{ "nice", RLIMIT_NICE, false },
	{ "nofile", RLIMIT_NOFILE, false },
	{ "nproc", RLIMIT_NPROC, false },
	{ "rss", RLIMIT_RSS, false },
	{ "rtprio", RLIMIT_RTPRIO, false },
	{ "rttime", RLIMIT_RTTIME, false },
	{ "sigpending", RLIMIT_SIGPENDING, false },
	{ "stack", RLIMIT_STACK, false },
};

#define NLIMITS (sizeof(limits) / sizeof(limits[0]))

const char *
limit_name(size_t index)
{
	return index < NLIMITS ? limits[index].name : NULL;
}

static const struct limit *
find(const char *name)
{
	size_t i;

	for (i = 0; i < NLIMITS; i++)
		if (strcmp(limits[i].name, name) == 0)
			return &limits[i];
	return NULL;
}

int
limit_resource(const char *name)
{
	const struct limit *limit = find(name);

	return limit != NULL ? limit->resource : -1;
}

static bool
parse_value(const struct limit *limit, const char *text, uint64_t *out)
{
	int64_t ms;

	if (strcmp(text, "unlimited") == 0) {
		*out = RLIM_INFINITY;
		return true;
	}
	if (!limit->is_time)
		return parse_size(text, out) == 0;
	if (parse_time(text, &ms) != 0)
		return false;
	*out = (uint64_t)(ms + 999) / 1000;
	return true;
}

int
limit_parse(const char *name, const char *value, int *resource, uint64_t *soft,
    uint64_t *hard)
{
	const struct limit *limit = find(name);
	char copy[VALUE_BYTES], *colon;
	uint64_t first, second;

	if (limit == NULL || strlcpy(copy, value, sizeof(copy)) >= sizeof(copy))
		return -1;
	colon = strchr(copy, ':');
	if (colon != NULL)
		*colon = '\0';
	if (!parse_value(limit, copy, &first) ||
	    !parse_value(limit, colon != NULL ? colon + 1 : copy, &second) ||
	    first > second)
		return -1;
	*resource = limit->resource;
	*soft = first;
	*hard = second;
	return 0;
}
