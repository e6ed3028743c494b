/* SPDX-License-Identifier: ISC */
#include "bad.h"

#include <sys/syscall.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "support.h"

_Noreturn static void
pause_for_ever(void)
{
	for (;;)
		pause();
}

START_TEST(leaves_descriptor)
{
	ck_assert_int_ne(open("/dev/null", O_RDONLY), -1);
}
END_TEST

START_TEST(leaves_child)
{
	if (fork() == 0)
		pause_for_ever();
}
END_TEST

START_TEST(leaves_orphan_in_another_session)
{
	int fds[2];
	char c;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	if (fork() == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		pause_for_ever();
	}
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(leaves_child_without_exit_signal)
{
	if (syscall(SYS_clone, 0, NULL, NULL, NULL, NULL) == 0)
		pause_for_ever();
}
END_TEST

static void *
pausing_thread(void *unused)
{
	(void)unused;
	pause_for_ever();
}

pid_t
start_zombie_with_thread(void)
{
	pthread_t thread;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (pthread_create(&thread, NULL, pausing_thread, NULL) != 0)
			_exit(1);
		syscall(SYS_exit, 0);
	}
	support_await_state(pid, "Z");
	return pid;
}

START_TEST(leaves_zombie_with_living_thread)
{
	start_zombie_with_thread();
}
END_TEST

void
start_comet(unsigned int turn)
{
	pid_t pid;

	if ((pid = fork()) == 0) {
		for (;;) {
			usleep(turn);
			if (fork() > 0)
				_exit(0);
		}
	}
	ck_assert_int_ne(pid, -1);
}

const unsigned int comet_turns[N_COMETS] = { 20000, 1000 };

START_TEST(leaves_comet)
{
	start_comet(comet_turns[_i % N_COMETS]);
}
END_TEST

START_TEST(looks_for_survivors_beside_comet)
{
	start_comet(comet_turns[_i % N_COMETS]);
	support_assert_no_survivors();
}
END_TEST

START_TEST(leaves_stopped_child)
{
	pid_t pid;

	if ((pid = fork()) == 0)
		pause_for_ever();
	kill(pid, SIGSTOP);
}
END_TEST

START_TEST(fails_with_stray)
{
	if (fork() == 0) {
		setsid();
		pause_for_ever();
	}
	ck_abort_msg("on purpose");
}
END_TEST

START_TEST(times_out_with_stray)
{
	if (fork() == 0) {
		setsid();
		pause_for_ever();
	}
	pause_for_ever();
}
END_TEST

START_TEST(finds_no_stray_of_another)
{
	struct support_process runner;

	ck_assert(support_process(getppid(), &runner));
	/* The runner and this test are all that its keeper has. */
	ck_assert_uint_eq(support_descendants(runner.ppid, NULL, 0), 2);
}
END_TEST

START_TEST(is_skipped)
{
	SUPPORT_SKIP("on purpose");
}
END_TEST

START_TEST(waits_in_vain)
{
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sleep", "1000"),
	};

	support_start(&r, &c);
	support_wait_for(&r, 50);
}
END_TEST

static void
add_bad(Suite *s, const char *name, const TTest *test)
{
	tcase_add_test(support_case(s, name), test);
}

/* As often as it must be seen, with each turn of a comet. */
static void
add_bad_loop(Suite *s, const char *name, const TTest *test)
{
	tcase_add_loop_test(support_case(s, name), test, 0, COMET_ROUNDS);
}

int
bad_main(void)
{
	Suite *s = suite_create("bad");
	TCase *tc;

	add_bad(s, "descriptor", leaves_descriptor);
	add_bad(s, "child", leaves_child);
	add_bad(s, "orphan", leaves_orphan_in_another_session);
	add_bad(s, "quiet child", leaves_child_without_exit_signal);
	add_bad(s, "zombie", leaves_zombie_with_living_thread);
	add_bad(s, "stopped", leaves_stopped_child);
	add_bad(s, "in vain", waits_in_vain);
	add_bad_loop(s, "left comets", leaves_comet);
	add_bad_loop(s, "comets", looks_for_survivors_beside_comet);
	add_bad(s, "skipped", is_skipped);
	tc = support_case(s, "strays");
	tcase_set_timeout(tc, 8);
	tcase_add_test(tc, fails_with_stray);
	tcase_add_test(tc, finds_no_stray_of_another);
	tcase_add_test(tc, times_out_with_stray);
	tcase_add_test(tc, finds_no_stray_of_another);
	return support_main(s, NULL);
}
