/* SPDX-License-Identifier: ISC */
/*
 * The examples of messages run as they stand: workers in C, in Python and in
 * shell, and a daemon that knows signals only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tree.h"

#define NGINX "/usr/sbin/nginx"

/* It writes what is published to the topic result to a file. */
#define EAR \
	"name: t\nchildren:\n" \
	"  - {id: ear, shell: 'exec cat <&8 >>@/ear', topics: [result]}\n"

static const char *
example(const char *variable, const char *name)
{
	static char path[512];
	const char *directory = getenv(variable);

	ck_assert_msg(directory != NULL, "%s must be set", variable);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* A worker answers in capitals, and ends with 0 when it is told to. */
static void
expect_worker(const char *command)
{
	struct tree tree;
	char text[2048];

	snprintf(text, sizeof(text),
	    EAR "  - {id: worker, command: [%s], messages: true, "
		"restart: transient}\n",
	    command);
	tree_start(&tree, text);
	tree_await_ready("");
	support_await_file(support_path("ear"), " result ready worker 0\n");
	tree_expect(0, ARGV("publish", "job", "work", "some words"));
	support_await_file(support_path("ear"),
	    " result done worker 10\nSOME WORDS\n");
	tree_expect(0, ARGV("publish", "job", "stop"));
	tree_expect(0, ARGV("wait", "worker"));
	tree_await_event("worker", "ended", 1);
	tree_stop(&tree, 0);
}

START_TEST(a_worker_in_c_uses_the_library)
{
	expect_worker(example("EXAMPLES_DIR", "messages/worker"));
}
END_TEST

START_TEST(a_worker_in_python_needs_no_library)
{
	char command[600];
	struct support_run r;

	if (support_execute(&r, "sh", "-c", "command -v python3", NULL) != 0) {
		support_finish(&r);
		SUPPORT_SKIP("no python3");
	}
	support_finish(&r);
	snprintf(command, sizeof(command), "python3, \"%s\"",
	    example("srcdir", "examples/messages/worker.py"));
	expect_worker(command);
}
END_TEST

static bool
serves(void *arg)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char answer[4096];
	size_t length = 0;
	ssize_t n = 0;
	int fd;

	strcpy(address.sun_path, support_path("http.sock"));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(fd, -1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) > 0) {
		do {
			length += (size_t)n;
			n = recv(fd, answer + length,
			    sizeof(answer) - 1 - length, 0);
		} while (n > 0);
	}
	close(fd);
	answer[length] = '\0';
	return strstr(answer, arg) != NULL;
}

START_TEST(a_daemon_reloads_on_an_event)
{
	char one[] = "\r\n\r\none\n", two[] = "\r\n\r\ntwo\n";
	struct tree tree;
	char *text;

	if (access(NGINX, X_OK) == -1)
		SUPPORT_SKIP("no nginx");
	support_file("answer.conf", 0644, "return 200 \"one\\n\";\n");
	text = support_slurp(example("srcdir", "examples/messages/nginx.yaml"));
	tree_start(&tree, text);
	free(text);
	tree_await_ready("nginx");
	ck_assert(serves(one));
	support_file("answer.conf", 0644, "return 200 \"two\\n\";\n");
	tree_expect(0, ARGV("publish", "config:nginx", "reload"));
	ck_assert(support_until(serves, two, SUPPORT_PATIENCE));
	tree_stop(&tree, 0);
}
END_TEST

/* Runs a script of the examples; which: its argument, or NULL. */
static int
call_script(struct support_run *r, const char *name, const char *which)
{
	const char *argv[] = { "sh", example("srcdir", name), which, NULL };
	char grouper[600], runtime[600];
	const char *env[] = { grouper, runtime, "GROUPER_SOCKET", NULL };
	struct support_command command = { .argv = argv, .env = env };

	snprintf(grouper, sizeof(grouper), "GROUPER=%s", support_grouper());
	snprintf(runtime, sizeof(runtime), "GROUPER_RUNTIME_DIR=%s",
	    support_directory());
	return support_call(r, &command);
}

/* _i: the worker that fails, 0 for none. */
START_TEST(a_script_ends_with_the_first_failure_of_its_workers)
{
	struct support_run r;
	int n;

	ck_assert_msg(call_script(&r, "examples/messages/four_workers.sh",
			  _i == 0 ? NULL : "3") == 3 * _i,
	    "status %d: %s%s", r.status, r.stdout_text.data,
	    r.stderr_text.data);
	for (n = 1; _i == 0 && n <= 4; n++) {
		char line[64];

		snprintf(line, sizeof(line),
		    "worker %d: room:%d: start {\"size\": 10}\n", n, n);
		ck_assert_msg(strstr(r.stdout_text.data, line) != NULL, "%s",
		    r.stdout_text.data);
	}
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(two_runs_side_by_side_never_meet)
{
	struct support_run r;

	ck_assert_msg(call_script(&r, "examples/messages/two_runs.sh", NULL) ==
		0,
	    "status %d: %s%s", r.status, r.stdout_text.data,
	    r.stderr_text.data);
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "run 1: test:case: passed 1\n"));
	ck_assert_ptr_nonnull(strstr(r.stdout_text.data,
	    "run 2: test:case: passed 2\n"));
	ck_assert_uint_eq(r.stdout_text.length,
	    2 * strlen("run 1: test:case: passed 1\n"));
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("talks");
	TCase *tc = support_case(s, "examples");

	tcase_add_test(tc, a_worker_in_c_uses_the_library);
	tcase_add_test(tc, a_worker_in_python_needs_no_library);
	tcase_add_test(tc, a_daemon_reloads_on_an_event);
	tcase_add_loop_test(tc,
	    a_script_ends_with_the_first_failure_of_its_workers, 0, 2);
	tcase_add_test(tc, two_runs_side_by_side_never_meet);
	return support_main(s, NULL);
}
