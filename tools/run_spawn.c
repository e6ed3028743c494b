/* SPDX-License-Identifier: ISC */
/*
 * What was spawned beside a run, see run_spawn.h: an empty supervisor tree on
 * its host, made when the first client comes, since few runs have any.
 */
#include "tools/run_spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/group/names.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/util/clock.h"
#include "runtime/util/log.h"
#include "tools/run.h"
#include "tools/supervise_tree.h"
#include "tools/tool.h"

struct run_spawn {
	struct run *run;
	struct supervisor *supervisor;
	struct control *control;
	bool stopping;
	bool killing;
	bool over;
};

/* Of the exit statuses of a tree, those that say more than that it failed. */
#define TREE_LEADER_DIED 120
#define TREE_UNKILLABLE 123

static void
note_end(struct run_result *result, int status)
{
	switch (status) {
	case 0:
		break;
	case TREE_LEADER_DIED:
		result->leader_died = true;
		break;
	case TREE_UNKILLABLE:
		result->unkilled = true;
		break;
	default:
		result->failed = RUN_FAILED;
		break;
	}
}

static void
on_end(int status, const char *text, void *arg)
{
	struct run_spawn *spawn = arg;
	struct run *run = spawn->run;

	spawn->over = true;
	note_end(&run->result, status);
	if (status != 0)
		tool_error("run", "%s", text);
	/* What goes wrong with them ends the run as it ends a tree. */
	if (!spawn->stopping)
		run_stop(run, NULL);
	run_on_spawned_over(run);
}

static void
on_change(void *arg)
{
	struct run_spawn *spawn = arg;

	if (spawn->control != NULL)
		control_changed(spawn->control);
}

static void
on_ended(const char *key, int status, void *arg)
{
	struct run_spawn *spawn = arg;

	control_ended(spawn->control, key, status);
}

static void
on_failed(const char *key, const char *why, void *arg)
{
	struct run_spawn *spawn = arg;

	control_failed(spawn->control, key, why);
}

static enum grouper_error
reload(json_t **ignored, char **why, void *arg)
{
	(void)ignored;
	(void)arg;
	*why = strdup("there is no tree file");
	return GROUPER_INVALID;
}

static struct supervisor *
make_supervisor(struct run_spawn *spawn)
{
	char directory[108];
	struct spec_tree tree = { .name = NULL };
	struct supervisor_options options = { .host = spawn->run->host,
		.tree = &tree,
		.hooks = &tree_hooks,
		.directory = directory,
		.log = SPEC_LOG_PREFIX,
		.output = STDERR_FILENO, /* the output is the command's */
		.on_end = on_end,
		.on_change = on_change,
		.on_ended = on_ended,
		.on_failed = on_failed,
		.arg = spawn };

	spec_supervisor_init(&tree.root);
	if (names_directory(directory, sizeof(directory)) == -1)
		return NULL;
	if (getrandom(&options.seed, sizeof(options.seed), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(options.seed))
		options.seed = (uint64_t)clock_us();
	return supervisor_new(&options);
}

const struct server_methods *
run_spawn_methods(void *arg)
{
	struct run *run = arg;
	struct run_spawn *spawn = NULL;

	/* What would be spawned now would have to stop at once. */
	if (!run->result.ended && !run->over)
		spawn = calloc(1, sizeof(*spawn));
	if (spawn == NULL)
		return NULL;
	spawn->run = run;
	spawn->supervisor = make_supervisor(spawn);
	if (spawn->supervisor != NULL)
		spawn->control = control_new(spawn->supervisor, reload, spawn);
	if (spawn->control == NULL) {
		log_warn("groups cannot be spawned");
		run_spawn_free(spawn);
		return NULL;
	}
	run->spawn = spawn;
	supervisor_boot(spawn->supervisor);
	return control_methods(spawn->control);
}

void
run_spawn_stop(struct run_spawn *spawn, bool kill)
{
	if (spawn == NULL || spawn->over || (spawn->stopping && !kill) ||
	    spawn->killing)
		return;
	spawn->stopping = true;
	spawn->killing = kill;
	supervisor_shutdown(spawn->supervisor, kill);
}

bool
run_spawn_over(const struct run_spawn *spawn)
{
	return spawn == NULL || spawn->over;
}

void
run_spawn_free(struct run_spawn *spawn)
{
	if (spawn == NULL)
		return;
	control_free(spawn->control);
	supervisor_free(spawn->supervisor);
	free(spawn);
}
