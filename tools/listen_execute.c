/* SPDX-License-Identifier: ISC */
/*
 * What grouper listen runs for an event, see listen.h.
 */
#include "tools/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/util/parse.h"
#include "tools/tool.h"

/* 0, or -1 with errno. */
static int
set_variables(const struct heard *heard)
{
	char seq[24];

	snprintf(seq, sizeof(seq), "%" PRIu64, heard->seq);
	if (setenv("GROUPER_SEQ", seq, 1) == -1 ||
	    setenv("GROUPER_TOPIC", heard->topic, 1) == -1 ||
	    setenv("GROUPER_EVENT", heard->event, 1) == -1)
		return -1;
	return setenv("GROUPER_FROM", heard->from != NULL ? heard->from : "",
	    1);
}

/*
 * A file without a name, not a pipe: a command that does not read must not
 * keep us from waiting for it.  NULL with errno.
 */
static FILE *
write_payload(const struct heard *heard)
{
	FILE *file = tmpfile();

	if (file == NULL)
		return NULL;
	if (fwrite(heard->payload, 1, heard->length, file) == heard->length &&
	    fflush(file) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0)
		return file;
	fclose(file);
	return NULL;
}

/* 0, or an error number. */
static int
start(const char *command, int input, pid_t *pid)
{
	char shell[] = "sh", option[] = "-c";
	char *words[] = { shell, option, (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (error == 0 && input != STDIN_FILENO)
		error = posix_spawn_file_actions_addclose(&actions, input);
	if (error == 0)
		error = posix_spawnp(pid, "sh", &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* The exit status of a shell for it. */
static int
await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR) {
			tool_error("listen", "wait: %s", strerror(errno));
			return TOOL_NO;
		}
	if (WIFSIGNALED(status)) {
		tool_error("listen", "the command was ended by SIG%s",
		    signal_name(WTERMSIG(status)));
		return 128 + WTERMSIG(status);
	}
	if (WEXITSTATUS(status) == 0)
		return LISTEN_ON;
	tool_error("listen", "the command ended with status %d",
	    WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

int
listen_execute(const char *command, const struct heard *heard)
{
	FILE *payload = write_payload(heard);
	pid_t pid = -1;
	int error;

	if (payload == NULL || set_variables(heard) == -1)
		error = errno;
	else
		error = start(command, fileno(payload), &pid);
	if (payload != NULL)
		fclose(payload);
	if (error == 0)
		return await(pid);
	tool_error("listen", "cannot run the command: %s", strerror(error));
	return TOOL_NO;
}
