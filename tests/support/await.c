/* SPDX-License-Identifier: ISC */
/*
 * Waiting for events to a deadline: by poll(2) where there is a descriptor,
 * else by asking again with growing pauses.
 */

#include "support.h"

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support_internal.h"

struct file_condition {
	const char *path;
	const char *text;
};

struct state_condition {
	pid_t pid;
	const char *states;
	char last;
};

long long
support_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

long long
support_deadline(int ms)
{
	return support_now() + (long long)ms * support_scale();
}

int
support_left(long long deadline)
{
	long long left = deadline - support_now();

	return left > 0 ? (int)left : 0;
}

int
support_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
support_until(bool (*condition)(void *), void *arg, int ms)
{
	long long deadline = support_deadline(ms);
	int pause_us = 200;

	while (!condition(arg)) {
		if (support_now() >= deadline)
			return false;
		usleep((useconds_t)pause_us);
		if (pause_us < 20000)
			pause_us += pause_us / 2;
	}
	return true;
}

char *
support_slurp(const char *path)
{
	struct support_text text;
	int fd;

	support_text_init(&text);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		support_text_fill(&text, fd);
		close(fd);
	}
	return text.data;
}

/* Not the pages of its program, which others may happen to share, or not. */
long
support_private_memory(pid_t pid)
{
	char path[64], *text, *line;
	long kilobytes = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	text = support_slurp(path);
	line = strstr(text, "\nPrivate_Dirty:");
	if (line != NULL)
		kilobytes = strtol(line + strlen("\nPrivate_Dirty:"), NULL, 10);
	free(text);
	return kilobytes;
}

static bool
file_is_there(void *arg)
{
	struct file_condition *c = arg;
	char *content;
	bool found;

	if (c->text == NULL)
		return access(c->path, F_OK) == 0;
	content = support_slurp(c->path);
	found = strstr(content, c->text) != NULL;
	free(content);
	return found;
}

void
support_await_file(const char *path, const char *text)
{
	struct file_condition c = { path, text };

	if (!support_until(file_is_there, &c, SUPPORT_PATIENCE))
		ck_abort_msg("%s: not there in time, or without \"%s\"", path,
		    text != NULL ? text : "");
}

void
support_await_gone(pid_t pid)
{
	struct pollfd pfd = { .events = POLLIN };
	long long deadline = support_deadline(SUPPORT_PATIENCE);
	int n;

	if ((pfd.fd = support_pidfd(pid)) == -1) {
		if (errno == ESRCH)
			return;
		ck_abort_msg("pidfd_open %d: %s", (int)pid, strerror(errno));
	}
	do {
		n = poll(&pfd, 1, support_left(deadline));
	} while (n == -1 && errno == EINTR);
	close(pfd.fd);
	if (n != 1)
		ck_abort_msg("pid %d did not end in time", (int)pid);
}

static bool
is_in_state(void *arg)
{
	struct state_condition *c = arg;
	struct support_process p;

	c->last = '-';
	if (support_process(c->pid, &p))
		c->last = p.state;
	return strchr(c->states, c->last) != NULL;
}

void
support_await_state(pid_t pid, const char *states)
{
	struct state_condition c = { pid, states, '?' };

	if (!support_until(is_in_state, &c, SUPPORT_PATIENCE))
		ck_abort_msg("pid %d is in state %c, not in %s", (int)pid,
		    c.last, states);
}

void
support_read_line(int fd, char *line, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	long long deadline = support_deadline(SUPPORT_PATIENCE);
	size_t length = 0;
	ssize_t n;
	char c;

	for (;;) {
		n = poll(&pfd, 1, support_left(deadline));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			ck_abort_msg("no line came in time");
		n = read(fd, &c, 1);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			ck_abort_msg("end of file before a whole line");
		if (c == '\n')
			break;
		if (length < size - 1)
			line[length++] = c;
	}
	line[length] = '\0';
}
