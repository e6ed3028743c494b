/* SPDX-License-Identifier: ISC */
/*
 * Every example runs as it stands, shows what it is for, and leaves nothing:
 * no process, no file of a host, no complaint.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/support.h"

static const struct {
	const char *name;
	const char *shows[8]; /* in this order */
} examples[] = {
	{ "start_stop",
	    { "sleepers: runs as pid ", "sleepers: running",
		"sleepers: empty, 3 processes ended in ", "sleepers: idle" } },
	{ "exec_function",
	    { "primes: exit status 0, 2 processes",
		"result: 1229 primes below 10000" } },
	{ "leader_died",
	    { "start: no error", "event: the leader died", "event: empty",
		"start: the leader died", "start: the leader died",
		"reset: no error", "start: no error", "event: empty" } },
	{ "list_members",
	    { "COMMAND", "sh -c ", "sleep 303", "5 processes\n" } },
	{ "signal_events",
	    { "started", "signal Stopped (signal): no error",
		"paused by: Stopped (signal)", "signal Continued: no error",
		"continued", "signal Terminated: no error",
		"ended by: Terminated", "empty" } },
	{ "containment",
	    { "reaper: yes", "cgroup: ", "pidns: ", "started at level ",
		"empty, exit status 7" } },
	{ "who_am_i",
	    { "outside: ", "inside: kind worker, host 'example-",
		"', key 'pool/asker:1'" } },
	{ "supervisor",
	    { "store: started", "worker: started", "worker: is restarted",
		"worker: started", "visitor: started", "visitor: is stopped",
		"store: is stopped", "over with status 0" } },
	{ "sweep_self", { "2 daemons, deaf to TERM", "0 after the sweep" } },
	{ "check_groups",
	    { "a_test_that_leaks left: ",
		"100%: Checks: 2, Failures: 0, Errors: 0" } },
};
/* It looks through /proc by a shell, which takes its time. */
#define DEMO_MS 120000
#define EXAMPLES (int)(sizeof(examples) / sizeof(examples[0]))

static void
assert_empty(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		ck_assert_msg(entry->d_name[0] == '.', "%s/%s was left", path,
		    entry->d_name);
	closedir(dir);
}

START_TEST(an_example_shows_what_it_is_for)
{
	const char *directory = getenv("EXAMPLES_DIR"), *runtime, *at;
	const char *argv[2] = { NULL, NULL }, *env[2] = { NULL, NULL };
	struct support_command command = { .argv = argv, .env = env };
	char path[512], variable[600];
	struct support_run r;
	size_t i;

	ck_assert_msg(directory != NULL, "EXAMPLES_DIR must be set");
	snprintf(path, sizeof(path), "%s/%s", directory, examples[_i].name);
	argv[0] = path;
	runtime = support_path("runtime");
	ck_assert_int_eq(mkdir(runtime, 0700), 0);
	snprintf(variable, sizeof(variable), "GROUPER_RUNTIME_DIR=%s", runtime);
	env[0] = variable;
	ck_assert_msg(support_call(&r, &command) == 0, "%s: status %d: %s%s",
	    path, r.status, r.stdout_text.data, r.stderr_text.data);
	support_assert_no_survivors();
	at = r.stdout_text.data;
	for (i = 0; i < 8 && examples[_i].shows[i] != NULL; i++) {
		at = strstr(at, examples[_i].shows[i]);
		ck_assert_msg(at != NULL, "%s does not show '%s': %s", path,
		    examples[_i].shows[i], r.stdout_text.data);
		at += strlen(examples[_i].shows[i]);
	}
	ck_assert_str_eq(r.stderr_text.data, "");
	assert_empty(runtime);
	support_finish(&r);
}
END_TEST

START_TEST(the_demonstration_shows_the_difference)
{
	const char *source = getenv("srcdir");
	const char *argv[] = { "sh", NULL, NULL };
	struct support_command command = { .argv = argv };
	struct support_run r;
	char path[512];
	int status;

	snprintf(path, sizeof(path), "%s/examples/demo.sh",
	    source != NULL ? source : ".");
	if (access("/usr/bin/make", X_OK) == -1)
		SUPPORT_SKIP("no make");
	support_grouper();
	argv[1] = path;
	support_start(&r, &command);
	status = support_wait_for(&r, DEMO_MS);
	ck_assert_msg(status == 0, "status %d: %s%s", status,
	    r.stdout_text.data, r.stderr_text.data);
	support_assert_no_survivors();
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "left 3 processes behind"));
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "left 0 processes behind"));
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("examples");
	TCase *tc = support_case(s, "programs");

	tcase_add_loop_test(tc, an_example_shows_what_it_is_for, 0, EXAMPLES);
	tc = support_case(s, "scripts");
	tcase_set_timeout(tc, 2.0 * DEMO_MS / 1000 * support_scale());
	tcase_add_test(tc, the_demonstration_shows_the_difference);
	return support_main(s, NULL);
}
