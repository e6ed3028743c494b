/* SPDX-License-Identifier: ISC */
/*
 * What the options of `grouper run` do to the command and its surroundings.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void
assert_prints(const char *const *words, const char *script, const char *text)
{
	struct support_run r;

	support_run_script(&r, words, script);
	ck_assert_str_eq(r.stdout_text.data, text);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}

START_TEST(shell_runs_a_text)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--shell",
			     "echo a | cat; exit 3", NULL),
	    3);
	ck_assert_str_eq(r.stdout_text.data, "a\n");
	support_finish(&r);
}
END_TEST

START_TEST(options_end_at_the_command)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "echo",
			     "--leaks=fail", "-h", "--", "x", NULL),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "--leaks=fail -h -- x\n");
	support_finish(&r);
}
END_TEST

START_TEST(env_sets_and_replaces)
{
	assert_prints(ARGV("--env", "A=1", "--env", "B=x=y", "--env", "A=2",
			  "--env", "HOME="),
	    "echo \"$A $B [$HOME]\"", "2 x=y []\n");
}
END_TEST

START_TEST(env_file_is_read_line_by_line)
{
	const char *file = support_file("env", 0644,
	    "# a comment\n"
	    "\n"
	    "  PLAIN=a b  \n"
	    "export EXPORTED=1\n"
	    "SINGLE='a \"$x\" b'\n"
	    "DOUBLE=\"a\\n\\\"b\\\" '\"  \n"
	    "EMPTY=\n"
	    "TWICE=1\n"
	    "TWICE=2\n");

	assert_prints(ARGV("--env", "TWICE=3", "--env-file", file),
	    "printf '[%s]' \"$PLAIN\" \"$EXPORTED\" \"$SINGLE\" \"$DOUBLE\" "
	    "\"${EMPTY-unset}\" \"$TWICE\"",
	    "[a b][1][a \"$x\" b][a\n\"b\" '][][3]");
}
END_TEST

START_TEST(bad_env_file_is_told_with_its_line)
{
	const char *file = support_file("env", 0644, "A=1\nB='2\n");
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--env-file",
			     file, "true", NULL),
	    125);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "env:2: expected the quote to end on this line"));
	support_finish(&r);
}
END_TEST

START_TEST(member_knows_its_group)
{
	assert_prints(ARGV("--name", "a-host", "--key", "a-key"),
	    "echo \"$GROUPER_HOST $GROUPER_KEY ${GROUPER_SOCKET##*/}\";"
	    "test -S \"$GROUPER_SOCKET\"",
	    "a-host a-key a-host.sock\n");
}
END_TEST

START_TEST(ident_tells_the_group)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--name", "h",
			     "--key", "k", "--", support_grouper(), "ident",
			     NULL),
	    0);
	ck_assert_str_eq(r.stdout_text.data, "group h k\n");
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--name", "h",
			     "--key", "k", "--", support_grouper(), "ident",
			     "--json", NULL),
	    0);
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "\"kind\":\"group\",\"host\":\"h\""));
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "ident", "99999999",
			     NULL),
	    1);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "dead"));
	support_finish(&r);
}
END_TEST

/* There /proc is the outer namespace's, and the pid is not. */
START_TEST(ident_tells_a_pid_of_its_own_namespace)
{
	struct support_run r;

	support_execute(&r, "@grouper", "run", "--contain", "pidns", "--name",
	    "h", "--key", "k", "--", "sh", "-c",
	    "\"$0\" ident $$; \"$0\" ident 99999999", support_grouper(), NULL);
	if (r.status == 125)
		support_skip("%s", r.stderr_text.data);
	else
		ck_assert_str_eq(r.stdout_text.data, "group h k\n");
	support_finish(&r);
}
END_TEST

START_TEST(unusable_runtime_directory_is_no_obstacle)
{
	const char *env[] = { "GROUPER_RUNTIME_DIR=/dev/null/none",
		"GROUPER_SOCKET=/outer", "GROUPER_HOST=outer", NULL };
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"echo ${GROUPER_SOCKET-none} ${GROUPER_HOST-none} "
		"$GROUPER_KEY",
		NULL };
	struct support_command c = { .argv = argv, .env = env };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, "none none default\n");
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(named_host_needs_its_runtime_directory)
{
	const char *env[] = { "GROUPER_RUNTIME_DIR=/dev/null/none", NULL };
	const char *argv[] = { support_grouper(), "run", "--name", "x", "true",
		NULL };
	struct support_command c = { .argv = argv, .env = env };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &c), 125);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "the host 'x': the runtime directory /dev/null/none: "));
	support_finish(&r);
}
END_TEST

/* Members, which may work elsewhere, find it. */
START_TEST(a_relative_runtime_directory_is_made_absolute)
{
	const char *env[] = { "GROUPER_RUNTIME_DIR=relative", NULL };
	const char *argv[] = { support_grouper(), "run", "--key", "k", "--cwd",
		"/", "sh", "-c", "exec \"$0\" ident", support_grouper(), NULL };
	struct support_command c = { .argv = argv,
		.env = env,
		.directory = support_directory() };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data, " k\n"));
	support_finish(&r);
}
END_TEST

START_TEST(help_that_cannot_be_written_is_a_failure)
{
	static const char *const texts[] = { "\"$0\" --help", "\"$0\" -V",
		"\"$0\" status -h", "\"$0\" stop -h", "\"$0\" help wait" };
	struct support_run r;
	char line[80];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(line, sizeof(line), "%s >/dev/full", texts[i]);
		ck_assert_int_eq(support_execute(&r, "sh", "-c", line,
				     support_grouper(), NULL),
		    1);
		ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
		    "standard output: No space left on device"));
		support_finish(&r);
	}
}
END_TEST

START_TEST(a_misspelt_verb_is_guessed)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "statsu", NULL), 2);
	ck_assert_str_eq(r.stderr_text.data,
	    "grouper: unknown verb 'statsu', did you mean 'status'? "
	    "'grouper help' lists them\n");
	support_finish(&r);
}
END_TEST

START_TEST(names_are_utf_8)
{
	static const char *const options[] = { "--key", "--name" };
	struct support_run r;
	size_t i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(support_execute(&r, "@grouper", "run",
				     options[i], "k\377", "true", NULL),
		    125);
		ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "of UTF-8"));
		support_finish(&r);
	}
}
END_TEST

START_TEST(cwd_is_entered)
{
	char wanted[600];

	snprintf(wanted, sizeof(wanted), "%s\n", support_directory());
	assert_prints(ARGV("--cwd", support_directory()), "pwd", wanted);
}
END_TEST

START_TEST(umask_nice_and_no_new_privs_are_set)
{
	char text[16];

	snprintf(text, sizeof(text), "%d\n", getpriority(PRIO_PROCESS, 0) + 5);
	assert_prints(ARGV("--umask", "027"), "umask", "0027\n");
	assert_prints(ARGV("--nice", "5"), "nice", text);
	assert_prints(ARGV("--no-new-privs"),
	    "grep NoNewPrivs /proc/self/status | tr -dc 0-9", "1");
}
END_TEST

START_TEST(limits_are_set)
{
	assert_prints(ARGV("--limits", "nofile=100:200,core=0", "--limits",
			  "fsize=1M,cpu=2m"),
	    "ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -f; ulimit -t",
	    "100\n200\n0\n2048\n120\n");
	assert_prints(ARGV("--limits", "nofile=100", "--limits",
			  "nofile=300,core=unlimited"),
	    "ulimit -n; ulimit -c", "300\nunlimited\n");
}
END_TEST

START_TEST(standard_input_is_as_asked)
{
	const char *file = support_file("in", 0644, "text");
	struct support_command c = { .input = "typed" };
	struct support_run r;

	c.argv = ARGV(support_grouper(), "run", "cat");
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, "typed");
	support_finish(&r);
	c.argv = ARGV(support_grouper(), "run", "--stdin", "inherit", "cat");
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, "typed");
	support_finish(&r);
	c.argv = ARGV(support_grouper(), "run", "--stdin", "null", "cat");
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, "");
	support_finish(&r);
	c.argv = ARGV(support_grouper(), "run", "--stdin", file, "cat");
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stdout_text.data, "text");
	support_finish(&r);
}
END_TEST

static void
close_standard(void *arg)
{
	(void)arg;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
}

START_TEST(closed_standard_descriptors_stay_closed)
{
	const char *argv[] = { support_grouper(), "run", "--", "sh", "-c",
		"test ! -e /proc/$$/fd/0 && test ! -e /proc/$$/fd/1", NULL };
	struct support_command c = { .argv = argv, .prepare = close_standard };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &c), 0);
	support_finish(&r);
}
END_TEST

START_TEST(descriptors_are_passed_and_none_of_ours)
{
	const char *argv[] = { "sh", "-c",
		"exec 7</dev/null 9>/dev/null;"
		"a=$(cd /proc/self/fd && echo *);"
		"b=$(\"$0\" run --report-file /dev/null --timeout 1h -- "
		"sh -c 'cd /proc/self/fd && echo *');"
		"test \"$a\" = \"$b\" || { echo \"$a / $b\"; exit 1; }",
		support_grouper(), NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;

	ck_assert_msg(support_call(&r, &c) == 0, "%s", r.stdout_text.data);
	support_finish(&r);
}
END_TEST

static void
odd_signals(void *arg)
{
	sigset_t set;

	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

START_TEST(signal_mask_and_dispositions_are_passed)
{
	const char *plain[] = { "grep", "^Sig[BI]", "/proc/self/status", NULL };
	const char *argv[] = { support_grouper(), "run", "grep", "^Sig[BI]",
		"/proc/self/status", NULL };
	struct support_command a = { .argv = plain, .prepare = odd_signals };
	struct support_command b = { .argv = argv, .prepare = odd_signals };
	struct support_run r, s;

	ck_assert_int_eq(support_call(&r, &a), 0);
	ck_assert_int_eq(support_call(&s, &b), 0);
	ck_assert_str_eq(r.stdout_text.data, s.stdout_text.data);
	support_finish(&r);
	support_finish(&s);
}
END_TEST

START_TEST(uid_and_gid_are_changed)
{
	const char *why;
	char uid[16], wanted[64];

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	snprintf(uid, sizeof(uid), "%u", (unsigned int)support_user());
	snprintf(wanted, sizeof(wanted), "%s %s %s\n", uid, uid, uid);
	assert_prints(ARGV("--uid", uid, "--gid", uid),
	    "echo $(id -u) $(id -g) $(id -G)", wanted);
	/* By name, with the groups that the databases know. */
	assert_prints(ARGV("--uid", "nobody"),
	    "test \"$(id -u) $(id -G)\" = \"$(id -u nobody) "
	    "$(id -G nobody)\"",
	    "");
	assert_prints(ARGV("--gid", uid), "id -u", "0\n");
}
END_TEST

START_TEST(unknown_uid_needs_a_group)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", "--uid",
			     "3999999999", "true", NULL),
	    125);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "expected a gid with it"));
	support_finish(&r);
}
END_TEST

START_TEST(user_may_ask_for_what_he_is)
{
	const char *why;
	char uid[16];
	struct support_command c = { 0 };
	struct support_run r;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	c.uid = support_user();
	snprintf(uid, sizeof(uid), "%u", (unsigned int)c.uid);
	c.argv = ARGV(support_grouper(), "run", "--uid", uid, "--gid", uid,
	    "true");
	ck_assert_int_eq(support_call(&r, &c), 0);
	support_finish(&r);
	c.argv = ARGV(support_grouper(), "run", "--uid", "0", "--gid", "0",
	    "true");
	ck_assert_int_eq(support_call(&r, &c), 125);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "cannot become user 0"));
	support_finish(&r);
}
END_TEST

START_TEST(contain_levels_run_the_command)
{
	static const char *const levels[] = { "auto", "reaper", "cgroup",
		"pidns" };
	struct support_run r;
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		support_execute(&r, "@grouper", "run", "--contain", levels[i],
		    "--", "sh", "-c", "sleep 60 & exit 5", NULL);
		if (r.status == 125) /* cannot be had here: says so */
			ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
			    levels[i]));
		else
			ck_assert_int_eq(r.status, 5);
		support_assert_no_survivors();
		support_finish(&r);
	}
}
END_TEST

START_TEST(stop_target_says_whom_the_first_step_addresses)
{
	static const char script[] =
	    "trap 'echo main; exit 0' TERM; "
	    "sh -c 'trap \"echo child; exit 0\" TERM; echo up; "
	    "while :; do sleep 0.01; done' & "
	    "while :; do sleep 0.01; done";
	struct support_run r;
	const char *target,
	    *argv[] = { support_grouper(), "run", "--shutdown",
		    "TERM 300ms, KILL", "--stop-target", NULL, "--", "sh", "-c",
		    script, NULL };
	struct support_command c = { .argv = argv };

	for (target = "command"; target != NULL;
	     target = strcmp(target, "command") == 0 ? "tree" : NULL) {
		argv[5] = target;
		support_start(&r, &c);
		support_await_stdout(&r, "up");
		support_signal(&r, SIGTERM);
		support_wait(&r);
		ck_assert_ptr_nonnull(strstr(r.stdout_text.data, "main"));
		if (strcmp(target, "tree") == 0)
			ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
			    "child"));
		support_assert_no_survivors();
		support_finish(&r);
	}
}
END_TEST

START_TEST(session_is_new_without_a_terminal)
{
	struct support_command c = { .group = SUPPORT_OWN_SESSION };
	struct support_run r;

	c.argv = ARGV(support_grouper(), "run", "sh", "-c",
	    "cut -d' ' -f5,6 /proc/$$/stat; echo pid $$");
	ck_assert_int_eq(support_call(&r, &c), 0);
	/* A process group of its own; the session is the leader's. */
	ck_assert_int_eq(atoi(r.stdout_text.data),
	    support_number(r.stdout_text.data, "pid "));
	support_finish(&r);
	c.argv = ARGV(support_grouper(), "run", "--session", "keep", "cut",
	    "-d ", "-f5", "/proc/self/stat");
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_int_eq(atoi(r.stdout_text.data), r.pid);
	support_finish(&r);
}
END_TEST

START_TEST(doctor_finds_the_reaper)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "doctor", NULL), 0);
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data, "reaper     yes"));
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data, "pidns "));
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data, "kernel "));
	support_finish(&r);
	ck_assert_int_eq(support_execute(&r, "@grouper", "doctor", "--json",
			     NULL),
	    0);
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "\"reaper\":{\"available\":true,\"why\":null}"));
	support_finish(&r);
}
END_TEST

static void
add_command_tests(Suite *suite)
{
	TCase *tc;

	tc = support_case(suite, "command");
	tcase_add_test(tc, shell_runs_a_text);
	tcase_add_test(tc, options_end_at_the_command);
	tcase_add_test(tc, env_sets_and_replaces);
	tcase_add_test(tc, env_file_is_read_line_by_line);
	tcase_add_test(tc, bad_env_file_is_told_with_its_line);
	tcase_add_test(tc, cwd_is_entered);
	tcase_add_test(tc, umask_nice_and_no_new_privs_are_set);
	tcase_add_test(tc, limits_are_set);
	tc = support_case(suite, "inheritance");
	tcase_add_test(tc, standard_input_is_as_asked);
	tcase_add_test(tc, closed_standard_descriptors_stay_closed);
	tcase_add_test(tc, descriptors_are_passed_and_none_of_ours);
	tcase_add_test(tc, signal_mask_and_dispositions_are_passed);
	tc = support_case(suite, "user");
	tcase_add_test(tc, uid_and_gid_are_changed);
	tcase_add_test(tc, unknown_uid_needs_a_group);
	tcase_add_test(tc, user_may_ask_for_what_he_is);
}

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tc;

	add_command_tests(suite);
	tc = support_case(suite, "group");
	tcase_add_test(tc, member_knows_its_group);
	tcase_add_test(tc, ident_tells_the_group);
	tcase_add_test(tc, ident_tells_a_pid_of_its_own_namespace);
	tcase_add_test(tc, unusable_runtime_directory_is_no_obstacle);
	tcase_add_test(tc, named_host_needs_its_runtime_directory);
	tcase_add_test(tc, a_relative_runtime_directory_is_made_absolute);
	tcase_add_test(tc, contain_levels_run_the_command);
	tcase_add_test(tc, stop_target_says_whom_the_first_step_addresses);
	tcase_add_test(tc, session_is_new_without_a_terminal);
	tc = support_case(suite, "doctor");
	tcase_add_test(tc, help_that_cannot_be_written_is_a_failure);
	tcase_add_test(tc, a_misspelt_verb_is_guessed);
	tcase_add_test(tc, names_are_utf_8);
	tcase_add_test(tc, doctor_finds_the_reaper);
	return support_main(suite, NULL);
}
