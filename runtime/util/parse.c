/* SPDX-License-Identifier: ISC */
/*
 * Text from outside to values, without locale and without allocation.
 */
#include "runtime/util/parse.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const signal_names[] = {
	[SIGHUP] = "HUP",
	[SIGINT] = "INT",
	[SIGQUIT] = "QUIT",
	[SIGILL] = "ILL",
	[SIGTRAP] = "TRAP",
	[SIGABRT] = "ABRT",
	[SIGBUS] = "BUS",
	[SIGFPE] = "FPE",
	[SIGKILL] = "KILL",
	[SIGUSR1] = "USR1",
	[SIGSEGV] = "SEGV",
	[SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE",
	[SIGALRM] = "ALRM",
	[SIGTERM] = "TERM",
	[SIGCHLD] = "CHLD",
	[SIGCONT] = "CONT",
	[SIGSTOP] = "STOP",
	[SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN",
	[SIGTTOU] = "TTOU",
	[SIGURG] = "URG",
	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ",
	[SIGVTALRM] = "VTALRM",
	[SIGPROF] = "PROF",
	[SIGWINCH] = "WINCH",
	[SIGIO] = "IO",
	[SIGPWR] = "PWR",
	[SIGSYS] = "SYS",
#ifdef SIGSTKFLT
	[SIGSTKFLT] = "STKFLT",
#endif
};

/* Second names of some of them. */
static const struct {
	const char *name;
	int signum;
} signal_aliases[] = {
	{ "IOT", SIGABRT },
	{ "CLD", SIGCHLD },
	{ "POLL", SIGPOLL },
};

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Whole digits at *text, which moves behind them; false if there are none or
 * the number passes max.
 */
static bool
read_digits(const char **text, uint64_t max, uint64_t *out)
{
	const char *p = *text;
	uint64_t value = 0, digit;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++) {
		digit = (uint64_t)(*p - '0');
		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*text = p;
	*out = value;
	return true;
}

static int64_t
unit_ms(const char *unit)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{ "", 1000 },
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60000 },
		{ "h", 3600000 },
		{ "d", 86400000 },
	};
	size_t i;

	for (i = 0; i < NELEMS(units); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ms;
	return 0;
}

/*
 * What ".25" at *text comes to in a unit of so many ms, rounded up; *text
 * moves behind it.  Nine digits count, of the others only that they are not
 * all zero.  false if no digit follows the point.
 */
static bool
read_fraction(const char **text, int64_t unit, int64_t *ms)
{
	int64_t part = 0, whole = 1;
	bool more = false;
	const char *p = *text;

	*ms = 0;
	if (*p != '.')
		return true;
	if (!is_digit(*++p))
		return false;
	for (; is_digit(*p); p++) {
		if (whole < 1000000000) {
			part = part * 10 + (*p - '0');
			whole *= 10;
		} else {
			more |= *p != '0';
		}
	}
	*text = p;
	*ms = part * unit / whole;
	*ms += part * unit % whole != 0 || more;
	return true;
}

int
parse_time(const char *text, int64_t *ms)
{
	const char *p = text, *point;
	int64_t unit, fraction;
	uint64_t whole;

	if (!read_digits(&p, PARSE_TIME_MAX, &whole))
		return -1;
	/* The unit stands behind the fraction, which is counted in it. */
	point = p;
	if (!read_fraction(&p, 1, &fraction))
		return -1;
	unit = unit_ms(p);
	if (unit == 0)
		return -1;
	p = point;
	read_fraction(&p, unit, &fraction);
	if ((int64_t)whole > (PARSE_TIME_MAX - fraction) / unit)
		return -1;
	*ms = (int64_t)whole * unit + fraction;
	return 0;
}

int
parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "BKMGT";
	const char *p = text, *unit;
	unsigned int shift = 0;
	uint64_t value;

	if (!read_digits(&p, UINT64_MAX, &value))
		return -1;
	if (*p != '\0') {
		unit = strchr(units, toupper((unsigned char)*p));
		if (unit == NULL || p[1] != '\0')
			return -1;
		shift = 10 * (unsigned int)(unit - units);
	}
	if (value > UINT64_MAX >> shift)
		return -1;
	*bytes = value << shift;
	return 0;
}

int
parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	const char *p = text + (*text == '-');
	long long value;
	char *end;

	/* strtoll() would also take blanks and a plus sign. */
	if (!is_digit(*p))
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max)
		return -1;
	*out = value;
	return 0;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2". */
static int
parse_realtime(const char *text, int *signum)
{
	int64_t offset = 0;
	int base, sign;

	if (strncasecmp(text, "RTMIN", 5) == 0) {
		base = SIGRTMIN;
		sign = 1;
	} else if (strncasecmp(text, "RTMAX", 5) == 0) {
		base = SIGRTMAX;
		sign = -1;
	} else {
		return -1;
	}
	text += 5;
	if (*text != '\0') {
		if (*text != (sign == 1 ? '+' : '-') ||
		    parse_int(text + 1, 0, SIGRTMAX - SIGRTMIN, &offset) != 0)
			return -1;
	}
	*signum = base + sign * (int)offset;
	return 0;
}

int
parse_signal(const char *text, int *signum)
{
	int64_t number;
	size_t i;

	if (is_digit(*text)) {
		if (parse_int(text, 1, SIGRTMAX, &number) != 0)
			return -1;
		*signum = (int)number;
		return 0;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (i = 1; i < NELEMS(signal_names); i++) {
		if (signal_names[i] != NULL &&
		    strcasecmp(text, signal_names[i]) == 0) {
			*signum = (int)i;
			return 0;
		}
	}
	for (i = 0; i < NELEMS(signal_aliases); i++) {
		if (strcasecmp(text, signal_aliases[i].name) == 0) {
			*signum = signal_aliases[i].signum;
			return 0;
		}
	}
	return parse_realtime(text, signum);
}

const char *
signal_name(int signum)
{
	static char buffer[16];
	size_t index = signum > 0 ? (size_t)signum : 0;

	if (index < NELEMS(signal_names) && signal_names[index] != NULL)
		return signal_names[index];
	if (signum == SIGRTMIN)
		return "RTMIN";
	if (signum > SIGRTMIN && signum <= SIGRTMAX)
		snprintf(buffer, sizeof(buffer), "RTMIN+%d", signum - SIGRTMIN);
	else
		snprintf(buffer, sizeof(buffer), "%d", signum);
	return buffer;
}

/* ":N" from p up to end, a whole number from 1 on. */
static bool
instance_valid(const char *p, const char *end)
{
	if (end - p < 2 || p[1] == '0')
		return false;
	while (++p < end)
		if (!is_digit(*p))
			return false;
	return true;
}

/* One level of a path, not empty. */
static bool
level_valid(const char *level, size_t length, bool instance)
{
	const char *end = level + length, *p;

	for (p = level; p < end; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
		if (*p == ':')
			return p > level && instance && instance_valid(p, end);
	}
	return length > 0;
}

bool
name_valid(const char *name, size_t max, bool path)
{
	size_t length;

	if (strlen(name) > max)
		return false;
	for (;;) {
		length = strcspn(name, "/");
		if (!level_valid(name, length, path))
			return false;
		name += length;
		if (*name == '\0')
			return true;
		if (!path)
			return false;
		name++;
	}
}
