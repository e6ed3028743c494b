/* SPDX-License-Identifier: ISC */
/*
 * The report of a run, as text or as JSON: see run_report.h.
 */
#include "tools/run_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/tool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define NUMBER_BYTES 32
#define SECONDS_BYTES (NUMBER_BYTES + 2)
#define UNKNOWN "unknown"

/* "1.234" */
static const char *
seconds(char *buffer, int64_t us)
{
	snprintf(buffer, NUMBER_BYTES, "%" PRId64 ".%03d", us / 1000000,
	    (int)(us % 1000000 / 1000));
	return buffer;
}

/* "1.234 s", or that nobody told. */
static const char *
cpu_time(char *buffer, int64_t us, bool known)
{
	char number[NUMBER_BYTES];

	if (!known)
		return UNKNOWN;
	snprintf(buffer, SECONDS_BYTES, "%s s", seconds(number, us));
	return buffer;
}

/* "12.3M", in powers of 1024. */
static const char *
memory(char *buffer, uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	uint64_t tenths = bytes * 10;
	size_t unit = 0;

	while (tenths >= 10240 && unit < strlen(units) - 1) {
		tenths /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(buffer, NUMBER_BYTES, "%" PRIu64 "B", bytes);
	else
		snprintf(buffer, NUMBER_BYTES, "%" PRIu64 ".%d%c", tenths / 10,
		    (int)(tenths % 10), units[unit]);
	return buffer;
}

static const char *
ending(char *buffer, size_t size, const struct run_result *result)
{
	if (result->leader_died)
		return "leader died";
	if (!result->ended)
		return result->pid == 0 ? "not run" : UNKNOWN;
	if (WIFSIGNALED(result->status))
		snprintf(buffer, size, "signal %s%s",
		    signal_name(WTERMSIG(result->status)),
		    WCOREDUMP(result->status) ? " (core dumped)" : "");
	else
		snprintf(buffer, size, "exit %d", WEXITSTATUS(result->status));
	return buffer;
}

static const char *
plural(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

/* "3.2 s", or that nobody told. */
static const char *
age(char *buffer, int64_t ms)
{
	if (ms < 0)
		return UNKNOWN;
	snprintf(buffer, SECONDS_BYTES, "%" PRId64 ".%d s", ms / 1000,
	    (int)(ms % 1000 / 100));
	return buffer;
}

static int
tell_leaks(const struct run_result *result, int fd)
{
	const struct run_process *leak;
	char text[SECONDS_BYTES];
	size_t i;

	for (i = 0; i < result->leaks.count; i++) {
		leak = &result->leaks.items[i];
		if (tool_line(fd, false,
			"grouper: leak: pid %d ppid %d session %d "
			"age %s (%s): %s",
			(int)leak->pid, (int)leak->ppid, (int)leak->sid,
			age(text, leak->age_ms), leak->how, leak->command) != 0)
			return -1;
	}
	return 0;
}

static int
tell_unkillable(const struct run_result *result, int fd)
{
	const struct run_process *process;
	size_t i;

	for (i = 0; i < result->unkillable.count; i++) {
		process = &result->unkillable.items[i];
		if (tool_line(fd, false, "grouper: unkillable: pid %d: %s",
			(int)process->pid, process->command) != 0)
			return -1;
	}
	return 0;
}

/* Why, where the command's status alone does not tell; "" if it does. */
static void
list_causes(char *buffer, size_t size, const struct run_result *result,
    const struct run_options *options)
{
	const char *causes[RUN_CAUSES];
	size_t count, i, used = 0;

	count = result_causes(result, options, causes);
	buffer[0] = '\0';
	if (count == 1 && strcmp(causes[0], "command") == 0)
		return;
	for (i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(buffer + used, size - used, "%s%s",
		    i == 0 ? "; causes: " : ", ", causes[i]);
}

static int
report_text(const struct run_result *result, const struct run_options *options,
    int fd)
{
	const struct grouper_usage *usage = &result->usage;
	char end[64], causes[128];
	char wall[NUMBER_BYTES], user[SECONDS_BYTES], system[SECONDS_BYTES];
	char peak[NUMBER_BYTES], count[NUMBER_BYTES];
	bool known = !result->untold;

	list_causes(causes, sizeof(causes), result, options);
	snprintf(count, sizeof(count), "%" PRIu64, usage->processes);
	/* Of a command that a leader died with nobody knows whether it ran. */
	if (result->pid == 0 && !result->untold)
		return tool_line(fd, false, "grouper: %s: %s after %s s%s",
		    options->key, ending(end, sizeof(end), result),
		    seconds(wall, usage->wall_us), causes);
	if (tool_line(fd, false,
		"grouper: %s: %s after %s s, user %s, system %s, "
		"peak memory %s, %s %s, %zu %s%s",
		options->key, ending(end, sizeof(end), result),
		seconds(wall, usage->wall_us),
		cpu_time(user, usage->user_us, known),
		cpu_time(system, usage->system_us, known),
		known ? memory(peak, usage->peak_memory) : UNKNOWN,
		known ? count : UNKNOWN,
		plural(known ? usage->processes : 2, "process", "processes"),
		result->leaks.count,
		plural(result->leaks.count, "leak", "leaks"), causes) != 0)
		return -1;
	if (tell_leaks(result, fd) != 0)
		return -1;
	return tell_unkillable(result, fd);
}

static json_t *
status_json(const struct run_result *result)
{
	if (!result->ended)
		return json_null();
	if (WIFSIGNALED(result->status))
		return json_pack("{s:s, s:b}", "signal",
		    signal_name(WTERMSIG(result->status)), "core_dumped",
		    WCOREDUMP(result->status) ? 1 : 0);
	return json_pack("{s:i}", "exited", WEXITSTATUS(result->status));
}

static json_t *
command_json(const struct run_options *options)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; options->argv[i] != NULL; i++)
		json_add(&list, json_text(options->argv[i]));
	return list;
}

static json_t *
causes_json(const struct run_result *result, const struct run_options *options)
{
	const char *causes[RUN_CAUSES];
	json_t *list = json_array();
	size_t count, i;

	count = result_causes(result, options, causes);
	for (i = 0; i < count; i++)
		json_add(&list, json_string(causes[i]));
	return list;
}

/* Null for what nobody told. */
static json_t *
seconds_json(int64_t us, bool known)
{
	return known ? json_real((double)us / 1e6) : json_null();
}

static json_t *
leaks_json(const struct run_result *result)
{
	const struct run_process *leak;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < result->leaks.count; i++) {
		leak = &result->leaks.items[i];
		json_add(&list,
		    json_pack("{s:i, s:i, s:i, s:i, s:o, s:o, s:s}", "pid",
			(int)leak->pid, "ppid", (int)leak->ppid, "pgid",
			(int)leak->pgid, "sid", (int)leak->sid, "age_seconds",
			seconds_json(leak->age_ms * 1000, leak->age_ms >= 0),
			"command", json_text(leak->command), "how", leak->how));
	}
	return list;
}

static json_t *
processes_json(const struct run_processes *processes)
{
	const struct run_process *process;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < processes->count; i++) {
		process = &processes->items[i];
		json_add(&list,
		    json_pack("{s:i, s:o}", "pid", (int)process->pid, "command",
			json_text(process->command)));
	}
	return list;
}

static json_t *
count_json(uint64_t count, bool known)
{
	return known ? json_integer((json_int_t)count) : json_null();
}

static json_t *
contain_json(const struct run_result *result)
{
	if (result->contain == GROUPER_CONTAIN_AUTO)
		return json_null();
	return json_string(grouper_containment_name(result->contain));
}

static json_t *
report_json(const struct run_result *result, const struct run_options *options)
{
	const struct grouper_usage *usage = &result->usage;
	struct run_end end = result_end(result, options);
	bool known = !result->untold;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:f, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o}",
	    "version", PACKAGE_VERSION, "host", result->host, "key",
	    options->key, "command", command_json(options), "contain",
	    contain_json(result), "exit_status", end.status, "command_status",
	    status_json(result), "causes", causes_json(result, options),
	    "wall_seconds", (double)usage->wall_us / 1e6, "user_seconds",
	    seconds_json(usage->user_us, known), "system_seconds",
	    seconds_json(usage->system_us, known), "peak_memory_bytes",
	    count_json(usage->peak_memory, known), "processes",
	    count_json(usage->processes, known), "leaks", leaks_json(result),
	    "unkillable", processes_json(&result->unkillable),
	    "alive_at_timeout", processes_json(&result->late));
}

int
result_tell(const struct run_result *result, const struct run_options *options,
    int fd)
{
	bool on_stderr = options->report == RUN_REPORT_TEXT &&
	    options->report_file == NULL;

	if (!on_stderr) {
		if (options->leaks == RUN_LEAKS_FAIL ||
		    (options->leaks == RUN_LEAKS_WARN &&
			options->level > LOG_LEVEL_QUIET))
			tell_leaks(result, STDERR_FILENO);
		tell_unkillable(result, STDERR_FILENO);
	}
	switch (options->report) {
	case RUN_REPORT_NONE:
		break;
	case RUN_REPORT_TEXT:
		return report_text(result, options, fd);
	case RUN_REPORT_JSON:
		return json_print(fd, report_json(result, options));
	}
	return 0;
}
