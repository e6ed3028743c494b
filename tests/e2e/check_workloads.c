/* SPDX-License-Identifier: ISC */
/*
 * What is run to its end rather than served: make, scripts, test suites and a
 * browser, under `grouper run` at each level.
 *
 * The browser takes some seconds: it is tried where CHECK_BROWSER is set.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define LEVELS 3
#define TARGETS 4
#define MAX_WORDS 32

static const char *const levels[LEVELS] = { "reaper", "cgroup", "pidns" };

/* Skips the test, and returns false, if there is no such level here. */
static bool
set_up(int level)
{
	struct support_run r;
	bool available;

	available = support_execute(&r, "@grouper", "run", "--contain",
			levels[level], "true", NULL) == 0;
	if (!available)
		support_skip("%s", strtok(r.stderr_text.data, "\n"));
	support_finish(&r);
	return available;
}

/* Starts words behind `grouper run` in the test's directory. */
static void
start(struct support_run *r, int level, const char *const *words)
{
	const char *argv[MAX_WORDS] = { support_grouper(), "run", "--contain",
		levels[level] };
	struct support_command c = { .argv = argv,
		.directory = support_directory() };

	for (size_t i = 0; words[i] != NULL && i + 5 < MAX_WORDS; i++)
		argv[i + 4] = words[i];
	support_start(r, &c);
}

static void
assert_nothing_left(void)
{
	struct support_process list[32];
	size_t n;

	n = support_descendants(getpid(), list, 32);
	if (n > 0)
		support_print_processes("left", list, n < 32 ? n : 32);
	ck_assert_msg(n == 0, "%zu processes left", n);
	support_assert_no_survivors();
}

/*
 * make.  It ends with 2 if it sees a job die of the signal before it gets that
 * itself, with grouper and without.
 */

static const char *const make[] = { "--", "make", "-s", "-j4", NULL };

static void
write_makefile(void)
{
	support_file("Makefile", 0644,
	    "all: t1 t2 t3 t4\nt%:\n\t>$@; exec sleep 600\n"
	    "outer:\n\t+$(GROUPER) run --contain $(LEVEL) -- "
	    "$(MAKE) -s inner\n"
	    "inner: i1 i2\ni1:\n\tread x <fifo\ni2:\n\techo go >fifo\n");
}

static int
targets(void)
{
	char name[8];
	int n = 0;

	for (int i = 1; i <= TARGETS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		n += access(support_path(name), F_OK) == 0;
	}
	return n;
}

static bool
all_targets_begun(void *unused)
{
	(void)unused;
	return targets() == TARGETS;
}

static void
await_targets(void)
{
	ck_assert(support_until(all_targets_begun, NULL, SUPPORT_PATIENCE));
}

START_TEST(make_that_is_to_stop_deletes_its_targets)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct support_run r;

	if (!set_up(_i))
		return;
	write_makefile();
	for (size_t i = 0; i < 2; i++) {
		start(&r, _i, make);
		await_targets();
		support_signal(&r, signals[i]);
		if (support_wait(&r) != 2)
			ck_assert_int_eq(r.status, 128 + signals[i]);
		assert_nothing_left();
		ck_assert_int_eq(targets(), 0);
		support_finish(&r);
	}
}
END_TEST

START_TEST(make_that_is_killed_leaves_no_job)
{
	pid_t leader, pid;
	struct support_run r;

	if (!set_up(_i))
		return;
	write_makefile();
	start(&r, _i, make);
	await_targets();
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	ck_assert_uint_eq(support_children(leader, &pid, 1), 1);
	kill(pid, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	assert_nothing_left();
	support_finish(&r);
}
END_TEST

/* Its two jobs meet in a FIFO: one after the other they would block. */
START_TEST(make_inside_has_the_jobs_of_the_one_outside)
{
	char grouper[512], level[32];
	const char *argv[] = { "make", "-s", "-j2", "outer", grouper, level,
		NULL };
	struct support_command c = { .argv = argv,
		.directory = support_directory() };
	struct support_run r;

	if (!set_up(_i))
		return;
	snprintf(grouper, sizeof(grouper), "GROUPER=%s", support_grouper());
	snprintf(level, sizeof(level), "LEVEL=%s", levels[_i]);
	write_makefile();
	ck_assert_int_eq(support_execute(&r, "mkfifo", support_path("fifo"),
			     NULL),
	    0);
	support_finish(&r);
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}
END_TEST

START_TEST(make_at_a_prompt_is_interrupted_as_a_whole)
{
	char line[1024];
	struct support_pty pty;
	struct support_run r;

	if (!set_up(_i))
		return;
	write_makefile();
	support_pty_open(&pty);
	support_pty_shell(&pty, &r, "bash");
	snprintf(line, sizeof(line),
	    "cd %s; %s run --contain %s -- make -s -j4\n", support_directory(),
	    support_grouper(), levels[_i]);
	support_pty_send(&pty, line);
	support_pty_await_job(&pty, &r);
	await_targets();
	support_pty_send(&pty, "\003");
	support_pty_expect(&pty, "ready> ");
	ck_assert_int_eq(targets(), 0);
	support_pty_send(&pty, "exit 0\n");
	ck_assert_int_eq(support_wait(&r), 0);
	assert_nothing_left();
	support_finish(&r);
	support_pty_close(&pty);
}
END_TEST

/*
 * Scripts
 */

START_TEST(script_runs_its_traps_and_its_jobs_go)
{
	const char *words[] = { "--", "sh", "script", NULL };
	struct support_run r;

	if (!set_up(_i))
		return;
	support_file("script", 0644,
	    "trap 'echo term; rm lock; echo removed; exit 9' TERM\n"
	    "trap 'echo exit' EXIT\n"
	    ">lock; sleep 600 & setsid sleep 600 &\necho ready\nwait\n");
	start(&r, _i, words);
	support_await_stdout(&r, "ready\n");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 9);
	assert_nothing_left();
	ck_assert_str_eq(r.stdout_text.data, "ready\nterm\nremoved\nexit\n");
	ck_assert_int_ne(access(support_path("lock"), F_OK), 0);
	support_finish(&r);
}
END_TEST

/* A shell has its jobs ignore INT: they are asked by TERM, not waited for. */
START_TEST(script_that_is_interrupted_loses_its_jobs_at_once)
{
	static const char *const words[] = { "--shutdown", "TERM 25s, KILL",
		"--", "sh", "script", NULL };
	struct support_run r;

	if (!set_up(_i))
		return;
	support_file("script", 0644,
	    "trap 'exit 8' INT\nsleep 600 &\necho ready\nwait\n");
	start(&r, _i, words);
	support_await_stdout(&r, "ready\n");
	support_signal(&r, SIGINT);
	ck_assert_int_eq(support_wait_for(&r, 20000), 8);
	assert_nothing_left();
	support_finish(&r);
}
END_TEST

START_TEST(job_that_is_dying_is_no_leak)
{
	static const char *const words[] = { "--leaks=fail", "--", "sh", "-c",
		"sleep 600 & kill $!", NULL };
	struct support_run r;

	if (!set_up(_i))
		return;
	for (int i = 0; i < 20; i++) {
		start(&r, _i, words);
		support_wait(&r);
		ck_assert_str_eq(r.stderr_text.data, "");
		ck_assert_int_eq(r.status, 0);
		assert_nothing_left();
		support_finish(&r);
	}
}
END_TEST

/*
 * Test suites that leak
 */

/* Runs a suite of which two processes outlive it: its status must be this. */
static void
check_leaking_suite(int level, const char *leaks, const char *const *suite,
    int status)
{
	const char *words[MAX_WORDS] = { "--leaks", leaks };
	struct support_run r;
	const char *leak;

	for (size_t i = 0; suite[i] != NULL; i++)
		words[i + 2] = suite[i];
	start(&r, level, words);
	support_wait(&r);
	assert_nothing_left();
	ck_assert_msg(r.status == status, "--leaks=%s: %d: %s%s", leaks,
	    r.status, r.stdout_text.data, r.stderr_text.data);
	leak = strstr(r.stderr_text.data, "grouper: leak: pid ");
	ck_assert_ptr_nonnull(leak);
	ck_assert_ptr_nonnull(strstr(leak + 1, "grouper: leak: pid "));
	support_finish(&r);
}

/* Skips the test, and returns false, if the command does not end with 0. */
static bool
is_installed(const char *name, const char *const *words)
{
	struct support_command c = { .argv = words };
	struct support_run r;
	bool installed;

	installed = support_call(&r, &c) == 0;
	support_finish(&r);
	if (!installed)
		support_skip("%s is not installed", name);
	return installed;
}

static const char *const bats_version[] = { "sh", "-c", "bats --version",
	NULL };
static const char *const bats[] = { "--", "bats", "suite.bats", NULL };

/* What a job inherits of bats would make bats itself wait for it. */
#define BATS_LEAKS \
	"@test leaks {\n" \
	"\tsleep 600 >/dev/null 2>&1 3>&- &\n" \
	"\tsetsid sh -c 'sleep 600 >/dev/null 2>&1 3>&- &'\n" \
	"}\n"

START_TEST(bats_that_passes_fails_for_its_leaks)
{
	if (!is_installed("bats", bats_version) || !set_up(_i))
		return;
	support_file("suite.bats", 0644, BATS_LEAKS);
	check_leaking_suite(_i, "warn", bats, 0);
	check_leaking_suite(_i, "fail", bats, 123);
}
END_TEST

START_TEST(bats_that_fails_keeps_its_status)
{
	if (!is_installed("bats", bats_version) || !set_up(_i))
		return;
	support_file("suite.bats", 0644,
	    BATS_LEAKS "@test fails {\n\tfalse\n}\n");
	check_leaking_suite(_i, "fail", bats, 1);
}
END_TEST

/* A job that kept bats' own descriptor: bats never ends by itself. */
START_TEST(bats_that_hangs_is_ended_by_the_time_limit)
{
	static const char *const words[] = { "--timeout", "1s", "--", "bats",
		"suite.bats", NULL };
	struct support_run r;

	if (!is_installed("bats", bats_version) || !set_up(_i))
		return;
	support_file("suite.bats", 0644, "@test hangs {\n\tsleep 600 &\n}\n");
	start(&r, _i, words);
	ck_assert_int_eq(support_wait(&r), 124);
	assert_nothing_left();
	support_finish(&r);
}
END_TEST

static const char *const pytest_version[] = { "sh", "-c",
	"python3 -m pytest --version", NULL };
static const char *const pytest[] = { "--", "python3", "-m", "pytest", "-q",
	"-p", "no:cacheprovider", "test_suite.py", NULL };

#define PYTEST_LEAKS \
	"import multiprocessing, subprocess\n" \
	"def test_leaks():\n" \
	"    subprocess.Popen(['sleep', '600'])\n" \
	"    subprocess.run('setsid sleep 600 &', shell=True)\n" \
	"def test_does_not_leak():\n" \
	"    with multiprocessing.Pool(2) as pool:\n" \
	"        assert pool.map(abs, [-1, 2]) == [1, 2]\n"

START_TEST(pytest_that_passes_fails_for_its_leaks)
{
	if (!is_installed("pytest", pytest_version) || !set_up(_i))
		return;
	support_file("test_suite.py", 0644, PYTEST_LEAKS);
	check_leaking_suite(_i, "warn", pytest, 0);
	check_leaking_suite(_i, "fail", pytest, 123);
}
END_TEST

START_TEST(pytest_that_fails_keeps_its_status)
{
	if (!is_installed("pytest", pytest_version) || !set_up(_i))
		return;
	support_file("test_suite.py", 0644,
	    PYTEST_LEAKS "def test_fails():\n    assert False\n");
	check_leaking_suite(_i, "fail", pytest, 1);
}
END_TEST

/*
 * A browser: processes that fork twice, change their session, have threads by
 * the dozen, and a watcher for crashes
 */

static bool
browser_runs(void *arg)
{
	struct support_run *r = arg;
	struct support_process list[8];

	return access(support_path("profile/DevToolsActivePort"), F_OK) == 0 &&
	    support_descendants(r->pid, list, 8) >= 6;
}

/* Kills the browser itself, or has grouper end it. */
static void
check_browser(int level, bool kills)
{
	static const char *const version[] = { "sh", "-c", "chromium --version",
		NULL };
	const char *directory = support_directory();
	char home[512], profile[512];
	const char *words[] = { "--env", home, "--shutdown", "TERM 25s, KILL",
		"--", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--remote-debugging-port=0", profile,
		"about:blank", NULL };
	pid_t leader, pids[8];
	struct support_run r;

	if (getenv("CHECK_BROWSER") == NULL)
		SUPPORT_SKIP("CHECK_BROWSER is not set");
	if (!is_installed("chromium", version) || !set_up(level))
		return;
	snprintf(home, sizeof(home), "HOME=%s", directory);
	snprintf(profile, sizeof(profile), "--user-data-dir=%s/profile",
	    directory);
	start(&r, level, words);
	ck_assert(support_until(browser_runs, &r, SUPPORT_PATIENCE));
	if (kills) {
		ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
		ck_assert_uint_ge(support_children(leader, pids, 8), 1);
		/* The oldest child of the leader is the command. */
		kill(pids[0], SIGKILL);
	} else {
		support_signal(&r, SIGTERM);
	}
	ck_assert_int_eq(support_wait(&r), kills ? 128 + SIGKILL : 0);
	assert_nothing_left();
	support_finish(&r);
}

START_TEST(browser_ends_on_term)
{
	check_browser(_i, false);
}
END_TEST

START_TEST(browser_that_is_killed_leaves_nothing)
{
	check_browser(_i, true);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("workloads");
	TCase *tc = support_case(suite, "make");

	tcase_add_loop_test(tc, make_that_is_to_stop_deletes_its_targets, 0,
	    LEVELS);
	tcase_add_loop_test(tc, make_that_is_killed_leaves_no_job, 0, LEVELS);
	tcase_add_loop_test(tc, make_inside_has_the_jobs_of_the_one_outside, 0,
	    LEVELS);
	tcase_add_loop_test(tc, make_at_a_prompt_is_interrupted_as_a_whole, 0,
	    LEVELS);
	tc = support_case(suite, "scripts");
	tcase_add_loop_test(tc, script_runs_its_traps_and_its_jobs_go, 0,
	    LEVELS);
	tcase_add_loop_test(tc,
	    script_that_is_interrupted_loses_its_jobs_at_once, 0, LEVELS);
	tcase_add_loop_test(tc, job_that_is_dying_is_no_leak, 0, LEVELS);
	tc = support_case(suite, "bats");
	tcase_add_loop_test(tc, bats_that_passes_fails_for_its_leaks, 0,
	    LEVELS);
	tcase_add_loop_test(tc, bats_that_fails_keeps_its_status, 0, LEVELS);
	tcase_add_loop_test(tc, bats_that_hangs_is_ended_by_the_time_limit, 0,
	    LEVELS);
	tc = support_case(suite, "pytest");
	tcase_add_loop_test(tc, pytest_that_passes_fails_for_its_leaks, 0,
	    LEVELS);
	tcase_add_loop_test(tc, pytest_that_fails_keeps_its_status, 0, LEVELS);
	tc = support_case(suite, "browser");
	tcase_add_loop_test(tc, browser_ends_on_term, 0, LEVELS);
	tcase_add_loop_test(tc, browser_that_is_killed_leaves_nothing, 0,
	    LEVELS);
	return support_main(suite, NULL);
}
