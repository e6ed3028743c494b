/* SPDX-License-Identifier: ISC */
/*
 * A host of two pipes, see wire.h.
 */
#include "wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
wire_export(const char *variable, int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	ck_assert_int_eq(setenv(variable, text, 1), 0);
}

void
wire_make(struct wire *wire)
{
	int down[2], up[2];

	ck_assert_int_eq(pipe(down), 0);
	ck_assert_int_eq(pipe(up), 0);
	*wire = (struct wire) { .down = down[1],
		.up = up[0],
		.theirs = { down[0], up[1] } };
	ck_assert_int_eq(unsetenv("GROUPER_SOCKET"), 0);
	wire_export("GROUPER_EVENTS_FD", down[0]);
	wire_export("GROUPER_COMMANDS_FD", up[1]);
}

void
wire_open(struct wire *wire)
{
	wire_make(wire);
	ck_assert_int_eq(grouper_member_open(&wire->member), GROUPER_OK);
}

void
wire_close(struct wire *wire)
{
	grouper_member_close(wire->member);
	if (wire->down != -1)
		close(wire->down);
	if (wire->up != -1)
		close(wire->up);
}

void
wire_say_bytes(struct wire *wire, const char *bytes, size_t length)
{
	ck_assert_int_eq(write(wire->down, bytes, length), (ssize_t)length);
}

void
wire_say(struct wire *wire, const char *text)
{
	wire_say_bytes(wire, text, strlen(text));
}

void
wire_hears_bytes(struct wire *wire, const char *bytes, size_t length)
{
	struct pollfd pollfd = { wire->up, POLLIN, 0 };
	char buffer[4096];

	ck_assert_uint_lt(length, sizeof(buffer));
	ck_assert_int_eq(read(wire->up, buffer, sizeof(buffer)),
	    (ssize_t)length);
	ck_assert_mem_eq(buffer, bytes, length);
	ck_assert_int_eq(poll(&pollfd, 1, 0), 0);
}

void
wire_hears(struct wire *wire, const char *text)
{
	wire_hears_bytes(wire, text, strlen(text));
}

struct grouper_message
wire_next(struct wire *wire)
{
	struct grouper_message message;

	ck_assert_int_eq(grouper_member_next(wire->member, 0, &message),
	    GROUPER_OK);
	return message;
}

enum grouper_error
wire_fails(struct wire *wire)
{
	struct grouper_message message;

	return grouper_member_next(wire->member, 0, &message);
}

void
wire_expect(struct wire *wire, unsigned int seq, const char *payload)
{
	struct grouper_message message = wire_next(wire);

	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_EVENT);
	ck_assert_uint_eq(message.seq, seq);
	ck_assert_str_eq(message.payload, payload);
}
