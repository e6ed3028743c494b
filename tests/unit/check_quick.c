/* SPDX-License-Identifier: ISC */
/*
 * A quick host: leaders without its heap and its descriptors, and groups
 * that are over before their leaders have ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "trial.h"

#define MANY 40 /* more than there are places for */

static const enum grouper_containment levels[] = { GROUPER_CONTAIN_REAPER,
	GROUPER_CONTAIN_CGROUP, GROUPER_CONTAIN_PIDNS };
#define LEVELS (int)(sizeof(levels) / sizeof(levels[0]))

static void
open_quick(struct trial *trial)
{
	trial_open(trial, NULL);
	host_be_quick(trial->host);
}

START_TEST(a_status_comes_through_at_every_level)
{
	struct grouper_options options;
	struct trial trial;
	const char *why;

	if (grouper_containment_probe(levels[_i], &why) != 0)
		SUPPORT_SKIP("%s", why);
	open_quick(&trial);
	options = trial_shell(&trial, "exit 42");
	options.contain = levels[_i];
	ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)->status), 42);
	options = trial_shell(&trial, "kill -USR1 $$");
	options.contain = levels[_i];
	ck_assert_int_eq(WTERMSIG(trial_run(&trial, &options)->status),
	    SIGUSR1);
	trial_close(&trial);
}
END_TEST

/* Everything that a command is given besides. */
START_TEST(a_command_gets_what_it_was_given)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", "WORD=said",
		NULL };
	static const struct grouper_limit limit = { RLIMIT_CORE, 0, 0 };
	struct grouper_options options;
	struct trial trial;

	open_quick(&trial);
	options = trial_shell(&trial, "echo $WORD $PWD $(ulimit -c) $(umask)");
	options.envp = (char *const *)(uintptr_t)env;
	options.directory = "/usr";
	options.limits = &limit;
	options.nlimits = 1;
	options.umask = 027;
	trial_run(&trial, &options);
	trial_expect(&trial, "said /usr 0 0027");
	trial_close(&trial);
}
END_TEST

/* Each start has its own, also when it needs more room than the last. */
START_TEST(starts_do_not_mix)
{
	static char large[100000] = "LARGE=";
	const char *env[] = { "PATH=/usr/bin:/bin", large, NULL };
	struct grouper_options options;
	struct trial trial;

	memset(large + 6, 'x', sizeof(large) - 7);
	open_quick(&trial);
	options = trial_shell(&trial, "read x; echo first ${#LARGE}");
	options.key = "first";
	trial_start(&trial, &options);
	options = trial_shell(&trial, "echo second ${#LARGE}");
	options.key = "second";
	options.envp = (char *const *)(uintptr_t)env;
	trial_run(&trial, &options);
	trial_expect(&trial, "second 99993");
	trial_say(&trial);
	ck_assert_int_eq(trial_wait(&trial, "first"), GROUPER_OK);
	trial_expect(&trial, "first 0");
	trial_close(&trial);
}
END_TEST

START_TEST(a_script_without_an_interpreter_runs)
{
	const char *path = support_file("script", 0755, "echo \"got $1\"\n");
	const char *argv[] = { path, "it", NULL };
	struct grouper_options options;
	struct trial trial;

	open_quick(&trial);
	options = trial_shell(&trial, "");
	options.argv = (char *const *)(uintptr_t)argv;
	trial_run(&trial, &options);
	trial_expect(&trial, "got it");
	trial_close(&trial);
}
END_TEST

START_TEST(a_failed_start_says_why)
{
	const char *argv[] = { "/nonexistent", NULL };
	const struct trial_event *event;
	struct grouper_options options;
	struct trial trial;

	open_quick(&trial);
	options = trial_shell(&trial, "");
	options.argv = (char *const *)(uintptr_t)argv;
	trial_start(&trial, &options);
	event = trial_await(&trial, GROUPER_EVENT_START_FAILED);
	ck_assert_int_eq(event->stage, GROUPER_STAGE_EXEC);
	ck_assert_int_eq(event->error, ENOENT);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_close(&trial);
}
END_TEST

/* They do not all fit where a leader finds its descriptors. */
START_TEST(many_descriptors_are_given)
{
	struct grouper_fd fds[MANY + 1];
	struct grouper_options options;
	struct trial trial;
	int i, ends[2];

	open_quick(&trial);
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		close(ends[0]);
		fds[i] = (struct grouper_fd) { ends[1], 10 + i };
	}
	fds[MANY] = (struct grouper_fd) { trial.out[1], 1 };
	options = trial_shell(&trial, "ls /proc/self/fd | grep -c '^[1-4].'");
	options.fds = fds;
	options.nfds = MANY + 1;
	trial_run(&trial, &options);
	trial_expect(&trial, "40");
	for (i = 0; i < MANY; i++)
		close(fds[i].source);
	trial_close(&trial);
}
END_TEST

START_TEST(descriptors_can_still_be_inherited)
{
	struct grouper_options options;
	struct trial trial;
	int fd;

	open_quick(&trial);
	fd = dup(trial.out[1]);
	options = trial_shell(&trial, "echo here >&$FD");
	options.flags |= GROUPER_INHERIT_FDS;
	ck_assert_int_eq(dup2(fd, 77), 77);
	setenv("FD", "77", 1);
	options.argv = (char *const[]) { (char *)(uintptr_t) "bash",
		(char *)(uintptr_t) "-c", (char *)(uintptr_t) "echo here >&$FD",
		NULL };
	trial_run(&trial, &options);
	trial_expect(&trial, "here");
	close(77);
	close(fd);
	trial_close(&trial);
}
END_TEST

static int
use_heap(void *arg, int out)
{
	char *copy = strdup(arg);
	int n = copy != NULL ? dprintf(out, "%s", copy) : -1;

	free(copy);
	return n != 4;
}

START_TEST(a_function_has_the_heap)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const struct trial_event *event;
	char *text = strdup("text");
	struct trial trial;

	options.session = GROUPER_SESSION_NEW;
	open_quick(&trial);
	trial_exec(&trial, &options, use_heap, text);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(event->status, 0);
	ck_assert_uint_eq(event->result_length, 4);
	free(text);
	trial_close(&trial);
}
END_TEST

static size_t
count_fds(pid_t pid)
{
	char path[64];
	size_t count = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		count += faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) ==
		    0;
	}
	return count;
}

/* The link, and the signals it waits for. */
static bool
has_only_its_own(void *arg)
{
	const pid_t *leader = arg;

	return count_fds(*leader) <= 6;
}

/* It closes the host's while the command runs already. */
START_TEST(a_leader_has_only_its_own_descriptors)
{
	struct grouper_options options;
	struct trial trial;
	pid_t leader;

	open_quick(&trial);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	leader = trial_leader();
	ck_assert(support_until(has_only_its_own, &leader, SUPPORT_PATIENCE));
	trial_close(&trial);
}
END_TEST

/* Of blocks so small that they come from the heap. */
START_TEST(a_leader_has_no_heap)
{
	enum { BLOCK = 32768, BLOCKS = 1024 };
	char path[64], *begin = sbrk(0), *blocks[BLOCKS];
	struct grouper_options options;
	struct trial trial;
	long pages = 0;
	FILE *file;
	int i;

	for (i = 0; i < BLOCKS; i++)
		ck_assert_ptr_nonnull(blocks[i] = malloc(BLOCK));
	for (i = 0; i < BLOCKS; i++)
		memset(blocks[i], 1, BLOCK);
	open_quick(&trial);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)trial_leader());
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	if ((char *)sbrk(0) - begin > BLOCK * BLOCKS / 2)
		ck_assert_int_lt(pages * sysconf(_SC_PAGESIZE),
		    BLOCK * BLOCKS / 2);
	for (i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	trial_close(&trial);
}
END_TEST

START_TEST(a_group_is_over_before_its_leader_ended)
{
	struct grouper_options options;
	struct trial trial;
	int i;

	open_quick(&trial);
	for (i = 0; i < 50; i++) {
		options = trial_shell(&trial, "exit 0");
		trial_run(&trial, &options);
	}
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 50);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 0);
	trial_close(&trial);
	ck_assert_uint_eq(support_children(getpid(), NULL, 0), 0);
}
END_TEST

START_TEST(a_killed_leader_s_orphans_are_swept)
{
	struct grouper_options options;
	struct trial trial;

	open_quick(&trial);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	trial_kill_leader();
	trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_uint_eq(support_children(getpid(), NULL, 0), 0);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("quick");
	TCase *tc = support_case(s, "starts");

	tcase_add_loop_test(tc, a_status_comes_through_at_every_level, 0,
	    LEVELS);
	tcase_add_test(tc, a_command_gets_what_it_was_given);
	tcase_add_test(tc, starts_do_not_mix);
	tcase_add_test(tc, a_script_without_an_interpreter_runs);
	tcase_add_test(tc, a_failed_start_says_why);
	tcase_add_test(tc, many_descriptors_are_given);
	tcase_add_test(tc, descriptors_can_still_be_inherited);
	tcase_add_test(tc, a_function_has_the_heap);

	tc = support_case(s, "leaders");
	tcase_add_test(tc, a_leader_has_only_its_own_descriptors);
	tcase_add_test(tc, a_leader_has_no_heap);
	tcase_add_test(tc, a_group_is_over_before_its_leader_ended);
	tcase_add_test(tc, a_killed_leader_s_orphans_are_swept);
	return support_main(s, NULL);
}
