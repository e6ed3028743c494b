/* SPDX-License-Identifier: ISC */
/*
 * What the supervision machine costs as its tree grows: ten times the children
 * must cost about ten times as much.  No clock is asked: the machine is
 * compiled so that each step of its code, about a branch, is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "puppet.h"
#include "support.h"

/* For ten times as many: the logarithm of a tree's depth, and no more. */
#define TENFOLD 15
#define FIVEFOLD 8

static unsigned long steps;

/* What the compiler calls, by its name. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
void __sanitizer_cov_trace_pc(void);

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
void
__sanitizer_cov_trace_pc(void)
{
	steps++;
}

/* Executes all that it wants, at once. */
static void
act(struct machine *machine)
{
	struct machine_action action;

	while (machine_next(machine, &action)) {
		uint64_t run = action.run;

		if (action.type == MACHINE_START) {
			machine_started(machine, 1, run);
		} else if (action.type == MACHINE_STOP) {
			machine_ended(machine, 1, run, 15);
			machine_empty(machine, 1, run);
		}
	}
}

static struct machine *
boot(struct spec_tree *tree)
{
	struct machine *machine = machine_new(tree, 1);

	ck_assert_ptr_nonnull(machine);
	spec_free(tree);
	machine_boot(machine, 1);
	act(machine);
	return machine;
}

static void
finish(struct machine *machine)
{
	machine_verify(machine);
	machine_shutdown(machine, 1, false);
	act(machine);
	ck_assert(machine_over(machine));
	machine_free(machine);
}

/* The children "c0", "c1" ... of a supervisor that allows all restarts. */
static struct spec_tree *
tree_of(const char *strategy, unsigned int children)
{
	struct spec_tree *tree;
	size_t length;
	unsigned int i;
	FILE *stream;
	char *text;

	stream = open_memstream(&text, &length);
	ck_assert_ptr_nonnull(stream);
	fprintf(stream, "%s 1000000/1000", strategy);
	for (i = 0; i < children; i++)
		fprintf(stream, " c%u", i);
	fclose(stream);
	tree = puppet_tree(text);
	free(text);
	return tree;
}

/* All end, and only then are told to be empty; the runs are 2, 3 ... */
static void
mass_exit(struct machine *machine, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		ck_assert(machine_ended(machine, 1, i + 2, EXITED(1)));
	for (i = 0; i < n; i++)
		ck_assert(machine_empty(machine, 1, i + 2));
	act(machine);
}

static void
instances(const char *word, unsigned int n)
{
	struct machine *machine;
	char text[64];

	snprintf(text, sizeof(text), "one 1000000/1000 w%s*%u", word, n);
	machine = boot(puppet_tree(text));
	mass_exit(machine, n);
	finish(machine);
}

static void
permanent_instances(unsigned int n)
{
	instances("", n);
}

static void
temporary_instances(unsigned int n)
{
	instances(":x", n);
}

static void
dynamic_children(unsigned int n, const char *policy)
{
	struct machine *machine = boot(puppet_tree("a"));
	struct spec_tree *tree;
	char text[64], *why;
	unsigned int i;

	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "n%u%s", i, policy);
		tree = puppet_tree(text);
		ck_assert_int_eq(machine_spawn(machine, 1, "",
				     &tree->root.children[0], &why),
		    GROUPER_OK);
		spec_free(tree);
		act(machine);
	}
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "n%u", i);
		ck_assert_int_eq(machine_stop(machine, 1, text), GROUPER_OK);
		act(machine);
	}
	finish(machine);
}

static void
dynamic_permanent(unsigned int n)
{
	dynamic_children(n, "");
}

static void
dynamic_temporary(unsigned int n)
{
	dynamic_children(n, ":x");
}

static void
scaled(unsigned int n)
{
	struct machine *machine = boot(puppet_tree("a w*2 z"));

	ck_assert_int_eq(machine_scale(machine, 1, "w", n), GROUPER_OK);
	act(machine);
	ck_assert_int_eq(machine_scale(machine, 1, "w", 1), GROUPER_OK);
	act(machine);
	finish(machine);
}

static void
listed(const char *strategy, unsigned int n)
{
	struct machine *machine = boot(tree_of(strategy, n));

	mass_exit(machine, n);
	finish(machine);
}

static void
listed_one_for_one(unsigned int n)
{
	listed("one", n);
}

static void
listed_one_for_all(unsigned int n)
{
	listed("all", n);
}

static void
listed_rest_for_one(unsigned int n)
{
	listed("rest", n);
}

static void
reloaded(unsigned int n)
{
	struct machine *machine = boot(tree_of("one", n));
	struct spec_tree *tree = tree_of("one", n);
	char *why;

	ck_assert_int_eq(machine_reload(machine, 1, tree, &why), GROUPER_OK);
	act(machine);
	spec_free(tree);
	tree = tree_of("one", 1);
	ck_assert_int_eq(machine_reload(machine, 1, tree, &why), GROUPER_OK);
	act(machine);
	spec_free(tree);
	finish(machine);
}

static unsigned long
cost(void (*life)(unsigned int n), unsigned int n)
{
	steps = 0;
	life(n);
	if (steps > 0)
		ck_assert_uint_gt(steps, n);
	return steps;
}

static bool
can_count(void)
{
	return cost(scaled, 10) > 0;
}

static void (*const lives[])(unsigned int n) = { permanent_instances,
	temporary_instances, dynamic_permanent, dynamic_temporary, scaled,
	listed_one_for_one, listed_one_for_all, listed_rest_for_one, reloaded };
#define AT_LENGTH 4 /* so many of them with 100,000 children */
#define N_LIVES ((int)(sizeof(lives) / sizeof(lives[0])))

/*
 * scale_start_stop_many_children,
 * simple_one_for_one_scale_many_temporary_children
 */
START_TEST(ten_times_the_children_cost_about_ten_times)
{
	unsigned int n = support_scale() > 1 ? 300 : 1000;
	unsigned long small, large;

	if (!can_count())
		SUPPORT_SKIP("the compiler does not count steps");
	small = cost(lives[_i], n);
	large = cost(lives[_i], 10 * n);
	ck_assert_msg(large <= TENFOLD * small, "%lu steps, not %lu", large,
	    small);
	/* Slow runs have seen enough. */
	if (support_scale() > 1 || _i >= AT_LENGTH)
		return;
	small = large;
	large = cost(lives[_i], 100 * n - 10);
	ck_assert_msg(large <= TENFOLD * small, "%lu steps, not %lu", large,
	    small);
}
END_TEST

/* scale_mass_exit_children */
START_TEST(ends_of_all_at_once_cost_about_as_many)
{
	static const unsigned int sizes[] = { 1000, 5000 };
	unsigned long costs[2];
	struct machine *machine;
	size_t i;

	if (!can_count())
		SUPPORT_SKIP("the compiler does not count steps");
	for (i = 0; i < 2; i++) {
		machine = boot(tree_of("one", sizes[i]));
		steps = 0;
		mass_exit(machine, sizes[i]);
		costs[i] = steps;
		finish(machine);
	}
	ck_assert_uint_le(costs[1], FIVEFOLD * costs[0]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine_cost");
	TCase *tc;

	tc = support_case(suite, "cost");
	tcase_add_loop_test(tc, ten_times_the_children_cost_about_ten_times, 0,
	    N_LIVES);
	tcase_add_test(tc, ends_of_all_at_once_cost_about_as_many);
	return support_main(suite, NULL);
}
