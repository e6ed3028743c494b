/* SPDX-License-Identifier: ISC */
/*
 * The small modules below: descriptors, messages, the event loop, and the
 * lines of JSON-RPC.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/control/json_build.h"
#include "runtime/control/rpc.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"
#include "trial.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static bool
is_null(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 &&
	    st.st_rdev == null.st_rdev;
}

START_TEST(a_closed_descriptor_is_minus_one)
{
	int fd = dup(STDIN_FILENO), copy = fd;

	fd_close(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert(!is_open(copy));
	errno = ENOTTY;
	fd_close(&fd);
	fd = copy;
	fd_close(&fd); /* fails, and says nothing */
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

/* A file of so many bytes, read from its start. */
static char *
read_back(size_t size, size_t max, size_t *length)
{
	char *bytes = malloc(size + 1), *text;
	int saved, fd;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'x', size);
	fd = open(support_path("read"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	free(bytes);
	text = fd_read_all(fd, max, length);
	saved = errno;
	close(fd);
	errno = saved;
	return text;
}

START_TEST(all_is_read_up_to_the_end)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
	char *text;
	size_t i, length;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		text = read_back(sizes[i], sizes[i], &length);
		ck_assert_ptr_nonnull(text);
		ck_assert_uint_eq(length, sizes[i]);
		ck_assert_uint_eq(strspn(text, "x"), sizes[i]);
		ck_assert_int_eq(text[sizes[i]], '\0');
		free(text);
	}
}
END_TEST

START_TEST(more_than_may_be_is_not_read)
{
	static const size_t sizes[] = { 1, 4096, 100000 };
	size_t i, length;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_ptr_null(read_back(sizes[i], sizes[i] - 1, &length));
		ck_assert_int_eq(errno, EFBIG);
	}
	ck_assert_ptr_null(fd_read_all(-1, 1, &length));
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(a_read_ends_with_its_time)
{
	size_t length;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "some", 4), 4);
	ck_assert_ptr_null(fd_read_until(ends[0], 10, clock_deadline(1),
	    &length));
	ck_assert_int_eq(errno, ETIMEDOUT);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_wait_ends_with_what_is_awaited_or_its_time)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fd_await(ends[0], POLLIN, clock_deadline(1)), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(fd_await(ends[0], POLLIN, clock_deadline(0)), 1);
	ck_assert_int_eq(fd_await(ends[0], POLLIN, clock_deadline(-1)), 1);
	/* No time is too long. */
	ck_assert_int_eq(clock_deadline(INT64_MAX), INT64_MAX);
	ck_assert_int_eq(fd_await(ends[0], POLLIN, INT64_MAX), 1);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void
hold_standard(void *arg)
{
	int fd;

	(void)arg;
	close(STDIN_FILENO);
	close(STDERR_FILENO);
	if (fd_hold_standard() == -1)
		_exit(1);
	for (fd = 0; fd <= 2; fd++)
		if (!is_open(fd))
			_exit(2);
	/* A command finds closed what was closed. */
	if ((fcntl(STDIN_FILENO, F_GETFD) & FD_CLOEXEC) == 0 ||
	    (fcntl(STDERR_FILENO, F_GETFD) & FD_CLOEXEC) == 0 ||
	    (fcntl(STDOUT_FILENO, F_GETFD) & FD_CLOEXEC) != 0)
		_exit(3);
}

START_TEST(standard_descriptors_are_held)
{
	trial_join(trial_fork(hold_standard, NULL));
}
END_TEST

static void
close_inherited(void *arg)
{
	int passed, kept;

	(void)arg;
	passed = fcntl(STDIN_FILENO, F_DUPFD, 50);
	kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 60);
	fd_close_inherited();
	if (is_open(passed))
		_exit(1);
	if (!is_open(kept))
		_exit(2);
	if (!is_null(STDIN_FILENO) || !is_null(STDOUT_FILENO))
		_exit(3);
	if (!is_open(STDERR_FILENO))
		_exit(4);
}

START_TEST(inherited_descriptors_are_let_go)
{
	trial_join(trial_fork(close_inherited, NULL));
}
END_TEST

static void
close_private(void *arg)
{
	int passed, closed, kept;

	(void)arg;
	passed = fcntl(STDIN_FILENO, F_DUPFD, 50);
	closed = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 60);
	kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 70);
	fd_close_private(kept);
	if (!is_open(passed))
		_exit(1);
	if (is_open(closed))
		_exit(2);
	if (!is_open(kept))
		_exit(3);
	fd_close_private(-1);
	if (is_open(kept))
		_exit(4);
}

START_TEST(private_descriptors_are_closed_but_one)
{
	trial_join(trial_fork(close_private, NULL));
}
END_TEST

/* What a function writes to standard error. */
static void
messages_of(void (*fn)(void *), char *text, size_t size)
{
	int ends[2], saved;
	ssize_t n;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	fflush(stderr);
	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(ends[1], STDERR_FILENO);
	fn(NULL);
	dup2(saved, STDERR_FILENO);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

static void
log_all(void *arg)
{
	(void)arg;
	errno = ENOENT;
	log_warn("file %s", "x");
	ck_assert_int_eq(errno, ENOENT);
	log_warnx("number %d", 7);
	log_info("info");
	log_debug("debug");
	ck_assert_int_eq(errno, ENOENT);
}

START_TEST(a_library_is_silent_unless_told)
{
	char text[1024];

	messages_of(log_all, text, sizeof(text));
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(levels_choose_what_is_printed)
{
	static const char *const expected[] = {
		"",
		"grouper run: file x: No such file or directory\n"
		"grouper run: number 7\n",
		"grouper run: file x: No such file or directory\n"
		"grouper run: number 7\n"
		"grouper run: info\n",
		"grouper run: file x: No such file or directory\n"
		"grouper run: number 7\n"
		"grouper run: info\n"
		"grouper run: debug\n",
	};
	char text[1024];

	log_open("grouper run", (enum log_level)_i);
	messages_of(log_all, text, sizeof(text));
	ck_assert_str_eq(text, expected[_i]);
}
END_TEST

static void
log_hostile(void *arg)
{
	char longest[5000];

	(void)arg;
	log_warnx("a\nb\033[31mc\177");
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_warnx("%s", longest);
}

/* One line a message, and nothing that a terminal would act on. */
START_TEST(messages_stay_one_plain_line)
{
	char text[8192], *line;

	log_open("p", LOG_LEVEL_WARN);
	messages_of(log_hostile, text, sizeof(text));
	ck_assert_int_eq(strncmp(text, "p: a?b?[31mc?\np: yyy", 20), 0);
	line = strchr(text, '\n') + 1;
	ck_assert_uint_le(strlen(line), 1024);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

static void
count(void *arg)
{
	++*(unsigned int *)arg;
}

static void
count_fd(int fd, void *arg)
{
	char byte;

	if (read(fd, &byte, 1) == 1)
		count(arg);
}

/* libevent would end the process: it gets one descriptor of those it needs. */
START_TEST(a_loop_that_gets_no_descriptors_is_refused)
{
	struct loop *loop;
	struct rlimit limit, before;
	int next;

	if (getenv("GROUPER_SANITIZERS") != NULL)
		SUPPORT_SKIP("what libevent had allocated is lost");
	loop = loop_new(NULL);
	ck_assert_ptr_nonnull(loop);
	next = dup(STDERR_FILENO);
	ck_assert_int_eq(loop_reserve(loop), 0);
	ck_assert_int_eq(close(next), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)next + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_ptr_null(loop_base(loop));
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* libevent's, which nobody has any more */
	/* cppcheck-suppress doubleFree */
	close(next);
	loop_free(loop);
}
END_TEST

START_TEST(a_timer_fires_once_each_time_it_is_set)
{
	struct loop *loop = loop_new(NULL);
	struct loop_timer *timer;
	unsigned int fired = 0;
	int64_t began;

	ck_assert_ptr_nonnull(loop);
	timer = loop_timer_new(loop, count, &fired);
	ck_assert_ptr_nonnull(timer);
	began = clock_ms();
	loop_timer_set(timer, 30);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 1);
	ck_assert_int_ge(clock_ms() - began, 29);
	/* Off now: with nothing to wait for a turn is over at once. */
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 1);
	loop_timer_set(timer, 3600000);
	loop_timer_set(timer, 0);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 2);
	loop_timer_set(timer, 0);
	loop_timer_clear(timer);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 2);
	loop_timer_free(timer);
	loop_timer_free(NULL);
	loop_free(loop);
	loop_free(NULL);
}
END_TEST

START_TEST(a_watch_can_be_switched_off_and_on)
{
	struct loop *loop = loop_new(NULL);
	struct loop_timer *timer;
	struct loop_fd *watch;
	unsigned int fired = 0, late = 0;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	watch = loop_fd_new(loop, ends[0], LOOP_READ, count_fd, &fired);
	timer = loop_timer_new(loop, count, &late);
	ck_assert_ptr_nonnull(watch);
	ck_assert_int_eq(write(ends[1], "ab", 2), 2);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 1);
	loop_fd_set(watch, false);
	loop_timer_set(timer, 10);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(late, 1);
	loop_fd_set(watch, true);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(fired, 2);
	loop_fd_free(watch);
	loop_fd_free(NULL);
	loop_timer_free(timer);
	loop_free(loop);
	ck_assert(is_open(ends[0]));
	close(ends[0]);
	close(ends[1]);
}
END_TEST

struct self_freeing {
	struct loop_fd *watch;
	unsigned int fired;
};

static void
free_itself(int fd, void *arg)
{
	struct self_freeing *self = arg;

	(void)fd;
	self->fired++;
	loop_fd_free(self->watch);
}

START_TEST(a_watch_may_free_itself)
{
	struct loop *loop = loop_new(NULL);
	struct self_freeing self = { NULL, 0 };
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	self.watch = loop_fd_new(loop, ends[1], LOOP_WRITE, free_itself, &self);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_int_eq(loop_once(loop), 0);
	ck_assert_uint_eq(self.fired, 1);
	loop_free(loop);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void
break_out(void *arg)
{
	loop_break(arg);
}

START_TEST(a_loop_runs_until_it_is_broken)
{
	struct loop *loop = loop_new(NULL);
	struct loop_timer *timer = loop_timer_new(loop, break_out, loop);

	loop_timer_set(timer, 1);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_timer_free(timer);
	loop_free(loop);
}
END_TEST

START_TEST(a_loop_that_was_broken_before_it_ran_ends_at_once)
{
	struct loop *loop = loop_new(NULL);
	struct loop_timer *timer;
	unsigned int fired = 0;

	timer = loop_timer_new(loop, count, &fired);
	loop_timer_set(timer, 0);
	loop_break(loop);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_uint_eq(fired, 0);
	loop_timer_free(timer);
	loop_free(loop);
}
END_TEST

START_TEST(a_loop_may_be_on_a_base_of_the_caller_s)
{
	struct event_base *base = event_base_new();
	struct loop *loop = loop_new(base);

	ck_assert_ptr_eq(loop_base(loop), base);
	loop_free(loop);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	event_base_free(base);
}
END_TEST

START_TEST(rpc_lines_are_whole_objects)
{
	json_t *id = json_string("a\nb"), *object;
	char *line;

	line = rpc_result(id, json_pack("{s:i}", "n", 1));
	ck_assert_str_eq(line,
	    "{\"jsonrpc\":\"2.0\",\"id\":\"a\\nb\",\"result\":{\"n\":1}}\n");
	free(line);
	line = rpc_error(NULL, RPC_PARSE_ERROR, "say \"x\"");
	ck_assert_str_eq(line,
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
	    "\"message\":\"say \\\"x\\\"\"}}\n");
	free(line);
	line = rpc_request(7, "ident", json_object());
	object = json_loads(line, 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "id")), 7);
	ck_assert_str_eq(json_string_value(json_object_get(object, "method")),
	    "ident");
	ck_assert(json_is_object(json_object_get(object, "params")));
	json_decref(object);
	free(line);
	json_decref(id);
}
END_TEST

START_TEST(what_cannot_be_built_whole_is_not_sent)
{
	json_t *object = json_object(), *list = json_array();

	json_put(&object, "a", json_true());
	ck_assert_uint_eq(json_object_size(object), 1);
	json_add(&list, json_integer(1));
	json_add(&list, NULL);
	json_add(&list, json_integer(2));
	ck_assert_ptr_null(list);
	json_put(&object, "list", list);
	json_put(&object, "b", json_true());
	ck_assert_ptr_null(object);
	ck_assert_ptr_null(rpc_request(1, "m", object));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("util");
	TCase *tc = support_case(s, "descriptors");

	tcase_add_test(tc, a_closed_descriptor_is_minus_one);
	tcase_add_test(tc, all_is_read_up_to_the_end);
	tcase_add_test(tc, more_than_may_be_is_not_read);
	tcase_add_test(tc, a_read_ends_with_its_time);
	tcase_add_test(tc, a_wait_ends_with_what_is_awaited_or_its_time);
	tcase_add_test(tc, standard_descriptors_are_held);
	tcase_add_test(tc, inherited_descriptors_are_let_go);
	tcase_add_test(tc, private_descriptors_are_closed_but_one);

	tc = support_case(s, "messages");
	tcase_add_test(tc, a_library_is_silent_unless_told);
	tcase_add_loop_test(tc, levels_choose_what_is_printed, LOG_LEVEL_QUIET,
	    LOG_LEVEL_DEBUG + 1);
	tcase_add_test(tc, messages_stay_one_plain_line);

	tc = support_case(s, "loop");
	tcase_add_test(tc, a_loop_that_gets_no_descriptors_is_refused);
	tcase_add_test(tc, a_timer_fires_once_each_time_it_is_set);
	tcase_add_test(tc, a_watch_can_be_switched_off_and_on);
	tcase_add_test(tc, a_watch_may_free_itself);
	tcase_add_test(tc, a_loop_runs_until_it_is_broken);
	tcase_add_test(tc, a_loop_that_was_broken_before_it_ran_ends_at_once);
	tcase_add_test(tc, a_loop_may_be_on_a_base_of_the_caller_s);

	tc = support_case(s, "JSON-RPC");
	tcase_add_test(tc, rpc_lines_are_whole_objects);
	tcase_add_test(tc, what_cannot_be_built_whole_is_not_sent);
	return support_main(s, NULL);
}
