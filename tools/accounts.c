/* SPDX-License-Identifier: ISC */
/*
 * Users and groups by name: see accounts.h.
 */
#include "tools/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/parse.h"

#define ID_MAX ((int64_t)UINT32_MAX - 1)

/* More than any entry has. */
#define ANSWER_MAX ((size_t)1024 * 1024)

/* The host does nothing else meanwhile; a server far away may be slow. */
#define ANSWER_MS 5000

static int
spawn_getent(pid_t *pid, int output, const char *database, const char *key)
{
	const char *words[] = { "getent", "--", database, key, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, output,
	    STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
		    "/dev/null", O_RDONLY, 0);
	/* What it does not know it says on standard error. */
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions,
		    STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawnp(pid, words[0], &actions, NULL,
		    (char *const *)(uintptr_t)words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/*
 * How getent(1) ended, which is killed at the deadline: it may hang though it
 * closed its output.  False if that was so.
 */
static bool
reap(pid_t pid, int64_t deadline, int *status)
{
	int handle = os_pidfd(pid);
	bool ended;

	ended = handle == -1 || fd_await(handle, POLLIN, deadline) != 0;
	fd_close(&handle);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		;
	return ended;
}

/*
 * All that a getent(1) writes to *output, which is closed: it must not wait
 * for us when we wait for its end.  NULL with errno, ETIMEDOUT if it hangs.
 */
static char *
take_answer(pid_t pid, int *output, int *status)
{
	int64_t deadline = clock_deadline(ANSWER_MS);
	size_t length;
	char *text;
	int error;

	text = fd_read_until(*output, ANSWER_MAX, deadline, &length);
	error = text == NULL ? errno : 0;
	fd_close(output);
	if (text == NULL)
		kill(pid, SIGKILL);
	if (!reap(pid, deadline, status))
		error = ETIMEDOUT;
	if (error == 0)
		return text;
	free(text);
	errno = error;
	return NULL;
}

/*
 * What getent(1) answers, "" if it knows nothing; to be freed.  NULL with
 * errno: ETIMEDOUT if no answer comes, else it cannot be asked, or not for
 * this database.
 */
static char *
ask(const char *database, const char *key)
{
	int ends[2], status = -1, error;
	char *text = NULL;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return NULL;
	error = spawn_getent(&pid, ends[1], database, key);
	fd_close(&ends[1]);
	if (error == 0 && (text = take_answer(pid, &ends[0], &status)) == NULL)
		error = errno;
	fd_close(&ends[0]);
	/* 2: it knows the database, but not the key. */
	if (text != NULL && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2))
		return text;
	free(text);
	errno = error != 0 ? error : ENOTSUP;
	return NULL;
}

/*
 * Lines of a database that hold what is looked for, if there is such an
 * entry.  *text is what they are read from, to be freed after the stream.
 */
static FILE *
look_up(const char *database, const char *key, const char *file, char **text)
{
	*text = ask(database, key);
	if (*text == NULL && errno == ETIMEDOUT)
		return NULL;
	if (*text == NULL)
		return fopen(file, "re");
	/* A stream of no bytes cannot be opened everywhere. */
	return fmemopen(*text, strlen(*text) + 1, "r");
}

int
account_user(const char *text, struct account *account)
{
	const struct passwd *entry;
	int64_t number = -1;
	bool found = false;
	char *answer;
	FILE *stream;

	stream = look_up("passwd", text, "/etc/passwd", &answer);
	if (stream == NULL) {
		free(answer);
		return -1;
	}
	if (parse_int(text, 0, ID_MAX, &number) != 0)
		number = -1;
	while (!found && (entry = fgetpwent(stream)) != NULL) {
		found = strcmp(entry->pw_name, text) == 0 ||
		    (int64_t)entry->pw_uid == number;
		if (found) {
			account->uid = entry->pw_uid;
			account->gid = entry->pw_gid;
			strlcpy(account->name, entry->pw_name,
			    sizeof(account->name));
		}
	}
	fclose(stream);
	free(answer);
	if (!found)
		errno = ENOENT;
	return found ? 0 : -1;
}

int
account_group(const char *name, gid_t *gid)
{
	const struct group *entry;
	bool found = false;
	char *answer;
	FILE *stream;

	stream = look_up("group", name, "/etc/group", &answer);
	if (stream == NULL) {
		free(answer);
		return -1;
	}
	while (!found && (entry = fgetgrent(stream)) != NULL) {
		found = strcmp(entry->gr_name, name) == 0;
		if (found)
			*gid = entry->gr_gid;
	}
	fclose(stream);
	free(answer);
	if (!found)
		errno = ENOENT;
	return found ? 0 : -1;
}

static int
add(gid_t **groups, size_t *count, gid_t gid)
{
	gid_t *grown;
	size_t i;

	for (i = 0; i < *count; i++)
		if ((*groups)[i] == gid)
			return 0;
	grown = reallocarray(*groups, *count + 1, sizeof(*grown));
	if (grown == NULL)
		return -1;
	grown[(*count)++] = gid;
	*groups = grown;
	return 0;
}

/* "name 4 24 27", as getent answers. */
static int
add_list(char *text, gid_t **groups, size_t *count)
{
	int64_t gid;
	char *word;

	text += strcspn(text, " "); /* the name */
	while ((word = strsep(&text, " \n")) != NULL)
		if (parse_int(word, 0, ID_MAX, &gid) == 0 &&
		    add(groups, count, (gid_t)gid) != 0)
			return -1;
	return 0;
}

static bool
is_member(const struct group *entry, const char *name)
{
	size_t i;

	for (i = 0; entry->gr_mem[i] != NULL; i++)
		if (strcmp(entry->gr_mem[i], name) == 0)
			return true;
	return false;
}

static int
read_groups(const char *name, gid_t **groups, size_t *count)
{
	const struct group *entry;
	FILE *stream;
	int result = 0;

	stream = fopen("/etc/group", "re");
	if (stream == NULL)
		return errno == ENOENT ? 0 : -1;
	while (result == 0 && (entry = fgetgrent(stream)) != NULL)
		if (is_member(entry, name))
			result = add(groups, count, entry->gr_gid);
	fclose(stream);
	return result;
}

int
account_groups(const struct account *account, gid_t gid, gid_t **groups,
    size_t *count)
{
	char *answer;
	int result;

	*groups = NULL;
	*count = 0;
	if (add(groups, count, gid) != 0)
		return -1;
	answer = ask("initgroups", account->name);
	if (answer != NULL)
		result = add_list(answer, groups, count);
	else if (errno == ETIMEDOUT)
		result = -1;
	else
		result = read_groups(account->name, groups, count);
	free(answer);
	return result;
}
