/* SPDX-License-Identifier: ISC */
/*
 * What the commands of an incarnation are given, beside what is in their
 * specification.
 */
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/supervise/incarnation_private.h"

static bool
has_own(const struct incarnation *run, int fd)
{
	return run->fds != NULL && run->fds[fd] != -1;
}

void
incarnation_add_output(const struct incarnation *run, struct launch *launch)
{
	int fd, source;

	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		source = run->output != -1 ? run->output : fd;
		launch_add_fd(launch, has_own(run, fd) ? run->fds[fd] : source,
		    fd);
	}
}

void
incarnation_add_own(const struct incarnation *run, struct launch *launch)
{
	if (has_own(run, STDIN_FILENO))
		launch_add_fd(launch, run->fds[STDIN_FILENO], STDIN_FILENO);
	incarnation_add_output(run, launch);
}

int
incarnation_name_host(const struct incarnation *run, struct launch *launch)
{
	if (host_name_in(run->host, &launch->env) == -1)
		return -1;
	launch->options.envp = launch->env.vars;
	return 0;
}
