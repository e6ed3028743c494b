/* SPDX-License-Identifier: ISC */
/*
 * Files of variables: see dotenv.h.
 */
#include "runtime/tree/dotenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/tree/source.h"
#include "runtime/util/fd.h"

#define BLANKS " \t\r\n"
#define FILE_MAX ((size_t)16 << 20)

struct list {
	char **vars;
	size_t count;
	size_t room;
};

/*
 * Takes the quotes off a value, in place.  NULL, or where the byte is that
 * does not belong there.
 */
static const char *
unquote(char *value)
{
	char quote = *value, *from = value, *to = value;

	if (quote != '\'' && quote != '"') {
		to += strlen(to);
		while (to > value && strchr(BLANKS, to[-1]) != NULL)
			to--;
		*to = '\0';
		return NULL;
	}
	for (from++; *from != quote; from++) {
		if (*from == '\0')
			return value;
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
	from++;
	*to = '\0';
	from += strspn(from, BLANKS);
	return *from == '\0' ? NULL : from;
}

/* One line, changed in place: NULL in *var where it holds none. */
static const char *
read_line(char *line, char **var, const char **bad)
{
	char *equals;

	*var = NULL;
	line += strspn(line, BLANKS);
	if (*line == '\0' || *line == '#')
		return NULL;
	if (strncmp(line, "export ", 7) == 0)
		line += 7 + strspn(line + 7, BLANKS);
	*bad = line;
	equals = strchr(line, '=');
	if (equals == NULL || equals == line ||
	    strcspn(line, BLANKS) < (size_t)(equals - line))
		return "expected NAME=VALUE";
	*var = line;
	*bad = unquote(equals + 1);
	if (*bad == NULL)
		return NULL;
	return *bad == equals + 1 ? "expected the quote to end on this line" :
				    "expected nothing behind the quote";
}

static int
push(struct list *list, const char *var)
{
	char **grown;

	if (list->count + 1 >= list->room) {
		grown = reallocarray(list->vars, list->room * 2 + 8,
		    sizeof(*grown));
		if (grown == NULL)
			return -1;
		list->vars = grown;
		list->room = list->room * 2 + 8;
	}
	list->vars[list->count] = strdup(var);
	if (list->vars[list->count] == NULL)
		return -1;
	list->vars[++list->count] = NULL;
	return 0;
}

static void
parse_lines(struct list *list, const struct source *source,
    struct tree_problems *problems)
{
	const char *text = source->text, *end, *bad, *why;
	size_t at, next;
	char *line, *var;

	for (at = 0; at < source->length; at = next) {
		end = memchr(text + at, '\n', source->length - at);
		next = end != NULL ? (size_t)(end - text) + 1 : source->length;
		line = strndup(text + at, next - at);
		if (line == NULL) {
			tree_problem_add(problems, source, at, "out of memory");
			return;
		}
		if (strlen(line) != next - at) {
			var = NULL;
			bad = line + strlen(line);
			why = "expected text, got a NUL byte";
		} else {
			why = read_line(line, &var, &bad);
		}
		if (why != NULL)
			tree_problem_add(problems, source,
			    at + (size_t)(bad - line), "%s", why);
		else if (var != NULL && push(list, var) != 0)
			tree_problem_add(problems, source, at, "out of memory");
		free(line);
	}
}

char **
dotenv_parse(const char *path, const char *text, size_t length,
    struct tree_problems *problems)
{
	/* Only read: neither is changed through it. */
	const struct source source = {
		.path = (char *)(uintptr_t)path,
		.text = (char *)(uintptr_t)text,
		.length = length,
	};
	struct list list = { .vars = NULL };
	size_t before = problems->count + problems->more;

	list.vars = calloc(1, sizeof(*list.vars));
	if (list.vars == NULL)
		tree_problem_add(problems, &source, TREE_PROBLEM_WHOLE,
		    "out of memory");
	else
		parse_lines(&list, &source, problems);
	if (problems->count + problems->more != before) {
		dotenv_free(list.vars);
		return NULL;
	}
	return list.vars;
}

/* All of a file, with a NUL behind it; NULL with errno, ESPIPE for a FIFO. */
static char *
read_file(const char *path, bool may_wait, size_t *length)
{
	char *text = NULL;
	struct stat st;
	int fd;

	if (may_wait)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return NULL;
	if (may_wait || (fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode)))
		text = fd_read_all(fd, FILE_MAX, length);
	else
		errno = ESPIPE;
	fd_close(&fd);
	return text;
}

char **
dotenv_read(const char *path, bool may_wait, struct tree_problems *problems)
{
	const struct source source = { .path = (char *)(uintptr_t)path };
	char **list, *text;
	size_t length;
	int saved;

	text = read_file(path, may_wait, &length);
	if (text == NULL) {
		saved = errno;
		tree_problem_add(problems, &source, TREE_PROBLEM_WHOLE, "%s",
		    saved == ESPIPE ? "expected a file, got a FIFO" :
				      strerror(saved));
		errno = saved;
		return NULL;
	}
	list = dotenv_parse(path, text, length, problems);
	free(text);
	if (list == NULL)
		errno = EINVAL;
	return list;
}

void
dotenv_free(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}
