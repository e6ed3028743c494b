/* SPDX-License-Identifier: ISC */
/*
 * `grouper supervise` as a service: what it tells the service manager that
 * started it, which file it takes, and its logs that are rotated.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/util/fd.h"
#include "tree.h"

static int manager = -1; /* its socket */

/* What the next supervise is started with. */
static void
be_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(manager, -1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    support_path("manager"));
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
}

/* Starts it in the test's directory; the helpers of tree.h work then. */
static void
start(struct tree *tree, const char *text, const char *more)
{
	struct support_command command = { .directory = support_directory() };
	char socket_variable[512];

	tree_write(text);
	setenv("GROUPER_RUNTIME_DIR", support_directory(), 1);
	unsetenv("GROUPER_SOCKET");
	unsetenv("GROUPER_HOST");
	snprintf(socket_variable, sizeof(socket_variable), "NOTIFY_SOCKET=%s",
	    support_path("manager"));
	command.argv = ARGV(support_grouper(), "supervise", "tree.yaml");
	command.env = ARGV(socket_variable, more);
	support_start(&tree->host, &command);
}

/* The next datagram holds this line. */
static void
expect_told(const char *line)
{
	struct pollfd pfd = { .fd = manager, .events = POLLIN };
	char text[1024] = "\n", wanted[64];
	ssize_t n;

	ck_assert_int_eq(poll(&pfd, 1, SUPPORT_PATIENCE * support_scale()), 1);
	n = recv(manager, text + 1, sizeof(text) - 3, 0);
	ck_assert_int_gt(n, 0);
	strcpy(text + 1 + n, "\n");
	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	ck_assert_msg(strstr(text, wanted) != NULL, "'%s' in '%s'", line, text);
}

START_TEST(a_service_manager_is_told_of_each_step)
{
	struct tree tree;

	be_manager();
	start(&tree,
	    "name: t\nchildren:\n"
	    "  - {id: a, ready: fd:3, shell: 'echo $NOTIFY_SOCKET >@/seen; "
	    "echo >&3; exec sleep 1000'}\n",
	    NULL);
	expect_told("READY=1");
	support_signal(&tree.host, SIGHUP);
	expect_told("RELOADING=1");
	expect_told("READY=1");
	support_signal(&tree.host, SIGTERM);
	expect_told("STOPPING=1");
	tree_end(&tree, 0);
	/* Its socket is no child's. */
	support_await_file(support_path("seen"), "\n");
	fd_close(&manager);
}
END_TEST

static void
expect_nothing_told(void)
{
	char byte;

	ck_assert_int_eq(recv(manager, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(a_reload_tells_nothing_before_ready_and_after_stopping)
{
	struct tree tree;

	be_manager();
	start(&tree,
	    "name: t\nchildren:\n"
	    "  - id: a\n"
	    "    ready: fd:3\n"
	    "    shutdown: infinity\n"
	    "    shell: |\n"
	    "      trap 'until [ -e @/end ]; do sleep 0.1; done; exit 0' TERM\n"
	    "      echo >@/seen\n"
	    "      until [ -e @/go ]; do sleep 0.1; done\n"
	    "      echo >&3; exec 3>&-\n"
	    "      while :; do sleep 0.1; done\n",
	    NULL);
	support_await_file(support_path("seen"), "\n");
	tree_expect(0, ARGV("reload"));
	expect_nothing_told();
	support_file("go", 0644, "");
	expect_told("READY=1");
	support_signal(&tree.host, SIGTERM);
	expect_told("STOPPING=1");
	tree_expect(122, ARGV("reload"));
	expect_nothing_told();
	support_file("end", 0644, "");
	tree_end(&tree, 0);
	fd_close(&manager);
}
END_TEST

START_TEST(a_service_manager_gets_signs_of_life)
{
	struct tree tree;

	be_manager();
	start(&tree, "name: t\nchildren: []\n", "WATCHDOG_USEC=200000");
	expect_told("WATCHDOG=1");
	expect_told("READY=1");
	expect_told("WATCHDOG=1");
	expect_told("WATCHDOG=1");
	support_signal(&tree.host, SIGKILL);
	support_wait(&tree.host);
	support_finish(&tree.host);
	fd_close(&manager);
}
END_TEST

#define LOGS_TO(log) \
	"name: t\nchildren:\n" \
	"  - id: a\n" \
	"    log: " log "\n" \
	"    shell: |\n" \
	"      trap 'echo more' HUP; echo first\n" \
	"      while :; do sleep 0.05; done\n"

START_TEST(usr1_opens_logs_anew)
{
	char old[512];
	struct tree tree;

	tree_start(&tree, LOGS_TO("{file: @/log}"));
	support_await_file(support_path("log"), "first\n");
	snprintf(old, sizeof(old), "%s", support_path("log.old"));
	ck_assert_int_eq(rename(support_path("log"), old), 0);
	support_signal(&tree.host, SIGUSR1);
	support_await_file(support_path("log"), NULL);
	tree_expect(0, ARGV("signal", "HUP", "a"));
	support_await_file(support_path("log"), "more\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_reload_limits_a_log_that_is_open)
{
	struct tree tree;
	pid_t pid;

	tree_start(&tree, LOGS_TO("{file: @/log}"));
	support_await_file(support_path("log"), "first\n");
	tree_await_ready("a"); /* its words may come before its pid */
	pid = tree_pid("a");
	tree_write(LOGS_TO("{file: @/log, max_size: 8, keep: 1}"));
	tree_expect(0, ARGV("reload"));
	ck_assert_int_eq(tree_pid("a"), pid);
	tree_expect(0, ARGV("signal", "HUP", "a"));
	support_await_file(support_path("log.1"), "first\n");
	support_await_file(support_path("log"), "more\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_usual_file_is_found)
{
	static const char *const names[] = { "Procfile", "grouper.yml",
		"grouper.yaml" };
	static const char *const texts[] = { "a: exec echo procfile >>seen\n",
		"children: [{id: a, shell: 'echo yml >>seen', "
		"significant: true, restart: temporary}]\n"
		"auto_shutdown: any_significant\n",
		"children: [{id: a, shell: 'echo yaml >>seen', "
		"significant: true, restart: temporary}]\n"
		"auto_shutdown: any_significant\n" };
	struct support_command command = { .directory = support_directory() };
	struct support_run r;
	size_t i;

	command.argv = ARGV(support_grouper(), "supervise", "-q");
	ck_assert_int_eq(support_call(&r, &command), 2);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
	    "there is no grouper.yaml, grouper.yml or Procfile here"));
	support_finish(&r);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		support_file(names[i], 0644, texts[i]);
		support_call(&r, &command);
		support_finish(&r);
	}
	support_await_file(support_path("seen"), "procfile\n");
	support_await_file(support_path("seen"), "\nyml\nyaml\n");
}
END_TEST

START_TEST(more_than_one_file_is_refused)
{
	tree_refuses(2, "expected one FILE, got 'b' as well",
	    ARGV("supervise", "a", "b"));
	tree_refuses(2, "expected one FILE", ARGV("check"));
	tree_refuses(2, "--formation: expected a formation such as",
	    ARGV("check", "-m", "a", "Procfile"));
	tree_refuses(2, "--formation is for a Procfile",
	    ARGV("check", "--formation", "a=2", "tree.yaml"));
	tree_refuses(2, "--nonsense", ARGV("check", "--nonsense"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("supervise as a service");
	TCase *tc = support_case(suite, "service");

	tcase_add_test(tc, a_service_manager_is_told_of_each_step);
	tcase_add_test(tc,
	    a_reload_tells_nothing_before_ready_and_after_stopping);
	tcase_add_test(tc, a_service_manager_gets_signs_of_life);
	tcase_add_test(tc, usr1_opens_logs_anew);
	tcase_add_test(tc, a_reload_limits_a_log_that_is_open);
	tc = support_case(suite, "file");
	tcase_add_test(tc, the_usual_file_is_found);
	tcase_add_test(tc, more_than_one_file_is_refused);
	return support_main(suite, NULL);
}
