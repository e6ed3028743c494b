/* SPDX-License-Identifier: ISC */
/*
 * Copying between two terminals: see run_pty.h.
 *
 * Each direction has one buffer, which is read into only when it is empty, so
 * that a slow reader slows the writer down and nothing else.  What epoll(7)
 * does not watch, files and some devices, is always ready.
 */
#include "tools/run_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/util/fd.h"

#define BUFFER_BYTES 16384

/* In the background, how long to leave alone what is typed for others. */
#define BACKGROUND_MS 500

/* More than the kernel can hold of what was printed. */
#define DRAIN_BYTES ((size_t)256 * 1024)

struct copy {
	size_t start;
	size_t end;
	char bytes[BUFFER_BYTES];
};

struct pty {
	int master;
	int slave;
	int input;  /* -1 after its end */
	int output; /* -1 when nobody reads it any more */
	bool interactive;
	bool raw;
	bool typed_line; /* the last byte typed ended a line */
	struct termios outer;
	struct loop_fd *input_watch;  /* NULL where it is always ready */
	struct loop_fd *output_watch; /* the same */
	struct loop_fd *master_read;
	struct loop_fd *master_write;
	struct loop_timer *background;
	struct copy typed;
	struct copy printed;
	size_t drained;
	void (*on_gone)(int, void *);
	void (*on_drained)(void *); /* NULL unless draining */
	void *arg;
};

static void pump_typed(struct pty *pty);
static void pump_printed(struct pty *pty);

static bool
is_empty(const struct copy *copy)
{
	return copy->start == copy->end;
}

/*
 * Another description of the same terminal or pipe, so that it does not
 * block without that those who share ours come to see it.  Files are copied
 * with their position, sockets are told with each call.
 */
static int
reopen(int fd, int flags)
{
	char path[64];
	struct stat st;
	int fresh = -1;

	if (fstat(fd, &st) == -1)
		return -1;
	if (isatty(fd) || S_ISFIFO(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fresh = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	if (fresh == -1)
		fresh = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fresh;
}

static ssize_t
write_some(int fd, const char *bytes, size_t length)
{
	ssize_t n;

	do {
		n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == ENOTSOCK)
			n = write(fd, bytes, length);
	} while (n == -1 && errno == EINTR);
	return n;
}

static ssize_t
read_some(int fd, struct copy *copy)
{
	ssize_t n;

	do {
		n = read(fd, copy->bytes, sizeof(copy->bytes));
	} while (n == -1 && errno == EINTR);
	copy->start = 0;
	copy->end = n > 0 ? (size_t)n : 0;
	return n;
}

static void
switch_watch(struct loop_fd *watch, bool on)
{
	if (watch != NULL)
		loop_fd_set(watch, on);
}

/* The outer terminal is ours to read and to set. */
static bool
in_foreground(const struct pty *pty)
{
	pid_t pgrp = tcgetpgrp(pty->input);

	/* Where it is not our controlling terminal nobody contends for it. */
	return pgrp == -1 || pgrp == getpgrp();
}

static void
set_raw(struct pty *pty)
{
	struct termios mode;

	if (!pty->interactive || pty->raw || pty->input == -1 ||
	    !in_foreground(pty) || tcgetattr(pty->input, &pty->outer) == -1)
		return;
	mode = pty->outer;
	cfmakeraw(&mode);
	pty->raw = tcsetattr(pty->input, TCSANOW, &mode) == 0;
}

static void
restore(struct pty *pty)
{
	if (pty->raw)
		tcsetattr(pty->input, TCSANOW, &pty->outer);
	pty->raw = false;
}

void
pty_resize(struct pty *pty)
{
	struct winsize size;

	if (ioctl(pty->input, TIOCGWINSZ, &size) == 0 ||
	    ioctl(pty->output, TIOCGWINSZ, &size) == 0)
		ioctl(pty->master, TIOCSWINSZ, &size);
}

void
pty_suspend(struct pty *pty)
{
	restore(pty);
	switch_watch(pty->input_watch, false);
}

void
pty_resume(struct pty *pty)
{
	set_raw(pty);
	pty_resize(pty);
	pump_typed(pty);
}

/* The end of what is typed: as a user would have said it, twice within a
 * line, since the first only sends the line so far. */
static void
end_input(struct pty *pty)
{
	struct termios mode;
	bool say;

	restore(pty);
	loop_fd_free(pty->input_watch);
	pty->input_watch = NULL;
	say = !pty->interactive && tcgetattr(pty->slave, &mode) == 0 &&
	    (mode.c_lflag & ICANON) != 0 && mode.c_cc[VEOF] != _POSIX_VDISABLE;
	fd_close(&pty->input);
	if (!say)
		return;
	pty->typed.start = 0;
	pty->typed.end = pty->typed_line ? 1 : 2;
	memset(pty->typed.bytes, mode.c_cc[VEOF], pty->typed.end);
}

/* false: nothing to read now. */
static bool
read_typed(struct pty *pty)
{
	ssize_t n;

	if (pty->input == -1)
		return false;
	n = read_some(pty->input, &pty->typed);
	if (n > 0) {
		pty->typed_line = pty->typed.bytes[n - 1] == '\n';
		return true;
	}
	if (n == -1 && errno == EAGAIN)
		return false;
	/* From a terminal in whose background we have come meanwhile. */
	if (n == -1 && errno == EIO && !in_foreground(pty))
		return false;
	end_input(pty);
	return !is_empty(&pty->typed);
}

/* From the buffer to the command; false if it takes no more now. */
static bool
write_typed(struct pty *pty)
{
	struct copy *copy = &pty->typed;
	ssize_t n;

	while (!is_empty(copy)) {
		n = write(pty->master, copy->bytes + copy->start,
		    copy->end - copy->start);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		copy->start += (size_t)n;
	}
	return true;
}

static void
pump_typed(struct pty *pty)
{
	bool taken = write_typed(pty);

	/* Without a watch to come back by, as long as both sides go on. */
	while (taken && pty->input_watch == NULL && read_typed(pty))
		taken = write_typed(pty);
	switch_watch(pty->master_write, !taken);
	switch_watch(pty->input_watch, taken);
}

/*
 * In the background of a terminal, what is typed there is not for us.  A
 * shell may bring us to the foreground without a signal, so look again.
 */
static bool
is_for_us(struct pty *pty)
{
	if (!pty->interactive || (pty->raw && in_foreground(pty)))
		return true;
	pty->raw = false;
	set_raw(pty);
	if (pty->raw) {
		pty_resize(pty);
		return true;
	}
	switch_watch(pty->input_watch, false);
	loop_timer_set(pty->background, BACKGROUND_MS);
	return false;
}

static void
on_background(void *arg)
{
	pump_typed(arg);
}

static void
on_input(int fd, void *arg)
{
	struct pty *pty = arg;

	(void)fd;
	if (!is_for_us(pty))
		return;
	if (is_empty(&pty->typed))
		read_typed(pty);
	pump_typed(pty);
}

static void
on_master_writable(int fd, void *arg)
{
	(void)fd;
	pump_typed(arg);
}

/* Nothing can be written any more. */
static void
lose_output(struct pty *pty, int error)
{
	bool nobody = error == EPIPE || error == EIO || error == ECONNRESET;

	loop_fd_free(pty->output_watch);
	pty->output_watch = NULL;
	fd_close(&pty->output);
	pty->on_gone(nobody ? 0 : error, pty->arg);
}

/* From the buffer to standard output; false if it takes no more now. */
static bool
write_printed(struct pty *pty)
{
	struct copy *copy = &pty->printed;
	ssize_t n;

	while (!is_empty(copy) && pty->output != -1) {
		n = write_some(pty->output, copy->bytes + copy->start,
		    copy->end - copy->start);
		if (n == -1 && errno == EAGAIN)
			return false;
		if (n == -1) {
			lose_output(pty, errno);
			break;
		}
		copy->start += (size_t)n;
	}
	copy->start = copy->end = 0;
	return true;
}

static bool
read_printed(struct pty *pty)
{
	if (pty->drained >= DRAIN_BYTES ||
	    read_some(pty->master, &pty->printed) <= 0)
		return false;
	if (pty->on_drained != NULL)
		pty->drained += pty->printed.end;
	return true;
}

static void
pump_printed(struct pty *pty)
{
	bool taken = write_printed(pty);

	while (taken && pty->on_drained != NULL && read_printed(pty))
		taken = write_printed(pty);
	switch_watch(pty->output_watch, !taken);
	switch_watch(pty->master_read, taken && pty->on_drained == NULL);
	if (taken && pty->on_drained != NULL)
		pty->on_drained(pty->arg);
}

static void
on_master_readable(int fd, void *arg)
{
	struct pty *pty = arg;

	(void)fd;
	if (is_empty(&pty->printed))
		read_printed(pty);
	pump_printed(pty);
}

static void
on_output(int fd, void *arg)
{
	(void)fd;
	pump_printed(arg);
}

void
pty_drain(struct pty *pty, void (*fn)(void *))
{
	if (pty->on_drained != NULL)
		return;
	pty->on_drained = fn;
	pump_printed(pty);
}

/*
 * The slave's settings: those of the outer terminal, or no echo.  In the
 * background the outer one has what the shell edits its lines with: then the
 * slave keeps its own.
 */
static void
adopt_settings(struct pty *pty)
{
	struct termios mode;

	if (pty->interactive) {
		if (in_foreground(pty) && tcgetattr(pty->input, &mode) == 0)
			tcsetattr(pty->slave, TCSANOW, &mode);
	} else if (tcgetattr(pty->slave, &mode) == 0) {
		mode.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(pty->slave, TCSANOW, &mode);
	}
	pty_resize(pty);
}

static int
open_pair(struct pty *pty)
{
	char name[64];

	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (pty->master == -1 || grantpt(pty->master) == -1 ||
	    unlockpt(pty->master) == -1 ||
	    ptsname_r(pty->master, name, sizeof(name)) != 0)
		return -1;
	pty->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return pty->slave == -1 ? -1 : 0;
}

static int
open_all(struct pty *pty, struct loop *loop, int input)
{
	pty->input = reopen(input, O_RDONLY);
	pty->output = reopen(STDOUT_FILENO, O_WRONLY);
	if (pty->input == -1 || pty->output == -1 || open_pair(pty) == -1)
		return -1;
	pty->interactive = isatty(pty->input);
	pty->master_read = loop_fd_new(loop, pty->master, LOOP_READ,
	    on_master_readable, pty);
	pty->master_write = loop_fd_new(loop, pty->master, LOOP_WRITE,
	    on_master_writable, pty);
	pty->background = loop_timer_new(loop, on_background, pty);
	if (pty->master_read == NULL || pty->master_write == NULL ||
	    pty->background == NULL)
		return -1;
	loop_fd_set(pty->master_write, false);
	/* NULL where epoll refuses, as with a file: always ready. */
	pty->input_watch = loop_fd_new(loop, pty->input, LOOP_READ, on_input,
	    pty);
	pty->output_watch = loop_fd_new(loop, pty->output, LOOP_WRITE,
	    on_output, pty);
	switch_watch(pty->output_watch, false);
	return 0;
}

struct pty *
pty_new(struct loop *loop, int input, void (*on_gone)(int, void *), void *arg)
{
	struct pty *pty;
	int error;

	pty = calloc(1, sizeof(*pty));
	if (pty == NULL)
		return NULL;
	pty->master = pty->slave = pty->input = pty->output = -1;
	pty->typed_line = true;
	pty->on_gone = on_gone;
	pty->arg = arg;
	if (open_all(pty, loop, input) != 0) {
		error = errno;
		pty_free(pty);
		errno = error;
		return NULL;
	}
	adopt_settings(pty);
	set_raw(pty);
	pump_typed(pty);
	return pty;
}

void
pty_free(struct pty *pty)
{
	if (pty == NULL)
		return;
	restore(pty);
	loop_fd_free(pty->input_watch);
	loop_fd_free(pty->output_watch);
	loop_fd_free(pty->master_read);
	loop_fd_free(pty->master_write);
	loop_timer_free(pty->background);
	fd_close(&pty->input);
	fd_close(&pty->output);
	fd_close(&pty->slave);
	fd_close(&pty->master);
	free(pty);
}

int
pty_slave(const struct pty *pty)
{
	return pty->slave;
}

pid_t
pty_foreground(const struct pty *pty)
{
	return tcgetpgrp(pty->master);
}

bool
pty_is_interactive(const struct pty *pty)
{
	return pty->interactive;
}
