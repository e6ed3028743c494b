/* SPDX-License-Identifier: ISC */
/*
 * Figures of a soaked host, see soak_figures.h.
 */

#include "soak_figures.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "soak_tree.h"
#include "support.h"

static const char *const names[SOAK_FIGURES] = { "descriptors", "private kB",
	"leaders", "processes", "files", "logs" };

/*
 * Growth that is none, over the most at a rest of the warm-up.  Descriptors:
 * what a start has open for a moment, or a client that has just gone.  Memory:
 * all that is kept by number is full by then; what has ended leaves holes in
 * the heap, more of them after more clients at once.  Processes: the floods,
 * each of which is a shell that starts three, now and then.
 */
static const long allowed[SOAK_FIGURES] = {
	[SOAK_DESCRIPTORS] = 8,
	[SOAK_MEMORY] = 4096,
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

void
soak_measure(pid_t host, struct soak_figures *figures)
{
	char path[64], runtime[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)host);
	snprintf(runtime, sizeof(runtime), "run-%u", (unsigned int)geteuid());
	figures->value[SOAK_DESCRIPTORS] = count_entries(path);
	figures->value[SOAK_MEMORY] = support_private_memory(host);
	figures->value[SOAK_LEADERS] = (long)support_children(host, NULL, 0);
	figures->value[SOAK_PROCESSES] = (long)support_descendants(host, NULL,
	    0);
	figures->value[SOAK_FILES] = count_entries(support_path(runtime));
	figures->value[SOAK_LOGS] = count_entries(support_path("logs"));
}

void
soak_raise(struct soak_figures *most, const struct soak_figures *now)
{
	for (int i = 0; i < SOAK_FIGURES; i++)
		if (now->value[i] > most->value[i])
			most->value[i] = now->value[i];
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

void
soak_print_sample(FILE *file, long long second,
    const struct soak_figures *figures)
{
	if (figures == NULL)
		fprintf(file, "# seconds");
	else
		fprintf(file, "%lld", second);
	for (int i = 0; i < SOAK_FIGURES; i++)
		if (figures == NULL)
			fprintf(file, ", %s", names[i]);
		else
			fprintf(file, "\t%ld", figures->value[i]);
	fprintf(file, "\n");
	fflush(file);
}
