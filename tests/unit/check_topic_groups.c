/* SPDX-License-Identifier: ISC */
/*
 * Topic groups: every operation and every error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/groups.h"
#include "support.h"

static struct topic_groups *groups;

static void
setup(void)
{
	groups = topic_groups_new();
	ck_assert_ptr_nonnull(groups);
}

static void
teardown(void)
{
	topic_groups_free(groups);
}

static size_t
count_of(const char *name)
{
	char *const *topics;
	size_t count = 0;

	ck_assert_int_eq(topic_groups_topics(groups, name, &topics, &count),
	    GROUPER_OK);
	return count;
}

START_TEST(a_group_is_created_once)
{
	ck_assert_int_eq(topic_groups_create(groups, "team"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_create(groups, "team"),
	    GROUPER_ALREADY_EXISTS);
	ck_assert_uint_eq(count_of("team"), 0);
}
END_TEST

START_TEST(a_deleted_group_is_gone)
{
	topic_groups_create(groups, "team");
	topic_groups_add(groups, "team", "room:a");
	ck_assert_int_eq(topic_groups_delete(groups, "team"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_delete(groups, "team"),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(topic_groups_create(groups, "team"), GROUPER_OK);
	ck_assert_uint_eq(count_of("team"), 0);
}
END_TEST

START_TEST(an_unknown_group_is_not_found)
{
	char *const *topics;
	size_t count;

	ck_assert_int_eq(topic_groups_add(groups, "team", "room:a"),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(topic_groups_remove(groups, "team", "room:a"),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(topic_groups_topics(groups, "team", &topics, &count),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(topic_groups_delete(groups, "team"),
	    GROUPER_NOT_FOUND);
}
END_TEST

START_TEST(adding_twice_and_removing_the_absent_are_ok)
{
	topic_groups_create(groups, "team");
	ck_assert_int_eq(topic_groups_add(groups, "team", "a"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_add(groups, "team", "a"), GROUPER_OK);
	ck_assert_uint_eq(count_of("team"), 1);
	ck_assert_int_eq(topic_groups_remove(groups, "team", "b"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_remove(groups, "team", "a"), GROUPER_OK);
	ck_assert_int_eq(topic_groups_remove(groups, "team", "a"), GROUPER_OK);
	ck_assert_uint_eq(count_of("team"), 0);
}
END_TEST

START_TEST(a_group_has_its_own_topics)
{
	topic_groups_create(groups, "team");
	topic_groups_create(groups, "other");
	topic_groups_add(groups, "team", "a");
	ck_assert(topic_groups_has(groups, "team", "a"));
	ck_assert(!topic_groups_has(groups, "team", "b"));
	ck_assert(!topic_groups_has(groups, "other", "a"));
	ck_assert(!topic_groups_has(groups, "none", "a"));
	ck_assert(!topic_groups_has(groups, " ", "a"));
}
END_TEST

START_TEST(invalid_names_are_refused)
{
	char *const *topics;
	size_t count;

	ck_assert_int_eq(topic_groups_create(groups, "two words"),
	    GROUPER_INVALID);
	ck_assert_int_eq(topic_groups_create(groups, ""), GROUPER_INVALID);
	topic_groups_create(groups, "team");
	ck_assert_int_eq(topic_groups_add(groups, "team", "room:"),
	    GROUPER_INVALID);
	ck_assert_int_eq(topic_groups_remove(groups, "team", ":room"),
	    GROUPER_INVALID);
	ck_assert_int_eq(topic_groups_delete(groups, "\n"), GROUPER_INVALID);
	ck_assert_int_eq(topic_groups_topics(groups, " ", &topics, &count),
	    GROUPER_INVALID);
}
END_TEST

START_TEST(topics_and_groups_are_in_byte_order)
{
	static const char *const words[] = { "b", "a:1", "\303\244", "a", "B",
		"ab", "a:10", "a:2" };
	static const char *const sorted[] = { "B", "a", "a:1", "a:10", "a:2",
		"ab", "b", "\303\244" };
	char *const *topics;
	size_t count, i;

	topic_groups_create(groups, "team");
	for (i = 0; i < 8; i++) {
		topic_groups_create(groups, words[i]);
		topic_groups_add(groups, "team", words[i]);
	}
	topic_groups_delete(groups, "team");
	for (i = 0; i < 8; i++)
		ck_assert_str_eq(topic_groups_name(groups, i), sorted[i]);
	ck_assert_ptr_null(topic_groups_name(groups, 8));
	for (i = 0; i < 8; i++)
		topic_groups_add(groups, "a", words[i]);
	ck_assert_int_eq(topic_groups_topics(groups, "a", &topics, &count),
	    GROUPER_OK);
	ck_assert_uint_eq(count, 8);
	for (i = 0; i < 8; i++)
		ck_assert_str_eq(topics[i], sorted[i]);
}
END_TEST

START_TEST(a_thousand_groups_of_a_thousand_topics)
{
	char group[32], topic[32];
	size_t i, j;

	for (i = 0; i < 1000; i++) {
		snprintf(group, sizeof(group), "group:%zu", i);
		ck_assert_int_eq(topic_groups_create(groups, group),
		    GROUPER_OK);
		for (j = 0; j < 1000; j++) {
			snprintf(topic, sizeof(topic), "topic:%zu",
			    (j * 7919 + i) % 100000);
			if (topic_groups_add(groups, group, topic) !=
			    GROUPER_OK)
				ck_abort_msg("%s to %s", topic, group);
		}
	}
	ck_assert_uint_eq(count_of("group:0"), 1000);
	ck_assert_uint_eq(count_of("group:999"), 1000);
}
END_TEST

START_TEST(beyond_the_most_topics_there_is_a_clear_error)
{
	char topic[32];
	size_t i;

	topic_groups_create(groups, "team");
	for (i = 0; i < TOPIC_GROUPS_TOPICS_MAX; i++) {
		snprintf(topic, sizeof(topic), "%08zu", i);
		if (topic_groups_add(groups, "team", topic) != GROUPER_OK)
			ck_abort_msg("topic %zu", i);
	}
	errno = 0;
	ck_assert_int_eq(topic_groups_add(groups, "team", "one:more"),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(topic_groups_add(groups, "team", "00000000"),
	    GROUPER_OK);
	topic_groups_remove(groups, "team", "00000000");
	ck_assert_int_eq(topic_groups_add(groups, "team", "one:more"),
	    GROUPER_OK);
}
END_TEST

START_TEST(beyond_the_most_groups_there_is_a_clear_error)
{
	char name[32];
	size_t i;

	for (i = 0; i < TOPIC_GROUPS_MAX; i++) {
		snprintf(name, sizeof(name), "%08zu", i);
		if (topic_groups_create(groups, name) != GROUPER_OK)
			ck_abort_msg("group %zu", i);
	}
	errno = 0;
	ck_assert_int_eq(topic_groups_create(groups, "more"), GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(topic_groups_create(groups, "00000000"),
	    GROUPER_ALREADY_EXISTS);
	topic_groups_delete(groups, "00000000");
	ck_assert_int_eq(topic_groups_create(groups, "more"), GROUPER_OK);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic groups");
	TCase *tc = support_case(suite, "groups");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_group_is_created_once);
	tcase_add_test(tc, a_deleted_group_is_gone);
	tcase_add_test(tc, an_unknown_group_is_not_found);
	tcase_add_test(tc, adding_twice_and_removing_the_absent_are_ok);
	tcase_add_test(tc, a_group_has_its_own_topics);
	tcase_add_test(tc, invalid_names_are_refused);
	tcase_add_test(tc, topics_and_groups_are_in_byte_order);
	tcase_add_test(tc, a_thousand_groups_of_a_thousand_topics);
	tcase_add_test(tc, beyond_the_most_topics_there_is_a_clear_error);
	tcase_add_test(tc, beyond_the_most_groups_there_is_a_clear_error);
	return support_main(suite, NULL);
}
