/* SPDX-License-Identifier: ISC */
/*
 * Names of hosts: their files in the runtime directory, and the lock that
 * keeps a new host from starting over the groups of a dead one.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/group/names.h"
#include "trial.h"

#define BRIEFLY_MS 100

static char path[PATH_MAX];

static void
use(const char *directory)
{
	ck_assert_int_eq(setenv("GROUPER_RUNTIME_DIR", directory, 1), 0);
}

static mode_t
mode_of(const char *file)
{
	struct stat st;

	ck_assert_msg(lstat(file, &st) == 0, "%s: %s", file, strerror(errno));
	return st.st_mode & 07777;
}

/* Makes a directory such that "<directory>/<name>" has this length. */
static void
use_length(size_t length, const char *name)
{
	char directory[PATH_MAX];
	size_t n;

	n = (size_t)snprintf(directory, sizeof(directory), "%s/",
	    support_directory());
	ck_assert_uint_lt(n, length - strlen(name) - 1);
	while (n < length - strlen(name) - 1)
		directory[n++] = 'd';
	directory[n] = '\0';
	ck_assert(mkdir(directory, 0700) == 0 || errno == EEXIST);
	use(directory);
}

START_TEST(a_socket_path_has_at_most_107_bytes)
{
	struct names names = NAMES_INIT;

	use_length(107, "n.sock");
	ck_assert_int_eq(names_claim(&names, "n", false), 0);
	ck_assert_int_eq(names_listen(&names), 0);
	ck_assert_uint_eq(strlen(names.socket_path), 107);
	names_release(&names, false);
	use_length(108, "n.sock");
	ck_assert_int_eq(names_claim(&names, "n", false), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	/* Nothing was made. */
	snprintf(path, sizeof(path), "%s/n.lock",
	    getenv("GROUPER_RUNTIME_DIR"));
	ck_assert_int_eq(access(path, F_OK), -1);
	use_length(200, "n.sock");
	ck_assert_int_eq(names_claim(&names, "n", false), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

START_TEST(bad_host_names_are_refused)
{
	static const char *const bad[] = { "", " ", "a b", "a/b", "a:1", "/",
		"a\n", "123456789012345678901234567890123" };
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	struct event_base *base = event_base_new();
	struct grouper_host *host;
	struct names names = NAMES_INIT;
	size_t i;

	trial_runtime_directory();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(names_claim(&names, bad[i], false), -1);
		ck_assert_int_eq(errno, EINVAL);
		options.name = bad[i];
		ck_assert_int_eq(grouper_host_new(base, &options, &host),
		    GROUPER_INVALID);
	}
	options.name = "12345678901234567890123456789012";
	ck_assert_int_eq(grouper_host_new(base, &options, &host), GROUPER_OK);
	grouper_host_free(host);
	event_base_free(base);
}
END_TEST

static bool
is_locked(const char *file)
{
	int fd = open(file, O_RDWR | O_CLOEXEC), result;

	ck_assert_msg(fd != -1, "%s: %s", file, strerror(errno));
	result = flock(fd, LOCK_EX | LOCK_NB);
	ck_assert(result == 0 || errno == EWOULDBLOCK);
	close(fd);
	return result == -1;
}

START_TEST(a_claim_makes_files_and_a_release_removes_them)
{
	struct names names = NAMES_INIT;

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	ck_assert_str_eq(names.name, "web");
	ck_assert_str_eq(names.lock_path, support_path("runtime/web.lock"));
	ck_assert_str_eq(names.socket_path, support_path("runtime/web.sock"));
	ck_assert(is_locked(names.lock_path));
	ck_assert_int_eq(names_listen(&names), 0);
	ck_assert_int_eq(names_listen(&names), 0);
	ck_assert_uint_eq(mode_of(names.socket_path),
	    geteuid() == 0 ? 0777 : 0700);
	ck_assert_uint_eq(mode_of(names.lock_path), 0600);
	names_release(&names, false);
	ck_assert_int_eq(access(support_path("runtime/web.lock"), F_OK), -1);
	ck_assert_int_eq(access(support_path("runtime/web.sock"), F_OK), -1);
}
END_TEST

START_TEST(a_release_may_keep_the_lock_file)
{
	struct names names = NAMES_INIT;

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	ck_assert_int_eq(names_listen(&names), 0);
	names_release(&names, true);
	ck_assert(!is_locked(support_path("runtime/web.lock")));
	ck_assert_int_eq(access(support_path("runtime/web.sock"), F_OK), -1);
}
END_TEST

/* A socket in the runtime directory, with nobody listening. */
static int
place_socket(struct sockaddr_un *address, const char *file)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	strcpy(address->sun_path, support_path(file));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)address, sizeof(*address)),
	    0);
	return fd;
}

START_TEST(a_dead_host_s_socket_is_replaced)
{
	struct names names = NAMES_INIT;
	struct sockaddr_un address;
	int fd;

	trial_runtime_directory();
	close(place_socket(&address, "runtime/web.sock"));
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	ck_assert_int_eq(names_listen(&names), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	close(fd);
	names_release(&names, false);
}
END_TEST

START_TEST(a_transient_name_has_no_lock)
{
	struct names names = NAMES_INIT;

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&names, "run-1", true), 0);
	ck_assert_int_eq(names.lock, -1);
	ck_assert_int_eq(access(support_path("runtime/run-1.lock"), F_OK), -1);
	names_release(&names, false);
}
END_TEST

START_TEST(a_transient_name_leaves_a_living_socket_alone)
{
	struct names names = NAMES_INIT;
	struct sockaddr_un address;
	struct stat before, after;
	int fd;

	trial_runtime_directory();
	fd = place_socket(&address, "runtime/run-1.sock");
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(stat(address.sun_path, &before), 0);
	ck_assert_int_eq(names_claim(&names, "run-1", true), 0);
	ck_assert_int_eq(names_listen(&names), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	names_release(&names, false);
	ck_assert_int_eq(stat(address.sun_path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	/* Dead, it gives the name back. */
	close(fd);
	ck_assert_int_eq(names_claim(&names, "run-1", true), 0);
	ck_assert_int_eq(names_listen(&names), 0);
	names_release(&names, false);
}
END_TEST

START_TEST(alone_is_who_sees_no_living_socket)
{
	struct names names = NAMES_INIT;
	struct sockaddr_un address;
	int fd;

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	ck_assert_int_eq(names_listen(&names), 0);
	ck_assert(names_alone(&names));
	/* It may be about to listen. */
	fd = place_socket(&address, "runtime/db.sock");
	ck_assert(!names_alone(&names));
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert(!names_alone(&names));
	/* A dead host's may be anybody's by and by; nobody removes it. */
	close(fd);
	ck_assert(names_alone(&names));
	ck_assert_int_eq(access(address.sun_path, F_OK), 0);
	names_release(&names, false);
}
END_TEST

START_TEST(what_a_killed_run_left_is_removed)
{
	/* The first pid is nobody's, pid_max(5); the second one is somebody
	 * else's by now, or was always, where the run had a PID namespace. */
	const int pids[] = { INT_MAX, getpid() };
	char file[sizeof("runtime/run-2147483647.sock")];
	struct names names = NAMES_INIT;
	struct sockaddr_un address;
	size_t i;
	int fd;

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	for (i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "runtime/run-%d.sock", pids[i]);
		fd = place_socket(&address, file);
		ck_assert(!names_alone(&names));
		ck_assert_int_eq(access(address.sun_path, F_OK), 0);
		close(fd);
		ck_assert(names_alone(&names));
		ck_assert_int_eq(access(address.sun_path, F_OK), -1);
	}
	names_release(&names, false);
}
END_TEST

START_TEST(a_neighbour_is_not_woken)
{
	struct names names = NAMES_INIT;
	struct sockaddr_un address;
	struct pollfd pfd = { .events = POLLIN };

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	pfd.fd = place_socket(&address, "runtime/run-1.sock");
	ck_assert_int_eq(listen(pfd.fd, 1), 0);
	ck_assert(!names_alone(&names));
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	close(pfd.fd);
	names_release(&names, false);
}
END_TEST

struct waiter {
	int said;
	int inherited; /* a lock that is not ours */
};

static void
claim_and_say(void *arg)
{
	struct waiter *waiter = arg;
	struct names names = NAMES_INIT;
	sigset_t all;

	close(waiter->inherited);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	ck_assert_int_eq(write(waiter->said, "w", 1), 1);
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	/* What has the name is what we hold. */
	ck_assert(is_locked(names.lock_path));
	ck_assert_int_eq(write(waiter->said, "c", 1), 1);
	names_release(&names, false);
}

/* What comes on a descriptor within some time; 0 if nothing does. */
static char
comes(int fd, int ms)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	char what;

	if (poll(&pfd, 1, ms) != 1)
		return 0;
	ck_assert_int_eq(read(fd, &what, 1), 1);
	return what;
}

START_TEST(a_second_host_waits_for_the_name)
{
	struct names names = NAMES_INIT;
	struct waiter waiter;
	pid_t pids[2];
	int said[2], i;

	trial_runtime_directory();
	ck_assert_int_eq(pipe2(said, O_CLOEXEC), 0);
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	waiter = (struct waiter) { said[1], names.lock };
	for (i = 0; i < 2; i++) {
		pids[i] = trial_fork(claim_and_say, &waiter);
		ck_assert_int_eq(comes(said[0], SUPPORT_PATIENCE), 'w');
	}
	ck_assert_int_eq(comes(said[0], BRIEFLY_MS), 0);
	names_release(&names, false);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(comes(said[0], SUPPORT_PATIENCE), 'c');
	trial_join(pids[0]);
	trial_join(pids[1]);
	ck_assert_int_eq(access(support_path("runtime/web.lock"), F_OK), -1);
	close(said[0]);
	close(said[1]);
}
END_TEST

START_TEST(a_waiting_host_can_be_ended_by_a_signal)
{
	static const int ending[] = { SIGTERM, SIGINT, SIGHUP };
	struct names names = NAMES_INIT;
	struct waiter waiter;
	int said[2], status;
	pid_t pid;
	size_t i;

	trial_runtime_directory();
	ck_assert_int_eq(pipe2(said, O_CLOEXEC), 0);
	ck_assert_int_eq(names_claim(&names, "web", false), 0);
	waiter = (struct waiter) { said[1], names.lock };
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		pid = trial_fork(claim_and_say, &waiter);
		ck_assert_int_eq(comes(said[0], SUPPORT_PATIENCE), 'w');
		ck_assert_int_eq(kill(pid, ending[i]), 0);
		support_await_gone(pid);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), ending[i]);
	}
	names_release(&names, false);
	close(said[0]);
	close(said[1]);
}
END_TEST

START_TEST(other_names_do_not_wait)
{
	struct names a = NAMES_INIT, b = NAMES_INIT;

	trial_runtime_directory();
	ck_assert_int_eq(names_claim(&a, "web", false), 0);
	ck_assert_int_eq(names_claim(&b, "web2", false), 0);
	names_release(&a, false);
	names_release(&b, false);
}
END_TEST

/* The first host: its group needs a while to stop. */
static void
first_host(void *arg)
{
	struct grouper_options options;
	struct trial trial, *outer = arg;

	trial_open(&trial, "web");
	options = trial_shell(&trial,
	    "trap '' TERM; echo $$; while :; do sleep 1000; done");
	options.fds = outer->fds;
	options.shutdown = "TERM 300ms, KILL";
	trial_start(&trial, &options);
	trial_wait(&trial, NULL);
}

/*
 * The second: when it has the name, no member of the first is left.  The
 * lock goes while the leader ends, just before that is seen.
 */
static void
second_host(void *arg)
{
	pid_t *pids = arg;
	struct support_process p;
	struct trial trial;

	trial_open(&trial, "web");
	ck_assert_msg(!support_process(pids[0], &p) || !support_alive(&p),
	    "a member of the first host is alive");
	support_await_gone(pids[1]);
	trial_close(&trial);
}

START_TEST(a_new_host_starts_after_the_last_group_of_a_killed_one)
{
	struct trial outer;
	pid_t host, pids[2];

	/* Only for its pipe. */
	memset(&outer, 0, sizeof(outer));
	ck_assert_int_eq(pipe2(outer.out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(outer.in, O_CLOEXEC), 0);
	trial_shell(&outer, "");
	trial_runtime_directory();
	host = trial_fork(first_host, &outer);
	pids[0] = (pid_t)trial_number(&outer);
	ck_assert_uint_eq(support_children(host, &pids[1], 1), 1);
	ck_assert_int_eq(kill(host, SIGKILL), 0);
	trial_join(trial_fork(second_host, pids));
	support_await_gone(host);
	close(outer.out[0]);
	close(outer.out[1]);
	close(outer.in[0]);
	close(outer.in[1]);
}
END_TEST

/* Nobody will use the name again: the leader removes what there is of it. */
static void
transient_host(void *arg)
{
	struct grouper_host_options named = GROUPER_HOST_OPTIONS_INIT;
	struct grouper_options options;
	struct trial trial, *outer = arg;

	trial_open(&trial, NULL);
	grouper_host_free(trial.host);
	named.name = "run-1";
	named.flags = GROUPER_HOST_TRANSIENT;
	ck_assert_int_eq(grouper_host_new(trial.base, &named, &trial.host),
	    GROUPER_OK);
	options = trial_shell(&trial, "echo $$; exec sleep 1000");
	options.fds = outer->fds;
	trial_start(&trial, &options);
	trial_wait(&trial, NULL);
}

START_TEST(a_killed_transient_host_leaves_no_file)
{
	struct support_process list[4];
	struct trial outer;
	pid_t host;

	memset(&outer, 0, sizeof(outer));
	ck_assert_int_eq(pipe2(outer.out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(outer.in, O_CLOEXEC), 0);
	trial_shell(&outer, "");
	trial_runtime_directory();
	host = trial_fork(transient_host, &outer);
	trial_number(&outer);
	ck_assert_int_eq(access(support_path("runtime/run-1.sock"), F_OK), 0);
	kill(host, SIGKILL);
	support_await_gone(host);
	while (support_descendants(getpid(), list, 4) > 0)
		support_await_gone(list[0].pid);
	/* Only an empty directory can be removed. */
	ck_assert_int_eq(rmdir(support_path("runtime")), 0);
	close(outer.out[0]);
	close(outer.out[1]);
	close(outer.in[0]);
	close(outer.in[1]);
}
END_TEST

/* A host that was freed with a living group is as good as dead. */
static void
freed_host(void *arg)
{
	struct grouper_options options;
	struct trial trial, *outer = arg;

	trial_open(&trial, "web");
	options = trial_shell(&trial,
	    "trap '' TERM; echo $$; while :; do sleep 1000; done");
	options.fds = outer->fds;
	options.shutdown = "TERM 300ms, KILL";
	trial_start(&trial, &options);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	ck_assert_int_eq(comes(outer->in[0], SUPPORT_PATIENCE), '\n');
	grouper_host_free(trial.host);
}

START_TEST(a_new_host_starts_after_the_last_group_of_a_freed_one)
{
	struct trial outer;
	pid_t host, pids[2];

	memset(&outer, 0, sizeof(outer));
	ck_assert_int_eq(pipe2(outer.out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(outer.in, O_CLOEXEC), 0);
	trial_shell(&outer, "");
	trial_runtime_directory();
	host = trial_fork(freed_host, &outer);
	pids[0] = (pid_t)trial_number(&outer);
	ck_assert_uint_eq(support_children(host, &pids[1], 1), 1);
	trial_say(&outer);
	trial_join(host);
	trial_join(trial_fork(second_host, pids));
	close(outer.out[0]);
	close(outer.out[1]);
	close(outer.in[0]);
	close(outer.in[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("names");
	TCase *tc = support_case(s, "limits");

	tcase_add_test(tc, a_socket_path_has_at_most_107_bytes);
	tcase_add_test(tc, bad_host_names_are_refused);

	tc = support_case(s, "files");
	tcase_add_test(tc, a_claim_makes_files_and_a_release_removes_them);
	tcase_add_test(tc, a_release_may_keep_the_lock_file);
	tcase_add_test(tc, a_dead_host_s_socket_is_replaced);
	tcase_add_test(tc, a_transient_name_has_no_lock);
	tcase_add_test(tc, a_transient_name_leaves_a_living_socket_alone);
	tcase_add_test(tc, alone_is_who_sees_no_living_socket);
	tcase_add_test(tc, what_a_killed_run_left_is_removed);
	tcase_add_test(tc, a_neighbour_is_not_woken);
	tcase_add_test(tc, a_killed_transient_host_leaves_no_file);

	tc = support_case(s, "lock");
	tcase_add_test(tc, a_second_host_waits_for_the_name);
	tcase_add_test(tc, a_waiting_host_can_be_ended_by_a_signal);
	tcase_add_test(tc, other_names_do_not_wait);
	tcase_add_test(tc,
	    a_new_host_starts_after_the_last_group_of_a_killed_one);
	tcase_add_test(tc,
	    a_new_host_starts_after_the_last_group_of_a_freed_one);
	return support_main(s, NULL);
}
