/* SPDX-License-Identifier: ISC */
/*
 * Gives a fuzz target its corpus, without libFuzzer: what once crashed is a
 * test from then on.
 *
 * usage: NAME [FILE | DIRECTORY]...     default: the target's own corpus
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define PATH_SIZE 4096

static unsigned long replayed;

/* In memory of just its size, so that a read beyond it is seen. */
static void
replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "re");
	uint8_t *data = malloc(size > 0 ? size : 1);

	if (file == NULL || data == NULL ||
	    fread(data, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	/* Told before, in case it is the last. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay(const char *path)
{
	struct dirent **entries;
	char below[PATH_SIZE];
	struct stat stat_;
	int i, n;

	if (stat(path, &stat_) == -1) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(stat_.st_mode)) {
		replay_file(path, (size_t)stat_.st_size);
		return;
	}
	n = scandir(path, &entries, is_visible, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(below, sizeof(below), "%s/%s", path,
		    entries[i]->d_name);
		free(entries[i]);
		replay(below);
	}
	if (n >= 0)
		free((void *)entries);
}

int
main(int argc, char **argv)
{
	const char *top = getenv("srcdir"), *name = strrchr(argv[0], '/');
	char own[PATH_SIZE];
	int i;

	snprintf(own, sizeof(own), "%s/tests/fuzz/corpus/%s",
	    top != NULL ? top : ".", name != NULL ? name + 1 : argv[0]);
	if (argc < 2)
		replay(own);
	for (i = 1; i < argc; i++)
		replay(argv[i]);
	/* Nothing tried is nothing shown. */
	return replayed > 0 ? 0 : 1;
}
