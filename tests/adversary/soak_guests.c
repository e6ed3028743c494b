/* SPDX-License-Identifier: ISC */
/*
 * Clients of a soaked host, see soak_guests.h.
 */

#include "soak_guests.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "soak_tree.h"
#include "tests/e2e/tree.h"

#define GUESTS 8 /* at a time */
#define WORDS 8

struct guest {
	struct support_run run;
	const char *verb; /* NULL: there is none */
	bool sure;	  /* has nothing to fail by */
};

/* What they ask; "KEY" is any key, "N" some number of instances. */
struct question {
	const char *words[WORDS]; /* behind the verb and the host */
	bool sure;
};

static const struct question questions[] = {
	{ { "status", "--json" }, true },
	{ { "status" }, true },
	{ { "ps" }, true },
	{ { "events", "--json" }, true },
	{ { "events", "--json", "--no-follow", "--since", "1" }, true },
	{ { "listen", "t:*" }, true },
	{ { "listen", "*" }, true },
	{ { "logs", "--follow", "pool/w" }, false },
	{ { "publish", "noise", "made", "by a guest" }, true },
	{ { "topics", "list" }, true },
	{ { "restart", "KEY" }, false },
	{ { "wait", "--empty", "KEY" }, false },
	{ { "scale", "N", "pool/w" }, false },
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static struct guest guests[GUESTS];
static unsigned int count;

static bool
has_ended(const struct guest *guest)
{
	struct pollfd pollfd = { guest->run.pidfd, POLLIN, 0 };

	return poll(&pollfd, 1, 0) == 1;
}

/* One that is killed was waiting; no other ends by a signal, or wonders. */
static void
leave(struct guest *guest)
{
	bool ended = has_ended(guest);
	int status;

	if (!ended)
		support_signal(&guest->run, SIGKILL);
	status = support_wait(&guest->run);
	if (ended ?
		status >= 125 || status == 2 || (guest->sure && status != 0) :
		status != 128 + SIGKILL && status >= 125)
		ck_abort_msg("%s: status %d: %.200s", guest->verb, status,
		    guest->run.stderr_text.data);
	support_finish(&guest->run);
	guest->verb = NULL;
}

void
soak_guest_comes(uint64_t *random)
{
	struct guest *guest = &guests[chance_below(random, GUESTS)];
	const struct question *question =
	    &questions[chance_below(random, QUESTIONS)];
	const char *argv[WORDS + 4] = { support_grouper(), question->words[0],
		"--host", SOAK_HOST };
	struct support_command command = { .argv = argv };
	char key[SOAK_KEY], n[16];
	bool frail;
	size_t i;

	if (guest->verb != NULL)
		leave(guest);
	soak_key(chance_below(random, soak_keys()), key, &frail);
	snprintf(n, sizeof(n), "%zu", chance_below(random, 2 * SOAK_POOL));
	for (i = 1; i < WORDS && question->words[i] != NULL; i++) {
		argv[i + 3] = question->words[i];
		if (strcmp(argv[i + 3], "KEY") == 0)
			argv[i + 3] = key;
		else if (strcmp(argv[i + 3], "N") == 0)
			argv[i + 3] = n;
	}
	support_start(&guest->run, &command);
	guest->verb = question->words[0];
	guest->sure = question->sure;
	count++;
}

void
soak_guests_go(void)
{
	for (size_t i = 0; i < GUESTS; i++)
		if (guests[i].verb != NULL)
			leave(&guests[i]);
}

unsigned int
soak_guests(void)
{
	return count;
}
