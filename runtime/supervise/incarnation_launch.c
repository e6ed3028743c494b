/* SPDX-License-Identifier: ISC */
/*
 * What the commands of an incarnation are given, beside what is in their
 * specification.
 */
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/supervise/incarnation_private.h"

void
incarnation_add_output(const struct incarnation *run, struct launch *launch)
{
	int fd = run->output != -1 ? run->output : STDOUT_FILENO;

	launch_add_fd(launch, fd, STDOUT_FILENO);
	launch_add_fd(launch, run->output != -1 ? fd : STDERR_FILENO,
	    STDERR_FILENO);
}

void
incarnation_add_own(const struct incarnation *run, struct launch *launch)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (run->fds != NULL && run->fds[fd] != -1)
			launch_add_fd(launch, run->fds[fd], fd);
		else if (fd != STDIN_FILENO)
			launch_add_fd(launch,
			    run->output != -1 ? run->output : fd, fd);
}

int
incarnation_name_host(const struct incarnation *run, struct launch *launch)
{
	const char *socket = host_socket(run->host);
	const char *name = host_name(run->host);

	if (environment_set(&launch->env, "GROUPER_SOCKET",
		*socket != '\0' ? socket : NULL) == -1 ||
	    environment_set(&launch->env, "GROUPER_HOST",
		*name != '\0' ? name : NULL) == -1)
		return -1;
	launch->options.envp = launch->env.vars;
	return 0;
}
