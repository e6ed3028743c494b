/* SPDX-License-Identifier: ISC */
/*
 * Starts that fail: options that are refused before anything runs, and each
 * stage at which a command may fail to come up.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trial.h"

#define LONG_TEXT ((size_t)256 << 10)

static const struct grouper_options plain = GROUPER_OPTIONS_INIT;

/* The start must be refused, and nothing be started by it. */
static void
refuse(struct trial *trial, const struct grouper_options *options,
    enum grouper_error expected)
{
	pid_t pid;

	ck_assert_int_eq(trial_try(trial, options), expected);
	ck_assert_uint_eq(support_children(getpid(), &pid, 1), 0);
	ck_assert_int_eq(grouper_state(trial->host, options->key),
	    GROUPER_STATE_UNKNOWN);
}

START_TEST(a_wrong_size_is_refused)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.size = 0;
	refuse(&trial, &options, GROUPER_INVALID);
	options.size = sizeof(options) + 8;
	refuse(&trial, &options, GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

START_TEST(unknown_flags_and_choices_are_refused)
{
	struct grouper_options options;
	struct trial trial;
	int bit;

	trial_open(&trial, NULL);
	for (bit = 7; bit < 32; bit++) {
		options = trial_shell(&trial, "exit 0");
		options.flags = 1U << bit;
		refuse(&trial, &options, GROUPER_INVALID);
	}
	options = trial_shell(&trial, "exit 0");
	options.contain = (enum grouper_containment)(GROUPER_CONTAIN_PIDNS + 1);
	refuse(&trial, &options, GROUPER_INVALID);
	options = trial_shell(&trial, "exit 0");
	options.session = (enum grouper_session)(GROUPER_SESSION_KEEP + 1);
	refuse(&trial, &options, GROUPER_INVALID);
	options = trial_shell(&trial, "exit 0");
	options.stop_target = (enum grouper_stop_target)(GROUPER_STOP_TREE + 1);
	refuse(&trial, &options, GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

START_TEST(no_command_is_refused)
{
	const char *nothing[] = { NULL }, *empty[] = { "", NULL };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.argv = NULL;
	refuse(&trial, &options, GROUPER_INVALID);
	options.argv = (char *const *)(uintptr_t)nothing;
	refuse(&trial, &options, GROUPER_INVALID);
	options.argv = (char *const *)(uintptr_t)empty;
	refuse(&trial, &options, GROUPER_INVALID);
	ck_assert_int_eq(grouper_start(trial.host, NULL, NULL, NULL),
	    GROUPER_INVALID);
	options = trial_shell(&trial, "exit 0");
	ck_assert_int_eq(grouper_start(NULL, &options, NULL, NULL),
	    GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

static const char *const bad_keys[] = {
	"",
	" ",
	"a b",
	"a\tb",
	"a\nb",
	"a\001",
	"\177",
	"/",
	"a/",
	"/a",
	"a//b",
	":",
	":1",
	"a:",
	"a:0",
	"a:01",
	"a:x",
	"a:1:2",
	"a:-1",
};

START_TEST(bad_keys_are_refused)
{
	struct grouper_options options;
	struct trial trial;
	char key[300];
	size_t i;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	for (i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
		options.key = bad_keys[i];
		ck_assert_msg(trial_try(&trial, &options) == GROUPER_INVALID,
		    "key '%s' was not refused", bad_keys[i]);
	}
	memset(key, 'k', sizeof(key));
	key[256] = '\0';
	options.key = key;
	refuse(&trial, &options, GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

static const char *const good_keys[] = {
	"a",
	"A-b_c.d",
	"a:1",
	"a/b",
	"a:1/b:22/c",
	"\303\244",
	"..",
	"%s",
};

START_TEST(good_keys_are_taken)
{
	struct grouper_options options;
	struct trial trial;
	size_t i;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	for (i = 0; i < sizeof(good_keys) / sizeof(good_keys[0]); i++) {
		options.key = good_keys[i];
		ck_assert_str_eq(trial_run(&trial, &options)->key,
		    good_keys[i]);
	}
	trial_close(&trial);
}
END_TEST

static void
key_recorded(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	(void)host;
	ck_assert_str_eq(event->key, arg);
}

START_TEST(a_key_of_255_bytes_is_taken)
{
	struct grouper_options options;
	struct trial trial;
	char key[256];

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	memset(key, 'k', 255);
	key[255] = '\0';
	options.key = key;
	ck_assert_int_eq(grouper_start(trial.host, &options, key_recorded, key),
	    GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, key), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(bad_steps_are_refused)
{
	static const char *const bad[] = { "", "soon", "TERM 5s,", "KILL 1s",
		"TERM, KILL", "-1s", "NOSUCH 1s" };
	struct grouper_options options;
	struct trial trial;
	size_t i;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options.shutdown = bad[i];
		refuse(&trial, &options, GROUPER_INVALID);
	}
	trial_close(&trial);
}
END_TEST

/* Starts, and the start must fail at a stage; only EMPTY follows. */
static void
fail_at(struct trial *trial, const struct grouper_options *options,
    enum grouper_stage stage, int error)
{
	const struct trial_event *event;
	size_t before = trial->count;
	pid_t pid;

	trial_start(trial, options);
	event = trial_await(trial, GROUPER_EVENT_START_FAILED);
	ck_assert_msg(event->stage == stage && event->error == error,
	    "failed at %s with %s", grouper_stage_name(event->stage),
	    strerror(event->error));
	ck_assert_int_eq(event->pid, 0);
	event = trial_await(trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(event->pid, 0);
	ck_assert_uint_eq(trial->count - before, 2);
	ck_assert_uint_eq(support_children(getpid(), &pid, 1), 0);
	ck_assert_int_eq(grouper_state(trial->host, options->key),
	    GROUPER_STATE_IDLE);
}

static void
fail_to_execute(const char *command, int error)
{
	const char *argv[] = { command, NULL };
	const char *envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct grouper_options options = plain;
	struct trial trial;

	trial_open(&trial, NULL);
	options.argv = (char *const *)(uintptr_t)argv;
	options.envp = (char *const *)(uintptr_t)envp;
	options.session = GROUPER_SESSION_NEW;
	fail_at(&trial, &options, GROUPER_STAGE_EXEC, error);
	trial_close(&trial);
}

START_TEST(a_command_that_is_not_there_fails)
{
	fail_to_execute("/nonexistent/command", ENOENT);
	fail_to_execute("grouper-no-such-command", ENOENT);
}
END_TEST

START_TEST(a_command_that_may_not_be_executed_fails)
{
	fail_to_execute(support_file("data", 0644, "#!/bin/sh\n"), EACCES);
	fail_to_execute(support_directory(), EACCES);
}
END_TEST

/* One that may not be executed is remembered while others are tried. */
START_TEST(a_denied_command_in_path_is_told_as_such)
{
	const char *argv[] = { "grouper-denied", NULL };
	const char *envp[] = { NULL, NULL };
	struct grouper_options options = plain;
	struct trial trial;
	char path[600];

	trial_open(&trial, NULL);
	support_file("grouper-denied", 0644, "");
	snprintf(path, sizeof(path), "PATH=%s:/nonexistent",
	    support_directory());
	envp[0] = path;
	options.argv = (char *const *)(uintptr_t)argv;
	options.envp = (char *const *)(uintptr_t)envp;
	options.session = GROUPER_SESSION_NEW;
	fail_at(&trial, &options, GROUPER_STAGE_EXEC, EACCES);
	trial_close(&trial);
}
END_TEST

START_TEST(a_script_whose_interpreter_is_not_there_fails)
{
	fail_to_execute(support_file("script", 0755, "#!/nonexistent\n"),
	    ENOENT);
}
END_TEST

START_TEST(an_argument_list_too_long_fails)
{
	struct grouper_options options = plain;
	const char *argv[] = { "true", NULL, NULL };
	struct trial trial;
	char *text;

	text = malloc(LONG_TEXT);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', LONG_TEXT);
	text[LONG_TEXT - 1] = '\0';
	argv[1] = text;
	trial_open(&trial, NULL);
	options.argv = (char *const *)(uintptr_t)argv;
	options.session = GROUPER_SESSION_NEW;
	fail_at(&trial, &options, GROUPER_STAGE_EXEC, E2BIG);
	trial_close(&trial);
	free(text);
}
END_TEST

START_TEST(a_directory_that_is_not_there_fails)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.directory = "/nonexistent";
	fail_at(&trial, &options, GROUPER_STAGE_DIRECTORY, ENOENT);
	options.directory = "/dev/null";
	fail_at(&trial, &options, GROUPER_STAGE_DIRECTORY, ENOTDIR);
	trial_close(&trial);
}
END_TEST

START_TEST(a_closed_descriptor_fails)
{
	const struct grouper_fd fds[] = { { 1000, 5 } };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.fds = fds;
	options.nfds = 1;
	fail_at(&trial, &options, GROUPER_STAGE_FDS, EBADF);
	trial_close(&trial);
}
END_TEST

START_TEST(an_impossible_target_fails)
{
	struct grouper_fd fds[1] = { { STDERR_FILENO, -1 } };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.fds = fds;
	options.nfds = 1;
	fail_at(&trial, &options, GROUPER_STAGE_FDS, EBADF);
	trial_close(&trial);
}
END_TEST

START_TEST(an_unknown_limit_fails)
{
	const struct grouper_limit unknown = { 9999, 0, 0 };
	const struct grouper_limit crossed = { RLIMIT_CORE, 2, 1 };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.limits = &unknown;
	options.nlimits = 1;
	fail_at(&trial, &options, GROUPER_STAGE_LIMITS, EINVAL);
	options.limits = &crossed;
	fail_at(&trial, &options, GROUPER_STAGE_LIMITS, EINVAL);
	trial_close(&trial);
}
END_TEST

START_TEST(a_pty_that_is_none_fails)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.pty = trial.out[0];
	fail_at(&trial, &options, GROUPER_STAGE_SESSION, ENOTTY);
	trial_close(&trial);
}
END_TEST

static void
become_user(uid_t uid)
{
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(uid, uid, uid), 0);
	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
}

static void
as_user(void *arg)
{
	uid_t uid = *(uid_t *)arg;
	const struct grouper_limit limit = { RLIMIT_CORE, UINT64_MAX,
		UINT64_MAX };
	struct rlimit none = { 0, 0 };
	struct grouper_options options;
	struct trial trial;

	setrlimit(RLIMIT_CORE, &none);
	become_user(uid);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.uid = 0;
	fail_at(&trial, &options, GROUPER_STAGE_USER, EPERM);
	options.uid = uid + 1;
	fail_at(&trial, &options, GROUPER_STAGE_USER, EPERM);
	options = trial_shell(&trial, "exit 0");
	options.gid = 0;
	fail_at(&trial, &options, GROUPER_STAGE_USER, EPERM);
	options = trial_shell(&trial, "exit 0");
	options.limits = &limit;
	options.nlimits = 1;
	fail_at(&trial, &options, GROUPER_STAGE_LIMITS, EPERM);
	options = trial_shell(&trial, "exit 0");
	options.nice = -5;
	fail_at(&trial, &options, GROUPER_STAGE_NICE, EPERM);
	trial_close(&trial);
}

START_TEST(what_an_ordinary_user_may_not_fails)
{
	uid_t uid = support_user();

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can become another user");
	trial_join(trial_fork(as_user, &uid));
}
END_TEST

/* The process table has room for the leader, not for the command. */
static void
at_process_limit(void *arg)
{
	struct rlimit limit = { 2, 2 };
	struct grouper_options options;
	enum grouper_error error;
	struct trial trial;

	become_user(*(uid_t *)arg);
	trial_open(&trial, NULL);
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	options = trial_shell(&trial, "exit 0");
	fail_at(&trial, &options, GROUPER_STAGE_FORK, EAGAIN);
	limit.rlim_cur = 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	error = trial_try(&trial, &options);
	ck_assert_int_eq(error, GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(grouper_state(trial.host, NULL), GROUPER_STATE_IDLE);
	trial_close(&trial);
}

START_TEST(a_full_process_table_fails)
{
	uid_t uid = support_user();

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can become another user");
	trial_join(trial_fork(at_process_limit, &uid));
}
END_TEST

/* No descriptor is free: told by errno, and all is well afterwards. */
START_TEST(no_descriptor_for_a_leader_is_told)
{
	struct grouper_options options;
	struct rlimit limit, few;
	enum grouper_error error;
	struct trial trial;
	int next, saved;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	next = dup(STDIN_FILENO);
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit) { (rlim_t)next + (rlim_t)_i, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	error = trial_try(&trial, &options);
	saved = errno;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (error == GROUPER_OK) {
		/* Enough for the host; the leader raised its own limit, or
		 * the command failed at a stage. */
		ck_assert_int_ge(_i, 3);
		ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	} else {
		ck_assert_int_eq(error, GROUPER_SYSTEM);
		ck_assert_int_eq(saved, EMFILE);
		ck_assert_int_eq(grouper_state(trial.host, NULL),
		    GROUPER_STATE_UNKNOWN);
	}
	trial_run(&trial, &options);
	trial_close(&trial);
}
END_TEST

START_TEST(a_key_can_be_started_after_a_failed_start)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 9");
	options.directory = "/nonexistent";
	fail_at(&trial, &options, GROUPER_STAGE_DIRECTORY, ENOENT);
	options.directory = NULL;
	ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)->status), 9);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("start");
	TCase *tc = support_case(s, "refused");

	tcase_add_test(tc, a_wrong_size_is_refused);
	tcase_add_test(tc, unknown_flags_and_choices_are_refused);
	tcase_add_test(tc, no_command_is_refused);
	tcase_add_test(tc, bad_keys_are_refused);
	tcase_add_test(tc, good_keys_are_taken);
	tcase_add_test(tc, a_key_of_255_bytes_is_taken);
	tcase_add_test(tc, bad_steps_are_refused);

	tc = support_case(s, "exec");
	tcase_add_test(tc, a_command_that_is_not_there_fails);
	tcase_add_test(tc, a_command_that_may_not_be_executed_fails);
	tcase_add_test(tc, a_denied_command_in_path_is_told_as_such);
	tcase_add_test(tc, a_script_whose_interpreter_is_not_there_fails);
	tcase_add_test(tc, an_argument_list_too_long_fails);

	tc = support_case(s, "stages");
	tcase_add_test(tc, a_directory_that_is_not_there_fails);
	tcase_add_test(tc, a_closed_descriptor_fails);
	tcase_add_test(tc, an_impossible_target_fails);
	tcase_add_test(tc, an_unknown_limit_fails);
	tcase_add_test(tc, a_pty_that_is_none_fails);
	tcase_add_test(tc, what_an_ordinary_user_may_not_fails);
	tcase_add_test(tc, a_full_process_table_fails);
	tcase_add_loop_test(tc, no_descriptor_for_a_leader_is_told, 0, 8);
	tcase_add_test(tc, a_key_can_be_started_after_a_failed_start);
	return support_main(s, NULL);
}
