/* SPDX-License-Identifier: ISC */
/*
 * From JSON to the specification of a child, see spawn_params.h.
 */
#include "runtime/supervise/spawn_params.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/topic.h"
#include "runtime/supervise/spawn_text.h"
#include "runtime/util/parse.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

/* Params.  Each function returns what it expected, or NULL. */

static const char no_memory[] = "less, since memory ran out";

static void
free_texts(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* room: for entries that are to come.  NULL: it is no list of texts. */
static char **
texts_of(const json_t *array, size_t room)
{
	const json_t *item;
	char **list;
	size_t i;

	if (!json_is_array(array))
		return NULL;
	list = calloc(json_array_size(array) + room + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	json_array_foreach(array, i, item) {
		list[i] = spawn_text_of(item);
		if (list[i] == NULL) {
			free_texts(list);
			return NULL;
		}
	}
	return list;
}

static const char *
take_argv(struct spec_child *child, const json_t *params)
{
	char **argv = texts_of(json_object_get(params, "argv"), 0);

	child->command->argv = argv;
	return argv == NULL || argv[0] == NULL || argv[0][0] == '\0' ?
	    "argv: a command and its arguments" :
	    NULL;
}

static bool
sets(char *const *list, const char *name, size_t length)
{
	size_t i;

	for (i = 0; list[i] != NULL; i++)
		if (strncmp(list[i], name, length) == 0 &&
		    list[i][length] == '=')
			return true;
	return false;
}

/* The caller's environment, and nothing of the host's: those are removed. */
static const char *
take_env(struct spec_child *child, const json_t *params)
{
	size_t ours = 0, count, i, length;
	const json_t *array = json_object_get(params, "env");
	char **env;

	while (environ != NULL && environ[ours] != NULL)
		ours++;
	env = child->command->env = texts_of(array, ours);
	if (env == NULL)
		return "env: a list of NAME=VALUE";
	for (count = 0; env[count] != NULL; count++)
		if (env[count][0] == '=' || strchr(env[count], '=') == NULL)
			return "env: a list of NAME=VALUE";
	for (i = 0; i < ours; i++) {
		length = strcspn(environ[i], "=");
		if (sets(env, environ[i], length))
			continue;
		env[count] = strndup(environ[i], length);
		if (env[count++] == NULL)
			return no_memory;
	}
	return NULL;
}

static const char *
take_directory(struct spec_child *child, const json_t *params)
{
	char *directory = spawn_text_of(json_object_get(params, "cwd"));

	child->command->directory = directory;
	return directory == NULL || directory[0] != '/' ?
	    "cwd: an absolute path" :
	    NULL;
}

static bool
take_int(int *number, const json_t *value, int min, int max)
{
	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return false;
	*number = (int)json_integer_value(value);
	return true;
}

static const char *
take_umask(struct spec_child *child, const json_t *params)
{
	return take_int(&child->command->umask,
		   json_object_get(params, "umask"), 0, 0777) ?
	    NULL :
	    "umask: a number from 0 to 511";
}

static const char *
take_nice(struct spec_child *child, const json_t *params)
{
	const json_t *value = json_object_get(params, "nice");

	return value == NULL ||
		take_int(&child->command->nice, value, -40, 40) ?
	    NULL :
	    "nice: a number from -40 to 40";
}

/* The place of a text in a list; -1: it is not there. */
static int
word_of(const json_t *value, const char *const *words, int count)
{
	const char *text = json_string_value(value);
	int i;

	for (i = 0; text != NULL && i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	return -1;
}

static const char *
take_restart(struct spec_child *child, const json_t *params)
{
	static const char *const words[] = {
		[SPEC_PERMANENT] = "permanent",
		[SPEC_TRANSIENT] = "transient",
		[SPEC_TEMPORARY] = "temporary",
	};
	const json_t *value = json_object_get(params, "restart");
	int word = SPEC_TEMPORARY;

	if (value != NULL)
		word = word_of(value, words, NELEMS(words));
	if (word == -1)
		return "restart: permanent, transient or temporary";
	child->restart = (enum spec_restart)word;
	return NULL;
}

static const char *
take_contain(struct spec_child *child, const json_t *params)
{
	static const char *const words[] = {
		[GROUPER_CONTAIN_AUTO] = "auto",
		[GROUPER_CONTAIN_REAPER] = "reaper",
		[GROUPER_CONTAIN_CGROUP] = "cgroup",
		[GROUPER_CONTAIN_PIDNS] = "pidns",
	};
	const json_t *value = json_object_get(params, "contain");
	int word = GROUPER_CONTAIN_AUTO;

	if (value != NULL)
		word = word_of(value, words, NELEMS(words));
	if (word == -1)
		return "contain: auto, reaper, cgroup or pidns";
	child->command->contain = (enum grouper_containment)word;
	return NULL;
}

static const char *
take_stop_target(struct spec_child *child, const json_t *params)
{
	static const char *const words[] = {
		[GROUPER_STOP_GROUP] = "group",
		[GROUPER_STOP_COMMAND] = "command",
		[GROUPER_STOP_TREE] = "tree",
	};
	const json_t *value = json_object_get(params, "stop_target");
	int word = GROUPER_STOP_GROUP;

	if (value != NULL)
		word = word_of(value, words, NELEMS(words));
	if (word == -1)
		return "stop_target: group, command or tree";
	child->command->stop_target = (enum grouper_stop_target)word;
	return NULL;
}

static const char *
take_shutdown(struct spec_child *child, const json_t *params)
{
	const json_t *value = json_object_get(params, "shutdown");
	const char *expected;

	if (value == NULL)
		return NULL;
	if (!json_is_string(value) ||
	    steps_parse(json_string_value(value), &child->shutdown,
		&expected) != 0)
		return "shutdown: stop steps";
	return NULL;
}

static bool
take_limit(struct grouper_limit *limit, const json_t *item)
{
	const json_t *soft = json_array_get(item, 1);
	const json_t *hard = json_array_get(item, 2);

	if (!take_int(&limit->resource, json_array_get(item, 0), 0, INT_MAX) ||
	    !json_is_integer(soft) || !json_is_integer(hard) ||
	    json_integer_value(soft) < -1 || json_integer_value(hard) < -1)
		return false;
	limit->soft = (uint64_t)json_integer_value(soft);
	limit->hard = (uint64_t)json_integer_value(hard);
	return true;
}

static const char *
take_limits(struct spec_child *child, const json_t *params)
{
	static const char limits[] = "limits: a list of [resource, soft, hard]";
	const json_t *array = json_object_get(params, "limits"), *item;
	struct spec_command *command = child->command;
	size_t i;

	if (array == NULL)
		return NULL;
	if (!json_is_array(array))
		return limits;
	command->limits = calloc(json_array_size(array) + 1,
	    sizeof(*command->limits));
	if (command->limits == NULL)
		return no_memory;
	json_array_foreach(array, i, item) {
		if (!take_limit(&command->limits[command->nlimits++], item))
			return limits;
	}
	return NULL;
}

static const char *
take_flags(struct spec_child *child, const json_t *params)
{
	const json_t *force = json_object_get(params, "force");

	child->command->worker = false;
	child->command->force = json_is_true(force);
	return force == NULL || json_is_boolean(force) ? NULL :
							 "force: true or false";
}

static const char *
take_key(struct spec_child *child, const json_t *params)
{
	const json_t *value = json_object_get(params, "key");

	if (value == NULL)
		return NULL;
	if (!json_is_string(value) ||
	    !name_valid(json_string_value(value), SPEC_ID_MAX, false))
		return "key: 1 to 64 bytes without blanks, '/' and ':'";
	child->id = strdup(json_string_value(value));
	return child->id == NULL ? no_memory : NULL;
}

static const char *
take_user(struct spec_child *child, const json_t *params)
{
	const json_t *uid = json_object_get(params, "uid");
	const json_t *gid = json_object_get(params, "gid");
	struct spec_command *command = child->command;

	if (uid != NULL && (command->user = spawn_text_of(uid)) == NULL)
		return "uid: a user";
	if (gid != NULL && (command->group = spawn_text_of(gid)) == NULL)
		return "gid: a group";
	return NULL;
}

static bool
take_log_file(struct spec_command *command, const json_t *value)
{
	const json_t *size = json_object_get(value, "max_size");
	const json_t *keep = json_object_get(value, "keep");
	int number;

	command->log = SPEC_LOG_FILE;
	command->log_file = spawn_text_of(json_object_get(value, "file"));
	if (command->log_file == NULL || command->log_file[0] != '/')
		return false;
	if (size != NULL) {
		if (!json_is_integer(size) || json_integer_value(size) < 0)
			return false;
		command->log_max_size = (uint64_t)json_integer_value(size);
	}
	if (keep != NULL) {
		if (!take_int(&number, keep, 0, 1000))
			return false;
		command->log_keep = (unsigned int)number;
	}
	return true;
}

static const char *
take_log(struct spec_child *child, const json_t *params)
{
	static const char *const words[] = {
		[0] = "inherit",
		[SPEC_LOG_PREFIX - SPEC_LOG_INHERIT] = "prefix",
		[SPEC_LOG_DISCARD - SPEC_LOG_INHERIT] = "discard",
		[SPEC_LOG_SYSLOG - SPEC_LOG_INHERIT] = "syslog",
	};
	const json_t *value = json_object_get(params, "log");
	int word;

	if (value == NULL ||
	    (json_is_object(value) && take_log_file(child->command, value)))
		return NULL;
	word = word_of(value, words, NELEMS(words));
	if (word == -1)
		return "log: prefix, inherit, discard, syslog or an object "
		       "with a file";
	child->command->log = (enum spec_log)(SPEC_LOG_INHERIT + word);
	return NULL;
}

static bool
take_time(int64_t *ms, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ms = json_integer_value(value);
	return true;
}

/* A command and its arguments; nothing where there is no value. */
static bool
take_command(char ***argv, const json_t *value)
{
	if (value == NULL)
		return true;
	*argv = texts_of(value, 0);
	return *argv != NULL && (*argv)[0] != NULL && (*argv)[0][0] != '\0';
}

static bool
take_ready_object(struct spec_command *command, const json_t *value)
{
	const json_t *exec = json_object_get(value, "exec");
	const json_t *log = json_object_get(value, "log");
	const json_t *interval = json_object_get(value, "interval");

	if ((exec == NULL) == (log == NULL))
		return false;
	command->ready = exec != NULL ? SPEC_READY_EXEC : SPEC_READY_LOG;
	if (exec != NULL)
		return take_command(&command->ready_argv, exec) &&
		    (interval == NULL ||
			take_time(&command->ready_interval_ms, interval));
	command->ready_regex = spawn_text_of(log);
	return command->ready_regex != NULL;
}

static bool
take_ready_word(struct spec_command *command, const char *text)
{
	int64_t fd;

	if (text == NULL)
		return false;
	if (strcmp(text, "started") == 0)
		return true;
	if (strcmp(text, "notify") == 0) {
		command->ready = SPEC_READY_NOTIFY;
		return true;
	}
	if (strncmp(text, "fd:", 3) != 0 ||
	    parse_int(text + 3, 3, 1023, &fd) != 0)
		return false;
	command->ready = SPEC_READY_FD;
	command->ready_fd = (int)fd;
	return true;
}

static const char *
take_ready(struct spec_child *child, const json_t *params)
{
	const json_t *value = json_object_get(params, "ready");
	const json_t *timeout = json_object_get(params, "ready_timeout");
	struct spec_command *command = child->command;

	if (value != NULL &&
	    !(json_is_object(value) ?
		    take_ready_object(command, value) :
		    take_ready_word(command, json_string_value(value))))
		return "ready: started, notify, fd:N or an object with exec "
		       "or log";
	return timeout == NULL ||
		take_time(&command->ready_timeout_ms, timeout) ?
	    NULL :
	    "ready_timeout: a number of ms";
}

static const char *
take_watchdog(struct spec_child *child, const json_t *params)
{
	const json_t *value = json_object_get(params, "watchdog");

	return value == NULL || take_time(&child->command->watchdog_ms, value) ?
	    NULL :
	    "watchdog: a number of ms";
}

static const char *
take_success(struct spec_child *child, const json_t *params)
{
	static const char expected[] =
	    "success: a list of exit statuses from 0 to 255";
	const json_t *value = json_object_get(params, "success"), *item;
	int status;
	size_t i;

	if (value == NULL)
		return NULL;
	if (json_array_size(value) == 0)
		return expected;
	child->success = (struct spec_success) { .bits = { 0 } };
	json_array_foreach(value, i, item) {
		if (!take_int(&status, item, 0, UCHAR_MAX))
			return expected;
		spec_success_add(&child->success, (unsigned int)status);
	}
	return NULL;
}

static const char *
take_commands(struct spec_child *child, const json_t *params)
{
	struct spec_command *command = child->command;

	if (!take_command(&command->start_pre,
		json_object_get(params, "start_pre")))
		return "start_pre: a command and its arguments";
	if (!take_command(&command->stop_pre,
		json_object_get(params, "stop_pre")))
		return "stop_pre: a command and its arguments";
	if (!take_command(&command->reload_command,
		json_object_get(params, "reload_command")))
		return "reload_command: a command and its arguments";
	return NULL;
}

static const char *
take_topics(struct spec_child *child, const json_t *params)
{
	static const char expected[] = "topics: a list of topics and patterns";
	const json_t *value = json_object_get(params, "topics");
	char **topics;
	size_t i;

	if (value == NULL)
		return NULL;
	topics = child->command->topics = texts_of(value, 0);
	if (topics == NULL)
		return expected;
	for (i = 0; topics[i] != NULL; i++)
		if (!topic_pattern_valid(topics[i], strlen(topics[i])))
			return expected;
	return NULL;
}

static const char *
take_messages(struct spec_child *child, const json_t *params)
{
	const json_t *messages = json_object_get(params, "messages");

	child->command->messages = json_is_true(messages);
	return messages == NULL || json_is_boolean(messages) ?
	    NULL :
	    "messages: true or false";
}

static const char *
take_on_event(struct spec_child *child, const json_t *params)
{
	static const char expected[] =
	    "on_event: an object of numbers of signals";
	json_t *value = json_object_get(params, "on_event"), *item;
	struct spec_command *command = child->command;
	struct spec_reaction *reaction;
	const char *event;

	if (value == NULL)
		return NULL;
	if (!json_is_object(value))
		return expected;
	command->on_event = calloc(json_object_size(value) + 1,
	    sizeof(*command->on_event));
	if (command->on_event == NULL)
		return no_memory;
	json_object_foreach(value, event, item) {
		reaction = &command->on_event[command->non_event];
		if (!topic_name_valid(event, strlen(event)) ||
		    !take_int(&reaction->signum, item, 1, NSIG - 1))
			return expected;
		reaction->event = strdup(event);
		if (reaction->event == NULL)
			return no_memory;
		command->non_event++;
	}
	return NULL;
}

const char *
spawn_params_read(struct spec_child *child, const json_t *params)
{
	typedef const char *take_fn(struct spec_child *, const json_t *);
	static take_fn *const takes[] = { take_argv, take_env, take_directory,
		take_umask, take_nice, take_restart, take_contain,
		take_stop_target, take_shutdown, take_limits, take_flags,
		take_key, take_user, take_log, take_ready, take_watchdog,
		take_success, take_commands, take_topics, take_messages,
		take_on_event };
	const char *expected = NULL;
	size_t i;

	spec_child_init(child);
	child->command = calloc(1, sizeof(*child->command));
	if (child->command == NULL)
		return no_memory;
	spec_command_init(child->command);
	for (i = 0; expected == NULL && i < NELEMS(takes); i++)
		expected = takes[i](child, params);
	return expected;
}
