/* SPDX-License-Identifier: ISC */
/*
 * Where lines go: see sink.h.  The life of sinks, and the one that forgets.
 */
#include "runtime/logs/sink.h"

#include <stdlib.h>

int
sink_open(struct sink *sink)
{
	return sink->ops->open != NULL ? sink->ops->open(sink) : 0;
}

struct sink_lane *
sink_join(struct sink *sink, const char *name)
{
	struct sink_lane *lane;

	lane = sink->ops->join(sink, name);
	if (lane == NULL)
		return NULL;
	lane->sink = sink;
	sink->users++;
	return lane;
}

/* But for its maker, each lane is a user. */
bool
sink_is_joined(const struct sink *sink)
{
	return sink->users > 1;
}

void
sink_release(struct sink *sink)
{
	if (sink != NULL && --sink->users == 0)
		sink->ops->free(sink);
}

void
sink_leave(struct sink_lane *lane)
{
	struct sink *sink;

	if (lane == NULL)
		return;
	sink = lane->sink;
	sink->ops->leave(lane);
	sink_release(sink);
}

void
sink_line(struct sink_lane *lane, const struct log_line *line)
{
	lane->sink->ops->line(lane, line);
}

void
sink_flush(struct sink *sink)
{
	if (sink->ops->flush != NULL)
		sink->ops->flush(sink);
}

void
sink_reopen(struct sink *sink)
{
	if (sink->ops->reopen != NULL)
		sink->ops->reopen(sink);
}

void
sink_finish(struct sink *sink, int64_t ms)
{
	if (sink->ops->finish != NULL)
		sink->ops->finish(sink, ms);
}

static struct sink_lane *
discard_join(struct sink *sink, const char *name)
{
	(void)sink;
	(void)name;
	return calloc(1, sizeof(struct sink_lane));
}

static void
discard_leave(struct sink_lane *lane)
{
	free(lane);
}

static void
discard_line(struct sink_lane *lane, const struct log_line *line)
{
	(void)lane;
	(void)line;
}

static void
discard_free(struct sink *sink)
{
	free(sink);
}

static const struct sink_ops discard_ops = {
	.join = discard_join,
	.leave = discard_leave,
	.line = discard_line,
	.free = discard_free,
};

struct sink *
sink_discard_new(void)
{
	struct sink *sink;

	sink = calloc(1, sizeof(*sink));
	if (sink == NULL)
		return NULL;
	sink->ops = &discard_ops;
	sink->users = 1;
	return sink;
}
