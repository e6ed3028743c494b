/* SPDX-License-Identifier: ISC */
/*
 * Lines to a file, with rotation: see sink.h.  Lines are gathered until the
 * flush, at the end of a turn of the loop, and written at once.
 */
#include "runtime/logs/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/logs/rotate.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"

#define MODE 0640
#define GATHER_MAX ((size_t)32768)
#define WARN_MS 60000
#define RETRY_MS 1000
#define CUT_MARK "\\\n"

struct file_sink {
	struct sink sink;
	char *path;
	uint64_t max_size;
	unsigned int keep;
	int64_t (*now_ms)(void);
	int fd;
	bool regular;
	uint64_t size;
	const struct sink_lane *unfinished; /* whose line is open at the end */
	bool torn;	/* the file ends in the middle of a line */
	uint64_t lost;	/* lines */
	int lost_error; /* why */
	uint64_t gathered_lines;
	size_t gathered;
	bool warned;
	int64_t warn_at;  /* when the next warning may come */
	int64_t retry_at; /* when opening may be tried again, 0: now */
	int64_t rotate_at;
	char buffer[GATHER_MAX];
};

/* What went wrong, errno, but not each time. */
static void
warn_rarely(struct file_sink *sink, const char *what)
{
	int64_t now = sink->now_ms();

	if (sink->warned && now < sink->warn_at)
		return;
	log_warn("log %s: %s", sink->path, what);
	sink->warned = true;
	sink->warn_at = now + WARN_MS;
}

/*
 * O_NONBLOCK: a FIFO that nobody reads would hold the host.  The new file is
 * opened before the old one is closed.
 */
static int
try_open(struct file_sink *sink)
{
	struct stat st;
	int fd;

	fd = open(sink->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    MODE);
	if (fd == -1 || fstat(fd, &st) == -1) {
		sink->lost_error = errno;
		sink->retry_at = sink->now_ms() + RETRY_MS;
		fd_close(&fd);
		errno = sink->lost_error;
		return -1;
	}
	fd_close(&sink->fd);
	sink->fd = fd;
	sink->regular = S_ISREG(st.st_mode);
	sink->size = (uint64_t)st.st_size;
	sink->torn = false;
	sink->retry_at = 0;
	return 0;
}

static int
open_file(struct file_sink *sink)
{
	if (try_open(sink) == 0)
		return 0;
	warn_rarely(sink, "cannot be opened");
	return -1;
}

/* Writes what can be written; -1 with errno where that is not all. */
static int
write_all(struct file_sink *sink, const char *bytes, size_t length)
{
	size_t done = 0;
	ssize_t n;

	while (done < length) {
		n = write(sink->fd, bytes + done, length - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	sink->size += done;
	if (done == length)
		return 0;
	if (done > 0)
		sink->torn = bytes[done - 1] != '\n';
	return -1;
}

/* In the file, once it takes lines again. */
static int
tell_lost(struct file_sink *sink)
{
	char text[256];
	int n;

	if (sink->lost == 0 && !sink->torn)
		return 0;
	n = snprintf(text, sizeof(text), "%s", sink->torn ? "\n" : "");
	if (sink->lost > 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "[%" PRIu64 " lines lost: %s]\n", sink->lost,
		    strerror(sink->lost_error));
	if (write_all(sink, text, (size_t)n) == -1)
		return -1;
	sink->torn = false;
	sink->lost = 0;
	return 0;
}

static void
write_gathered(struct file_sink *sink)
{
	bool open = sink->fd != -1;

	if (sink->gathered == 0)
		return;
	if (!open && sink->now_ms() >= sink->retry_at)
		open = open_file(sink) == 0;
	if (open &&
	    (tell_lost(sink) == -1 ||
		write_all(sink, sink->buffer, sink->gathered) == -1)) {
		sink->lost_error = errno;
		warn_rarely(sink, "cannot be written");
		open = false;
	}
	if (!open) {
		/* Lines that were written before it failed count, too. */
		sink->lost += sink->gathered_lines;
		sink->unfinished = NULL;
	}
	sink->gathered = 0;
	sink->gathered_lines = 0;
}

static void
gather(struct file_sink *sink, const char *bytes, size_t length)
{
	if (length > sizeof(sink->buffer) - sink->gathered)
		write_gathered(sink);
	memcpy(sink->buffer + sink->gathered, bytes, length);
	sink->gathered += length;
}

/* Is the file that is open the one that path names, and no link to it? */
static bool
is_in_place(const struct file_sink *sink)
{
	struct stat open, named;

	return fstat(sink->fd, &open) == 0 && lstat(sink->path, &named) == 0 &&
	    S_ISREG(named.st_mode) && open.st_dev == named.st_dev &&
	    open.st_ino == named.st_ino;
}

/* Someone else moved it: theirs is the rotation. */
static bool
was_moved(const struct file_sink *sink)
{
	struct stat st;

	if (lstat(sink->path, &st) == -1)
		return errno == ENOENT;
	return S_ISREG(st.st_mode);
}

static void
rotate_file(struct file_sink *sink)
{
	write_gathered(sink);
	if (is_in_place(sink)) {
		if (sink->keep == 0 && ftruncate(sink->fd, 0) == 0)
			sink->size = 0;
		else if (sink->keep > 0 && rotate(sink->path, sink->keep) == 0)
			open_file(sink);
		else
			goto fail;
		return;
	}
	if (was_moved(sink) && open_file(sink) == 0)
		return;
	errno = ELOOP;
fail:
	/* It goes on growing until then. */
	warn_rarely(sink, "cannot be rotated");
	sink->rotate_at = sink->now_ms() + WARN_MS;
}

static bool
is_full(const struct file_sink *sink, size_t length)
{
	uint64_t size = sink->size + sink->gathered;

	return sink->max_size > 0 && sink->fd != -1 && sink->regular &&
	    size > 0 && size + length > sink->max_size &&
	    sink->now_ms() >= sink->rotate_at;
}

static void
close_line(struct file_sink *sink)
{
	if (sink->unfinished != NULL)
		gather(sink, CUT_MARK, strlen(CUT_MARK));
	sink->unfinished = NULL;
}

static void
file_line(struct sink_lane *lane, const struct log_line *line)
{
	struct file_sink *sink = (struct file_sink *)lane->sink;

	if (sink->unfinished != lane)
		close_line(sink);
	if (is_full(sink, line->length + 1)) {
		close_line(sink);
		rotate_file(sink);
	}
	gather(sink, line->text, line->length);
	sink->gathered_lines++;
	sink->unfinished = lane;
	if ((line->flags & LINES_CUT) != 0)
		return;
	gather(sink, "\n", 1);
	sink->unfinished = NULL;
}

static int
file_open(struct sink *base)
{
	struct file_sink *sink = (struct file_sink *)base;

	return sink->fd != -1 ? 0 : try_open(sink);
}

static struct sink_lane *
file_join(struct sink *base, const char *name)
{
	struct file_sink *sink = (struct file_sink *)base;

	(void)name;
	if (sink->fd == -1)
		open_file(sink);
	return calloc(1, sizeof(struct sink_lane));
}

static void
file_leave(struct sink_lane *lane)
{
	struct file_sink *sink = (struct file_sink *)lane->sink;

	if (sink->unfinished == lane)
		close_line(sink);
	write_gathered(sink);
	free(lane);
}

static void
file_flush(struct sink *base)
{
	write_gathered((struct file_sink *)base);
}

/* Where it fails, the old file goes on. */
static void
file_reopen(struct sink *base)
{
	struct file_sink *sink = (struct file_sink *)base;

	close_line(sink);
	write_gathered(sink);
	sink->warned = false;
	open_file(sink);
}

static void
file_finish(struct sink *base, int64_t ms)
{
	struct file_sink *sink = (struct file_sink *)base;

	(void)ms;
	write_gathered(sink);
	if (sink->lost > 0)
		log_warnx("log %s: %" PRIu64 " lines lost", sink->path,
		    sink->lost);
}

static void
file_free(struct sink *base)
{
	struct file_sink *sink = (struct file_sink *)base;

	write_gathered(sink);
	fd_close(&sink->fd);
	free(sink->path);
	free(sink);
}

static const struct sink_ops file_ops = {
	.open = file_open,
	.join = file_join,
	.leave = file_leave,
	.line = file_line,
	.flush = file_flush,
	.reopen = file_reopen,
	.finish = file_finish,
	.free = file_free,
};

struct sink *
sink_file_new(const struct sink_file_options *options)
{
	struct file_sink *sink;

	/* With room for the number of an old one. */
	if (strlen(options->path) + 12 > PATH_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	sink = calloc(1, sizeof(*sink));
	if (sink == NULL)
		return NULL;
	sink->sink.ops = &file_ops;
	sink->sink.users = 1;
	sink->fd = -1;
	sink->max_size = options->max_size;
	sink->keep = options->keep;
	sink->now_ms = options->now_ms != NULL ? options->now_ms : clock_ms;
	sink->path = strdup(options->path);
	if (sink->path == NULL) {
		free(sink);
		return NULL;
	}
	return &sink->sink;
}

void
sink_file_limit(struct sink *sink, uint64_t max_size, unsigned int keep)
{
	struct file_sink *file = (struct file_sink *)sink;

	file->max_size = max_size;
	file->keep = keep;
}
