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

#include "runtime/group/own_cgroup.h"
#include "runtime/os/os.h"
#include "runtime/util/fd.h"

/* How deep below a leaf its members may have made cgroups of their own. */
#define DEPTH_MAX 16
/* Of /proc/self/cgroup: a line for each hierarchy, of PATH_MAX at most. */
#define OWN_TEXT_MAX (1024 * 1024)

/* To be freed; NULL with errno. */
static char *
own_path(void)
{
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	char *text = NULL, *path = NULL;
	size_t length;

	if (fd != -1)
		text = fd_read_all(fd, OWN_TEXT_MAX, &length);
	fd_close(&fd);
	if (text != NULL)
		path = own_cgroup_path(text);
	free(text);
	return path;
}

static int
find_own(struct own_cgroup *own)
{
	char *path = own_path();
	FILE *file;
	int result;

	if (path == NULL)
		return -1;
	file = fopen("/proc/self/mountinfo", "re");
	if (file == NULL) {
		free(path);
		return -1;
	}
	result = own_cgroup_find(own, path, file);
	fclose(file);
	free(path);
	return result;
}

int
cgroup_open_own(void)
{
	struct own_cgroup own;
	int mount, fd = -1;

	if (find_own(&own) == -1)
		return -1;
	mount = open(own.mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount != -1)
		fd = openat(mount, own.below,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_close(&mount);
	own_cgroup_fini(&own);
	return fd;
}

static bool
has_delegate(const char *path)
{
	char value[2];
	ssize_t n;

	/* Most have none at all: one look instead of two, at each start. */
	if (listxattr(path, NULL, 0) == 0)
		return false;
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
	char *own = own_path(), *path;
	bool is = false;
	size_t i;

	for (i = 0; own != NULL && i < sizeof(mounts) / sizeof(mounts[0]); i++)
		if (asprintf(&path, "%s%s", mounts[i], own) != -1) {
			is = is || has_delegate(path);
			free(path);
		}
	free(own);
	return is;
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
