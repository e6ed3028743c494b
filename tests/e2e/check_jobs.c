/* SPDX-License-Identifier: ISC */
/*
 * Job control over a command that somebody else stops, continues or ends
 * while it shares its shell's terminal: the shell is to see what it would see
 * of a plain command.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define RACES 30

/* A shell whose job is `grouper run` with a command. */
struct job {
	struct support_pty pty;
	struct support_run shell;
	pid_t host;
	pid_t command;
};

static void
type(struct job *job, const char *line)
{
	support_pty_send(&job->pty, line);
	support_pty_send(&job->pty, "\n");
}

/*
 * Runs a command that ends with 7 once somebody writes to the FIFO $F.  above:
 * what executes it.
 */
static void
open_job(struct job *job, const char *above)
{
	char line[1200];
	FILE *stream;
	pid_t leader;

	ck_assert_int_eq(mkfifo(support_path("fifo"), 0600), 0);
	support_pty_open(&job->pty);
	support_pty_shell(&job->pty, &job->shell, "bash");
	snprintf(line, sizeof(line), "ulimit -c 0; G='%s'; export F='%s'",
	    support_grouper(), support_path("fifo"));
	type(job, line);
	support_pty_expect(&job->pty, "ready> ");
	snprintf(line, sizeof(line),
	    "$G run -v -- %s sh -c 'exec 3<>$F; read x <&3; "
	    "echo up; read x <&3; exit 7'",
	    above);
	type(job, line);
	/* Keys mean something once the host knows the command as well. */
	support_pty_expect(&job->pty, "started");
	stream = fopen(support_path("fifo"), "w");
	ck_assert_ptr_nonnull(stream);
	fputs("\n", stream);
	fclose(stream);
	support_pty_expect(&job->pty, "up");
	support_pty_await_job(&job->pty, &job->shell);
	ck_assert_uint_eq(support_children(job->shell.pid, &job->host, 1), 1);
	ck_assert_uint_eq(support_children(job->host, &leader, 1), 1);
	ck_assert_uint_eq(support_children(leader, &job->command, 1), 1);
}

/* By the keyboard, or from elsewhere. */
static void
stop_job(struct job *job, bool key)
{
	if (key)
		support_pty_send(&job->pty, "\032");
	else
		kill(job->command, SIGSTOP);
	support_pty_expect(&job->pty, "ready> ");
	support_await_state(job->host, "T");
	support_await_state(job->command, "T");
}

static void
expect_end(struct job *job, const char *line, int status)
{
	char wanted[64];

	type(job, line);
	snprintf(wanted, sizeof(wanted), "status=%d;", status);
	support_pty_expect(&job->pty, wanted);
	type(job, "exit");
	support_wait(&job->shell);
	support_assert_no_survivors();
	support_finish(&job->shell);
	support_pty_close(&job->pty);
}

START_TEST(command_that_is_continued_alone_takes_run_along)
{
	struct job job;

	open_job(&job, "");
	stop_job(&job, _i == 0);
	kill(job.command, SIGCONT);
	support_await_state(job.host, "S");
	expect_end(&job, "echo >$F; wait %1; echo \"status=$?;\"", 7);
}
END_TEST

START_TEST(command_that_is_killed_while_stopped_ends_run)
{
	struct job job;

	open_job(&job, "");
	stop_job(&job, _i == 0);
	kill(job.command, SIGKILL);
	support_await_gone(job.host);
	expect_end(&job, "wait %1; echo \"status=$?;\"", 128 + SIGKILL);
}
END_TEST

/* Whatever was seen of it first: who runs in the end is what counts. */
START_TEST(command_that_stops_for_an_instant_leaves_run_running)
{
	struct job job;
	int i;

	open_job(&job, "");
	stop_job(&job, false);
	for (i = 0; i < RACES; i++) {
		kill(job.command, SIGCONT);
		support_await_state(job.host, "S");
		kill(job.command, SIGSTOP);
	}
	support_await_state(job.command, "T");
	kill(job.command, SIGCONT);
	support_await_state(job.command, "S");
	support_await_state(job.host, "S");
	expect_end(&job, "echo >$F; wait %1; echo \"status=$?;\"", 7);
}
END_TEST

/* timeout(1) goes to a process group of its own, which no key reaches. */
START_TEST(key_ends_a_command_that_left_the_foreground)
{
	static const struct {
		const char *key;
		int signum;
	} keys[] = { { "\003", SIGINT }, { "\034", SIGQUIT } };
	struct job job;

	open_job(&job, "timeout 60");
	support_pty_send(&job.pty, keys[_i].key);
	support_pty_expect(&job.pty, "ready> ");
	expect_end(&job, "echo \"status=$?;\"", 128 + keys[_i].signum);
}
END_TEST

START_TEST(key_stops_a_command_that_left_the_foreground)
{
	struct job job;

	open_job(&job, "timeout 60");
	stop_job(&job, true);
	expect_end(&job, "echo >$F & fg %1; echo \"status=$?;\"", 7);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("jobs");
	TCase *tc = support_case(suite, "jobs");

	tcase_add_loop_test(tc, command_that_is_continued_alone_takes_run_along,
	    0, 2);
	tcase_add_loop_test(tc, command_that_is_killed_while_stopped_ends_run,
	    0, 2);
	tcase_add_test(tc,
	    command_that_stops_for_an_instant_leaves_run_running);
	tcase_add_loop_test(tc, key_ends_a_command_that_left_the_foreground, 0,
	    2);
	tcase_add_test(tc, key_stops_a_command_that_left_the_foreground);
	return support_main(suite, NULL);
}
