/* SPDX-License-Identifier: ISC */
/*
 * The tree in which groups are killed, see kills_tree.h.
 */

#include "kills_tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "runtime/os/os.h"

/* The supervisors, in their order; "" is the root before the others. */
static const struct kills_part parts[] = {
	{ "", "one_for_one", 0, 'r', KILLS_FIRST, true, false },
	{ "one", "one_for_one", KILLS_ENDLESS, 'a', 12, true, false },
	{ "all", "one_for_all", KILLS_ENDLESS, 'b', 8, false, false },
	{ "all/deep", "rest_for_one", 2, 'd', 4, false, false },
	{ "rest", "rest_for_one", KILLS_ENDLESS, 'c', 10, false, false },
	{ "pool", "one_for_one", KILLS_ENDLESS, 'w', 8, false, true },
	{ "tight", "one_for_all", 2, 't', 4, false, false },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))
#define LAST_KEY "z" /* of the root's, after all parts */

struct kills_group kills_groups[KILLS_GROUPS];
static size_t n_groups;

static void
add_group(const struct kills_part *part, const char *id)
{
	struct kills_group *group = &kills_groups[n_groups++];

	ck_assert_uint_le(n_groups, KILLS_GROUPS);
	group->part = part;
	snprintf(group->key, sizeof(group->key), "%s%s%s", part->key,
	    part->key[0] != '\0' ? "/" : "", id);
}

void
kills_make_groups(void)
{
	char id[16];

	for (const struct kills_part *part = parts; part < parts + PARTS;
	     part++)
		for (unsigned int i = 0; i < part->children; i++) {
			if (part->pool)
				snprintf(id, sizeof(id), "%c:%u", part->letter,
				    i + 1);
			else
				snprintf(id, sizeof(id), "%c%u", part->letter,
				    i);
			add_group(part, id);
		}
	add_group(&parts[0], LAST_KEY);
	ck_assert_uint_eq(n_groups, KILLS_GROUPS);
}

static void
write_child(FILE *file, int indent, const char *id, unsigned int number,
    unsigned int instances)
{
	static const char *const modes[] = { "alone", "few", "deaf" };

	fprintf(file,
	    "%*s- {id: %s, command: [%s, %s, %s], instances: %u, %s"
	    "shutdown: 'TERM 30ms, KILL'}\n",
	    indent, "", id, arena_program("sole"), support_directory(),
	    modes[number % 3], instances,
	    number % 2 == 0 ? "ready: fd:3, " : "");
}

static void
write_children(FILE *file, const struct kills_part *part, int indent)
{
	char id[16];

	if (part->pool) {
		snprintf(id, sizeof(id), "%c", part->letter);
		write_child(file, indent, id, 1, part->children);
		return;
	}
	for (unsigned int i = 0; i < part->children; i++) {
		snprintf(id, sizeof(id), "%c%u", part->letter, i);
		write_child(file, indent, id, i, 1);
	}
}

const char *
kills_write_tree(const char *name, unsigned int intensity, const char *period)
{
	const char *path = support_path(name), *slash;
	const struct kills_part *part;
	FILE *file = fopen(path, "we");
	int indent;

	ck_assert_ptr_nonnull(file);
	fprintf(file, "name: kills\nintensity: %u\nperiod: %s\nchildren:\n",
	    intensity, period);
	write_children(file, &parts[0], 2);
	for (part = parts + 1; part < parts + PARTS; part++) {
		slash = strchr(part->key, '/');
		indent = slash != NULL ? 8 : 2;
		fprintf(file,
		    "%*s- id: %s\n%*ssupervisor:\n%*sstrategy: %s\n"
		    "%*sintensity: %u\n%*schildren:\n",
		    indent, "", slash != NULL ? slash + 1 : part->key,
		    indent + 2, "", indent + 4, "", part->strategy, indent + 4,
		    "", part->intensity, indent + 4, "");
		write_children(file, part, indent + 6);
	}
	write_child(file, 2, LAST_KEY, 1, 1);
	fclose(file);
	return path;
}

void
kills_open_log(void *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

	if (fd == -1 || dup2(fd, STDERR_FILENO) == -1)
		_exit(98);
	close(fd);
}

bool
kills_read(const char *key, struct kills_record *record)
{
	char name[64], *text, *p;
	bool ok;

	snprintf(name, sizeof(name), "%s", key);
	for (p = name; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	text = support_slurp(support_path(name));
	ok = sscanf(text, "%d %u %d", &record->pid, &record->starts,
		 &record->helper) == 3;
	free(text);
	return ok;
}

/* Not another's that was given the same pid. */
static bool
has_name(pid_t pid, const char *name)
{
	size_t length = strlen(name);
	char path[64], *text;
	bool has;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	text = support_slurp(path);
	has = strncmp(text, name, length) == 0 && text[length] == '\n';
	free(text);
	return has;
}

bool
kills_hit(pid_t pid, const char *name, int signum)
{
	int fd = pid > 1 ? os_pidfd(pid) : -1;
	bool hit;

	if (fd == -1)
		return false;
	hit = (name == NULL || has_name(pid, name)) &&
	    os_pidfd_signal(fd, signum) == 0;
	close(fd);
	return hit;
}

pid_t
kills_leader(pid_t host, pid_t member, const char *name)
{
	struct support_process p;

	/* An orphan's parent is the host, or the test. */
	if (!support_process(member, &p) || !support_alive(&p) ||
	    !kills_hit(member, name, 0) || p.ppid == host)
		return 0;
	member = p.ppid;
	if (!support_process(member, &p) || p.ppid != host)
		return 0;
	return member;
}

const struct kills_group *
kills_find(const char *key)
{
	for (size_t i = 0; i < n_groups; i++)
		if (strcmp(kills_groups[i].key, key) == 0)
			return &kills_groups[i];
	return NULL;
}
