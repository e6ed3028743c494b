/* SPDX-License-Identifier: ISC */
/*
 * The texts of the public enums: one each, none twice, none missing.
 */
#include <string.h>

#include "runtime/control/rpc.h"
#include "trial.h"

typedef const char *text_fn(int value);

static const char *
error_text(int value)
{
	return grouper_strerror((enum grouper_error)value);
}

static const char *
stage_text(int value)
{
	return grouper_stage_name((enum grouper_stage)value);
}

static const char *
state_text(int value)
{
	return grouper_state_name((enum grouper_state)value);
}

static const char *
containment_text(int value)
{
	return grouper_containment_name((enum grouper_containment)value);
}

static const char *
kind_text(int value)
{
	return grouper_kind_name((enum grouper_kind)value);
}

static const struct {
	text_fn *text;
	int last;
	const char *other; /* for what is not in the enum */
	bool has_other;	   /* a member bears that name too */
} texts[] = {
	{ error_text, GROUPER_SYSTEM, "unknown error", false },
	{ stage_text, GROUPER_STAGE_NO_NEW_PRIVS, "unknown", false },
	{ state_text, GROUPER_STATE_LEADER_DIED, "unknown", true },
	{ containment_text, GROUPER_CONTAIN_PIDNS, "unknown", false },
	{ kind_text, GROUPER_KIND_WORKER, "unknown", false },
};
#define TEXTS (int)(sizeof(texts) / sizeof(texts[0]))

START_TEST(every_value_has_a_text_of_its_own)
{
	const char *text;
	int value, before;

	for (value = 0; value <= texts[_i].last; value++) {
		text = texts[_i].text(value);
		ck_assert_ptr_nonnull(text);
		ck_assert_uint_gt(strlen(text), 0);
		ck_assert_int_ne(text[strlen(text) - 1], '.');
		if (!texts[_i].has_other)
			ck_assert_str_ne(text, texts[_i].other);
		for (before = 0; before < value; before++)
			ck_assert_str_ne(text, texts[_i].text(before));
	}
}
END_TEST

START_TEST(what_is_not_in_the_enum_has_a_text_too)
{
	ck_assert_str_eq(texts[_i].text(texts[_i].last + 1), texts[_i].other);
	ck_assert_str_eq(texts[_i].text(-1), texts[_i].other);
	ck_assert_str_eq(texts[_i].text(1 << 20), texts[_i].other);
}
END_TEST

START_TEST(levels_are_named_as_on_the_command_line)
{
	ck_assert_str_eq(containment_text(GROUPER_CONTAIN_AUTO), "auto");
	ck_assert_str_eq(containment_text(GROUPER_CONTAIN_REAPER), "reaper");
	ck_assert_str_eq(containment_text(GROUPER_CONTAIN_CGROUP), "cgroup");
	ck_assert_str_eq(containment_text(GROUPER_CONTAIN_PIDNS), "pidns");
}
END_TEST

START_TEST(kinds_are_named_as_ident_prints_them)
{
	ck_assert_str_eq(kind_text(GROUPER_KIND_NONE), "none");
	ck_assert_str_eq(kind_text(GROUPER_KIND_TERMINAL), "terminal");
	ck_assert_str_eq(kind_text(GROUPER_KIND_GROUP), "group");
	ck_assert_str_eq(kind_text(GROUPER_KIND_WORKER), "worker");
}
END_TEST

/* In the range that JSON-RPC 2.0 leaves to servers, one each. */
START_TEST(every_error_has_a_code_of_its_own)
{
	int error, before;

	for (error = 0; error <= GROUPER_SYSTEM; error++) {
		ck_assert_int_le(rpc_code((enum grouper_error)error), -32000);
		ck_assert_int_ge(rpc_code((enum grouper_error)error), -32099);
		for (before = 0; before < error; before++)
			ck_assert_int_ne(rpc_code((enum grouper_error)error),
			    rpc_code((enum grouper_error)before));
	}
}
END_TEST

/* A program that was compiled against another version must see it. */
START_TEST(option_structs_carry_their_size)
{
	struct grouper_host_options host = GROUPER_HOST_OPTIONS_INIT;
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct grouper_ident ident = GROUPER_IDENT_INIT;
	struct grouper_self self = GROUPER_SELF_INIT;

	ck_assert_uint_eq(host.size, sizeof(host));
	ck_assert_uint_eq(options.size, sizeof(options));
	ck_assert_uint_eq(ident.size, sizeof(ident));
	ck_assert_uint_eq(self.size, sizeof(self));
	ck_assert_uint_eq(options.uid, (uid_t)-1);
	ck_assert_uint_eq(options.gid, (gid_t)-1);
	ck_assert_int_eq(options.umask, -1);
	ck_assert_int_eq(options.pty, -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("text");
	TCase *tc = support_case(s, "names");

	tcase_add_loop_test(tc, every_value_has_a_text_of_its_own, 0, TEXTS);
	tcase_add_loop_test(tc, what_is_not_in_the_enum_has_a_text_too, 0,
	    TEXTS);
	tcase_add_test(tc, levels_are_named_as_on_the_command_line);
	tcase_add_test(tc, kinds_are_named_as_ident_prints_them);
	tcase_add_test(tc, every_error_has_a_code_of_its_own);
	tcase_add_test(tc, option_structs_carry_their_size);
	return support_main(s, NULL);
}
