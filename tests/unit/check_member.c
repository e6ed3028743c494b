/* SPDX-License-Identifier: ISC */
/*
 * The member's side: what comes down its pipe.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"
#include "runtime/member/private.h"
#include "wire.h"

START_TEST(an_event_bears_all_that_was_sent)
{
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire,
	    "E 18446744073709551615 room:a joined pool/w:1 4\n{}\n\n\n");
	message = wire_next(&wire);
	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_EVENT);
	ck_assert(message.seq == UINT64_MAX);
	ck_assert_str_eq(message.topic, "room:a");
	ck_assert_str_eq(message.event, "joined");
	ck_assert_str_eq(message.from, "pool/w:1");
	ck_assert_uint_eq(message.length, 4);
	ck_assert_str_eq(message.payload, "{}\n\n");
	ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
	wire_say(&wire, "E 1 a b - 0\n\n");
	message = wire_next(&wire);
	ck_assert_ptr_null(message.from);
	ck_assert_uint_eq(message.length, 0);
	ck_assert_str_eq(message.payload, "");
	wire_close(&wire);
}
END_TEST

START_TEST(a_payload_may_be_any_bytes)
{
	static const char payload[] = "\0\n\377E 1 a b - 0\n\n";
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "E 1 a b - 16\n");
	wire_say_bytes(&wire, payload, 16);
	wire_say(&wire, "\nE 2 a b - 1\nx\n");
	message = wire_next(&wire);
	ck_assert_uint_eq(message.length, 16);
	ck_assert_mem_eq(message.payload, payload, 16);
	wire_expect(&wire, 2, "x");
	wire_close(&wire);
}
END_TEST

START_TEST(a_frame_may_come_in_pieces)
{
	static const char text[] = "E 7 a b c 5\nx y z\nL 3\n";
	struct wire wire;
	size_t i;

	wire_open(&wire);
	for (i = 0; i < sizeof(text) - 1; i++) {
		ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
		wire_say_bytes(&wire, &text[i], 1);
		if (i == 17)
			wire_expect(&wire, 7, "x y z");
	}
	ck_assert_int_eq(wire_next(&wire).kind, GROUPER_MESSAGE_LOST);
	wire_close(&wire);
}
END_TEST

START_TEST(who_reads_exactly_leaves_what_follows)
{
	static const char rest[] = "E 8 b e - 1\nx\nL 1\n";
	struct wire wire;
	char buffer[64];

	wire_open(&wire);
	member_read_exactly(wire.member);
	wire_say(&wire, "E 7 a e - 3\none\n");
	wire_say(&wire, rest);
	wire_expect(&wire, 7, "one");
	ck_assert_int_eq(read(wire.theirs[0], buffer, sizeof(buffer)),
	    sizeof(rest) - 1);
	ck_assert_mem_eq(buffer, rest, sizeof(rest) - 1);
	wire_close(&wire);
}
END_TEST

START_TEST(a_loss_is_told_in_its_place)
{
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "E 1 a b - 1\nx\nL 12345678901\nE 9 a b - 1\ny\n");
	wire_expect(&wire, 1, "x");
	message = wire_next(&wire);
	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_LOST);
	ck_assert_uint_eq(message.lost, 12345678901);
	ck_assert_str_eq(message.topic, "");
	wire_expect(&wire, 9, "y");
	wire_close(&wire);
}
END_TEST

static void
say_large(void *arg)
{
	struct wire *wire = arg;
	char *letters = malloc(WIRE_LARGE);
	size_t done;
	ssize_t n;

	memset(letters, 'x', WIRE_LARGE);
	wire_say(wire, "E 1 a b - 1048576\n");
	for (done = 0; done < WIRE_LARGE; done += (size_t)n) {
		n = write(wire->down, letters + done, WIRE_LARGE - done);
		ck_assert_int_gt(n, 0);
	}
	wire_say(wire, "\n");
	free(letters);
}

START_TEST(a_payload_may_have_a_mebibyte)
{
	struct grouper_message message;
	struct wire wire;
	pid_t pid;

	wire_open(&wire);
	pid = trial_fork(say_large, &wire);
	ck_assert_int_eq(grouper_member_next(wire.member, SUPPORT_PATIENCE,
			     &message),
	    GROUPER_OK);
	ck_assert_uint_eq(message.length, WIRE_LARGE);
	ck_assert_int_eq(((const char *)message.payload)[WIRE_LARGE - 1], 'x');
	trial_join(pid);
	wire_close(&wire);
}
END_TEST

START_TEST(the_descriptor_tells_that_something_came)
{
	struct wire wire;
	struct pollfd pollfd;

	wire_open(&wire);
	pollfd = (struct pollfd) { grouper_member_fd(wire.member), POLLIN, 0 };
	ck_assert_int_eq(poll(&pollfd, 1, 0), 0);
	wire_say(&wire, "L 1\nL 2\n");
	ck_assert_int_eq(poll(&pollfd, 1, 0), 1);
	ck_assert_uint_eq(wire_next(&wire).lost, 1);
	ck_assert_uint_eq(wire_next(&wire).lost, 2);
	ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
	ck_assert_int_eq(poll(&pollfd, 1, 0), 0);
	close(wire.down);
	wire.down = -1;
	ck_assert_int_eq(poll(&pollfd, 1, 0), 1);
	wire_close(&wire);
}
END_TEST

static const char *const broken[] = {
	"X\n",
	"\n",
	"E\n",
	"E 1 a b - x\n",
	"E 1 a b - 1048577\n",
	"E 1 a b - 1\nxy",
	"E -1 a b - 0\n\n",
	"L\n",
	"L 1 2\n",
	"R\n",
	"P a b 0\n\n",
	"S a\n",
};
#define BROKEN (int)(sizeof(broken) / sizeof(broken[0]))

START_TEST(what_is_no_frame_is_an_error_for_ever)
{
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "L 1\n");
	wire_say(&wire, broken[_i]);
	ck_assert_uint_eq(wire_next(&wire).lost, 1);
	ck_assert_int_eq(wire_fails(&wire), GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EPROTO);
	wire_say(&wire, "L 1\n");
	errno = 0;
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", -1),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EPROTO);
	wire_close(&wire);
}
END_TEST

START_TEST(a_host_that_has_gone_is_told_after_all_that_came)
{
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "L 1\nE 2 a b - 5\nx");
	close(wire.down);
	wire.down = -1;
	ck_assert_uint_eq(wire_next(&wire).lost, 1);
	ck_assert_int_eq(wire_fails(&wire), GROUPER_NO_GROUP);
	ck_assert_int_eq(wire_fails(&wire), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", -1),
	    GROUPER_NO_GROUP);
	wire_close(&wire);
}
END_TEST

START_TEST(a_subscription_holds_when_it_returns)
{
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "E 1 a b k 1\nx\nL 2\nR room:*\nE 3 a b - 1\ny\n");
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "room:*", -1),
	    GROUPER_OK);
	wire_hears(&wire, "S room:*\n");
	/* What came before and behind the confirmation is all there. */
	wire_expect(&wire, 1, "x");
	ck_assert_uint_eq(wire_next(&wire).lost, 2);
	wire_expect(&wire, 3, "y");
	ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
	wire_say(&wire, "R room:*\n");
	ck_assert_int_eq(grouper_member_unsubscribe(wire.member, "room:*", -1),
	    GROUPER_OK);
	wire_hears(&wire, "U room:*\n");
	wire_close(&wire);
}
END_TEST

START_TEST(a_kept_event_bears_all_that_was_sent)
{
	static const char text[] =
	    "E 5 a b k/l:1 3\n\0x\0\nE 6 a b - 0\n\nR *\n";
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	wire_say_bytes(&wire, text, sizeof(text) - 1);
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "*", -1),
	    GROUPER_OK);
	message = wire_next(&wire);
	ck_assert_uint_eq(message.seq, 5);
	ck_assert_str_eq(message.topic, "a");
	ck_assert_str_eq(message.event, "b");
	ck_assert_str_eq(message.from, "k/l:1");
	ck_assert_uint_eq(message.length, 3);
	ck_assert_mem_eq(message.payload, "\0x\0", 4);
	ck_assert_ptr_null(wire_next(&wire).from);
	wire_close(&wire);
}
END_TEST

START_TEST(without_waiting_a_message_tells_when_it_holds)
{
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", 0),
	    GROUPER_OK);
	wire_hears(&wire, "S a\n");
	ck_assert_int_eq(grouper_member_unsubscribe(wire.member, "b:*", 0),
	    GROUPER_OK);
	wire_hears(&wire, "U b:*\n");
	ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
	wire_say(&wire, "R a\nR b:*\nR c\n");
	/* This one waits: those before it are told later. */
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "c", -1),
	    GROUPER_OK);
	message = wire_next(&wire);
	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_CHANGED);
	ck_assert_str_eq(message.topic, "a");
	ck_assert_str_eq(message.event, "");
	ck_assert_str_eq(wire_next(&wire).topic, "b:*");
	ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
	wire_close(&wire);
}
END_TEST

START_TEST(a_late_confirmation_is_told)
{
	struct grouper_message message;
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "E 1 a b - 1\nx\n");
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", 1),
	    GROUPER_TIMED_OUT);
	wire_hears(&wire, "S a\n");
	wire_expect(&wire, 1, "x");
	wire_say(&wire, "R a\n");
	message = wire_next(&wire);
	ck_assert_int_eq(message.kind, GROUPER_MESSAGE_CHANGED);
	ck_assert_str_eq(message.topic, "a");
	wire_close(&wire);
}
END_TEST

/* A shell that had the pipes before may have subscribed. */
START_TEST(a_confirmation_of_anothers_request_is_passed_over)
{
	struct wire wire;

	wire_open(&wire);
	wire_say(&wire, "R x\nR y\nR a\nR z\nE 1 a b - 1\nx\n");
	ck_assert_int_eq(grouper_member_subscribe(wire.member, "a", -1),
	    GROUPER_OK);
	wire_expect(&wire, 1, "x");
	ck_assert_int_eq(wire_fails(&wire), GROUPER_TIMED_OUT);
	wire_close(&wire);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("member");
	TCase *tc;

	tc = support_case(s, "reading");
	tcase_add_test(tc, an_event_bears_all_that_was_sent);
	tcase_add_test(tc, a_payload_may_be_any_bytes);
	tcase_add_test(tc, a_frame_may_come_in_pieces);
	tcase_add_test(tc, who_reads_exactly_leaves_what_follows);
	tcase_add_test(tc, a_loss_is_told_in_its_place);
	tcase_add_test(tc, a_payload_may_have_a_mebibyte);
	tcase_add_test(tc, the_descriptor_tells_that_something_came);
	tcase_add_loop_test(tc, what_is_no_frame_is_an_error_for_ever, 0,
	    BROKEN);
	tcase_add_test(tc, a_host_that_has_gone_is_told_after_all_that_came);
	tc = support_case(s, "subscriptions");
	tcase_add_test(tc, a_subscription_holds_when_it_returns);
	tcase_add_test(tc, a_kept_event_bears_all_that_was_sent);
	tcase_add_test(tc, without_waiting_a_message_tells_when_it_holds);
	tcase_add_test(tc, a_late_confirmation_is_told);
	tcase_add_test(tc, a_confirmation_of_anothers_request_is_passed_over);
	return support_main(s, NULL);
}
