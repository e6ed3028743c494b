/* SPDX-License-Identifier: ISC */
/*
 * Procfiles: runtime/tree/procfile.
 */
#include "runtime/tree/procfile.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static struct tree_problems problems;

static struct spec_tree *
load(const char *text, char *const *env, const char *formation)
{
	struct spec_tree *tree;

	unsetenv("PORT");
	tree_problems_init(&problems);
	tree = procfile_load_text("Procfile", text, strlen(text), env,
	    formation, &problems);
	if (tree == NULL)
		tree_problems_print(stderr, &problems, false);
	ck_assert_ptr_nonnull(tree);
	return tree;
}

static void
assert_child(const struct spec_tree *tree, size_t at, const char *id,
    const char *command)
{
	const struct spec_child *child = &tree->root.children[at];

	ck_assert_uint_lt(at, tree->root.nchildren);
	ck_assert_str_eq(child->id, id);
	ck_assert_str_eq(child->command->argv[0], "/bin/sh");
	ck_assert_str_eq(child->command->argv[1], "-c");
	ck_assert_str_eq(child->command->argv[2], command);
	ck_assert_ptr_null(child->command->argv[3]);
}

static void
assert_variable(const struct spec_tree *tree, size_t at, const char *wanted)
{
	char **env = tree->root.children[at].command->env;
	size_t i;

	for (i = 0; env[i] != NULL; i++)
		if (strcmp(env[i], wanted) == 0)
			return;
	ck_abort_msg("no %s", wanted);
}

START_TEST(lines_are_permanent_children_of_the_shell)
{
	struct spec_tree *tree = load("# all of it\nweb: bundle exec rails -p "
				      "$PORT\r\n\n  # more\nwork_er-2:\t a: b "
				      "\n",
	    NULL, NULL);

	ck_assert_uint_eq(tree->root.nchildren, 2);
	assert_child(tree, 0, "web", "bundle exec rails -p $PORT");
	assert_child(tree, 1, "work_er-2", "a: b");
	ck_assert_int_eq(tree->root.children[0].restart, SPEC_PERMANENT);
	ck_assert_int_eq(tree->root.children[0].command->log, SPEC_LOG_PREFIX);
	ck_assert_ptr_null(tree->root.children[0].command->directory);
	spec_free(tree);
}
END_TEST

START_TEST(ports_rise_by_line_and_instance)
{
	struct spec_tree *tree = load("web: a\nnone: b\nworker: c\n", NULL,
	    "web=2,none=0");

	ck_assert_uint_eq(tree->root.nchildren, 3);
	assert_child(tree, 0, "web.1", "a");
	assert_child(tree, 1, "web.2", "a");
	assert_child(tree, 2, "worker", "c");
	assert_variable(tree, 0, "PORT=5000");
	assert_variable(tree, 0, "PS=web.1");
	assert_variable(tree, 1, "PORT=5001");
	assert_variable(tree, 2, "PORT=5200");
	assert_variable(tree, 2, "PS=worker.1");
	spec_free(tree);
}
END_TEST

START_TEST(formation_knows_all)
{
	struct spec_tree *tree = load("a: x\nb: y\n", NULL, "all=2,b=1");

	ck_assert_uint_eq(tree->root.nchildren, 3);
	assert_child(tree, 2, "b", "y");
	spec_free(tree);
}
END_TEST

START_TEST(base_port_is_that_of_the_environment)
{
	char port[] = "PORT=7000", other[] = "A=b";
	char *env[] = { other, port, NULL };
	struct spec_tree *tree = load("a: x\nb: y\n", env, NULL);

	assert_variable(tree, 0, "PORT=7000");
	assert_variable(tree, 0, "A=b");
	assert_variable(tree, 1, "PORT=7100");
	spec_free(tree);
	setenv("PORT", "8000", 1);
	tree = procfile_load_text("Procfile", "a: x\n", 5, NULL, NULL,
	    &problems);
	assert_variable(tree, 0, "PORT=8000");
	spec_free(tree);
}
END_TEST

START_TEST(bad_lines_have_their_place)
{
	static const struct {
		const char *text;
		const char *formation;
		unsigned int line;
		unsigned int column;
		const char *problem;
	} bad[] = {
		{ "", NULL, 1, 1, "got nothing" },
		{ "a: b\nweb\n", NULL, 2, 4, "'name: command'" },
		{ "a b: c\n", NULL, 1, 2, "'name: command'" },
		{ " a: c\n", NULL, 1, 1, "'name: command'" },
		{ "a:  \n", NULL, 1, 3, "expected a command" },
		{ "a: b\na: c\n", NULL, 2, 1, "twice" },
		{ "a: b\n\xff", NULL, 2, 1, "UTF-8" },
		{ "a: b\n", "a", 0, 0, "a formation such as" },
		{ "a: b\n", "a=", 0, 0, "a formation such as" },
		{ "a: b\n", "a=-1", 0, 0, "a formation such as" },
		{ "a: b\n", "=1", 0, 0, "a formation such as" },
		{ "a: b\n", "a=1,,", 0, 0, "a formation such as" },
		{ "a: b\n", "a=101", 0, 0, "a formation such as" },
		{ "a: b\n", "c=1", 0, 0, "'c', which is not here" },
	};
	size_t i;

	unsetenv("PORT");
	for (i = 0; i < NELEMS(bad); i++) {
		tree_problems_init(&problems);
		ck_assert_ptr_null(procfile_load_text("Procfile", bad[i].text,
		    strlen(bad[i].text), NULL, bad[i].formation, &problems));
		ck_assert_msg(problems.list[0].line == bad[i].line &&
			problems.list[0].column == bad[i].column,
		    "%s: %u:%u %s", bad[i].text, problems.list[0].line,
		    problems.list[0].column, problems.list[0].text);
		ck_assert_msg(strstr(problems.list[0].text, bad[i].problem) !=
			NULL,
		    "%s", problems.list[0].text);
		tree_problems_fini(&problems);
	}
}
END_TEST

START_TEST(bad_ports_are_refused)
{
	tree_problems_init(&problems);
	setenv("PORT", "http", 1);
	ck_assert_ptr_null(procfile_load_text("Procfile", "a: b\n", 5, NULL,
	    NULL, &problems));
	ck_assert_ptr_nonnull(strstr(problems.list[0].text, "PORT"));
	tree_problems_fini(&problems);
	setenv("PORT", "65535", 1);
	ck_assert_ptr_null(procfile_load_text("Procfile", "a: b\nb: c\n", 10,
	    NULL, NULL, &problems));
	ck_assert_ptr_nonnull(strstr(problems.list[0].text, "no port"));
	ck_assert_uint_eq(problems.list[0].line, 2);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(file_is_read_with_the_variables_beside_it)
{
	const char *path;
	struct spec_tree *tree;

	unsetenv("PORT");
	tree_problems_init(&problems);
	support_file(".env", 0644, "A='1 2'\nPORT=6000\n");
	path = support_file("Procfile", 0644, "web: ./serve\n");
	tree = procfile_load(path, NULL, &problems);
	ck_assert_ptr_nonnull(tree);
	assert_variable(tree, 0, "A=1 2");
	assert_variable(tree, 0, "PORT=6000");
	ck_assert_str_eq(tree->root.children[0].command->directory,
	    support_directory());
	spec_free(tree);
	support_file(".env", 0644, "A='1 2\n");
	ck_assert_ptr_null(procfile_load(path, NULL, &problems));
	ck_assert_ptr_nonnull(strstr(problems.list[0].file, ".env"));
	ck_assert_uint_eq(problems.list[0].line, 1);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(missing_file_is_a_problem)
{
	tree_problems_init(&problems);
	ck_assert_ptr_null(procfile_load(support_path("none"), NULL,
	    &problems));
	ck_assert_uint_eq(problems.count, 1);
	tree_problems_fini(&problems);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("procfile");
	TCase *tc;

	tc = support_case(suite, "text");
	tcase_add_test(tc, lines_are_permanent_children_of_the_shell);
	tcase_add_test(tc, ports_rise_by_line_and_instance);
	tcase_add_test(tc, formation_knows_all);
	tcase_add_test(tc, base_port_is_that_of_the_environment);
	tcase_add_test(tc, bad_lines_have_their_place);
	tcase_add_test(tc, bad_ports_are_refused);
	tc = support_case(suite, "file");
	tcase_add_test(tc, file_is_read_with_the_variables_beside_it);
	tcase_add_test(tc, missing_file_is_a_problem);
	return support_main(suite, NULL);
}
