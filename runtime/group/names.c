/* SPDX-License-Identifier: ISC */
/*
 * The files of a named host, see names.h.
 */
#include "runtime/group/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/parse.h"

/* Connections that wait for the host's loop. */
#define BACKLOG 128
#define SOCKET_SUFFIX ".sock"

/* Whether it is a directory of ours: sudo and su keep another user's. */
static bool
is_own_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid();
}

/* $XDG_RUNTIME_DIR, or NULL. */
static const char *
session_directory(void)
{
	const char *set = getenv("XDG_RUNTIME_DIR");

	if (set == NULL || (set[0] == '/' && is_own_directory(set)))
		return set;
	log_debug("XDG_RUNTIME_DIR is not used: %s is no directory of ours",
	    set);
	return NULL;
}

/* Members, which are told the path, may work in another directory. */
static int
whole_path(char *path, size_t size, const char *set)
{
	char *here = getcwd(NULL, 0);
	int n = here == NULL ? -1 : snprintf(path, size, "%s/%s", here, set);

	free(here);
	return n;
}

static int
choose_directory(char *path, size_t size)
{
	const char *set;
	int n;

	path[0] = '\0';
	set = getenv("GROUPER_RUNTIME_DIR");
	if (set != NULL && set[0] == '/')
		n = snprintf(path, size, "%s", set);
	else if (set != NULL && set[0] != '\0')
		n = whole_path(path, size, set);
	else if ((set = session_directory()) != NULL)
		n = snprintf(path, size, "%s/grouper", set);
	else if (geteuid() == 0)
		n = snprintf(path, size, "/run/grouper");
	else
		n = snprintf(path, size, "/tmp/grouper-%u", geteuid());
	if (n < 0)
		return -1;
	if ((size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

const char *
names_error(int error)
{
	return error == EPERM ? "it is another user's, or others may write" :
				strerror(error);
}

bool
names_why(char *why, size_t size)
{
	char directory[108];
	int saved = errno, error;

	error = names_directory(directory, sizeof(directory)) == -1 ? errno : 0;
	if (error != 0)
		snprintf(why, size, "the runtime directory %s: %s", directory,
		    names_error(error));
	errno = saved;
	return error != 0;
}

int
names_directory(char *path, size_t size)
{
	/* Children of root's under another uid may use the message verbs;
	 * the socket itself checks who asks. */
	mode_t mode = geteuid() == 0 ? 0711 : 0700;
	struct stat st;

	if (choose_directory(path, size) == -1)
		return -1;
	if (mkdir(path, mode) == 0)
		return chmod(path, mode); /* whatever the umask is */
	if (errno != EEXIST || lstat(path, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

/* The one place that waits for another host, see grouper_host_new(). */
static int
lock_file(int fd, const char *name)
{
	sigset_t ending, before;
	int result;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -1;
	log_warnx("waiting for the host '%s', which lives or is not empty yet",
	    name);
	sigemptyset(&ending);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGQUIT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &ending, &before);
	result = flock(fd, LOCK_EX);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* A lock counts only on the file that has the name still. */
static bool
is_current(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 &&
	    held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static int
take_lock(const char *path, const char *name)
{
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (fd == -1)
			return -1;
		if (lock_file(fd, name) == -1) {
			fd_close(&fd);
			return -1;
		}
		if (is_current(fd, path))
			return fd;
		fd_close(&fd);
	}
}

static int
lock_name(struct names *names, const char *directory)
{
	struct stat st;

	if (stat(directory, &st) == -1)
		return -1;
	names->device = st.st_dev;
	names->inode = st.st_ino;
	if (asprintf(&names->lock_path, "%s/%s.lock", directory, names->name) ==
	    -1) {
		names->lock_path = NULL;
		return -1;
	}
	names->lock = take_lock(names->lock_path, names->name);
	return names->lock == -1 ? -1 : 0;
}

/*
 * Asked for as a socket of another type, a living one answers EPROTOTYPE,
 * connect(2): it is not woken up, and may be one that does not listen yet.
 */
bool
names_is_dead(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, saved = errno;
	bool dead;

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	dead = connect(fd, (struct sockaddr *)&address, sizeof(address)) ==
		-1 &&
	    errno == ECONNREFUSED;
	fd_close(&fd);
	errno = saved;
	return dead;
}

int
names_listen(struct names *names)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t before;
	int fd, bound, saved;

	if (names->listener != -1)
		return 0;
	strcpy(address.sun_path, names->socket_path); /* claimed: it fits */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Whom root's host serves is decided by the peer's uid, since children
	 * under another uid may ask; everybody else's socket is their own. */
	before = umask(geteuid() == 0 ? 0 : 077);
	do
		bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	while (bound == -1 && errno == EADDRINUSE &&
	    /* A dead host's, if the name is ours; the pid in a transient
	     * one may also be that of another PID namespace's process. */
	    (names->lock != -1 || names_is_dead(names->socket_path)) &&
	    unlink(names->socket_path) == 0);
	umask(before);
	if (bound == 0 && listen(fd, BACKLOG) == -1) {
		saved = errno;
		unlink(names->socket_path);
		errno = saved;
		bound = -1;
	}
	if (bound == -1)
		fd_close(&fd);
	names->listener = fd;
	return fd == -1 ? -1 : 0;
}

int
names_claim(struct names *names, const char *name, bool transient)
{
	char directory[108];

	*names = (struct names)NAMES_INIT;
	if (!name_valid(name, NAMES_HOST_MAX, false)) {
		errno = EINVAL;
		return -1;
	}
	if (names_directory(directory, sizeof(directory)) == -1)
		return -1;
	strcpy(names->name, name);
	if (asprintf(&names->socket_path, "%s/%s" SOCKET_SUFFIX, directory,
		name) == -1) {
		names->socket_path = NULL;
		goto fail;
	}
	if (strlen(names->socket_path) >=
	    sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	if (!transient && lock_name(names, directory) == -1)
		goto fail;
	return 0;
fail:
	names_release(names, true);
	return -1;
}

void
names_unlisten(struct names *names)
{
	if (names->listener == -1 || names->socket_path == NULL)
		return;
	unlink(names->socket_path);
	fd_close(&names->listener);
}

/* By its name the socket of a transient host. */
static bool
is_transient(const char *name)
{
	int pid, end = 0;

	return sscanf(name, NAMES_TRANSIENT SOCKET_SUFFIX "%n", &pid, &end) ==
	    1 &&
	    end > 0 && name[end] == '\0';
}

bool
names_is_socket(const char *name)
{
	size_t length = strlen(name), suffix = strlen(SOCKET_SUFFIX);

	return length > suffix &&
	    strcmp(name + length - suffix, SOCKET_SUFFIX) == 0;
}

struct neighbours {
	const char *own;
	char path[108 + NAME_MAX + 2];
	size_t directory; /* length of that part of the path */
	bool none;
};

static bool
on_neighbour(const char *name, bool directory, void *arg)
{
	struct neighbours *found = arg;

	(void)directory;
	if (!names_is_socket(name) || strcmp(name, found->own) == 0)
		return true;
	snprintf(found->path + found->directory,
	    sizeof(found->path) - found->directory, "%s", name);
	found->none = names_is_dead(found->path);
	/* Nobody takes the name of a transient one over, whatever process has
	 * its pid by now; one of a lock's name may be about to. */
	if (found->none && is_transient(name))
		unlink(found->path);
	return found->none;
}

bool
names_alone(const struct names *names)
{
	struct neighbours found = { .none = true };
	int dir;

	found.own = strrchr(names->socket_path, '/') + 1;
	found.directory = (size_t)(found.own - names->socket_path);
	snprintf(found.path, sizeof(found.path), "%.*s", (int)found.directory,
	    names->socket_path);
	dir = open(found.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return false;
	if (os_each_entry(dir, on_neighbour, &found) == -1)
		found.none = false;
	fd_close(&dir);
	return found.none;
}

void
names_release(struct names *names, bool keep_lock)
{
	int saved = errno;

	names_unlisten(names);
	if (names->lock != -1 && names->lock_path != NULL && !keep_lock)
		unlink(names->lock_path);
	fd_close(&names->lock);
	free(names->lock_path);
	free(names->socket_path);
	*names = (struct names)NAMES_INIT;
	errno = saved;
}
