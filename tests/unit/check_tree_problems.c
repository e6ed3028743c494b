/* SPDX-License-Identifier: ISC */
/*
 * What is refused in a tree file, where, and in which words.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/tree/tree.h"
#include "support.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static struct tree_problems problems;

static void
refuse_bytes(const char *text, size_t length)
{
	tree_problems_init(&problems);
	ck_assert_ptr_null(tree_load_text("f", text, length, &problems));
	ck_assert(tree_problems_any(&problems));
}

static void
refuse(const char *text)
{
	refuse_bytes(text, strlen(text));
}

static void
assert_problem(size_t at, unsigned int line, unsigned int column,
    const char *text)
{
	const struct tree_problem *problem = &problems.list[at];

	ck_assert_uint_lt(at, problems.count);
	ck_assert_msg(strstr(problem->text, text) != NULL, "'%s' in '%s'", text,
	    problem->text);
	ck_assert_msg(problem->line == line && problem->column == column,
	    "%s: %u:%u instead of %u:%u", problem->text, problem->line,
	    problem->column, line, column);
}

/* One problem: its only, at this place. */
struct bad {
	const char *text;
	unsigned int line;
	unsigned int column;
	const char *problem;
};

static void
refuse_all(const struct bad *bad, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		refuse(bad[i].text);
		assert_problem(0, bad[i].line, bad[i].column, bad[i].problem);
		ck_assert_msg(problems.count == 1, "%s", bad[i].text);
		tree_problems_fini(&problems);
	}
}

/* A line for a child a that has no other problem. */
#define CHILD "children:\n- id: a\n  command: [b]\n  "

START_TEST(bad_values_are_refused_in_place)
{
	static const struct bad bad[] = {
		{ CHILD "autostart: yes", 4, 14, "expected true or false" },
		{ CHILD "restart: allways", 4, 12, "expected permanent" },
		{ CHILD "instances: -1", 4, 14, "from 0 to 100000" },
		{ CHILD "instances: 1.5", 4, 14, "whole number" },
		{ CHILD "instances: 100001", 4, 14, "whole number" },
		{ CHILD "min_uptime: 5x", 4, 15, "expected a time" },
		{ CHILD "ready_timeout: [1]", 4, 18, "got a list" },
		{ CHILD "watchdog: -1", 4, 13, "expected a time" },
		{ CHILD "umask: 888", 4, 10, "octal" },
		{ CHILD "umask: 1000", 4, 10, "octal" },
		{ CHILD "nice: 41", 4, 9, "from -40 to 40" },
		{ CHILD "stop_target: me", 4, 16, "group, command or tree" },
		{ CHILD "contain: jail", 4, 12, "pidns" },
		{ CHILD "cwd: ''", 4, 8, "expected text" },
		{ CHILD "cwd:", 4, 3, "got nothing" },
		{ CHILD "cwd: {a: b}", 4, 8, "got a mapping" },
		{ CHILD "uid: ~", 4, 8, "got nothing" },
		{ CHILD "stdin: inherit", 4, 10, "expected the name" },
		{ CHILD "env: text", 4, 8, "expected a mapping, or a list" },
		{ CHILD "env: [A]", 4, 9, "NAME=VALUE" },
		{ CHILD "env: {A: }", 4, 9, "'' for an empty" },
		{ CHILD "env: {a=b: c}", 4, 9, "name of a variable" },
		{ CHILD "env_file: ['']", 4, 13, "no empty text" },
		{ CHILD "topics: ['a b']", 4, 12, "a topic" },
		{ CHILD "topics: ':a'", 4, 11, "a topic" },
		{ CHILD "on_event: {reload: NOPE}", 4, 22, "a signal" },
		{ CHILD "on_event: {'a b': HUP}", 4, 14, "an event" },
		{ CHILD "on_event: HUP", 4, 13, "a mapping" },
		{ CHILD "limits: {nofil: 1}", 4, 12, "mean 'nofile'?" },
		{ CHILD "limits: {x-ray-y: 1}", 4, 12,
		    "unknown limit 'x-ray-y'" },
		{ CHILD "limits: [nofile]", 4, 11, "a mapping such as" },
		{ CHILD "limits: {nofile: [1]}", 4, 20, "got a list" },
		{ CHILD "limits: {nofile: x}", 4, 20, "a number" },
		{ CHILD "limits: {nofile: '2:1'}", 4, 20, "a number" },
		{ CHILD "log: prefixes", 4, 8, "mean 'prefix'?" },
		{ CHILD "log: {keep: 1}", 4, 8, "expected a file" },
		{ CHILD "log: inherit\n  ready: {log: up}", 5, 10,
		    "log: inherit" },
		{ CHILD "log: {file: a, max_size: 1X}", 4, 28, "a size" },
		{ CHILD "shutdown: [TERM 5s, FOO]", 4, 13, "steps" },
		{ CHILD "shutdown: ['TERM 5s, KILL']", 4, 14, "one step" },
		{ CHILD "shutdown: []", 4, 13, "steps" },
		{ CHILD "success: 256", 4, 12, "exit status" },
		{ CHILD "success: [0, x]", 4, 16, "exit status" },
		{ CHILD "backoff: {min: 2s, max: 1s}", 4, 12, "max" },
		{ CHILD "backoff: 5s", 4, 12, "a mapping" },
		{ CHILD "type: wroker", 4, 9, "mean 'worker'?" },
		{ CHILD "start_pre: []", 4, 14, "a program" },
		{ CHILD "start_pre: ls", 4, 14, "a list" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(bad_readiness_is_refused_in_place)
{
	static const struct bad bad[] = {
		{ CHILD "ready: soon", 4, 10, "started, notify" },
		{ CHILD "ready: fd:2", 4, 10, "3 to 1023" },
		{ CHILD "ready: fd:8", 4, 10, "for messages" },
		{ CHILD "ready: {}", 4, 10, "started, notify" },
		{ CHILD "ready: {exec: [a], log: b}", 4, 10, "started" },
		{ CHILD "ready: {exec: []}", 4, 17, "a program" },
		{ CHILD "ready: {exec: [a], interval: 0}", 4, 32, "above 0" },
		{ CHILD "ready: {exec: [a], intervall: 1}", 4, 22,
		    "mean 'interval'?" },
		{ CHILD "ready: {log: 'a('}", 4, 16, "regular expression" },
		{ CHILD "ready: {log: '(a)\\1'}", 4, 16, "back-ref" },
		{ CHILD "ready: {log: [a]}", 4, 16, "got a list" },
		{ CHILD "ready: {log: 'a{1,1001}'}", 4, 16, "too long" },
		{ CHILD "ready: {log: '(a{255}){255}'}", 4, 16, "too long" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(bad_supervisors_are_refused_in_place)
{
	static const struct bad bad[] = {
		{ "children: {}", 1, 11, "a list of children" },
		{ "children: [a]", 1, 12, "a mapping with an id" },
		{ "name: x", 1, 1, "expected children" },
		{ "[]", 1, 1, "a mapping with children" },
		{ "text", 1, 1, "a mapping with children" },
		{ "name: a/b\nchildren: []", 1, 7, "a name" },
		{ "strategy: 1\nchildren: []", 1, 11, "one_for_one" },
		{ "intensity: many\nchildren: []", 1, 12, "whole number" },
		{ "period: 0\nchildren: []", 1, 9, "above 0" },
		{ "on_limit: cool\nchildren: []", 1, 11, "cooldown" },
		{ "on_limit: cooldown 0\nchildren: []", 1, 11, "cooldown" },
		{ "names: mine\nchildren: []", 1, 8, "host or own" },
		{ "on_limit: [fail]\nchildren: []", 1, 11, "got a list" },
		{ "config: {'a b': 1}\nchildren: []", 1, 10, "a name of" },
		{ "config: [a]\nchildren: []", 1, 9, "a mapping" },
		{ "topic_groups: {a: b}\nchildren: []", 1, 19, "a list" },
		{ "topic_groups: {'a b': [c]}\nchildren: []", 1, 16,
		    "a name of" },
		{ "topic_groups: {a: ['b:']}\nchildren: []", 1, 20, "topic" },
		{ "children: [{command: [a]}]", 1, 12, "expected an id" },
		{ "children: [{id: a/b, command: [a]}]", 1, 17, "an id" },
		{ "children: [{id: a}]", 1, 12, "command, shell or" },
		{ "children: [{id: a, command: []}]", 1, 29, "a program" },
		{ "children: [{id: a, command: ls}]", 1, 29, "a list" },
		{ "children: [{id: a, shell: ' '}]", 1, 27, "/bin/sh" },
		{ "children: [{id: a, command: [b], shell: c}]", 1, 41,
		    "got both" },
		{ "children: [{id: a, command: [b], supervisor: {children: "
		  "[]}}]",
		    1, 20, "not for a supervisor" },
		{ "children: [{id: a, nice: 1, supervisor: {children: []}}]", 1,
		    20, "not for a supervisor" },
		{ "children: [{id: a, success: 0, supervisor: {children: "
		  "[]}}]",
		    1, 29, "not for a supervisor" },
		{ "children: [{id: a, supervisor: []}]", 1, 32, "a mapping" },
		{ "children: [{id: a, supervisor: {}}]", 1, 32, "children" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(what_spec_check_finds_has_its_place)
{
	static const struct bad bad[] = {
		{ CHILD "significant: true", 4, 16, "auto_shutdown" },
		{ "auto_shutdown: any_significant\n" CHILD "significant: true",
		    5, 16, "transient or temporary" },
		{ CHILD "depends_on: [nobody]", 4, 15, "nobody" },
		{ CHILD "\n- {id: a, shell: b}\n", 5, 8, "twice" },
		{ "children:\n- id: s\n  supervisor:\n    children:\n"
		  "    - {id: a, command: [b]}\n"
		  "    - {id: a, command: [b]}\n",
		    6, 12, "twice" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(unknown_keys_come_with_a_suggestion)
{
	static const struct bad bad[] = {
		{ CHILD "restrat: transient", 4, 3, "did you mean 'restart'?" },
		{ CHILD "Command: [x]", 4, 3, "did you mean 'command'?" },
		{ CHILD "depend_on: [x]", 4, 3, "mean 'depends_on'?" },
		{ CHILD "colour: red", 4, 3,
		    "unknown key 'colour' in a child" },
		{ "childrens: []\nchildren: []", 1, 1, "mean 'children'?" },
		{ "'': []\nchildren: []", 1, 1, "unknown key ''" },
		{ CHILD "backoff: {mix: 1}", 4, 13, "did you mean" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(repeated_keys_are_refused)
{
	static const struct bad bad[] = {
		{ CHILD "nice: 1\n  nice: 2", 5, 3, "'nice', first on line 4" },
		{ "children: []\nx-a: {b: 1, b: 2}", 2, 13, "'b'" },
		{ "x-a: &a {}\nchildren: [{<<: *a, <<: *a, id: a, shell: b}]",
		    2, 21, "repeated key '<<'" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(variables_that_are_wrong_have_their_place)
{
	static const struct bad bad[] = {
		{ CHILD "cwd: a${TREE_NONE}", 4, 9, "TREE_NONE is not set" },
		{ CHILD "cwd: 'a${TREE_NONE}'", 4, 10, "TREE_NONE" },
		{ CHILD "cwd: ${A", 4, 8, "expected a '}'" },
		{ CHILD "cwd: '${}'", 4, 9, "name of a variable" },
		{ CHILD "cwd: ${1A}", 4, 8, "name of a variable" },
		{ CHILD "cwd: ${A:=b}", 4, 8, "${NAME:-default}" },
		{ CHILD "cwd: '${TREE_NONE:-${B}}'", 4, 9, "without '$'" },
	};

	unsetenv("TREE_NONE");
	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(the_name_of_an_anchor_has_a_bound)
{
	char name[129], text[300];

	memset(name, 'n', sizeof(name));
	name[127] = '\0';
	snprintf(text, sizeof(text), "x-n: &%s {a: 1}\n", name);
	refuse(text);
	assert_problem(0, 1, 1, "expected children");
	tree_problems_fini(&problems);
	name[127] = 'n';
	name[128] = '\0';
	snprintf(text, sizeof(text), "x-n: &%s {a: 1}\n", name);
	refuse(text);
	assert_problem(0, 1, 136, "an anchor of at most 127 bytes");
	tree_problems_fini(&problems);
	snprintf(text, sizeof(text), "x-n: *%s\n", name);
	refuse(text);
	assert_problem(0, 1, 6, "an anchor of at most 127 bytes");
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(yaml_that_cannot_be_read_has_its_place)
{
	static const struct bad bad[] = {
		{ "", 1, 1, "got nothing" },
		{ "# only this\n", 2, 1, "got nothing" },
		{ "a: [", 1, 5, "" },
		{ "a: \"b", 1, 5, "quote" },
		{ "a:\n\tb: 1\n", 2, 1, "tab" },
		{ "a: 1\n---\nb: 2\n", 2, 1, "one document" },
		{ "a: 1\n--- # again\n", 2, 1, "one document" },
		{ "%YAML 1.2\n---\na: 1", 1, 1, "directives" },
		{ "%\"\"", 1, 1, "directives" },
		{ "a: *b", 1, 4, "unknown anchor 'b'" },
		{ "a: &a\n  b: *a", 2, 6, "within what it stands for" },
		{ "a: &a [[*a]]", 1, 9, "within what it stands for" },
		{ "<<: &a {<<: *a}", 1, 13, "within what it stands for" },
		{ "<<: text", 1, 5, "to merge" },
		{ "<<: [{}, text]", 1, 10, "to merge" },
		{ "? [a]\n: b", 1, 3, "as a key, got a list" },
		{ "a: !thing b", 1, 11, "tags such as '!thing'" },
		{ "a: \"b\\0\"", 1, 4, "NUL" },
	};

	refuse_all(bad, NELEMS(bad));
}
END_TEST

START_TEST(bytes_that_are_no_text_have_their_place)
{
	static const char *const bad[] = { "a: \xff", "a: \xc3", "a: \xc0\x80",
		"a: \xed\xa0\x80", "a: \xf4\x90\x80\x80", "a: \xe2\x82",
		"a: \x1b", "a: \x7f", "a: \xc2\x85", "a: \xef\xbb\xbf" };
	size_t i;

	for (i = 0; i < NELEMS(bad); i++) {
		refuse(bad[i]);
		assert_problem(0, 1, 4, "");
		tree_problems_fini(&problems);
	}
	refuse_bytes("a:\n\0b", 5);
	assert_problem(0, 2, 1, "NUL");
	tree_problems_fini(&problems);
	/* UTF-16 */
	refuse_bytes("\xff\xfe"
		     "a\0",
	    4);
	assert_problem(0, 1, 1, "UTF-8");
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(columns_count_characters)
{
	refuse("\xc3\xa9: \xe2\x82\xac\nchildren: []");
	assert_problem(0, 1, 1, "unknown key");
	tree_problems_fini(&problems);
	refuse("children: [{id: \xc3\xa9, command: [a], nice: x}]");
	assert_problem(0, 1, 40, "whole number");
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(all_problems_are_told_in_order)
{
	refuse("children:\n- {id: 'a b', restrat: x}\n- id: c\nintensty: 1\n");
	assert_problem(0, 2, 3, "expected command");
	assert_problem(1, 2, 8, "an id");
	assert_problem(2, 2, 15, "restart");
	assert_problem(3, 3, 3, "expected command");
	assert_problem(4, 4, 1, "intensity");
	ck_assert_uint_eq(problems.count, 5);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(no_more_are_told_than_fit_a_screen)
{
	char text[1024] = "";
	size_t i;

	for (i = 0; i < 30; i++)
		snprintf(text + strlen(text), 32, "k%zu: 1\n", i);
	refuse(text);
	ck_assert_uint_eq(problems.count, TREE_PROBLEMS_MAX);
	/* The tree has no children besides. */
	ck_assert_uint_eq(problems.more, 31 - TREE_PROBLEMS_MAX);
	tree_problems_fini(&problems);
}
END_TEST

START_TEST(one_cause_is_told_once_however_often_it_is_used)
{
	refuse("x-a: &a {nice: x}\nchildren:\n"
	       "- {<<: *a, id: a, command: [b]}\n"
	       "- {<<: *a, id: b, command: [b]}\n");
	assert_problem(0, 1, 16, "whole number");
	ck_assert_uint_eq(problems.count, 1);
	tree_problems_fini(&problems);
}
END_TEST

/* What is printed about the problems, which are released; to be freed. */
static char *
print_problems(bool colour)
{
	char *printed = NULL;
	size_t size;
	FILE *stream;

	stream = open_memstream(&printed, &size);
	ck_assert_ptr_nonnull(stream);
	tree_problems_print(stream, &problems, colour);
	fclose(stream);
	tree_problems_fini(&problems);
	return printed;
}

static char *
print(const char *text, bool colour)
{
	refuse(text);
	return print_problems(colour);
}

START_TEST(problem_is_printed_with_line_and_caret)
{
	char *printed = print("children: [] # \xc3\xa9\nnme: x\n", false);

	ck_assert_str_eq(printed,
	    "f:2:1: error: unknown key 'nme', did you mean 'name'?\n"
	    "nme: x\n^\n");
	free(printed);
	printed = print("children:\t[{id: a,\tnice: x, shell: b}]", false);
	ck_assert_str_eq(printed,
	    "f:1:26: error: expected a whole number from -40 to 40, got 'x'\n"
	    "children:\t[{id: a,\tnice: x, shell: b}]\n"
	    "         \t        \t      ^\n");
	free(printed);
}
END_TEST

START_TEST(what_there_was_no_memory_to_keep_is_told_of)
{
	char *printed;

	tree_problems_init(&problems);
	problems.more = 1;
	printed = print_problems(false);
	ck_assert_str_eq(printed, "grouper: error: out of memory\n");
	free(printed);
}
END_TEST

START_TEST(colours_are_there_when_asked_for)
{
	char *printed = print("nme: x\nchildren: []", true);

	ck_assert_ptr_nonnull(strstr(printed, "\033[1;31merror:\033[0m"));
	free(printed);
}
END_TEST

START_TEST(long_lines_are_cut_around_the_column)
{
	char text[4096], *printed;

	memset(text, 'x', sizeof(text));
	memcpy(text, "children: ['", 12);
	strcpy(text + sizeof(text) - 16, "', b]");
	printed = print(text, false);
	ck_assert_uint_lt(strlen(printed), 600);
	free(printed);
}
END_TEST

START_TEST(only_files_are_read)
{
	char *fifo;
	int fd;

	tree_problems_init(&problems);
	ck_assert_ptr_null(tree_load(support_directory(), &problems));
	assert_problem(0, 0, 0, "a directory");
	tree_problems_fini(&problems);
	fifo = strdup(support_path("fifo"));
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_ptr_null(tree_load(fifo, &problems));
	assert_problem(0, 0, 0, "a FIFO");
	tree_problems_fini(&problems);
	free(fifo);
	ck_assert_ptr_null(tree_load("/dev/zero", &problems));
	assert_problem(0, 0, 0, "a device");
	tree_problems_fini(&problems);
	ck_assert_ptr_null(tree_load(support_path("none"), &problems));
	assert_problem(0, 0, 0, "No such file");
	tree_problems_fini(&problems);
	fd = open(support_path("huge"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	ck_assert_ptr_null(tree_load(support_path("huge"), &problems));
	assert_problem(0, 0, 0, "16 MiB");
	tree_problems_fini(&problems);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_problems");
	TCase *tc;

	tc = support_case(suite, "values");
	tcase_add_test(tc, bad_values_are_refused_in_place);
	tcase_add_test(tc, bad_readiness_is_refused_in_place);
	tcase_add_test(tc, bad_supervisors_are_refused_in_place);
	tcase_add_test(tc, what_spec_check_finds_has_its_place);
	tcase_add_test(tc, unknown_keys_come_with_a_suggestion);
	tcase_add_test(tc, repeated_keys_are_refused);
	tcase_add_test(tc, variables_that_are_wrong_have_their_place);
	tc = support_case(suite, "text");
	tcase_add_test(tc, the_name_of_an_anchor_has_a_bound);
	tcase_add_test(tc, yaml_that_cannot_be_read_has_its_place);
	tcase_add_test(tc, bytes_that_are_no_text_have_their_place);
	tcase_add_test(tc, columns_count_characters);
	tcase_add_test(tc, only_files_are_read);
	tc = support_case(suite, "report");
	tcase_add_test(tc, all_problems_are_told_in_order);
	tcase_add_test(tc, no_more_are_told_than_fit_a_screen);
	tcase_add_test(tc, one_cause_is_told_once_however_often_it_is_used);
	tcase_add_test(tc, problem_is_printed_with_line_and_caret);
	tcase_add_test(tc, what_there_was_no_memory_to_keep_is_told_of);
	tcase_add_test(tc, colours_are_there_when_asked_for);
	tcase_add_test(tc, long_lines_are_cut_around_the_column);
	return support_main(suite, NULL);
}
