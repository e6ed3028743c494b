/* SPDX-License-Identifier: ISC */
/*
 * Verbs that are answered when children have got somewhere: what they answer
 * when these get somewhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tree.h"

#define NO_PROGRAM(id, more) \
	"  - {id: " id ", " more "command: [/nonexistent/program]}\n"
#define NO_PROGRAM_TEXT "cannot execute /nonexistent/program"

/* One that takes until the file "go" is there to stop. */
#define LINGERS(id) \
	"{id: " id ", ready: fd:3, shutdown: infinity, shell: " \
	"\"trap 'touch @/asked; while [ ! -e @/go ]; do sleep 0.01; done; " \
	"exit 0' TERM; echo >&3; exec 3>&-; while :; do sleep 0.1; done\"}"

/* A connection to the host "h", of one request that waits. */
static FILE *
open_host(void)
{
	struct timeval patience = { SUPPORT_PATIENCE * support_scale() / 1000,
		0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	FILE *host;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(fd, -1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	snprintf(name, sizeof(name), "run-%u/h.sock", (unsigned int)geteuid());
	strlcpy(address.sun_path, support_path(name), sizeof(address.sun_path));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	host = fdopen(fd, "r+");
	ck_assert_ptr_nonnull(host);
	return host;
}

/* The next answer, which must be to this request; to be released. */
static json_t *
hear(FILE *host, int id)
{
	char line[4096];
	json_t *answer;

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), host));
	answer = json_loads(line, 0, NULL);
	ck_assert_ptr_nonnull(answer);
	ck_assert_msg(json_integer_value(json_object_get(answer, "id")) == id,
	    "%s", line);
	return answer;
}

static void
say(FILE *host, int id, const char *method, const char *params)
{
	fprintf(host,
	    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}\n",
	    id, method, params);
	ck_assert_int_eq(fflush(host), 0);
}

/* What was said before has been read, and not been answered. */
static void
ping(FILE *host)
{
	say(host, 2, "reset", "{\"key\":\"a\"}");
	json_decref(hear(host, 2));
}

/* Of a request that waits. */
static void
ask(FILE *host, const char *method, const char *params)
{
	say(host, 1, method, params);
	ping(host);
}

/* Its answer; the connection is closed. */
static void
expect_done(FILE *host)
{
	json_t *answer = hear(host, 1);

	ck_assert_ptr_nonnull(json_object_get(answer, "result"));
	json_decref(answer);
	fclose(host);
}

static void
expect_error(FILE *host, const char *text)
{
	json_t *answer = hear(host, 1);

	ck_assert_str_eq(json_string_value(json_object_get(
			     json_object_get(answer, "error"), "message")),
	    text);
	json_decref(answer);
	fclose(host);
}

START_TEST(a_wait_for_what_could_not_be_started_says_why)
{
	struct tree tree;

	tree_start(&tree, "children:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	tree_write("children:\n" TREE_LIVES("a") NO_PROGRAM("b", ""));
	tree_expect(0, ARGV("reload"));
	tree_await_event("b", "start_failed", 1);
	tree_refuses(1, NO_PROGRAM_TEXT, ARGV("wait", "b"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_wait_for_what_was_stopped_is_for_its_status)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: b, shell: 'mkdir @/once && exit 3; exec sleep 1000'}\n"
		     "  - {id: c, autostart: false, command: ['true']}\n");
	tree_await_event("b", "started", 2);
	tree_expect(0, ARGV("stop", "b"));
	tree_expect(143, ARGV("wait", "b"));
	tree_expect(0, ARGV("wait", "c"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_wait_outlives_no_temporary_child_that_was_not_started)
{
	struct tree tree;
	FILE *host;

	tree_start(&tree,
	    "name: h\nchildren:\n" TREE_LIVES(
		"a") "  - {id: t, restart: temporary, autostart: false, "
		     "start_pre: [sh, -c, 'while [ ! -e @/go ]; do sleep 0.01; "
		     "done; exit 1'], command: ['true']}\n");
	tree_await_ready("a");
	tree_expect(0, ARGV("start", "--no-wait", "t"));
	host = open_host();
	ask(host, "wait", "{\"keys\":[\"t\"],\"for\":\"ended\"}");
	support_file("go", 0644, "");
	expect_error(host, "start_pre failed");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_failed_before_it_ended_normally_is_no_failure)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n" TREE_LIVES(
		"a") "  - {id: t, restart: transient, "
		     "shell: 'mkdir @/once && exit 3; exit 0'}\n");
	tree_await_event("t", "done", 1);
	tree_expect(0, ARGV("wait", "--ready", "t"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_scale_tells_that_what_it_added_was_not_started)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n  - {id: w, ready: fd:3, shell: '[ -e @/bad ] && "
	    "exit 1; echo >&3; exec 3>&-; exec sleep 1000'}\n");
	tree_await_ready("w");
	support_file("bad", 0644, "");
	tree_refuses(1, "exited with 1 before it was ready",
	    ARGV("scale", "3", "w"));
	tree_expect_state("w", "running");
	tree_await_event("w:2", "removed", 1);
	tree_await_event("w:3", "removed", 1);
	tree_stop(&tree, 0);
}
END_TEST

/* Nor would it end if it waited for that one. */
START_TEST(a_scale_is_not_about_those_that_are_there)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n  - {id: w, instances: 2, command: [sleep, '1000'], "
	    "backoff: {min: 1h, max: 1h}}\n");
	tree_await_ready("w");
	tree_expect(0, ARGV("signal", "KILL", "w:2"));
	tree_await_event("w:2", "restart", 1);
	tree_expect(0, ARGV("scale", "3", "w"));
	tree_expect_state("w:3", "running");
	tree_expect_state("w:2", "restarting");
	tree_expect(0, ARGV("scale", "1", "w"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_stop_is_done_when_another_starts_the_child_again)
{
	struct tree tree;
	FILE *host;

	tree_start(&tree, "name: h\nchildren:\n  - " LINGERS("a") "\n");
	tree_await_ready("a");
	host = open_host();
	ask(host, "stop", "{\"key\":\"a\"}");
	support_await_file(support_path("asked"), NULL);
	tree_expect(0, ARGV("restart", "--no-wait", "a"));
	support_file("go", 0644, "");
	expect_done(host);
	tree_await_ready("a");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_stop_is_done_when_the_supervisor_is_restarted)
{
	struct tree tree;
	FILE *host;

	tree_start(&tree,
	    "name: h\nchildren:\n  - id: in\n    supervisor:\n"
	    "      children:\n        - " LINGERS("a") "\n");
	tree_await_ready("in/a");
	tree_expect(0, ARGV("restart", "--no-wait", "in"));
	support_await_file(support_path("asked"), NULL);
	host = open_host();
	ask(host, "stop", "{\"key\":\"in/a\"}");
	support_file("go", 0644, "");
	expect_done(host);
	tree_await_ready("in/a");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_wait_until_it_is_empty_goes_on_when_it_is_started_again)
{
	struct tree tree;
	FILE *host;

	tree_start(&tree, "name: h\nchildren:\n  - " LINGERS("a") "\n");
	tree_await_ready("a");
	host = open_host();
	ask(host, "wait", "{\"keys\":[\"a\"],\"for\":\"empty\"}");
	support_file("go", 0644, "");
	tree_expect(0, ARGV("restart", "a"));
	ping(host); /* nor was it answered before */
	tree_expect(0, ARGV("stop", "a"));
	expect_done(host);
	tree_stop(&tree, 0);
}
END_TEST

/* The first had ended when the second was still waited for. */
START_TEST(a_status_that_nobody_was_told_stays)
{
	struct tree tree;

	tree_start(&tree, "name: h\nchildren:\n" TREE_LIVES("a"));
	tree_await_ready("a");
	tree_script_prints(0, "",
	    "$G spawn -q --key one sleep 0.1; $G spawn -q --key two sleep 1000;"
	    "$G wait --timeout 300ms one two; [ $? -eq 124 ]; "
	    "until $G wait one 2>err || ! grep -q 'not found' err; do "
	    "sleep 0.01; done; $G stop two");
	/* It is told once, then. */
	tree_expect(1, ARGV("wait", "one"));
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("waits");
	TCase *tc;

	tc = support_case(suite, "wait");
	tcase_add_test(tc, a_wait_for_what_could_not_be_started_says_why);
	tcase_add_test(tc, a_wait_for_what_was_stopped_is_for_its_status);
	tcase_add_test(tc,
	    a_wait_outlives_no_temporary_child_that_was_not_started);
	tcase_add_test(tc, what_failed_before_it_ended_normally_is_no_failure);
	tcase_add_test(tc,
	    a_wait_until_it_is_empty_goes_on_when_it_is_started_again);
	tcase_add_test(tc, a_status_that_nobody_was_told_stays);
	tc = support_case(suite, "scale");
	tcase_add_test(tc, a_scale_tells_that_what_it_added_was_not_started);
	tcase_add_test(tc, a_scale_is_not_about_those_that_are_there);
	tc = support_case(suite, "stop");
	tcase_add_test(tc, a_stop_is_done_when_another_starts_the_child_again);
	tcase_add_test(tc, a_stop_is_done_when_the_supervisor_is_restarted);
	return support_main(suite, NULL);
}
