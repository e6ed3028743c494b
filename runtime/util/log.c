/* SPDX-License-Identifier: ISC */
/*
 * Diagnostics: see log.h.  A message is written by one write(2), so that
 * lines of several processes do not mix.
 */
#include "runtime/util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *log_prefix = "";
static enum log_level log_level = LOG_LEVEL_QUIET;

void
log_open(const char *prefix, enum log_level level)
{
	log_prefix = prefix;
	log_level = level;
}

/* What the line would have been if it did not fit is cut off. */
static size_t
add(char *line, size_t used, const char *format, va_list ap)
{
	int n;

	n = vsnprintf(line + used, LINE_MAX_BYTES - used, format, ap);
	if (n < 0)
		return used;
	used += (size_t)n;
	return used < LINE_MAX_BYTES - 1 ? used : LINE_MAX_BYTES - 1;
}

static size_t __attribute__((format(printf, 3, 4)))
addf(char *line, size_t used, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	used = add(line, used, format, ap);
	va_end(ap);
	return used;
}

/* error: appended as text unless 0. */
static void __attribute__((format(printf, 3, 0)))
emit(enum log_level level, int error, const char *format, va_list ap)
{
	int saved = errno;
	char line[LINE_MAX_BYTES];
	size_t used, i;

	if (level > log_level)
		return;
	used = addf(line, 0, "%s: ", log_prefix);
	used = add(line, used, format, ap);
	if (error != 0)
		used = addf(line, used, ": %s", strerror(error));
	/* Names come from outside: no escape sequence reaches a terminal. */
	for (i = 0; i < used; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[used++] = '\n';
	while (write(STDERR_FILENO, line, used) == -1 && errno == EINTR)
		;
	errno = saved;
}

void
log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(LOG_LEVEL_WARN, errno, format, ap);
	va_end(ap);
}

void
log_warnx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(LOG_LEVEL_WARN, 0, format, ap);
	va_end(ap);
}

void
log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(LOG_LEVEL_INFO, 0, format, ap);
	va_end(ap);
}

void
log_debug(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(LOG_LEVEL_DEBUG, 0, format, ap);
	va_end(ap);
}
