/* SPDX-License-Identifier: ISC */
/*
 * A supervisor tree and its control socket in one process: what the machine
 * and the groups tell each other in an order that nobody wished for, and what
 * clients may send.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grove.h"
#include "runtime/group/host.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/tree/tree.h"
#include "runtime/util/loop.h"

#define INVALID_PARAMS (-32602)
#define LIVES(id) "  - {id: " id ", command: [sleep, '1000']}\n"
#define KEY_WRONG(method, more) \
	REQUEST(method, "{" more "\"x\":0}"), \
	    REQUEST(method, "{" more "\"key\":1}"), \
	    REQUEST(method, "{" more "\"key\":null}"), \
	    REQUEST(method, "{" more "\"key\":[\"a\"]}"), \
	    REQUEST(method, "{" more "\"key\":{}}")
#define WAIT_WRONG(method) \
	REQUEST(method, "{\"key\":\"a\",\"wait\":1}"), \
	    REQUEST(method, "{\"key\":\"a\",\"wait\":\"no\"}"), \
	    REQUEST(method, "{\"key\":\"a\",\"wait\":null}")
#define KEYS_WRONG(method, more) \
	REQUEST(method, "{" more "\"keys\":\"a\"}"), \
	    REQUEST(method, "{" more "\"keys\":[]}"), \
	    REQUEST(method, "{" more "\"keys\":[1]}"), \
	    REQUEST(method, "{" more "\"keys\":[\"a\",null]}"), \
	    REQUEST(method, "{" more "\"keys\":{}}"), \
	    REQUEST(method, "{" more "\"x\":0}")
#define WITH(method, name, value) \
	REQUEST(method, \
	    "{\"key\":\"a\",\"keys\":[\"a\"],\"" name "\":" value "}")

static const char *const wrong[] = {
	REQUEST("status", "{\"key\":1}"),
	REQUEST("status", "{\"key\":null}"),
	REQUEST("ps", "{\"key\":[]}"),
	KEY_WRONG("start", ""),
	KEY_WRONG("stop", ""),
	KEY_WRONG("restart", ""),
	KEY_WRONG("reset", ""),
	KEY_WRONG("delete", ""),
	KEY_WRONG("scale", "\"instances\":1,"),
	KEY_WRONG("signal", "\"signal\":1,"),
	WAIT_WRONG("start"),
	WAIT_WRONG("stop"),
	WAIT_WRONG("restart"),
	WITH("scale", "instances", "\"2\""),
	WITH("scale", "instances", "-1"),
	WITH("scale", "instances", "1.5"),
	WITH("scale", "instances", "100001"),
	WITH("scale", "x", "1"),
	WITH("signal", "signal", "0"),
	WITH("signal", "signal", "65"),
	WITH("signal", "signal", "\"TERM\""),
	WITH("signal", "signal", "9223372036854775807"),
	KEYS_WRONG("wait", "\"for\":\"ended\","),
	WITH("wait", "for", "\"over\""),
	WITH("wait", "for", "1"),
	WITH("wait", "x", "1"),
	KEYS_WRONG("logs", "\"lines\":1,"),
	WITH("logs", "lines", "-1"),
	WITH("logs", "lines", "\"1\""),
	WITH("logs", "lines", "4294967296"),
	WITH("logs", "x", "1"),
	REQUEST("logs", "{\"keys\":[\"a\"],\"lines\":1,\"follow\":1}"),
	REQUEST("events", "{\"since\":-1}"),
	REQUEST("events", "{\"since\":\"1\"}"),
	REQUEST("events", "{}"),
	REQUEST("events", "{\"since\":1,\"follow\":\"x\"}"),
};

START_TEST(parameters_of_a_wrong_kind_are_errors)
{
	struct grove grove;
	size_t i;

	grove_open(&grove,
	    "children:\n  - {id: a, autostart: false, command: ['true']}\n");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		client_fails(&grove.client, wrong[i], INVALID_PARAMS);
	ck_assert_int_eq(grove_state(&grove, "a"), MACHINE_IDLE);
	grove_ask_only(&grove, REQUEST("status", "{}"));
	grove_close(&grove);
}
END_TEST

START_TEST(scaling_idle_instances_to_nothing_is_done_at_once)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n  - {id: w, autostart: false, instances: 2, "
	    "command: ['true']}\n");
	grove_ask_only(&grove,
	    REQUEST("scale", "{\"key\":\"w\",\"instances\":0}"));
	ck_assert_int_eq(grove_state(&grove, "w:1"), MACHINE_NSTATES);
	grove_close(&grove);
}
END_TEST

/* A request of one line asks for as much as is there, and not for more. */
START_TEST(a_key_that_is_repeated_counts_once)
{
	static char request[500000];
	struct grove grove;
	json_t *result;
	size_t i, n;

	grove_open(&grove,
	    "children:\n  - {id: w, instances: 2, shell: 'echo one; exec sleep "
	    "1000'}\n");
	grove_await_state(&grove, "w:2", MACHINE_RUNNING);
	n = strlcpy(request,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logs\",\"params\":"
	    "{\"lines\":9,\"keys\":[\"w\"",
	    sizeof(request));
	for (i = 0; i < 10000; i++)
		n += strlcpy(request + n, i % 2 == 0 ? ",\"w\"" : ",\"w:1\"",
		    sizeof(request) - n);
	strlcpy(request + n, "]}}\n", sizeof(request) - n);
	for (;;) {
		result = grove_ask(&grove, request);
		n = json_array_size(json_object_get(result, "items"));
		json_decref(result);
		if (n == 2)
			break;
		ck_assert_uint_lt(n, 2); /* not yet written */
		grove_turn(&grove, 1);
	}
	grove_close(&grove);
}
END_TEST

START_TEST(an_answer_is_sent_though_the_tree_ends_with_it)
{
	struct grove grove;
	json_t *answer;

	grove_open(&grove, "children:\n" LIVES("a"));
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	client_send(&grove.client,
	    REQUEST("wait", "{\"keys\":[\"a\"],\"for\":\"empty\"}"));
	grove_turn(&grove, 5);
	supervisor_shutdown(grove.supervisor, false);
	while (!grove.over)
		event_base_loop(grove.trial.base, EVLOOP_ONCE);
	host_close(grove.trial.host);
	answer = client_answer(&grove.client);
	ck_assert_ptr_nonnull(json_object_get(answer, "result"));
	json_decref(answer);
	grove_close(&grove);
}
END_TEST

/* Logs */

static json_t *
next_line(struct grove *grove)
{
	json_t *answer = client_answer(&grove->client);
	json_t *line = json_incref(json_object_get(answer, "params"));

	ck_assert_ptr_nonnull(line);
	json_decref(answer);
	return line;
}

static const char *
text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	ck_assert_ptr_nonnull(text);
	return text;
}

#define FOLLOW(keys) \
	REQUEST("logs", "{\"keys\":[" keys "],\"lines\":0,\"follow\":true}")

START_TEST(one_that_floods_does_not_hide_the_lines_of_another)
{
	struct grove grove;
	json_t *line;
	bool quiet = false;
	int i;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: flood, command: ['yes']}\n"
	    "  - {id: quiet, shell: 'while [ ! -e @/go ]; do sleep 0.01; done; "
	    "echo hello; exec sleep 1000'}\n");
	grove_await_state(&grove, "quiet", MACHINE_RUNNING);
	grove_ask_only(&grove, FOLLOW("\"flood\",\"quiet\""));
	support_file("go", 0644, "");
	for (i = 0; i < 100000 && !quiet; i++) {
		line = next_line(&grove);
		quiet = strcmp(text_of(line, "key"), "quiet") == 0;
		json_decref(line);
	}
	ck_assert(quiet);
	grove_close(&grove);
}
END_TEST

static void
expect_line(struct grove *grove, const char *text)
{
	json_t *line = next_line(grove);

	ck_assert_str_eq(text_of(line, "text"), text);
	ck_assert_ptr_null(json_object_get(line, "missed"));
	json_decref(line);
}

START_TEST(a_log_that_was_made_anew_is_followed_from_its_first_line)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n" LIVES(
		"b") "  - {id: a, shell: 'while [ ! -e @/go ]; do sleep 0.01; done; "
		     "echo x; exec sleep 1000'}\n");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	grove_ask_only(&grove, FOLLOW("\"a\""));
	support_file("go", 0644, "");
	expect_line(&grove, "x");
	/* Another client, since this one follows. */
	grove.next = grove_read_tree("children:\n" LIVES("b"));
	ck_assert_int_eq(supervisor_reload(grove.supervisor, grove.next,
			     &(char *) { NULL }),
	    GROUPER_OK);
	grove_await_state(&grove, "a", MACHINE_NSTATES);
	spec_free(grove.next);
	grove.next = grove_read_tree("children:\n" LIVES(
	    "b") "  - {id: a, shell: 'echo a longer line; echo second; echo third; "
		 "exec sleep 1000'}\n");
	ck_assert_int_eq(supervisor_reload(grove.supervisor, grove.next,
			     &(char *) { NULL }),
	    GROUPER_OK);
	expect_line(&grove, "a longer line");
	expect_line(&grove, "second");
	expect_line(&grove, "third");
	grove_close(&grove);
}
END_TEST

START_TEST(lines_of_any_bytes_are_json)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, shell: \"while [ ! -e @/go ]; do sleep 0.01; done; "
	    "printf 'a\\\\000b\\\\n\\\\377\\\\n'; exec sleep 1000\"}\n");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	grove_ask_only(&grove, FOLLOW("\"a\""));
	support_file("go", 0644, "");
	expect_line(&grove,
	    "a\xef\xbf\xbd"
	    "b");
	expect_line(&grove, "\xef\xbf\xbd");
	grove_close(&grove);
}
END_TEST

START_TEST(what_children_say_is_an_event_once_and_of_any_bytes)
{
	struct grove grove;
	json_t *result, *event;
	char said[64] = "";
	size_t i;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, ready: notify, command: [sleep, '1000']}\n");
	grove_await_state(&grove, "a", MACHINE_WAITING);
	trial_notify("runtime/srv.2.notify", "STATUS=x\xff\n");
	trial_notify("runtime/srv.2.notify", "STATUS=x\xff\n");
	trial_notify("runtime/srv.2.notify", "STATUS=y\nREADY=1");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	result = grove_ask(&grove, REQUEST("events", "{\"since\":1}"));
	json_array_foreach(json_object_get(result, "items"), i, event) {
		ck_assert_str_ne(text_of(event, "type"), "gap");
		if (strcmp(text_of(event, "type"), "status") != 0)
			continue;
		strcat(said, text_of(event, "text"));
		strcat(said, ",");
	}
	ck_assert_str_eq(said, "x\xef\xbf\xbd,y,");
	json_decref(result);
	grove_close(&grove);
}
END_TEST

START_TEST(sockets_that_a_killed_host_left_are_removed)
{
	static const char *const ours[] = { "srv.1.notify", "srv.4711.notify" };
	static const char *const others[] = { "srv2.1.notify", "srv.1.2.notify",
		"srv.x.notify", "srv.1.notifyx", "srv.1" };
	struct grove grove;
	char path[300];
	size_t i;

	trial_runtime_directory();
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "runtime/%s", others[i]);
		support_file(path, 0644, "");
		snprintf(path, sizeof(path), "runtime/%s", ours[i % 2]);
		support_file(path, 0644, "");
	}
	grove_open(&grove, "children:\n" LIVES("a"));
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "runtime/%s", others[i]);
		ck_assert_int_eq(access(support_path(path), F_OK), 0);
		snprintf(path, sizeof(path), "runtime/%s", ours[i % 2]);
		ck_assert_int_eq(access(support_path(path), F_OK), -1);
	}
	grove_close(&grove);
}
END_TEST

/* Orders that nobody wished for */

START_TEST(a_tree_ends_whenever_it_is_stopped)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, start_pre: ['true'], stop_pre: ['true'], "
	    "ready: {exec: ['true'], interval: 1ms}, "
	    "command: [sleep, '1000']}\n"
	    "  - {id: w, instances: 3, ready: notify, "
	    "shell: 'systemd-notify --ready; exec sleep 1000'}\n"
	    "  - id: in\n"
	    "    supervisor:\n"
	    "      children:\n"
	    "        - {id: x, ready: fd:5, shell: 'echo >&5; exec sleep "
	    "1000'}\n");
	grove_turn(&grove, 2 * _i);
	if (_i % 5 == 0)
		grove_ask_only(&grove,
		    REQUEST("restart", "{\"key\":\"a\",\"wait\":false}"));
	supervisor_shutdown(grove.supervisor, false);
	if (_i % 2 == 0)
		supervisor_shutdown(grove.supervisor, true);
	trial_until(&grove.trial, grove_is_over, &grove);
	ck_assert_int_eq(grove.status, 0);
	ck_assert_uint_eq(support_children(getpid(), NULL, 0), 0);
	grove_close(&grove);
}
END_TEST

START_TEST(a_tree_is_reloaded_while_it_starts)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, ready: {exec: ['false'], interval: 1ms}, "
	    "command: [sleep, '1000']}\n" LIVES("b"));
	grove_await_state(&grove, "a", MACHINE_WAITING);
	grove_turn(&grove, 5);
	grove_reload(&grove, "children:\n" LIVES("b") LIVES("c"));
	grove_await_state(&grove, "b", MACHINE_RUNNING);
	grove_await_state(&grove, "c", MACHINE_RUNNING);
	/* Those that come do not wait for those that go. */
	grove_await_state(&grove, "a", MACHINE_NSTATES);
	grove_close(&grove);
}
END_TEST

START_TEST(a_restart_while_it_stops_starts_it_again)
{
	struct grove grove;
	pid_t pid;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, ready: fd:3, shell: \"trap 'while [ ! -e @/go ]; do "
	    "sleep 0.01; done; exit' TERM; echo >&3; exec 3>&-; "
	    "while :; do sleep 1000 & wait; done\"}\n");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	pid = grove_pid(&grove, "a");
	grove_ask_only(&grove,
	    REQUEST("stop", "{\"key\":\"a\",\"wait\":false}"));
	grove_turn(&grove, 5);
	ck_assert_int_eq(grove_state(&grove, "a"), MACHINE_STOPPING);
	grove_ask_only(&grove,
	    REQUEST("restart", "{\"key\":\"a\",\"wait\":false}"));
	support_file("go", 0644, "");
	grove_await_another(&grove, "a", pid);
	grove_close(&grove);
}
END_TEST

/* The inner supervisor fails with it and comes again, without its latch. */
START_TEST(a_nested_child_starts_again_after_its_leader_died)
{
	struct grove grove;
	pid_t pid;

	grove_open(&grove,
	    "children:\n"
	    "  - id: in\n"
	    "    supervisor:\n"
	    "      children:\n"
	    "        - {id: x, command: [sleep, '1000']}\n");
	grove_await_state(&grove, "in/x", MACHINE_RUNNING);
	pid = grove_pid(&grove, "in/x");
	ck_assert_int_eq(kill(grove_leader_of(pid), SIGKILL), 0);
	grove_await_another(&grove, "in/x", pid);
	grove_close(&grove);
}
END_TEST

/*
 * What cannot be killed: another user's, for whom lacks the right to.
 */

static bool
open_unkillable(struct grove *grove, const char *yaml, const char *key)
{
	if (geteuid() != 0 || !trial_may_kill(false)) {
		support_skip("this process may not give up its right to kill");
		return false;
	}
	grove_open(grove, yaml);
	grove_await_state(grove, key, MACHINE_RUNNING);
	return true;
}

/* Ends it after all, and waits until its leader has seen it. */
static void
end_unkillable(pid_t pid, pid_t leader)
{
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	support_await_gone(pid);
	support_await_gone(leader);
}

#define DEAF(id) \
	"{id: " id ", uid: 1, shutdown: KILL, command: [sleep, '1000']}\n"

START_TEST(a_tree_ends_though_a_child_cannot_be_killed)
{
	struct grove grove;
	pid_t pid, leader;

	if (!open_unkillable(&grove, "children:\n  - " DEAF("a"), "a"))
		return;
	pid = grove_pid(&grove, "a");
	leader = grove_leader_of(pid);
	supervisor_shutdown(grove.supervisor, false);
	trial_until(&grove.trial, grove_is_over, &grove);
	ck_assert_int_eq(grove.status, 123);
	grove_close(&grove);
	end_unkillable(pid, leader);
}
END_TEST

START_TEST(a_supervisor_does_not_restart_what_is_not_empty)
{
	struct grove grove;
	pid_t pid, leader;

	if (!open_unkillable(&grove,
		"children:\n"
		"  - id: in\n"
		"    supervisor:\n"
		"      children:\n"
		"        - " DEAF("x"),
		"in/x"))
		return;
	pid = grove_pid(&grove, "in/x");
	leader = grove_leader_of(pid);
	grove_ask_only(&grove,
	    REQUEST("restart", "{\"key\":\"in/x\",\"wait\":false}"));
	/* It is lost, and so is each new one: the tree fails. */
	trial_until(&grove.trial, grove_is_over, &grove);
	ck_assert_int_ne(grove.status, 0);
	ck_assert_int_eq(grove_leader_of(pid), leader);
	grove_close(&grove);
	end_unkillable(pid, leader);
}
END_TEST

static bool
runs_no_more(void *arg)
{
	const struct grove *grove = arg;

	return supervisor_run(grove->supervisor, "a") == NULL;
}

START_TEST(a_reload_does_not_start_what_is_not_empty)
{
	struct grove grove;
	pid_t pid, leader;

	if (!open_unkillable(&grove, "children:\n" LIVES("b") "  - " DEAF("a"),
		"a"))
		return;
	pid = grove_pid(&grove, "a");
	leader = grove_leader_of(pid);
	client_fails(&grove.client, REQUEST("stop", "{\"key\":\"a\"}"),
	    -32000 - GROUPER_UNKILLABLE);
	grove_reload(&grove, "children:\n" LIVES("b"));
	ck_assert_int_eq(grove_state(&grove, "a"), MACHINE_NSTATES);
	grove_reload(&grove, "children:\n" LIVES("b") "  - " DEAF("a"));
	grove_await_state(&grove, "a", MACHINE_IDLE);
	ck_assert_int_eq(grove_state(&grove, "b"), MACHINE_RUNNING);
	end_unkillable(pid, leader);
	trial_until(&grove.trial, runs_no_more, &grove);
	grove_ask_only(&grove, REQUEST("start", "{\"key\":\"a\"}"));
	grove_close(&grove);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("supervisor");
	TCase *tc;

	tc = support_case(suite, "requests");
	tcase_add_test(tc, parameters_of_a_wrong_kind_are_errors);
	tcase_add_test(tc, scaling_idle_instances_to_nothing_is_done_at_once);
	tcase_add_test(tc, a_key_that_is_repeated_counts_once);
	tcase_add_test(tc, an_answer_is_sent_though_the_tree_ends_with_it);
	tc = support_case(suite, "told");
	tcase_add_test(tc, one_that_floods_does_not_hide_the_lines_of_another);
	tcase_add_test(tc,
	    a_log_that_was_made_anew_is_followed_from_its_first_line);
	tcase_add_test(tc, lines_of_any_bytes_are_json);
	tcase_add_test(tc, what_children_say_is_an_event_once_and_of_any_bytes);
	tcase_add_test(tc, sockets_that_a_killed_host_left_are_removed);
	tc = support_case(suite, "orders");
	tcase_add_loop_test(tc, a_tree_ends_whenever_it_is_stopped, 0, 20);
	tcase_add_test(tc, a_tree_is_reloaded_while_it_starts);
	tcase_add_test(tc, a_restart_while_it_stops_starts_it_again);
	tcase_add_test(tc, a_nested_child_starts_again_after_its_leader_died);
	tc = support_case(suite, "unkillable");
	tcase_add_test(tc, a_tree_ends_though_a_child_cannot_be_killed);
	tcase_add_test(tc, a_supervisor_does_not_restart_what_is_not_empty);
	tcase_add_test(tc, a_reload_does_not_start_what_is_not_empty);
	return support_main(suite, NULL);
}
