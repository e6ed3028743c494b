/* SPDX-License-Identifier: ISC */
/*
 * What is read of /proc, from files in its place: a process and one thread of
 * it.  A name may hold anything, and numbers are found where they are.
 *
 * Input: stat of the process, stat of the thread, children of the thread, a
 * NUL between two.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "tests/fuzz/fuzz.h"

#define PID 77
#define PIDS_MAX 16

static struct os_proc proc = { .dir = -1, .self = -1 };
static int stat_fd, thread_fd, children_fd;

static int
make(const char *path)
{
	int fd = openat(proc.dir, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd != -1);
	return fd;
}

static void
open_files(void)
{
	if (proc.dir != -1)
		return;
	proc.dir = open(fuzz_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(proc.dir != -1);
	FUZZ_CHECK(mkdirat(proc.dir, "77", 0700) == 0 &&
	    mkdirat(proc.dir, "77/task", 0700) == 0 &&
	    mkdirat(proc.dir, "77/task/78", 0700) == 0);
	stat_fd = make("77/stat");
	thread_fd = make("77/task/78/stat");
	children_fd = make("77/task/78/children");
	proc.self = children_fd;
}

/* What comes up to the next NUL becomes the file. */
static const char *
fill(int fd, const char *text, const char *end)
{
	size_t length = strlen(text);

	FUZZ_CHECK(ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, text, length, 0) == (ssize_t)length);
	return text + length < end ? text + length + 1 : end;
}

/* How many pids there are; SIZE_MAX where no kernel would write so. */
static size_t
count_numbers(const char *text)
{
	size_t n = 0, digits;

	while (*text != '\0') {
		digits = strspn(text, "0123456789");
		if (digits > 9 || (digits > 1 && *text == '0'))
			return SIZE_MAX;
		if (digits > 0 && *text != '0' && text[digits] != '\0')
			n++;
		text += digits + (text[digits] != '\0');
	}
	return n;
}

/* Plain numbers are those that sscanf(3) finds, too. */
static void
check_stat(const struct os_stat *stat, const char *text)
{
	const char *close = strrchr(text, ')'), *rest;
	int ppid, pgid, sid, tty;

	FUZZ_CHECK(strlen(stat->name) < sizeof(stat->name));
	FUZZ_CHECK(close != NULL && stat->state == close[2]);
	rest = close + 3;
	if (stat->state == ' ' || *rest != ' ' ||
	    strspn(rest, "0123456789 ") != strlen(rest) ||
	    count_numbers(rest) == SIZE_MAX ||
	    sscanf(rest, "%d %d %d %d", &ppid, &pgid, &sid, &tty) != 4)
		return;
	FUZZ_CHECK(stat->ppid == ppid && stat->pgid == pgid &&
	    stat->sid == sid && stat->tty == tty);
}

static void
check_process(const char *text)
{
	struct os_stat stat;
	char liveliest;

	if (os_proc_stat(&proc, PID, -1, &stat) == -1) {
		FUZZ_CHECK(errno == ESRCH);
		return;
	}
	if (strlen(text) < 1000)
		check_stat(&stat, text);
	(void)os_stat_dead(&stat);
	stat.pid = PID;
	liveliest = os_proc_liveliest(&proc, &stat);
	if (stat.threads <= 1)
		FUZZ_CHECK(liveliest == stat.state);
}

static void
check_children(const char *text)
{
	size_t expected = count_numbers(text);
	pid_t pids[PIDS_MAX];
	ssize_t n, i;
	bool more;

	n = os_proc_children(&proc, PID, pids, PIDS_MAX, &more);
	FUZZ_CHECK(n >= 0 && n <= PIDS_MAX);
	for (i = 0; i < n; i++)
		FUZZ_CHECK(pids[i] > 0);
	if (expected == SIZE_MAX)
		return;
	FUZZ_CHECK((size_t)n ==
	    (expected < PIDS_MAX ? expected : (size_t)PIDS_MAX));
	FUZZ_CHECK(more == (expected > PIDS_MAX));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *end = text + size, *thread, *children;

	open_files();
	thread = fill(stat_fd, text, end);
	children = fill(thread_fd, thread, end);
	fill(children_fd, children, end);
	check_process(text);
	check_children(children);
	free(text);
	return 0;
}
