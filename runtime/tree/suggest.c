/* SPDX-License-Identifier: ISC */
/*
 * Nearest words: see suggest.h.
 */
#include "runtime/tree/suggest.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 31

static size_t
least(size_t one, size_t other)
{
	return one < other ? one : other;
}

/*
 * Letters to change, insert, leave out or swap with the next one: the optimal
 * string alignment, by three rows of the table.
 */
static size_t
distance(const char *one, size_t length, const char *other, size_t width)
{
	size_t rows[3][WORD_MAX + 1], i, k;
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (k = 0; k <= width; k++)
		above[k] = k;
	for (i = 1; i <= length; i++) {
		row[0] = i;
		for (k = 1; k <= width; k++) {
			row[k] = above[k - 1] + (one[i - 1] != other[k - 1]);
			row[k] = least(row[k], above[k] + 1);
			row[k] = least(row[k], row[k - 1] + 1);
			if (i > 1 && k > 1 && one[i - 1] == other[k - 2] &&
			    one[i - 2] == other[k - 1])
				row[k] = least(row[k], before[k - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[width];
}

void
suggest(struct suggestion *suggestion, const char *written, const char *word)
{
	size_t length = strlen(written), width = strlen(word), d;

	if (length > WORD_MAX || width > WORD_MAX || length == 0)
		return;
	d = distance(written, length, word, width);
	if (strcasecmp(written, word) == 0)
		d = 0;
	if (d > (length + 2) / 3 || d >= width)
		return;
	if (suggestion->word == NULL || d < suggestion->distance) {
		suggestion->word = word;
		suggestion->distance = d;
	}
}
