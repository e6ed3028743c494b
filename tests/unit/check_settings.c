/* SPDX-License-Identifier: ISC */
/*
 * Settings.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/settings.h"
#include "support.h"

static char error[512];

/* Compact text of a value, which is released; valid until the next call. */
static const char *
text(json_t *value)
{
	static char buffer[1024];
	char *dumped;

	if (value == NULL)
		return "none";
	dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	snprintf(buffer, sizeof(buffer), "%s", dumped);
	free(dumped);
	json_decref(value);
	return buffer;
}

static const char *
value(const struct settings *settings, const char *key)
{
	json_t *found = settings_get(settings, key);

	return text(found == NULL ? NULL : json_incref(found));
}

static void
load(struct settings *settings, const char *pair)
{
	ck_assert_msg(settings_load_text(settings, pair, error,
			  sizeof(error)) == 0,
	    "%s: %s", pair, error);
}

START_TEST(put_and_delete_return_the_old_value)
{
	struct settings *settings = settings_new();
	json_t *old;

	ck_assert_ptr_null(settings_get(settings, "a"));
	ck_assert_int_eq(settings_put(settings, "a", json_null(), &old),
	    GROUPER_OK);
	ck_assert_ptr_null(old);
	ck_assert_int_eq(settings_put(settings, "a", json_integer(2), &old),
	    GROUPER_OK);
	ck_assert_str_eq(text(old), "null");
	ck_assert_int_eq(settings_put(settings, "a", json_true(), NULL),
	    GROUPER_OK);
	ck_assert_str_eq(value(settings, "a"), "true");
	settings_delete(settings, "a", &old);
	ck_assert_str_eq(text(old), "true");
	settings_delete(settings, "a", &old);
	ck_assert_ptr_null(old);
	settings_delete(settings, "a", NULL);
	ck_assert_ptr_null(settings_get(settings, "a"));
	settings_free(settings);
}
END_TEST

START_TEST(a_list_is_in_byte_order)
{
	struct settings *settings = settings_new();

	ck_assert_str_eq(text(settings_list(settings)), "{}");
	load(settings, "b=1");
	load(settings, "a/b:c=2");
	load(settings, "\303\244=3");
	load(settings, "B=4");
	load(settings, "a=5");
	ck_assert_str_eq(text(settings_list(settings)),
	    "{\"B\":4,\"a\":5,\"a/b:c\":2,\"b\":1,\"\303\244\":3}");
	settings_free(settings);
}
END_TEST

static const struct {
	const char *pair;
	const char *key;
	const char *json;
} pairs[] = {
	{ "a=1", "a", "1" },
	{ "a=1.4.2", "a", "\"1.4.2\"" },
	{ "a=\"1\"", "a", "\"1\"" },
	{ "a=true", "a", "true" },
	{ "a=True", "a", "\"True\"" },
	{ "a=", "a", "\"\"" },
	{ "a=null", "a", "null" },
	{ "a=b=c", "a", "\"b=c\"" },
	{ "a={\"b\":[1,2]}", "a", "{\"b\":[1,2]}" },
	{ "a={\"b\":1,\"b\":2}", "a", "\"{\\\"b\\\":1,\\\"b\\\":2}\"" },
	{ "a=[1", "a", "\"[1\"" },
	{ "a= two words ", "a", "\" two words \"" },
	{ "a=1 2", "a", "\"1 2\"" },
};
#define PAIRS (int)(sizeof(pairs) / sizeof(pairs[0]))

START_TEST(a_value_is_json_or_else_a_string)
{
	struct settings *settings = settings_new();

	load(settings, pairs[_i].pair);
	ck_assert_str_eq(value(settings, pairs[_i].key), pairs[_i].json);
	settings_free(settings);
}
END_TEST

static const struct {
	const char *pair;
	const char *says;
} bad_pairs[] = {
	{ "a", "expected KEY=VALUE, found 'a'" },
	{ "", "expected KEY=VALUE" },
	{ "=1", "a key has 1 to 255 bytes" },
	{ "a b=1", "setting 'a b': a key has" },
	{ "a\n=1", "a key has" },
	{ "a\377=1", "a key has" },
	{ "a=\377", "setting 'a': the value is neither JSON nor UTF-8" },
};
#define BAD_PAIRS (int)(sizeof(bad_pairs) / sizeof(bad_pairs[0]))

START_TEST(what_is_no_setting_is_refused)
{
	struct settings *settings = settings_new();

	ck_assert_int_eq(settings_load_text(settings, bad_pairs[_i].pair, error,
			     sizeof(error)),
	    -1);
	ck_assert_msg(strstr(error, bad_pairs[_i].says) != NULL, "%s", error);
	ck_assert_str_eq(text(settings_list(settings)), "{}");
	settings_free(settings);
}
END_TEST

START_TEST(a_file_holds_an_object)
{
	struct settings *settings = settings_new();
	const char *path = support_file("config.json", 0644,
	    "{\"b\": {\"c\": [1.5, null]},\n\"a\": \"x\"}\n");

	load(settings, "a=0");
	ck_assert_int_eq(settings_load_file(settings, path, error,
			     sizeof(error)),
	    0);
	ck_assert_str_eq(text(settings_list(settings)),
	    "{\"a\":\"x\",\"b\":{\"c\":[1.5,null]}}");
	settings_free(settings);
}
END_TEST

static const struct {
	const char *text;
	const char *says;
} bad_files[] = {
	{ "{\"a\": 1,\n  \"b\": x}\n", "config.json:2:8: " },
	{ "{\"a\": 1,\n\"a\": 2}\n", "config.json:2:3: duplicate" },
	{ "", "config.json:1:0: " },
	{ "[1]\n", "config.json:1:1: expected an object" },
	{ "{} {}\n", "config.json:1:4: end of file expected" },
	{ "{\"a b\": 1}\n", "config.json: setting 'a b': a key has" },
};
#define BAD_FILES (int)(sizeof(bad_files) / sizeof(bad_files[0]))

START_TEST(what_is_wrong_with_a_file_is_told_with_its_place)
{
	struct settings *settings = settings_new();
	const char *path = support_file("config.json", 0644,
	    bad_files[_i].text);

	ck_assert_int_eq(settings_load_file(settings, path, error,
			     sizeof(error)),
	    -1);
	ck_assert_msg(strstr(error, bad_files[_i].says) != NULL, "%s", error);
	settings_free(settings);
}
END_TEST

START_TEST(a_file_that_is_missing_is_told)
{
	struct settings *settings = settings_new();

	ck_assert_int_eq(settings_load_file(settings, "/no/such", error,
			     sizeof(error)),
	    -1);
	ck_assert_str_eq(error, "/no/such: No such file or directory");
	settings_free(settings);
}
END_TEST

START_TEST(the_number_of_settings_is_bounded)
{
	struct settings *settings = settings_new();
	char key[16];
	json_t *old;
	int i;

	for (i = 0; i < SETTINGS_COUNT_MAX; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_int_eq(settings_put(settings, key, json_integer(i),
				     NULL),
		    GROUPER_OK);
	}
	old = json_null();
	ck_assert_int_eq(settings_put(settings, "more", json_true(), &old),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_ptr_null(old);
	ck_assert_ptr_null(settings_get(settings, "more"));
	ck_assert_int_eq(settings_put(settings, "k0", json_true(), NULL),
	    GROUPER_OK);
	settings_delete(settings, "k1", NULL);
	ck_assert_int_eq(settings_put(settings, "more", json_true(), NULL),
	    GROUPER_OK);
	settings_free(settings);
}
END_TEST

static json_t *
long_text(size_t length)
{
	char *letters = malloc(length);
	json_t *made;

	ck_assert_ptr_nonnull(letters);
	memset(letters, 'x', length);
	made = json_stringn(letters, length);
	free(letters);
	return made;
}

START_TEST(the_size_of_settings_is_bounded)
{
	struct settings *settings = settings_new();
	/* The key and two quotation marks count. */
	size_t most = SETTINGS_BYTES_MAX - 3;

	ck_assert_int_eq(settings_put(settings, "a", long_text(most + 1), NULL),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(settings_put(settings, "a", long_text(most), NULL),
	    GROUPER_OK);
	ck_assert_int_eq(settings_put(settings, "b", json_true(), NULL),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(settings_put(settings, "a", json_true(), NULL),
	    GROUPER_OK);
	ck_assert_int_eq(settings_put(settings, "b", long_text(most - 5), NULL),
	    GROUPER_OK);
	ck_assert_int_eq(settings_put(settings, "a", json_false(), NULL),
	    GROUPER_SYSTEM);
	ck_assert_str_eq(value(settings, "a"), "true");
	settings_free(settings);
}
END_TEST

START_TEST(a_value_that_there_was_no_memory_for_is_not_set)
{
	struct settings *settings = settings_new();

	ck_assert_int_eq(settings_put(settings, "a", NULL, NULL),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(settings_put(settings, "a b", json_integer(1), NULL),
	    GROUPER_INVALID);
	ck_assert_str_eq(text(settings_list(settings)), "{}");
	settings_free(settings);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("settings");
	TCase *tc = support_case(s, "values");

	tcase_add_test(tc, put_and_delete_return_the_old_value);
	tcase_add_test(tc, a_list_is_in_byte_order);
	tcase_add_test(tc, the_number_of_settings_is_bounded);
	tcase_add_test(tc, the_size_of_settings_is_bounded);
	tcase_add_test(tc, a_value_that_there_was_no_memory_for_is_not_set);
	tc = support_case(s, "text");
	tcase_add_loop_test(tc, a_value_is_json_or_else_a_string, 0, PAIRS);
	tcase_add_loop_test(tc, what_is_no_setting_is_refused, 0, BAD_PAIRS);
	tcase_add_test(tc, a_file_holds_an_object);
	tcase_add_loop_test(tc,
	    what_is_wrong_with_a_file_is_told_with_its_place, 0, BAD_FILES);
	tcase_add_test(tc, a_file_that_is_missing_is_told);
	return support_main(s, NULL);
}
