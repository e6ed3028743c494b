/* SPDX-License-Identifier: ISC */
/*
 * Prefixed lines, to readers that are quick, slow, stuck or gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/logs/member_log.h"
#include "runtime/logs/outlet.h"
#include "runtime/logs/sink.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"
#include "support.h"

#define FLOOD 20000

static struct loop *loop;
static int ends[2];

static struct sink *
open_pipe(bool colours)
{
	loop = loop_new(NULL);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	return sink_prefix_new(loop, ends[1], colours);
}

static void
done(struct sink *sink)
{
	sink_release(sink);
	loop_free(loop);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void
put(struct sink_lane *lane, const char *text, unsigned int flags)
{
	struct log_line line = { .text = text,
		.length = strlen(text),
		.flags = flags };

	sink_line(lane, &line);
}

static void
say(struct sink_lane *lane, const char *text)
{
	put(lane, text, 0);
	sink_flush(lane->sink);
}

/* What can be read without waiting. */
static size_t
read_some(int fd, char *text, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && poll(&pfd, 1, 0) == 1) {
		n = read(fd, text + used, size - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	return used;
}

static void
comes(const char *expected)
{
	char text[1024];

	read_some(ends[0], text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

START_TEST(names_stand_in_a_column)
{
	struct sink *sink = open_pipe(false);
	struct sink_lane *db, *worker, *umlaut;

	db = sink_join(sink, "db");
	say(db, "alone");
	comes("db | alone\n");
	worker = sink_join(sink, "workers/resize:1");
	umlaut = sink_join(sink, "gr\303\274n");
	put(db, "one", 0);
	put(worker, "", 0);
	put(umlaut, "three", LINES_PARTIAL);
	sink_flush(sink);
	comes("db               | one\n"
	      "workers/resize:1 | \n"
	      "gr\303\274n             | three\n");
	sink_leave(worker);
	say(db, "shorter");
	comes("db   | shorter\n");
	sink_leave(umlaut);
	sink_leave(db);
	done(sink);
}
END_TEST

START_TEST(children_differ_in_colour)
{
	struct sink *sink = open_pipe(true);
	struct sink_lane *one = sink_join(sink, "one");
	struct sink_lane *two = sink_join(sink, "two");

	say(one, "1");
	comes("\033[36mone |\033[0m 1\n");
	say(two, "2");
	comes("\033[33mtwo |\033[0m 2\n");
	sink_leave(one);
	sink_leave(two);
	done(sink);
}
END_TEST

START_TEST(a_child_keeps_its_colour_when_it_is_started_again)
{
	struct sink *sink = open_pipe(true);
	struct member_log_options options = { .name = "one", .sink = sink };
	struct member_log *log = member_log_new(loop, &options);
	int i, fd;

	ck_assert_ptr_nonnull(log);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(member_log_set_sink(log, sink), 0);
		ck_assert_int_eq(member_log_open(log, &fd), 0);
		ck_assert_int_eq(write(fd, "1\n", 2), 2);
		close(fd);
		member_log_drain(log);
		sink_flush(sink);
		comes("\033[36mone |\033[0m 1\n");
	}
	member_log_free(log);
	done(sink);
}
END_TEST

START_TEST(pieces_of_a_long_line_are_marked)
{
	struct sink *sink = open_pipe(false);
	struct sink_lane *lane = sink_join(sink, "a");

	put(lane, "xx", LINES_CUT);
	say(lane, "yy");
	comes("a | xx\\\na | yy\n");
	sink_leave(lane);
	done(sink);
}
END_TEST

START_TEST(a_pipe_gets_every_byte)
{
	struct sink *sink = open_pipe(false);
	struct sink_lane *lane = sink_join(sink, "a");

	say(lane, "\033[31m\a\r");
	comes("a | \033[31m\a\r\n");
	sink_leave(lane);
	done(sink);
}
END_TEST

static void
open_terminal(void)
{
	struct termios mode;

	loop = loop_new(NULL);
	ck_assert_int_eq(openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0);
	tcgetattr(ends[1], &mode);
	cfmakeraw(&mode);
	tcsetattr(ends[1], TCSANOW, &mode);
}

START_TEST(a_terminal_gets_no_escape_sequences_of_members)
{
	struct sink *sink;
	struct sink_lane *lane;

	open_terminal();
	sink = sink_prefix_new(loop, ends[1], true);
	lane = sink_join(sink, "a");
	say(lane, "\033[31m\a\r");
	comes("\033[36ma |\033[0m ^[[31m^G\n");
	sink_leave(lane);
	done(sink);
}
END_TEST

START_TEST(colours_are_for_terminals_that_want_them)
{
	open_terminal();
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	ck_assert(sink_colours(ends[1]));
	setenv("NO_COLOR", "", 1);
	ck_assert(sink_colours(ends[1]));
	setenv("NO_COLOR", "1", 1);
	ck_assert(!sink_colours(ends[1]));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	ck_assert(!sink_colours(ends[1]));
	unsetenv("TERM");
	ck_assert(sink_colours(ends[1]));
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert(!sink_colours(ends[1]));
	done(NULL);
}
END_TEST

START_TEST(the_shared_description_stays_blocking)
{
	struct sink *sink;

	if (_i == 0)
		sink = open_pipe(false);
	else {
		open_terminal();
		sink = sink_prefix_new(loop, ends[1], false);
	}
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	done(sink);
}
END_TEST

/* Kinds of destinations that can be stuck. */
enum kind { KIND_PIPE, KIND_TERMINAL, KIND_SOCKET, KIND_POLLED };

/* A pipe whose file may not be opened again. */
static struct sink *
open_polled(void)
{
	char path[64];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_int_eq(setegid(support_user()), 0);
	ck_assert_int_eq(seteuid(support_user()), 0);
	return sink_prefix_new(loop, ends[1], false);
}

static struct sink *
open_kind(enum kind kind)
{
	struct sink *sink;

	if (kind == KIND_PIPE)
		return open_pipe(false);
	if (kind == KIND_TERMINAL) {
		open_terminal();
		return sink_prefix_new(loop, ends[1], false);
	}
	loop = loop_new(NULL);
	loop_base(loop);
	if (kind == KIND_SOCKET) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
				     0, ends),
		    0);
		return sink_prefix_new(loop, ends[1], false);
	}
	sink = open_polled();
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setegid(0), 0);
	return sink;
}

struct tally {
	long next;    /* number that the flood's next line must have */
	long dropped; /* as told */
	long quiet;   /* lines of the other one */
	size_t used;
	char text[65536];
};

static void
tally_line(struct tally *tally, const char *line)
{
	long n;

	if (sscanf(line, "flood | [%ld lines dropped]", &n) == 1) {
		tally->dropped += n;
		tally->next += n;
	} else if (sscanf(line, "flood | %ld", &n) == 1) {
		ck_assert_int_eq(n, tally->next);
		ck_assert_ptr_nonnull(strstr(line, " end"));
		tally->next++;
	} else {
		ck_assert_str_eq(line, "quiet | here");
		tally->quiet++;
	}
}

/* Reads what is there, whole lines only. */
static bool
tally_some(struct tally *tally)
{
	char *line = tally->text, *end;
	ssize_t n;
	struct pollfd pfd = { .fd = ends[0], .events = POLLIN };

	if (poll(&pfd, 1, 0) != 1)
		return false;
	n = read(ends[0], tally->text + tally->used,
	    sizeof(tally->text) - 1 - tally->used);
	ck_assert_int_gt(n, 0);
	tally->used += (size_t)n;
	tally->text[tally->used] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		tally_line(tally, line);
		line = end + 1;
	}
	tally->used = strlen(line);
	memmove(tally->text, line, tally->used + 1);
	return true;
}

/*
 * One floods and nobody reads; the other speaks once in the middle.  When
 * somebody reads, all its lines are there, and every one of the flood's is
 * there or counted, in its place.
 */
START_TEST(a_stuck_reader_costs_the_flood_alone)
{
	static struct tally tally;
	struct sink *sink;
	struct sink_lane *flood, *quiet;
	char text[200];
	int i;

	if (_i == KIND_POLLED && geteuid() != 0)
		SUPPORT_SKIP("only root can make a pipe it cannot open");
	sink = open_kind((enum kind)_i);
	flood = sink_join(sink, "flood");
	quiet = sink_join(sink, "quiet");
	for (i = 0; i < FLOOD; i++) {
		snprintf(text, sizeof(text), "%d %0*d end", i, 50 + i % 100, 0);
		say(flood, text);
		if (i % 1000 == 500)
			say(quiet, "here");
	}
	while (tally.quiet < FLOOD / 1000 || tally.next < FLOOD)
		if (!tally_some(&tally))
			ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_int_eq(tally.quiet, FLOOD / 1000);
	ck_assert_int_eq(tally.next, FLOOD);
	ck_assert_int_gt(tally.dropped, 0);
	sink_leave(flood);
	sink_leave(quiet);
	done(sink);
}
END_TEST

START_TEST(lines_longer_than_a_pipe_takes_at_once_arrive)
{
	static char text[LINES_MAX + 1], got[200000];
	struct sink *sink;
	struct sink_lane *lane;
	size_t used = 0, expected = 12 * (LINES_MAX + 5);

	if (_i == KIND_POLLED && geteuid() != 0)
		SUPPORT_SKIP("only root can make a pipe it cannot open");
	sink = open_kind((enum kind)_i);
	lane = sink_join(sink, "a");
	memset(text, 'x', LINES_MAX);
	/* As long as the lane has room: the pipe's part, and its own. */
	while (expected > 0) {
		say(lane, text);
		expected -= LINES_MAX + 5;
		used = 0;
		while (used < LINES_MAX + 5) {
			used += read_some(ends[0], got + used,
			    sizeof(got) - used);
			if (used < LINES_MAX + 5)
				ck_assert_int_eq(loop_once(loop), 0);
		}
		ck_assert_uint_eq(used, LINES_MAX + 5);
		ck_assert_int_eq(strncmp(got, "a | x", 5), 0);
		ck_assert_int_eq(got[used - 1], '\n');
	}
	sink_leave(lane);
	done(sink);
}
END_TEST

START_TEST(many_floods_leave_each_lane_its_room)
{
	struct sink_lane *lanes[100], *quiet;
	struct sink *sink = open_pipe(false);
	static char text[1001], got[8 << 20];
	size_t i, k, used = 0, from = 0;
	char name[16];

	memset(text, 'x', sizeof(text) - 1);
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%02zu", i);
		lanes[i] = sink_join(sink, name);
	}
	quiet = sink_join(sink, "qq");
	for (k = 0; k < 70; k++)
		for (i = 0; i < 100; i++)
			say(lanes[i], text);
	say(quiet, "here");
	while (strstr(got + from, "qq | here\n") == NULL) {
		from = used > 100 ? used - 100 : 0;
		i = read_some(ends[0], got + used, sizeof(got) - used);
		used += i;
		if (i == 0)
			ck_assert_int_eq(loop_once(loop), 0);
	}
	ck_assert_uint_le(used, OUTLET_MAX + 200000);
	for (i = 0; i < 100; i++)
		sink_leave(lanes[i]);
	sink_leave(quiet);
	done(sink);
}
END_TEST

START_TEST(a_child_that_left_is_still_heard)
{
	static struct tally tally;
	struct sink *sink = open_pipe(false);
	struct sink_lane *flood = sink_join(sink, "flood");
	struct sink_lane *quiet = sink_join(sink, "quiet");
	char text[128];
	int i;

	for (i = 0; i < FLOOD; i++) {
		snprintf(text, sizeof(text), "%d %060d end", i, 0);
		say(flood, text);
	}
	sink_leave(flood);
	say(quiet, "here");
	while (tally.quiet == 0)
		if (!tally_some(&tally))
			ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_int_eq(tally.next, FLOOD);
	sink_leave(quiet);
	done(sink);
}
END_TEST

START_TEST(a_reader_that_went_away_is_forgotten)
{
	struct sink *sink = open_pipe(false);
	struct sink_lane *lane = sink_join(sink, "a");
	int i;

	signal(SIGPIPE, SIG_IGN);
	fd_close(&ends[0]);
	for (i = 0; i < 10; i++)
		say(lane, "nobody");
	sink_finish(sink, 60000);
	sink_leave(lane);
	done(sink);
}
END_TEST

START_TEST(the_end_waits_for_a_reader_but_not_for_ever)
{
	struct sink *sink = open_pipe(false);
	struct sink_lane *lane = sink_join(sink, "a");
	static char text[LINES_MAX + 1];
	int i;

	memset(text, 'x', LINES_MAX);
	for (i = 0; i < 6; i++)
		say(lane, text);
	sink_finish(sink, 0);
	sink_leave(lane);
	done(sink);
}
END_TEST

START_TEST(a_file_takes_prefixed_lines)
{
	const char *path = support_path("out");
	struct sink *sink;
	struct sink_lane *lane;
	char *text;

	loop = loop_new(NULL);
	ends[0] = -1;
	ends[1] = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	sink = sink_prefix_new(loop, ends[1], false);
	lane = sink_join(sink, "a");
	say(lane, "one\033");
	text = support_slurp(path);
	ck_assert_str_eq(text, "a | one\033\n");
	free(text);
	sink_leave(lane);
	done(sink);
}
END_TEST

START_TEST(discarded_lines_go_nowhere)
{
	struct sink *sink = sink_discard_new();
	struct sink_lane *lane = sink_join(sink, "a");

	say(lane, "text");
	sink_reopen(sink);
	sink_finish(sink, 1000);
	sink_release(sink);
	say(lane, "lives with its lane");
	sink_leave(lane);
	sink_leave(NULL);
	sink_release(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("logs: sinks");
	TCase *tc;

	tc = support_case(suite, "prefix");
	tcase_add_test(tc, names_stand_in_a_column);
	tcase_add_test(tc, children_differ_in_colour);
	tcase_add_test(tc, a_child_keeps_its_colour_when_it_is_started_again);
	tcase_add_test(tc, pieces_of_a_long_line_are_marked);
	tcase_add_test(tc, a_pipe_gets_every_byte);
	tcase_add_test(tc, a_terminal_gets_no_escape_sequences_of_members);
	tcase_add_test(tc, colours_are_for_terminals_that_want_them);
	tcase_add_test(tc, a_file_takes_prefixed_lines);
	tc = support_case(suite, "stuck");
	tcase_add_loop_test(tc, the_shared_description_stays_blocking, 0, 2);
	tcase_add_loop_test(tc, a_stuck_reader_costs_the_flood_alone, KIND_PIPE,
	    KIND_POLLED + 1);
	tcase_add_loop_test(tc, lines_longer_than_a_pipe_takes_at_once_arrive,
	    KIND_PIPE, KIND_POLLED + 1);
	tcase_add_test(tc, many_floods_leave_each_lane_its_room);
	tcase_add_test(tc, a_child_that_left_is_still_heard);
	tcase_add_test(tc, a_reader_that_went_away_is_forgotten);
	tcase_add_test(tc, the_end_waits_for_a_reader_but_not_for_ever);
	tc = support_case(suite, "discard");
	tcase_add_test(tc, discarded_lines_go_nowhere);
	return support_main(suite, NULL);
}
