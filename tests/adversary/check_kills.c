/* SPDX-License-Identifier: ISC */
/*
 * Random kills in a tree of 50 groups under `grouper supervise`, with
 * supervisors of every strategy.  A round is as many lives of a host as fit
 * into its time.  In each life members, what they started and leaders are
 * killed at random moments, then the host is stopped, or killed, or loses a
 * leader of the root's, or meets the root's limit.  Then nothing may be left,
 * the status has to be the one of that fate, no key may ever have been there
 * twice, and where each restart has one cause they are counted.
 *
 * KILLS_SECONDS (5) for each of KILLS_ROUNDS (1), and KILLS_SEED, choose; a
 * failure names the seed, which chooses the targets and the moments anew.
 */

#include "arena.h"
#include "chance.h"
#include "kills_tree.h"

#include <sys/mman.h>

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/tree.h"

#define SECONDS 5
#define LEADER_DIED 120
#define SHORTEST_LIFE 30.0 /* ms */
#define LONGEST_LIFE 3000.0
#define SHORTEST_GAP 0.2 /* between two kills */
#define LONGEST_GAP 60.0
#define ROOT_LIMIT 3
#define LOG_TOLD 4000 /* bytes, after a failure */

enum fate { STOP, LOSE_LEADER, LOSE_HOST, REACH_LIMIT, N_FATES };
enum victim { MEMBER, HELPER, LEADER, N_VICTIMS };

static const char *const fate_names[N_FATES] = { "stopped", "lost a leader",
	"was killed", "reached its limit" };
static const char *const victim_names[N_VICTIMS] = { "members",
	"other processes", "leaders" };

struct life {
	int round;
	int number;
	enum fate fate;
	char token[64];
	struct support_run host;
	uint64_t random;
	bool booted;
};

struct tally {
	atomic_int lives[N_FATES];
	atomic_int kills[N_VICTIMS];
	atomic_int counted;
	atomic_int at_start; /* fates that came before the tree had started */
	atomic_int heirs;    /* hosts that had to wait for the last one's */
	atomic_int starts;
};

static struct tally *tally;
static uint64_t seed;
static char before[64]; /* token of a killed host's life, or "" */

static pid_t
leader_of(const struct life *life, pid_t member)
{
	return kills_leader(life->host.pid, member, "sole");
}

/*
 * Kills
 */

/* Of this host: its last one's may still be there. */
static bool
kill_member(const struct life *life, struct kills_group *group)
{
	struct kills_record record;

	if (!kills_read(group->key, &record) ||
	    record.starts == group->killed ||
	    leader_of(life, record.pid) == 0 ||
	    !kills_hit(record.pid, "sole", SIGKILL))
		return false;
	group->killed = record.starts;
	group->restarts++;
	atomic_fetch_add(&tally->kills[MEMBER], 1);
	return true;
}

static void
kill_helper(const struct kills_group *group)
{
	struct kills_record record;

	if (kills_read(group->key, &record) && record.helper != 0 &&
	    kills_hit(record.helper, "sole", SIGKILL))
		atomic_fetch_add(&tally->kills[HELPER], 1);
}

static bool
kill_leader(const struct life *life, const struct kills_group *group)
{
	struct kills_record record;

	if (!kills_read(group->key, &record) ||
	    !kills_hit(leader_of(life, record.pid), NULL, SIGKILL))
		return false;
	atomic_fetch_add(&tally->kills[LEADER], 1);
	return true;
}

static bool
has_ended(void *arg)
{
	const struct life *life = arg;
	struct pollfd pollfd = { life->host.pidfd, POLLIN, 0 };

	return poll(&pollfd, 1, 0) == 1;
}

static bool
has_booted(struct life *life)
{
	const struct kills_group *last = &kills_groups[KILLS_GROUPS - 1];
	struct kills_record record;

	if (!life->booted && kills_read(last->key, &record))
		life->booted = leader_of(life, record.pid) != 0;
	return life->booted;
}

/* A leader and then its host are a hole; and a limit must be one of members. */
static bool
may_lose_leaders(const struct life *life)
{
	return life->fate == STOP || life->fate == LOSE_LEADER;
}

/*
 * One kill that this life survives.  What starts for the first time must not
 * fail, so that until the tree has started nothing is killed whose supervisor
 * would fail by it, and leaders only where that is not the root.
 */
static void
strike(struct life *life)
{
	size_t at = chance_below(&life->random, KILLS_GROUPS);
	size_t kind = chance_below(&life->random, 20);
	struct kills_group *group = &kills_groups[at];
	bool booted = has_booted(life);

	if (kind < 3)
		kill_helper(group);
	else if (kind < 5 && booted && !group->part->counted &&
	    may_lose_leaders(life))
		kill_leader(life, group);
	else if (booted || group->part->intensity == KILLS_ENDLESS ||
	    (group->part->intensity == 0 && life->fate != REACH_LIMIT))
		kill_member(life, group);
}

static void
wait_ms(double ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1e3) };

	ts.tv_nsec = (long)((ms - 1e3 * (double)ts.tv_sec) * 1e6);
	nanosleep(&ts, NULL);
}

static void
strike_for(struct life *life, double ms)
{
	long long end = support_now() + (long long)ms;

	while (support_now() < end && !has_ended(life)) {
		wait_ms(chance_between(&life->random, SHORTEST_GAP,
		    LONGEST_GAP));
		strike(life);
	}
}

/*
 * The ends
 */

/* Whether each counted child below was restarted as often as it was killed. */
static bool
agrees(json_t *children)
{
	const struct kills_group *group;
	json_t *child;
	size_t i;

	json_array_foreach(children, i, child) {
		if (!agrees(json_object_get(child, "children")))
			return false;
		group = kills_find(json_string_value(json_object_get(child,
		    "key")));
		if (group == NULL || !group->part->counted)
			continue;
		if (strcmp(json_string_value(json_object_get(child, "state")),
			"running") != 0 ||
		    json_integer_value(json_object_get(child, "restarts")) !=
			(json_int_t)group->restarts)
			return false;
	}
	return true;
}

static bool
counts_agree(void *arg)
{
	json_t *status;
	char *out;
	bool agree;

	(void)arg;
	if (tree_ask(&out, ARGV("status", "--host", "kills", "--json")) != 0) {
		free(out);
		return false;
	}
	status = json_loads(out, 0, NULL);
	agree = agrees(json_object_get(status, "tree"));
	json_decref(status);
	free(out);
	return agree;
}

static void __attribute__((noreturn))
break_off(const struct life *life, const char *what)
{
	char *log = support_slurp(support_path("log"));
	size_t length = strlen(log);

	fprintf(stderr, "%s\n%s\n", what,
	    length > LOG_TOLD ? log + length - LOG_TOLD : log);
	ck_abort_msg(
	    "KILLS_SEED=%llu: round %d, life %d, whose host %s: %.200s",
	    (unsigned long long)seed, life->round, life->number,
	    fate_names[life->fate], what);
}

static void
count_restarts(struct life *life)
{
	char *out;

	tree_await_ready_at("kills", "");
	if (!support_until(counts_agree, NULL, SUPPORT_PATIENCE)) {
		tree_ask(&out, ARGV("status", "--host", "kills"));
		for (size_t i = 0; i < KILLS_GROUPS; i++)
			fprintf(stderr, "%s: %u\n", kills_groups[i].key,
			    kills_groups[i].restarts);
		break_off(life, out);
	}
	atomic_fetch_add(&tally->counted, 1);
}

/* Kills of a kind that ends the tree, until it ends. */
static void
strike_until_end(struct life *life)
{
	long long end = support_now() +
	    (long long)SUPPORT_PATIENCE * support_scale();

	while (!has_ended(life)) {
		if (support_now() > end)
			break_off(life, "it lives on");
		if (life->fate == REACH_LIMIT)
			kill_member(life, kills_groups);
		else
			kill_leader(life,
			    &kills_groups[chance_below(&life->random,
				KILLS_FIRST)]);
		wait_ms(1);
	}
}

/* Returns the status that the host has to have. */
static int
meet_fate(struct life *life)
{
	switch (life->fate) {
	case STOP:
		if (chance_below(&life->random, 2) == 0)
			count_restarts(life);
		support_signal(&life->host, SIGTERM);
		strike_for(life, 1000);
		return 0;
	case LOSE_HOST:
		support_signal(&life->host, SIGKILL);
		return 128 + SIGKILL;
	case LOSE_LEADER:
		strike_until_end(life);
		return LEADER_DIED;
	case REACH_LIMIT:
		strike_until_end(life);
		return 1;
	case N_FATES:
		break;
	}
	ck_abort();
}

static bool
is_gone(void *token)
{
	return support_survivors(token, NULL, 0) == 0;
}

/* Everything of a life that is over, this one or the one before. */
static void
check_gone(const struct life *life, const char *token, int patience)
{
	struct support_process list[16];
	size_t n;

	if (support_until(is_gone, (void *)(uintptr_t)token, patience))
		return;
	n = support_survivors(token, list, 16);
	support_print_processes("survivor", list, n < 16 ? n : 16);
	break_off(life, "there are survivors");
}

static void
check_alone(const struct life *life)
{
	char *text = support_slurp(support_path("twice"));

	if (text[0] != '\0')
		break_off(life, text);
	free(text);
}

/*
 * TERM came before the host could take it and had begun anything, at the
 * latest while it waited for the one before it.
 */
static bool
ended_unheard(const struct life *life, int status)
{
	static const char waits[] = "grouper supervise: waiting for the host ";
	char *log = support_slurp(support_path("log"));
	char *line = log;
	bool nothing;

	if (strncmp(log, waits, strlen(waits)) == 0)
		line += strcspn(log, "\n") + 1;
	nothing = *line == '\0';
	free(log);
	return life->fate == STOP && status == 128 + SIGTERM && nothing;
}

static void
live(struct life *life)
{
	char env[80];
	struct support_command c = {
		.argv = ARGV(support_grouper(), "supervise", "-v",
		    support_path(life->fate == REACH_LIMIT ? "tight.yaml" :
							     "free.yaml")),
		.env = (const char *const[]) { env, NULL },
		.prepare = kills_open_log,
		.prepare_arg = (void *)(uintptr_t)support_path("log"),
	};
	bool heir = before[0] != '\0';
	int wanted, status;

	snprintf(env, sizeof(env), "KILLS_LIFE=%s", life->token);
	for (size_t i = 0; i < KILLS_GROUPS; i++)
		kills_groups[i].restarts = 0;
	support_start(&life->host, &c);
	strike_for(life,
	    chance_between(&life->random, SHORTEST_LIFE, LONGEST_LIFE));
	if (!has_booted(life))
		atomic_fetch_add(&tally->at_start, 1);
	wanted = meet_fate(life);
	status = support_wait(&life->host);
	if (status != wanted && !ended_unheard(life, status)) {
		snprintf(env, sizeof(env), "status %d, not %d", status, wanted);
		break_off(life, env);
	}
	atomic_fetch_add(&tally->heirs, heir);
	atomic_fetch_add(&tally->lives[life->fate], 1);
	support_finish(&life->host);
}

START_TEST(no_kill_leaves_a_survivor_or_a_second_one)
{
	uint64_t random = seed + (uint64_t)_i;
	long long end = support_now() +
	    1000 * (long long)chance_setting("KILLS_SECONDS", SECONDS);
	struct life life = { .fate = STOP };

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	unsetenv("GROUPER_SOCKET");
	unsetenv("GROUPER_HOST");
	kills_make_groups();
	kills_write_tree("free.yaml", KILLS_ENDLESS, "1s");
	kills_write_tree("tight.yaml", ROOT_LIMIT, "1h");
	for (int number = 0; support_now() < end; number++) {
		life = (struct life) { .round = _i,
			.number = number,
			.random = chance_next(&random) };
		life.fate = (enum fate)chance_below(&life.random, N_FATES);
		snprintf(life.token, sizeof(life.token), "%s-%d-",
		    support_token(), number);
		live(&life);
		if (before[0] != '\0')
			check_gone(&life, before,
			    life.booted ? 0 : SUPPORT_PATIENCE);
		before[0] = '\0';
		/* The next may have to wait for what a killed one left. */
		if (life.fate == LOSE_HOST &&
		    chance_below(&life.random, 2) == 0)
			snprintf(before, sizeof(before), "%s", life.token);
		else
			check_gone(&life, life.token,
			    life.fate == LOSE_HOST ? SUPPORT_PATIENCE : 0);
		check_alone(&life);
	}
	support_await_no_survivors(SUPPORT_PATIENCE);
	check_alone(&life);
	for (size_t i = 0; i < KILLS_GROUPS; i++) {
		struct kills_record record;

		if (kills_read(kills_groups[i].key, &record))
			atomic_fetch_add(&tally->starts, (int)record.starts);
	}
}
END_TEST

static void
print_tally(void)
{
	printf("kills: KILLS_SEED=%llu\n  hosts that",
	    (unsigned long long)seed);
	for (int i = 0; i < N_FATES; i++)
		printf("%s %s: %d", i > 0 ? "," : "",
		    i == STOP ? "were stopped" : fate_names[i],
		    atomic_load(&tally->lives[i]));
	printf(
	    "\n  of them before all had started: %d, after one that left its "
	    "groups: %d\n  killed",
	    atomic_load(&tally->at_start), atomic_load(&tally->heirs));
	for (int i = 0; i < N_VICTIMS; i++)
		printf("%s %s: %d", i > 0 ? "," : "", victim_names[i],
		    atomic_load(&tally->kills[i]));
	printf("\n  members started: %d, trees whose restarts were counted: "
	       "%d\n",
	    atomic_load(&tally->starts), atomic_load(&tally->counted));
}

int
main(void)
{
	Suite *s = suite_create("kills");
	TCase *tc = support_case(s, "kills");
	double seconds = (double)chance_setting("KILLS_SECONDS", SECONDS);
	int status;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	seed = chance_setting("KILLS_SEED", chance_seed());
	tcase_set_timeout(tc, seconds + 4.0 * SUPPORT_PATIENCE / 1000);
	tcase_add_loop_test(tc, no_kill_leaves_a_survivor_or_a_second_one, 0,
	    (int)chance_setting("KILLS_ROUNDS", 1));
	status = support_main(s, NULL);
	print_tally();
	return status;
}
