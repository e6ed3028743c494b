/* SPDX-License-Identifier: ISC */
/*
 * A tree of 200 groups for a long time: members and leaders are killed,
 * members are stopped for a while, all at random; the tree file changes and is
 * read again, children are scaled, logs are flooded and rotated, clients come
 * and go, members talk and change what they are subscribed to.
 *
 * Now and then all is let come to rest.  Then every listener must have got
 * what account.h says is owed to it, and the host may not have grown over what
 * it was after the first such time, see soak_figures.c.  At the end the host,
 * told to stop, has to end with 0 and leave nothing; no key may ever have been
 * there twice.
 *
 * SOAK_SECONDS (60) and SOAK_SEED choose; a failure names the seed, which
 * chooses the targets and the moments anew.  For make check-soak.
 */

#include "account.h"
#include "chance.h"
#include "kills_tree.h"
#include "soak_figures.h"
#include "soak_guests.h"
#include "soak_tree.h"
#include "talk_tree.h"

#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/e2e/tree.h"

#define SECONDS 60
#define FIRST_PHASE 5000 /* ms: the warm-up, which has all that follows */
#define LONGEST_PHASE 60000
#define PHASES 6	 /* at least */
#define SHORTEST_GAP 2.0 /* ms between two blows */
#define LONGEST_GAP 100.0
#define SHORTEST_STALL 1.0
#define LONGEST_STALL 2000.0
#define STALLS 8

/* Whoever is stopped, and until when. */
struct stall {
	pid_t pid;
	const char *name;
	long long end;
};

struct soak {
	uint64_t random;
	struct support_run host;
	struct talk_board *board;
	struct stall stalls[STALLS];
	struct account_sum sum;
	unsigned int kills;
	unsigned int leaders;
	unsigned int stops;
	unsigned int reloads;
};

static uint64_t seed;

/*
 * Blows
 */

static void
go_on(struct stall *stall)
{
	if (stall->pid != 0)
		kills_hit(stall->pid, stall->name, SIGCONT);
	stall->pid = 0;
}

static void
stop(struct soak *soak, pid_t pid, const char *name)
{
	struct stall *stall =
	    &soak->stalls[chance_below(&soak->random, STALLS)];

	go_on(stall);
	if (!kills_hit(pid, name, SIGSTOP))
		return;
	*stall = (struct stall) { pid, name,
		support_now() +
		    (long long)chance_between(&soak->random, SHORTEST_STALL,
			LONGEST_STALL) };
	soak->stops++;
}

static void
hit(struct soak *soak, size_t kind)
{
	struct kills_record record;
	char key[SOAK_KEY];
	const char *name;
	bool frail;

	name = soak_key(chance_below(&soak->random, soak_keys()), key, &frail);
	if (!kills_read(key, &record))
		return;
	if (kind < 16)
		soak->kills += kills_hit(record.pid, name, SIGKILL);
	else if (kind < 26)
		stop(soak, record.pid, name);
	else if (frail)
		soak->leaders += kills_hit(kills_leader(soak->host.pid,
					       record.pid, name),
		    NULL, SIGKILL);
}

static void
strike(struct soak *soak)
{
	size_t kind = chance_below(&soak->random, 40);

	if (kind < 28) {
		hit(soak, kind);
	} else if (kind < 39) {
		soak_guest_comes(&soak->random);
	} else {
		soak_write_tree((unsigned int)chance_below(&soak->random, 100),
		    seed);
		tree_expect(0, ARGV("reload", "--host", SOAK_HOST));
		soak->reloads++;
	}
}

static void
rage(struct soak *soak, long long ms)
{
	long long end = support_now() + ms;

	while (support_now() < end) {
		strike(soak);
		usleep((useconds_t)(1000 *
		    chance_between(&soak->random, SHORTEST_GAP, LONGEST_GAP)));
		for (size_t i = 0; i < STALLS; i++)
			if (soak->stalls[i].end < support_now())
				go_on(&soak->stalls[i]);
	}
	for (size_t i = 0; i < STALLS; i++)
		go_on(&soak->stalls[i]);
	soak_guests_go();
}

/*
 * Rests
 */

static bool
is_scaled(void *unused)
{
	char number[16];

	(void)unused;
	snprintf(number, sizeof(number), "%d", SOAK_POOL);
	return tree_ask(NULL,
		   ARGV("scale", "--timeout", "10s", "--host", SOAK_HOST,
		       number, "pool/w")) == 0;
}

static bool
are_idle(void *arg)
{
	struct talk_board *board = arg;

	for (int i = 0; i < TALK_PUBLISHERS; i++)
		if (!atomic_load(&board->idle[i]) ||
		    atomic_load(&board->witnessed[i]) !=
			atomic_load(&board->published[i]))
			return false;
	return true;
}

struct rest {
	struct soak *soak;
	const struct soak_figures *before; /* NULL: this is the first one */
	struct soak_figures now;
};

/* Clients' descriptors, and leaders that end, take a moment. */
static bool
is_at_rest(void *arg)
{
	struct rest *rest = arg;

	soak_measure(rest->soak->host.pid, &rest->now);
	return rest->now.value[SOAK_LEADERS] == SOAK_GROUPS &&
	    (rest->before == NULL || soak_is_flat(&rest->now, rest->before));
}

static void
rest(struct soak *soak, const char *title, struct soak_figures *before,
    bool first)
{
	struct rest r = { soak, first ? NULL : before, { { 0 } } };
	bool flat;

	atomic_store(&soak->board->paused, 1);
	ck_assert_msg(support_until(is_scaled, NULL, SUPPORT_PATIENCE),
	    "SOAK_SEED=%llu: pool/w cannot be scaled",
	    (unsigned long long)seed);
	tree_await_ready_at(SOAK_HOST, "");
	ck_assert_msg(support_until(are_idle, soak->board, SUPPORT_PATIENCE),
	    "SOAK_SEED=%llu: publishers do not come to rest",
	    (unsigned long long)seed);
	talk_end(SOAK_HOST, SOAK_LISTENERS);
	flat = support_until(is_at_rest, &r, SUPPORT_PATIENCE);
	soak_print(title, &r.now);
	ck_assert_msg(flat, "SOAK_SEED=%llu: the host has grown",
	    (unsigned long long)seed);
	if (first)
		*before = r.now;
	/* With the witness a new account begins. */
	tree_expect(0, ARGV("stop", "--host", SOAK_HOST, "talk"));
	ck_assert_msg(account_check(support_directory(), &soak->sum),
	    "SOAK_SEED=%llu: %s", (unsigned long long)seed, soak->sum.wrong);
	account_remove(support_directory());
	atomic_store(&soak->board->paused, 0);
	for (int i = 0; i < TALK_PUBLISHERS; i++)
		atomic_store(&soak->board->idle[i], 0);
	tree_expect(0, ARGV("start", "--host", SOAK_HOST, "talk"));
}

static void
print_result(const struct soak *soak)
{
	printf("  killed members: %u, leaders: %u; stopped for a while: %u, "
	       "reloads: %u, clients: %u\n"
	       "  events published: %zu, heard in all: %zu, lost: %zu in %zu "
	       "gaps; lives of listeners: %zu, changes: %zu\n",
	    soak->kills, soak->leaders, soak->stops, soak->reloads,
	    soak_guests(), soak->sum.witnessed, soak->sum.heard, soak->sum.lost,
	    soak->sum.gaps, soak->sum.lives, soak->sum.changes);
}

static void
start(struct soak *soak)
{
	struct support_command command = { .argv = ARGV(support_grouper(),
					       "supervise",
					       support_path("soak.yaml")),
		.prepare = kills_open_log,
		.prepare_arg = (void *)(uintptr_t)support_path("log") };

	unsetenv("GROUPER_SOCKET");
	unsetenv("GROUPER_HOST");
	ck_assert_int_eq(mkdir(support_path("logs"), 0755), 0);
	soak->board = talk_make_board();
	soak_write_tree(0, seed);
	support_start(&soak->host, &command);
	tree_await_ready_at(SOAK_HOST, "");
}

START_TEST(a_host_stays_as_it_was)
{
	long long seconds = (long long)chance_setting("SOAK_SECONDS", SECONDS);
	long long begin;
	long long phase = 1000 * seconds / PHASES;
	struct soak soak = { .random = seed };
	struct soak_figures before;
	char title[32];

	printf("soak: SOAK_SEED=%llu, %lld s\n", (unsigned long long)seed,
	    seconds);
	soak_print(NULL, NULL);
	start(&soak);
	rage(&soak, FIRST_PHASE);
	rest(&soak, "after warm-up", &before, true);
	begin = support_now();
	while (support_now() < begin + 1000 * seconds) {
		rage(&soak, phase < LONGEST_PHASE ? phase : LONGEST_PHASE);
		snprintf(title, sizeof(title), "after %lld s",
		    (support_now() - begin) / 1000);
		rest(&soak, title, &before, false);
	}
	print_result(&soak);
	support_signal(&soak.host, SIGTERM);
	ck_assert_int_eq(support_wait(&soak.host), 0);
	support_assert_no_survivors();
	talk_expect_nothing_wrong();
	support_finish(&soak.host);
	talk_free_board(soak.board);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("soak");
	TCase *tc = support_case(s, "soak");

	seed = chance_setting("SOAK_SEED", chance_seed());
	tcase_set_timeout(tc,
	    2.0 * (double)chance_setting("SOAK_SECONDS", SECONDS) +
		4.0 * SUPPORT_PATIENCE / 1000);
	tcase_add_test(tc, a_host_stays_as_it_was);
	return support_main(s, NULL);
}
