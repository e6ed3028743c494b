/* SPDX-License-Identifier: ISC */
/*
 * bench_spawn: the wall time of several commands, interleaved.
 *
 *	bench_spawn [-n rounds] [-w warmup] [-S seed] -- cmd arg...
 *	    [';;' cmd arg...]...
 *
 * Each round runs every command once, in an order drawn anew, so that what
 * one leaves behind for the kernel to tidy up (a namespace, a cgroup) does
 * not always fall on the same neighbour.  A command is vfork'd and exec'd
 * by absolute path, waited for, and its wall time printed to stdout as one
 * line per round: nanoseconds, in the order of the command line, separated
 * by tabs.  Warm-up rounds are run and not printed.
 *
 * Exits with 0, with 2 after a usage error, or with 1 and a line on stderr
 * as soon as a command does not exit with 0: its time would mean nothing.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 64

static uint64_t random_state = UINT64_C(88172645463325252);

/* xorshift64: the order has to differ from round to round, no more. */
static uint64_t
random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state);
}

static void
shuffle(size_t *order, size_t count)
{
	size_t i, j, swap;

	for (i = count; i > 1; i--) {
		j = random_next() % i;
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

/*
 * Runs argv once and returns its wall time in nanoseconds.  vfork, because
 * the cost of copying this process is none of the command's.
 */
static int64_t
run_once(char **argv)
{
	int64_t begin, end;
	pid_t pid;
	int status;

	begin = now_ns();
	pid = vfork();
	if (pid == -1)
		err(1, "vfork");
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			err(1, "waitpid");
	}
	end = now_ns();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s: wait status 0x%x, not a plain exit 0", argv[0],
		    (unsigned int)status);
	return (end - begin);
}

/* Splits argv at ";;" in place and returns how many commands there are. */
static size_t
split_commands(char **argv, char **commands[MAX_COMMANDS])
{
	size_t count = 0;

	while (*argv != NULL) {
		if (count == MAX_COMMANDS)
			errx(2, "more than %d commands", MAX_COMMANDS);
		commands[count++] = argv;
		while (*argv != NULL && strcmp(*argv, ";;") != 0)
			argv++;
		if (argv == commands[count - 1])
			errx(2, "empty command");
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return (count);
}

static unsigned long
parse_count(const char *text, unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value > max)
		errx(2, "%s: expected a number up to %lu", text, max);
	return (value);
}

int
main(int argc, char **argv)
{
	char **commands[MAX_COMMANDS];
	size_t order[MAX_COMMANDS], count, i;
	int64_t elapsed[MAX_COMMANDS];
	unsigned long rounds = 500, warmup = 20, round;
	int opt;

	while ((opt = getopt(argc, argv, "+n:w:S:")) != -1) {
		switch (opt) {
		case 'n':
			rounds = parse_count(optarg, 1000000);
			break;
		case 'w':
			warmup = parse_count(optarg, 1000000);
			break;
		case 'S':
			random_state ^= parse_count(optarg, UINT32_MAX);
			break;
		default:
			return (2);
		}
	}
	count = split_commands(argv + optind, commands);
	if (count == 0)
		errx(2,
		    "usage: bench_spawn [-n rounds] [-w warmup] "
		    "[-S seed] -- cmd arg... [';;' cmd arg...]...");
	for (i = 0; i < count; i++)
		order[i] = i;
	for (round = 0; round < warmup + rounds; round++) {
		shuffle(order, count);
		for (i = 0; i < count; i++)
			elapsed[order[i]] = run_once(commands[order[i]]);
		if (round < warmup)
			continue;
		for (i = 0; i < count; i++)
			printf("%" PRId64 "%c", elapsed[i],
			    i + 1 == count ? '\n' : '\t');
	}
	if (fflush(stdout) == EOF || ferror(stdout))
		err(1, "stdout");
	return (0);
}
