/* SPDX-License-Identifier: ISC */
/*
 * `grouper run` where its process may not be the host: as the first process
 * of a container, or with children at birth.  And the death of its parent.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

START_TEST(host_with_children_at_birth_leaves_them_alone)
{
	const char *argv[] = { "sh", "-c",
		"sleep 60 & echo $! >\"$1\"; exec \"$0\" run -- "
		"sh -c 'sleep 61 & exit 7'",
		support_grouper(), support_path("pid"), NULL };
	struct support_command c = { .argv = argv };
	struct support_process p;
	struct support_run r;
	char *text;

	ck_assert_int_eq(support_call(&r, &c), 7);
	ck_assert_str_eq(r.stderr_text.data, "");
	text = support_slurp(support_path("pid"));
	ck_assert(support_process((pid_t)atoi(text), &p));
	ck_assert(support_alive(&p));
	ck_assert_uint_eq(support_survivors(support_token(), NULL, 0), 1);
	kill((pid_t)atoi(text), SIGKILL);
	free(text);
	support_await_no_survivors(5000);
	support_finish(&r);
}
END_TEST

START_TEST(front_passes_signals_and_status_on)
{
	const char *argv[] = { "sh", "-c",
		"sleep 0 & exec \"$0\" run -- sh -c "
		"'trap \"exit 9\" USR1; echo up; "
		"while :; do sleep 0.01; done'",
		support_grouper(), NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGUSR1);
	ck_assert_int_eq(support_wait(&r), 9);
	support_finish(&r);
	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGINT);
	ck_assert_int_eq(support_wait(&r), 128 + SIGINT);
	ck_assert_int_eq(r.signal, SIGINT);
	support_finish(&r);
	/* Killed, it cannot: the host stops the group. */
	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGKILL);
	support_wait(&r);
	support_await_no_survivors(5000);
	support_finish(&r);
}
END_TEST

START_TEST(init_of_a_container_reaps_and_ends)
{
	struct support_command c = { 0 };
	struct support_run r;

	c.argv = ARGV("unshare", "-pf", "--mount-proc", support_grouper(),
	    "run", "--", "sh", "-c",
	    "test \"$(cat /proc/1/comm)\" = grouper && "
	    "(setsid sleep 60 &) && exit 6");
	support_call(&r, &c);
	if (strstr(r.stderr_text.data, "unshare:") != NULL) {
		support_finish(&r);
		SUPPORT_SKIP("no PID namespaces here");
	}
	ck_assert_msg(r.status == 6, "%d, %s", r.status, r.stderr_text.data);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

/* $0 runs the script $1, without a front and with one. */
static const char *const starts[] = {
	"exec \"$0\" run --die-with-parent -- sh -c \"$1\"",
	"sleep 0 & exec \"$0\" run --die-with-parent -- sh -c \"$1\"",
};
#define NSTARTS ((int)(sizeof(starts) / sizeof(starts[0])))

START_TEST(die_with_parent_stops_the_group)
{
	struct support_command c = {
		.argv = ARGV("sh", "-c", "sh -c \"$2\" \"$0\" \"$1\" & wait",
		    support_grouper(), "echo up; exec sleep 60", starts[_i]),
	};
	struct support_run r;

	support_start(&r, &c);
	support_await_stdout(&r, "up");
	support_signal(&r, SIGKILL);
	support_wait(&r);
	support_await_no_survivors(5000);
	support_finish(&r);
}
END_TEST

/* Starts the run, and ends as soon as that has. */
static void *
run_thread(void *arg)
{
	struct support_run *r = arg;
	struct support_command c = { 0 };
	char script[128];

	snprintf(script, sizeof(script),
	    "trap 'exit 7' %d; echo up; while :; do sleep 0.01; done",
	    SIGRTMAX);
	c.argv = ARGV("sh", "-c", starts[r->status], support_grouper(), script);
	support_start(r, &c);
	support_await_stdout(r, "up");
	return NULL;
}

/* It goes from there after its children were told. */
static bool
thread_is_gone(void *unused)
{
	struct support_process p;

	(void)unused;
	return support_process(getpid(), &p) && p.threads == 1;
}

START_TEST(death_of_a_thread_is_not_the_parent_s)
{
	struct support_run r = { .status = _i };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, &r), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(support_until(thread_is_gone, NULL, 10000));
	support_signal(&r, SIGRTMAX); /* the last of what waits to be read */
	ck_assert_int_eq(support_wait(&r), 7);
	support_await_no_survivors(5000); /* what a front has for a reason */
	support_finish(&r);
}
END_TEST

static void
alarm_soon(void *arg)
{
	(void)arg;
	alarm(1);
}

/* perl -e 'alarm 1; exec @ARGV', the time limit of the poor. */
START_TEST(alarm_from_before_reaches_the_command)
{
	struct support_command c = { .prepare = alarm_soon };
	struct support_run r;

	c.argv = ARGV(support_grouper(), "run", "sleep", "60");
	ck_assert_int_eq(support_call(&r, &c), 128 + SIGALRM);
	support_finish(&r);
	c.argv = ARGV("sh", "-c", "sleep 0 & exec \"$0\" run sleep 60",
	    support_grouper());
	ck_assert_int_eq(support_call(&r, &c), 128 + SIGALRM);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("front");
	TCase *tc;

	tc = support_case(suite, "front");
	tcase_add_test(tc, host_with_children_at_birth_leaves_them_alone);
	tcase_add_test(tc, front_passes_signals_and_status_on);
	tcase_add_test(tc, init_of_a_container_reaps_and_ends);
	tcase_add_test(tc, alarm_from_before_reaches_the_command);
	tc = support_case(suite, "parent");
	tcase_add_loop_test(tc, die_with_parent_stops_the_group, 0, NSTARTS);
	tcase_add_loop_test(tc, death_of_a_thread_is_not_the_parent_s, 0,
	    NSTARTS);
	return support_main(suite, NULL);
}
