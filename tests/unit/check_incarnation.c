/* SPDX-License-Identifier: ISC */
/*
 * One incarnation of a child on real groups: what it tells, in which order,
 * and that it is over only when all its groups are empty.
 */
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
#include "runtime/supervise/incarnation.h"
#include "runtime/tree/tree.h"
#include "trial.h"

#define LINES_KEPT 4096

struct record {
	struct trial trial;
	struct logs *logs;
	struct member_log *log;
	struct spec_tree *tree;
	struct incarnation *run; /* NULL: over */
	uint64_t number;
	char told[512]; /* a comma after each */
	char reason[256];
	int status;
	char lines[LINES_KEPT]; /* that it wrote, as long as there is room */
	char last[64];
	size_t nlines;
};

static void
note(struct record *record, const char *what)
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
	note(arg, "started");
}

static void
on_start_failed(struct incarnation *run, const char *reason, void *arg)
{
	struct record *record = arg;

	(void)run;
	strlcpy(record->reason, reason, sizeof(record->reason));
	note(record, "start_failed");
}

static void
on_ready(struct incarnation *run, void *arg)
{
	(void)run;
	note(arg, "ready");
}

static void
on_status(struct incarnation *run, const char *text, void *arg)
{
	(void)run;
	(void)text;
	note(arg, "status");
}

static void
on_watchdog(struct incarnation *run, void *arg)
{
	(void)run;
	note(arg, "watchdog");
}

static void
on_ended(struct incarnation *run, int status, void *arg)
{
	struct record *record = arg;

	(void)run;
	record->status = status;
	note(record, "ended");
}

static void
on_leader_died(struct incarnation *run, void *arg)
{
	(void)run;
	note(arg, "leader_died");
}

static void
on_unkillable(struct incarnation *run, void *arg)
{
	(void)run;
	note(arg, "unkillable");
}

static void
on_empty(struct incarnation *run, void *arg)
{
	struct record *record = arg;

	note(record, "empty");
	incarnation_free(run);
	record->run = NULL;
}

static const struct incarnation_handler handler = { on_started, on_start_failed,
	on_ready, on_status, on_watchdog, on_ended, on_leader_died,
	on_unkillable, on_empty };

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

static void
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

static void
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
read_child(struct record *record, const char *keys)
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

static void
start(struct record *record, const char *keys)
{
	struct incarnation_options options = { .host = record->trial.host,
		.key = "a",
		.number = ++record->number,
		.hooks = &hooks,
		.directory = support_path("runtime"),
		.log = record->log,
		.handler = &handler,
		.arg = record };

	read_child(record, keys);
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

static void
await(struct record *record, const char *what)
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
static pid_t
await_number(struct record *record, const char *name)
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

static pid_t
leader_of(pid_t pid)
{
	struct support_process process;

	ck_assert(support_process(pid, &process));
	return process.ppid;
}

/* In a list, where a dollar stands for one if it is doubled, and in a shell. */
#define LIST_SAYS_PID(name) "echo $$$$ >@/" name "; "
#define SAYS_PID(name) "echo $$ >@/" name "; "

START_TEST(a_run_tells_its_start_its_end_and_that_it_is_empty)
{
	struct record record;

	record_open(&record);
	start(&record, "    shell: 'exit 3'\n");
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	ck_assert_int_eq(WEXITSTATUS(record.status), 3);
	record_close(&record);
}
END_TEST

START_TEST(what_cannot_be_executed_is_told_by_its_name)
{
	struct record record;

	record_open(&record);
	start(&record, "    command: [/nonexistent/program]\n");
	await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	ck_assert_ptr_nonnull(strstr(record.reason, "/nonexistent/program"));
	record_close(&record);
}
END_TEST

START_TEST(a_start_pre_that_fails_is_a_start_that_failed)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    start_pre: ['false']\n    shell: 'echo x >@/ran'\n");
	await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	ck_assert_int_eq(access(support_path("ran"), F_OK), -1);
	record_close(&record);
}
END_TEST

START_TEST(a_stop_lets_start_pre_end_by_its_steps)
{
	struct record record;
	char *text;

	record_open(&record);
	start(&record,
	    "    start_pre: [sh, -c, \"trap 'echo term >@/term; exit' TERM; "
	    "echo 1 >@/up; while :; do sleep 1000 & wait; done\"]\n"
	    "    command: [sleep, '1000']\n");
	await_number(&record, "up");
	incarnation_stop(record.run, false);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	text = support_slurp(support_path("term"));
	ck_assert_str_eq(text, "term\n");
	free(text);
	record_close(&record);
}
END_TEST

START_TEST(a_kill_does_not_wait_for_start_pre)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    shutdown: infinity\n"
	    "    start_pre: [sh, -c, \"trap '' TERM; echo 1 >@/up; "
	    "while :; do sleep 1000; done\"]\n"
	    "    command: [sleep, '1000']\n");
	await_number(&record, "up");
	if (_i == 1)
		incarnation_stop(record.run, false);
	incarnation_stop(record.run, true);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,empty,");
	record_close(&record);
}
END_TEST

START_TEST(the_death_of_start_pre_s_leader_is_a_leader_s_death)
{
	struct record record;
	static const char child[] =
	    "    start_pre: [sh, -c, '[ -e @/up ] && exit; echo 1 >@/up; "
	    "exec sleep 1000']\n"
	    "    command: [sleep, '1000']\n";

	record_open(&record);
	start(&record, child);
	await_number(&record, "up");
	trial_kill_leader();
	await(&record, "empty");
	ck_assert_str_eq(record.told, "leader_died,empty,");
	/* No latch of its own is left. */
	start(&record, child);
	await(&record, "started");
	incarnation_stop(record.run, false);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_leader_s_death_is_told_before_the_orphans_are_gone)
{
	struct record record;

	record_open(&record);
	start(&record, "    command: [sleep, '1000']\n");
	await(&record, "started");
	trial_kill_leader();
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,leader_died,empty,");
	record_close(&record);
}
END_TEST

static bool
one_leader_is_left(void *arg)
{
	pid_t leaders[4];

	(void)arg;
	return support_children(getpid(), leaders, 4) == 1;
}

START_TEST(a_stop_pre_that_outlives_the_command_comes_to_its_end)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    stop_pre: [sh, -c, 'echo x >@/stop; while [ ! -e @/go ]; do "
	    "sleep 0.01; done; echo x >@/done']\n"
	    "    shell: 'while [ ! -e @/stop ]; do sleep 0.01; done'\n");
	await(&record, "started");
	incarnation_stop(record.run, false);
	await(&record, "ended");
	trial_until(&record.trial, one_leader_is_left, NULL);
	support_file("go", 0644, "");
	await(&record, "empty");
	ck_assert_int_eq(access(support_path("done"), F_OK), 0);
	record_close(&record);
}
END_TEST

START_TEST(the_command_stops_though_stop_pre_s_leader_died)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    stop_pre: [sh, -c, '" LIST_SAYS_PID(
		"pid") "exec sleep 1000']\n"
		       "    command: [sleep, '1000']\n");
	await(&record, "started");
	incarnation_stop(record.run, false);
	ck_assert_int_eq(kill(leader_of(await_number(&record, "pid")), SIGKILL),
	    0);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_kill_does_not_wait_for_stop_pre)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    stop_pre: [sh, -c, '" LIST_SAYS_PID(
		"pid") "exec sleep 1000']\n"
		       "    command: [sleep, '1000']\n");
	await(&record, "started");
	incarnation_stop(record.run, false);
	await_number(&record, "pid");
	incarnation_stop(record.run, true);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	ck_assert_int_eq(WTERMSIG(record.status), SIGKILL);
	record_close(&record);
}
END_TEST

START_TEST(a_reload_command_runs_once_at_a_time_and_not_on_its_own)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    reload_command: [sh, -c, '" LIST_SAYS_PID(
		"pid") "exec sleep 1000']\n"
		       "    command: [sleep, '1000']\n");
	ck_assert(!incarnation_reload(record.run));
	await(&record, "started");
	ck_assert(incarnation_reload(record.run));
	ck_assert(!incarnation_reload(record.run));
	await_number(&record, "pid");
	incarnation_stop(record.run, false);
	ck_assert(!incarnation_reload(record.run));
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_close(&record);
}
END_TEST

/*
 * What cannot be killed: another user's, for whom lacks the right to.
 */

/* Starts a child of that user, which says its pid; false without the right. */
static bool
start_unkillable(struct record *record, const char *keys)
{
	if (geteuid() != 0 || !trial_may_kill(false)) {
		support_skip("this process may not give up its right to kill");
		return false;
	}
	record_open(record);
	ck_assert_int_eq(chmod(support_directory(), 0777), 0);
	start(record, keys);
	return true;
}

static void
kill_after_all(pid_t pid)
{
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}

START_TEST(what_withstood_sigkill_is_empty_when_it_has_ended)
{
	struct record record;
	pid_t pid;

	if (!start_unkillable(&record,
		"    uid: 1\n    shell: '" SAYS_PID(
		    "pid") "exec sleep 1000'\n"))
		return;
	await(&record, "started");
	pid = await_number(&record, "pid");
	incarnation_stop(record.run, true);
	await(&record, "unkillable");
	ck_assert_str_eq(record.told, "started,unkillable,");
	kill_after_all(pid);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,unkillable,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_start_pre_that_withstood_sigkill_is_not_empty)
{
	struct record record;
	pid_t pid;

	if (!start_unkillable(&record,
		"    uid: 1\n    command: ['true']\n"
		"    start_pre: [sh, -c, '" LIST_SAYS_PID(
		    "pid") "exec sleep 1000']\n"))
		return;
	pid = await_number(&record, "pid");
	incarnation_stop(record.run, true);
	await(&record, "unkillable");
	ck_assert_str_eq(record.told, "start_failed,unkillable,");
	kill_after_all(pid);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "start_failed,unkillable,empty,");
	record_close(&record);
}
END_TEST

START_TEST(what_a_command_beside_left_is_told_when_it_stands_in_the_way)
{
	struct record record;
	pid_t pid;

	if (!start_unkillable(&record,
		"    uid: 1\n    shutdown: KILL\n"
		"    command: [sleep, '1000']\n"
		"    reload_command: [sh, -c, '" LIST_SAYS_PID(
		    "pid") "exec sleep 1000']\n"))
		return;
	await(&record, "started");
	ck_assert(incarnation_reload(record.run));
	pid = await_number(&record, "pid");
	/* The command ends by itself. */
	ck_assert(trial_may_kill(true));
	ck_assert_int_eq(kill(incarnation_pid(record.run), SIGKILL), 0);
	ck_assert(trial_may_kill(false));
	await(&record, "unkillable");
	ck_assert_str_eq(record.told, "started,ended,unkillable,");
	kill_after_all(pid);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,unkillable,empty,");
	record_close(&record);
}
END_TEST

START_TEST(it_may_be_freed_with_its_host_while_something_lives)
{
	struct record record;
	pid_t pid, leader;

	if (!start_unkillable(&record,
		"    uid: 1\n    shell: '" SAYS_PID(
		    "pid") "exec sleep 1000'\n"))
		return;
	await(&record, "started");
	pid = await_number(&record, "pid");
	leader = leader_of(pid);
	incarnation_stop(record.run, true);
	await(&record, "unkillable");
	record_close(&record);
	kill_after_all(pid);
	support_await_gone(pid);
	support_await_gone(leader);
}
END_TEST

/*
 * What it is given and what it gives
 */

START_TEST(readiness_is_told_once_and_after_the_start)
{
	struct record record;

	record_open(&record);
	start(&record,
	    "    ready: fd:7\n"
	    "    shell: 'echo >&7; echo >&7; exec sleep 1000'\n");
	await(&record, "ready");
	incarnation_stop(record.run, false);
	await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ready,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(a_member_has_its_own_descriptors_and_no_others)
{
	struct record record;
	int open_here;

	record_open(&record);
	open_here = dup(STDERR_FILENO); /* not close-on-exec */
	ck_assert_int_ne(open_here, -1);
	/* 3 is the directory that ls reads. */
	start(&record,
	    "    ready: fd:7\n"
	    "    start_pre: [ls, /proc/self/fd]\n"
	    "    command: [ls, /proc/self/fd]\n");
	await(&record, "empty");
	ck_assert_str_eq(record.lines, "0,1,2,3,0,1,2,3,7,");
	close(open_here);
	record_close(&record);
}
END_TEST

START_TEST(the_last_words_come_before_the_end)
{
	struct record record;

	record_open(&record);
	start(&record, "    shell: 'seq 1 20000; printf last'\n");
	await(&record, "empty");
	ck_assert_uint_eq(record.nlines, 20001);
	ck_assert_str_eq(record.last, "last");
	record_close(&record);
}
END_TEST

START_TEST(its_notify_socket_goes_with_it)
{
	struct record record;

	record_open(&record);
	start(&record, "    ready: notify\n    command: [sleep, '1000']\n");
	await(&record, "started");
	ck_assert_int_eq(access(support_path("runtime/srv.1.notify"), F_OK), 0);
	incarnation_stop(record.run, false);
	await(&record, "empty");
	ck_assert_int_eq(access(support_path("runtime/srv.1.notify"), F_OK),
	    -1);
	record_close(&record);
}
END_TEST

/* Everything that an incarnation can have, stopped after so many turns. */
START_TEST(it_ends_whenever_it_is_stopped)
{
	struct record record;
	int i;

	record_open(&record);
	start(&record,
	    "    start_pre: ['true']\n"
	    "    stop_pre: ['true']\n"
	    "    watchdog: 10s\n"
	    "    ready: {exec: ['true'], interval: 1ms}\n"
	    "    command: [sleep, '1000']\n");
	for (i = 0; i < _i && record.run != NULL; i++) {
		poll(NULL, 0, 1);
		event_base_loop(record.trial.base, EVLOOP_NONBLOCK);
	}
	if (record.run != NULL)
		incarnation_stop(record.run, _i % 3 == 0);
	if (record.run != NULL && _i % 2 == 0)
		incarnation_stop(record.run, true);
	await(&record, "empty");
	record_close(&record);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("incarnation");
	TCase *tc;

	tc = support_case(suite, "life");
	tcase_add_test(tc, a_run_tells_its_start_its_end_and_that_it_is_empty);
	tcase_add_test(tc, what_cannot_be_executed_is_told_by_its_name);
	tcase_add_test(tc,
	    a_leader_s_death_is_told_before_the_orphans_are_gone);
	tcase_add_loop_test(tc, it_ends_whenever_it_is_stopped, 0, 24);
	tc = support_case(suite, "beside");
	tcase_add_test(tc, a_start_pre_that_fails_is_a_start_that_failed);
	tcase_add_test(tc, a_stop_lets_start_pre_end_by_its_steps);
	tcase_add_loop_test(tc, a_kill_does_not_wait_for_start_pre, 0, 2);
	tcase_add_test(tc, the_death_of_start_pre_s_leader_is_a_leader_s_death);
	tcase_add_test(tc,
	    a_stop_pre_that_outlives_the_command_comes_to_its_end);
	tcase_add_test(tc, the_command_stops_though_stop_pre_s_leader_died);
	tcase_add_test(tc, a_kill_does_not_wait_for_stop_pre);
	tcase_add_test(tc,
	    a_reload_command_runs_once_at_a_time_and_not_on_its_own);
	tc = support_case(suite, "unkillable");
	tcase_add_test(tc, what_withstood_sigkill_is_empty_when_it_has_ended);
	tcase_add_test(tc, a_start_pre_that_withstood_sigkill_is_not_empty);
	tcase_add_test(tc,
	    what_a_command_beside_left_is_told_when_it_stands_in_the_way);
	tcase_add_test(tc, it_may_be_freed_with_its_host_while_something_lives);
	tc = support_case(suite, "given");
	tcase_add_test(tc, readiness_is_told_once_and_after_the_start);
	tcase_add_test(tc, a_member_has_its_own_descriptors_and_no_others);
	tcase_add_test(tc, the_last_words_come_before_the_end);
	tcase_add_test(tc, its_notify_socket_goes_with_it);
	return support_main(suite, NULL);
}
