/* SPDX-License-Identifier: ISC */
/*
 * Registered names.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/relay/registry.h"
#include "support.h"

/* A process that lives until it is ended. */
static pid_t
sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

/* Dead, but its pid is not free yet. */
static void
kill_only(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void
end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static bool
registers(struct registry *registry, const char *name, pid_t pid,
    const char *key)
{
	bool registered;

	ck_assert_int_eq(registry_register(registry, name, pid, key,
			     &registered),
	    GROUPER_OK);
	return registered;
}

static enum grouper_error
fails(struct registry *registry, const char *name, pid_t pid)
{
	bool registered;

	return registry_register(registry, name, pid, "k", &registered);
}

START_TEST(a_name_is_held_by_one_living_process)
{
	struct registry *registry = registry_new();
	pid_t other = sleeper();
	const char *key;

	ck_assert_int_eq(registry_whereis(registry, "db", &key), 0);
	ck_assert_ptr_null(key);
	ck_assert(registers(registry, "db", other, "data/db:1"));
	ck_assert(!registers(registry, "db", getpid(), "x"));
	ck_assert(!registers(registry, "db", other, "data/db:1"));
	ck_assert_int_eq(registry_whereis(registry, "db", &key), other);
	ck_assert_str_eq(key, "data/db:1");
	ck_assert_int_eq(registry_whereis(registry, "d", NULL), 0);
	ck_assert_uint_eq(registry_count(registry), 1);
	registry_free(registry);
	end(other);
}
END_TEST

START_TEST(the_dead_hold_no_name)
{
	struct registry *registry = registry_new();
	pid_t other = sleeper();

	ck_assert(registers(registry, "a", other, "k"));
	ck_assert(registers(registry, "b", other, "k"));
	kill_only(other);
	ck_assert_int_eq(registry_whereis(registry, "a", NULL), 0);
	ck_assert(registers(registry, "b", getpid(), "k"));
	ck_assert_int_eq(registry_whereis(registry, "b", NULL), getpid());
	ck_assert_uint_eq(registry_count(registry), 1);
	ck_assert_int_eq(waitpid(other, NULL, 0), other);
	registry_free(registry);
}
END_TEST

/* A process of the pid of one that is gone; -1 without the privilege. */
static pid_t
sleeper_with(pid_t wanted)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		for (;;)
			pause();
	}
	return (pid_t)pid;
}

START_TEST(a_reused_pid_is_not_taken_for_the_holder)
{
	struct registry *registry = registry_new();
	pid_t first = sleeper(), second;

	ck_assert(registers(registry, "a", first, "one"));
	end(first);
	second = sleeper_with(first);
	if (second == -1) {
		registry_free(registry);
		SUPPORT_SKIP("clone3 with set_tid: %s", strerror(errno));
	}
	ck_assert_int_eq(second, first);
	ck_assert(registers(registry, "b", second, "two"));
	ck_assert_int_eq(registry_whereis(registry, "a", NULL), 0);
	ck_assert_int_eq(registry_whereis(registry, "b", NULL), second);
	registry_free(registry);
	end(second);
}
END_TEST

START_TEST(a_name_can_be_taken_from_whoever_has_it)
{
	struct registry *registry = registry_new();

	registry_unregister(registry, "unknown");
	ck_assert(registers(registry, "a", getpid(), "k"));
	ck_assert(registers(registry, "b", getpid(), "k"));
	registry_unregister(registry, "a");
	ck_assert_int_eq(registry_whereis(registry, "a", NULL), 0);
	ck_assert_int_eq(registry_whereis(registry, "b", NULL), getpid());
	registry_unregister(registry, "b");
	ck_assert_uint_eq(registry_count(registry), 0);
	registry_free(registry);
}
END_TEST

START_TEST(all_names_of_a_process_or_a_group_can_be_taken)
{
	struct registry *registry = registry_new();
	pid_t one = sleeper(), other = sleeper();

	ck_assert(registers(registry, "a", one, "pool:1"));
	ck_assert(registers(registry, "b", one, "pool:1"));
	ck_assert(registers(registry, "c", other, "pool:1"));
	ck_assert(registers(registry, "d", getpid(), "pool:10"));
	registry_drop_process(registry, one);
	ck_assert_uint_eq(registry_count(registry), 2);
	ck_assert_int_eq(registry_whereis(registry, "c", NULL), other);
	registry_drop_group(registry, "pool:1");
	ck_assert_uint_eq(registry_count(registry), 1);
	ck_assert_int_eq(registry_whereis(registry, "d", NULL), getpid());
	kill_only(one);
	ck_assert(registers(registry, "e", other, "x"));
	kill_only(other);
	registry_drop_dead(registry);
	ck_assert_uint_eq(registry_count(registry), 1);
	registry_free(registry);
}
END_TEST

START_TEST(what_is_no_name_and_who_is_dead_is_refused)
{
	static const char *const names[] = { "", "a b", "a\n", "\t", "\x7f",
		NULL };
	struct registry *registry = registry_new();
	char longest[257];
	pid_t dead = sleeper();
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		ck_assert_int_eq(fails(registry, names[i], getpid()),
		    GROUPER_INVALID);
	memset(longest, 'n', sizeof(longest));
	longest[256] = '\0';
	ck_assert_int_eq(fails(registry, longest, getpid()), GROUPER_INVALID);
	longest[255] = '\0';
	ck_assert(registers(registry, longest, getpid(), "k"));
	ck_assert_int_eq(fails(registry, "a", 0), GROUPER_INVALID);
	ck_assert_int_eq(fails(registry, "a", -1), GROUPER_INVALID);
	kill_only(dead);
	ck_assert_int_eq(fails(registry, "a", dead), GROUPER_NOT_FOUND);
	ck_assert_int_eq(waitpid(dead, NULL, 0), dead);
	ck_assert_int_eq(fails(registry, "a", dead), GROUPER_NOT_FOUND);
	registry_free(registry);
}
END_TEST

START_TEST(names_are_bounded_and_the_dead_make_room)
{
	struct registry *registry = registry_new();
	pid_t other = sleeper();
	char name[16];
	int i;

	ck_assert(registers(registry, "other", other, "k"));
	for (i = 1; i < REGISTRY_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert(registers(registry, name, getpid(), "k"));
	}
	ck_assert_int_eq(fails(registry, "more", getpid()), GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(registry_whereis(registry, "more", NULL), 0);
	end(other);
	ck_assert(registers(registry, "more", getpid(), "k"));
	registry_free(registry);
}
END_TEST

#define FEW 4

START_TEST(holders_leave_descriptors_to_others)
{
	struct rlimit limit, few = { 4 * FEW, 4 * FEW };
	struct registry *registry;
	pid_t pids[FEW + 1];
	char name[16];
	int i;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few.rlim_max = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	registry = registry_new();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (i = 0; i < FEW; i++) {
		pids[i] = sleeper();
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert(registers(registry, name, pids[i], "k"));
	}
	pids[FEW] = sleeper();
	ck_assert_int_eq(fails(registry, "more", pids[FEW]), GROUPER_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	/* Who has a name may have more. */
	ck_assert(registers(registry, "again", pids[0], "k"));
	end(pids[1]);
	ck_assert(registers(registry, "more", pids[FEW], "k"));
	registry_free(registry);
	for (i = 0; i <= FEW; i++)
		if (i != 1)
			end(pids[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("registry");
	TCase *tc = support_case(s, "names");

	tcase_add_test(tc, a_name_is_held_by_one_living_process);
	tcase_add_test(tc, the_dead_hold_no_name);
	tcase_add_test(tc, a_reused_pid_is_not_taken_for_the_holder);
	tcase_add_test(tc, a_name_can_be_taken_from_whoever_has_it);
	tcase_add_test(tc, all_names_of_a_process_or_a_group_can_be_taken);
	tcase_add_test(tc, what_is_no_name_and_who_is_dead_is_refused);
	tcase_add_test(tc, names_are_bounded_and_the_dead_make_room);
	tcase_add_test(tc, holders_leave_descriptors_to_others);
	return support_main(s, NULL);
}
