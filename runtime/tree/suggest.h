/* SPDX-License-Identifier: ISC */
/*
 * What was meant by a word that is misspelt.
 */
#ifndef RUNTIME_TREE_SUGGEST_H
#define RUNTIME_TREE_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *word; /* the nearest so far; NULL */
	size_t distance;
};

/*
 * Takes a word as the suggestion if it is nearer to what was written than
 * the one before, and near enough: a third of its letters may be wrong, left
 * out or in the wrong order.  A suggestion begins as zeros.
 */
void suggest(struct suggestion *suggestion, const char *written,
    const char *word);

#endif
