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

#define REGEX_MAX 1024
#define REGEX_COPIES 1000 /* of its parts that repetitions ask for */

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

/*
 * Whether repetitions such as {1,255}, of which regcomp(3) makes copies, ask
 * for more than it should hold.
 */
static bool
explodes(const char *regex)
{
	unsigned long copies = 1, count;
	const char *p = regex;
	char *end;

	if (strlen(regex) > REGEX_MAX)
		return true;
	while ((p = strchr(p, '{')) != NULL) {
		p++;
		while (*p != '\0' && *p != '}') {
			count = strtoul(p, &end, 10);
			if (end == p) {
				p++;
				continue;
			}
			p = end;
			if (count > REGEX_COPIES)
				return true;
			copies *= count > 1 ? count : 1;
			if (copies > REGEX_COPIES)
				return true;
		}
	}
	return false;
}

/* NULL, or why it is refused before regcomp(3) sees it. */
static const char *
refused(const char *pattern)
{
	if (*pattern == '\0')
		return "it is empty";
	if (explodes(pattern))
		return "it is too long";
	if (has_back_reference(pattern))
		return "back-references are not supported";
	return NULL;
}

struct ready_log *
ready_log_new(const char *pattern, char *error, size_t size)
{
	const char *why = refused(pattern);
	struct ready_log *ready;
	int code;

	if (why != NULL) {
		snprintf(error, size, "%s", why);
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
