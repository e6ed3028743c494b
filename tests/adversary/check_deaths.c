/* SPDX-License-Identifier: ISC */
/*
 * The death matrix: in each round one `grouper run` is started, and at a random
 * moment its host, its leader, its member, or, with pidns, host and leader
 * together are killed.  The moments are spread logarithmically from before the
 * leader's first instruction until after its last.  Survivors are counted by
 * the token that everything of the round carries.
 *
 * DEATH_ROUNDS (100) and DEATH_SEED choose; a failure names the round, so that
 * DEATH_ROUND=n with the same seed repeats its choices.  What the rounds met is
 * told at the end: a matrix whose kills all come late proves little, so that
 * one of ALL_MOMENTS rounds or more fails if a moment was not met.
 */

#include "arena.h"
#include "chance.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 100
#define ALL_MOMENTS 1000
#define STEPS "TERM 20ms, KILL"
#define SHORTEST 1e-6 /* seconds from the start to the kill */
#define LONGEST 1e-1
#define LEADER_DIED 120
#define CANNOT_START 125
#define CHILDREN 16

enum victim { HOST, LEADER, MEMBER, HOST_AND_LEADER, N_VICTIMS };
enum moment { NO_LEADER, NO_MEMBER, NOT_READY, READY, ENDED, N_MOMENTS };

static const char *const victim_names[N_VICTIMS] = { "host", "leader", "member",
	"host and leader" };
static const char *const moment_names[N_MOMENTS] = { "before the leader",
	"before the member", "before it was ready", "while it ran",
	"after the end" };

/* What the commands of the rounds are; each ends with 7 or stays. */
static const char *const modes[] = { "few", "double-fork", "ignore", "thirteen",
	"siblings", "execs" };
#define N_MODES (sizeof(modes) / sizeof(modes[0]))

/* Everything that is left to chance in a round. */
struct plan {
	const struct arena *arena;
	const char *mode;
	bool leave;
	enum victim victim;
	bool from_leader; /* the delay counts from it */
	double delay;	  /* seconds */
};

struct tally {
	atomic_int hits[N_VICTIMS][N_MOMENTS];
	atomic_int rounds;
};

static struct tally *tally;
static uint64_t seed;
static const struct arena *usable[ARENAS];
static size_t n_usable;

static void
make_plan(struct plan *p, int round)
{
	/* One state a round, so that each can be repeated alone. */
	uint64_t state = seed ^ (uint64_t)round << 32;

	p->arena = usable[chance_below(&state, n_usable)];
	p->mode = modes[chance_below(&state, N_MODES)];
	p->leave = chance_below(&state, 3) == 0;
	p->victim = (enum victim)chance_below(&state, N_VICTIMS);
	/* Together they are a hole that only the kernel closes. */
	if (p->victim == HOST_AND_LEADER &&
	    strcmp(p->arena->contain, "pidns") != 0)
		p->victim = LEADER;
	p->from_leader = chance_below(&state, 2) == 0;
	p->delay = chance_between(&state, SHORTEST, LONGEST);
}

static double
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * Children by the kernel's list, without the cost of a walk through /proc;
 * -1 if the process is gone.
 */
static int
list_children(pid_t parent, pid_t *list)
{
	char path[64], text[256], *p = text, *end;
	int count = 0, fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent,
	    (int)parent);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	while (count < CHILDREN) {
		list[count] = (pid_t)strtol(p, &end, 10);
		if (end == p)
			break;
		p = end;
		count++;
	}
	return count;
}

/* A zombie is still there, and ended all the same. */
static bool
has_ended(pid_t pid)
{
	struct support_process p;

	return !support_process(pid, &p) || !support_alive(&p);
}

/* Spins until the process has a child; 0 if it ended without. */
static pid_t
first_child(pid_t parent)
{
	pid_t list[CHILDREN];
	unsigned int turns = 0;
	int n;

	for (;;) {
		n = list_children(parent, list);
		if (n > 0)
			return list[0];
		if (n == -1 || (++turns % 64 == 0 && has_ended(parent)))
			return 0;
	}
}

static void
spin_until(double when)
{
	while (clock_now() < when)
		continue;
}

static pid_t
only_child(pid_t parent)
{
	pid_t list[CHILDREN];

	return parent > 0 && list_children(parent, list) > 0 ? list[0] : 0;
}

/* What a kill met, as far as it was seen before it. */
struct strike {
	pid_t leader; /* 0: not there yet, or no more */
	pid_t member;
};

/*
 * Kills at the moment that the plan says, or, if there is no victim yet, as
 * soon as there is one.
 */
static struct strike
strike(const struct plan *p, pid_t host, double started)
{
	struct strike s = { 0, 0 };

	if (p->from_leader && first_child(host) != 0)
		started = clock_now();
	spin_until(started + p->delay);
	switch (p->victim) {
	case LEADER:
		if ((s.leader = first_child(host)) != 0)
			kill(s.leader, SIGKILL);
		break;
	case HOST_AND_LEADER:
		if ((s.leader = first_child(host)) != 0)
			kill(s.leader, SIGKILL);
		kill(host, SIGKILL);
		break;
	case MEMBER:
		if ((s.leader = first_child(host)) != 0 &&
		    (s.member = first_child(s.leader)) != 0)
			kill(s.member, SIGKILL);
		return s;
	case HOST:
	case N_VICTIMS:
		s.leader = only_child(host);
		s.member = only_child(s.leader);
		kill(host, SIGKILL);
		return s;
	}
	s.member = only_child(s.leader);
	return s;
}

static void
count(const struct plan *p, const struct strike *s, bool met,
    const struct support_run *r)
{
	enum moment moment;

	if (!met)
		moment = ENDED;
	else if (s->leader == 0)
		moment = NO_LEADER;
	else if (strstr(r->stdout_text.data, "ready") != NULL)
		moment = READY;
	else
		moment = s->member == 0 ? NO_MEMBER : NOT_READY;
	atomic_fetch_add(&tally->hits[p->victim][moment], 1);
	atomic_fetch_add(&tally->rounds, 1);
}

/* Is the status one that this death may have? */
static bool
status_is_right(const struct plan *p, const struct support_run *r, bool *met)
{
	bool by_itself = p->leave && r->status == 7;

	*met = !by_itself;
	if (by_itself)
		return true;
	switch (p->victim) {
	case HOST:
		return r->signal == SIGKILL;
	case HOST_AND_LEADER:
		/* The host may have been quicker than our second kill. */
		return r->signal == SIGKILL || r->status == LEADER_DIED;
	case LEADER:
		return r->signal == 0 && r->status == LEADER_DIED;
	case MEMBER:
		/* Killed before its exec, it was never started. */
		return r->signal == 0 &&
		    (r->status == 128 + SIGKILL ||
			(r->status == CANNOT_START &&
			    r->stdout_text.length == 0));
	case N_VICTIMS:
		break;
	}
	return false;
}

START_TEST(no_death_leaves_a_survivor)
{
	struct support_process list[16];
	struct support_run r;
	struct strike s;
	struct plan p = { 0 };
	bool alone, met, right;
	size_t survivors;
	char hostile[512];
	struct support_command c = {
		.argv = (const char *const[]) { support_grouper(), "run",
		    "--contain", "", "--shutdown", STEPS, "--", hostile, "-m",
		    support_token(), "", "", NULL },
		.group = SUPPORT_OWN_GROUP,
	};
	const char **argv = (const char **)(uintptr_t)c.argv;

	make_plan(&p, _i);
	snprintf(hostile, sizeof(hostile), "%s", arena_program("hostile"));
	argv[3] = p.arena->contain;
	argv[10] = p.mode;
	argv[11] = p.leave ? "leave" : "stay";
	if (p.arena->as_user)
		c.uid = support_user();
	arena_enter(p.arena);
	support_start(&r, &c);
	s = strike(&p, r.pid, clock_now());
	support_wait(&r);
	/* A killed host leaves its leader or the kernel to finish. */
	if (p.victim == HOST || p.victim == HOST_AND_LEADER)
		support_until(support_is_empty, NULL, SUPPORT_PATIENCE);
	alone = support_reap();
	survivors = support_survivors(support_token(), list, 16);
	support_print_processes("survivor", list,
	    survivors < 16 ? survivors : 16);
	right = status_is_right(&p, &r, &met);
	count(&p, &s, met, &r);
	ck_assert_msg(alone && survivors == 0 && right,
	    "DEATH_SEED=%llu DEATH_ROUND=%d:"
	    " %s, %s %s, %s killed %g s after the %s: %zu survivors%s, "
	    "status %d: %s",
	    (unsigned long long)seed, _i, p.arena->name, p.mode, argv[11],
	    victim_names[p.victim], p.delay, p.from_leader ? "leader" : "exec",
	    survivors, alone ? "" : " in a list", r.status, r.stderr_text.data);
	support_finish(&r);
	arena_leave(p.arena);
}
END_TEST

static void
print_tally(void)
{
	printf("deaths: DEATH_SEED=%llu, %d rounds\n%16s",
	    (unsigned long long)seed, atomic_load(&tally->rounds), "");
	for (int m = 0; m < N_MOMENTS; m++)
		printf("  %s", moment_names[m]);
	printf("\n");
	for (int v = 0; v < N_VICTIMS; v++) {
		printf("%16s", victim_names[v]);
		for (int m = 0; m < N_MOMENTS; m++)
			printf("  %*d", (int)strlen(moment_names[m]),
			    atomic_load(&tally->hits[v][m]));
		printf("\n");
	}
}

/*
 * By whichever victim: who is killed before the leader's first instruction can
 * be the host alone, and a member is there to be killed only late.
 */
static int
check_moments(void)
{
	int hits, missed = 0;

	for (int m = 0; m < N_MOMENTS; m++) {
		hits = 0;
		for (int v = 0; v < N_VICTIMS; v++)
			hits += atomic_load(&tally->hits[v][m]);
		if (hits > 0)
			continue;
		printf("deaths: no kill came %s\n", moment_names[m]);
		missed++;
	}
	return missed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(void)
{
	Suite *s = suite_create("deaths");
	TCase *tc = support_case(s, "deaths");
	const char *why;
	int first, rounds, status;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	seed = chance_setting("DEATH_SEED", chance_seed());
	rounds = (int)chance_setting("DEATH_ROUNDS", ROUNDS);
	first = (int)chance_setting("DEATH_ROUND", 0);
	if (getenv("DEATH_ROUND") != NULL)
		rounds = first + 1;
	for (int i = 0; i < ARENAS; i++) {
		if (arena_available(&arenas[i], &why))
			usable[n_usable++] = &arenas[i];
		else
			printf("deaths: without %s: %s\n", arenas[i].name, why);
	}
	tcase_add_loop_test(tc, no_death_leaves_a_survivor, first, rounds);
	status = support_main(s, NULL);
	print_tally();
	if (status == EXIT_SUCCESS && rounds - first >= ALL_MOMENTS)
		status = check_moments();
	return status;
}
