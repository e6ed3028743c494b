/* SPDX-License-Identifier: ISC */
/*
 * The output of children: pipes, drains, watches, and shared sinks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/logs/logs.h"
#include "runtime/logs/member_log.h"
#include "runtime/logs/ring.h"
#include "runtime/logs/sink.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"
#include "support.h"

#define FLOOD_BYTES ((size_t)4 << 20)

static struct loop *loop;
static struct sink *sink;
static char seen[1 << 16];
static size_t nlines;

static int64_t
wall(void)
{
	return 42;
}

static void
begin(void)
{
	loop = loop_new(NULL);
	sink = sink_discard_new();
}

static void
end(void)
{
	sink_release(sink);
	loop_free(loop);
}

static struct member_log *
open_log(const char *name, int *fd)
{
	struct member_log_options options = {
		.name = name,
		.sink = sink,
		.ring_bytes = MEMBER_LOG_RING,
		.wall_us = wall,
	};
	struct member_log *log = member_log_new(loop, &options);

	ck_assert_ptr_nonnull(log);
	ck_assert_int_eq(member_log_open(log, fd), 0);
	return log;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Texts of lines, with '|' between. */
static void
note(const struct log_line *line, void *arg)
{
	(void)arg;
	nlines++;
	strncat(seen, line->text, line->length);
	strcat(seen, "|");
}

START_TEST(lines_come_from_the_pipe)
{
	struct member_log *log;
	struct log_line line;
	struct ring_cursor cursor;
	uint64_t missed;
	int fd;

	begin();
	log = open_log("web", &fd);
	ck_assert_str_eq(member_log_name(log), "web");
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_ptr_nonnull(member_log_watch(log, note, NULL));
	say(fd, "one\ntwo\nthr");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_str_eq(seen, "one|two|");
	cursor = ring_last(member_log_ring(log), 1);
	ck_assert_int_eq(ring_read(member_log_ring(log), &cursor, &line,
			     &missed),
	    1);
	ck_assert_uint_eq(line.seq, 2);
	ck_assert_int_eq(line.time_us, 42);
	close(fd);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_str_eq(seen, "one|two|thr|");
	member_log_drain(log);
	ck_assert_uint_eq(nlines, 3);
	member_log_free(log);
	member_log_free(NULL);
	end();
}
END_TEST

START_TEST(what_is_in_the_pipe_is_taken_and_it_goes_on)
{
	struct member_log *log;
	int fd;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, note, NULL);
	say(fd, "one\ntw");
	member_log_take(log);
	ck_assert_str_eq(seen, "one|");
	say(fd, "o\n");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_str_eq(seen, "one|two|");
	close(fd);
	member_log_drain(log);
	member_log_take(log); /* there is none */
	member_log_free(log);
	end();
}
END_TEST

START_TEST(the_next_writer_begins_a_line)
{
	struct member_log *log;
	int fd;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, note, NULL);
	say(fd, "one\ntw");
	member_log_finish(log);
	ck_assert_str_eq(seen, "one|tw|");
	say(fd, "three\n");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_str_eq(seen, "one|tw|three|");
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

START_TEST(the_last_lines_are_taken_though_the_pipe_is_held)
{
	struct member_log *log;
	int fd;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, note, NULL);
	say(fd, "last words\nand a bit");
	/* The write end stays open: there is no end-of-file. */
	member_log_drain(log);
	ck_assert_str_eq(seen, "last words|and a bit|");
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

static size_t counted;

static void
count(const struct log_line *line, void *arg)
{
	(void)line;
	(void)arg;
	counted++;
}

/* Also where the member chose that each write is a packet. */
START_TEST(a_full_pipe_is_drained_whole)
{
	struct member_log *log;
	size_t written = 0;
	int fd;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, count, NULL);
	ck_assert_int_eq(fcntl(fd, F_SETFL,
			     O_NONBLOCK | (_i == 0 ? 0 : O_DIRECT)),
	    0);
	while (write(fd, "line\n", 5) == 5)
		written++;
	ck_assert_uint_gt(written, 10);
	member_log_drain(log);
	ck_assert_uint_eq(counted, written);
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

static pid_t
fork_flood(int fd, size_t bytes)
{
	static char text[4096];
	pid_t pid = fork();
	size_t done;

	if (pid != 0)
		return pid;
	/* Without a copy of the other end. */
	dup2(fd, STDOUT_FILENO);
	closefrom(STDERR_FILENO + 1);
	memset(text, 'y', sizeof(text));
	for (done = 63; done < sizeof(text); done += 64)
		text[done] = '\n';
	for (done = 0; done < bytes; done += sizeof(text))
		if (write(STDOUT_FILENO, text, sizeof(text)) != sizeof(text))
			_exit(1);
	_exit(0);
}

START_TEST(a_leaked_flood_does_not_hold_a_drain)
{
	struct member_log *log;
	pid_t pid;
	int fd;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, count, NULL);
	pid = fork_flood(fd, SIZE_MAX - 4096);
	close(fd);
	while (counted == 0)
		ck_assert_int_eq(loop_once(loop), 0);
	member_log_drain(log); /* its end is EPIPE, or SIGPIPE */
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	member_log_free(log);
	end();
}
END_TEST

static size_t quiet_after;

static void
note_quiet(const struct log_line *line, void *arg)
{
	(void)line;
	(void)arg;
	quiet_after = counted;
}

START_TEST(a_flood_does_not_hold_its_siblings)
{
	struct member_log *flood, *quiet;
	int flood_fd, quiet_fd, status;
	size_t before;
	pid_t pid;

	begin();
	flood = open_log("flood", &flood_fd);
	quiet = open_log("quiet", &quiet_fd);
	member_log_watch(flood, count, NULL);
	member_log_watch(quiet, note_quiet, NULL);
	pid = fork_flood(flood_fd, FLOOD_BYTES);
	close(flood_fd);
	while (counted < FLOOD_BYTES / 64 / 4)
		ck_assert_int_eq(loop_once(loop), 0);
	before = counted;
	say(quiet_fd, "here\n");
	ck_assert_int_eq(loop_once(loop), 0);
	/* In the same turn, in which the flood had its share, no more. */
	ck_assert_uint_ge(quiet_after, before);
	ck_assert_uint_le(counted - before, MEMBER_LOG_TURN / 64 + 1);
	while (counted < FLOOD_BYTES / 64)
		ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	member_log_drain(flood);
	ck_assert_uint_eq(counted, FLOOD_BYTES / 64);
	close(quiet_fd);
	member_log_free(flood);
	member_log_free(quiet);
	end();
}
END_TEST

START_TEST(the_ring_outlives_an_incarnation)
{
	struct member_log *log;
	int first, second;

	begin();
	log = open_log("web", &first);
	member_log_watch(log, note, NULL);
	say(first, "one\nleft");
	/* Drains the first. */
	ck_assert_int_eq(member_log_open(log, &second), 0);
	ck_assert_str_eq(seen, "one|left|");
	say(second, "two\n");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_str_eq(seen, "one|left|two|");
	ck_assert_uint_eq(ring_next(member_log_ring(log)), 4);
	close(first);
	close(second);
	member_log_free(log);
	end();
}
END_TEST

static struct log_watch *watches[3];

static void
free_two(const struct log_line *line, void *arg)
{
	note(line, arg);
	log_watch_free(watches[0]);
	log_watch_free(watches[1]);
	watches[0] = watches[1] = NULL;
}

START_TEST(watches_may_be_freed_in_a_callback)
{
	struct member_log *log;
	int fd;

	begin();
	log = open_log("web", &fd);
	watches[0] = member_log_watch(log, count, NULL);
	watches[1] = member_log_watch(log, free_two, NULL);
	watches[2] = member_log_watch(log, note, NULL);
	say(fd, "one\ntwo\n");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(counted, 0);
	ck_assert_str_eq(seen, "one|one|two|");
	log_watch_free(watches[2]);
	log_watch_free(NULL);
	say(fd, "three\n");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(nlines, 3);
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

static void
drain_it(const struct log_line *line, void *arg)
{
	int fd;

	note(line, arg);
	ck_assert_int_eq(member_log_open(arg, &fd), -1);
	ck_assert_int_eq(errno, EBUSY);
	member_log_drain(arg);
}

START_TEST(a_drain_in_a_callback_comes_after_it)
{
	struct member_log *log;
	int fd;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, drain_it, log);
	say(fd, "one\ntwo\nrest");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_str_eq(seen, "one|two|rest|");
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

static void
free_it(const struct log_line *line, void *arg)
{
	note(line, NULL);
	member_log_free(arg);
}

START_TEST(a_log_may_be_freed_in_a_callback)
{
	struct member_log *log;
	int fd, other;

	begin();
	log = open_log("web", &fd);
	member_log_watch(log, free_it, log);
	say(fd, "one\ntwo\nrest");
	if (_i == 0) {
		ck_assert_int_eq(loop_once(loop), 0);
	} else if (_i == 1) {
		member_log_drain(log);
	} else {
		ck_assert_int_eq(member_log_open(log, &other), -1);
		ck_assert_int_eq(errno, ECANCELED);
	}
	ck_assert_str_eq(seen, "one|");
	close(fd);
	end();
}
END_TEST

START_TEST(without_a_ring_lines_are_numbered_too)
{
	struct member_log_options options = { .name = "web" };
	struct member_log *log;
	int fd;

	begin();
	options.sink = sink;
	log = member_log_new(loop, &options);
	ck_assert_int_eq(member_log_open(log, &fd), 0);
	ck_assert_ptr_null(member_log_ring(log));
	member_log_watch(log, note, NULL);
	say(fd, "a\n");
	member_log_drain(log);
	ck_assert_str_eq(seen, "a|");
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

START_TEST(without_descriptors_opening_fails)
{
	struct member_log *log;
	struct rlimit limit, none;
	int fd, other;

	begin();
	log = open_log("web", &fd);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	ck_assert_int_eq(member_log_open(log, &other), -1);
	ck_assert_int_eq(errno, EMFILE);
	setrlimit(RLIMIT_NOFILE, &limit);
	close(fd);
	ck_assert_int_eq(member_log_open(log, &fd), 0);
	close(fd);
	member_log_free(log);
	end();
}
END_TEST

static void
has(const char *path, const char *text)
{
	char *content = support_slurp(path);

	ck_assert_str_eq(content, text);
	free(content);
}

START_TEST(a_target_is_shared_by_those_who_name_it)
{
	struct logs_target target = { LOGS_FILE, support_path("a"), 0, 0 };
	struct logs_target other = { LOGS_FILE, support_path("b"), 0, 0 };
	struct logs_target kinds[] = { { LOGS_DISCARD, NULL, 0, 0 },
		{ LOGS_PREFIX, NULL, 0, 0 }, { LOGS_SYSLOG, NULL, 0, 0 } };
	struct sink_lane *lane;
	struct logs *logs;
	struct sink *one;
	size_t i;

	loop = loop_new(NULL);
	logs = logs_new(loop, STDOUT_FILENO, support_path("none"));
	one = logs_sink(logs, &target);
	ck_assert_ptr_nonnull(one);
	lane = sink_join(one, "web");
	ck_assert_ptr_eq(logs_sink(logs, &target), one);
	ck_assert_ptr_ne(logs_sink(logs, &other), one);
	sink_leave(lane);
	for (i = 0; i < 3; i++) {
		one = logs_sink(logs, &kinds[i]);
		ck_assert_ptr_nonnull(one);
		ck_assert_ptr_eq(logs_sink(logs, &kinds[i]), one);
	}
	logs_finish(logs, 0);
	logs_free(logs);
	logs_free(NULL);
	loop_free(loop);
}
END_TEST

START_TEST(a_file_is_closed_when_nobody_writes_to_it)
{
	struct logs_target first = { LOGS_FILE, support_path("a"), 0, 0 };
	struct logs_target second = { LOGS_FILE, support_path("b"), 0, 0 };
	struct sink_lane *kept, *left;
	struct logs *logs;
	char name[16];
	int lowest, i;

	loop = loop_new(NULL);
	logs = logs_new(loop, STDOUT_FILENO, NULL);
	kept = sink_join(logs_sink(logs, &first), "kept");
	lowest = dup(STDOUT_FILENO);
	close(lowest);
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "%d", i);
		second.path = support_path(name);
		left = sink_join(logs_sink(logs, &second), "left");
		sink_leave(left);
	}
	i = dup(STDOUT_FILENO);
	ck_assert_int_le(i, lowest + 1);
	close(i);
	ck_assert_ptr_eq(logs_sink(logs, &first), kept->sink);
	sink_leave(kept);
	logs_free(logs);
	loop_free(loop);
}
END_TEST

START_TEST(a_log_goes_on_in_another_sink)
{
	struct logs_target target = { LOGS_FILE, support_path("a"), 0, 0 };
	struct logs_target other = { LOGS_FILE, support_path("b"), 0, 0 };
	struct logs *logs;
	struct member_log *log;
	int fd;

	loop = loop_new(NULL);
	logs = logs_new(loop, STDOUT_FILENO, NULL);
	sink = logs_sink(logs, &target);
	log = open_log("web", &fd);
	say(fd, "one\ntw");
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_int_eq(member_log_set_sink(log, logs_sink(logs, &other)), 0);
	ck_assert_int_eq(rename(support_path("b"), support_path("c")), 0);
	logs_reopen(logs);
	say(fd, "o\n");
	member_log_drain(log);
	has(support_path("a"), "one\n");
	has(support_path("b"), "two\n");
	has(support_path("c"), "");
	close(fd);
	/* The sink lives as long as the log. */
	logs_free(logs);
	member_log_free(log);
	loop_free(loop);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("logs");
	TCase *tc;

	tc = support_case(suite, "pipe");
	tcase_add_test(tc, lines_come_from_the_pipe);
	tcase_add_test(tc, what_is_in_the_pipe_is_taken_and_it_goes_on);
	tcase_add_test(tc, the_next_writer_begins_a_line);
	tcase_add_test(tc, the_last_lines_are_taken_though_the_pipe_is_held);
	tcase_add_loop_test(tc, a_full_pipe_is_drained_whole, 0, 2);
	tcase_add_test(tc, a_leaked_flood_does_not_hold_a_drain);
	tcase_add_test(tc, a_flood_does_not_hold_its_siblings);
	tcase_add_test(tc, the_ring_outlives_an_incarnation);
	tcase_add_test(tc, without_a_ring_lines_are_numbered_too);
	tcase_add_test(tc, without_descriptors_opening_fails);
	tc = support_case(suite, "callbacks");
	tcase_add_test(tc, watches_may_be_freed_in_a_callback);
	tcase_add_test(tc, a_drain_in_a_callback_comes_after_it);
	tcase_add_loop_test(tc, a_log_may_be_freed_in_a_callback, 0, 3);
	tc = support_case(suite, "sinks");
	tcase_add_test(tc, a_target_is_shared_by_those_who_name_it);
	tcase_add_test(tc, a_file_is_closed_when_nobody_writes_to_it);
	tcase_add_test(tc, a_log_goes_on_in_another_sink);
	return support_main(suite, NULL);
}
