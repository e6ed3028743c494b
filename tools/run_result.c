/* SPDX-License-Identifier: ISC */
/*
 * What became of a run, and what it ends with: see run_report.h.
 */
#include "tools/run_report.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
processes_fini(struct run_processes *list)
{
	while (list->count > 0)
		free(list->items[--list->count].command);
	free(list->items);
	list->items = NULL;
}

void
result_fini(struct run_result *result)
{
	processes_fini(&result->leaks);
	processes_fini(&result->unkillable);
	processes_fini(&result->late);
}

static const struct run_process *
find(const struct run_processes *list, pid_t pid)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].pid == pid)
			return &list->items[i];
	return NULL;
}

static int
add(struct run_processes *list, const struct grouper_process *process)
{
	struct run_process *grown;
	char *command;

	grown = reallocarray(list->items, list->count + 1, sizeof(*grown));
	if (grown == NULL)
		return -1;
	list->items = grown;
	command = strdup(process->command != NULL ? process->command :
						    process->name);
	if (command == NULL)
		return -1;
	grown[list->count++] = (struct run_process) {
		.pid = process->pid,
		.ppid = process->ppid,
		.pgid = process->pgid,
		.sid = process->sid,
		.age_ms = process->age_ms,
		.command = command,
	};
	return 0;
}

bool
result_is_dead(const struct grouper_process *process)
{
	return process->state == 'Z' || process->state == 'X';
}

/*
 * How a process came to outlive the command, judged by where it differs from
 * the process that it came from: its parent if that is a leak too, else the
 * command.  A daemon's parent is gone and it leads no session, though its
 * session is a new one.
 */
static const char *
judge(const struct run_process *process, const struct run_process *parent,
    pid_t sid, pid_t pgid)
{
	if (process->sid != sid)
		return process->pid == process->sid ? "new session" :
						      "double fork";
	if (process->pgid != pgid)
		return "own process group";
	return parent != NULL ? parent->how : "background job";
}

int
result_add_leaks(struct run_result *result,
    const struct grouper_processes *processes, bool shared)
{
	pid_t sid = getsid(0), pgid = getpgrp();
	const struct run_process *parent;
	struct run_process *leak;
	size_t i;

	/* Parents stand first: the first one's is the leader. */
	if (!shared && processes->count > 0) {
		sid = getsid(processes->items[0].ppid);
		pgid = result->pid;
	}
	for (i = 0; i < processes->count; i++) {
		if (result_is_dead(&processes->items[i]) ||
		    processes->items[i].dying)
			continue;
		if (add(&result->leaks, &processes->items[i]) != 0)
			return -1;
		leak = &result->leaks.items[result->leaks.count - 1];
		parent = find(&result->leaks, leak->ppid);
		if (parent == NULL)
			leak->how = judge(leak, NULL, sid, pgid);
		else
			leak->how = judge(leak, parent, parent->sid,
			    parent->pgid);
	}
	return 0;
}

static int
add_living(struct run_processes *list,
    const struct grouper_processes *processes)
{
	size_t i;

	for (i = 0; i < processes->count; i++)
		if (!result_is_dead(&processes->items[i]) &&
		    add(list, &processes->items[i]) != 0)
			return -1;
	return 0;
}

int
result_add_unkillable(struct run_result *result,
    const struct grouper_processes *processes)
{
	return add_living(&result->unkillable, processes);
}

int
result_add_late(struct run_result *result,
    const struct grouper_processes *processes)
{
	return add_living(&result->late, processes);
}

/* The command's own, as a shell gives it, and after --map-status. */
static struct run_end
command_end(const struct run_result *result, const struct run_options *options)
{
	struct run_end end = { 0, 0 };
	int status = result->not_run;

	if (status == 0 && result->ended) {
		if (WIFSIGNALED(result->status)) {
			end.signum = WTERMSIG(result->status);
			status = RUN_SIGNALLED + end.signum;
		} else {
			status = WEXITSTATUS(result->status);
		}
	}
	end.status = status;
	/* A command that never ran has no status of its own. */
	if (options->maps_status && result->not_run == 0 && result->ended &&
	    status < 256)
		end.status = options->status_map[status];
	/* Only what the keyboard sends is passed on as a signal. */
	if (end.status != status ||
	    (end.signum != SIGINT && end.signum != SIGQUIT))
		end.signum = 0;
	return end;
}

static bool
leaks_fail(const struct run_result *result, const struct run_options *options)
{
	return options->leaks == RUN_LEAKS_FAIL && result->leaks.count > 0;
}

struct run_end
result_end(const struct run_result *result, const struct run_options *options)
{
	struct run_end end = { 0, 0 };

	if (result->failed != 0)
		end.status = result->failed;
	else if (result->unkilled)
		end.status = RUN_LEAKED;
	else if (result->leader_died)
		end.status = RUN_LEADER_DIED;
	else if (result->timed_out)
		end.status = RUN_TIMED_OUT;
	else
		end = command_end(result, options);
	if (end.status == 0 && leaks_fail(result, options))
		end.status = RUN_LEAKED;
	return end;
}

size_t
result_causes(const struct run_result *result,
    const struct run_options *options, const char **causes)
{
	size_t n = 0;

	if (result->failed != 0)
		causes[n++] = "failed";
	if (result->unkilled)
		causes[n++] = "unkillable";
	if (result->leader_died)
		causes[n++] = "leader_died";
	if (result->timed_out)
		causes[n++] = "timeout";
	if (command_end(result, options).status != 0)
		causes[n++] = "command";
	if (leaks_fail(result, options))
		causes[n++] = "leaks";
	if (result->stopped)
		causes[n++] = "signal";
	return n;
}
