/* SPDX-License-Identifier: ISC */
/*
 * Tree files that mean harm, and broken ones: refused, in bounded time and
 * memory.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/tree/dotenv.h"
#include "runtime/tree/load.h"
#include "runtime/tree/procfile.h"
#include "runtime/tree/tree.h"
#include "support.h"

/* They are a million values long. */
#define BOMB_SECONDS 60

#define MUTANTS 2000

static struct tree_problems problems;

static void
refuse(const char *text, const char *why)
{
	tree_problems_init(&problems);
	ck_assert_ptr_null(tree_load_text("f", text, strlen(text), &problems));
	ck_assert(problems.count > 0);
	if (why != NULL)
		ck_assert_msg(strstr(problems.list[0].text, why) != NULL, "%s",
		    problems.list[0].text);
	tree_problems_fini(&problems);
}

/* A text so many times between two others; to be freed. */
static char *
repeat(const char *head, const char *text, size_t times, const char *tail)
{
	size_t length = strlen(text), used = strlen(head), i;
	char *out = malloc(used + length * times + strlen(tail) + 1);

	ck_assert_ptr_nonnull(out);
	memcpy(out, head, used);
	for (i = 0; i < times; i++, used += length)
		memcpy(out + used, text, length);
	strcpy(out + used, tail);
	return out;
}

static void
refuse_repeated(const char *head, const char *text, size_t times,
    const char *tail, const char *why)
{
	char *bomb = repeat(head, text, times, tail);

	refuse(bomb, why);
	free(bomb);
}

/* Each level holds the one before nine times; what is the use of the last? */
static void
refuse_laughs(const char *open, const char *close, const char *use,
    const char *why)
{
	char text[4096];
	int level, i;

	snprintf(text, sizeof(text), "x-0: &a0 [lol]\n");
	for (level = 1; level <= 9; level++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "x-%d: &a%d %s", level, level, open);
		for (i = 0; i < 9; i++)
			snprintf(text + strlen(text),
			    sizeof(text) - strlen(text), "%s*a%d",
			    i > 0 ? ", " : "", level - 1);
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s\n", close);
	}
	strlcat(text, use, sizeof(text));
	refuse(text, why);
}

START_TEST(billion_laughs_are_refused)
{
	refuse_laughs("[", "]", "config: {a: *a9}\nchildren: []\n", "at most");
}
END_TEST

START_TEST(laughs_that_nobody_reads_do_no_harm)
{
	refuse_laughs("[", "]", "children: 5\n", "a list of children");
}
END_TEST

START_TEST(laughs_of_children_are_refused)
{
	char text[4096] = "x-0: &c0 [{id: a, command: [b]}]\n";
	int level, i;

	for (level = 1; level <= 9; level++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "x-%d: &c%d [", level, level);
		for (i = 0; i < 9; i++)
			snprintf(text + strlen(text),
			    sizeof(text) - strlen(text),
			    "{id: a%d, supervisor: {children: *c%d}}, ", i,
			    level - 1);
		strlcat(text, "]\n", sizeof(text));
	}
	strlcat(text, "children: *c9\n", sizeof(text));
	refuse(text, "at most");
}
END_TEST

START_TEST(long_text_used_often_is_refused)
{
	char *text = repeat("x-a: &a ", "long", 250000, "\nconfig: {a: ["),
	     *bomb = repeat(text, "*a,", 1000, "]}\nchildren: []\n");

	refuse(bomb, "MiB of text");
	free(text);
	free(bomb);
}
END_TEST

START_TEST(long_variables_used_often_are_refused)
{
	char *value = repeat("", "v", 100000, "");

	setenv("TREE_LONG", value, 1);
	free(value);
	refuse_repeated("config: {a: '", "${TREE_LONG}", 10000,
	    "'}\nchildren: []\n", "less text");
	refuse_repeated("config: {a: [", "'${TREE_LONG}',", 10000,
	    "]}\nchildren: []\n", "MiB of text");
}
END_TEST

START_TEST(merges_of_many_keys_are_refused)
{
	char head[128] = "x-a: &a {", *keys = NULL, *bomb;
	size_t size, i;
	FILE *stream = open_memstream(&keys, &size);

	ck_assert_ptr_nonnull(stream);
	fputs(head, stream);
	for (i = 0; i < 5000; i++)
		fprintf(stream, "k%zu: 1, ", i);
	fputs("}\n", stream);
	fclose(stream);
	bomb = repeat(keys, "? x-b\n: [{<<: *a}, {<<: *a}]\n", 200, "");
	refuse(bomb, "to merge");
	free(keys);
	free(bomb);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	refuse_repeated("a: ", "[", 100000, "", "levels of nesting");
	refuse_repeated("", "{a: ", 100000, "", "levels of nesting");
	refuse_repeated("", "- ", 100000, "", "levels of nesting");
	refuse_repeated("", "? ", 100000, "", NULL);
	refuse_repeated("config: ", "[", 100, "1", NULL);
	refuse_repeated("", "children: [{id: a, supervisor: {", 40,
	    "children: []", NULL);
}
END_TEST

START_TEST(too_many_values_are_refused)
{
#ifdef __SANITIZE_ADDRESS__
	SUPPORT_SKIP("strict_string_checks reads all of it for each value");
#endif
	refuse_repeated("a: [", "b,", 1100000, "]", "at most 1000000 values");
	refuse_repeated("children: [", "{},", 150000, "]",
	    "at most 100000 children");
}
END_TEST

START_TEST(too_many_problems_end_soon)
{
	refuse_repeated("children: [", "{},", 90000, "]", NULL);
	refuse_repeated("children: []\n", "k: 1\n", 200000, "", "repeated key");
	refuse_repeated("k: ", "${", 500000, "", NULL);
}
END_TEST

START_TEST(too_long_a_file_is_refused)
{
	refuse_repeated("a: ", "0123456789abcdef", (1 << 20) + 1, "", "MiB");
}
END_TEST

START_TEST(directives_without_end_are_refused)
{
	refuse("%\"\xc2\xa9", "directives");
	refuse_repeated("", "%", 100000, "", "directives");
	refuse("a: 1\n...\n%\"", "directives");
}
END_TEST

static const char seed[] =
    "name: web\nstrategy: rest_for_one\nintensity: 3\nperiod: 5s\n"
    "topic_groups: {'team:eng': ['room:a', \"room:\\u00e9\"]}\n"
    "config: {version: \"1.4.2\", deep: [1, {a: ~}, *c]}\n"
    "x-c: &c {restart: transient, env: {A: '${HOME:-x}', B: >-\n"
    "   folded\n   text\n  }}\n"
    "children:\n"
    "  - id: db # comment\n    command: [postgres, -D, data]\n"
    "    ready: {log: '^up$'}\n    shutdown: [INT 10s, KILL]\n"
    "    log: {file: a, max_size: 1M}\n    limits: {nofile: 1:2}\n"
    "  - <<: *c\n    id: web\n    shell: |\n      echo $$ ${X}\n"
    "      exec web\n    depends_on: [db]\n    success: [0, 143]\n"
    "  - id: s\n    supervisor:\n      on_limit: cooldown 3s\n"
    "      children:\n"
    "        - {id: r, command: [./w], instances: 4, topics: ['r:*'], "
    "on_event: {reload: HUP}, backoff: {min: 1, max: 2}}\n";

/* A generator of its own, so that what fails fails again. */
static uint32_t
next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Changes some bytes, repeats or drops pieces; returns the new length. */
static size_t
mutate(char *text, size_t length, size_t room, uint32_t *state)
{
	static const char bytes[] = "{}[],:&*!|>'\"%@`#-?<$~ \n\t\r\\\xff\x80"
				    "\xc3\xa9\0a0";
	size_t changes = 1 + next(state) % 4, at, size, to;

	while (changes-- > 0) {
		at = next(state) % length;
		size = next(state) % 24;
		if (size > length - at)
			size = length - at;
		switch (next(state) % 4) {
		case 0:
		case 1:
			text[at] = bytes[next(state) % (sizeof(bytes) - 1)];
			break;
		case 2:
			if (length - size < 16)
				break;
			memmove(text + at, text + at + size,
			    length - at - size);
			length -= size;
			break;
		default:
			if (length + size > room)
				break;
			to = next(state) % length;
			memmove(text + to + size, text + to, length - to);
			memmove(text + to, text + (at < to ? at : 0), size);
			length += size;
			break;
		}
	}
	return length;
}

static void
try_mutant(const char *text, size_t length)
{
	struct spec_tree *tree;

	tree_problems_init(&problems);
	tree = tree_load_text("f", text, length, &problems);
	ck_assert((tree != NULL) != tree_problems_any(&problems));
	spec_free(tree);
	tree_problems_fini(&problems);
	tree = procfile_load_text("f", text, length, NULL, "web=2", &problems);
	ck_assert((tree != NULL) != tree_problems_any(&problems));
	spec_free(tree);
	tree_problems_fini(&problems);
	dotenv_free(dotenv_parse("f", text, length, &problems));
	tree_problems_fini(&problems);
}

START_TEST(mutants_are_loaded_or_refused)
{
	char text[2 * sizeof(seed) + 1];
	uint32_t state = 2463534242U;
	size_t length;
	int i;

	try_mutant(seed, strlen(seed));
	for (i = 0; i < MUTANTS; i++) {
		memcpy(text, seed, sizeof(seed));
		length = mutate(text, strlen(seed), 2 * sizeof(seed), &state);
		text[length] = '\0';
		try_mutant(text, length);
	}
}
END_TEST

START_TEST(every_beginning_is_loaded_or_refused)
{
	char text[sizeof(seed)];
	size_t i;

	for (i = 0; i < sizeof(seed); i++) {
		memcpy(text, seed, i);
		text[i] = '\0';
		try_mutant(text, i);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_hostile");
	TCase *tc;

	tc = support_case(suite, "bombs");
	tcase_set_timeout(tc, BOMB_SECONDS * support_scale());
	tcase_add_test(tc, billion_laughs_are_refused);
	tcase_add_test(tc, laughs_that_nobody_reads_do_no_harm);
	tcase_add_test(tc, laughs_of_children_are_refused);
	tcase_add_test(tc, long_text_used_often_is_refused);
	tcase_add_test(tc, long_variables_used_often_are_refused);
	tcase_add_test(tc, merges_of_many_keys_are_refused);
	tcase_add_test(tc, deep_nesting_is_refused);
	tcase_add_test(tc, too_many_values_are_refused);
	tcase_add_test(tc, too_many_problems_end_soon);
	tcase_add_test(tc, too_long_a_file_is_refused);
	tcase_add_test(tc, directives_without_end_are_refused);
	tc = support_case(suite, "broken");
	tcase_add_test(tc, mutants_are_loaded_or_refused);
	tcase_add_test(tc, every_beginning_is_loaded_or_refused);
	return support_main(suite, NULL);
}
