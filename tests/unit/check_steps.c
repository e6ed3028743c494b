/* SPDX-License-Identifier: ISC */
/*
 * Stop steps: runtime/group/steps.
 */
#include "runtime/group/steps.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "support.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_steps(const char *text, const struct step *wanted, size_t count)
{
	struct steps steps;
	const char *error;
	size_t i;

	ck_assert_msg(steps_parse(text, &steps, &error) == 0, "%s: %s",
	    text != NULL ? text : "(null)", error != NULL ? error : "");
	ck_assert_uint_eq(steps.count, count);
	for (i = 0; i < count; i++) {
		ck_assert_int_eq(steps.step[i].signum, wanted[i].signum);
		ck_assert_int_eq(steps.step[i].ms, wanted[i].ms);
	}
}

START_TEST(list_is_taken_step_by_step)
{
	static const struct step wanted[] = { { SIGTERM, 5000 },
		{ SIGINT, 2000 }, { SIGKILL, STEPS_FOREVER } };

	assert_steps("TERM 5s, INT 2s, KILL", wanted, 3);
	assert_steps("  sigterm\t5 ,2 2s,9 ", wanted, 3);
}
END_TEST

START_TEST(words_and_times_stand_for_lists)
{
	static const struct step five[] = { { SIGTERM, 5000 },
		{ SIGKILL, STEPS_FOREVER } };
	static const struct step kill[] = { { SIGKILL, STEPS_FOREVER } };
	static const struct step term[] = { { SIGTERM, STEPS_FOREVER } };
	static const struct step nine[] = { { SIGTERM, 9000 },
		{ SIGKILL, STEPS_FOREVER } };

	assert_steps(NULL, five, 2);
	assert_steps("5s", five, 2);
	assert_steps(" 5000ms ", five, 2);
	assert_steps("9", nine, 2);
	assert_steps("brutal_kill", kill, 1);
	assert_steps("KILL", kill, 1);
	assert_steps("infinity", term, 1);
	assert_steps("TERM", term, 1);
	assert_steps("TERM infinity", term, 1);
}
END_TEST

START_TEST(kill_follows_a_last_step_with_a_time)
{
	static const struct step wanted[] = { { SIGINT, 100 }, { SIGQUIT, 0 },
		{ SIGKILL, STEPS_FOREVER } };

	assert_steps("INT 100ms, QUIT 0", wanted, 3);
}
END_TEST

START_TEST(bad_steps_tell_what_was_expected)
{
	static const char *const bad[] = { "", " ", "TERM 5s,", ",KILL",
		"TERM, KILL", "TERM infinity, KILL", "KILL 5s", "KILL, TERM",
		"FOO 5s", "TERM 5x", "TERM -5s", "5s, KILL", "TERM 5s KILL",
		"brutal_kill, TERM", "TERM 5s 6s", "forever", "0x5" };
	struct steps steps = { .count = 7 };
	const char *error;
	size_t i;

	for (i = 0; i < NELEMS(bad); i++) {
		error = NULL;
		ck_assert_msg(steps_parse(bad[i], &steps, &error) == -1, "%s",
		    bad[i]);
		ck_assert_ptr_nonnull(error);
		ck_assert_ptr_nonnull(strstr(error, "expected"));
	}
	ck_assert_uint_eq(steps.count, 7);
}
END_TEST

START_TEST(number_of_steps_has_a_limit)
{
	char text[512] = "";
	struct steps steps;
	const char *error;
	int i;

	for (i = 0; i < STEPS_MAX - 1; i++)
		strcat(text, "TERM 1s, ");
	strcat(text, "KILL");
	ck_assert_int_eq(steps_parse(text, &steps, &error), 0);
	ck_assert_uint_eq(steps.count, STEPS_MAX);
	strcpy(strrchr(text, 'K'), "INT 1s");
	ck_assert_int_eq(steps_parse(text, &steps, &error), -1);
	strcat(text, ", KILL");
	ck_assert_int_eq(steps_parse(text, &steps, &error), -1);
}
END_TEST

START_TEST(total_is_the_sum_or_for_ever)
{
	struct steps steps;
	const char *error;

	steps_parse("TERM 5s, INT 2s, KILL", &steps, &error);
	ck_assert_int_eq(steps_total(&steps), 7000);
	steps_parse("brutal_kill", &steps, &error);
	ck_assert_int_eq(steps_total(&steps), 0);
	steps_parse("INT 5s, TERM", &steps, &error);
	ck_assert_int_eq(steps_total(&steps), STEPS_FOREVER);
	steps_parse("infinity", &steps, &error);
	ck_assert_int_eq(steps_total(&steps), STEPS_FOREVER);
}
END_TEST

START_TEST(steps_come_back_from_their_text)
{
	static const char *const texts[] = { "TERM 5s, INT 2s, KILL",
		"infinity", "brutal_kill", "RTMIN+3 1h, USR1 0, HUP",
		/* A signal that has no name, whose number alone is a time. */
		"33 infinity", "TERM 5s, 33" };
	char text[STEPS_TEXT_MAX];
	struct steps steps, again;
	const char *error;
	size_t i, k;

	for (i = 0; i < NELEMS(texts); i++) {
		ck_assert_int_eq(steps_parse(texts[i], &steps, &error), 0);
		ck_assert_int_eq(steps_format(&steps, text, sizeof(text)), 0);
		ck_assert_msg(steps_parse(text, &again, &error) == 0, "%s",
		    text);
		ck_assert_uint_eq(again.count, steps.count);
		for (k = 0; k < steps.count; k++) {
			ck_assert_int_eq(again.step[k].signum,
			    steps.step[k].signum);
			ck_assert_int_eq(again.step[k].ms, steps.step[k].ms);
		}
	}
	steps_parse("5s", &steps, &error);
	ck_assert_int_eq(steps_format(&steps, text, 4), -1);
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("steps");
	TCase *tc;

	tc = support_case(suite, "parse");
	tcase_add_test(tc, list_is_taken_step_by_step);
	tcase_add_test(tc, words_and_times_stand_for_lists);
	tcase_add_test(tc, kill_follows_a_last_step_with_a_time);
	tcase_add_test(tc, bad_steps_tell_what_was_expected);
	tcase_add_test(tc, number_of_steps_has_a_limit);
	tc = support_case(suite, "use");
	tcase_add_test(tc, total_is_the_sum_or_for_ever);
	tcase_add_test(tc, steps_come_back_from_their_text);
	return support_main(suite, NULL);
}
