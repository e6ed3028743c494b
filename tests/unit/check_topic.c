/* SPDX-License-Identifier: ISC */
/*
 * Topics and patterns.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/topic.h"
#include "support.h"

static const struct {
	const char *text;
	bool name, topic;
} words[] = {
	{ "room:frontend", true, true },
	{ "a", true, true },
	{ "*", true, true },
	{ "room:*", true, true },
	{ "a::b", true, true },
	{ "gr\303\274n", true, true },
	{ "-", true, true },
	{ ":room", true, false },
	{ "room:", true, false },
	{ ":", true, false },
	{ "", false, false },
	{ "two words", false, false },
	{ "tab\t", false, false },
	{ "line\n", false, false },
	{ " a", false, false },
	{ "\177", false, false },
	{ "a\001b", false, false },
};

START_TEST(names_and_topics_are_checked)
{
	const char *text = words[_i].text;
	size_t length = strlen(text);

	ck_assert_int_eq(topic_word(text), words[_i].name);
	ck_assert_int_eq(topic_name_valid(text, length), words[_i].name);
	ck_assert_int_eq(topic_valid(text, length), words[_i].topic);
	ck_assert_int_eq(topic_pattern_valid(text, length), words[_i].topic);
}
END_TEST

START_TEST(a_name_has_255_bytes_at_most)
{
	char text[300];

	memset(text, 'x', sizeof(text));
	ck_assert(topic_valid(text, 255));
	ck_assert(!topic_valid(text, 256));
	text[255] = '\0';
	ck_assert(topic_word(text));
	text[255] = 'x';
	text[256] = '\0';
	ck_assert(!topic_word(text));
}
END_TEST

START_TEST(a_nul_is_no_part_of_a_name)
{
	ck_assert(!topic_name_valid("a\0b", 3));
}
END_TEST

static const struct {
	const char *pattern, *topic;
	bool matches;
} pairs[] = {
	{ "room:a", "room:a", true },
	{ "room:a", "room:b", false },
	{ "room:a", "room:ab", false },
	{ "room:a", "room:", false },
	{ "room:*", "room:a", true },
	{ "room:*", "room:a:b", true },
	{ "room:*", "room:", true },
	{ "room:*", "room", false },
	{ "ro*", "room:a", true },
	{ "*", "anything", true },
	{ "**", "*star", true },
	{ "**", "star", false },
	{ "a*b", "a*b", true },
	{ "a*b", "axb", false },
	{ "a*", "a*", true },
};

START_TEST(patterns_take_in_topics)
{
	ck_assert_int_eq(topic_matches(pairs[_i].pattern, pairs[_i].topic),
	    pairs[_i].matches);
}
END_TEST

static const struct {
	const char *one, *other;
	bool meet;
} meetings[] = {
	{ "a", "a", true },
	{ "a", "b", false },
	{ "a*", "abc", true },
	{ "a*", "b", false },
	{ "a*", "ab*", true },
	{ "ab*", "a*", true },
	{ "ab*", "ac*", false },
	{ "*", "x", true },
	{ "*", "x*", true },
};

START_TEST(patterns_meet_where_a_topic_is_in_both)
{
	ck_assert_int_eq(topic_patterns_meet(meetings[_i].one,
			     meetings[_i].other),
	    meetings[_i].meet);
	ck_assert_int_eq(topic_patterns_meet(meetings[_i].other,
			     meetings[_i].one),
	    meetings[_i].meet);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic");
	TCase *tc = support_case(suite, "topics");

	tcase_add_loop_test(tc, names_and_topics_are_checked, 0,
	    sizeof(words) / sizeof(words[0]));
	tcase_add_test(tc, a_name_has_255_bytes_at_most);
	tcase_add_test(tc, a_nul_is_no_part_of_a_name);
	tcase_add_loop_test(tc, patterns_take_in_topics, 0,
	    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_loop_test(tc, patterns_meet_where_a_topic_is_in_both, 0,
	    sizeof(meetings) / sizeof(meetings[0]));
	return support_main(suite, NULL);
}
