/* SPDX-License-Identifier: ISC */
/*
 * `grouper spawn` and `grouper host`: groups that are added to a running host.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/control/client.h"
#include "tree.h"

#define ONE "children:\n  - {id: a, command: [sleep, '1000']}\n"
#define WORDS_MAX 24

/* Calls grouper from the test's directory; to be finished. */
static int
call(struct support_run *r, const char *const *argv)
{
	const char *words[WORDS_MAX] = { support_grouper() };
	struct support_command command = { .argv = words,
		.directory = support_directory() };
	size_t i;

	for (i = 0; argv[i] != NULL; i++) {
		ck_assert_uint_lt(i, WORDS_MAX - 2);
		words[i + 1] = argv[i];
	}
	return support_call(r, &command);
}

/* Expects this on standard output. */
static void
expect_key(const char *key, const char *const *argv)
{
	struct support_run r;
	int status = call(&r, argv);

	ck_assert_msg(status == 0, "status %d: %s", status, r.stderr_text.data);
	ck_assert_str_eq(r.stdout_text.data, key);
	support_finish(&r);
}

/* Expects that it fails and says this, and prints nothing. */
static void
expect_failure(int status, const char *says, const char *const *argv)
{
	struct support_run r;
	int result = call(&r, argv);

	ck_assert_msg(result == status, "%s: status %d: %s", argv[0], result,
	    r.stderr_text.data);
	ck_assert_msg(strstr(r.stderr_text.data, says) != NULL, "%s",
	    r.stderr_text.data);
	ck_assert_str_eq(r.stdout_text.data, "");
	support_finish(&r);
}

static void
expect_state(const char *key, const char *state)
{
	char *is = tree_state(key);

	ck_assert_str_eq(is, state);
	free(is);
}

static void
start_one(struct tree *tree)
{
	tree_start(tree, ONE);
	tree_await_ready("a");
}

/* Keys */

START_TEST(the_key_is_the_command_and_the_lowest_number)
{
	struct tree tree;

	start_one(&tree);
	expect_key("sleep:1\n", ARGV("spawn", "--", "sleep", "1000"));
	expect_key("sleep:2\n", ARGV("spawn", "/bin/sleep", "1000"));
	expect_state("sleep:1", "running");
	tree_expect(0, ARGV("stop", "sleep:1"));
	tree_expect(1, ARGV("status", "sleep:1"));
	/* Until then the number is that of a status. */
	tree_expect(128 + SIGTERM, ARGV("wait", "sleep:1"));
	expect_key("sleep:1\n", ARGV("spawn", "sleep", "1000"));
	expect_key("sh:1\n", ARGV("spawn", "--shell", "sleep 1000; :"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_key_can_be_chosen_once)
{
	struct tree tree;

	start_one(&tree);
	expect_key("mine\n", ARGV("spawn", "--key", "mine", "sleep", "1000"));
	expect_failure(1, "mine: already started",
	    ARGV("spawn", "--key", "mine", "sleep", "1000"));
	expect_failure(1, "a: already started",
	    ARGV("spawn", "--key", "a", "sleep", "1000"));
	expect_failure(2, "--key: expected",
	    ARGV("spawn", "--key", "a/b", "sleep", "1000"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_supervisor_can_be_chosen)
{
	struct tree tree;

	tree_start(&tree,
	    "children:\n"
	    "  - id: in\n    supervisor:\n      children:\n"
	    "        - {id: a, command: [sleep, '1000']}\n");
	tree_await_ready("in/a");
	expect_key("in/sleep:1\n",
	    ARGV("spawn", "--supervisor", "in", "sleep", "1000"));
	expect_state("in/sleep:1", "running");
	expect_failure(1, "supervisor in/a: it is a command",
	    ARGV("spawn", "--supervisor", "in/a", "true"));
	expect_failure(1, "supervisor none: not found",
	    ARGV("spawn", "--supervisor", "none", "true"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_answer_can_be_json)
{
	struct support_run r;
	struct tree tree;
	json_t *answer;

	start_one(&tree);
	ck_assert_int_eq(call(&r, ARGV("spawn", "--json", "sleep", "1000")), 0);
	answer = json_loads(r.stdout_text.data, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "key")),
	    "sleep:1");
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "pid")),
	    tree_pid("sleep:1"));
	json_decref(answer);
	support_finish(&r);
	tree_stop(&tree, 0);
}
END_TEST

/* What it starts with */

START_TEST(it_has_the_caller_s_surroundings)
{
	struct support_run r;
	char script[2048];
	struct tree tree;

	setenv("OF_THE_HOST", "1", 1);
	start_one(&tree);
	unsetenv("OF_THE_HOST");
	ck_assert_int_eq(mkdir(support_path("sub"), 0755), 0);
	snprintf(script, sizeof(script),
	    "cd '%s' && umask 027 && OF_THE_CALLER='a b' exec '%s' spawn "
	    "--env MORE=2 --log prefix -- sh -c 'pwd; umask; "
	    "echo \"$OF_THE_CALLER,$MORE,${OF_THE_HOST-unset},$GROUPER_KEY\"; "
	    "echo end' >'%s' 2>&1",
	    support_path("sub"), support_grouper(), support_path("key"));
	ck_assert_int_eq(support_execute(&r, "sh", "-c", script, NULL), 0);
	support_finish(&r);
	support_await_stdout(&tree.host, "/sub\n");
	support_await_stdout(&tree.host, "0027\n");
	support_await_stdout(&tree.host, "a b,2,unset,sh:1\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(options_change_them)
{
	struct tree tree;
	char nice[16];

	snprintf(nice, sizeof(nice), "| %d\n",
	    getpriority(PRIO_PROCESS, 0) + 3);
	start_one(&tree);
	ck_assert_int_eq(mkdir(support_path("sub"), 0755), 0);
	expect_key("sh:1\n",
	    ARGV("spawn", "--log", "prefix", "--cwd", "sub", "--umask", "077",
		"--nice", "3", "--limits", "nofile=100:200", "--shutdown",
		"USR1 10s", "--", "sh", "-c",
		"trap 'echo got usr; exit' USR1; pwd; umask; nice; "
		"ulimit -Sn; ulimit -Hn; echo armed; "
		"while :; do sleep 1000 & wait; done"));
	support_await_stdout(&tree.host, "/sub\n");
	support_await_stdout(&tree.host, "0077\n");
	support_await_stdout(&tree.host, nice);
	support_await_stdout(&tree.host, "| 100\n");
	support_await_stdout(&tree.host, "| 200\n");
	support_await_stdout(&tree.host, "armed\n");
	tree_expect(0, ARGV("stop", "sh:1"));
	support_await_stdout(&tree.host, "got usr\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(arguments_may_be_any_bytes)
{
	struct tree tree;
	char *out;

	start_one(&tree);
	expect_key("sh:1\n",
	    ARGV("spawn", "--", "sh", "-c",
		"printf '%s' \"$1\" >\"$2\"; echo . >>\"$2\"", "sh",
		"\xff\xfe \"x\"\n", support_path("out")));
	support_await_file(support_path("out"), ".\n");
	out = support_slurp(support_path("out"));
	ck_assert_str_eq(out, "\xff\xfe \"x\"\n.\n");
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(arguments_may_be_too_long)
{
	static char text[120000];
	struct tree tree;

	start_one(&tree);
	memset(text, 0xff, sizeof(text) - 1); /* each is four in JSON */
	expect_failure(1, "longer than",
	    ARGV("spawn", "true", text, text, text, text, text, text, text,
		text, text));
	tree_stop(&tree, 0);
}
END_TEST

/* What becomes of it */

START_TEST(a_command_that_ends_at_once_was_started)
{
	struct tree tree;

	start_one(&tree);
	expect_key("true:1\n", ARGV("spawn", "true"));
	tree_await_event("true:1", "removed", 1);
	tree_expect(1, ARGV("status", "true:1"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_command_that_cannot_run_is_told)
{
	struct tree tree;

	start_one(&tree);
	expect_failure(1, "cannot execute",
	    ARGV("spawn", "--key", "x", "/nonexistent/program"));
	tree_await_event("x", "removed", 1);
	tree_expect(1, ARGV("status", "x"));
	expect_failure(1, "cannot enter the directory",
	    ARGV("spawn", "--cwd", "none", "true"));
	expect_state("a", "running");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(it_is_restarted_if_asked_for)
{
	struct tree tree;

	start_one(&tree);
	expect_key("x\n",
	    ARGV("spawn", "--key", "x", "--restart", "permanent", "sleep",
		"1000"));
	ck_assert_int_eq(kill(tree_pid("x"), SIGKILL), 0);
	tree_await_event("x", "started", 2);
	expect_key("y\n", ARGV("spawn", "--key", "y", "sleep", "1000"));
	ck_assert_int_eq(kill(tree_pid("y"), SIGKILL), 0);
	tree_await_event("y", "removed", 1);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_was_spawned_may_spawn)
{
	struct tree tree;

	start_one(&tree);
	expect_key("sh:1\n",
	    ARGV("spawn", "--", "sh", "-c",
		"\"$0\" spawn -q --key inner sleep 1000; exec sleep 1000",
		support_grouper()));
	tree_await_event("inner", "started", 1);
	tree_expect(0, ARGV("stop", "sh:1"));
	expect_state("inner", "running");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(misuse_of_spawn_is_told)
{
	expect_failure(2, "expected a command", ARGV("spawn"));
	expect_failure(2, "expected a command", ARGV("spawn", "--"));
	expect_failure(2, "unknown option", ARGV("spawn", "--nonsense", "x"));
	expect_failure(2, "--restart: expected",
	    ARGV("spawn", "--restart", "often", "true"));
	expect_failure(2, "--nice: expected",
	    ARGV("spawn", "--nice", "very", "true"));
	expect_failure(2, "--shutdown: expected",
	    ARGV("spawn", "--shutdown", "SIGNONE", "true"));
	expect_failure(2, "--log: expected",
	    ARGV("spawn", "--log", "file:", "true"));
	expect_failure(2, "--shell takes",
	    ARGV("spawn", "--shell", "true", "true"));
	expect_failure(1, "no host is named",
	    ARGV("spawn", "--host", "none", "true"));
}
END_TEST

/* The method itself, without the verb that would refuse these. */

static const struct {
	const char *name;
	const char *value;
} bad_params[] = {
	{ "argv", "[]" },
	{ "argv", "[\"\"]" },
	{ "argv", "\"true\"" },
	{ "argv", "[[116, 0]]" },
	{ "argv", "[[116, 256]]" },
	{ "argv", "[[\"t\"]]" },
	{ "argv", "[5]" },
	{ "env", "null" },
	{ "env", "[\"NAME\"]" },
	{ "env", "[\"=VALUE\"]" },
	{ "cwd", "5" },
	{ "cwd", "\"here\"" },
	{ "umask", "512" },
	{ "umask", "\"022\"" },
	{ "nice", "41" },
	{ "restart", "\"often\"" },
	{ "contain", "1" },
	{ "stop_target", "\"nobody\"" },
	{ "shutdown", "5" },
	{ "shutdown", "\"SIGNONE\"" },
	{ "limits", "\"nofile=5\"" },
	{ "limits", "[7]" },
	{ "limits", "[[7, -2, 5]]" },
	{ "key", "5" },
	{ "supervisor", "5" },
	{ "force", "1" },
	{ "key", "\"a:1\"" },
	{ "log", "\"nowhere\"" },
	{ "log", "{\"file\": \"here\"}" },
	{ "uid", "5" },
	{ "ready", "\"fd:2\"" },
	{ "ready_timeout", "-1" },
	{ "topics", "[\":a\"]" },
	{ "messages", "1" },
	{ "on_event", "{\"a\": \"HUP\"}" },
	{ "fds", "[1]" },
	{ "fds", "1" },
};
#define BAD_PARAMS (sizeof(bad_params) / sizeof(bad_params[0]))

/* A tree whose child tells where the host listens. */
#define TELLS(ready) \
	"children:\n  - {id: a, ready: " ready \
	", shell: 'echo $GROUPER_SOCKET >@/socket; exec sleep 1000'}\n"

static struct client *
connect_to_tree(void)
{
	struct client *client;
	char *path;

	support_await_file(support_path("socket"), "\n");
	path = support_slurp(support_path("socket"));
	path[strcspn(path, "\n")] = '\0';
	client = client_connect(path, CLIENT_TRUSTS_OWN, CLIENT_CONNECT_MS);
	ck_assert_ptr_nonnull(client);
	free(path);
	return client;
}

START_TEST(bad_params_are_refused)
{
	struct client *client;
	json_t *params, *result;
	struct tree tree;
	size_t i;

	tree_start(&tree, TELLS("started"));
	client = connect_to_tree();
	for (i = 0; i < BAD_PARAMS; i++) {
		params = json_pack("{s:[s], s:[s], s:s, s:i}", "argv", "true",
		    "env", "A=B", "cwd", "/", "umask", 022);
		json_object_set_new(params, bad_params[i].name,
		    json_loads(bad_params[i].value, JSON_DECODE_ANY, NULL));
		ck_assert_msg(client_call(client, "spawn", params, -1,
				  &result) == GROUPER_INVALID,
		    "%s: %s", bad_params[i].name, bad_params[i].value);
		ck_assert_msg(strncmp(client_error(client), "expected ", 9) ==
			0,
		    "%s", client_error(client));
	}
	ck_assert_int_eq(client_call(client, "spawn", json_object(), -1,
			     &result),
	    GROUPER_INVALID);
	ck_assert_int_eq(client_call(client, "plan",
			     json_pack("{s:s}", "path", "tree.yaml"), -1,
			     &result),
	    GROUPER_INVALID);
	client_free(client);
	tree_stop(&tree, 0);
}
END_TEST

/* What it waits for never comes: its turn is after a child that hangs. */
START_TEST(a_caller_may_leave_before_the_answer)
{
	struct client *client;
	struct tree tree;
	json_t *result;

	tree_start(&tree, TELLS("fd:3"));
	client = connect_to_tree();
	ck_assert_int_eq(client_call(client, "spawn",
			     json_pack("{s:[s], s:[], s:s, s:i}", "argv",
				 "true", "env", "cwd", "/", "umask", 022),
			     100, &result),
	    GROUPER_TIMED_OUT);
	client_free(client);
	expect_state("true:1", "pending");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_child_may_be_stopped_before_it_started)
{
	struct support_command command = { .argv = NULL };
	struct support_run r;
	struct tree tree;

	tree_start(&tree, TELLS("fd:3"));
	support_await_file(support_path("socket"), "\n");
	command.argv = ARGV(support_grouper(), "spawn", "true");
	support_start(&r, &command);
	tree_await_event("true:1", "added", 1);
	tree_expect(0, ARGV("stop", "true:1"));
	ck_assert_int_eq(support_wait(&r), 1);
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "stopped before"));
	support_finish(&r);
	tree_stop(&tree, 0);
}
END_TEST

/* The empty host */

/* Its descriptor 0 is the control descriptor; its socket, to be freed. */
static char *
start_host(struct tree *tree, bool controlled)
{
	struct support_command command = { .input_open = controlled };
	char *socket, *end;

	command.argv = controlled ?
	    ARGV(support_grouper(), "host", "--control-fd", "0") :
	    ARGV(support_grouper(), "host", "--name", "empty");
	support_start(&tree->host, &command);
	support_await_stdout(&tree->host, ".sock\n");
	socket = strdup(tree->host.stdout_text.data);
	end = strchr(socket, '\n');
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	return socket;
}

START_TEST(a_host_ends_with_its_control_descriptor)
{
	struct tree tree;
	char *socket = start_host(&tree, true);

	expect_key("sh:1\n",
	    ARGV("spawn", "-s", socket, "--", "sh", "-c",
		"setsid sleep 1000 & exec sleep 1000"));
	support_feed(&tree.host, "what is written means nothing\n");
	expect_key("sleep:1\n", ARGV("spawn", "-s", socket, "sleep", "1000"));
	support_feed_end(&tree.host);
	tree_end(&tree, 0);
	ck_assert_int_eq(access(socket, F_OK), -1);
	free(socket);
}
END_TEST

START_TEST(a_host_without_one_ends_on_a_signal)
{
	struct tree tree;
	char *socket = start_host(&tree, false);

	tree_expect(0, ARGV("status", "--host", "empty"));
	expect_key("sleep:1\n",
	    ARGV("spawn", "--host", "empty", "sleep", "1000"));
	tree_stop(&tree, 0);
	free(socket);
}
END_TEST

START_TEST(an_empty_host_lives_on_when_its_last_group_ends)
{
	struct tree tree;
	char *socket = start_host(&tree, true);

	expect_key("true:1\n", ARGV("spawn", "true"));
	tree_await_event("true:1", "removed", 1);
	expect_key("sleep:1\n", ARGV("spawn", "sleep", "1000"));
	support_feed_end(&tree.host);
	tree_end(&tree, 0);
	free(socket);
}
END_TEST

START_TEST(an_empty_host_has_nothing_to_reload)
{
	struct tree tree;
	char *socket = start_host(&tree, true);

	expect_failure(1, "no tree file", ARGV("reload"));
	expect_failure(1, "no tree file", ARGV("plan", "tree.yaml"));
	support_signal(&tree.host, SIGHUP);
	support_await_stderr(&tree.host, "no tree file");
	tree_stop(&tree, 0);
	free(socket);
}
END_TEST

START_TEST(misuse_of_host_is_told)
{
	expect_failure(2, "expected no more arguments, got 'x'",
	    ARGV("host", "x"));
	expect_failure(2, "--control-fd: expected",
	    ARGV("host", "--control-fd", "x"));
	expect_failure(2, "--control-fd: expected",
	    ARGV("host", "--control-fd", "77"));
	/* Standard output can only be written to. */
	expect_failure(2, "--control-fd: expected",
	    ARGV("host", "--control-fd", "1"));
	/* Nobody holds the other end of /dev/null. */
	expect_failure(2, "expected a pipe or a socket",
	    ARGV("host", "--control-fd", "0"));
	expect_failure(2, "--name: expected", ARGV("host", "--name", "a/b"));
	expect_failure(2, "unknown option", ARGV("host", "--nonsense"));
}
END_TEST

static void
add_spawn(Suite *suite)
{
	TCase *tc;

	tc = support_case(suite, "keys");
	tcase_add_test(tc, the_key_is_the_command_and_the_lowest_number);
	tcase_add_test(tc, a_key_can_be_chosen_once);
	tcase_add_test(tc, a_supervisor_can_be_chosen);
	tcase_add_test(tc, the_answer_can_be_json);
	tc = support_case(suite, "surroundings");
	tcase_add_test(tc, it_has_the_caller_s_surroundings);
	tcase_add_test(tc, options_change_them);
	tcase_add_test(tc, arguments_may_be_any_bytes);
	tcase_add_test(tc, arguments_may_be_too_long);
	tc = support_case(suite, "life");
	tcase_add_test(tc, a_command_that_ends_at_once_was_started);
	tcase_add_test(tc, a_command_that_cannot_run_is_told);
	tcase_add_test(tc, it_is_restarted_if_asked_for);
	tcase_add_test(tc, what_was_spawned_may_spawn);
	tcase_add_test(tc, misuse_of_spawn_is_told);
	tc = support_case(suite, "method");
	tcase_add_test(tc, bad_params_are_refused);
	tcase_add_test(tc, a_caller_may_leave_before_the_answer);
	tcase_add_test(tc, a_child_may_be_stopped_before_it_started);
}

int
main(void)
{
	Suite *suite = suite_create("spawn");
	TCase *tc;

	add_spawn(suite);
	tc = support_case(suite, "host");
	tcase_add_test(tc, a_host_ends_with_its_control_descriptor);
	tcase_add_test(tc, a_host_without_one_ends_on_a_signal);
	tcase_add_test(tc, an_empty_host_lives_on_when_its_last_group_ends);
	tcase_add_test(tc, an_empty_host_has_nothing_to_reload);
	tcase_add_test(tc, misuse_of_host_is_told);
	return support_main(suite, NULL);
}
