/* SPDX-License-Identifier: ISC */
/*
 * Lines to the system's log: see sink.h.  RFC 3164 as syslog(3) speaks it
 * locally, without a host name; syslog(3) itself blocks and knows one tag.
 */
#include "runtime/logs/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "runtime/logs/outlet.h"
#include "runtime/logs/visible.h"
#include "runtime/util/fd.h"
#include "runtime/util/loop.h"

#define DEFAULT_PATH "/dev/log"
#define PRIORITY (3 * 8 + 6) /* daemon.info */
#define TAG_MAX 256
#define HEADER_MAX (TAG_MAX + 64)

struct syslog_lane {
	struct sink_lane lane;
	struct outlet_lane outlet;
	char tag[TAG_MAX];
};

struct syslog_sink {
	struct sink sink;
	struct outlet *outlet;
	struct loop_timer *timer;
	int64_t retry_ms;
	struct sockaddr_un address;
	int fd;
	char message[HEADER_MAX + VISIBLE_SIZE(LINES_MAX)];
};

/* strftime(3) would translate the months. */
static size_t
put_header(char *to, const char *tag, int64_t time_us)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm = { .tm_mday = 1 };
	int n;

	localtime_r(&seconds, &tm);
	n = snprintf(to, HEADER_MAX,
	    "<%d>%.3s %2d %02d:%02d:%02d %s: ", PRIORITY,
	    months + (size_t)tm.tm_mon * 3, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, tag);
	return (size_t)n < HEADER_MAX ? (size_t)n : HEADER_MAX - 1;
}

static struct sink_lane *
syslog_join(struct sink *sink, const char *name)
{
	struct syslog_lane *lane;
	char *colon;

	(void)sink;
	lane = calloc(1, sizeof(*lane));
	if (lane == NULL)
		return NULL;
	snprintf(lane->tag, sizeof(lane->tag), "%s", name);
	/* A colon ends the tag. */
	while ((colon = strchr(lane->tag, ':')) != NULL)
		*colon = '.';
	return &lane->lane;
}

static void
syslog_leave(struct sink_lane *base)
{
	struct syslog_sink *sink = (struct syslog_sink *)base->sink;
	struct syslog_lane *lane = (struct syslog_lane *)base;

	outlet_leave(sink->outlet, &lane->outlet);
	outlet_flush(sink->outlet);
	free(lane);
}

static void
syslog_line(struct sink_lane *base, const struct log_line *line)
{
	struct syslog_sink *sink = (struct syslog_sink *)base->sink;
	struct syslog_lane *lane = (struct syslog_lane *)base;
	size_t used;

	used = put_header(sink->message, lane->tag, line->time_us);
	used += visible(sink->message + used, line->text, line->length);
	if ((line->flags & LINES_CUT) != 0)
		sink->message[used++] = '\\';
	outlet_add(sink->outlet, &lane->outlet, sink->message, used);
}

static size_t
syslog_notice(void *arg, const struct outlet_lane *outlet_lane, uint64_t lost,
    char *text)
{
	const struct syslog_lane *lane =
	    (const void *)((const char *)outlet_lane -
		offsetof(struct syslog_lane, outlet));
	size_t used;
	int n;

	(void)arg;
	used = put_header(text, lane->tag, (int64_t)time(NULL) * 1000000);
	n = snprintf(text + used, OUTLET_NOTICE_MAX - used,
	    "[%" PRIu64 " lines dropped]", lost);
	return used + (size_t)n;
}

static int
connect_socket(struct syslog_sink *sink)
{
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sink->address,
		sizeof(sink->address)) == -1) {
		fd_close(&fd);
		return -1;
	}
	outlet_watch(sink->outlet, fd);
	fd_close(&sink->fd);
	sink->fd = fd;
	return 0;
}

static void
on_retry(void *arg)
{
	struct syslog_sink *sink = arg;

	if (connect_socket(sink) == -1)
		loop_timer_set(sink->timer, sink->retry_ms);
	else
		outlet_flush(sink->outlet);
}

static ssize_t
syslog_send(void *arg, const char *bytes, size_t length)
{
	struct syslog_sink *sink = arg;
	ssize_t n;

	n = send(sink->fd, bytes, length, MSG_NOSIGNAL);
	return n == -1 ? -1 : (ssize_t)length;
}

static bool
syslog_broken(void *arg, struct outlet *outlet)
{
	struct syslog_sink *sink = arg;

	if (errno == EMSGSIZE || errno == ENOBUFS || errno == ENOMEM)
		return true;
	outlet_watch(outlet, -1);
	fd_close(&sink->fd);
	/* Not at once: a log that refuses each message must not spin. */
	loop_timer_set(sink->timer, sink->retry_ms);
	return false;
}

static void
syslog_flush(struct sink *base)
{
	outlet_flush(((struct syslog_sink *)base)->outlet);
}

static void
syslog_finish(struct sink *base, int64_t ms)
{
	struct syslog_sink *sink = (struct syslog_sink *)base;

	if (sink->fd == -1)
		connect_socket(sink);
	outlet_finish(sink->outlet, ms);
}

static void
syslog_free(struct sink *base)
{
	struct syslog_sink *sink = (struct syslog_sink *)base;

	outlet_free(sink->outlet);
	loop_timer_free(sink->timer);
	fd_close(&sink->fd);
	free(sink);
}

static const struct outlet_ops syslog_outlet_ops = {
	.send = syslog_send,
	.notice = syslog_notice,
	.broken = syslog_broken,
	.join = 0,
};

static const struct sink_ops syslog_ops = {
	.join = syslog_join,
	.leave = syslog_leave,
	.line = syslog_line,
	.flush = syslog_flush,
	.finish = syslog_finish,
	.free = syslog_free,
};

struct sink *
sink_syslog_new(struct loop *loop, const char *path, int64_t retry_ms)
{
	struct syslog_sink *sink;

	if (path == NULL)
		path = DEFAULT_PATH;
	sink = calloc(1, sizeof(*sink));
	if (sink == NULL)
		return NULL;
	sink->sink.ops = &syslog_ops;
	sink->sink.users = 1;
	sink->fd = -1;
	sink->retry_ms = retry_ms;
	sink->address.sun_family = AF_UNIX;
	if (strlcpy(sink->address.sun_path, path,
		sizeof(sink->address.sun_path)) >=
	    sizeof(sink->address.sun_path)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	sink->timer = loop_timer_new(loop, on_retry, sink);
	sink->outlet = outlet_new(loop, &syslog_outlet_ops, sink);
	if (sink->timer == NULL || sink->outlet == NULL)
		goto fail;
	if (connect_socket(sink) == -1)
		loop_timer_set(sink->timer, retry_ms);
	return &sink->sink;
fail:
	syslog_free(&sink->sink);
	return NULL;
}
