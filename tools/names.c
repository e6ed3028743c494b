/* SPDX-License-Identifier: ISC */
/*
 * grouper register, unregister and whereis: names of processes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/bug.h"
#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

struct naming;
typedef int answer_fn(const struct naming *naming, const json_t *result);

static answer_fn answer_register, answer_whereis;

static const struct act {
	const char *verb;  /* and its method */
	bool pid;	   /* takes one */
	answer_fn *answer; /* NULL: there is nothing to tell */
	const char *help;
} acts[] = {
	{ "register", true, answer_register,
	    "Usage: grouper register [OPTION...] NAME [PID]\n"
	    "\n"
	    "Gives a name to a process, the caller's own without PID, unless a\n"
	    "process that lives has it.  It is gone with the process.\n"
	    "\n" OPTIONS_HOST_HELP
	    "      --json           print the answer as JSON\n"
	    "  -h, --help           this text\n"
	    "\n"
	    "Exit status: 0; 1 if a process that lives has the name, or there\n"
	    "is no such process or host; 2 for bad usage.  See "
	    "grouper-names(1).\n" },
	{ "unregister", false, NULL,
	    "Usage: grouper unregister [OPTION...] NAME\n"
	    "\n"
	    "Takes a name from whoever has it.\n"
	    "\n" OPTIONS_HOST_HELP
	    "      --json           print the answer as JSON\n"
	    "  -h, --help           this text\n"
	    "\n"
	    "Exit status: 0, also if nobody has it; 1 if there is no such host,\n"
	    "2 for bad usage.  See grouper-names(1).\n" },
	{ "whereis", false, answer_whereis,
	    "Usage: grouper whereis [OPTION...] NAME\n"
	    "\n"
	    "Prints the process id of whoever has a name, and lives.\n"
	    "\n" OPTIONS_HOST_HELP
	    "      --json           print the answer as JSON\n"
	    "  -h, --help           this text\n"
	    "\n"
	    "Exit status: 0; 1 if nobody has it or there is no such host, 2 for\n"
	    "bad usage.  See grouper-names(1).\n" },
};
#define NACTS (sizeof(acts) / sizeof(acts[0]))

struct naming {
	const struct act *act;
	const char *name;
	int64_t pid; /* 0: the caller's parent */
	struct remote remote;
};

static const struct act *
find_act(const char *verb)
{
	size_t i;

	for (i = 0; i < NACTS; i++)
		if (strcmp(acts[i].verb, verb) == 0)
			return &acts[i];
	BUG();
}

static int
cannot_print(const struct naming *naming)
{
	tool_error(naming->act->verb, "standard output: %s", strerror(errno));
	return TOOL_NO;
}

static int
answer_register(const struct naming *naming, const json_t *result)
{
	if (json_is_true(json_object_get(result, "registered")))
		return TOOL_OK;
	if (!naming->remote.options.json)
		tool_error("register", "%s: a process that lives has this name",
		    naming->name);
	return TOOL_NO;
}

static int
answer_whereis(const struct naming *naming, const json_t *result)
{
	const json_t *pid = json_object_get(result, "pid");

	if (!json_is_integer(pid))
		return TOOL_NO;
	if (naming->remote.options.json ||
	    tool_line(STDOUT_FILENO, false, "%lld",
		(long long)json_integer_value(pid)) == 0)
		return TOOL_OK;
	return cannot_print(naming);
}

static json_t *
params_of(const struct naming *naming)
{
	json_t *params = json_pack("{s:o}", "name", json_text(naming->name));

	if (naming->pid != 0)
		json_put(&params, "pid", json_integer(naming->pid));
	else if (naming->act->pid)
		json_put(&params, "parent", json_true());
	return params;
}

static int
ask(struct naming *naming)
{
	struct remote *remote = &naming->remote;
	json_t *result;
	int status;

	status = remote_open(remote);
	if (status != TOOL_OK)
		return status;
	status = remote_call(remote, naming->act->verb, params_of(naming),
	    naming->name, &result);
	if (status == TOOL_OK) {
		if (naming->act->answer != NULL)
			status = naming->act->answer(naming, result);
		if (remote->options.json &&
		    json_print(STDOUT_FILENO, json_incref(result)) == -1)
			status = cannot_print(naming);
		json_decref(result);
	}
	remote_close(remote);
	return status;
}

static int
take_arguments(struct naming *naming, char **argv)
{
	const char *verb = naming->act->verb;

	naming->name = options_word(verb, argv, WORD_NAME, "a NAME");
	if (naming->name == NULL)
		return TOOL_USAGE;
	if (naming->act->pid && argv[optind] != NULL) {
		if (parse_int(argv[optind], 1, INT32_MAX, &naming->pid) != 0) {
			tool_error(verb, "expected a process id, got '%s'",
			    argv[optind]);
			return TOOL_USAGE;
		}
		optind++;
	}
	return options_no_more(verb, argv);
}

int
names_main(int argc, char **argv)
{
	static const struct option table[] = { OPTIONS_HOST, OPTIONS_JSON,
		OPTIONS_END };
	struct naming naming = { .act = find_act(argv[0]) };
	int status;

	naming.remote.options.verb = naming.act->verb;
	naming.remote.options.help = naming.act->help;
	status = options_read(&naming.remote.options, argc, argv,
	    ":" OPTIONS_HOST_LETTERS, table, NULL, NULL);
	if (status != -1)
		return status;
	if (take_arguments(&naming, argv) != TOOL_OK)
		return TOOL_USAGE;
	return ask(&naming);
}
