/* SPDX-License-Identifier: ISC */
/*
 * Recording an incarnation, see record.h.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/logs/logs.h"
#include "runtime/logs/member_log.h"
#include "runtime/tree/tree.h"

static void
record_note(struct record *record, const char *what)
{
	ck_assert_msg(strstr(record->told, "empty") == NULL,
	    "%s after all was over", what);
	strcat(record->told, what);
	strcat(record->told, ",");
}

static void
on_started(struct incarnation *run, void *arg)
{
	ck_assert_int_gt(incarnation_pid(run), 0);
	record_note(arg, "started");
}

static void
on_start_failed(struct incarnation *run, const char *reason, void *arg)
{
	struct record *record = arg;

	(void)run;
	strlcpy(record->reason, reason, sizeof(record->reason));
	record_note(record, "start_failed");
}

static void
on_ready(struct incarnation *run, void *arg)
{
	(void)run;
	record_note(arg, "ready");
}

static void
on_status(struct incarnation *run, const char *text, void *arg)
{
	(void)run;
	(void)text;
	record_note(arg, "status");
}

static void
on_doing(struct incarnation *run, void *arg)
{
	static const char *const names[] = {
		[INCARNATION_SERVES] = "serves",
		[INCARNATION_RELOADS] = "reloads",
		[INCARNATION_STOPS] = "stops",
	};

	record_note(arg, names[incarnation_doing(run)]);
}

static void
on_adopted(struct incarnation *run, void *arg)
{
	(void)run;
	record_note(arg, "adopted");
}

static void
on_watchdog(struct incarnation *run, void *arg)
{
	(void)run;
	record_note(arg, "watchdog");
}

static void
on_ended(struct incarnation *run, int status, void *arg)
{
	struct record *record = arg;

	(void)run;
	record->status = status;
	record_note(record, "ended");
}

static void
on_leader_died(struct incarnation *run, void *arg)
{
	(void)run;
	record_note(arg, "leader_died");
}

static void
on_unkillable(struct incarnation *run, void *arg)
{
	(void)run;
	record_note(arg, "unkillable");
}

static void
on_empty(struct incarnation *run, void *arg)
{
	struct record *record = arg;

	record_note(record, "empty");
	incarnation_free(run);
	record->run = NULL;
}

static const struct incarnation_handler handler = { on_started, on_start_failed,
	on_ready, on_status, on_doing, on_adopted, on_watchdog, on_ended,
	on_leader_died, on_unkillable, on_empty };

static int
find_user(const char *user, const char *group, struct launch_user *found,
    char **why)
{
	(void)user;
	(void)group;
	(void)why;
	found->uid = support_user();
	return 0;
}

static const struct launch_hooks hooks = { find_user, NULL };

static void
on_line(const struct log_line *line, void *arg)
{
	struct record *record = arg;
	int length = (int)line->length;
	size_t used = strlen(record->lines);

	record->nlines++;
	snprintf(record->lines + used, LINES_KEPT - used, "%.*s,", length,
	    line->text);
	snprintf(record->last, sizeof(record->last), "%.*s", length,
	    line->text);
}

void
record_open(struct record *record)
{
	struct logs_target target = { .kind = LOGS_DISCARD };
	struct member_log_options options = { .name = "a",
		.ring_bytes = MEMBER_LOG_RING };
	struct loop *loop;

	memset(record, 0, sizeof(*record));
	trial_open(&record->trial, "srv");
	loop = host_loop(record->trial.host);
	record->logs = logs_new(loop, STDOUT_FILENO, NULL);
	ck_assert_ptr_nonnull(record->logs);
	options.sink = logs_sink(record->logs, &target);
	record->log = member_log_new(loop, &options);
	ck_assert_ptr_nonnull(record->log);
	ck_assert_ptr_nonnull(member_log_watch(record->log, on_line, record));
}

void
record_close(struct record *record)
{
	incarnation_free(record->run);
	member_log_free(record->log);
	logs_free(record->logs);
	trial_close(&record->trial);
	spec_free(record->tree);
}

/* The child of these keys, "@" the test's directory. */
static void
record_read(struct record *record, const char *keys)
{
	struct tree_problems problems;
	const char *at;
	size_t length;
	FILE *stream;
	char *text;

	spec_free(record->tree);
	stream = open_memstream(&text, &length);
	fputs("children:\n  - id: a\n", stream);
	for (at = keys; *at != '\0'; at++)
		if (*at == '@')
			fputs(support_directory(), stream);
		else
			fputc(*at, stream);
	fclose(stream);
	tree_problems_init(&problems);
	record->tree = tree_load_text("tree.yaml", text, length, &problems);
	tree_problems_print(stderr, &problems, false);
	ck_assert_ptr_nonnull(record->tree);
	tree_problems_fini(&problems);
	free(text);
}

void
record_start(struct record *record, const char *keys)
{
	struct incarnation_options options = { .host = record->trial.host,
		.key = "a",
		.number = ++record->number,
		.hooks = &hooks,
		.directory = support_path("runtime"),
		.log = record->log,
		.handler = &handler,
		.arg = record };

	record_read(record, keys);
	options.child = &record->tree->root.children[0];
	record->told[0] = record->reason[0] = '\0';
	record->run = incarnation_new(&options);
	ck_assert_ptr_nonnull(record->run);
	incarnation_start(record->run);
}

struct expected {
	const struct record *record;
	const char *what;
};

static bool
is_told(void *arg)
{
	const struct expected *expected = arg;

	return strstr(expected->record->told, expected->what) != NULL;
}

void
record_await(struct record *record, const char *what)
{
	struct expected expected = { record, what };

	trial_until(&record->trial, is_told, &expected);
}

static bool
file_is_there(void *arg)
{
	struct stat status;

	return stat(arg, &status) == 0 && status.st_size > 0;
}

/* What the file holds, as a number, when it is there. */
pid_t
record_await_number(struct record *record, const char *name)
{
	char *path = strdup(support_path(name)), *text;
	pid_t number;

	trial_until(&record->trial, file_is_there, path);
	text = support_slurp(path);
	number = (pid_t)strtol(text, NULL, 10);
	ck_assert_int_gt(number, 0);
	free(text);
	free(path);
	return number;
}

pid_t
record_leader_of(pid_t pid)
{
	struct support_process process;

	ck_assert(support_process(pid, &process));
	return process.ppid;
}
