/* SPDX-License-Identifier: ISC */
/*
 * What `grouper spawn` asks the host for: see spawn_request.h.
 */
#include "tools/spawn_request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/control/rpc.h"
#include "runtime/supervise/spawn_text.h"
#include "runtime/util/environment.h"
#include "tools/json.h"
#include "tools/run_environment.h"
#include "tools/tool.h"

/* What stands around the params in a request, and what is read at once. */
#define MARGIN 8192

static json_t *
list_of(char *const *texts)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; texts[i] != NULL; i++)
		json_add(&list, spawn_text(texts[i]));
	return list;
}

/*
 * Ours with changes; what the host itself gives to its groups is not ours.
 * NULL after telling why.
 */
static json_t *
environment_of(const struct run_options *command)
{
	static const char *const hosts[] = { "GROUPER_KEY", "GROUPER_EVENTS_FD",
		"GROUPER_COMMANDS_FD" };
	json_t *list = json_array();
	struct environment env;
	size_t i;

	if (environment_init(&env) == -1) {
		tool_error("spawn", "environment: %s", strerror(errno));
		json_decref(list);
		return NULL;
	}
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		environment_set(&env, hosts[i], NULL);
	if (environment_apply(&env, command, "spawn") != 0) {
		environment_fini(&env);
		json_decref(list);
		return NULL;
	}
	for (i = 0; i < env.count; i++)
		/* There may be anything in an environment, execve(2). */
		if (env.vars[i][0] != '=' && strchr(env.vars[i], '=') != NULL)
			json_add(&list, spawn_text(env.vars[i]));
	environment_fini(&env);
	if (list == NULL)
		tool_error("spawn", "%s", strerror(ENOMEM));
	return list;
}

/* A path from ours, which is meant without one.  NULL with errno. */
static json_t *
whole_path(const char *path)
{
	char *here, *whole;
	json_t *text;

	if (path != NULL && path[0] == '/')
		return spawn_text(path);
	here = getcwd(NULL, 0);
	if (here == NULL || path == NULL) {
		text = here != NULL ? spawn_text(here) : NULL;
	} else if (asprintf(&whole, "%s/%s", here, path) != -1) {
		text = spawn_text(whole);
		free(whole);
	} else {
		text = NULL;
	}
	free(here);
	return text;
}

static json_t *
umask_of(int mask)
{
	mode_t ours;

	if (mask != -1)
		return json_integer(mask);
	ours = umask(077);
	umask(ours);
	return json_integer(ours);
}

static json_t *
limits_of(const struct run_options *command)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < command->nlimits; i++)
		json_add(&list,
		    json_pack("[i, I, I]", command->limits[i].resource,
			(json_int_t)command->limits[i].soft,
			(json_int_t)command->limits[i].hard));
	return list;
}

static json_t *
reactions_of(const struct run_options *command)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < command->nreactions; i++)
		json_put(&object, command->reactions[i].event,
		    json_integer(command->reactions[i].signum));
	return object;
}

static void
set_text(json_t **params, const char *name, const char *text)
{
	if (text != NULL)
		json_put(params, name, json_text(text));
}

/* One of ours is given, a closed one as if it were /dev/null. */
static int
add_fd(struct spawning *spawning, const char *path, int number)
{
	int fd = path == NULL ? fcntl(number, F_DUPFD_CLOEXEC, 3) : -1;

	if (fd == -1 && path == NULL && errno != EBADF)
		return -1;
	if (fd == -1)
		fd = open(path != NULL ? path : "/dev/null",
		    (number == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC |
			O_NOCTTY);
	if (fd == -1)
		return -1;
	spawning->fds.list[spawning->fds.count++] = fd;
	json_add(&spawning->numbers, json_integer(number));
	return 0;
}

/* With a log of its own, it gets our input alone. */
static int
collect_fds(struct spawning *spawning)
{
	const char *input = spawning->command.input;
	int fd;

	if (input != NULL && strcmp(input, "null") == 0)
		input = "/dev/null";
	spawning->numbers = json_array();
	if (add_fd(spawning, input, STDIN_FILENO) == -1) {
		tool_error("spawn", "%s: %s",
		    input != NULL ? input : "standard input", strerror(errno));
		return TOOL_NO;
	}
	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if (spawning->log != NULL || add_fd(spawning, NULL, fd) == 0)
			continue;
		tool_error("spawn", "descriptor %d: %s", fd, strerror(errno));
		return TOOL_NO;
	}
	return TOOL_OK;
}

const char *
spawn_after(const char *value, const char *word)
{
	size_t length = strlen(word);

	return strncmp(value, word, length) == 0 ? value + length : NULL;
}

static json_t *
log_of(const char *log)
{
	const char *path = spawn_after(log, SPAWN_FILE);

	return path != NULL ? json_pack("{s:o}", "file", whole_path(path)) :
			      json_string(log);
}

static json_t *
shell_of(const char *text)
{
	return json_pack("[s, s, o]", "/bin/sh", "-c", spawn_text(text));
}

static json_t *
ready_of(const char *ready)
{
	const char *command = spawn_after(ready, SPAWN_EXEC);
	const char *pattern = spawn_after(ready, SPAWN_PATTERN);

	if (command != NULL)
		return json_pack("{s:o}", "exec", shell_of(command));
	return pattern != NULL ?
	    json_pack("{s:o}", "log", spawn_text(pattern)) :
	    json_string(ready);
}

static json_t *
success_of(const struct spec_success *success)
{
	json_t *list = json_array();
	unsigned int status;

	for (status = 0; status <= UINT8_MAX; status++)
		if (spec_success_has(success, status))
			json_add(&list, json_integer((json_int_t)status));
	return list;
}

static void
set_shell(json_t **params, const char *name, const char *text)
{
	if (text != NULL)
		json_put(params, name, shell_of(text));
}

/* What a daemon has beside its command. */
static void
set_service(json_t **params, const struct spawning *spawning)
{
	if (spawning->ready != NULL)
		json_put(params, "ready", ready_of(spawning->ready));
	if (spawning->ready_ms != -1)
		json_put(params, "ready_timeout",
		    json_integer(spawning->ready_ms));
	if (spawning->watchdog_ms != 0)
		json_put(params, "watchdog",
		    json_integer(spawning->watchdog_ms));
	if (spawning->succeeds)
		json_put(params, "success", success_of(&spawning->success));
	set_shell(params, "start_pre", spawning->start_pre);
	set_shell(params, "stop_pre", spawning->stop_pre);
	set_shell(params, "reload_command", spawning->reload_command);
}

/* NULL: it was said why. */
static json_t *
params_of(const struct spawning *spawning)
{
	static const char *const targets[] = {
		[GROUPER_STOP_GROUP] = "group",
		[GROUPER_STOP_COMMAND] = "command",
		[GROUPER_STOP_TREE] = "tree",
	};
	const struct run_options *command = &spawning->command;
	json_t *directory = whole_path(command->directory), *env, *params;

	if (directory == NULL) {
		tool_error("spawn", "the working directory: %s",
		    strerror(errno));
		return NULL;
	}
	env = environment_of(command);
	if (env == NULL) {
		json_decref(directory);
		return NULL;
	}
	params = json_pack("{s:o, s:o, s:o, s:o, s:o, s:O, s:i, s:b}", "argv",
	    list_of(command->argv), "env", env, "cwd", directory, "umask",
	    umask_of(command->umask), "limits", limits_of(command), "fds",
	    spawning->numbers, "nice", command->nice, "force",
	    (int)command->force);
	set_text(&params, "key", command->key);
	set_text(&params, "supervisor", spawning->supervisor);
	set_text(&params, "restart", spawning->restart);
	if (command->user != NULL)
		json_put(&params, "uid", spawn_text(command->user));
	if (command->group != NULL)
		json_put(&params, "gid", spawn_text(command->group));
	if (spawning->log != NULL)
		json_put(&params, "log", log_of(spawning->log));
	set_service(&params, spawning);
	if (command->ntopics > 0)
		json_put(&params, "topics", list_of(command->topics));
	if (command->nreactions > 0)
		json_put(&params, "on_event", reactions_of(command));
	if (command->messages)
		json_put(&params, "messages", json_true());
	set_text(&params, "shutdown", command->shutdown);
	set_text(&params, "contain",
	    grouper_containment_name(command->contain));
	set_text(&params, "stop_target", targets[command->stop_target]);
	if (params == NULL) {
		tool_error("spawn", "%s", strerror(ENOMEM));
		return NULL;
	}
	if (json_dumpb(params, NULL, 0, JSON_COMPACT) <= RPC_LINE_MAX - MARGIN)
		return params;
	tool_error("spawn",
	    "the arguments and the environment are longer than the host "
	    "takes, %zu KiB",
	    RPC_LINE_MAX >> 10);
	json_decref(params);
	return NULL;
}

int
spawn_request(struct spawning *spawning, json_t **params)
{
	if (collect_fds(spawning) != TOOL_OK)
		return TOOL_NO;
	*params = params_of(spawning);
	return *params != NULL ? TOOL_OK : TOOL_NO;
}

void
spawn_request_fini(struct spawning *spawning)
{
	client_fds_close(&spawning->fds);
	json_decref(spawning->numbers);
}
