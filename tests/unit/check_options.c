/* SPDX-License-Identifier: ISC */
/*
 * The fields of struct grouper_options that make the command's environment
 * and attributes, and its signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trial.h"

START_TEST(the_key_is_default_unless_given)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	ck_assert_str_eq(trial_run(&trial, &options)->key, "default");
	options.key = "a/b:12";
	ck_assert_str_eq(trial_run(&trial, &options)->key, "a/b:12");
	trial_close(&trial);
}
END_TEST

START_TEST(the_environment_is_the_caller_s_unless_given)
{
	const char *own[] = { "B=two words", NULL };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	setenv("A", "one", 1);
	unsetenv("B");
	options = trial_shell(&trial, "echo \"${A-unset},${B-unset}\"");
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "one,unset");
	options.envp = (char *const *)(uintptr_t)own;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "unset,two words");
	trial_close(&trial);
}
END_TEST

#define TELL_HOST \
	"echo \"${GROUPER_SOCKET-none} ${GROUPER_HOST-none} " \
	"${GROUPER_KEY-none} " \
	"${GROUPER_EVENTS_FD-none} ${GROUPER_COMMANDS_FD-none}\""

/* As in a group of another host. */
static void
set_outer(void)
{
	setenv("GROUPER_SOCKET", "/outer", 1);
	setenv("GROUPER_HOST", "outer", 1);
	setenv("GROUPER_KEY", "around", 1);
	setenv("GROUPER_EVENTS_FD", "8", 1);
	setenv("GROUPER_COMMANDS_FD", "9", 1);
}

START_TEST(the_environment_names_this_host_and_none_around_it)
{
	const char *own[] = { "GROUPER_HOST=other", NULL };
	struct grouper_options options;
	struct trial trial;
	char expected[600];

	trial_open(&trial, "inner");
	set_outer();
	options = trial_shell(&trial, TELL_HOST);
	options.flags = GROUPER_FORCE;
	options.key = "a/b";
	trial_run_ok(&trial, &options);
	snprintf(expected, sizeof(expected), "%s inner a/b none none",
	    support_path("runtime/inner.sock"));
	trial_expect(&trial, expected);
	ck_assert_str_eq(getenv("GROUPER_HOST"), "outer");
	/* What is given is passed as it is. */
	options.envp = (char *const *)(uintptr_t)own;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "none other none none none");
	trial_close(&trial);
}
END_TEST

START_TEST(the_environment_names_no_host_without_a_name)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	set_outer();
	options = trial_shell(&trial, TELL_HOST);
	options.flags = GROUPER_FORCE;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "none none none none none");
	trial_close(&trial);
}
END_TEST

START_TEST(the_command_is_searched_in_the_path_of_its_environment)
{
	const char *argv[] = { "grouper-test-greet", NULL };
	const char *found[3] = { "PATH=/nonexistent", "", NULL };
	char path[600];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	support_file("grouper-test-greet", 0755, "#!/bin/sh\necho hello\n");
	snprintf(path, sizeof(path), "PATH=/nonexistent::%s",
	    support_directory());
	options = trial_shell(&trial, "");
	options.argv = (char *const *)(uintptr_t)argv;
	options.envp = (char *const *)(uintptr_t)found;
	found[1] = NULL;
	trial_run(&trial, &options);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_START_FAILED), 1);
	found[0] = path;
	trial_run(&trial, &options);
	trial_expect(&trial, "hello");
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_START_FAILED), 1);
	trial_close(&trial);
}
END_TEST

/* As execvp(3) and every shell do. */
START_TEST(a_script_without_interpreter_line_is_run_by_sh)
{
	const char *argv[] = { NULL, "an argument", NULL };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	argv[0] = support_file("plain", 0755, "echo \"$0,$1\"\n");
	options = trial_shell(&trial, "");
	options.argv = (char *const *)(uintptr_t)argv;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, support_path("plain,an argument"));
	trial_close(&trial);
}
END_TEST

START_TEST(the_directory_is_the_caller_s_unless_given)
{
	struct grouper_options options;
	struct trial trial;
	char cwd[4096];

	trial_open(&trial, NULL);
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	options = trial_shell(&trial, "pwd -P");
	trial_run_ok(&trial, &options);
	trial_expect(&trial, cwd);
	options.directory = "/usr";
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "/usr");
	trial_close(&trial);
}
END_TEST

START_TEST(the_umask_is_the_caller_s_unless_given)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	umask(031);
	options = trial_shell(&trial, "umask");
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "0031");
	options.umask = 0;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "0000");
	options.umask = 0127;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "0127");
	trial_close(&trial);
}
END_TEST

START_TEST(nice_is_added)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	ck_assert_int_eq(setpriority(PRIO_PROCESS, 0, 2), 0);
	options = trial_shell(&trial, "nice");
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "2");
	options.nice = 3;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "5");
	trial_close(&trial);
}
END_TEST

START_TEST(limits_are_set)
{
	const struct grouper_limit limits[] = {
		{ RLIMIT_NOFILE, 100, 200 },
		{ RLIMIT_CORE, 0, 0 },
		{ RLIMIT_CPU, 77, UINT64_MAX },
	};
	struct grouper_options options;
	struct rlimit before, after;
	struct trial trial;

	trial_open(&trial, NULL);
	getrlimit(RLIMIT_NOFILE, &before);
	options = trial_shell(&trial,
	    "ulimit -S -n; ulimit -H -n; ulimit -c; ulimit -S -t; "
	    "ulimit -H -t");
	options.limits = limits;
	options.nlimits = 3;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "100");
	trial_expect(&trial, "200");
	trial_expect(&trial, "0");
	trial_expect(&trial, "77");
	trial_expect(&trial, "unlimited");
	getrlimit(RLIMIT_NOFILE, &after);
	ck_assert_uint_eq(after.rlim_cur, before.rlim_cur);
	trial_close(&trial);
}
END_TEST

/* The command's, not the leader's, which may need more descriptors. */
START_TEST(the_descriptor_limit_is_not_raised_for_the_command)
{
	struct rlimit limit;
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	options = trial_shell(&trial, "ulimit -n");
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "64");
	trial_close(&trial);
}
END_TEST

START_TEST(user_and_groups_are_set)
{
	const gid_t groups[] = { 300001, 300002 };
	uid_t uid = support_user();
	struct grouper_options options;
	struct trial trial;
	char expected[64];

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can become another user");
	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "id -u; id -ru; id -g; id -G; grep -c '^CapEff:.*[1-9a-f]' "
	    "/proc/self/status; exit 0");
	options.uid = uid;
	options.gid = 300000;
	options.groups = groups;
	options.ngroups = 2;
	trial_run_ok(&trial, &options);
	snprintf(expected, sizeof(expected), "%u", uid);
	trial_expect(&trial, expected);
	trial_expect(&trial, expected);
	trial_expect(&trial, "300000");
	trial_expect(&trial, "300000 300001 300002");
	trial_expect(&trial, "0");
	options.ngroups = 0;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, expected);
	trial_expect(&trial, expected);
	trial_expect(&trial, "300000");
	trial_expect(&trial, "300000");
	trial_expect(&trial, "0");
	trial_close(&trial);
}
END_TEST

START_TEST(no_new_privs_is_set_only_when_asked)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "grep NoNewPrivs /proc/self/status");
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "NoNewPrivs:\t0");
	options.flags = GROUPER_NO_NEW_PRIVS;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "NoNewPrivs:\t1");
	trial_close(&trial);
}
END_TEST

/* No shell: dash unblocks what was blocked. */
static struct grouper_options
show_signals(struct trial *trial)
{
	struct grouper_options options = trial_shell(trial, "");

	trial->argv[0] = "grep";
	trial->argv[1] = "^Sig[BI][lg][kn]:";
	trial->argv[2] = "/proc/self/status";
	return options;
}

static void
bend_signals(void)
{
	sigset_t set;

	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

START_TEST(signals_are_at_their_defaults)
{
	struct grouper_options options;
	struct trial trial;

	bend_signals();
	trial_open(&trial, NULL);
	options = show_signals(&trial);
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "SigBlk:\t0000000000000000");
	trial_expect(&trial, "SigIgn:\t0000000000000000");
	trial_close(&trial);
}
END_TEST

START_TEST(signals_can_be_those_the_host_was_made_under)
{
	struct grouper_options options;
	struct trial trial;

	bend_signals();
	signal(SIGCHLD, SIG_IGN); /* which a host changes */
	trial_open(&trial, NULL);
	options = show_signals(&trial);
	options.flags = GROUPER_INHERIT_SIGNALS;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "SigBlk:\t0000000000000800");
	trial_expect(&trial, "SigIgn:\t0000000000010200");
	trial_close(&trial);
}
END_TEST

static void
ignore_signal(int signum)
{
	(void)signum;
}

/* A handler is no more than its default to another program. */
START_TEST(handlers_are_never_inherited)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct grouper_options options;
	struct trial trial;

	sigaction(SIGUSR1, &action, NULL);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "kill -USR1 $$; exit 0");
	options.flags = GROUPER_INHERIT_SIGNALS;
	ck_assert_int_eq(WTERMSIG(trial_run(&trial, &options)->status),
	    SIGUSR1);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("options");
	TCase *tc;

	tc = support_case(s, "command");
	tcase_add_test(tc, the_key_is_default_unless_given);
	tcase_add_test(tc, the_environment_is_the_caller_s_unless_given);
	tcase_add_test(tc, the_environment_names_this_host_and_none_around_it);
	tcase_add_test(tc, the_environment_names_no_host_without_a_name);
	tcase_add_test(tc,
	    the_command_is_searched_in_the_path_of_its_environment);
	tcase_add_test(tc, a_script_without_interpreter_line_is_run_by_sh);

	tc = support_case(s, "attributes");
	tcase_add_test(tc, the_directory_is_the_caller_s_unless_given);
	tcase_add_test(tc, the_umask_is_the_caller_s_unless_given);
	tcase_add_test(tc, nice_is_added);
	tcase_add_test(tc, limits_are_set);
	tcase_add_test(tc, the_descriptor_limit_is_not_raised_for_the_command);
	tcase_add_test(tc, user_and_groups_are_set);
	tcase_add_test(tc, no_new_privs_is_set_only_when_asked);

	tc = support_case(s, "signals");
	tcase_add_test(tc, signals_are_at_their_defaults);
	tcase_add_test(tc, signals_can_be_those_the_host_was_made_under);
	tcase_add_test(tc, handlers_are_never_inherited);
	return support_main(s, NULL);
}
