/* SPDX-License-Identifier: ISC */
/*
 * The ring of events, see events.h.
 */
#include "runtime/control/events.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct events {
	char **ring; /* number n at n % max, as JSON; NULL: lost */
	size_t max;
	uint64_t end;
	TAILQ_HEAD(, events_reader) readers;
};

struct events *
events_new(size_t max)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events == NULL)
		return NULL;
	events->ring = calloc(max, sizeof(char *));
	if (events->ring == NULL) {
		free(events);
		return NULL;
	}
	events->max = max;
	events->end = 1;
	TAILQ_INIT(&events->readers);
	return events;
}

void
events_free(struct events *events)
{
	size_t i;

	if (events == NULL)
		return;
	for (i = 0; i < events->max; i++)
		free(events->ring[i]);
	free((void *)events->ring);
	free(events);
}

/* In whole microseconds, which is what a double has room for. */
static double
wall_clock(void)
{
	struct timespec now;
	int64_t us;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	return (double)us / 1e6;
}

/*
 * As text an event takes a tenth of the memory, in one piece, that it takes
 * as an object.  NULL: it is lost.
 */
static char *
pack(const struct events *events, json_t *event)
{
	if (event == NULL ||
	    json_object_set_new(event, "seq",
		json_integer((json_int_t)events->end)) == -1 ||
	    json_object_set_new(event, "time", json_real(wall_clock())) == -1)
		return NULL;
	return json_dumps(event, JSON_COMPACT);
}

void
events_add(struct events *events, json_t *event)
{
	char **place = &events->ring[events->end % events->max];
	struct events_reader *reader;

	free(*place);
	*place = pack(events, event);
	json_decref(event);
	events->end++;
	TAILQ_FOREACH(reader, &events->readers, link)
		reader->wake(reader->arg);
}

uint64_t
events_end(const struct events *events)
{
	return events->end;
}

void
events_join(struct events *events, struct events_reader *reader)
{
	TAILQ_INSERT_TAIL(&events->readers, reader, link);
}

void
events_leave(struct events *events, struct events_reader *reader)
{
	TAILQ_REMOVE(&events->readers, reader, link);
}

static const char *
at(const struct events *events, uint64_t number)
{
	if (number == 0 || number >= events->end ||
	    number + events->max < events->end)
		return NULL;
	return events->ring[number % events->max];
}

static json_t *
gap(uint64_t from, uint64_t to)
{
	return json_pack("{s:s, s:I, s:I}", "type", "gap", "from",
	    (json_int_t)from, "to", (json_int_t)to);
}

/*
 * Moves the reader on to what is kept; false if it missed something on the
 * way, which is from *from on.
 */
static bool
catch_up(const struct events *events, struct events_reader *reader,
    uint64_t *from)
{
	*from = reader->next;
	while (reader->next < events->end && at(events, reader->next) == NULL) {
		/* Far behind, it need not count what is gone one by one. */
		if (reader->next + events->max < events->end)
			reader->next = events->end - events->max;
		else
			reader->next++;
	}
	return reader->next == *from;
}

json_t *
events_read(struct events *events, struct events_reader *reader)
{
	uint64_t from;
	json_t *event;

	if (!catch_up(events, reader, &from))
		return gap(from, reader->next - 1);
	if (reader->next >= events->end)
		return NULL;
	event = json_loads(at(events, reader->next++), 0, NULL);
	return event != NULL ? event : gap(from, from);
}

char *
events_text(struct events *events, uint64_t since)
{
	struct events_reader reader = { .next = since };
	const char *comma = "";
	char *text = NULL;
	size_t length;
	FILE *stream;
	uint64_t from;
	bool failed;

	stream = open_memstream(&text, &length);
	if (stream == NULL)
		return NULL;
	fputs("[", stream);
	for (;;) {
		if (!catch_up(events, &reader, &from))
			fprintf(stream,
			    "%s{\"type\":\"gap\",\"from\":%" PRIu64
			    ",\"to\":%" PRIu64 "}",
			    comma, from, reader.next - 1);
		else if (reader.next < events->end)
			fprintf(stream, "%s%s", comma,
			    at(events, reader.next++));
		else
			break;
		comma = ",";
	}
	fputs("]", stream);
	failed = ferror(stream) != 0;
	if (fclose(stream) == EOF || failed) {
		free(text);
		return NULL;
	}
	return text;
}
