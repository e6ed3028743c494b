/* SPDX-License-Identifier: ISC */
/*
 * Leaves of the cgroup v2 tree, see cgroup.h and cgroups(7).
 */
#include "runtime/group/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/fd.h"

/* How deep below a leaf its members may have made cgroups of their own. */
#define DEPTH_MAX 16

/* The path after "0::" in /proc/self/cgroup. */
static int
own_path(char *path, size_t size)
{
	char text[PATH_MAX], *line, *end;
	ssize_t n;
	int fd;

	fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	fd_close(&fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	/* The unified hierarchy's line is the last, and on its own mostly. */
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (line == NULL) {
		errno = ENOENT;
		return -1;
	}
	line += *line == '\n' ? 4 : 3;
	end = strchrnul(line, '\n');
	if ((size_t)(end - line) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*end = '\0';
	strcpy(path, line);
	return 0;
}

/* Undoes the octal escapes of mountinfo, proc_pid_mountinfo(5). */
static void
unescape(char *text)
{
	char *from = text, *to = text;

	while (*from != '\0')
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    from[2] != '\0' && from[3] != '\0') {
			*to++ = (char)((from[1] - '0') * 64 +
			    (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	*to = '\0';
}

/* Where cgroup v2 is mounted, and which cgroup that mount shows as root. */
static int
find_mount(char *root, char *point, size_t size)
{
	char *line = NULL, *type;
	size_t room = 0;
	FILE *file;
	int found = -1;

	file = fopen("/proc/self/mountinfo", "re");
	if (file == NULL)
		return -1;
	while (found == -1 && getline(&line, &room, file) > 0) {
		type = strstr(line, " - ");
		if (type == NULL || strncmp(type, " - cgroup2 ", 11) != 0)
			continue;
		if (strlen(line) < size &&
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) == 2)
			found = 0;
	}
	free(line);
	fclose(file);
	if (found == -1)
		errno = ENOENT;
	unescape(root);
	unescape(point);
	return found;
}

int
cgroup_open_own(void)
{
	char path[PATH_MAX], root[PATH_MAX] = "", point[PATH_MAX] = "";
	const char *below = path;
	int mount, fd;

	if (own_path(path, sizeof(path)) == -1 ||
	    find_mount(root, point, sizeof(root)) == -1)
		return -1;
	if (strcmp(root, "/") != 0) {
		if (strncmp(path, root, strlen(root)) != 0) {
			errno = ENOENT;
			return -1;
		}
		below += strlen(root);
	}
	while (*below == '/')
		below++;
	mount = open(point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount == -1)
		return -1;
	fd = openat(mount, *below != '\0' ? below : ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_close(&mount);
	return fd;
}

static bool
has_delegate(const char *path)
{
	char value[2];
	ssize_t n;

	n = getxattr(path, "user.delegate", value, sizeof(value));
	if (n == -1 && errno == ENODATA)
		n = getxattr(path, "trusted.delegate", value, sizeof(value));
	return n == 1 && value[0] == '1';
}

bool
cgroup_is_delegated(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup",
		"/sys/fs/cgroup/unified" };
	char own[PATH_MAX], path[PATH_MAX];
	size_t i;

	if (own_path(own, sizeof(own)) == -1)
		return false;
	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		if (snprintf(path, sizeof(path), "%s%s", mounts[i], own) <
			(int)sizeof(path) &&
		    has_delegate(path))
			return true;
	return false;
}

int
cgroup_leaf_open(struct cgroup_leaf *leaf, int parent, const char *name)
{
	int saved;

	*leaf = (struct cgroup_leaf)CGROUP_LEAF_INIT;
	if (strlen(name) > CGROUP_NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(leaf->name, name);
	leaf->parent = fcntl(parent, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	leaf->dir = openat(parent, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (leaf->parent == -1 || leaf->dir == -1)
		goto fail;
	leaf->kill = openat(leaf->dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (leaf->kill == -1 && errno == ENOENT)
		errno = ENOSYS;
	if (leaf->kill == -1)
		goto fail;
	leaf->events = openat(leaf->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (leaf->events != -1)
		return 0;
fail:
	saved = errno;
	cgroup_leaf_close(leaf);
	errno = saved;
	return -1;
}

int
cgroup_leaf_make(struct cgroup_leaf *leaf, int parent, const char *name)
{
	int saved;

	if (mkdirat(parent, name, 0755) == -1)
		return -1;
	if (cgroup_leaf_open(leaf, parent, name) == 0)
		return 0;
	saved = errno;
	unlinkat(parent, name, AT_REMOVEDIR);
	errno = saved;
	return -1;
}

/* Whether a process is in a cgroup of that name, or below it. */
static bool
is_member(pid_t pid, const char *name)
{
	char path[32], text[PATH_MAX + 64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	fd_close(&fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, name) != NULL;
}

/* The handle is opened before the question: the pid may be another's. */
static void
kill_member(pid_t pid, const char *name)
{
	int pidfd = pid > 1 ? os_pidfd(pid) : -1;

	if (pidfd != -1 && is_member(pid, name))
		os_pidfd_signal(pidfd, SIGKILL);
	fd_close(&pidfd);
}

static void
kill_listed(int dir, const char *name)
{
	char text[4096];
	pid_t pid = 0;
	ssize_t n, i;
	int fd;

	fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	while (fd != -1 && (n = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < n; i++)
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
			} else {
				kill_member(pid, name);
				pid = 0;
			}
	fd_close(&fd);
}

int
cgroup_leaf_kill(const struct cgroup_leaf *leaf)
{
	return pwrite(leaf->kill, "1", 1, 0) == 1 ? 0 : -1;
}

typedef void below_fn(int parent, const char *name, int dir, const void *arg);

struct below {
	int dir;
	int depth;
	below_fn *fn;
	const void *arg;
};

static void each_below(const struct below *below);

static bool
on_below(const char *name, bool directory, void *arg)
{
	const struct below *below = arg;
	struct below child = *below;
	int dir;

	if (!directory || name[0] == '.')
		return true;
	dir = openat(below->dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir == -1)
		return true;
	child.dir = dir;
	child.depth++;
	each_below(&child);
	below->fn(below->dir, name, dir, below->arg);
	fd_close(&dir);
	return true;
}

/* Calls fn for each cgroup below dir, the deepest first. */
static void
each_below(const struct below *below)
{
	struct below copy = *below;

	if (below->depth == DEPTH_MAX || lseek(below->dir, 0, SEEK_SET) == -1)
		return;
	os_each_entry(below->dir, on_below, &copy);
}

static void
kill_below(int parent, const char *name, int dir, const void *arg)
{
	(void)parent;
	(void)name;
	kill_listed(dir, arg);
}

static void
remove_below(int parent, const char *name, int dir, const void *arg)
{
	(void)dir;
	(void)arg;
	unlinkat(parent, name, AT_REMOVEDIR);
}

void
cgroup_leaf_kill_listed(const struct cgroup_leaf *leaf)
{
	struct below below = { leaf->dir, 0, kill_below, leaf->name };

	each_below(&below);
	kill_listed(leaf->dir, leaf->name);
}

bool
cgroup_leaf_populated(const struct cgroup_leaf *leaf)
{
	char text[128];
	ssize_t n;

	n = pread(leaf->events, text, sizeof(text) - 1, 0);
	if (n == -1)
		return errno != ENODEV; /* ENODEV: the leaf was removed */
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

int
cgroup_leaf_remove(struct cgroup_leaf *leaf)
{
	struct below below = { leaf->dir, 0, remove_below, NULL };

	if (leaf->parent == -1)
		return 0;
	if (unlinkat(leaf->parent, leaf->name, AT_REMOVEDIR) == 0 ||
	    errno == ENOENT)
		return 0;
	if (leaf->dir != -1)
		each_below(&below);
	return unlinkat(leaf->parent, leaf->name, AT_REMOVEDIR);
}

void
cgroup_leaf_close(struct cgroup_leaf *leaf)
{
	fd_close(&leaf->parent);
	fd_close(&leaf->dir);
	fd_close(&leaf->kill);
	fd_close(&leaf->events);
}
