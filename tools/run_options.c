/* SPDX-License-Identifier: ISC */
/*
 * Options of `grouper run`: see run_options.h.  One table says how they are
 * called, what they take and what the help tells of them.
 */
#include "tools/run_options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/bug.h"
#include "tools/run_values.h"
#include "tools/tool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))
#define HELP_COLUMN 27

/* Long options are known to getopt by this and their place in the table. */
#define FIRST_VALUE (UCHAR_MAX + 1)

/* An entry without a name is a heading. */
struct entry {
	const char *name;
	const char *metavar; /* NULL: takes no value */
	run_value_fn *store; /* NULL: help, version */
	const char *help;
	char letter;
	bool optional; /* the value */
};

static const struct entry entries[] = {
	{ .help = "The command" },
	{ "shell", "TEXT", run_value_shell,
	    "run TEXT by /bin/sh -c in place of COMMAND", 0, false },
	{ "env", "NAME=VALUE", run_value_env, "set a variable (repeatable)", 0,
	    false },
	{ "env-file", "FILE", run_value_env_file,
	    "set variables from lines NAME=VALUE", 0, false },
	{ "cwd", "DIR", run_value_cwd, "run in this directory", 0, false },
	{ "stdin", "FILE", run_value_stdin,
	    "standard input: a file, null or inherit", 0, false },
	{ "uid", "USER", run_value_uid, "run as this user, by name or number",
	    0, false },
	{ "gid", "GROUP", run_value_gid,
	    "run with this group, by name or number", 0, false },
	{ "umask", "OCTAL", run_value_umask, "file mode mask", 0, false },
	{ "nice", "N", run_value_nice, "add N to the nice value", 0, false },
	{ "limits", "NAME=VALUE,...", run_value_limits,
	    "resource limits: nofile=1024, core=0, as=1G, ...", 0, false },
	{ "no-new-privs", NULL, run_value_no_new_privs,
	    "no privileges from set-uid programs", 0, false },
	{ "tmpdir", NULL, run_value_tmpdir,
	    "give it a TMPDIR of its own, removed at the end", 0, false },
	{ .help = "The group" },
	{ "key", "KEY", run_value_key, "name of the group (default)", 0,
	    false },
	{ "name", "NAME", run_value_name, "name of the host (run-PID)", 0,
	    false },
	{ "contain", "LEVEL", run_value_contain,
	    "auto, reaper, cgroup or pidns (auto)", 0, false },
	{ "session", "HOW", run_value_session,
	    "auto, new or keep (auto: keep on a terminal)", 0, false },
	{ "pty", NULL, run_value_pty, "give it a pseudo-terminal", 0, false },
	{ "force", NULL, run_value_force,
	    "found a group even under an application", 0, false },
	{ .help = "The end" },
	{ "shutdown", "STEPS", run_value_shutdown,
	    "'TERM 5s, INT 2s, KILL', '5s', brutal_kill, infinity (5s)", 0,
	    false },
	{ "stop-target", "WHOM", run_value_stop_target,
	    "first step goes to: group, command or tree (group)", 0, false },
	{ "timeout", "TIME", run_value_timeout,
	    "stop after this time (seconds, or 100ms 2m 1h 1d)", 0, false },
	{ "leaks", "WHAT", run_value_leaks,
	    "do with what outlives the command: kill, wait, warn, fail", 0,
	    false },
	{ "map-status", "FROM=TO,...", run_value_map_status,
	    "end with TO where the command ended with FROM", 0, false },
	{ "die-with-parent", NULL, run_value_die_with_parent,
	    "stop when the process that started grouper dies", 0, false },
	{ .help = "Messages" },
	{ "topic", "PATTERN", run_value_topic,
	    "subscribe the command: room:42, room:*, * (repeatable)", 0,
	    false },
	{ "messages", NULL, run_value_messages,
	    "give it pipes for events, as --topic does", 0, false },
	{ "on-event", "EVENT=SIGNAL", run_value_on_event,
	    "send it a signal for an event (repeatable)", 0, false },
	{ "config", "KEY=VALUE", run_value_config,
	    "a setting of the host, JSON or text (repeatable)", 0, false },
	{ "config-file", "FILE", run_value_config_file,
	    "settings of the host: a JSON object", 0, false },
	{ .help = "What is told" },
	{ "report", "FORMAT", run_value_report,
	    "at the end, on standard error: text (default) or json", 0, true },
	{ "report-file", "FILE", run_value_report_file,
	    "the report goes to FILE", 0, false },
	{ "verbose", NULL, run_value_verbose, "tell what happens", 'v', false },
	{ "quiet", NULL, run_value_quiet, "tell errors only", 'q', false },
	{ "help", NULL, NULL, "this text", 'h', false },
	{ "version", NULL, NULL, "the version", 'V', false },
};

static void
fill_getopt(struct option *options)
{
	size_t i, n = 0;

	for (i = 0; i < NELEMS(entries); i++) {
		if (entries[i].name == NULL)
			continue;
		options[n++] = (struct option) {
			.name = entries[i].name,
			.has_arg = entries[i].metavar == NULL ? no_argument :
			    entries[i].optional ? optional_argument :
						  required_argument,
			.val = FIRST_VALUE + (int)i,
		};
	}
	options[n] = (struct option) { .name = NULL };
}

static const struct entry *
find_entry(int opt)
{
	size_t i;

	if (opt >= FIRST_VALUE)
		return &entries[opt - FIRST_VALUE];
	for (i = 0; i < NELEMS(entries); i++)
		if (entries[i].letter == opt)
			return &entries[i];
	return NULL;
}

static void
print_entry(const struct entry *entry)
{
	char left[64];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%s --%s",
	    entry->letter != 0 ? '-' : ' ',
	    entry->letter != 0 ? entry->letter : ' ',
	    entry->letter != 0 ? "," : " ", entry->name);
	if (entry->metavar != NULL)
		n += snprintf(left + n, sizeof(left) - (size_t)n, "%s%s%s",
		    entry->optional ? "[=" : " ", entry->metavar,
		    entry->optional ? "]" : "");
	if (n >= HELP_COLUMN)
		printf("%s\n%*s", left, HELP_COLUMN + 1, "");
	else
		printf("%-*s ", HELP_COLUMN, left);
	printf("%s\n", entry->help);
}

static void
print_help(void)
{
	bool bold = tool_colours(STDOUT_FILENO);
	size_t i;

	puts("Usage: grouper run [OPTION...] [--] COMMAND [ARGUMENT...]\n"
	     "       grouper run [OPTION...] --shell TEXT\n\n"
	     "Runs a command as a group, ends with its status, and leaves "
	     "nothing of it alive.");
	for (i = 0; i < NELEMS(entries); i++) {
		if (entries[i].name == NULL)
			printf("\n%s%s:%s\n", bold ? "\033[1m" : "",
			    entries[i].help, bold ? "\033[0m" : "");
		else
			print_entry(&entries[i]);
	}
	puts("\nExit status: the command's; 128+N if signal N ended it; 127 "
	     "not found,\n126 cannot be executed, 125 grouper failed or was "
	     "misused, 124 time limit,\n123 leaks (--leaks=fail) or "
	     "unkillable processes, 121 group under an\napplication, 120 the "
	     "leader died.  See grouper-run(1).");
}

/* A value that option does not take. */
static void
refuse(const struct entry *entry, const char *expected, const char *value)
{
	tool_error("run", "--%s: %s%s, got '%s'", entry->name,
	    strncmp(expected, "expected", 8) == 0 ? "" : "expected ", expected,
	    value);
}

/*
 * Whether getopt is going to read a long option of ours.  It would take any
 * beginning of one as well, which then means another when one is added.
 */
static bool
check_name(const char *word)
{
	size_t i, length, used;
	char meant[256] = "";

	if (word == NULL || strncmp(word, "--", 2) != 0)
		return true;
	length = strcspn(word + 2, "=");
	if (length == 0)
		return true;
	for (i = 0; i < NELEMS(entries); i++) {
		if (entries[i].name == NULL ||
		    strncmp(entries[i].name, word + 2, length) != 0)
			continue;
		if (entries[i].name[length] == '\0')
			return true;
		used = strlen(meant);
		snprintf(meant + used, sizeof(meant) - used, "%s--%s",
		    used > 0 ? " or " : "", entries[i].name);
	}
	if (meant[0] == '\0')
		return true; /* getopt finds nothing either */
	tool_error("run", "unknown option '%.*s', did you mean %s?",
	    (int)length + 2, word, meant);
	return false;
}

/* What one option alone cannot know. */
static enum run_parsed
check_all(struct run_options *options, int argc, char **argv)
{
	if (options->shell_argv[0] != NULL && argc > 0) {
		tool_error("run",
		    "--shell takes the place of the command, got '%s' as well",
		    argv[0]);
		return RUN_PARSED_BAD;
	}
	options->argv = options->shell_argv[0] != NULL ? options->shell_argv :
							 argv;
	if (options->argv[0] == NULL) {
		tool_error("run",
		    "expected a command: grouper run [OPTION...] [--] COMMAND "
		    "[ARGUMENT...]");
		return RUN_PARSED_BAD;
	}
	if (options->pty && options->session == GROUPER_SESSION_KEEP) {
		tool_error("run",
		    "--pty gives a session of its own: expected --session "
		    "auto or new with it, got keep");
		return RUN_PARSED_BAD;
	}
	if (options->report_file != NULL && options->report == RUN_REPORT_NONE)
		options->report = RUN_REPORT_TEXT;
	return RUN_PARSED;
}

static void
set_defaults(struct run_options *options)
{
	const char *error;

	memset(options, 0, sizeof(*options));
	options->key = "default";
	options->timeout_ms = -1;
	options->umask = -1;
	options->level = LOG_LEVEL_WARN;
	steps_parse(NULL, &options->steps, &error);
}

enum run_parsed
run_options_parse(struct run_options *options, int argc, char **argv)
{
	struct option long_options[NELEMS(entries) + 1];
	const struct entry *entry;
	const char *expected;
	int opt;

	set_defaults(options);
	fill_getopt(long_options);
	opterr = 0;
	optind = 1;
	for (;;) {
		if (!check_name(argv[optind]))
			return RUN_PARSED_BAD;
		opt = getopt_long(argc, argv, "+:hVvq", long_options, NULL);
		if (opt == -1)
			break;
		if (opt == '?' || opt == ':') {
			tool_bad_option("run", opt, argv);
			return RUN_PARSED_BAD;
		}
		entry = find_entry(opt);
		BUG_IF(entry == NULL);
		if (entry->store == NULL) {
			if (entry->letter == 'h')
				print_help();
			else
				puts("grouper " PACKAGE_VERSION);
			return tool_printed("run") == TOOL_OK ?
			    RUN_PARSED_HELP :
			    RUN_PARSED_BAD;
		}
		expected = entry->store(options, optarg);
		if (expected != NULL) {
			refuse(entry, expected, optarg);
			return RUN_PARSED_BAD;
		}
	}
	return check_all(options, argc - optind, argv + optind);
}

void
run_options_fini(struct run_options *options)
{
	size_t i;

	free(options->env);
	free(options->env_files);
	for (i = 0; i < options->nreactions; i++)
		free(options->reactions[i].event);
	free(options->reactions);
	free((void *)options->topics);
	given_fini(&options->config);
}
