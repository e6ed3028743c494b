/* SPDX-License-Identifier: ISC */
/*
 * Groups where descriptors, memory or processes run out: from the start, where
 * grouper may refuse, or when everything is up, where it may not.
 */
#include "arena.h"

#include <sys/resource.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS "TERM 60ms, KILL"
#define MIB (1UL << 20)
#define LEADER_DIED 120
#define UNKILLABLE 123
#define FAILED 125
#define HOSTILE_FAILED 99

/* In the list of arenas. */
#define REAPER_AS_USER 1
#define CGROUP 2
#define PIDNS 4

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

struct shortage {
	__rlimit_resource_t resource;
	rlim_t value;
};

enum ending { LEAVE, STOP, KILL_LEADER, KILL_HOST, N_ENDINGS };

static const char *const ending_names[N_ENDINGS] = { "left", "stopped",
	"leader killed", "host killed" };

static const char *
resource_name(const struct shortage *s)
{
	switch (s->resource) {
	case RLIMIT_NOFILE:
		return "descriptors";
	case RLIMIT_NPROC:
		return "processes";
	default:
		return "bytes of memory";
	}
}

static bool
is_impossible(const struct shortage *s, const char **why)
{
	*why = "sanitizers need the address space";
	if (s->resource == RLIMIT_AS && getenv("GROUPER_SANITIZERS") != NULL)
		return true;
	return s->resource == RLIMIT_NPROC && !support_can_switch_user(why);
}

/* Ends the group that came up, and asserts how grouper ended. */
static void
end_group(struct support_run *r, enum ending ending, const char *what)
{
	static const int statuses[N_ENDINGS] = { 7, 0, LEADER_DIED,
		128 + SIGKILL };

	if (ending == KILL_LEADER)
		ck_assert_int_eq(kill(arena_leader(r), SIGKILL), 0);
	else if (ending != LEAVE)
		support_signal(r, ending == STOP ? SIGTERM : SIGKILL);
	support_wait(r);
	if (ending == KILL_HOST)
		support_await_no_survivors(SUPPORT_PATIENCE);
	else
		support_assert_no_survivors();
	if (ending == STOP)
		ck_assert_msg(r->status == 143 || r->status == 137,
		    "%s: status %d: %s", what, r->status, r->stderr_text.data);
	else
		ck_assert_msg(r->status == statuses[ending],
		    "%s: status %d: %s", what, r->status, r->stderr_text.data);
}

/*
 * What did not come up ended with a reason: grouper's own, that of the loader
 * (127), that of the hostile program, or SIGKILL by the kernel, which has no
 * other word when there is no memory left in the middle of execve(2).
 */
static void
assert_refused(const struct support_run *r, const char *what)
{
	support_assert_no_survivors();
	ck_assert_msg(r->signal == 0 || r->signal == SIGKILL,
	    "%s: signal %d: %s", what, r->signal, r->stderr_text.data);
	if (r->status == 128 + SIGKILL)
		return;
	ck_assert_msg((r->status >= 125 && r->status <= 127) ||
		r->status == HOSTILE_FAILED,
	    "%s: status %d: %s", what, r->status, r->stderr_text.data);
	ck_assert_msg(r->stderr_text.length > 0, "%s: status %d, no message",
	    what, r->status);
}

static const struct shortage shortages[] = {
	{ RLIMIT_NOFILE, 3 },
	{ RLIMIT_NOFILE, 4 },
	{ RLIMIT_NOFILE, 5 },
	{ RLIMIT_NOFILE, 6 },
	{ RLIMIT_NOFILE, 7 },
	{ RLIMIT_NOFILE, 8 },
	{ RLIMIT_NOFILE, 9 },
	{ RLIMIT_NOFILE, 10 },
	{ RLIMIT_NOFILE, 11 },
	{ RLIMIT_NOFILE, 12 },
	{ RLIMIT_NOFILE, 13 },
	{ RLIMIT_NOFILE, 14 },
	{ RLIMIT_NOFILE, 16 },
	{ RLIMIT_NOFILE, 20 },
	{ RLIMIT_NOFILE, 24 },
	{ RLIMIT_AS, 3 * MIB },
	{ RLIMIT_AS, 4 * MIB },
	{ RLIMIT_AS, 6 * MIB },
	{ RLIMIT_AS, 9 * MIB },
	{ RLIMIT_AS, 16 * MIB },
	{ RLIMIT_NPROC, 1 },
	{ RLIMIT_NPROC, 2 },
	{ RLIMIT_NPROC, 3 },
	{ RLIMIT_NPROC, 4 },
	{ RLIMIT_NPROC, 5 },
	{ RLIMIT_NPROC, 6 },
	{ RLIMIT_NPROC, 8 },
};

static void
run_early(const struct arena *a, const struct shortage *s, const char *mode)
{
	enum ending ending;
	char what[128];
	struct support_limit limits[] = {
		{ (int)s->resource, s->value },
		{ -1, 0 },
	};
	struct support_run r;
	const char *argv[] = { support_grouper(), "run", "--contain",
		a->contain, "--shutdown", STEPS, "--", arena_program("hostile"),
		"-m", support_token(), mode, NULL, NULL };
	struct support_command c = {
		.argv = argv,
		.group = SUPPORT_OWN_GROUP,
		.limits = limits,
		.uid = a->as_user ? support_user() : 0,
	};

	arena_without_leak_check();
	for (int i = 0; i < N_ENDINGS; i++) {
		ending = (enum ending)i;
		snprintf(what, sizeof(what), "%llu %s, %s, %s, %s",
		    (unsigned long long)s->value, resource_name(s), a->name,
		    mode, ending_names[ending]);
		argv[11] = ending == LEAVE ? "leave" : "stay";
		arena_enter(a);
		support_start(&r, &c);
		if (support_stdout_comes(&r, "ready\n"))
			end_group(&r, ending, what);
		else
			assert_refused(&r, what);
		support_finish(&r);
		arena_leave(a);
	}
}

START_TEST(shortage_leaves_nothing)
{
	const struct shortage *s = &shortages[_i];
	const char *why;
	bool as_user;

	if (is_impossible(s, &why))
		SUPPORT_SKIP("%s", why);
	as_user = support_can_switch_user(&why);
	run_early(&arenas[as_user ? REAPER_AS_USER : 0], s, "few");
	run_early(&arenas[as_user ? REAPER_AS_USER : 0], s, "tree");
}
END_TEST

/* At the other levels around what they need to begin. */
static const struct shortage level_shortages[] = {
	{ RLIMIT_NOFILE, 8 },
	{ RLIMIT_NOFILE, 11 },
	{ RLIMIT_NOFILE, 12 },
	{ RLIMIT_NOFILE, 16 },
	{ RLIMIT_NOFILE, 18 },
	{ RLIMIT_NOFILE, 24 },
	{ RLIMIT_AS, 3 * MIB },
};
static const int levels[] = { CGROUP, PIDNS };

START_TEST(shortage_at_other_levels_leaves_nothing)
{
	const struct arena *a = &arenas[levels[_i / N_OF(level_shortages)]];
	const struct shortage *s;
	const char *why;

	s = &level_shortages[_i % N_OF(level_shortages)];
	if (is_impossible(s, &why) || !arena_available(a, &why))
		SUPPORT_SKIP("%s", why);
	run_early(a, s, "few");
}
END_TEST

/* The limit of descriptors that lets a process open so many more. */
static rlim_t
descriptors_for(pid_t pid, rlim_t more)
{
	struct dirent *entry;
	rlim_t open = 0, fd, limit = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	ck_assert_msg(dir != NULL, "%s: %s", path, strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		open++;
		fd = (rlim_t)atoi(entry->d_name);
		limit = fd >= limit ? fd + 1 : limit;
	}
	closedir(dir);
	/* At least the highest that is open: poll(2) refuses more. */
	return open + more > limit ? open + more : limit;
}

static struct rlimit
limit_for(const struct shortage *s, pid_t pid)
{
	rlim_t value = s->value;

	if (s->resource == RLIMIT_NOFILE && value > 0)
		value = descriptors_for(pid, value);
	return (struct rlimit) { value, value };
}

/*
 * When everything is up, by limits set on host and leader from outside: as the
 * user who runs them, which needs no privilege, not even as root of a container
 * that was left without.  Of descriptors the value says how many are left.
 */
static void
starve(const struct shortage *s, uid_t uid, pid_t host, pid_t leader)
{
	struct rlimit of_host = limit_for(s, host);
	struct rlimit of_leader = limit_for(s, leader);
	siginfo_t si;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (setgroups(0, NULL) == -1 ||
		    setresgid(uid, uid, uid) == -1 ||
		    setresuid(uid, uid, uid) == -1)
			_exit(1);
		if (prlimit(host, s->resource, &of_host, NULL) == -1 ||
		    prlimit(leader, s->resource, &of_leader, NULL) == -1)
			_exit(2);
		_exit(0);
	}
	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED), 0);
	ck_assert_msg(si.si_status == 0, "cannot limit another process: %d",
	    si.si_status);
}

/*
 * Root has no limit of processes: every mode as an ordinary user, and the two
 * that are hardest to see at the other levels.
 */
static const struct late {
	int arena;
	const char *mode;
} lates[] = {
	{ REAPER_AS_USER, "double-fork" },
	{ REAPER_AS_USER, "ignore" },
	{ REAPER_AS_USER, "tree" },
	{ REAPER_AS_USER, "comets" },
	{ CGROUP, "double-fork" },
	{ CGROUP, "comets" },
	{ PIDNS, "double-fork" },
	{ PIDNS, "comets" },
};
#define N_LATE_AS_USER 4

/* Returns the leader; 0 if the test is to be skipped. */
static pid_t
start_starved(struct support_run *r, const struct shortage *s,
    const struct late *late)
{
	const struct arena *a = &arenas[late->arena];
	pid_t leader;
	const char *why;

	if (is_impossible(s, &why) || !arena_available(a, &why)) {
		support_skip("%s", why);
		return 0;
	}
	arena_without_leak_check();
	arena_enter(a);
	arena_start(r, a, (const char *const[]) { "--shutdown", STEPS, NULL },
	    (const char *const[]) { arena_program("hostile"), "-m",
		support_token(), late->mode, "stay", NULL });
	leader = arena_leader(r);
	starve(s, a->as_user ? support_user() : 0, r->pid, leader);
	return leader;
}

static void
run_late(const struct shortage *s, const struct late *late)
{
	const struct arena *a = &arenas[late->arena];
	struct support_run r;
	char what[128];

	for (int ending = STOP; ending < N_ENDINGS; ending++) {
		if (start_starved(&r, s, late) == 0)
			return;
		snprintf(what, sizeof(what), "short of %s, %s, %s, %s",
		    resource_name(s), a->name, late->mode,
		    ending_names[ending]);
		end_group(&r, (enum ending)ending, what);
		support_finish(&r);
		arena_leave(a);
	}
}

START_TEST(shortage_of_memory_during_the_sweep_leaves_nothing)
{
	const struct shortage s = { RLIMIT_AS, MIB };

	run_late(&s, &lates[_i]);
}
END_TEST

START_TEST(shortage_of_processes_during_the_sweep_leaves_nothing)
{
	const struct shortage s = { RLIMIT_NPROC, 1 };

	run_late(&s, &lates[_i]);
}
END_TEST

/* Two are enough to see our own children, three to see those below them. */
START_TEST(shortage_of_descriptors_during_the_sweep_leaves_nothing)
{
	const struct shortage s = { RLIMIT_NOFILE, 2 + _i / N_OF(lates) };

	run_late(&s, &lates[_i % N_OF(lates)]);
}
END_TEST

/*
 * Without a single descriptor /proc cannot be read.  Then it may be true that
 * processes are left, but not that grouper calls the group empty.  Where they
 * are gone before it watches its signals, it has failed itself.
 */
START_TEST(without_descriptors_no_group_is_called_empty)
{
	const struct shortage s = { RLIMIT_NOFILE, 0 };
	const struct late *late = &lates[_i];
	struct support_run r;
	pid_t leader;
	bool empty;

	for (int ending = STOP; ending <= KILL_LEADER; ending++) {
		leader = start_starved(&r, &s, late);
		if (leader == 0)
			return;
		/* A leader that has failed already needs no signal. */
		if (ending == STOP)
			support_signal(&r, SIGTERM);
		else
			kill(leader, SIGKILL);
		support_wait(&r);
		empty = support_is_empty(NULL);
		ck_assert_msg(empty || r.status == UNKILLABLE ||
			r.status == FAILED,
		    "%s, %s, %s: status %d, but something lives: %s",
		    arenas[late->arena].name, late->mode, ending_names[ending],
		    r.status, r.stderr_text.data);
		ck_assert(support_sweep(NULL));
		support_finish(&r);
		arena_leave(&arenas[late->arena]);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shortage");
	TCase *tc;

	tc = support_case(s, "from the start");
	tcase_add_loop_test(tc, shortage_leaves_nothing, 0, N_OF(shortages));
	tcase_add_loop_test(tc, shortage_at_other_levels_leaves_nothing, 0,
	    N_OF(levels) * N_OF(level_shortages));

	tc = support_case(s, "during the sweep");
	tcase_add_loop_test(tc,
	    shortage_of_memory_during_the_sweep_leaves_nothing, 0, N_OF(lates));
	tcase_add_loop_test(tc,
	    shortage_of_processes_during_the_sweep_leaves_nothing, 0,
	    N_LATE_AS_USER);
	tcase_add_loop_test(tc,
	    shortage_of_descriptors_during_the_sweep_leaves_nothing, 0,
	    2 * N_OF(lates));
	tcase_add_loop_test(tc, without_descriptors_no_group_is_called_empty, 0,
	    N_OF(lates));
	return support_main(s, NULL);
}
