/* SPDX-License-Identifier: ISC */
/*
 * Procfiles: see procfile.h.
 */
#include "runtime/tree/procfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tree/dotenv.h"
#include "runtime/tree/source.h"
#include "runtime/util/parse.h"

#define BLANKS " \t\r"
#define INSTANCES_MAX 100 /* the ports between two lines */
#define PORT_MAX 65535
#define NAME_BYTES \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

struct procfile {
	const struct source *source;
	struct tree_problems *problems;
	char *const *env;
	const char *formation;
	int64_t port;
	int64_t lines; /* that name a process */
	struct spec_supervisor *root;
	size_t room;
	char *directory; /* NULL: the working directory */
};

/* One line: what it says, and where it says it. */
struct line {
	size_t offset;
	char *name;
	char *command;
};

static void
no_memory(struct procfile *file)
{
	tree_problem_add(file->problems, file->source, TREE_PROBLEM_WHOLE,
	    "out of memory");
}

/*
 * How many of a process, by the last item that is about it; -1 if the formation
 * is wrong.
 */
static int64_t
count_instances(const char *formation, const char *name)
{
	const char *item = formation, *end, *equals;
	char number[8];
	int64_t count = 1, value;
	size_t length;

	for (; item != NULL && *item != '\0';
	     item = *end != '\0' ? end + 1 : end) {
		end = item + strcspn(item, ",");
		equals = memchr(item, '=', (size_t)(end - item));
		length = equals != NULL ? (size_t)(end - equals) : 0;
		if (equals == NULL || equals == item || length > sizeof(number))
			return -1;
		memcpy(number, equals + 1, length - 1);
		number[length - 1] = '\0';
		if (parse_int(number, 0, INSTANCES_MAX, &value) != 0)
			return -1;
		length = (size_t)(equals - item);
		if ((length == strlen(name) &&
			strncmp(item, name, length) == 0) ||
		    (length == 3 && strncmp(item, "all", 3) == 0))
			count = value;
	}
	return count;
}

const char *
procfile_formation_check(const char *formation)
{
	_Static_assert(INSTANCES_MAX == 100, "the text tells it");

	return count_instances(formation, "") != -1 ?
	    NULL :
	    "expected a formation such as web=2,worker=3 with numbers from 0 "
	    "to 100";
}

/* Whether the formation can be read, and is about what is there. */
static void
check_formation(struct procfile *file)
{
	const char *item = file->formation, *expected, *id;
	size_t length, width, i;

	if (item == NULL)
		return;
	expected = procfile_formation_check(item);
	if (expected != NULL) {
		tree_problem_add(file->problems, file->source,
		    TREE_PROBLEM_WHOLE, "%s", expected);
		return;
	}
	while (*item != '\0') {
		length = strcspn(item, "=");
		width = strcspn(item, ",");
		/* A process that is given none is not in the tree. */
		for (i = 0; i < file->root->nchildren; i++) {
			id = file->root->children[i].id;
			if (strcspn(id, ".") == length &&
			    strncmp(id, item, length) == 0)
				break;
		}
		if (i == file->root->nchildren &&
		    strncmp(item + length, "=0", 2) != 0 &&
		    (length != 3 || strncmp(item, "all", 3) != 0))
			tree_problem_add(file->problems, file->source,
			    TREE_PROBLEM_WHOLE,
			    "the formation has '%.*s', which is not here",
			    length > 64 ? 64 : (int)length, item);
		item += width + (item[width] == ',');
	}
}

static struct spec_child *
new_child(struct procfile *file)
{
	struct spec_supervisor *root = file->root;
	struct spec_child *grown, *child;

	if (root->nchildren == file->room) {
		grown = reallocarray(root->children, file->room * 2 + 8,
		    sizeof(*grown));
		if (grown == NULL)
			return NULL;
		root->children = grown;
		file->room = file->room * 2 + 8;
	}
	child = &root->children[root->nchildren++];
	spec_child_init(child);
	child->command = calloc(1, sizeof(*child->command));
	if (child->command == NULL)
		return NULL;
	spec_command_init(child->command);
	return child;
}

/* A list of copies, ended with NULL; NULL with errno. */
static char **
copy_list(char *const *from, size_t count, size_t more)
{
	char **list;
	size_t i;

	list = calloc(count + more + 1, sizeof(*list));
	for (i = 0; list != NULL && i < count; i++) {
		list[i] = strdup(from[i]);
		if (list[i] == NULL) {
			dotenv_free(list);
			return NULL;
		}
	}
	return list;
}

static char *__attribute__((format(printf, 1, 2))) format(const char *text, ...)
{
	char *result;
	va_list ap;

	va_start(ap, text);
	if (vasprintf(&result, text, ap) == -1)
		result = NULL;
	va_end(ap);
	return result;
}

/* instance: from 1; count: of how many. */
static bool
fill_child(struct procfile *file, struct spec_child *child,
    const struct line *line, int64_t instance, int64_t count)
{
	struct spec_command *command = child->command;
	char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = { shell, option, line->command };
	long long port = file->port + file->lines * 100 + instance - 1;
	size_t n = 0;

	child->alone = true;
	command->log = SPEC_LOG_PREFIX;
	command->argv = copy_list(argv, 3, 0);
	while (file->env != NULL && file->env[n] != NULL)
		n++;
	command->env = copy_list(file->env, n, 2);
	if (command->argv == NULL || command->env == NULL)
		return false;
	command->env[n] = format("PORT=%lld", port);
	if (command->env[n] == NULL)
		return false;
	command->env[n + 1] = format("PS=%s.%lld", line->name,
	    (long long)instance);
	if (count == 1)
		child->id = strdup(line->name);
	else
		child->id = format("%s.%lld", line->name, (long long)instance);
	if (file->directory != NULL) {
		command->directory = strdup(file->directory);
		if (command->directory == NULL)
			return false;
	}
	return command->env[n + 1] != NULL && child->id != NULL;
}

static void
add_process(struct procfile *file, const struct line *line)
{
	int64_t count = count_instances(file->formation, line->name), i;
	struct spec_child *child;

	if (file->port + file->lines * 100 + count - 1 > PORT_MAX) {
		tree_problem_add(file->problems, file->source, line->offset,
		    "no port is left for '%.64s'", line->name);
		return;
	}
	for (i = 1; i <= count; i++) {
		child = new_child(file);
		if (child == NULL || !fill_child(file, child, line, i, count)) {
			no_memory(file);
			return;
		}
	}
	file->lines++;
}

/* A line in place; what is wrong at *bad, or NULL. */
static const char *
read_line(char *text, struct line *line, const char **bad)
{
	size_t length, end;
	char *p = text;

	line->name = NULL;
	*bad = text;
	end = strlen(p);
	while (end > 0 && strchr(BLANKS, p[end - 1]) != NULL)
		p[--end] = '\0';
	if (*p == '\0' || *p == '#' || p[strspn(p, BLANKS)] == '#')
		return NULL;
	length = strspn(p, NAME_BYTES);
	*bad = p + length;
	if (length == 0 || p[length] != ':')
		return "expected 'name: command', a name being letters, "
		       "digits, '_' and '-'";
	if (length > SPEC_ID_MAX - 5) {
		*bad = p;
		return "expected a shorter name";
	}
	line->command = p + length + 1;
	line->command += strspn(line->command, BLANKS);
	*bad = line->command;
	if (*line->command == '\0')
		return "expected a command";
	p[length] = '\0';
	line->name = p;
	return NULL;
}

static void
read_lines(struct procfile *file)
{
	const struct source *source = file->source;
	const char *bad, *why;
	struct line line;
	size_t at, length;
	char *text;

	for (at = 0; at < source->length; at += length + 1) {
		length = strcspn(source->text + at, "\n");
		text = strndup(source->text + at, length);
		if (text == NULL) {
			no_memory(file);
			return;
		}
		line.offset = at;
		why = read_line(text, &line, &bad);
		if (why != NULL)
			tree_problem_add(file->problems, source,
			    at + (size_t)(bad - text), "%s", why);
		else if (line.name != NULL)
			add_process(file, &line);
		free(text);
	}
}

static void
choose_port(struct procfile *file)
{
	const char *text = getenv("PORT");
	size_t i;

	for (i = 0; file->env != NULL && file->env[i] != NULL; i++)
		if (strncmp(file->env[i], "PORT=", 5) == 0)
			text = file->env[i] + 5;
	if (text == NULL || *text == '\0')
		file->port = 5000;
	else if (parse_int(text, 1, PORT_MAX, &file->port) != 0)
		tree_problem_add(file->problems, file->source,
		    TREE_PROBLEM_WHOLE,
		    "expected PORT to be a number from 1 to %d, got '%.40s'",
		    PORT_MAX, text);
}

/* Where the line of a child begins, for what spec_check() finds. */
static size_t
find_line(const struct source *source, const char *id)
{
	size_t length = strcspn(id, "."), at, found = TREE_PROBLEM_WHOLE;

	/* The last one: it is there twice. */
	for (at = 0; at < source->length;
	     at += strcspn(source->text + at, "\n") + 1)
		if (strncmp(source->text + at, id, length) == 0 &&
		    source->text[at + length] == ':')
			found = at;
	return found;
}

static void
check(struct procfile *file, const struct spec_tree *tree)
{
	const struct spec_child *at = NULL;
	size_t offset = TREE_PROBLEM_WHOLE;
	enum grouper_error error;
	char *why;

	if (file->lines == 0 && !tree_problems_any(file->problems))
		tree_problem_add(file->problems, file->source, 0,
		    "expected 'name: command', got nothing");
	check_formation(file);
	if (tree_problems_any(file->problems))
		return;
	error = spec_check(tree, &why, &at);
	if (error == GROUPER_OK)
		return;
	if (at != NULL)
		offset = find_line(file->source, at->id);
	tree_problem_add(file->problems, file->source, offset, "%s",
	    why != NULL ? why : grouper_strerror(error));
	free(why);
}

/* directory: taken. */
static struct spec_tree *
load(const struct source *source, char *const *env, const char *formation,
    char *directory, struct tree_problems *problems)
{
	struct procfile file = {
		.source = source,
		.problems = problems,
		.env = env,
		.formation = formation,
		.directory = directory,
	};
	struct spec_tree *tree;

	tree = calloc(1, sizeof(*tree));
	if (tree == NULL) {
		no_memory(&file);
	} else {
		spec_supervisor_init(&tree->root);
		file.root = &tree->root;
		choose_port(&file);
		read_lines(&file);
		check(&file, tree);
	}
	free(directory);
	if (tree_problems_any(problems)) {
		spec_free(tree);
		return NULL;
	}
	return tree;
}

/* "dir" of "dir/Procfile"; NULL where there is none. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return NULL;
	return strndup(path, slash > path ? (size_t)(slash - path) : 1);
}

struct spec_tree *
procfile_load(const char *path, const char *formation,
    struct tree_problems *problems)
{
	char *directory = directory_of(path), *dotenv, **env = NULL;
	struct spec_tree *tree = NULL;
	struct source source;

	dotenv = format("%s/.env", directory != NULL ? directory : ".");
	if (dotenv != NULL && access(dotenv, F_OK) == 0)
		env = dotenv_read(dotenv, false, problems);
	free(dotenv);
	if (source_read(&source, path, problems) == 0) {
		tree = load(&source, env, formation, directory, problems);
		directory = NULL;
	}
	free(directory);
	source_fini(&source);
	dotenv_free(env);
	return tree;
}

struct spec_tree *
procfile_load_text(const char *path, const char *text, size_t length,
    char *const *env, const char *formation, struct tree_problems *problems)
{
	struct spec_tree *tree = NULL;
	struct source source;

	if (source_copy(&source, path, text, length, problems) == 0)
		tree = load(&source, env, formation, directory_of(path),
		    problems);
	source_fini(&source);
	return tree;
}
