/* SPDX-License-Identifier: ISC */
/*
 * One incarnation of a child on real groups: its reload_command.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/supervise/incarnation.h"
#include "record.h"

/* How many groups there are. */
static size_t
count_groups(void)
{
	pid_t leaders[8];

	return support_children(getpid(), leaders, 8);
}

START_TEST(a_reload_command_does_not_run_on_its_own)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    reload_command: [sh, -c, 'echo $$$$ >@/pid; "
	    "exec sleep 1000']\n"
	    "    command: [sleep, '1000']\n");
	incarnation_reload(record.run); /* it is about to start */
	record_await(&record, "started");
	ck_assert_uint_eq(count_groups(), 1);
	incarnation_reload(record.run);
	record_await_number(&record, "pid");
	incarnation_stop(record.run, false);
	incarnation_reload(record.run);
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

/* The main group alone is left, and no third one came. */
static bool
ran_twice(void *arg)
{
	char *text = support_slurp(support_path("runs"));
	bool twice = strcmp(text, "x\nx\n") == 0 && count_groups() == 1;

	(void)arg;
	free(text);
	return twice;
}

START_TEST(a_reload_while_one_runs_is_told_after_it)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    reload_command: [sh, -c, 'echo x >>@/runs; echo 1 >@/pid; "
	    "while [ ! -e @/go ]; do sleep 0.01; done; exit 7']\n"
	    "    command: [sleep, '1000']\n");
	record_await(&record, "started");
	incarnation_reload(record.run);
	record_await_number(&record, "pid");
	incarnation_reload(record.run);
	incarnation_reload(record.run);
	ck_assert_uint_eq(count_groups(), 2);
	support_file("go", 0644, "");
	trial_until(&record.trial, ran_twice, NULL);
	incarnation_stop(record.run, false);
	record_await(&record, "empty");
	record_close(&record);
}
END_TEST

START_TEST(what_is_not_ready_is_reloaded_when_it_is)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    ready: fd:3\n"
	    "    reload_command: [sh, -c, 'echo 1 >@/pid']\n"
	    "    shell: 'while [ ! -e @/go ]; do sleep 0.01; done; "
	    "echo >&3; exec 3>&-; exec sleep 1000'\n");
	record_await(&record, "started");
	incarnation_reload(record.run);
	ck_assert_uint_eq(count_groups(), 1);
	support_file("go", 0644, "");
	record_await(&record, "ready");
	record_await_number(&record, "pid");
	incarnation_stop(record.run, false);
	record_await(&record, "empty");
	record_close(&record);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("incarnation_reload");
	TCase *tc;

	tc = support_case(suite, "reload_command");
	tcase_add_test(tc, a_reload_command_does_not_run_on_its_own);
	tcase_add_test(tc, a_reload_while_one_runs_is_told_after_it);
	tcase_add_test(tc, what_is_not_ready_is_reloaded_when_it_is);
	return support_main(suite, NULL);
}
