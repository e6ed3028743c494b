/* SPDX-License-Identifier: ISC */
/*
 * Groups where the system gives less than usual: a /proc that hides or is not
 * there, pids that come round at once, descriptors, memory or processes run
 * out, thousands of descriptors open.
 */

#include "arena.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS "TERM 60ms, KILL"
#define NOT_HERE 97 /* of the surround program */
#define MANY 25000
#define MIB (1UL << 20)

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Runs the words to their end in a process group of their own. */
static void
run(struct support_run *r, const char *const *words)
{
	struct support_command c = { .argv = words,
		.group = SUPPORT_OWN_GROUP };

	support_call(r, &c);
}

static const char *
hostile(void)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s", arena_program("hostile"));
	return path;
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
		"reaper", "--shutdown", STEPS, "--", hostile(), "-m",
		support_token(), proc_modes[_i], "leave", NULL });
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

	if (!arena_is_root())
		SUPPORT_SKIP("only root can take /proc away");
	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_enter(a);
	run(&r,
	    (const char *const[]) { arena_program("surround"), "no-proc", "0",
		"--", support_grouper(), "run", "--contain", a->contain,
		"--shutdown", STEPS, "--", hostile(), "-m", support_token(),
		"double-fork", "leave", NULL });
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
		"--shutdown", STEPS, "--", hostile(), "-m", support_token(),
		mode, "leave", NULL });
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
 * Limits
 */

struct shortage {
	int resource;
	rlim_t value;
	const char *name;
};

static const struct shortage shortages[] = {
	{ RLIMIT_NOFILE, 3, "3 descriptors" },
	{ RLIMIT_NOFILE, 4, "4 descriptors" },
	{ RLIMIT_NOFILE, 5, "5 descriptors" },
	{ RLIMIT_NOFILE, 6, "6 descriptors" },
	{ RLIMIT_NOFILE, 7, "7 descriptors" },
	{ RLIMIT_NOFILE, 8, "8 descriptors" },
	{ RLIMIT_NOFILE, 9, "9 descriptors" },
	{ RLIMIT_NOFILE, 10, "10 descriptors" },
	{ RLIMIT_NOFILE, 11, "11 descriptors" },
	{ RLIMIT_NOFILE, 12, "12 descriptors" },
	{ RLIMIT_NOFILE, 14, "14 descriptors" },
	{ RLIMIT_NOFILE, 16, "16 descriptors" },
	{ RLIMIT_NOFILE, 20, "20 descriptors" },
	{ RLIMIT_NOFILE, 24, "24 descriptors" },
	{ RLIMIT_AS, 3 * MIB, "3 MiB" }, { RLIMIT_AS, 4 * MIB, "4 MiB" },
	{ RLIMIT_AS, 6 * MIB, "6 MiB" }, { RLIMIT_AS, 9 * MIB, "9 MiB" },
	{ RLIMIT_AS, 16 * MIB, "16 MiB" }, { RLIMIT_NPROC, 1, "1 process" },
	{ RLIMIT_NPROC, 2, "2 processes" }, { RLIMIT_NPROC, 3, "3 processes" },
	{ RLIMIT_NPROC, 4, "4 processes" }, { RLIMIT_NPROC, 5, "5 processes" },
	{ RLIMIT_NPROC, 6, "6 processes" }, { RLIMIT_NPROC, 8, "8 processes" }
};

/*
 * It works, or it says why not: never a hang, never a crash of grouper, never
 * a process left.  139 and 134 would be SIGSEGV and SIGABRT; the hostile
 * program itself fails with 99, and its loader with 127.
 */
START_TEST(shortage_leaves_nothing)
{
	const struct shortage *s = &shortages[_i];
	const struct support_limit limits[] = { { s->resource, s->value },
		{ -1, 0 } };
	const char *why;
	struct support_run r;
	struct support_command c = {
		.argv = (const char *const[]) { support_grouper(), "run",
		    "--contain", "reaper", "--shutdown", STEPS, "--", hostile(),
		    "-m", support_token(), "few", "leave", NULL },
		.group = SUPPORT_OWN_GROUP,
		.limits = limits
	};

	if (s->resource == RLIMIT_AS && getenv("GROUPER_SANITIZERS") != NULL)
		SUPPORT_SKIP("sanitizers need the address space");
	if (support_can_switch_user(&why))
		c.uid = support_user();
	else if (s->resource == RLIMIT_NPROC)
		SUPPORT_SKIP("%s", why);
	support_call(&r, &c);
	support_assert_no_survivors();
	ck_assert_msg(r.signal == 0 || r.signal == SIGKILL,
	    "with %s: signal %d: %s", s->name, r.signal, r.stderr_text.data);
	if (r.status == 7) {
		ck_assert_str_eq(r.stdout_text.data, "ready\n");
	} else {
		ck_assert_msg((r.status >= 125 && r.status <= 127) ||
			r.status == 99 || r.signal == SIGKILL,
		    "with %s: status %d: %s", s->name, r.status,
		    r.stderr_text.data);
		ck_assert_msg(r.stderr_text.length > 0 || r.signal == SIGKILL,
		    "with %s: status %d, no message", s->name, r.status);
	}
	support_finish(&r);
}
END_TEST

/* What runs out only when everything is up, at host and leader. */
static const struct shortage late_shortages[] = { { RLIMIT_NOFILE, 0,
						      "no descriptors" },
	{ RLIMIT_AS, MIB, "no memory" }, { RLIMIT_NPROC, 1, "no processes" } };

static const char *const late_modes[] = { "double-fork", "ignore", "tree",
	"comets" };

enum { LATE_STOP, LATE_LEADER, LATE_HOST, LATE_ENDINGS };

static void
starve(const struct shortage *s, pid_t pid)
{
	struct rlimit limit = { s->value, s->value };

	ck_assert_msg(prlimit(pid, (__rlimit_resource_t)s->resource, &limit,
			  NULL) == 0,
	    "prlimit: %s", strerror(errno));
}

START_TEST(shortage_during_the_sweep_leaves_nothing)
{
	int modes = N_OF(late_modes), kinds = N_OF(late_shortages);
	const char *mode = late_modes[_i % modes], *why;
	const struct shortage *s = &late_shortages[_i / modes % kinds];
	int ending = _i / modes / kinds % LATE_ENDINGS;
	/* Root has no limit of processes. */
	const struct arena *a = &arenas[1];
	struct support_run r;
	pid_t leader;

	if (s->resource == RLIMIT_AS && getenv("GROUPER_SANITIZERS") != NULL)
		SUPPORT_SKIP("sanitizers need the address space");
	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_start(&r, a, (const char *const[]) { "--shutdown", STEPS, NULL },
	    (const char *const[]) { hostile(), "-m", support_token(), mode,
		"stay", NULL });
	leader = arena_leader(&r);
	starve(s, leader);
	starve(s, r.pid);
	if (ending == LATE_LEADER)
		ck_assert_int_eq(kill(leader, SIGKILL), 0);
	else
		support_signal(&r, ending == LATE_STOP ? SIGTERM : SIGKILL);
	support_wait(&r);
	if (ending == LATE_HOST)
		support_await_no_survivors(SUPPORT_PATIENCE);
	else
		support_assert_no_survivors();
	if (ending == LATE_LEADER)
		ck_assert_msg(r.status == 120, "%s, %s: status %d: %s", mode,
		    s->name, r.status, r.stderr_text.data);
	if (ending == LATE_STOP)
		ck_assert_msg(r.status == 143 || r.status == 137,
		    "%s, %s: status %d: %s", mode, s->name, r.status,
		    r.stderr_text.data);
	support_finish(&r);
}
END_TEST

/*
 * Descriptors
 */

static void
open_many(void *unused)
{
	struct rlimit limit = { MANY + 100, MANY + 100 };

	(void)unused;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(NOT_HERE);
	for (int i = 0; i < MANY; i++) {
		if (open("/dev/null", O_RDONLY) == -1)
			_exit(NOT_HERE);
	}
}

START_TEST(many_descriptors_are_passed_on)
{
	const struct arena *a = &arenas[_i];
	const char *why;
	struct support_run r;
	struct support_command c = {
		.argv = (const char *const[]) { support_grouper(), "run",
		    "--contain", a->contain, "--shutdown", STEPS, "--", "sh",
		    "-c",
		    "set -- /proc/self/fd/*; echo $#; exec \"$0\" -m "
		    "\"$SUPPORT_TOKEN\" few leave",
		    hostile(), NULL },
		.group = SUPPORT_OWN_GROUP,
		.prepare = open_many
	};

	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	arena_enter(a);
	if (support_call(&r, &c) == NOT_HERE) {
		support_skip("cannot open %d descriptors", MANY);
	} else {
		support_assert_no_survivors();
		ck_assert_msg(r.status == 7, "status %d: %s", r.status,
		    r.stderr_text.data);
		ck_assert_int_ge(atoi(r.stdout_text.data), MANY);
	}
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

	tc = support_case(s, "limits");
	tcase_add_loop_test(tc, shortage_leaves_nothing, 0, N_OF(shortages));
	tcase_add_loop_test(tc, shortage_during_the_sweep_leaves_nothing, 0,
	    N_OF(late_modes) * N_OF(late_shortages) * LATE_ENDINGS);

	tc = support_case(s, "descriptors");
	for (int i = 0; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, many_descriptors_are_passed_on, i,
		    i + 1);
	return support_main(s, NULL);
}
