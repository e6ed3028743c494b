/* SPDX-License-Identifier: ISC */
/*
 * The options of a command's group, see launch.h.
 */
#include "runtime/supervise/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/group/steps.h"
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"

/* Of our own service manager's: no child is to speak for us. */
static const char *const our_own[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC",
	"WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES" };

static int
add_file(struct launch *launch, const char *path,
    const struct launch_hooks *hooks, char **why)
{
	char **list = hooks->read_env(path, why);
	size_t i;
	int result = 0;

	if (list == NULL)
		return -1;
	for (i = 0; list[i] != NULL; i++)
		if (environment_own(&launch->env, list[i]) == -1 ||
		    environment_put(&launch->env, list[i]) == -1)
			result = -1;
	free((void *)list);
	return result;
}

/* "NAME=VALUE", or a NAME that is to be removed. */
static int
apply_variable(struct launch *launch, char *var)
{
	return strchr(var, '=') != NULL ?
	    environment_put(&launch->env, var) :
	    environment_set(&launch->env, var, NULL);
}

static int
make_environment(struct launch *launch, const char *key,
    const struct spec_command *command, const struct launch_hooks *hooks,
    char **why)
{
	size_t i;

	if (environment_init(&launch->env) == -1)
		return -1;
	for (i = 0; i < sizeof(our_own) / sizeof(our_own[0]); i++)
		environment_set(&launch->env, our_own[i], NULL);
	for (i = 0; command->env_files != NULL && command->env_files[i] != NULL;
	     i++)
		if (add_file(launch, command->env_files[i], hooks, why) == -1)
			return -1;
	for (i = 0; command->env != NULL && command->env[i] != NULL; i++)
		if (apply_variable(launch, command->env[i]) == -1)
			return -1;
	return environment_set(&launch->env, "GROUPER_KEY", key);
}

static int
open_input(struct launch *launch, const char *path, char **why)
{
	int saved;

	if (path == NULL)
		return 0;
	launch->input = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (launch->input == -1) {
		saved = errno;
		if (asprintf(why, "standard input %s: %s", path,
			strerror(saved)) == -1)
			*why = NULL;
		return -1;
	}
	/* Only the open must not wait, for a FIFO's writer. */
	fcntl(launch->input, F_SETFL, 0);
	launch_add_fd(launch, launch->input, STDIN_FILENO);
	return 0;
}

static int
format_steps(struct launch *launch, const struct steps *steps)
{
	launch->shutdown = malloc(STEPS_TEXT_MAX);
	if (launch->shutdown == NULL)
		return -1;
	return steps_format(steps, launch->shutdown, STEPS_TEXT_MAX);
}

static void
fill(struct launch *launch, const char *key, const struct spec_command *command)
{
	struct grouper_options *options = &launch->options;

	options->key = key;
	options->argv = command->argv;
	options->envp = launch->env.vars;
	options->directory = command->directory;
	options->shutdown = launch->shutdown;
	options->contain = command->contain;
	options->session = GROUPER_SESSION_NEW;
	options->stop_target = command->stop_target;
	options->limits = command->limits;
	options->nlimits = command->nlimits;
	options->groups = launch->user.groups;
	options->ngroups = launch->user.ngroups;
	options->uid = launch->user.uid;
	options->gid = launch->user.gid;
	options->umask = command->umask;
	options->nice = command->nice;
	options->fds = launch->fds;
	if (command->worker && !command->force)
		options->flags |= GROUPER_WORKER;
	if (command->force)
		options->flags |= GROUPER_FORCE;
}

int
launch_init(struct launch *launch, const char *key,
    const struct spec_child *child, const struct launch_hooks *hooks,
    char **why)
{
	const struct spec_command *command = child->command;

	*why = NULL;
	*launch = (struct launch) { .options = GROUPER_OPTIONS_INIT,
		.user = { .uid = (uid_t)-1, .gid = (gid_t)-1 },
		.input = -1 };
	if (make_environment(launch, key, command, hooks, why) == -1 ||
	    format_steps(launch, &child->shutdown) == -1 ||
	    open_input(launch, command->input, why) == -1)
		return -1;
	if ((command->user != NULL || command->group != NULL) &&
	    hooks->find_user(command->user, command->group, &launch->user,
		why) == -1)
		return -1;
	fill(launch, key, command);
	return 0;
}

void
launch_fini(struct launch *launch)
{
	environment_fini(&launch->env);
	free(launch->user.groups);
	free(launch->shutdown);
	fd_close(&launch->input);
}

void
launch_add_fd(struct launch *launch, int source, int target)
{
	BUG_IF(launch->options.nfds == LAUNCH_FDS_MAX);
	launch->fds[launch->options.nfds++] = (struct grouper_fd) { source,
		target };
}
