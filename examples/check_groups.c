/* SPDX-License-Identifier: ISC */
/*
 * A test suite for libcheck in which each test is a group of its own: what a
 * test leaves behind is named and ended before the next one begins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

START_TEST(a_tidy_test)
{
	ck_assert_int_eq(system("true"), 0);
}
END_TEST

/* It passes, and a daemon is left. */
START_TEST(a_test_that_leaks)
{
	ck_assert_int_eq(system("setsid sleep 300 &"), 0);
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *test)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, begin_group, end_group);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("groups");
	SRunner *runner;
	int failed;

	add(suite, "tidy", a_tidy_test);
	add(suite, "leaking", a_test_that_leaks);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
