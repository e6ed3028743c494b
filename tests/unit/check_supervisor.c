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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "runtime/group/host.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/tree/tree.h"
#include "runtime/util/loop.h"

#define INVALID_PARAMS (-32602)
#define LIVES(id) "  - {id: " id ", command: [sleep, '1000']}\n"

struct grove {
	struct trial trial;
	struct supervisor *supervisor;
	struct control *control;
	struct spec_tree *next; /* for a reload */
	bool over;
	int status; /* when it is */
	struct client client;
};

static void
on_end(int status, const char *text, void *arg)
{
	struct grove *grove = arg;

	(void)text;
	ck_assert(!grove->over);
	grove->over = true;
	grove->status = status;
}

static void
on_change(void *arg)
{
	struct grove *grove = arg;

	if (grove->control != NULL)
		control_changed(grove->control);
}

static void
on_ended(const char *key, int status, void *arg)
{
	struct grove *grove = arg;

	control_ended(grove->control, key, status);
}

static enum grouper_error
on_reload(char **why, void *arg)
{
	struct grove *grove = arg;

	return supervisor_reload(grove->supervisor, grove->next, why);
}

static int
find_user(const char *user, const char *group, struct launch_user *found,
    char **why)
{
	(void)user;
	(void)group;
	(void)why;
	found->uid = support_user();
	return 0;
}

static const struct launch_hooks hooks = { find_user, NULL };

/* "@" in the text is the test's directory. */
static struct spec_tree *
read_tree(const char *yaml)
{
	struct tree_problems problems;
	struct spec_tree *tree;
	size_t length;
	FILE *stream;
	char *text;

	stream = open_memstream(&text, &length);
	for (; *yaml != '\0'; yaml++)
		if (*yaml == '@')
			fputs(support_directory(), stream);
		else
			fputc(*yaml, stream);
	fclose(stream);
	tree_problems_init(&problems);
	tree = tree_load_text("tree.yaml", text, length, &problems);
	tree_problems_print(stderr, &problems, false);
	ck_assert_ptr_nonnull(tree);
	tree_problems_fini(&problems);
	free(text);
	return tree;
}

static void
grove_open(struct grove *grove, const char *yaml)
{
	struct grouper_host_options host = GROUPER_HOST_OPTIONS_INIT;
	struct supervisor_options options = { .hooks = &hooks,
		.directory = trial_runtime_directory(),
		.log = SPEC_LOG_DISCARD,
		.output = STDOUT_FILENO,
		.on_end = on_end,
		.on_change = on_change,
		.on_ended = on_ended,
		.arg = grove };
	struct spec_tree *tree = read_tree(yaml);
	struct loop *loop;

	memset(grove, 0, sizeof(*grove));
	host.name = "srv";
	grove->trial.base = event_base_new();
	loop = loop_new(grove->trial.base);
	ck_assert_int_eq(host_new(loop, &host, &grove->trial.host), GROUPER_OK);
	host_own_loop(grove->trial.host);
	options.host = grove->trial.host;
	options.tree = tree;
	grove->supervisor = supervisor_new(&options);
	ck_assert_ptr_nonnull(grove->supervisor);
	grove->control = control_new(grove->supervisor, on_reload, grove);
	ck_assert_ptr_nonnull(grove->control);
	ck_assert_int_eq(server_attach(grove->trial.host,
			     control_methods(grove->control)),
	    0);
	client_open(&grove->client, &grove->trial);
	supervisor_boot(grove->supervisor);
	spec_free(tree);
}

static void
turn(struct grove *grove, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		poll(NULL, 0, 1);
		event_base_loop(grove->trial.base, EVLOOP_NONBLOCK);
	}
}

static bool
is_over(void *arg)
{
	return ((struct grove *)arg)->over;
}

/* Frees what is over, the client last. */
static void
grove_free(struct grove *grove)
{
	host_close(grove->trial.host);
	control_free(grove->control);
	supervisor_free(grove->supervisor);
	grouper_host_free(grove->trial.host);
	event_base_free(grove->trial.base);
	spec_free(grove->next);
	client_close(&grove->client);
}

static void
grove_close(struct grove *grove)
{
	if (!grove->over)
		supervisor_shutdown(grove->supervisor, true);
	trial_until(&grove->trial, is_over, grove);
	grove_free(grove);
}

static enum machine_state
state_of(const struct grove *grove, const char *key)
{
	const struct machine_node *node;
	struct machine_view view;

	node = machine_find(supervisor_machine(grove->supervisor), key);
	if (node == NULL)
		return MACHINE_NSTATES;
	machine_view(node, &view);
	return view.state;
}

struct wanted {
	const struct grove *grove;
	const char *key;
	enum machine_state state;
};

static bool
has_state(void *arg)
{
	const struct wanted *wanted = arg;

	return state_of(wanted->grove, wanted->key) == wanted->state;
}

static void
await_state(struct grove *grove, const char *key, enum machine_state state)
{
	struct wanted wanted = { grove, key, state };

	trial_until(&grove->trial, has_state, &wanted);
}

static pid_t
pid_of(const struct grove *grove, const char *key)
{
	struct incarnation *run = supervisor_run(grove->supervisor, key);

	ck_assert_ptr_nonnull(run);
	return incarnation_pid(run);
}

struct replaced {
	const struct grove *grove;
	const char *key;
	pid_t pid;
};

static bool
has_another(void *arg)
{
	const struct replaced *replaced = arg;

	return state_of(replaced->grove, replaced->key) == MACHINE_RUNNING &&
	    pid_of(replaced->grove, replaced->key) != replaced->pid;
}

static void
await_another(struct grove *grove, const char *key, pid_t pid)
{
	struct replaced replaced = { grove, key, pid };

	trial_until(&grove->trial, has_another, &replaced);
}

static pid_t
leader_of(pid_t pid)
{
	struct support_process process;

	ck_assert(support_process(pid, &process));
	return process.ppid;
}

/* The result of a request, to be released. */
static json_t *
ask(struct grove *grove, const char *request)
{
	json_t *answer, *result;

	client_send(&grove->client, request);
	answer = client_answer(&grove->client);
	result = json_incref(json_object_get(answer, "result"));
	if (result == NULL)
		ck_abort_msg("%s: %s", request,
		    json_string_value(json_object_get(json_object_get(answer,
							  "error"),
			"message")));
	json_decref(answer);
	return result;
}

static void
ask_only(struct grove *grove, const char *request)
{
	json_decref(ask(grove, request));
}

static void
reload(struct grove *grove, const char *yaml)
{
	spec_free(grove->next);
	grove->next = read_tree(yaml);
	ask_only(grove, REQUEST("reload", "{}"));
}

/* Requests */

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
	ck_assert_int_eq(state_of(&grove, "a"), MACHINE_IDLE);
	ask_only(&grove, REQUEST("status", "{}"));
	grove_close(&grove);
}
END_TEST

START_TEST(scaling_idle_instances_to_nothing_is_done_at_once)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n  - {id: w, autostart: false, instances: 2, "
	    "command: ['true']}\n");
	ask_only(&grove, REQUEST("scale", "{\"key\":\"w\",\"instances\":0}"));
	ck_assert_int_eq(state_of(&grove, "w:1"), MACHINE_NSTATES);
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
	await_state(&grove, "w:2", MACHINE_RUNNING);
	n = strlcpy(request,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logs\",\"params\":"
	    "{\"lines\":9,\"keys\":[\"w\"",
	    sizeof(request));
	for (i = 0; i < 10000; i++)
		n += strlcpy(request + n, i % 2 == 0 ? ",\"w\"" : ",\"w:1\"",
		    sizeof(request) - n);
	strlcpy(request + n, "]}}\n", sizeof(request) - n);
	for (;;) {
		result = ask(&grove, request);
		n = json_array_size(json_object_get(result, "items"));
		json_decref(result);
		if (n == 2)
			break;
		ck_assert_uint_lt(n, 2); /* not yet written */
		turn(&grove, 1);
	}
	grove_close(&grove);
}
END_TEST

START_TEST(an_answer_is_sent_though_the_tree_ends_with_it)
{
	struct grove grove;
	json_t *answer;

	grove_open(&grove, "children:\n" LIVES("a"));
	await_state(&grove, "a", MACHINE_RUNNING);
	client_send(&grove.client,
	    REQUEST("wait", "{\"keys\":[\"a\"],\"for\":\"empty\"}"));
	turn(&grove, 5);
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
	await_state(&grove, "quiet", MACHINE_RUNNING);
	ask_only(&grove, FOLLOW("\"flood\",\"quiet\""));
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
	await_state(&grove, "a", MACHINE_RUNNING);
	ask_only(&grove, FOLLOW("\"a\""));
	support_file("go", 0644, "");
	expect_line(&grove, "x");
	/* Another client, since this one follows. */
	grove.next = read_tree("children:\n" LIVES("b"));
	ck_assert_int_eq(on_reload(&(char *) { NULL }, &grove), GROUPER_OK);
	await_state(&grove, "a", MACHINE_NSTATES);
	spec_free(grove.next);
	grove.next = read_tree("children:\n" LIVES(
	    "b") "  - {id: a, shell: 'echo a longer line; echo second; echo third; "
		 "exec sleep 1000'}\n");
	ck_assert_int_eq(on_reload(&(char *) { NULL }, &grove), GROUPER_OK);
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
	await_state(&grove, "a", MACHINE_RUNNING);
	ask_only(&grove, FOLLOW("\"a\""));
	support_file("go", 0644, "");
	expect_line(&grove,
	    "a\xef\xbf\xbd"
	    "b");
	expect_line(&grove, "\xef\xbf\xbd");
	grove_close(&grove);
}
END_TEST

static void
notify(const char *socket_name, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strlcpy(address.sun_path, support_path(socket_name),
	    sizeof(address.sun_path));
	ck_assert_int_ne(sendto(fd, text, strlen(text), 0,
			     (struct sockaddr *)&address, sizeof(address)),
	    -1);
	close(fd);
}

START_TEST(what_children_say_is_an_event_once_and_of_any_bytes)
{
	struct grove grove;
	json_t *result, *event;
	char said[64] = "";
	size_t i;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, ready: notify, command: [sleep, '1000']}\n");
	await_state(&grove, "a", MACHINE_WAITING);
	notify("runtime/srv.2.notify", "STATUS=x\xff\n");
	notify("runtime/srv.2.notify", "STATUS=x\xff\n");
	notify("runtime/srv.2.notify", "STATUS=y\nREADY=1");
	await_state(&grove, "a", MACHINE_RUNNING);
	result = ask(&grove, REQUEST("events", "{\"since\":1}"));
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
	turn(&grove, 2 * _i);
	if (_i % 5 == 0)
		ask_only(&grove,
		    REQUEST("restart", "{\"key\":\"a\",\"wait\":false}"));
	supervisor_shutdown(grove.supervisor, false);
	if (_i % 2 == 0)
		supervisor_shutdown(grove.supervisor, true);
	trial_until(&grove.trial, is_over, &grove);
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
	await_state(&grove, "a", MACHINE_WAITING);
	turn(&grove, 5);
	reload(&grove, "children:\n" LIVES("b") LIVES("c"));
	await_state(&grove, "b", MACHINE_RUNNING);
	await_state(&grove, "c", MACHINE_RUNNING);
	ck_assert_int_eq(state_of(&grove, "a"), MACHINE_NSTATES);
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
	await_state(&grove, "a", MACHINE_RUNNING);
	pid = pid_of(&grove, "a");
	ask_only(&grove, REQUEST("stop", "{\"key\":\"a\",\"wait\":false}"));
	turn(&grove, 5);
	ck_assert_int_eq(state_of(&grove, "a"), MACHINE_STOPPING);
	ask_only(&grove, REQUEST("restart", "{\"key\":\"a\",\"wait\":false}"));
	support_file("go", 0644, "");
	await_another(&grove, "a", pid);
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
	await_state(&grove, "in/x", MACHINE_RUNNING);
	pid = pid_of(&grove, "in/x");
	ck_assert_int_eq(kill(leader_of(pid), SIGKILL), 0);
	await_another(&grove, "in/x", pid);
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
	await_state(grove, key, MACHINE_RUNNING);
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
	pid = pid_of(&grove, "a");
	leader = leader_of(pid);
	supervisor_shutdown(grove.supervisor, false);
	trial_until(&grove.trial, is_over, &grove);
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
	pid = pid_of(&grove, "in/x");
	leader = leader_of(pid);
	ask_only(&grove,
	    REQUEST("restart", "{\"key\":\"in/x\",\"wait\":false}"));
	/* It is lost, and so is each new one: the tree fails. */
	trial_until(&grove.trial, is_over, &grove);
	ck_assert_int_ne(grove.status, 0);
	ck_assert_int_eq(leader_of(pid), leader);
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
	pid = pid_of(&grove, "a");
	leader = leader_of(pid);
	client_fails(&grove.client, REQUEST("stop", "{\"key\":\"a\"}"),
	    -32000 - GROUPER_UNKILLABLE);
	reload(&grove, "children:\n" LIVES("b"));
	ck_assert_int_eq(state_of(&grove, "a"), MACHINE_NSTATES);
	reload(&grove, "children:\n" LIVES("b") "  - " DEAF("a"));
	await_state(&grove, "a", MACHINE_IDLE);
	ck_assert_int_eq(state_of(&grove, "b"), MACHINE_RUNNING);
	end_unkillable(pid, leader);
	trial_until(&grove.trial, runs_no_more, &grove);
	ask_only(&grove, REQUEST("start", "{\"key\":\"a\"}"));
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
