/* SPDX-License-Identifier: ISC */
/*
 * Options that many verbs have in common, and how any are read.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>

#include "runtime/bus/words.h"

/* Values of long options without a letter; a verb's own begin at the last. */
enum {
	OPTIONS_HOST_VALUE = UCHAR_MAX + 1,
	OPTIONS_JSON_VALUE,
	OPTIONS_OWN,
};

/* Entries of getopt's table, and the letters and lines of help to them. */
#define OPTIONS_HOST \
	{ "socket", required_argument, NULL, 's' }, \
	{ \
		"host", required_argument, NULL, OPTIONS_HOST_VALUE \
	}
#define OPTIONS_HOST_LETTERS "s:"
#define OPTIONS_HOST_HELP \
	"  -s, --socket SOCKET  the host that listens there\n" \
	"      --host NAME      the host of this name\n"
#define OPTIONS_JSON \
	{ \
		"json", no_argument, NULL, OPTIONS_JSON_VALUE \
	}
/* For a verb with no options of its own; one that has takes both itself. */
#define OPTIONS_TELL \
	{ "quiet", no_argument, NULL, 'q' }, \
	{ \
		"verbose", no_argument, NULL, 'v' \
	}
#define OPTIONS_TELL_LETTERS "qv"
#define OPTIONS_END \
	{ "help", no_argument, NULL, 'h' }, \
	    { "version", no_argument, NULL, 'V' }, \
	{ \
		NULL, 0, NULL, 0 \
	}

struct options {
	const char *verb;
	const char *help;   /* NULL: the verb takes 'h' itself */
	const char *socket; /* NULL: not given, as the next */
	const char *host;
	bool json;
	bool quiet; /* of OPTIONS_TELL */
};

/* An option of the verb's own.  -1 to go on, or an exit status. */
typedef int options_own_fn(int opt, char *value, void *arg);

/*
 * Reads options up to the first argument, optind.  letters are getopt's, "h"
 * and "V" left out, and begin with ':' or "+:"; own is NULL if there are none.
 *
 * Returns -1, or an exit status: the options said enough, or were refused.
 */
int options_read(struct options *options, int argc, char **argv,
    const char *letters, const struct option *table, options_own_fn *own,
    void *arg);

/*
 * The next argument, which must be such a word, and UTF-8 for JSON; NULL if
 * not, and it is said.  title: with its article, "a TOPIC".
 */
const char *options_word(const char *verb, char **argv, enum word_kind kind,
    const char *title);

/*
 * The next argument, which must be one of the actions of a verb: a table of
 * count structs of this size that begin with their name, a string.  NULL if
 * it is none, and it is said.
 */
const void *options_action(const char *verb, char **argv, const void *table,
    size_t size, size_t count);

/* Behind the last argument: TOOL_OK, or TOOL_USAGE and it is said. */
int options_no_more(const char *verb, char **argv);

#endif
