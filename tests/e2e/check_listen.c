/* SPDX-License-Identifier: ISC */
/*
 * grouper listen, outside of groups and inside.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#define BARE "name: t\nchildren: []\n"

/* Events of one burst. */
#define SAID 1000
#define LAST_SAID "\n1000\ta\te\tdefault\tx\n"

static void
open_tree(struct tree *tree, const char *text)
{
	ck_assert_int_eq(symlink(support_grouper(), support_path("grouper")),
	    0);
	tree_start(tree, text);
	tree_await_ready("");
}

/* A verb that runs beside the test, and is subscribed when it returns. */
struct ear {
	struct support_run run;
	int ready; /* to read from */
};

static void
close_in_child(void *arg)
{
	const int *fds = arg;

	dup2(fds[1], 7);
	fcntl(7, F_SETFD, 0);
}

/* options: behind "listen". */
static void
open_ear(struct ear *ear, const char *const *options)
{
	const char *words[24] = { support_grouper(), "listen", "--ready-fd",
		"7" };
	struct support_command command = { .argv = words,
		.prepare = close_in_child };
	char line[8];
	size_t i;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	for (i = 0; options[i] != NULL; i++)
		words[i + 4] = options[i];
	command.prepare_arg = fds;
	support_start(&ear->run, &command);
	close(fds[1]);
	support_read_line(fds[0], line, sizeof(line));
	close(fds[0]);
}

static void
close_ear(struct ear *ear, int status, const char *printed)
{
	int result = support_wait(&ear->run);

	ck_assert_msg(result == status, "status %d: %s", result,
	    ear->run.stderr_text.data);
	ck_assert_str_eq(ear->run.stdout_text.data, printed);
	support_finish(&ear->run);
}

static void
publish_bytes(const char *bytes)
{
	struct support_command command = { .argv = ARGV(support_grouper(),
					       "publish", "a", "e", "-"),
		.input = bytes };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &command), 0);
	support_finish(&r);
}

START_TEST(events_are_lines_of_five_fields)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree, BARE);
	open_ear(&ear, ARGV("-n", "3", "room:*", "b"));
	tree_expect(0, ARGV("publish", "room:a", "one", "{\"x\": 1}"));
	tree_expect(0, ARGV("publish", "c", "none"));
	tree_prints("reached 1 member\n", ARGV("publish", "-v", "b", "two"));
	tree_expect(0, ARGV("publish", "room:b", "three", "--", "-1"));
	close_ear(&ear, 0,
	    "1\troom:a\tone\t-\t{\"x\": 1}\n3\tb\ttwo\t-\t\n"
	    "4\troom:b\tthree\t-\t-1\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_would_break_a_line_is_escaped)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree, BARE);
	open_ear(&ear, ARGV("-n", "4", "a"));
	publish_bytes("a\tb\nc\\ \033[m\r\177");
	publish_bytes("\303\244 \342\202\254 \302\233 \303\237");
	publish_bytes("\377\303\244");
	publish_bytes("end");
	close_ear(&ear, 0,
	    "1\ta\te\t-\ta\\tb\\nc\\\\ \\^[[m\\r\\^?\n"
	    "2\ta\te\t-\t\303\244 \342\202\254 \\M-B\\M^[ \303\237\n"
	    "3\ta\te\t-\t\\M^?\\M-C\\M-$\n"
	    "4\ta\te\t-\tend\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(events_are_json_objects_on_request)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree, BARE);
	open_ear(&ear, ARGV("--json", "--count", "2", "a"));
	publish_bytes("\"\303\244\"\n");
	publish_bytes("\377\376\375");
	close_ear(&ear, 0,
	    "{\"seq\":1,\"topic\":\"a\",\"event\":\"e\",\"from\":null,"
	    "\"payload\":\"\\\"\303\244\\\"\\n\"}\n"
	    "{\"seq\":2,\"topic\":\"a\",\"event\":\"e\",\"from\":null,"
	    "\"payload_base64\":\"//79\"}\n");
	tree_stop(&tree, 0);
}
END_TEST

/* What the host keeps for a listener that reads nothing, kB; half of it. */
#define KEPT_SLOW 1000

struct growth {
	pid_t host;
	long than; /* kB */
};

static bool
has_grown(void *arg)
{
	const struct growth *growth = arg;

	return support_private_memory(growth->host) > growth->than;
}

static bool
has_shrunk(void *arg)
{
	return !has_grown(arg);
}

START_TEST(memory_that_a_slow_listener_cost_is_given_back)
{
	struct growth growth;
	struct tree tree;
	struct ear ear;

	if (getenv("GROUPER_SANITIZERS") != NULL)
		SUPPORT_SKIP("a sanitizer has a heap of its own");
	open_tree(&tree,
	    "children:\n"
	    "  - id: w\n"
	    "    messages: true\n"
	    "    shell: 'while [ ! -e @/go ]; do sleep 0.01; done; "
	    "yes \"$(printf \"P a e 1\\nx\")\" >&9'\n");
	open_ear(&ear, ARGV("a"));
	growth.host = tree.host.pid;
	growth.than = support_private_memory(growth.host) + KEPT_SLOW;
	kill(ear.run.pid, SIGSTOP);
	support_file("go", 0644, "");
	ck_assert(support_until(has_grown, &growth, SUPPORT_PATIENCE));
	/* Something that stays, behind all that. */
	tree_expect(0, ARGV("config", "put", "key", "1"));
	tree_expect(0, ARGV("stop", "w"));
	kill(ear.run.pid, SIGKILL);
	ck_assert(support_until(has_shrunk, &growth, SUPPORT_PATIENCE));
	support_wait(&ear.run);
	support_finish(&ear.run);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_sender_is_the_group_of_who_publishes)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, shell: 'while [ ! -e @/go ]; do sleep 0.01; done; "
	    "(setsid @/grouper publish a e); exec sleep 1000'}\n");
	open_ear(&ear, ARGV("-n1", "a"));
	support_file("go", 0644, "");
	close_ear(&ear, 0, "1\ta\te\tw\t\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(without_an_event_in_time_it_ends_with_124)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_expect(124, ARGV("listen", "--timeout", "50ms", "a"));
	tree_expect(124, ARGV("listen", "--timeout", "0", "-n", "1", "a"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(it_ends_with_the_host)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree, BARE);
	open_ear(&ear, ARGV("a"));
	tree_expect(0, ARGV("publish", "a", "e"));
	support_await_stdout(&ear.run, "1\ta\te\t-\t\n");
	support_signal(&tree.host, SIGTERM);
	close_ear(&ear, 1, "1\ta\te\t-\t\n");
	tree_end(&tree, 0);
}
END_TEST

/* More than a socket holds, and more than the host reads in one turn. */
START_TEST(what_a_run_says_last_is_heard)
{
	static char frames[SAID * (sizeof("P a e 1\nx\n") - 1) + 1];
	struct support_command command = { .argv = ARGV(support_grouper(),
					       "run", "--name", "r",
					       "--messages", "--", "sh", "-c",
					       "echo up; read x < go\n"
					       "cat frames >&9"),
		.directory = support_directory() };
	struct support_run run;
	struct ear ear;
	int i, fd;

	for (i = 0; i < SAID; i++)
		strcat(frames + i * 10, "P a e 1\nx\n");
	support_file("frames", 0600, frames);
	ck_assert_int_eq(mkfifo(support_path("go"), 0600), 0);
	support_start(&run, &command);
	support_await_stdout(&run, "up\n");
	open_ear(&ear, ARGV("--host", "r", "a"));
	fd = open(support_path("go"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(support_wait(&run), 0);
	ck_assert_int_eq(support_wait(&ear.run), 1);
	ck_assert_ptr_nonnull(strstr(ear.run.stdout_text.data, LAST_SAID));
	support_finish(&ear.run);
	support_finish(&run);
}
END_TEST

START_TEST(presence_comes_between_events)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, command: [sleep, '1000'], topics: ['room:*', x]}\n");
	open_ear(&ear, ARGV("--presence", "-n1", "room:a"));
	tree_expect(0, ARGV("stop", "w"));
	tree_expect(0, ARGV("start", "w"));
	tree_expect(0, ARGV("publish", "room:a", "e"));
	close_ear(&ear, 0,
	    "leave\troom:*\tw\njoin\troom:*\tw\n1\troom:a\te\t-\t\n");
	open_ear(&ear, ARGV("--presence", "--json", "x"));
	tree_expect(0, ARGV("stop", "w"));
	support_await_stdout(&ear.run,
	    "{\"presence\":\"leave\",\"topic\":\"x\",\"key\":\"w\"}\n");
	support_signal(&ear.run, SIGTERM);
	support_wait(&ear.run);
	support_finish(&ear.run);
	tree_stop(&tree, 0);
}
END_TEST

/* More than sockets and the host keep for one client. */
static void
publish_much(void)
{
	size_t length = (size_t)1 << 20, i;
	char *text = malloc(length + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', length);
	text[length] = '\0';
	for (i = 0; i < 8; i++)
		publish_bytes(text);
	free(text);
}

START_TEST(lost_events_are_told)
{
	struct tree tree;
	struct ear ear;
	long long lost;
	char *at;

	open_tree(&tree, BARE);
	open_ear(&ear, ARGV("a"));
	support_signal(&ear.run, SIGSTOP);
	support_await_state(ear.run.pid, "T");
	publish_much();
	support_signal(&ear.run, SIGCONT);
	support_await_stdout(&ear.run, "\nlost\t");
	tree_expect(0, ARGV("publish", "a", "last"));
	support_await_stdout(&ear.run, "\ta\tlast\t-\t\n");
	at = strstr(ear.run.stdout_text.data, "\nlost\t");
	lost = strtoll(at + 6, NULL, 10);
	ck_assert_int_gt(lost, 0);
	ck_assert_int_lt(lost, 8);
	support_signal(&ear.run, SIGTERM);
	support_wait(&ear.run);
	support_finish(&ear.run);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_command_runs_for_each_event)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree, BARE);
	open_ear(&ear,
	    ARGV("-n", "2", "a", "--exec",
		"echo \"$GROUPER_SEQ $GROUPER_TOPIC $GROUPER_EVENT "
		"[$GROUPER_FROM] $(cat)\"; sleep 0.01; exit 3"));
	tree_expect(0, ARGV("publish", "a", "one", "x  y"));
	tree_expect(0, ARGV("publish", "a", "two", "z"));
	support_await_stderr(&ear.run, "ended with status 3");
	close_ear(&ear, 0, "1 a one [] x  y\n2 a two [] z\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_command_that_fails_may_end_it)
{
	struct tree tree;
	struct ear ear;

	open_tree(&tree, BARE);
	open_ear(&ear,
	    ARGV("--exit", "--exec", "[ $GROUPER_EVENT = good ]", "a"));
	tree_expect(0, ARGV("publish", "a", "good"));
	tree_expect(0, ARGV("publish", "a", "bad"));
	close_ear(&ear, 1, "");
	open_ear(&ear, ARGV("--exit", "--exec", "kill -KILL $$", "a"));
	tree_expect(0, ARGV("publish", "a", "e"));
	support_await_stderr(&ear.run, "was ended by SIGKILL");
	close_ear(&ear, 128 + SIGKILL, "");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_command_need_not_read_its_payload)
{
	char *text = malloc((size_t)1 << 20);
	struct tree tree;
	struct ear ear;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', (size_t)1 << 20);
	text[((size_t)1 << 20) - 1] = '\0';
	open_tree(&tree, BARE);
	open_ear(&ear, ARGV("-n1", "--exec", "echo done", "a"));
	publish_bytes(text);
	close_ear(&ear, 0, "done\n");
	open_ear(&ear, ARGV("-n1", "--exec", "wc -c", "a"));
	publish_bytes(text);
	close_ear(&ear, 0, "1048575\n");
	free(text);
	tree_stop(&tree, 0);
}
END_TEST

/* Inside a group */

START_TEST(a_member_reads_its_own_pipe)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, topics: [a], ready: fd:3, shell: '"
	    "@/grouper listen -n 3 --ready-fd 3 b >@/out 3>&3; "
	    "exec sleep 1000'}\n");
	tree_await_ready("w");
	tree_prints("1\nw\n", ARGV("presence", "b"));
	tree_prints("reached 1 member\n", ARGV("publish", "-v", "a", "e"));
	tree_prints("reached 1 member\n", ARGV("publish", "-v", "b", "e"));
	tree_expect(0, ARGV("publish", "c", "e"));
	tree_expect(0, ARGV("publish", "a", "e", "x"));
	support_await_file(support_path("out"),
	    "1\ta\te\t-\t\n2\tb\te\t-\t\n4\ta\te\t-\tx\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(who_reads_next_has_all_that_follows)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, topics: [a], shell: 'while [ ! -e @/go ]; do "
	    "sleep 0.01; done; @/grouper listen -n 1 >>@/out; "
	    "@/grouper listen --timeout 0 >>@/out; "
	    "read -r frame <&8; echo \"$frame\" >>@/out; read -r line <&8; "
	    "@/grouper listen -n 1 >>@/out; exec sleep 1000'}\n");
	tree_expect(0, ARGV("publish", "a", "one", "x"));
	tree_expect(0, ARGV("publish", "a", "two", "yy"));
	tree_expect(0, ARGV("publish", "a", "three"));
	tree_expect(0, ARGV("publish", "a", "four"));
	support_file("go", 0644, "");
	support_await_file(support_path("out"), "four");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_group_without_pipes_gets_them_on_request)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, ready: fd:3, shell: '"
	    "@/grouper listen --member -n 2 --ready-fd 3 a >@/out; "
	    "exec sleep 1000'}\n");
	tree_await_ready("w");
	tree_expect(0, ARGV("register", "me"));
	tree_prints("1\nw\n", ARGV("presence", "a"));
	tree_expect(0, ARGV("publish", "a", "one"));
	tree_expect(0, ARGV("publish", "a", "two"));
	support_await_file(support_path("out"),
	    "1\ta\tone\t-\t\n2\ta\ttwo\t-\t\n");
	tree_refuses(122, "in no group", ARGV("listen", "--member", "a"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(two_of_a_group_do_not_share_its_pipe_on_request)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, ready: fd:3, shell: '"
	    "@/grouper listen --member --ready-fd 4 a 4>@/held & "
	    "while [ ! -s @/held ]; do sleep 0.01; done; "
	    "@/grouper listen --member a 2>@/err; echo $? >>@/err; "
	    "echo >&3; exec 3>&-; wait'}\n");
	tree_await_ready("w");
	support_await_file(support_path("err"),
	    "another process reads the pipe of the group\n1\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Its pipes are in use, or it has none: the socket serves as well. */
START_TEST(a_member_without_the_pipes_listens_by_the_socket)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, topics: [x], ready: fd:3, shell: '"
	    "(exec 8<&- 9>&-; exec @/grouper listen -n 1 --ready-fd 3 a >@/out)"
	    "; exec sleep 1000'}\n");
	tree_await_ready("w");
	tree_prints("0\n", ARGV("presence", "a"));
	tree_prints("reached 1 member\n", ARGV("publish", "-v", "a", "e"));
	support_await_file(support_path("out"), "1\ta\te\t-\t\n");
	tree_refuses(2, "expected a PATTERN", ARGV("listen"));
	tree_stop(&tree, 0);
}
END_TEST

/* Two pipes are its host, which reads the request and then no more. */
START_TEST(a_member_that_will_not_be_subscribed_is_told)
{
	const char *const options[] = { support_grouper(), "listen",
		"--ready-fd", "2", "a", NULL };
	char events[32], commands[32], line[8];
	struct support_command command = { .argv = options,
		.env = ARGV(events, commands) };
	struct support_run r;
	int down[2], up[2];

	ck_assert_int_eq(pipe(down), 0);
	ck_assert_int_eq(pipe(up), 0);
	fcntl(down[1], F_SETFD, FD_CLOEXEC);
	fcntl(up[0], F_SETFD, FD_CLOEXEC);
	snprintf(events, sizeof(events), "GROUPER_EVENTS_FD=%d", down[0]);
	snprintf(commands, sizeof(commands), "GROUPER_COMMANDS_FD=%d", up[1]);
	support_start(&r, &command);
	support_read_line(up[0], line, sizeof(line));
	ck_assert_str_eq(line, "S a");
	close(up[0]);
	ck_assert_int_eq(support_wait(&r), 1);
	ck_assert_str_eq(r.stderr_text.data,
	    "grouper listen: the host does not read the pipe of the group any "
	    "more\n");
	support_finish(&r);
	close(down[0]);
	close(down[1]);
	close(up[1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listen");
	TCase *tc;

	tc = support_case(suite, "lines");
	tcase_add_test(tc, events_are_lines_of_five_fields);
	tcase_add_test(tc, what_would_break_a_line_is_escaped);
	tcase_add_test(tc, events_are_json_objects_on_request);
	tcase_add_test(tc, memory_that_a_slow_listener_cost_is_given_back);
	tcase_add_test(tc, the_sender_is_the_group_of_who_publishes);
	tcase_add_test(tc, without_an_event_in_time_it_ends_with_124);
	tcase_add_test(tc, it_ends_with_the_host);
	tcase_add_test(tc, what_a_run_says_last_is_heard);
	tcase_add_test(tc, presence_comes_between_events);
	tcase_add_test(tc, lost_events_are_told);
	tc = support_case(suite, "commands");
	tcase_add_test(tc, a_command_runs_for_each_event);
	tcase_add_test(tc, a_command_that_fails_may_end_it);
	tcase_add_test(tc, a_command_need_not_read_its_payload);
	tc = support_case(suite, "members");
	tcase_add_test(tc, a_member_reads_its_own_pipe);
	tcase_add_test(tc, who_reads_next_has_all_that_follows);
	tcase_add_test(tc, a_group_without_pipes_gets_them_on_request);
	tcase_add_test(tc, two_of_a_group_do_not_share_its_pipe_on_request);
	tcase_add_test(tc, a_member_without_the_pipes_listens_by_the_socket);
	tcase_add_test(tc, a_member_that_will_not_be_subscribed_is_told);
	return support_main(suite, NULL);
}
