/* SPDX-License-Identifier: ISC */
/*
 * Where the output of a supervisor's children goes, see supervisor.h.
 */
#include <stdlib.h>

#include "runtime/group/host.h"
#include "runtime/logs/logs.h"
#include "runtime/logs/member_log.h"
#include "runtime/logs/sink.h"
#include "runtime/supervise/supervisor_private.h"

struct log_tap {
	TAILQ_ENTRY(log_tap) link;
	struct supervisor *supervisor;
	void (*fn)(void *arg);
	void *arg;
};

static void
on_log_line(const struct log_line *line, void *arg)
{
	struct supervisor *supervisor = arg;
	struct log_tap *tap;

	(void)line;
	TAILQ_FOREACH(tap, &supervisor->taps, link)
		tap->fn(tap->arg);
}

/* Where its lines go; NULL with errno.  Not for SPEC_LOG_INHERIT. */
static struct sink *
find_sink(struct supervisor *supervisor, const struct spec_command *command,
    enum spec_log kind)
{
	static const enum logs_kind kinds[] = {
		[SPEC_LOG_PREFIX] = LOGS_PREFIX,
		[SPEC_LOG_DISCARD] = LOGS_DISCARD,
		[SPEC_LOG_SYSLOG] = LOGS_SYSLOG,
		[SPEC_LOG_FILE] = LOGS_FILE,
	};
	struct logs_target target = { .kind = kinds[kind],
		.path = command->log_file,
		.max_size = command->log_max_size,
		.keep = command->log_keep };

	return logs_sink(supervisor->logs, &target);
}

int
supervisor_open_log(struct supervisor *supervisor,
    const struct spec_command *command)
{
	struct sink *sink;

	if (command->log != SPEC_LOG_FILE)
		return 0;
	sink = find_sink(supervisor, command, SPEC_LOG_FILE);
	return sink == NULL ? -1 : sink_open(sink);
}

int
supervisor_take_log(struct slot *slot, const struct spec_command *command)
{
	struct supervisor *supervisor = slot->supervisor;
	struct member_log_options options = { .name = slot->key,
		.ring_bytes = MEMBER_LOG_RING };
	enum spec_log kind = command->log;

	if (kind == SPEC_LOG_DEFAULT)
		kind = supervisor->log;
	if (kind == SPEC_LOG_INHERIT) {
		member_log_free(slot->log);
		slot->log = NULL;
		return 0;
	}
	options.sink = find_sink(supervisor, command, kind);
	if (options.sink == NULL)
		return -1;
	if (slot->log != NULL)
		return member_log_set_sink(slot->log, options.sink);
	slot->log = member_log_new(host_loop(supervisor->host), &options);
	if (slot->log == NULL)
		return -1;
	slot->log_number = ++supervisor->nlogs;
	/* The watch ends with the log. */
	if (member_log_watch(slot->log, on_log_line, supervisor) != NULL)
		return 0;
	member_log_free(slot->log);
	slot->log = NULL;
	return -1;
}

int
supervisor_limit_log(struct slot *slot, const struct spec_command *command)
{
	if (slot->log == NULL || command->log != SPEC_LOG_FILE)
		return 0;
	return find_sink(slot->supervisor, command, SPEC_LOG_FILE) == NULL ?
	    -1 :
	    0;
}

void
supervisor_reopen_logs(struct supervisor *supervisor)
{
	logs_reopen(supervisor->logs);
}

void
supervisor_finish_logs(struct supervisor *supervisor, int64_t ms)
{
	logs_finish(supervisor->logs, ms);
}

struct member_log *
supervisor_log(const struct supervisor *supervisor, const char *key,
    uint64_t *number)
{
	const struct slot *slot = slot_find(&supervisor->slots, key);

	*number = slot != NULL ? slot->log_number : 0;
	return slot != NULL ? slot->log : NULL;
}

struct log_tap *
supervisor_tap(struct supervisor *supervisor, void (*fn)(void *arg), void *arg)
{
	struct log_tap *tap = calloc(1, sizeof(*tap));

	if (tap == NULL)
		return NULL;
	tap->supervisor = supervisor;
	tap->fn = fn;
	tap->arg = arg;
	TAILQ_INSERT_TAIL(&supervisor->taps, tap, link);
	return tap;
}

void
supervisor_untap(struct log_tap *tap)
{
	if (tap == NULL)
		return;
	TAILQ_REMOVE(&tap->supervisor->taps, tap, link);
	free(tap);
}
