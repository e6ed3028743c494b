/* SPDX-License-Identifier: ISC */
/*
 * Servers as people run them, under `grouper run` at each level: asked to end,
 * their main process killed, gone into the background.  The right status comes
 * out, nothing is left at that instant, and what was asked ended in order.
 */
#include "servers.h"

#include <sys/stat.h>

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LEVELS 3
#define MAX_WORDS 48
#define MAX_OPTIONS 4

/* Long enough for a server on a busy machine, shorter than our patience. */
#define GENTLY "--shutdown", "TERM 25s, KILL"
#define QUICKLY "--shutdown", "TERM 200ms, KILL"

static const char *const levels[LEVELS] = { "reaper", "cgroup", "pidns" };

static bool made_run_sshd;

/* Loops count servers and, for each, levels.  False: the test is skipped. */
static bool
set_up(struct server *s, int loop)
{
	const char *level = levels[loop % LEVELS];
	struct support_run r;
	bool available;

	available = support_execute(&r, "@grouper", "run", "--contain", level,
			"true", NULL) == 0;
	if (!available)
		support_skip("%s", strtok(r.stderr_text.data, "\n"));
	support_finish(&r);
	if (!available)
		return false;
	if (server_prepare(s, &server_kinds[loop / LEVELS]))
		return true;
	support_skip("%s", s->why);
	return false;
}

/*
 * Starts `grouper run` with these options and command; and waits until the
 * server serves.  With hold, a shell runs the command and then waits for the
 * end of its input, to end with 0.
 */
static void
start(struct support_run *r, const struct server *s, int loop,
    const char *const *options, const char *const *command, bool hold)
{
	const char *argv[MAX_WORDS] = { support_grouper(), "run", "--contain",
		levels[loop % LEVELS], "--cwd", s->directory };
	struct support_command c = { .argv = argv, .input_open = hold };
	size_t n = 6;

	if (s->user != NULL) {
		argv[n++] = "--uid";
		argv[n++] = s->user;
	}
	for (size_t i = 0; options[i] != NULL; i++)
		argv[n++] = options[i];
	argv[n++] = "--";
	if (hold) {
		argv[n++] = "sh";
		argv[n++] = "-c";
		argv[n++] = "\"$@\" </dev/null && { read line || :; }";
		argv[n++] = "sh";
	}
	for (size_t i = 0; command[i] != NULL; i++)
		argv[n++] = command[i];
	support_start(r, &c);
	server_await_ready(s, r);
}

/* But for one process of the test's own, or 0. */
static void
assert_nothing_left(pid_t own)
{
	struct support_process list[32];
	size_t n, left = 0;

	n = support_descendants(getpid(), list, 32);
	for (size_t i = 0; i < n && i < 32; i++)
		left += list[i].pid != own;
	if (left > 0)
		support_print_processes("left", list, n < 32 ? n : 32);
	ck_assert_msg(left == 0, "%zu processes left", left);
}

static pid_t
only_child(pid_t parent)
{
	pid_t pids[4];

	ck_assert_uint_eq(support_children(parent, pids, 4), 1);
	return pids[0];
}

/* The one daemon below the leader, once the command ended. */
static bool
daemon_is_alone(void *arg)
{
	pid_t *pid = arg, leader = only_child(*pid), pids[8];
	struct support_process p;

	if (support_children(leader, pids, 8) != 1 ||
	    !support_process(pids[0], &p) || p.sid == leader)
		return false;
	*pid = pids[0];
	return true;
}

START_TEST(term_ends_it_in_order)
{
	static const char *const options[] = { GENTLY, NULL };
	struct support_run r;
	struct server s;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.foreground, false);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	assert_nothing_left(0);
	ck_assert(server_ended_in_order(&s));
	support_finish(&r);
}
END_TEST

START_TEST(killed_main_process_takes_the_rest_along)
{
	static const char *const options[] = { QUICKLY, NULL };
	struct support_run r;
	struct server s;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.foreground, false);
	kill(only_child(only_child(r.pid)), SIGKILL);
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	assert_nothing_left(0);
	support_finish(&r);
}
END_TEST

START_TEST(daemon_is_ended_in_order_after_the_command)
{
	static const char *const options[] = { GENTLY, NULL };
	struct support_run r;
	struct server s;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.background, true);
	support_feed_end(&r);
	ck_assert_int_eq(support_wait(&r), 0);
	assert_nothing_left(0);
	ck_assert(server_ended_in_order(&s));
	support_finish(&r);
}
END_TEST

START_TEST(daemon_is_a_leak_where_those_fail)
{
	static const char *const options[] = { GENTLY, "--leaks=fail", NULL };
	struct support_run r;
	struct server s;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.background, true);
	support_feed_end(&r);
	ck_assert_int_eq(support_wait(&r), 123);
	assert_nothing_left(0);
	ck_assert_msg(strstr(r.stderr_text.data, "(new session): ") != NULL &&
		strstr(r.stderr_text.data, s.kind->name) != NULL,
	    "stderr: %s", r.stderr_text.data);
	support_finish(&r);
}
END_TEST

START_TEST(daemon_is_waited_for_where_leaks_are)
{
	static const char *const options[] = { "--leaks=wait", NULL };
	struct support_process p;
	struct support_run r;
	struct server s;
	pid_t pid;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.background, false);
	pid = r.pid;
	ck_assert(support_until(daemon_is_alone, &pid, SUPPORT_PATIENCE));
	ck_assert(support_process(r.pid, &p) && support_alive(&p));
	ck_assert(s.kind->ready(&s));
	kill(pid, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	assert_nothing_left(0);
	ck_assert(server_ended_in_order(&s));
	support_finish(&r);
}
END_TEST

/* A client that does not go holds up the shutdown that TERM asks for. */
static void
stop_with_client(int loop, const char *const *options)
{
	struct support_run r, client;
	struct server s;

	if (!set_up(&s, loop))
		return;
	start(&r, &s, loop, options, s.foreground, false);
	postgres_start_client(&s, &client);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	assert_nothing_left(client.pid);
	ck_assert(server_ended_in_order(&s));
	ck_assert_int_ne(support_wait(&client), 0);
	support_finish(&client);
	support_finish(&r);
}

START_TEST(int_as_first_step_ends_it_despite_a_client)
{
	static const char *const options[] = { "--shutdown", "INT 25s, KILL",
		NULL };

	stop_with_client(_i, options);
}
END_TEST

START_TEST(int_as_second_step_ends_it_despite_a_client)
{
	static const char *const options[] = { "--shutdown",
		"TERM 200ms, INT 25s, KILL", NULL };

	stop_with_client(_i, options);
}
END_TEST

START_TEST(term_to_the_tree_ends_it_despite_a_client)
{
	static const char *const options[] = { GENTLY, "--stop-target", "tree",
		NULL };

	stop_with_client(_i, options);
}
END_TEST

static bool
all_are_gone(void *unused)
{
	struct support_process p;

	(void)unused;
	return support_descendants(getpid(), &p, 1) == 0;
}

START_TEST(killed_host_still_leaves_no_repair)
{
	static const char *const options[] = { GENTLY, NULL };
	struct support_run r;
	struct server s;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.foreground, false);
	support_signal(&r, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 128 + SIGKILL);
	ck_assert(support_until(all_are_gone, NULL, SUPPORT_PATIENCE));
	ck_assert(server_ended_in_order(&s));
	support_finish(&r);
}
END_TEST

/* The host asks first what a dead leader left. */
START_TEST(killed_leader_leaves_no_repair)
{
	static const char *const options[] = { GENTLY, NULL };
	struct support_run r;
	struct server s;
	pid_t leader;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.foreground, false);
	ck_assert_uint_eq(support_children(r.pid, &leader, 1), 1);
	kill(leader, SIGKILL);
	ck_assert_int_eq(support_wait(&r), 120);
	assert_nothing_left(0);
	if (_i % LEVELS != 2) /* of a PID namespace nothing is left to ask */
		ck_assert(server_ended_in_order(&s));
	support_finish(&r);
}
END_TEST

/* Logs in and gets the forced command; some ordinary users may not. */
static bool
start_login(struct support_run *r, struct server *s)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *argv[] = { NULL, "-T", "-F", "none", "-p", s->socket, "-i",
		server_path(s, "key"), "-o", "StrictHostKeyChecking=no", "-o",
		"UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-l",
		pw != NULL ? pw->pw_name : "root", "127.0.0.1", NULL };
	struct support_command c = { .argv = argv };

	if ((argv[0] = server_find(s, "ssh")) == NULL)
		ck_abort_msg("%s", s->why);
	support_start(r, &c);
	if (support_stdout_comes(r, "ready"))
		return true;
	ck_assert_msg(geteuid() != 0, "ssh: %s", r->stderr_text.data);
	support_skip("this user cannot log in");
	return false;
}

START_TEST(logins_end_with_their_server)
{
	static const char *const options[] = { GENTLY, NULL };
	struct support_run r, client;
	struct server s;
	bool in;

	if (!set_up(&s, _i))
		return;
	start(&r, &s, _i, options, s.foreground, false);
	in = start_login(&client, &s);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	assert_nothing_left(in ? client.pid : 0);
	ck_assert(server_ended_in_order(&s));
	ck_assert_int_ne(support_wait(&client), 0);
	support_finish(&client);
	support_finish(&r);
}
END_TEST

/* sshd wants it when root starts it; not every package makes it. */
static void
make_run_sshd(void)
{
	made_run_sshd = geteuid() == 0 && mkdir("/run/sshd", 0755) == 0;
}

static void
remove_run_sshd(void)
{
	if (made_run_sshd)
		rmdir("/run/sshd");
}

int
main(void)
{
	Suite *suite = suite_create("programs");
	TCase *tc;

	for (int i = 0; i < SERVERS; i++) {
		int from = i * LEVELS, to = from + LEVELS;

		tc = support_case(suite, server_kinds[i].name);
		tcase_add_loop_test(tc, term_ends_it_in_order, from, to);
		tcase_add_loop_test(tc,
		    killed_main_process_takes_the_rest_along, from, to);
		tcase_add_loop_test(tc,
		    daemon_is_ended_in_order_after_the_command, from, to);
		tcase_add_loop_test(tc, daemon_is_a_leak_where_those_fail, from,
		    to);
		tcase_add_loop_test(tc, daemon_is_waited_for_where_leaks_are,
		    from, to);
		if (i == SERVER_SSHD) {
			tcase_add_unchecked_fixture(tc, make_run_sshd,
			    remove_run_sshd);
			tcase_add_loop_test(tc, logins_end_with_their_server,
			    from, to);
		}
		if (i != SERVER_POSTGRES)
			continue;
		tcase_add_unchecked_fixture(tc, server_make_cluster, NULL);
		tcase_add_loop_test(tc,
		    int_as_first_step_ends_it_despite_a_client, from, to);
		tcase_add_loop_test(tc,
		    int_as_second_step_ends_it_despite_a_client, from, to);
		tcase_add_loop_test(tc,
		    term_to_the_tree_ends_it_despite_a_client, from, to);
		tcase_add_loop_test(tc, killed_host_still_leaves_no_repair,
		    from, to);
		tcase_add_loop_test(tc, killed_leader_leaves_no_repair, from,
		    to);
	}
	return support_main(suite, NULL);
}
