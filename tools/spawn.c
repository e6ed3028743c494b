/* SPDX-License-Identifier: ISC */
/*
 * grouper spawn: one more group under a running host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/control/rpc.h"
#include "runtime/supervise/spawn_params.h"
#include "runtime/util/environment.h"
#include "runtime/util/fd.h"
#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/run_values.h"
#include "tools/tool.h"

/* What stands around the params in a request, and what is read at once. */
#define MARGIN 8192

/* Of --log, before a path. */
#define FILE_PREFIX "file:"
#define FILE_PREFIX_LENGTH (sizeof(FILE_PREFIX) - 1)

static const char help[] =
    "Usage: grouper spawn [OPTION...] [--] COMMAND [ARGUMENT...]\n"
    "       grouper spawn [OPTION...] --shell TEXT\n"
    "\n"
    "Starts a command as one more group of a running host, with the working\n"
    "directory, the environment, the umask and the standard input, output and\n"
    "error of the caller, and prints the key of the group when the command is\n"
    "executed.\n"
    "\n"
    "      --shell TEXT     run TEXT by /bin/sh -c in place of COMMAND\n"
    "      --key KEY        name of the group (the command's and a number)\n"
    "      --supervisor KEY add it to this supervisor, not to the root\n"
    "      --restart HOW    permanent, transient or temporary (temporary)\n"
    "      --env NAME=VALUE set a variable (repeatable)\n"
    "      --cwd DIR        run in this directory\n"
    "      --stdin FILE     standard input: a file, null or inherit\n"
    "      --log WHERE      the output is not the caller's: prefix, inherit,\n"
    "                       discard, syslog or file:PATH\n"
    "      --uid USER       run as this user, by name or number\n"
    "      --gid GROUP      run with this group, by name or number\n"
    "      --umask OCTAL    file mode mask\n"
    "      --nice N         add N to the host's nice value\n"
    "      --limits NAME=VALUE,...\n"
    "                       resource limits: nofile=1024, core=0, ...\n"
    "      --ready HOW      it is ready: started, notify or fd:N (started)\n"
    "      --ready-timeout TIME\n"
    "                       how long that may take (infinity)\n"
    "      --topic PATTERN  subscribe it to a topic (repeatable)\n"
    "      --messages       give it pipes for events, as --topic does\n"
    "      --on-event EVENT=SIGNAL\n"
    "                       send it a signal for an event (repeatable)\n"
    "      --contain LEVEL  auto, reaper, cgroup or pidns (auto)\n"
    "      --shutdown STEPS 'TERM 5s, INT 2s, KILL', '5s', ... (5s)\n"
    "      --stop-target WHOM\n"
    "                       first step goes to: group, command or tree\n"
    "      --force          found groups under an application too\n" OPTIONS_HOST_HELP
    "      --json           print key and pid as a JSON object\n"
    "  -q, --quiet          print nothing\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such host or the command could not be\n"
    "started; 2 for bad usage; 121 under an application; 122 if the host\n"
    "stops.  See grouper-control(1).\n";

enum {
	/* Those whose values run_values.h knows come first. */
	FIRST_VALUE = OPTIONS_OWN,
	CONTAIN = FIRST_VALUE,
	CWD,
	ENV,
	FORCE,
	GID,
	KEY,
	LIMITS,
	MESSAGES,
	NICE,
	ON_EVENT,
	SHELL,
	SHUTDOWN,
	STDIN,
	STOP_TARGET,
	TOPIC,
	UID,
	UMASK,
	LOG,
	READY,
	READY_TIMEOUT,
	RESTART,
	SUPERVISOR,
};

static run_value_fn *const stores[] = {
	[CONTAIN - FIRST_VALUE] = run_value_contain,
	[CWD - FIRST_VALUE] = run_value_cwd,
	[ENV - FIRST_VALUE] = run_value_env,
	[FORCE - FIRST_VALUE] = run_value_force,
	[GID - FIRST_VALUE] = run_value_gid,
	[KEY - FIRST_VALUE] = run_value_key,
	[LIMITS - FIRST_VALUE] = run_value_limits,
	[MESSAGES - FIRST_VALUE] = run_value_messages,
	[NICE - FIRST_VALUE] = run_value_nice,
	[ON_EVENT - FIRST_VALUE] = run_value_on_event,
	[SHELL - FIRST_VALUE] = run_value_shell,
	[SHUTDOWN - FIRST_VALUE] = run_value_shutdown,
	[STDIN - FIRST_VALUE] = run_value_stdin,
	[STOP_TARGET - FIRST_VALUE] = run_value_stop_target,
	[TOPIC - FIRST_VALUE] = run_value_topic,
	[UID - FIRST_VALUE] = run_value_uid,
	[UMASK - FIRST_VALUE] = run_value_umask,
};

static const struct option long_options[] = {
	{ "contain", required_argument, NULL, CONTAIN },
	{ "cwd", required_argument, NULL, CWD },
	{ "env", required_argument, NULL, ENV },
	{ "force", no_argument, NULL, FORCE },
	{ "gid", required_argument, NULL, GID },
	{ "key", required_argument, NULL, KEY },
	{ "limits", required_argument, NULL, LIMITS },
	{ "log", required_argument, NULL, LOG },
	{ "messages", no_argument, NULL, MESSAGES },
	{ "nice", required_argument, NULL, NICE },
	{ "on-event", required_argument, NULL, ON_EVENT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "ready", required_argument, NULL, READY },
	{ "ready-timeout", required_argument, NULL, READY_TIMEOUT },
	{ "restart", required_argument, NULL, RESTART },
	{ "shell", required_argument, NULL, SHELL },
	{ "shutdown", required_argument, NULL, SHUTDOWN },
	{ "stdin", required_argument, NULL, STDIN },
	{ "stop-target", required_argument, NULL, STOP_TARGET },
	{ "supervisor", required_argument, NULL, SUPERVISOR },
	{ "topic", required_argument, NULL, TOPIC },
	{ "uid", required_argument, NULL, UID },
	{ "umask", required_argument, NULL, UMASK },
	OPTIONS_HOST,
	OPTIONS_JSON,
	OPTIONS_END,
};

struct spawning {
	struct remote remote;
	struct run_options command;
	const char *supervisor; /* NULL: the root */
	const char *restart;	/* NULL: the host's default */
	const char *log;	/* NULL: the output is ours */
	const char *ready;	/* NULL: started */
	int64_t ready_ms;	/* -1: as long as it takes */
	bool quiet;
	struct client_fds fds;
	json_t *numbers; /* that they get */
};

/* What the command is started with */

static json_t *
list_of(char *const *texts)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; texts[i] != NULL; i++)
		json_array_append_new(list, spawn_text(texts[i]));
	return list;
}

/* Ours with changes; what the host itself gives to its groups is not ours. */
static json_t *
environment_of(const struct run_options *command)
{
	static const char *const hosts[] = { "GROUPER_KEY", "GROUPER_EVENTS_FD",
		"GROUPER_COMMANDS_FD" };
	json_t *list = json_array();
	struct environment env;
	size_t i;

	if (environment_init(&env) == -1) {
		json_decref(list);
		return NULL;
	}
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		environment_set(&env, hosts[i], NULL);
	for (i = 0; i < command->nenv; i++)
		environment_put(&env, command->env[i]);
	for (i = 0; i < env.count; i++)
		/* There may be anything in an environment, execve(2). */
		if (env.vars[i][0] != '=' && strchr(env.vars[i], '=') != NULL)
			json_array_append_new(list, spawn_text(env.vars[i]));
	environment_fini(&env);
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
		json_array_append_new(list,
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
		json_object_set_new(object, command->reactions[i].event,
		    json_integer(command->reactions[i].signum));
	return object;
}

static void
set_text(json_t *params, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(params, name, json_text(text));
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
	json_array_append_new(spawning->numbers, json_integer(number));
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

static json_t *
log_of(const char *log)
{
	return strncmp(log, FILE_PREFIX, FILE_PREFIX_LENGTH) == 0 ?
	    json_pack("{s:o}", "file", whole_path(log + FILE_PREFIX_LENGTH)) :
	    json_string(log);
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
	json_t *directory = whole_path(command->directory), *params;

	if (directory == NULL) {
		tool_error("spawn", "the working directory: %s",
		    strerror(errno));
		return NULL;
	}
	params = json_pack("{s:o, s:o, s:o, s:o, s:o, s:O, s:i, s:b}", "argv",
	    list_of(command->argv), "env", environment_of(command), "cwd",
	    directory, "umask", umask_of(command->umask), "limits",
	    limits_of(command), "fds", spawning->numbers, "nice", command->nice,
	    "force", (int)command->force);
	if (params == NULL) {
		tool_error("spawn", "%s", strerror(ENOMEM));
		return NULL;
	}
	set_text(params, "key", command->key);
	set_text(params, "supervisor", spawning->supervisor);
	set_text(params, "restart", spawning->restart);
	if (command->user != NULL)
		json_object_set_new(params, "uid", spawn_text(command->user));
	if (command->group != NULL)
		json_object_set_new(params, "gid", spawn_text(command->group));
	if (spawning->log != NULL)
		json_object_set_new(params, "log", log_of(spawning->log));
	set_text(params, "ready", spawning->ready);
	if (spawning->ready_ms != -1)
		json_object_set_new(params, "ready_timeout",
		    json_integer(spawning->ready_ms));
	if (command->ntopics > 0)
		json_object_set_new(params, "topics", list_of(command->topics));
	if (command->nreactions > 0)
		json_object_set_new(params, "on_event", reactions_of(command));
	if (command->messages)
		json_object_set_new(params, "messages", json_true());
	set_text(params, "shutdown", command->shutdown);
	set_text(params, "contain", grouper_containment_name(command->contain));
	set_text(params, "stop_target", targets[command->stop_target]);
	if (json_dumpb(params, NULL, 0, JSON_COMPACT) <= RPC_LINE_MAX - MARGIN)
		return params;
	tool_error("spawn",
	    "the arguments and the environment are longer than the host "
	    "takes, %zu KiB",
	    RPC_LINE_MAX >> 10);
	json_decref(params);
	return NULL;
}

/* The result is released. */
static int
print_answer(const struct spawning *spawning, json_t *result)
{
	const char *key = json_string_value(json_object_get(result, "key"));
	int printed = 0;

	if (spawning->remote.options.json)
		return json_print(STDOUT_FILENO, result) == 0 ? TOOL_OK :
								TOOL_NO;
	if (!spawning->quiet)
		printed = tool_line(STDOUT_FILENO, false, "%s",
		    key != NULL ? key : "");
	json_decref(result);
	return printed == 0 ? TOOL_OK : TOOL_NO;
}

static int
ask(struct spawning *spawning)
{
	enum grouper_error error;
	json_t *params, *result;

	if (collect_fds(spawning) != TOOL_OK)
		return TOOL_NO;
	params = params_of(spawning);
	if (params == NULL)
		return TOOL_NO;
	/* Its turn to start may come late. */
	error = client_call_fds(spawning->remote.client, "spawn", params,
	    &spawning->fds, -1, &result, NULL);
	if (error != GROUPER_OK)
		return remote_fail(&spawning->remote, error,
		    spawning->command.key != NULL ? spawning->command.key :
						    spawning->command.argv[0]);
	return print_answer(spawning, result);
}

/* The options */

static const char *
option_name(int opt)
{
	size_t i;

	for (i = 0; long_options[i].val != opt; i++)
		;
	return long_options[i].name;
}

static int
store_value(struct run_options *command, int opt, char *value)
{
	const char *expected = stores[opt - FIRST_VALUE](command, value);

	if (expected == NULL)
		return TOOL_OK;
	tool_error("spawn", "--%s: %s%s, got '%s'", option_name(opt),
	    strncmp(expected, "expected", 8) == 0 ? "" : "expected ", expected,
	    value);
	return TOOL_USAGE;
}

static int
store_restart(struct spawning *spawning, const char *value)
{
	spawning->restart = value;
	if (strcmp(value, "permanent") == 0 ||
	    strcmp(value, "transient") == 0 || strcmp(value, "temporary") == 0)
		return TOOL_OK;
	tool_error("spawn",
	    "--restart: expected permanent, transient or temporary, got '%s'",
	    value);
	return TOOL_USAGE;
}

static int
store_log(struct spawning *spawning, const char *value)
{
	static const char *const words[] = { "prefix", "inherit", "discard",
		"syslog" };
	size_t i;

	spawning->log = value;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0)
			return TOOL_OK;
	if (strncmp(value, FILE_PREFIX, FILE_PREFIX_LENGTH) == 0 &&
	    value[FILE_PREFIX_LENGTH] != '\0')
		return TOOL_OK;
	tool_error("spawn",
	    "--log: expected prefix, inherit, discard, syslog or file:PATH, "
	    "got '%s'",
	    value);
	return TOOL_USAGE;
}

static int
store_timeout(struct spawning *spawning, const char *value)
{
	if (strcmp(value, "infinity") == 0 ||
	    parse_time(value, &spawning->ready_ms) == 0)
		return TOOL_OK;
	tool_error("spawn",
	    "--ready-timeout: expected a time such as 30s, got '%s'", value);
	return TOOL_USAGE;
}

static int
take_option(int opt, char *value, void *arg)
{
	struct spawning *spawning = arg;
	int status = TOOL_OK;

	if (opt >= FIRST_VALUE && opt <= UMASK)
		status = store_value(&spawning->command, opt, value);
	else if (opt == LOG)
		status = store_log(spawning, value);
	else if (opt == READY)
		spawning->ready = value;
	else if (opt == READY_TIMEOUT)
		status = store_timeout(spawning, value);
	else if (opt == RESTART)
		status = store_restart(spawning, value);
	else if (opt == SUPERVISOR)
		spawning->supervisor = value;
	else
		spawning->quiet = true;
	return status == TOOL_OK ? -1 : status;
}

static int
check_command(struct run_options *command, char **argv)
{
	bool shell = command->shell_argv[0] != NULL;

	if (shell && argv[0] != NULL) {
		tool_error("spawn",
		    "--shell takes the place of the command, got '%s' as well",
		    argv[0]);
		return TOOL_USAGE;
	}
	command->argv = shell ? command->shell_argv : argv;
	if (command->argv[0] != NULL && command->argv[0][0] != '\0')
		return TOOL_OK;
	tool_error("spawn",
	    "expected a command: grouper spawn [OPTION...] [--] COMMAND "
	    "[ARGUMENT...]");
	return TOOL_USAGE;
}

int
spawn_main(int argc, char **argv)
{
	struct spawning spawning = {
		.remote = { .options = { .verb = "spawn", .help = help } },
		.command = { .umask = -1 },
		.ready_ms = -1,
	};
	int status;

	status = options_read(&spawning.remote.options, argc, argv,
	    "+:q" OPTIONS_HOST_LETTERS, long_options, take_option, &spawning);
	if (status == -1) {
		status = check_command(&spawning.command, argv + optind);
		if (status == TOOL_OK)
			status = remote_open(&spawning.remote);
		if (status == TOOL_OK)
			status = ask(&spawning);
	}
	remote_close(&spawning.remote);
	while (spawning.fds.count > 0)
		fd_close(&spawning.fds.list[--spawning.fds.count]);
	json_decref(spawning.numbers);
	run_options_fini(&spawning.command);
	return status;
}
