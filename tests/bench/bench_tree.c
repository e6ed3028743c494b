/* SPDX-License-Identifier: ISC */
/*
 * bench_tree: process trees to be stopped.
 *
 *	bench_tree DIR SHAPE COUNT
 *
 * Shapes that stand still, COUNT processes below this one, all with default
 * dispositions, so that each dies of its own TERM and takes none with it:
 *	flat		children of this process
 *	sessions	the same, each in a session of its own
 *	wide		a tree of ten children each
 *	deep		a chain
 * Shapes that move:
 *	forks		every process forks without end; COUNT is not used, the
 *			limit RLIMIT_NPROC sets is the size
 *	comets		COUNT (at most 64) children fork, exit, and their
 *			children likewise, each generation in a session of its
 *			own
 *
 * The file DIR/ready comes to be when the shape stands (forks: when the
 * first fork failed).  A moving shape ends by itself once the file DIR/end
 * exists or LIFETIME is over: a wrapper that cannot catch it must not leave
 * the machine with it.
 *
 * A comet is gone too soon to be seen in /proc.  Each has a counter, 64 bits,
 * in the file DIR/beats, which rises as long as it flies.
 */

#include <sys/types.h>
#include <sys/mman.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIFETIME 40   /* seconds */
#define MAX_COMETS 64 /* more starve whoever is to stop them */
#define FANOUT 10

static char ready_path[PATH_MAX], end_path[PATH_MAX], beats_path[PATH_MAX];
static time_t lifetime_end;
static int stands_fd = -1; /* one byte of each process that stands */

static time_t
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return (ts.tv_sec);
}

static void
mark_ready(void)
{
	int fd;

	fd = open(ready_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1)
		err(1, "%s", ready_path);
	close(fd);
}

static bool
must_end(void)
{
	return (access(end_path, F_OK) == 0 || now() >= lifetime_end);
}

static void
stand(void)
{
	if (write(stands_fd, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Forks and returns true in the child; a failure would change the shape. */
static bool
branch(void)
{
	pid_t pid;

	pid = fork();
	if (pid == -1)
		err(1, "fork");
	return (pid == 0);
}

static void
make_flat(unsigned long count, bool sessions)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (branch()) {
			if (sessions)
				setsid();
			stand();
		}
	}
}

/* Node n of a heap has the children n * FANOUT + 1 ... n * FANOUT + FANOUT. */
static void
make_wide(unsigned long count)
{
	unsigned long node = 0, child, last;

	for (;;) {
		last = node * FANOUT + FANOUT;
		for (child = node * FANOUT + 1; child <= last; child++) {
			if (child > count)
				break;
			if (branch())
				break;
		}
		if (child > last || child > count)
			break;
		node = child;
	}
	if (node > 0)
		stand();
}

static void
make_deep(unsigned long count)
{
	unsigned long depth = 0;

	while (depth < count && branch())
		depth++;
	if (depth > 0)
		stand();
}

static void
make_forks(void)
{
	bool marked = false;

	while (!must_end()) {
		if (fork() != -1)
			continue;
		if (!marked && errno == EAGAIN) {
			mark_ready();
			marked = true;
		}
	}
	_exit(0);
}

static volatile uint64_t *
map_beats(void)
{
	size_t size = MAX_COMETS * sizeof(uint64_t);
	void *beats;
	int fd;

	fd = open(beats_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || ftruncate(fd, (off_t)size) == -1)
		err(1, "%s", beats_path);
	beats = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (beats == MAP_FAILED)
		err(1, "%s", beats_path);
	close(fd);
	return (beats);
}

static void
fly(volatile uint64_t *beat)
{
	while (!must_end()) {
		setsid();
		(*beat)++;
		if (fork() > 0)
			_exit(0);
	}
	_exit(0);
}

static void
make_comets(unsigned long count)
{
	volatile uint64_t *beats = map_beats();
	unsigned long i;

	/* The first of each is a child of this process, and is not reaped. */
	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < count; i++) {
		if (branch())
			fly(&beats[i]);
	}
	mark_ready();
	while (!must_end())
		sleep(1);
	_exit(0);
}

static void
await_standing(int fd, unsigned long count)
{
	char buffer[256];
	ssize_t got;

	while (count > 0) {
		got = read(fd, buffer, sizeof(buffer));
		if (got <= 0)
			err(1, "a process of the tree is missing");
		count -= (unsigned long)got < count ? (unsigned long)got :
						      count;
	}
}

int
main(int argc, char **argv)
{
	unsigned long count;
	const char *shape;
	char *end;
	int fds[2];

	if (argc != 4)
		errx(2, "usage: bench_tree DIR SHAPE COUNT");
	snprintf(ready_path, sizeof(ready_path), "%s/ready", argv[1]);
	snprintf(end_path, sizeof(end_path), "%s/end", argv[1]);
	snprintf(beats_path, sizeof(beats_path), "%s/beats", argv[1]);
	shape = argv[2];
	errno = 0;
	count = strtoul(argv[3], &end, 10);
	if (errno != 0 || end == argv[3] || *end != '\0' || count > 100000)
		errx(2, "%s: expected a number up to 100000", argv[3]);
	lifetime_end = now() + LIFETIME;
	if (strcmp(shape, "forks") == 0)
		make_forks();
	if (strcmp(shape, "comets") == 0)
		make_comets(count < MAX_COMETS ? count : MAX_COMETS);
	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe2");
	stands_fd = fds[1];
	if (strcmp(shape, "flat") == 0 || strcmp(shape, "sessions") == 0)
		make_flat(count, *shape == 's');
	else if (strcmp(shape, "wide") == 0)
		make_wide(count);
	else if (strcmp(shape, "deep") == 0)
		make_deep(count);
	else
		errx(2, "%s: no such shape", shape);
	close(stands_fd);
	await_standing(fds[0], count);
	mark_ready();
	for (;;)
		pause();
}
