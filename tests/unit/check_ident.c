/* SPDX-License-Identifier: ISC */
/*
 * grouper_identify(): each kind, from inside and outside, and what cannot
 * be told.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/group/leader.h"
#include "trial.h"

/* Are the tests themselves run in a group? */
static bool
in_group(void)
{
	struct support_process p = { .ppid = getppid() };
	char path[64], *name;
	bool found = false;

	while (!found && p.ppid > 1 && support_process(p.ppid, &p)) {
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)p.pid);
		name = support_slurp(path);
		found = strcmp(name, LEADER_NAME "\n") == 0;
		free(name);
	}
	return found;
}

#define NEED_FREEDOM() \
	do { \
		if (in_group()) \
			SUPPORT_SKIP("the tests themselves run in a group"); \
	} while (0)

struct question {
	pid_t pid;
	enum grouper_error error;
	enum grouper_kind kind;
	const char *host;
	const char *key;
	pid_t host_pid;
};

/* In a process of its own, since the host has to answer meanwhile. */
static void
ask(void *arg)
{
	const struct question *expected = arg;
	struct grouper_ident ident = GROUPER_IDENT_INIT;
	enum grouper_error error;

	error = grouper_identify(expected->pid, &ident);
	ck_assert_msg(error == expected->error, "the answer was: %s",
	    grouper_strerror(error));
	if (error != GROUPER_OK)
		return;
	ck_assert_str_eq(grouper_kind_name(ident.kind),
	    grouper_kind_name(expected->kind));
	ck_assert_str_eq(ident.host, expected->host);
	ck_assert_str_eq(ident.key, expected->key);
	ck_assert_int_eq(ident.host_pid, expected->host_pid);
}

static bool
has_gone(void *arg)
{
	struct support_process p;

	return !support_process(*(pid_t *)arg, &p) || !support_alive(&p);
}

/* Asks while the host's loop runs. */
static void
check_answer(struct trial *trial, struct question expected)
{
	pid_t pid = trial_fork(ask, &expected);

	trial_until(trial, has_gone, &pid);
	trial_join(pid);
}

static void
in_session(void *arg)
{
	ck_assert_int_ne(setsid(), -1);
	if (arg != NULL)
		ck_assert_int_eq(ioctl(*(int *)arg, TIOCSCTTY, 0), 0);
	ask(&(struct question) { 0, GROUPER_OK,
	    arg != NULL ? GROUPER_KIND_TERMINAL : GROUPER_KIND_NONE, "", "",
	    0 });
	ask(&(struct question) { getpid(), GROUPER_OK,
	    arg != NULL ? GROUPER_KIND_TERMINAL : GROUPER_KIND_NONE, "", "",
	    0 });
}

START_TEST(without_group_and_terminal_it_is_none)
{
	NEED_FREEDOM();
	trial_join(trial_fork(in_session, NULL));
}
END_TEST

START_TEST(without_group_at_a_terminal_it_is_terminal)
{
	struct support_pty pty;

	NEED_FREEDOM();
	support_pty_open(&pty);
	trial_join(trial_fork(in_session, &pty.slave));
	support_pty_close(&pty);
}
END_TEST

START_TEST(a_member_is_told_from_outside)
{
	struct grouper_options options;
	struct trial trial;
	bool worker = _i == 1;
	pid_t pid;

	trial_open(&trial, "web");
	options = trial_shell(&trial,
	    "(setsid sh -c 'echo $$; exec sleep 1000' &) ; read x");
	options.key = "pool/a:2";
	options.flags = worker ? GROUPER_WORKER : 0;
	trial_start(&trial, &options);
	pid = (pid_t)trial_number(&trial);
	check_answer(&trial,
	    (struct question) { pid, GROUPER_OK,
		worker ? GROUPER_KIND_WORKER : GROUPER_KIND_GROUP, "web",
		"pool/a:2", getpid() });
	trial_close(&trial);
}
END_TEST

static int
ask_inside(void *arg, int out)
{
	struct grouper_ident ident = GROUPER_IDENT_INIT;
	enum grouper_error error;
	char line[600];
	int n;

	if (*(bool *)arg)
		setenv("GROUPER_SOCKET", "/nonexistent", 1);
	error = grouper_identify(0, &ident);
	n = snprintf(line, sizeof(line), "%s %s %s %s", grouper_strerror(error),
	    grouper_kind_name(ident.kind), ident.host, ident.key);
	return write(out, line, (size_t)n) != n;
}

/* At each level; the environment may say what it likes. */
START_TEST(a_member_is_told_from_inside)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct trial trial;
	bool lie = _i >= GROUPER_CONTAIN_PIDNS;

	options.contain = lie ? GROUPER_CONTAIN_REAPER :
				(enum grouper_containment)(_i + 1);
	if (grouper_containment_probe(options.contain, NULL) != 0)
		SUPPORT_SKIP("%s cannot be had here",
		    grouper_containment_name(options.contain));
	trial_open(&trial, "web");
	options.session = GROUPER_SESSION_NEW;
	trial_exec(&trial, &options, ask_inside, &lie);
	ck_assert_str_eq(trial_await(&trial, GROUPER_EVENT_EMPTY)->result,
	    "no error group web default");
	trial_close(&trial);
}
END_TEST

START_TEST(the_leader_s_kind_is_not_its_member_s)
{
	struct grouper_options options;
	struct trial trial;

	NEED_FREEDOM();
	trial_open(&trial, "web");
	options = trial_shell(&trial, "echo ready; read x");
	trial_start(&trial, &options);
	trial_expect(&trial, "ready");
	check_answer(&trial,
	    (struct question) { trial_leader(), GROUPER_OK, GROUPER_KIND_NONE,
		"", "", 0 });
	trial_close(&trial);
}
END_TEST

/* Nobody can be asked: not that there is no group, but that it is unknown. */
START_TEST(an_anonymous_host_cannot_be_asked)
{
	struct grouper_options options;
	struct trial trial;
	pid_t pid;

	trial_runtime_directory();
	trial_open(&trial, NULL);
	options = trial_shell(&trial, "echo $$; read x");
	trial_start(&trial, &options);
	pid = (pid_t)trial_number(&trial);
	check_answer(&trial,
	    (struct question) { .pid = pid, .error = GROUPER_NO_GROUP });
	trial_close(&trial);
}
END_TEST

static int
nest(void *arg, int out)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct grouper_host_options named = GROUPER_HOST_OPTIONS_INIT;
	struct trial inner;
	bool lie = false;

	(void)arg;
	memset(&inner, 0, sizeof(inner));
	named.name = "inner";
	inner.base = event_base_new();
	if (grouper_host_new(inner.base, &named, &inner.host) != GROUPER_OK)
		return 99;
	options.key = "deep";
	options.session = GROUPER_SESSION_NEW;
	trial_exec(&inner, &options, ask_inside, &lie);
	if (trial_wait(&inner, "deep") != GROUPER_OK)
		return 98;
	dprintf(out, "%s", inner.events[inner.count - 1].result);
	grouper_host_free(inner.host);
	return 0;
}

START_TEST(the_nearest_group_counts)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const struct trial_event *event;
	struct trial trial;

	trial_open(&trial, "outer");
	options.session = GROUPER_SESSION_NEW;
	trial_exec(&trial, &options, nest, NULL);
	event = trial_await(&trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(WEXITSTATUS(event->status), 0);
	ck_assert_str_eq(event->result, "no error group inner deep");
	trial_close(&trial);
}
END_TEST

START_TEST(a_dead_process_is_not_found)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ask(&(struct question) { .pid = pid, .error = GROUPER_NOT_FOUND });
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
	struct grouper_ident ident = GROUPER_IDENT_INIT;

	ck_assert_int_eq(grouper_identify(-1, &ident), GROUPER_INVALID);
	ck_assert_int_eq(grouper_identify(0, NULL), GROUPER_INVALID);
	ident.size--;
	ck_assert_int_eq(grouper_identify(0, &ident), GROUPER_INVALID);
	ident.size = 0;
	ck_assert_int_eq(grouper_identify(0, &ident), GROUPER_INVALID);
}
END_TEST

START_TEST(init_is_no_member)
{
	NEED_FREEDOM();
	ask(&(struct question) { 1, GROUPER_OK, GROUPER_KIND_NONE, "", "", 0 });
}
END_TEST

/* A host that does not answer: not for ever. */
START_TEST(a_host_that_hangs_is_not_waited_for_long)
{
	struct question expected = { .error = GROUPER_NO_GROUP };
	struct grouper_options options;
	struct trial trial;
	long long began = support_now();

	trial_open(&trial, "web");
	options = trial_shell(&trial, "echo $$; read x");
	trial_start(&trial, &options);
	expected.pid = (pid_t)trial_number(&trial);
	/* Its loop does not run meanwhile. */
	trial_join(trial_fork(ask, &expected));
	ck_assert_int_lt(support_now() - began, SUPPORT_PATIENCE);
	trial_close(&trial);
}
END_TEST

#define HUNG 8

/* Sockets of hosts that accept nothing; every other has no room either. */
static void
hang(int *fds, int *clients)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int i;

	for (i = 0; i < HUNG; i++) {
		snprintf(address.sun_path, sizeof(address.sun_path),
		    "%s/hung-%d.sock", getenv("GROUPER_RUNTIME_DIR"), i);
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(bind(fds[i], (struct sockaddr *)&address,
				     sizeof(address)),
		    0);
		ck_assert_int_eq(listen(fds[i], i % 2 == 0 ? 8 : 0), 0);
		ck_assert_int_eq(connect(clients[i],
				     (struct sockaddr *)&address,
				     sizeof(address)),
		    0);
	}
}

static void
hang_up(const int *fds, const int *clients)
{
	int i;

	for (i = 0; i < HUNG; i++) {
		close(fds[i]);
		close(clients[i]);
	}
}

/* However many there are, they share the time of one question. */
START_TEST(hosts_that_hang_are_waited_for_together)
{
	struct question expected = { .error = GROUPER_NO_GROUP };
	struct grouper_options options;
	int fds[HUNG], clients[HUNG];
	struct trial trial;
	long long began;

	trial_open(&trial, "web");
	options = trial_shell(&trial, "echo $$; read x");
	trial_start(&trial, &options);
	expected.pid = (pid_t)trial_number(&trial);
	hang(fds, clients);
	began = support_now();
	trial_join(trial_fork(ask, &expected));
	ck_assert_int_lt(support_now() - began, SUPPORT_PATIENCE);
	hang_up(fds, clients);
	trial_close(&trial);
}
END_TEST

START_TEST(a_host_is_found_among_those_that_hang)
{
	struct grouper_options options;
	int fds[HUNG], clients[HUNG];
	struct trial trial;
	char hint[200];
	pid_t pid;

	trial_open(&trial, "web");
	options = trial_shell(&trial, "echo $$; read x");
	trial_start(&trial, &options);
	pid = (pid_t)trial_number(&trial);
	hang(fds, clients);
	snprintf(hint, sizeof(hint), "%s/hung-%d.sock",
	    getenv("GROUPER_RUNTIME_DIR"), _i);
	ck_assert_int_eq(setenv("GROUPER_SOCKET", hint, 1), 0);
	check_answer(&trial,
	    (struct question) { pid, GROUPER_OK, GROUPER_KIND_GROUP, "web",
		"default", getpid() });
	hang_up(fds, clients);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ident");
	TCase *tc = support_case(s, "kinds");

	tcase_add_test(tc, without_group_and_terminal_it_is_none);
	tcase_add_test(tc, without_group_at_a_terminal_it_is_terminal);
	tcase_add_loop_test(tc, a_member_is_told_from_outside, 0, 2);
	tcase_add_loop_test(tc, a_member_is_told_from_inside, 0, 4);
	tcase_add_test(tc, the_leader_s_kind_is_not_its_member_s);
	tcase_add_test(tc, the_nearest_group_counts);
	tcase_add_loop_test(tc, a_host_is_found_among_those_that_hang, 0, 2);
	tcase_add_test(tc, init_is_no_member);

	tc = support_case(s, "unknown");
	tcase_add_test(tc, an_anonymous_host_cannot_be_asked);
	tcase_add_test(tc, a_dead_process_is_not_found);
	tcase_add_test(tc, bad_arguments_are_refused);
	tcase_add_test(tc, a_host_that_hangs_is_not_waited_for_long);
	tcase_add_test(tc, hosts_that_hang_are_waited_for_together);
	return support_main(s, NULL);
}
