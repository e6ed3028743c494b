/* SPDX-License-Identifier: ISC */
/*
 * What the verbs print with --json: the members that their manual pages
 * promise.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define HOUR_MS 3600000
/* What verbs say of the key a, waited for or not. */
#define WAITED "{\"key\":\"a\",\"status\":0}\n"
#define NOT_FOUND "{\"key\":\"none\",\"error\":\"not found\"}\n"
#define ASKED "{\"key\":\"a\"}\n"

static json_t *
load_json(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, 0, &error);

	ck_assert_msg(value != NULL, "%s: %s", error.text, text);
	return value;
}

/* What a verb that must succeed prints: one object, to be released. */
static json_t *
ask_json(const char *const *argv)
{
	json_t *value;
	char *out;

	ck_assert_msg(tree_ask(&out, argv) == 0, "%s: %s", argv[0], out);
	value = load_json(out);
	ck_assert(json_is_object(value));
	ck_assert_msg(strchr(out, '\n') == out + strlen(out) - 1, "%s", out);
	free(out);
	return value;
}

static json_int_t
integer_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	ck_assert_msg(json_is_integer(value), "%s", name);
	return json_integer_value(value);
}

static const char *
string_of(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	ck_assert_msg(value != NULL, "%s", name);
	return value;
}

static void
expect_absent(const json_t *object, const char *name)
{
	ck_assert_msg(json_object_get(object, name) == NULL, "%s", name);
}

START_TEST(status_as_json_has_what_runs)
{
	long long start = support_now();
	struct tree tree;
	json_t *child;

	tree_start(&tree, "children:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	tree_await_memory("a");
	child = tree_child("a");
	ck_assert_str_eq(string_of(child, "id"), "a");
	ck_assert_str_eq(string_of(child, "type"), "command");
	ck_assert_str_eq(string_of(child, "state"), "running");
	ck_assert_int_eq(integer_of(child, "restarts"), 0);
	ck_assert_int_eq(kill((pid_t)integer_of(child, "pid"), 0), 0);
	ck_assert_int_ge(integer_of(child, "uptime_ms"), 0);
	ck_assert_int_le(integer_of(child, "uptime_ms"),
	    support_now() - start + 1);
	ck_assert_int_gt(integer_of(child, "memory"), 0);
	ck_assert_int_ge(integer_of(child, "cpu_ms"), 0);
	ck_assert_int_eq(integer_of(child, "processes"), 1);
	expect_absent(child, "retry_ms");
	expect_absent(child, "last");
	expect_absent(child, "status");
	expect_absent(child, "spawned");
	json_decref(child);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(status_as_json_has_what_will_restart)
{
	struct tree tree;
	json_t *child;

	tree_start(&tree,
	    "children:\n  - {id: a, shell: 'kill -KILL $$', "
	    "backoff: {min: 1h, max: 1h}}\n");
	tree_await_event("a", "restart", 1);
	child = tree_child("a");
	ck_assert_str_eq(string_of(child, "state"), "restarting");
	ck_assert_int_eq(integer_of(child, "restarts"), 1);
	ck_assert_int_gt(integer_of(child, "retry_ms"), 0);
	ck_assert_int_le(integer_of(child, "retry_ms"), HOUR_MS);
	ck_assert_str_eq(string_of(child, "last"), "ended by SIGKILL");
	ck_assert_int_eq(integer_of(child, "status"), 128 + SIGKILL);
	expect_absent(child, "pid");
	expect_absent(child, "uptime_ms");
	expect_absent(child, "memory");
	expect_absent(child, "cpu_ms");
	json_decref(child);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(status_as_json_has_the_supervisors)
{
	json_t *status, *top;
	struct tree tree;

	tree_start(&tree,
	    "name: shop\nstrategy: rest_for_one\n"
	    "children:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	status = ask_json(ARGV("status", "--json"));
	top = json_array_get(json_object_get(status, "tree"), 0);
	ck_assert_str_eq(string_of(top, "key"), "");
	ck_assert_str_eq(string_of(top, "id"), "shop");
	ck_assert_str_eq(string_of(top, "type"), "supervisor");
	ck_assert_str_eq(string_of(top, "strategy"), "rest_for_one");
	ck_assert_int_eq(integer_of(top, "host_pid"), tree.host.pid);
	ck_assert_uint_eq(json_array_size(json_object_get(top, "children")), 1);
	json_decref(status);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(status_as_json_has_one_object_for_each_key)
{
	static const char *const keys[] = { "b", "a" };
	char *out, *rest;
	struct tree tree;
	json_t *status, *list;
	size_t i;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("b");
	ck_assert_int_eq(tree_ask(&out, ARGV("status", "--json", "b", "a")), 0);
	rest = out;
	for (i = 0; i < 2; i++) {
		status = load_json(strsep(&rest, "\n"));
		list = json_object_get(status, "tree");
		ck_assert_str_eq(string_of(json_array_get(list, 0), "key"),
		    keys[i]);
		json_decref(status);
	}
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(ps_as_json_has_the_processes_of_each_group)
{
	json_t *ps, *group, *process;
	struct support_process found;
	struct tree tree;
	pid_t pid;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("b");
	tree_await_memory("b");
	ps = ask_json(ARGV("ps", "--json", "b"));
	ck_assert_uint_eq(json_array_size(json_object_get(ps, "groups")), 1);
	group = json_array_get(json_object_get(ps, "groups"), 0);
	ck_assert_str_eq(string_of(group, "key"), "b");
	ck_assert_uint_eq(json_array_size(json_object_get(group, "processes")),
	    1);
	process = json_array_get(json_object_get(group, "processes"), 0);
	pid = (pid_t)integer_of(process, "pid");
	ck_assert_int_eq(pid, tree_pid("b"));
	ck_assert(support_process(pid, &found));
	ck_assert_int_eq(integer_of(process, "ppid"), found.ppid);
	ck_assert_int_eq(integer_of(process, "pgid"), found.pgid);
	ck_assert_int_eq(integer_of(process, "sid"), found.sid);
	ck_assert_uint_eq(strlen(string_of(process, "state")), 1);
	ck_assert_str_eq(string_of(process, "name"), "sleep");
	ck_assert_str_eq(string_of(process, "command"), "sleep 1000");
	ck_assert_int_gt(integer_of(process, "memory"), 0);
	ck_assert_int_ge(integer_of(process, "cpu_ms"), 0);
	ck_assert_int_ge(integer_of(process, "age_ms"), 0);
	json_decref(ps);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(logs_as_json_are_one_object_a_line)
{
	char *out, *line, *rest;
	json_int_t seq = 0;
	struct tree tree;
	size_t count = 0;
	json_t *object;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: b, restart: transient, shell: 'echo 1; echo 2'}\n");
	tree_await_event("b", "ended", 1);
	ck_assert_int_eq(tree_ask(&out, ARGV("logs", "--json", "b")), 0);
	rest = out;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		object = load_json(line);
		ck_assert_str_eq(string_of(object, "key"), "b");
		ck_assert_int_gt(integer_of(object, "seq"), seq);
		seq = integer_of(object, "seq");
		ck_assert(json_number_value(json_object_get(object, "time")) >
		    0);
		ck_assert_str_eq(string_of(object, "text"),
		    ++count == 1 ? "1" : "2");
		json_decref(object);
	}
	ck_assert_uint_eq(count, 2);
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

/* One time may end in zeros, but not all. */
START_TEST(times_as_json_have_microseconds)
{
	char *out, *line, *rest;
	struct tree tree;
	bool fine = false;
	json_t *object;
	double time;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("");
	ck_assert_int_eq(tree_ask(&out,
			     ARGV("events", "--json", "--no-follow", "--since",
				 "1")),
	    0);
	rest = out;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		object = load_json(line);
		time = json_number_value(json_object_get(object, "time"));
		ck_assert_msg(time > 0, "%s", line);
		fine |= (int64_t)(time * 1e6 + 0.5) % 10000 != 0;
		json_decref(object);
	}
	ck_assert(fine);
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(hosts_as_json_tell_their_pid_and_socket)
{
	struct tree tree;
	json_t *host;

	tree_start(&tree, "name: shop\nchildren:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	host = ask_json(ARGV("hosts", "--json"));
	ck_assert_str_eq(string_of(host, "host"), "shop");
	ck_assert_int_eq(integer_of(host, "pid"), tree.host.pid);
	ck_assert_int_eq(access(string_of(host, "socket"), W_OK), 0);
	json_decref(host);
	tree_stop(&tree, 0);
}
END_TEST

/* Each key is named; what is waited for has a status. */
START_TEST(verbs_that_wait_answer_as_json)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("b");
	tree_prints("{\"key\":\"a\",\"status\":0}\n"
		    "{\"key\":\"b\",\"status\":0}\n",
	    ARGV("stop", "--json", "a", "b"));
	tree_prints(WAITED, ARGV("start", "--json", "a"));
	tree_prints(WAITED, ARGV("restart", "--json", "a"));
	tree_prints(WAITED, ARGV("scale", "--json", "2", "a"));
	tree_prints(ASKED, ARGV("stop", "--json", "--no-wait", "a"));
	tree_prints(WAITED, ARGV("wait", "--empty", "--json", "a"));
	tree_prints(ASKED, ARGV("start", "--json", "--no-wait", "a"));
	tree_prints(WAITED, ARGV("wait", "--ready", "--json", "a"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(verbs_that_do_not_wait_answer_as_json)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a") TREE_LIVES("b"));
	tree_await_ready("b");
	tree_prints(ASKED, ARGV("signal", "--json", "CONT", "a"));
	tree_prints(ASKED, ARGV("reset", "--json", "a"));
	tree_prints("{}\n", ARGV("reopen", "--json"));
	tree_expect(0, ARGV("stop", "a"));
	tree_prints(ASKED, ARGV("delete", "--json", "a"));
	tree_prints("{\"ignored\":[]}\n", ARGV("reload", "--json"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(wait_as_json_tells_the_status_it_ends_with)
{
	struct tree tree;
	char *out;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: b, restart: transient, shell: 'exit 9', success: 9}\n");
	tree_await_event("b", "ended", 1);
	ck_assert_int_eq(tree_ask(&out, ARGV("wait", "--json", "b")), 9);
	ck_assert_str_eq(out, "{\"key\":\"b\",\"status\":9}\n");
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

/* One key that fails leaves the answers of the others whole. */
START_TEST(a_failure_stands_beside_its_key)
{
	struct tree tree;
	char *out;

	tree_start(&tree, "children:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	ck_assert_int_eq(tree_ask(&out, ARGV("stop", "--json", "none", "a")),
	    1);
	ck_assert_str_eq(out, NOT_FOUND WAITED);
	free(out);
	ck_assert_int_eq(tree_ask(&out, ARGV("status", "--json", "none")), 1);
	ck_assert_str_eq(out, NOT_FOUND);
	free(out);
	ck_assert_int_eq(tree_ask(&out, ARGV("ps", "--json", "none")), 1);
	ck_assert_str_eq(out, NOT_FOUND);
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *tc;

	tc = support_case(suite, "status");
	tcase_add_test(tc, status_as_json_has_what_runs);
	tcase_add_test(tc, status_as_json_has_what_will_restart);
	tcase_add_test(tc, status_as_json_has_the_supervisors);
	tcase_add_test(tc, status_as_json_has_one_object_for_each_key);
	tc = support_case(suite, "verbs");
	tcase_add_test(tc, ps_as_json_has_the_processes_of_each_group);
	tcase_add_test(tc, logs_as_json_are_one_object_a_line);
	tcase_add_test(tc, times_as_json_have_microseconds);
	tcase_add_test(tc, hosts_as_json_tell_their_pid_and_socket);
	tcase_add_test(tc, verbs_that_wait_answer_as_json);
	tcase_add_test(tc, verbs_that_do_not_wait_answer_as_json);
	tcase_add_test(tc, wait_as_json_tells_the_status_it_ends_with);
	tcase_add_test(tc, a_failure_stands_beside_its_key);
	return support_main(suite, NULL);
}
