/* SPDX-License-Identifier: ISC */
/*
 * Talkers, see talk.h, in the tree of a test, and what it asks of them.
 */

#ifndef TESTS_TALK_TREE_H
#define TESTS_TALK_TREE_H

#include <stdint.h>
#include <stdio.h>

#include "talk.h"

/* What publishers do. */
struct talk_plan {
	uint32_t broadcasts;  /* of each; 0: without end */
	unsigned int average; /* bytes */
	unsigned int pause;   /* microseconds */
	unsigned long long seed;
};

/* Makes the board in the test's directory. */
struct talk_board *talk_make_board(void);
void talk_free_board(struct talk_board *board);

/* The groups that they broadcast to, a key of the root. */
void talk_write_groups(FILE *tree);

/*
 * Children of a list: the witness, to be the first of them; a listener of this
 * id and number, which chooses its patterns; the publishers, p0 and p1, to be
 * the last.
 */
void talk_write_witness(FILE *tree, int indent);
void talk_write_listener(FILE *tree, int indent, const char *id,
    unsigned int number, unsigned long long seed);
void talk_write_publishers(FILE *tree, int indent,
    const struct talk_plan *plan);

/*
 * Publishes the end until these many listeners and the witness have heard the
 * same one.  Publishers must be idle, or have ended.
 */
void talk_end(const char *host, size_t listeners);

/* Fails the test if a talker saw what must not be. */
void talk_expect_nothing_wrong(void);

#endif
