/* SPDX-License-Identifier: ISC */
/*
 * Talkers in the tree of a test, see talk_tree.h.
 */

#include "talk_tree.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "account.h"
#include "arena.h"
#include "tests/e2e/tree.h"

#define HEARD_IN 2000 /* ms, before the end is published again */

struct talk_board *
talk_make_board(void)
{
	const char *path = support_path(TALK_BOARD);
	struct talk_board *board;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd == -1 || ftruncate(fd, sizeof(*board)) == -1)
		ck_abort_msg("%s", path);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	ck_assert_ptr_ne(board, MAP_FAILED);
	close(fd);
	return board;
}

void
talk_free_board(struct talk_board *board)
{
	munmap(board, sizeof(*board));
}

void
talk_write_groups(FILE *tree)
{
	unsigned int i;

	fprintf(tree, "topic_groups:\n");
	for (i = 0; i < TALK_TOPICS; i++)
		if (i % 2 == 0)
			fprintf(tree, "  g:%u: [t:%u]\n", i, i);
		else
			fprintf(tree, "  g:%u: [t:%u, t:%u]\n", i, i,
			    (i + 3) % TALK_TOPICS);
}

static void
write_talker(FILE *tree, int indent, const char *id, const char *role)
{
	fprintf(tree,
	    "%*s- id: %s\n%*sready: fd:3\n%*sshutdown: 'TERM 1s, KILL'\n"
	    "%*scommand: [%s, %s, %s",
	    indent, "", id, indent + 2, "", indent + 2, "", indent + 2, "",
	    arena_program("talker"), role, support_directory());
}

void
talk_write_witness(FILE *tree, int indent)
{
	write_talker(tree, indent, "witness", "witness");
	fprintf(tree, "]\n%*stopics: ['*']\n", indent + 2, "");
}

void
talk_write_listener(FILE *tree, int indent, const char *id, unsigned int number,
    unsigned long long seed)
{
	char patterns[64];

	switch (number % 4) {
	case 0:
		snprintf(patterns, sizeof(patterns), "end, t:%u",
		    number % TALK_TOPICS);
		break;
	case 1:
		snprintf(patterns, sizeof(patterns), "end, 't:*'");
		break;
	case 2:
		snprintf(patterns, sizeof(patterns), "end, t:%u, t:%u",
		    number % TALK_TOPICS, (number + 1) % TALK_TOPICS);
		break;
	default:
		snprintf(patterns, sizeof(patterns), "'*', end");
	}
	write_talker(tree, indent, id, "listen");
	fprintf(tree, ", '%llu', %s]\n%*stopics: [%s]\n", seed + number,
	    patterns, indent + 2, "", patterns);
}

void
talk_write_publishers(FILE *tree, int indent, const struct talk_plan *plan)
{
	char id[8];
	int i;

	for (i = 0; i < TALK_PUBLISHERS; i++) {
		snprintf(id, sizeof(id), "p%d", i);
		write_talker(tree, indent, id, "publish");
		fprintf(tree,
		    ", '%d', '%u', '%u', '%u', '%llu']\n"
		    "%*smessages: true\n%*srestart: transient\n",
		    i, plan->broadcasts, plan->average, plan->pause, plan->seed,
		    indent + 2, "", indent + 2, "");
	}
}

static bool
is_closed(void *listeners)
{
	return account_is_closed(support_directory(), *(size_t *)listeners);
}

void
talk_end(const char *host, size_t listeners)
{
	long long deadline = support_now() +
	    (long long)SUPPORT_PATIENCE * support_scale();

	do {
		talk_expect_nothing_wrong();
		if (support_now() > deadline)
			ck_abort_msg("not all have heard the end");
		tree_expect(0,
		    ARGV("publish", "--host", host, "end", "of", "all"));
	} while (!support_until(is_closed, &listeners, HEARD_IN));
}

void
talk_expect_nothing_wrong(void)
{
	char *text = support_slurp(support_path(TALK_WRONG));

	ck_assert_msg(text[0] == '\0', "%s", text);
	free(text);
	text = support_slurp(support_path("twice"));
	ck_assert_msg(text[0] == '\0', "%s", text);
	free(text);
}
