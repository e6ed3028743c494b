/* SPDX-License-Identifier: ISC */
/*
 * Files of variables: runtime/tree/dotenv.
 */
#include "runtime/tree/dotenv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static struct tree_problems problems;

static void
assert_parsed(const char *text, size_t count, ...)
{
	char **list;
	va_list ap;
	size_t i;

	tree_problems_init(&problems);
	list = dotenv_parse(".env", text, strlen(text), &problems);
	ck_assert_msg(list != NULL, "%s", text);
	va_start(ap, count);
	for (i = 0; i < count; i++)
		ck_assert_str_eq(list[i], va_arg(ap, const char *));
	va_end(ap);
	ck_assert_ptr_null(list[count]);
	dotenv_free(list);
}

START_TEST(lines_are_variables)
{
	assert_parsed("", 0);
	assert_parsed("A=1", 1, "A=1");
	assert_parsed("A=1\r\nB=\r\n\r\n", 2, "A=1", "B=");
	assert_parsed("A=1\nA=2\n", 2, "A=1", "A=2");
	assert_parsed("A=x=y z \t\n", 1, "A=x=y z");
	assert_parsed("  A=\xff\n", 1, "A=\xff");
}
END_TEST

START_TEST(comments_and_export_are_left_out)
{
	assert_parsed("# A=1\n  # B=2\n\t\nC=3 # no comment\n", 1,
	    "C=3 # no comment");
	assert_parsed("export A=1\nexport   B=2\nexportC=3\n", 3, "A=1", "B=2",
	    "exportC=3");
}
END_TEST

START_TEST(quotes_hold_blanks_and_escapes)
{
	assert_parsed("A=' x\\n\"$Y '\nB=\" x \"  \n", 2, "A= x\\n\"$Y ",
	    "B= x ");
	assert_parsed("A=\"\\\\ \\\" \\$ \\` \\n \\t\"\n", 1,
	    "A=\\ \" $ ` \n \\t");
	assert_parsed("A=''\nB=\"\"\nC=x'y'\n", 3, "A=", "B=", "C=x'y'");
}
END_TEST

START_TEST(bad_lines_have_their_place)
{
	static const struct {
		const char *text;
		unsigned int line;
		unsigned int column;
		const char *problem;
	} bad[] = {
		{ "A", 1, 1, "NAME=VALUE" },
		{ "A=1\n  =2", 2, 3, "NAME=VALUE" },
		{ "A B=2", 1, 1, "NAME=VALUE" },
		{ "A =2", 1, 1, "NAME=VALUE" },
		{ "export A", 1, 8, "NAME=VALUE" },
		{ "A='1\n'", 1, 3, "quote to end" },
		{ "A=\"1\\\"", 1, 3, "quote to end" },
		{ "A='1' x", 1, 7, "behind the quote" },
	};
	size_t i;

	for (i = 0; i < NELEMS(bad); i++) {
		tree_problems_init(&problems);
		ck_assert_ptr_null(dotenv_parse(".env", bad[i].text,
		    strlen(bad[i].text), &problems));
		ck_assert_msg(problems.list[0].line == bad[i].line &&
			problems.list[0].column == bad[i].column,
		    "%s: %u:%u", bad[i].text, problems.list[0].line,
		    problems.list[0].column);
		ck_assert_ptr_nonnull(strstr(problems.list[0].text,
		    bad[i].problem));
		tree_problems_fini(&problems);
	}
}
END_TEST

START_TEST(all_bad_lines_are_told)
{
	tree_problems_init(&problems);
	ck_assert_ptr_null(dotenv_parse(".env", "A\nB=1\nC\n", 8, &problems));
	ck_assert_uint_eq(problems.count, 2);
	ck_assert_uint_eq(problems.list[1].line, 3);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
	tree_problems_init(&problems);
	ck_assert_ptr_null(dotenv_parse(".env", "A=\0b\n", 5, &problems));
	ck_assert_uint_eq(problems.list[0].column, 3);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(file_is_read)
{
	const char *path = support_file(".env", 0644, "A=1\nB='2'\n");
	char **list;

	tree_problems_init(&problems);
	list = dotenv_read(path, false, &problems);
	ck_assert_ptr_nonnull(list);
	ck_assert_str_eq(list[1], "B=2");
	dotenv_free(list);
	dotenv_free(NULL);
}
END_TEST

START_TEST(file_that_cannot_be_read_is_a_problem)
{
	tree_problems_init(&problems);
	ck_assert_ptr_null(dotenv_read(support_path("none"), false, &problems));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(problems.list[0].line, 0);
	tree_problems_fini(&problems);
	ck_assert_ptr_null(dotenv_read(support_directory(), false, &problems));
	ck_assert_int_eq(errno, EISDIR);
	tree_problems_fini(&problems);
	ck_assert_ptr_null(dotenv_read("/dev/zero", false, &problems));
	ck_assert_int_eq(errno, EFBIG);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(fifo_is_refused_where_nobody_waits)
{
	const char *path = support_path("fifo");

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	tree_problems_init(&problems);
	ck_assert_ptr_null(dotenv_read(path, false, &problems));
	ck_assert_str_eq(problems.list[0].text, "expected a file, got a FIFO");
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(pipe_is_read_where_that_may_take_long)
{
	char path[32], **list;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "A=1\n", 4), 4);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	tree_problems_init(&problems);
	list = dotenv_read(path, true, &problems);
	ck_assert_ptr_nonnull(list);
	ck_assert_str_eq(list[0], "A=1");
	dotenv_free(list);
	close(ends[0]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dotenv");
	TCase *tc;

	tc = support_case(suite, "parse");
	tcase_add_test(tc, lines_are_variables);
	tcase_add_test(tc, comments_and_export_are_left_out);
	tcase_add_test(tc, quotes_hold_blanks_and_escapes);
	tcase_add_test(tc, bad_lines_have_their_place);
	tcase_add_test(tc, all_bad_lines_are_told);
	tcase_add_test(tc, nul_bytes_are_refused);
	tc = support_case(suite, "read");
	tcase_add_test(tc, file_is_read);
	tcase_add_test(tc, file_that_cannot_be_read_is_a_problem);
	tcase_add_test(tc, fifo_is_refused_where_nobody_waits);
	tcase_add_test(tc, pipe_is_read_where_that_may_take_long);
	return support_main(suite, NULL);
}
