/* SPDX-License-Identifier: ISC */
/*
 * Logs in files: rotation, reopening, and what is lost and told of.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/logs/logs.h"
#include "runtime/logs/rotate.h"
#include "runtime/logs/sink.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"
#include "support.h"

static int64_t now_ms;

static int64_t
clock_injected(void)
{
	return now_ms;
}

static struct sink *
open_sink(const char *path, uint64_t max_size, unsigned int keep)
{
	struct sink_file_options options = {
		.path = path,
		.max_size = max_size,
		.keep = keep,
		.now_ms = clock_injected,
	};
	struct sink *sink;

	sink = sink_file_new(&options);
	ck_assert_ptr_nonnull(sink);
	return sink;
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

static void
has(const char *path, const char *text)
{
	char *content = support_slurp(path);

	ck_assert_msg(strcmp(content, text) == 0, "%s: \"%s\", not \"%s\"",
	    path, content, text);
	free(content);
}

static void
has_not(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == -1, "%s is there", path);
}

static const char *
numbered(const char *path, int n)
{
	static char names[4][PATH_MAX];
	static unsigned int next;
	char *name = names[next++ % 4];

	snprintf(name, PATH_MAX, "%s.%d", path, n);
	return name;
}

START_TEST(lines_are_appended_as_they_are)
{
	const char *path = support_file("log", 0600, "old\n");
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *lane = sink_join(sink, "web");

	put(lane, "one", 0);
	put(lane, "", 0);
	has(path, "old\n");
	sink_flush(sink);
	has(path, "old\none\n\n");
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(any_byte_is_kept)
{
	const char *path = support_path("log");
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *lane = sink_join(sink, "web");
	struct log_line line = { .text = "a\0\033[1m\377", .length = 7 };
	char bytes[16];
	int fd;

	sink_line(lane, &line);
	sink_leave(lane);
	sink_release(sink);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), 8);
	ck_assert_int_eq(memcmp(bytes, "a\0\033[1m\377\n", 8), 0);
	close(fd);
}
END_TEST

START_TEST(a_new_file_is_closed_to_others)
{
	const char *path = support_path("log");
	struct stat st;
	struct sink *sink;

	umask(0);
	sink = open_sink(path, 0, 0);
	ck_assert_int_eq(sink_open(sink), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	sink_release(sink);
}
END_TEST

START_TEST(pieces_are_put_together_unless_another_comes_between)
{
	const char *path = support_path("log");
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *one = sink_join(sink, "one");
	struct sink_lane *two = sink_join(sink, "two");

	put(one, "ab", LINES_CUT);
	put(one, "cd", LINES_CUT);
	put(one, "e", 0);
	put(one, "fg", LINES_CUT);
	put(two, "other", 0);
	put(one, "h", LINES_PARTIAL);
	put(two, "end", LINES_CUT);
	sink_leave(two);
	sink_leave(one);
	sink_release(sink);
	has(path, "abcde\nfg\\\nother\nh\nend\\\n");
}
END_TEST

START_TEST(a_file_rotates_before_it_grows_too_large)
{
	const char *path = support_path("log");
	struct sink *sink = open_sink(path, 8, (unsigned int)_i);
	struct sink_lane *lane = sink_join(sink, "web");
	char text[8];
	int n;

	/* Two lines a file. */
	for (n = 0; n < 15; n++) {
		snprintf(text, sizeof(text), "%03d", n);
		put(lane, text, 0);
	}
	sink_flush(sink);
	has(path, "014\n");
	if (_i >= 1)
		has(numbered(path, 1), "012\n013\n");
	if (_i >= 5)
		has(numbered(path, 5), "004\n005\n");
	has_not(numbered(path, _i + 1));
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(who_asks_last_for_a_file_sets_its_limits)
{
	struct logs_target target = { LOGS_FILE, support_path("log"), 0, 0 };
	struct loop *loop = loop_new(NULL);
	struct logs *logs = logs_new(loop, STDOUT_FILENO, NULL);
	struct sink_lane *lane = sink_join(logs_sink(logs, &target), "web");

	say(lane, "12345");
	target.max_size = 8;
	target.keep = 1;
	ck_assert_ptr_eq(logs_sink(logs, &target), lane->sink);
	say(lane, "67890");
	sink_leave(lane);
	has(numbered(target.path, 1), "12345\n");
	has(target.path, "67890\n");
	logs_free(logs);
	loop_free(loop);
}
END_TEST

START_TEST(a_file_that_is_there_counts)
{
	const char *path = support_file("log", 0600, "1234567\n");
	struct sink *sink = open_sink(path, 10, 1);
	struct sink_lane *lane = sink_join(sink, "web");

	say(lane, "0123456789 longer than a file");
	has(numbered(path, 1), "1234567\n");
	has(path, "0123456789 longer than a file\n");
	say(lane, "x");
	has(numbered(path, 1), "0123456789 longer than a file\n");
	has(path, "x\n");
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

/* Cut short after any step, the next call loses nothing but the oldest. */
START_TEST(rotation_that_was_cut_short_loses_nothing)
{
	const char *path = support_file("log", 0600, "new");
	int gap = _i, n;
	char text[8];

	for (n = 1; n <= 4; n++) {
		if (n == gap)
			continue;
		snprintf(text, sizeof(text), "%d", n);
		support_file(strrchr(numbered(path, n), '/') + 1, 0600, text);
	}
	ck_assert_int_eq(rotate(path, 4), 0);
	has_not(path);
	has(numbered(path, 1), "new");
	for (n = 1; n <= 4; n++) {
		snprintf(text, sizeof(text), "%d", n);
		/* The oldest of a full row goes. */
		if (n < gap && n < 4)
			has(numbered(path, n + 1), text);
		else if (n > gap)
			has(numbered(path, n), text);
	}
	has_not(numbered(path, 5));
}
END_TEST

START_TEST(each_step_of_a_rotation_keeps_every_file)
{
	const char *path = support_file("log", 0600, "new");
	int n;

	/* A directory cannot be replaced by a file: stops the last step. */
	support_file("log.2", 0600, "2");
	ck_assert_int_eq(mkdir(numbered(path, 1), 0700), 0);
	ck_assert_int_eq(mkdir(numbered(path, 3), 0700), 0);
	ck_assert_int_eq(rotate(path, 3), -1);
	ck_assert_int_eq(errno, EISDIR);
	has(path, "new");
	has(numbered(path, 2), "2");
	for (n = 1; n <= 3; n += 2)
		ck_assert_int_eq(rmdir(numbered(path, n)), 0);
	ck_assert_int_eq(rotate(path, 3), 0);
	has(numbered(path, 1), "new");
	has(numbered(path, 2), "2");
}
END_TEST

START_TEST(rotation_without_a_file_fails)
{
	char name[PATH_MAX];

	ck_assert_int_eq(rotate(support_path("none"), 2), -1);
	ck_assert_int_eq(errno, ENOENT);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(rotate(name, 2), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

START_TEST(reopening_follows_the_name)
{
	const char *path = support_path("log"), *moved = support_path("moved");
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *lane = sink_join(sink, "web");

	say(lane, "one");
	ck_assert_int_eq(rename(path, moved), 0);
	say(lane, "two");
	sink_reopen(sink);
	say(lane, "three");
	has(moved, "one\ntwo\n");
	has(path, "three\n");
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(a_file_that_cannot_be_reopened_goes_on)
{
	const char *path = support_path("log"), *moved = support_path("moved");
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *lane = sink_join(sink, "web");

	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	sink_reopen(sink);
	say(lane, "one");
	has(moved, "one\n");
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(a_file_that_others_moved_is_not_rotated)
{
	const char *path = support_path("log"), *moved = support_path("moved");
	struct sink *sink = open_sink(path, 4, 2);
	struct sink_lane *lane = sink_join(sink, "web");

	say(lane, "one");
	ck_assert_int_eq(rename(path, moved), 0);
	say(lane, "two");
	has(moved, "one\n");
	has(path, "two\n");
	has_not(numbered(path, 1));
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(a_link_is_not_rotated)
{
	const char *path = support_path("log"), *file = support_path("file");
	struct sink *sink;
	struct sink_lane *lane;

	ck_assert_int_eq(symlink(file, path), 0);
	sink = open_sink(path, 4, 2);
	lane = sink_join(sink, "web");
	say(lane, "one");
	say(lane, "two");
	has(file, "one\ntwo\n");
	has_not(numbered(path, 1));
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

/* Standard error as text, while fn runs. */
static char *
messages_of(void (*fn)(const char *), const char *arg)
{
	const char *path = support_path("stderr");
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), fd;

	log_open("t", LOG_LEVEL_WARN);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	fn(arg);
	dup2(saved, STDERR_FILENO);
	close(saved);
	log_open("t", LOG_LEVEL_QUIET);
	return support_slurp(path);
}

static size_t
count(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}

static void
write_to_full(const char *path)
{
	struct sink *sink = open_sink(path, 10, 2);
	struct sink_lane *lane = sink_join(sink, "web");
	int i;

	for (i = 0; i < 100; i++)
		say(lane, "does not fit");
	now_ms += 60000;
	say(lane, "nor this");
	sink_finish(sink, 0);
	sink_leave(lane);
	sink_release(sink);
}

START_TEST(a_full_disk_is_told_of_once_a_minute)
{
	char *text = messages_of(write_to_full, "/dev/full");
	struct stat st;

	ck_assert_uint_eq(count(text,
			      "log /dev/full: cannot be written: "
			      "No space left on device"),
	    2);
	ck_assert_uint_eq(count(text, "log /dev/full: 101 lines lost"), 1);
	free(text);
	ck_assert_int_eq(stat("/dev/full", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	has_not("/dev/full.1");
}
END_TEST

static void
write_to_missing(const char *path)
{
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *lane = sink_join(sink, "web");

	say(lane, "one");
	say(lane, "two");
	ck_assert_int_eq(mkdir(support_path("missing"), 0700), 0);
	say(lane, "three"); /* not tried again within a second */
	now_ms += 1000;
	say(lane, "four");
	sink_leave(lane);
	sink_release(sink);
}

START_TEST(a_missing_directory_is_waited_for)
{
	const char *path = support_path("missing/log");
	char *text = messages_of(write_to_missing, path);

	ck_assert_uint_eq(count(text, "cannot be opened"), 1);
	free(text);
	has(path, "[3 lines lost: No such file or directory]\nfour\n");
}
END_TEST

static void
ask_for_missing(const char *path)
{
	struct sink *sink = open_sink(path, 0, 0);

	ck_assert_int_eq(sink_open(sink), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(mkdir(support_path("missing"), 0700), 0);
	ck_assert_int_eq(sink_open(sink), 0);
	sink_release(sink);
}

START_TEST(who_asks_for_a_file_is_answered_without_a_message)
{
	char *text = messages_of(ask_for_missing, support_path("missing/log"));

	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(a_line_that_was_torn_is_told_of)
{
	const char *path = support_path("log");
	struct rlimit limit, small;
	struct sink *sink = open_sink(path, 0, 0);
	struct sink_lane *lane = sink_join(sink, "web");

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = 6;
	say(lane, "one");
	setrlimit(RLIMIT_FSIZE, &small);
	say(lane, "two");
	say(lane, "three");
	setrlimit(RLIMIT_FSIZE, &limit);
	say(lane, "four");
	has(path, "one\ntw\n[2 lines lost: File too large]\nfour\n");
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(a_fifo_without_a_reader_holds_nobody)
{
	const char *path = support_path("fifo");
	char line[64];
	struct sink *sink;
	struct sink_lane *lane;
	int fd;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	sink = open_sink(path, 4, 1);
	lane = sink_join(sink, "web");
	say(lane, "lost");
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	now_ms += 1000;
	say(lane, "two");
	support_read_line(fd, line, sizeof(line));
	ck_assert_str_eq(line, "[1 lines lost: No such device or address]");
	support_read_line(fd, line, sizeof(line));
	ck_assert_str_eq(line, "two");
	has_not(numbered(path, 1));
	close(fd);
	sink_leave(lane);
	sink_release(sink);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	char path[PATH_MAX];
	struct sink_file_options options = { .path = path };

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 8] = '\0';
	ck_assert_ptr_null(sink_file_new(&options));
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("logs: files");
	TCase *tc;

	tc = support_case(suite, "writing");
	tcase_add_test(tc, lines_are_appended_as_they_are);
	tcase_add_test(tc, any_byte_is_kept);
	tcase_add_test(tc, a_new_file_is_closed_to_others);
	tcase_add_test(tc,
	    pieces_are_put_together_unless_another_comes_between);
	tc = support_case(suite, "rotation");
	tcase_add_loop_test(tc, a_file_rotates_before_it_grows_too_large, 0, 6);
	tcase_add_test(tc, a_file_that_is_there_counts);
	tcase_add_test(tc, who_asks_last_for_a_file_sets_its_limits);
	tcase_add_loop_test(tc, rotation_that_was_cut_short_loses_nothing, 1,
	    6);
	tcase_add_test(tc, each_step_of_a_rotation_keeps_every_file);
	tcase_add_test(tc, rotation_without_a_file_fails);
	tcase_add_test(tc, a_file_that_others_moved_is_not_rotated);
	tcase_add_test(tc, a_link_is_not_rotated);
	tc = support_case(suite, "reopening");
	tcase_add_test(tc, reopening_follows_the_name);
	tcase_add_test(tc, a_file_that_cannot_be_reopened_goes_on);
	tc = support_case(suite, "trouble");
	tcase_add_test(tc, a_full_disk_is_told_of_once_a_minute);
	tcase_add_test(tc, a_missing_directory_is_waited_for);
	tcase_add_test(tc, who_asks_for_a_file_is_answered_without_a_message);
	tcase_add_test(tc, a_line_that_was_torn_is_told_of);
	tcase_add_test(tc, a_fifo_without_a_reader_holds_nobody);
	tcase_add_test(tc, a_path_that_is_too_long_is_refused);
	return support_main(suite, NULL);
}
