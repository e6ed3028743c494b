/* SPDX-License-Identifier: ISC */
/*
 * The words of messages, names and settings, and what is told about those
 * that cannot be.  Pure.
 */
#ifndef RUNTIME_BUS_WORDS_H
#define RUNTIME_BUS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum word_kind {
	WORD_TOPIC,
	WORD_PATTERN,
	WORD_GROUP, /* of topics */
	WORD_EVENT,
	WORD_NAME, /* that a process registers */
	WORD_KEY,  /* of a setting */
};

/* Room for any line about a word. */
#define WORD_WHY_SIZE 256

/*
 * Whether a text may be such a word.  If not, why receives a line for people:
 * which word it is, what was expected and what was given.
 */
bool word_valid(enum word_kind kind, const char *text, char why[WORD_WHY_SIZE]);

#endif
