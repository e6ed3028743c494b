/* SPDX-License-Identifier: ISC */
/*
 * A member that is the only one of its key: it locks a file of that name, and
 * every process that it starts holds the lock as well.  One that cannot have
 * the lock at once met another incarnation, or what one left: it says so in
 * the file "twice".
 *
 *	sole DIRECTORY alone|few|deaf
 *
 * Ready by a newline on descriptor 3, if there is one; then it writes itself
 * into the file, and stays.
 */

#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_FD 3
#define FAILED 98
#define MET_ANOTHER 99

static void
die(const char *what)
{
	perror(what);
	_exit(FAILED);
}

static void
stay(void)
{
	for (;;)
		pause();
}

static int
open_lock(const char *directory, const char *key)
{
	char name[256], path[1024], *p;
	int fd;

	snprintf(name, sizeof(name), "%s", key);
	for (p = name; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	/* Not 3: that is for readiness, and may be free. */
	fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd == -1 || (fd = fcntl(fd, F_DUPFD, READY_FD + 1)) == -1)
		die(path);
	return fd;
}

static void
tell_of_another(const char *directory, const char *key, const char *holder)
{
	char path[1024], text[512];
	int fd, n;

	snprintf(path, sizeof(path), "%s/twice", directory);
	n = snprintf(text, sizeof(text), "%s: pid %d met %s", key,
	    (int)getpid(), holder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd == -1 || write(fd, text, (size_t)n) != n)
		die(path);
	_exit(MET_ANOTHER);
}

/* A child, and a daemon that only SIGKILL ends; returns the child. */
static pid_t
start_few(void)
{
	pid_t pid = fork(), daemon;

	if (pid == 0)
		stay();
	if ((daemon = fork()) == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0)
			stay();
		_exit(0);
	}
	if (pid == -1 || daemon == -1)
		die("fork");
	return pid;
}

int
main(int argc, char **argv)
{
	const char *key = getenv("GROUPER_KEY");
	bool has_ready = fcntl(READY_FD, F_GETFD) != -1;
	unsigned int starts = 0;
	char text[64] = "\n";
	pid_t child = 0;
	int fd;

	if (argc != 3 || key == NULL)
		return FAILED;
	signal(SIGCHLD, SIG_IGN);
	fd = open_lock(argv[1], key);
	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "%*d %u", &starts);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		tell_of_another(argv[1], key, text);
	if (strcmp(argv[2], "deaf") == 0)
		signal(SIGTERM, SIG_IGN);
	if (strcmp(argv[2], "alone") != 0)
		child = start_few();
	if (has_ready && write(READY_FD, "\n", 1) != 1)
		die("readiness");
	close(READY_FD);
	/* Of one length, so that no reader sees parts of two. */
	snprintf(text, sizeof(text), "%10d %10u %10d\n", (int)getpid(),
	    starts + 1, (int)child);
	if (pwrite(fd, text, strlen(text), 0) == -1)
		die("pwrite");
	stay();
}
