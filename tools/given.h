/* SPDX-License-Identifier: ISC */
/*
 * The settings of a host that its command line gives: the options --config
 * and --config-file of whatever verb begins one.
 */
#ifndef TOOLS_GIVEN_H
#define TOOLS_GIVEN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct grouper_host;

/* In the order of the options.  Zero is an empty one. */
struct given {
	struct given_item {
		char *text; /* KEY=VALUE, or the name of a file */
		bool is_file;
	} * items;
	size_t count;
};

/*
 * Stores the value of an option, which must outlive it.  Returns NULL, or
 * what was expected: a static text that goes on after "expected".
 */
const char *given_add(struct given *given, char *value, bool is_file);
void given_fini(struct given *given);

/*
 * What they make, files read: an object to be released; NULL, and the verb
 * has said why.
 */
json_t *given_read(const struct given *given, const char *verb);

/* Gives them to a host.  Makes no bus for none.  0; -1, and it is said. */
int given_put(const json_t *settings, struct grouper_host *host,
    const char *verb);

#endif
