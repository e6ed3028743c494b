/* SPDX-License-Identifier: ISC */
/*
 * Order and loss from end to end: broadcasts by two members of a host reach
 * listeners that are killed, stopped and restarted at random, and that change
 * their subscriptions at random.  What is owed to each is in account.h: from
 * the first event or its mark on, every event that it is subscribed to at that
 * event's place in the host's order, in order and as it was sent, or counted
 * by an L frame exactly there.
 *
 * LOSS_BROADCASTS (20000) in all; LOSS_SEED chooses what talkers do and who is
 * hit; a failure names it.
 */

#include "account.h"
#include "chance.h"
#include "kills_tree.h"
#include "talk_tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/tree.h"

#define BROADCASTS 20000
/* All of them together: twice what a host keeps, and topics share them. */
#define BYTES (128ULL << 20)
#define LEAST_AVERAGE 160
#define LISTENERS 8
#define FRAIL 2		 /* of them, of a supervisor of their own */
#define SHORTEST_GAP 1.0 /* ms between two blows */
#define LONGEST_GAP 200.0
#define SHORTEST_STALL 1.0
#define LONGEST_STALL 3000.0
#define PER_SECOND 500 /* broadcasts, at the very least */

/* Whoever is stopped, and until when. */
struct stall {
	pid_t pid;
	long long end;
};

struct chaos {
	pid_t host;
	uint64_t random;
	struct stall stalls[LISTENERS];
	unsigned int kills;
	unsigned int leaders;
	unsigned int stops;
	unsigned int restarts;
};

static uint64_t seed;

static const char *
key_of(size_t listener)
{
	static char key[16];

	snprintf(key, sizeof(key), "%sl%zu", listener < FRAIL ? "frail/" : "",
	    listener);
	return key;
}

static void
write_tree(uint32_t broadcasts)
{
	struct talk_plan plan = { .broadcasts = broadcasts / TALK_PUBLISHERS,
		.average = (unsigned int)(BYTES / broadcasts),
		.seed = seed };
	FILE *tree = fopen(support_path("loss.yaml"), "we");
	char id[8];
	unsigned int i;

	ck_assert_ptr_nonnull(tree);
	if (plan.average < LEAST_AVERAGE)
		plan.average = LEAST_AVERAGE;
	fprintf(tree, "name: loss\nintensity: 1000000\nperiod: 1s\n");
	talk_write_groups(tree);
	fprintf(tree, "children:\n");
	talk_write_witness(tree, 2);
	fprintf(tree,
	    "  - id: frail\n    supervisor:\n      intensity: 1000000\n"
	    "      children:\n");
	for (i = 0; i < LISTENERS; i++) {
		snprintf(id, sizeof(id), "l%u", i);
		talk_write_listener(tree, i < FRAIL ? 8 : 2, id, i, seed);
	}
	talk_write_publishers(tree, 2, &plan);
	fclose(tree);
}

/*
 * Blows
 */

static void
go_on(struct stall *stall)
{
	if (stall->pid != 0)
		kills_hit(stall->pid, "talker", SIGCONT);
	stall->pid = 0;
}

static void
stop(struct chaos *chaos, size_t listener, pid_t pid)
{
	struct stall *stall = &chaos->stalls[listener];

	go_on(stall);
	if (!kills_hit(pid, "talker", SIGSTOP))
		return;
	stall->pid = pid;
	stall->end = support_now() +
	    (long long)chance_between(&chaos->random, SHORTEST_STALL,
		LONGEST_STALL);
	chaos->stops++;
}

/* A frail one's, whose supervisor fails by it and is restarted. */
static void
kill_leader(struct chaos *chaos, pid_t member)
{
	chaos->leaders += kills_hit(kills_leader(chaos->host, member, "talker"),
	    NULL, SIGKILL);
}

static void
strike(struct chaos *chaos)
{
	size_t listener = chance_below(&chaos->random, LISTENERS);
	size_t kind = chance_below(&chaos->random, 20);
	struct kills_record record;

	if (!kills_read(key_of(listener), &record))
		return;
	if (kind < 8)
		chaos->kills += kills_hit(record.pid, "talker", SIGKILL);
	else if (kind < 17)
		stop(chaos, listener, record.pid);
	else if (kind < 18 && listener < FRAIL)
		kill_leader(chaos, record.pid);
	else if (kind == 19)
		chaos->restarts += tree_ask(NULL,
				       ARGV("restart", "--host", "loss",
					   key_of(listener))) == 0;
}

static bool
have_published(struct talk_board *board, uint32_t each)
{
	for (int i = 0; i < TALK_PUBLISHERS; i++)
		if (atomic_load(&board->witnessed[i]) < each)
			return false;
	return true;
}

static void
rage(struct chaos *chaos, struct talk_board *board, uint32_t broadcasts)
{
	long long deadline = support_now() + SUPPORT_PATIENCE +
	    1000LL * support_scale() * broadcasts / PER_SECOND;
	double ms;

	while (!have_published(board, broadcasts / TALK_PUBLISHERS)) {
		talk_expect_nothing_wrong();
		ck_assert_msg(support_now() < deadline, "LOSS_SEED=%llu: slow",
		    (unsigned long long)seed);
		strike(chaos);
		ms = chance_between(&chaos->random, SHORTEST_GAP, LONGEST_GAP);
		usleep((useconds_t)(1000 * ms));
		for (size_t i = 0; i < LISTENERS; i++)
			if (chaos->stalls[i].end < support_now())
				go_on(&chaos->stalls[i]);
	}
	for (size_t i = 0; i < LISTENERS; i++)
		go_on(&chaos->stalls[i]);
}

static void
print_result(const struct account_sum *sum, const struct chaos *chaos,
    long long ms)
{
	printf("loss: LOSS_SEED=%llu\n  events published: %zu in %.1f s, heard "
	       "in all: %zu, lost: %zu in %zu gaps\n"
	       "  lives of listeners: %zu, killed: %u, by their leader: %u, "
	       "restarted: %u, stopped for a while: %u\n"
	       "  changes of subscriptions: %zu, events within them: %zu; "
	       "ended before their mark: %zu\n",
	    (unsigned long long)seed, sum->witnessed, (double)ms / 1e3,
	    sum->heard, sum->lost, sum->gaps, sum->lives, chaos->kills,
	    chaos->leaders, chaos->restarts, chaos->stops, sum->changes,
	    sum->unclear, sum->unmarked);
	fflush(stdout);
}

START_TEST(every_event_comes_in_order_or_is_counted)
{
	uint32_t broadcasts = (uint32_t)chance_setting("LOSS_BROADCASTS",
	    BROADCASTS);
	struct support_command command = { .argv = ARGV(support_grouper(),
					       "supervise",
					       support_path("loss.yaml")),
		.prepare = kills_open_log,
		.prepare_arg = (void *)(uintptr_t)support_path("log"),
		.output_inherit = false };
	struct chaos chaos = { .random = seed };
	struct account_sum sum = { .lives = 0 };
	struct talk_board *board = talk_make_board();
	struct support_run host;
	long long start;

	write_tree(broadcasts);
	support_start(&host, &command);
	chaos.host = host.pid;
	tree_await_ready_at("loss", "");
	start = support_now();
	rage(&chaos, board, broadcasts);
	start = support_now() - start;
	tree_await_ready_at("loss", "");
	talk_end("loss", LISTENERS);
	ck_assert_msg(account_check(support_directory(), &sum),
	    "LOSS_SEED=%llu: %s", (unsigned long long)seed, sum.wrong);
	print_result(&sum, &chaos, start);
	ck_assert_uint_eq(sum.whole, LISTENERS);
	support_signal(&host, SIGTERM);
	ck_assert_int_eq(support_wait(&host), 0);
	support_assert_no_survivors();
	talk_expect_nothing_wrong();
	support_finish(&host);
	talk_free_board(board);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("loss");
	TCase *tc = support_case(s, "loss");

	seed = chance_setting("LOSS_SEED", chance_seed());
	tcase_set_timeout(tc,
	    3.0 * SUPPORT_PATIENCE / 1000 +
		(double)chance_setting("LOSS_BROADCASTS", BROADCASTS) /
		    PER_SECOND);
	tcase_add_test(tc, every_event_comes_in_order_or_is_counted);
	return support_main(s, NULL);
}
