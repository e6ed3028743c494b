/* SPDX-License-Identifier: ISC */
/*
 * Groups where the system is not as usual: a /proc that hides or is not there,
 * pids that come round at once, system calls that are refused, thousands of
 * descriptors open.
 */

#include "arena.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS "TERM 60ms, KILL"
#define NOT_HERE 97 /* of the surround program */
#define MANY 25000
#define FEWEST 1000
#define SPARE 100

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Runs the words to their end in a process group of their own. */
static void
run(struct support_run *r, const char *const *words)
{
	struct support_command c = {
		.argv = words,
		.group = SUPPORT_OWN_GROUP,
	};

	support_call(r, &c);
}

/*
 * /proc
 */

static const char *const proc_modes[] = { "double-fork", "setpgid", "ignore",
	"quiet", "threads", "tree", "comets" };

START_TEST(hidden_proc_hides_nothing_of_the_group)
{
	const char *why;
	const char *sockets = support_path("sockets");
	char uid[16], variable[512];
	struct support_run r;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	snprintf(uid, sizeof(uid), "%u", support_user());
	snprintf(variable, sizeof(variable), "GROUPER_RUNTIME_DIR=%s", sockets);
	ck_assert_int_eq(mkdir(sockets, 0700), 0);
	ck_assert_int_eq(chown(sockets, support_user(), support_user()), 0);
	run(&r,
	    (const char *const[]) { "env", variable, arena_program("surround"),
		"hidden-proc", uid, "--", support_grouper(), "run", "--contain",
		"reaper", "--shutdown", STEPS, "--", arena_program("hostile"),
		"-m", support_token(), proc_modes[_i], "leave", NULL });
	if (r.status == NOT_HERE) {
		support_skip("%s", r.stderr_text.data);
	} else {
		support_assert_no_survivors();
		ck_assert_msg(r.status == 7, "status %d: %s", r.status,
		    r.stderr_text.data);
	}
	support_finish(&r);
}
END_TEST

/*
 * A leader that cannot see processes may refuse to take any; what it takes it
 * must end.
 */
START_TEST(without_proc_nothing_is_left)
{
	const struct arena *a = &arenas[_i];
	const char *why;
	struct support_run r;

#ifdef __SANITIZE_ADDRESS__
	SUPPORT_SKIP("AddressSanitizer itself needs /proc");
#endif
	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_without_leak_check();
	arena_enter(a);
	run(&r,
	    (const char *const[]) { arena_program("surround"), "no-proc", "0",
		"--", support_grouper(), "run", "--contain", a->contain,
		"--shutdown", STEPS, "--", arena_program("hostile"), "-m",
		support_token(), "double-fork", "leave", NULL });
	support_assert_no_survivors();
	ck_assert_msg(r.status == 7 ||
		(r.status == 125 &&
		    strstr(r.stderr_text.data, "/proc") != NULL &&
		    strstr(r.stdout_text.data, "ready") == NULL),
	    "status %d: %s", r.status, r.stderr_text.data);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/*
 * Pids
 */

static const char *const pid_modes[] = { "comets", "double-fork", "threads" };

START_TEST(reused_pids_hit_no_bystander)
{
	const struct arena *a = &arenas[_i / N_OF(pid_modes)];
	const char *mode = pid_modes[_i % N_OF(pid_modes)], *why;
	struct support_run r;

	if (!arena_is_root())
		SUPPORT_SKIP("only root can make such a PID namespace");
	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_enter(a);
	run(&r,
	    (const char *const[]) { arena_program("surround"), "few-pids", "20",
		"--", support_grouper(), "run", "--contain", a->contain,
		"--shutdown", STEPS, "--", arena_program("hostile"), "-m",
		support_token(), mode, "leave", NULL });
	if (r.status == NOT_HERE)
		support_skip("%s", r.stderr_text.data);
	else
		ck_assert_msg(
		    strstr(r.stdout_text.data,
			"status=7 bystanders=20 comet=1 others=0\n") != NULL,
		    "%s: status %d: %s%s", mode, r.status, r.stdout_text.data,
		    r.stderr_text.data);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/*
 * System calls
 */

START_TEST(without_clone3_groups_are_as_usual)
{
	const struct arena *a = &arenas[_i];
	const char *why;
	struct support_run r;

	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_enter(a);
	run(&r,
	    (const char *const[]) { arena_program("surround"), "no-clone3", "0",
		"--", support_grouper(), "run", "--contain", a->contain,
		"--shutdown", STEPS, "--", arena_program("hostile"), "-m",
		support_token(), "double-fork", "leave", NULL });
	support_assert_no_survivors();
	/* Only by clone3(2) is a process born in a cgroup. */
	if (strcmp(a->contain, "cgroup") == 0)
		ck_assert_int_eq(r.status, 125);
	else
		ck_assert_msg(r.status == NOT_HERE || r.status == 7,
		    "status %d: %s", r.status, r.stderr_text.data);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/*
 * Descriptors
 */

/* As many as may be, up to a number that a slow host would feel. */
static rlim_t
many(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 0;
	if (limit.rlim_max >= MANY + SPARE)
		return MANY;
	/* Only with a capability that root of a container may lack. */
	limit.rlim_cur = limit.rlim_max = MANY + SPARE;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return MANY;
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max > SPARE ? limit.rlim_max - SPARE : 0;
}

static void
open_many(void *arg)
{
	rlim_t count = *(rlim_t *)arg;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(NOT_HERE);
	for (rlim_t i = 0; i < count; i++) {
		if (open("/dev/null", O_RDONLY) == -1)
			_exit(NOT_HERE);
	}
}

START_TEST(many_descriptors_are_passed_on)
{
	const struct arena *a = &arenas[_i];
	const char *why;
	rlim_t count = many();
	struct support_run r;
	struct support_command c = {
		.argv = (const char *const[]) { support_grouper(), "run",
		    "--contain", a->contain, "--shutdown", STEPS, "--", "sh",
		    "-c",
		    "set -- /proc/self/fd/*; echo $#; exec \"$0\" -m "
		    "\"$SUPPORT_TOKEN\" few leave",
		    arena_program("hostile"), NULL },
		.group = SUPPORT_OWN_GROUP,
		.prepare = open_many,
		.prepare_arg = &count,
	};

	if (count < FEWEST)
		SUPPORT_SKIP("cannot open %d descriptors", FEWEST);

	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_enter(a);
	support_call(&r, &c);
	support_assert_no_survivors();
	ck_assert_msg(r.status == 7, "status %d: %s", r.status,
	    r.stderr_text.data);
	ck_assert_int_ge(atoi(r.stdout_text.data), (int)count);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("surroundings");
	TCase *tc;

	tc = support_case(s, "/proc");
	tcase_add_loop_test(tc, hidden_proc_hides_nothing_of_the_group, 0,
	    N_OF(proc_modes));
	for (int i = 0; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, without_proc_nothing_is_left, i, i + 1);

	tc = support_case(s, "pids");
	for (int i = 0; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, reused_pids_hit_no_bystander,
		    i * N_OF(pid_modes), (i + 1) * N_OF(pid_modes));

	tc = support_case(s, "system calls");
	for (int i = 0; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, without_clone3_groups_are_as_usual, i,
		    i + 1);

	tc = support_case(s, "descriptors");
	for (int i = 0; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, many_descriptors_are_passed_on, i,
		    i + 1);
	return support_main(s, NULL);
}
