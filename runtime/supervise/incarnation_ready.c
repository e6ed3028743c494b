/* SPDX-License-Identifier: ISC */
/*
 * How an incarnation becomes ready, and its watchdog.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/group/host.h"
#include "runtime/logs/member_log.h"
#include "runtime/ready/notify.h"
#include "runtime/ready/ready_fd.h"
#include "runtime/ready/ready_log.h"
#include "runtime/supervise/incarnation_private.h"
#include "runtime/supervise/messages.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"

void
incarnation_stop_watching(struct incarnation *run)
{
	ready_fd_free(run->ready_fd);
	run->ready_fd = NULL;
	fd_close(&run->ready_member_fd);
	log_watch_free(run->log_watch);
	run->log_watch = NULL;
	ready_log_free(run->ready_log);
	run->ready_log = NULL;
	loop_timer_free(run->ready_timer);
	run->ready_timer = NULL;
	loop_timer_free(run->watchdog_timer);
	run->watchdog_timer = NULL;
}

static void
on_watchdog(void *arg)
{
	struct incarnation *run = arg;

	run->handler->watchdog(run, run->arg);
}

/* How long it is until its min_uptime, before which it is not ready. */
static int64_t
until_ready(const struct incarnation *run)
{
	const struct spec_command *command = run->child.command;
	int64_t left = run->since + command->min_uptime_ms - clock_ms();

	return command->ready == SPEC_READY_STARTED && left > 0 ? left : 0;
}

static void
feed_watchdog(struct incarnation *run)
{
	if (run->watchdog_timer != NULL)
		loop_timer_set(run->watchdog_timer,
		    until_ready(run) +
			(run->watchdog_ms > 0 ?
				run->watchdog_ms :
				run->child.command->watchdog_ms));
}

static void
begin_watchdog(struct incarnation *run)
{
	if (run->child.command->watchdog_ms <= 0 || run->watchdog_timer != NULL)
		return;
	run->watchdog_timer = loop_timer_new(host_loop(run->host), on_watchdog,
	    run);
	feed_watchdog(run);
}

void
incarnation_become_ready(struct incarnation *run)
{
	/* The word may come before the leader's that it was executed. */
	run->was_early = run->phase == PHASE_STARTING;
	if (run->is_ready || run->phase != PHASE_UP)
		return;
	messages_drain(run->host, run->key);
	run->is_ready = true;
	begin_watchdog(run);
	run->handler->ready(run, run->arg);
	incarnation_begin_reload(run);
}

static void
on_ready_fd(bool ready, void *arg)
{
	struct incarnation *run = arg;

	if (ready)
		incarnation_become_ready(run);
}

static void
on_ready_timer(void *arg)
{
	struct incarnation *run = arg;

	if (run->is_ready || run->phase != PHASE_UP)
		return;
	if (!incarnation_start_aux(run, AUX_READY,
		run->child.command->ready_argv))
		loop_timer_set(run->ready_timer,
		    run->child.command->ready_interval_ms);
}

static void
on_line(const struct log_line *line, void *arg)
{
	struct incarnation *run = arg;

	if (run->ready_log != NULL &&
	    ready_log_match(run->ready_log, line->text, line->length))
		incarnation_become_ready(run);
}

/* A member can make us log; once is enough to find it. */
void
incarnation_adopted(struct incarnation *run, const struct grouper_event *event)
{
	if (event->error == 0 && event->pid != run->pid) {
		run->pid = event->pid;
		run->handler->adopted(run, run->arg);
	} else if (event->error != 0 && !run->misled &&
	    run->phase != PHASE_STOPPING) {
		run->misled = true;
		log_warnx("%s: MAINPID=%d is not taken: %s", run->key,
		    event->status,
		    event->error == ESRCH ? "no living process of the group" :
					    strerror(event->error));
	}
}

static void
set_doing(struct incarnation *run, enum incarnation_doing doing)
{
	/* Once it stops there is nothing else; asked to, it is expected to. */
	if (run->phase != PHASE_UP || run->doing == doing ||
	    run->doing == INCARNATION_STOPS)
		return;
	run->doing = doing;
	run->handler->doing(run, run->arg);
}

static void
on_notify(const struct notify_sender *sender,
    const struct notify_message *message, void *arg)
{
	struct incarnation *run = arg;

	(void)sender;
	if (message->flags & NOTIFY_STATUS)
		run->handler->status(run, message->status, run->arg);
	if (message->flags & NOTIFY_MAINPID) /* refused where it is not asked */
		grouper_adopt(run->host, run->key, message->main_pid);
	if (message->flags & NOTIFY_WATCHDOG_USEC)
		run->watchdog_ms = message->watchdog_us / 1000 +
		    (message->watchdog_us % 1000 != 0);
	if (message->flags & (NOTIFY_WATCHDOG | NOTIFY_WATCHDOG_USEC))
		feed_watchdog(run);
	if ((message->flags & NOTIFY_READY) &&
	    run->child.command->ready == SPEC_READY_NOTIFY)
		incarnation_become_ready(run);
	/* As with systemd the end is before all, and READY ends a reload. */
	if (message->flags & NOTIFY_STOPPING)
		set_doing(run, INCARNATION_STOPS);
	else if (message->flags & NOTIFY_READY)
		set_doing(run, INCARNATION_SERVES);
	else if (message->flags & NOTIFY_RELOADING)
		set_doing(run, INCARNATION_RELOADS);
	if ((message->flags & NOTIFY_WATCHDOG_TRIGGER) &&
	    run->phase == PHASE_UP)
		run->handler->watchdog(run, run->arg);
}

int
incarnation_prepare_ready(struct incarnation *run, struct launch *launch)
{
	const struct spec_command *command = run->child.command;
	struct loop *loop = host_loop(run->host);
	char text[32], error[128];

	if (command->ready == SPEC_READY_NOTIFY || command->watchdog_ms > 0) {
		run->notify = notify_new(loop, run->notify_path,
		    launch->user.uid, on_notify, run);
		if (run->notify == NULL ||
		    environment_set(&launch->env, "NOTIFY_SOCKET",
			run->notify_path) == -1)
			return -1;
	}
	if (command->ready == SPEC_READY_NOTIFY)
		launch->options.flags |= GROUPER_ADOPT;
	if (command->watchdog_ms > 0) {
		snprintf(text, sizeof(text), "%" PRId64,
		    command->watchdog_ms * 1000);
		if (environment_set(&launch->env, "WATCHDOG_USEC", text) == -1)
			return -1;
	}
	if (command->ready == SPEC_READY_FD) {
		run->ready_fd = ready_fd_new(loop, &run->ready_member_fd,
		    on_ready_fd, run);
		if (run->ready_fd == NULL)
			return -1;
		launch_add_fd(launch, run->ready_member_fd, command->ready_fd);
	}
	if (command->ready == SPEC_READY_LOG && run->log == NULL) {
		errno = ENOTSUP; /* nothing reads what it writes */
		return -1;
	}
	if (command->ready == SPEC_READY_LOG) {
		run->ready_log = ready_log_new(command->ready_regex, error,
		    sizeof(error));
		run->log_watch = member_log_watch(run->log, on_line, run);
		if (run->ready_log == NULL || run->log_watch == NULL)
			return -1;
	}
	return 0;
}

void
incarnation_begin_ready(struct incarnation *run)
{
	switch (run->child.command->ready) {
	case SPEC_READY_STARTED:
		begin_watchdog(run);
		break;
	case SPEC_READY_EXEC:
		run->ready_timer = loop_timer_new(host_loop(run->host),
		    on_ready_timer, run);
		if (run->ready_timer != NULL)
			loop_timer_set(run->ready_timer, 0);
		break;
	case SPEC_READY_NOTIFY:
	case SPEC_READY_FD:
	case SPEC_READY_LOG:
		break;
	}
}
