/* SPDX-License-Identifier: ISC */
/*
 * A private TMPDIR: see run_tmpdir.h.
 */
#include "tools/run_tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Directories deeper than this are moved up, so that descriptors suffice. */
#define DEPTH_MAX 32

struct removal {
	DIR *level[DEPTH_MAX];
	char name[DEPTH_MAX][NAME_MAX + 1]; /* of level n in level n - 1 */
	size_t depth;			    /* of the current level */
	unsigned long serial;		    /* of names at the top */
	bool moved;
	int error;
};

char *
tmpdir_make(uid_t uid, gid_t gid)
{
	const char *base = getenv("TMPDIR");
	char *path, *whole = NULL;
	int n;

	if (base == NULL || *base == '\0')
		base = "/tmp";
	/* The command may run elsewhere. */
	if (*base != '/') {
		whole = realpath(base, NULL);
		if (whole == NULL)
			return NULL;
		base = whole;
	}
	n = asprintf(&path, "%s/grouper-XXXXXX", base);
	free(whole);
	if (n == -1)
		return NULL;
	if (mkdtemp(path) == NULL) {
		free(path);
		return NULL;
	}
	if ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    chown(path, uid, gid) == -1) {
		rmdir(path);
		free(path);
		return NULL;
	}
	return path;
}

static void
note(struct removal *removal)
{
	if (removal->error == 0 && errno != ENOENT)
		removal->error = errno;
}

/* Opens a directory for removing; -1 with errno, EXDEV if a mount is there. */
static int
open_below(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV |
		    RESOLVE_NO_SYMLINKS,
	};

	struct stat parent, st;
	int fd;

	fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (fd != -1 || errno != ENOSYS)
		return fd;
	/* A sandbox may not know the call; bind mounts are not seen then. */
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 ||
	    (fstat(dir, &parent) == 0 && fstat(fd, &st) == 0 &&
		parent.st_dev == st.st_dev))
		return fd;
	close(fd);
	errno = EXDEV;
	return -1;
}

/* The same, where permissions are in the way. */
static int
open_directory(int dir, const char *name)
{
	struct stat st;
	int fd;

	fd = open_below(dir, name);
	if (fd == -1 && errno == EACCES &&
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode) && fchmodat(dir, name, 0700, 0) == 0)
		fd = open_below(dir, name);
	/* To open takes r, to remove what is in it w and x. */
	if (fd != -1 && fstat(fd, &st) == 0 &&
	    (st.st_mode & S_IRWXU) != S_IRWXU)
		fchmod(fd, (st.st_mode & 07777) | S_IRWXU);
	return fd;
}

/* Goes into a directory of the current level; false if it cannot. */
static bool
enter(struct removal *removal, int dir, const char *name)
{
	DIR *stream;
	int fd;

	fd = open_directory(dir, name);
	if (fd == -1)
		return false;
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return false;
	}
	removal->depth++;
	removal->level[removal->depth] = stream;
	strcpy(removal->name[removal->depth], name);
	return true;
}

/* Too deep: to the top of the tree, where it is met again. */
static void
move_up(struct removal *removal, int dir, const char *name)
{
	int top = dirfd(removal->level[0]), fd;
	char fresh[64];

	/* To move a directory takes write permission in it. */
	fd = open_directory(dir, name);
	if (fd == -1) {
		note(removal);
		return;
	}
	close(fd);
	do {
		snprintf(fresh, sizeof(fresh), ".grouper.%lu",
		    removal->serial++);
	} while (faccessat(top, fresh, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(dir, name, top, fresh) == 0)
		removal->moved = true;
	else
		note(removal);
}

/* One entry of the current level. */
static void
remove_entry(struct removal *removal, const char *name)
{
	int dir = dirfd(removal->level[removal->depth]);
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	/* Asked for first: root could unlink a directory on some systems. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		note(removal);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dir, name, 0) == -1)
			note(removal);
		return;
	}
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return;
	if (removal->depth == DEPTH_MAX - 1)
		move_up(removal, dir, name);
	else if (!enter(removal, dir, name))
		note(removal);
}

/* Leaves the current level, which is empty as far as it could be emptied. */
static void
leave(struct removal *removal)
{
	size_t depth = removal->depth--;

	closedir(removal->level[depth]);
	if (unlinkat(dirfd(removal->level[depth - 1]), removal->name[depth],
		AT_REMOVEDIR) == -1)
		note(removal);
}

/* Everything below the top, once.  Removing while reading may skip some. */
static void
pass(struct removal *removal)
{
	struct dirent *entry;

	rewinddir(removal->level[0]);
	for (;;) {
		entry = readdir(removal->level[removal->depth]);
		if (entry != NULL)
			remove_entry(removal, entry->d_name);
		else if (removal->depth > 0)
			leave(removal);
		else
			break;
	}
}

/* Its parts are ours or the user's: only the last one must be no link. */
static DIR *
open_top(const char *path)
{
	struct stat st;
	DIR *stream;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == EACCES && lstat(path, &st) == 0 &&
	    S_ISDIR(st.st_mode) && chmod(path, 0700) == 0)
		fd = open(path,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	fchmod(fd, 0700);
	stream = fdopendir(fd);
	if (stream == NULL)
		close(fd);
	return stream;
}

int
tmpdir_remove(const char *path)
{
	struct removal *removal;
	int error;

	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	removal = calloc(1, sizeof(*removal));
	if (removal == NULL)
		return -1;
	removal->level[0] = open_top(path);
	if (removal->level[0] == NULL) {
		error = errno;
		free(removal);
		errno = error;
		return -1;
	}
	/*
	 * Again as long as something was moved up.  What made a directory
	 * not empty in the last pass only is no failure then.
	 */
	do {
		removal->moved = false;
		removal->error = 0;
		pass(removal);
	} while (removal->moved);
	error = removal->error;
	closedir(removal->level[0]);
	free(removal);
	if (rmdir(path) == 0)
		return 0;
	errno = error != 0 ? error : errno;
	return -1;
}
