/* SPDX-License-Identifier: ISC */
/*
 * The host in a program that embeds it: the caller's event base, the
 * caller's children and signals, and many groups at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "trial.h"

static enum grouper_error
new_host(struct event_base *base, struct grouper_host **host)
{
	*host = NULL;
	return grouper_host_new(base, NULL, host);
}

START_TEST(a_host_makes_its_process_a_subreaper)
{
	struct trial trial;
	int on = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 0);
	trial_open(&trial, NULL);
	prctl(PR_GET_CHILD_SUBREAPER, &on);
	ck_assert_int_eq(on, 1);
	trial_close(&trial);
}
END_TEST

START_TEST(bad_host_options_are_refused)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;

	options.size--;
	ck_assert_int_eq(grouper_host_new(base, &options, &host),
	    GROUPER_INVALID);
	options = (struct grouper_host_options)GROUPER_HOST_OPTIONS_INIT;
	options.flags = 1U << 30;
	ck_assert_int_eq(grouper_host_new(base, &options, &host),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_host_new(NULL, NULL, &host), GROUPER_INVALID);
	ck_assert_int_eq(grouper_host_new(base, NULL, NULL), GROUPER_INVALID);
	event_base_free(base);
}
END_TEST

START_TEST(a_process_with_children_gets_no_host)
{
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	ck_assert_int_eq(new_host(base, &host), GROUPER_RUNNING);
	kill(pid, SIGKILL);
	support_await_gone(pid);
	/* Also one that is dead and not waited for. */
	ck_assert_int_eq(new_host(base, &host), GROUPER_RUNNING);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(new_host(base, &host), GROUPER_OK);
	grouper_host_free(host);
	event_base_free(base);
}
END_TEST

START_TEST(a_process_has_one_host_at_a_time)
{
	struct grouper_host *host;
	struct trial trial;

	trial_open(&trial, NULL);
	ck_assert_int_eq(new_host(trial.base, &host), GROUPER_RUNNING);
	grouper_host_free(trial.host);
	ck_assert_int_eq(new_host(trial.base, &trial.host), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

static void
host_of_child(void *arg)
{
	struct grouper_options options;
	struct trial trial;

	(void)arg;
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	trial_run(&trial, &options);
	trial_close(&trial);
}

START_TEST(a_forked_child_may_have_its_own_host)
{
	struct trial trial;

	trial_open(&trial, NULL);
	trial_join(trial_fork(host_of_child, NULL));
	trial_close(&trial);
}
END_TEST

static void
free_host(void *arg)
{
	grouper_host_free(arg);
}

START_TEST(a_forked_child_cannot_free_its_parent_s_host)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, "web");
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	trial_join(trial_fork(free_host, trial.host));
	ck_assert_int_eq(access(support_path("runtime/web.sock"), F_OK), 0);
	ck_assert_int_eq(access(support_path("runtime/web.lock"), F_OK), 0);
	/* Nor were the parent's watches taken, which share an epoll(7). */
	ck_assert_int_eq(grouper_state(trial.host, NULL),
	    GROUPER_STATE_RUNNING);
	grouper_stop(trial.host, NULL, "KILL");
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	trial_close(&trial);
	ck_assert_int_eq(access(support_path("runtime/web.sock"), F_OK), -1);
}
END_TEST

START_TEST(a_failed_host_does_not_count)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;

	setenv("GROUPER_RUNTIME_DIR", "/nonexistent/x", 1);
	options.name = "web";
	ck_assert_int_eq(grouper_host_new(base, &options, &host),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(new_host(base, &host), GROUPER_OK);
	grouper_host_free(host);
	event_base_free(base);
}
END_TEST

START_TEST(no_host_is_fine_to_free)
{
	grouper_host_free(NULL);
}
END_TEST

START_TEST(an_ignored_sigchld_is_set_to_its_default)
{
	struct grouper_options options;
	struct sigaction action;
	struct trial trial;

	signal(SIGCHLD, SIG_IGN);
	trial_open(&trial, NULL);
	ck_assert_int_eq(sigaction(SIGCHLD, NULL, &action), 0);
	ck_assert(action.sa_handler == SIG_DFL);
	options = trial_shell(&trial, "exit 7");
	ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)->status), 7);
	trial_close(&trial);
}
END_TEST

static volatile sig_atomic_t handled;

static void
on_sigchld(int signum)
{
	(void)signum;
	handled++;
}

START_TEST(a_handler_of_the_caller_s_stays)
{
	struct grouper_options options;
	struct sigaction action = { .sa_handler = on_sigchld };
	struct trial trial;

	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 7");
	ck_assert_int_eq(WEXITSTATUS(trial_run(&trial, &options)->status), 7);
	ck_assert_int_eq(sigaction(SIGCHLD, NULL, &action), 0);
	ck_assert(action.sa_handler == on_sigchld);
	handled = 0;
	raise(SIGUSR1);
	ck_assert_int_eq(handled, 1);
	trial_close(&trial);
}
END_TEST

/* An idle anonymous host does not keep the caller's loop from ending. */
START_TEST(an_idle_host_keeps_no_loop_alive)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	ck_assert_int_eq(event_base_dispatch(trial.base), 1);
	options = trial_shell(&trial, "exit 7");
	trial_start(&trial, &options);
	ck_assert_int_eq(event_base_dispatch(trial.base), 1);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 1);
	trial_close(&trial);
}
END_TEST

struct other_user {
	struct event *timer;
	struct event *reader;
	unsigned int ticks;
	unsigned int lines;
	bool ended;
};

static void
on_other_timer(evutil_socket_t fd, short what, void *arg)
{
	struct other_user *other = arg;

	(void)fd;
	(void)what;
	other->ticks++;
}

static void
on_other_pipe(evutil_socket_t fd, short what, void *arg)
{
	struct other_user *other = arg;
	char byte;

	(void)what;
	if (read(fd, &byte, 1) == 1)
		other->lines += byte == '\n';
	else
		other->ended = true;
}

static bool
has_read_all(void *arg)
{
	struct other_user *other = arg;

	return other->lines == 5 && other->ticks >= 5;
}

START_TEST(others_on_the_base_go_on_meanwhile)
{
	struct timeval period = { .tv_usec = 5000 };
	struct other_user other = { 0 };
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	other.timer = event_new(trial.base, -1, EV_PERSIST, on_other_timer,
	    &other);
	other.reader = event_new(trial.base, trial.out[0], EV_READ | EV_PERSIST,
	    on_other_pipe, &other);
	event_add(other.timer, &period);
	event_add(other.reader, NULL);
	options = trial_shell(&trial,
	    "for i in 1 2 3 4 5; do echo $i; done; read x");
	trial_start(&trial, &options);
	trial_until(&trial, has_read_all, &other);
	/* And while grouper_wait() runs the base. */
	other.ticks = 0;
	ck_assert_int_eq(grouper_wait(trial.host, NULL, 100),
	    GROUPER_TIMED_OUT);
	ck_assert_uint_ge(other.ticks, 2);
	trial_say(&trial);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_int_eq(event_pending(other.timer, EV_TIMEOUT, NULL),
	    EV_TIMEOUT);
	event_free(other.timer);
	event_free(other.reader);
	trial_close(&trial);
}
END_TEST

#define CROWD 24

START_TEST(many_groups_run_and_end_side_by_side)
{
	struct grouper_options options;
	struct trial trial;
	char keys[CROWD][16], text[32];
	size_t i;

	trial_open(&trial, NULL);
	for (i = 0; i < CROWD; i++) {
		snprintf(keys[i], sizeof(keys[i]), "g:%zu", i + 1);
		snprintf(text, sizeof(text), "read x; exit %zu", i);
		options = trial_shell(&trial, text);
		options.key = keys[i];
		trial_start(&trial, &options);
	}
	for (i = 0; i < CROWD; i++)
		trial_say(&trial);
	for (i = 0; i < CROWD; i++)
		ck_assert_int_eq(trial_wait(&trial, keys[i]), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), CROWD);
	for (i = 0; i < trial.count; i++)
		if (trial.events[i].type == GROUPER_EVENT_EMPTY)
			ck_assert_int_eq(WEXITSTATUS(trial.events[i].status),
			    atoi(trial.events[i].key + 2) - 1);
	trial_close(&trial);
}
END_TEST

/* No leader keeps another's link open: each sees its own host's end. */
static void
crowded_host(void *arg)
{
	struct trial trial, *outer = arg;
	struct grouper_options options;
	char key[16];
	int i;

	trial_open(&trial, NULL);
	for (i = 1; i <= 5; i++) {
		snprintf(key, sizeof(key), "g:%d", i);
		options = trial_shell(&trial, "echo ready; exec sleep 1000");
		options.fds = outer->fds;
		options.key = key;
		trial_start(&trial, &options);
	}
	trial_wait(&trial, "g:1");
}

START_TEST(all_groups_of_a_killed_host_end)
{
	struct support_process list[32];
	struct trial outer;
	pid_t host;
	int i;

	/* Only for its pipes. */
	memset(&outer, 0, sizeof(outer));
	ck_assert_int_eq(pipe2(outer.out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(outer.in, O_CLOEXEC), 0);
	trial_shell(&outer, "");
	host = trial_fork(crowded_host, &outer);
	for (i = 0; i < 5; i++)
		trial_expect(&outer, "ready");
	kill(host, SIGKILL);
	support_await_gone(host);
	while (support_descendants(getpid(), list, 32) > 0)
		support_await_gone(list[0].pid);
	close(outer.out[0]);
	close(outer.out[1]);
	close(outer.in[0]);
	close(outer.in[1]);
}
END_TEST

/* Unobserved, through its own steps. */
START_TEST(a_freed_host_s_groups_stop)
{
	struct support_process list[4];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "trap 'echo TERM; exit' TERM; echo ready; while :; do read x; "
	    "done");
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_host_free(trial.host);
	trial.host = NULL;
	trial.nkeys = 0;
	trial_expect(&trial, "TERM");
	while (support_descendants(getpid(), list, 4) > 0)
		support_await_gone(list[0].pid);
	trial_close(&trial);
}
END_TEST

/* Its leader is dead, whether the host knows it yet or not. */
START_TEST(freeing_a_host_leaves_no_orphans)
{
	struct support_process list[4];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, "setsid sleep 1000 & " TRIAL_SLEEP);
	support_await_gone(trial_kill_leader());
	if (_i == 1)
		trial_await(&trial, GROUPER_EVENT_LEADER_DIED);
	grouper_host_free(trial.host);
	trial.host = NULL;
	trial.nkeys = 0;
	ck_assert_uint_eq(support_descendants(getpid(), list, 4), 0);
	trial_close(&trial);
}
END_TEST

/* What it leaves must not stand in the way of the next one for ever. */
START_TEST(a_new_host_follows_one_that_was_freed_with_a_group)
{
	struct support_process list[4];
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	trial_start_ready(&trial, &options, TRIAL_SLEEP);
	grouper_host_free(trial.host);
	while (support_descendants(getpid(), list, 4) > 0)
		support_await_gone(list[0].pid);
	/* As any program waits for its children. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	ck_assert_int_eq(new_host(trial.base, &trial.host), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

static void
stop_at_start(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	trial_record(host, event, arg);
	if (event->type == GROUPER_EVENT_STARTED) {
		ck_assert_int_eq(grouper_state(host, event->key),
		    GROUPER_STATE_RUNNING);
		ck_assert_int_eq(grouper_signal(host, event->key, SIGUSR1),
		    GROUPER_OK);
		ck_assert_int_eq(grouper_stop(host, event->key, "KILL"),
		    GROUPER_OK);
	}
}

START_TEST(a_callback_may_call_back)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exec sleep 1000");
	ck_assert_int_eq(grouper_start(trial.host, &options, stop_at_start,
			     &trial),
	    GROUPER_OK);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_EMPTY), 1);
	trial_close(&trial);
}
END_TEST

/* What options pointed to may be gone when start has returned. */
START_TEST(options_are_copied)
{
	struct grouper_options options;
	struct trial trial;
	char *key = strdup("key"), *steps = strdup("INT 1h, KILL");
	char *text = strdup("trap 'exit 3' INT; echo ready; "
			    "while :; do read x; done");

	ck_assert_ptr_nonnull(key);
	ck_assert_ptr_nonnull(steps);
	ck_assert_ptr_nonnull(text);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, text);
	options.key = key;
	options.shutdown = steps;
	trial_start(&trial, &options);
	memset(key, 'X', strlen(key));
	memset(steps, 'X', strlen(steps));
	memset(text, 'X', strlen(text));
	memset(&trial.argv, 0, sizeof(trial.argv));
	free(key);
	free(steps);
	free(text);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, "key", NULL);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    3);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host");
	TCase *tc = support_case(s, "new");

	tcase_add_test(tc, a_host_makes_its_process_a_subreaper);
	tcase_add_test(tc, bad_host_options_are_refused);
	tcase_add_test(tc, a_process_with_children_gets_no_host);
	tcase_add_test(tc, a_process_has_one_host_at_a_time);
	tcase_add_test(tc, a_forked_child_may_have_its_own_host);
	tcase_add_test(tc, a_forked_child_cannot_free_its_parent_s_host);
	tcase_add_test(tc, a_failed_host_does_not_count);
	tcase_add_test(tc, no_host_is_fine_to_free);
	tcase_add_test(tc, an_ignored_sigchld_is_set_to_its_default);
	tcase_add_test(tc, a_handler_of_the_caller_s_stays);

	tc = support_case(s, "loop");
	tcase_add_test(tc, an_idle_host_keeps_no_loop_alive);
	tcase_add_test(tc, others_on_the_base_go_on_meanwhile);
	tcase_add_test(tc, a_callback_may_call_back);
	tcase_add_test(tc, options_are_copied);

	tc = support_case(s, "groups");
	tcase_add_test(tc, many_groups_run_and_end_side_by_side);
	tcase_add_test(tc, all_groups_of_a_killed_host_end);
	tcase_add_test(tc, a_freed_host_s_groups_stop);
	tcase_add_loop_test(tc, freeing_a_host_leaves_no_orphans, 0, 2);
	tcase_add_test(tc, a_new_host_follows_one_that_was_freed_with_a_group);
	return support_main(s, NULL);
}
