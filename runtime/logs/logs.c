/* SPDX-License-Identifier: ISC */
/*
 * The sinks of one host: see logs.h.
 */
#include "runtime/logs/logs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "runtime/logs/sink.h"
#include "runtime/util/clock.h"
#include "runtime/util/loop.h"

#define SYSLOG_RETRY_MS 1000

struct entry {
	LIST_ENTRY(entry) entry;
	enum logs_kind kind;
	char *path; /* NULL but for files */
	struct sink *sink;
};

struct logs {
	struct loop *loop;
	int fd;
	char *syslog_path;
	LIST_HEAD(, entry) entries;
};

struct logs *
logs_new(struct loop *loop, int fd, const char *syslog_path)
{
	struct logs *logs;

	logs = calloc(1, sizeof(*logs));
	if (logs == NULL)
		return NULL;
	LIST_INIT(&logs->entries);
	logs->loop = loop;
	logs->fd = fd;
	if (syslog_path == NULL)
		return logs;
	logs->syslog_path = strdup(syslog_path);
	if (logs->syslog_path == NULL) {
		free(logs);
		return NULL;
	}
	return logs;
}

static void
entry_free(struct entry *entry)
{
	sink_release(entry->sink);
	free(entry->path);
	free(entry);
}

void
logs_free(struct logs *logs)
{
	struct entry *entry, *next;

	if (logs == NULL)
		return;
	LIST_FOREACH_SAFE(entry, &logs->entries, entry, next)
		entry_free(entry);
	free(logs->syslog_path);
	free(logs);
}

static bool
is_for(const struct entry *entry, const struct logs_target *target)
{
	if (entry->kind != target->kind)
		return false;
	return target->kind != LOGS_FILE ||
	    strcmp(entry->path, target->path) == 0;
}

static struct sink *
make(struct logs *logs, const struct logs_target *target)
{
	struct sink_file_options file = {
		.path = target->path,
		.max_size = target->max_size,
		.keep = target->keep,
	};

	switch (target->kind) {
	case LOGS_DISCARD:
		return sink_discard_new();
	case LOGS_PREFIX:
		return sink_prefix_new(logs->loop, logs->fd,
		    sink_colours(logs->fd));
	case LOGS_SYSLOG:
		return sink_syslog_new(logs->loop, logs->syslog_path,
		    SYSLOG_RETRY_MS);
	case LOGS_FILE:
		return sink_file_new(&file);
	}
	return NULL;
}

/* Else each file that a child ever wrote to would stay open. */
static void
drop_unused_files(struct logs *logs)
{
	struct entry *entry, *next;

	LIST_FOREACH_SAFE(entry, &logs->entries, entry, next) {
		if (entry->kind != LOGS_FILE || sink_is_joined(entry->sink))
			continue;
		sink_finish(entry->sink, 0);
		LIST_REMOVE(entry, entry);
		entry_free(entry);
	}
}

struct sink *
logs_sink(struct logs *logs, const struct logs_target *target)
{
	struct entry *entry;

	LIST_FOREACH(entry, &logs->entries, entry) {
		if (!is_for(entry, target))
			continue;
		if (target->kind == LOGS_FILE)
			sink_file_limit(entry->sink, target->max_size,
			    target->keep);
		return entry->sink;
	}
	drop_unused_files(logs);
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->kind = target->kind;
	if (target->kind == LOGS_FILE &&
	    (entry->path = strdup(target->path)) == NULL)
		goto fail;
	entry->sink = make(logs, target);
	if (entry->sink == NULL)
		goto fail;
	LIST_INSERT_HEAD(&logs->entries, entry, entry);
	return entry->sink;
fail:
	entry_free(entry);
	return NULL;
}

void
logs_reopen(struct logs *logs)
{
	struct entry *entry;

	LIST_FOREACH(entry, &logs->entries, entry)
		sink_reopen(entry->sink);
}

void
logs_finish(struct logs *logs, int64_t ms)
{
	int64_t left, end = clock_ms() + ms;
	struct entry *entry;

	LIST_FOREACH(entry, &logs->entries, entry) {
		left = end - clock_ms();
		sink_finish(entry->sink, left > 0 ? left : 0);
	}
}
