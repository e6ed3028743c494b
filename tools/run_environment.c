/* SPDX-License-Identifier: ISC */
/*
 * The environment of a command: see run_environment.h.
 */
#include "tools/run_environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

#define BLANKS " \t\r\n"

/*
 * Takes the quotes off a value, in place: within "..." a backslash stands
 * before \, ", $ and `, and \n is a newline; '...' holds anything.  A value
 * without quotes ends before the blanks at the end of its line.  false if
 * the quote does not end.
 */
static bool
unquote(char *value)
{
	char quote = *value, *from = value, *to = value;

	if (quote != '\'' && quote != '"') {
		to += strlen(to);
		while (to > value && strchr(BLANKS, to[-1]) != NULL)
			to--;
		*to = '\0';
		return true;
	}
	for (from++; *from != quote; from++) {
		if (*from == '\0')
			return false;
		if (quote == '"' && *from == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from++;
			continue;
		}
		if (quote == '"' && *from == '\\' && from[1] != '\0' &&
		    strchr("\\\"$`", from[1]) != NULL)
			from++;
		*to++ = *from;
	}
	*to = '\0';
	from++;
	return from[strspn(from, BLANKS)] == '\0';
}

/* One line, changed in place: NULL where it holds none.  false if bad. */
static bool
read_line(char *line, char **var)
{
	char *equals;

	*var = NULL;
	line += strspn(line, BLANKS);
	if (*line == '\0' || *line == '#')
		return true;
	if (strncmp(line, "export ", 7) == 0)
		line += 7 + strspn(line + 7, BLANKS);
	equals = strchr(line, '=');
	if (equals == NULL || equals == line ||
	    strcspn(line, BLANKS) < (size_t)(equals - line))
		return false;
	*var = line;
	return unquote(equals + 1);
}

/* 0, or -1 after telling. */
static int
read_stream(struct environment *env, FILE *stream, const char *path)
{
	unsigned int number = 0;
	char *line, *var;
	size_t room;
	ssize_t length;

	for (;;) {
		line = NULL;
		room = 0;
		length = getline(&line, &room, stream);
		if (length == -1)
			break;
		number++;
		if (strlen(line) != (size_t)length || !read_line(line, &var)) {
			tool_error("run", "%s:%u: expected NAME=VALUE", path,
			    number);
			free(line);
			return -1;
		}
		/* The line lives on as the variable. */
		if (environment_own(env, line) != 0 ||
		    (var != NULL && environment_put(env, var) != 0))
			break;
	}
	if (length == -1)
		free(line);
	if (length != -1 || ferror(stream)) {
		tool_error("run", "cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

static int
read_file(struct environment *env, const char *path)
{
	FILE *stream;
	int result;

	stream = fopen(path, "re");
	if (stream == NULL) {
		tool_error("run", "cannot read the environment file %s: %s",
		    path, strerror(errno));
		return -1;
	}
	result = read_stream(env, stream, path);
	fclose(stream);
	return result;
}

int
environment_apply(struct environment *env, const struct run_options *options)
{
	size_t i;

	for (i = 0; i < options->nenv_files; i++)
		if (read_file(env, options->env_files[i]) != 0)
			return -1;
	for (i = 0; i < options->nenv; i++) {
		if (environment_put(env, options->env[i]) != 0) {
			tool_error("run", "environment: %s", strerror(errno));
			return -1;
		}
	}
	return 0;
}
