/* SPDX-License-Identifier: ISC */
/*
 * The member's side: what it sends up, and whose the pipes are.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"
#include "wire.h"

START_TEST(what_is_published_goes_up_as_a_frame)
{
	struct wire wire;

	wire_open(&wire);
	ck_assert_int_eq(grouper_member_publish(wire.member, "room:a", "said",
			     "\0\n\377", 3),
	    GROUPER_OK);
	wire_hears_bytes(&wire, "P room:a said 3\n\0\n\377\n", 20);
	ck_assert_int_eq(grouper_member_publish_others(wire.member, "a", "b",
			     "x", 1),
	    GROUPER_OK);
	wire_hears(&wire, "O a b 1\nx\n");
	ck_assert_int_eq(grouper_member_broadcast(wire.member, ":team:", "b",
			     NULL, 0),
	    GROUPER_OK);
	wire_hears(&wire, "B :team: b 0\n\n");
	wire_close(&wire);
}
END_TEST

START_TEST(a_message_can_be_published_on_as_it_lies)
{
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "E 1 a b - 3\nx y\n");
	message = wire_next(&wire);
	ck_assert_int_eq(grouper_member_publish(wire.member, message.topic,
			     message.event, message.payload, message.length),
	    GROUPER_OK);
	wire_hears(&wire, "P a b 3\nx y\n");
	ck_assert_str_eq(message.payload, "x y");
	wire_close(&wire);
}
END_TEST

static void
publish_large(void *arg)
{
	struct wire *wire = arg;
	char *letters = malloc(WIRE_LARGE);

	/* It is the child that is the member here. */
	close(wire->up);
	ck_assert_int_eq(grouper_member_open(&wire->member), GROUPER_OK);
	memset(letters, 'x', WIRE_LARGE);
	ck_assert_int_eq(grouper_member_publish(wire->member, "a", "b", letters,
			     WIRE_LARGE + 1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_publish(wire->member, "a", "b", letters,
			     WIRE_LARGE),
	    GROUPER_OK);
	grouper_member_close(wire->member);
	free(letters);
}

/* _i: whether the pipe does not block. */
START_TEST(a_large_frame_goes_up_whole)
{
	static char buffer[65536];
	struct wire wire;
	size_t length = 0;
	ssize_t n;
	pid_t pid;

	wire_make(&wire);
	if (_i == 1)
		ck_assert_int_eq(fcntl(wire.theirs[1], F_SETFL, O_NONBLOCK), 0);
	pid = trial_fork(publish_large, &wire);
	close(wire.theirs[0]);
	close(wire.theirs[1]);
	while ((n = read(wire.up, buffer, sizeof(buffer))) > 0) {
		if (length == 0)
			ck_assert_mem_eq(buffer, "P a b 1048576\nxxx", 17);
		length += (size_t)n;
	}
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(length, 14 + WIRE_LARGE + 1);
	trial_join(pid);
	wire_close(&wire);
}
END_TEST

START_TEST(what_cannot_be_sent_is_refused)
{
	static const char *const names[] = { "", "a b", "a\n", ":a",
		"a:", "\x7f", NULL };
	struct grouper_message message;
	struct wire wire;
	char longest[257];
	size_t i;

	wire_open(&wire);
	memset(longest, 'n', 256);
	longest[256] = '\0';
	for (i = 0; names[i] != NULL; i++) {
		ck_assert_int_eq(grouper_member_publish(wire.member, names[i],
				     "e", NULL, 0),
		    GROUPER_INVALID);
		ck_assert_int_eq(grouper_member_subscribe(wire.member, names[i],
				     0),
		    GROUPER_INVALID);
	}
	ck_assert_int_eq(grouper_member_publish(wire.member, longest, "e", NULL,
			     0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_publish(wire.member, "a", "e f", NULL,
			     0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_publish(wire.member, "a", "e", NULL, 1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_publish(wire.member, NULL, "e", NULL,
			     0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_broadcast(wire.member, "g h", "e", NULL,
			     0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a b*", 0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_unsubscribe(wire.member, NULL, 0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_next(wire.member, 0, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_next(NULL, 0, &message),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_fd(NULL), -1);
	ck_assert_int_eq(grouper_member_open(NULL), GROUPER_INVALID);
	/* Nothing of it was sent. */
	ck_assert_int_eq(grouper_member_publish(wire.member, "a", "b", "", 0),
	    GROUPER_OK);
	wire_hears(&wire, "P a b 0\n\n");
	wire_close(&wire);
}
END_TEST

START_TEST(nobody_reading_is_an_error_and_no_signal)
{
	sigset_t pipe, pending;
	struct wire wire;

	wire_open(&wire);
	close(wire.up);
	wire.up = -1;
	/* SIGPIPE would end this process. */
	ck_assert_ptr_eq(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	ck_assert_int_eq(grouper_member_publish(wire.member, "a", "b", "x", 1),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", -1),
	    GROUPER_NO_GROUP);
	/* One that was on its way stays so. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &pipe, NULL), 0);
	ck_assert_int_eq(raise(SIGPIPE), 0);
	ck_assert_int_eq(grouper_member_publish(wire.member, "a", "b", "x", 1),
	    GROUPER_NO_GROUP);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	wire_close(&wire);
}
END_TEST

/* A member that asks, whose host then reads nothing any more. */
static void
ask_in_child(struct wire *wire, void (*fn)(void *))
{
	pid_t pid;

	wire_make(wire);
	pid = trial_fork(fn, wire);
	close(wire->theirs[0]);
	close(wire->theirs[1]);
	wire_hears(wire, "S a\n");
	wire_say(wire, "E 1 a b - 1\nx\n");
	close(wire->up);
	wire->up = -1;
	trial_join(pid);
	wire_close(wire);
}

static void
subscribe_in_vain(void *arg)
{
	struct wire *wire = arg;

	close(wire->up);
	ck_assert_int_eq(grouper_member_open(&wire->member), GROUPER_OK);
	ck_assert_int_eq(grouper_member_subscribe(wire->member, "a", -1),
	    GROUPER_NO_GROUP);
	wire_expect(wire, 1, "x");
	ck_assert_int_eq(wire_fails(wire), GROUPER_TIMED_OUT);
	grouper_member_close(wire->member);
}

START_TEST(a_request_that_nobody_will_confirm_fails)
{
	struct wire wire;

	ask_in_child(&wire, subscribe_in_vain);
}
END_TEST

static void
await_in_vain(void *arg)
{
	struct grouper_message message;
	struct wire *wire = arg;

	close(wire->up);
	ck_assert_int_eq(grouper_member_open(&wire->member), GROUPER_OK);
	ck_assert_int_eq(grouper_member_subscribe(wire->member, "a", 0),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_member_next(wire->member, -1, &message),
	    GROUPER_OK);
	ck_assert_uint_eq(message.seq, 1);
	ck_assert_int_eq(grouper_member_next(wire->member, -1, &message),
	    GROUPER_NO_GROUP);
	/* Events still come. */
	ck_assert_int_eq(wire_fails(wire), GROUPER_TIMED_OUT);
	wire_say(wire, "E 2 a b - 1\ny\n");
	wire_expect(wire, 2, "y");
	grouper_member_close(wire->member);
}

START_TEST(who_awaits_a_confirmation_is_told_that_none_will_come)
{
	struct wire wire;

	ask_in_child(&wire, await_in_vain);
}
END_TEST

static void
try_as_child(void *arg)
{
	struct wire *wire = arg;
	struct grouper_message message;
	pid_t pid;
	char *json;
	int yes;

	ck_assert_int_eq(grouper_member_next(wire->member, -1, &message),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_subscribe(wire->member, "a", -1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_unsubscribe(wire->member, "a", -1),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_publish(wire->member, "a", "b", "", 0),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_fd(wire->member), -1);
	ck_assert_int_eq(grouper_member_register(wire->member, "a", 0, &yes),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_whereis(wire->member, "a", &pid),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_config_get(wire->member, "a", &json),
	    GROUPER_INVALID);
	grouper_member_close(wire->member);
}

START_TEST(a_forked_child_takes_nothing_from_its_parent)
{
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire,
	    "E 1 a b - 1\nx\nR a\nE 2 a b - 1\ny\nE 3 a b - 1\nz\n");
	/* One that is kept, one that was read, and one in the pipe. */
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", -1),
	    GROUPER_OK);
	wire_hears(&wire, "S a\n");
	trial_join(trial_fork(try_as_child, &wire));
	wire_expect(&wire, 1, "x");
	trial_join(trial_fork(try_as_child, &wire));
	wire_expect(&wire, 2, "y");
	wire_expect(&wire, 3, "z");
	ck_assert_int_eq(grouper_member_publish(wire.member, "a", "b", "", 0),
	    GROUPER_OK);
	wire_hears(&wire, "P a b 0\n\n");
	wire_close(&wire);
}
END_TEST

START_TEST(children_get_neither_pipes_nor_variables)
{
	struct wire wire;

	wire_open(&wire);
	ck_assert_ptr_null(getenv("GROUPER_EVENTS_FD"));
	ck_assert_ptr_null(getenv("GROUPER_COMMANDS_FD"));
	ck_assert_int_eq(fcntl(wire.theirs[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(wire.theirs[1], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(grouper_member_fd(wire.member), wire.theirs[0]);
	wire_close(&wire);
	ck_assert_int_eq(fcntl(wire.theirs[0], F_GETFD), -1);
	ck_assert_int_eq(fcntl(wire.theirs[1], F_GETFD), -1);
}
END_TEST

/* Variables that were inherited without their descriptors. */
static const struct {
	const char *down;
	const char *up;
} strangers[] = {
	{ NULL, NULL },
	{ "", "" },
	{ "x", "1x" },
	{ "-1", "9" },
	{ "99999999999", "1" },
	{ "901", "902" }, /* closed */
	{ "@file", "@file" },
	{ "@up", "@down" }, /* the wrong way round */
	{ "@down", NULL },
	{ NULL, "@up" },
};
#define STRANGERS (int)(sizeof(strangers) / sizeof(strangers[0]))

static void
set_stranger(const char *variable, const char *value, const struct wire *wire,
    int file)
{
	if (value == NULL)
		ck_assert_int_eq(unsetenv(variable), 0);
	else if (value[0] != '@')
		ck_assert_int_eq(setenv(variable, value, 1), 0);
	else
		wire_export(variable,
		    value[1] == 'f'	? file :
			value[1] == 'd' ? wire->theirs[0] :
					  wire->theirs[1]);
}

START_TEST(descriptors_that_are_no_such_pipes_are_left_alone)
{
	struct grouper_member *member = NULL;
	int file = open("/dev/null", O_RDWR);
	struct wire wire;

	wire_make(&wire);
	set_stranger("GROUPER_EVENTS_FD", strangers[_i].down, &wire, file);
	set_stranger("GROUPER_COMMANDS_FD", strangers[_i].up, &wire, file);
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_NO_GROUP);
	ck_assert_ptr_null(member);
	ck_assert_ptr_null(getenv("GROUPER_EVENTS_FD"));
	ck_assert_ptr_null(getenv("GROUPER_COMMANDS_FD"));
	ck_assert_int_eq(fcntl(wire.theirs[0], F_GETFD), 0);
	ck_assert_int_eq(fcntl(wire.theirs[1], F_GETFD), 0);
	close(wire.theirs[0]);
	close(wire.theirs[1]);
	close(file);
	wire_close(&wire);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("member_pipes");
	TCase *tc;

	tc = support_case(s, "publishing");
	tcase_add_test(tc, what_is_published_goes_up_as_a_frame);
	tcase_add_test(tc, a_message_can_be_published_on_as_it_lies);
	tcase_add_loop_test(tc, a_large_frame_goes_up_whole, 0, 2);
	tcase_add_test(tc, what_cannot_be_sent_is_refused);
	tcase_add_test(tc, nobody_reading_is_an_error_and_no_signal);
	tcase_add_test(tc, a_request_that_nobody_will_confirm_fails);
	tcase_add_test(tc,
	    who_awaits_a_confirmation_is_told_that_none_will_come);
	tc = support_case(s, "processes");
	tcase_add_test(tc, a_forked_child_takes_nothing_from_its_parent);
	tcase_add_test(tc, children_get_neither_pipes_nor_variables);
	tcase_add_loop_test(tc,
	    descriptors_that_are_no_such_pipes_are_left_alone, 0, STRANGERS);
	return support_main(s, NULL);
}
