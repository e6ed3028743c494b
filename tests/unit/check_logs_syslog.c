/* SPDX-License-Identifier: ISC */
/*
 * Lines to the system's log.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/logs/sink.h"
#include "runtime/util/loop.h"
#include "support.h"

#define FLOOD 20000

static struct loop *loop;

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

/* A log daemon. */
static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
	    0);
	return fd;
}

/* The text after a header of RFC 3164. */
static void
receives(int fd, const char *expected)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char text[LINES_MAX + 512], month[8];
	int day, hour, minute, second, header = 0;
	ssize_t n;

	while (poll(&pfd, 1, 0) == 0)
		ck_assert_int_eq(loop_once(loop), 0);
	n = recv(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_msg(sscanf(text, "<30>%3s %2d %2d:%2d:%2d %n", month, &day,
			  &hour, &minute, &second, &header) == 5,
	    "%s", text);
	ck_assert_int_eq(header, 20);
	ck_assert_str_eq(text + header, expected);
}

START_TEST(syslog_gets_a_datagram_a_line)
{
	const char *path = support_path("log");
	int fd = listen_at(path);
	struct sink_lane *lane;
	struct log_line line = { .text = "dated",
		.length = 5,
		.time_us = (int64_t)86400 * 1000000 };
	struct sink *sink;
	char text[64];

	setenv("TZ", "UTC", 1);
	loop = loop_new(NULL);
	sink = sink_syslog_new(loop, path, 10);
	lane = sink_join(sink, "workers/resize:1");
	put(lane, "one", 0);
	put(lane, "two\033\n", 0);
	put(lane, "cut", LINES_CUT);
	sink_flush(sink);
	receives(fd, "workers/resize.1: one");
	receives(fd, "workers/resize.1: two^[^J");
	receives(fd, "workers/resize.1: cut\\");
	sink_line(lane, &line);
	sink_flush(sink);
	text[recv(fd, text, sizeof(text) - 1, 0)] = '\0';
	ck_assert_str_eq(text, "<30>Jan  2 00:00:00 workers/resize.1: dated");
	sink_leave(lane);
	close(fd);
	sink_release(sink);
	loop_free(loop);
}
END_TEST

START_TEST(syslog_is_waited_for_and_found_again)
{
	const char *path = support_path("log");
	struct sink_lane *lane;
	struct sink *sink;
	int fd;

	loop = loop_new(NULL);
	sink = sink_syslog_new(loop, path, 1);
	lane = sink_join(sink, "a");
	say(lane, "before");
	fd = listen_at(path);
	receives(fd, "a: before");
	close(fd);
	say(lane, "between");
	say(lane, "more");
	fd = listen_at(path);
	receives(fd, "a: between");
	receives(fd, "a: more");
	close(fd);
	sink_finish(sink, 0);
	sink_leave(lane);
	sink_release(sink);
	loop_free(loop);
}
END_TEST

START_TEST(a_slow_syslog_gets_all_or_a_count)
{
	const char *path = support_path("log");
	int fd = listen_at(path), i;
	long next = 0, n, told = 0;
	struct sink_lane *lane;
	struct sink *sink;
	char text[256];

	loop = loop_new(NULL);
	sink = sink_syslog_new(loop, path, 1);
	lane = sink_join(sink, "a");
	for (i = 0; i < FLOOD; i++) {
		snprintf(text, sizeof(text), "%d", i);
		say(lane, text);
	}
	while (next < FLOOD) {
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		if (n == -1) {
			ck_assert_int_eq(loop_once(loop), 0);
			continue;
		}
		text[n] = '\0';
		if (sscanf(text + 20, "a: [%ld lines dropped]", &n) == 1) {
			told += n;
			next += n;
		} else {
			ck_assert_int_eq(sscanf(text + 20, "a: %ld", &n), 1);
			ck_assert_int_eq(n, next++);
		}
	}
	ck_assert_int_gt(told, 0);
	sink_leave(lane);
	close(fd);
	sink_release(sink);
	loop_free(loop);
}
END_TEST

START_TEST(a_syslog_path_has_a_limit)
{
	char path[200];

	loop = loop_new(NULL);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_ptr_null(sink_syslog_new(loop, path, 1));
	ck_assert_int_eq(errno, ENAMETOOLONG);
	loop_free(loop);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("logs: syslog");
	TCase *tc;

	tc = support_case(suite, "syslog");
	tcase_add_test(tc, syslog_gets_a_datagram_a_line);
	tcase_add_test(tc, syslog_is_waited_for_and_found_again);
	tcase_add_test(tc, a_slow_syslog_gets_all_or_a_count);
	tcase_add_test(tc, a_syslog_path_has_a_limit);
	return support_main(suite, NULL);
}
