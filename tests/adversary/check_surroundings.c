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

static const char *const proc_modes[] = { "double-fork", "comets", "threads",
	"setpgid", "ignore", "quiet", "tree" };
#define FEW_MODES 3 /* of them, where the level and not the mode matters */

/* In the directory of the test, for the arena's user. */
static const char *
make_sockets(const struct arena *a)
{
	static char variable[512];
	const char *sockets = support_path("sockets");
	uid_t uid = a->as_user ? support_user() : 0;

	ck_assert_int_eq(mkdir(sockets, 0700), 0);
	ck_assert_int_eq(chown(sockets, uid, uid), 0);
	snprintf(variable, sizeof(variable), "GROUPER_RUNTIME_DIR=%s", sockets);
	return variable;
}

/* Runs a hostile program under grouper, both as the arena says. */
static void
run_in(struct support_run *r, const struct arena *a, const char *surroundings,
    const char *mode)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", a->as_user ? support_user() : 0);
	run(r,
	    (const char *const[]) { "env", make_sockets(a),
		arena_program("surround"), surroundings, uid, "--",
		support_grouper(), "run", "--contain", a->contain, "--shutdown",
		STEPS, "--", arena_program("hostile"), "-m", support_token(),
		mode, "leave", NULL });
}

/* As ordinary users: nothing is hidden from root. */
START_TEST(hidden_proc_hides_nothing_of_the_group)
{
	const struct arena *a = &arenas[_i / N_OF(proc_modes)];
	const char *why;
	struct support_run r;

	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_enter(a);
	run_in(&r, a, "hidden-proc", proc_modes[_i % N_OF(proc_modes)]);
	if (r.status == NOT_HERE) {
		support_skip("%s", r.stderr_text.data);
	} else {
		support_assert_no_survivors();
		ck_assert_msg(r.status == 7, "status %d: %s", r.status,
		    r.stderr_text.data);
	}
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/*
 * Which refusal is right where nothing is mounted on /proc: only there is told
 * in which cgroup we are, and are ids mapped for an ordinary user's PID
 * namespace.  The reaper needs pidfds that tell a parent, as kernels since 6.13
 * have them; elsewhere it would be blind.  Root's PID namespace is ended by the
 * kernel, whatever is mounted: there is nothing to refuse.
 */
static const char *
right_refusal(const struct arena *a, const struct support_run *r)
{
	if (strcmp(a->contain, "cgroup") == 0)
		return "/proc, which tells our cgroup, is not mounted";
	if (strcmp(a->contain, "pidns") == 0)
		return a->as_user ? "/proc, where a user namespace gets" : NULL;
	if (strstr(r->stderr_text.data, "pidfds do not tell") != NULL)
		return "/proc is not mounted, and pidfds do not tell a parent";
	return NULL;
}

static const char *const proc_escapes[] = { "double-fork", "daemon", "few",
	"comets" };

/* A leader refuses where it cannot see; what it takes it must end. */
START_TEST(without_proc_nothing_is_left)
{
	const struct arena *a = &arenas[_i / N_OF(proc_escapes)];
	const char *mode = proc_escapes[_i % N_OF(proc_escapes)];
	const char *why, *refusal;
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
	run_in(&r, a, "no-proc", mode);
	support_assert_no_survivors();
	refusal = right_refusal(a, &r);
	/* Comets may take a leader that asks for each pid too long. */
	if (refusal != NULL || r.status != 120 || strcmp(mode, "comets") != 0)
		ck_assert_msg(r.status == (refusal == NULL ? 7 : 125),
		    "status %d: %s", r.status, r.stderr_text.data);
	if (refusal != NULL) {
		ck_assert_ptr_nonnull(strstr(r.stderr_text.data, refusal));
		ck_assert_str_eq(r.stdout_text.data, "");
	}
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/* Who shares the command's process group is no part of the group. */
START_TEST(without_proc_a_shared_process_group_is_spared)
{
	static const char script[] =
	    "\"$0\" run --contain reaper --session keep --shutdown KILL "
	    "--timeout 50ms -- sleep 1000; echo status $?";
	const char *why;
	struct support_run r;

#ifdef __SANITIZE_ADDRESS__
	SUPPORT_SKIP("AddressSanitizer itself needs /proc");
#endif
	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	run(&r,
	    (const char *const[]) { arena_program("surround"), "no-proc", "0",
		"--", "sh", "-c", script, support_grouper(), NULL });
	if (strstr(r.stderr_text.data, "pidfds do not tell") != NULL)
		support_skip("%s", r.stderr_text.data);
	else
		ck_assert_str_eq(r.stdout_text.data, "status 124\n");
	support_finish(&r);
}
END_TEST

/* What cannot be seen is said to be unknown. */
START_TEST(without_proc_no_leak_is_invented)
{
	static const char command[] =
	    "mkfifo \"$0\"; exec 3<>\"$0\"; sleep 60 & "
	    "setsid sh -c 'echo >&3; exec sleep 60' & read x <&3";
	const char *why;
	struct support_run r;

#ifdef __SANITIZE_ADDRESS__
	SUPPORT_SKIP("AddressSanitizer itself needs /proc");
#endif
	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	run(&r,
	    (const char *const[]) { arena_program("surround"), "no-proc", "0",
		"--", support_grouper(), "run", "--report", "--", "sh", "-c",
		command, support_path("fifo"), NULL });
	if (r.status == 125) {
		support_skip("%s", r.stderr_text.data);
	} else {
		ck_assert_int_eq(r.status, 0);
		ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
		    " age unknown (background job): [?]\n"));
		ck_assert_ptr_nonnull(strstr(r.stderr_text.data,
		    " age unknown (new session): [?]\n"));
	}
	support_finish(&r);
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
	for (int i = 1; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, hidden_proc_hides_nothing_of_the_group,
		    i * N_OF(proc_modes),
		    i * N_OF(proc_modes) +
			(i == 1 ? N_OF(proc_modes) : FEW_MODES));
	tcase_add_loop_test(tc, without_proc_nothing_is_left, 0,
	    ARENAS * N_OF(proc_escapes));
	tcase_add_test(tc, without_proc_a_shared_process_group_is_spared);
	tcase_add_test(tc, without_proc_no_leak_is_invented);

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
