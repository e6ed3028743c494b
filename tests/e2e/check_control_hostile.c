/* SPDX-License-Identifier: ISC */
/*
 * What nobody should send to a running tree, and too much of it.  After each
 * the tree runs on, and another client is served meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tree.h"

#define LIVES(id) "  - {id: " id ", command: [sleep, '1000']}\n"
#define REQUEST(method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method \
	"\",\"params\":" params "}\n"
#define PATIENCE (SUPPORT_PATIENCE * support_scale())

static uid_t owner; /* of the host */

static void
start(struct tree *tree, const char *children)
{
	char *text;

	owner = geteuid();
	ck_assert_int_ne(asprintf(&text, "name: h\nchildren:\n%s", children),
	    -1);
	tree_start(tree, text);
	free(text);
}

/* Where what the test starts has its sockets. */
static const char *
runtime_path(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "run-%u/%s", (unsigned int)owner, name);
	return support_path(path);
}

/* A connection of ours, not blocking; -1 if the queue is full. */
static int
try_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ne(fd, -1);
	strlcpy(address.sun_path, runtime_path("h.sock"),
	    sizeof(address.sun_path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	return -1;
}

static int
open_connection(void)
{
	long long deadline = support_now() + PATIENCE;
	int fd;

	while ((fd = try_connect()) == -1) {
		ck_assert_int_lt(support_now(), deadline);
		poll(NULL, 0, 10);
	}
	return fd;
}

/* Sends as much as is taken; false when the host ended the connection. */
static bool
say(int fd, const char *text, size_t length)
{
	struct pollfd pollfd = { fd, POLLOUT, 0 };
	ssize_t n;

	while (length > 0) {
		ck_assert_int_eq(poll(&pollfd, 1, PATIENCE), 1);
		n = send(fd, text, length, MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			continue;
		if (n == -1)
			return false;
		text += n;
		length -= (size_t)n;
	}
	return true;
}

static void
say_text(int fd, const char *text)
{
	ck_assert(say(fd, text, strlen(text)));
}

/* The next line, without its newline; "" at the end of the connection. */
static char *
hear(int fd)
{
	struct pollfd pollfd = { fd, POLLIN, 0 };
	size_t length = 0, room = 256;
	char *line = malloc(room), *grown;
	ssize_t n;

	for (;;) {
		ck_assert_int_eq(poll(&pollfd, 1, PATIENCE), 1);
		n = recv(fd, line + length, 1, 0);
		if (n <= 0 || line[length] == '\n')
			break;
		if (++length == room) {
			grown = realloc(line, room *= 2);
			ck_assert_ptr_nonnull(grown);
			line = grown;
		}
	}
	line[n <= 0 ? 0 : length] = '\0';
	return line;
}

/* The code of the error that is answered; 0 for a result, 1 for the end. */
static int
hear_code(int fd)
{
	char *line = hear(fd);
	json_t *answer = json_loads(line, 0, NULL);
	int code;

	if (line[0] == '\0')
		code = 1;
	else
		code = (int)
		    json_integer_value(json_object_get(json_object_get(answer,
							   "error"),
			"code"));
	ck_assert_msg(line[0] == '\0' || json_is_object(answer), "%s", line);
	json_decref(answer);
	free(line);
	return code;
}

/* The host is well: the tree runs, and whoever asks is answered. */
static void
expect_well(void)
{
	char *state;

	tree_expect(0, ARGV("status"));
	state = tree_state("a");
	ck_assert_str_eq(state, "running");
	free(state);
}

/* As many as may be had. */
static void
raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static const struct {
	const char *text;
	int code;
} broken[] = {
	{ "\n", -32700 },
	{ "\x80\xff\n", -32700 },
	{ "{\"jsonrpc\":\"2.0\"\n", -32700 },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"method\":\"ps\"}\n",
	    -32700 },
	{ "{\"a\":1e999}\n", -32700 },
	{ "{\"a\":99999999999999999999}\n", -32700 },
	{ "[]\n", -32600 },
	{ "null\n", -32700 },
	{ "{\"method\":\"status\"}\n", -32600 },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":[]}\n", -32600 },
	{ REQUEST("status", "[]"), -32600 },
	{ REQUEST("shutdown", "{}"), -32601 },
	{ REQUEST("start", "{\"key\":{}}"), -32602 },
	{ REQUEST("wait", "{\"keys\":[[]],\"for\":\"ended\"}"), -32602 },
	{ REQUEST("stop", "{\"key\":\"none\"}"), -32005 },
	{ REQUEST("stop", "{\"key\":\"\"}"), -32005 },
	{ REQUEST("stop", "{\"key\":\"a/../a\"}"), -32005 },
};

START_TEST(what_is_broken_is_answered_by_its_error)
{
	struct tree tree;
	size_t i;
	int fd;

	start(&tree, LIVES("a"));
	tree_await_ready("a");
	fd = open_connection();
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		int code;

		say_text(fd, broken[i].text);
		code = hear_code(fd);
		ck_assert_msg(code == broken[i].code, "%s: %d", broken[i].text,
		    code);
	}
	close(fd);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_line_of_sixteen_megabytes_ends_its_connection)
{
	const size_t size = (size_t)16 << 20;
	char *line = malloc(size);
	struct tree tree;
	int fd;

	memset(line, '[', size);
	start(&tree, LIVES("a"));
	tree_await_ready("a");
	fd = open_connection();
	ck_assert(!say(fd, line, size));
	close(fd);
	expect_well();
	free(line);
	tree_stop(&tree, 0);
}
END_TEST

/* As deep as a line may be: parsed or not, it is answered. */
START_TEST(deep_nesting_is_answered)
{
	static char line[500001];
	struct tree tree;
	int fd;

	memset(line, '[', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	start(&tree, LIVES("a"));
	tree_await_ready("a");
	fd = open_connection();
	ck_assert(say(fd, line, sizeof(line)));
	ck_assert_int_eq(hear_code(fd), -32700);
	close(fd);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

#define IDLE 10000

START_TEST(ten_thousand_idle_connections_make_room)
{
	static int fds[IDLE];
	struct rlimit limit;
	struct tree tree;
	size_t count, wanted, i;

	raise_limit();
	getrlimit(RLIMIT_NOFILE, &limit);
	wanted = limit.rlim_cur - 100 < IDLE ? limit.rlim_cur - 100 : IDLE;
	start(&tree, LIVES("a"));
	tree_await_ready("a");
	/* Till the queue is full: what more would come waits in connect(2). */
	for (count = 0; count < wanted; count++)
		if ((fds[count] = try_connect()) == -1)
			break;
	ck_assert_uint_gt(count, 100);
	expect_well();
	for (i = 0; i < count; i++)
		close(fds[i]);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_client_that_reads_no_answers_holds_up_nobody)
{
	struct tree tree;
	struct pollfd pollfd;
	int fd;

	start(&tree, LIVES("a"));
	tree_await_ready("a");
	fd = open_connection();
	pollfd = (struct pollfd) { fd, POLLOUT, 0 };
	/* Until it has been told that enough is enough. */
	while (poll(&pollfd, 1, 200) == 1)
		if (send(fd, REQUEST("status", "{}"),
			strlen(REQUEST("status", "{}")), MSG_NOSIGNAL) == -1)
			ck_assert_int_eq(errno, EAGAIN);
	expect_well();
	close(fd);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(clients_that_leave_in_the_middle_harm_nobody)
{
	static const char *const texts[] = {
		REQUEST("status", "{}"),
		REQUEST("wait", "{\"keys\":[\"a\"],\"for\":\"ended\"}"),
		REQUEST("events", "{\"since\":1,\"follow\":true}"),
		REQUEST("logs",
		    "{\"keys\":[\"a\"],\"lines\":9,\"follow\":true}"),
		REQUEST("restart", "{\"key\":\"b\"}"),
		"{\"jsonrpc\":",
	};
	struct tree tree;
	int i, fd;

	start(&tree, LIVES("a") LIVES("b"));
	tree_await_ready("b");
	for (i = 0; i < 120; i++) {
		fd = open_connection();
		say_text(fd, texts[i % 6]);
		if (i % 4 == 1)
			shutdown(fd, SHUT_WR);
		if (i % 4 == 2)
			shutdown(fd, SHUT_RD);
		if (i % 4 == 3)
			poll(NULL, 0, 1);
		close(fd);
	}
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(who_closes_its_writing_side_is_answered)
{
	struct tree tree;
	int fd;

	start(&tree, LIVES("a") LIVES("b"));
	tree_await_ready("b");
	fd = open_connection();
	say_text(fd, REQUEST("wait", "{\"keys\":[\"b\"],\"for\":\"ended\"}"));
	shutdown(fd, SHUT_WR);
	tree_expect(0, ARGV("stop", "b"));
	ck_assert_int_eq(hear_code(fd), 0);
	ck_assert_int_eq(hear_code(fd), 1);
	close(fd);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_thousand_waits_leave_room_for_others)
{
	static int fds[1000];
	struct tree tree;
	size_t i, errors = 0, ends = 0;
	int code;

	raise_limit();
	start(&tree, LIVES("a") LIVES("b"));
	tree_await_ready("b");
	for (i = 0; i < 200; i++) {
		int n;

		fds[i] = open_connection();
		for (n = 0; n < 5; n++)
			say_text(fds[i],
			    REQUEST("wait",
				"{\"keys\":[\"b\"],\"for\":\"ended\"}"));
	}
	expect_well();
	tree_expect(0, ARGV("stop", "b"));
	/* Each is answered: by an error, or when it has ended. */
	for (i = 0; i < 1000; i++) {
		code = hear_code(fds[i / 5]);
		errors += code == -32015;
		ends += code == 0;
	}
	ck_assert_uint_eq(errors + ends, 1000);
	ck_assert_uint_gt(ends, 10);
	for (i = 0; i < 200; i++)
		close(fds[i]);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_flood_that_is_followed_holds_up_nobody)
{
	struct tree tree;
	int reads, deaf, i;
	char *line;

	start(&tree,
	    LIVES("a") "  - {id: b, log: discard, command: ['yes', "
		       "'something to say']}\n");
	tree_await_ready("b");
	reads = open_connection();
	deaf = open_connection();
	say_text(reads,
	    REQUEST("logs", "{\"keys\":[\"b\"],\"lines\":0,\"follow\":true}"));
	say_text(deaf,
	    REQUEST("logs", "{\"keys\":[\"b\"],\"lines\":0,\"follow\":true}"));
	for (i = 0; i < 100; i++) {
		line = hear(reads);
		ck_assert_ptr_nonnull(strstr(line,
		    i == 0 ? "items" : "something"));
		free(line);
	}
	expect_well();
	/* And it may ask for something else meanwhile. */
	say_text(reads, REQUEST("ps", "{\"key\":\"a\"}"));
	do {
		line = hear(reads);
		i = strstr(line, "groups") != NULL;
		free(line);
	} while (!i);
	tree_expect(0, ARGV("stop", "b"));
	expect_well();
	close(reads);
	close(deaf);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_tree_of_two_thousand_children_is_shown)
{
	struct tree tree;
	json_t *child;

	start(&tree,
	    LIVES("a") "  - {id: w, instances: 2000, autostart: false, "
		       "command: [sleep, '1000']}\n"
		       "  - {id: r, instances: 40, command: [sleep, "
		       "'1000']}\n");
	tree_await_ready("a");
	child = tree_child("w:2000");
	json_decref(child);
	tree_expect(0, ARGV("ps"));
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

static void
ask_as_another(void)
{
	uid_t uid = support_user();
	int fd, code, i;

	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	fd = open_connection();
	say_text(fd, REQUEST("stop", "{\"key\":\"a\"}"));
	ck_assert_int_eq(hear_code(fd), -32600);
	say_text(fd, REQUEST("ident", "{}"));
	ck_assert_int_eq(hear_code(fd), -32004);
	close(fd);
	/* More than it may have, all at once: none is answered wrongly. */
	for (i = 0; i < 150; i++) {
		fd = open_connection();
		if (say(fd, REQUEST("reload", "{}"),
			strlen(REQUEST("reload", "{}")))) {
			code = hear_code(fd);
			ck_assert(code == -32600 || code == 1);
		}
	}
	_exit(0);
}

START_TEST(another_user_may_do_nothing)
{
	struct tree tree;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		SUPPORT_SKIP("only root's hosts serve others");
	start(&tree, LIVES("a"));
	tree_await_ready("a");
	ck_assert_int_eq(chmod(runtime_path(""), 0711), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		ask_as_another();
	support_await_gone(pid);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	expect_well();
	tree_stop(&tree, 0);
}
END_TEST

/* The host of an ordinary user; scripts have the path of its socket in S. */
static void
start_of_user(struct tree *tree)
{
	owner = support_user();
	tree_write("name: h\nchildren:\n  - {id: a, shell: "
		   "'echo up; exec sleep 1000'}\n");
	support_start(&tree->host,
	    &(struct support_command) {
		.argv = ARGV(support_grouper(), "supervise", "tree.yaml"),
		.env = ARGV("GROUPER_SOCKET", "GROUPER_HOST"),
		.directory = support_directory(),
		.uid = owner });
	support_await_stdout(&tree->host, "up");
	setenv("S", runtime_path("h.sock"), 1);
}

START_TEST(root_steers_a_users_host_by_its_socket)
{
	const char *why;
	struct tree tree;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	start_of_user(&tree);
	tree_script_prints(0, "a\n", "$G status --keys -s $S");
	tree_script_prints(0, "", "$G restart -s $S a");
	tree_script_prints(7, "b\n",
	    "$G spawn --key b -s $S -- sh -c 'exit 7' && "
	    "$G wait -s $S b");
	tree_stop(&tree, 0);
}
END_TEST

/* It may be one that su kept: who gave it must not get what root says. */
START_TEST(root_does_not_believe_an_environment_of_a_users)
{
	const char *why;
	struct tree tree;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	start_of_user(&tree);
	tree_script_prints(1, "",
	    "GROUPER_SOCKET=$S $G status 2>said; e=$?; "
	    "grep -q 'another user.*unless --socket' said && exit $e");
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control_hostile");
	TCase *tc;

	tc = support_case(suite, "lines");
	tcase_add_test(tc, what_is_broken_is_answered_by_its_error);
	tcase_add_test(tc, a_line_of_sixteen_megabytes_ends_its_connection);
	tcase_add_test(tc, deep_nesting_is_answered);
	tc = support_case(suite, "clients");
	tcase_add_test(tc, ten_thousand_idle_connections_make_room);
	tcase_add_test(tc, a_client_that_reads_no_answers_holds_up_nobody);
	tcase_add_test(tc, clients_that_leave_in_the_middle_harm_nobody);
	tcase_add_test(tc, who_closes_its_writing_side_is_answered);
	tcase_add_test(tc, another_user_may_do_nothing);
	tcase_add_test(tc, root_steers_a_users_host_by_its_socket);
	tcase_add_test(tc, root_does_not_believe_an_environment_of_a_users);
	tc = support_case(suite, "much");
	tcase_add_test(tc, a_thousand_waits_leave_room_for_others);
	tcase_add_test(tc, a_flood_that_is_followed_holds_up_nobody);
	tcase_add_test(tc, a_tree_of_two_thousand_children_is_shown);
	return support_main(suite, NULL);
}
