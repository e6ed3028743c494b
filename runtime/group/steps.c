/* SPDX-License-Identifier: ISC */
/*
 * Stop steps: see steps.h.
 */
#include "runtime/group/steps.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "runtime/util/parse.h"

#define STEP_TEXT_MAX 64
#define BLANKS " \t\n"

static const char expected[] =
    "expected steps such as 'TERM 5s, INT 2s, KILL', a time such as '5s', "
    "'brutal_kill' or 'infinity'";

/* The text from start to end without blanks around it; false if too long. */
static bool
cut(char *to, const char *start, const char *end)
{
	while (start < end && strchr(BLANKS, *start) != NULL)
		start++;
	while (end > start && strchr(BLANKS, end[-1]) != NULL)
		end--;
	if (end - start >= STEP_TEXT_MAX)
		return false;
	memcpy(to, start, (size_t)(end - start));
	to[end - start] = '\0';
	return true;
}

static void
push(struct steps *steps, int signum, int64_t ms)
{
	steps->step[steps->count].signum = signum;
	steps->step[steps->count].ms = ms;
	steps->count++;
}

/* One word that stands for a whole list. */
static bool
parse_word(const char *text, struct steps *steps)
{
	int64_t ms;

	if (strcmp(text, "brutal_kill") == 0) {
		push(steps, SIGKILL, STEPS_FOREVER);
		return true;
	}
	if (strcmp(text, "infinity") == 0) {
		push(steps, SIGTERM, STEPS_FOREVER);
		return true;
	}
	/* "9" is a time of nine seconds, and no signal. */
	if (parse_time(text, &ms) == 0) {
		push(steps, SIGTERM, ms);
		return true;
	}
	return false;
}

/* "TERM 5s" or "KILL"; changes text.  NULL, or what is wrong. */
static const char *
parse_step(char *text, struct steps *steps)
{
	int64_t ms = STEPS_FOREVER;
	char *time;
	int signum;

	time = strpbrk(text, BLANKS);
	if (time != NULL) {
		*time++ = '\0';
		time += strspn(time, BLANKS);
	}
	if (parse_signal(text, &signum) != 0)
		return expected;
	if (time != NULL && signum == SIGKILL)
		return "expected KILL without a time, as the last step";
	if (time != NULL && strcmp(time, "infinity") != 0 &&
	    parse_time(time, &ms) != 0)
		return expected;
	if (steps->count == STEPS_MAX)
		return "expected at most 16 steps";
	push(steps, signum, ms);
	return NULL;
}

static const char *
parse_list(const char *text, struct steps *steps)
{
	char step[STEP_TEXT_MAX];
	const char *end, *error;

	for (;;) {
		if (steps->count > 0 &&
		    steps->step[steps->count - 1].ms == STEPS_FOREVER)
			return "expected a time in every step but the last";
		end = text + strcspn(text, ",");
		if (!cut(step, text, end))
			return expected;
		error = parse_step(step, steps);
		if (error != NULL)
			return error;
		if (*end == '\0')
			return NULL;
		text = end + 1;
	}
}

int
steps_parse(const char *text, struct steps *steps, const char **error)
{
	struct steps parsed = { .count = 0 };
	char word[STEP_TEXT_MAX];

	if (text == NULL)
		text = "5s";
	*error = NULL;
	if (!cut(word, text, text + strlen(text)) || !parse_word(word, &parsed))
		*error = parse_list(text, &parsed);
	if (*error == NULL &&
	    parsed.step[parsed.count - 1].ms != STEPS_FOREVER) {
		if (parsed.count < STEPS_MAX)
			push(&parsed, SIGKILL, STEPS_FOREVER);
		else
			*error = "expected KILL as the 16th step";
	}
	if (*error != NULL)
		return -1;
	*steps = parsed;
	return 0;
}

static int __attribute__((format(printf, 4, 5)))
append(char *buffer, size_t size, size_t *used, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(buffer + *used, size - *used, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= size - *used) {
		errno = ENOSPC;
		return -1;
	}
	*used += (size_t)n;
	return 0;
}

int
steps_format(const struct steps *steps, char *buffer, size_t size)
{
	const struct step *step;
	size_t used = 0, i;
	const char *name;

	for (i = 0; i < steps->count; i++) {
		step = &steps->step[i];
		name = signal_name(step->signum);
		if (append(buffer, size, &used, "%s%s", i > 0 ? ", " : "",
			name) != 0)
			return -1;
		/* The number of a signal without a name, alone, is a time. */
		if (steps->count == 1 && name[0] >= '0' && name[0] <= '9' &&
		    append(buffer, size, &used, " infinity") != 0)
			return -1;
		if (step->ms != STEPS_FOREVER &&
		    append(buffer, size, &used, " %" PRId64 "ms", step->ms) !=
			0)
			return -1;
	}
	return 0;
}

int64_t
steps_total(const struct steps *steps)
{
	int64_t total = 0;
	size_t i;

	for (i = 0; i < steps->count; i++) {
		if (steps->step[i].signum == SIGKILL)
			break;
		if (steps->step[i].ms == STEPS_FOREVER)
			return STEPS_FOREVER;
		total += steps->step[i].ms;
	}
	return total;
}
