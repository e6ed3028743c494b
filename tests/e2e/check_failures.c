/* SPDX-License-Identifier: ISC */
/*
 * What `grouper run` says of a command that it cannot start, and ends with.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support.h"

/* Runs it from the root directory; it is to say this and end so. */
static void
assert_said(const char *const *argv, int status, const char *text)
{
	struct support_command c = { .argv = argv, .directory = "/" };
	struct support_run r;

	ck_assert_msg(support_call(&r, &c) == status, "%d: %s", r.status,
	    r.stderr_text.data);
	ck_assert_msg(strstr(r.stderr_text.data, text) != NULL, "%s",
	    r.stderr_text.data);
	support_finish(&r);
}

START_TEST(a_relative_command_is_looked_at_in_its_directory)
{
	const char *directory = support_directory();

	support_file("script", 0755, "#!/no/such/interpreter\n");
	assert_said(ARGV(support_grouper(), "run", "--cwd", directory,
			"./script"),
	    126, "'./script': the interpreter it names is not there");
	ck_assert_int_eq(mkdir(support_path("subdirectory"), 0755), 0);
	assert_said(ARGV(support_grouper(), "run", "--cwd", directory,
			"./subdirectory"),
	    126, "'./subdirectory': it is a directory");
	assert_said(ARGV(support_grouper(), "run", "--cwd", directory,
			"./nothing"),
	    127, "'./nothing': No such file or directory");
}
END_TEST

START_TEST(a_command_that_never_ran_has_no_status_to_map)
{
	assert_said(ARGV(support_grouper(), "run", "--map-status", "127=0",
			"no-such-command"),
	    127, "command not found");
	assert_said(ARGV(support_grouper(), "run", "--map-status", "126=0",
			"/"),
	    126, "it is a directory");
	assert_said(ARGV(support_grouper(), "run", "--map-status", "127=5",
			"sh", "-c", "exit 127"),
	    5, "");
}
END_TEST

START_TEST(an_empty_name_is_no_command)
{
	assert_said(ARGV(support_grouper(), "run", ""), 127,
	    "expected a command's name or path, got ''");
}
END_TEST

/* As a user who may not, with a hard limit that is known. */
static void
assert_refused(const char *option, const char *value, const char *text)
{
	const struct support_limit limits[] = { { RLIMIT_NOFILE, 512 },
		{ -1, 0 } };
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 option, value, "true"),
		.limits = limits };
	struct support_run r;
	const char *why;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	c.uid = support_user();
	ck_assert_int_eq(support_call(&r, &c), 125);
	ck_assert_str_eq(r.stderr_text.data, text);
	support_finish(&r);
}

START_TEST(a_refused_limit_is_named)
{
	assert_refused("--limits", "core=0,nofile=1024",
	    "grouper run: cannot set --limits nofile above the hard limit of "
	    "512: Operation not permitted\n");
}
END_TEST

START_TEST(a_refused_niceness_is_named)
{
	assert_refused("--nice", "-5",
	    "grouper run: cannot set --nice -5: Operation not permitted\n");
}
END_TEST

START_TEST(common_options_stand_behind_any_verb)
{
	static const char *const verbs[] = { "doctor", "ident", "check",
		"status", "run" };
	struct support_run r;
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		ck_assert_int_eq(support_execute(&r, "@grouper", verbs[i], "-V",
				     NULL),
		    0);
		ck_assert_ptr_eq(strstr(r.stdout_text.data, "grouper "),
		    r.stdout_text.data);
		support_finish(&r);
	}
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(support_execute(&r, "@grouper", verbs[i], "-v",
				     NULL),
		    0);
		ck_assert_str_ne(r.stdout_text.data, "");
		support_finish(&r);
		ck_assert_int_eq(support_execute(&r, "@grouper", verbs[i], "-q",
				     NULL),
		    0);
		ck_assert_str_eq(r.stdout_text.data, "");
		support_finish(&r);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("failures");
	TCase *tc;

	tc = support_case(suite, "command");
	tcase_add_test(tc, a_relative_command_is_looked_at_in_its_directory);
	tcase_add_test(tc, a_command_that_never_ran_has_no_status_to_map);
	tcase_add_test(tc, an_empty_name_is_no_command);
	tc = support_case(suite, "rights");
	tcase_add_test(tc, a_refused_limit_is_named);
	tcase_add_test(tc, a_refused_niceness_is_named);
	tc = support_case(suite, "usage");
	tcase_add_test(tc, common_options_stand_behind_any_verb);
	return support_main(suite, NULL);
}
