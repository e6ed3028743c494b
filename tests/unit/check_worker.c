/* SPDX-License-Identifier: ISC */
/*
 * Groups under an application: what descends from a worker founds no group
 * unless forced.  The hosts inside are made by functions that run as groups.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "trial.h"

/* What the process inside is to do before it founds a group. */
enum inside {
	INSIDE_PLAINLY,
	INSIDE_DOUBLE_FORK,  /* as a daemon, in a session of its own */
	INSIDE_NO_VARIABLES, /* without anything in the environment */
	INSIDE_RENAMED,	     /* below a process named as leaders are */
	INSIDE_WAYS
};

static void
write_line(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) == -1)
		_exit(99);
}

/* In the group: makes a host, tries to start, and writes the answer. */
static void
found(int out, unsigned int flags)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const char *argv[] = { "true", NULL };
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	enum grouper_error error;

	error = grouper_host_new(base, NULL, &host);
	if (error != GROUPER_OK) {
		write_line(out, "no host: ");
		write_line(out, grouper_strerror(error));
		return;
	}
	options.argv = (char *const *)(uintptr_t)argv;
	options.session = GROUPER_SESSION_NEW;
	options.flags = flags;
	error = grouper_start(host, &options, NULL, NULL);
	if (error == GROUPER_OK)
		error = grouper_wait(host, NULL, 30000);
	else if (grouper_state(host, NULL) != GROUPER_STATE_UNKNOWN)
		write_line(out, "known, but ");
	write_line(out, grouper_strerror(error));
	grouper_host_free(host);
	event_base_free(base);
}

struct attempt {
	enum inside how;
	unsigned int flags;
};

static int
try_inside(void *arg, int out)
{
	const struct attempt *attempt = arg;
	int done[2];
	char byte;

	if (pipe(done) == -1)
		return 99;
	switch (attempt->how) {
	case INSIDE_NO_VARIABLES:
		clearenv();
		/* FALLTHROUGH */
	case INSIDE_PLAINLY:
	case INSIDE_WAYS:
		found(out, attempt->flags);
		return 0;
	case INSIDE_RENAMED:
		prctl(PR_SET_NAME, "grouper-leader");
		break;
	case INSIDE_DOUBLE_FORK:
		break;
	}
	if (fork() == 0) {
		setsid();
		if (attempt->how == INSIDE_DOUBLE_FORK && fork() != 0)
			_exit(0);
		close(done[0]);
		found(out, attempt->flags);
		_exit(0);
	}
	close(done[1]);
	return read(done[0], &byte, 1) == 0 ? 0 : 99;
}

static void
answer_is(struct trial *trial, unsigned int outer, struct attempt attempt,
    enum grouper_error expected)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const struct trial_event *event;

	options.session = GROUPER_SESSION_NEW;
	options.flags = outer;
	trial_exec(trial, &options, try_inside, &attempt);
	event = trial_await(trial, GROUPER_EVENT_EMPTY);
	ck_assert_ptr_nonnull(event->result);
	ck_assert_msg(strcmp(event->result, grouper_strerror(expected)) == 0,
	    "way %d: the answer was '%s'", (int)attempt.how, event->result);
}

START_TEST(a_worker_founds_no_group)
{
	struct attempt attempt = { INSIDE_PLAINLY, 0 };
	struct trial trial;

	trial_open(&trial, "app");
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_GROUP_UNDER_APP);
	trial_close(&trial);
}
END_TEST

START_TEST(what_descends_from_a_worker_founds_no_group)
{
	struct attempt attempt = { INSIDE_DOUBLE_FORK, 0 };
	struct trial trial;

	trial_open(&trial, "app");
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_GROUP_UNDER_APP);
	trial_close(&trial);
}
END_TEST

START_TEST(a_worker_may_found_a_group_by_force)
{
	struct attempt attempt = { INSIDE_PLAINLY, GROUPER_FORCE };
	struct trial trial;

	trial_open(&trial, "app");
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_OK);
	trial_close(&trial);
}
END_TEST

START_TEST(groups_nest_freely_under_other_groups)
{
	struct attempt attempt = { INSIDE_PLAINLY, 0 };
	struct trial trial;

	trial_open(&trial, "app");
	answer_is(&trial, 0, attempt, GROUPER_OK);
	trial_close(&trial);
}
END_TEST

/* The host is in the default runtime directory: it is found without them. */
START_TEST(a_worker_cannot_hide_by_its_environment)
{
	const char *why;
	struct attempt attempt = { INSIDE_NO_VARIABLES, 0 };
	struct grouper_host_options named = GROUPER_HOST_OPTIONS_INIT;
	struct trial trial;

	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("GROUPER_RUNTIME_DIR");
	trial_open(&trial, NULL);
	grouper_host_free(trial.host);
	named.name = "app";
	ck_assert_int_eq(grouper_host_new(trial.base, &named, &trial.host),
	    GROUPER_OK);
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_GROUP_UNDER_APP);
	trial_close(&trial);
}
END_TEST

START_TEST(a_worker_cannot_hide_below_a_false_leader)
{
	struct attempt attempt = { INSIDE_RENAMED, 0 };
	struct trial trial;

	trial_open(&trial, "app");
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_GROUP_UNDER_APP);
	trial_close(&trial);
}
END_TEST

/* Of two hosts only the one whose leader it is under knows. */
START_TEST(a_foreign_socket_in_the_environment_is_not_believed)
{
	struct attempt attempt = { INSIDE_PLAINLY, 0 };
	struct trial trial;

	trial_open(&trial, "app");
	setenv("GROUPER_SOCKET", support_path("runtime/other.sock"), 1);
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_GROUP_UNDER_APP);
	setenv("GROUPER_SOCKET", "/dev/null", 1);
	answer_is(&trial, GROUPER_WORKER, attempt, GROUPER_GROUP_UNDER_APP);
	trial_close(&trial);
}
END_TEST

/* The test itself is under no leader, or under one that is no worker. */
START_TEST(no_worker_no_restriction)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, "app");
	options = trial_shell(&trial, "exit 0");
	options.flags = GROUPER_WORKER;
	trial_run(&trial, &options);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("worker");
	TCase *tc = support_case(s, "worker");

	tcase_add_test(tc, a_worker_founds_no_group);
	tcase_add_test(tc, what_descends_from_a_worker_founds_no_group);
	tcase_add_test(tc, a_worker_may_found_a_group_by_force);
	tcase_add_test(tc, groups_nest_freely_under_other_groups);
	tcase_add_test(tc, no_worker_no_restriction);

	tc = support_case(s, "evasion");
	tcase_add_test(tc, a_worker_cannot_hide_by_its_environment);
	tcase_add_test(tc, a_worker_cannot_hide_below_a_false_leader);
	tcase_add_test(tc, a_foreign_socket_in_the_environment_is_not_believed);
	return support_main(s, NULL);
}
