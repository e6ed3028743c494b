/* SPDX-License-Identifier: ISC */
/*
 * What host and leader say to each other: whole messages arrive as they
 * were, malformed ones are refused, and nobody waits who should not.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/group/link.h"
#include "trial.h"

#define HEAD offsetof(struct link_up, pids)

static void
open_pair(int ends[2])
{
	ck_assert_int_eq(link_pair(ends), 0);
}

static void
close_pair(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

START_TEST(a_message_up_arrives_as_it_was)
{
	struct link_up sent = { .type = LINK_UNKILLABLE, .pid = 7 }, got;
	int ends[2], i;

	open_pair(ends);
	sent.status = -1;
	sent.signum = 9;
	sent.stage = 3;
	sent.error = ENOENT;
	sent.held = 1;
	sent.user_us = INT64_MAX;
	sent.system_us = -5;
	sent.peak_memory = UINT64_MAX;
	sent.processes = 42;
	sent.count = SWEEP_LIST;
	for (i = 0; i < SWEEP_LIST; i++)
		sent.pids[i] = 1000 + i;
	ck_assert_int_eq(link_send_up(ends[1], &sent, LINK_WAIT), 0);
	ck_assert_int_eq(link_receive_up(ends[0], &got), 1);
	ck_assert_mem_eq(&sent, &got, sizeof(sent));
	close_pair(ends);
}
END_TEST

START_TEST(only_the_pids_that_count_are_sent)
{
	struct link_up sent = { .type = LINK_UNKILLABLE, .count = 2 }, got;
	char raw[sizeof(sent)];
	int ends[2];

	open_pair(ends);
	sent.pids[0] = 11;
	sent.pids[1] = 12;
	sent.pids[2] = 13;
	link_send_up(ends[1], &sent, LINK_WAIT);
	link_send_up(ends[1], &sent, LINK_WAIT);
	ck_assert_int_eq(recv(ends[0], raw, sizeof(raw), 0),
	    HEAD + 2 * sizeof(sent.pids[0]));
	ck_assert_int_eq(link_receive_up(ends[0], &got), 1);
	ck_assert_int_eq(got.pids[1], 12);
	ck_assert_int_eq(got.pids[2], 0);
	close_pair(ends);
}
END_TEST

START_TEST(a_message_down_arrives_as_it_was)
{
	struct link_down sent, got;
	int ends[2];

	open_pair(ends);
	memset(&sent, 0, sizeof(sent));
	sent.type = LINK_STOP;
	sent.signum = 15;
	sent.target = SWEEP_COMMAND;
	sent.steps.count = 2;
	sent.steps.step[0].signum = 15;
	sent.steps.step[0].ms = 5000;
	sent.steps.step[1].signum = 9;
	sent.steps.step[1].ms = STEPS_FOREVER;
	ck_assert_int_eq(link_send_down(ends[0], &sent), 0);
	ck_assert_int_eq(link_receive_down(ends[1], &got), 1);
	ck_assert_mem_eq(&sent, &got, sizeof(sent));
	close_pair(ends);
}
END_TEST

START_TEST(malformed_messages_up_are_refused)
{
	static const struct {
		size_t size;
		uint32_t count;
	} bad[] = {
		{ 1, 0 },
		{ HEAD - 1, 0 },
		{ HEAD + 1, 0 },
		{ HEAD + 4, 0 },
		{ HEAD, 1 },
		{ HEAD + 4, 2 },
		{ sizeof(struct link_up), SWEEP_LIST + 1 },
		{ sizeof(struct link_up), UINT32_MAX },
	};
	struct link_up up, got;
	int ends[2];
	size_t i;

	open_pair(ends);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&up, 0, sizeof(up));
		up.count = bad[i].count;
		ck_assert_int_eq(send(ends[1], &up, bad[i].size, 0),
		    (ssize_t)bad[i].size);
		ck_assert_int_eq(link_receive_up(ends[0], &got), -1);
		ck_assert_int_eq(errno, EPROTO);
	}
	/* And the next one is read as if nothing had been. */
	memset(&up, 0, sizeof(up));
	ck_assert_int_eq(link_send_up(ends[1], &up, LINK_WAIT), 0);
	ck_assert_int_eq(link_receive_up(ends[0], &got), 1);
	close_pair(ends);
}
END_TEST

START_TEST(malformed_messages_down_are_refused)
{
	struct link_down down, got;
	int ends[2];

	open_pair(ends);
	memset(&down, 0, sizeof(down));
	send(ends[0], &down, sizeof(down) - 1, 0);
	ck_assert_int_eq(link_receive_down(ends[1], &got), -1);
	ck_assert_int_eq(errno, EPROTO);
	down.steps.count = STEPS_MAX + 1;
	send(ends[0], &down, sizeof(down), 0);
	ck_assert_int_eq(link_receive_down(ends[1], &got), -1);
	ck_assert_int_eq(errno, EPROTO);
	close_pair(ends);
}
END_TEST

/* Words are looked up by what they say, and signals are sent. */
START_TEST(messages_that_make_no_sense_are_refused)
{
	const struct link_up ups[] = {
		{ .type = LINK_EMPTY + 1 },
		{ .type = LINK_STEP, .target = SWEEP_REST + 1 },
		{ .type = LINK_STEP, .target = UINT32_MAX },
	};
	const struct link_down downs[] = {
		{ .type = LINK_WAKE + 1 },
		{ .type = LINK_ADOPT },
		{ .type = LINK_ADOPT, .pid = 1 },
		{ .type = LINK_ADOPT, .pid = -2 },
		{ .type = LINK_STOP }, /* without steps */
		{ .type = LINK_STOP,
		    .target = SWEEP_REST,
		    .steps = { 1, { { 9, STEPS_FOREVER } } } },
		{ .type = LINK_STOP, .steps = { 1, { { 0, 5 } } } },
		{ .type = LINK_STOP, .steps = { 1, { { 4711, 5 } } } },
		{ .type = LINK_STOP, .steps = { 1, { { 15, -2 } } } },
	};
	struct link_down down;
	struct link_up up;
	int ends[2];
	size_t i;

	open_pair(ends);
	for (i = 0; i < sizeof(ups) / sizeof(ups[0]); i++) {
		ck_assert_int_eq(link_send_up(ends[1], &ups[i], LINK_WAIT), 0);
		ck_assert_int_eq(link_receive_up(ends[0], &up), -1);
		ck_assert_int_eq(errno, EPROTO);
	}
	for (i = 0; i < sizeof(downs) / sizeof(downs[0]); i++) {
		ck_assert_int_eq(link_send_down(ends[0], &downs[i]), 0);
		ck_assert_int_eq(link_receive_down(ends[1], &down), -1);
		ck_assert_int_eq(errno, EPROTO);
	}
	close_pair(ends);
}
END_TEST

START_TEST(receiving_never_waits)
{
	struct link_down down;
	struct link_up up;
	int ends[2];

	open_pair(ends);
	ck_assert_int_eq(link_receive_up(ends[0], &up), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(link_receive_down(ends[1], &down), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close_pair(ends);
}
END_TEST

START_TEST(the_end_is_told_after_the_last_message)
{
	struct link_up up = { .type = LINK_EMPTY };
	int ends[2];

	open_pair(ends);
	link_send_up(ends[1], &up, LINK_WAIT);
	close(ends[1]);
	ck_assert_int_eq(link_receive_up(ends[0], &up), 1);
	ck_assert_int_eq(link_receive_up(ends[0], &up), 0);
	close(ends[0]);
}
END_TEST

/* The other side reads nothing: what may be lost is, down at once. */
START_TEST(a_full_link_does_not_block_where_it_must_not)
{
	struct link_down down;
	struct link_up up;
	int ends[2], result, n;

	open_pair(ends);
	memset(&up, 0, sizeof(up));
	memset(&down, 0, sizeof(down));
	up.count = SWEEP_LIST;
	for (n = 0; n < 1000000; n++) {
		result = link_send_up(ends[1], &up, LINK_DROP);
		if (result == -1)
			break;
	}
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, EAGAIN);
	for (n = 0; n < 1000000; n++) {
		result = link_send_down(ends[0], &down);
		if (result == -1)
			break;
	}
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, EAGAIN);
	close_pair(ends);
}
END_TEST

/* By the kernel, so that the reader need not believe the sender. */
START_TEST(a_translated_pid_is_the_reader_s)
{
	struct link_up up = { .type = LINK_STARTED, .pid = getpid() }, got;
	int ends[2];

	open_pair(ends);
	ck_assert_int_eq(link_pass_credentials(ends[0]), 0);
	ck_assert_int_eq(link_send_up(ends[1], &up, LINK_TRANSLATE), 0);
	ck_assert_int_eq(link_receive_up(ends[0], &got), 1);
	ck_assert_int_eq(got.pid, getpid());
	close_pair(ends);
}
END_TEST

START_TEST(a_gone_reader_is_an_error_and_no_signal)
{
	struct link_down down;
	struct link_up up;
	int ends[2];

	memset(&up, 0, sizeof(up));
	memset(&down, 0, sizeof(down));
	open_pair(ends);
	close(ends[0]);
	ck_assert_int_eq(link_send_up(ends[1], &up, LINK_WAIT), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(link_send_down(ends[1], &down), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(ends[1]);
}
END_TEST

/* As where the other side was killed before it had read: ECONNRESET. */
START_TEST(what_was_never_read_does_not_hide_the_end)
{
	struct link_down down;
	struct link_up up;
	int ends[2];

	memset(&down, 0, sizeof(down));
	open_pair(ends);
	ck_assert_int_eq(link_send_down(ends[0], &down), 0);
	close(ends[1]);
	ck_assert_int_eq(link_receive_up(ends[0], &up), 0);
	close(ends[0]);
}
END_TEST

START_TEST(only_go_lets_the_command_run)
{
	struct link_down down;
	int ends[2];

	memset(&down, 0, sizeof(down));
	open_pair(ends);
	down.type = LINK_GO;
	link_send_down(ends[0], &down);
	ck_assert(link_await_go(ends[1]));
	down.type = LINK_STOP;
	link_send_down(ends[0], &down);
	ck_assert(!link_await_go(ends[1]));
	send(ends[0], "x", 1, 0);
	ck_assert(!link_await_go(ends[1]));
	close(ends[0]);
	ck_assert(!link_await_go(ends[1]));
	close(ends[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("link");
	TCase *tc = support_case(s, "messages");

	tcase_add_test(tc, a_message_up_arrives_as_it_was);
	tcase_add_test(tc, only_the_pids_that_count_are_sent);
	tcase_add_test(tc, a_message_down_arrives_as_it_was);
	tcase_add_test(tc, malformed_messages_up_are_refused);
	tcase_add_test(tc, malformed_messages_down_are_refused);
	tcase_add_test(tc, a_translated_pid_is_the_reader_s);

	tc = support_case(s, "waiting");
	tcase_add_test(tc, messages_that_make_no_sense_are_refused);
	tcase_add_test(tc, receiving_never_waits);
	tcase_add_test(tc, the_end_is_told_after_the_last_message);
	tcase_add_test(tc, a_full_link_does_not_block_where_it_must_not);
	tcase_add_test(tc, a_gone_reader_is_an_error_and_no_signal);
	tcase_add_test(tc, what_was_never_read_does_not_hide_the_end);
	tcase_add_test(tc, only_go_lets_the_command_run);
	return support_main(s, NULL);
}
