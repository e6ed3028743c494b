/* SPDX-License-Identifier: ISC */
/*
 * grouper spawn: one more group under a running host.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/run_values.h"
#include "tools/spawn_request.h"
#include "tools/tool.h"

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
    "      --env-file FILE  set the variables of a file (repeatable)\n"
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
    "      --ready HOW      it is ready: started, notify, fd:N, exec:TEXT\n"
    "                       or log:REGEX (started)\n"
    "      --ready-timeout TIME\n"
    "                       how long that may take (infinity)\n"
    "      --watchdog TIME  how long its WATCHDOG=1 may be missing\n"
    "      --success STATUS,...\n"
    "                       exit statuses that are no failure (0)\n"
    "      --start-pre TEXT run TEXT by /bin/sh -c before each start\n"
    "      --stop-pre TEXT  and before it is told to stop\n"
    "      --reload-command TEXT\n"
    "                       and after a reload that left it running\n"
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
	ENV_FILE,
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
	/* What a daemon has beside its command. */
	READY,
	READY_TIMEOUT,
	RELOAD_COMMAND,
	START_PRE,
	STOP_PRE,
	SUCCESS,
	WATCHDOG,
	RESTART,
	SUPERVISOR,
};

static run_value_fn *const stores[] = {
	[CONTAIN - FIRST_VALUE] = run_value_contain,
	[CWD - FIRST_VALUE] = run_value_cwd,
	[ENV - FIRST_VALUE] = run_value_env,
	[ENV_FILE - FIRST_VALUE] = run_value_env_file,
	[FORCE - FIRST_VALUE] = run_value_force,
	[GID - FIRST_VALUE] = run_value_gid,
	[KEY - FIRST_VALUE] = run_value_id,
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
	{ "env-file", required_argument, NULL, ENV_FILE },
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
	{ "reload-command", required_argument, NULL, RELOAD_COMMAND },
	{ "restart", required_argument, NULL, RESTART },
	{ "shell", required_argument, NULL, SHELL },
	{ "shutdown", required_argument, NULL, SHUTDOWN },
	{ "start-pre", required_argument, NULL, START_PRE },
	{ "stdin", required_argument, NULL, STDIN },
	{ "stop-pre", required_argument, NULL, STOP_PRE },
	{ "stop-target", required_argument, NULL, STOP_TARGET },
	{ "success", required_argument, NULL, SUCCESS },
	{ "supervisor", required_argument, NULL, SUPERVISOR },
	{ "topic", required_argument, NULL, TOPIC },
	{ "uid", required_argument, NULL, UID },
	{ "umask", required_argument, NULL, UMASK },
	{ "watchdog", required_argument, NULL, WATCHDOG },
	OPTIONS_HOST,
	OPTIONS_JSON,
	OPTIONS_END,
};

/* The result is released. */
static int
print_answer(const struct spawning *spawning, json_t *result)
{
	const char *key = json_string_value(json_object_get(result, "key"));
	int printed = 0;

	if (spawning->remote.options.json)
		printed = json_print(STDOUT_FILENO, json_incref(result));
	else if (!spawning->quiet)
		printed = tool_line(STDOUT_FILENO, false, "%s",
		    key != NULL ? key : "");
	json_decref(result);
	if (printed == 0)
		return TOOL_OK;
	tool_error("spawn", "standard output: %s", strerror(errno));
	return TOOL_NO;
}

static int
ask(struct spawning *spawning)
{
	const char *key = spawning->command.key;
	enum grouper_error error;
	json_t *params, *result;

	if (spawn_request(spawning, &params) != TOOL_OK)
		return TOOL_NO;
	/* Its turn to start may come late. */
	error = client_call_fds(spawning->remote.client, "spawn", params,
	    &spawning->fds, -1, &result, NULL);
	if (error == GROUPER_OK)
		return print_answer(spawning, result);
	remote_print_error(&spawning->remote, key,
	    client_error(spawning->remote.client));
	return remote_fail(&spawning->remote, error,
	    key != NULL ? key : spawning->command.argv[0]);
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
	const char *path;
	size_t i;

	spawning->log = value;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0)
			return TOOL_OK;
	path = spawn_after(value, SPAWN_FILE);
	if (path != NULL && path[0] != '\0')
		return TOOL_OK;
	tool_error("spawn",
	    "--log: expected prefix, inherit, discard, syslog or file:PATH, "
	    "got '%s'",
	    value);
	return TOOL_USAGE;
}

static int
store_ready(struct spawning *spawning, const char *value)
{
	const char *command = spawn_after(value, SPAWN_EXEC);
	const char *pattern = spawn_after(value, SPAWN_PATTERN);
	const char *number = spawn_after(value, "fd:");
	int64_t fd;

	spawning->ready = value;
	if (strcmp(value, "started") == 0 || strcmp(value, "notify") == 0 ||
	    (number != NULL && parse_int(number, 3, 1023, &fd) == 0 &&
		fd != 8 && fd != 9) ||
	    (command != NULL && *command != '\0') ||
	    (pattern != NULL && *pattern != '\0'))
		return TOOL_OK;
	tool_error("spawn",
	    "--ready: expected started, notify, fd:N, N from 3 to 1023 but not "
	    "8 and 9, exec:TEXT or log:REGEX, got '%s'",
	    value);
	return TOOL_USAGE;
}

static int
store_time(int opt, int64_t *ms, const char *value)
{
	if ((opt == READY_TIMEOUT && strcmp(value, "infinity") == 0) ||
	    parse_time(value, ms) == 0)
		return TOOL_OK;
	tool_error("spawn", "--%s: expected a time such as 30s, got '%s'",
	    option_name(opt), value);
	return TOOL_USAGE;
}

static int
store_success(struct spawning *spawning, char *value)
{
	char *list = value, *word;
	int64_t status;

	spawning->succeeds = true;
	while ((word = strsep(&list, ",")) != NULL) {
		if (parse_int(word, 0, UINT8_MAX, &status) != 0) {
			tool_error("spawn",
			    "--success: expected exit statuses from 0 to 255, "
			    "such as 0,75, got '%s'",
			    word);
			return TOOL_USAGE;
		}
		spec_success_add(&spawning->success, (unsigned int)status);
	}
	return TOOL_OK;
}

static int
store_shell(int opt, const char **text, const char *value)
{
	*text = value;
	if (value[strspn(value, " \t\n")] != '\0')
		return TOOL_OK;
	tool_error("spawn", "--%s: expected a command for /bin/sh",
	    option_name(opt));
	return TOOL_USAGE;
}

static int
take_service(struct spawning *spawning, int opt, char *value)
{
	switch (opt) {
	case READY:
		return store_ready(spawning, value);
	case READY_TIMEOUT:
		return store_time(opt, &spawning->ready_ms, value);
	case WATCHDOG:
		return store_time(opt, &spawning->watchdog_ms, value);
	case SUCCESS:
		return store_success(spawning, value);
	case START_PRE:
		return store_shell(opt, &spawning->start_pre, value);
	case STOP_PRE:
		return store_shell(opt, &spawning->stop_pre, value);
	default:
		return store_shell(opt, &spawning->reload_command, value);
	}
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
	else if (opt >= READY && opt <= WATCHDOG)
		status = take_service(spawning, opt, value);
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
	spawn_request_fini(&spawning);
	run_options_fini(&spawning.command);
	return status;
}
