/* SPDX-License-Identifier: ISC */
/*
 * Readiness by a descriptor and by a line of output.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/ready/ready_fd.h"
#include "runtime/ready/ready_log.h"
#include "runtime/util/loop.h"
#include "support.h"

struct outcome {
	unsigned int calls;
	bool ready;
	struct ready_fd *free;
};

static void
on_ready(bool ready, void *arg)
{
	struct outcome *outcome = arg;

	outcome->calls++;
	outcome->ready = ready;
	ready_fd_free(outcome->free);
	outcome->free = NULL;
}

START_TEST(a_newline_means_ready)
{
	struct loop *loop = loop_new(NULL);
	struct outcome outcome = { 0, false, NULL };
	struct ready_fd *ready;
	int fd;

	ready = ready_fd_new(loop, &fd, on_ready, &outcome);
	ck_assert_ptr_nonnull(ready);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(write(fd, "not yet", 7), 7);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(outcome.calls, 0);
	ck_assert_int_eq(write(fd, " now\nmore\n", 10), 10);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert(outcome.ready);
	close(fd);
	ready_fd_free(ready);
	ready_fd_free(NULL);
	loop_free(loop);
}
END_TEST

START_TEST(an_end_without_a_newline_is_told)
{
	struct loop *loop = loop_new(NULL);
	struct outcome outcome = { 0, true, NULL };
	int fd;

	outcome.free = ready_fd_new(loop, &fd, on_ready, &outcome);
	ck_assert_int_eq(write(fd, "no", 2), 2);
	close(fd);
	while (outcome.calls == 0)
		ck_assert_int_eq(loop_once(loop), 0);
	ck_assert(!outcome.ready);
	loop_free(loop);
}
END_TEST

START_TEST(what_came_can_be_read_without_the_loop)
{
	struct loop *loop = loop_new(NULL);
	struct outcome outcome = { 0, false, NULL };
	char text[5000];
	int fd;

	outcome.free = ready_fd_new(loop, &fd, on_ready, &outcome);
	ready_fd_drain(outcome.free);
	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(write(fd, text, sizeof(text)), sizeof(text));
	ready_fd_drain(outcome.free);
	ck_assert_uint_eq(outcome.calls, 0);
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	ready_fd_drain(outcome.free);
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert(outcome.ready);
	ck_assert_ptr_null(outcome.free);
	close(fd);
	loop_free(loop);
}
END_TEST

START_TEST(it_may_be_given_up)
{
	struct loop *loop = loop_new(NULL);
	struct outcome outcome = { 0, false, NULL };
	struct ready_fd *ready;
	int fd;

	ready = ready_fd_new(loop, &fd, on_ready, &outcome);
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	ready_fd_free(ready);
	ck_assert_uint_eq(outcome.calls, 0);
	close(fd);
	loop_free(loop);
}
END_TEST

START_TEST(without_descriptors_there_is_no_pipe)
{
	struct loop *loop = loop_new(NULL);
	struct rlimit limit, none;
	int fd = -7;

	loop_base(loop);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	ck_assert_ptr_null(ready_fd_new(loop, &fd, on_ready, NULL));
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(fd, -7);
	setrlimit(RLIMIT_NOFILE, &limit);
	loop_free(loop);
}
END_TEST

static const struct {
	const char *pattern;
	const char *text;
	size_t length;
	bool matches;
} matches[] = {
	{ "listening on port [0-9]+", "now listening on port 80.", 25, true },
	{ "listening on port [0-9]+", "now listening on port x", 23, false },
	{ "^ready$", "ready", 5, true },
	{ "^ready$", "ready?", 6, false },
	{ "^ready$", "ready?", 5, true }, /* no more than the length */
	{ "a.b", "a\0b", 3, true },
	{ "b", "a\0b", 3, true },
	{ "^$", "", 0, true },
	{ "[\\1]x", "\\x", 2, true },
	{ "[[:digit:]\\1]+$", "4\\", 2, true },
	{ "\\\\1", "\\1", 2, true },
	{ "\377", "a\377b", 3, true },
};

START_TEST(lines_are_matched)
{
	char error[128] = "";
	struct ready_log *ready;

	ready = ready_log_new(matches[_i].pattern, error, sizeof(error));
	ck_assert_msg(ready != NULL, "%s: %s", matches[_i].pattern, error);
	ck_assert_msg(ready_log_match(ready, matches[_i].text,
			  matches[_i].length) == matches[_i].matches,
	    "%s", matches[_i].pattern);
	ready_log_free(ready);
}
END_TEST

START_TEST(bad_patterns_are_explained)
{
	static const char *const bad[] = { "(", "[a", "a{2,1}", "(a)\\1",
		"[^]a](b)\\1", "[[:alpha:]](.)\\9" };
	char error[128];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		ck_assert_msg(ready_log_new(bad[i], error, sizeof(error)) ==
			NULL,
		    "%s", bad[i]);
		ck_assert_str_ne(error, "");
	}
	ready_log_free(NULL);
}
END_TEST

START_TEST(only_the_beginning_of_a_line_is_looked_at)
{
	static char text[READY_LOG_MAX + 2];
	char error[128];
	struct ready_log *ready = ready_log_new("y", error, sizeof(error));

	memset(text, 'x', sizeof(text));
	text[READY_LOG_MAX] = 'y';
	ck_assert(!ready_log_match(ready, text, sizeof(text)));
	text[READY_LOG_MAX - 1] = 'y';
	ck_assert(ready_log_match(ready, text, sizeof(text)));
	ready_log_free(ready);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ready");
	TCase *tc;

	tc = support_case(suite, "descriptor");
	tcase_add_test(tc, a_newline_means_ready);
	tcase_add_test(tc, an_end_without_a_newline_is_told);
	tcase_add_test(tc, what_came_can_be_read_without_the_loop);
	tcase_add_test(tc, it_may_be_given_up);
	tcase_add_test(tc, without_descriptors_there_is_no_pipe);
	tc = support_case(suite, "line");
	tcase_add_loop_test(tc, lines_are_matched, 0,
	    sizeof(matches) / sizeof(matches[0]));
	tcase_add_test(tc, bad_patterns_are_explained);
	tcase_add_test(tc, only_the_beginning_of_a_line_is_looked_at);
	return support_main(suite, NULL);
}
