/* SPDX-License-Identifier: ISC */
/*
 * Levels of containment as a caller sees them: probes, what is reached, and
 * that each level keeps to the same contract.  Leaves of cgroups have a
 * suite of their own.
 */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "trial.h"

static const enum grouper_containment levels[] = {
	GROUPER_CONTAIN_REAPER,
	GROUPER_CONTAIN_CGROUP,
	GROUPER_CONTAIN_PIDNS,
};
#define LEVELS (int)(sizeof(levels) / sizeof(levels[0]))

/* The level of a loop test, skipped where it cannot be had. */
#define NEED_LEVEL(level) \
	do { \
		const char *why_; \
		if (grouper_containment_probe(level, &why_) != 0) \
			SUPPORT_SKIP("%s: %s", \
			    grouper_containment_name(level), why_); \
	} while (0)

static struct grouper_options
shell_at(struct trial *trial, enum grouper_containment level, const char *text)
{
	struct grouper_options options = trial_shell(trial, text);

	options.contain = level;
	return options;
}

START_TEST(a_probe_tells_why_not)
{
	const char *why;
	int level, error;

	for (level = GROUPER_CONTAIN_AUTO; level <= GROUPER_CONTAIN_PIDNS;
	     level++) {
		error =
		    grouper_containment_probe((enum grouper_containment)level,
			&why);
		if (error == 0)
			ck_assert_ptr_null(why);
		else
			ck_assert_uint_gt(strlen(why), 0);
		ck_assert_int_eq(grouper_containment_probe(
				     (enum grouper_containment)level, NULL),
		    error);
	}
	ck_assert_int_eq(grouper_containment_probe((enum grouper_containment)99,
			     &why),
	    EINVAL);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(reaper_is_always_there)
{
	ck_assert_int_eq(grouper_containment_probe(GROUPER_CONTAIN_REAPER,
			     NULL),
	    0);
	ck_assert_int_eq(grouper_containment_probe(GROUPER_CONTAIN_AUTO, NULL),
	    0);
}
END_TEST

START_TEST(auto_is_never_pidns)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = shell_at(&trial, GROUPER_CONTAIN_AUTO, "exit 0");
	trial_run(&trial, &options);
	ck_assert_int_ne(grouper_contained(trial.host, NULL),
	    GROUPER_CONTAIN_PIDNS);
	ck_assert_int_ne(grouper_contained(trial.host, NULL),
	    GROUPER_CONTAIN_AUTO);
	trial_close(&trial);
}
END_TEST

START_TEST(a_status_comes_through_at_every_level)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i], "exit 42");
	event = trial_run(&trial, &options);
	ck_assert_int_eq(WEXITSTATUS(event->status), 42);
	ck_assert_int_eq(grouper_contained(trial.host, NULL), levels[_i]);
	options = shell_at(&trial, levels[_i], "kill -USR1 $$");
	event = trial_run(&trial, &options);
	ck_assert_int_eq(WTERMSIG(event->status), SIGUSR1);
	trial_close(&trial);
}
END_TEST

/* The pid told, and those listed, are the host's, whatever is inside. */
START_TEST(pids_are_the_host_s_at_every_level)
{
	struct grouper_processes list;
	struct grouper_options options;
	struct support_process p;
	struct trial trial;
	pid_t pid;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i],
	    "sleep 1000 & echo ready; read x");
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	trial_expect(&trial, "ready");
	ck_assert(support_process(pid, &p));
	ck_assert_int_eq(p.ppid, trial_leader());
	ck_assert_int_eq(strncmp(p.command, "sh -c", 5), 0);
	ck_assert_int_eq(grouper_members(trial.host, NULL, &list), GROUPER_OK);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(list.items[0].pid, pid);
	ck_assert_int_eq(list.items[1].ppid, pid);
	grouper_processes_free(&list);
	ck_assert_int_eq(grouper_signal(trial.host, NULL, SIGKILL), GROUPER_OK);
	ck_assert_int_eq(WTERMSIG(trial_await(&trial, GROUPER_EVENT_EMPTY)
				      ->status),
	    SIGKILL);
	trial_close(&trial);
}
END_TEST

#define FAMILY \
	"(setsid sh -c 'trap \"\" TERM HUP; echo ready; " \
	"while :; do sleep 1000; done' &); read x"

static void
nothing_left(void)
{
	struct support_process list[4];

	ck_assert_uint_eq(support_descendants(getpid(), list, 4), 0);
}

START_TEST(a_stop_ends_everyone_at_every_level)
{
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i], FAMILY);
	options.shutdown = "TERM 30ms, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, NULL, NULL);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	nothing_left();
	trial_close(&trial);
}
END_TEST

START_TEST(leftovers_are_ended_at_every_level)
{
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i], FAMILY);
	options.shutdown = "TERM 30ms, KILL";
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_say(&trial);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	nothing_left();
	trial_close(&trial);
}
END_TEST

START_TEST(a_dead_leader_s_orphans_are_ended_at_every_level)
{
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i], FAMILY);
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	trial_kill_leader();
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_LEADER_DIED);
	nothing_left();
	trial_close(&trial);
}
END_TEST

static int
two_pids(void *arg, int out)
{
	char text[64];
	int n;

	(void)arg;
	n = snprintf(text, sizeof(text), "%d %d", (int)getpid(),
	    (int)getppid());
	return write(out, text, (size_t)n) != n;
}

START_TEST(a_function_runs_at_every_level)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const struct trial_event *event;
	struct trial trial;
	int pid, parent;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options.contain = levels[_i];
	options.session = GROUPER_SESSION_NEW;
	trial_exec(&trial, &options, two_pids, NULL);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_ptr_nonnull(event->result);
	ck_assert_int_eq(sscanf(event->result, "%d %d", &pid, &parent), 2);
	if (levels[_i] == GROUPER_CONTAIN_PIDNS)
		ck_assert_int_eq(parent, 1);
	else
		ck_assert_int_eq(pid, event->pid);
	trial_close(&trial);
}
END_TEST

START_TEST(a_start_that_fails_is_told_at_every_level)
{
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i], "exit 0");
	options.directory = "/nonexistent";
	trial_start(&trial, &options);
	event = trial_await(&trial, GROUPER_EVENT_START_FAILED);
	ck_assert_int_eq(event->stage, GROUPER_STAGE_DIRECTORY);
	ck_assert_int_eq(event->error, ENOENT);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	nothing_left();
	trial_close(&trial);
}
END_TEST

START_TEST(pauses_are_told_at_every_level)
{
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(levels[_i]);
	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[_i], "echo ready; exec sleep 1000");
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_signal(trial.host, NULL, SIGSTOP);
	ck_assert_int_eq(trial_await(&trial, GROUPER_EVENT_PAUSED)->status,
	    SIGSTOP);
	grouper_signal(trial.host, NULL, SIGCONT);
	trial_await(&trial, GROUPER_EVENT_CONTINUED);
	grouper_stop(trial.host, NULL, NULL);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_close(&trial);
}
END_TEST

/* A host that is killed, with its leader or alone. */
static void
host_at(void *arg)
{
	struct trial trial, *outer = arg;
	struct grouper_options options;

	trial_open(&trial, NULL);
	options = shell_at(&trial, levels[outer->count], FAMILY);
	options.fds = outer->fds;
	options.shutdown = "TERM 30ms, KILL";
	trial_start(&trial, &options);
	trial_wait(&trial, NULL);
}

static void
kill_host(int level, bool leader_too)
{
	struct support_process list[8];
	struct trial outer;
	pid_t host, leader;

	/* Only for its pipes. */
	memset(&outer, 0, sizeof(outer));
	ck_assert_int_eq(pipe(outer.out), 0);
	ck_assert_int_eq(pipe(outer.in), 0);
	trial_shell(&outer, "");
	outer.count = (size_t)level;
	host = trial_fork(host_at, &outer);
	trial_expect(&outer, "ready");
	ck_assert_uint_eq(support_children(host, &leader, 1), 1);
	if (leader_too) {
		kill(host, SIGSTOP);
		support_await_state(host, "T");
		kill(leader, SIGKILL);
	}
	kill(host, SIGKILL);
	support_await_gone(host);
	while (support_descendants(getpid(), list, 8) > 0)
		support_await_gone(list[0].pid);
	close(outer.out[0]);
	close(outer.out[1]);
	close(outer.in[0]);
	close(outer.in[1]);
}

START_TEST(nothing_outlives_a_killed_host_at_every_level)
{
	NEED_LEVEL(levels[_i]);
	kill_host(_i, false);
}
END_TEST

START_TEST(at_level_pidns_nothing_outlives_host_and_leader)
{
	NEED_LEVEL(GROUPER_CONTAIN_PIDNS);
	kill_host(2, true);
}
END_TEST

START_TEST(inside_a_namespace_the_leader_is_init)
{
	struct grouper_options options;
	struct trial trial;

	NEED_LEVEL(GROUPER_CONTAIN_PIDNS);
	trial_open(&trial, NULL);
	options = shell_at(&trial, GROUPER_CONTAIN_PIDNS,
	    "echo $$; echo $PPID");
	trial_run(&trial, &options);
	ck_assert_int_eq(trial_number(&trial), 2);
	ck_assert_int_eq(trial_number(&trial), 1);
	trial_close(&trial);
}
END_TEST

static void
become_user(void *arg)
{
	uid_t uid = *(uid_t *)arg;

	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(uid, uid, uid), 0);
	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	/* As after an exec: its files in /proc are its own. */
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

static void
namespace_of_user(void *arg)
{
	struct grouper_options options;
	struct trial trial;
	char expected[64];
	uid_t uid = *(uid_t *)arg;

	become_user(arg);
	if (grouper_containment_probe(GROUPER_CONTAIN_PIDNS, NULL) != 0) {
		printf("SKIP: no unprivileged namespaces\n");
		return;
	}
	trial_open(&trial, NULL);
	options = shell_at(&trial, GROUPER_CONTAIN_PIDNS,
	    "id -u; id -g; echo $$; exit 5");
	ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)->status), 5);
	snprintf(expected, sizeof(expected), "%u", uid);
	trial_expect(&trial, expected);
	trial_expect(&trial, expected);
	trial_expect(&trial, "2");
	trial_close(&trial);
}

START_TEST(an_ordinary_user_keeps_its_ids_in_a_namespace)
{
	uid_t uid = support_user();

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can become another user");
	trial_join(trial_fork(namespace_of_user, &uid));
}
END_TEST

static void
cgroup_of_user(void *arg)
{
	struct grouper_options options;
	struct trial trial;
	const char *why;
	int error;

	become_user(arg);
	error = grouper_containment_probe(GROUPER_CONTAIN_CGROUP, &why);
	ck_assert_int_ne(error, 0);
	ck_assert_ptr_nonnull(why);
	trial_open(&trial, NULL);
	options = shell_at(&trial, GROUPER_CONTAIN_CGROUP, "exit 0");
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_SYSTEM);
	ck_assert_int_eq(errno, error);
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_UNKNOWN);
	options.contain = GROUPER_CONTAIN_AUTO;
	trial_run(&trial, &options);
	trial_close(&trial);
}

START_TEST(a_level_that_cannot_be_had_fails_the_start)
{
	uid_t uid = support_user();

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can become another user");
	trial_join(trial_fork(cgroup_of_user, &uid));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("contain");
	TCase *tc = support_case(s, "probe");

	tcase_add_test(tc, a_probe_tells_why_not);
	tcase_add_test(tc, reaper_is_always_there);
	tcase_add_test(tc, auto_is_never_pidns);
	tcase_add_test(tc, a_level_that_cannot_be_had_fails_the_start);

	tc = support_case(s, "every level");
	tcase_add_loop_test(tc, a_status_comes_through_at_every_level, 0,
	    LEVELS);
	tcase_add_loop_test(tc, pids_are_the_host_s_at_every_level, 0, LEVELS);
	tcase_add_loop_test(tc, a_stop_ends_everyone_at_every_level, 0, LEVELS);
	tcase_add_loop_test(tc, leftovers_are_ended_at_every_level, 0, LEVELS);
	tcase_add_loop_test(tc,
	    a_dead_leader_s_orphans_are_ended_at_every_level, 0, LEVELS);
	tcase_add_loop_test(tc, a_function_runs_at_every_level, 0, LEVELS);
	tcase_add_loop_test(tc, a_start_that_fails_is_told_at_every_level, 0,
	    LEVELS);
	tcase_add_loop_test(tc, pauses_are_told_at_every_level, 0, LEVELS);
	tcase_add_loop_test(tc, nothing_outlives_a_killed_host_at_every_level,
	    0, LEVELS);

	tc = support_case(s, "pidns");
	tcase_add_test(tc, at_level_pidns_nothing_outlives_host_and_leader);
	tcase_add_test(tc, inside_a_namespace_the_leader_is_init);
	tcase_add_test(tc, an_ordinary_user_keeps_its_ids_in_a_namespace);
	return support_main(s, NULL);
}
