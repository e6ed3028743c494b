/* SPDX-License-Identifier: ISC */
/*
 * Figures of a soaked host, see soak_figures.h.
 */

#include "soak_figures.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak_tree.h"
#include "support.h"

static const char *const names[SOAK_FIGURES] = { "descriptors", "private kB",
	"leaders", "processes", "files", "logs" };

/*
 * Growth that is none.  Descriptors: what a start has open for a moment, or a
 * client that has just gone.  Memory: what the allocator keeps in pieces and the
 * relay for later, and the events that are kept, comes to rest some time after
 * the warm-up.  Processes: the floods, each of which is a shell that starts
 * three, now and then.
 */
static const long allowed[SOAK_FIGURES] = {
	[SOAK_DESCRIPTORS] = 8,
	[SOAK_MEMORY] = 12288,
	[SOAK_PROCESSES] = 3L * SOAK_FLOODS,
};

static long
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static long
private_memory(pid_t pid)
{
	char path[64], *text, *line, *next;
	long sum = 0, kilobytes;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	text = next = support_slurp(path);
	while ((line = strsep(&next, "\n")) != NULL)
		if (sscanf(line, "Private_Clean: %ld", &kilobytes) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kilobytes) == 1)
			sum += kilobytes;
	free(text);
	return sum;
}

void
soak_measure(pid_t host, struct soak_figures *figures)
{
	char path[64], runtime[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)host);
	snprintf(runtime, sizeof(runtime), "run-%u", (unsigned int)geteuid());
	figures->value[SOAK_DESCRIPTORS] = count_entries(path);
	figures->value[SOAK_MEMORY] = private_memory(host);
	figures->value[SOAK_LEADERS] = (long)support_children(host, NULL, 0);
	figures->value[SOAK_PROCESSES] = (long)support_descendants(host, NULL,
	    0);
	figures->value[SOAK_FILES] = count_entries(support_path(runtime));
	figures->value[SOAK_LOGS] = count_entries(support_path("logs"));
}

bool
soak_is_flat(const struct soak_figures *now, const struct soak_figures *before)
{
	for (int i = 0; i < SOAK_FIGURES; i++)
		if (now->value[i] > before->value[i] + allowed[i])
			return false;
	return true;
}

void
soak_print(const char *title, const struct soak_figures *figures)
{
	int i;

	if (figures == NULL) {
		printf("  %-14s", "");
		for (i = 0; i < SOAK_FIGURES; i++)
			printf(" %12s", names[i]);
		printf("\n  %-14s", "may grow by");
		for (i = 0; i < SOAK_FIGURES; i++)
			printf(" %12ld", allowed[i]);
	} else {
		printf("  %-14s", title);
		for (i = 0; i < SOAK_FIGURES; i++)
			printf(" %12ld", figures->value[i]);
	}
	printf("\n");
	fflush(stdout);
}
