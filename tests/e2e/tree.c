/* SPDX-License-Identifier: ISC */
/*
 * A running tree, see tree.h.
 */
#include "tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 24
#define WAIT_MS 20000

static const char *const environment[] = { "GROUPER_SOCKET", "GROUPER_HOST",
	"GROUPER_EVENTS_FD", "GROUPER_COMMANDS_FD", "NOTIFY_SOCKET", "NO_COLOR",
	NULL };

static void
use_directory(void)
{
	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
}

void
tree_write(const char *text)
{
	const char *directory = support_directory(), *at;
	size_t length;
	FILE *stream;
	char *copy;

	stream = open_memstream(&copy, &length);
	ck_assert_ptr_nonnull(stream);
	for (at = text; *at != '\0'; at++)
		if (*at == '@')
			fputs(directory, stream);
		else
			fputc(*at, stream);
	fclose(stream);
	support_file("tree.yaml", 0644, copy);
	free(copy);
}

/* Starts grouper with these arguments, in a directory or our own. */
static void
begin(struct support_run *r, const char *const *argv, const char *directory)
{
	const char *words[ARGS_MAX] = { support_grouper() };
	struct support_command command = { .argv = words,
		.env = environment,
		.directory = directory };
	size_t i;

	for (i = 0; argv[i] != NULL; i++) {
		ck_assert_uint_lt(i + 2, ARGS_MAX);
		words[i + 1] = argv[i];
	}
	support_start(r, &command);
}

void
tree_start_by(struct tree *tree, const char *text, const char *const *argv)
{
	use_directory();
	tree_write(text);
	begin(&tree->host, argv, support_directory());
}

void
tree_start(struct tree *tree, const char *text)
{
	tree_start_by(tree, text, ARGV("supervise", "tree.yaml"));
}

static void
call(struct support_run *r, const char *const *argv)
{
	begin(r, argv, NULL);
	support_wait_for(r, WAIT_MS);
}

int
tree_ask(char **out, const char *const *argv)
{
	struct support_run r;
	int status;

	call(&r, argv);
	if (out != NULL) {
		*out = strdup(r.stdout_text.data);
		ck_assert_ptr_nonnull(*out);
	}
	status = r.status;
	support_finish(&r);
	return status;
}

void
tree_expect(int status, const char *const *argv)
{
	char *out;
	int result = tree_ask(&out, argv);

	ck_assert_msg(result == status, "%s: status %d: %s", argv[0], result,
	    out);
	free(out);
}

void
tree_prints(const char *text, const char *const *argv)
{
	struct support_run r;

	call(&r, argv);
	ck_assert_msg(r.status == 0, "%s: status %d: %s", argv[0], r.status,
	    r.stderr_text.data);
	ck_assert_str_eq(r.stdout_text.data, text);
	support_finish(&r);
}

void
tree_refuses(int status, const char *text, const char *const *argv)
{
	struct support_run r;
	const char *said;

	call(&r, argv);
	said = r.stderr_text.data;
	ck_assert_msg(r.status == status, "%s: status %d: %s", argv[0],
	    r.status, said);
	ck_assert_str_eq(r.stdout_text.data, "");
	ck_assert_msg(strstr(said, text) != NULL, "%s: %s", argv[0], said);
	ck_assert_msg(strchr(said, '\n') == said + strlen(said) - 1, "%s",
	    said);
	support_finish(&r);
}

struct asking {
	const char *const *argv;
};

static bool
answers(void *arg)
{
	const struct asking *asking = arg;

	return tree_ask(NULL, asking->argv) == 0;
}

/* Until its socket is there, nobody answers. */
static void
await_answer(const char *const *argv)
{
	struct asking asking = { argv };

	ck_assert_msg(support_until(answers, &asking, WAIT_MS),
	    "%s did not succeed", argv[0]);
}

void
tree_await_ready(const char *key)
{
	await_answer(ARGV("wait", "--ready", "--timeout", "15s", key));
}

void
tree_await_ready_at(const char *host, const char *key)
{
	await_answer(ARGV("wait", "--ready", "--host", host, "--timeout", "15s",
	    key));
}

/* Depth first. */
static json_t *
find(json_t *list, const char *key)
{
	json_t *child, *below;
	size_t i;

	json_array_foreach(list, i, child) {
		if (strcmp(json_string_value(json_object_get(child, "key")),
			key) == 0)
			return child;
		below = find(json_object_get(child, "children"), key);
		if (below != NULL)
			return below;
	}
	return NULL;
}

int
tree_script(struct support_run *r, const char *text)
{
	struct support_command command = { .argv = ARGV("sh", "-c", text),
		.env = ARGV("GROUPER_SOCKET", "GROUPER_HOST"),
		.directory = support_directory() };

	setenv("G", support_grouper(), 1);
	return support_call(r, &command);
}

void
tree_script_prints(int status, const char *output, const char *text)
{
	struct support_run r;
	int result = tree_script(&r, text);

	ck_assert_msg(result == status, "status %d: %s%s", result,
	    r.stdout_text.data, r.stderr_text.data);
	ck_assert_str_eq(r.stdout_text.data, output);
	support_finish(&r);
}

json_t *
tree_child(const char *key)
{
	json_t *status, *child;
	char *out;

	ck_assert_int_eq(tree_ask(&out, ARGV("status", "--json")), 0);
	status = json_loads(out, 0, NULL);
	ck_assert_msg(status != NULL, "%s", out);
	child = find(json_object_get(status, "tree"), key);
	ck_assert_msg(child != NULL, "no %s in %s", key, out);
	json_incref(child);
	json_decref(status);
	free(out);
	return child;
}

pid_t
tree_pid(const char *key)
{
	json_t *child = tree_child(key);
	pid_t pid = (pid_t)json_integer_value(json_object_get(child, "pid"));

	json_decref(child);
	return pid;
}

char *
tree_state(const char *key)
{
	json_t *child = tree_child(key);
	char *state =
	    strdup(json_string_value(json_object_get(child, "state")));

	json_decref(child);
	return state;
}

static bool
has_memory(void *arg)
{
	json_t *child = tree_child(*(const char **)arg);
	bool has = json_integer_value(json_object_get(child, "memory")) > 0;

	json_decref(child);
	return has;
}

void
tree_await_memory(const char *key)
{
	ck_assert(support_until(has_memory, &key, WAIT_MS));
}

void
tree_expect_state(const char *key, const char *state)
{
	char *found = tree_state(key);

	ck_assert_str_eq(found, state);
	free(found);
}

void
tree_expect_log(const char *text)
{
	char *log = support_slurp(support_path("log"));

	ck_assert_str_eq(log, text);
	free(log);
}

struct expected_event {
	const char *key;
	const char *type;
	size_t count;
};

static size_t
count_events(const char *text, const char *key, const char *type)
{
	char *copy = strdup(text), *line, *next = copy;
	size_t count = 0;
	json_t *event;

	while ((line = strsep(&next, "\n")) != NULL) {
		event = json_loads(line, 0, NULL);
		if (event == NULL)
			continue;
		count +=
		    strcmp(json_string_value(json_object_get(event, "type")),
			type) == 0 &&
		    strcmp(json_string_value(json_object_get(event, "key")),
			key) == 0;
		json_decref(event);
	}
	free(copy);
	return count;
}

static bool
has_come(void *arg)
{
	const struct expected_event *expected = arg;
	size_t count = 0;
	char *out;

	if (tree_ask(&out,
		ARGV("events", "--json", "--since", "1", "--no-follow")) == 0)
		count = count_events(out, expected->key, expected->type);
	free(out);
	return count >= expected->count;
}

void
tree_await_event(const char *key, const char *type, size_t count)
{
	struct expected_event expected = { key, type, count };

	ck_assert_msg(support_until(has_come, &expected, WAIT_MS),
	    "%s: %s has not come %zu times", key, type, count);
}

void
tree_end(struct tree *tree, int status)
{
	int result = support_wait_for(&tree->host, WAIT_MS);

	ck_assert_msg(result == status, "status %d: %s%s", result,
	    tree->host.stdout_text.data, tree->host.stderr_text.data);
	support_assert_no_survivors();
	support_finish(&tree->host);
}

void
tree_stop(struct tree *tree, int status)
{
	support_signal(&tree->host, SIGTERM);
	tree_end(tree, status);
}
