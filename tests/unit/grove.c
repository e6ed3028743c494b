/* SPDX-License-Identifier: ISC */
/*
 * A tree in the process of a test, see grove.h.
 */
#include "grove.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/incarnation.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/tree/tree.h"
#include "runtime/util/loop.h"

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

enum grouper_error
grove_on_reload(json_t **ignored, char **why, void *arg)
{
	struct grove *grove = arg;

	*ignored = NULL;
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
struct spec_tree *
grove_read_tree(const char *yaml)
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

void
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
	struct spec_tree *tree = grove_read_tree(yaml);
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
	grove->control = control_new(grove->supervisor, grove_on_reload, grove);
	ck_assert_ptr_nonnull(grove->control);
	ck_assert_int_eq(server_attach(grove->trial.host,
			     control_methods(grove->control)),
	    0);
	client_open(&grove->client, &grove->trial);
	supervisor_boot(grove->supervisor);
	spec_free(tree);
}

void
grove_turn(struct grove *grove, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		poll(NULL, 0, 1);
		event_base_loop(grove->trial.base, EVLOOP_NONBLOCK);
	}
}

bool
grove_is_over(void *arg)
{
	return ((struct grove *)arg)->over;
}

/* Frees what is over, the client last. */
void
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

void
grove_close(struct grove *grove)
{
	if (!grove->over)
		supervisor_shutdown(grove->supervisor, true);
	trial_until(&grove->trial, grove_is_over, grove);
	grove_free(grove);
}

enum machine_state
grove_state(const struct grove *grove, const char *key)
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

	return grove_state(wanted->grove, wanted->key) == wanted->state;
}

void
grove_await_state(struct grove *grove, const char *key,
    enum machine_state state)
{
	struct wanted wanted = { grove, key, state };

	trial_until(&grove->trial, has_state, &wanted);
}

pid_t
grove_pid(const struct grove *grove, const char *key)
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

	return grove_state(replaced->grove, replaced->key) == MACHINE_RUNNING &&
	    grove_pid(replaced->grove, replaced->key) != replaced->pid;
}

void
grove_await_another(struct grove *grove, const char *key, pid_t pid)
{
	struct replaced replaced = { grove, key, pid };

	trial_until(&grove->trial, has_another, &replaced);
}

pid_t
grove_leader_of(pid_t pid)
{
	struct support_process process;

	ck_assert(support_process(pid, &process));
	return process.ppid;
}

/* The result of a request, to be released. */
json_t *
grove_ask(struct grove *grove, const char *request)
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

void
grove_ask_only(struct grove *grove, const char *request)
{
	json_decref(grove_ask(grove, request));
}

void
grove_reload(struct grove *grove, const char *yaml)
{
	spec_free(grove->next);
	grove->next = grove_read_tree(yaml);
	grove_ask_only(grove, REQUEST("reload", "{}"));
}

/* Requests */
