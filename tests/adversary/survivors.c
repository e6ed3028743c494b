/* SPDX-License-Identifier: ISC */
/*
 * For scripts: lists the living processes, wherever they are, that carry a
 * token in their arguments or environment, and prints their number last.  With
 * -k it kills them.  Those above the caller do not count.
 *
 *	survivors [-k] TOKEN
 */

#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LISTED 4096

static struct support_process list[MAX_LISTED];

/* The shells that called us may well have the token, from starting others. */
static bool
is_above_us(pid_t pid)
{
	struct support_process p;
	pid_t above = getppid();

	while (above > 1 && above != pid && support_process(above, &p))
		above = p.ppid;
	return above == pid;
}

int
main(int argc, char **argv)
{
	bool end = argc == 3 && strcmp(argv[1], "-k") == 0;
	size_t found, counted = 0;

	if (argc != (end ? 3 : 2) || argv[argc - 1][0] == '\0') {
		fprintf(stderr, "usage: survivors [-k] TOKEN\n");
		return 2;
	}
	found = support_survivors(argv[argc - 1], list, MAX_LISTED);
	for (size_t i = 0; i < found && i < MAX_LISTED; i++) {
		if (is_above_us(list[i].pid))
			continue;
		counted++;
		support_print_processes("survivor", &list[i], 1);
		if (end)
			kill(list[i].pid, SIGKILL);
	}
	printf("%zu\n", counted);
	return 0;
}
