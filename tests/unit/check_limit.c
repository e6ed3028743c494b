/* SPDX-License-Identifier: ISC */
/*
 * Resource limits by name: runtime/util/limit.
 */
#include "runtime/util/limit.h"

#include <string.h>
#include <sys/resource.h>

#include "support.h"

static void
assert_limit(const char *name, const char *value, uint64_t soft, uint64_t hard)
{
	uint64_t s = 1, h = 1;
	int resource = -1;

	ck_assert_msg(limit_parse(name, value, &resource, &s, &h) == 0, "%s",
	    value);
	ck_assert_int_eq(resource, limit_resource(name));
	ck_assert_uint_eq(s, soft);
	ck_assert_uint_eq(h, hard);
}

START_TEST(values_are_numbers_sizes_and_times)
{
	assert_limit("nofile", "1024", 1024, 1024);
	assert_limit("nofile", "1K:4096", 1024, 4096);
	assert_limit("stack", "8M:unlimited", 8 << 20, UINT64_MAX);
	assert_limit("core", "unlimited", UINT64_MAX, UINT64_MAX);
	assert_limit("cpu", "1m:1h", 60, 3600);
	assert_limit("cpu", "1ms", 1, 1);
}
END_TEST

START_TEST(bad_values_change_nothing)
{
	static const char *const bad[] = { "", "x", "1:", ":1", "2:1", "1:2:3",
		"-1", "1 ", "unlimited:1" };
	uint64_t soft = 47, hard = 11;
	int resource = -2;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(limit_parse("nofile", bad[i], &resource, &soft,
				  &hard) == -1,
		    "%s", bad[i]);
	ck_assert_int_eq(limit_parse("files", "1", &resource, &soft, &hard),
	    -1);
	ck_assert(resource == -2 && soft == 47 && hard == 11);
}
END_TEST

START_TEST(names_are_listed_in_order)
{
	size_t i;

	for (i = 0; limit_name(i) != NULL; i++) {
		ck_assert_int_ne(limit_resource(limit_name(i)), -1);
		ck_assert(i == 0 ||
		    strcmp(limit_name(i - 1), limit_name(i)) < 0);
	}
	ck_assert_uint_gt(i, 10);
	ck_assert_int_eq(limit_resource("nofile"), RLIMIT_NOFILE);
	ck_assert_int_eq(limit_resource(""), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("limit");
	TCase *tc;

	tc = support_case(suite, "limit");
	tcase_add_test(tc, values_are_numbers_sizes_and_times);
	tcase_add_test(tc, bad_values_change_nothing);
	tcase_add_test(tc, names_are_listed_in_order);
	return support_main(suite, NULL);
}
