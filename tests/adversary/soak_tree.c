/* SPDX-License-Identifier: ISC */
/*
 * The tree that is soaked, see soak_tree.h.
 */

#include "soak_tree.h"

#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "talk_tree.h"

/* Supervisors of members that are alone, with few or deaf, see sole. */
struct part {
	const char *key;
	const char *strategy;
	char letter;
	unsigned int children;
	unsigned int intensity; /* in 1 s */
};

#define ENDLESS 1000000
#define MORE 3 /* children that a reload changes */

/* What stands below another one comes right behind it. */
static const struct part parts[] = {
	{ "", "one_for_one", 'r', 10, ENDLESS },
	{ "one", "one_for_one", 'a', 40, ENDLESS },
	{ "all", "one_for_all", 'b', 12, ENDLESS },
	{ "all/deep", "rest_for_one", 'd', 8, 3 },
	{ "all/deep/deeper", "one_for_all", 'e', 6, 2 },
	{ "rest", "rest_for_one", 'c', 20, ENDLESS },
	{ "tight", "one_for_all", 't', 6, 2 },
	{ "many", "one_for_one", 'm', 36, ENDLESS },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

/*
 * With pool, listeners, floods, witness, publishers and one of "more".
 */
_Static_assert(10 + 40 + 12 + 8 + 6 + 20 + 6 + 36 + SOAK_POOL + SOAK_LISTENERS +
	    SOAK_FLOODS + 1 + TALK_PUBLISHERS + MORE ==
	SOAK_GROUPS,
    "the tree has other groups");

static void
write_sole(FILE *tree, int indent, const char *id, unsigned int number,
    const char *more)
{
	static const char *const modes[] = { "alone", "few", "deaf" };

	fprintf(tree,
	    "%*s- {id: %s, command: [%s, %s, %s], %s%s"
	    "shutdown: 'TERM 30ms, KILL', log: discard}\n",
	    indent, "", id, arena_program("sole"), support_directory(),
	    modes[number % 3], number % 2 == 0 ? "ready: fd:3, " : "", more);
}

static void
write_supervisor(FILE *tree, int indent, const char *id, const char *strategy,
    unsigned int intensity)
{
	fprintf(tree,
	    "%*s- id: %s\n%*ssupervisor:\n%*sstrategy: %s\n%*sintensity: %u\n"
	    "%*speriod: 1s\n%*schildren:\n",
	    indent, "", id, indent + 2, "", indent + 4, "", strategy,
	    indent + 4, "", intensity, indent + 4, "", indent + 4, "");
}

static int
depth_of(const char *key)
{
	int depth = key[0] != '\0';

	for (; *key != '\0'; key++)
		depth += *key == '/';
	return depth;
}

static void
write_part(FILE *tree, const struct part *part)
{
	int indent = 2 + 6 * depth_of(part->key);
	const char *slash = strrchr(part->key, '/');
	unsigned int i;
	char id[16];

	if (part->key[0] != '\0')
		write_supervisor(tree, indent - 6,
		    slash != NULL ? slash + 1 : part->key, part->strategy,
		    part->intensity);
	for (i = 0; i < part->children; i++) {
		snprintf(id, sizeof(id), "%c%u", part->letter, i);
		write_sole(tree, indent, id, i, "");
	}
}

static void
write_floods(FILE *tree)
{
	unsigned int i;

	write_supervisor(tree, 2, "flood", "one_for_one", ENDLESS);
	for (i = 0; i < SOAK_FLOODS; i++)
		fprintf(tree,
		    "        - id: f%u\n"
		    "          shell: 'while :; do yes a line of text | "
		    "head -n 20000; sleep 0.5; done'\n"
		    "          shutdown: 'TERM 30ms, KILL'\n"
		    "          log: {file: '%s/logs/f%u', max_size: 100K, "
		    "keep: %d}\n",
		    i, support_directory(), i, SOAK_KEPT);
}

static void
write_talk(FILE *tree, unsigned long long seed)
{
	const struct talk_plan plan = { .average = 300,
		.pause = 2000,
		.seed = seed };
	unsigned int i;
	char id[16];

	write_supervisor(tree, 2, "talk", "one_for_one", ENDLESS);
	talk_write_witness(tree, 8);
	write_supervisor(tree, 8, "hear", "one_for_one", ENDLESS);
	for (i = 0; i < SOAK_LISTENERS; i++) {
		snprintf(id, sizeof(id), "l%u", i);
		talk_write_listener(tree, 14, id, i, seed);
	}
	talk_write_publishers(tree, 8, &plan);
}

static void
write_more(FILE *tree, unsigned int variant)
{
	char id[16], more[64];
	unsigned int i;

	write_supervisor(tree, 2, "more", "one_for_one", ENDLESS);
	for (i = 0; i < MORE; i++) {
		/* The first is always there, another by each variant. */
		snprintf(id, sizeof(id), "x%u", i == 0 ? 0 : variant % 5 + i);
		snprintf(more, sizeof(more), "env: {VARIANT: '%u'}, ", variant);
		write_sole(tree, 8, id, i, more);
	}
}

void
soak_write_tree(unsigned int variant, unsigned long long seed)
{
	FILE *tree = fopen(support_path("soak.yaml"), "we");
	char more[32];
	size_t i;

	ck_assert_ptr_nonnull(tree);
	fprintf(tree, "name: " SOAK_HOST "\nintensity: %d\nperiod: 1s\n",
	    ENDLESS);
	talk_write_groups(tree);
	fprintf(tree, "children:\n");
	for (i = 0; i < PARTS; i++)
		write_part(tree, &parts[i]);
	write_supervisor(tree, 2, "pool", "one_for_one", ENDLESS);
	snprintf(more, sizeof(more), "instances: %d, ", SOAK_POOL);
	write_sole(tree, 8, "w", 1, more);
	write_more(tree, variant);
	write_floods(tree);
	write_talk(tree, seed);
	fclose(tree);
}

size_t
soak_keys(void)
{
	size_t n = SOAK_POOL + SOAK_LISTENERS;

	for (size_t i = 0; i < PARTS; i++)
		n += parts[i].children;
	return n;
}

const char *
soak_key(size_t number, char key[SOAK_KEY], bool *frail)
{
	const struct part *part;

	for (part = parts; part < parts + PARTS; part++) {
		if (number < part->children) {
			snprintf(key, SOAK_KEY, "%s%s%c%zu", part->key,
			    part->key[0] != '\0' ? "/" : "", part->letter,
			    number);
			*frail = part != parts;
			return "sole";
		}
		number -= part->children;
	}
	*frail = true;
	if (number < SOAK_POOL) {
		snprintf(key, SOAK_KEY, "pool/w:%zu", number + 1);
		return "sole";
	}
	snprintf(key, SOAK_KEY, "talk/hear/l%zu", number - SOAK_POOL);
	return "talker";
}
