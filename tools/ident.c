/* SPDX-License-Identifier: ISC */
/*
 * grouper ident: which group a process belongs to.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <grouper/ident.h>

#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/tool.h"

static const char help[] =
    "Usage: grouper ident [-qv] [--json] [PID]\n"
    "\n"
    "Tells which group a process belongs to, this one without PID, as one\n"
    "line: worker or group, its host and its key; or terminal (no group, but\n"
    "a controlling terminal), or none.\n"
    "\n"
    "      --json     as a JSON object\n"
    "  -q, --quiet    tell errors only\n"
    "  -v, --verbose  changes nothing: all is told\n"
    "  -h, --help     this text\n"
    "  -V, --version  the version\n"
    "\n"
    "Exit status: 0; 1 if the process is dead or its group unknown, 2 for\n"
    "bad usage.  See grouper-ident(1).\n";

static const char *
or_dash(const char *text)
{
	return *text != '\0' ? text : "-";
}

static bool
in_group(const struct grouper_ident *ident)
{
	return ident->kind == GROUPER_KIND_GROUP ||
	    ident->kind == GROUPER_KIND_WORKER;
}

static int
print_text(const struct grouper_ident *ident)
{
	const char *kind = grouper_kind_name(ident->kind);

	if (in_group(ident))
		return tool_line(STDOUT_FILENO, false, "%s %s %s", kind,
		    or_dash(ident->host), or_dash(ident->key));
	return tool_line(STDOUT_FILENO, false, "%s", kind);
}

/* error: NULL, or why the rest is not known. */
static int
print_json(pid_t pid, const struct grouper_ident *ident, const char *error)
{
	json_t *object = json_pack("{s:i}", "pid", (int)pid);

	if (error != NULL) {
		json_put(&object, "error", json_text(error));
		return json_print(STDOUT_FILENO, object);
	}
	json_put(&object, "kind", json_string(grouper_kind_name(ident->kind)));
	if (in_group(ident)) {
		json_put(&object, "host", json_text(ident->host));
		json_put(&object, "host_pid", json_integer(ident->host_pid));
		json_put(&object, "key", json_text(ident->key));
	}
	return json_print(STDOUT_FILENO, object);
}

static const char *
error_text(enum grouper_error error, int number)
{
	switch (error) {
	case GROUPER_NOT_FOUND:
		return "dead";
	case GROUPER_NO_GROUP:
		return "unknown";
	case GROUPER_SYSTEM:
		return strerror(number);
	default:
		return grouper_strerror(error);
	}
}

static int
identify(pid_t pid, const struct options *options)
{
	struct grouper_ident ident = GROUPER_IDENT_INIT;
	enum grouper_error error;
	const char *text = NULL;
	int result = 0;

	error = grouper_identify(pid, &ident);
	if (error != GROUPER_OK)
		text = error_text(error, errno);
	if (pid == 0)
		pid = getpid();
	if (text != NULL)
		tool_error("ident", "pid %d: %s", (int)pid, text);
	if (options->json && !options->quiet)
		result = print_json(pid, &ident, text);
	else if (text == NULL && !options->quiet)
		result = print_text(&ident);
	if (result != 0)
		tool_error("ident", "standard output: %s", strerror(errno));
	return text == NULL && result == 0 ? TOOL_OK : TOOL_NO;
}

int
ident_main(int argc, char **argv)
{
	static const struct option table[] = { OPTIONS_JSON, OPTIONS_TELL,
		OPTIONS_END };
	struct options options = { .verb = "ident", .help = help };
	int64_t pid = 0;
	int status;

	status = options_read(&options, argc, argv, "+:" OPTIONS_TELL_LETTERS,
	    table, NULL, NULL);
	if (status != -1)
		return status;
	if (argc - optind > 1) {
		tool_error("ident", "expected one PID, got '%s' as well",
		    argv[optind + 1]);
		return TOOL_USAGE;
	}
	if (optind < argc && parse_int(argv[optind], 1, INT_MAX, &pid) != 0) {
		tool_error("ident", "expected a PID, got '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	return identify((pid_t)pid, &options);
}
