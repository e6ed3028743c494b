/* SPDX-License-Identifier: ISC */
/*
 * Values of options: see run_values.h.
 */
#include "tools/run_values.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/topic.h"
#include "runtime/supervise/spec.h"
#include "runtime/util/limit.h"
#include "runtime/util/parse.h"

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))
#define VALUE_BYTES 1024 /* of a list with commas */

struct word {
	const char *name;
	int value;
};

static bool
choose(const struct word *words, size_t count, const char *value, int *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(words[i].name, value) == 0) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

const char *
run_value_contain(struct run_options *options, char *value)
{
	static const struct word words[] = {
		{ "auto", GROUPER_CONTAIN_AUTO },
		{ "reaper", GROUPER_CONTAIN_REAPER },
		{ "cgroup", GROUPER_CONTAIN_CGROUP },
		{ "pidns", GROUPER_CONTAIN_PIDNS },
	};
	int chosen;

	if (!choose(words, NELEMS(words), value, &chosen))
		return "auto, reaper, cgroup or pidns";
	options->contain = (enum grouper_containment)chosen;
	return NULL;
}

const char *
run_value_session(struct run_options *options, char *value)
{
	static const struct word words[] = {
		{ "auto", GROUPER_SESSION_AUTO },
		{ "new", GROUPER_SESSION_NEW },
		{ "keep", GROUPER_SESSION_KEEP },
	};
	int chosen;

	if (!choose(words, NELEMS(words), value, &chosen))
		return "auto, new or keep";
	options->session = (enum grouper_session)chosen;
	return NULL;
}

const char *
run_value_stop_target(struct run_options *options, char *value)
{
	static const struct word words[] = {
		{ "group", GROUPER_STOP_GROUP },
		{ "command", GROUPER_STOP_COMMAND },
		{ "tree", GROUPER_STOP_TREE },
	};
	int chosen;

	if (!choose(words, NELEMS(words), value, &chosen))
		return "group, command or tree";
	options->stop_target = (enum grouper_stop_target)chosen;
	return NULL;
}

const char *
run_value_leaks(struct run_options *options, char *value)
{
	static const struct word words[] = {
		{ "kill", RUN_LEAKS_KILL },
		{ "wait", RUN_LEAKS_WAIT },
		{ "warn", RUN_LEAKS_WARN },
		{ "fail", RUN_LEAKS_FAIL },
	};
	int chosen;

	if (!choose(words, NELEMS(words), value, &chosen))
		return "kill, wait, warn or fail";
	options->leaks = (enum run_leaks)chosen;
	return NULL;
}

const char *
run_value_report(struct run_options *options, char *value)
{
	static const struct word words[] = {
		{ "text", RUN_REPORT_TEXT },
		{ "json", RUN_REPORT_JSON },
	};
	int chosen = RUN_REPORT_TEXT;

	if (value != NULL && !choose(words, NELEMS(words), value, &chosen))
		return "text or json";
	options->report = (enum run_format)chosen;
	return NULL;
}

const char *
run_value_report_file(struct run_options *options, char *value)
{
	if (*value == '\0')
		return "the name of a file";
	options->report_file = value;
	return NULL;
}

/* UTF-8 too: JSON, which all is asked and told in, cannot hold another. */
static bool
is_name(const char *value, size_t max)
{
	json_t *probe = json_string(value);

	json_decref(probe);
	return probe != NULL && name_valid(value, max, false);
}

const char *
run_value_key(struct run_options *options, char *value)
{
	if (!is_name(value, 255))
		return "1 to 255 bytes of UTF-8 without blanks, '/' or ':'";
	options->key = value;
	return NULL;
}

const char *
run_value_id(struct run_options *options, char *value)
{
	if (!is_name(value, SPEC_ID_MAX))
		return "1 to 64 bytes of UTF-8 without blanks, '/' or ':'";
	options->key = value;
	return NULL;
}

const char *
run_value_name(struct run_options *options, char *value)
{
	if (!is_name(value, 32))
		return "1 to 32 bytes of UTF-8 without blanks, '/' or ':'";
	options->name = value;
	return NULL;
}

const char *
run_value_shutdown(struct run_options *options, char *value)
{
	const char *error;

	if (steps_parse(value, &options->steps, &error) != 0)
		return error;
	options->shutdown = value;
	return NULL;
}

const char *
run_value_timeout(struct run_options *options, char *value)
{
	if (parse_time(value, &options->timeout_ms) != 0)
		return "a time such as 30, 1.5s, 100ms, 2m, 1h or 1d";
	return NULL;
}

const char *
run_value_shell(struct run_options *options, char *value)
{
	static char shell[] = "/bin/sh", option[] = "-c";

	if (value[strspn(value, " \t\n")] == '\0')
		return "a command for /bin/sh";
	options->shell_argv[0] = shell;
	options->shell_argv[1] = option;
	options->shell_argv[2] = value;
	return NULL;
}

/* 143=0, or several with commas between. */
const char *
run_value_map_status(struct run_options *options, char *value)
{
	static const char expected[] =
	    "FROM=TO with exit statuses from 0 to 255, such as 143=0";
	char copy[VALUE_BYTES], *rest = copy, *item, *equals;
	int64_t from, to;
	size_t i;

	if (strlcpy(copy, value, sizeof(copy)) >= sizeof(copy))
		return expected;
	if (!options->maps_status)
		for (i = 0; i < sizeof(options->status_map); i++)
			options->status_map[i] = (unsigned char)i;
	options->maps_status = true;
	while ((item = strsep(&rest, ",")) != NULL) {
		equals = strchr(item, '=');
		if (equals == NULL)
			return expected;
		*equals = '\0';
		if (parse_int(item, 0, 255, &from) != 0 ||
		    parse_int(equals + 1, 0, 255, &to) != 0)
			return expected;
		options->status_map[from] = (unsigned char)to;
	}
	return NULL;
}

static const char no_memory[] = "less, since memory ran out";

static const char *
push(char ***list, size_t *count, char *value)
{
	char **grown;

	grown = realloc(*list, (*count + 1) * sizeof(*grown));
	if (grown == NULL)
		return no_memory;
	*list = grown;
	grown[(*count)++] = value;
	return NULL;
}

const char *
run_value_env(struct run_options *options, char *value)
{
	if (*value == '=' || strchr(value, '=') == NULL)
		return "NAME=VALUE";
	return push(&options->env, &options->nenv, value);
}

const char *
run_value_env_file(struct run_options *options, char *value)
{
	if (*value == '\0')
		return "the name of a file";
	return push(&options->env_files, &options->nenv_files, value);
}

const char *
run_value_cwd(struct run_options *options, char *value)
{
	if (*value == '\0')
		return "a directory";
	options->directory = value;
	return NULL;
}

const char *
run_value_uid(struct run_options *options, char *value)
{
	if (*value == '\0')
		return "the name or number of a user";
	options->user = value;
	return NULL;
}

const char *
run_value_gid(struct run_options *options, char *value)
{
	if (*value == '\0')
		return "the name or number of a group";
	options->group = value;
	return NULL;
}

const char *
run_value_umask(struct run_options *options, char *value)
{
	unsigned long mask;
	char *end;

	if (*value < '0' || *value > '7')
		return "an octal number from 0 to 777";
	mask = strtoul(value, &end, 8);
	if (*end != '\0' || mask > 0777)
		return "an octal number from 0 to 777";
	options->umask = (int)mask;
	return NULL;
}

const char *
run_value_nice(struct run_options *options, char *value)
{
	int64_t nice;

	if (parse_int(value, -40, 40, &nice) != 0)
		return "a number from -40 to 40, added to the present one";
	options->nice = (int)nice;
	return NULL;
}

/* A later value for a resource takes the place of an earlier one. */
static void
store_limit(struct run_options *options, const struct grouper_limit *limit)
{
	size_t i;

	for (i = 0; i < options->nlimits; i++)
		if (options->limits[i].resource == limit->resource)
			break;
	options->limits[i] = *limit;
	if (i == options->nlimits)
		options->nlimits++;
}

/* nofile=1024, or nofile=1024:4096 for soft and hard, commas between. */
const char *
run_value_limits(struct run_options *options, char *value)
{
	static const char expected[] =
	    "NAME=VALUE or NAME=SOFT:HARD, a value being a number, a size "
	    "such as 512M, a time for cpu, or unlimited";
	char copy[VALUE_BYTES], *rest = copy, *item, *name;
	struct grouper_limit parsed;

	if (strlcpy(copy, value, sizeof(copy)) >= sizeof(copy))
		return expected;
	while ((item = strsep(&rest, ",")) != NULL) {
		name = strsep(&item, "=");
		if (item == NULL)
			return expected;
		if (limit_resource(name) == -1)
			return "as, core, cpu, data, fsize, locks, memlock, "
			       "msgqueue, nice, nofile, nproc, rss, rtprio, "
			       "rttime, sigpending or stack before the '='";
		if (limit_parse(name, item, &parsed.resource, &parsed.soft,
			&parsed.hard) == -1)
			return expected;
		store_limit(options, &parsed);
	}
	return NULL;
}

const char *
run_value_stdin(struct run_options *options, char *value)
{
	if (*value == '\0')
		return "the name of a file, null or inherit";
	options->input = strcmp(value, "inherit") == 0 ? NULL : value;
	return NULL;
}

const char *
run_value_force(struct run_options *options, char *value)
{
	(void)value;
	options->force = true;
	return NULL;
}

const char *
run_value_pty(struct run_options *options, char *value)
{
	(void)value;
	options->pty = true;
	return NULL;
}

const char *
run_value_no_new_privs(struct run_options *options, char *value)
{
	(void)value;
	options->no_new_privs = true;
	return NULL;
}

const char *
run_value_die_with_parent(struct run_options *options, char *value)
{
	(void)value;
	options->die_with_parent = true;
	return NULL;
}

const char *
run_value_tmpdir(struct run_options *options, char *value)
{
	(void)value;
	options->tmpdir = true;
	return NULL;
}

const char *
run_value_verbose(struct run_options *options, char *value)
{
	(void)value;
	options->level = LOG_LEVEL_INFO;
	return NULL;
}

const char *
run_value_quiet(struct run_options *options, char *value)
{
	(void)value;
	options->level = LOG_LEVEL_QUIET;
	return NULL;
}

const char *
run_value_topic(struct run_options *options, char *value)
{
	const char *failed;

	if (!topic_pattern_valid(value, strlen(value)))
		return "a topic of 1 to 255 bytes without blanks, or a prefix "
		       "with '*'";
	failed = push(&options->topics, &options->ntopics, value);
	if (failed == NULL)
		failed = push(&options->topics, &options->ntopics, NULL);
	if (failed == NULL)
		options->ntopics--;
	return failed;
}

const char *
run_value_messages(struct run_options *options, char *value)
{
	(void)value;
	options->messages = true;
	return NULL;
}

const char *
run_value_on_event(struct run_options *options, char *value)
{
	struct bus_reaction *grown, reaction;
	char *equals = strrchr(value, '=');

	if (equals == NULL || parse_signal(equals + 1, &reaction.signum) != 0 ||
	    !topic_name_valid(value, (size_t)(equals - value)))
		return "EVENT=SIGNAL, as reload=HUP";
	grown = reallocarray(options->reactions, options->nreactions + 1,
	    sizeof(*grown));
	if (grown == NULL)
		return no_memory;
	options->reactions = grown;
	reaction.event = strndup(value, (size_t)(equals - value));
	if (reaction.event == NULL)
		return no_memory;
	grown[options->nreactions++] = reaction;
	return NULL;
}

const char *
run_value_config(struct run_options *options, char *value)
{
	return given_add(&options->config, value, false);
}

const char *
run_value_config_file(struct run_options *options, char *value)
{
	return given_add(&options->config, value, true);
}
