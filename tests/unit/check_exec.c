/* SPDX-License-Identifier: ISC */
/*
 * Functions as groups: their status, their result, and that they are stopped
 * on every way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trial.h"

#define MAX_RESULT ((size_t)64 << 20)

static struct grouper_options
plain(void)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;

	options.session = GROUPER_SESSION_NEW;
	return options;
}

/* Executes a function to its end and returns the last event. */
static const struct trial_event *
run(struct trial *trial, grouper_exec_fn *fn, void *arg)
{
	struct grouper_options options = plain();

	trial_exec(trial, &options, fn, arg);
	return trial_await(trial, GROUPER_EVENT_EMPTY);
}

static void
write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, at, size);
		if (n == -1)
			_exit(99);
		at += n;
		size -= (size_t)n;
	}
}

static int
give_status(void *arg, int out)
{
	(void)out;
	return *(int *)arg;
}

START_TEST(the_int_result_is_the_exit_status)
{
	static const int status[] = { 0, 1, 77, 255 };
	const struct trial_event *event;
	struct trial trial;
	size_t i;

	trial_open(&trial, NULL);
	for (i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		event = run(&trial, give_status, (void *)(uintptr_t)&status[i]);
		ck_assert(WIFEXITED(event->status));
		ck_assert_int_eq(WEXITSTATUS(event->status), status[i]);
		ck_assert_uint_eq(event->result_length, 0);
	}
	trial_close(&trial);
}
END_TEST

static int
give_bytes(void *arg, int out)
{
	(void)arg;
	write_all(out, "a\0b\377\n", 5);
	return 0;
}

START_TEST(the_result_may_hold_any_bytes)
{
	const struct trial_event *event;
	struct trial trial;

	trial_open(&trial, NULL);
	event = run(&trial, give_bytes, NULL);
	ck_assert_uint_eq(event->result_length, 5);
	ck_assert_int_eq(memcmp(event->result, "a\0b\377\n", 5), 0);
	trial_close(&trial);
}
END_TEST

static int
give_much(void *arg, int out)
{
	size_t left = *(size_t *)arg, part;
	char block[65536];

	memset(block, 'x', sizeof(block));
	for (; left > 0; left -= part) {
		part = left < sizeof(block) ? left : sizeof(block);
		write_all(out, block, part);
	}
	write_all(out, "end", 3);
	return 0;
}

START_TEST(a_large_result_comes_whole)
{
	const struct trial_event *event;
	size_t size = 5000003;
	struct trial trial;

	trial_open(&trial, NULL);
	event = run(&trial, give_much, &size);
	ck_assert_int_eq(WEXITSTATUS(event->status), 0);
	ck_assert_uint_eq(event->result_length, size + 3);
	ck_assert_int_eq(memcmp(event->result + size, "end", 3), 0);
	trial_close(&trial);
}
END_TEST

START_TEST(a_result_has_an_upper_limit)
{
	const struct trial_event *event;
	size_t size = MAX_RESULT + 1000000;
	struct trial trial;

	trial_open(&trial, NULL);
	event = run(&trial, give_much, &size);
	ck_assert_uint_eq(event->result_length, MAX_RESULT);
	trial_close(&trial);
}
END_TEST

static int
crash(void *arg, int out)
{
	struct rlimit none = { 0, 0 };

	(void)arg;
	setrlimit(RLIMIT_CORE, &none);
	write_all(out, "so far", 6);
	signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would report */
	raise(SIGSEGV);
	return 0;
}

START_TEST(a_crash_is_told_by_signal_and_keeps_what_was_written)
{
	const struct trial_event *event;
	struct trial trial;

	trial_open(&trial, NULL);
	event = run(&trial, crash, NULL);
	ck_assert(WIFSIGNALED(event->status));
	ck_assert_int_eq(WTERMSIG(event->status), SIGSEGV);
	ck_assert_str_eq(event->result, "so far");
	trial_close(&trial);
}
END_TEST

static int
leave_child(void *arg, int out)
{
	int ready[2];
	char byte;

	if (pipe(ready) == -1)
		return 99;
	if (fork() == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		write_all(ready[1], "r", 1);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		return 99;
	write_all(out, "left", 4);
	if (*(bool *)arg)
		raise(SIGKILL);
	return 8;
}

/* What it left holds the result's descriptor: nobody waits for its close. */
START_TEST(what_a_function_leaves_is_ended)
{
	struct grouper_options options = plain();
	const struct trial_event *event;
	struct support_process left[4];
	struct trial trial;
	bool die = _i == 1;

	trial_open(&trial, NULL);
	options.shutdown = "TERM 10ms, KILL";
	trial_exec(&trial, &options, leave_child, &die);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_uint_eq(support_descendants(getpid(), left, 4), 0);
	ck_assert_str_eq(event->result, "left");
	if (die)
		ck_assert_int_eq(WTERMSIG(event->status), SIGKILL);
	else
		ck_assert_int_eq(WEXITSTATUS(event->status), 8);
	trial_close(&trial);
}
END_TEST

static int
wait_for_ever(void *arg, int out)
{
	(void)arg;
	write_all(out, "x", 1);
	for (;;)
		pause();
	return 0;
}

START_TEST(a_function_can_be_stopped)
{
	struct grouper_options options = plain();
	const struct trial_event *event;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_exec(&trial, &options, wait_for_ever, NULL);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	ck_assert_int_eq(grouper_stop(trial.host, NULL, NULL), GROUPER_OK);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(WTERMSIG(event->status), SIGTERM);
	trial_close(&trial);
}
END_TEST

static int
leave_early(void *arg, int out)
{
	write_all(out, "bye", 3);
	_exit(*(int *)arg);
}

START_TEST(a_function_may_exit)
{
	const struct trial_event *event;
	struct trial trial;
	int status = 12;

	trial_open(&trial, NULL);
	event = run(&trial, leave_early, &status);
	ck_assert_int_eq(WEXITSTATUS(event->status), 12);
	ck_assert_str_eq(event->result, "bye");
	trial_close(&trial);
}
END_TEST

/* Its own memory: what it changes is not seen here. */
static int
change(void *arg, int out)
{
	(void)out;
	*(int *)arg = 1;
	return 0;
}

START_TEST(a_function_runs_in_a_copy_of_the_memory)
{
	struct trial trial;
	int value = 0;

	trial_open(&trial, NULL);
	run(&trial, change, &value);
	ck_assert_int_eq(value, 0);
	trial_close(&trial);
}
END_TEST

static int
look_around(void *arg, int out)
{
	const struct trial *trial = arg;
	char line[256];
	int n, fd, open_fds = 0;

	/* Ours, and not to be held by it: close-on-exec. */
	for (fd = 3; fd < 1024; fd++)
		if (fd != out && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 &&
		    fcntl(fd, F_GETFD) != -1)
			open_fds++;
	n = snprintf(line, sizeof(line), "%d %d %d %d %d",
	    getsid(0) != getpid(), getpgrp() == getpid(), open_fds,
	    fcntl(trial->out[0], F_GETFD) == -1,
	    (fcntl(out, F_GETFD) & FD_CLOEXEC) != 0);
	write_all(out, line, (size_t)n);
	return 0;
}

START_TEST(a_function_has_its_own_place_and_few_descriptors)
{
	struct trial trial;

	trial_open(&trial, NULL);
	ck_assert_str_eq(run(&trial, look_around, &trial)->result, "1 1 0 1 1");
	trial_close(&trial);
}
END_TEST

static int
use_libc(void *arg, int out)
{
	FILE *stream;
	char *text;

	(void)arg;
	stream = fdopen(out, "w");
	if (stream == NULL)
		return 98;
	text = malloc(100000);
	if (text == NULL) {
		fclose(stream);
		return 99;
	}
	memset(text, 'y', 100000);
	fprintf(stream, "%.*s", 100000, text);
	fclose(stream);
	free(text);
	return 3;
}

START_TEST(a_function_may_use_all_of_libc)
{
	const struct trial_event *event;
	struct trial trial;

	trial_open(&trial, NULL);
	event = run(&trial, use_libc, NULL);
	ck_assert_int_eq(WEXITSTATUS(event->status), 3);
	ck_assert_uint_eq(event->result_length, 100000);
	trial_close(&trial);
}
END_TEST

static int
tell_host(void *arg, int out)
{
	const char *host = getenv("GROUPER_HOST"), *key = getenv("GROUPER_KEY");
	const char *events = getenv("GROUPER_EVENTS_FD");

	(void)arg;
	/* It may be changed as any. */
	if (setenv("GROUPER_TEST", "x", 1) == -1)
		return 99;
	dprintf(out, "%s %s %s %s", host != NULL ? host : "none",
	    key != NULL ? key : "none", events != NULL ? events : "none",
	    getenv("GROUPER_TEST"));
	return 0;
}

static void
tells_host(struct trial *trial, const struct grouper_options *options,
    const char *expected)
{
	const struct trial_event *event;

	trial_exec(trial, options, tell_host, NULL);
	event = trial_await(trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(event->status, 0);
	ck_assert_uint_eq(event->result_length, strlen(expected));
	ck_assert_int_eq(memcmp(event->result, expected, strlen(expected)), 0);
}

START_TEST(a_function_has_the_environment_of_its_group)
{
	const char *own[] = { "GROUPER_KEY=mine", NULL };
	struct grouper_options options = plain();
	struct trial trial;

	trial_open(&trial, "inner");
	setenv("GROUPER_HOST", "outer", 1);
	setenv("GROUPER_KEY", "around", 1);
	setenv("GROUPER_EVENTS_FD", "8", 1);
	tells_host(&trial, &options, "inner default none x");
	options.envp = (char *const *)(uintptr_t)own;
	tells_host(&trial, &options, "none mine none x");
	ck_assert_str_eq(getenv("GROUPER_HOST"), "outer");
	ck_assert_ptr_null(getenv("GROUPER_TEST"));
	trial_close(&trial);
}
END_TEST

START_TEST(a_function_keeps_to_the_contract_of_start)
{
	struct grouper_options options = plain();
	enum grouper_error error;
	struct trial trial;
	int status = 0;

	trial_open(&trial, NULL);
	trial_exec(&trial, &options, wait_for_ever, NULL);
	error = grouper_exec(trial.host, &options, give_status, &status, NULL,
	    NULL);
	ck_assert_int_eq(error, GROUPER_ALREADY_STARTED);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	trial_kill_leader();
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	error = grouper_exec(trial.host, &options, give_status, &status, NULL,
	    NULL);
	ck_assert_int_eq(error, GROUPER_LEADER_DIED);
	ck_assert_int_eq(grouper_exec(NULL, &options, give_status, NULL, NULL,
			     NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_exec(trial.host, NULL, give_status, NULL, NULL,
			     NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_exec(trial.host, &options, NULL, NULL, NULL,
			     NULL),
	    GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

START_TEST(a_function_that_cannot_start_tells_where)
{
	struct grouper_options options = plain();
	const struct trial_event *event;
	struct trial trial;
	int status = 0;

	trial_open(&trial, NULL);
	options.directory = "/nonexistent";
	trial_exec(&trial, &options, give_status, &status);
	event = trial_await(&trial, GROUPER_EVENT_START_FAILED);
	ck_assert_int_eq(event->stage, GROUPER_STAGE_DIRECTORY);
	ck_assert_int_eq(event->error, ENOENT);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_close(&trial);
}
END_TEST

START_TEST(events_are_optional)
{
	struct grouper_options options = plain();
	enum grouper_error error;
	struct trial trial;
	int status = 0;

	trial_open(&trial, NULL);
	error = grouper_exec(trial.host, &options, give_status, &status, NULL,
	    NULL);
	ck_assert_int_eq(error, GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

#define BURST (1 << 20)

/* Fills a large pipe, and tells what is left in it when asked. */
static int
give_at_once(void *arg, int out)
{
	static char block[BURST];
	int left = -1;

	(void)arg;
	if (fcntl(out, F_SETPIPE_SZ, BURST) == -1) {
		dprintf(STDOUT_FILENO, "refused\n");
		return 0;
	}
	write_all(out, block, sizeof(block));
	dprintf(STDOUT_FILENO, "full\n");
	if (read(STDIN_FILENO, block, 1) != 1 ||
	    ioctl(out, FIONREAD, &left) == -1)
		return 1;
	dprintf(STDOUT_FILENO, "%d\n", left);
	return 0;
}

/* Others on the loop are not to wait for all of it. */
START_TEST(a_large_result_is_read_in_turns)
{
	struct grouper_options options;
	const struct trial_event *event;
	struct trial trial;
	char line[64];

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "");
	trial_exec(&trial, &options, give_at_once, NULL);
	trial_line(&trial, line, sizeof(line));
	if (strcmp(line, "refused") == 0) {
		trial_close(&trial);
		SUPPORT_SKIP("pipes are small here");
	}
	ck_assert_int_eq(event_base_loop(trial.base, EVLOOP_ONCE), 0);
	trial_say(&trial);
	ck_assert_int_gt(trial_number(&trial), 0);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_uint_eq(event->result_length, BURST);
	trial_close(&trial);
}
END_TEST

START_TEST(the_result_of_a_swept_function_is_not_lost)
{
	struct grouper_options options = plain();
	const struct trial_event *event;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_exec(&trial, &options, wait_for_ever, NULL);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	trial_kill_leader();
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_uint_le(event->result_length, 1);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("exec");
	TCase *tc = support_case(s, "result");

	tcase_add_test(tc, the_int_result_is_the_exit_status);
	tcase_add_test(tc, the_result_may_hold_any_bytes);
	tcase_add_test(tc, a_large_result_comes_whole);
	tcase_add_test(tc, a_large_result_is_read_in_turns);
	tcase_add_test(tc, a_result_has_an_upper_limit);
	tcase_add_test(tc,
	    a_crash_is_told_by_signal_and_keeps_what_was_written);
	tcase_add_test(tc, the_result_of_a_swept_function_is_not_lost);

	tc = support_case(s, "process");
	tcase_add_loop_test(tc, what_a_function_leaves_is_ended, 0, 2);
	tcase_add_test(tc, a_function_can_be_stopped);
	tcase_add_test(tc, a_function_may_exit);
	tcase_add_test(tc, a_function_runs_in_a_copy_of_the_memory);
	tcase_add_test(tc, a_function_has_its_own_place_and_few_descriptors);
	tcase_add_test(tc, a_function_may_use_all_of_libc);

	tc = support_case(s, "contract");
	tcase_add_test(tc, a_function_has_the_environment_of_its_group);
	tcase_add_test(tc, a_function_keeps_to_the_contract_of_start);
	tcase_add_test(tc, a_function_that_cannot_start_tells_where);
	tcase_add_test(tc, events_are_optional);
	return support_main(s, NULL);
}
