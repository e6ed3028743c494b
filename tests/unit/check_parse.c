/* SPDX-License-Identifier: ISC */
/*
 * Text to values: runtime/util/parse.
 */
#include "runtime/util/parse.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

#include "support.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(time_has_units_and_fractions)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "0", 0 },
		{ "1", 1000 },
		{ "1.5", 1500 },
		{ "10ms", 10 },
		{ "2s", 2000 },
		{ "2m", 120000 },
		{ "1h", 3600000 },
		{ "1d", 86400000 },
		{ "0.25d", 21600000 },
		{ "0.0001", 1 },
		{ "1.0001s", 1001 },
		{ "0.1ms", 1 },
		{ "1.0000000000000000000000000001s", 1001 },
		{ "1.000000000000000000000000000s", 1000 },
		{ "0.5ms", 1 },
		{ "007", 7000 },
	};
	int64_t ms;
	size_t i;

	for (i = 0; i < NELEMS(good); i++) {
		ms = -1;
		ck_assert_msg(parse_time(good[i].text, &ms) == 0, "%s",
		    good[i].text);
		ck_assert_int_eq(ms, good[i].ms);
	}
}
END_TEST

START_TEST(time_refuses_what_is_none)
{
	static const char *const bad[] = { "", "s", "-1", "+1", " 1", "1 s",
		"1 ", "1.", ".5", "1.s", "1x", "1ss", "1S", "1e3", "0x10",
		"1,5", "99999999999999999999", "9223372036854775807d",
		"106751991167301d", "inf" };
	int64_t ms = 42;
	size_t i;

	for (i = 0; i < NELEMS(bad); i++)
		ck_assert_msg(parse_time(bad[i], &ms) == -1, "%s", bad[i]);
	ck_assert_int_eq(ms, 42);
}
END_TEST

START_TEST(time_ends_where_arithmetic_would)
{
	int64_t ms;

	ck_assert_int_eq(parse_time("9223372036854ms", &ms), 0);
	ck_assert_int_eq(ms, INT64_MAX / 1000000);
	ck_assert_int_eq(parse_time("9223372036855ms", &ms), -1);
	ck_assert_int_eq(parse_time("106751d", &ms), 0);
	ck_assert_int_eq(parse_time("106752d", &ms), -1);
}
END_TEST

START_TEST(size_has_units_in_powers_of_1024)
{
	uint64_t bytes;

	ck_assert_int_eq(parse_size("0", &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	ck_assert_int_eq(parse_size("12B", &bytes), 0);
	ck_assert_uint_eq(bytes, 12);
	ck_assert_int_eq(parse_size("3k", &bytes), 0);
	ck_assert_uint_eq(bytes, 3072);
	ck_assert_int_eq(parse_size("2M", &bytes), 0);
	ck_assert_uint_eq(bytes, 2097152);
	ck_assert_int_eq(parse_size("1g", &bytes), 0);
	ck_assert_uint_eq(bytes, 1073741824);
	ck_assert_int_eq(parse_size("16777215T", &bytes), 0);
	ck_assert_uint_eq(bytes, UINT64_C(16777215) << 40);
	ck_assert_int_eq(parse_size("18446744073709551615", &bytes), 0);
	ck_assert_uint_eq(bytes, UINT64_MAX);
}
END_TEST

START_TEST(size_refuses_what_is_none)
{
	static const char *const bad[] = { "", "K", "-1", "1.5K", "1KB", "1P",
		"1 K", "16777216T", "18446744073709551616", "0x10", "1kk" };
	uint64_t bytes = 42;
	size_t i;

	for (i = 0; i < NELEMS(bad); i++)
		ck_assert_msg(parse_size(bad[i], &bytes) == -1, "%s", bad[i]);
	ck_assert_uint_eq(bytes, 42);
}
END_TEST

START_TEST(whole_number_keeps_to_its_range)
{
	int64_t value;

	ck_assert_int_eq(parse_int("-20", -20, 19, &value), 0);
	ck_assert_int_eq(value, -20);
	ck_assert_int_eq(parse_int("-21", -20, 19, &value), -1);
	ck_assert_int_eq(parse_int("20", -20, 19, &value), -1);
	ck_assert_int_eq(parse_int("9223372036854775807", 0, INT64_MAX, &value),
	    0);
	ck_assert_int_eq(value, INT64_MAX);
	ck_assert_int_eq(parse_int("9223372036854775808", 0, INT64_MAX, &value),
	    -1);
	ck_assert_int_eq(parse_int("", 0, 9, &value), -1);
	ck_assert_int_eq(parse_int("-", -9, 9, &value), -1);
	ck_assert_int_eq(parse_int(" 1", 0, 9, &value), -1);
	ck_assert_int_eq(parse_int("+1", 0, 9, &value), -1);
	ck_assert_int_eq(parse_int("1x", 0, 9, &value), -1);
}
END_TEST

START_TEST(signal_has_names_and_numbers)
{
	static const struct {
		const char *text;
		int signum;
	} good[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "term", SIGTERM },
		{ "sigkill", SIGKILL },
		{ "9", SIGKILL },
		{ "CLD", SIGCHLD },
		{ "POLL", SIGPOLL },
		{ "1", SIGHUP },
		{ "USR1", SIGUSR1 },
		{ "WINCH", SIGWINCH },
	};
	int signum;
	size_t i;

	for (i = 0; i < NELEMS(good); i++) {
		signum = 0;
		ck_assert_msg(parse_signal(good[i].text, &signum) == 0, "%s",
		    good[i].text);
		ck_assert_int_eq(signum, good[i].signum);
	}
	ck_assert_int_eq(parse_signal("RTMIN+3", &signum), 0);
	ck_assert_int_eq(signum, SIGRTMIN + 3);
	ck_assert_int_eq(parse_signal("SIGRTMAX-1", &signum), 0);
	ck_assert_int_eq(signum, SIGRTMAX - 1);
}
END_TEST

START_TEST(signal_refuses_what_is_none)
{
	static const char *const bad[] = { "", "SIG", "0", "-1", "65", "TERMX",
		"TER", "RTMIN-1", "RTMIN+99", "RTMAX+1", "RTMIN+", "9x" };
	int signum = 42;
	size_t i;

	for (i = 0; i < NELEMS(bad); i++)
		ck_assert_msg(parse_signal(bad[i], &signum) == -1, "%s",
		    bad[i]);
	ck_assert_int_eq(signum, 42);
}
END_TEST

START_TEST(every_signal_comes_back_from_its_name)
{
	int number, signum;

	for (number = 1; number <= SIGRTMAX; number++) {
		ck_assert_int_eq(parse_signal(signal_name(number), &signum), 0);
		ck_assert_int_eq(signum, number);
	}
	ck_assert_str_eq(signal_name(SIGTERM), "TERM");
	ck_assert_str_eq(signal_name(SIGRTMIN + 3), "RTMIN+3");
	ck_assert_str_eq(signal_name(0), "0");
}
END_TEST

START_TEST(names_hold_no_separator)
{
	static const char *const bad[] = { "", "a b", "a/b", "a:b", "a\tb",
		"a\n", "\x7f", "/", ":" };
	char longest[34];
	size_t i;

	ck_assert(name_valid("default", 255, false));
	ck_assert(name_valid("größe", 255, false));
	for (i = 0; i < NELEMS(bad); i++)
		ck_assert_msg(!name_valid(bad[i], 255, false), "%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[32] = '\0';
	ck_assert(name_valid(longest, 32, false));
	longest[32] = 'x';
	longest[33] = '\0';
	ck_assert(!name_valid(longest, 32, false));
}
END_TEST

START_TEST(paths_have_levels_and_instances)
{
	static const char *const good[] = { "a", "workers/resize:1", "a:1/b",
		"a:10", "a/b/c" };
	static const char *const bad[] = { "", "/a", "a/", "a//b", "a:", "a:0",
		"a:01", "a:x", ":1", "a:1:2", "a:1x", "a/:1", "a b/c" };
	size_t i;

	for (i = 0; i < NELEMS(good); i++)
		ck_assert_msg(name_valid(good[i], 255, true), "%s", good[i]);
	for (i = 0; i < NELEMS(bad); i++)
		ck_assert_msg(!name_valid(bad[i], 255, true), "%s", bad[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("parse");
	TCase *tc;

	tc = support_case(suite, "time");
	tcase_add_test(tc, time_has_units_and_fractions);
	tcase_add_test(tc, time_refuses_what_is_none);
	tcase_add_test(tc, time_ends_where_arithmetic_would);
	tc = support_case(suite, "numbers");
	tcase_add_test(tc, size_has_units_in_powers_of_1024);
	tcase_add_test(tc, size_refuses_what_is_none);
	tcase_add_test(tc, whole_number_keeps_to_its_range);
	tc = support_case(suite, "signals");
	tcase_add_test(tc, signal_has_names_and_numbers);
	tcase_add_test(tc, signal_refuses_what_is_none);
	tcase_add_test(tc, every_signal_comes_back_from_its_name);
	tc = support_case(suite, "names");
	tcase_add_test(tc, names_hold_no_separator);
	tcase_add_test(tc, paths_have_levels_and_instances);
	return support_main(suite, NULL);
}
