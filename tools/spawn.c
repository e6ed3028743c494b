/* SPDX-License-Identifier: ISC */
/*
 * grouper spawn: one more group under a running host.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
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
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/run_values.h"
#include "tools/tool.h"

/* What stands around the params in a request, and what is read at once. */
#define MARGIN 8192

static const char help[] =
    "Usage: grouper spawn [OPTION...] [--] COMMAND [ARGUMENT...]\n"
    "       grouper spawn [OPTION...] --shell TEXT\n"
    "\n"
    "Starts a command as one more group of a running host, with the working\n"
    "directory, the environment and the umask of the caller, and prints the\n"
    "key of the group when the command is executed.  Its input is empty and\n"
    "its output the host's.\n"
    "\n"
    "      --shell TEXT     run TEXT by /bin/sh -c in place of COMMAND\n"
    "      --key KEY        name of the group (the command's and a number)\n"
    "      --supervisor KEY add it to this supervisor, not to the root\n"
    "      --restart HOW    permanent, transient or temporary (temporary)\n"
    "      --env NAME=VALUE set a variable (repeatable)\n"
    "      --cwd DIR        run in this directory\n"
    "      --umask OCTAL    file mode mask\n"
    "      --nice N         add N to the host's nice value\n"
    "      --limits NAME=VALUE,...\n"
    "                       resource limits: nofile=1024, core=0, ...\n"
    "      --contain LEVEL  auto, reaper, cgroup or pidns (auto)\n"
    "      --shutdown STEPS 'TERM 5s, INT 2s, KILL', '5s', ... (5s)\n"
    "      --stop-target WHOM\n"
    "                       first step goes to: group, command or tree\n"
    "      --force          found groups under an application too\n" REMOTE_HELP
    "      --json           print key and pid as a JSON object\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0; 1 if there is no such host or the command could not be\n"
    "started; 2 for bad usage; 121 under an application; 122 if the host\n"
    "stops.  See grouper-control(1).\n";

enum {
	/* Those whose values run_values.h knows come first. */
	FIRST_VALUE = UCHAR_MAX + 1,
	CONTAIN = FIRST_VALUE,
	CWD,
	ENV,
	FORCE,
	KEY,
	LIMITS,
	NICE,
	SHELL,
	SHUTDOWN,
	STOP_TARGET,
	UMASK,
	HOST,
	JSON,
	RESTART,
	SUPERVISOR,
};

static run_value_fn *const stores[] = {
	[CONTAIN - FIRST_VALUE] = run_value_contain,
	[CWD - FIRST_VALUE] = run_value_cwd,
	[ENV - FIRST_VALUE] = run_value_env,
	[FORCE - FIRST_VALUE] = run_value_force,
	[KEY - FIRST_VALUE] = run_value_key,
	[LIMITS - FIRST_VALUE] = run_value_limits,
	[NICE - FIRST_VALUE] = run_value_nice,
	[SHELL - FIRST_VALUE] = run_value_shell,
	[SHUTDOWN - FIRST_VALUE] = run_value_shutdown,
	[STOP_TARGET - FIRST_VALUE] = run_value_stop_target,
	[UMASK - FIRST_VALUE] = run_value_umask,
};

static const struct option long_options[] = {
	{ "contain", required_argument, NULL, CONTAIN },
	{ "cwd", required_argument, NULL, CWD },
	{ "env", required_argument, NULL, ENV },
	{ "force", no_argument, NULL, FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ "host", required_argument, NULL, HOST },
	{ "json", no_argument, NULL, JSON },
	{ "key", required_argument, NULL, KEY },
	{ "limits", required_argument, NULL, LIMITS },
	{ "nice", required_argument, NULL, NICE },
	{ "restart", required_argument, NULL, RESTART },
	{ "shell", required_argument, NULL, SHELL },
	{ "shutdown", required_argument, NULL, SHUTDOWN },
	{ "socket", required_argument, NULL, 's' },
	{ "stop-target", required_argument, NULL, STOP_TARGET },
	{ "supervisor", required_argument, NULL, SUPERVISOR },
	{ "umask", required_argument, NULL, UMASK },
	{ NULL, 0, NULL, 0 },
};

struct spawning {
	struct remote remote;
	struct run_options command;
	const char *supervisor; /* NULL: the root */
	const char *restart;	/* NULL: the host's default */
	bool json;
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

/* NULL with errno. */
static json_t *
directory_of(const char *directory)
{
	char *here, *whole;
	json_t *text;

	if (directory != NULL && directory[0] == '/')
		return spawn_text(directory);
	here = getcwd(NULL, 0);
	if (here == NULL || directory == NULL) {
		text = here != NULL ? spawn_text(here) : NULL;
	} else if (asprintf(&whole, "%s/%s", here, directory) != -1) {
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

static void
set_text(json_t *params, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(params, name, json_text(text));
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
	json_t *directory = directory_of(command->directory), *params;

	if (directory == NULL) {
		tool_error("spawn", "the working directory: %s",
		    strerror(errno));
		return NULL;
	}
	params = json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:b}", "argv",
	    list_of(command->argv), "env", environment_of(command), "cwd",
	    directory, "umask", umask_of(command->umask), "limits",
	    limits_of(command), "nice", command->nice, "force",
	    (int)command->force);
	if (params == NULL) {
		tool_error("spawn", "%s", strerror(ENOMEM));
		return NULL;
	}
	set_text(params, "key", command->key);
	set_text(params, "supervisor", spawning->supervisor);
	set_text(params, "restart", spawning->restart);
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

static int
ask(struct spawning *spawning)
{
	json_t *params = params_of(spawning), *result;
	enum grouper_error error;
	const char *key;

	if (params == NULL)
		return TOOL_NO;
	/* Its turn to start may come late. */
	error = client_call(spawning->remote.client, "spawn", params, -1,
	    &result);
	if (error != GROUPER_OK)
		return remote_fail(&spawning->remote, error,
		    spawning->command.argv[0]);
	if (spawning->json)
		return json_print(STDOUT_FILENO, result) == 0 ? TOOL_OK :
								TOOL_NO;
	key = json_string_value(json_object_get(result, "key"));
	tool_line(STDOUT_FILENO, false, "%s", key != NULL ? key : "");
	json_decref(result);
	return TOOL_OK;
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

/* -1, or an exit status: the options said enough. */
static int
read_options(struct spawning *spawning, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:" REMOTE_LETTERS, long_options,
		    NULL)) != -1) {
		if (opt >= CONTAIN && opt <= UMASK) {
			if (store_value(&spawning->command, opt, optarg) !=
			    TOOL_OK)
				return TOOL_USAGE;
			continue;
		}
		switch (opt) {
		case 's':
			spawning->remote.socket = optarg;
			break;
		case HOST:
			spawning->remote.host = optarg;
			break;
		case JSON:
			spawning->json = true;
			break;
		case SUPERVISOR:
			spawning->supervisor = optarg;
			break;
		case RESTART:
			if (store_restart(spawning, optarg) != TOOL_OK)
				return TOOL_USAGE;
			break;
		case 'h':
			fputs(help, stdout);
			return TOOL_OK;
		default:
			tool_bad_option("spawn", opt, argv);
			return TOOL_USAGE;
		}
	}
	return -1;
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
	struct spawning spawning = { .remote = { .verb = "spawn" },
		.command = { .umask = -1 } };
	int status;

	status = read_options(&spawning, argc, argv);
	if (status == -1) {
		status = check_command(&spawning.command, argv + optind);
		if (status == TOOL_OK)
			status = remote_open(&spawning.remote);
		if (status == TOOL_OK)
			status = ask(&spawning);
	}
	remote_close(&spawning.remote);
	run_options_fini(&spawning.command);
	return status;
}
