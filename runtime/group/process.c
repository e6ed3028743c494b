/* SPDX-License-Identifier: ISC */
/*
 * Lists of processes for people and reports, see grouper/process.h.
 */
#include <grouper/process.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIBBSD_OPENBSD_VIS /* only strvisx() is used, which all agree on */
#include <vis.h>

#include "runtime/group/walk.h"
#include "runtime/util/fd.h"

/* Enough to know a command by; what is longer is cut. */
#define COMMAND_MAX 4096

struct gather {
	struct grouper_processes *list;
	size_t room;
	const struct walk *walk;
	int64_t boot_ms;
	int64_t ticks;
	bool failed;
};

/* The arguments of a process; NULL with errno. */
static char *
read_command(const struct walk *walk, const struct os_stat *stat)
{
	char path[32], raw[COMMAND_MAX], *text;
	ssize_t n = 0, i;
	int fd;

	snprintf(path, sizeof(path), "%d/cmdline", (int)stat->pid);
	fd = walk->proc.dir == -1 ?
	    -1 :
	    openat(walk->proc.dir, path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		n = read(fd, raw, sizeof(raw));
	fd_close(&fd);
	while (n > 0 && raw[n - 1] == '\0')
		n--;
	if (n <= 0) { /* a zombie, or one that cleared it */
		n = snprintf(raw, sizeof(raw), "[%s]", stat->name);
	} else {
		for (i = 0; i < n; i++)
			if (raw[i] == '\0')
				raw[i] = ' ';
	}
	text = malloc((size_t)n * 4 + 1);
	if (text != NULL)
		strvisx(text, raw, (size_t)n, VIS_CSTYLE | VIS_NL | VIS_TAB);
	return text;
}

static void
fill(struct grouper_process *process, const struct gather *gather,
    const struct walk_found *found)
{
	const struct os_stat *stat = found->stat;
	int64_t tick_ms = 1000 / gather->ticks;
	char path[16];
	struct stat owner;

	memset(process, 0, sizeof(*process));
	process->pid = stat->pid;
	process->ppid = stat->ppid;
	process->pgid = stat->pgid;
	process->sid = stat->sid;
	process->state = stat->state;
	process->start_ticks = stat->start_ticks;
	process->age_ms = gather->boot_ms -
	    (int64_t)stat->start_ticks * 1000 / gather->ticks;
	if (process->age_ms < 0)
		process->age_ms = 0;
	if (stat->start_ticks == 0)
		process->age_ms = -1;
	process->user_ms = (int64_t)stat->user_ticks * tick_ms;
	process->system_ms = (int64_t)stat->system_ticks * tick_ms;
	process->memory = stat->pages * (uint64_t)sysconf(_SC_PAGESIZE);
	process->depth = found->depth;
	process->dying = stat->dying;
	memcpy(process->name, stat->name, sizeof(process->name));
	snprintf(path, sizeof(path), "%d", (int)stat->pid);
	process->uid = (uid_t)-1;
	if (gather->walk->proc.dir != -1 &&
	    fstatat(gather->walk->proc.dir, path, &owner, 0) == 0)
		process->uid = owner.st_uid;
}

static void
on_found(const struct walk_found *found, void *arg)
{
	struct gather *gather = arg;
	struct grouper_processes *list = gather->list;
	struct grouper_process *grown;

	if (gather->failed)
		return;
	if (list->count == gather->room) {
		gather->room = gather->room == 0 ? 16 : gather->room * 2;
		grown = reallocarray(list->items, gather->room,
		    sizeof(*list->items));
		if (grown == NULL) {
			gather->failed = true;
			return;
		}
		list->items = grown;
	}
	grown = &list->items[list->count];
	fill(grown, gather, found);
	grown->command = read_command(gather->walk, found->stat);
	if (grown->command == NULL)
		gather->failed = true;
	else
		list->count++;
}

enum grouper_error
grouper_descendants(pid_t pid, struct grouper_processes *list)
{
	struct walk walk = { .proc = { -1, -1 } };
	struct gather gather = { .list = list, .walk = &walk };
	enum grouper_error error = GROUPER_SYSTEM;
	struct timespec boot;
	int result;

	if (list == NULL)
		return GROUPER_INVALID;
	memset(list, 0, sizeof(*list));
	if (pid < 0)
		return GROUPER_INVALID;
	if (pid != 0 && kill(pid, 0) == -1 && errno == ESRCH)
		return GROUPER_NOT_FOUND;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	gather.boot_ms = (int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000;
	gather.ticks = sysconf(_SC_CLK_TCK);
	if (walk_init(&walk) == 0) {
		result = walk_run(&walk, pid, on_found, &gather);
		if (gather.failed)
			errno = ENOMEM;
		else if (result == -1 && (errno == ESRCH || errno == ENOENT))
			error = GROUPER_NOT_FOUND;
		else if (result != -1)
			error = GROUPER_OK;
		list->complete = result == 0;
	}
	result = errno;
	walk_fini(&walk);
	if (error != GROUPER_OK)
		grouper_processes_free(list);
	errno = result;
	return error;
}

void
grouper_processes_free(struct grouper_processes *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i].command);
	free(list->items);
	memset(list, 0, sizeof(*list));
}
