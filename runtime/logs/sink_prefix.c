/* SPDX-License-Identifier: ISC */
/*
 * Lines with their child's name before them, to a terminal, a pipe, a socket
 * or a file that is shared with others: see sink.h.
 *
 * O_NONBLOCK belongs to the open file description, so that setting it would
 * change it for the shell, too.  A pipe or terminal is opened once more
 * instead, for a description of our own; where that is not possible, poll(2)
 * tells whether PIPE_BUF bytes find room, which holds unless another writer
 * takes it in between.
 */
#include "runtime/logs/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/logs/outlet.h"
#include "runtime/logs/visible.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"

/* Name, column, colours and newline around a line. */
#define DECORATION_MAX 1100
#define LINE_SIZE_MAX (DECORATION_MAX + VISIBLE_SIZE(LINES_MAX))

/* cyan, yellow, green, magenta, blue, and their bright ones; red is for
 * errors. */
static const char *const colours[] = { "36", "33", "32", "35", "34", "96", "93",
	"92", "95", "94" };

enum way {
	WAY_PLAIN,  /* a file: never blocks for long */
	WAY_SOCKET, /* MSG_DONTWAIT */
	WAY_OWN,    /* a non-blocking description of our own */
	WAY_POLL,
};

struct prefix_lane {
	struct sink_lane lane;
	struct outlet_lane outlet;
	unsigned int colour;
	size_t width;
	char name[];
};

struct prefix_sink {
	struct sink sink;
	struct outlet *outlet;
	enum way way;
	int fd;
	int own_fd;
	bool terminal;
	bool coloured;
	unsigned int next_colour;
	size_t width;		    /* of the widest name */
	size_t names[NAME_MAX + 1]; /* of each width */
	char line[LINE_SIZE_MAX];
};

bool
sink_colours(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && (no_color == NULL || no_color[0] == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

/* The place of a name: characters, so far as UTF-8 tells. */
static size_t
width_of(const char *name)
{
	size_t width = 0;

	for (; *name != '\0'; name++)
		width += ((unsigned char)*name & 0xc0) != 0x80;
	return width;
}

/* The widest name makes the column; nobody walks over all of them for it. */
static void
widen(struct prefix_sink *sink, size_t width)
{
	sink->names[width]++;
	if (width > sink->width)
		sink->width = width;
}

static void
narrow(struct prefix_sink *sink, size_t width)
{
	sink->names[width]--;
	while (sink->width > 0 && sink->names[sink->width] == 0)
		sink->width--;
}

static struct sink_lane *
prefix_join(struct sink *base, const char *name)
{
	struct prefix_sink *sink = (struct prefix_sink *)base;
	size_t size = strlen(name) + 1;
	struct prefix_lane *lane;

	if (size > NAME_MAX + 1)
		size = NAME_MAX + 1;
	lane = calloc(1, sizeof(*lane) + size);
	if (lane == NULL)
		return NULL;
	memcpy(lane->name, name, size - 1);
	lane->width = width_of(lane->name);
	lane->colour = sink->next_colour++ %
	    (sizeof(colours) / sizeof(colours[0]));
	widen(sink, lane->width);
	return &lane->lane;
}

static void
prefix_leave(struct sink_lane *base)
{
	struct prefix_sink *sink = (struct prefix_sink *)base->sink;
	struct prefix_lane *lane = (struct prefix_lane *)base;

	outlet_leave(sink->outlet, &lane->outlet);
	outlet_flush(sink->outlet);
	narrow(sink, lane->width);
	free(lane);
}

/* "name    | " */
static size_t
put_name(const struct prefix_sink *sink, const struct prefix_lane *lane,
    char *to, size_t size)
{
	int pad = (int)(sink->width - lane->width), n;

	if (sink->coloured)
		n = snprintf(to, size, "\033[%sm%s%*s |\033[0m ",
		    colours[lane->colour], lane->name, pad, "");
	else
		n = snprintf(to, size, "%s%*s | ", lane->name, pad, "");
	return (size_t)n < size ? (size_t)n : size - 1;
}

static void
prefix_line(struct sink_lane *base, const struct log_line *line)
{
	struct prefix_sink *sink = (struct prefix_sink *)base->sink;
	struct prefix_lane *lane = (struct prefix_lane *)base;
	size_t used;

	used = put_name(sink, lane, sink->line, DECORATION_MAX);
	if (sink->terminal) {
		used += visible(sink->line + used, line->text, line->length);
	} else {
		memcpy(sink->line + used, line->text, line->length);
		used += line->length;
	}
	if ((line->flags & LINES_CUT) != 0)
		sink->line[used++] = '\\';
	sink->line[used++] = '\n';
	outlet_add(sink->outlet, &lane->outlet, sink->line, used);
}

static size_t
prefix_notice(void *arg, const struct outlet_lane *outlet_lane, uint64_t lost,
    char *text)
{
	const struct prefix_sink *sink = arg;
	const struct prefix_lane *lane =
	    (const void *)((const char *)outlet_lane -
		offsetof(struct prefix_lane, outlet));
	size_t used;
	int n;

	used = put_name(sink, lane, text, OUTLET_NOTICE_MAX - 64);
	n = snprintf(text + used, 64, "[%" PRIu64 " lines dropped]\n", lost);
	return used + (size_t)n;
}

static ssize_t
prefix_send(void *arg, const char *bytes, size_t length)
{
	struct prefix_sink *sink = arg;
	struct pollfd pfd = { .fd = sink->fd, .events = POLLOUT };

	switch (sink->way) {
	case WAY_SOCKET:
		return send(sink->fd, bytes, length,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	case WAY_OWN:
		return write(sink->own_fd, bytes, length);
	case WAY_POLL:
		if (poll(&pfd, 1, 0) != 1 ||
		    (pfd.revents & (POLLOUT | POLLERR | POLLHUP)) == 0) {
			errno = EAGAIN;
			return -1;
		}
		if (length > PIPE_BUF)
			length = PIPE_BUF;
		break;
	case WAY_PLAIN:
		break;
	}
	return write(sink->fd, bytes, length);
}

static bool
prefix_broken(void *arg, struct outlet *outlet)
{
	(void)arg;
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return true;
	if (errno != EPIPE)
		log_warn("output of children");
	outlet_fail(outlet);
	return false;
}

static void
prefix_flush(struct sink *base)
{
	outlet_flush(((struct prefix_sink *)base)->outlet);
}

static void
prefix_finish(struct sink *base, int64_t ms)
{
	size_t left = outlet_finish(((struct prefix_sink *)base)->outlet, ms);

	if (left > 0)
		log_warnx("output of children: %zu lines not taken in time",
		    left);
}

static void
prefix_free(struct sink *base)
{
	struct prefix_sink *sink = (struct prefix_sink *)base;

	outlet_free(sink->outlet);
	fd_close(&sink->own_fd);
	free(sink);
}

static const struct outlet_ops prefix_outlet_ops = {
	.send = prefix_send,
	.notice = prefix_notice,
	.broken = prefix_broken,
	.join = PIPE_BUF,
};

static const struct sink_ops prefix_ops = {
	.join = prefix_join,
	.leave = prefix_leave,
	.line = prefix_line,
	.flush = prefix_flush,
	.finish = prefix_finish,
	.free = prefix_free,
};

/* A second, non-blocking description of the same pipe or terminal, or -1. */
static int
open_again(int fd, const struct stat *st)
{
	struct stat again;
	char path[32];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own == -1)
		return -1;
	if (fstat(own, &again) == -1 || again.st_dev != st->st_dev ||
	    again.st_ino != st->st_ino)
		fd_close(&own);
	return own;
}

static void
choose_way(struct prefix_sink *sink)
{
	struct stat st;

	sink->way = WAY_POLL;
	if (fstat(sink->fd, &st) == -1)
		return;
	if (S_ISREG(st.st_mode)) {
		sink->way = WAY_PLAIN;
	} else if (S_ISSOCK(st.st_mode)) {
		sink->way = WAY_SOCKET;
	} else if (S_ISFIFO(st.st_mode) || sink->terminal) {
		sink->own_fd = open_again(sink->fd, &st);
		if (sink->own_fd != -1)
			sink->way = WAY_OWN;
	}
}

struct sink *
sink_prefix_new(struct loop *loop, int fd, bool colours_on)
{
	struct prefix_sink *sink;

	sink = calloc(1, sizeof(*sink));
	if (sink == NULL)
		return NULL;
	sink->sink.ops = &prefix_ops;
	sink->sink.users = 1;
	sink->fd = fd;
	sink->own_fd = -1;
	sink->terminal = isatty(fd) == 1;
	sink->coloured = colours_on;
	choose_way(sink);
	sink->outlet = outlet_new(loop, &prefix_outlet_ops, sink);
	if (sink->outlet == NULL) {
		prefix_free(&sink->sink);
		return NULL;
	}
	outlet_watch(sink->outlet, sink->own_fd != -1 ? sink->own_fd : fd);
	return &sink->sink;
}
