/* SPDX-License-Identifier: ISC */
/*
 * Where a command runs: its descriptors, its session and its terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trial.h"

START_TEST(standard_input_is_null_unless_given)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "readlink /proc/self/fd/0");
	options.nfds = 1;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "/dev/null");
	trial_close(&trial);
}
END_TEST

START_TEST(standard_input_is_null_where_the_caller_has_none)
{
	struct grouper_options options;
	struct trial trial;
	int saved;

	trial_open(&trial, NULL);
	saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	close(STDIN_FILENO);
	options = trial_shell(&trial, "readlink /proc/$$/fd/0 || echo none");
	options.nfds = 1;
	trial_run_ok(&trial, &options);
	dup2(saved, STDIN_FILENO);
	close(saved);
	trial_expect(&trial, "/dev/null");
	trial_close(&trial);
}
END_TEST

START_TEST(standard_output_and_error_stay_unless_given)
{
	struct grouper_options options;
	struct trial trial;
	int saved;

	trial_open(&trial, NULL);
	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(dup2(trial.out[1], STDERR_FILENO), STDERR_FILENO);
	options = trial_shell(&trial, "echo error >&2");
	options.nfds = 0;
	trial_run_ok(&trial, &options);
	dup2(saved, STDERR_FILENO);
	close(saved);
	trial_expect(&trial, "error");
	trial_close(&trial);
}
END_TEST

/* The listing's own descriptor is gone when the names are looked at. */
#define LIST_FDS \
	"list=; for file in /proc/$$/fd/*; do " \
	"[ -e $file ] && list=\"$list ${file##*/}\"; done; echo $list"

START_TEST(the_command_gets_only_its_descriptors)
{
	struct grouper_options options;
	struct grouper_fd fds[3];
	struct trial trial;
	int leaking;

	trial_open(&trial, NULL);
	leaking = dup(STDIN_FILENO); /* not close-on-exec */
	options = trial_shell(&trial, LIST_FDS);
	fds[0] = trial.fds[0];
	fds[1] = (struct grouper_fd) { trial.out[1], 7 };
	fds[2] = (struct grouper_fd) { trial.out[1], 5 };
	options.fds = fds;
	options.nfds = 3;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "0 1 2 5 7");
	close(leaking);
	trial_close(&trial);
}
END_TEST

START_TEST(inherited_are_those_not_close_on_exec)
{
	struct grouper_options options;
	struct trial trial;
	int passed, kept;

	trial_open(&trial, NULL);
	passed = fcntl(STDIN_FILENO, F_DUPFD, 100);
	kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 101);
	options = trial_shell(&trial,
	    "[ -e /proc/self/fd/100 ] && echo passed; "
	    "[ -e /proc/self/fd/101 ] || echo kept");
	options.flags = GROUPER_INHERIT_FDS;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "passed");
	trial_expect(&trial, "kept");
	close(passed);
	close(kept);
	trial_close(&trial);
}
END_TEST

static int
open_at(int number, const char *name, const char *text)
{
	int fd, placed;

	fd = open(support_file(name, 0644, text), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	placed = fcntl(fd, F_DUPFD_CLOEXEC, number);
	ck_assert_int_eq(placed, number);
	close(fd);
	return placed;
}

/* Each source stands where another's target is. */
START_TEST(descriptors_can_be_exchanged)
{
	struct grouper_options options;
	struct grouper_fd fds[4];
	struct trial trial;
	int fd;

	trial_open(&trial, NULL);
	open_at(20, "a", "a\n");
	open_at(21, "b", "b\n");
	open_at(22, "c", "c\n");
	options = trial_shell(&trial, "cd /proc/self/fd && exec cat 20 21 22");
	fds[0] = trial.fds[0];
	fds[1] = (struct grouper_fd) { 20, 21 };
	fds[2] = (struct grouper_fd) { 21, 22 };
	fds[3] = (struct grouper_fd) { 22, 20 };
	options.fds = fds;
	options.nfds = 4;
	trial_run_ok(&trial, &options);
	trial_expect(&trial, "c");
	trial_expect(&trial, "a");
	trial_expect(&trial, "b");
	for (fd = 20; fd <= 22; fd++)
		close(fd);
	trial_close(&trial);
}
END_TEST

/* Until the command has it, nothing of it may fail; it is theirs after. */
START_TEST(descriptors_given_stay_the_caller_s)
{
	struct grouper_options options;
	struct trial trial;
	int flags;

	trial_open(&trial, NULL);
	flags = fcntl(trial.out[1], F_GETFD);
	options = trial_shell(&trial, "echo x");
	trial_run_ok(&trial, &options);
	ck_assert_int_eq(fcntl(trial.out[1], F_GETFD), flags);
	trial_close(&trial);
}
END_TEST

START_TEST(a_new_session_is_the_leader_s_and_the_group_the_command_s)
{
	struct grouper_options options;
	struct support_process p;
	struct trial trial;
	pid_t pid, leader;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exec sleep 1000");
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	leader = trial_leader();
	ck_assert(support_process(pid, &p));
	ck_assert_int_eq(p.sid, leader);
	ck_assert_int_eq(p.pgid, pid);
	ck_assert(support_process(leader, &p));
	ck_assert_int_eq(p.sid, leader);
	ck_assert_int_eq(p.pgid, leader);
	trial_close(&trial);
}
END_TEST

START_TEST(a_kept_session_is_the_host_s_but_not_the_leader_s)
{
	struct grouper_options options;
	struct support_process p;
	struct trial trial;
	pid_t pid;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exec sleep 1000");
	options.session = GROUPER_SESSION_KEEP;
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	ck_assert(support_process(pid, &p));
	ck_assert_int_eq(p.sid, getsid(0));
	ck_assert_int_eq(p.pgid, getpgrp());
	ck_assert(support_process(trial_leader(), &p));
	ck_assert_int_eq(p.sid, p.pid);
	trial_close(&trial);
}
END_TEST

/* Were the process group itself signalled, this test would end too. */
START_TEST(stop_in_a_kept_session_spares_the_host)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "sleep 1000 & echo ready; wait");
	options.session = GROUPER_SESSION_KEEP;
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	grouper_stop(trial.host, NULL, "TERM 1h, KILL");
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	trial_close(&trial);
}
END_TEST

static void
without_terminal(void *arg)
{
	struct grouper_options options;
	struct support_process p;
	struct trial trial;
	pid_t pid;

	(void)arg;
	ck_assert_int_ne(setsid(), -1);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exec sleep 1000");
	options.session = GROUPER_SESSION_AUTO;
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	ck_assert(support_process(pid, &p));
	ck_assert_int_eq(p.sid, trial_leader());
	trial_close(&trial);
}

START_TEST(an_auto_session_is_new_without_a_terminal)
{
	trial_join(trial_fork(without_terminal, NULL));
}
END_TEST

static void
at_terminal(void *arg)
{
	struct grouper_options options;
	struct support_process p;
	struct trial trial;
	pid_t pid;

	ck_assert_int_ne(setsid(), -1);
	ck_assert_int_eq(ioctl(*(int *)arg, TIOCSCTTY, 0), 0);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exec sleep 1000");
	options.session = GROUPER_SESSION_AUTO;
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	ck_assert(support_process(pid, &p));
	ck_assert_int_eq(p.sid, getpid());
	ck_assert_int_eq(p.pgid, getpid());
	trial_close(&trial);
}

START_TEST(an_auto_session_is_kept_at_a_terminal)
{
	struct support_pty pty;

	support_pty_open(&pty);
	trial_join(trial_fork(at_terminal, &pty.slave));
	support_pty_close(&pty);
}
END_TEST

START_TEST(a_pty_becomes_the_controlling_terminal)
{
	struct grouper_options options;
	struct support_pty pty;
	struct trial trial;
	pid_t pid;

	support_pty_open(&pty);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "tty; exec sleep 1000");
	options.session = GROUPER_SESSION_NEW;
	options.pty = pty.slave;
	options.nfds = 0;
	trial_start(&trial, &options);
	pid = trial_await(&trial, GROUPER_EVENT_STARTED)->pid;
	support_pty_expect(&pty, pty.name);
	ck_assert_int_eq(support_pty_foreground(&pty), pid);
	support_pty_send(&pty, "\003");
	ck_assert_int_eq(WTERMSIG(trial_await(&trial, GROUPER_EVENT_EMPTY)
				      ->status),
	    SIGINT);
	trial_close(&trial);
	support_pty_close(&pty);
}
END_TEST

START_TEST(a_pty_excludes_a_kept_session)
{
	struct grouper_options options;
	struct support_pty pty;
	struct trial trial;

	support_pty_open(&pty);
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "exit 0");
	options.session = GROUPER_SESSION_KEEP;
	options.pty = pty.slave;
	ck_assert_int_eq(trial_try(&trial, &options), GROUPER_BAD_COMBINATION);
	trial_close(&trial);
	support_pty_close(&pty);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("place");
	TCase *tc;

	tc = support_case(s, "descriptors");
	tcase_add_test(tc, standard_input_is_null_unless_given);
	tcase_add_test(tc, standard_input_is_null_where_the_caller_has_none);
	tcase_add_test(tc, standard_output_and_error_stay_unless_given);
	tcase_add_test(tc, the_command_gets_only_its_descriptors);
	tcase_add_test(tc, inherited_are_those_not_close_on_exec);
	tcase_add_test(tc, descriptors_can_be_exchanged);
	tcase_add_test(tc, descriptors_given_stay_the_caller_s);

	tc = support_case(s, "session");
	tcase_add_test(tc,
	    a_new_session_is_the_leader_s_and_the_group_the_command_s);
	tcase_add_test(tc, a_kept_session_is_the_host_s_but_not_the_leader_s);
	tcase_add_test(tc, stop_in_a_kept_session_spares_the_host);
	tcase_add_test(tc, an_auto_session_is_new_without_a_terminal);
	tcase_add_test(tc, an_auto_session_is_kept_at_a_terminal);
	tcase_add_test(tc, a_pty_becomes_the_controlling_terminal);
	tcase_add_test(tc, a_pty_excludes_a_kept_session);
	return support_main(s, NULL);
}
