/* SPDX-License-Identifier: ISC */
/*
 * One incarnation, see incarnation.h.
 */
#include "runtime/supervise/incarnation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/group.h>

#include "runtime/group/host.h"
#include "runtime/logs/member_log.h"
#include "runtime/ready/notify.h"
#include "runtime/ready/ready_fd.h"
#include "runtime/supervise/incarnation_private.h"
#include "runtime/supervise/messages.h"
#include "runtime/supervise/words.h"
#include "runtime/util/bug.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"

#define REASON_MAX 256

static void start_main(struct incarnation *run);

const char *
incarnation_key(const struct incarnation *run)
{
	return run->key;
}

uint64_t
incarnation_number(const struct incarnation *run)
{
	return run->number;
}

pid_t
incarnation_pid(const struct incarnation *run)
{
	return run->pid;
}

int64_t
incarnation_since(const struct incarnation *run)
{
	return run->since;
}

enum incarnation_doing
incarnation_doing(const struct incarnation *run)
{
	return run->doing;
}

const struct grouper_usage *
incarnation_usage(const struct incarnation *run)
{
	return &run->usage;
}

static bool
any_live(const struct incarnation *run)
{
	bool live = run->main_live;
	int i;

	for (i = 0; i < AUX_KINDS; i++)
		live = live || run->aux[i].live;
	return live;
}

/* From the loop, where nothing of the run is in use. */
static void
on_over(void *arg)
{
	struct incarnation *run = arg;

	if (run->log != NULL)
		member_log_drain(run->log);
	run->handler->empty(run, run->arg);
}

/* What stands in the way of the end alone cannot be killed. */
static void
tell_stuck(struct incarnation *run)
{
	bool stuck = false;
	int i;

	for (i = 0; i < AUX_KINDS; i++)
		stuck = stuck || (run->aux[i].live && run->aux[i].stuck);
	if (!stuck || run->stuck)
		return;
	run->stuck = true;
	run->handler->unkillable(run, run->arg);
}

/* Tells the end once nothing lives and nothing is to come. */
static void
check_over(struct incarnation *run)
{
	int i;

	if (run->phase != PHASE_STOPPING || run->main_live)
		return;
	/* What asked for the main group's sake has no more reason to; the
	 * others stop by their steps, or take as long as they take. */
	for (i = 0; i < AUX_KINDS; i++)
		if (run->aux[i].live && (i == AUX_RELOAD || i == AUX_READY))
			grouper_stop(run->host, run->aux[i].key, "KILL");
	tell_stuck(run);
	if (any_live(run))
		return;
	run->phase = PHASE_OVER;
	incarnation_stop_watching(run);
	notify_free(run->notify);
	run->notify = NULL;
	fd_close(&run->output);
	loop_timer_set(run->over_timer, 0);
}

static void
fail_start(struct incarnation *run, const char *reason)
{
	run->phase = PHASE_STOPPING;
	incarnation_stop_watching(run);
	if (!run->failed)
		run->handler->start_failed(run, reason, run->arg);
	run->failed = true;
	check_over(run);
}

static void __attribute__((format(printf, 2, 3)))
fail_start_text(struct incarnation *run, const char *format, ...)
{
	char reason[REASON_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	fail_start(run, reason);
}

/* Commands beside the main one */

/* Its group is ours as the main one is: what its leader's death means holds. */
static void
lose_start_pre(struct incarnation *run)
{
	run->phase = PHASE_STOPPING;
	run->failed = true;
	run->handler->leader_died(run, run->arg);
}

/* By the steps that hold now, which the leader may not know. */
static void
stop_main(struct incarnation *run)
{
	char text[STEPS_TEXT_MAX];

	if (run->changed &&
	    steps_format(&run->child.shutdown, text, sizeof(text)) == 0)
		grouper_stop(run->host, run->key, text);
	else
		grouper_stop(run->host, run->key, NULL);
}

/* stop_pre takes too long: the stop goes on when it is gone. */
static void
on_stop_timer(void *arg)
{
	struct incarnation *run = arg;

	if (!run->aux[AUX_STOP_PRE].live)
		return;
	log_warnx("%s: stop_pre took too long: killed", run->key);
	grouper_stop(run->host, run->aux[AUX_STOP_PRE].key, "KILL");
}

static void
limit_stop_pre(struct incarnation *run)
{
	int64_t total = steps_total(&run->child.shutdown);

	if (total != STEPS_FOREVER)
		loop_timer_set(run->stop_timer,
		    total > 0 ? total : INCARNATION_STOP_PRE_MS);
}

/* For those whose failure changes nothing else. */
static void
tell_failed(const struct aux *aux, const char *what)
{
	char text[WORDS_STATUS_MAX] = "did not run";

	if (aux->status != -1)
		words_status(aux->status, text, sizeof(text));
	log_warnx("%s: %s %s", aux->run->key, what,
	    aux->died ? "lost its leader" : text);
}

static void
end_aux(struct aux *aux, enum aux_kind kind)
{
	struct incarnation *run = aux->run;
	bool ok = !aux->died && aux->status == 0;

	if (aux->died)
		grouper_reset(run->host, aux->key);
	switch (kind) {
	case AUX_START_PRE:
		if (run->phase == PHASE_PRE && ok)
			start_main(run);
		else if (run->phase == PHASE_PRE && aux->died)
			lose_start_pre(run);
		else if (run->phase == PHASE_PRE)
			fail_start(run, "start_pre failed");
		break;
	case AUX_STOP_PRE:
		loop_timer_clear(run->stop_timer);
		if (!ok && !aux->stuck)
			tell_failed(aux, "stop_pre");
		if (run->phase == PHASE_STOP_PRE) {
			run->phase = PHASE_STOPPING;
			stop_main(run);
		}
		break;
	case AUX_RELOAD:
		/* If not, it was killed with the run. */
		if (!ok && !aux->stuck && run->phase == PHASE_UP)
			tell_failed(aux, "reload_command");
		incarnation_begin_reload(run);
		break;
	case AUX_READY:
		if (ok)
			incarnation_become_ready(run);
		else if (run->ready_timer != NULL)
			loop_timer_set(run->ready_timer,
			    run->child.command->ready_interval_ms);
		break;
	case AUX_KINDS:
		BUG();
	}
	check_over(run);
}

static void
on_aux_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	struct aux *aux = arg;

	(void)host;
	switch (event->type) {
	case GROUPER_EVENT_START_FAILED:
		aux->status = -1;
		break;
	case GROUPER_EVENT_ENDED:
		aux->status = event->status;
		break;
	case GROUPER_EVENT_LEADER_DIED:
		aux->died = true;
		break;
	case GROUPER_EVENT_UNKILLABLE:
		/* It counts as over, but as empty it does not. */
		aux->status = -1;
		aux->stuck = true;
		end_aux(aux, (enum aux_kind)(aux - aux->run->aux));
		break;
	case GROUPER_EVENT_EMPTY:
		aux->live = false;
		end_aux(aux, (enum aux_kind)(aux - aux->run->aux));
		break;
	default:
		break;
	}
}

bool
incarnation_start_aux(struct incarnation *run, enum aux_kind kind, char **argv)
{
	struct spec_command command = *run->child.command;
	struct spec_child child = run->child;
	struct aux *aux = &run->aux[kind];
	struct launch launch;
	char *why;

	if (aux->live)
		return false;
	command.argv = argv;
	child.command = &command;
	aux->died = aux->stuck = false;
	aux->status = -1;
	if (launch_init(&launch, aux->key, &child, run->hooks, &why) == 0 &&
	    incarnation_name_host(run, &launch) == 0) {
		incarnation_add_output(run, &launch);
		aux->live = grouper_start(run->host, &launch.options,
				on_aux_event, aux) == GROUPER_OK;
	}
	free(why);
	launch_fini(&launch);
	return aux->live;
}

/* The main group */

static void
on_start_failed(struct incarnation *run, const struct grouper_event *event)
{
	const char *name = run->child.command->argv[0];
	const char *directory = run->child.command->directory;

	if (event->stage == GROUPER_STAGE_EXEC)
		fail_start_text(run, "cannot execute %s: %s", name,
		    strerror(event->error));
	else if (event->stage == GROUPER_STAGE_DIRECTORY && directory != NULL)
		fail_start_text(run, "cannot enter the directory %s: %s",
		    directory, strerror(event->error));
	else
		fail_start_text(run, "cannot start %s (%s): %s", name,
		    grouper_stage_name(event->stage), strerror(event->error));
}

static void
on_started(struct incarnation *run, pid_t pid)
{
	run->pid = pid;
	run->since = clock_ms();
	fd_close(&run->ready_member_fd);
	if (run->phase == PHASE_STARTING)
		run->phase = PHASE_UP;
	run->handler->started(run, run->arg);
	if (run->phase == PHASE_UP && run->was_early)
		incarnation_become_ready(run);
	else if (run->phase == PHASE_UP)
		incarnation_begin_ready(run);
}

static void
on_ended(struct incarnation *run, int status)
{
	/* Its last words may say that it is ready, or why it ends. */
	if (run->notify != NULL)
		notify_drain(run->notify);
	if (run->ready_fd != NULL)
		ready_fd_drain(run->ready_fd);
	if (run->log_watch != NULL)
		member_log_take(run->log);
	run->phase = PHASE_STOPPING;
	incarnation_stop_watching(run);
	run->handler->ended(run, status, run->arg);
}

static void
on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	struct incarnation *run = arg;

	(void)host;
	switch (event->type) {
	case GROUPER_EVENT_STARTED:
		on_started(run, event->pid);
		break;
	case GROUPER_EVENT_START_FAILED:
		on_start_failed(run, event);
		break;
	case GROUPER_EVENT_ENDED:
		run->usage = event->usage;
		messages_drain(run->host, run->key);
		on_ended(run, event->status);
		break;
	case GROUPER_EVENT_UNKILLABLE:
		run->handler->unkillable(run, run->arg);
		break;
	case GROUPER_EVENT_LEADER_DIED:
		run->phase = PHASE_STOPPING;
		incarnation_stop_watching(run);
		run->handler->leader_died(run, run->arg);
		break;
	case GROUPER_EVENT_EMPTY:
		run->usage = event->usage;
		run->main_live = false;
		run->phase = PHASE_STOPPING;
		check_over(run);
		break;
	case GROUPER_EVENT_AWAITING:
		/* What was sent to us before the end may name another. */
		if (run->notify != NULL)
			notify_drain(run->notify);
		break;
	case GROUPER_EVENT_ADOPTED:
		incarnation_adopted(run, event);
		break;
	case GROUPER_EVENT_PAUSED:
	case GROUPER_EVENT_CONTINUED:
	case GROUPER_EVENT_LEFTOVERS:
		break;
	}
}

static void
start_main(struct incarnation *run)
{
	enum grouper_error error = GROUPER_SYSTEM;
	struct messages_pipes pipes = { -1, -1 };
	struct launch launch;
	char *why;
	int saved;

	/* What start_pre said is none of the main command's. */
	if (run->log != NULL)
		member_log_finish(run->log);
	run->phase = PHASE_STARTING;
	if (launch_init(&launch, run->key, &run->child, run->hooks, &why) ==
		0 &&
	    incarnation_prepare_ready(run, &launch) == 0 &&
	    incarnation_name_host(run, &launch) == 0 &&
	    messages_join(run->host, run->key, run->child.command, &launch,
		&pipes, &why) == 0) {
		incarnation_add_own(run, &launch);
		error = grouper_start(run->host, &launch.options, on_event,
		    run);
	}
	saved = errno;
	launch_fini(&launch);
	fd_close(&pipes.down);
	fd_close(&pipes.up);
	if (error != GROUPER_OK)
		messages_leave(run->host, run->key);
	if (error == GROUPER_OK)
		run->main_live = true;
	else if (why != NULL)
		fail_start(run, why);
	else
		fail_start(run,
		    error == GROUPER_SYSTEM ? strerror(saved) :
					      grouper_strerror(error));
	free(why);
}

void
incarnation_start(struct incarnation *run)
{
	BUG_IF(run->phase != PHASE_NEW);
	if (run->log != NULL && member_log_open(run->log, &run->output) == -1) {
		fail_start_text(run, "output: %s", strerror(errno));
		return;
	}
	if (run->child.command->start_pre == NULL) {
		start_main(run);
		return;
	}
	run->phase = PHASE_PRE;
	if (!incarnation_start_aux(run, AUX_START_PRE,
		run->child.command->start_pre))
		fail_start(run, "start_pre cannot be started");
}

static void
kill_all(struct incarnation *run)
{
	int i;

	for (i = 0; i < AUX_KINDS; i++)
		if (run->aux[i].live)
			grouper_stop(run->host, run->aux[i].key, "KILL");
	if (run->main_live)
		grouper_stop(run->host, run->key, "KILL");
}

void
incarnation_stop(struct incarnation *run, bool kill)
{
	switch (run->phase) {
	case PHASE_NEW:
	case PHASE_OVER:
		return;
	case PHASE_PRE:
		grouper_stop(run->host, run->aux[AUX_START_PRE].key,
		    kill ? "KILL" : NULL);
		fail_start(run, "stopped");
		return;
	case PHASE_UP:
		run->phase = PHASE_STOP_PRE;
		if (!kill && run->child.command->stop_pre != NULL &&
		    incarnation_start_aux(run, AUX_STOP_PRE,
			run->child.command->stop_pre)) {
			limit_stop_pre(run);
			return;
		}
		break;
	case PHASE_STARTING:
	case PHASE_STOP_PRE:
	case PHASE_STOPPING:
		break;
	}
	if (kill)
		kill_all(run);
	else if (run->main_live && run->phase == PHASE_STOPPING)
		grouper_stop(run->host, run->key, NULL); /* it goes on */
	else if (run->main_live)
		stop_main(run);
	run->phase = PHASE_STOPPING;
	incarnation_stop_watching(run);
	check_over(run);
}

static int
name_aux(struct incarnation *run)
{
	static const char *const names[AUX_KINDS] = {
		[AUX_START_PRE] = "start_pre",
		[AUX_STOP_PRE] = "stop_pre",
		[AUX_RELOAD] = "reload",
		[AUX_READY] = "ready",
	};
	int i;

	for (i = 0; i < AUX_KINDS; i++) {
		run->aux[i].run = run;
		/* No child's: only supervisors have any. */
		if (asprintf(&run->aux[i].key, "%s/%s", run->key, names[i]) ==
		    -1) {
			run->aux[i].key = NULL;
			return -1;
		}
	}
	return 0;
}

struct incarnation *
incarnation_new(const struct incarnation_options *options)
{
	struct incarnation *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->host = options->host;
	run->number = options->number;
	run->hooks = options->hooks;
	run->log = options->log;
	run->fds = options->fds;
	run->handler = options->handler;
	run->arg = options->arg;
	run->output = -1;
	run->ready_member_fd = -1;
	run->key = strdup(options->key);
	run->over_timer = loop_timer_new(host_loop(run->host), on_over, run);
	run->stop_timer = loop_timer_new(host_loop(run->host), on_stop_timer,
	    run);
	if (run->key == NULL || run->over_timer == NULL ||
	    run->stop_timer == NULL || name_aux(run) == -1 ||
	    asprintf(&run->notify_path, "%s/%s.%" PRIu64 INCARNATION_SOCKET,
		options->directory, host_name(run->host), run->number) == -1 ||
	    spec_child_copy(&run->child, options->child) == -1) {
		incarnation_free(run);
		return NULL;
	}
	return run;
}

void
incarnation_free(struct incarnation *run)
{
	int i;

	if (run == NULL)
		return;
	incarnation_stop_watching(run);
	notify_free(run->notify);
	fd_close(&run->output);
	for (i = 0; i < AUX_KINDS; i++)
		free(run->aux[i].key);
	loop_timer_free(run->over_timer);
	loop_timer_free(run->stop_timer);
	spec_child_fini(&run->child);
	free(run->notify_path);
	free(run->key);
	free(run);
}
