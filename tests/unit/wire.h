/* SPDX-License-Identifier: ISC */
/*
 * A member whose host is no more than two pipes: what the test says goes down
 * one, what the member says comes up by the other.
 */
#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

#include <stddef.h>

#include <grouper/member.h>

#include "support.h"

/* The longest payload: more than any pipe holds. */
#define WIRE_LARGE ((size_t)1 << 20)

struct wire {
	int down;      /* to the member; the test may close it: -1 */
	int up;	       /* from it; likewise */
	int theirs[2]; /* the member's ends */
	struct grouper_member *member;
};

/* The pipes and the variables that name them; wire_open() opens the member. */
void wire_make(struct wire *wire);
void wire_open(struct wire *wire);
void wire_close(struct wire *wire);

/* Sets a variable to a number. */
void wire_export(const char *variable, int fd);

/* As the host says it. */
void wire_say(struct wire *wire, const char *text);
void wire_say_bytes(struct wire *wire, const char *bytes, size_t length);

/* What the member wrote must be this and nothing else. */
void wire_hears(struct wire *wire, const char *text);
void wire_hears_bytes(struct wire *wire, const char *bytes, size_t length);

/* The message that must be there; wire_expect(): an event of this number. */
struct grouper_message wire_next(struct wire *wire);
void wire_expect(struct wire *wire, unsigned int seq, const char *payload);

/* What grouper_member_next() says, without waiting. */
enum grouper_error wire_fails(struct wire *wire);

#endif
