/* SPDX-License-Identifier: ISC */
/*
 * Endings that are kept until somebody asks.
 */
#include <stdio.h>

#include "runtime/supervise/ended.h"
#include "support.h"

START_TEST(each_is_found_by_its_key_until_it_is_forgotten)
{
	struct ended ended;

	ended_init(&ended);
	ended_add(&ended, "b", 2);
	ended_add(&ended, "a", 1);
	ck_assert_ptr_null(ended_find(&ended, "c"));
	ck_assert_int_eq(ended_find(&ended, "a")->status, 1);
	ck_assert_str_eq(TAILQ_FIRST(&ended.list)->key, "b");
	ended_forget(&ended, ended_find(&ended, "a"));
	ck_assert_ptr_null(ended_find(&ended, "a"));
	ck_assert_int_eq(ended_find(&ended, "b")->status, 2);
	ended_fini(&ended);
	ck_assert_uint_eq(ended.count, 0);
}
END_TEST

START_TEST(a_later_one_of_the_key_takes_the_place)
{
	struct ended ended;

	ended_init(&ended);
	ended_add(&ended, "a", 1);
	ended_add(&ended, "b", 2);
	ended_add(&ended, "a", 3);
	ck_assert_uint_eq(ended.count, 2);
	ck_assert_int_eq(ended_find(&ended, "a")->status, 3);
	ck_assert_str_eq(TAILQ_FIRST(&ended.list)->key, "b");
	ended_fini(&ended);
}
END_TEST

START_TEST(the_oldest_is_forgotten_where_there_are_too_many)
{
	struct ended ended;
	char key[16];
	int i;

	ended_init(&ended);
	for (i = 0; i <= ENDED_MAX; i++) {
		snprintf(key, sizeof(key), "%d", i);
		ended_add(&ended, key, i);
	}
	ck_assert_uint_eq(ended.count, ENDED_MAX);
	ck_assert_ptr_null(ended_find(&ended, "0"));
	ck_assert_int_eq(ended_find(&ended, "1")->status, 1);
	ck_assert_ptr_nonnull(ended_find(&ended, key));
	ended_fini(&ended);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ended");
	TCase *tc = support_case(suite, "kept");

	tcase_add_test(tc, each_is_found_by_its_key_until_it_is_forgotten);
	tcase_add_test(tc, a_later_one_of_the_key_takes_the_place);
	tcase_add_test(tc, the_oldest_is_forgotten_where_there_are_too_many);
	return support_main(suite, NULL);
}
