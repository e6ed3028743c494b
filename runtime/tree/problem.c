/* SPDX-License-Identifier: ISC */
/*
 * Problems of a file: see problem.h.
 */
#include "runtime/tree/problem.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/tree/source.h"

/* Bytes of a line that are shown before and after the column. */
#define SHOWN_BEFORE 60
#define SHOWN_AFTER 60
#define TEXT_MAX 400

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

void
tree_problems_init(struct tree_problems *problems)
{
	memset(problems, 0, sizeof(*problems));
}

static void
fini(struct tree_problem *problem)
{
	free(problem->file);
	free(problem->text);
	free(problem->source);
}

void
tree_problems_fini(struct tree_problems *problems)
{
	while (problems->count > 0)
		fini(&problems->list[--problems->count]);
	problems->more = 0;
}

bool
tree_problems_any(const struct tree_problems *problems)
{
	return problems->count > 0 || problems->more > 0;
}

static bool
within_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The line around a byte of it, not longer than fits a screen. */
static char *
cut_line(const struct source *source, size_t offset, unsigned int *caret)
{
	const char *text = source->text, *at, *start, *end;

	at = text + (offset < source->length ? offset : source->length);
	/* Right behind the last newline is the end of the line before. */
	start = at;
	while (start > text && start[-1] != '\n' && start[-1] != '\r' &&
	    at - start < SHOWN_BEFORE)
		start--;
	while (start < at && within_character(*start))
		start++;
	end = at;
	while (*end != '\0' && *end != '\n' && *end != '\r' &&
	    end - at < SHOWN_AFTER)
		end++;
	while (end > at && within_character(*end))
		end--;
	for (*caret = 0; at > start; at--)
		*caret += !within_character(at[-1]);
	return strndup(start, (size_t)(end - start));
}

static bool
fill(struct tree_problem *problem, const struct source *source, size_t offset,
    const char *text)
{
	memset(problem, 0, sizeof(*problem));
	problem->file = strdup(source->path != NULL ? source->path : "-");
	problem->text = strdup(text);
	if (offset != TREE_PROBLEM_WHOLE && source->text != NULL) {
		source_place(source, offset, &problem->line, &problem->column);
		problem->source = cut_line(source, offset, &problem->caret);
	}
	return problem->file != NULL && problem->text != NULL &&
	    (problem->line == 0 || problem->source != NULL);
}

/* <0, 0, >0 as the one stands before, at or behind the other. */
static int
compare(const struct tree_problem *one, const struct tree_problem *other)
{
	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	if (one->column != other->column)
		return one->column < other->column ? -1 : 1;
	return 0;
}

/* Takes the problem, keeps the first of them in order. */
static void
insert(struct tree_problems *problems, struct tree_problem *problem)
{
	struct tree_problem *list = problems->list;
	size_t at = problems->count;

	while (at > 0 && compare(problem, &list[at - 1]) < 0)
		at--;
	if (at == TREE_PROBLEMS_MAX) {
		problems->more++;
		fini(problem);
		return;
	}
	if (problems->count == TREE_PROBLEMS_MAX) {
		problems->more++;
		fini(&list[--problems->count]);
	}
	memmove(list + at + 1, list + at,
	    (problems->count - at) * sizeof(*list));
	list[at] = *problem;
	problems->count++;
}

static bool
known(const struct tree_problems *problems, const struct tree_problem *problem)
{
	size_t i;

	for (i = 0; i < problems->count; i++)
		if (compare(&problems->list[i], problem) == 0 &&
		    strcmp(problems->list[i].text, problem->text) == 0 &&
		    strcmp(problems->list[i].file, problem->file) == 0)
			return true;
	return false;
}

void
tree_problem_vadd(struct tree_problems *problems, const struct source *source,
    size_t offset, const char *format, va_list ap)
{
	struct tree_problem problem;
	char text[TEXT_MAX];

	/* Nobody reads thousands: their places are not even looked up. */
	if (problems->more > TREE_PROBLEMS_MAX) {
		problems->more++;
		return;
	}
	vsnprintf(text, sizeof(text), format, ap);
	if (!fill(&problem, source, offset, text)) {
		fini(&problem);
		problems->more++;
	} else if (known(problems, &problem)) {
		fini(&problem);
	} else {
		insert(problems, &problem);
	}
}

void
tree_problem_add(struct tree_problems *problems, const struct source *source,
    size_t offset, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tree_problem_vadd(problems, source, offset, format, ap);
	va_end(ap);
}

static void
print_clean(FILE *stream, const char *text, bool tabs)
{
	for (; *text != '\0'; text++) {
		if ((*text == '\t' && tabs) ||
		    ((unsigned char)*text >= ' ' && *text != 0x7f))
			putc(*text, stream);
		else
			putc('?', stream);
	}
}

/* Tabs stay tabs, so that the caret stands where the terminal put them. */
static void
print_caret(FILE *stream, const struct tree_problem *problem, bool colour)
{
	const char *p = problem->source;
	unsigned int left = problem->caret;

	for (; left > 0 && *p != '\0'; left--) {
		putc(*p == '\t' ? '\t' : ' ', stream);
		for (p++; within_character(*p); p++)
			continue;
	}
	fprintf(stream, "%s^%s\n", colour ? GREEN : "", colour ? PLAIN : "");
}

void
tree_problem_print(FILE *stream, const struct tree_problem *problem,
    bool colour)
{
	fputs(colour ? BOLD : "", stream);
	print_clean(stream, problem->file, false);
	if (problem->line > 0)
		fprintf(stream, ":%u:%u", problem->line, problem->column);
	fprintf(stream, ": %serror:%s ", colour ? RED : "",
	    colour ? PLAIN : "");
	print_clean(stream, problem->text, false);
	putc('\n', stream);
	if (problem->source == NULL)
		return;
	print_clean(stream, problem->source, true);
	putc('\n', stream);
	print_caret(stream, problem, colour);
}

void
tree_problems_print(FILE *stream, const struct tree_problems *problems,
    bool colour)
{
	size_t i;

	for (i = 0; i < problems->count; i++)
		tree_problem_print(stream, &problems->list[i], colour);
	/* Without memory not even one could be kept. */
	if (problems->count == 0 && problems->more > 0)
		fputs("grouper: error: out of memory\n", stream);
	else if (problems->more > 0)
		fprintf(stream, "and %zu more\n", problems->more);
}
