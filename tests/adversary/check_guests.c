/* SPDX-License-Identifier: ISC */
/*
 * Groups of everyday programs that depend on what is around them: make and its
 * jobserver, scripts that signal their process group, shells that hand their
 * children to grouper, groups in groups, jobs left behind with the output.
 */

#include "arena.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS "TERM 60ms, KILL"

/* Runs a shell script with $GROUPER set, in a process group of its own. */
static int
script(struct support_run *r, const char *shell, const char *text)
{
	struct support_command c = {
		.argv = (const char *const[]) { shell, "-c", text, NULL },
		.group = SUPPORT_OWN_GROUP,
	};

	setenv("GROUPER", support_grouper(), 1);
	return support_call(r, &c);
}

/*
 * Output held by a process that stayed
 */

START_TEST(held_output_holds_nobody)
{
	struct support_run r;

	script(&r, "sh",
	    "out=$(\"$GROUPER\" run -- sh -c "
	    "'sleep 1000 & echo hi'); echo \"$? $out\"");
	support_assert_no_survivors();
	ck_assert_str_eq(r.stdout_text.data, "0 hi\n");
	support_finish(&r);
}
END_TEST

START_TEST(held_output_holds_nobody_when_daemons_hold_it)
{
	struct support_run r;

	setenv("HOSTILE", arena_program("hostile"), 1);
	script(&r, "sh",
	    "out=$(\"$GROUPER\" run --shutdown 'TERM 60ms, KILL' "
	    "-- \"$HOSTILE\" thirteen leave); echo \"$? $out\"");
	support_assert_no_survivors();
	ck_assert_str_eq(r.stdout_text.data, "7 ready\n");
	support_finish(&r);
}
END_TEST

/*
 * Signals to the whole process group
 */

static const struct group_kill {
	const char *text;
	int status;
} group_kills[] = {
	{ "sleep 1000 & kill 0; sleep 1000", 143 },
	{ "sleep 1000 & kill -9 0; sleep 1000", 137 },
	{ "trap '' TERM; sleep 1000 & kill 0; exit 6", 6 },
	{ "(sleep 1000; echo no) & sh -c 'kill -KILL 0'; exit 6", 137 },
};
#define N_GROUP_KILLS ((int)(sizeof(group_kills) / sizeof(group_kills[0])))

START_TEST(kill_of_the_process_group_stays_in_the_group)
{
	const struct arena *a = &arenas[_i / N_GROUP_KILLS];
	const struct group_kill *k = &group_kills[_i % N_GROUP_KILLS];
	const char *why;
	struct support_run r;
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--contain", a->contain,
		    "--shutdown", STEPS, "--session", "new", "--", "sh", "-c",
		    k->text),
		.group = SUPPORT_OWN_GROUP,
	};

	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	if (a->as_user)
		c.uid = support_user();
	arena_enter(a);
	support_call(&r, &c);
	support_assert_no_survivors();
	ck_assert_msg(r.status == k->status && r.signal == 0,
	    "status %d, signal %d: %s", r.status, r.signal, r.stderr_text.data);
	support_finish(&r);
	ck_assert_int_eq(arena_leave(a), 0);
}
END_TEST

/*
 * Only as an ordinary user of whom there is nothing else on the machine: this
 * must not be tried where it could go wrong.
 */
START_TEST(kill_of_everything_stays_in_a_pid_namespace)
{
	const struct arena *a = &arenas[5];
	const char *why;
	struct support_run r;
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--contain", a->contain,
		    "--", "sh", "-c", "sleep 1000 & kill -9 -1; exit 6"),
		.group = SUPPORT_OWN_GROUP,
		.uid = support_user(),
	};

	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	support_call(&r, &c);
	support_assert_no_survivors();
	/* kill(2) spares its caller, which ends by itself then. */
	ck_assert_msg(r.status == 6, "status %d, signal %d: %s", r.status,
	    r.signal, r.stderr_text.data);
	support_finish(&r);
}
END_TEST

/*
 * make
 */

/*
 * Four jobs in each of two makes below grouper, on the tokens of the outer
 * one.  A job writes a line when it begins and when it ends.
 */
static const char outer_makefile[] =
    "all: a b\n"
    "a b:\n"
    "\t+$(GROUPER) run $(LEVEL) -- $(MAKE) --no-print-directory "
    "-f inner.mk SET=$@\n"
    ".PHONY: all a b\n";

static const char inner_makefile[] =
    "JOBS = $(SET)1 $(SET)2 $(SET)3 $(SET)4\n"
    "all: $(JOBS)\n"
    "$(JOBS):\n"
    "\t@echo + >> jobs; sleep 0.15; echo - >> jobs\n"
    ".PHONY: all $(JOBS)\n";

static int
most_at_once(const char *path, int *total)
{
	char *text = support_slurp(path);
	int now = 0, most = 0;

	*total = 0;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '+') {
			(*total)++;
			now++;
		} else if (*p == '-') {
			now--;
		}
		if (now > most)
			most = now;
	}
	free(text);
	return most;
}

START_TEST(jobserver_works_through_run)
{
	const struct arena *a = &arenas[_i];
	const char *why;
	char jobs[16], level[64];
	int most, total;
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("make", jobs, level, "-f", "outer.mk"),
		.env = ARGV("MAKEFLAGS", "MFLAGS", "MAKELEVEL"),
		.directory = support_directory(),
		.group = SUPPORT_OWN_GROUP,
	};

	if (access("/usr/bin/make", X_OK) == -1)
		SUPPORT_SKIP("no make");
	if (!arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	support_file("outer.mk", 0644, outer_makefile);
	support_file("inner.mk", 0644, inner_makefile);
	setenv("GROUPER", support_grouper(), 1);
	snprintf(jobs, sizeof(jobs), "-j%d", 3);
	snprintf(level, sizeof(level), "LEVEL=--contain %s", a->contain);
	arena_enter(a);
	support_call(&r, &c);
	support_assert_no_survivors();
	ck_assert_msg(r.status == 0, "status %d: %s", r.status,
	    r.stderr_text.data);
	ck_assert_str_eq(r.stderr_text.data, "");
	most = most_at_once(support_path("jobs"), &total);
	ck_assert_int_eq(total, 8);
	/* Without the jobserver each inner make runs one job: two at once. */
	ck_assert_int_eq(most, 3);
	support_finish(&r);
	ck_assert_int_eq(arena_leave(a), 0);
}
END_TEST

START_TEST(interrupted_make_leaves_nothing)
{
	struct support_run r;
	struct support_command c = {
		.argv = ARGV(support_grouper(), "run", "--shutdown", STEPS,
		    "--", "make", "-j4", "-f", "slow.mk"),
		.directory = support_directory(),
		.group = SUPPORT_OWN_GROUP,
	};

	if (access("/usr/bin/make", X_OK) == -1)
		SUPPORT_SKIP("no make");
	support_file("slow.mk", 0644,
	    "all: a b c d\na b c d:\n"
	    "\t@trap '' INT TERM; echo up-$@; setsid sleep 1000\n");
	support_start(&r, &c);
	support_await_stdout(&r, "up-a");
	support_await_stdout(&r, "up-b");
	support_await_stdout(&r, "up-c");
	support_signal(&r, SIGINT);
	support_wait(&r);
	support_assert_no_survivors();
	ck_assert_int_ne(r.status, 0);
	support_finish(&r);
}
END_TEST

/*
 * Children that were there before grouper was
 */

START_TEST(children_at_birth_are_no_part_of_the_group)
{
	struct support_process list[4];
	struct support_run r;

	script(&r, "sh",
	    "sleep 1000 & "
	    "exec \"$GROUPER\" run -- sh -c 'sleep 999 & exit 5'");
	ck_assert_msg(r.status == 5, "status %d: %s", r.status,
	    r.stderr_text.data);
	ck_assert_uint_eq(support_survivors(support_token(), list, 4), 1);
	ck_assert_str_eq(list[0].command, "sleep 1000");
	ck_assert(support_sweep(NULL));
	support_finish(&r);
}
END_TEST

START_TEST(ending_children_at_birth_disturb_nothing)
{
	struct support_run r;

	script(&r, "sh",
	    "for i in 1 2 3 4 5; do sleep 0.0$i & done; "
	    "exec \"$GROUPER\" run -- sh -c 'sleep 0.2; exit 5'");
	ck_assert_msg(r.status == 5, "status %d: %s", r.status,
	    r.stderr_text.data);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

START_TEST(children_at_birth_do_not_hide_a_signal)
{
	struct support_run r;
	struct support_command c = {
		.argv = ARGV("sh", "-c",
		    "sleep 1000 & exec \"$GROUPER\" run "
		    "--shutdown 'TERM 60ms, KILL' -- \"$0\" -m x thirteen stay",
		    arena_program("hostile")),
		.group = SUPPORT_OWN_GROUP,
	};
	struct support_process list[4];

	setenv("GROUPER", support_grouper(), 1);
	support_start(&r, &c);
	support_await_stdout(&r, "ready\n");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 143);
	ck_assert_uint_eq(support_survivors(support_token(), list, 4), 1);
	ck_assert_str_eq(list[0].command, "sleep 1000");
	ck_assert(support_sweep(NULL));
	support_finish(&r);
}
END_TEST

START_TEST(process_substitution_goes_on)
{
	const char *path = support_path("copy");
	struct support_run r;

	setenv("COPY", path, 1);
	script(&r, "bash",
	    "exec \"$GROUPER\" run -- echo hi > >(tee \"$COPY\")");
	ck_assert_msg(r.status == 0, "status %d: %s", r.status,
	    r.stderr_text.data);
	/* tee is bash's child, not ours: it may end after grouper. */
	support_await_file(path, "hi\n");
	support_await_no_survivors(SUPPORT_PATIENCE);
	support_finish(&r);
}
END_TEST

/*
 * Groups in groups
 */

static const char *const nestings[][3] = {
	{ "reaper", "reaper", NULL },
	{ "pidns", "reaper", NULL },
	{ "reaper", "pidns", NULL },
	{ "pidns", "pidns", NULL },
	{ "cgroup", "cgroup", NULL },
	{ "cgroup", "pidns", NULL },
};
#define N_NESTINGS ((int)(sizeof(nestings) / sizeof(nestings[0])))

enum nested_end { INNER_ENDS, OUTER_STOPPED, OUTER_KILLED, N_NESTED_ENDS };

static const struct arena *
arena_named(const char *contain)
{
	for (int i = 0; i < ARENAS; i++) {
		if (!arenas[i].as_user &&
		    strcmp(arenas[i].contain, contain) == 0)
			return &arenas[i];
	}
	return NULL;
}

START_TEST(group_in_a_group_ends_with_it)
{
	const char *const *levels = nestings[_i / N_NESTED_ENDS];
	enum nested_end end = (enum nested_end)(_i % N_NESTED_ENDS);
	const struct arena *a = arena_named(levels[0]);
	const char *why;
	char hostile[512];
	struct support_run r;

	if (!arena_available(a, &why) ||
	    !arena_available(arena_named(levels[1]), &why))
		SUPPORT_SKIP("%s in %s: %s", levels[1], levels[0], why);
	snprintf(hostile, sizeof(hostile), "%s", arena_program("hostile"));
	arena_enter(a);
	arena_start(&r, a, ARGV("--shutdown", "TERM 20s, KILL"),
	    ARGV(support_grouper(), "run", "--contain", levels[1], "--shutdown",
		STEPS, "--", hostile, "-m", support_token(), "thirteen",
		end == INNER_ENDS ? "leave" : "stay"));
	if (end != INNER_ENDS)
		support_signal(&r, end == OUTER_STOPPED ? SIGTERM : SIGKILL);
	support_wait(&r);
	if (end == OUTER_KILLED)
		support_await_no_survivors(SUPPORT_PATIENCE);
	else
		support_assert_no_survivors();
	if (end != OUTER_KILLED)
		ck_assert_msg(r.status == (end == INNER_ENDS ? 7 : 143),
		    "%s in %s: status %d: %s", levels[1], levels[0], r.status,
		    r.stderr_text.data);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("guests");
	TCase *tc;

	tc = support_case(s, "output");
	tcase_add_test(tc, held_output_holds_nobody);
	tcase_add_test(tc, held_output_holds_nobody_when_daemons_hold_it);

	tc = support_case(s, "kill 0");
	tcase_add_loop_test(tc, kill_of_the_process_group_stays_in_the_group, 0,
	    ARENAS * N_GROUP_KILLS);

	tcase_add_test(tc, kill_of_everything_stays_in_a_pid_namespace);

	tc = support_case(s, "make");
	for (int i = 0; i < ARENAS; i += 2)
		tcase_add_loop_test(tc, jobserver_works_through_run, i, i + 1);
	tcase_add_test(tc, interrupted_make_leaves_nothing);

	tc = support_case(s, "children at birth");
	tcase_add_test(tc, children_at_birth_are_no_part_of_the_group);
	tcase_add_test(tc, ending_children_at_birth_disturb_nothing);
	tcase_add_test(tc, children_at_birth_do_not_hide_a_signal);
	tcase_add_test(tc, process_substitution_goes_on);

	tc = support_case(s, "nested");
	tcase_add_loop_test(tc, group_in_a_group_ends_with_it, 0,
	    N_NESTINGS * N_NESTED_ENDS);
	return support_main(s, NULL);
}
