/* SPDX-License-Identifier: ISC */
/*
 * What the group of `grouper run` goes through, and its time limits.
 */
#include "tools/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/group/steps.h"
#include "runtime/os/os.h"
#include "runtime/supervise/messages.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/limit.h"
#include "runtime/util/log.h"
#include "runtime/util/parse.h"
#include "tools/tool.h"

/* How long a stop may take before it is said what it waits for. */
#define WAITING_MS 1000

/*
 * When the command has run so long, the host makes itself small: what only
 * long runs need costs the short ones nothing.
 */
#define SETTLE_MS 20

/* So many of those that live at the time limit are named on standard error. */
#define NAMED_MAX 8

/* Which process of the group is the first that lives; NULL: none. */
static const struct grouper_process *
first_alive(const struct grouper_processes *list, size_t *alive)
{
	const struct grouper_process *first = NULL;
	size_t i;

	*alive = 0;
	for (i = 0; i < list->count; i++) {
		if (result_is_dead(&list->items[i]))
			continue;
		if ((*alive)++ == 0)
			first = &list->items[i];
	}
	return first;
}

static void
on_waiting(void *arg)
{
	struct run *run = arg;
	const struct grouper_process *first;
	struct grouper_processes list = { NULL, 0, 0 };
	int64_t ms = clock_ms() - run->stop_began;
	char more[32] = "";
	size_t alive;

	loop_timer_set(run->waiting, WAITING_MS);
	if (grouper_members(run->host, run->options->key, &list) != GROUPER_OK)
		return;
	first = first_alive(&list, &alive);
	if (alive > 1)
		snprintf(more, sizeof(more), " and %zu more", alive - 1);
	if (first != NULL)
		tool_line(STDERR_FILENO, run->pty != NULL,
		    "grouper: waiting for pid %d (%s)%s %" PRId64 ".%d s",
		    (int)first->pid, first->name, more, ms / 1000,
		    (int)(ms % 1000 / 100));
	grouper_processes_free(&list);
}

/* Stop steps run from now on. */
static void
begin_stop(struct run *run)
{
	if (run->stopping)
		return;
	run->stopping = true;
	run->stop_began = clock_ms();
	if (run->options->level == LOG_LEVEL_QUIET || !isatty(STDERR_FILENO))
		return;
	run->waiting = loop_timer_new(run->loop, on_waiting, run);
	if (run->waiting != NULL)
		loop_timer_set(run->waiting, WAITING_MS);
}

void
run_stop(struct run *run, const char *steps)
{
	begin_stop(run);
	grouper_stop(run->host, run->options->key, steps);
}

/* "812 (postgres), 813 (cat), ..." */
static void
name_living(char *text, size_t size, const struct grouper_processes *list)
{
	size_t i, named = 0, used = 0;

	text[0] = '\0';
	for (i = 0; i < list->count && named <= NAMED_MAX && used < size; i++) {
		if (result_is_dead(&list->items[i]))
			continue;
		if (named++ < NAMED_MAX)
			used += (size_t)snprintf(text + used, size - used,
			    "%s%d (%s)", used > 0 ? ", " : "",
			    (int)list->items[i].pid, list->items[i].name);
		else
			snprintf(text + used, size - used, ", ...");
	}
}

/* Who held it up is gone when somebody looks: it is told now. */
static void
tell_limit(struct run *run)
{
	struct grouper_processes list = { NULL, 0, 0 };
	int64_t ms = run->options->timeout_ms;
	bool whole = ms % 1000 == 0;
	char text[NAMED_MAX * 80 + 8];
	size_t alive;

	if (grouper_members(run->host, run->options->key, &list) != GROUPER_OK)
		return;
	if (result_add_late(&run->result, &list) != 0)
		log_warn("the list of what was alive is not complete");
	first_alive(&list, &alive);
	name_living(text, sizeof(text), &list);
	if (alive > 0 && run->options->level > LOG_LEVEL_QUIET)
		tool_line(STDERR_FILENO, run->pty != NULL,
		    "grouper run: time limit of %" PRId64
		    "%s: stopping %zu process%s: %s",
		    whole ? ms / 1000 : ms, whole ? "s" : "ms", alive,
		    alive == 1 ? "" : "es", text);
	grouper_processes_free(&list);
}

static void
on_limit(void *arg)
{
	struct run *run = arg;
	int64_t left;

	if (run->deadline == -1)
		return;
	/* While we were stopped the deadline moved, the timer did not. */
	left = run->deadline - clock_ms();
	if (left > 0) {
		loop_timer_set(run->limit, left);
		return;
	}
	run->deadline = -1;
	tell_limit(run);
	run->result.timed_out = true;
	/* Steps may run for what the command left, and have no end. */
	run_stop(run, run->stopping ? "KILL" : NULL);
}

int
run_limit(struct run *run)
{
	run->deadline = -1;
	if (run->options->timeout_ms <= 0)
		return 0;
	run->limit = loop_timer_new(run->loop, on_limit, run);
	if (run->limit == NULL)
		return -1;
	run->deadline = clock_ms() + run->options->timeout_ms;
	loop_timer_set(run->limit, run->options->timeout_ms);
	return 0;
}

void
run_postpone(struct run *run, int64_t ms)
{
	if (run->deadline != -1)
		run->deadline += ms;
	if (run->stopping)
		run->stop_began += ms;
}

/*
 * Lets go of what was inherited, for whose end somebody may wait, and maps
 * the text that the leader maps.
 */
static void
settle(void *arg)
{
	struct run *run = arg;

	fd_close_inherited();
	os_map_text(run->text, run->text_size);
}

static void
on_started(struct run *run, const struct grouper_event *event)
{
	run->result.pid = event->pid;
	log_info("%s: pid %d started, containment %s", run->options->key,
	    (int)event->pid, grouper_containment_name(run->result.contain));
	fd_close(&run->input);
	run->settle = loop_timer_new(run->loop, settle, run);
	if (run->settle != NULL)
		loop_timer_set(run->settle, SETTLE_MS);
	else
		settle(run);
}

/* As the command would find it, from the directory that it begins in. */
static bool
look_at(const char *directory, const char *path, struct stat *st)
{
	int dir = AT_FDCWD;
	bool there;

	if (strchr(path, '/') == NULL)
		return false;
	if (directory != NULL)
		dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	there = dir != -1 && fstatat(dir, path, st, 0) == 0;
	if (directory != NULL)
		fd_close(&dir);
	return there;
}

/* What execve(2) says of a path is not always what is meant. */
static const char *
exec_error(const char *directory, const char *path, int error, int *status)
{
	struct stat st;
	bool there = look_at(directory, path, &st);

	*status = RUN_NOT_EXECUTABLE;
	if (error == EACCES && there && S_ISDIR(st.st_mode))
		return "it is a directory";
	if (error == ENOENT && there)
		return "the interpreter it names is not there";
	if (error != ENOENT)
		return strerror(error);
	*status = RUN_NOT_FOUND;
	return strchr(path, '/') != NULL ? strerror(error) :
					   "command not found";
}

static const char *
limit_of(int resource)
{
	const char *name;
	size_t i;

	for (i = 0; (name = limit_name(i)) != NULL; i++)
		if (limit_resource(name) == resource)
			return name;
	return "?";
}

/* Only privilege raises a hard limit: what is above ours was refused. */
static void
tell_limits(const struct run_options *options, const char *error)
{
	const struct grouper_limit *limit;
	struct rlimit ours;
	size_t i;

	for (i = 0; i < options->nlimits; i++) {
		limit = &options->limits[i];
		if (getrlimit((__rlimit_resource_t)limit->resource, &ours) ==
			-1 ||
		    limit->hard <= ours.rlim_max)
			continue;
		tool_error("run",
		    "cannot set --limits %s above the hard limit of %" PRIu64
		    ": %s",
		    limit_of(limit->resource), (uint64_t)ours.rlim_max, error);
		return;
	}
	tool_error("run", "cannot set --limits: %s", error);
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "unchanged";
}

static void
on_start_failed(struct run *run, const struct grouper_event *event)
{
	const struct run_options *options = run->options;
	const char *error = strerror(event->error), *why = NULL;
	int status;

	if (event->stage == GROUPER_STAGE_EXEC) {
		error = exec_error(options->directory, options->argv[0],
		    event->error, &status);
		tool_error("run", "cannot run '%s': %s", options->argv[0],
		    error);
		run->result.not_run = status;
		return;
	}
	run->result.failed = RUN_FAILED;
	if (event->stage == GROUPER_STAGE_CONTAIN)
		run->result.contain = GROUPER_CONTAIN_AUTO;
	switch (event->stage) {
	case GROUPER_STAGE_DIRECTORY:
		tool_error("run", "cannot enter the directory '%s': %s",
		    options->directory, error);
		break;
	case GROUPER_STAGE_USER:
		tool_error("run", "cannot become user %s, group %s: %s",
		    or_none(options->user), or_none(options->group), error);
		break;
	case GROUPER_STAGE_LIMITS:
		tell_limits(options, error);
		break;
	case GROUPER_STAGE_NICE:
		tool_error("run", "cannot set --nice %d: %s", options->nice,
		    error);
		break;
	case GROUPER_STAGE_CONTAIN:
		grouper_containment_probe(options->contain, &why);
		tool_error("run", "cannot contain at level %s: %s",
		    grouper_containment_name(options->contain),
		    why != NULL ? why : error);
		break;
	case GROUPER_STAGE_NO_NEW_PRIVS:
		tool_error("run", "cannot set --no-new-privs: %s", error);
		break;
	default:
		tool_error("run", "cannot start the command (%s): %s",
		    grouper_stage_name(event->stage), error);
		break;
	}
}

/* The steps from their first, instead of those that run. */
static void
stop_anew(struct run *run)
{
	char text[STEPS_TEXT_MAX];

	run->by_int = false;
	if (steps_format(&run->options->steps, text, sizeof(text)) == 0)
		run_stop(run, text);
}

static void
on_ended(struct run *run, const struct grouper_event *event)
{
	/* Its last words; nobody hears of them once the host is closed. */
	messages_drain(run->host, run->options->key);
	/* The leader is ending meanwhile: what can be done by then, is. */
	if (event->last && run_spawn_over(run->spawn))
		host_close(run->host);
	run->result.ended = true;
	run->result.status = event->status;
	run_spawn_stop(run->spawn, false);
	if (WIFSIGNALED(event->status))
		log_info("%s: pid %d ended by %s", run->options->key,
		    (int)event->pid, signal_name(WTERMSIG(event->status)));
	else
		log_info("%s: pid %d ended with %d", run->options->key,
		    (int)event->pid, WEXITSTATUS(event->status));
	/* What it left is swept now, or held and told of by LEFTOVERS. */
	if (!run->holds && !event->last)
		begin_stop(run);
	/* Background jobs of a script ignore INT, as POSIX has it: the command
	 * had its INT, and what it left goes through the steps as they are. */
	if (run->by_int && !event->last)
		stop_anew(run);
}

static void
on_leftovers(struct run *run, const struct grouper_event *event)
{
	if (result_add_leaks(&run->result, event->processes, run->shared) != 0)
		log_warn("the list of leaks is not complete");
	if (run->options->leaks == RUN_LEAKS_WAIT)
		log_info("%s: waiting for %zu processes that it left",
		    run->options->key, run->result.leaks.count);
	else
		run_stop(run, NULL);
}

static void
on_over(void *arg)
{
	struct run *run = arg;

	loop_break(run->loop);
}

void
run_on_gone(int error, void *arg)
{
	struct run *run = arg;

	if (error == 0) {
		log_info("%s: nobody reads its output", run->options->key);
	} else {
		tool_line(STDERR_FILENO, true,
		    "grouper run: standard output: %s", strerror(error));
		run->result.failed = RUN_FAILED;
	}
	grouper_signal(run->host, run->options->key, SIGHUP);
}

/* What withstands SIGKILL keeps its leader, which has not told more yet. */
static void
on_unkillable(struct run *run, const struct grouper_event *event)
{
	run->result.unkilled = true;
	run->result.untold = true;
	run->result.usage.wall_us = clock_us() - run->began_us;
	result_add_unkillable(&run->result, event->processes);
}

/* The last of it, and of what was spawned beside it. */
static void
end_run(struct run *run)
{
	run->over = true;
	run->deadline = -1;
	if (run->waiting != NULL)
		loop_timer_clear(run->waiting);
	run_spawn_stop(run->spawn, false);
	if (!run_spawn_over(run->spawn) || run->left)
		return;
	run->left = true;
	/* A pseudo-terminal may still hold output. */
	if (run->pty != NULL)
		pty_drain(run->pty, on_over);
	else
		on_over(run);
}

void
run_on_spawned_over(struct run *run)
{
	if (run->over)
		end_run(run);
}

void
run_on_event(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	struct run *run = arg;

	(void)host;
	switch (event->type) {
	case GROUPER_EVENT_STARTED:
		on_started(run, event);
		break;
	case GROUPER_EVENT_START_FAILED:
		on_start_failed(run, event);
		break;
	case GROUPER_EVENT_PAUSED:
		run_pause(run, event->status);
		break;
	case GROUPER_EVENT_CONTINUED:
		log_info("%s: continued", run->options->key);
		break;
	case GROUPER_EVENT_ENDED:
		on_ended(run, event);
		break;
	case GROUPER_EVENT_LEFTOVERS:
		on_leftovers(run, event);
		break;
	case GROUPER_EVENT_UNKILLABLE:
		on_unkillable(run, event);
		end_run(run);
		break;
	case GROUPER_EVENT_LEADER_DIED:
		run->result.leader_died = true;
		tool_error("run", "the leader of '%s' died: ending what it led",
		    run->options->key);
		begin_stop(run);
		break;
	case GROUPER_EVENT_EMPTY:
		run->result.usage = event->usage;
		/* What a leader had counted died with it. */
		run->result.untold = run->result.leader_died;
		log_info("%s: empty", run->options->key);
		end_run(run);
		break;
	case GROUPER_EVENT_AWAITING:
	case GROUPER_EVENT_ADOPTED:
		break;
	}
}
