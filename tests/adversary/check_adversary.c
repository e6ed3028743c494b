/* SPDX-License-Identifier: ISC */
/*
 * Every hostile program, in every arena, ended in four ways: by itself, by TERM
 * to grouper, by SIGKILL of the host, by SIGKILL of the leader.  Nothing that
 * carries the token of the test may be alive when grouper has exited; only
 * when the host was killed has the leader still to finish.
 */

#include "arena.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LEFT_STATUS "7"
#define UNKILLABLE 123
/* In the list of arenas. */
#define REAPER_AS_USER 1
#define CGROUP_AS_USER 3

struct adversary {
	const char *mode;
	bool deaf;   /* the command itself heeds no TERM */
	bool stays;  /* the command cannot leave */
	bool setuid; /* needs the set-uid copy */
	bool spaces; /* needs a PID namespace of its own */
};

static const struct adversary adversaries[] = {
	{ .mode = "double-fork" },
	{ .mode = "daemon" },
	{ .mode = "setpgid" },
	{ .mode = "subreapers" },
	{ .mode = "quiet" },
	{ .mode = "siblings" },
	{ .mode = "vfork" },
	{ .mode = "zombies" },
	{ .mode = "namespace", .spaces = true },
	{ .mode = "stopped" },
	{ .mode = "traced" },
	{ .mode = "ignore", .deaf = true },
	{ .mode = "block", .deaf = true },
	{ .mode = "threads" },
	{ .mode = "headless", .deaf = true, .stays = true },
	{ .mode = "setuid", .setuid = true },
	{ .mode = "tree", .deaf = true },
	{ .mode = "comets", .deaf = true },
	{ .mode = "execs", .deaf = true },
	{ .mode = "thirteen" },
};
#define N_ADVERSARIES ((int)(sizeof(adversaries) / sizeof(adversaries[0])))

static const char *const options[] = { "--shutdown", "TERM 60ms, KILL", NULL };

static const struct arena *
arena_of(int i)
{
	return &arenas[i / N_ADVERSARIES];
}

static const struct adversary *
adversary_of(int i)
{
	return &adversaries[i % N_ADVERSARIES];
}

/* False if this one has no place in this arena. */
static bool
start(struct support_run *r, int i, const char *what_then)
{
	const struct arena *a = arena_of(i);
	const struct adversary *h = adversary_of(i);
	const char *why, *copy = "none";
	char program[512];

	if (h->stays && strcmp(what_then, "leave") == 0)
		return false;
	if (h->setuid && (copy = arena_setuid_copy(a, &why)) == NULL) {
		if (a->as_user)
			support_skip("%s: %s", h->mode, why);
		return false;
	}
	if (h->spaces && !arena_has_namespaces(a, &why)) {
		support_skip("%s: %s", h->mode, why);
		return false;
	}
	snprintf(program, sizeof(program), "%s", arena_program("hostile"));
	arena_enter(a);
	arena_start(r, a, options,
	    (const char *const[]) { program, "-c", copy, "-m", support_token(),
		h->mode, what_then, LEFT_STATUS, NULL });
	return true;
}

static void
finish(struct support_run *r, int i)
{
	support_finish(r);
	arena_leave(arena_of(i));
}

START_TEST(nothing_outlives_a_command_that_ends)
{
	struct support_run r;

	if (!start(&r, _i, "leave"))
		return;
	support_wait(&r);
	support_assert_no_survivors();
	ck_assert_msg(r.status == 7, "%s: status %d: %s",
	    adversary_of(_i)->mode, r.status, r.stderr_text.data);
	support_finish(&r);
	ck_assert_msg(arena_leave(arena_of(_i)) == 0, "a cgroup was left");
}
END_TEST

START_TEST(nothing_outlives_a_stop)
{
	const struct adversary *h = adversary_of(_i);
	struct support_run r;

	if (!start(&r, _i, "stay"))
		return;
	support_signal(&r, SIGTERM);
	support_wait(&r);
	support_assert_no_survivors();
	ck_assert_msg(r.status == 128 + (h->deaf ? SIGKILL : SIGTERM),
	    "%s: status %d: %s", h->mode, r.status, r.stderr_text.data);
	support_finish(&r);
	ck_assert_msg(arena_leave(arena_of(_i)) == 0, "a cgroup was left");
}
END_TEST

START_TEST(nothing_outlives_a_killed_host_for_long)
{
	struct support_run r;

	if (!start(&r, _i, "stay"))
		return;
	support_signal(&r, SIGKILL);
	support_wait(&r);
	support_await_no_survivors(SUPPORT_PATIENCE);
	finish(&r, _i);
}
END_TEST

START_TEST(nothing_outlives_a_killed_leader)
{
	struct support_run r;

	if (!start(&r, _i, "stay"))
		return;
	ck_assert_int_eq(kill(arena_leader(&r), SIGKILL), 0);
	support_wait(&r);
	support_assert_no_survivors();
	ck_assert_msg(r.status == 120, "%s: status %d: %s",
	    adversary_of(_i)->mode, r.status, r.stderr_text.data);
	finish(&r, _i);
}
END_TEST

static bool
one_is_left(void *list)
{
	return support_survivors(support_token(), list, 1) == 1;
}

/* Named by pid and command, and killed by us who may. */
static void
end_unkillable(const struct support_run *r, const struct support_process *p)
{
	char pid[32];

	ck_assert_int_eq(kill(p->pid, SIGKILL), 0);
	support_await_gone(p->pid);
	if (r->signal == SIGKILL)
		return; /* there is nobody left to tell */
	ck_assert_msg(r->status == UNKILLABLE, "status %d: %s", r->status,
	    r->stderr_text.data);
	snprintf(pid, sizeof(pid), "%d", (int)p->pid);
	ck_assert_msg(strstr(r->stderr_text.data, pid) != NULL,
	    "pid %s is not named in: %s", pid, r->stderr_text.data);
	ck_assert_msg(strstr(r->stderr_text.data, "hostile") != NULL,
	    "its command is not named in: %s", r->stderr_text.data);
}

enum way { LEFT, STOPPED, LEADER_KILLED, HOST_KILLED, N_WAYS };

/*
 * Runs what really is another user's to one of these endings; false if there
 * can be no such thing here.
 */
static bool
end_another_user_s(struct support_run *r, const struct arena *a, int ending)
{
	const char *why, *copy;

	if (!arena_available(a, &why) ||
	    (copy = arena_setuid_copy(a, &why)) == NULL) {
		support_skip("%s", why);
		return false;
	}
	arena_enter(a);
	arena_start(r, a, options,
	    (const char *const[]) { arena_program("hostile"), "-c", copy, "-m",
		support_token(), "setuid-real",
		ending == LEFT ? "leave" : "stay", NULL });
	if (ending == STOPPED)
		support_signal(r, SIGTERM);
	else if (ending == LEADER_KILLED)
		ck_assert_int_eq(kill(arena_leader(r), SIGKILL), 0);
	else if (ending == HOST_KILLED)
		support_signal(r, SIGKILL);
	support_wait(r);
	return true;
}

/*
 * It cannot be killed: it must be named, and the status must say so; and the
 * leader must not wait for it for ever.  Only an ordinary user at the reaper
 * level has such a thing: root may kill all, and the user namespace that pidns
 * needs otherwise has no other user.
 */
START_TEST(what_cannot_be_killed_is_named)
{
	const struct arena *a = &arenas[REAPER_AS_USER];
	struct support_process left;
	struct support_run r;

	if (!end_another_user_s(&r, a, _i))
		return;
	/* Host and leader have no more to say to each other, but may still
	 * be about to end. */
	ck_assert(support_until(one_is_left, &left, SUPPORT_PATIENCE));
	end_unkillable(&r, &left);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/* Who may write to a cgroup may kill all that is in it, whoever's it is. */
START_TEST(cgroup_ends_what_its_user_may_not_kill)
{
	static const int statuses[] = { 7, 128 + SIGTERM, 120, 128 + SIGKILL };
	const struct arena *a = &arenas[CGROUP_AS_USER];
	struct support_run r;

	if (!end_another_user_s(&r, a, _i))
		return;
	support_await_no_survivors(_i == HOST_KILLED ? SUPPORT_PATIENCE : 0);
	ck_assert_msg(r.status == statuses[_i], "status %d: %s", r.status,
	    r.stderr_text.data);
	support_finish(&r);
	arena_leave(a);
}
END_TEST

/* Longer limits, until the process has come before its group's end. */
static void
run_unkillable_to_its_limit(struct support_run *r, const char *copy)
{
	char limit[32];

	for (int ms = 500; ms < SUPPORT_PATIENCE; ms *= 2) {
		snprintf(limit, sizeof(limit), "%dms", ms);
		support_start(r,
		    &(struct support_command) {
			.argv = ARGV(support_grouper(), "run", "--shutdown",
			    "TERM 60ms, KILL", "--timeout", limit, "--",
			    arena_program("hostile"), "-c", copy, "-m",
			    support_token(), "setuid-real", "stay"),
			.group = SUPPORT_OWN_GROUP,
			.uid = support_user(),
		    });
		if (support_stdout_comes(r, "ready\n"))
			return;
		support_finish(r);
		ck_assert(support_sweep(NULL));
	}
	ck_abort_msg("the unkillable process never came");
}

START_TEST(unkillable_outranks_the_time_limit)
{
	struct support_process left;
	const char *why, *copy;
	struct support_run r;

	if (!arena_available(&arenas[REAPER_AS_USER], &why) ||
	    (copy = arena_setuid_copy(&arenas[REAPER_AS_USER], &why)) == NULL)
		SUPPORT_SKIP("%s", why);
	run_unkillable_to_its_limit(&r, copy);
	support_wait(&r);
	ck_assert(support_until(one_is_left, &left, SUPPORT_PATIENCE));
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "time limit"));
	end_unkillable(&r, &left);
	support_finish(&r);
}
END_TEST

START_TEST(arena_is_not_available)
{
	const char *why = "";

	arena_available(&arenas[_i], &why);
	SUPPORT_SKIP("%s: %s", arenas[_i].name, why);
}
END_TEST

static const struct ending {
	const char *name;
	const TTest **test;
} endings[] = {
	{ "command ends", &nothing_outlives_a_command_that_ends },
	{ "stop", &nothing_outlives_a_stop },
	{ "host killed", &nothing_outlives_a_killed_host_for_long },
	{ "leader killed", &nothing_outlives_a_killed_leader },
};
#define N_ENDINGS (sizeof(endings) / sizeof(endings[0]))

static void
add_arena(Suite *s, int i)
{
	const char *why;
	char name[128];
	TCase *tc;

	if (!arena_available(&arenas[i], &why)) {
		tc = support_case(s, arenas[i].name);
		tcase_add_loop_test(tc, arena_is_not_available, i, i + 1);
		return;
	}
	for (size_t k = 0; k < N_ENDINGS; k++) {
		snprintf(name, sizeof(name), "%s, %s", arenas[i].name,
		    endings[k].name);
		tc = support_case(s, name);
		tcase_add_loop_test(tc, *endings[k].test, i * N_ADVERSARIES,
		    (i + 1) * N_ADVERSARIES);
	}
}

int
main(void)
{
	Suite *s = suite_create("adversary");
	TCase *tc;

	for (int i = 0; i < ARENAS; i++)
		add_arena(s, i);
	tc = support_case(s, "unkillable");
	tcase_add_loop_test(tc, what_cannot_be_killed_is_named, 0, N_WAYS);
	tcase_add_loop_test(tc, cgroup_ends_what_its_user_may_not_kill, 0,
	    N_WAYS);
	tcase_add_test(tc, unkillable_outranks_the_time_limit);
	return support_main(s, NULL);
}
