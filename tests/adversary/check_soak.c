/* SPDX-License-Identifier: ISC */
/*
 * A tree of 200 groups for a long time: members and leaders are killed,
 * members are stopped for a while, all at random; the tree file changes and is
 * read again, children are scaled, logs are flooded and rotated, clients come
 * and go, members talk and change what they are subscribed to.
 *
 * Now and then all is let come to rest.  Then every listener must have got
 * what account.h says is owed to it, and the host may not have grown over what
 * it was when it was warm, see soak_figures.c.  It is warm when it has dropped
 * events, so that all which it keeps by number is full, and after some rests.
 * At the end the host, told to stop, has to end with 0 and leave nothing; no
 * key may ever have been there twice.
 *
 * SOAK_SECONDS (60, after the warm-up) and SOAK_SEED choose; a failure names
 * the seed, which chooses the targets and the moments anew.  Into the file
 * SOAK_SAMPLES, if set, go the figures of every few seconds.  For make
 * check-soak.
 */

#include "account.h"
#include "chance.h"
#include "kills_tree.h"
#include "soak_figures.h"
#include "soak_guests.h"
#include "soak_tree.h"
#include "talk_tree.h"

#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/tree.h"

#define SECONDS 60
#define WARM_PHASE 10000 /* ms */
#define WARM_RESTS 6	 /* at least */
#define WARM_MOST 60	 /* rests, on a machine that is slow */
#define LONGEST_PHASE 60000
#define SAMPLE_EACH 5000 /* ms */
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
	FILE *samples; /* NULL: none */
	long long begin;
	long long sample_at;
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
sample(struct soak *soak)
{
	struct soak_figures figures;

	if (soak->samples == NULL || support_now() < soak->sample_at)
		return;
	soak->sample_at = support_now() + SAMPLE_EACH;
	soak_measure(soak->host.pid, &figures);
	soak_print_sample(soak->samples, (support_now() - soak->begin) / 1000,
	    &figures);
}

static void
rage(struct soak *soak, long long ms)
{
	long long end = support_now() + ms;

	while (support_now() < end) {
		strike(soak);
		sample(soak);
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
	const struct soak_figures *before; /* NULL: it is not warm yet */
	struct soak_figures now;
};

/*
 * Clients' descriptors, and leaders that end, take a moment.  What a client
 * asked for before it was killed may be heard only now: to scale, too.
 */
static bool
is_at_rest(void *arg)
{
	struct rest *rest = arg;

	soak_measure(rest->soak->host.pid, &rest->now);
	if (rest->now.value[SOAK_LEADERS] != SOAK_GROUPS) {
		is_scaled(NULL);
		return false;
	}
	return rest->before == NULL || soak_is_flat(&rest->now, rest->before);
}

/* Lets it come to rest, and measures; before: what it may not have outgrown. */
static struct soak_figures
rest(struct soak *soak, const char *title, const struct soak_figures *before)
{
	struct rest r = { soak, before, { { 0 } } };
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
	/* With the witness a new account begins. */
	tree_expect(0, ARGV("stop", "--host", SOAK_HOST, "talk"));
	ck_assert_msg(account_check(support_directory(), &soak->sum),
	    "SOAK_SEED=%llu: %s", (unsigned long long)seed, soak->sum.wrong);
	account_remove(support_directory());
	atomic_store(&soak->board->paused, 0);
	for (int i = 0; i < TALK_PUBLISHERS; i++)
		atomic_store(&soak->board->idle[i], 0);
	tree_expect(0, ARGV("start", "--host", SOAK_HOST, "talk"));
	return r.now;
}

/* Whether the host has dropped the first event: it keeps so many. */
static bool
has_full_ring(void)
{
	char *out;
	bool full;

	ck_assert_int_eq(tree_ask(&out,
			     ARGV("events", "--json", "--no-follow", "--since",
				 "1", "--host", SOAK_HOST)),
	    0);
	full = strncmp(out, "{\"type\":\"gap\"", 13) == 0;
	free(out);
	return full;
}

/* The most that it was at a rest. */
static struct soak_figures
warm_up(struct soak *soak)
{
	struct soak_figures most = { { 0 } }, now;
	bool full = false;
	int i;

	for (i = 0; i < WARM_RESTS || !full; i++) {
		ck_assert_msg(i < WARM_MOST, "no event was ever dropped");
		rage(soak, WARM_PHASE);
		full = has_full_ring();
		now = rest(soak, full ? "warming up" : "filling", NULL);
		soak_raise(&most, &now);
	}
	return most;
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

static FILE *
open_samples(void)
{
	const char *path = getenv("SOAK_SAMPLES");
	FILE *samples;

	if (path == NULL || path[0] == '\0')
		return NULL;
	samples = fopen(path, "we");
	ck_assert_msg(samples != NULL, "%s: %s", path, strerror(errno));
	soak_print_sample(samples, 0, NULL);
	return samples;
}

START_TEST(a_host_stays_as_it_was)
{
	long long seconds = (long long)chance_setting("SOAK_SECONDS", SECONDS);
	long long begin;
	long long phase = 1000 * seconds / PHASES;
	struct soak soak = { .random = seed, .begin = support_now() };
	struct soak_figures before;
	char title[32];

	printf("soak: SOAK_SEED=%llu, %lld s\n", (unsigned long long)seed,
	    seconds);
	soak_print(NULL, NULL);
	soak.samples = open_samples();
	start(&soak);
	before = warm_up(&soak);
	soak_print("most so far", &before);
	begin = support_now();
	while (support_now() < begin + 1000 * seconds) {
		rage(&soak, phase < LONGEST_PHASE ? phase : LONGEST_PHASE);
		snprintf(title, sizeof(title), "after %lld s",
		    (support_now() - begin) / 1000);
		rest(&soak, title, &before);
	}
	print_result(&soak);
	support_signal(&soak.host, SIGTERM);
	ck_assert_int_eq(support_wait(&soak.host), 0);
	support_assert_no_survivors();
	talk_expect_nothing_wrong();
	support_finish(&soak.host);
	talk_free_board(soak.board);
	if (soak.samples != NULL)
		fclose(soak.samples);
	/* Check aborts a test whose microseconds, of an hour, no int holds. */
	support_teardown();
	exit(EXIT_SUCCESS);
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
		WARM_MOST * WARM_PHASE / 1000.0 +
		4.0 * SUPPORT_PATIENCE / 1000);
	tcase_add_test(tc, a_host_stays_as_it_was);
	return support_main(s, NULL);
}
