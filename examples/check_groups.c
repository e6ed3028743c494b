/* SPDX-License-Identifier: ISC */
/*
 * A test suite for libcheck in which each test is a group of its own: what a
 * test leaves behind is named and ended before the next one begins.
 */
#include <sys/wait.h>

#include <signal.h>
#include <spawn.h>
#include <stdio.h>

#include <check.h>
#include <grouper.h>

static struct grouper_self self;

/* A checked fixture runs in the process that check forks for each test. */
static void
begin_group(void)
{
	self = (struct grouper_self)GROUPER_SELF_INIT;
	ck_assert_int_eq(grouper_commandeer(0, &self), GROUPER_OK);
}

/* A stricter suite would call ck_abort_msg() if there is anything. */
static void
end_group(void)
{
	struct grouper_processes list;
	size_t i;

	ck_assert_int_eq(grouper_descendants(0, &list), GROUPER_OK);
	for (i = 0; i < list.count; i++)
		if (list.items[i].state != 'Z')
			printf("%s left: %s\n", tcase_name(),
			    list.items[i].command);
	fflush(stdout);
	grouper_processes_free(&list);
	ck_assert_int_eq(grouper_sweep("TERM 5s, KILL", NULL), GROUPER_OK);
	ck_assert_int_eq(grouper_release(&self), GROUPER_OK);
}

static pid_t
start_sleep(void)
{
	char name[] = "sleep", time[] = "300";
	char *argv[] = { name, time, NULL }, *env[] = { NULL };
	pid_t pid;

	ck_assert_int_eq(posix_spawnp(&pid, name, NULL, NULL, argv, env), 0);
	return pid;
}

START_TEST(a_tidy_test)
{
	pid_t pid = start_sleep();

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* It passes all the same. */
START_TEST(a_test_that_leaks)
{
	start_sleep();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("groups");
	TCase *tcase = tcase_create("each a group");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, begin_group, end_group);
	tcase_add_test(tcase, a_tidy_test);
	tcase_add_test(tcase, a_test_that_leaks);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
