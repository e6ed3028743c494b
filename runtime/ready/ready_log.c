/* SPDX-License-Identifier: ISC */
/*
 * Readiness by a line of output: see ready_log.h.
 */
#include "runtime/ready/ready_log.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ready_log {
	regex_t regex;
};

/* After [:class:], [.x.] or [=x=]; p is at its '['. */
static const char *
skip_class(const char *p)
{
	const char end[] = { p[1], ']', '\0' };
	const char *found = strstr(p + 2, end);

	return found != NULL ? found + 2 : p + strlen(p);
}

/* After [abc], where a backslash is itself; p is at its '['. */
static const char *
skip_brackets(const char *p)
{
	p++;
	if (*p == '^')
		p++;
	/* One that comes first is of the set. */
	if (*p == ']')
		p++;
	while (*p != '\0' && *p != ']')
		if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '='))
			p = skip_class(p);
		else
			p++;
	return *p == ']' ? p + 1 : p;
}

static bool
has_back_reference(const char *p)
{
	while (*p != '\0') {
		if (*p == '[') {
			p = skip_brackets(p);
		} else if (*p == '\\' && p[1] != '\0') {
			if (p[1] >= '1' && p[1] <= '9')
				return true;
			p += 2;
		} else {
			p++;
		}
	}
	return false;
}

struct ready_log *
ready_log_new(const char *pattern, char *error, size_t size)
{
	struct ready_log *ready;
	int code;

	if (has_back_reference(pattern)) {
		snprintf(error, size, "back-references are not supported");
		return NULL;
	}
	ready = calloc(1, sizeof(*ready));
	if (ready == NULL) {
		snprintf(error, size, "%s", strerror(errno));
		return NULL;
	}
	code = regcomp(&ready->regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (code == 0)
		return ready;
	regerror(code, &ready->regex, error, size);
	free(ready);
	return NULL;
}

void
ready_log_free(struct ready_log *ready)
{
	if (ready == NULL)
		return;
	regfree(&ready->regex);
	free(ready);
}

bool
ready_log_match(const struct ready_log *ready, const char *text, size_t length)
{
	char line[READY_LOG_MAX + 1];
	size_t i;

	if (length > READY_LOG_MAX)
		length = READY_LOG_MAX;
	for (i = 0; i < length; i++)
		line[i] = (char)(text[i] != '\0' ? text[i] : ' ');
	line[length] = '\0';
	return regexec(&ready->regex, line, 0, NULL, 0) == 0;
}
