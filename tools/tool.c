/* SPDX-License-Identifier: ISC */
/*
 * Output of the verbs: see tool.h.  Without stdio, whose buffers `run` would
 * only load to say nothing.
 */
#include "tools/tool.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 4096

int
tool_write(int fd, const char *text, unsigned long length)
{
	ssize_t n;

	while (length > 0) {
		n = write(fd, text, length);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		text += n;
		length -= (unsigned long)n;
	}
	return 0;
}

/* Adds to a line, leaving room for its end; what does not fit is cut off. */
static size_t __attribute__((format(printf, 3, 0)))
add(char *line, size_t used, const char *format, va_list ap)
{
	size_t room = LINE_BYTES - 2 - used;
	int n;

	n = vsnprintf(line + used, room, format, ap);
	if (n < 0)
		return used;
	return used + ((size_t)n < room ? (size_t)n : room - 1);
}

static int
finish(int fd, bool raw, char *line, size_t used)
{
	size_t i;

	for (i = 0; i < used; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	if (raw)
		line[used++] = '\r';
	line[used++] = '\n';
	return tool_write(fd, line, used);
}

int
tool_line(int fd, bool raw, const char *format, ...)
{
	char line[LINE_BYTES];
	size_t used;
	va_list ap;

	va_start(ap, format);
	used = add(line, 0, format, ap);
	va_end(ap);
	return finish(fd, raw, line, used);
}

void
tool_error(const char *verb, const char *format, ...)
{
	int saved = errno;
	char line[LINE_BYTES];
	size_t used;
	va_list ap;

	strcpy(line, "grouper");
	if (verb != NULL) {
		strcat(line, " ");
		strcat(line, verb);
	}
	strcat(line, ": ");
	used = strlen(line);
	va_start(ap, format);
	used = add(line, used, format, ap);
	va_end(ap);
	finish(STDERR_FILENO, false, line, used);
	errno = saved;
}

void
tool_lines(const char *text)
{
	size_t length;

	for (; *text != '\0'; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		tool_line(STDERR_FILENO, false, "%.*s", (int)length, text);
	}
}

void
tool_trouble(const char *verb, const char *whom, const char *text)
{
	size_t length = strcspn(text, "\n");

	tool_error(verb, "%s%s%.*s", whom != NULL ? whom : "",
	    whom != NULL ? ": " : "", (int)length, text);
	if (text[length] == '\n')
		tool_lines(text + length + 1);
}

int
tool_printed(const char *verb)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TOOL_OK;
	tool_error(verb, "standard output: %s", strerror(errno));
	return TOOL_NO;
}

bool
tool_colours(int fd)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return (none == NULL || *none == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0 && isatty(fd);
}

void
tool_bad_option(const char *verb, int opt, char **argv)
{
	const char *text = argv[optind - 1];

	/* Long options have values above every letter, unknown ones 0. */
	if (opt == '?' && optopt > 0 && optopt <= UCHAR_MAX)
		tool_error(verb,
		    "unknown option '-%c': see 'grouper %s --help'", optopt,
		    verb);
	else if (opt == ':')
		tool_error(verb,
		    "option '%s' expects a value: see 'grouper %s --help'",
		    text, verb);
	else if (optopt != 0)
		tool_error(verb, "option '%s' takes no value", text);
	else
		tool_error(verb, "unknown option '%s': see 'grouper %s --help'",
		    text, verb);
}
