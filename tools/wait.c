/* SPDX-License-Identifier: ISC */
/*
 * grouper wait: until children have ended, are ready or are empty.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/remote.h"
#include "tools/tool.h"

#define TIMED_OUT 124
#define ENDED "ended"

static const char help[] =
    "Usage: grouper wait [OPTION...] KEY...\n"
    "\n"
    "Waits until the main processes of all these children have ended, and\n"
    "ends with the first exit status that is not 0, as soon as it occurs.\n"
    "\n"
    "      --ready          wait until they are ready instead\n"
    "      --empty          wait until their groups are proven empty\n"
    "      --timeout TIME   wait no longer than this\n" OPTIONS_HOST_HELP
    "      --json           print the answer as JSON\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: that of a child, 128+n if signal n ended it; 0 if it is 0\n"
    "for all; 124 when the time is over; 1 if there is no such host or key,\n"
    "2 for bad usage.  See grouper-control(1).\n";

struct waiting {
	const char *what;
	int64_t limit_ms;
	struct remote remote;
};

enum { READY = OPTIONS_OWN, EMPTY, TIMEOUT };

static int
take_option(int opt, char *value, void *arg)
{
	struct waiting *waiting = arg;
	const char *what = opt == READY ? "ready" : "empty";

	if (opt != TIMEOUT) {
		if (strcmp(waiting->what, ENDED) != 0 &&
		    strcmp(waiting->what, what) != 0) {
			tool_error("wait",
			    "--ready and --empty exclude each other");
			return TOOL_USAGE;
		}
		waiting->what = what;
	} else if (parse_time(value, &waiting->limit_ms) != 0) {
		tool_error("wait",
		    "--timeout: expected a time such as 30s, got '%s'", value);
		return TOOL_USAGE;
	}
	return -1;
}

/* whom: the only key, which errors are about, or NULL. */
static int
wait_for(struct waiting *waiting, json_t *keys, const char *whom)
{
	enum grouper_error error;
	json_t *result;
	int status;

	error = client_call(waiting->remote.client, "wait",
	    json_pack("{s:o, s:s}", "keys", keys, "for", waiting->what),
	    waiting->limit_ms, &result);
	if (error == GROUPER_TIMED_OUT) {
		remote_print_error(&waiting->remote, whom, "not done in time");
		return TIMED_OUT;
	}
	if (error != GROUPER_OK) {
		remote_print_error(&waiting->remote, whom,
		    client_error(waiting->remote.client));
		return remote_fail(&waiting->remote, error, whom);
	}
	status = (int)json_integer_value(json_object_get(result, "status"));
	if (remote_print(&waiting->remote, whom, result) != TOOL_OK)
		return TOOL_NO;
	return status;
}

int
wait_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ready", no_argument, NULL, READY },
		{ "empty", no_argument, NULL, EMPTY },
		{ "timeout", required_argument, NULL, TIMEOUT },
		OPTIONS_HOST,
		OPTIONS_JSON,
		OPTIONS_END,
	};
	struct waiting waiting = { .what = ENDED,
		.limit_ms = -1,
		.remote = { .options = { .verb = "wait", .help = help } } };
	const char *whom;
	json_t *keys;
	int status;

	status = options_read(&waiting.remote.options, argc, argv,
	    ":" OPTIONS_HOST_LETTERS, options, take_option, &waiting);
	if (status != -1)
		return status;
	if (optind == argc) {
		tool_error("wait", "expected a KEY");
		return TOOL_USAGE;
	}
	status = remote_open(&waiting.remote);
	if (status != TOOL_OK)
		return status;
	whom = argc - optind == 1 && *argv[optind] != '\0' ? argv[optind] :
							     NULL;
	keys = json_array();
	for (; optind < argc; optind++)
		json_add(&keys, json_text(argv[optind]));
	status = wait_for(&waiting, keys, whom);
	remote_close(&waiting.remote);
	return status;
}
