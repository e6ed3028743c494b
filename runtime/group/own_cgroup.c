/* SPDX-License-Identifier: ISC */
/*
 * Where a process's own cgroup v2 is, see own_cgroup.h.
 */
#include "runtime/group/own_cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *
own_cgroup_path(const char *cgroup)
{
	const char *line = cgroup;

	/* No name of a cgroup holds a newline: cgroup_mkdir() refuses it. */
	while (strncmp(line, "0::/", 4) != 0) {
		line = strchr(line, '\n');
		if (line == NULL) {
			errno = ENOENT;
			return NULL;
		}
		line++;
	}
	line += 3;
	return strndup(line, strcspn(line, "\n"));
}

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Undoes the escapes of mountinfo: three octal digits. */
static void
unescape(char *text)
{
	char *from = text, *to = text;

	while (*from != '\0')
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    is_octal(from[2]) && is_octal(from[3])) {
			*to++ = (char)((from[1] - '0') * 64 +
			    (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	*to = '\0';
}

/*
 * Whether a line tells of cgroup v2: which cgroup is seen where.  Blanks end a
 * field, and a dash those whose number is not known.
 */
static bool
parse_mount(char *line, char **root, char **point)
{
	char *field;
	int i;

	for (i = 0; i < 3; i++)
		strsep(&line, " ");
	*root = strsep(&line, " ");
	*point = strsep(&line, " ");
	do
		field = strsep(&line, " ");
	while (field != NULL && strcmp(field, "-") != 0);
	field = strsep(&line, " ");
	if (field == NULL || strcmp(field, "cgroup2") != 0)
		return false;
	unescape(*root);
	unescape(*point);
	return **root == '/' && **point == '/';
}

/* Whether a part of a path is "..". */
static bool
leads_up(const char *path)
{
	size_t length;

	for (; *path != '\0'; path += length + (path[length] == '/')) {
		length = strcspn(path, "/");
		if (length == 2 && strncmp(path, "..", 2) == 0)
			return true;
	}
	return false;
}

/*
 * The way from one cgroup to another that is it, or lies in it; else NULL.
 * What is outside of our cgroup namespace has a path that leads up from its
 * root, cgroup_namespaces(7): behind a mount's point that would be a directory
 * of something else.
 */
static const char *
way_from(const char *root, const char *path)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(path, root, length) != 0 ||
	    (path[length] != '/' && path[length] != '\0'))
		return NULL;
	path += length;
	path += strspn(path, "/");
	if (leads_up(path))
		return NULL;
	return *path != '\0' ? path : ".";
}

static int
keep(struct own_cgroup *own, const char *mount, const char *below)
{
	own->mount = strdup(mount);
	own->below = strdup(below);
	if (own->mount != NULL && own->below != NULL)
		return 0;
	own_cgroup_fini(own);
	errno = ENOMEM;
	return -1;
}

/* Ends what getline(3) has read; false where that was an error. */
static bool
get_line(FILE *file, char **line, size_t *room)
{
	errno = ENOENT; /* at the end of the file */
	if (getline(line, room, file) == -1)
		return false;
	(*line)[strcspn(*line, "\n")] = '\0';
	return true;
}

int
own_cgroup_find(struct own_cgroup *own, const char *path, FILE *mountinfo)
{
	char *line = NULL, *root, *point;
	const char *below;
	size_t room = 0;
	int saved, result = -1;

	while (get_line(mountinfo, &line, &room)) {
		if (!parse_mount(line, &root, &point))
			continue;
		below = way_from(root, path);
		if (below == NULL)
			continue;
		result = keep(own, point, below);
		break;
	}
	saved = errno;
	free(line);
	errno = saved;
	return result;
}

void
own_cgroup_fini(struct own_cgroup *own)
{
	free(own->mount);
	free(own->below);
	own->mount = own->below = NULL;
}
