/* SPDX-License-Identifier: ISC */
/*
 * What is wrong with a file, and where: for people, all at once.
 */
#ifndef RUNTIME_TREE_PROBLEM_H
#define RUNTIME_TREE_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TREE_PROBLEMS_MAX 20
#define TREE_PROBLEM_WHOLE SIZE_MAX /* an offset: the whole file's */

struct source;

struct tree_problem {
	char *file;
	unsigned int line; /* from 1; 0: the file as a whole */
	unsigned int column;
	char *text;   /* "unknown key 'restrat', did you mean 'restart'?" */
	char *source; /* the line, or some of it; NULL without a line */
	unsigned int caret; /* characters before the column in source */
};

/* The first ones in the order of the file. */
struct tree_problems {
	struct tree_problem list[TREE_PROBLEMS_MAX];
	size_t count;
	size_t more; /* that found no room */
};

void tree_problems_init(struct tree_problems *problems);
void tree_problems_fini(struct tree_problems *problems);

/*
 * Adds one, at a byte of the source; a repetition is dropped.  Where there is
 * no memory for it, it counts as one more.
 */
void tree_problem_add(struct tree_problems *problems,
    const struct source *source, size_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tree_problem_vadd(struct tree_problems *problems,
    const struct source *source, size_t offset, const char *format, va_list ap)
    __attribute__((format(printf, 4, 0)));

/* Whether there are any, counted or not. */
bool tree_problems_any(const struct tree_problems *problems);

/*
 * Prints "FILE:LINE:COLUMN: error: text", the line and a caret below the
 * column.  Control characters are shown as '?'.
 */
void tree_problem_print(FILE *stream, const struct tree_problem *problem,
    bool colour);

/* All of them, and how many more there are. */
void tree_problems_print(FILE *stream, const struct tree_problems *problems,
    bool colour);

#endif
