/* SPDX-License-Identifier: ISC */
/*
 * The columns of `grouper status`.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

/* Past so many columns of a line; a character of UTF-8 is one. */
static const char *
skip_columns(const char *line, size_t columns)
{
	for (; *line != '\0' && *line != '\n'; line++)
		if (((unsigned char)*line & 0xc0) != 0x80 && columns-- == 0)
			break;
	return line;
}

/* The row of an id, which stands behind the branches of the tree. */
static const char *
find_row(const char *table, const char *id)
{
	const char *line = strchr(table, '\n'), *at;
	size_t length = strlen(id);

	while (line != NULL && line[1] != '\0') {
		at = ++line;
		while (*at == ' ' || ((unsigned char)*at & 0x80) != 0)
			at++;
		if (strncmp(at, id, length) == 0 && at[length] == ' ')
			return line;
		line = strchr(line, '\n');
	}
	ck_abort_msg("no row of %s in\n%s", id, table);
}

/* The cell below a title, without the blanks around it. */
static void
cut_cell(const char *table, const char *id, const char *title, char *cell,
    size_t size)
{
	const char *head = strstr(table, title), *next, *start, *end;

	ck_assert_msg(head != NULL, "no %s in\n%s", title, table);
	next = head + strlen(title);
	next += strspn(next, " ");
	start = skip_columns(find_row(table, id), (size_t)(head - table));
	end = *next == '\n' ? start + strcspn(start, "\n") :
			      skip_columns(start, (size_t)(next - head));
	while (end > start && end[-1] == ' ')
		end--;
	snprintf(cell, size, "%.*s", (int)(end - start), start);
}

static char *
take_table(void)
{
	char *out;

	ck_assert_int_eq(tree_ask(&out, ARGV("status")), 0);
	return out;
}

static void
expect_cell(const char *table, const char *id, const char *title,
    const char *expected)
{
	char cell[256];

	cut_cell(table, id, title, cell, sizeof(cell));
	ck_assert_msg(strcmp(cell, expected) == 0,
	    "%s of %s: '%s', not '%s' in\n%s", title, id, cell, expected,
	    table);
}

/* A number and then a unit, "1.4 MiB"; the number. */
static double
measure_cell(const char *table, const char *id, const char *title,
    const char *unit)
{
	char cell[256], *end;
	double number;

	cut_cell(table, id, title, cell, sizeof(cell));
	number = strtod(cell, &end);
	ck_assert_msg(end != cell && strstr(end, unit) != NULL,
	    "%s of %s: '%s' in\n%s", title, id, cell, table);
	return number;
}

START_TEST(a_child_that_runs_has_each_column)
{
	struct tree tree;
	char *table, pid[16];

	tree_start(&tree, "name: shop\nchildren:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	tree_await_memory("a");
	snprintf(pid, sizeof(pid), "%d", (int)tree_pid("a"));
	table = take_table();
	expect_cell(table, "a", "STATE", "running");
	expect_cell(table, "a", "PID", pid);
	measure_cell(table, "a", "UPTIME", " ");
	expect_cell(table, "a", "RESTARTS", "0");
	ck_assert(measure_cell(table, "a", "MEMORY", "iB") > 0);
	measure_cell(table, "a", "CPU", " s");
	expect_cell(table, "a", "LAST END", "");
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_supervisor_has_neither_pid_nor_memory)
{
	struct tree tree;
	char *table;

	tree_start(&tree,
	    "name: shop\nchildren:\n"
	    "  - id: in\n    supervisor:\n      children:\n"
	    "        - {id: x, command: [sleep, '1000']}\n");
	tree_await_ready("");
	table = take_table();
	expect_cell(table, "shop", "STATE", "running");
	expect_cell(table, "in", "STATE", "running");
	expect_cell(table, "in", "PID", "");
	expect_cell(table, "in", "MEMORY", "");
	expect_cell(table, "in", "CPU", "");
	expect_cell(table, "x", "STATE", "running");
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_restart_is_counted_beside_how_it_ended)
{
	struct tree tree;
	char *table;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, shell: 'test -e @/mark && exec sleep 1000; "
	    ">@/mark; exit 7'}\n");
	tree_await_event("a", "started", 2);
	tree_await_ready("a");
	table = take_table();
	expect_cell(table, "a", "STATE", "running");
	expect_cell(table, "a", "RESTARTS", "1");
	expect_cell(table, "a", "LAST END", "exited with 7");
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_next_try_is_told_behind_the_last_end)
{
	static const char says[] = "exited with 7, again in ";
	char *table, cell[256], *end;
	struct tree tree;
	double seconds;

	tree_start(&tree,
	    "children:\n  - {id: a, shell: 'exit 7', "
	    "backoff: {min: 1h, max: 1h}}\n");
	tree_await_event("a", "restart", 1);
	table = take_table();
	expect_cell(table, "a", "STATE", "restarting");
	expect_cell(table, "a", "PID", "");
	expect_cell(table, "a", "UPTIME", "");
	expect_cell(table, "a", "RESTARTS", "1");
	expect_cell(table, "a", "MEMORY", "");
	expect_cell(table, "a", "CPU", "");
	cut_cell(table, "a", "LAST END", cell, sizeof(cell));
	ck_assert_msg(strncmp(cell, says, strlen(says)) == 0, "%s", cell);
	seconds = strtod(cell + strlen(says), &end);
	ck_assert_msg(seconds > 0 && isspace((unsigned char)*end), "%s", cell);
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(each_way_to_end_is_shown)
{
	struct tree tree;
	char *table;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: done, restart: transient, command: ['true']}\n"
		     "  - {id: killed, restart: transient, shell: 'kill -KILL $$', "
		     "success: 137}\n"
		     "  - {id: never, autostart: false, command: ['true']}\n");
	tree_await_event("done", "ended", 1);
	tree_await_event("killed", "ended", 1);
	tree_await_ready("a");
	tree_expect(0, ARGV("stop", "a"));
	table = take_table();
	expect_cell(table, "a", "STATE", "idle");
	expect_cell(table, "a", "LAST END", "ended by SIGTERM");
	expect_cell(table, "done", "STATE", "done");
	expect_cell(table, "done", "LAST END", "exited with 0");
	expect_cell(table, "killed", "STATE", "done");
	expect_cell(table, "killed", "LAST END", "ended by SIGKILL");
	expect_cell(table, "never", "STATE", "idle");
	expect_cell(table, "never", "LAST END", "");
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_start_that_failed_says_why)
{
	char *table, cell[256];
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - {id: a, autostart: false, command: [/no/such/command]}\n");
	tree_await_ready("");
	tree_expect(1, ARGV("start", "a"));
	table = take_table();
	expect_cell(table, "a", "STATE", "idle");
	cut_cell(table, "a", "LAST END", cell, sizeof(cell));
	ck_assert_msg(strstr(cell, "No such file") != NULL, "%s", cell);
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(cpu_time_is_that_of_the_group)
{
	struct tree tree;
	json_t *child;
	char *table;

	/* Until it has used 20 clock ticks, a fifth of a second. */
	tree_start(&tree,
	    "children:\n"
	    "  - id: a\n    ready: fd:3\n    shell: |\n"
	    "      u=0; while [ $u -lt 20 ]; do\n"
	    "        read -r _ _ _ _ _ _ _ _ _ _ _ _ _ u _ </proc/$$/stat\n"
	    "      done; echo >&3; exec 3>&- sleep 1000\n" TREE_LIVES("b"));
	tree_await_ready("b");
	child = tree_child("a");
	ck_assert_int_ge(json_integer_value(json_object_get(child, "cpu_ms")),
	    20 * 1000 / sysconf(_SC_CLK_TCK));
	json_decref(child);
	table = take_table();
	ck_assert(measure_cell(table, "a", "CPU", " s") > 0);
	free(table);
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shown");
	TCase *tc;

	tc = support_case(suite, "table");
	tcase_add_test(tc, a_child_that_runs_has_each_column);
	tcase_add_test(tc, a_supervisor_has_neither_pid_nor_memory);
	tcase_add_test(tc, a_restart_is_counted_beside_how_it_ended);
	tcase_add_test(tc, the_next_try_is_told_behind_the_last_end);
	tcase_add_test(tc, each_way_to_end_is_shown);
	tcase_add_test(tc, a_start_that_failed_says_why);
	tcase_add_test(tc, cpu_time_is_that_of_the_group);
	return support_main(suite, NULL);
}
